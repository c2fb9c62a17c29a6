//! Work that one thread at a time does, while none waits for its turn.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Deals with events of one kind. They may come on several threads; none is lost then, and none waits: the
/// thread that is at it goes through another round.
#[derive(Default)]
pub(super) struct OneAtATime(AtomicUsize);

impl OneAtATime {
    /// `work` learns whether it is another round, for events that came during the one before.
    pub(super) fn run(&self, mut work: impl FnMut(bool)) {
        if self.0.fetch_add(1, Ordering::AcqRel) > 0 {
            return;
        }
        let broken_off = BrokenOff(&self.0);
        let (mut events, mut again) = (1, false);
        loop {
            work(again);
            match self.0.compare_exchange(events, 0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return std::mem::forget(broken_off),
                Err(more) => (events, again) = (more, true),
            }
        }
    }
}

/// Lets the next event be dealt with after one whose work has panicked.
struct BrokenOff<'a>(&'a AtomicUsize);

impl Drop for BrokenOff<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn events_that_come_during_another_are_not_lost() {
        let turns = OneAtATime::default();
        let mut rounds = Vec::new();
        turns.run(|again| {
            if rounds.is_empty() {
                (0..3).for_each(|_| turns.run(|_| unreachable!("somebody is at it")));
            }
            rounds.push(again);
        });
        turns.run(|again| rounds.push(again));
        assert_eq!(rounds, [false, true, false]);
    }

    #[test]
    fn work_that_was_broken_off_does_not_stop_what_comes_after() {
        let turns = OneAtATime::default();
        let broken = AssertUnwindSafe(|| turns.run(|_| panic!("for the test")));
        assert!(catch_unwind(broken).is_err());
        let mut rounds = Vec::new();
        turns.run(|again| rounds.push(again));
        assert_eq!(rounds, [false]);
    }
}
