//! Delivery threads: they run tasks that call functions of the program, such as those of asynchronous
//! subscriptions.
//!
//! A task with something to deliver is queued on its worker, its home. Homes are shared, and a task stays on
//! its home unless a callback of another task holds the worker up: then the supervisor, which looks twice a
//! millisecond as long as anything waits, lets what waits be the guest of other workers. A guest goes home
//! when its host has ended, which a worker does after a while without work if it is no task's home.
//!
//! Two other kinds of worker use the same queue and are never relieved: those of the fixed pool (the
//! global-delivery option, where messages run in arrival order across the tasks of a worker), and those of
//! one task each (`NATS_DEDICATED_DELIVERY=1`).

mod elastic;
mod fixed;
mod handover;
mod place;
mod supervisor;
mod task;
mod worker;

use std::iter;
use std::sync::Arc;
use std::time::Duration;

use crate::client::delivery::elastic::Elastic;
use crate::client::delivery::fixed::Fixed;
pub(crate) use crate::client::delivery::handover::Handover;
pub(crate) use crate::client::delivery::place::Place;
use crate::client::delivery::supervisor::Supervisor;
pub(crate) use crate::client::delivery::task::{Job, Task};
pub(crate) use crate::client::delivery::worker::{BULKY, Home, Worker};
use crate::client::message::Msg;
use crate::error::Result;
use crate::io::clock;
use crate::io::environment;
use crate::io::threads::{self, Threads};
use crate::io::timer::Timer;

const THREAD_NAME: &str = "nats-deliver";
/// How soon a task that found no room in its worker's queue tries again.
const NO_ROOM: Duration = Duration::from_millis(20);

/// How a new task is to be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By a worker shared with others, which are moved elsewhere while it is held up.
    Elastic,
    /// By a worker of the fixed pool, shared with others come what may.
    FixedPool,
    /// By a worker with no other task.
    Dedicated,
}

pub struct Delivery {
    threads: Arc<Threads>,
    timer: Arc<Timer>,
    /// For tasks of which nobody says otherwise.
    usual: Mode,
    elastic: Elastic,
    fixed: Fixed,
    supervisor: Supervisor,
}

impl Delivery {
    pub fn new(threads: &Arc<Threads>, timer: &Arc<Timer>, fixed_max: i32) -> Arc<Delivery> {
        let base = threads::processors().saturating_sub(1).max(1); // a core for the poller
        let dedicated = environment::variable("NATS_DEDICATED_DELIVERY").is_some_and(|v| v == b"1");
        Arc::new(Delivery {
            threads: Arc::clone(threads),
            timer: Arc::clone(timer),
            usual: if dedicated { Mode::Dedicated } else { Mode::Elastic },
            elastic: Elastic::new(base),
            fixed: Fixed::new(fixed_max),
            supervisor: Supervisor::default(),
        })
    }

    /// Lets the fixed pool have up to `max` workers.
    pub fn grow_fixed_pool(&self, max: i32) {
        self.fixed.grow(max);
    }

    /// How tasks are served of which nobody says otherwise.
    pub fn usual_mode(&self) -> Mode {
        self.usual
    }

    /// A home for a new task. May start a thread: callers hold no lock.
    pub fn home(self: &Arc<Self>, mode: Mode) -> Result<Home> {
        match mode {
            Mode::FixedPool => self.fixed.home(|| self.start_worker(false)),
            Mode::Dedicated => self.start_worker(false),
            Mode::Elastic => self.elastic.home(|| self.start_worker(true)),
        }
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

    /// Has a task do what it has to do; a little later where there is no memory to queue it.
    pub fn run(self: &Arc<Self>, home: &Home, task: Arc<dyn Task>) {
        match home.push(iter::once(Job::Run(task))) {
            Ok(may_wait) => self.watch(home, may_wait),
            Err(jobs) => jobs.for_each(|job: Job| match job {
                Job::Run(task) => self.run_later(home, task),
                Job::One(..) => unreachable!("no message was given"),
            }),
        }
    }

    /// Hands jobs to a worker. Where there is no memory to queue them, tasks are run a little later, and
    /// `refuse` gets the messages.
    pub fn give<T: Task + 'static>(
        self: &Arc<Self>,
        home: &Home,
        jobs: impl ExactSizeIterator<Item = Job<T>>,
        mut refuse: impl FnMut(Arc<T>, Msg),
    ) {
        match home.push(jobs) {
            Ok(may_wait) => self.watch(home, may_wait),
            Err(jobs) => jobs.for_each(|job| match job {
                Job::Run(task) => self.run_later(home, task),
                Job::One(task, msg) => refuse(task, msg),
            }),
        }
    }

    #[cold]
    fn run_later(self: &Arc<Self>, home: &Home, task: Arc<dyn Task>) {
        let (pool, home) = (Arc::clone(self), home.clone());
        self.timer.schedule(clock::now() + NO_ROOM, move || pool.run(&home, task));
    }

    /// Should jobs have to wait for an elastic worker that is held up, somebody is to notice.
    #[inline]
    fn watch(self: &Arc<Self>, home: &Home, may_wait: bool) {
        if may_wait && home.worker().is_elastic() {
            self.supervisor.watch(self);
        }
    }

    /// Collects work for [`Delivery::give`].
    pub fn handover<T: Task + 'static>(self: &Arc<Self>) -> Handover<'_, T> {
        Handover::new(self)
    }

    /// Ends all workers once they have nothing to do.
    pub fn close(&self) {
        self.elastic.close();
        self.fixed.close();
    }
}

#[cfg(test)]
mod tests;
