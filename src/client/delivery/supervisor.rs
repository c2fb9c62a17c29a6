//! The supervisor: relieves workers that are held up, as long as anything waits.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::client::delivery::{Delivery, Home, Job};
use crate::io::clock;

/// How often the supervisor looks while something waits.
pub(super) const LOOK: Duration = Duration::from_micros(500);
/// How soon the supervisor tries again when no thread could be had.
const NO_THREAD: Duration = Duration::from_millis(20);

impl Delivery {
    pub(super) fn look_later(self: &Arc<Self>, after: Duration) {
        let pool = Arc::clone(self);
        self.timer.schedule(clock::now() + after, move || pool.look());
    }

    /// Relieves workers that are held up. Runs on the timer thread while anything waits.
    fn look(self: &Arc<Self>) {
        self.supervised.store(false, Ordering::Release);
        let workers = self.elastic.all();
        let mut anything_waits = false;
        let (mut held_up, mut jobs) = (Vec::new(), 0);
        for worker in &workers {
            let seen = worker.inspect(self.elastic.is_base(workers.len()));
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
        let mut hosts = self.elastic.idle(wanted);
        while hosts.len() < wanted {
            let Ok(worker) = self.start_worker(true) else { break };
            self.elastic.add(&worker);
            hosts.push(worker);
        }
        hosts
    }

    /// Makes the tasks of `jobs` guests of the hosts, each in turn.
    fn spread(self: &Arc<Self>, jobs: impl Iterator<Item = Job>, hosts: &[Home]) {
        for (job, host) in jobs.zip(hosts.iter().cycle()) {
            let (Job::Run(task) | Job::One(task, _)) = job; // only those of the elastic pool are moved
            task.visit(host);
            self.run(host, task);
        }
    }
}
