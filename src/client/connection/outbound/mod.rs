//! Everything on its way to the server: the write buffer, the reconnect buffer, and the PINGs that wait for a PONG.
//!
//! Publishers write into `buffer` under a short lock. Whoever fills it takes it out and writes it to the socket
//! itself, without the lock, while others fill the next one; a buffer with room left is written by the poller.
//! There is one writer at a time (`writing`), so the bytes keep their order. No byte is left behind: whenever the lock is
//! free, bytes in the buffer have a writer, a publisher that waits to become it, a poller that watches the socket, or a
//! flush that was asked for (`Queue::look_after_rest`).

mod kept;
mod pings;
mod queue;
mod writing;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::sync::{Condvar, Mutex, MutexGuard};

use self::queue::{Phase, Queue};
use crate::client::connection::link::Link;
use crate::client::connection::vitals::Vitals;
use crate::client::connection::waiter::Waiter;
use crate::error::{Error, Result, Status};
use crate::io::clock;
use crate::proto::buffer::{Buffer, NoMemory};
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

/// A message to publish.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    pub subject: &'a [u8],
    pub reply: Option<&'a [u8]>,
    pub headers: Option<&'a [u8]>,
    pub payload: &'a [u8],
}

impl Outgoing<'_> {
    /// Of headers and payload.
    #[inline(always)]
    fn size(&self) -> usize {
        self.headers.map_or(0, <[u8]>::len) + self.payload.len()
    }
}

/// When the bytes go to the socket.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// With the next write of the poller, soon.
    Soon,
    /// Before the call returns.
    Now,
}

/// What the caller has to do after it let go of the lock.
#[derive(Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Then {
    Nothing,
    /// Ask the poller for a flush (or the event loop for a write event).
    RequestFlush,
}

pub struct Settings {
    pub capacity: usize,
    pub reconnect_capacity: usize,
    pub send_asap: bool,
    pub flusher_wait: Duration,
    pub write_deadline_ms: i64,
}

pub struct Outbound {
    settings: Settings,
    vitals: Arc<Vitals>,
    queue: Mutex<Queue>,
    /// Signalled when the buffer has room, when a writer is done and when the phase changes.
    changed: Condvar,
    /// When the socket stopped taking bytes (ms on the liveness clock, plus 1), 0 while it takes them.
    stuck_since: AtomicU64,
}

/// What an arriving PONG answers.
#[derive(Default)]
pub struct Answer {
    /// Who waits for it.
    pub waiter: Option<Arc<Waiter<()>>>,
    pub round_trip: Option<Duration>,
    pub keep_alive: bool,
}

type Guard<'a> = MutexGuard<'a, Queue>;
type Written = std::result::Result<(), NoMemory>;

impl From<NoMemory> for Error {
    #[track_caller]
    #[cold]
    fn from(_: NoMemory) -> Error {
        Status::NoMemory.into()
    }
}

impl Outbound {
    pub fn new(settings: Settings, vitals: Arc<Vitals>) -> Outbound {
        Outbound {
            settings,
            vitals,
            queue: Mutex::new(Queue::new()),
            changed: Condvar::new(),
            stuck_since: AtomicU64::new(0),
        }
    }

    // ---- publishing ----

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

    /// Appends a frame that is not a publish. Nothing is written while there is no connection.
    pub fn push(&self, flush: Flush, write: impl FnOnce(&mut Buffer) -> Written) -> Result<Then> {
        let mut queue = self.queue.lock();
        if queue.phase != Phase::Live {
            return Ok(Then::Nothing);
        }
        queue.append(write)?;
        if (flush == Flush::Now || self.settings.send_asap) && !queue.is_event_driven() {
            let goal = queue.enqueued;
            return self.write_until(queue, goal, None);
        }
        Ok(queue.request_flush())
    }

    /// Appends a frame without ever waiting: for the poller and the timer.
    pub fn push_only(&self, write: impl FnOnce(&mut Buffer) -> Written) -> Result<Then> {
        let mut queue = self.queue.lock();
        if queue.phase != Phase::Live {
            return Ok(Then::Nothing);
        }
        queue.append(write)?;
        Ok(queue.request_flush())
    }

    /// Appends a frame that goes out with the next one.
    pub fn push_quietly(&self, write: impl FnOnce(&mut Buffer) -> Written) -> Result<()> {
        let mut queue = self.queue.lock();
        if queue.phase == Phase::Live { queue.append(write) } else { Ok(()) }
    }

    // ---- life of the connection ----

    /// A connection is there. `first` is what it has to be told before anything else (subscriptions); then goes
    /// what waited for it. When the connection was there before (`again`), a PING of our own ends that part.
    /// The flush is to be carried out once the link is watched.
    pub fn go_live(&self, link: &Arc<Link>, first: Buffer, again: bool) -> Then {
        let mut queue = self.queue.lock();
        if queue.phase == Phase::Closed {
            return Then::Nothing;
        }
        debug_assert!(!queue.writing);
        queue.collect_unsent();
        queue.phase = Phase::Live;
        queue.link = Some(Arc::clone(link));
        queue.forget_requests();
        self.stuck_since.store(0, Ordering::Relaxed);
        queue.send_kept(first);
        if again && queue.append(|b| b.extend_from_slice(encoder::PING)).is_ok() {
            queue.pongs.sent_ping();
        }
        queue.refresh_plain_limit();
        self.changed.notify_all();
        queue.look_after_rest()
    }

    /// The connection is gone: publishes go to the reconnect buffer, who waits for the socket is woken. Returns
    /// those who wait for a PONG.
    pub fn go_down(&self) -> Vec<Arc<Waiter<()>>> {
        self.leave(Phase::Down)
    }

    /// Nothing is taken any more.
    pub fn close(&self) -> Vec<Arc<Waiter<()>>> {
        self.leave(Phase::Closed)
    }

    fn leave(&self, phase: Phase) -> Vec<Arc<Waiter<()>>> {
        let mut queue = self.queue.lock();
        if queue.phase == Phase::Closed {
            return Vec::new();
        }
        queue.phase = phase;
        queue.refresh_plain_limit();
        queue.link = None;
        queue.forget_requests();
        let waiters = queue.pings.drain(..).map(|(_, waiter)| waiter).collect();
        queue.pongs.reset();
        queue.timed.clear();
        if phase == Phase::Closed {
            queue.forget_bytes();
        }
        queue.collect_unsent();
        drop(queue);
        self.changed.notify_all();
        waiters
    }

    /// Waits until no thread writes to a lost connection any more; its socket was shut down, so that is soon.
    pub fn settle(&self) {
        let mut queue = self.queue.lock();
        while queue.writing {
            self.changed.wait(&mut queue);
        }
        queue.collect_unsent();
    }

    /// What the server's latest INFO allows.
    pub fn set_limits(&self, max_payload: i64, headers: bool) {
        let mut queue = self.queue.lock();
        queue.checked = true;
        queue.max_payload = max_payload;
        queue.headers = headers;
        queue.refresh_plain_limit();
    }

    /// Refuses publishes from now on (second phase of a drain).
    pub fn refuse_publishes(&self) {
        let mut queue = self.queue.lock();
        queue.draining = true;
        queue.refresh_plain_limit();
    }

    /// Whether anything waits to be written, or is being written.
    pub fn has_bytes(&self) -> bool {
        let queue = self.queue.lock();
        queue.writing || queue.has_bytes()
    }

    /// Bytes that wait to be written.
    pub fn buffered(&self) -> usize {
        let queue = self.queue.lock();
        if queue.phase == Phase::Live { queue.waiting_bytes() } else { 0 }
    }

    /// Bytes that wait to be written; `None` when somebody has the buffer right now.
    pub fn try_buffered(&self) -> Option<usize> {
        let queue = self.queue.try_lock()?;
        Some(if queue.phase == Phase::Live { queue.waiting_bytes() } else { 0 })
    }

    /// Messages and bytes published.
    pub fn published(&self) -> (u64, u64) {
        let queue = self.queue.lock();
        (queue.out_msgs, queue.out_bytes)
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

#[cfg(test)]
mod tests;
