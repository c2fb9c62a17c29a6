//! The end of a subscription: why it ended, and who is told.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{CompleteHandler, Subscription};
use crate::error::{Result, Status};

/// Why a subscription ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Unsubscribed or destroyed.
    Unsubscribed,
    ConnectionClosed,
    /// The auto-unsubscribe limit was reached.
    MaxReached,
    Drained,
    DrainTimeout,
}

impl Subscription {
    /// Called once after the last callback; `None` clears it.
    pub fn set_on_complete(&self, handler: Option<CompleteHandler>) -> Result<()> {
        let mut state = self.open_state()?;
        if !self.is_async() {
            return Err(Status::InvalidSubscription.into());
        }
        let old = std::mem::replace(&mut state.on_complete, handler);
        drop(state);
        drop(old);
        Ok(())
    }

    /// Ends a subscription that its worker found drained or at its limit: out of the connection's table, then closed.
    #[cold]
    pub(super) fn end(self: &Arc<Self>, end: End) {
        self.connection.remove_subscription(self, end);
    }

    /// Closes: nothing more is delivered, readers and waiters are woken. A running callback is not waited for.
    pub(in crate::client) fn close(self: &Arc<Self>, end: End) {
        let mut state = self.state.lock();
        if state.end.is_some() {
            return;
        }
        state.end = Some(end);
        self.closed.store(true, Ordering::Release);
        let msgs = state.queue.take_all();
        if let Some(timer) = state.timer.take() {
            self.connection.core().timer.cancel(timer);
        }
        state.started = true;
        if !self.is_async() {
            state.finished = true;
            state.finish_drain(false);
        }
        self.schedule_if_needed(state);
        drop(msgs);
        self.changed.notify_all();
    }
}

impl End {
    /// What a reader of the ended subscription is told.
    pub(super) fn for_reader(self) -> Status {
        match self {
            End::ConnectionClosed => Status::ConnectionClosed,
            End::MaxReached => Status::MaxDeliveredMsgs,
            End::Unsubscribed | End::Drained | End::DrainTimeout => Status::InvalidSubscription,
        }
    }
}
