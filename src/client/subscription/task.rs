//! A subscription as what delivery threads work on.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::client::delivery::{Home, Task, Worker};
use crate::client::message::Msg;
use crate::client::subscription::Subscription;

impl Task for Subscription {
    fn run(self: Arc<Self>, worker: &Worker, batch: &mut VecDeque<Msg>) -> Option<Arc<dyn Task>> {
        if self.deliver_queued(worker, batch) { Some(self) } else { None }
    }

    fn run_one(self: Arc<Self>, msg: Msg, worker: &Worker) {
        self.deliver_one(msg, worker);
    }

    /// It was admitted, so it counts as dropped from now on.
    #[cold]
    fn refuse(&self, msg: Msg) -> bool {
        self.state.lock().queue.take_back(1, msg.size() as u64)
    }

    fn visit(&self, host: &Home) {
        self.state.lock().schedule.visit(host);
    }
}
