//! The end of a subscription: why it ended, and who is told.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Subscription;
use crate::error::{Result, Status};

/// Called once after the last message callback.
pub type CompleteHandler = Box<dyn FnOnce() + Send>;

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

/// Open, then ended: nothing more is delivered; then finished: the last callback has returned. Under the subscription's lock.
#[derive(Default)]
pub(super) struct Life {
    end: Option<End>,
    finished: bool,
    on_complete: Option<CompleteHandler>,
}

impl Life {
    /// Why it ended, if it did.
    #[inline]
    pub(super) fn end(&self) -> Option<End> {
        self.end
    }

    /// The first end counts: false for others.
    fn end_with(&mut self, end: End) -> bool {
        if self.end.is_some() {
            return false;
        }
        self.end = Some(end);
        true
    }

    /// The end that was decided but not yet carried out by the one who delivers.
    #[inline]
    pub(super) fn unfinished_end(&self) -> Option<End> {
        if self.finished { None } else { self.end }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// The end is carried out. Who is to be told is the caller's to call, without the lock.
    pub(super) fn finish(&mut self) -> Option<CompleteHandler> {
        self.finished = true;
        self.on_complete.take()
    }
}

impl Subscription {
    /// Called once after the last callback; `None` clears it.
    pub fn set_on_complete(&self, handler: Option<CompleteHandler>) -> Result<()> {
        let mut state = self.open_state()?;
        if !self.is_async() {
            return Err(Status::InvalidSubscription.into());
        }
        let old = std::mem::replace(&mut state.life.on_complete, handler);
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
        if !state.life.end_with(end) {
            return;
        }
        self.closed.store(true, Ordering::Release);
        let msgs = state.queue.take_all();
        if let Some(timer) = state.idle.stop() {
            self.connection.core().timer.cancel(timer);
        }
        state.schedule.start();
        if !self.is_async() {
            state.drain.settle(end, false);
            state.life.finish();
        }
        self.schedule_if_needed(state);
        drop(msgs);
        self.changed.notify_all();
    }
}
