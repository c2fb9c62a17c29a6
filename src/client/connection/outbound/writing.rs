//! Writing to the socket: publishers may wait for it, the poller never does.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::admission::{Frame, Place, Wait};
use super::kept::Chunk;
use super::queue::Turn;
use super::{Guard, Outbound, Then};
use crate::client::connection::link::{Link, WRITE_DEADLINE, Wrote};
use crate::client::pause;
use crate::error::{Error, Result, Status};
use crate::io::clock::{self, Deadline, wait_until};
use crate::thread_end;

/// The end of a connection is noticed long before this has passed.
const LOSS_NOTICED_MS: i64 = 1000;

impl Outbound {
    /// Something of TLS is to be sent, soon.
    pub(crate) fn flush_soon(&self) -> Then {
        let mut queue = self.lock();
        if queue.admission.is_live() { queue.schedule.request() } else { Then::Nothing }
    }

    /// Writes what the socket takes right now, on the calling thread; the poller does the rest.
    pub(super) fn write_if_possible(&self, mut queue: Guard<'_>) -> Then {
        if !queue.admission.is_live() {
            return Then::Nothing;
        }
        if queue.schedule.is_writing() || !queue.may_write(Wait::Yes) {
            return queue.schedule.request();
        }
        self.write_what_fits(queue).1
    }

    /// The poller looks at a flush that was asked for. `first_look` is true when nothing was waited for yet.
    /// Returns when to look again if more publishes came and the last write is too recent.
    pub(crate) fn flush_due(&self, first_look: bool) -> (Option<Duration>, Then) {
        let mut queue = self.lock();
        if queue.schedule.is_writing() {
            queue.schedule.leave_to_writer();
            return (None, Then::Nothing);
        }
        let now = clock::now();
        if first_look && let Some(due) = queue.schedule.too_early(now, self.settings.flusher_wait) {
            return (Some(due), Then::Nothing);
        }
        queue.schedule.note_flush(now);
        (None, self.write_what_fits(queue).1)
    }

    /// The socket takes bytes again. For the poller and for event loops; returns false when nothing is left.
    pub(crate) fn writable(&self) -> (bool, Then) {
        let mut queue = self.lock();
        if queue.schedule.is_writing() {
            queue.watch(false); // that writer waits for the socket himself, and looks after what he leaves
            return (true, Then::Nothing);
        }
        let (queue, then) = self.write_what_fits(queue);
        (queue.has_bytes(), then)
    }

    /// After a failure: what the failed call left to be written, or found so, is looked after.
    pub(crate) fn look_after_rest(&self) -> Then {
        self.lock().look_after_rest()
    }

    /// Writes without waiting, where nobody else writes; what does not fit is written when the socket takes
    /// bytes again.
    pub(super) fn write_what_fits<'a>(&'a self, mut queue: Guard<'a>) -> (Guard<'a>, Then) {
        queue.schedule.begin_flush();
        // No more than what is there now: a publisher that fills the buffer meanwhile is better at writing
        // it.
        let goal = queue.buffer.enqueued();
        let mut stuck = false;
        if queue.has_work(goal) {
            let (turned, link, result) = self.write_turn(queue, goal, |link, chunk| {
                let result = chunk.write(|data, sent| link.write_now(data, sent));
                self.note_progress(matches!(result, Ok(Wrote::All | Wrote::Gone)));
                result
            });
            queue = turned;
            stuck = matches!(result, Ok(Wrote::Part));
            if let Err(e) = result {
                link.break_off(&e); // the reader sees the end and starts the reconnect
            }
        }
        queue.schedule.note_write(clock::now());
        queue.watch(stuck);
        let then = queue.look_after_rest();
        (queue, then)
    }

    /// Writes until the byte with number `goal` is on the socket. Waits while another thread writes. When
    /// that fails, the frame that starts with byte `own` is the caller's to know about: it is not kept for
    /// the reconnect.
    pub(super) fn write_until<'a>(&'a self, queue: Guard<'a>, goal: u64, own: Option<u64>) -> Result<Then> {
        let mut queue = self.reach(queue, goal, own)?;
        let then = queue.look_after_rest();
        drop(queue);
        // Of all publishes only those that write are cancellation points. A failed call asks for nothing.
        thread_end::point().inspect_err(|_| self.take_back(then))?;
        Ok(then)
    }

    #[cold]
    fn take_back(&self, then: Then) {
        if then == Then::RequestFlush {
            self.lock().schedule.take_back_request();
        }
    }

    /// As [`Outbound::write_until`], and keeps the lock: who goes on looks after what is left.
    fn reach<'a>(&'a self, mut queue: Guard<'a>, goal: u64, own: Option<u64>) -> Result<Guard<'a>> {
        let deadline = self.write_deadline();
        while queue.admission.is_live() && !queue.buffer.has_written(goal) {
            if queue.schedule.is_writing() {
                queue = self.wait_for_change(queue, own, deadline)?;
                continue;
            }
            let (turned, link, result) =
                self.write_turn(queue, goal, |link, chunk| self.write_chunk(link, chunk, deadline));
            queue = turned;
            queue.schedule.note_publisher_wrote(clock::now());
            match result {
                Ok(Wrote::Gone) => return self.wait_for_loss(queue, &link),
                Ok(_) => {}
                Err(e) => return self.write_failed(queue, &link, own, e),
            }
        }
        queue.admission.open()?;
        Ok(queue)
    }

    /// The caller writes, chunk after chunk, until `goal` is reached or `write` cannot go on. Every writer
    /// but one that writes from the program's memory comes through here.
    fn write_turn<'a>(
        &'a self,
        mut queue: Guard<'a>,
        goal: u64,
        write: impl Fn(&Link, &mut Chunk) -> Result<Wrote>,
    ) -> (Guard<'a>, Arc<Link>, Result<Wrote>) {
        loop {
            let mut turn = queue.take_turn();
            drop(queue);
            pause::at("take_turn", &self.vitals);
            let result = turn.write(&write);
            let over = !matches!(result, Ok(Wrote::All | Wrote::Part));
            let (turned, link) = self.end_turn(turn, over);
            queue = turned;
            if !matches!(result, Ok(Wrote::All)) || !queue.has_work(goal) {
                return (queue, link, result);
            }
        }
    }

    /// See [`super::queue::Queue::end_turn`].
    pub(super) fn end_turn(&self, turn: Turn, over: bool) -> (Guard<'_>, Arc<Link>) {
        pause::at("put_back", &self.vitals);
        let mut queue = self.lock();
        let link = queue.end_turn(turn, over);
        self.changed.notify_all_in_turn(&mut queue);
        (queue, link)
    }

    /// A publisher's write failed: its own frame is its own to know about, unless the link was lost
    /// meanwhile; then what was not sent goes out after the reconnect.
    pub(super) fn write_failed<'a>(
        &self,
        mut queue: Guard<'a>,
        link: &Arc<Link>,
        own: Option<u64>,
        error: Error,
    ) -> Result<Guard<'a>> {
        if !queue.is_current(link) {
            queue.admission.open()?;
            return Ok(queue);
        }
        queue.store.withdraw(own);
        link.break_off(&error);
        Err(error)
    }

    /// The server has ended the connection, and the thread that reads is about to notice. What was to be
    /// written goes out after the reconnect.
    fn wait_for_loss<'a>(&self, mut queue: Guard<'a>, link: &Arc<Link>) -> Result<Guard<'a>> {
        let deadline = Deadline::in_ms(LOSS_NOTICED_MS);
        wait_until(&self.changed, &mut queue, deadline, |queue| (!queue.is_current(link)).then_some(()));
        queue.admission.open()?;
        Ok(queue)
    }

    /// Writes until all is written or the server has gone.
    fn write_chunk(&self, link: &Link, chunk: &mut Chunk, deadline: Deadline) -> Result<Wrote> {
        loop {
            let before = chunk.sent();
            let wrote = chunk.write(|data, sent| link.write_now(data, sent))?;
            self.note_progress(wrote != Wrote::Part || chunk.sent() > before);
            if wrote != Wrote::Part {
                return Ok(wrote);
            }
            self.note_progress(false);
            link.wait_writable(deadline)?;
        }
    }

    /// Waits until there is a place for another message. The caller, who appends it, looks after what is
    /// left.
    pub(super) fn wait_for_room<'a>(
        &'a self,
        mut queue: Guard<'a>,
        frame: Frame,
        capacity: usize,
    ) -> Result<(Guard<'a>, Place)> {
        let deadline = self.write_deadline();
        loop {
            let place = queue.place(frame, capacity)?;
            if place != Place::Later {
                queue.schedule.take_back_deferred();
                return Ok((queue, place));
            }
            if queue.schedule.is_writing() {
                queue = self.wait_for_change(queue, None, deadline)?;
            } else {
                let goal = queue.buffer.enqueued();
                queue = self.reach(queue, goal, None)?;
            }
        }
    }

    fn wait_for_change<'a>(
        &'a self,
        mut queue: Guard<'a>,
        own: Option<u64>,
        deadline: Deadline,
    ) -> Result<Guard<'a>> {
        if deadline.has_passed() {
            let error = Error::new(Status::Timeout, WRITE_DEADLINE);
            queue.store.withdraw(own);
            queue.schedule.note_over();
            if let Some(link) = queue.link() {
                link.break_off(&error);
            }
            return Err(error);
        }
        queue.schedule.begin_wait();
        match deadline.remaining() {
            None => self.changed.wait(&mut queue),
            Some(left) => drop(self.changed.wait_for(&mut queue, left)),
        }
        queue.schedule.end_wait();
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
    pub(crate) fn publisher_blocked_for(&self) -> Duration {
        // The poller never stays the writer of a socket that takes nothing: this one is a thread of the
        // program.
        if self.lock().schedule.is_writing() { self.stuck_for() } else { Duration::ZERO }
    }
}
