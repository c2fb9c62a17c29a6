//! Draining a subscription: what is queued is delivered, then it ends.

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use super::{End, State, Subscription};
use crate::error::{Error, Result, Status, fail};
use crate::io::clock::{Deadline, wait_until};

#[derive(Default)]
pub(super) struct Drain {
    pub(super) started: bool,
    /// By the subscription itself, not along with its connection.
    pub(super) alone: bool,
    /// The flush is over: the subscription ends once its queue is empty.
    pub(super) emptying: bool,
    /// A synchronous subscription without a time limit is only drained by the one who reads it.
    pub(super) no_limit: bool,
    pub(super) complete: bool,
    pub(super) status: Option<Status>,
}

impl Subscription {
    /// Marks the drain as begun, of this subscription alone or of its connection; false when it was already.
    pub(in crate::client) fn begin_drain(&self, timeout_ms: i64, alone: bool) -> bool {
        let mut state = self.state.lock();
        if state.drain.started || state.end.is_some() {
            return false;
        }
        state.drain.started = true;
        state.drain.alone = alone;
        state.drain.no_limit = timeout_ms <= 0;
        true
    }

    /// The flush is over: what is queued is the last there is. `failure` is how the flush went wrong, if it did.
    pub(in crate::client) fn drain_queue(self: &Arc<Self>, failure: Option<Status>) {
        let mut state = self.state.lock();
        if state.end.is_some() {
            return;
        }
        state.drain.emptying = true;
        self.emptying.store(true, Ordering::Release);
        fence(Ordering::SeqCst); // as in `Tally::limit`
        state.drain.status = state.drain.status.or(failure);
        let empty = state.queue.pending(&self.tally) == 0;
        if !self.is_async() {
            // Nobody may ever read an empty queue again; with a time limit the drain is over right here. A draining
            // connection waits for a reader all the same.
            if empty && state.drain.alone && (!state.drain.no_limit || state.waiters > 0) {
                state.drain.complete = true;
                state.drain.status.get_or_insert(Status::Ok);
            }
            drop(state);
            self.changed.notify_all();
        } else if empty && !state.scheduled {
            drop(state);
            self.end(End::Drained);
        }
    }

    /// Waits until the queue was delivered; ends the subscription at the deadline.
    pub(in crate::client) fn wait_drained(self: &Arc<Self>, deadline: Deadline) {
        let mut state = self.state.lock();
        let done = wait_until(&self.changed, &mut state, deadline, |s| {
            (s.drain.complete || s.end.is_some()).then_some(())
        });
        if done.is_some() {
            return;
        }
        drop(state);
        self.end(End::DrainTimeout);
    }

    /// For a draining connection: waits until the subscription is gone. At the deadline (false) callbacks end; who
    /// reads a synchronous one goes on until the connection is closed.
    pub(in crate::client) fn wait_ended(self: &Arc<Self>, deadline: Deadline) -> bool {
        let mut state = self.state.lock();
        let ended = wait_until(&self.changed, &mut state, deadline, |s| (s.finished).then_some(()));
        drop(state);
        if ended.is_none() && self.is_async() {
            self.end(End::DrainTimeout);
        }
        ended.is_some()
    }

    /// Waits until a drain is complete, whatever came of it, or can no longer be.
    pub fn wait_for_drain(&self, timeout_ms: i64) -> Result<()> {
        let mut state = self.state.lock();
        if !state.drain.started {
            return fail(Status::IllegalState, "Subscription not in draining mode");
        }
        let deadline = if timeout_ms <= 0 { Deadline::NEVER } else { Deadline::in_ms(timeout_ms) };
        let over = |s: &mut State| (s.drain.complete || s.finished).then_some(s.drain.complete);
        match wait_until(&self.changed, &mut state, deadline, over) {
            Some(true) => Ok(()),
            _ => Err(Error::unrecorded(Status::Timeout)),
        }
    }

    /// What came of a complete drain.
    pub fn drain_status(&self) -> Result<()> {
        let state = self.state.lock();
        match state.drain.status {
            _ if !state.drain.complete => Err(Error::unrecorded(Status::IllegalState)),
            None | Some(Status::Ok) => Ok(()),
            Some(status) => Err(Error::unrecorded(status)),
        }
    }
}

impl State {
    /// Settles the drain of a subscription that has ended.
    pub(super) fn finish_drain(&mut self, is_async: bool) {
        // A synchronous subscription that was never drained has no drain status; drained along with its connection,
        // it has one only if it was read to its end.
        let read = matches!(self.end, Some(End::Drained | End::MaxReached));
        let settled = is_async || (self.drain.started && (self.drain.alone || read));
        if self.drain.complete || !settled {
            return;
        }
        let reason = match self.end {
            Some(End::ConnectionClosed) => Status::ConnectionClosed,
            Some(End::DrainTimeout) => Status::Timeout,
            Some(End::Unsubscribed) => Status::InvalidSubscription,
            Some(End::Drained | End::MaxReached) | None => Status::Ok,
        };
        self.drain.status.get_or_insert(reason);
        self.drain.complete = true;
    }
}
