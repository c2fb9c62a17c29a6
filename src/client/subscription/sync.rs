//! Synchronous subscriptions: a thread of the program takes messages, or waits for one.

use std::sync::Arc;

use crate::sync::MutexGuard;

use super::{End, State, Subscription};
use crate::client::message::Msg;
use crate::client::message::recycle::AHEAD;
use crate::error::{Error, Result, Status};
use crate::io::clock::{Deadline, wait_until};
use crate::thread_end::Held;

impl Subscription {
    /// The next message of a synchronous subscription; see the contract for each failure.
    pub fn next_msg(self: &Arc<Self>, timeout_ms: i64) -> Result<Msg> {
        let mut state = self.state.lock();
        if let Some(end) = state.life.end() {
            return Err(end.for_reader().into());
        }
        if self.is_async() {
            return Err(Status::IllegalState.into()); // it delivers to a callback
        }
        if state.queue.take_slow() {
            return Err(Status::SlowConsumer.into());
        }
        if timeout_ms > 0 && state.queue.is_empty() {
            self.wait_for_msg(&mut state, timeout_ms)?;
        }
        let Some(mut msg) = state.queue.pop() else {
            return Err(self.nothing_left(state, timeout_ms));
        };
        if let Some(soon) = state.queue.get(AHEAD) {
            soon.fetch();
        }
        let delivered = self.tally.next();
        self.tally.count(delivered, msg.size() as u64);
        let max = self.tally.max();
        let drained = state.drain.is_emptying() && state.queue.is_empty();
        drop(state);
        if max > 0 && delivered == max {
            self.connection.remove_subscription(self, End::MaxReached);
        } else if drained {
            self.connection.remove_subscription(self, End::Drained);
        }
        if msg.is_no_responders() {
            return Err(Status::NoResponders.into());
        }
        Ok(msg)
    }

    fn wait_for_msg(&self, state: &mut MutexGuard<'_, State>, timeout_ms: i64) -> Result<()> {
        let _held = Held::new();
        state.readers += 1;
        let woken = wait_until(&self.changed, state, Deadline::in_ms(timeout_ms), |s| {
            (!s.queue.is_empty() || s.life.end().is_some() || s.drain.is_emptying()).then_some(())
        });
        state.readers -= 1;
        match (woken, state.life.end()) {
            (_, Some(end)) if state.queue.is_empty() => Err(end.for_reader().into()),
            (None, _) => Err(Status::Timeout.into()),
            _ => Ok(()),
        }
    }

    /// Reading an empty queue: a timeout, and the end of a drained subscription.
    fn nothing_left(self: &Arc<Self>, state: MutexGuard<'_, State>, timeout_ms: i64) -> Error {
        let drained = state.drain.is_emptying() && timeout_ms > 0;
        drop(state);
        if drained {
            self.connection.remove_subscription(self, End::Drained);
        }
        Status::Timeout.into()
    }
}
