//! The keep-alive state of a connection, with the timer of its ticks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::client::connection::vitals::Vitals;
use crate::client::options::Options;
use crate::io::clock;
use crate::io::timer::{self, Timer};
use crate::session::liveness::Liveness;
use crate::sync::Mutex;

/// Rules and counts are the session's, behind a lock of their own that may be taken under the state's. After each work
/// on them those who look without a lock see the result ([`Vitals`]). The lock of the tick is held around the other and
/// around the timer's.
pub(super) struct KeepAlive {
    liveness: Mutex<Liveness>,
    tick: Mutex<Option<timer::Key>>,
    /// A PING waits for the poller to come and write it.
    ping_waits: AtomicBool,
    vitals: Arc<Vitals>,
}

impl KeepAlive {
    pub(super) fn new(options: &Options, vitals: &Arc<Vitals>) -> KeepAlive {
        let mut liveness = Liveness::new(options.ping_interval_ms, options.max_pings_out);
        liveness.set_pong_timeout(options.liveness.pong_timeout_ms);
        liveness.set_max_detection(options.liveness.max_detection_ms);
        vitals.mirror(&liveness);
        KeepAlive {
            liveness: Mutex::new(liveness),
            tick: Mutex::new(None),
            ping_waits: AtomicBool::new(false),
            vitals: Arc::clone(vitals),
        }
    }

    /// Works on the rules and counts.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Liveness) -> T) -> T {
        let mut live = self.liveness.lock();
        let result = work(&mut live);
        self.vitals.mirror(&live);
        result
    }

    /// Has `tick` called when the next one is due, and no earlier one any more.
    pub(super) fn schedule(&self, timer: &Timer, tick: impl FnOnce() + Send + 'static) {
        let mut scheduled = self.tick.lock();
        if let Some(old) = scheduled.take() {
            timer.cancel(old);
        }
        if let Some(at) = self.liveness.lock().next_tick() {
            *scheduled = Some(timer.schedule(at, tick));
        }
    }

    /// Ends the ticks.
    pub(super) fn stop(&self, timer: &Timer) {
        self.with(Liveness::stop);
        if let Some(key) = self.tick.lock().take() {
            timer.cancel(key);
        }
    }

    /// A PING is in the write buffer, and the poller was asked to come.
    pub(super) fn note_ping_waits(&self) {
        self.ping_waits.store(true, Ordering::Release);
    }

    /// Somebody writes, or tries to.
    pub(super) fn note_ping_tried(&self) {
        if self.ping_waits.load(Ordering::Acquire) && self.ping_waits.swap(false, Ordering::AcqRel) {
            self.with(|live| live.on_ping_tried(clock::now()));
        }
    }
}
