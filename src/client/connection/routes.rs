//! The routing table of a connection: where the messages of each sid go.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::sync::{Mutex, MutexGuard};

use crate::client::connection::arrival::{Arrival, Aside, Verdict};
use crate::client::delivery::{BULKY, Delivery, Mode};
use crate::client::message::Msg;
use crate::client::subscription::Subscription;
use crate::error::Result;
use crate::proto::buffer::{Buffer, NoMemory};
use crate::proto::{encoder, memory};

/// The table and its lock, which is the one authority on what the server was told: each SUB, UNSUB and UNSUB with a limit
/// is written while it is held, whoever gets the messages, and so is what a new connection is told first. So a connection
/// that comes up at the same moment tells the server of a change or of its outcome, never both and never neither.
#[derive(Default)]
pub(super) struct Routes {
    table: Mutex<Table>,
    last_sid: AtomicU64,
}

/// The routes, and what the current read brought for each. A batch is only filled while the lock is held, from
/// [`Table::add`] to [`Table::deliver`].
#[derive(Default)]
pub(super) struct Table {
    entries: Vec<Entry>,
    /// Where the entry of a sid is.
    places: ByNumber<usize>,
    /// Where the message before went: the next one often follows.
    last: usize,
    /// Places with something in their batch.
    touched: Vec<usize>,
    /// Messages for subscriptions of the fixed pool, in arrival order.
    ordered: Vec<(Arc<Subscription>, Msg)>,
}

/// Where the messages of a sid go.
pub(super) struct Route {
    /// Looks at them first.
    pub hook: Option<Arc<dyn Arrival>>,
    pub target: Target,
}

pub(super) enum Target {
    /// A subscription's queue, which gets all that a read brought at once.
    Queue(Arc<Subscription>),
    /// A worker of the fixed pool, which keeps the order across its subscriptions.
    Ordered(Arc<Subscription>),
    /// Nobody: the hook has them. What the server is told is the subject.
    Nobody { subject: Vec<u8> },
}

struct Entry {
    sid: u64,
    /// The usual route: messages go into the batch, unseen.
    plain: bool,
    batch: Vec<Msg>,
    bytes: u64,
    route: Route,
}

/// Something found by a number that was given out by counting up.
pub(super) type ByNumber<T> = HashMap<u64, T, BuildHasherDefault<NumberHasher>>;

/// Spreading such numbers over a table takes no more than a multiplication.
#[derive(Default)]
pub(super) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|b| self.write_u64(u64::from(*b)));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Routes {
    /// A number for a new route; never used twice.
    pub fn next_sid(&self) -> u64 {
        self.last_sid.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock()
    }

    /// Empties the table; what was in it is dropped without the lock, the subscriptions are the caller's.
    pub fn take_all(&self) -> impl Iterator<Item = Arc<Subscription>> {
        let mut table = self.table.lock();
        table.places.clear();
        std::mem::take(&mut table.entries).into_iter().filter_map(|entry| entry.route.into_subscription())
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
    /// The subscriptions in the table now.
    pub fn subscriptions(&self) -> Result<Vec<Arc<Subscription>>> {
        let mut all = Vec::new();
        all.try_reserve_exact(self.entries.len())?;
        all.extend(self.entries.iter().filter_map(|entry| entry.route.subscription().cloned()));
        Ok(all)
    }

    /// The subscription with this number, if it is still there.
    pub fn find(&self, sid: u64) -> Option<&Arc<Subscription>> {
        self.places.get(&sid).and_then(|place| self.entries[*place].route.subscription())
    }

    /// Adds a route of which `tell` tells the server. Where that fails, or there is no memory for the route, there is none.
    pub fn open<T>(&mut self, sid: u64, route: Route, tell: impl FnOnce(&Route) -> Result<T>) -> Result<T> {
        self.entries.try_reserve(1)?;
        self.places.try_reserve(1)?;
        let told = tell(&route)?;
        let plain = route.hook.is_none() && matches!(route.target, Target::Queue(_));
        self.places.insert(sid, self.entries.len());
        self.entries.push(Entry { sid, plain, batch: Vec::new(), bytes: 0, route });
        Ok(told)
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
            let touched = self.touched.first().and_then(|place| self.entries[*place].route.subscription());
            if let Some(subscription) = touched.or(self.ordered.first().map(|(subscription, _)| subscription))
            {
                subscription.note_room_elsewhere();
            }
        }
    }

    // ---- arrival ----

    /// Sends a message of so many bytes on its route, if there is one: into a batch, or `aside` for its hook. `NO_MEMORY`
    /// if there is no room.
    #[inline(always)]
    pub fn add(
        &mut self,
        sid: u64,
        size: usize,
        msg: Msg,
        aside: impl FnOnce(Aside) -> Result<()>,
    ) -> Result<()> {
        if self.entries.get(self.last).is_none_or(|entry| entry.sid != sid) {
            let Some(place) = self.places.get(&sid) else { return Ok(()) };
            self.last = *place;
        }
        if self.entries[self.last].plain { self.batch(size, msg) } else { self.show(msg, aside) }
    }

    /// Shows a message to the hook of the last route, if it has one.
    #[inline(never)]
    fn show(&mut self, msg: Msg, aside: impl FnOnce(Aside) -> Result<()>) -> Result<()> {
        let hook = self.entries[self.last].route.hook.as_ref();
        let verdict = match hook {
            Some(hook) => hook.arrived(msg),
            None => Verdict::Deliver(msg),
        };
        match (verdict, hook) {
            (Verdict::Deliver(msg), _) => self.deliver_to_target(msg),
            (Verdict::Attend(msg), Some(hook)) => aside(Aside { hook: Arc::clone(hook), msg }),
            (Verdict::Attend(_), None) | (Verdict::Swallow, _) => Ok(()),
        }
    }

    fn deliver_to_target(&mut self, msg: Msg) -> Result<()> {
        match &self.entries[self.last].route.target {
            Target::Queue(_) => self.batch(msg.size(), msg),
            Target::Ordered(sub) => memory::push(&mut self.ordered, (Arc::clone(sub), msg)),
            Target::Nobody { .. } => Ok(()),
        }
    }

    /// Puts a message into the batch of the last route.
    #[inline(always)]
    fn batch(&mut self, size: usize, msg: Msg) -> Result<()> {
        let entry = &mut self.entries[self.last];
        if entry.batch.is_empty() {
            memory::push(&mut self.touched, self.last)?;
        }
        memory::push(&mut entry.batch, msg)?;
        entry.bytes += size as u64;
        Ok(())
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
            let Target::Queue(subscription) = &entry.route.target else { continue };
            if subscription.enqueue(&mut entry.batch, bytes, &mut handover) {
                tell(Arc::clone(subscription));
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

    // ---- what the server is told ----

    /// What a new connection has to be told: first of subscriptions, as the released library does, then of the rest.
    pub fn resubscribe(&self, out: &mut Buffer) -> std::result::Result<(), NoMemory> {
        let mut entries = memory::collect(self.entries.iter()).map_err(|_| NoMemory)?;
        entries.sort_unstable_by_key(|entry| (entry.route.subscription().is_none(), entry.sid));
        entries.iter().try_for_each(|entry| entry.route.resubscribe(entry.sid, out))
    }
}

impl Route {
    /// To the subscription, where it wants to be served.
    pub fn to(subscription: &Arc<Subscription>) -> Route {
        let ordered = subscription.mode() == Mode::FixedPool && subscription.is_async();
        let target = if ordered { Target::Ordered } else { Target::Queue };
        Route { hook: None, target: target(Arc::clone(subscription)) }
    }

    fn subscription(&self) -> Option<&Arc<Subscription>> {
        match &self.target {
            Target::Queue(subscription) | Target::Ordered(subscription) => Some(subscription),
            Target::Nobody { .. } => None,
        }
    }

    fn into_subscription(self) -> Option<Arc<Subscription>> {
        match self.target {
            Target::Queue(subscription) | Target::Ordered(subscription) => Some(subscription),
            Target::Nobody { .. } => None,
        }
    }

    /// Writes its SUB.
    pub fn subscribe(&self, sid: u64, out: &mut Buffer) -> std::result::Result<(), NoMemory> {
        match &self.target {
            Target::Queue(sub) | Target::Ordered(sub) => {
                let queue = sub.queue_group().map(|q| q.to_bytes());
                encoder::subscribe(out, sub.subject().to_bytes(), queue, sid)
            }
            Target::Nobody { subject } => encoder::subscribe(out, subject, None, sid),
        }
    }

    /// Writes what a new connection has to be told of it.
    fn resubscribe(&self, sid: u64, out: &mut Buffer) -> std::result::Result<(), NoMemory> {
        let Some(sub) = self.subscription() else { return self.subscribe(sid, out) };
        if sub.is_draining() {
            return Ok(());
        }
        let (max, delivered) = (sub.max(), sub.delivered());
        if max > 0 && delivered >= max {
            return encoder::unsubscribe(out, sid, None);
        }
        self.subscribe(sid, out)?;
        if max > 0 { encoder::unsubscribe(out, sid, Some(max - delivered)) } else { Ok(()) }
    }
}
