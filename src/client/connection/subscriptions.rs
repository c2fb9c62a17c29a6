//! How a subscription gets into the routing table, what the server is told of it, how it leaves.

use std::sync::Arc;

use crate::sync::MutexGuard;

use crate::client::connection::Connection;
use crate::client::connection::outbound::Flush;
use crate::client::connection::routes::{Route, Table};
use crate::client::delivery::Mode;
use crate::client::subscription::{End, Request, Subscription};
use crate::error::{Result, Status};
use crate::proto::{encoder, subject};

impl Connection {
    /// Subscribes. Nothing is delivered before [`Subscription::start`].
    pub fn subscribe(self: &Arc<Self>, request: Request<'_>) -> Result<Arc<Subscription>> {
        if !subject::is_valid(request.subject) {
            return Err(Status::InvalidSubject.into());
        }
        if request.queue.is_some_and(|q| !subject::is_valid_queue(q)) {
            return Err(Status::InvalidQueueName.into());
        }
        self.open_for_subscribing()?;
        let options = &self.options;
        let byte_limit = options.buffers.pending_bytes_limit().min(i64::from(i32::MAX)) as i32;
        let limits = (options.buffers.max_pending_msgs, byte_limit);
        let usual = self.core().delivery.usual_mode();
        let mode = if options.behaviour.global_delivery { Mode::FixedPool } else { usual };
        let sid = self.routes.next_sid();
        let sub = Subscription::new(self, sid, request, mode, limits)?; // may start a thread: no lock is held
        let mut table = self.routes.lock();
        self.open_for_subscribing()?;
        // A write that fails is no failure of the call: the subscription is sent again after the reconnect.
        let tell = |route: &Route| self.outbound.push_only(|b| route.subscribe(sid, b));
        let then = table.open(sid, Route::to(&sub), tell)?;
        drop(table);
        self.carry_out(then);
        self.flush_if_asap();
        Ok(sub)
    }

    fn open_for_subscribing(&self) -> Result<()> {
        self.open()?;
        if self.is_draining() { Err(Status::Draining.into()) } else { Ok(()) }
    }

    /// Ends a subscription at once (`max` 0) or after `max` messages in all.
    pub fn unsubscribe(self: &Arc<Self>, sub: &Arc<Subscription>, max: i32) -> Result<()> {
        self.open()?;
        let mut table = self.routes.lock();
        if table.find(sub.sid()).is_none() || !sub.is_valid() {
            return Err(Status::InvalidSubscription.into());
        }
        let before = sub.max();
        if max >= 0 && sub.limit(max as u64) {
            return self.tell_unsubscribed(table, sub.sid(), Some(max as u64)).inspect_err(|_| {
                sub.limit(before);
            });
        }
        if max < 0 {
            return self.tell_unsubscribed(table, sub.sid(), None);
        }
        table.remove(sub.sid());
        let _ = self.tell_unsubscribed(table, sub.sid(), None); // it has ended: what still comes finds nobody
        sub.close(End::Unsubscribed);
        Ok(())
    }

    /// Marks a subscription as draining and tells the server; false when it has been drained already.
    /// `alone`: not as one of its connection's.
    pub(super) fn begin_draining(
        self: &Arc<Self>,
        sub: &Arc<Subscription>,
        timeout_ms: i64,
        alone: bool,
    ) -> bool {
        let table = self.routes.lock();
        let begun = sub.begin_drain(timeout_ms, alone);
        if begun {
            let _ = self.tell_unsubscribed(table, sub.sid(), None); // it drains all the same
        }
        begun
    }

    /// Takes a subscription out of the table and closes it, without telling the server.
    pub(in crate::client) fn remove_subscription(self: &Arc<Self>, sub: &Arc<Subscription>, end: End) {
        self.routes.lock().remove(sub.sid());
        sub.close(end);
    }

    /// Gives back room, see [`Routes::trim`](super::routes::Routes::trim).
    pub(in crate::client) fn trim_route(&self, sid: u64) -> bool {
        self.routes.trim(sid)
    }

    /// Sends an `UNSUB`. What makes it due was done under the table's lock, which is let go here: a
    /// connection that comes up at this moment is told by that or by this, never twice.
    pub(super) fn tell_unsubscribed(
        self: &Arc<Self>,
        table: MutexGuard<'_, Table>,
        sid: u64,
        max: Option<u64>,
    ) -> Result<()> {
        let then = self.outbound.push_only(|b| encoder::unsubscribe(b, sid, max))?;
        drop(table);
        self.carry_out(then);
        self.flush_if_asap();
        Ok(())
    }

    fn flush_if_asap(self: &Arc<Self>) {
        if self.options.buffers.send_asap {
            // A failure means that the link is over, and who reads it is about to notice.
            let then = self
                .outbound
                .push(Flush::Now, |_| Ok(()))
                .unwrap_or_else(|_| self.outbound.look_after_rest());
            self.carry_out(then);
        }
    }

    /// The program drops its handle.
    pub fn destroy_subscription(self: &Arc<Self>, sub: &Arc<Subscription>) {
        let mut table = self.routes.lock();
        if !sub.is_valid() || !table.remove(sub.sid()) {
            return;
        }
        let at_max = sub.max() > 0 && sub.delivered() >= sub.max();
        if !at_max {
            let _ = self.tell_unsubscribed(table, sub.sid(), None); // what still comes finds nobody
        } else {
            drop(table);
        }
        sub.close(End::Unsubscribed);
    }

    /// For calls that only make sense on a subscription of an open connection.
    pub(super) fn usable_subscription(&self, sub: &Arc<Subscription>) -> Result<()> {
        self.open()?;
        if !sub.is_valid() {
            return Err(Status::InvalidSubscription.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::connection::testing::{subscribed, unconnected};
    use crate::proto::buffer::Buffer;

    fn refused<T>(result: Result<T>) -> Status {
        result.err().expect("it was not refused").status()
    }

    /// What a new connection is told.
    fn told(connection: &Connection) -> Vec<String> {
        let mut out = Buffer::default();
        connection.routes.lock().resubscribe(&mut out).unwrap();
        String::from_utf8(out.as_slice().to_vec()).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_leaves_nothing() {
        let connection = unconnected(|_| {});
        let request = |subject, queue| Request { subject, queue, handler: None, timeout_ms: None };
        assert_eq!(refused(connection.subscribe(request(b"a..b", None))), Status::InvalidSubject);
        assert_eq!(refused(connection.subscribe(request(b"a", Some(b"q q")))), Status::InvalidQueueName);
        assert!(told(&connection).is_empty());
        connection.abandon();
        assert_eq!(refused(connection.subscribe(request(b"a", None))), Status::ConnectionClosed);
        assert!(told(&connection).is_empty());
    }

    #[test]
    fn the_server_is_told_of_a_subscription_until_it_ends() {
        let connection = unconnected(|_| {});
        let (kept, ended) = (subscribed(&connection, b"kept"), subscribed(&connection, b"ended"));
        let dropped = subscribed(&connection, b"dropped");
        connection.unsubscribe(&kept, 5).unwrap();
        connection.unsubscribe(&ended, 0).unwrap();
        connection.destroy_subscription(&dropped);
        connection.destroy_subscription(&dropped);
        assert_eq!(told(&connection), ["SUB kept  1", "UNSUB 1 5"]);
        assert!(kept.is_valid() && !ended.is_valid() && !dropped.is_valid());
        assert_eq!(refused(connection.unsubscribe(&ended, 0)), Status::InvalidSubscription);
        assert_eq!(refused(connection.usable_subscription(&ended)), Status::InvalidSubscription);
        connection.abandon();
        assert!(!kept.is_valid() && told(&connection).is_empty());
        assert_eq!(refused(connection.usable_subscription(&kept)), Status::ConnectionClosed);
    }

    #[test]
    fn a_subscription_drains_once_and_is_not_told_again() {
        let connection = unconnected(|_| {});
        let sub = subscribed(&connection, b"foo");
        assert!(connection.begin_draining(&sub, 0, true));
        assert!(!connection.begin_draining(&sub, 0, false));
        assert!(told(&connection).is_empty() && sub.is_valid());
        connection.remove_subscription(&sub, End::Drained);
        assert!(!sub.is_valid() && connection.routes.lock().find(sub.sid()).is_none());
        connection.abandon();
    }
}
