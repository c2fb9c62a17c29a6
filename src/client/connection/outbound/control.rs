//! Frames that are no messages: each belongs to one connection.

use std::sync::Arc;

use super::admission::{Frame, Phase, Place, Wait};
use super::pings::Answer;
use super::queue::Queue;
use super::{Flush, Outbound, Then, Written};
use crate::client::connection::link::Link;
use crate::client::connection::waiter::Waiter;
use crate::error::{Result, Status};
use crate::io::clock;
use crate::proto::buffer::Buffer;
use crate::proto::encoder;

impl Outbound {
    /// Appends a frame that is not a publish. Nothing is written while there is no connection.
    pub(crate) fn push(&self, flush: Flush, write: impl FnOnce(&mut Buffer) -> Written) -> Result<Then> {
        let mut queue = self.lock();
        if !queue.admission.is_live() {
            return Ok(Then::Nothing);
        }
        queue.append(write)?;
        if (flush == Flush::Now || self.settings.send_asap) && queue.may_write(Wait::Yes) {
            let goal = queue.buffer.enqueued();
            return self.write_until(queue, goal, None);
        }
        Ok(queue.schedule.request())
    }

    /// Appends a frame without ever waiting or writing. It always finds room: what the program has subscribed
    /// to bounds such frames.
    pub(crate) fn push_only(&self, write: impl FnOnce(&mut Buffer) -> Written) -> Result<Then> {
        let mut queue = self.lock();
        if !queue.admission.is_live() {
            return Ok(Then::Nothing);
        }
        queue.append(write)?;
        Ok(queue.schedule.request())
    }

    /// Appends a frame that goes out with the next one.
    pub(crate) fn push_quietly(&self, write: impl FnOnce(&mut Buffer) -> Written) -> Result<()> {
        let mut queue = self.lock();
        if queue.admission.is_live() {
            queue.append(write)?;
            queue.schedule.leave_to_caller();
        }
        Ok(())
    }

    /// Appends a keep-alive PING; its PONG is waited for by nobody. Never waits.
    pub(crate) fn keep_alive(&self) -> Then {
        let mut queue = self.lock();
        if !self.append_beat(&mut queue, encoder::PING) {
            return Then::Nothing; // left out for long, the connection is found stale
        }
        queue.pings.note_keep_alive(clock::now());
        self.vitals.note_ping();
        queue.schedule.request()
    }

    /// Appends the PONG for a PING that came over `link`. Never waits. Where more PONGs wait already than any
    /// server looks for, this one is left out: a server that writes but does not read fills no memory.
    pub(crate) fn answer_ping(&self, link: &Arc<Link>) -> Then {
        let mut queue = self.lock();
        let due = queue.is_current(link) && queue.pings.may_answer();
        if !due || !self.append_beat(&mut queue, encoder::PONG) {
            return Then::Nothing; // the server asks again
        }
        queue.pings.note_answer();
        queue.schedule.request()
    }

    /// False when there is no connection, no room or no memory for it.
    fn append_beat(&self, queue: &mut Queue, beat: &[u8]) -> bool {
        let place = queue.place(Frame::beat(beat), self.settings.capacity);
        matches!(place, Ok(Place::Buffer)) && queue.append(|b| b.extend_from_slice(beat)).is_ok()
    }

    /// Appends a PING whose PONG completes `waiter`. While there is no connection it goes out after the
    /// reconnect.
    pub(crate) fn ping(&self, waiter: Arc<Waiter<()>>) -> Result<Then> {
        let mut queue = self.lock();
        queue.pings.reserve()?;
        match queue.admission.phase() {
            Phase::Closed => return Err(Status::ConnectionClosed.into()),
            Phase::Down => {
                let waiting = queue.buffer.waiting();
                queue.store.append_ping(waiting)?;
            }
            Phase::Live => queue.append(|b| b.extend_from_slice(encoder::PING))?,
        }
        queue.pings.expect(waiter, clock::now());
        self.vitals.note_ping();
        Ok(self.write_if_possible(queue))
    }

    /// Forgets a waiter that gave up; its PONG is still counted.
    pub(crate) fn forget(&self, waiter: &Arc<Waiter<()>>) {
        self.lock().pings.forget(waiter);
    }

    /// A PONG arrived: what it answers.
    pub(crate) fn pong(&self) -> Answer {
        self.lock().pings.received(clock::now())
    }
}
