//! Where a task is served.

use std::sync::Arc;

use crate::client::delivery::{Home, Worker};

/// The worker that serves a task: its home, or a host that has taken it in. Part of the task's state, so
/// under its lock; that of a worker's queue may be taken under it.
#[derive(Default)]
pub(crate) struct Place {
    home: Option<Home>,
    /// It may have ended since.
    host: Option<Arc<Worker>>,
}

impl Place {
    pub(crate) fn at(home: Home) -> Place {
        Place { home: Some(home), host: None }
    }

    /// Whether no worker serves the task: none ever did, or it has left.
    pub(crate) fn is_nowhere(&self) -> bool {
        self.home.is_none()
    }

    pub(crate) fn visit(&mut self, host: &Home) {
        self.host = Some(Arc::clone(host.worker()));
    }

    /// Calls `give` with the worker that serves the task at present, if any does.
    pub(crate) fn with(&mut self, give: impl FnOnce(&Home)) {
        if let Some(host) = self.host.as_ref() {
            if let Some(home) = host.try_enter() {
                return give(&home);
            }
            self.host = None;
        }
        if let Some(home) = &self.home {
            give(home);
        }
    }

    /// The task has ended. What is returned is dropped without a lock.
    #[must_use]
    pub(crate) fn leave(&mut self) -> Place {
        std::mem::take(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn present(place: &mut Place) -> Option<Arc<Worker>> {
        let mut present = None;
        place.with(|home| present = Some(Arc::clone(home.worker())));
        present
    }

    #[test]
    fn a_guest_goes_home_when_its_host_has_ended() {
        let (home, host) = (Worker::new(true).enter(), Worker::new(true).enter());
        let (at_home, away) = (Arc::clone(home.worker()), Arc::clone(host.worker()));
        let mut place = Place::at(home);
        assert!(present(&mut place).is_some_and(|worker| Arc::ptr_eq(&worker, &at_home)));
        place.visit(&host);
        drop(host);
        assert!(present(&mut place).is_some_and(|worker| Arc::ptr_eq(&worker, &away)), "it lives on");
        assert!(away.end());
        assert!(present(&mut place).is_some_and(|worker| Arc::ptr_eq(&worker, &at_home)));
    }

    #[test]
    fn who_has_left_is_served_by_nobody_and_keeps_no_worker() {
        let home = Worker::new(true).enter();
        let worker = Arc::clone(home.worker());
        let mut place = Place::at(home);
        assert!(!worker.end() && !place.is_nowhere());
        drop(place.leave());
        assert!(place.is_nowhere() && present(&mut place).is_none() && worker.end());
    }
}
