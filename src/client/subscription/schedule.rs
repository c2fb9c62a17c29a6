//! Which worker delivers a subscription, and whether it has it.

use std::sync::Arc;

use crate::client::delivery::{Home, Worker};

/// Under the subscription's lock. Whoever claims it gives the subscription to its worker, which lets it go when it finds
/// nothing more to do: so one worker at a time has it.
pub(super) struct Schedule {
    /// A worker has or will get the subscription.
    claimed: bool,
    /// Nothing is delivered before the program holds the subscription.
    started: bool,
    /// None for a synchronous subscription, and once the end was delivered.
    home: Option<Home>,
    /// Another worker that took the subscription in; it may have ended since.
    host: Option<Arc<Worker>>,
}

impl Schedule {
    pub(super) fn new(home: Option<Home>) -> Schedule {
        Schedule { claimed: false, started: false, home, host: None }
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
        if !work || self.claimed || !self.started || self.home.is_none() {
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
        self.host = Some(Arc::clone(host.worker()));
    }

    /// Nothing more is delivered. The home is the caller's to drop.
    pub(super) fn leave(&mut self) -> Option<Home> {
        self.claimed = false;
        self.host = None;
        self.home.take()
    }

    /// Calls `give` with the worker that serves the subscription at present, if any does.
    #[inline]
    pub(super) fn with_home(&mut self, give: impl FnOnce(&Home)) {
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
}
