//! A delivery thread and its queue.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::sync::{Condvar, Mutex};

use crate::client::delivery::Delivery;
use crate::client::message::Msg;
use crate::client::subscription::Subscription;
use crate::io::threads;

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

/// A delivery thread and its queue.
pub struct Worker {
    pub(super) queue: Mutex<Queue>,
    pub(super) wake: Condvar,
    /// Subscriptions whose home this is.
    pub(super) homes: AtomicUsize,
    /// Counts the begins and ends of callbacks: a worker whose count stands still is held up.
    turns: AtomicU64,
    /// Jobs in the queue; read without the lock.
    waiting: AtomicUsize,
    /// Whether waiting subscriptions may go to another worker.
    pub(super) elastic: bool,
    /// The system's number of the thread.
    thread: AtomicI32,
}

#[derive(Default)]
pub(super) struct Queue {
    pub(super) jobs: VecDeque<Job>,
    pub(super) parked: bool,
    pub(super) ended: bool,
    /// What the supervisor saw at its last look.
    seen_turns: u64,
    looks_with_waiters: u32,
}

impl Worker {
    pub(super) fn new(elastic: bool) -> Worker {
        Worker {
            queue: Mutex::default(),
            wake: Condvar::new(),
            homes: AtomicUsize::new(0),
            turns: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            elastic,
            thread: AtomicI32::new(0),
        }
    }

    /// Queues jobs; true when some may have to wait: for the job at work, or for one another.
    pub(super) fn push(&self, jobs: impl IntoIterator<Item = Job>) -> bool {
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

    pub(super) fn run(self: &Arc<Self>, pool: &Arc<Delivery>) {
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
    pub(super) fn inspect(&self, may_spread: bool) -> (bool, Vec<Job>) {
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
