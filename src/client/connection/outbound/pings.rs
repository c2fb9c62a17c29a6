//! The ping book: which PING each PONG answers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::client::connection::waiter::Waiter;
use crate::error::Result;
use crate::session::pongs::{PingId, PongQueue};

/// So many unanswered PINGs are timed.
const MAX_TIMED: usize = 1024;
/// So many PONGs may wait in one buffer.
const MAX_PONGS: u32 = 1024;

/// PINGs on their way, who waits for their PONGs, and the PONGs we owe. Each PING that is written into a
/// buffer is noted here, in that order; all of them end with their connection.
#[derive(Default)]
pub(super) struct PingBook {
    pongs: PongQueue,
    /// Who waits for the PONG to which PING.
    waiters: VecDeque<(PingId, Arc<Waiter<()>>)>,
    /// When the PINGs still unanswered were written into the buffer.
    timed: VecDeque<TimedPing>,
    /// PONGs in the write buffer that no writer has taken out.
    own_pongs: u32,
}

struct TimedPing {
    id: PingId,
    at: Duration,
    keep_alive: bool,
}

/// What an arriving PONG answers.
#[derive(Default)]
pub(crate) struct Answer {
    /// Who waits for it.
    pub waiter: Option<Arc<Waiter<()>>>,
    pub round_trip: Option<Duration>,
    pub keep_alive: bool,
}

impl PingBook {
    /// Makes room for one more waiter.
    pub(super) fn reserve(&mut self) -> Result<()> {
        Ok(self.waiters.try_reserve(1)?)
    }

    /// A PING is written that nobody waits for and nobody times.
    pub(super) fn note_ping(&mut self) {
        self.pongs.sent_ping();
    }

    /// A keep-alive PING is written.
    pub(super) fn note_keep_alive(&mut self, now: Duration) {
        let id = self.pongs.sent_ping();
        self.time(id, now, true);
    }

    /// The PING is written whose PONG completes `waiter`. There is room for it.
    pub(super) fn expect(&mut self, waiter: Arc<Waiter<()>>, now: Duration) {
        debug_assert!(self.waiters.capacity() > self.waiters.len());
        let id = self.pongs.sent_ping();
        self.time(id, now, false);
        self.waiters.push_back((id, waiter));
    }

    fn time(&mut self, id: PingId, at: Duration, keep_alive: bool) {
        if self.timed.len() < MAX_TIMED && self.timed.try_reserve(1).is_ok() {
            self.timed.push_back(TimedPing { id, at, keep_alive });
        }
    }

    /// A waiter gave up; its PONG is still counted.
    pub(super) fn forget(&mut self, waiter: &Arc<Waiter<()>>) {
        self.waiters.retain(|(_, w)| !Arc::ptr_eq(w, waiter));
    }

    /// A PONG arrived: what it answers.
    pub(super) fn received(&mut self, now: Duration) -> Answer {
        let Some(id) = self.pongs.received() else { return Answer::default() };
        let waiter = self.waiters.iter().position(|(ping, _)| *ping == id);
        let waiter = waiter.and_then(|index| self.waiters.remove(index)).map(|(_, waiter)| waiter);
        let timed =
            self.timed.front().is_some_and(|ping| ping.id == id).then(|| self.timed.pop_front()).flatten();
        let round_trip = timed.as_ref().map(|ping| now.saturating_sub(ping.at));
        Answer { waiter, round_trip, keep_alive: timed.is_some_and(|ping| ping.keep_alive) }
    }

    /// Whether another PONG of ours may wait in the buffer. More than that no server looks for.
    pub(super) fn may_answer(&self) -> bool {
        self.own_pongs < MAX_PONGS
    }

    /// A PONG of ours is written.
    pub(super) fn note_answer(&mut self) {
        self.own_pongs += 1;
    }

    /// A writer has taken out what was in the buffer.
    pub(super) fn buffer_taken(&mut self) {
        self.own_pongs = 0;
    }

    /// The connection is over. Gives those who wait.
    pub(super) fn end(&mut self) -> Vec<Arc<Waiter<()>>> {
        self.pongs.reset();
        self.timed.clear();
        self.own_pongs = 0;
        self.waiters.drain(..).map(|(_, waiter)| waiter).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn expect(book: &mut PingBook, ms: u64) -> Arc<Waiter<()>> {
        let waiter = Arc::new(Waiter::default());
        book.reserve().unwrap();
        book.expect(Arc::clone(&waiter), at(ms));
        waiter
    }

    fn is(answer: &Answer, waiter: &Arc<Waiter<()>>) -> bool {
        answer.waiter.as_ref().is_some_and(|w| Arc::ptr_eq(w, waiter))
    }

    #[test]
    fn pongs_answer_pings_in_order() {
        let mut book = PingBook::default();
        book.note_ping();
        let first = expect(&mut book, 10);
        book.note_keep_alive(at(20));
        let second = expect(&mut book, 30);
        let answer = book.received(at(40));
        assert!(answer.waiter.is_none() && answer.round_trip.is_none() && !answer.keep_alive);
        let answer = book.received(at(50));
        assert!(is(&answer, &first) && answer.round_trip == Some(at(40)) && !answer.keep_alive);
        let answer = book.received(at(60));
        assert!(answer.waiter.is_none() && answer.round_trip == Some(at(40)) && answer.keep_alive);
        assert!(is(&book.received(at(70)), &second));
        let unasked = book.received(at(80));
        assert!(unasked.waiter.is_none() && unasked.round_trip.is_none());
    }

    #[test]
    fn a_pong_is_counted_although_its_waiter_gave_up() {
        let mut book = PingBook::default();
        let (first, second) = (expect(&mut book, 0), expect(&mut book, 0));
        book.forget(&first);
        let answer = book.received(at(5));
        assert!(answer.waiter.is_none() && answer.round_trip == Some(at(5)));
        assert!(is(&book.received(at(5)), &second));
    }

    #[test]
    fn all_ends_with_the_connection() {
        let mut book = PingBook::default();
        let (first, second) = (expect(&mut book, 0), expect(&mut book, 0));
        book.forget(&first);
        book.note_answer();
        let waiters = book.end();
        assert!(waiters.len() == 1 && Arc::ptr_eq(&waiters[0], &second));
        let third = expect(&mut book, 10);
        assert!(is(&book.received(at(12)), &third), "the next one counts from the start");
        assert!(book.end().is_empty());
    }

    #[test]
    fn more_pings_than_are_timed_are_answered_all_the_same() {
        let mut book = PingBook::default();
        let waiters: Vec<_> = (0..MAX_TIMED + 1).map(|_| expect(&mut book, 0)).collect();
        for (number, waiter) in waiters.iter().enumerate() {
            let answer = book.received(at(1));
            assert!(is(&answer, waiter) && answer.round_trip.is_some() == (number < MAX_TIMED));
        }
    }

    #[test]
    fn the_pongs_of_one_buffer_are_bounded() {
        let mut book = PingBook::default();
        let answer = |book: &mut PingBook| {
            (0..).take_while(|_| book.may_answer().then(|| book.note_answer()).is_some()).count()
        };
        assert_eq!(answer(&mut book), MAX_PONGS as usize);
        book.buffer_taken();
        assert_eq!(answer(&mut book), MAX_PONGS as usize);
        book.end();
        assert!(book.may_answer());
    }
}
