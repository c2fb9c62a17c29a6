//! Work of one read on its way to the workers.

use std::sync::Arc;

use crate::client::delivery::{Delivery, Home, Job, Task};

/// Workers that a handover collects for at the same time.
const HANDOVER_WORKERS: usize = 8;

/// Work of one read: a worker is woken once for what comes for it.
pub struct Handover<'a, T> {
    delivery: &'a Arc<Delivery>,
    collected: Vec<(Home, Vec<Job<T>>)>,
    /// It is time to finish.
    full: bool,
}

impl<'a, T: Task + 'static> Handover<'a, T> {
    pub(super) fn new(delivery: &'a Arc<Delivery>) -> Handover<'a, T> {
        Handover { delivery, collected: Vec::new(), full: false }
    }

    /// To be followed by [`Handover::finish_if_full`], without a lock.
    #[inline]
    pub fn add(&mut self, home: &Home, job: Job<T>) {
        if let Some((_, jobs)) = self.collected.iter_mut().find(|(known, _)| known.is_same(home)) {
            if jobs.len() < jobs.capacity() || jobs.try_reserve(1).is_ok() {
                return jobs.push(job);
            }
            self.full = true; // no room behind those: this one begins anew
        }
        self.add_worker(home, job);
    }

    #[cold]
    fn add_worker(&mut self, home: &Home, job: Job<T>) {
        self.collected.push((home.clone(), vec![job]));
        self.full |= self.collected.len() == HANDOVER_WORKERS;
    }

    #[inline]
    pub fn finish_if_full(&mut self, tell: impl FnMut(Arc<T>)) {
        if self.full {
            self.finish(tell);
        }
    }

    /// Hands over what was collected. `tell` gets the tasks that have just begun to drop messages.
    pub fn finish(&mut self, mut tell: impl FnMut(Arc<T>)) {
        self.full = false;
        for (home, jobs) in self.collected.drain(..) {
            self.delivery.give(&home, jobs.into_iter(), |task, msg| {
                if task.refuse(msg) {
                    tell(task);
                }
            });
        }
    }
}
