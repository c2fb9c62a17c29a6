//! The grace before a silent peer is given up: what had arrived by then is attended to first.

use std::time::Duration;

use crate::session::Moment;

/// The most that a verdict is put off.
const LONGEST: Duration = Duration::from_secs(5);
/// The first look comes this soon after the verdict; each further one takes twice as long.
const FIRST_LOOK: Duration = Duration::from_millis(1);

/// How far the reading of a socket has come, in bytes since it was connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrivals {
    /// Received by the system.
    pub arrived: u64,
    /// Read, and all done that they ask for.
    pub attended: u64,
}

/// Puts a verdict off, until what has arrived is attended to, and for at most a given time.
#[derive(Debug)]
pub(crate) struct Grace {
    begun: Moment,
    end: Moment,
    /// What had arrived at the beginning. What comes later does not count: a peer that talks without end must
    /// not put the verdict off for longer.
    arrived: u64,
    look: Moment,
    wait: Duration,
}

/// How long a verdict may be put off that falls when an answer has not come within `wait`.
pub(crate) fn at_most_for(wait: Duration) -> Duration {
    (wait / 2).min(LONGEST)
}

impl Grace {
    pub(crate) fn new(now: Moment, length: Duration, arrivals: Arrivals) -> Grace {
        let end = now.saturating_add(length);
        Grace { begun: now, end, arrived: arrivals.arrived, look: now, wait: FIRST_LOOK }
    }

    /// Whether there still is a reason to put the verdict off. One is that the question was asked `late`: the
    /// answer may take as much longer.
    pub(crate) fn goes_on(&mut self, now: Moment, arrivals: Arrivals, late: Duration) -> bool {
        let unread = arrivals.attended < self.arrived;
        let excused_until = self.begun.saturating_add(late);
        if now >= self.end || !(unread || now < excused_until) {
            return false;
        }
        let look = if unread { now.saturating_add(self.wait) } else { excused_until };
        self.look = look.min(self.end);
        self.wait = self.wait.saturating_mul(2);
        true
    }

    /// When to ask again.
    pub(crate) fn look(&self) -> Moment {
        self.look
    }

    /// The clock went backwards.
    pub(crate) fn move_back(&mut self, by: Duration) {
        self.begun = self.begun.saturating_sub(by);
        self.end = self.end.saturating_sub(by);
        self.look = self.look.saturating_sub(by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Moment {
        Duration::from_millis(1000 + ms)
    }

    const LENGTH: Duration = Duration::from_millis(100);
    const PROMPT: Duration = Duration::ZERO;

    fn arrivals(arrived: u64, attended: u64) -> Arrivals {
        Arrivals { arrived, attended }
    }

    #[test]
    fn there_is_none_without_a_reason() {
        let all_read = arrivals(500, 500);
        assert!(!Grace::new(at(0), LENGTH, all_read).goes_on(at(0), all_read, PROMPT));
    }

    #[test]
    fn it_lasts_until_what_had_arrived_is_attended_to() {
        let mut grace = Grace::new(at(0), LENGTH, arrivals(500, 100));
        assert!(grace.goes_on(at(0), arrivals(500, 100), PROMPT));
        assert_eq!(grace.look(), at(1));
        assert!(grace.goes_on(at(1), arrivals(9000, 499), PROMPT));
        assert_eq!(grace.look(), at(3));
        assert!(!grace.goes_on(at(3), arrivals(9000, 500), PROMPT), "what came since does not count");
    }

    #[test]
    fn it_ends_in_time_when_nobody_reads() {
        let unread = arrivals(500, 0);
        let mut grace = Grace::new(at(0), LENGTH, unread);
        let (mut now, mut looks) = (at(0), 0);
        while grace.goes_on(now, unread, Duration::MAX) {
            assert!(grace.look() > now);
            now = grace.look();
            looks += 1;
        }
        assert_eq!(now, at(100));
        assert!(looks < 10);
    }

    #[test]
    fn asking_often_does_no_harm() {
        let unread = arrivals(500, 0);
        let mut grace = Grace::new(at(0), LENGTH, unread);
        for _ in 0..1000 {
            assert!(grace.goes_on(at(0), unread, PROMPT));
            assert!(grace.look() <= at(100));
        }
    }

    #[test]
    fn a_late_question_gets_as_much_more_time() {
        let none = Arrivals::default();
        let mut grace = Grace::new(at(0), LENGTH, none);
        let late = Duration::from_millis(30);
        assert!(grace.goes_on(at(0), none, late) && grace.goes_on(at(29), none, late));
        assert!(!grace.goes_on(at(30), none, late));
    }
}
