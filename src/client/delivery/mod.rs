//! Delivery threads: an elastic pool that runs the callbacks of asynchronous subscriptions.
//!
//! A subscription with something to deliver is queued on its worker, its home. Homes are shared, and a subscription
//! stays on its home unless a callback of another subscription holds the worker up: then the supervisor, which
//! looks twice a millisecond as long as anything waits, lets what waits be the guest of other workers. A guest goes
//! home when its host has ended, which a worker does after a while without work if it is no subscription's home.
//!
//! Two other kinds of worker use the same queue and are never relieved: those of the fixed pool (the
//! global-delivery option, where messages run in arrival order across the subscriptions of a worker), and those of
//! one subscription each (`NATS_DEDICATED_DELIVERY=1`).

mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::sync::Mutex;

pub use crate::client::delivery::worker::{BULKY, Home, Job, Worker};
use crate::client::message::Msg;
use crate::client::subscription::Subscription;
use crate::error::{Result, Status, fail};
use crate::io::clock;
use crate::io::environment;
use crate::io::threads::{self, Threads};
use crate::io::timer::Timer;

const THREAD_NAME: &str = "nats-deliver";
/// How often the supervisor looks while something waits.
const LOOK: Duration = Duration::from_micros(500);
/// How soon the supervisor tries again when no thread could be had.
const NO_THREAD: Duration = Duration::from_millis(20);
/// How soon a subscription that found no room in its worker's queue tries again.
const NO_ROOM: Duration = Duration::from_millis(20);

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
    /// Not held while a thread is started. Before a worker's queue.
    state: Mutex<State>,
    supervised: AtomicBool,
}

#[derive(Default)]
struct State {
    /// Those that have not ended.
    elastic: Vec<Arc<Worker>>,
    next_home: usize,
    /// Homes of the pool itself: these workers live as long as it does.
    fixed: Vec<Home>,
    fixed_max: usize,
    next_fixed: usize,
    closed: bool,
}

impl Delivery {
    pub fn new(threads: &Arc<Threads>, timer: &Arc<Timer>, fixed_max: i32) -> Arc<Delivery> {
        Arc::new(Delivery {
            threads: Arc::clone(threads),
            timer: Arc::clone(timer),
            dedicated: environment::variable("NATS_DEDICATED_DELIVERY").is_some_and(|v| v == b"1"),
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

    /// A home for a new subscription. May start a thread: callers hold no lock.
    pub fn home(self: &Arc<Self>, mode: Mode) -> Result<Home> {
        match mode {
            Mode::FixedPool => self.fixed_home(),
            Mode::Elastic if self.dedicated => self.start_worker(false),
            Mode::Elastic => self.elastic_home(),
        }
    }

    fn fixed_home(self: &Arc<Self>) -> Result<Home> {
        let mut state = self.state.lock();
        if state.fixed_max == 0 {
            return fail(Status::FailedToInitialize, "No message dispatchers available, the pool size is 0");
        }
        if state.fixed.len() < state.fixed_max {
            drop(state);
            let worker = self.start_worker(false)?;
            state = self.state.lock();
            if state.fixed.len() < state.fixed_max {
                state.fixed.push(worker.clone());
                return Ok(worker);
            }
            // Others were quicker. This one ends, for nobody calls it home.
        }
        state.next_fixed += 1;
        let index = (state.next_fixed - 1) % state.fixed.len();
        Ok(state.fixed[index].clone())
    }

    fn elastic_home(self: &Arc<Self>) -> Result<Home> {
        let mut state = self.state.lock();
        if state.elastic.len() < self.base {
            drop(state);
            let started = self.start_worker(true);
            state = self.state.lock();
            match started {
                Ok(worker) if state.elastic.len() < self.base => {
                    state.add(&worker);
                    return Ok(worker);
                }
                Ok(surplus) => surplus.worker().do_not_linger(), // others were quicker
                Err(e) if state.elastic.is_empty() => return Err(e),
                Err(_) => {} // those there are must do
            }
        }
        state.next_home += 1;
        let index = state.next_home % state.elastic.len().min(self.base);
        Ok(state.elastic[index].enter())
    }

    fn start_worker(self: &Arc<Self>, elastic: bool) -> Result<Home> {
        let worker = Worker::new(elastic);
        let home = worker.enter();
        let pool = Arc::clone(self);
        self.threads.spawn(THREAD_NAME, move || worker.run(&pool))?;
        Ok(home)
    }

    /// When a handler has ended the calling thread, another one becomes the worker: true.
    fn pass_on_if_ending(self: &Arc<Self>, worker: &Arc<Worker>) -> bool {
        let (pool, worker) = (Arc::clone(self), Arc::clone(worker));
        self.threads.pass_on_if_ending(THREAD_NAME, move || worker.run(&pool))
    }

    /// Hands work to a worker; makes sure that somebody notices should it be held up. Where there is no memory to queue
    /// it, a subscription is given again soon, and `refuse` gets a message of the fixed pool.
    pub fn give<I>(self: &Arc<Self>, home: &Home, jobs: I, refuse: impl FnMut(Arc<Subscription>, Msg))
    where
        I: IntoIterator<Item = Job, IntoIter: ExactSizeIterator>,
    {
        match home.push(jobs) {
            Ok(may_wait) => {
                if may_wait && home.worker().is_elastic() && !self.supervised.swap(true, Ordering::AcqRel) {
                    self.look_later(LOOK);
                }
            }
            Err(jobs) => self.give_later(home, jobs, refuse),
        }
    }

    #[cold]
    fn give_later(
        self: &Arc<Self>,
        home: &Home,
        jobs: impl Iterator<Item = Job>,
        mut refuse: impl FnMut(Arc<Subscription>, Msg),
    ) {
        for job in jobs {
            match job {
                Job::One(sub, msg) => refuse(sub, msg),
                Job::Run(sub) => {
                    let (pool, home) = (Arc::clone(self), home.clone());
                    self.timer.schedule(clock::now() + NO_ROOM, move || pool.run(&home, sub));
                }
            }
        }
    }

    /// Has a subscription's queue delivered.
    pub fn run(self: &Arc<Self>, home: &Home, sub: Arc<Subscription>) {
        self.give(home, [Job::Run(sub)], |_, _| unreachable!("no message was given"));
    }

    /// Collects work for [`Delivery::give`].
    pub fn handover(self: &Arc<Self>) -> Handover<'_> {
        Handover { delivery: self, collected: Vec::new(), full: false }
    }

    /// Ends all workers once they have nothing to do.
    pub fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        let (elastic, fixed) = (std::mem::take(&mut state.elastic), std::mem::take(&mut state.fixed));
        drop(state);
        elastic.iter().for_each(|worker| worker.do_not_linger());
        drop(fixed);
    }

    fn look_later(self: &Arc<Self>, after: Duration) {
        let pool = Arc::clone(self);
        self.timer.schedule(clock::now() + after, move || pool.look());
    }

    /// Relieves workers that are held up. Runs on the timer thread while anything waits.
    fn look(self: &Arc<Self>) {
        self.supervised.store(false, Ordering::Release);
        let workers = self.state.lock().elastic.clone();
        let mut anything_waits = false;
        let (mut held_up, mut jobs) = (Vec::new(), 0);
        for worker in &workers {
            let seen = worker.inspect(workers.len() <= self.base);
            anything_waits |= seen.waiting > 0;
            if seen.to_move > 0 {
                jobs += seen.to_move;
                held_up.push((worker, seen.waiting - seen.to_move));
            }
        }
        let mut again = LOOK;
        if !held_up.is_empty() {
            // As many new workers as are stuck: a crowd of blocking callbacks is served after a few looks.
            let wanted = held_up.len().max(workers.len() / 2).min(jobs);
            let hosts = self.hosts(wanted);
            if hosts.is_empty() {
                again = NO_THREAD;
            } else {
                self.spread(held_up.into_iter().flat_map(|(worker, keep)| worker.take(keep)), &hosts);
            }
        }
        if anything_waits && !self.supervised.swap(true, Ordering::AcqRel) {
            self.look_later(again);
        }
    }

    /// Up to `wanted` workers with nothing to do, new ones if need be.
    fn hosts(self: &Arc<Self>, wanted: usize) -> Vec<Home> {
        let state = self.state.lock();
        let idle = state.elastic.iter().filter(|worker| worker.is_idle());
        let mut hosts: Vec<_> = idle.take(wanted).map(Worker::enter).collect();
        drop(state);
        while hosts.len() < wanted {
            let Ok(worker) = self.start_worker(true) else { break };
            self.state.lock().add(&worker);
            hosts.push(worker);
        }
        hosts
    }

    /// Makes the subscriptions of `jobs` guests of the hosts, each in turn.
    fn spread(self: &Arc<Self>, jobs: impl Iterator<Item = Job>, hosts: &[Home]) {
        for (job, host) in jobs.zip(hosts.iter().cycle()) {
            let (Job::Run(sub) | Job::One(sub, _)) = job; // only those of the elastic pool are moved
            sub.visit(host);
            self.run(host, sub);
        }
    }

    /// Takes a worker that wants to end out of the pool. False when it is needed after all.
    fn retire(&self, worker: &Arc<Worker>) -> bool {
        let mut state = self.state.lock(); // nobody makes it a home meanwhile
        if !worker.end() {
            return false;
        }
        state.elastic.retain(|other| !Arc::ptr_eq(other, worker));
        true
    }
}

impl State {
    fn add(&mut self, home: &Home) {
        if self.closed {
            home.worker().do_not_linger();
        } else {
            self.elastic.push(Arc::clone(home.worker()));
        }
    }
}

/// Workers that a handover collects for at the same time.
const HANDOVER_WORKERS: usize = 8;

/// Work of one read: a worker is woken once for what comes for it.
pub struct Handover<'a> {
    delivery: &'a Arc<Delivery>,
    collected: Vec<(Home, Vec<Job>)>,
    /// It is time to finish.
    full: bool,
}

impl Handover<'_> {
    /// To be followed by [`Handover::finish_if_full`], without a lock.
    #[inline]
    pub fn add(&mut self, home: &Home, job: Job) {
        if let Some((_, jobs)) = self.collected.iter_mut().find(|(known, _)| known.is_same(home)) {
            if jobs.len() < jobs.capacity() || jobs.try_reserve(1).is_ok() {
                return jobs.push(job);
            }
            self.full = true; // no room behind those: this one begins anew
        }
        self.add_worker(home, job);
    }

    #[cold]
    fn add_worker(&mut self, home: &Home, job: Job) {
        self.collected.push((home.clone(), vec![job]));
        self.full |= self.collected.len() == HANDOVER_WORKERS;
    }

    #[inline]
    pub fn finish_if_full(&mut self, tell: impl FnMut(Arc<Subscription>)) {
        if self.full {
            self.finish(tell);
        }
    }

    /// Hands over what was collected. `tell` gets the subscriptions that have just begun to drop messages.
    pub fn finish(&mut self, mut tell: impl FnMut(Arc<Subscription>)) {
        self.full = false;
        for (home, jobs) in self.collected.drain(..) {
            self.delivery.give(&home, jobs, |sub, msg| {
                if sub.refuse(msg) {
                    tell(sub);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::clock::Deadline;

    struct Fixture {
        threads: Arc<Threads>,
        timer: Arc<Timer>,
        pool: Arc<Delivery>,
    }

    fn fixture(dedicated: bool) -> Fixture {
        let threads = Threads::new(None);
        let timer = Timer::start(&threads).unwrap();
        let mut pool = Arc::into_inner(Delivery::new(&threads, &timer, 2)).unwrap();
        pool.dedicated = dedicated;
        pool.base = 2;
        Fixture { threads, timer, pool: Arc::new(pool) }
    }

    impl Drop for Fixture {
        fn drop(&mut self) {
            self.pool.close();
            self.timer.close();
            assert!(self.threads.wait_for_all(Deadline::in_ms(10_000)));
        }
    }

    fn ends_within(worker: &Arc<Worker>, ms: i64) -> bool {
        let deadline = Deadline::in_ms(ms);
        while worker.try_enter().is_some() {
            if deadline.has_passed() {
                return false;
            }
            std::thread::sleep(worker::IDLE * 3); // each look makes it wait anew
        }
        true
    }

    #[test]
    fn workers_of_the_fixed_pool_never_end() {
        let f = fixture(false);
        let home = f.pool.home(Mode::FixedPool).unwrap();
        let worker = Arc::clone(home.worker());
        drop(home);
        assert!(!ends_within(&worker, 300));
    }

    #[test]
    fn the_fixed_pool_is_filled_and_then_goes_round() {
        let f = fixture(false);
        let homes: Vec<_> = (0..5).map(|_| f.pool.home(Mode::FixedPool).unwrap()).collect();
        let same = |a: usize, b: usize| homes[a].is_same(&homes[b]);
        assert!(!same(0, 1) && same(0, 2) && same(1, 3) && same(0, 4));
        f.pool.grow_fixed_pool(4);
        let more: Vec<_> = (0..3).map(|_| f.pool.home(Mode::FixedPool).unwrap()).collect();
        assert_eq!(f.pool.state.lock().fixed.len(), 4);
        assert!(!more[0].is_same(&more[1]));
        assert!(homes.iter().chain(&more[..2]).any(|home| home.is_same(&more[2])));
    }

    #[test]
    fn elastic_workers_end_when_they_are_nobodys_home_for_a_while() {
        let f = fixture(false);
        let homes: Vec<_> = (0..6).map(|_| f.pool.home(Mode::Elastic).unwrap()).collect();
        assert_eq!(f.pool.state.lock().elastic.len(), 2);
        let worker = Arc::clone(homes[0].worker());
        assert!(!ends_within(&worker, 300));
        drop(homes);
        assert!(ends_within(&worker, 10_000));
        assert!(!Arc::ptr_eq(f.pool.home(Mode::Elastic).unwrap().worker(), &worker));
    }

    #[test]
    fn a_worker_of_one_subscription_ends_with_it() {
        let f = fixture(true);
        let homes: Vec<_> = (0..3).map(|_| f.pool.home(Mode::Elastic).unwrap()).collect();
        assert!(!homes[0].is_same(&homes[1]) && !homes[1].is_same(&homes[2]));
        let worker = Arc::clone(homes[0].worker());
        drop(homes);
        assert!(ends_within(&worker, 10_000));
    }
}
