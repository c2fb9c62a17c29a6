//! Synchronous subscriptions: a thread of the program takes messages, or waits for them.

use std::sync::Arc;

use crate::sync::MutexGuard;

use super::{End, State, Subscription};
use crate::client::message::Msg;
use crate::client::message::recycle::AHEAD;
use crate::error::{Result, Status};
use crate::io::clock::{Deadline, wait_until};
use crate::thread_end::Held;

/// Who waits for a message. Under the subscription's lock, which a waiting thread gives back; it is woken by
/// [`Subscription::changed`], or by its cancellation: then it takes nothing.
#[derive(Default)]
pub(super) struct Readers {
    waiting: usize,
}

impl Readers {
    #[inline]
    pub(super) fn any_waiting(&self) -> bool {
        self.waiting > 0
    }
}

/// What a reader says of a message it was given.
#[derive(Clone, Copy)]
pub(in crate::client) struct Taken {
    /// It is the program's. A status message, the server's word to the reader, does not count as delivered.
    pub counts: bool,
    /// The reader wants no more.
    pub enough: bool,
}

/// How far reading came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    /// The queue is empty, the reader wants more.
    All,
    Enough,
    /// The subscription ends with what was read.
    Over(End),
}

impl State {
    /// Fails when nothing can be read, and when messages were dropped since it was last said.
    #[inline]
    fn check_readable(&mut self, is_async: bool) -> Result<()> {
        if let Some(end) = self.life.end() {
            return Err(end.for_reader().into());
        }
        if is_async {
            return Err(Status::IllegalState.into()); // it delivers to a callback
        }
        if self.queue.take_slow() { Err(Status::SlowConsumer.into()) } else { Ok(()) }
    }
}

impl Subscription {
    /// The next message of a synchronous subscription; see the contract for each failure. A `timeout_ms` of 0
    /// or less does not wait.
    pub fn next_msg(self: &Arc<Self>, timeout_ms: i64) -> Result<Msg> {
        let mut next = None;
        let until = || (timeout_ms > 0).then(|| Deadline::in_ms(timeout_ms));
        self.take_many(until, |msg| {
            next = Some(msg);
            Taken { counts: true, enough: true }
        })?;
        let mut msg = next.ok_or(Status::Timeout)?;
        if msg.is_no_responders() { Err(Status::NoResponders.into()) } else { Ok(msg) }
    }

    /// Gives the reader one message after the other until it has enough, all that is queued under one lock.
    /// When that is not enough it asks for the deadline, once, and waits for more; without a deadline, and
    /// when it passes, that is a timeout, whatever was read until then. Reading ends well, too, with the
    /// message that ends the subscription. `classify` runs under the subscription's lock.
    #[inline]
    pub(in crate::client) fn take_many(
        self: &Arc<Self>,
        deadline: impl FnOnce() -> Option<Deadline>,
        mut classify: impl FnMut(Msg) -> Taken,
    ) -> Result<()> {
        let mut state = self.state.lock();
        state.check_readable(self.is_async())?;
        let mut read = self.take_queued(&mut state, &mut classify);
        if read == Read::All {
            let Some(deadline) = deadline() else { return Err(Status::Timeout.into()) };
            while read == Read::All {
                self.wait_for_msg(&mut state, deadline)?;
                if state.queue.is_empty() {
                    drop(state); // nothing more comes: it is drained
                    self.connection.remove_subscription(self, End::Drained);
                    return Err(Status::Timeout.into());
                }
                read = self.take_queued(&mut state, &mut classify);
            }
        }
        drop(state);
        if let Read::Over(end) = read {
            self.connection.remove_subscription(self, end);
        }
        Ok(())
    }

    #[inline]
    fn take_queued(&self, state: &mut State, classify: &mut impl FnMut(Msg) -> Taken) -> Read {
        while let Some(msg) = state.queue.pop() {
            if let Some(soon) = state.queue.get(AHEAD) {
                soon.fetch();
            }
            let size = msg.size() as u64;
            let taken = classify(msg);
            if !taken.counts {
                state.queue.uncount(size);
            } else {
                let number = self.tally.next();
                self.tally.count(number, size);
                if number == self.tally.max() {
                    return Read::Over(End::MaxReached);
                }
            }
            if state.drain.is_emptying() && state.queue.is_empty() {
                return Read::Over(End::Drained);
            }
            if taken.enough {
                return Read::Enough;
            }
        }
        Read::All
    }

    /// Waits until there is a message or, once the subscription drains, never will be.
    fn wait_for_msg(&self, state: &mut MutexGuard<'_, State>, deadline: Deadline) -> Result<()> {
        let _held = Held::new();
        state.readers.waiting += 1;
        let woken = wait_until(&self.changed, state, deadline, |s| {
            (!s.queue.is_empty() || s.life.end().is_some() || s.drain.is_emptying()).then_some(())
        });
        state.readers.waiting -= 1;
        match (woken, state.life.end()) {
            (_, Some(end)) if state.queue.is_empty() => Err(end.for_reader().into()),
            (None, _) => Err(Status::Timeout.into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::subscription::tests::{arrive, ignored, subscribed, unconnected};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    const SOON_MS: i64 = 20_000;

    fn status<T>(result: Result<T>) -> Status {
        result.map_or_else(|error| error.status(), |_| Status::Ok)
    }

    fn next(sub: &Arc<Subscription>, timeout_ms: i64) -> std::result::Result<String, Status> {
        let text = |msg: Msg| String::from_utf8(msg.data().to_vec()).unwrap();
        sub.next_msg(timeout_ms).map(text).map_err(|error| error.status())
    }

    /// Takes until a message begins with `!` (enough), `.` (enough, and not the program's); `?` is not the
    /// program's.
    fn take(sub: &Arc<Subscription>, wait_ms: Option<i64>) -> (Vec<String>, Status) {
        let mut taken = Vec::new();
        let result = sub.take_many(
            || wait_ms.map(Deadline::in_ms),
            |msg| {
                let text = String::from_utf8(msg.data().to_vec()).unwrap();
                let first = text.as_bytes()[0];
                let class = Taken { counts: !b"?.".contains(&first), enough: b"!.".contains(&first) };
                taken.push(text);
                class
            },
        );
        (taken, status(result))
    }

    #[test]
    fn messages_come_one_by_one_then_a_timeout() {
        let connection = unconnected();
        let sub = subscribed(&connection, None);
        assert_eq!(next(&sub, 0), Err(Status::Timeout));
        assert_eq!(next(&sub, 1), Err(Status::Timeout));
        arrive(&sub, &["a", "b"]);
        assert_eq!((next(&sub, 0), next(&sub, -1)), (Ok("a".into()), Ok("b".into())));
        assert_eq!(sub.counters().unwrap().delivered, 2);
        connection.close();
        assert_eq!(next(&sub, 0), Err(Status::ConnectionClosed));
    }

    #[test]
    fn many_are_taken_at_once_and_status_messages_do_not_count() {
        let connection = unconnected();
        let sub = subscribed(&connection, None);
        arrive(&sub, &["a", "?", "b", "!c", "d", "?", ".", "e"]);
        assert_eq!(take(&sub, None), (vec!["a".into(), "?".into(), "b".into(), "!c".into()], Status::Ok));
        let counters = sub.counters().unwrap();
        assert_eq!((counters.delivered, counters.pending_msgs, counters.pending_bytes), (3, 4, 4));
        assert_eq!(take(&sub, None).1, Status::Ok);
        assert_eq!(sub.counters().unwrap().delivered, 4);
        assert_eq!(take(&sub, Some(1)), (vec!["e".into()], Status::Timeout));
        let counters = sub.counters().unwrap();
        assert_eq!((counters.delivered, counters.pending_msgs, counters.pending_bytes), (5, 0, 0));
        connection.close();
    }

    #[test]
    fn the_limit_ends_the_subscription_with_its_last_message() {
        let connection = unconnected();
        let sub = subscribed(&connection, None);
        connection.unsubscribe(&sub, 2).unwrap();
        arrive(&sub, &["?", "a", "b", "c"]);
        assert_eq!(take(&sub, Some(SOON_MS)).0, ["?", "a", "b"]);
        assert_eq!(next(&sub, SOON_MS), Err(Status::MaxDeliveredMsgs));
        connection.close();
    }

    #[test]
    fn a_drained_one_is_read_to_its_end() {
        let connection = unconnected();
        let [read, empty] = [(); 2].map(|()| subscribed(&connection, None));
        for sub in [&read, &empty] {
            assert!(sub.begin_drain(0, false));
        }
        arrive(&read, &["a", "b"]);
        read.drain_queue(None);
        empty.drain_queue(None);
        assert_eq!(take(&read, Some(SOON_MS)), (vec!["a".into(), "b".into()], Status::Ok));
        assert_eq!(
            (next(&read, SOON_MS), status(read.drain_status())),
            (Err(Status::InvalidSubscription), Status::Ok)
        );
        assert_eq!(
            (next(&empty, 0), empty.is_valid()),
            (Err(Status::Timeout), true),
            "who does not wait ends nothing"
        );
        assert_eq!((next(&empty, SOON_MS), empty.is_valid()), (Err(Status::Timeout), false));
        connection.close();
    }

    #[test]
    fn a_waiting_reader_is_woken_by_a_message_a_drain_and_the_end() {
        let connection = unconnected();
        let woken_by = |wake: fn(&Arc<Subscription>)| {
            let sub = subscribed(&connection, None);
            let reader = Arc::clone(&sub);
            let waits = thread::spawn(move || take(&reader, Some(SOON_MS)).1);
            while !sub.state.lock().readers.any_waiting() {
                thread::yield_now();
            }
            wake(&sub);
            let woken = waits.join().unwrap();
            assert!(!sub.state.lock().readers.any_waiting());
            woken
        };
        assert_eq!(woken_by(|sub| assert!(!arrive(sub, &["a", "!b"]))), Status::Ok);
        let end = |sub: &Arc<Subscription>| sub.connection.unsubscribe(sub, 0).unwrap();
        assert_eq!(woken_by(end), Status::InvalidSubscription);
        let drained = woken_by(|sub| {
            assert!(sub.begin_drain(0, true));
            sub.drain_queue(None);
        });
        assert_eq!(drained, Status::Timeout);
        connection.close();
    }

    #[test]
    fn the_deadline_is_asked_for_once_and_only_when_needed() {
        let connection = unconnected();
        let sub = subscribed(&connection, None);
        let asked = AtomicUsize::new(0);
        let until = || {
            asked.fetch_add(1, Ordering::Relaxed);
            Some(Deadline::in_ms(1))
        };
        arrive(&sub, &["a"]);
        sub.take_many(until, |_| Taken { counts: true, enough: true }).unwrap();
        assert_eq!(asked.load(Ordering::Relaxed), 0);
        assert_eq!(status(sub.take_many(until, |_| Taken { counts: true, enough: false })), Status::Timeout);
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        connection.close();
    }

    #[test]
    fn dropped_messages_are_told_once_and_callbacks_are_not_read() {
        let connection = unconnected();
        let sub = subscribed(&connection, None);
        sub.set_pending_limits(1, -1).unwrap();
        arrive(&sub, &["a", "b"]);
        assert_eq!((next(&sub, 0), next(&sub, 0)), (Err(Status::SlowConsumer), Ok("a".into())));
        let other = subscribed(&connection, ignored());
        assert_eq!(next(&other, 0), Err(Status::IllegalState));
        connection.close();
    }
}
