//! The subscriptions of a connection, by sid.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::sync::{Mutex, MutexGuard};

use crate::client::connection::Connection;
use crate::client::delivery::{Delivery, Job, Mode};
use crate::client::message::Msg;
use crate::client::outbound::Flush;
use crate::client::subscription::{End, Request, Subscription};
use crate::error::{Result, Status, fail};
use crate::proto::buffer::Buffer;
use crate::proto::{encoder, memory, subject};

#[derive(Default)]
pub struct Subscriptions {
    table: Mutex<Table>,
    last_sid: AtomicU64,
}

/// The table, and what the current read brought for each subscription.
#[derive(Default)]
pub struct Table {
    entries: Vec<Entry>,
    /// Where the entry of a sid is.
    places: HashMap<u64, usize, BuildHasherDefault<SidHasher>>,
    /// Where the message before went: the next one often follows.
    last: usize,
    /// Places with something in their batch.
    touched: Vec<usize>,
    /// Messages for subscriptions of the fixed pool, in arrival order.
    ordered: Vec<(Arc<Subscription>, Msg)>,
}

struct Entry {
    sid: u64,
    subscription: Arc<Subscription>,
    batch: Vec<Msg>,
    bytes: u64,
    /// Served by the fixed pool, which keeps the order across subscriptions.
    ordered: bool,
}

/// Sids count up from 1: spreading them over the table takes no more than a multiplication.
#[derive(Default)]
struct SidHasher(u64);

impl Hasher for SidHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|b| self.write_u64(u64::from(*b)));
    }

    fn write_u64(&mut self, sid: u64) {
        self.0 = (self.0 ^ sid).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Subscriptions {
    /// A number for a new subscription; never used twice.
    pub fn next_sid(&self) -> u64 {
        self.last_sid.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock()
    }

    /// Empties the table.
    pub fn take_all(&self) -> Vec<Arc<Subscription>> {
        let mut table = self.table.lock();
        table.places.clear();
        table.entries.drain(..).map(|e| e.subscription).collect()
    }

    /// Those in the table now.
    pub fn all(&self) -> Vec<Arc<Subscription>> {
        self.table.lock().entries.iter().map(|e| Arc::clone(&e.subscription)).collect()
    }
}

impl Table {
    pub fn insert(&mut self, subscription: Arc<Subscription>) {
        let ordered = subscription.mode() == Mode::FixedPool && subscription.is_async();
        let sid = subscription.sid();
        self.places.insert(sid, self.entries.len());
        self.entries.push(Entry { sid, batch: Vec::new(), bytes: 0, ordered, subscription });
    }

    pub fn remove(&mut self, sid: u64) -> bool {
        let Some(place) = self.places.remove(&sid) else { return false };
        self.entries.swap_remove(place);
        if let Some(moved) = self.entries.get(place) {
            self.places.insert(moved.sid, place);
        }
        true
    }

    /// Puts a message into its subscription's batch, if the subscription is still there. `NO_MEMORY` if it has no room.
    #[inline(always)]
    pub fn add(&mut self, sid: u64, size: usize, msg: Msg) -> Result<()> {
        if self.entries.get(self.last).is_none_or(|entry| entry.sid != sid) {
            let Some(place) = self.places.get(&sid) else { return Ok(()) };
            self.last = *place;
        }
        let entry = &mut self.entries[self.last];
        if entry.ordered {
            return memory::push(&mut self.ordered, (Arc::clone(&entry.subscription), msg));
        }
        if entry.batch.is_empty() {
            memory::push(&mut self.touched, self.last)?;
        }
        memory::push(&mut entry.batch, msg)?;
        entry.bytes += size as u64;
        Ok(())
    }

    /// The subscription with this number, if it is still there.
    pub fn find(&self, sid: u64) -> Option<&Arc<Subscription>> {
        self.places.get(&sid).map(|place| &self.entries[*place].subscription)
    }

    /// Hands the batches over; returns the subscriptions that have just begun to drop messages.
    pub fn deliver(&mut self, delivery: &Arc<Delivery>) -> Vec<Arc<Subscription>> {
        let mut slow = Vec::new();
        let mut handover = delivery.handover();
        for place in self.touched.drain(..) {
            let entry = &mut self.entries[place];
            let bytes = std::mem::take(&mut entry.bytes);
            if entry.subscription.enqueue(&mut entry.batch, bytes, &mut handover) {
                slow.push(Arc::clone(&entry.subscription));
            }
        }
        for (subscription, msg) in self.ordered.drain(..) {
            let (accepted, tell) = subscription.admit(&msg);
            if tell {
                slow.push(Arc::clone(&subscription));
            }
            if accepted && let Some(home) = subscription.home() {
                handover.add(home, Job::One(Arc::clone(&subscription), msg));
            }
        }
        handover.finish();
        slow
    }

    /// What a new connection has to be told about the subscriptions.
    pub fn resubscribe(&self, out: &mut Buffer) {
        let mut subs: Vec<_> = self.entries.iter().map(|e| &e.subscription).collect();
        subs.sort_unstable_by_key(|sub| sub.sid());
        for sub in subs {
            if sub.is_draining() {
                continue;
            }
            let (max, delivered) = (sub.max(), sub.delivered());
            if max > 0 && delivered >= max {
                encoder::unsubscribe(out, sub.sid(), None);
                continue;
            }
            let queue = sub.queue_group().map(|q| q.to_bytes());
            encoder::subscribe(out, sub.subject().to_bytes(), queue, sub.sid());
            if max > 0 {
                encoder::unsubscribe(out, sub.sid(), Some(max - delivered));
            }
        }
    }
}

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
        let byte_limit = options.pending_bytes_limit().min(i64::from(i32::MAX)) as i32;
        let limits = (options.max_pending_msgs, byte_limit);
        let mode = if options.global_delivery { Mode::FixedPool } else { Mode::Elastic };
        let mut table = self.subscriptions.lock();
        self.open_for_subscribing()?;
        let sid = self.subscriptions.next_sid();
        let sub = Subscription::new(self, sid, request, mode, limits)?;
        table.insert(Arc::clone(&sub));
        // A write that fails is no failure of the call: the subscription is sent again after the reconnect.
        let then = self.outbound.push_only(|b| {
            encoder::subscribe(b, sub.subject().to_bytes(), sub.queue_group().map(|q| q.to_bytes()), sid);
        });
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
        let table = self.subscriptions.lock();
        if table.find(sub.sid()).is_none() || !sub.is_valid() {
            return Err(Status::InvalidSubscription.into());
        }
        drop(table);
        if max > 0 && max as u64 > sub.delivered() {
            sub.set_max(max as u64);
            self.send_unsubscribe(sub.sid(), Some(max as u64));
        } else if max < 0 {
            self.send_unsubscribe(sub.sid(), None);
        } else {
            sub.set_max(0);
            self.remove_subscription(sub, End::Unsubscribed);
            self.send_unsubscribe(sub.sid(), None);
        }
        Ok(())
    }

    /// Takes a subscription out of the table and closes it, without telling the server.
    pub(super) fn remove_subscription(self: &Arc<Self>, sub: &Arc<Subscription>, end: End) {
        self.subscriptions.lock().remove(sub.sid());
        sub.close(end);
    }

    pub(super) fn send_unsubscribe(self: &Arc<Self>, sid: u64, max: Option<u64>) {
        let then = self.outbound.push_only(|b| encoder::unsubscribe(b, sid, max));
        self.carry_out(then);
        self.flush_if_asap();
    }

    fn flush_if_asap(self: &Arc<Self>) {
        if self.options.send_asap {
            let _ = self.outbound.push(Flush::Now, |_| ());
        }
    }

    /// The program drops its handle.
    pub fn destroy_subscription(self: &Arc<Self>, sub: &Arc<Subscription>) {
        if sub.is_valid() && self.subscriptions.lock().remove(sub.sid()) {
            let at_max = sub.max() > 0 && sub.delivered() >= sub.max();
            sub.close(End::Unsubscribed);
            if !at_max {
                self.send_unsubscribe(sub.sid(), None);
            }
        }
    }

    /// For calls that only make sense on a subscription of an open connection.
    pub(super) fn usable_subscription(&self, sub: &Arc<Subscription>) -> Result<()> {
        self.open()?;
        if !sub.is_valid() {
            return fail(Status::InvalidSubscription, "the subscription is closed");
        }
        Ok(())
    }
}
