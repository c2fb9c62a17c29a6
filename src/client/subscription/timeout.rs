//! Timeout subscriptions: the handler is called without a message when none came for a while.

use std::sync::Arc;
use std::time::Duration;

use super::{State, Subscription};
use crate::io::{clock, timer};

/// The clock of a subscription that may be idle for so long only; without a time it never runs. Under the
/// subscription's lock.
#[derive(Default)]
pub(super) struct Idle {
    after: Option<Duration>,
    /// The handler is to be called without a message.
    due: bool,
    timer: Option<timer::Key>,
    /// How often the timer was set: one that has fired when it is set anew is out of date.
    set: u64,
}

impl Idle {
    pub(super) fn new(after: Option<Duration>) -> Idle {
        Idle { after, ..Idle::default() }
    }

    pub(super) fn is_due(&self) -> bool {
        self.due
    }

    /// Whether the handler is to be called without a message; says so once.
    pub(super) fn take_due(&mut self) -> bool {
        std::mem::take(&mut self.due)
    }

    /// Begins anew. The timer until now, if there is one, is the caller's to cancel; it is out of date in any
    /// case.
    fn restart(&mut self) -> Option<timer::Key> {
        self.due = false; // became due while a callback ran
        self.set += 1;
        self.timer.take()
    }

    /// The timer that was set as number `set` fires: false when it is out of date.
    fn fired(&mut self, set: u64) -> bool {
        if self.set != set {
            return false;
        }
        self.timer = None;
        true
    }

    /// It runs no more. The timer is the caller's to cancel.
    pub(super) fn stop(&mut self) -> Option<timer::Key> {
        self.timer.take()
    }
}

impl Subscription {
    pub(super) fn restart_timeout(self: &Arc<Self>, state: &mut State) {
        let Some(after) = state.idle.after else { return };
        let timer = &self.connection.core().timer;
        if let Some(old) = state.idle.restart() {
            timer.cancel(old);
        }
        if self.is_valid() && state.schedule.is_started() {
            let (weak, set) = (Arc::downgrade(self), state.idle.set);
            state.idle.timer = Some(timer.schedule(clock::now().saturating_add(after), move || {
                if let Some(sub) = weak.upgrade() {
                    sub.timed_out(set);
                }
            }));
        }
    }

    fn timed_out(self: &Arc<Self>, set: u64) {
        let mut state = self.state.lock();
        if !state.idle.fired(set) {
            return;
        }
        let quiet = state.queue.pending(&self.tally) == 0 && !state.drain.is_emptying();
        if quiet && self.is_valid() {
            state.idle.due = true;
            self.schedule_if_needed(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::subscription::Request;
    use crate::client::subscription::tests::{ignored, unconnected};

    fn running(number: u64) -> Idle {
        let mut idle = Idle::new(Some(Duration::from_secs(1)));
        assert_eq!(idle.restart(), None);
        idle.timer = Some((Duration::ZERO, number));
        idle
    }

    #[test]
    fn a_timer_is_out_of_date_once_it_is_set_anew() {
        let mut idle = running(7);
        let set = idle.set;
        assert_eq!(idle.restart(), Some((Duration::ZERO, 7)));
        idle.timer = Some((Duration::ZERO, 8));
        assert!(!idle.fired(set) && idle.timer.is_some(), "the new one goes on");
        assert!(idle.fired(idle.set) && idle.timer.is_none());
    }

    #[test]
    fn what_became_due_is_said_once_and_not_after_a_new_start() {
        let mut idle = running(1);
        idle.due = true;
        assert!(idle.is_due() && idle.take_due() && !idle.take_due());
        idle.due = true;
        idle.restart();
        assert!(!idle.is_due());
    }

    #[test]
    fn an_end_stops_it() {
        assert_eq!(running(3).stop(), Some((Duration::ZERO, 3)));
        assert_eq!(Idle::default().stop(), None);
    }

    #[test]
    fn a_timer_that_fired_before_it_was_set_anew_does_nothing() {
        let connection = unconnected();
        let request = Request { subject: b"foo", queue: None, handler: ignored(), timeout_ms: Some(60_000) };
        let sub = connection.subscribe(request).unwrap();
        sub.start();
        let fired = sub.state.lock().idle.set;
        sub.restart_timeout(&mut sub.state.lock());
        sub.timed_out(fired);
        let state = sub.state.lock();
        assert!(state.idle.timer.is_some() && !state.idle.due);
        assert_eq!(state.idle.set, fired + 1, "the handler was called");
        drop(state);
        connection.close();
    }
}
