//! A subscription, shared by the program, its connection and its delivery.

mod arrival;
mod deliver;
mod drain;
mod lifecycle;
mod sync;
#[cfg(test)]
mod tests;
mod timeout;
mod trim;

use std::collections::VecDeque;
use std::ffi::{CStr, CString};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::time::Duration;

use crate::sync::{Condvar, Mutex, MutexGuard};

use self::drain::Drain;
pub use self::lifecycle::End;
use crate::client::connection::Connection;
use crate::client::delivery::{Home, Job, Mode, Worker};
use crate::client::message::Msg;
use crate::error::{Result, Status, fail};
use crate::io::timer;
use crate::proto::memory;
use crate::thread_end::Ending;

/// Called for every message, and with `None` when a timeout subscription received nothing for its time.
pub type MsgHandler = Box<
    dyn Fn(&Arc<Connection>, &Arc<Subscription>, Option<Msg>) -> std::result::Result<(), Ending>
        + Send
        + Sync,
>;
/// Called once after the last message callback.
pub type CompleteHandler = Box<dyn FnOnce() + Send>;

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
    /// None for a synchronous subscription, and once the end was delivered.
    home: Option<Home>,
    /// Another worker that took the subscription in; it may have ended since.
    host: Option<Arc<Worker>>,
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
        let home = match request.handler {
            Some(_) => Some(connection.core().delivery.home(mode)?),
            None => None,
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
                home,
                host: None,
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
        state.with_home(|home| {
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
        if !work || self.scheduled || !self.started || self.home.is_none() {
            return false;
        }
        self.scheduled = true;
        true
    }

    /// Calls `give` with the worker that serves the subscription at present, if any does.
    fn with_home(&mut self, give: impl FnOnce(&Home)) {
        if let Some(host) = self.host.as_ref() {
            if let Some(home) = host.try_enter() {
                return give(&home);
            }
            self.host = None;
        }
        if let Some(home) = &self.home {
            give(home);
        }
    }

    /// The end was decided but not yet carried out by the delivery thread.
    fn must_finish(&self) -> bool {
        self.end.is_some() && !self.finished
    }
}
