//! Writing to the socket: by publishers, who may wait for it, and by the poller, which never waits.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::queue::{Chunk, Phase};
use super::{Guard, Outbound, Then};
use crate::client::link::{Link, WRITE_DEADLINE, Wrote};
use crate::error::{Error, Result, Status};
use crate::io::clock::{self, Deadline, wait_until};

/// The end of a connection is noticed long before this has passed.
const LOSS_NOTICED_MS: i64 = 1000;
/// When the poller finds a publisher writing, it comes back after this.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

impl Outbound {
    /// Something of TLS is to be sent, soon.
    pub fn flush_soon(&self) -> Then {
        let mut queue = self.queue.lock();
        if queue.phase == Phase::Live { queue.request_flush() } else { Then::Nothing }
    }

    /// Writes what the socket takes right now, on the calling thread; the poller does the rest.
    pub fn flush_try(&self) -> Then {
        let mut queue = self.queue.lock();
        if queue.phase != Phase::Live {
            return Then::Nothing;
        }
        if queue.is_event_driven() {
            return queue.request_flush();
        }
        if self.write_what_fits(queue) { self.queue.lock().request_flush() } else { Then::Nothing }
    }

    /// The poller looks at a flush that was asked for. `first_look` is true when nothing was waited for yet.
    /// Returns when to look again if more publishes came and the last write is too recent.
    pub fn flush_due(&self, first_look: bool) -> Option<Duration> {
        let mut queue = self.queue.lock();
        let now = clock::now();
        if queue.writing {
            return Some(now + LOOK_AGAIN); // that writer may stop before it has written everything
        }
        let wait = self.settings.flusher_wait;
        if first_look && queue.since_request > 1 && !wait.is_zero() {
            let due = queue.last_flush + wait;
            if due > now {
                return Some(due);
            }
        }
        queue.last_flush = now;
        self.write_what_fits(queue);
        None
    }

    /// The socket takes bytes again. For the poller and for event loops; returns false when nothing is left.
    pub fn writable(&self) -> bool {
        let queue = self.queue.lock();
        let nothing_unfinished =
            queue.unfinished.is_empty() && !queue.is_event_driven() && !queue.link_has_bytes();
        if queue.writing || nothing_unfinished {
            let (link, left) = (queue.link.clone(), queue.has_bytes());
            drop(queue);
            if let Some(link) = link {
                link.watch_writable(false);
            }
            return left;
        }
        self.write_what_fits(queue)
    }

    /// Writes without waiting; what does not fit is written when the socket takes bytes again.
    pub(super) fn write_what_fits<'a>(&'a self, mut queue: Guard<'a>) -> bool {
        if queue.writing {
            return true;
        }
        queue.flush_requested = false;
        queue.since_request = 0;
        // No more than what is there now: a publisher that fills the buffer meanwhile is better at writing it.
        let goal = queue.enqueued;
        let mut stuck = None;
        while queue.phase == Phase::Live && (queue.written < goal || queue.link_has_bytes()) {
            let (link, mut chunk) = queue.take_chunk();
            drop(queue);
            let result = link.write_now(chunk.data.as_slice(), &mut chunk.sent);
            queue = self.queue.lock();
            self.note_progress(matches!(result, Ok(Wrote::All | Wrote::Gone)));
            queue.put_back(chunk, &link);
            self.changed.notify_all();
            match result {
                Ok(Wrote::All) => continue,
                Ok(Wrote::Part) => stuck = Some(link),
                Ok(Wrote::Gone) => {} // the reader sees the end and starts the reconnect
                Err(e) => link.break_off(&e), // the same
            }
            break;
        }
        queue.last_write = clock::now();
        if queue.is_event_driven() {
            queue.flush_requested = queue.has_bytes(); // the loop goes on telling as long as something is left
        }
        let left = queue.has_bytes();
        drop(queue);
        if let Some(link) = stuck {
            link.watch_writable(true);
        }
        left
    }

    /// Writes until the byte with number `goal` is on the socket. Waits while another thread writes. When that
    /// fails, the frame `own` is the caller's to know about: it is not kept for the reconnect.
    pub(super) fn write_until<'a>(
        &'a self,
        mut queue: Guard<'a>,
        goal: u64,
        own: Option<Range<u64>>,
    ) -> Result<()> {
        let deadline = self.write_deadline();
        while queue.phase == Phase::Live && queue.written < goal {
            if queue.writing {
                queue = self.wait_for_change(queue, own.clone(), deadline)?;
                continue;
            }
            let (link, mut chunk) = queue.take_chunk();
            drop(queue);
            let result = self.write_chunk(&link, &mut chunk, deadline);
            queue = self.written(chunk, &link);
            match result {
                Ok(Wrote::Gone) => return self.wait_for_loss(queue, &link),
                Ok(_) => {}
                Err(e) => return self.write_failed(queue, &link, own, e),
            }
        }
        queue.open()
    }

    /// Ends a publisher's write.
    pub(super) fn written(&self, chunk: Chunk, link: &Arc<Link>) -> Guard<'_> {
        let mut queue = self.queue.lock();
        queue.put_back(chunk, link);
        queue.last_write = clock::now();
        queue.last_flush = queue.last_write;
        self.changed.notify_all();
        queue
    }

    /// A publisher's write failed: its own frame is its own to know about, unless the link was lost meanwhile; then what
    /// was not sent goes out after the reconnect.
    pub(super) fn write_failed(
        &self,
        mut queue: Guard<'_>,
        link: &Arc<Link>,
        own: Option<Range<u64>>,
        error: Error,
    ) -> Result<()> {
        if !queue.is_current(link) {
            return queue.open();
        }
        queue.take_back(own);
        link.break_off(&error);
        Err(error)
    }

    /// The server has ended the connection, and the thread that reads is about to notice. What was to be written goes out
    /// after the reconnect.
    fn wait_for_loss(&self, mut queue: Guard<'_>, link: &Arc<Link>) -> Result<()> {
        let deadline = Deadline::in_ms(LOSS_NOTICED_MS);
        wait_until(&self.changed, &mut queue, deadline, |queue| (!queue.is_current(link)).then_some(()));
        queue.open()
    }

    /// Writes until all is written or the server has gone.
    fn write_chunk(&self, link: &Link, chunk: &mut Chunk, deadline: Deadline) -> Result<Wrote> {
        loop {
            let before = chunk.sent;
            let wrote = link.write_now(chunk.data.as_slice(), &mut chunk.sent)?;
            self.note_progress(wrote != Wrote::Part || chunk.sent > before);
            if wrote != Wrote::Part {
                return Ok(wrote);
            }
            self.note_progress(false);
            link.wait_writable(deadline)?;
        }
    }

    /// Waits until the buffer takes another frame, or there is no connection to write to.
    pub(super) fn wait_for_room<'a>(&'a self, mut queue: Guard<'a>, capacity: usize) -> Result<Guard<'a>> {
        let deadline = self.write_deadline();
        while queue.phase == Phase::Live && queue.buffer.len() >= capacity && !queue.is_event_driven() {
            if queue.writing {
                queue = self.wait_for_change(queue, None, deadline)?;
            } else {
                let goal = queue.enqueued;
                self.write_until(queue, goal, None)?;
                queue = self.queue.lock();
            }
        }
        queue.open()?;
        Ok(queue)
    }

    fn wait_for_change<'a>(
        &'a self,
        mut queue: Guard<'a>,
        own: Option<Range<u64>>,
        deadline: Deadline,
    ) -> Result<Guard<'a>> {
        match deadline.remaining() {
            None => self.changed.wait(&mut queue),
            Some(Duration::ZERO) => {
                let error = Error::new(Status::Timeout, WRITE_DEADLINE);
                queue.take_back(own);
                if let Some(link) = &queue.link {
                    link.break_off(&error);
                }
                return Err(error);
            }
            Some(left) => drop(self.changed.wait_for(&mut queue, left)),
        }
        Ok(queue)
    }

    fn write_deadline(&self) -> Deadline {
        match self.settings.write_deadline_ms {
            ms if ms > 0 => Deadline::in_ms(ms),
            _ => Deadline::NEVER,
        }
    }

    fn note_progress(&self, progress: bool) {
        if progress {
            let stall = self.stuck_for();
            if !stall.is_zero() {
                self.vitals.note_stall(stall);
            }
            self.stuck_since.store(0, Ordering::Relaxed);
        } else if self.stuck_since.load(Ordering::Relaxed) == 0 {
            self.stuck_since.store(clock::now().as_millis() as u64 + 1, Ordering::Relaxed);
        }
    }

    /// For how long the socket has not taken a byte, zero while it does.
    fn stuck_for(&self) -> Duration {
        match self.stuck_since.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => clock::now().saturating_sub(Duration::from_millis(since - 1)),
        }
    }

    /// For how long a publisher has been waiting for the socket to take a byte, zero when none is.
    pub fn publisher_blocked_for(&self) -> Duration {
        // The poller never stays the writer of a socket that takes nothing: this one is a thread of the program.
        if self.queue.lock().writing { self.stuck_for() } else { Duration::ZERO }
    }
}
