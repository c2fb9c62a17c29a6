//! A subscription, shared by the program, its connection and its delivery.

mod arrival;
mod deliver;
mod drain;
mod identity;
mod lifecycle;
mod queue;
mod schedule;
mod sync;
mod tally;
mod task;
#[cfg(test)]
mod tests;
mod timeout;
mod trim;

use std::ffi::{CStr, CString};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::sync::{Condvar, Mutex, MutexGuard};

use self::drain::Drain;
pub(crate) use self::identity::Identity;
use self::lifecycle::Life;
pub(crate) use self::lifecycle::{CompleteHandler, End};
pub(crate) use self::queue::Counters;
use self::queue::Queue;
use self::schedule::Schedule;
use self::sync::Readers;
use self::tally::Tally;
use self::timeout::Idle;
use crate::client::connection::Connection;
use crate::client::delivery::{Job, Mode, Place};
use crate::client::message::Msg;
use crate::error::{Result, Status, fail};
use crate::proto::memory;
use crate::thread_end::Ending;

/// Called for every message, and with `None` when a timeout subscription received nothing for its time.
pub type MsgHandler = Box<
    dyn Fn(&Arc<Connection>, &Arc<Subscription>, Option<Msg>) -> std::result::Result<(), Ending>
        + Send
        + Sync,
>;

/// What a program asks for when it subscribes.
pub struct Request<'a> {
    pub subject: &'a [u8],
    pub queue: Option<&'a [u8]>,
    /// None for a synchronous subscription.
    pub handler: Option<MsgHandler>,
    /// Time without messages after which the handler is called without one.
    pub timeout_ms: Option<i64>,
}

/// A subscription: shared by the program, its connection and its delivery.
///
/// Each part owns its state. Those of [`State`] are used under its lock, the last one in the connection's
/// order of locks but for those of delivery; under it nothing is called but delivery, the timer and who
/// classifies messages that are read ([`Subscription::take_many`]). What is read without the lock is atomic,
/// written under it (`closed`, `emptying`) or by the one who delivers ([`Tally`]).
pub struct Subscription {
    connection: Arc<Connection>,
    identity: Identity,
    queue_group: Option<CString>,
    handler: Option<MsgHandler>,
    mode: Mode,
    /// It has a time after which the handler is called without a message.
    is_timed: bool,
    state: Mutex<State>,
    /// Wakes threads in [`Subscription::next_msg`] and those that wait for a drain.
    changed: Condvar,
    closed: AtomicBool,
    /// [`Drain::is_emptying`], readable without the lock.
    emptying: AtomicBool,
    tally: Tally,
}

struct State {
    queue: Queue,
    schedule: Schedule,
    readers: Readers,
    idle: Idle,
    life: Life,
    drain: Drain,
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
        let idle = request.timeout_ms.map(|ms| Duration::from_millis(ms.max(0) as u64));
        Ok(Arc::new(Subscription {
            connection: Arc::clone(connection),
            identity: Identity::new(sid, request.subject)?,
            queue_group: request.queue.map(memory::c_text).transpose()?,
            handler: request.handler,
            mode,
            is_timed: idle.is_some(),
            state: Mutex::new(State {
                queue: Queue::new(limits),
                schedule: Schedule::new(place),
                readers: Readers::default(),
                idle: Idle::new(idle),
                life: Life::default(),
                drain: Drain::default(),
            }),
            changed: Condvar::new(),
            closed: AtomicBool::new(false),
            emptying: AtomicBool::new(false),
            tally: Tally::default(),
        }))
    }

    /// Lets delivery begin: called once the program has its handle.
    pub fn start(self: &Arc<Self>) {
        let mut state = self.state.lock();
        state.schedule.start();
        if self.mode == Mode::FixedPool && self.is_async() {
            self.hand_over_early(&mut state);
        }
        self.restart_timeout(&mut state);
        self.schedule_if_needed(state);
    }

    /// For the fixed pool: gives the worker what came before the start. Under the lock, so that what comes
    /// from now on is given later.
    fn hand_over_early(self: &Arc<Self>, state: &mut State) {
        let early = state.queue.take_all();
        if early.is_empty() {
            return;
        }
        let jobs = early.into_iter().map(|msg| Job::One(Arc::clone(self), msg));
        let (mut refused, mut bytes) = (0, 0);
        state.schedule.with_home(|home| {
            self.connection.core().delivery.give(home, jobs, |_, msg| {
                refused += 1;
                bytes += msg.size() as u64;
            });
        });
        if refused > 0 {
            state.queue.take_back_untold(refused, bytes);
        }
    }

    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
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

    // ---- limits and counters ----

    pub fn set_pending_limits(&self, msgs: i32, bytes: i32) -> Result<()> {
        if msgs == 0 || bytes == 0 {
            return fail(Status::InvalidArg, "Limits must be either > 0 or negative to specify no limit");
        }
        let mut state = self.open_state()?;
        state.queue.set_limits((msgs, bytes));
        Ok(())
    }

    pub fn pending_limits(&self) -> Result<(i32, i32)> {
        let state = self.open_state()?;
        Ok(state.queue.limits())
    }

    pub fn clear_max_pending(&self) -> Result<()> {
        let mut state = self.open_state()?;
        state.queue.clear_max_pending();
        Ok(())
    }

    pub fn counters(&self) -> Result<Counters> {
        let state = self.open_state()?;
        Ok(state.queue.counters(&self.tally))
    }

    /// Messages handed to the program so far.
    pub fn delivered(&self) -> u64 {
        self.tally.msgs()
    }

    /// The auto-unsubscribe limit, 0 for none.
    #[inline]
    pub fn max(&self) -> u64 {
        self.tally.max()
    }

    /// Ends the subscription after `max` messages in all; false when that many were delivered already: no
    /// limit then.
    pub(super) fn limit(&self, max: u64) -> bool {
        let _state = self.state.lock(); // under it the one who delivers looks when its queue is empty
        self.tally.limit(max)
    }

    fn open_state(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.state.lock();
        if state.life.end().is_some() { Err(Status::InvalidSubscription.into()) } else { Ok(state) }
    }
}

impl State {
    /// Whether the subscription is to be given to its worker: there is work, and no worker has it yet.
    #[inline]
    fn claim(&mut self) -> bool {
        let work = !self.queue.is_empty() || self.idle.is_due() || self.life.unfinished_end().is_some();
        self.schedule.claim(work)
    }
}
