//! Draining: no new messages, deliver what is there, then end. Each drain has a thread for as long as it lasts.

use std::sync::Arc;

use crate::client::connection::{ConnStatus, Connection, FLUSH_TIMEOUT_MS};
use crate::client::loss::Loss;
use crate::client::subscription::Subscription;
use crate::error::{Error, Result, Status, fail};
use crate::io::clock::Deadline;

impl Connection {
    /// Drains one subscription; `timeout_ms` of 0 or less is no limit. Does not wait.
    pub fn drain_subscription(self: &Arc<Self>, sub: &Arc<Subscription>, timeout_ms: i64) -> Result<()> {
        self.usable_subscription(sub)?;
        if self.is_draining() {
            return fail(
                Status::Draining,
                "Illegal to drain a subscription while its connection is draining",
            );
        }
        if !sub.begin_drain(timeout_ms) {
            return Ok(());
        }
        self.send_unsubscribe(sub.sid(), None);
        let (connection, sub) = (Arc::clone(self), Arc::clone(sub));
        self.core().threads.spawn("nats-drain", move || {
            let deadline = if timeout_ms <= 0 { Deadline::NEVER } else { Deadline::in_ms(timeout_ms) };
            let flush_ms = if timeout_ms <= 0 { FLUSH_TIMEOUT_MS } else { timeout_ms };
            let failure = connection.flush(flush_ms).err().map(|e| e.status());
            sub.drain_queue(failure);
            sub.wait_drained(deadline);
        })
    }

    /// Drains all subscriptions, then the publishes, then closes; `timeout_ms` of 0 or less is no limit. Does
    /// not wait.
    pub fn drain(self: &Arc<Self>, timeout_ms: i64) -> Result<()> {
        let mut state = self.state.lock();
        match state.status {
            ConnStatus::Closed => return Err(Status::ConnectionClosed.into()),
            ConnStatus::DrainingSubs | ConnStatus::DrainingPubs => return Ok(()),
            ConnStatus::Connected => {}
            _ => return fail(Status::IllegalState, "Illegal to drain a connection that is not connected"),
        }
        self.set_status(&mut state, ConnStatus::DrainingSubs);
        drop(state);
        self.stop_ticks();
        let subs = self.subscriptions.all();
        for sub in &subs {
            sub.begin_drain(timeout_ms);
            self.send_unsubscribe(sub.sid(), None);
        }
        let connection = Arc::clone(self);
        self.core().threads.spawn("nats-drain", move || connection.run_drain(&subs, timeout_ms))
    }

    fn run_drain(self: &Arc<Self>, subs: &[Arc<Subscription>], timeout_ms: i64) {
        let deadline = if timeout_ms <= 0 { Deadline::NEVER } else { Deadline::in_ms(timeout_ms) };
        if let Err(e) = self.flush_within(deadline) {
            self.report_drain(&e, "unable to flush");
        }
        for sub in subs {
            sub.drain_queue(None);
        }
        let mut late = false;
        for sub in subs {
            late |= !sub.wait_ended(deadline);
        }
        if late && !self.is_closed() {
            self.report_drain(&Status::Timeout.into(), "timeout waiting for subscriptions to drain");
        }
        if self.unsubscribe_replies() {
            let _ = self.flush_within(deadline);
        }
        if self.begin_draining_publishes()
            && let Err(e) = self.flush_within(deadline)
        {
            self.report_drain(&e, "unable to flush");
        }
        self.close_now(Loss::closed_by_user());
    }

    /// The second phase: nothing is published any more. False when the connection is closed already.
    fn begin_draining_publishes(&self) -> bool {
        let mut state = self.state.lock();
        if state.status != ConnStatus::DrainingSubs {
            return false;
        }
        self.set_status(&mut state, ConnStatus::DrainingPubs);
        self.outbound.refuse_publishes();
        true
    }

    fn flush_within(self: &Arc<Self>, deadline: Deadline) -> Result<()> {
        let left = deadline.remaining().map_or(FLUSH_TIMEOUT_MS, |d| d.as_millis() as i64);
        self.flush(left.max(1))
    }

    fn report_drain(self: &Arc<Self>, error: &Error, what: &str) {
        let status = error.status();
        let text = format!("Drain error: {what}: {} ({})", status.code(), status.text());
        self.report(&mut self.state.lock(), None, Error::new(status, text));
    }
}
