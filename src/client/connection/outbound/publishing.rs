//! Publishing: a message goes into the buffer, and out at once where that is due.

use std::thread;
use std::time::Duration;

use super::queue::Phase;
use super::{Flush, Guard, Outbound, Outgoing, Settings, Then};
use crate::error::Result;
use crate::io::clock;
use crate::proto::encoder;

/// Payloads from this size on wait for larger writes, by this factor.
const LARGE_PAYLOAD: usize = 1024;
const LARGE_WRITES: usize = 2;
/// So often a publisher that finds the lock taken gives its processor away before it sleeps: waking it would take
/// longer than the lock is held, and spinning keeps the holder from running where there are few processors.
const YIELDS: u32 = 64;
/// A payload of this size is written from where the program has it, instead of being copied into the buffer.
const DIRECT_PAYLOAD: usize = 32 * 1024;
/// A connection that wrote nothing for this long is quiet: the next message goes out at once.
const QUIET: Duration = Duration::from_millis(1);

impl Outbound {
    /// Publishes; on `NATS_OK` the message is in a buffer or on the socket.
    #[inline(always)]
    pub fn publish(&self, out: Outgoing<'_>, flush: Flush) -> Result<Then> {
        let queue = self.lock_to_publish();
        let plain = (out.headers.is_none() || queue.headers) && out.size() as i64 <= queue.plain_limit;
        let capacity = self.settings.capacity_for(&out);
        if plain && queue.buffer.len() < capacity {
            self.put(queue, out, flush, capacity)
        } else {
            self.publish_checked(queue, out, flush)
        }
    }

    #[inline]
    fn lock_to_publish(&self) -> Guard<'_> {
        self.queue.try_lock().unwrap_or_else(|| self.lock_contended())
    }

    #[cold]
    fn lock_contended(&self) -> Guard<'_> {
        for _ in 0..YIELDS {
            thread::yield_now();
            if !self.queue.is_locked()
                && let Some(queue) = self.queue.try_lock()
            {
                return queue;
            }
        }
        self.queue.lock()
    }

    /// The ordinary way of a publish, with all checks.
    #[cold]
    fn publish_checked<'a>(&'a self, mut queue: Guard<'a>, out: Outgoing<'_>, flush: Flush) -> Result<Then> {
        queue.admit(&out, self.settings.reconnect_capacity)?;
        let capacity = self.settings.capacity_for(&out);
        if !self.has_room(&queue, capacity) {
            queue = self.wait_for_room(queue, capacity)?;
            queue.admit_while_down(self.settings.reconnect_capacity)?;
        }
        if queue.phase == Phase::Live {
            return self.put(queue, out, flush, capacity);
        }
        // Down now, maybe only since the wait above: the message goes out after the reconnect.
        queue.pending.append_publish(out)?;
        queue.count(&out);
        Ok(Then::Nothing)
    }

    #[inline(always)]
    fn put<'a>(
        &'a self,
        mut queue: Guard<'a>,
        out: Outgoing<'_>,
        flush: Flush,
        capacity: usize,
    ) -> Result<Then> {
        if out.payload.len() >= DIRECT_PAYLOAD && queue.can_write_directly() {
            return self.put_directly(queue, out);
        }
        let before = queue.buffer.len();
        encoder::publish(&mut queue.buffer, out.subject, out.reply, out.headers, out.payload)?;
        queue.count(&out);
        let after = queue.buffer.len();
        queue.enqueued += (after - before) as u64;
        if flush == Flush::Now || self.settings.send_asap || after >= capacity {
            return self.flush_after_publish(queue, flush, before);
        }
        queue.since_request = queue.since_request.wrapping_add(1);
        if queue.flush_requested {
            return Ok(Then::Nothing);
        }
        self.first_publish(queue)
    }

    /// Writes what waits and this message behind it, whose payload is only copied when the socket does not take it.
    #[cold]
    fn put_directly<'a>(&'a self, mut queue: Guard<'a>, out: Outgoing<'_>) -> Result<Then> {
        let start = queue.enqueued;
        let frame = encoder::publish_size(out.subject.len() + out.reply.map_or(0, <[u8]>::len) + out.size());
        queue.append(|b| {
            b.reserve(frame)?; // before the first byte is sent
            encoder::publish_without_payload(b, out.subject, out.reply, out.headers, out.payload.len())
        })?;
        queue.count(&out);
        let (link, mut chunk) = queue.take_chunk();
        queue.announce(out.payload.len() + encoder::CRLF.len());
        let goal = queue.enqueued;
        drop(queue);
        let result = link.write_pieces(&[chunk.data.as_slice(), out.payload, encoder::CRLF]);
        let sent = *result.as_ref().unwrap_or(&0);
        if sent < chunk.data.len() + out.payload.len() + encoder::CRLF.len() {
            let added = chunk.data.extend_from_slice(out.payload);
            added.and_then(|()| chunk.data.extend_from_slice(encoder::CRLF)).expect("there is room");
        }
        chunk.sent = sent.min(chunk.data.len());
        let mut queue = self.put_back(chunk, &link, result.is_err());
        queue.note_publisher_wrote();
        let own = Some(start);
        match result {
            Err(e) => Ok(self.write_failed(queue, &link, own, e)?.look_after_rest()),
            Ok(_) => self.write_until(queue, goal, own),
        }
    }

    /// The first message of several, maybe the only one. When nothing was written for a while it goes out at once, as
    /// far as the socket takes it; otherwise it waits for the poller, together with those that follow.
    #[cold]
    fn first_publish<'a>(&'a self, mut queue: Guard<'a>) -> Result<Then> {
        let quiet = clock::now().saturating_sub(queue.last_write) > QUIET;
        if !quiet || queue.is_attended() || queue.is_event_driven() {
            return Ok(queue.request_flush());
        }
        Ok(self.write_what_fits(queue).1)
    }

    /// Called with the buffer full or the program wanting it out: the publisher writes it itself.
    fn flush_after_publish<'a>(&'a self, mut queue: Guard<'a>, flush: Flush, before: usize) -> Result<Then> {
        if queue.is_event_driven() {
            return Ok(queue.request_flush());
        }
        let all = flush == Flush::Now || self.settings.send_asap;
        if queue.writing && !all {
            return Ok(Then::Nothing); // whoever writes now looks after it
        }
        let goal = queue.enqueued;
        let own = goal - (queue.buffer.len() - before) as u64;
        self.write_until(queue, goal, Some(own))
    }
}

impl Settings {
    /// How full the buffer may be before a message like this one has it written. Larger messages gain most from
    /// larger writes.
    #[inline]
    fn capacity_for(&self, out: &Outgoing<'_>) -> usize {
        if out.payload.len() < LARGE_PAYLOAD { self.capacity } else { self.capacity * LARGE_WRITES }
    }
}
