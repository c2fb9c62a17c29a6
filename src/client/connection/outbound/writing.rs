//! Writing to the socket: by publishers, who may wait for it, and by the poller, which never waits.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::kept::Chunk;
use super::queue::{Phase, Queue};
use super::{Guard, Outbound, Then};
use crate::client::connection::link::{Link, WRITE_DEADLINE, Wrote};
use crate::error::{Error, Result, Status};
use crate::io::clock::{self, Deadline, wait_until};
use crate::thread_end;

/// The end of a connection is noticed long before this has passed.
const LOSS_NOTICED_MS: i64 = 1000;

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
        if queue.writing || queue.is_event_driven() {
            return queue.request_flush();
        }
        self.write_what_fits(queue).1
    }

    /// The poller looks at a flush that was asked for. `first_look` is true when nothing was waited for yet.
    /// Returns when to look again if more publishes came and the last write is too recent.
    pub fn flush_due(&self, first_look: bool) -> (Option<Duration>, Then) {
        let mut queue = self.queue.lock();
        if queue.writing {
            queue.leave_flush_to_writer();
            return (None, Then::Nothing);
        }
        let now = clock::now();
        let wait = self.settings.flusher_wait;
        if first_look && queue.since_request > 1 && !wait.is_zero() {
            let due = queue.last_flush + wait;
            if due > now {
                return (Some(due), Then::Nothing);
            }
        }
        queue.last_flush = now;
        (None, self.write_what_fits(queue).1)
    }

    /// The socket takes bytes again. For the poller and for event loops; returns false when nothing is left.
    pub fn writable(&self) -> (bool, Then) {
        let mut queue = self.queue.lock();
        if queue.writing {
            queue.watch(false); // that writer waits for the socket himself, and looks after what he leaves
            return (true, Then::Nothing);
        }
        let (queue, then) = self.write_what_fits(queue);
        (queue.has_bytes(), then)
    }

    /// After a failure: what the failed call left to be written, or found so, is looked after.
    pub fn look_after_rest(&self) -> Then {
        self.queue.lock().look_after_rest()
    }

    /// Writes without waiting, where nobody else writes; what does not fit is written when the socket takes bytes again.
    pub(super) fn write_what_fits<'a>(&'a self, mut queue: Guard<'a>) -> (Guard<'a>, Then) {
        queue.begin_flush();
        // No more than what is there now: a publisher that fills the buffer meanwhile is better at writing it.
        let goal = queue.enqueued;
        let mut stuck = false;
        if queue.has_work(goal) {
            let (turned, link, result) = self.write_turn(queue, goal, |link, chunk| {
                let result = link.write_now(chunk.data.as_slice(), &mut chunk.sent);
                self.note_progress(matches!(result, Ok(Wrote::All | Wrote::Gone)));
                result
            });
            queue = turned;
            stuck = matches!(result, Ok(Wrote::Part));
            if let Err(e) = result {
                link.break_off(&e); // the reader sees the end and starts the reconnect
            }
        }
        queue.last_write = clock::now();
        queue.watch(stuck);
        let then = queue.look_after_rest();
        (queue, then)
    }

    /// Writes until the byte with number `goal` is on the socket. Waits while another thread writes. When that
    /// fails, the frame that starts with byte `own` is the caller's to know about: it is not kept for the reconnect.
    pub(super) fn write_until<'a>(&'a self, queue: Guard<'a>, goal: u64, own: Option<u64>) -> Result<Then> {
        let mut queue = self.reach(queue, goal, own)?;
        let then = queue.look_after_rest();
        drop(queue);
        // Of all publishes only those that write are cancellation points. A failed call asks for nothing: its caller
        // looks after what is left.
        thread_end::point().inspect_err(|_| self.take_back(then))?;
        Ok(then)
    }

    #[cold]
    fn take_back(&self, then: Then) {
        if then == Then::RequestFlush {
            self.queue.lock().flush_requested = false;
        }
    }

    /// As [`Outbound::write_until`], and keeps the lock: who goes on looks after what is left.
    fn reach<'a>(&'a self, mut queue: Guard<'a>, goal: u64, own: Option<u64>) -> Result<Guard<'a>> {
        let deadline = self.write_deadline();
        while queue.phase == Phase::Live && queue.written < goal {
            if queue.writing {
                queue = self.wait_for_change(queue, own, deadline)?;
                continue;
            }
            let (turned, link, result) =
                self.write_turn(queue, goal, |link, chunk| self.write_chunk(link, chunk, deadline));
            queue = turned;
            queue.note_publisher_wrote();
            match result {
                Ok(Wrote::Gone) => return self.wait_for_loss(queue, &link),
                Ok(_) => {}
                Err(e) => return self.write_failed(queue, &link, own, e),
            }
        }
        queue.open()?;
        Ok(queue)
    }

    /// The caller writes, chunk after chunk, until `goal` is reached or `write` cannot go on. Every writer but one
    /// that writes from the program's memory comes through here.
    fn write_turn<'a>(
        &'a self,
        mut queue: Guard<'a>,
        goal: u64,
        write: impl Fn(&Link, &mut Chunk) -> Result<Wrote>,
    ) -> (Guard<'a>, Arc<Link>, Result<Wrote>) {
        loop {
            let (link, mut chunk) = queue.take_chunk();
            drop(queue);
            let result = write(&link, &mut chunk);
            let over = !matches!(result, Ok(Wrote::All | Wrote::Part));
            queue = self.put_back(chunk, &link, over);
            if !matches!(result, Ok(Wrote::All)) || !queue.has_work(goal) {
                return (queue, link, result);
            }
        }
    }

    /// Ends writing. Before the lock is let go, the caller writes on or looks after what is left; it need not once the
    /// link is `over`.
    pub(super) fn put_back(&self, chunk: Chunk, link: &Arc<Link>, over: bool) -> Guard<'_> {
        let mut queue = self.queue.lock();
        queue.put_back(chunk, link, over);
        self.changed.notify_all_in_turn(&mut queue);
        queue
    }

    /// A publisher's write failed: its own frame is its own to know about, unless the link was lost meanwhile; then what
    /// was not sent goes out after the reconnect.
    pub(super) fn write_failed<'a>(
        &self,
        mut queue: Guard<'a>,
        link: &Arc<Link>,
        own: Option<u64>,
        error: Error,
    ) -> Result<Guard<'a>> {
        if !queue.is_current(link) {
            queue.open()?;
            return Ok(queue);
        }
        queue.withdraw(own);
        link.break_off(&error);
        Err(error)
    }

    /// The server has ended the connection, and the thread that reads is about to notice. What was to be written goes out
    /// after the reconnect.
    fn wait_for_loss<'a>(&self, mut queue: Guard<'a>, link: &Arc<Link>) -> Result<Guard<'a>> {
        let deadline = Deadline::in_ms(LOSS_NOTICED_MS);
        wait_until(&self.changed, &mut queue, deadline, |queue| (!queue.is_current(link)).then_some(()));
        queue.open()?;
        Ok(queue)
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

    /// Waits until the buffer takes another frame, or there is no connection to write to. The caller, who
    /// appends one, looks after what is left.
    pub(super) fn wait_for_room<'a>(&'a self, mut queue: Guard<'a>, capacity: usize) -> Result<Guard<'a>> {
        let deadline = self.write_deadline();
        while !self.has_room(&queue, capacity) && !queue.is_event_driven() {
            if queue.writing {
                queue = self.wait_for_change(queue, None, deadline)?;
            } else {
                let goal = queue.enqueued;
                queue = self.reach(queue, goal, None)?;
            }
        }
        queue.open()?;
        queue.take_back_deferred();
        Ok(queue)
    }

    /// Whether a frame can be appended, or there is no connection to wait for.
    pub(super) fn has_room(&self, queue: &Queue, capacity: usize) -> bool {
        let full = queue.buffer.len() >= capacity || queue.is_clogged(self.settings.reconnect_capacity);
        queue.phase != Phase::Live || !full
    }

    fn wait_for_change<'a>(
        &'a self,
        mut queue: Guard<'a>,
        own: Option<u64>,
        deadline: Deadline,
    ) -> Result<Guard<'a>> {
        if deadline.has_passed() {
            let error = Error::new(Status::Timeout, WRITE_DEADLINE);
            queue.withdraw(own);
            queue.over = true;
            if let Some(link) = &queue.link {
                link.break_off(&error);
            }
            return Err(error);
        }
        queue.waiting += 1;
        match deadline.remaining() {
            None => self.changed.wait(&mut queue),
            Some(left) => drop(self.changed.wait_for(&mut queue, left)),
        }
        queue.waiting -= 1;
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
