//! Which worker delivers a subscription, and whether it has it.

use crate::client::delivery::{Home, Place};

/// Under the subscription's lock. Whoever claims it gives the subscription to its worker, which lets it go
/// when it finds nothing more to do: so one worker at a time has it.
pub(super) struct Schedule {
    /// A worker has or will get the subscription.
    claimed: bool,
    /// Nothing is delivered before the program holds the subscription.
    started: bool,
    /// Nowhere for a synchronous subscription, and once the end was delivered.
    place: Place,
}

impl Schedule {
    pub(super) fn new(place: Place) -> Schedule {
        Schedule { claimed: false, started: false, place }
    }

    pub(super) fn start(&mut self) {
        self.started = true;
    }

    pub(super) fn is_started(&self) -> bool {
        self.started
    }

    pub(super) fn is_claimed(&self) -> bool {
        self.claimed
    }

    /// Whether the caller is to give the subscription to its worker: there is work, and no worker has it yet.
    #[inline]
    pub(super) fn claim(&mut self, work: bool) -> bool {
        if !work || self.claimed || !self.started || self.place.is_nowhere() {
            return false;
        }
        self.claimed = true;
        true
    }

    /// The worker is done with it for now.
    pub(super) fn release(&mut self) {
        self.claimed = false;
    }

    /// Makes it the guest of another worker, for as long as that one lives.
    pub(super) fn visit(&mut self, host: &Home) {
        self.place.visit(host);
    }

    /// Nothing more is delivered. The place is the caller's to drop.
    pub(super) fn leave(&mut self) -> Place {
        self.claimed = false;
        self.place.leave()
    }

    /// Calls `give` with the worker that serves the subscription at present, if any does.
    #[inline]
    pub(super) fn with_home(&mut self, give: impl FnOnce(&Home)) {
        self.place.with(give);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::client::delivery::{Delivery, Mode, Worker};
    use crate::io::clock::Deadline;
    use crate::io::threads::Threads;
    use crate::io::timer::Timer;

    /// What `body` does with homes of two workers.
    fn with_homes(body: impl FnOnce(Home, Home)) {
        let threads = Threads::new(None);
        let timer = Timer::start(&threads).unwrap();
        let pools = [0; 2].map(|fixed| Delivery::new(&threads, &timer, fixed));
        let [home, host] = pools.each_ref().map(|pool| pool.home(Mode::Elastic).unwrap());
        body(home, host);
        pools.iter().for_each(|pool| pool.close());
        timer.close();
        assert!(threads.wait_for_all(Deadline::in_ms(10_000)));
    }

    fn server(schedule: &mut Schedule) -> Option<Arc<Worker>> {
        let mut found = None;
        schedule.with_home(|home| found = Some(Arc::clone(home.worker())));
        found
    }

    #[test]
    fn one_worker_at_a_time_has_it_once_it_has_started() {
        with_homes(|home, _| {
            let mut schedule = Schedule::new(Place::at(home));
            assert!(!schedule.claim(true), "not started");
            schedule.start();
            assert!(!schedule.claim(false), "no work");
            assert!(schedule.claim(true) && !schedule.claim(true));
            schedule.release();
            assert!(schedule.claim(true) && schedule.is_claimed());
            assert!(!schedule.leave().is_nowhere() && !schedule.is_claimed());
            assert!(!schedule.claim(true) && server(&mut schedule).is_none(), "nothing more is delivered");
        });
    }

    #[test]
    fn a_synchronous_one_has_no_worker() {
        let mut schedule = Schedule::new(Place::default());
        schedule.start();
        assert!(!schedule.claim(true) && server(&mut schedule).is_none() && schedule.leave().is_nowhere());
    }

    #[test]
    fn a_guest_goes_home_when_its_host_has_ended() {
        with_homes(|home, host| {
            let (own, other) = (Arc::clone(home.worker()), Arc::clone(host.worker()));
            let mut schedule = Schedule::new(Place::at(home));
            schedule.visit(&host);
            assert!(Arc::ptr_eq(&server(&mut schedule).unwrap(), &other));
            drop(host);
            let deadline = Deadline::in_ms(10_000);
            while !Arc::ptr_eq(&server(&mut schedule).unwrap(), &own) {
                assert!(!deadline.has_passed(), "the host never ends");
                std::thread::sleep(std::time::Duration::from_millis(150)); // each look makes it wait anew
            }
        });
    }
}
