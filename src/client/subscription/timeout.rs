//! Timeout subscriptions: the handler is called without a message when none came for a while.

use std::sync::Arc;

use super::{State, Subscription};
use crate::io::clock;

impl Subscription {
    pub(super) fn restart_timeout(self: &Arc<Self>, state: &mut State) {
        let Some(timeout) = self.timeout else { return };
        let timer = &self.connection.core().timer;
        state.timeout_due = false; // became due while a callback ran
        if let Some(old) = state.timer.take() {
            timer.cancel(old);
        }
        state.timer_set += 1;
        if self.is_valid() && state.started {
            let (weak, set) = (Arc::downgrade(self), state.timer_set);
            state.timer = Some(timer.schedule(clock::now().saturating_add(timeout), move || {
                if let Some(sub) = weak.upgrade() {
                    sub.timed_out(set);
                }
            }));
        }
    }

    pub(super) fn timed_out(self: &Arc<Self>, set: u64) {
        let mut state = self.state.lock();
        if state.timer_set != set {
            return;
        }
        state.timer = None;
        let quiet = state.queue.pending(&self.tally) == 0 && !state.drain.emptying;
        if quiet && self.is_valid() {
            state.timeout_due = true;
            self.schedule_if_needed(state);
        }
    }
}
