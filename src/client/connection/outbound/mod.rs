//! Everything on its way to the server: messages, frames that belong to one connection, what waits for the
//! next one.
//!
//! Publishers append to the write buffer (`buffer`) under a short lock. Whoever fills it takes it out and
//! writes it to the socket himself, without the lock, while others fill the next one; a buffer with room left
//! is written by the poller. There is one writer at a time, so the bytes keep their order. No byte is left
//! behind: `schedule` says how.
//!
//! One lock guards a [`Queue`] made of parts: `admission` knows who may append, `buffer` has the bytes for
//! this connection, `store` those for the next one, `pings` matches PONGs, `schedule` knows who writes. None
//! of them knows the lock or the socket.

mod admission;
mod buffer;
mod control;
mod kept;
mod pings;
mod publishing;
mod queue;
mod schedule;
mod store;
mod writing;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::sync::{Condvar, Mutex, MutexGuard};

use self::admission::Phase;
pub(super) use self::admission::Wait;
use self::queue::Queue;
use crate::client::connection::link::Link;
use crate::client::connection::vitals::Vitals;
use crate::client::connection::waiter::Waiter;
use crate::error::{Error, Status};
use crate::proto::buffer::{Buffer, NoMemory};
use crate::proto::encoder;

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

    /// At most.
    fn frame_size(&self) -> usize {
        encoder::publish_size(self.subject.len() + self.reply.map_or(0, <[u8]>::len) + self.size())
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
pub(super) enum Then {
    Nothing,
    /// Ask the poller for a flush (or the event loop for a write event).
    RequestFlush,
}

pub(super) struct Settings {
    pub capacity: usize,
    pub reconnect_capacity: usize,
    pub send_asap: bool,
    pub flusher_wait: Duration,
    pub write_deadline_ms: i64,
}

pub(super) struct Outbound {
    settings: Settings,
    vitals: Arc<Vitals>,
    queue: Mutex<Queue>,
    /// Signalled when the buffer has room, when a writer is done and when the phase changes.
    changed: Condvar,
    /// When the socket stopped taking bytes (ms on the liveness clock, plus 1), 0 while it takes them.
    stuck_since: AtomicU64,
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
    pub(super) fn new(settings: Settings, vitals: Arc<Vitals>) -> Outbound {
        Outbound {
            queue: Mutex::new(Queue::new(settings.reconnect_capacity)),
            settings,
            vitals,
            changed: Condvar::new(),
            stuck_since: AtomicU64::new(0),
        }
    }

    /// A connection is there. `first` is what it has to be told before anything else (subscriptions); then
    /// goes what waited for it. When the connection was there before (`again`), a PING of our own ends that
    /// part. The flush is to be carried out once the link is watched.
    pub(super) fn go_live(&self, link: &Arc<Link>, first: Buffer, again: bool) -> Then {
        let mut queue = self.lock();
        if queue.admission.phase() == Phase::Closed {
            return Then::Nothing;
        }
        debug_assert!(!queue.schedule.is_writing());
        self.stuck_since.store(0, Ordering::Relaxed);
        let then = queue.go_live(link, first, again);
        self.changed.notify_all();
        then
    }

    /// The connection is gone: publishes go to the reconnect buffer, who waits for the socket is woken.
    /// Returns those who wait for a PONG.
    pub(super) fn go_down(&self) -> Vec<Arc<Waiter<()>>> {
        self.leave(Phase::Down)
    }

    /// Nothing is taken any more.
    pub(super) fn close(&self) -> Vec<Arc<Waiter<()>>> {
        self.leave(Phase::Closed)
    }

    fn leave(&self, phase: Phase) -> Vec<Arc<Waiter<()>>> {
        let mut queue = self.lock();
        if queue.admission.phase() == Phase::Closed {
            return Vec::new();
        }
        let waiters = queue.leave(phase);
        drop(queue);
        self.changed.notify_all();
        waiters
    }

    /// Waits until no thread writes to a lost connection any more; its socket was shut down, so that is soon.
    pub(super) fn settle(&self) {
        let mut queue = self.lock();
        while queue.schedule.is_writing() {
            self.changed.wait(&mut queue);
        }
        queue.collect_unsent();
    }

    /// What the server's latest INFO allows.
    pub(super) fn set_limits(&self, max_payload: i64, headers: bool) {
        self.lock().admission.set_limits(max_payload, headers);
    }

    /// Refuses publishes from now on (second phase of a drain).
    pub(super) fn refuse_publishes(&self) {
        self.lock().admission.drain();
    }

    // ---- questions ----

    /// Whether anything waits to be written, or is being written.
    pub(super) fn has_bytes(&self) -> bool {
        let queue = self.lock();
        queue.schedule.is_writing() || queue.has_bytes()
    }

    /// Bytes that wait to be written.
    pub(super) fn buffered(&self) -> usize {
        self.lock().waiting_bytes()
    }

    /// Bytes that wait to be written; `None` when somebody has the buffer right now.
    pub(super) fn try_buffered(&self) -> Option<usize> {
        Some(self.queue.try_lock()?.waiting_bytes())
    }

    /// Messages and bytes published.
    pub(super) fn published(&self) -> (u64, u64) {
        self.lock().published()
    }

    fn lock(&self) -> Guard<'_> {
        checked(self.queue.lock())
    }
}

/// Whoever had the lock before has left no byte alone.
#[inline(always)]
fn checked(queue: Guard<'_>) -> Guard<'_> {
    debug_assert!(queue.is_looked_after(), "bytes that nobody writes");
    queue
}

#[cfg(test)]
mod tests;
