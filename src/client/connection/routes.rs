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

/// The table and its lock, which is the one authority on what the server was told: each SUB, UNSUB and UNSUB
/// with a limit is written while it is held, whoever gets the messages, and so is what a new connection is
/// told first. So a connection that comes up at the same moment tells the server of a change or of its
/// outcome, never both and never neither.
#[derive(Default)]
pub(super) struct Routes {
    table: Mutex<Table>,
    last_sid: AtomicU64,
}

/// The routes, and what the current read brought for each. A batch is only filled while the lock is held,
/// from [`Table::add`] to [`Table::deliver`].
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
    pub(super) fn next_sid(&self) -> u64 {
        self.last_sid.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock()
    }

    /// Empties the table; what was in it is dropped without the lock, the subscriptions are the caller's.
    pub(super) fn take_all(&self) -> impl Iterator<Item = Arc<Subscription>> {
        let mut table = self.table.lock();
        table.places.clear();
        std::mem::take(&mut table.entries).into_iter().filter_map(|entry| entry.route.into_subscription())
    }

    /// Gives back the room that a burst for one subscription took here. Waits for nobody: false when the
    /// table is in use.
    pub(super) fn trim(&self, sid: u64) -> bool {
        let Some(mut table) = self.table.try_lock() else { return false };
        let room = table.trim(sid);
        drop(table);
        drop(room);
        true
    }
}

impl Table {
    /// The subscriptions in the table now.
    pub(super) fn subscriptions(&self) -> Result<Vec<Arc<Subscription>>> {
        let mut all = Vec::new();
        all.try_reserve_exact(self.entries.len())?;
        all.extend(self.entries.iter().filter_map(|entry| entry.route.subscription().cloned()));
        Ok(all)
    }

    /// The subscription with this number, if it is still there.
    pub(super) fn find(&self, sid: u64) -> Option<&Arc<Subscription>> {
        self.places.get(&sid).and_then(|place| self.entries[*place].route.subscription())
    }

    /// Adds a route of which `tell` tells the server. Where that fails, or there is no memory for the route,
    /// there is none.
    pub(super) fn open<T>(
        &mut self,
        sid: u64,
        route: Route,
        tell: impl FnOnce(&Route) -> Result<T>,
    ) -> Result<T> {
        self.entries.try_reserve(1)?;
        self.places.try_reserve(1)?;
        let told = tell(&route)?;
        let plain = route.hook.is_none() && matches!(route.target, Target::Queue(_));
        self.places.insert(sid, self.entries.len());
        self.entries.push(Entry { sid, plain, batch: Vec::new(), bytes: 0, route });
        Ok(told)
    }

    pub(super) fn remove(&mut self, sid: u64) -> bool {
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

    /// Sends a message of so many bytes on its route, if there is one: into a batch, or `aside` for its hook.
    /// `NO_MEMORY` if there is no room.
    #[inline(always)]
    pub(super) fn add(
        &mut self,
        sid: u64,
        size: usize,
        msg: Msg,
        aside: impl FnOnce(Aside) -> Result<()>,
    ) -> Result<()> {
        let entry = match self.entries.get_mut(self.last) {
            Some(entry) if entry.sid == sid => entry,
            _ => {
                let Some(place) = self.places.get(&sid) else { return Ok(()) };
                self.last = *place;
                &mut self.entries[self.last]
            }
        };
        if entry.plain { entry.batch(&mut self.touched, self.last, size, msg) } else { self.show(msg, aside) }
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
        let entry = &mut self.entries[self.last];
        match &entry.route.target {
            Target::Queue(_) => entry.batch(&mut self.touched, self.last, msg.size(), msg),
            Target::Ordered(sub) => memory::push(&mut self.ordered, (Arc::clone(sub), msg)),
            Target::Nobody { .. } => Ok(()),
        }
    }

    /// Hands the batches over; `slow` gets the subscriptions that have just begun to drop messages.
    /// `NO_MEMORY` if one of them finds no room there.
    pub(super) fn deliver(
        &mut self,
        delivery: &Arc<Delivery>,
        slow: &mut Vec<Arc<Subscription>>,
    ) -> Result<()> {
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

    /// What a new connection has to be told: first of subscriptions, as the released library does, then of
    /// the rest.
    pub(super) fn resubscribe(&self, out: &mut Buffer) -> std::result::Result<(), NoMemory> {
        let mut entries = memory::collect(self.entries.iter()).map_err(|_| NoMemory)?;
        entries.sort_unstable_by_key(|entry| (entry.route.subscription().is_none(), entry.sid));
        entries.iter().try_for_each(|entry| entry.route.resubscribe(entry.sid, out))
    }
}

impl Entry {
    /// Puts a message into the batch; the first one has the entry's place noted.
    #[inline(always)]
    fn batch(&mut self, touched: &mut Vec<usize>, place: usize, size: usize, msg: Msg) -> Result<()> {
        if self.batch.is_empty() {
            memory::push(touched, place)?;
        }
        memory::push(&mut self.batch, msg)?;
        self.bytes += size as u64;
        Ok(())
    }
}

impl Route {
    /// To the subscription, where it wants to be served.
    pub(super) fn to(subscription: &Arc<Subscription>) -> Route {
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
    pub(super) fn subscribe(&self, sid: u64, out: &mut Buffer) -> std::result::Result<(), NoMemory> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::connection::Connection;
    use crate::client::connection::testing::{subscribed, unconnected};
    use crate::client::subscription::Request;
    use crate::error::Status;

    fn msg(data: &[u8]) -> Msg {
        Msg::new(b"foo", None, data).unwrap()
    }

    fn open(table: &mut Table, sid: u64, route: Route) {
        table.open(sid, route, |_| Ok(())).unwrap();
    }

    /// Nothing is put aside.
    fn add(table: &mut Table, sid: u64, data: &[u8]) {
        table.add(sid, data.len(), msg(data), |_| unreachable!()).unwrap();
    }

    fn deliver(table: &mut Table, connection: &Connection) -> Vec<Arc<Subscription>> {
        let mut slow = Vec::new();
        table.deliver(&connection.core().delivery, &mut slow).unwrap();
        slow
    }

    fn queued(sub: &Arc<Subscription>) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| sub.next_msg(0).ok()).map(|msg| msg.data().to_vec()).collect()
    }

    fn told(table: &Table) -> String {
        let mut out = Buffer::default();
        table.resubscribe(&mut out).unwrap();
        String::from_utf8(out.as_slice().to_vec()).unwrap()
    }

    #[test]
    fn each_message_goes_to_the_subscription_of_its_sid_in_order() {
        let connection = unconnected(|_| {});
        let subs: Vec<_> = (0..3).map(|_| subscribed(&connection, b"foo")).collect();
        let mut table = Table::default();
        subs.iter().for_each(|sub| open(&mut table, sub.sid(), Route::to(sub)));
        for (sub, data) in [(0, b"a"), (2, b"b"), (0, b"c"), (1, b"d"), (2, b"e")] {
            add(&mut table, subs[sub].sid(), data);
        }
        add(&mut table, 0, b"of no number that is ever given out");
        add(&mut table, 99, b"of a subscription that has gone");
        assert!(queued(&subs[0]).is_empty(), "handed over at once, after the read");
        assert!(deliver(&mut table, &connection).is_empty());
        assert_eq!(queued(&subs[0]), [b"a", b"c"]);
        assert_eq!(queued(&subs[1]), [b"d"]);
        assert_eq!(queued(&subs[2]), [b"b", b"e"]);
        connection.abandon();
    }

    #[test]
    fn what_is_removed_gets_nothing_and_the_others_are_still_found() {
        let connection = unconnected(|_| {});
        let subs: Vec<_> = (0..3).map(|_| subscribed(&connection, b"foo")).collect();
        let mut table = Table::default();
        subs.iter().for_each(|sub| open(&mut table, sub.sid(), Route::to(sub)));
        add(&mut table, subs[2].sid(), b"before"); // the last route is remembered
        deliver(&mut table, &connection);
        assert!(table.remove(subs[0].sid()) && !table.remove(subs[0].sid()));
        assert!(table.find(subs[0].sid()).is_none());
        subs.iter().for_each(|sub| add(&mut table, sub.sid(), b"x"));
        deliver(&mut table, &connection);
        assert_eq!(queued(&subs[2]), [&b"before"[..], b"x"]);
        assert_eq!((queued(&subs[0]).len(), queued(&subs[1]).len()), (0, 1));
        assert_eq!(table.subscriptions().unwrap().len(), 2);
        connection.abandon();
    }

    #[test]
    fn a_subscription_that_begins_to_drop_messages_is_told_of_once() {
        let connection = unconnected(|_| {});
        let sub = subscribed(&connection, b"foo");
        sub.set_pending_limits(1, -1).unwrap();
        let mut table = Table::default();
        open(&mut table, sub.sid(), Route::to(&sub));
        let mut read = |count: usize| {
            (0..count).for_each(|_| add(&mut table, sub.sid(), b"x"));
            deliver(&mut table, &connection)
        };
        assert!(read(1).is_empty());
        assert!(Arc::ptr_eq(&read(2)[0], &sub));
        assert!(read(2).is_empty());
        connection.abandon();
    }

    #[test]
    fn the_fixed_pool_gets_messages_in_the_order_of_arrival_across_subscriptions() {
        let connection = unconnected(|_| {});
        let subs = [subscribed(&connection, b"foo"), subscribed(&connection, b"bar")];
        let mut table = Table::default();
        for sub in &subs {
            open(&mut table, sub.sid(), Route { hook: None, target: Target::Ordered(Arc::clone(sub)) });
        }
        for (sub, data) in [(0, b"a"), (1, b"b"), (0, b"c")] {
            add(&mut table, subs[sub].sid(), data);
        }
        let order: Vec<_> = table.ordered.iter().map(|(sub, msg)| (sub.sid(), msg.data()[0])).collect();
        assert_eq!(order, [(subs[0].sid(), b'a'), (subs[1].sid(), b'b'), (subs[0].sid(), b'c')]);
        connection.abandon();
    }

    /// Delivers what is not a number, one byte shorter; swallows zeros, puts other digits aside.
    #[derive(Default)]
    struct Digits(Mutex<Vec<Vec<u8>>>);

    impl Arrival for Digits {
        fn arrived(&self, msg: Msg) -> Verdict {
            match msg.data() {
                b"0" => Verdict::Swallow,
                [b'0'..=b'9', ..] => Verdict::Attend(msg),
                data => Verdict::Deliver(self::msg(&data[1..])),
            }
        }

        fn attend(&self, msg: Msg) {
            self.0.lock().push(msg.data().to_vec());
        }
    }

    #[test]
    fn a_hook_delivers_as_it_likes_swallows_and_puts_aside() {
        let connection = unconnected(|_| {});
        let sub = subscribed(&connection, b"foo");
        let hook = Arc::new(Digits::default());
        let mut table = Table::default();
        let route = Route { hook: Some(hook.clone()), ..Route::to(&sub) };
        open(&mut table, sub.sid(), route);
        let mut put_aside = Vec::new();
        for data in [&b"xa"[..], b"1", b"0", b"xbc", b"2"] {
            table.add(sub.sid(), data.len(), msg(data), |one| memory::push(&mut put_aside, one)).unwrap();
        }
        assert!(hook.0.lock().is_empty(), "not yet");
        deliver(&mut table, &connection);
        put_aside.into_iter().for_each(Aside::attend);
        assert_eq!(*hook.0.lock(), [b"1", b"2"]);
        assert_eq!(sub.counters().unwrap().pending_bytes, 3, "those of the messages that were delivered");
        assert_eq!(queued(&sub), [&b"a"[..], b"bc"]);
        connection.abandon();
    }

    #[test]
    fn what_the_server_was_not_told_of_is_no_route() {
        let connection = unconnected(|_| {});
        let sub = subscribed(&connection, b"foo");
        let mut table = Table::default();
        let told =
            table.open(sub.sid(), Route::to(&sub), |_| crate::error::fail::<()>(Status::NoMemory, "full"));
        assert!(told.is_err() && table.find(sub.sid()).is_none());
        connection.abandon();
    }

    #[test]
    fn a_new_connection_is_told_what_is_still_due() {
        let connection = unconnected(|_| {});
        let queue = Request { subject: b"jobs", queue: Some(b"q"), handler: None, timeout_ms: None };
        let jobs = connection.subscribe(queue).unwrap();
        let limited = subscribed(&connection, b"limited");
        let over = subscribed(&connection, b"over");
        let drained = subscribed(&connection, b"drained");
        assert!(limited.limit(3) && over.limit(1));
        assert!(drained.begin_drain(0, true));
        let mut table = Table::default();
        for sub in [&over, &drained, &limited] {
            open(&mut table, sub.sid(), Route::to(sub));
        }
        let replies = Target::Nobody { subject: b"_INBOX.x.*".to_vec() };
        open(&mut table, 0, Route { hook: Some(Arc::new(Digits::default())), target: replies });
        open(&mut table, jobs.sid(), Route::to(&jobs));
        for sub in [&limited, &over] {
            add(&mut table, sub.sid(), b"x");
            deliver(&mut table, &connection);
            assert!(sub.next_msg(0).is_ok());
        }
        let expected = ["SUB jobs q 1", "SUB limited  2", "UNSUB 2 2", "UNSUB 3 ", "SUB _INBOX.x.*  0"];
        assert_eq!(told(&table).lines().collect::<Vec<_>>(), expected);
        connection.abandon();
    }

    #[test]
    fn with_the_connection_hooks_are_let_go() {
        let connection = unconnected(|_| {});
        let sub = subscribed(&connection, b"foo");
        let hook = Arc::new(Digits::default());
        let target = Target::Nobody { subject: b"bar".to_vec() };
        open(&mut connection.routes.lock(), 9, Route { hook: Some(hook.clone()), target });
        let left: Vec<_> = connection.routes.take_all().collect();
        assert!(left.len() == 1 && Arc::ptr_eq(&left[0], &sub));
        assert_eq!(Arc::strong_count(&hook), 1);
        connection.abandon();
    }
}
