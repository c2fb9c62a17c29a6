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
        handover: &mut Handover<'_>,
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
        } else if state.readers > 0 {
            drop(state);
            self.changed.notify_all();
        }
        tell
    }

    /// For the fixed pool: counts a message in and gives it to the worker, in arrival order. Returns whether the program
    /// is to be told of dropped messages.
    pub(in crate::client) fn admit(self: &Arc<Self>, msg: Msg, handover: &mut Handover<'_>) -> bool {
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

    /// Drops a message that was admitted and then found no room in its worker's queue. True when dropping begins.
    #[cold]
    pub(in crate::client) fn refuse(&self, msg: Msg) -> bool {
        let mut state = self.state.lock();
        state.queue.take_back(1, msg.size() as u64)
    }

    pub(super) fn schedule_if_needed(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if !state.claim() {
            return;
        }
        let mut found = None;
        state.schedule.with_home(|home| found = Some(home.clone()));
        drop(state);
        if let Some(home) = found {
            self.connection.core().delivery.run(&home, Arc::clone(self));
        }
    }
}
