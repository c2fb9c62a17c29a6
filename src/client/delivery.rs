//! Delivery threads: an elastic pool that runs the callbacks of asynchronous subscriptions.
//!
//! A subscription with something to deliver is queued on its worker, its home. Homes are shared, and a subscription
//! stays on its home unless a callback of another subscription holds the worker up: then the supervisor, which
//! looks twice a millisecond as long as anything waits, gives what waits to other workers. A worker that is no
//! subscription's home ends after a while without work.
//!
//! Two other kinds of worker use the same queue and are never relieved: those of the fixed pool (the
//! global-delivery option, where messages run in arrival order across the subscriptions of a worker), and those of
//! one subscription each (`NATS_DEDICATED_DELIVERY=1`).

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::sync::{Condvar, Mutex};

use crate::client::message::Msg;
use crate::client::subscription::Subscription;
use crate::error::{Result, Status, fail};
use crate::io::clock;
use crate::io::threads::{self, Threads};
use crate::io::timer::Timer;

/// How often the supervisor looks while something waits.
const LOOK: Duration = Duration::from_micros(500);
/// How long a worker that is nobody's home waits for work before it ends.
const IDLE: Duration = Duration::from_secs(5);
/// Looks in a row without progress until a callback that computes, rather than blocks, counts as holding others up.
const BUSY_LOOKS: u32 = 10;
/// Looks in a row with subscriptions waiting behind slow callbacks before the load is spread.
const LOOKS_BEFORE_SPREADING: u32 = 20;
/// Fewer callbacks than this in one look: they are heavy enough for another thread to pay off.
const HEAVY_TURNS_PER_LOOK: u64 = 10;

/// Something for a worker to do.
pub enum Job {
    /// Deliver what is queued on the subscription.
    Run(Arc<Subscription>),
    /// Deliver this message (fixed pool).
    One(Arc<Subscription>, Msg),
}

/// How a new subscription is to be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Elastic,
    FixedPool,
}

pub struct Delivery {
    threads: Arc<Threads>,
    timer: Arc<Timer>,
    dedicated: bool,
    /// Workers that run at the same time without being asked to by held-up subscriptions.
    base: usize,
    state: Mutex<State>,
    supervised: AtomicBool,
}

#[derive(Default)]
struct State {
    elastic: Vec<Arc<Worker>>,
    next_home: usize,
    fixed: Vec<Arc<Worker>>,
    fixed_max: usize,
    next_fixed: usize,
    dedicated: Vec<Arc<Worker>>,
    closed: bool,
}

/// A delivery thread and its queue.
pub struct Worker {
    queue: Mutex<Queue>,
    wake: Condvar,
    /// Subscriptions whose home this is.
    homes: AtomicUsize,
    /// Counts the begins and ends of callbacks: a worker whose count stands still is held up.
    turns: AtomicU64,
    /// Jobs in the queue; read without the lock.
    waiting: AtomicUsize,
    /// Whether waiting subscriptions may go to another worker.
    elastic: bool,
    /// The system's number of the thread.
    thread: AtomicI32,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    parked: bool,
    ended: bool,
    /// What the supervisor saw at its last look.
    seen_turns: u64,
    looks_with_waiters: u32,
}

impl Delivery {
    pub fn new(threads: &Arc<Threads>, timer: &Arc<Timer>, fixed_max: i32) -> Arc<Delivery> {
        Arc::new(Delivery {
            threads: Arc::clone(threads),
            timer: Arc::clone(timer),
            dedicated: std::env::var_os("NATS_DEDICATED_DELIVERY").is_some_and(|v| v == "1"),
            base: threads::processors().saturating_sub(1).max(1), // a core for the poller
            state: Mutex::new(State { fixed_max: fixed_max.max(0) as usize, ..State::default() }),
            supervised: AtomicBool::new(false),
        })
    }

    /// Lets the fixed pool have up to `max` workers.
    pub fn grow_fixed_pool(&self, max: i32) {
        let mut state = self.state.lock();
        state.fixed_max = state.fixed_max.max(max.max(0) as usize);
    }

    /// A home for a new subscription.
    pub fn home(self: &Arc<Self>, mode: Mode) -> Result<Arc<Worker>> {
        let mut state = self.state.lock();
        let worker = match mode {
            Mode::FixedPool => self.fixed_worker(&mut state)?,
            Mode::Elastic if self.dedicated => {
                let worker = self.start_worker(false)?;
                state.dedicated.push(Arc::clone(&worker));
                worker
            }
            Mode::Elastic => self.elastic_worker(&mut state)?,
        };
        worker.enter();
        Ok(worker)
    }

    fn fixed_worker(self: &Arc<Self>, state: &mut State) -> Result<Arc<Worker>> {
        if state.fixed_max == 0 {
            return fail(Status::FailedToInitialize, "No message dispatchers available, the pool size is 0");
        }
        let index = state.next_fixed % state.fixed_max;
        state.next_fixed += 1;
        if index >= state.fixed.len() {
            state.fixed.push(self.start_worker(false)?);
        }
        Ok(Arc::clone(&state.fixed[index]))
    }

    fn elastic_worker(self: &Arc<Self>, state: &mut State) -> Result<Arc<Worker>> {
        if state.elastic.len() < self.base {
            let worker = self.start_worker(true)?;
            state.elastic.push(Arc::clone(&worker));
            return Ok(worker);
        }
        state.next_home += 1;
        Ok(Arc::clone(&state.elastic[state.next_home % self.base]))
    }

    fn start_worker(self: &Arc<Self>, elastic: bool) -> Result<Arc<Worker>> {
        let worker = Arc::new(Worker {
            queue: Mutex::default(),
            wake: Condvar::new(),
            homes: AtomicUsize::new(0),
            turns: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            elastic,
            thread: AtomicI32::new(0),
        });
        let (pool, runner) = (Arc::clone(self), Arc::clone(&worker));
        self.threads.spawn("nats-deliver", move || runner.run(&pool))?;
        Ok(worker)
    }

    /// Hands work to a worker; makes sure that somebody notices should it be held up.
    pub fn give(self: &Arc<Self>, worker: &Arc<Worker>, jobs: impl IntoIterator<Item = Job>) {
        let may_wait = worker.push(jobs);
        if may_wait && worker.elastic && !self.supervised.swap(true, Ordering::AcqRel) {
            self.look_later();
        }
    }

    /// Collects work for [`Delivery::give`].
    pub fn handover(self: &Arc<Self>) -> Handover<'_> {
        Handover { delivery: self, collected: Vec::new() }
    }

    /// Ends all workers once they have nothing to do.
    pub fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        let all = [
            std::mem::take(&mut state.elastic),
            std::mem::take(&mut state.fixed),
            std::mem::take(&mut state.dedicated),
        ];
        drop(state);
        for worker in all.iter().flatten() {
            worker.queue.lock().ended = true;
            worker.wake.notify_one();
        }
    }

    fn look_later(self: &Arc<Self>) {
        let pool = Arc::clone(self);
        self.timer.schedule(clock::now() + LOOK, move || pool.look());
    }

    /// Relieves workers that are held up. Runs on the timer thread while anything waits.
    fn look(self: &Arc<Self>) {
        self.supervised.store(false, Ordering::Release);
        let workers = self.state.lock().elastic.clone();
        let mut anything_waits = false;
        let (mut stuck, mut held_up) = (0, Vec::new());
        for worker in &workers {
            let (waits, moved) = worker.inspect(workers.len() <= self.base);
            anything_waits |= waits;
            stuck += usize::from(!moved.is_empty());
            held_up.extend(moved);
        }
        if !held_up.is_empty() {
            // As many new workers as are stuck: a crowd of blocking callbacks is served after a few looks.
            self.spread(held_up, stuck.max(workers.len() / 2).max(1));
        }
        if anything_waits && !self.supervised.swap(true, Ordering::AcqRel) {
            self.look_later();
        }
    }

    fn spread(self: &Arc<Self>, jobs: Vec<Job>, over: usize) {
        let helpers = self.helpers(over.min(jobs.len()));
        if helpers.is_empty() {
            // No thread to be had: everything goes back to its home.
            for job in jobs {
                let (Job::Run(sub) | Job::One(sub, _)) = &job;
                if let Some(home) = sub.home() {
                    home.push([job]);
                }
            }
            return;
        }
        for (i, job) in jobs.into_iter().enumerate() {
            let worker = &helpers[i % helpers.len()];
            let (Job::Run(sub) | Job::One(sub, _)) = &job;
            sub.move_home(Arc::clone(worker));
            worker.push([job]);
        }
        helpers.iter().for_each(|w| w.leave());
    }

    /// Up to `wanted` workers with nothing to do, new ones if need be. Each is held like a home until it is left.
    fn helpers(self: &Arc<Self>, wanted: usize) -> Vec<Arc<Worker>> {
        let mut state = self.state.lock();
        let idle = |w: &&Arc<Worker>| {
            let queue = w.queue.lock();
            queue.parked && queue.jobs.is_empty()
        };
        let mut helpers: Vec<_> = state.elastic.iter().filter(idle).take(wanted).cloned().collect();
        while helpers.len() < wanted {
            let Ok(worker) = self.start_worker(true) else { break };
            state.elastic.push(Arc::clone(&worker));
            helpers.push(worker);
        }
        helpers.iter().for_each(|w| w.enter());
        helpers
    }

    /// Takes a worker that wants to end out of the pool; false when it is needed after all.
    fn retire(&self, worker: &Arc<Worker>) -> bool {
        let mut state = self.state.lock();
        let mut queue = worker.queue.lock();
        if worker.homes.load(Ordering::Relaxed) > 0 || !queue.jobs.is_empty() {
            return false;
        }
        queue.ended = true;
        state.elastic.retain(|w| !Arc::ptr_eq(w, worker));
        state.dedicated.retain(|w| !Arc::ptr_eq(w, worker));
        true
    }
}

/// Workers that a handover collects for at the same time.
const HANDOVER_WORKERS: usize = 8;

/// Work of one read: a worker is woken once for what comes for it.
pub struct Handover<'a> {
    delivery: &'a Arc<Delivery>,
    collected: Vec<(Arc<Worker>, Vec<Job>)>,
}

impl Handover<'_> {
    pub fn add(&mut self, worker: Arc<Worker>, job: Job) {
        if let Some((_, jobs)) = self.collected.iter_mut().find(|(known, _)| Arc::ptr_eq(known, &worker)) {
            jobs.push(job);
            return;
        }
        if self.collected.len() == HANDOVER_WORKERS {
            self.finish();
        }
        self.collected.push((worker, vec![job]));
    }

    /// Hands over what was collected.
    pub fn finish(&mut self) {
        for (worker, jobs) in self.collected.drain(..) {
            self.delivery.give(&worker, jobs);
        }
    }
}

impl Worker {
    /// Queues jobs; true when some may have to wait: for the job at work, or for one another.
    fn push(&self, jobs: impl IntoIterator<Item = Job>) -> bool {
        let mut queue = self.queue.lock();
        if queue.jobs.is_empty() {
            queue.seen_turns = self.turns.load(Ordering::Relaxed);
            queue.looks_with_waiters = 0;
        }
        queue.jobs.extend(jobs);
        self.waiting.store(queue.jobs.len(), Ordering::Relaxed);
        let parked = std::mem::replace(&mut queue.parked, false);
        let may_wait = !parked || queue.jobs.len() > 1;
        drop(queue);
        if parked {
            self.wake.notify_one();
        }
        may_wait
    }

    /// A subscription makes this its home.
    pub fn enter(&self) {
        self.homes.fetch_add(1, Ordering::Relaxed);
    }

    /// A subscription of this home has ended or moved.
    pub fn leave(&self) {
        if self.homes.fetch_sub(1, Ordering::Relaxed) == 1 {
            // Under the lock, or a worker that is about to wait would not hear of it.
            let _queue = self.queue.lock();
            self.wake.notify_one();
        }
    }

    /// Runs a callback. The count is odd while one runs.
    #[inline]
    pub fn turn(&self, callback: impl FnOnce()) {
        let turns = self.turns.load(Ordering::Relaxed);
        self.turns.store(turns + 1, Ordering::Relaxed);
        callback();
        self.turns.store(turns + 2, Ordering::Relaxed);
    }

    /// Whether other jobs wait for this worker.
    #[inline]
    pub fn others_wait(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    fn run(self: &Arc<Self>, pool: &Arc<Delivery>) {
        self.thread.store(threads::system_id(), Ordering::Relaxed);
        let mut batch = VecDeque::new();
        while let Some(job) = self.next(pool) {
            match job {
                Job::One(sub, msg) => sub.deliver_one(msg, self),
                Job::Run(sub) => {
                    if sub.deliver_queued(self, &mut batch) {
                        self.push([Job::Run(sub)]);
                    }
                }
            }
        }
    }

    fn next(self: &Arc<Self>, pool: &Arc<Delivery>) -> Option<Job> {
        let mut queue = self.queue.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                self.waiting.store(queue.jobs.len(), Ordering::Relaxed);
                queue.parked = false;
                return Some(job);
            }
            if queue.ended {
                return None;
            }
            queue.parked = true;
            let unused = self.homes.load(Ordering::Relaxed) == 0;
            let timed_out = match unused {
                true => self.wake.wait_for(&mut queue, IDLE).timed_out(),
                false => {
                    self.wake.wait(&mut queue); // no wake-ups while nothing happens: `leave` tells
                    false
                }
            };
            let unused = self.homes.load(Ordering::Relaxed) == 0;
            if queue.jobs.is_empty() && unused && (timed_out || !self.elastic) {
                drop(queue);
                if pool.retire(self) {
                    return None;
                }
                queue = self.queue.lock();
            }
        }
    }

    /// For the supervisor: whether jobs wait here, and those to be moved away.
    fn inspect(&self, may_spread: bool) -> (bool, Vec<Job>) {
        let mut queue = self.queue.lock();
        let turns = self.turns.load(Ordering::Relaxed); // under the lock: never less than `push` saw
        let done = turns - queue.seen_turns;
        queue.seen_turns = turns;
        if queue.jobs.is_empty() || queue.parked {
            queue.looks_with_waiters = 0;
            return (!queue.jobs.is_empty(), Vec::new());
        }
        queue.looks_with_waiters += 1;
        // A thread that only waits for a processor is not helped by another one that does the same.
        let patience = if threads::is_blocked(self.thread.load(Ordering::Relaxed)) { 1 } else { BUSY_LOOKS };
        let in_callback = turns % 2 == 1;
        let held_up = in_callback && done == 0 && queue.looks_with_waiters > patience;
        let heavy = may_spread
            && queue.looks_with_waiters > LOOKS_BEFORE_SPREADING
            && done / 2 < HEAVY_TURNS_PER_LOOK
            && queue.jobs.len() > 1;
        let keep = match (held_up, heavy) {
            (true, _) => 0,
            (_, true) => queue.jobs.len() / 2,
            _ => return (true, Vec::new()),
        };
        queue.looks_with_waiters = 0;
        let moved: Vec<Job> = queue.jobs.drain(keep..).collect();
        self.waiting.store(queue.jobs.len(), Ordering::Relaxed);
        (true, moved)
    }
}
