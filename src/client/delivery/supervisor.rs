//! The supervisor: relieves workers that are held up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::client::delivery::{Delivery, Home, Job, Worker};
use crate::io::clock;

/// How often the supervisor looks while something waits.
const LOOK: Duration = Duration::from_micros(500);
/// How soon the supervisor tries again when no thread could be had.
const NO_THREAD: Duration = Duration::from_millis(20);

/// Looks at the elastic workers from the timer thread, as long as anything waits for one of them. It takes
/// one lock at a time, the pool's or that of a worker's queue, and none while it starts a thread or tells a
/// task where to go.
#[derive(Default)]
pub(super) struct Supervisor {
    /// Whether a look is to come.
    scheduled: AtomicBool,
}

/// What one look found.
struct Findings<'a> {
    workers: &'a [Arc<Worker>],
    anything_waits: bool,
    /// Workers that are to be relieved, with the number of jobs that they keep.
    held_up: Vec<(&'a Arc<Worker>, usize)>,
    to_move: usize,
}

impl Supervisor {
    /// Something waits for a worker: makes sure that somebody notices should it be held up.
    #[inline]
    pub(super) fn watch(&self, pool: &Arc<Delivery>) {
        self.look_after(LOOK, pool);
    }

    fn look_after(&self, wait: Duration, pool: &Arc<Delivery>) {
        if self.scheduled.swap(true, Ordering::AcqRel) {
            return;
        }
        let looked_after = Arc::clone(pool);
        pool.timer.schedule(clock::now() + wait, move || looked_after.supervisor.look(&looked_after));
    }

    /// Runs on the timer thread.
    fn look(&self, pool: &Arc<Delivery>) {
        self.scheduled.store(false, Ordering::Release);
        let workers = pool.elastic.all();
        let found = Findings::at(&workers, pool.elastic.is_base(workers.len()));
        let anything_waits = found.anything_waits;
        let again = if relieve(pool, found) { LOOK } else { NO_THREAD };
        if anything_waits {
            self.look_after(again, pool);
        }
    }
}

impl Findings<'_> {
    fn at(workers: &[Arc<Worker>], may_spread: bool) -> Findings<'_> {
        let mut found = Findings { workers, anything_waits: false, held_up: Vec::new(), to_move: 0 };
        for worker in workers {
            let seen = worker.inspect(may_spread);
            found.anything_waits |= seen.waiting > 0;
            if seen.to_move > 0 {
                found.to_move += seen.to_move;
                found.held_up.push((worker, seen.waiting - seen.to_move));
            }
        }
        found
    }

    /// As many new workers as are stuck: a crowd of blocking callbacks is served after a few looks.
    fn hosts_wanted(&self) -> usize {
        if self.held_up.is_empty() {
            0
        } else {
            self.held_up.len().max(self.workers.len() / 2).min(self.to_move)
        }
    }
}

/// Makes what waits for workers that are held up the guest of others. False when there are none.
fn relieve(pool: &Arc<Delivery>, found: Findings<'_>) -> bool {
    let wanted = found.hosts_wanted();
    let hosts = hosts(pool, wanted);
    if hosts.is_empty() {
        return wanted == 0;
    }
    let jobs = found.held_up.into_iter().flat_map(|(worker, keep)| worker.take(keep));
    for (job, host) in jobs.zip(hosts.iter().cycle()) {
        let (Job::Run(task) | Job::One(task, _)) = job; // only those of the elastic pool are moved
        task.visit(host);
        pool.run(host, task);
    }
    true
}

/// Up to `wanted` workers with nothing to do, new ones if need be.
fn hosts(pool: &Arc<Delivery>, wanted: usize) -> Vec<Home> {
    let mut hosts = pool.elastic.idle(wanted);
    while hosts.len() < wanted {
        let Ok(worker) = pool.start_worker(true) else { break };
        pool.elastic.add(&worker);
        hosts.push(worker);
    }
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(workers: &[Arc<Worker>], held_up: usize, to_move: usize) -> Findings<'_> {
        let held_up = workers[..held_up].iter().map(|worker| (worker, 0)).collect();
        Findings { workers, anything_waits: true, held_up, to_move }
    }

    #[test]
    fn as_many_hosts_are_wanted_as_are_stuck_but_not_more_than_there_is_to_move() {
        let workers: Vec<_> = (0..10).map(|_| Worker::new(true)).collect();
        assert_eq!(findings(&workers, 0, 0).hosts_wanted(), 0);
        assert_eq!(findings(&workers[..2], 1, 100).hosts_wanted(), 1);
        assert_eq!(findings(&workers, 1, 100).hosts_wanted(), 5);
        assert_eq!(findings(&workers, 8, 100).hosts_wanted(), 8);
        assert_eq!(findings(&workers, 8, 8).hosts_wanted(), 8);
        assert_eq!(findings(&workers, 1, 3).hosts_wanted(), 3);
    }

    #[test]
    fn workers_without_work_are_not_held_up() {
        let workers: Vec<_> = (0..3).map(|_| Worker::new(true)).collect();
        let found = Findings::at(&workers, true);
        assert!(!found.anything_waits && found.held_up.is_empty());
    }
}
