//! Requests: one subscription per connection receives all replies, which the reading thread hands straight to
//! the waiting callers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::sync::Mutex;

use crate::client::connection::Connection;
use crate::client::connection::outbound::{Flush, Outgoing};
use crate::client::connection::waiter::Waiter;
use crate::client::library::inbox;
use crate::client::message::Msg;
use crate::client::subscription::Request;
use crate::error::{Error, Result, Status};
use crate::io::clock::Deadline;
use crate::io::threads;
use crate::proto::buffer::{Buffer, NoMemory};
use crate::proto::encoder;
use crate::proto::memory::Text;
use crate::proto::reply::ReplyPrefix;

/// Falling asleep and being woken costs more than looking for this long whether the reply is there.
const SPIN: Duration = Duration::from_micros(100);
/// So many replies in a row that took longer: the next ones are not looked for.
const SLOW_REPLIES: u32 = 3;
/// After so many more it is tried again.
const UNTRIED_REPLIES: u32 = 64;

pub struct Requests {
    pub(super) eagerness: Eagerness,
    inbox_prefix: Option<Text>,
    /// Sid of the reply subscription, 0 before the first request.
    sid: AtomicU64,
    mux: Mutex<Option<Mux>>,
}

/// Whether a wait for a reply begins with looking for it instead of sleeping: as long as replies come that quickly, and
/// there is another processor that can make one meanwhile.
#[derive(Default)]
pub(super) struct Eagerness {
    /// Replies since one came quickly.
    slow: AtomicU32,
}

impl Eagerness {
    /// Has `look` look for at most the given time, if that is promising; true when it found something.
    pub fn spin(&self, look: impl FnOnce(Duration) -> bool) -> bool {
        let slow = self.slow.load(Ordering::Relaxed);
        let promising = !(SLOW_REPLIES..SLOW_REPLIES + UNTRIED_REPLIES).contains(&slow);
        let found = promising && threads::processors() > 1 && look(SPIN);
        let slow = match slow {
            _ if found => 0,
            slow if slow >= SLOW_REPLIES + UNTRIED_REPLIES => SLOW_REPLIES,
            slow => slow + 1,
        };
        self.slow.store(slow, Ordering::Relaxed);
        found
    }
}

struct Mux {
    prefix: ReplyPrefix,
    next_id: u64,
    waiting: HashMap<u64, Arc<Waiter<Msg>>>,
}

impl Mux {
    /// Registers a waiter under the next number and writes its reply subject; see [`Connection::expect_reply`].
    fn expect(&mut self, waiter: &Arc<Waiter<Msg>>, reply: &mut Vec<u8>) -> Result<(u64, bool)> {
        let id = self.next_id;
        self.prefix.reply(id, reply)?;
        self.waiting.try_reserve(1)?;
        self.next_id += 1;
        self.waiting.insert(id, Arc::clone(waiter));
        Ok((id, self.waiting.len() == 1))
    }
}

impl Requests {
    pub fn new(inbox_prefix: Option<Text>) -> Requests {
        Requests {
            eagerness: Eagerness::default(),
            inbox_prefix,
            sid: AtomicU64::new(0),
            mux: Mutex::new(None),
        }
    }

    fn inbox_prefix(&self) -> &[u8] {
        self.inbox_prefix.as_deref().unwrap_or(inbox::DEFAULT_PREFIX)
    }

    #[inline]
    pub fn sid(&self) -> u64 {
        // No server uses sid 0, but a broken one may: it must not look like a reply.
        match self.sid.load(Ordering::Relaxed) {
            0 => u64::MAX,
            sid => sid,
        }
    }

    /// A reply arrived.
    pub fn reply(&self, msg: Msg) {
        let mut mux = self.mux.lock();
        let Some(mux) = mux.as_mut() else { return };
        let waiter = match mux.prefix.parse(msg.subject().to_bytes()) {
            Some(id) => mux.waiting.remove(&id),
            // A subject mapped by the server names no request; it is clear which one it answers if there is one only.
            None if mux.waiting.len() == 1 && !mux.prefix.matches(msg.subject().to_bytes()) => {
                mux.waiting.drain().next().map(|(_, waiter)| waiter)
            }
            None => None,
        };
        if let Some(waiter) = waiter {
            waiter.complete(Ok(msg));
        }
    }

    /// Ends all waits with this status.
    pub fn fail_all(&self, status: Status) {
        let waiting = self.mux.lock().as_mut().map(|m| std::mem::take(&mut m.waiting)).unwrap_or_default();
        waiting.values().for_each(|w| w.complete(Err(Error::from(status))));
    }

    /// What a new connection has to be told.
    pub fn resubscribe(&self, out: &mut Buffer) -> std::result::Result<(), NoMemory> {
        match self.mux.lock().as_ref() {
            Some(mux) => encoder::subscribe(out, mux.prefix.wildcard(), None, self.sid()),
            None => Ok(()),
        }
    }

    fn forget(&self, id: u64) {
        if let Some(mux) = self.mux.lock().as_mut() {
            mux.waiting.remove(&id);
        }
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
        let mut reply = Vec::with_capacity(64);
        let (id, alone) = self.expect_reply(&waiter, &mut reply)?;
        let out = Outgoing { subject, reply: Some(&reply), headers, payload };
        let result = self.publish(out, Flush::Now).and_then(|()| {
            let deadline = Deadline::in_ms(timeout_ms);
            if alone {
                self.read_as_caller(deadline, || waiter.is_done());
            }
            waiter.wait(deadline)
        });
        if result.is_err() {
            self.requests.forget(id);
        }
        match result {
            // A reply that came at the very moment the wait ended is the answer all the same.
            Err(e) if e.status() == Status::Timeout => waiter.wait(Deadline::in_ms(0)),
            result => result,
        }
    }

    /// Registers a waiter and writes its reply subject. The first request of a connection subscribes to replies.
    /// Returns the number of the request, and whether no other one waits.
    fn expect_reply(self: &Arc<Self>, waiter: &Arc<Waiter<Msg>>, reply: &mut Vec<u8>) -> Result<(u64, bool)> {
        if let Some(mux) = self.requests.mux.lock().as_mut() {
            return mux.expect(waiter, reply);
        }
        let _table = self.subscriptions.lock();
        let mut mux = self.requests.mux.lock();
        let mux = match &mut *mux {
            Some(mux) => mux, // another thread was faster
            none => none.insert(self.subscribe_to_replies()?),
        };
        mux.expect(waiter, reply)
    }

    /// To be called with the table's lock held.
    fn subscribe_to_replies(&self) -> Result<Mux> {
        let prefix = ReplyPrefix::new(self.requests.inbox_prefix(), &inbox::next_nuid())?;
        let sid = self.subscriptions.next_sid();
        // Goes out together with the request.
        self.outbound.push_quietly(|b| encoder::subscribe(b, prefix.wildcard(), None, sid))?;
        self.requests.sid.store(sid, Ordering::Relaxed);
        Ok(Mux { prefix, next_id: 0, waiting: HashMap::new() })
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
        let table = self.subscriptions.lock();
        let subscribed = self.requests.mux.lock().is_some();
        subscribed && self.tell_unsubscribed(table, self.requests.sid(), None).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_replies_are_not_looked_for_but_now_and_then() {
        let eagerness = Eagerness::default();
        let looks = |found: bool, replies: u32| {
            let mut looks = 0;
            for _ in 0..replies {
                eagerness.spin(|_| {
                    looks += 1;
                    found
                });
            }
            looks
        };
        if threads::processors() == 1 {
            assert_eq!(looks(true, 10), 0);
            return;
        }
        assert_eq!(looks(true, 10), 10);
        assert_eq!(looks(false, SLOW_REPLIES + UNTRIED_REPLIES), SLOW_REPLIES);
        assert_eq!(looks(false, 1), 1);
        assert_eq!(looks(false, UNTRIED_REPLIES), 0);
        assert_eq!(looks(true, 10), 10);
    }
}
