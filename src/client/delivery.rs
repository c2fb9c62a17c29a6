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

mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::sync::Mutex;

pub use crate::client::delivery::worker::{Job, Worker};
use crate::error::{Result, Status, fail};
use crate::io::clock;
use crate::io::threads::{self, Threads};
use crate::io::timer::Timer;

/// How often the supervisor looks while something waits.
const LOOK: Duration = Duration::from_micros(500);
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
        let worker = Arc::new(Worker::new(elastic));
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
