//! Liveness beside a model of it that only counts.

use std::time::Duration;

use crate::fuzzing::input::Input;
use crate::session::grace::Arrivals;
use crate::session::liveness::{Liveness, StaleCause, Tick};

/// A bound so far away (in a million years) is not looked at.
const MEANINGLESS: Duration = Duration::from_secs(1_000_000 * 365 * 24 * 3600);

/// What a tick asks for.
pub(super) enum Due {
    Nothing,
    Ping,
    Stale,
}

pub(super) struct KeepAlive {
    live: Liveness,
    running: bool,
    /// PINGs since the last PONG, as the model counts them.
    unanswered: i32,
    /// When the oldest of them went out.
    oldest: Option<Duration>,
    /// The latest time anybody told; one that lies before it moves the model's times back with it.
    latest: Duration,
    /// Bytes of the socket: those that came and those that were read.
    arrivals: Arrivals,
}

impl KeepAlive {
    pub(super) fn new(interval_ms: i64, max_out: i32) -> KeepAlive {
        let live = Liveness::new(interval_ms, max_out);
        let (oldest, latest, arrivals) = (None, Duration::ZERO, Arrivals::default());
        KeepAlive { live, running: false, unanswered: 0, oldest, latest, arrivals }
    }

    pub(super) fn start(&mut self, now: Duration) {
        self.live.start(now);
        self.running = true;
        self.latest = now;
        self.forget();
    }

    pub(super) fn stop(&mut self) {
        self.live.stop();
        self.running = false;
    }

    pub(super) fn pong(&mut self) {
        self.live.on_pong();
        self.forget();
    }

    pub(super) fn next_tick(&self) -> Option<Duration> {
        self.live.next_tick()
    }

    pub(super) fn tick(&mut self, now: Duration) -> Due {
        self.observe(now);
        let answer = self.live.tick(now, self.arrivals);
        match answer {
            Tick::NotDue => {
                assert!(!self.running || self.next_tick().is_none_or(|next| next > now), "due, but not done");
            }
            Tick::SendPing => {
                assert!(self.running && self.live.interval_ms() > 0);
                assert!(self.unanswered < self.live.max_out());
                self.unanswered += 1;
                self.oldest.get_or_insert(now);
                let next = self.next_tick().expect("a PING is followed by a tick");
                assert!(next > now, "the next tick lies ahead");
            }
            Tick::Stale => self.check_verdict(now),
        }
        match answer {
            Tick::NotDue => Due::Nothing,
            Tick::SendPing => Due::Ping,
            Tick::Stale => Due::Stale,
        }
    }

    /// The PING of the last tick is written, or the socket takes nothing.
    pub(super) fn tried(&mut self, now: Duration) {
        self.live.on_ping_tried(now);
    }

    /// Bytes arrive, or are read.
    pub(super) fn bytes(&mut self, input: &mut Input<'_>) {
        let n = u64::from(input.byte());
        self.arrivals.arrived += n / 2;
        let unread = self.arrivals.arrived - self.arrivals.attended;
        self.arrivals.attended += if n % 2 == 0 { unread } else { unread.min(n) };
    }

    /// One setting changes.
    pub(super) fn set(&mut self, now: Duration, input: &mut Input<'_>) {
        let (before, next_before) = (self.live.interval_ms(), self.next_tick());
        match input.byte() % 4 {
            0 => {
                let ms = input.milliseconds();
                self.observe(now);
                self.live.set_interval(now, ms);
            }
            1 => self.live.set_max_out(input.count()),
            2 => self.live.set_pong_timeout(input.milliseconds()),
            _ => self.live.set_max_detection(input.milliseconds()),
        }
        let after = self.live.interval_ms();
        if self.running && before <= 0 && after > 0 {
            self.forget(); // pings begin afresh
        } else if self.running && before > 0 && after <= 0 {
            self.oldest = None;
        }
        if let Some(next) = self.next_tick().filter(|_| before > 0 && before != after) {
            let in_time = self.latest.saturating_add(millis(after));
            let not_later = next_before.is_some_and(|next_before| next <= next_before);
            assert!(next <= in_time || not_later || after > before, "a shorter interval puts nothing off");
        }
    }

    /// What always holds.
    pub(super) fn check(&self) {
        assert!(self.live.outstanding() >= 0);
        assert_eq!(self.live.outstanding(), self.unanswered);
        assert!(self.running || self.next_tick().is_none(), "nothing is due on a connection that is not up");
        assert_eq!(self.live.detection_bound().is_some(), self.live.interval_ms() > 0);
    }

    /// The bound that was asked for is kept, apart from one of a few milliseconds.
    pub(super) fn check_bound(&self) {
        let wanted = self.live.max_detection_ms();
        if wanted >= 3 && self.live.max_out() < i32::MAX {
            let bound = self.live.detection_bound().expect("a bound turns pings on");
            assert!(bound <= millis(wanted), "{bound:?} is more than {wanted} ms");
        }
    }

    /// From a PONG on nothing comes any more, and the timer is on time. Tells when the peer is given up, if
    /// that is within a hundred ticks; it must be within the bound.
    pub(super) fn silence(&mut self, now: Duration) -> Option<Duration> {
        const TICKS: usize = 100;
        self.catch_up(now)?;
        self.pong();
        let bound = self.live.detection_bound().filter(|bound| *bound < MEANINGLESS)?;
        let mut at = now;
        for _ in 0..TICKS {
            at = self.next_tick().expect("pings are on").max(at);
            if let Due::Stale = self.tick(at) {
                let (taken, grace) = (at - now, self.live.grace());
                assert!(taken <= bound + grace, "found after {taken:?}, bound {bound:?}, grace {grace:?}");
                return Some(at);
            }
        }
        None
    }

    /// Brings the ticks up to `now`; None when the connection does not survive that.
    fn catch_up(&mut self, now: Duration) -> Option<()> {
        self.pong();
        match self.tick(now) {
            Due::Stale => {
                self.start(now);
                None
            }
            _ => Some(()),
        }
    }

    fn check_verdict(&mut self, now: Duration) {
        assert!(self.running, "given once");
        match self.live.stale_cause().expect("a verdict has a cause") {
            StaleCause::MaxPings => assert!(self.unanswered >= self.live.max_out()),
            StaleCause::PongTimeout => {
                let waited = now - self.oldest.expect("a PING is out");
                assert!(waited >= millis(self.live.pong_timeout_ms()), "only {waited:?}");
            }
        }
        self.running = false;
        assert!(self.next_tick().is_none());
    }

    fn forget(&mut self) {
        self.unanswered = 0;
        self.oldest = None;
    }

    fn observe(&mut self, now: Duration) {
        let back = self.latest.saturating_sub(now);
        self.latest = now;
        self.oldest = self.oldest.map(|at| at.saturating_sub(back));
    }
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
