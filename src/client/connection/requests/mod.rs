//! Requests: a message that asks for one reply, for which the caller waits.

mod callers;
mod eagerness;
mod mux;

use std::sync::Arc;

use crate::sync::Mutex;

use self::callers::{Callers, Expected};
use self::eagerness::Eagerness;
use self::mux::{Mux, REQUESTS};
use crate::client::connection::Connection;
use crate::client::connection::outbound::{Flush, Outgoing};
use crate::client::connection::routes::Route;
use crate::client::connection::waiter::Waiter;
use crate::client::library::inbox;
use crate::client::message::Msg;
use crate::client::subscription::Request;
use crate::error::{Result, Status};
use crate::io::clock::Deadline;
use crate::proto::memory::Text;
use crate::proto::reply::ReplyPrefix;

/// The requests of a connection that wait for their replies.
pub(super) struct Requests {
    pub eagerness: Eagerness,
    inbox_prefix: Option<Text>,
    /// `None` before the first request. Set while the routing table is locked, too.
    mux: Mutex<Option<Arc<Mux>>>,
    callers: Arc<Callers>,
}

impl Requests {
    pub(super) fn new(inbox_prefix: Option<Text>) -> Requests {
        Requests {
            eagerness: Eagerness::default(),
            inbox_prefix,
            mux: Mutex::new(None),
            callers: Arc::new(Callers::default()),
        }
    }

    fn inbox_prefix(&self) -> &[u8] {
        self.inbox_prefix.as_deref().unwrap_or(inbox::DEFAULT_PREFIX)
    }

    fn mux(&self) -> Option<Arc<Mux>> {
        self.mux.lock().clone()
    }

    /// Ends all waits with this status.
    pub(super) fn fail_all(&self, status: Status) {
        self.callers.fail_all(status);
    }
}

impl Connection {
    /// Sends a request and waits for the one reply. `headers` are encoded.
    pub fn request(
        self: &Arc<Self>,
        subject: &[u8],
        headers: Option<&[u8]>,
        payload: &[u8],
        timeout_ms: i64,
    ) -> Result<Msg> {
        self.open()?;
        let mut msg = match self.options.behaviour.use_old_request_style {
            true => return self.request_old_style(subject, headers, payload, timeout_ms),
            false => self.request_by_mux(subject, headers, payload, timeout_ms)?,
        };
        if msg.is_no_responders() { Err(Status::NoResponders.into()) } else { Ok(msg) }
    }

    fn request_by_mux(
        self: &Arc<Self>,
        subject: &[u8],
        headers: Option<&[u8]>,
        payload: &[u8],
        timeout_ms: i64,
    ) -> Result<Msg> {
        let waiter = Arc::new(Waiter::default());
        let Expected { id, alone } = self.requests.callers.expect(&waiter)?;
        let result = self.send_request(id, subject, headers, payload).and_then(|()| {
            let deadline = Deadline::in_ms(timeout_ms);
            if alone {
                self.read_as_caller(deadline, || waiter.is_done());
            }
            waiter.wait(deadline)
        });
        if result.is_err() {
            self.requests.callers.forget(id);
        }
        match result {
            // A reply that came at the very moment the wait ended is the answer all the same.
            Err(e) if e.status() == Status::Timeout => waiter.wait(Deadline::in_ms(0)),
            result => result,
        }
    }

    fn send_request(
        self: &Arc<Self>,
        id: u64,
        subject: &[u8],
        headers: Option<&[u8]>,
        payload: &[u8],
    ) -> Result<()> {
        let mut reply = Vec::with_capacity(64);
        let named = self.mux()?.reply_subject(REQUESTS, id, &mut reply);
        named.map_err(|error| self.publish_failed(error))?;
        self.publish(Outgoing { subject, reply: Some(&reply), headers, payload }, Flush::Now)
    }

    /// What hands out the replies; the first time the server is told to send them.
    fn mux(self: &Arc<Self>) -> Result<Arc<Mux>> {
        if let Some(mux) = self.requests.mux() {
            return Ok(mux);
        }
        let mut table = self.routes.lock();
        let mut slot = self.requests.mux.lock();
        if let Some(mux) = &*slot {
            return Ok(Arc::clone(mux)); // another thread was faster
        }
        let prefix = ReplyPrefix::new(self.requests.inbox_prefix(), &inbox::next_nuid())?;
        let sid = self.routes.next_sid();
        let mux = Arc::new(Mux::new(sid, prefix, self.requests.callers.clone()));
        // Goes out together with the request.
        let tell = |route: &Route| self.outbound.push_quietly(|b| route.subscribe(sid, b));
        table.open(sid, mux.route()?, tell)?;
        Ok(Arc::clone(slot.insert(mux)))
    }

    /// One inbox, one subscription and one unsubscribe per request.
    fn request_old_style(
        self: &Arc<Self>,
        subject: &[u8],
        headers: Option<&[u8]>,
        payload: &[u8],
        timeout_ms: i64,
    ) -> Result<Msg> {
        let reply = inbox::new_inbox(self.requests.inbox_prefix())?;
        let request = Request { subject: &reply, queue: None, handler: None, timeout_ms: None };
        let sub = self.subscribe(request)?;
        sub.start();
        let result = self
            .unsubscribe(&sub, 1)
            .and_then(|()| {
                self.publish(Outgoing { subject, reply: Some(&reply), headers, payload }, Flush::Now)
            })
            .and_then(|()| sub.next_msg(timeout_ms));
        self.destroy_subscription(&sub);
        result
    }

    /// The replies come to an end with a drain: the server is told.
    pub(super) fn unsubscribe_replies(self: &Arc<Self>) -> bool {
        let table = self.routes.lock();
        let mux = self.requests.mux();
        mux.is_some_and(|mux| self.tell_unsubscribed(table, mux.sid(), None).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;
    use crate::client::connection::arrival::Aside;
    use crate::client::connection::testing::unconnected;
    use crate::proto::buffer::Buffer;

    /// What the routing table puts aside of a message that arrives.
    fn arrive(connection: &Connection, sid: u64, subject: &[u8]) -> Option<Aside> {
        let mut found = None;
        let msg = Msg::new(subject, None, b"x").unwrap();
        let keep = |aside| {
            found = Some(aside);
            Ok(())
        };
        connection.routes.lock().add(sid, 1, msg, keep).unwrap();
        found
    }

    #[test]
    fn replies_come_through_one_route_that_the_server_is_told_of_once() {
        let connection = unconnected(|_| {});
        let mux = connection.mux().unwrap();
        assert!(Arc::ptr_eq(&mux, &connection.mux().unwrap()));
        let mut told = Buffer::default();
        connection.routes.lock().resubscribe(&mut told).unwrap();
        let told = String::from_utf8(told.as_slice().to_vec()).unwrap();
        assert!(told.starts_with("SUB _INBOX.") && told.ends_with(".*  1\r\n"), "{told}");
        assert!(connection.routes.lock().subscriptions().unwrap().is_empty(), "none of the program's");

        let waiter = Arc::new(Waiter::default());
        let id = connection.requests.callers.expect(&waiter).unwrap().id;
        let mut reply = Vec::new();
        mux.reply_subject(REQUESTS, id, &mut reply).unwrap();
        let aside = arrive(&connection, mux.sid(), &reply).expect("it is attended to later");
        assert!(!waiter.is_done());
        aside.attend();
        assert!(waiter.is_done());
        connection.abandon();
        assert!(arrive(&connection, mux.sid(), &reply).is_none());
    }

    #[test]
    fn first_requests_at_the_same_time_make_one_route() {
        let connection = unconnected(|_| {});
        let start = Barrier::new(4);
        thread::scope(|scope| {
            let ask = || {
                start.wait();
                connection.mux().unwrap().sid()
            };
            let asked: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            asked.into_iter().for_each(|sid| assert_eq!(sid.join().unwrap(), 1));
        });
        connection.abandon();
    }

    #[test]
    fn a_close_ends_the_waits() {
        let connection = unconnected(|_| {});
        let waiter = Arc::new(Waiter::default());
        connection.requests.callers.expect(&waiter).unwrap();
        connection.abandon();
        let failure = waiter.wait(Deadline::in_ms(0)).err().unwrap();
        assert_eq!(failure.status(), Status::ConnectionClosed);
        let failure = connection.request(b"foo", None, b"", 10).err().unwrap();
        assert_eq!(failure.status(), Status::ConnectionClosed);
    }
}
