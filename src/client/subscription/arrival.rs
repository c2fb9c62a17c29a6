//! What the thread that reads the socket does: queues messages, wakes who takes them.

use std::sync::Arc;

use crate::sync::MutexGuard;

use super::{State, Subscription};
use crate::client::delivery::{Handover, Job};
use crate::client::message::Msg;

impl Subscription {
    /// Queues what one read brought. Returns whether the program is to be told of dropped messages.
    pub(in crate::client) fn enqueue(
        self: &Arc<Self>,
        batch: &mut Vec<Msg>,
        bytes: u64,
        handover: &mut Handover<'_, Subscription>,
    ) -> bool {
        let mut state = self.state.lock();
        if !self.is_valid() || state.drain.takes_no_more() {
            drop(state);
            batch.clear();
            return false;
        }
        let tell = state.queue.offer(&self.tally, batch, bytes);
        self.note_room(&mut state);
        if state.claim() {
            state.schedule.with_home(|home| handover.add(home, Job::Run(Arc::clone(self))));
        } else if state.readers.any_waiting() {
            drop(state);
            self.changed.notify_all();
        }
        tell
    }

    /// For the fixed pool: counts a message in and gives it to the worker, in arrival order. Returns whether
    /// the program is to be told of dropped messages.
    pub(in crate::client) fn admit(
        self: &Arc<Self>,
        msg: Msg,
        handover: &mut Handover<'_, Subscription>,
    ) -> bool {
        let mut state = self.state.lock();
        let mut tell = false;
        if !self.is_valid() || !state.queue.admit(&self.tally, &msg, &mut tell) {
            return tell;
        }
        if state.schedule.is_started() {
            state.schedule.with_home(|home| handover.add(home, Job::One(Arc::clone(self), msg)));
        } else {
            tell |= state.queue.push(msg);
        }
        tell
    }

    pub(super) fn schedule_if_needed(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if !state.claim() {
            return;
        }
        let mut found = None;
        state.schedule.with_home(|home| found = Some(home.clone()));
        drop(state);
        if let Some(home) = found {
            self.connection.core().delivery.run(&home, self.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::delivery::Mode;
    use crate::client::delivery::Task;
    use crate::client::subscription::tests::{arrive, ignored, subscribed, unconnected};
    use crate::client::subscription::{Counters, Request};
    use crate::error::Status;

    #[test]
    fn nothing_is_given_to_a_worker_before_the_start() {
        let connection = unconnected();
        let sub = subscribed(&connection, ignored());
        assert!(!arrive(&sub, &["a", "b"]));
        assert!(!sub.state.lock().schedule.is_claimed());
        assert_eq!(sub.counters().unwrap().pending_msgs, 2);
        connection.close();
    }

    #[test]
    fn dropping_is_told_when_it_begins() {
        let connection = unconnected();
        let sub = subscribed(&connection, None);
        sub.set_pending_limits(2, -1).unwrap();
        assert!(!arrive(&sub, &["a"]) && arrive(&sub, &["b", "c"]) && !arrive(&sub, &["d"]));
        let counters = sub.counters().unwrap();
        assert_eq!((counters.pending_msgs, counters.dropped), (2, 2));
        connection.close();
    }

    #[test]
    fn what_comes_after_the_end_or_after_a_drain_that_failed_is_nobodys() {
        let connection = unconnected();
        let [ended, drained] = [(); 2].map(|()| subscribed(&connection, None));
        connection.unsubscribe(&ended, 0).unwrap();
        assert!(!arrive(&ended, &["a"]) && ended.state.lock().queue.is_empty());
        assert!(drained.begin_drain(0, true));
        assert!(!arrive(&drained, &["a"]), "until the flush is over they come");
        drained.drain_queue(Some(Status::Timeout));
        assert!(!arrive(&drained, &["b"]));
        assert_eq!(drained.counters().unwrap().pending_msgs, 1);
        connection.close();
    }

    #[test]
    fn what_the_fixed_pool_has_no_room_for_is_dropped() {
        let connection = unconnected();
        let request = Request { subject: b"foo", queue: None, handler: ignored(), timeout_ms: None };
        let sub = Subscription::new(&connection, 7, request, Mode::FixedPool, (1, -1)).unwrap();
        let mut handover = connection.core().delivery.handover();
        let msg = || Msg::new(b"foo", None, b"x").unwrap();
        assert!(!sub.admit(msg(), &mut handover) && sub.admit(msg(), &mut handover));
        assert!(!sub.refuse(msg()), "that they are dropped was told");
        let expected =
            Counters { max_pending_msgs: 1, max_pending_bytes: 1, dropped: 2, ..Counters::default() };
        assert_eq!(sub.counters().unwrap(), expected);
        connection.close();
    }
}
