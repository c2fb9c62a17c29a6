//! Draining a subscription: what is queued is delivered, then it ends.

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use super::{End, Subscription};
use crate::error::{Error, Result, Status, fail};
use crate::io::clock::{Deadline, wait_until};

/// How far a drain is and what came of it. Under the subscription's lock.
#[derive(Default)]
pub(super) struct Drain {
    started: bool,
    /// By the subscription itself, not along with its connection.
    alone: bool,
    /// The flush is over: the subscription ends once its queue is empty.
    emptying: bool,
    /// A synchronous subscription without a time limit is only drained by the one who reads it.
    no_limit: bool,
    complete: bool,
    status: Option<Status>,
}

impl Drain {
    /// False when it has begun already.
    fn begin(&mut self, timeout_ms: i64, alone: bool) -> bool {
        if self.started {
            return false;
        }
        *self = Drain { started: true, alone, no_limit: timeout_ms <= 0, ..Drain::default() };
        true
    }

    /// The flush is over: what is queued is the last there is.
    fn flushed(&mut self, failure: Option<Status>) {
        self.emptying = true;
        self.status = self.status.or(failure);
    }

    pub(super) fn is_emptying(&self) -> bool {
        self.emptying
    }

    /// The server was not reached, so what still comes is not what the program waits for.
    #[inline]
    pub(super) fn takes_no_more(&self) -> bool {
        self.emptying && self.status.is_some()
    }

    /// The queue of a synchronous subscription is empty. Nobody may ever read it again; with a time limit the
    /// drain is over right here. A draining connection waits for a reader all the same.
    fn nothing_to_read(&mut self, somebody_waits: bool) {
        if self.alone && (!self.no_limit || somebody_waits) {
            self.complete_with(Status::Ok);
        }
    }

    /// The subscription has ended. A synchronous one that was never drained has no drain status; drained
    /// along with its connection, it has one only if it was read to its end.
    pub(super) fn settle(&mut self, end: End, is_async: bool) {
        let read = matches!(end, End::Drained | End::MaxReached);
        let settled = is_async || (self.started && (self.alone || read));
        if self.complete || !settled {
            return;
        }
        self.complete_with(match end {
            End::ConnectionClosed => Status::ConnectionClosed,
            End::DrainTimeout => Status::Timeout,
            End::Unsubscribed => Status::InvalidSubscription,
            End::Drained | End::MaxReached => Status::Ok,
        });
    }

    /// An earlier failure stays.
    fn complete_with(&mut self, status: Status) {
        self.status.get_or_insert(status);
        self.complete = true;
    }

    /// What came of a complete drain.
    fn outcome(&self) -> Result<()> {
        match self.status {
            _ if !self.complete => Err(Error::unrecorded(Status::IllegalState)),
            None | Some(Status::Ok) => Ok(()),
            Some(status) => Err(Error::unrecorded(status)),
        }
    }
}

impl Subscription {
    /// Whether a drain has begun, be it over or not.
    pub fn is_draining(&self) -> bool {
        self.state.lock().drain.started
    }

    /// Marks the drain as begun, of this subscription alone or of its connection; false when it was already.
    pub(in crate::client) fn begin_drain(&self, timeout_ms: i64, alone: bool) -> bool {
        let mut state = self.state.lock();
        state.life.end().is_none() && state.drain.begin(timeout_ms, alone)
    }

    /// The flush is over: what is queued is the last there is. `failure` is how the flush went wrong, if it
    /// did.
    pub(in crate::client) fn drain_queue(self: &Arc<Self>, failure: Option<Status>) {
        let mut state = self.state.lock();
        if state.life.end().is_some() {
            return;
        }
        state.drain.flushed(failure);
        self.emptying.store(true, Ordering::Release);
        fence(Ordering::SeqCst); // as in `Tally::limit`
        let empty = state.queue.pending(&self.tally) == 0;
        if !self.is_async() {
            if empty {
                let somebody_waits = state.readers.any_waiting();
                state.drain.nothing_to_read(somebody_waits);
            }
            drop(state);
            self.changed.notify_all();
        } else if empty && !state.schedule.is_claimed() {
            drop(state);
            self.end(End::Drained);
        }
    }

    /// Waits until the queue was delivered; ends the subscription at the deadline.
    pub(in crate::client) fn wait_drained(self: &Arc<Self>, deadline: Deadline) {
        let mut state = self.state.lock();
        let done = wait_until(&self.changed, &mut state, deadline, |s| {
            (s.drain.complete || s.life.end().is_some()).then_some(())
        });
        if done.is_some() {
            return;
        }
        drop(state);
        self.end(End::DrainTimeout);
    }

    /// The deadline of a draining connection has passed: callbacks end; who reads a synchronous subscription
    /// goes on until the connection is closed. False when the subscription was gone in time.
    pub(in crate::client) fn end_if_late(self: &Arc<Self>) -> bool {
        let late = !self.state.lock().life.is_finished();
        if late && self.is_async() {
            self.end(End::DrainTimeout);
        }
        late
    }

    /// Waits until a drain is complete, whatever came of it, or can no longer be.
    pub fn wait_for_drain(&self, timeout_ms: i64) -> Result<()> {
        let mut state = self.state.lock();
        if !state.drain.started {
            return fail(Status::IllegalState, "Subscription not in draining mode");
        }
        let deadline = if timeout_ms <= 0 { Deadline::NEVER } else { Deadline::in_ms(timeout_ms) };
        let over = wait_until(&self.changed, &mut state, deadline, |s| {
            (s.drain.complete || s.life.is_finished()).then_some(s.drain.complete)
        });
        if over == Some(true) { Ok(()) } else { Err(Error::unrecorded(Status::Timeout)) }
    }

    /// What came of a complete drain.
    pub fn drain_status(&self) -> Result<()> {
        self.state.lock().drain.outcome()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(timeout_ms: i64, alone: bool) -> Drain {
        let mut drain = Drain::default();
        assert!(drain.begin(timeout_ms, alone) && !drain.begin(1, !alone));
        drain
    }

    fn outcome(drain: &Drain) -> Status {
        drain.outcome().map_or_else(|error| error.status(), |()| Status::Ok)
    }

    #[test]
    fn the_end_says_what_came_of_it() {
        let ends = [
            (End::Drained, Status::Ok),
            (End::MaxReached, Status::Ok),
            (End::Unsubscribed, Status::InvalidSubscription),
            (End::ConnectionClosed, Status::ConnectionClosed),
            (End::DrainTimeout, Status::Timeout),
        ];
        for (end, status) in ends {
            let mut drain = begun(1000, true);
            assert_eq!(outcome(&drain), Status::IllegalState);
            drain.flushed(None);
            assert!(drain.is_emptying() && !drain.takes_no_more());
            drain.settle(end, true);
            assert_eq!(outcome(&drain), status, "{end:?}");
            drain.settle(End::Drained, true);
            assert_eq!(outcome(&drain), status, "the first one counts");
        }
    }

    #[test]
    fn a_failed_flush_stays_what_came_of_it() {
        let mut drain = begun(1000, true);
        drain.flushed(Some(Status::Timeout));
        assert!(drain.takes_no_more());
        assert_eq!(outcome(&drain), Status::IllegalState, "not over yet");
        drain.settle(End::Drained, true);
        assert_eq!(outcome(&drain), Status::Timeout);
    }

    #[test]
    fn a_synchronous_one_without_limit_waits_for_its_reader() {
        for (timeout_ms, alone, waits, over) in [
            (1000, true, false, true),
            (0, true, false, false),
            (0, true, true, true),
            (1000, false, true, false),
            (0, false, false, false),
        ] {
            let mut drain = begun(timeout_ms, alone);
            drain.flushed(None);
            drain.nothing_to_read(waits);
            assert_eq!(outcome(&drain) == Status::Ok, over, "{timeout_ms} {alone} {waits}");
        }
    }

    #[test]
    fn a_synchronous_one_has_an_outcome_if_it_was_drained_alone_or_read_to_its_end() {
        let settled = |mut drain: Drain, end| {
            drain.settle(end, false);
            outcome(&drain)
        };
        assert_eq!(settled(Drain::default(), End::Drained), Status::IllegalState);
        assert_eq!(settled(begun(0, true), End::ConnectionClosed), Status::ConnectionClosed);
        assert_eq!(settled(begun(0, false), End::ConnectionClosed), Status::IllegalState);
        assert_eq!(settled(begun(0, false), End::Drained), Status::Ok);
    }
}
