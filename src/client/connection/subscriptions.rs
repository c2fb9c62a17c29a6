//! The subscriptions of a connection, by sid.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::sync::{Mutex, MutexGuard};

use crate::client::connection::Connection;
use crate::client::connection::outbound::Flush;
use crate::client::delivery::{BULKY, Delivery, Mode};
use crate::client::message::Msg;
use crate::client::subscription::{End, Request, Subscription};
use crate::error::{Result, Status};
use crate::proto::buffer::{Buffer, NoMemory};
use crate::proto::{encoder, memory, subject};

/// The table's lock is also the one authority on what the server was told: each SUB and UNSUB, that of the replies to
/// requests included, is written while it is held, and so is what a new connection is told first.
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
    pub fn take_all(&self) -> impl Iterator<Item = Arc<Subscription>> {
        let mut table = self.table.lock();
        table.places.clear();
        std::mem::take(&mut table.entries).into_iter().map(|e| e.subscription)
    }

    /// Gives back the room that a burst for one subscription took here. Waits for nobody: false when the table is in use.
    pub fn trim(&self, sid: u64) -> bool {
        let Some(mut table) = self.table.try_lock() else { return false };
        let room = table.trim(sid);
        drop(table);
        drop(room);
        true
    }
}

impl Table {
    /// Those in the table now.
    pub fn all(&self) -> Result<Vec<Arc<Subscription>>> {
        memory::collect(self.entries.iter().map(|e| Arc::clone(&e.subscription)))
    }

    /// Makes room for one more.
    fn reserve(&mut self) -> Result<()> {
        self.entries.try_reserve(1)?;
        Ok(self.places.try_reserve(1)?)
    }

    /// To be called with room for it.
    fn insert(&mut self, subscription: Arc<Subscription>) {
        let ordered = subscription.mode() == Mode::FixedPool && subscription.is_async();
        let sid = subscription.sid();
        self.places.insert(sid, self.entries.len());
        self.entries.push(Entry { sid, batch: Vec::new(), bytes: 0, ordered, subscription });
    }

    pub fn remove(&mut self, sid: u64) -> bool {
        drop(self.trim(sid)); // nobody may look after it any more
        let Some(place) = self.places.remove(&sid) else { return false };
        self.entries.swap_remove(place);
        if let Some(moved) = self.entries.get(place) {
            self.places.insert(moved.sid, place);
        }
        true
    }

    /// What is not used now is the caller's to drop.
    fn trim(&mut self, sid: u64) -> impl Sized + use<> {
        let entry = self.places.get(&sid).map(|place| &mut self.entries[*place]);
        let batch =
            entry.filter(|entry| entry.batch.is_empty()).map(|entry| std::mem::take(&mut entry.batch));
        let touched = self.touched.is_empty().then(|| std::mem::take(&mut self.touched));
        let ordered = self.ordered.is_empty().then(|| std::mem::take(&mut self.ordered));
        (batch, touched, ordered)
    }

    /// Has the room looked after that a read took which brought messages for many.
    fn note_room(&self) {
        if self.touched.capacity().max(self.ordered.capacity()) > BULKY {
            let touched = self.touched.first().map(|place| &self.entries[*place].subscription);
            if let Some(subscription) = touched.or(self.ordered.first().map(|(subscription, _)| subscription))
            {
                subscription.note_room_elsewhere();
            }
        }
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

    /// Hands the batches over; `slow` gets the subscriptions that have just begun to drop messages. `NO_MEMORY` if one of
    /// them finds no room there.
    pub fn deliver(&mut self, delivery: &Arc<Delivery>, slow: &mut Vec<Arc<Subscription>>) -> Result<()> {
        self.note_room();
        let mut result = Ok(());
        let mut tell = |subscription| {
            let told = memory::push(slow, subscription);
            result = std::mem::replace(&mut result, Ok(())).and(told);
        };
        let mut handover = delivery.handover();
        for place in self.touched.drain(..) {
            let entry = &mut self.entries[place];
            let bytes = std::mem::take(&mut entry.bytes);
            if entry.subscription.enqueue(&mut entry.batch, bytes, &mut handover) {
                tell(Arc::clone(&entry.subscription));
            }
            handover.finish_if_full(&mut tell);
        }
        for (subscription, msg) in self.ordered.drain(..) {
            if subscription.admit(msg, &mut handover) {
                tell(subscription);
            }
            handover.finish_if_full(&mut tell);
        }
        handover.finish(&mut tell);
        result
    }

    /// What a new connection has to be told about the subscriptions.
    pub fn resubscribe(&self, out: &mut Buffer) -> std::result::Result<(), NoMemory> {
        let mut subs = memory::collect(self.entries.iter().map(|e| &e.subscription)).map_err(|_| NoMemory)?;
        subs.sort_unstable_by_key(|sub| sub.sid());
        for sub in subs {
            if sub.is_draining() {
                continue;
            }
            let (max, delivered) = (sub.max(), sub.delivered());
            if max > 0 && delivered >= max {
                encoder::unsubscribe(out, sub.sid(), None)?;
                continue;
            }
            let queue = sub.queue_group().map(|q| q.to_bytes());
            encoder::subscribe(out, sub.subject().to_bytes(), queue, sub.sid())?;
            if max > 0 {
                encoder::unsubscribe(out, sub.sid(), Some(max - delivered))?;
            }
        }
        Ok(())
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
        let byte_limit = options.buffers.pending_bytes_limit().min(i64::from(i32::MAX)) as i32;
        let limits = (options.buffers.max_pending_msgs, byte_limit);
        let mode = if options.behaviour.global_delivery { Mode::FixedPool } else { Mode::Elastic };
        let sid = self.subscriptions.next_sid();
        let sub = Subscription::new(self, sid, request, mode, limits)?; // may start a thread: no lock is held
        let mut table = self.subscriptions.lock();
        self.open_for_subscribing()?;
        table.reserve()?; // before the server is told
        // A write that fails is no failure of the call: the subscription is sent again after the reconnect.
        let then = self.outbound.push_only(|b| {
            encoder::subscribe(b, sub.subject().to_bytes(), sub.queue_group().map(|q| q.to_bytes()), sid)
        })?;
        table.insert(Arc::clone(&sub));
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
        let mut table = self.subscriptions.lock();
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
        let table = self.subscriptions.lock();
        let begun = sub.begin_drain(timeout_ms, alone);
        if begun {
            let _ = self.tell_unsubscribed(table, sub.sid(), None); // it drains all the same
        }
        begun
    }

    /// Takes a subscription out of the table and closes it, without telling the server.
    pub(in crate::client) fn remove_subscription(self: &Arc<Self>, sub: &Arc<Subscription>, end: End) {
        self.subscriptions.lock().remove(sub.sid());
        sub.close(end);
    }

    /// Sends an `UNSUB`. What makes it due was done under the table's lock, which is let go here: a connection that
    /// comes up at this moment is told by that or by this, never twice.
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
        let mut table = self.subscriptions.lock();
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
