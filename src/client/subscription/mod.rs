//! A subscription: its queue, its limits and counters, its delivery and its end.

mod task;
#[cfg(test)]
mod tests;
mod trim;

use std::collections::VecDeque;
use std::ffi::{CStr, CString};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::time::Duration;

use crate::sync::{Condvar, Mutex, MutexGuard};

use crate::client::connection::Connection;
use crate::client::delivery::{Handover, Job, Mode, Place, Worker};
use crate::client::message::Msg;
use crate::client::message::recycle::AHEAD;
use crate::client::pause;
use crate::error::{Error, Result, Status, fail};
use crate::io::clock::{self, Deadline, wait_until};
use crate::io::timer;
use crate::proto::memory;
use crate::thread_end::{Ending, Held};

/// Called for every message, and with `None` when a timeout subscription received nothing for its time.
pub type MsgHandler = Box<
    dyn Fn(&Arc<Connection>, &Arc<Subscription>, Option<Msg>) -> std::result::Result<(), Ending>
        + Send
        + Sync,
>;
/// Called once after the last message callback.
pub type CompleteHandler = Box<dyn FnOnce() + Send>;

/// How many callbacks a subscription may run in a row while others wait for the same worker.
const TURNS_IN_A_ROW: usize = 128;

/// What a program asks for when it subscribes.
pub struct Request<'a> {
    pub subject: &'a [u8],
    pub queue: Option<&'a [u8]>,
    /// None for a synchronous subscription.
    pub handler: Option<MsgHandler>,
    /// Time without messages after which the handler is called without one.
    pub timeout_ms: Option<i64>,
}

/// A subscription: shared by the user, its connection and its delivery.
pub struct Subscription {
    connection: Arc<Connection>,
    sid: u64,
    subject: CString,
    queue_group: Option<CString>,
    handler: Option<MsgHandler>,
    timeout: Option<Duration>,
    mode: Mode,
    state: Mutex<State>,
    /// Wakes threads in [`Subscription::next_msg`] and those that wait for a drain.
    changed: Condvar,
    closed: AtomicBool,
    /// `Drain::emptying`, readable without the lock.
    emptying: AtomicBool,
    /// Written by the one who delivers: messages and bytes handed over so far.
    delivered: AtomicU64,
    delivered_bytes: AtomicU64,
    /// Messages after which the subscription ends by itself, 0 for no limit.
    max: AtomicU64,
}

struct State {
    msgs: VecDeque<Msg>,
    /// The queue has become large; its room is given back later.
    bulky: bool,
    /// Accepted so far; what was delivered of them is in `delivered`.
    accepted: u64,
    accepted_bytes: u64,
    msg_limit: i32,
    byte_limit: i32,
    max_pending: u64,
    max_pending_bytes: u64,
    dropped: u64,
    slow: bool,
    /// A worker has or will get the subscription.
    scheduled: bool,
    /// Nothing is delivered before the program holds the subscription.
    started: bool,
    /// Nowhere for a synchronous subscription, and once the end was delivered.
    place: Place,
    waiters: usize,
    timeout_due: bool,
    timer: Option<timer::Key>,
    /// How often the timer was set: one that has fired when it is set anew is out of date.
    timer_set: u64,
    end: Option<End>,
    finished: bool,
    on_complete: Option<CompleteHandler>,
    drain: Drain,
}

/// Why a subscription ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Unsubscribed or destroyed.
    Unsubscribed,
    ConnectionClosed,
    /// The auto-unsubscribe limit was reached.
    MaxReached,
    Drained,
    DrainTimeout,
}

#[derive(Default)]
struct Drain {
    started: bool,
    /// By the subscription itself, not along with its connection.
    alone: bool,
    /// The flush is over: the subscription ends once its queue is empty.
    emptying: bool,
    /// A synchronous subscription without a time limit is only drained by the one who reads it.
    no_limit: bool,
    complete: bool,
    status: Option<Status>,
}

/// Snapshot of what waits and what passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub pending_msgs: u64,
    pub pending_bytes: u64,
    pub max_pending_msgs: u64,
    pub max_pending_bytes: u64,
    pub delivered: u64,
    pub dropped: u64,
}

impl Subscription {
    /// For [`Connection::subscribe`], which registers it.
    pub(super) fn new(
        connection: &Arc<Connection>,
        sid: u64,
        request: Request<'_>,
        mode: Mode,
        limits: (i32, i32),
    ) -> Result<Arc<Subscription>> {
        let place = match request.handler {
            Some(_) => Place::at(connection.core().delivery.home(mode)?),
            None => Place::default(),
        };
        Ok(Arc::new(Subscription {
            connection: Arc::clone(connection),
            sid,
            subject: memory::c_text(request.subject)?,
            queue_group: request.queue.map(memory::c_text).transpose()?,
            handler: request.handler,
            timeout: request.timeout_ms.map(|ms| Duration::from_millis(ms.max(0) as u64)),
            mode,
            state: Mutex::new(State {
                msgs: VecDeque::new(),
                bulky: false,
                accepted: 0,
                accepted_bytes: 0,
                msg_limit: limits.0,
                byte_limit: limits.1,
                max_pending: 0,
                max_pending_bytes: 0,
                dropped: 0,
                slow: false,
                scheduled: false,
                started: false,
                place,
                waiters: 0,
                timeout_due: false,
                timer: None,
                timer_set: 0,
                end: None,
                finished: false,
                on_complete: None,
                drain: Drain::default(),
            }),
            changed: Condvar::new(),
            closed: AtomicBool::new(false),
            emptying: AtomicBool::new(false),
            delivered: AtomicU64::new(0),
            delivered_bytes: AtomicU64::new(0),
            max: AtomicU64::new(0),
        }))
    }

    /// Lets delivery begin: called once the program has its handle.
    pub fn start(self: &Arc<Self>) {
        let mut state = self.state.lock();
        state.started = true;
        if self.mode == Mode::FixedPool && self.is_async() {
            self.hand_over_early(&mut state);
        }
        self.restart_timeout(&mut state);
        self.schedule_if_needed(state);
    }

    /// For the fixed pool: gives the worker what came before the start. Under the lock, so that what comes from now on is
    /// given later.
    fn hand_over_early(self: &Arc<Self>, state: &mut State) {
        let early = std::mem::take(&mut state.msgs);
        if early.is_empty() {
            return;
        }
        let jobs = early.into_iter().map(|msg| Job::One(Arc::clone(self), msg));
        let (mut refused, mut bytes) = (0, 0);
        state.place.with(|home| {
            self.connection.core().delivery.give(home, jobs, |_, msg| {
                refused += 1;
                bytes += msg.size() as u64;
            });
        });
        if refused > 0 {
            state.take_back(refused, bytes);
            state.slow = false; // so that the program is told with the next one that is dropped
        }
    }

    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    pub fn sid(&self) -> u64 {
        self.sid
    }

    pub fn subject(&self) -> &CStr {
        &self.subject
    }

    pub fn queue_group(&self) -> Option<&CStr> {
        self.queue_group.as_deref()
    }

    pub fn mode(&self) -> Mode {
        self.mode
    }

    pub fn is_async(&self) -> bool {
        self.handler.is_some()
    }

    pub fn is_valid(&self) -> bool {
        !self.closed.load(Ordering::Acquire)
    }

    /// The connection's entry of this subscription goes on: it is not drained nor closed.
    pub fn is_draining(&self) -> bool {
        self.state.lock().drain.started
    }

    // ---- arrival (the thread that reads the socket) ----

    /// Queues what one read brought. Returns whether the program is to be told of dropped messages.
    pub(super) fn enqueue(
        self: &Arc<Self>,
        batch: &mut Vec<Msg>,
        bytes: u64,
        handover: &mut Handover<'_, Subscription>,
    ) -> bool {
        let mut state = self.state.lock();
        if !self.is_valid() || (state.drain.emptying && state.drain.status.is_some()) {
            drop(state);
            batch.clear();
            return false;
        }
        let tell = if state.fits(self, batch.len() as u64, bytes) && state.can_append(batch.len()) {
            state.accept(self, batch.len() as u64, bytes);
            state.slow = false;
            state.append(batch);
            false
        } else if state.msgs.try_reserve(batch.len()).is_ok() {
            self.enqueue_each(&mut state, batch)
        } else {
            state.drop_all(batch)
        };
        self.note_room(&mut state);
        if state.claim() {
            state.place.with(|home| handover.add(home, Job::Run(Arc::clone(self))));
        } else if state.waiters > 0 {
            drop(state);
            self.changed.notify_all();
        }
        tell
    }

    fn enqueue_each(&self, state: &mut State, batch: &mut Vec<Msg>) -> bool {
        let mut tell = false;
        for msg in batch.drain(..) {
            if self.admit_one(state, &msg, &mut tell) {
                state.msgs.push_back(msg);
            }
        }
        tell
    }

    /// Counts one message in or out; `tell` is set when dropping begins.
    fn admit_one(&self, state: &mut State, msg: &Msg, tell: &mut bool) -> bool {
        let size = msg.size() as u64;
        if state.fits(self, 1, size) {
            state.accept(self, 1, size);
            state.slow = false;
            return true;
        }
        state.dropped += 1;
        *tell |= !std::mem::replace(&mut state.slow, true);
        false
    }

    /// For the fixed pool: counts a message in and gives it to the worker, in arrival order. Returns whether the program
    /// is to be told of dropped messages.
    pub(super) fn admit(self: &Arc<Self>, msg: Msg, handover: &mut Handover<'_, Subscription>) -> bool {
        let mut state = self.state.lock();
        let mut tell = false;
        if !self.is_valid() || !self.admit_one(&mut state, &msg, &mut tell) {
            return tell;
        }
        if state.started {
            state.place.with(|home| handover.add(home, Job::One(Arc::clone(self), msg)));
        } else if state.msgs.try_reserve(1).is_ok() {
            state.msgs.push_back(msg);
        } else {
            tell = state.take_back(1, msg.size() as u64);
        }
        tell
    }

    fn schedule_if_needed(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if !state.claim() {
            return;
        }
        let mut found = None;
        state.place.with(|home| found = Some(home.clone()));
        drop(state);
        if let Some(home) = found {
            self.connection.core().delivery.run(&home, self.clone());
        }
    }

    // ---- delivery (workers) ----

    /// Runs the callbacks of what is queued. True when there is more and another subscription waits.
    fn deliver_queued(self: &Arc<Self>, worker: &Worker, batch: &mut VecDeque<Msg>) -> bool {
        let mut in_a_row = 0;
        loop {
            let mut state = self.state.lock();
            if state.msgs.is_empty() || !self.is_valid() {
                let idle = std::mem::take(&mut state.timeout_due) && self.is_valid() && !state.drain.emptying;
                if idle {
                    drop(state);
                    let called = worker.turn(|| self.call(None));
                    self.restart_timeout(&mut self.state.lock());
                    match called {
                        Ok(()) => continue,
                        Err(Ending) => return true,
                    }
                }
                if self.finish_if_due(state) {
                    return false;
                }
                continue;
            }
            std::mem::swap(&mut state.msgs, batch);
            self.note_room(&mut state); // that of another subscription, perhaps
            drop(state);
            while let Some(msg) = batch.pop_front() {
                if !self.is_valid() {
                    batch.clear();
                    break;
                }
                if let Some(soon) = batch.get(AHEAD) {
                    soon.fetch();
                }
                if worker.turn(|| self.deliver(msg)) == Err(Ending) {
                    return self.put_back(batch);
                }
                in_a_row += 1;
                if in_a_row >= TURNS_IN_A_ROW && worker.others_wait() && !batch.is_empty() {
                    return self.put_back(batch);
                }
            }
            if self.timeout.is_some() {
                self.restart_timeout(&mut self.state.lock());
            }
            if in_a_row >= TURNS_IN_A_ROW && worker.others_wait() {
                return true;
            }
        }
    }

    fn put_back(&self, batch: &mut VecDeque<Msg>) -> bool {
        let mut state = self.state.lock();
        if state.end.is_some() {
            drop(state);
            batch.clear(); // nobody is going to take them out again
            return true;
        }
        if batch.try_reserve(state.msgs.len()).is_err() {
            let bytes = state.msgs.iter().map(|msg| msg.size() as u64).sum();
            let count = state.msgs.len() as u64;
            state.take_back(count, bytes);
            state.msgs.clear();
            state.slow = false; // so that the program is told with the next one that is dropped
        }
        batch.append(&mut state.msgs);
        std::mem::swap(&mut state.msgs, batch);
        true
    }

    /// Runs the callback of one message of the fixed pool.
    fn deliver_one(self: &Arc<Self>, msg: Msg, worker: &Worker) {
        if self.is_valid() {
            let _ = worker.turn(|| self.deliver(msg)); // the worker itself looks whether its thread is ending
        }
        fence(Ordering::SeqCst); // see `limit`
        let limited = self.max() > 0;
        if self.timeout.is_none() && self.is_valid() && !limited && !self.emptying.load(Ordering::Acquire) {
            return; // nothing that another thread would leave to this one
        }
        let mut state = self.state.lock();
        self.restart_timeout(&mut state);
        if state.end.is_none() && self.is_at_max() {
            drop(state);
            self.end(End::MaxReached);
        } else if state.must_finish() {
            self.schedule_if_needed(state);
        } else if state.drain.emptying && self.pending(&state) == 0 {
            drop(state);
            self.end(End::Drained);
        }
    }

    #[inline(always)] // one of its two callers calls it for each message
    fn deliver(self: &Arc<Self>, msg: Msg) -> std::result::Result<(), Ending> {
        let delivered = self.delivered.load(Ordering::Relaxed) + 1;
        let max = self.max();
        pause::at("deliver", self);
        if max > 0 && delivered > max {
            self.end(End::MaxReached);
            return Ok(());
        }
        self.count_delivered(&msg, delivered);
        let called = self.call(Some(msg));
        let max = self.max(); // which may be new
        if max > 0 && delivered >= max {
            self.end(End::MaxReached);
        }
        called
    }

    #[inline]
    fn count_delivered(&self, msg: &Msg, delivered: u64) {
        self.delivered.store(delivered, Ordering::Release);
        let bytes = self.delivered_bytes.load(Ordering::Relaxed) + msg.size() as u64;
        self.delivered_bytes.store(bytes, Ordering::Release);
    }

    #[inline]
    fn call(self: &Arc<Self>, msg: Option<Msg>) -> std::result::Result<(), Ending> {
        match &self.handler {
            Some(handler) => handler(&self.connection, self, msg),
            None => Ok(()),
        }
    }

    /// Nothing is queued: ends what is to be ended. True when the worker is done with the subscription for now.
    fn finish_if_due(self: &Arc<Self>, mut state: MutexGuard<'_, State>) -> bool {
        if state.end.is_none() && self.is_at_max() {
            drop(state);
            self.end(End::MaxReached);
            return false;
        }
        if state.drain.emptying && state.end.is_none() {
            drop(state);
            self.end(End::Drained);
            return false;
        }
        if !state.must_finish() {
            state.scheduled = false;
            return true;
        }
        state.finished = true;
        state.scheduled = false;
        state.finish_drain(self.is_async());
        let left = state.place.leave();
        let on_complete = state.on_complete.take();
        drop(state);
        self.changed.notify_all();
        drop(left);
        if let Some(on_complete) = on_complete {
            on_complete();
        }
        true
    }

    // ---- timeout subscriptions ----

    fn restart_timeout(self: &Arc<Self>, state: &mut State) {
        let Some(timeout) = self.timeout else { return };
        let timer = &self.connection.core().timer;
        state.timeout_due = false; // became due while a callback ran
        if let Some(old) = state.timer.take() {
            timer.cancel(old);
        }
        state.timer_set += 1;
        if self.is_valid() && state.started {
            let (weak, set) = (Arc::downgrade(self), state.timer_set);
            state.timer = Some(timer.schedule(clock::now().saturating_add(timeout), move || {
                if let Some(sub) = weak.upgrade() {
                    sub.timed_out(set);
                }
            }));
        }
    }

    fn timed_out(self: &Arc<Self>, set: u64) {
        let mut state = self.state.lock();
        if state.timer_set != set {
            return;
        }
        state.timer = None;
        let quiet = self.pending(&state) == 0 && !state.drain.emptying;
        if quiet && self.is_valid() {
            state.timeout_due = true;
            self.schedule_if_needed(state);
        }
    }

    // ---- synchronous delivery ----

    /// The next message of a synchronous subscription; see the contract for each failure.
    pub fn next_msg(self: &Arc<Self>, timeout_ms: i64) -> Result<Msg> {
        let mut state = self.state.lock();
        if let Some(end) = state.end {
            return Err(end.for_reader().into());
        }
        if self.is_async() {
            return Err(Status::IllegalState.into()); // it delivers to a callback
        }
        if std::mem::take(&mut state.slow) {
            return Err(Status::SlowConsumer.into());
        }
        if timeout_ms > 0 && state.msgs.is_empty() {
            self.wait_for_msg(&mut state, timeout_ms)?;
        }
        let Some(mut msg) = state.msgs.pop_front() else {
            return Err(self.nothing_left(state, timeout_ms));
        };
        if let Some(soon) = state.msgs.get(AHEAD) {
            soon.fetch();
        }
        let delivered = self.delivered.load(Ordering::Relaxed) + 1;
        self.count_delivered(&msg, delivered);
        let max = self.max.load(Ordering::Relaxed);
        let drained = state.drain.emptying && state.msgs.is_empty();
        drop(state);
        if max > 0 && delivered == max {
            self.connection.remove_subscription(self, End::MaxReached);
        } else if drained {
            self.connection.remove_subscription(self, End::Drained);
        }
        if msg.is_no_responders() {
            return Err(Status::NoResponders.into());
        }
        Ok(msg)
    }

    fn wait_for_msg(&self, state: &mut MutexGuard<'_, State>, timeout_ms: i64) -> Result<()> {
        let _held = Held::new();
        state.waiters += 1;
        let woken = wait_until(&self.changed, state, Deadline::in_ms(timeout_ms), |s| {
            (!s.msgs.is_empty() || s.end.is_some() || s.drain.emptying).then_some(())
        });
        state.waiters -= 1;
        match (woken, state.end) {
            (_, Some(end)) if state.msgs.is_empty() => Err(end.for_reader().into()),
            (None, _) => Err(Status::Timeout.into()),
            _ => Ok(()),
        }
    }

    /// Reading an empty queue: a timeout, and the end of a drained subscription.
    fn nothing_left(self: &Arc<Self>, state: MutexGuard<'_, State>, timeout_ms: i64) -> Error {
        let drained = state.drain.emptying && timeout_ms > 0;
        drop(state);
        if drained {
            self.connection.remove_subscription(self, End::Drained);
        }
        Status::Timeout.into()
    }

    // ---- limits and counters ----

    pub fn set_pending_limits(&self, msgs: i32, bytes: i32) -> Result<()> {
        if msgs == 0 || bytes == 0 {
            return fail(Status::InvalidArg, "Limits must be either > 0 or negative to specify no limit");
        }
        let mut state = self.open_state()?;
        state.msg_limit = msgs;
        state.byte_limit = bytes;
        Ok(())
    }

    pub fn pending_limits(&self) -> Result<(i32, i32)> {
        let state = self.open_state()?;
        Ok((state.msg_limit, state.byte_limit))
    }

    pub fn clear_max_pending(&self) -> Result<()> {
        let mut state = self.open_state()?;
        state.max_pending = 0;
        state.max_pending_bytes = 0;
        Ok(())
    }

    pub fn counters(&self) -> Result<Counters> {
        let state = self.open_state()?;
        Ok(Counters {
            pending_msgs: self.pending(&state),
            pending_bytes: self.pending_bytes(&state),
            max_pending_msgs: state.max_pending,
            max_pending_bytes: state.max_pending_bytes,
            delivered: self.delivered(),
            dropped: state.dropped,
        })
    }

    /// Messages handed to the program so far.
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Acquire)
    }

    /// The auto-unsubscribe limit, 0 for none.
    #[inline]
    pub fn max(&self) -> u64 {
        self.max.load(Ordering::Relaxed)
    }

    /// Ends the subscription after `max` messages in all; false when that many were delivered already: no limit then.
    /// The one who delivers looks again after each message, and once more under the lock when its queue is empty; one of
    /// the fixed pool, which does not lock, has a fence between counting and looking as there is one here.
    pub(super) fn limit(&self, max: u64) -> bool {
        let _state = self.state.lock();
        self.max.store(max, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let ahead = max > self.delivered();
        if !ahead {
            self.max.store(0, Ordering::Relaxed);
        }
        ahead
    }

    /// Whether the limit is reached, which may have been set since the last message.
    #[inline]
    fn is_at_max(&self) -> bool {
        let max = self.max();
        max > 0 && self.delivered() >= max
    }

    fn pending(&self, state: &State) -> u64 {
        state.accepted.saturating_sub(self.delivered())
    }

    fn pending_bytes(&self, state: &State) -> u64 {
        state.accepted_bytes.saturating_sub(self.delivered_bytes.load(Ordering::Acquire))
    }

    fn open_state(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.state.lock();
        if state.end.is_some() { Err(Status::InvalidSubscription.into()) } else { Ok(state) }
    }

    // ---- the end ----

    /// Called once after the last callback; `None` clears it.
    pub fn set_on_complete(&self, handler: Option<CompleteHandler>) -> Result<()> {
        let mut state = self.open_state()?;
        if !self.is_async() {
            return Err(Status::InvalidSubscription.into());
        }
        let old = std::mem::replace(&mut state.on_complete, handler);
        drop(state);
        drop(old);
        Ok(())
    }

    /// Ends a subscription that its worker found drained or at its limit: out of the connection's table, then closed.
    #[cold]
    fn end(self: &Arc<Self>, end: End) {
        self.connection.remove_subscription(self, end);
    }

    /// Closes: nothing more is delivered, readers and waiters are woken. A running callback is not waited for.
    pub(super) fn close(self: &Arc<Self>, end: End) {
        let mut state = self.state.lock();
        if state.end.is_some() {
            return;
        }
        state.end = Some(end);
        self.closed.store(true, Ordering::Release);
        let msgs = std::mem::take(&mut state.msgs);
        if let Some(timer) = state.timer.take() {
            self.connection.core().timer.cancel(timer);
        }
        state.started = true;
        if !self.is_async() {
            state.finished = true;
            state.finish_drain(false);
        }
        self.schedule_if_needed(state);
        drop(msgs);
        self.changed.notify_all();
    }

    // ---- drain ----

    /// Marks the drain as begun, of this subscription alone or of its connection; false when it was already.
    pub(super) fn begin_drain(&self, timeout_ms: i64, alone: bool) -> bool {
        let mut state = self.state.lock();
        if state.drain.started || state.end.is_some() {
            return false;
        }
        state.drain.started = true;
        state.drain.alone = alone;
        state.drain.no_limit = timeout_ms <= 0;
        true
    }

    /// The flush is over: what is queued is the last there is. `failure` is how the flush went wrong, if it did.
    pub(super) fn drain_queue(self: &Arc<Self>, failure: Option<Status>) {
        let mut state = self.state.lock();
        if state.end.is_some() {
            return;
        }
        state.drain.emptying = true;
        self.emptying.store(true, Ordering::Release);
        fence(Ordering::SeqCst); // as in `limit`
        state.drain.status = state.drain.status.or(failure);
        let empty = self.pending(&state) == 0;
        if !self.is_async() {
            // Nobody may ever read an empty queue again; with a time limit the drain is over right here. A draining
            // connection waits for a reader all the same.
            if empty && state.drain.alone && (!state.drain.no_limit || state.waiters > 0) {
                state.drain.complete = true;
                state.drain.status.get_or_insert(Status::Ok);
            }
            drop(state);
            self.changed.notify_all();
        } else if empty && !state.scheduled {
            drop(state);
            self.end(End::Drained);
        }
    }

    /// Waits until the queue was delivered; ends the subscription at the deadline.
    pub(super) fn wait_drained(self: &Arc<Self>, deadline: Deadline) {
        let mut state = self.state.lock();
        let done = wait_until(&self.changed, &mut state, deadline, |s| {
            (s.drain.complete || s.end.is_some()).then_some(())
        });
        if done.is_some() {
            return;
        }
        drop(state);
        self.end(End::DrainTimeout);
    }

    /// For a draining connection: waits until the subscription is gone. At the deadline (false) callbacks end; who
    /// reads a synchronous one goes on until the connection is closed.
    pub(super) fn wait_ended(self: &Arc<Self>, deadline: Deadline) -> bool {
        let mut state = self.state.lock();
        let ended = wait_until(&self.changed, &mut state, deadline, |s| (s.finished).then_some(()));
        drop(state);
        if ended.is_none() && self.is_async() {
            self.end(End::DrainTimeout);
        }
        ended.is_some()
    }

    /// Waits until a drain is complete, whatever came of it, or can no longer be.
    pub fn wait_for_drain(&self, timeout_ms: i64) -> Result<()> {
        let mut state = self.state.lock();
        if !state.drain.started {
            return fail(Status::IllegalState, "Subscription not in draining mode");
        }
        let deadline = if timeout_ms <= 0 { Deadline::NEVER } else { Deadline::in_ms(timeout_ms) };
        let over = |s: &mut State| (s.drain.complete || s.finished).then_some(s.drain.complete);
        match wait_until(&self.changed, &mut state, deadline, over) {
            Some(true) => Ok(()),
            _ => Err(Error::unrecorded(Status::Timeout)),
        }
    }

    /// What came of a complete drain.
    pub fn drain_status(&self) -> Result<()> {
        let state = self.state.lock();
        match state.drain.status {
            _ if !state.drain.complete => Err(Error::unrecorded(Status::IllegalState)),
            None | Some(Status::Ok) => Ok(()),
            Some(status) => Err(Error::unrecorded(status)),
        }
    }
}

impl State {
    fn fits(&self, sub: &Subscription, msgs: u64, bytes: u64) -> bool {
        let within = |limit: i32, value: u64| limit <= 0 || value <= limit as u64;
        within(self.msg_limit, sub.pending(self) + msgs)
            && within(self.byte_limit, sub.pending_bytes(self) + bytes)
    }

    fn accept(&mut self, sub: &Subscription, msgs: u64, bytes: u64) {
        self.accepted += msgs;
        self.accepted_bytes += bytes;
        self.max_pending = self.max_pending.max(sub.pending(self));
        self.max_pending_bytes = self.max_pending_bytes.max(sub.pending_bytes(self));
    }

    /// Whether there is memory to append a batch of so many messages; the first batch needs none.
    fn can_append(&mut self, count: usize) -> bool {
        self.msgs.is_empty() || self.msgs.try_reserve(count).is_ok()
    }

    /// There is no memory: the consumer is too slow for this machine. True when dropping begins.
    #[cold]
    fn drop_all(&mut self, batch: &mut Vec<Msg>) -> bool {
        self.dropped += batch.len() as u64;
        batch.clear();
        !std::mem::replace(&mut self.slow, true)
    }

    /// The same for messages that were accepted already.
    #[cold]
    fn take_back(&mut self, msgs: u64, bytes: u64) -> bool {
        self.accepted -= msgs;
        self.accepted_bytes -= bytes;
        self.dropped += msgs;
        !std::mem::replace(&mut self.slow, true)
    }

    /// Queues a batch, which is empty afterwards and keeps some capacity.
    fn append(&mut self, batch: &mut Vec<Msg>) {
        if self.msgs.is_empty() {
            // No message is moved: the two change places.
            let msgs = VecDeque::from(std::mem::take(batch));
            *batch = Vec::from(std::mem::replace(&mut self.msgs, msgs));
        } else {
            self.msgs.extend(batch.drain(..));
        }
    }

    /// Whether the subscription is to be given to its worker: there is work, and no worker has it yet.
    fn claim(&mut self) -> bool {
        let work = !self.msgs.is_empty() || self.timeout_due || self.must_finish();
        if !work || self.scheduled || !self.started || self.place.is_nowhere() {
            return false;
        }
        self.scheduled = true;
        true
    }

    /// The end was decided but not yet carried out by the delivery thread.
    fn must_finish(&self) -> bool {
        self.end.is_some() && !self.finished
    }

    /// Settles the drain of a subscription that has ended.
    fn finish_drain(&mut self, is_async: bool) {
        // A synchronous subscription that was never drained has no drain status; drained along with its connection,
        // it has one only if it was read to its end.
        let read = matches!(self.end, Some(End::Drained | End::MaxReached));
        let settled = is_async || (self.drain.started && (self.drain.alone || read));
        if self.drain.complete || !settled {
            return;
        }
        let reason = match self.end {
            Some(End::ConnectionClosed) => Status::ConnectionClosed,
            Some(End::DrainTimeout) => Status::Timeout,
            Some(End::Unsubscribed) => Status::InvalidSubscription,
            Some(End::Drained | End::MaxReached) | None => Status::Ok,
        };
        self.drain.status.get_or_insert(reason);
        self.drain.complete = true;
    }
}

impl End {
    /// What a reader of the ended subscription is told.
    fn for_reader(self) -> Status {
        match self {
            End::ConnectionClosed => Status::ConnectionClosed,
            End::MaxReached => Status::MaxDeliveredMsgs,
            End::Unsubscribed | End::Drained | End::DrainTimeout => Status::InvalidSubscription,
        }
    }
}
