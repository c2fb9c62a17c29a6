//! Gives back the memory of a queue that a burst made large, once it has been quiet for a while.

use std::sync::Arc;
use std::time::Duration;

use super::{State, Subscription};
use crate::client::delivery::BULKY;
use crate::io::clock;

/// How long a queue must be quiet.
const QUIET: Duration = if cfg!(test) { Duration::from_millis(20) } else { Duration::from_secs(1) };
/// A queue that is never quiet is looked at less and less often, down to this.
const MAX_WAIT: Duration = Duration::from_secs(64);

impl Subscription {
    /// To be called when the queue may have changed its room. Wakes nobody as long as no queue is large.
    #[inline]
    pub(super) fn note_room(self: &Arc<Self>, state: &mut State) {
        if state.queue.room() > BULKY {
            self.note_bulky(state);
        }
    }

    /// To be called when the connection has taken much room for the messages of this subscription and others.
    pub fn note_room_elsewhere(self: &Arc<Self>) {
        self.note_bulky(&mut self.state.lock());
    }

    fn note_bulky(self: &Arc<Self>, state: &mut State) {
        if state.queue.set_bulky(true) {
            self.look_after_room(state.queue.accepted(), QUIET);
        }
    }

    /// Trims it after `wait`, unless more than the `accepted` messages of now have come by then.
    #[cold]
    fn look_after_room(self: &Arc<Self>, accepted: u64, wait: Duration) {
        let weak = Arc::downgrade(self);
        self.connection.core().timer.schedule(clock::now() + wait, move || {
            if let Some(sub) = weak.upgrade()
                && let Some(accepted) = sub.trim(accepted)
            {
                sub.look_after_room(accepted, MAX_WAIT.min(wait * 2));
            }
        });
    }

    /// Nothing when it is trimmed, otherwise the number of messages accepted so far.
    fn trim(&self, accepted: u64) -> Option<u64> {
        let trimmed = self.connection.subscriptions.trim(self.sid());
        let mut state = self.state.lock();
        let quiet =
            state.queue.accepted() == accepted && state.queue.is_empty() && !state.schedule.is_claimed();
        if !trimmed || !quiet {
            return Some(state.queue.accepted());
        }
        state.queue.set_bulky(false);
        let room = state.queue.take_all();
        drop(state);
        drop(room);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::subscription::tests::{arrive, subscribed, unconnected};
    use crate::io::clock::Deadline;

    #[test]
    fn the_room_of_a_burst_is_given_back_once_the_queue_is_empty_for_a_while() {
        let connection = unconnected();
        let sub = subscribed(&connection, None);
        arrive(&sub, &["x"; 2 * BULKY]);
        let room = || sub.state.lock().queue.room();
        assert!(room() > BULKY);
        std::thread::sleep(QUIET * 2); // it is looked at, and still full
        assert!(room() > BULKY);
        while sub.next_msg(0).is_ok() {}
        let deadline = Deadline::in_ms(20_000);
        while room() > 0 {
            assert!(!deadline.has_passed(), "it keeps its room");
            std::thread::yield_now();
        }
        connection.close();
    }
}
