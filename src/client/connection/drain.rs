//! Draining: no new messages, deliver what is there, then end. Each drain has a thread for as long as it
//! lasts; without one it does not begin, and everything stays as it was.

use std::sync::Arc;

use crate::client::connection::loss::Loss;
use crate::client::connection::{ConnStatus, Connection, FLUSH_TIMEOUT_MS};
use crate::client::subscription::Subscription;
use crate::error::{Error, Result, Status, fail};
use crate::io::clock::{Deadline, wait_until};
use crate::sync::{Condvar, Mutex};

/// Time a drain has unless the program says otherwise, in milliseconds.
pub(crate) const DRAIN_TIMEOUT_MS: i64 = 30_000;

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
        let table = self.routes.lock(); // one that is subscribed now is drained too, or refused
        let subs = table.subscriptions()?;
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
        self.drain_subscriptions(subs, deadline);
        if self.unsubscribe_replies() {
            let _ = self.flush_within(deadline);
        }
        self.drain_publishes(deadline);
        self.close_now(Loss::closed_by_user());
    }

    /// The first phase: what has arrived is delivered.
    fn drain_subscriptions(self: &Arc<Self>, subs: &[Arc<Subscription>], deadline: Deadline) {
        if let Err(e) = self.flush_within(deadline) {
            self.report_drain(&e, "unable to flush all subscriptions UNSUB protocols");
        }
        for sub in subs {
            sub.drain_queue(None);
        }
        let in_time = Ends::of(subs).wait(deadline);
        let late = if in_time { 0 } else { subs.iter().filter(|sub| sub.end_if_late()).count() };
        if late > 0 && !self.is_closed() {
            self.report_drain(&Status::Timeout.into(), "timeout waiting for subscriptions to drain");
        }
    }

    /// The second phase: what was published leaves.
    fn drain_publishes(self: &Arc<Self>, deadline: Deadline) {
        let in_time = !deadline.has_passed(); // else what is left is sent without waiting for an answer
        if self.begin_draining_publishes()
            && let Err(e) = self.flush_within(deadline)
            && in_time
        {
            self.report_drain(&e, "unable to flush publish calls");
        }
    }

    /// Nothing is published any more. False when the connection is closed already.
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

/// Counts the subscriptions that have not ended yet. Its lock is the last one: nothing is done under it.
struct Ends {
    left: Mutex<usize>,
    none_left: Condvar,
}

impl Ends {
    fn of(subs: &[Arc<Subscription>]) -> Arc<Ends> {
        let ends = Arc::new(Ends { left: Mutex::new(subs.len()), none_left: Condvar::new() });
        for sub in subs {
            let ends = Arc::clone(&ends);
            sub.observe_end(Box::new(move |_| ends.one_more()));
        }
        ends
    }

    fn one_more(&self) {
        let mut left = self.left.lock();
        *left -= 1;
        if *left == 0 {
            self.none_left.notify_all();
        }
    }

    /// Waits until all have ended; false when the deadline passes before.
    fn wait(&self, deadline: Deadline) -> bool {
        let mut left = self.left.lock();
        wait_until(&self.none_left, &mut left, deadline, |left| (*left == 0).then_some(())).is_some()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::connection::testing::unconnected;
    use crate::client::subscription::{End, Request};

    fn subscribed(connection: &Arc<Connection>) -> Arc<Subscription> {
        let request = Request { subject: b"foo", queue: None, handler: None, timeout_ms: None };
        connection.subscribe(request).unwrap()
    }

    #[test]
    fn all_have_to_end_before_or_after_they_are_counted() {
        let connection = unconnected(|_| {});
        let subs = [(); 3].map(|()| subscribed(&connection));
        connection.unsubscribe(&subs[1], 0).unwrap();
        let ends = Ends::of(&subs);
        connection.unsubscribe(&subs[0], 0).unwrap();
        assert!(!ends.wait(Deadline::in_ms(0)));
        assert!(!subs[0].end_if_late() && subs[2].end_if_late());
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| ends.wait(Deadline::in_ms(20_000)));
            connection.remove_subscription(&subs[2], End::Unsubscribed);
            assert!(waits.join().unwrap());
        });
        assert!(Ends::of(&[]).wait(Deadline::in_ms(0)));
        connection.close();
    }
}
