//! Draining: no new messages, deliver what is there, then end. Each drain has a thread for as long as it lasts; without
//! one it does not begin, and everything stays as it was.

use std::sync::Arc;

use crate::client::connection::loss::Loss;
use crate::client::connection::{ConnStatus, Connection, FLUSH_TIMEOUT_MS};
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
        if sub.is_draining() {
            return Ok(());
        }
        let thread = self.core().threads.prepare("nats-drain")?;
        if !self.begin_draining(sub, timeout_ms, true) {
            return Ok(());
        }
        let (connection, sub) = (Arc::clone(self), Arc::clone(sub));
        thread.run(move || {
            let deadline = if timeout_ms <= 0 { Deadline::NEVER } else { Deadline::in_ms(timeout_ms) };
            let flush_ms = if timeout_ms <= 0 { FLUSH_TIMEOUT_MS } else { timeout_ms };
            let failure = connection.flush(flush_ms).err().map(|e| e.status());
            sub.drain_queue(failure);
            sub.wait_drained(deadline);
        });
        Ok(())
    }

    /// Drains all subscriptions, then the publishes, then closes; `timeout_ms` of 0 or less is no limit. Does
    /// not wait.
    pub fn drain(self: &Arc<Self>, timeout_ms: i64) -> Result<()> {
        if !may_drain(self.status())? {
            return Ok(());
        }
        let thread = self.core().threads.prepare("nats-drain")?;
        let mut state = self.state.lock();
        if !may_drain(state.status())? {
            return Ok(());
        }
        let table = self.subscriptions.lock(); // one that is subscribed now is drained too, or refused
        let subs = table.all()?;
        state.drain_subscriptions();
        drop((table, state));
        self.stop_ticks();
        for sub in &subs {
            self.begin_draining(sub, timeout_ms, false);
        }
        let connection = Arc::clone(self);
        thread.run(move || connection.run_drain(&subs, timeout_ms));
        Ok(())
    }

    fn run_drain(self: &Arc<Self>, subs: &[Arc<Subscription>], timeout_ms: i64) {
        let deadline = if timeout_ms <= 0 { Deadline::NEVER } else { Deadline::in_ms(timeout_ms) };
        if let Err(e) = self.flush_within(deadline) {
            self.report_drain(&e, "unable to flush all subscriptions UNSUB protocols");
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
        let in_time = !deadline.has_passed(); // else what is left is sent without waiting for an answer
        if self.begin_draining_publishes()
            && let Err(e) = self.flush_within(deadline)
            && in_time
        {
            self.report_drain(&e, "unable to flush publish calls");
        }
        self.close_now(Loss::closed_by_user());
    }

    /// The second phase: nothing is published any more. False when the connection is closed already.
    fn begin_draining_publishes(&self) -> bool {
        let mut state = self.state.lock();
        let drains = state.drain_publishes();
        if drains {
            self.outbound.refuse_publishes();
        }
        drains
    }

    fn flush_within(self: &Arc<Self>, deadline: Deadline) -> Result<()> {
        let left = deadline.remaining().map_or(FLUSH_TIMEOUT_MS, |d| d.as_millis() as i64);
        self.flush(left.max(1))
    }

    fn report_drain(self: &Arc<Self>, error: &Error, what: &str) {
        let status = error.status();
        let text = format!("Drain error: {what}: {} ({})", status.code(), status.text());
        self.state.lock().report(None, Error::new(status, text));
    }
}

/// Whether a drain is to begin; false when there is one already.
fn may_drain(status: ConnStatus) -> Result<bool> {
    match status {
        ConnStatus::Connected => Ok(true),
        ConnStatus::DrainingSubs | ConnStatus::DrainingPubs => Ok(false),
        ConnStatus::Closed => Err(Status::ConnectionClosed.into()),
        status => {
            let state = if status == ConnStatus::Reconnecting { "reconnecting" } else { "connecting" };
            fail(Status::IllegalState, format!("Illegal to call Drain while the connection is {state}"))
        }
    }
}
