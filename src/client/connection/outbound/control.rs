//! Frames that are no messages: each belongs to one connection.

use std::sync::Arc;

use super::queue::Phase;
use super::{Answer, Flush, Outbound, Then, Written};
use crate::client::connection::link::Link;
use crate::client::connection::waiter::Waiter;
use crate::error::{Result, Status};
use crate::io::clock;
use crate::proto::buffer::Buffer;
use crate::proto::encoder;

/// So many PONGs may wait in one buffer.
const MAX_PONGS: u32 = 1024;

impl Outbound {
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

    /// Appends a keep-alive PING; its PONG is waited for by nobody. Never waits.
    pub fn keep_alive(&self) -> Then {
        let mut queue = self.queue.lock();
        if queue.phase != Phase::Live {
            return Then::Nothing;
        }
        if queue.append(|b| b.extend_from_slice(encoder::PING)).is_err() {
            return Then::Nothing; // without memory for these few bytes for long, the connection is found stale
        }
        let id = queue.pongs.sent_ping();
        queue.note_ping(id, true);
        self.vitals.note_ping();
        queue.request_flush()
    }

    /// Appends the PONG for a PING that came over `link`. Never waits. Where more PONGs wait already than any server looks
    /// for, this one is left out: a server that writes but does not read fills no memory.
    pub fn answer_ping(&self, link: &Arc<Link>) -> Then {
        let mut queue = self.queue.lock();
        if !queue.is_current(link) || queue.waiting_pongs >= MAX_PONGS {
            return Then::Nothing;
        }
        if queue.append(|b| b.extend_from_slice(encoder::PONG)).is_err() {
            return Then::Nothing; // the server asks again
        }
        queue.waiting_pongs += 1;
        queue.request_flush()
    }

    /// Appends a PING whose PONG completes `waiter`. While there is no connection it goes out after the reconnect.
    pub fn ping(&self, waiter: Arc<Waiter<()>>) -> Result<Then> {
        let mut queue = self.queue.lock();
        queue.pings.try_reserve(1)?;
        match queue.phase {
            Phase::Closed => return Err(Status::ConnectionClosed.into()),
            Phase::Down => queue.ping_while_down(waiter, self.settings.reconnect_capacity)?,
            Phase::Live => {
                queue.append(|b| b.extend_from_slice(encoder::PING))?;
                queue.expect_pong(waiter);
            }
        }
        drop(queue);
        self.vitals.note_ping();
        Ok(self.flush_try())
    }

    /// Forgets a waiter that gave up; its PONG is still counted.
    pub fn forget(&self, waiter: &Arc<Waiter<()>>) {
        self.queue.lock().pings.retain(|(_, w)| !Arc::ptr_eq(w, waiter));
    }

    /// A PONG arrived: what it answers.
    pub fn pong(&self) -> Answer {
        let mut queue = self.queue.lock();
        let Some(id) = queue.pongs.received() else { return Answer::default() };
        let waiter = queue.pings.iter().position(|(ping, _)| *ping == id);
        let waiter = waiter.and_then(|index| queue.pings.remove(index)).map(|(_, waiter)| waiter);
        let timed =
            queue.timed.front().is_some_and(|ping| ping.id == id).then(|| queue.timed.pop_front()).flatten();
        let round_trip = timed.as_ref().map(|ping| clock::now().saturating_sub(ping.at));
        Answer { waiter, round_trip, keep_alive: timed.is_some_and(|ping| ping.keep_alive) }
    }
}
