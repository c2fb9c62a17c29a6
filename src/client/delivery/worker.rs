//! A delivery thread with its queue.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::sync::{Condvar, Mutex, MutexGuard};

use crate::client::delivery::{Delivery, Job};
use crate::client::message::Msg;
use crate::io::threads;
use crate::thread_end;

/// How long a worker of the elastic pool that is nobody's home waits for work before it ends.
pub(super) const IDLE: Duration = if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(5) };
/// Looks in a row without progress until a callback that computes, rather than blocks, counts as holding
/// others up.
const BUSY_LOOKS: u32 = 10;
/// Looks in a row with tasks waiting behind slow callbacks before the load is spread.
const LOOKS_BEFORE_SPREADING: u32 = 20;
/// Fewer callbacks than this in one look: they are heavy enough for another thread to pay off.
const HEAVY_TURNS_PER_LOOK: u64 = 10;

/// Room for more entries than this is given back once the worker has had nothing to do for a while.
pub(crate) const BULKY: usize = 128;
/// That while.
const QUIET: Duration = if cfg!(test) { Duration::from_millis(20) } else { Duration::from_secs(1) };

/// The right to give work to a worker, which does not end as long as anybody has it.
pub struct Home(Arc<Worker>);

/// A delivery thread's part that others see.
pub struct Worker {
    queue: Mutex<Queue>,
    wake: Condvar,
    /// How many [`Home`]s of this worker there are.
    homes: AtomicUsize,
    /// Counts the begins and ends of callbacks: a worker whose count stands still is held up.
    turns: AtomicU64,
    /// Jobs in the queue; read without the lock.
    waiting: AtomicUsize,
    /// Whether waiting tasks may go to another worker.
    elastic: bool,
    /// The system's number of the thread.
    thread: AtomicI32,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    parked: bool,
    /// Whether the worker waits for a while before it ends.
    lingers: bool,
    ended: bool,
    /// What the supervisor saw at its last look.
    seen_turns: u64,
    looks_with_waiters: u32,
}

/// What the supervisor finds at a worker.
pub(super) struct Seen {
    /// Jobs that wait.
    pub waiting: usize,
    /// How many of them, the last ones, are to go to other workers.
    pub to_move: usize,
}

impl Home {
    pub fn worker(&self) -> &Arc<Worker> {
        &self.0
    }

    pub(super) fn is_same(&self, other: &Home) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Queues jobs, or gives them back where there is no memory for that; true when some may have to wait:
    /// for the job at work, or for one another.
    pub(super) fn push<I>(&self, jobs: I) -> std::result::Result<bool, I>
    where
        I: ExactSizeIterator<Item: Into<Job>>,
    {
        self.0.push(jobs)
    }
}

impl Clone for Home {
    fn clone(&self) -> Home {
        self.0.enter()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.0.homes.fetch_sub(1, Ordering::Relaxed) == 1 {
            // Under the lock, or a worker that is about to wait would not hear of it.
            let _queue = self.0.queue.lock();
            self.0.wake.notify_one();
        }
    }
}

impl Worker {
    pub(super) fn new(elastic: bool) -> Arc<Worker> {
        Arc::new(Worker {
            queue: Mutex::new(Queue { lingers: elastic, ..Queue::default() }),
            wake: Condvar::new(),
            homes: AtomicUsize::new(0),
            turns: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            elastic,
            thread: AtomicI32::new(0),
        })
    }

    pub(super) fn is_elastic(&self) -> bool {
        self.elastic
    }

    /// Makes it a home. For those who know that it has not ended.
    pub(super) fn enter(self: &Arc<Self>) -> Home {
        self.homes.fetch_add(1, Ordering::Relaxed);
        Home(Arc::clone(self))
    }

    /// Makes it a home unless it has ended.
    pub fn try_enter(self: &Arc<Self>) -> Option<Home> {
        let queue = self.queue.lock();
        (!queue.ended).then(|| self.enter())
    }

    /// Once it is nobody's home and has nothing to do, it ends at once.
    pub(super) fn do_not_linger(&self) {
        self.queue.lock().lingers = false;
        self.wake.notify_one();
    }

    /// Whether it has nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        let queue = self.queue.lock();
        queue.parked && queue.jobs.is_empty()
    }

    /// As its thread does when it finds nothing to do.
    #[cfg(test)]
    pub(super) fn park(&self) {
        self.queue.lock().parked = true;
    }

    fn push<I>(&self, jobs: I) -> std::result::Result<bool, I>
    where
        I: ExactSizeIterator<Item: Into<Job>>,
    {
        let mut queue = self.queue.lock();
        debug_assert!(!queue.ended);
        if queue.jobs.is_empty() {
            queue.seen_turns = self.turns.load(Ordering::Relaxed);
            queue.looks_with_waiters = 0;
        }
        if queue.jobs.try_reserve(jobs.len()).is_err() {
            return Err(jobs);
        }
        queue.jobs.extend(jobs.map(Into::into));
        self.waiting.store(queue.jobs.len(), Ordering::Relaxed);
        let parked = std::mem::replace(&mut queue.parked, false);
        let may_wait = !parked || queue.jobs.len() > 1;
        drop(queue);
        if parked {
            self.wake.notify_one();
        }
        Ok(may_wait)
    }

    /// Ends it, unless there is work or somebody may bring some. The caller sees to it that nobody enters
    /// meanwhile.
    pub(super) fn end(&self) -> bool {
        let mut queue = self.queue.lock();
        queue.ended = self.homes.load(Ordering::Relaxed) == 0 && queue.jobs.is_empty();
        queue.ended
    }

    /// Runs a callback. The count is odd while one runs.
    #[inline]
    pub fn turn<T>(&self, callback: impl FnOnce() -> T) -> T {
        let turns = self.turns.load(Ordering::Relaxed);
        self.turns.store(turns + 1, Ordering::Relaxed);
        let result = callback();
        self.turns.store(turns + 2, Ordering::Relaxed);
        result
    }

    /// Whether other jobs wait for this worker.
    #[inline]
    pub fn others_wait(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    pub(super) fn run(self: &Arc<Self>, pool: &Arc<Delivery>) {
        self.thread.store(threads::system_id(), Ordering::Relaxed);
        let mut batch = VecDeque::new();
        while let Some(job) = self.next(pool, &mut batch) {
            let work = AssertUnwindSafe(|| self.work(pool, job, &mut batch));
            if catch_unwind(work).is_err() {
                // One task is out of order, the others go on.
                batch.clear();
                self.turns.fetch_add(self.turns.load(Ordering::Relaxed) % 2, Ordering::Relaxed);
            }
            if thread_end::is_ending() && pool.pass_on_if_ending(self) {
                return;
            }
        }
    }

    fn work(self: &Arc<Self>, pool: &Arc<Delivery>, job: Job, batch: &mut VecDeque<Msg>) {
        match job {
            Job::One(task, msg) => task.run_one(msg, self),
            Job::Run(task) => {
                if let Some(task) = task.run(self, batch) {
                    pool.run(&self.enter(), task);
                }
            }
        }
    }

    fn next(self: &Arc<Self>, pool: &Delivery, batch: &mut VecDeque<Msg>) -> Option<Job> {
        let mut queue = self.queue.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                self.waiting.store(queue.jobs.len(), Ordering::Relaxed);
                queue.parked = false;
                return Some(job);
            }
            queue.parked = true;
            let over = !queue.lingers && self.homes.load(Ordering::Relaxed) == 0;
            if !over && queue.jobs.capacity().max(batch.capacity()) > BULKY {
                if self.wake.wait_for(&mut queue, QUIET).timed_out() && queue.jobs.is_empty() {
                    queue.jobs = VecDeque::new();
                    *batch = VecDeque::new();
                }
                continue;
            }
            if self.wait(&mut queue) && queue.jobs.is_empty() {
                drop(queue); // the pool's lock comes first
                if pool.elastic.retire(self) {
                    return None;
                }
                queue = self.queue.lock();
            }
        }
    }

    /// Waits for work; true when it is time to end. No wake-ups while nothing happens: the last home tells.
    fn wait(&self, queue: &mut MutexGuard<'_, Queue>) -> bool {
        if self.homes.load(Ordering::Relaxed) > 0 {
            self.wake.wait(queue);
            return false;
        }
        !queue.lingers || self.wake.wait_for(queue, IDLE).timed_out()
    }

    /// For the supervisor.
    pub(super) fn inspect(&self, may_spread: bool) -> Seen {
        let mut queue = self.queue.lock();
        let turns = self.turns.load(Ordering::Relaxed); // under the lock: never less than `push` saw
        let done = turns - queue.seen_turns;
        queue.seen_turns = turns;
        let waiting = queue.jobs.len();
        if waiting == 0 || queue.parked {
            queue.looks_with_waiters = 0;
            return Seen { waiting, to_move: 0 };
        }
        queue.looks_with_waiters += 1;
        let looks = queue.looks_with_waiters;
        drop(queue);
        let in_callback = turns % 2 == 1;
        let to_move = if in_callback && done == 0 && looks > self.patience() {
            waiting
        } else if may_spread && looks > LOOKS_BEFORE_SPREADING && done / 2 < HEAVY_TURNS_PER_LOOK {
            waiting / 2
        } else {
            0
        };
        Seen { waiting, to_move }
    }

    /// Looks in a row without progress that are no reason to worry. A thread that only waits for a processor
    /// is not helped by another one that does the same.
    fn patience(&self) -> u32 {
        if threads::is_blocked(self.thread.load(Ordering::Relaxed)) { 1 } else { BUSY_LOOKS }
    }

    /// Takes all jobs but the first `keep`, to be given to others; none where there is no memory to do that.
    pub(super) fn take(&self, keep: usize) -> Vec<Job> {
        let mut queue = self.queue.lock();
        queue.looks_with_waiters = 0;
        let keep = keep.min(queue.jobs.len());
        let mut taken = Vec::new();
        if taken.try_reserve_exact(queue.jobs.len() - keep).is_err() {
            return taken;
        }
        taken.extend(queue.jobs.drain(keep..));
        self.waiting.store(keep, Ordering::Relaxed);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::delivery::Task;

    struct Nothing;

    impl Task for Nothing {
        fn run(self: Arc<Self>, _: &Worker, _: &mut VecDeque<Msg>) -> Option<Arc<dyn Task>> {
            None
        }
        fn run_one(self: Arc<Self>, _: Msg, _: &Worker) {}
        fn refuse(&self, _: Msg) -> bool {
            false
        }
        fn visit(&self, _: &Home) {}
    }

    /// A worker without a thread, to which `count` jobs were given.
    fn worker_with(count: usize) -> Home {
        let home = Worker::new(true).enter();
        give(&home, count);
        home
    }

    fn give(home: &Home, count: usize) -> bool {
        let jobs: Vec<_> = (0..count).map(|_| Job::Run(Arc::new(Nothing))).collect();
        home.push(jobs.into_iter()).unwrap_or_else(|_| panic!("there is memory"))
    }

    #[test]
    fn jobs_may_wait_for_the_one_at_work_and_for_each_other() {
        let home = Worker::new(true).enter();
        assert!(give(&home, 1), "its thread is not there yet");
        home.0.take(0);
        home.0.park();
        assert!(!give(&home, 1), "it is about to be taken");
        home.0.take(0);
        home.0.park();
        assert!(give(&home, 2) && home.0.others_wait());
    }

    #[test]
    fn all_that_waits_behind_a_callback_that_stands_still_is_to_move() {
        let home = worker_with(3);
        let looks = home.0.turn(|| [(); 3].map(|()| home.0.inspect(false)));
        assert_eq!(looks.map(|seen| (seen.waiting, seen.to_move)), [(3, 0), (3, 3), (3, 3)]);
    }

    #[test]
    fn behind_callbacks_that_take_long_half_of_it_is_to_move_after_a_while() {
        let look = |turns: usize, may_spread: bool| {
            let home = worker_with(6);
            let mut moves = (0..=LOOKS_BEFORE_SPREADING).map(|_| {
                (0..turns).for_each(|_| home.0.turn(|| ()));
                home.0.inspect(may_spread).to_move
            });
            moves.find(|to_move| *to_move > 0)
        };
        assert_eq!(look(3, true), Some(3));
        assert_eq!(look(3, false), None, "there are more workers than processors already");
        assert_eq!(look(HEAVY_TURNS_PER_LOOK as usize, true), None, "they are quick");
    }

    #[test]
    fn the_last_jobs_are_taken_and_the_looks_begin_anew() {
        let home = worker_with(5);
        home.0.turn(|| assert!((0..2).any(|_| home.0.inspect(false).to_move == 5)));
        assert_eq!(home.0.take(2).len(), 3);
        assert_eq!(home.0.take(2).len(), 0);
        let seen = home.0.turn(|| home.0.inspect(false));
        assert_eq!((seen.waiting, seen.to_move), (2, 0));
    }

    #[test]
    fn a_worker_ends_when_nobody_has_it_and_nothing_waits() {
        let home = worker_with(1);
        let worker = Arc::clone(&home.0);
        let second = home.clone();
        drop(home);
        assert!(!worker.end());
        drop(second);
        assert!(!worker.end(), "a job waits");
        worker.take(0);
        assert!(worker.try_enter().is_some());
        assert!(worker.end() && worker.try_enter().is_none());
    }
}
