//! Everything on its way to the server: the write buffer, the reconnect buffer, and the PINGs that wait for a PONG.
//!
//! Publishers write into `buffer` under a short lock. Whoever fills it takes it out and writes it to the socket
//! itself, without the lock, while others fill the next one; a buffer with room left is written by the poller.
//! There is one writer at a time (`writing`), so the bytes keep their order. No byte is left behind: whenever the lock is
//! free, bytes in the buffer have a writer, a publisher that waits to become it, a poller that watches the socket, or a
//! flush that was asked for (`Queue::look_after_rest`).

mod control;
mod kept;
mod publishing;
mod queue;
mod writing;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::sync::{Condvar, Mutex, MutexGuard};

use self::queue::{Phase, Queue};
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

#[cfg(test)]
mod tests;
