//! Work of one read on its way to the workers.

use std::sync::Arc;

use crate::client::delivery::{Delivery, Home, Job};
use crate::client::subscription::Subscription;

/// Workers that a handover collects for at the same time.
const HANDOVER_WORKERS: usize = 8;

/// Work of one read: a worker is woken once for what comes for it.
pub struct Handover<'a> {
    delivery: &'a Arc<Delivery>,
    collected: Vec<(Home, Vec<Job>)>,
    /// It is time to finish.
    full: bool,
}

impl<'a> Handover<'a> {
    pub(super) fn new(delivery: &'a Arc<Delivery>) -> Handover<'a> {
        Handover { delivery, collected: Vec::new(), full: false }
    }

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
