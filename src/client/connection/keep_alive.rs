//! The keep-alive state of a connection, with the timer of its ticks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::client::connection::vitals::Vitals;
use crate::client::options::Options;
use crate::io::clock;
use crate::io::timer::{self, Timer};
use crate::session::liveness::Liveness;
use crate::sync::Mutex;

/// Rules and counts are the session's, behind a lock of their own that may be taken under the state's. After
/// each work on them those who look without a lock see the result ([`Vitals`]). The lock of the tick is held
/// around the other and around the timer's.
pub(super) struct KeepAlive {
    liveness: Mutex<Liveness>,
    tick: Mutex<Option<timer::Key>>,
    /// A PING waits for the poller to come and write it.
    ping_waits: AtomicBool,
    vitals: Arc<Vitals>,
}

impl KeepAlive {
    pub(super) fn new(options: &Options, vitals: &Arc<Vitals>) -> KeepAlive {
        let mut liveness = Liveness::new(options.liveness.ping_interval_ms, options.liveness.max_pings_out);
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::client::connection::testing::SOON;
    use crate::client::library::defaults::Defaults;
    use crate::io::threads::Threads;

    fn keep_alive() -> (KeepAlive, Arc<Vitals>, Arc<Timer>) {
        let mut options = Options::new(&Defaults::default());
        options.liveness.ping_interval_ms = 10;
        let vitals = Arc::default();
        let keep_alive = KeepAlive::new(&options, &vitals);
        (keep_alive, vitals, Timer::start(&Threads::new(None)).unwrap())
    }

    #[test]
    fn one_tick_is_due_at_a_time_and_none_after_the_stop() {
        let (keep_alive, _, timer) = keep_alive();
        let (tick, ticks) = channel();
        let schedule = |number: u32| {
            let tick = tick.clone();
            keep_alive.schedule(&timer, move || tick.send(number).unwrap());
        };
        schedule(0); // before the start none is due
        keep_alive.with(|live| live.start(clock::now()));
        schedule(1);
        schedule(2);
        assert_eq!(ticks.recv_timeout(SOON), Ok(2));
        keep_alive.with(|live| live.set_interval(clock::now(), 3_600_000));
        schedule(3);
        keep_alive.stop(&timer);
        schedule(4);
        drop(tick);
        assert!(ticks.recv_timeout(SOON).is_err(), "nothing is scheduled");
        timer.close();
    }

    #[test]
    fn those_who_look_without_a_lock_see_each_change() {
        let (keep_alive, vitals, timer) = keep_alive();
        let before = vitals.pulse().detection_bound;
        keep_alive.with(|live| live.set_max_detection(7));
        assert!(before.is_some() && vitals.pulse().detection_bound < before);
        timer.close();
    }
}
