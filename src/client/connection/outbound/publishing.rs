//! Publishing: how a message gets into a buffer.

use std::thread;
use std::time::Duration;

use super::admission::{Frame, Place, Wait};
use super::{Flush, Guard, Outbound, Outgoing, Settings, Then, checked};
use crate::error::{Error, Result};
use crate::io::clock;
use crate::proto::buffer::NoMemory;
use crate::proto::encoder;

/// Payloads from this size on wait for larger writes, by this factor.
const LARGE_PAYLOAD: usize = 1024;
const LARGE_WRITES: usize = 2;
/// So often a publisher that finds the lock taken gives its processor away before it sleeps: waking it would
/// take longer than the lock is held, and spinning keeps the holder from running where there are few
/// processors.
const YIELDS: u32 = 64;
/// A payload of this size is written from where the program has it, instead of being copied into the buffer.
const DIRECT_PAYLOAD: usize = 32 * 1024;
/// A connection that wrote nothing for this long is quiet: the next message goes out at once.
const QUIET: Duration = Duration::from_millis(1);

impl Outbound {
    /// Publishes; on `NATS_OK` the message is in a buffer or on the socket. Who never waits does not write
    /// either, `flush` or not. After a failure the caller calls [`Outbound::look_after_rest`].
    #[inline(always)]
    pub(crate) fn publish(&self, out: Outgoing<'_>, flush: Flush, wait: Wait) -> Result<Then> {
        let queue = self.lock_to_publish();
        let capacity = self.settings.capacity_for(&out);
        if queue.admission.is_plain(&out) && queue.buffer.len() < capacity {
            self.put(queue, out, flush, wait, capacity)
        } else {
            self.publish_checked(queue, out, flush, wait)
        }
    }

    #[inline]
    fn lock_to_publish(&self) -> Guard<'_> {
        checked(self.queue.try_lock().unwrap_or_else(|| self.lock_contended()))
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
    fn publish_checked<'a>(
        &'a self,
        mut queue: Guard<'a>,
        out: Outgoing<'_>,
        flush: Flush,
        wait: Wait,
    ) -> Result<Then> {
        queue.admission.check(&out)?;
        let capacity = self.settings.capacity_for(&out);
        let frame = Frame::message(out.frame_size(), wait);
        let mut place = queue.place(frame, capacity)?;
        if place == Place::Later {
            (queue, place) = self.wait_for_room(queue, frame, capacity)?;
        }
        if place == Place::Buffer {
            return self.put(queue, out, flush, wait, capacity);
        }
        // Down now, maybe only since the wait above: the message goes out after the reconnect.
        queue.store.append_publish(out)?;
        queue.count(&out);
        Ok(Then::Nothing)
    }

    #[inline(always)]
    fn put<'a>(
        &'a self,
        mut queue: Guard<'a>,
        out: Outgoing<'_>,
        flush: Flush,
        wait: Wait,
        capacity: usize,
    ) -> Result<Then> {
        if out.payload.len() >= DIRECT_PAYLOAD && wait == Wait::Yes && queue.can_write_directly() {
            return self.put_directly(queue, out);
        }
        let start = queue.buffer.enqueued();
        let appended =
            queue.buffer.append(|b| encoder::publish(b, out.subject, out.reply, out.headers, out.payload));
        if appended.is_err() {
            return Err(no_memory(queue));
        }
        queue.count(&out);
        if flush == Flush::Now || self.settings.send_asap || queue.buffer.len() >= capacity {
            return self.flush_after_publish(queue, flush, wait, start);
        }
        if queue.schedule.note_publish() {
            return Ok(Then::Nothing);
        }
        self.first_publish(queue, wait)
    }

    /// Writes what waits and this message behind it, whose payload is only copied when the socket does not
    /// take it.
    #[cold]
    fn put_directly<'a>(&'a self, mut queue: Guard<'a>, out: Outgoing<'_>) -> Result<Then> {
        let start = queue.buffer.enqueued();
        let frame = out.frame_size();
        let appended = queue.buffer.append(|b| {
            b.reserve(frame)?; // before the first byte is sent
            encoder::publish_without_payload(b, out.subject, out.reply, out.headers, out.payload.len())
        });
        if appended.is_err() {
            return Err(no_memory(queue));
        }
        queue.count(&out);
        let mut turn = queue.take_turn();
        queue.buffer.announce(out.payload.len() + encoder::CRLF.len());
        let goal = queue.buffer.enqueued();
        drop(queue);
        let result = turn.write_with(out.payload);
        let (mut queue, link) = self.end_turn(turn, result.is_err());
        queue.schedule.note_publisher_wrote(clock::now());
        let own = Some(start);
        match result {
            Err(e) => Ok(self.write_failed(queue, &link, own, e)?.look_after_rest()),
            Ok(()) => self.write_until(queue, goal, own),
        }
    }

    /// The first message of several, maybe the only one. When nothing was written for a while it goes out at
    /// once, as far as the socket takes it; otherwise it waits for the poller, together with those that
    /// follow.
    #[cold]
    fn first_publish<'a>(&'a self, mut queue: Guard<'a>, wait: Wait) -> Result<Then> {
        let quiet = queue.schedule.since_write(clock::now()) > QUIET;
        if !quiet || queue.schedule.is_attended() || !queue.may_write(wait) {
            return Ok(queue.schedule.request());
        }
        Ok(self.write_what_fits(queue).1)
    }

    /// Called with the buffer full or the program wanting it out: the publisher, whose frame begins with byte
    /// `start`, writes it itself.
    fn flush_after_publish<'a>(
        &'a self,
        mut queue: Guard<'a>,
        flush: Flush,
        wait: Wait,
        start: u64,
    ) -> Result<Then> {
        if !queue.may_write(wait) {
            return Ok(queue.schedule.request());
        }
        let all = flush == Flush::Now || self.settings.send_asap;
        if queue.schedule.is_writing() && !all {
            return Ok(Then::Nothing); // whoever writes now looks after it
        }
        let goal = queue.buffer.enqueued();
        self.write_until(queue, goal, Some(start))
    }
}

/// What was there before is left to the caller, maybe after a wait for room.
#[cold]
fn no_memory(mut queue: Guard<'_>) -> Error {
    queue.schedule.leave_to_caller();
    NoMemory.into()
}

impl Settings {
    /// How full the buffer may be before a message like this one has it written. Larger messages gain most
    /// from larger writes.
    #[inline]
    fn capacity_for(&self, out: &Outgoing<'_>) -> usize {
        if out.payload.len() < LARGE_PAYLOAD { self.capacity } else { self.capacity * LARGE_WRITES }
    }
}
