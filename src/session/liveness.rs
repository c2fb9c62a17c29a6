//! When to send a keep-alive PING, and when a silent peer counts as dead.
//!
//! The arithmetic of the reference: one tick per interval; a tick adds one to the PINGs outstanding; above
//! the maximum the connection is stale and nothing is sent, otherwise a PING goes out. Any PONG sets the
//! count to 0, nothing else does. So a peer that falls silent is found after `(max + 1)` intervals at the
//! latest.
//!
//! On top of it, both off by default: a PONG timeout, and one bound on the whole detection time from which
//! interval and PONG timeout are derived.
//!
//! Before a peer counts as dead, what had arrived by then is read, for the PONG may be among it, and a PING
//! that was written late gets its time: one grace, bounded by [`Liveness::grace`], so that a busy client does
//! not give up a healthy connection and a dead peer is found all the same.
//!
//! The driver calls [`Liveness::stop`] as soon as the connection is no longer plainly connected (lost,
//! closed, draining).

use std::time::Duration;

use crate::session::Moment;
use crate::session::grace::{self, Arrivals, Grace};

/// What is due at a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tick {
    /// Nothing: too early, or not running.
    NotDue,
    /// Write a PING.
    SendPing,
    /// The peer is dead. Given once per connection: this also stops the ticks.
    Stale,
}

/// Which limit a dead peer went over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StaleCause {
    MaxPings,
    PongTimeout,
}

/// What is in force, after the bound on the detection time is worked in. Milliseconds, 0 or less: off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limits {
    interval_ms: i64,
    pong_timeout_ms: i64,
}

/// The keep-alive state of one connection. It belongs to the connection, not to a socket: the settings
/// outlive reconnects, [`Liveness::start`] forgets everything else.
#[derive(Debug)]
pub(crate) struct Liveness {
    /// As set by the program.
    set: Limits,
    max_detection_ms: i64,
    max_out: i32,
    running: bool,
    outstanding: i32,
    last_tick: Moment,
    /// When the next tick is due; None while pings are off.
    due: Option<Moment>,
    /// When the oldest unanswered keep-alive PING was sent.
    waiting_since: Option<Moment>,
    /// When it was first tried to write that one to the socket.
    tried: Option<Moment>,
    /// The peer has used up its time, and the grace runs.
    grace: Option<Grace>,
    /// The latest time seen, to notice a clock that goes backwards.
    latest: Moment,
    cause: Option<StaleCause>,
}

impl Liveness {
    /// `interval_ms`: milliseconds between ticks, 0 or less turns pings off. `max_out`: how many PINGs may be
    /// unanswered; 0 or less means stale at the first tick, without any PING.
    pub(crate) fn new(interval_ms: i64, max_out: i32) -> Liveness {
        Liveness {
            set: Limits { interval_ms, pong_timeout_ms: 0 },
            max_detection_ms: 0,
            max_out,
            running: false,
            outstanding: 0,
            last_tick: Moment::ZERO,
            due: None,
            waiting_since: None,
            tried: None,
            grace: None,
            latest: Moment::ZERO,
            cause: None,
        }
    }

    /// The connection is up: counts start at 0, the first tick is one interval from `now`.
    pub(crate) fn start(&mut self, now: Moment) {
        self.running = true;
        self.cause = None;
        self.latest = now;
        self.start_count(now);
    }

    /// The connection is no longer plainly connected: no more ticks until the next start.
    pub(crate) fn stop(&mut self) {
        self.running = false;
    }

    /// When to call [`Liveness::tick`] next; it may lie in the past. None: not before a start or a setting.
    pub(crate) fn next_tick(&self) -> Option<Moment> {
        if !self.running {
            return None;
        }
        if let Some(grace) = &self.grace {
            return Some(grace.look());
        }
        match (self.due, self.pong_deadline()) {
            (Some(due), Some(deadline)) => Some(due.min(deadline)),
            (due, deadline) => due.or(deadline),
        }
    }

    /// Says what is due, and takes note that it will be done. Ticks missed are not made up for: the next one
    /// is a full interval after this call.
    pub(crate) fn tick(&mut self, now: Moment, arrivals: Arrivals) -> Tick {
        self.observe(now);
        if !self.running {
            return Tick::NotDue;
        }
        if self.pong_deadline().is_some_and(|deadline| now >= deadline) {
            return self.judge(now, StaleCause::PongTimeout, arrivals);
        }
        let due = self.due.is_some_and(|due| now >= due);
        if due && self.outstanding >= self.max_out {
            return self.judge(now, StaleCause::MaxPings, arrivals);
        }
        self.grace = None; // a limit was loosened meanwhile
        if !due {
            return Tick::NotDue;
        }
        self.outstanding += 1;
        if self.waiting_since.is_none() {
            self.waiting_since = Some(now);
            self.tried = None;
        }
        self.last_tick = now;
        self.due = self.due_after(now);
        Tick::SendPing
    }

    /// The PING of the last tick was written, or could not be because the socket took nothing.
    pub(crate) fn on_ping_tried(&mut self, now: Moment) {
        self.tried.get_or_insert(now);
    }

    /// A PONG arrived, whatever PING it answers.
    pub(crate) fn on_pong(&mut self) {
        self.outstanding = 0;
        self.waiting_since = None;
        self.grace = None;
    }

    /// Keep-alive PINGs sent since the last PONG.
    pub(crate) fn outstanding(&self) -> i32 {
        self.outstanding
    }

    /// Why the last tick said stale; None since the last start.
    pub(crate) fn stale_cause(&self) -> Option<StaleCause> {
        self.cause
    }

    /// Changes the interval, at once when connected.
    ///
    /// The next PING is due when it was due before or one new interval after the last tick, whichever is
    /// earlier; so a shorter interval may make it due now, and no sequence of calls puts it off. The count of
    /// outstanding PINGs stays. 0 or less stops pinging; a positive value after that starts afresh, with the
    /// first PING one interval from `now`. The value in force already changes nothing.
    pub(crate) fn set_interval(&mut self, now: Moment, ms: i64) {
        self.observe(now);
        self.change(now, |this| this.set.interval_ms = ms);
    }

    /// The interval in force in milliseconds, 0 or less when pings are off.
    pub(crate) fn interval_ms(&self) -> i64 {
        self.limits().interval_ms
    }

    /// Changes how many PINGs may be unanswered; the next tick decides by it.
    pub(crate) fn set_max_out(&mut self, max_out: i32) {
        self.max_out = max_out;
    }

    /// How many PINGs may be unanswered.
    pub(crate) fn max_out(&self) -> i32 {
        self.max_out
    }

    /// Stale as soon as a keep-alive PING, also one already sent, is unanswered for `ms` milliseconds, if
    /// that comes before the maximum of PINGs out. 0 or less: off.
    pub(crate) fn set_pong_timeout(&mut self, ms: i64) {
        self.set.pong_timeout_ms = ms;
    }

    /// The PONG timeout in force in milliseconds, 0 or less when off.
    pub(crate) fn pong_timeout_ms(&self) -> i64 {
        self.limits().pong_timeout_ms
    }

    /// Bounds the time from the peer's death to [`Tick::Stale`]. 0 or less: off.
    ///
    /// The worst case is a peer that dies right after its last PONG: the next PING is up to one interval
    /// away, then the PONG timeout runs. So a tenth of `ms`, at most 250 ms, is kept for late timers, and
    /// interval and PONG timeout get half of the rest each, at least 1 ms (1000 gives 450 and 450; 60000
    /// gives 29875 twice). Shorter values that the program set stay in force; an interval of 0 does not turn
    /// pings off while a bound is set.
    pub(crate) fn set_max_detection(&mut self, ms: i64) {
        self.change(self.latest, |this| this.max_detection_ms = ms);
    }

    /// The bound asked for in milliseconds, 0 or less when off.
    pub(crate) fn max_detection_ms(&self) -> i64 {
        self.max_detection_ms
    }

    /// How long the verdict is put off at most, because of bytes unread or a PING written late: half of the
    /// interval and of the PONG timeout, and half of what a bound on the detection time keeps for late
    /// timers.
    pub(crate) fn grace(&self) -> Duration {
        let Limits { interval_ms, pong_timeout_ms } = self.limits();
        let mut wait_ms = interval_ms;
        if pong_timeout_ms > 0 {
            wait_ms = wait_ms.min(pong_timeout_ms);
        }
        if self.max_detection_ms > 0 {
            wait_ms = wait_ms.min(self.margin_ms());
        }
        grace::at_most_for(millis(wait_ms))
    }

    /// How long a dead peer may go unnoticed under the settings in force, without the grace for a busy
    /// client; None when pings are off.
    pub(crate) fn detection_bound(&self) -> Option<Duration> {
        let Limits { interval_ms, pong_timeout_ms } = self.limits();
        if interval_ms <= 0 {
            return None;
        }
        let pings = i64::from(self.max_out.max(0));
        let by_count = interval_ms.saturating_mul(pings + 1);
        let by_timeout = interval_ms.saturating_add(pong_timeout_ms);
        let timeout_counts = pong_timeout_ms > 0 && pings > 0;
        Some(millis(if timeout_counts { by_count.min(by_timeout) } else { by_count }))
    }

    fn limits(&self) -> Limits {
        if self.max_detection_ms <= 0 {
            return self.set;
        }
        let half = ((self.max_detection_ms - self.margin_ms()) / 2).max(1);
        let at_most_half = |set: i64| if set > 0 { set.min(half) } else { half };
        Limits {
            interval_ms: at_most_half(self.set.interval_ms),
            pong_timeout_ms: at_most_half(self.set.pong_timeout_ms),
        }
    }

    /// What a bound on the detection time keeps for late timers.
    fn margin_ms(&self) -> i64 {
        (self.max_detection_ms / 10).min(250)
    }

    fn change(&mut self, now: Moment, edit: impl FnOnce(&mut Liveness)) {
        let before = self.interval_ms();
        edit(self);
        let after = self.interval_ms();
        if !self.running || before == after {
            return;
        }
        if after <= 0 {
            self.due = None;
            self.waiting_since = None;
            self.grace = None;
        } else if before <= 0 {
            self.start_count(now);
        } else {
            self.due = self.due.min(self.due_after(self.last_tick));
        }
    }

    fn start_count(&mut self, now: Moment) {
        self.outstanding = 0;
        self.waiting_since = None;
        self.grace = None;
        self.last_tick = now;
        self.due = self.due_after(now);
    }

    fn due_after(&self, tick: Moment) -> Option<Moment> {
        let interval = self.interval_ms();
        (interval > 0).then(|| tick.saturating_add(millis(interval)))
    }

    fn pong_deadline(&self) -> Option<Moment> {
        let timeout = self.pong_timeout_ms();
        let since = self.waiting_since.filter(|_| timeout > 0)?;
        Some(since.saturating_add(millis(timeout)))
    }

    /// The peer has used up its time.
    fn judge(&mut self, now: Moment, cause: StaleCause, arrivals: Arrivals) -> Tick {
        if self.outstanding == 0 {
            return self.stale(cause); // nothing was asked, so no answer can be on its way
        }
        let late = match (self.waiting_since, self.tried) {
            (Some(since), Some(tried)) => tried.saturating_sub(since),
            _ => Duration::MAX,
        };
        let length = self.grace();
        let grace = self.grace.get_or_insert_with(|| Grace::new(now, length, arrivals));
        if grace.goes_on(now, arrivals, late) { Tick::NotDue } else { self.stale(cause) }
    }

    fn stale(&mut self, cause: StaleCause) -> Tick {
        self.running = false;
        self.cause = Some(cause);
        Tick::Stale
    }

    /// When the clock went backwards, moves all our times back with it: what was due in an interval still is.
    fn observe(&mut self, now: Moment) {
        let back = self.latest.saturating_sub(now);
        self.latest = now;
        if back == Duration::ZERO {
            return;
        }
        self.last_tick = self.last_tick.saturating_sub(back);
        self.due = self.due.map(|due| due.saturating_sub(back));
        self.waiting_since = self.waiting_since.map(|since| since.saturating_sub(back));
        self.tried = self.tried.map(|tried| tried.saturating_sub(back));
        if let Some(grace) = &mut self.grace {
            grace.move_back(back);
        }
    }
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: i64 = 10_000;

    fn at(ms: i64) -> Moment {
        millis(ORIGIN + ms)
    }

    fn started(interval: i64, max_out: i32) -> Liveness {
        let mut live = Liveness::new(interval, max_out);
        live.start(at(0));
        live
    }

    /// What a tick does where every PING is written at once and nothing lies unread.
    fn tick(live: &mut Liveness, now: Moment) -> Tick {
        let tick = live.tick(now, Arrivals::default());
        live.on_ping_tried(now);
        tick
    }

    /// Runs the timer exactly as it asks until `until`; the events with their times since the start.
    fn run(live: &mut Liveness, until: i64) -> Vec<(i64, Tick)> {
        let mut events = Vec::new();
        while let Some(next) = live.next_tick().filter(|next| *next <= at(until)) {
            match tick(live, next) {
                Tick::NotDue => panic!("asked for a tick at {next:?} that was not due"),
                tick => events.push((next.as_millis() as i64 - ORIGIN, tick)),
            }
        }
        events
    }

    fn pings_then_stale(pings: &[i64], stale: i64) -> Vec<(i64, Tick)> {
        let pings = pings.iter().map(|at| (*at, Tick::SendPing));
        pings.chain([(stale, Tick::Stale)]).collect()
    }

    #[test]
    fn a_mute_peer_is_stale_at_tick_max_plus_one() {
        for (max_out, pings, stale) in [
            (2, &[200, 400][..], 600),
            (1, &[200], 400),
            (0, &[], 200),
            (-1, &[], 200),
            (i32::MIN, &[], 200),
            (4, &[200, 400, 600, 800], 1000),
        ] {
            let mut live = started(200, max_out);
            assert_eq!(run(&mut live, 10_000), pings_then_stale(pings, stale), "max {max_out}");
            assert_eq!(live.stale_cause(), Some(StaleCause::MaxPings));
            assert_eq!(live.outstanding(), pings.len() as i32);
        }
    }

    #[test]
    fn the_defaults_find_a_dead_peer_in_six_minutes() {
        let mut live = started(120_000, 2);
        assert_eq!(run(&mut live, i64::from(i32::MAX)), pings_then_stale(&[120_000, 240_000], 360_000));
        assert_eq!(live.detection_bound(), Some(Duration::from_secs(360)));
    }

    #[test]
    fn from_loss_to_stale_takes_more_than_n_and_at_most_n_plus_one_intervals() {
        for lost in 0..1000 {
            let mut live = started(200, 2);
            let stale = loop {
                let next = live.next_tick().unwrap();
                match tick(&mut live, next) {
                    Tick::Stale => break next,
                    _ if next < at(lost) => live.on_pong(),
                    _ => {}
                }
            };
            let took = (stale - at(lost)).as_millis();
            assert!(took > 400 - 1 && took <= 600, "lost at {lost}: {took}");
        }
    }

    #[test]
    fn stale_is_said_once() {
        let mut live = started(200, 0);
        assert_eq!(tick(&mut live, at(200)), Tick::Stale);
        assert_eq!(tick(&mut live, at(200)), Tick::NotDue);
        assert_eq!(tick(&mut live, at(5000)), Tick::NotDue);
        live.set_interval(at(5000), 1);
        assert_eq!(live.next_tick(), None);
        live.start(at(6000));
        assert_eq!(live.stale_cause(), None);
        assert_eq!(live.next_tick(), Some(at(6001)));
    }

    #[test]
    fn intervals_of_zero_or_less_turn_pings_off() {
        for interval in [0, -1, i64::MIN] {
            let mut live = started(interval, 2);
            assert_eq!(live.next_tick(), None);
            assert_eq!(tick(&mut live, at(1 << 40)), Tick::NotDue);
            assert_eq!(live.detection_bound(), None);
            assert_eq!(live.interval_ms(), interval);
        }
    }

    #[test]
    fn nothing_happens_before_the_start_and_after_the_stop() {
        let mut live = Liveness::new(200, 2);
        assert_eq!((live.next_tick(), tick(&mut live, at(900))), (None, Tick::NotDue));
        live.start(at(1000));
        live.stop();
        assert_eq!((live.next_tick(), tick(&mut live, at(9000))), (None, Tick::NotDue));
    }

    #[test]
    fn a_tick_too_early_changes_nothing() {
        let mut live = started(200, 2);
        assert_eq!(tick(&mut live, at(199)), Tick::NotDue);
        assert_eq!((live.outstanding(), live.next_tick()), (0, Some(at(200))));
        assert_eq!(tick(&mut live, at(200)), Tick::SendPing);
        assert_eq!(tick(&mut live, at(200)), Tick::NotDue);
    }

    #[test]
    fn any_pong_resets_the_count() {
        let mut live = started(200, 2);
        live.on_pong();
        assert_eq!(run(&mut live, 400), [(200, Tick::SendPing), (400, Tick::SendPing)]);
        assert_eq!(live.outstanding(), 2);
        live.on_pong();
        assert_eq!(live.outstanding(), 0);
        assert_eq!(run(&mut live, 9000), pings_then_stale(&[600, 800], 1000));
    }

    #[test]
    fn a_pong_does_not_move_the_ticks() {
        let mut live = started(200, 2);
        run(&mut live, 200);
        tick(&mut live, at(350));
        live.on_pong();
        assert_eq!(live.next_tick(), Some(at(400)));
    }

    #[test]
    fn an_answering_peer_lives() {
        let mut live = started(200, 1);
        for n in 1..100 {
            assert_eq!(tick(&mut live, at(200 * n)), Tick::SendPing);
            live.on_pong();
        }
    }

    #[test]
    fn a_reconnect_starts_over() {
        let mut live = started(200, 2);
        run(&mut live, 400);
        live.stop();
        live.start(at(450));
        assert_eq!(live.outstanding(), 0);
        assert_eq!(run(&mut live, 9000), pings_then_stale(&[650, 850], 1050));
    }

    #[test]
    fn ticks_do_not_queue_up_during_a_suspend() {
        let mut live = started(200, 2);
        assert_eq!(tick(&mut live, at(3_600_000)), Tick::SendPing, "a PING goes out at once");
        assert_eq!(tick(&mut live, at(3_600_001)), Tick::NotDue);
        assert_eq!((live.outstanding(), live.next_tick()), (1, Some(at(3_600_200))));
    }

    #[test]
    fn a_clock_that_goes_back_costs_no_tick() {
        let mut live = started(200, 2);
        live.set_pong_timeout(50_000);
        run(&mut live, 200);
        assert_eq!(tick(&mut live, at(300)), Tick::NotDue);
        assert_eq!(tick(&mut live, at(-9000)), Tick::NotDue);
        assert_eq!(live.next_tick(), Some(at(-8900)), "100 ms were left and still are");
        assert_eq!(tick(&mut live, at(-8900)), Tick::SendPing);
        assert_eq!(tick(&mut live, at(-8700)), Tick::Stale);
        live.start(Moment::ZERO);
        assert_eq!(tick(&mut live, Moment::ZERO), Tick::NotDue);
        assert_eq!(live.next_tick(), Some(Duration::from_millis(200)));
    }

    #[test]
    fn extreme_settings_do_not_overflow() {
        let mut live = started(i64::MAX, i32::MAX);
        live.set_pong_timeout(i64::MAX);
        assert!(live.next_tick().is_some_and(|next| next > at(1 << 50)));
        assert_eq!(live.detection_bound(), Some(millis(i64::MAX)));
        live.set_max_detection(i64::MAX);
        assert!(live.detection_bound().is_some());
        live.start(Moment::MAX);
        assert_eq!(live.next_tick(), Some(Moment::MAX));
        assert_eq!(tick(&mut live, Moment::MAX), Tick::SendPing);
        tick(&mut live, Moment::ZERO);
        assert_eq!(live.next_tick(), Some(millis(live.interval_ms())));
    }

    #[test]
    fn a_shorter_interval_acts_now() {
        let mut live = started(10_000, 2);
        live.set_interval(at(300), 1000);
        assert_eq!((live.interval_ms(), live.next_tick()), (1000, Some(at(1000))));
        assert_eq!(run(&mut live, 60_000), pings_then_stale(&[1000, 2000], 3000));

        let mut late = started(10_000, 2);
        late.set_interval(at(4000), 1000);
        assert_eq!(tick(&mut late, at(4000)), Tick::SendPing, "the new interval since the last tick is over");
        assert_eq!(late.next_tick(), Some(at(5000)));
    }

    #[test]
    fn a_longer_interval_keeps_the_ping_already_due() {
        let mut live = started(1000, 2);
        live.set_interval(at(300), 10_000);
        assert_eq!(run(&mut live, 60_000), pings_then_stale(&[1000, 11_000], 21_000));
    }

    #[test]
    fn the_same_interval_changes_nothing() {
        let mut live = started(1000, 2);
        run(&mut live, 1000);
        live.set_interval(at(1900), 1000);
        assert_eq!((live.outstanding(), live.next_tick()), (1, Some(at(2000))));
    }

    #[test]
    fn calls_in_a_loop_neither_hide_a_dead_peer_nor_flood_it() {
        for values in [&[1000][..], &[1000, 1001], &[900, 5000, 1000]] {
            let mut live = started(1000, 2);
            let mut events = Vec::new();
            for now in (0..10_000).step_by(10) {
                live.set_interval(at(now), values[(now as usize / 10) % values.len()]);
                match tick(&mut live, at(now)) {
                    Tick::NotDue => {}
                    tick => events.push((now, tick)),
                }
            }
            let shortest = *values.iter().min().unwrap();
            assert_eq!(events, pings_then_stale(&[shortest, 2 * shortest], 3 * shortest));
        }
    }

    #[test]
    fn changing_the_interval_keeps_the_count() {
        let mut live = started(1000, 2);
        run(&mut live, 2000);
        live.set_interval(at(2100), 500);
        assert_eq!(live.outstanding(), 2);
        assert_eq!(live.next_tick(), Some(at(2500)));
        assert_eq!(tick(&mut live, at(2500)), Tick::Stale);
    }

    #[test]
    fn pings_can_be_turned_off_and_on() {
        let mut live = started(1000, 2);
        run(&mut live, 2000);
        live.set_interval(at(2100), 0);
        assert_eq!((live.next_tick(), tick(&mut live, at(9000))), (None, Tick::NotDue));
        live.set_interval(at(9000), -5);
        assert_eq!(live.interval_ms(), -5);
        live.set_interval(at(9500), 300);
        assert_eq!((live.outstanding(), live.next_tick()), (0, Some(at(9800))));
        assert_eq!(run(&mut live, 60_000), pings_then_stale(&[9800, 10_100], 10_400));
    }

    #[test]
    fn a_connection_made_with_pings_off_can_ping() {
        let mut live = started(0, 1);
        live.set_interval(at(5000), 200);
        assert_eq!(run(&mut live, 60_000), pings_then_stale(&[5200], 5400));
    }

    #[test]
    fn settings_made_while_down_apply_after_the_reconnect() {
        let mut live = started(1000, 2);
        live.stop();
        live.set_interval(at(100), 50);
        live.set_max_out(1);
        assert_eq!((live.next_tick(), live.interval_ms(), live.max_out()), (None, 50, 1));
        live.start(at(500));
        assert_eq!(run(&mut live, 60_000), pings_then_stale(&[550], 600));
    }

    #[test]
    fn the_next_tick_decides_by_the_new_maximum() {
        let mut live = started(200, 5);
        run(&mut live, 600);
        live.set_max_out(2);
        assert_eq!(live.next_tick(), Some(at(800)));
        assert_eq!(tick(&mut live, at(800)), Tick::Stale);

        let mut more = started(200, 1);
        run(&mut more, 200);
        more.set_max_out(3);
        assert_eq!(run(&mut more, 60_000), pings_then_stale(&[400, 600], 800));
    }

    #[test]
    fn a_pong_timeout_comes_before_the_count() {
        let mut live = started(1000, 2);
        live.set_pong_timeout(300);
        assert_eq!(live.detection_bound(), Some(millis(1300)));
        assert_eq!(run(&mut live, 60_000), pings_then_stale(&[1000], 1300));
        assert_eq!(live.stale_cause(), Some(StaleCause::PongTimeout));
    }

    #[test]
    fn the_pong_timeout_runs_from_the_oldest_unanswered_ping() {
        let mut live = started(1000, 9);
        live.set_pong_timeout(2500);
        assert_eq!(run(&mut live, 60_000), pings_then_stale(&[1000, 2000, 3000], 3500));
        let mut answered = started(1000, 9);
        answered.set_pong_timeout(2500);
        run(&mut answered, 2000);
        answered.on_pong();
        assert_eq!(run(&mut answered, 60_000), pings_then_stale(&[3000, 4000, 5000], 5500));
    }

    #[test]
    fn a_long_pong_timeout_leaves_it_to_the_count() {
        let mut live = started(200, 2);
        live.set_pong_timeout(9000);
        assert_eq!(live.detection_bound(), Some(millis(600)));
        assert_eq!(run(&mut live, 60_000), pings_then_stale(&[200, 400], 600));
        assert_eq!(live.stale_cause(), Some(StaleCause::MaxPings));
    }

    #[test]
    fn a_pong_timeout_set_late_covers_the_ping_already_sent() {
        let mut live = started(1000, 2);
        run(&mut live, 1000);
        live.set_pong_timeout(100);
        assert_eq!(live.next_tick(), Some(at(1100)));
        live.set_pong_timeout(0);
        assert_eq!(live.next_tick(), Some(at(2000)));
        live.set_pong_timeout(100);
        live.set_interval(at(1050), 0);
        assert_eq!(tick(&mut live, at(1100)), Tick::NotDue, "pings are off: nothing is stale");
    }

    #[test]
    fn the_detection_time_is_kept_whatever_else_is_set() {
        for bound in [10, 100, 1000, 5000, 60_000] {
            for (interval, max_out) in [(120_000, 2), (0, 2), (200, 2), (120_000, 100), (7, 1), (120_000, 0)]
            {
                let mut live = Liveness::new(interval, max_out);
                live.set_max_detection(bound);
                live.start(at(0));
                let said = live.detection_bound().unwrap();
                assert!(said < millis(bound), "{bound} {interval} {max_out}: {said:?}");
                let events = run(&mut live, 1_000_000);
                let (stale, tick) = *events.last().unwrap();
                assert_eq!(tick, Tick::Stale);
                assert!(millis(stale) <= said, "{bound} {interval} {max_out}: {stale}");
            }
        }
    }

    #[test]
    fn the_detection_time_gives_halves_and_takes_them_back() {
        let mut live = started(120_000, 2);
        live.set_max_detection(1000);
        assert_eq!((live.interval_ms(), live.pong_timeout_ms()), (450, 450));
        assert_eq!(live.next_tick(), Some(at(450)));
        live.set_max_detection(60_000);
        assert_eq!((live.interval_ms(), live.pong_timeout_ms()), (29_875, 29_875));
        live.set_pong_timeout(40);
        live.set_interval(at(10), 30);
        assert_eq!((live.interval_ms(), live.pong_timeout_ms()), (30, 40), "shorter ones stay");
        live.set_max_detection(0);
        assert_eq!((live.interval_ms(), live.pong_timeout_ms()), (30, 40));
        assert_eq!(live.max_detection_ms(), 0);
        live.set_max_detection(1);
        assert_eq!((live.interval_ms(), live.pong_timeout_ms()), (1, 1));
    }

    #[test]
    fn the_detection_time_turns_pings_on() {
        let mut live = started(0, 2);
        assert_eq!(tick(&mut live, at(5000)), Tick::NotDue);
        live.set_max_detection(1000);
        assert_eq!(live.next_tick(), Some(at(5450)));
        live.set_interval(at(5100), 0);
        assert_eq!(live.next_tick(), Some(at(5450)));
        live.set_max_detection(0);
        assert_eq!(live.next_tick(), None);
    }

    const UNREAD: Arrivals = Arrivals { arrived: 6, attended: 0 };
    const READ: Arrivals = Arrivals { arrived: 6, attended: 6 };

    /// Ticks as asked for until the verdict, and tells when that is.
    fn verdict(live: &mut Liveness, arrivals: impl Fn(Moment) -> Arrivals) -> i64 {
        loop {
            let next = live.next_tick().unwrap();
            if live.tick(next, arrivals(next)) == Tick::Stale {
                return next.as_millis() as i64 - ORIGIN;
            }
        }
    }

    #[test]
    fn a_pong_that_lies_unread_saves_the_connection() {
        let mut live = started(500, 1);
        assert_eq!(tick(&mut live, at(500)), Tick::SendPing);
        assert_eq!(live.tick(at(1000), UNREAD), Tick::NotDue);
        assert_eq!(live.next_tick(), Some(at(1001)));
        assert_eq!(live.tick(at(1001), UNREAD), Tick::NotDue);
        live.on_pong();
        assert_eq!(live.tick(live.next_tick().unwrap(), READ), Tick::SendPing, "the PING that was due");
        assert_eq!(live.outstanding(), 1);
    }

    #[test]
    fn a_dead_peer_with_unread_bytes_is_found_half_an_interval_later() {
        for (interval, late) in [(500, 250), (20_000, 5000), (120_000, 5000)] {
            let mut live = started(interval, 1);
            assert_eq!(tick(&mut live, at(interval)), Tick::SendPing);
            assert_eq!(verdict(&mut live, |_| UNREAD), 2 * interval + late);
            assert_eq!(live.stale_cause(), Some(StaleCause::MaxPings));
        }
    }

    #[test]
    fn the_verdict_falls_when_the_bytes_are_read_and_no_pong_is_among_them() {
        let mut live = started(500, 1);
        assert_eq!(tick(&mut live, at(500)), Tick::SendPing);
        // A peer that goes on talking is no reason to wait longer.
        let read_at = |now: Moment| match now {
            now if now < at(1010) => UNREAD,
            _ => Arrivals { arrived: 1 << 30, attended: 6 },
        };
        assert_eq!(verdict(&mut live, read_at), 1015);
    }

    #[test]
    fn a_ping_that_was_written_late_gets_its_time() {
        let mut live = started(500, 1);
        assert_eq!(live.tick(at(500), READ), Tick::SendPing);
        live.on_ping_tried(at(700));
        assert_eq!(verdict(&mut live, |_| READ), 1200);
        let mut never_written = started(500, 1);
        assert_eq!(never_written.tick(at(500), READ), Tick::SendPing);
        assert_eq!(verdict(&mut never_written, |_| READ), 1250);
    }

    #[test]
    fn a_bound_on_the_detection_time_holds_with_the_grace() {
        for bound in [10, 100, 1000, 60_000] {
            for died in 0..200 {
                let mut live = started(120_000, 2);
                live.set_max_detection(bound);
                let died = at(died * bound / 100);
                let stale = loop {
                    let next = live.next_tick().unwrap();
                    match live.tick(next, UNREAD) {
                        Tick::Stale => break next,
                        _ if next < died => live.on_pong(),
                        _ => {}
                    }
                };
                assert!(stale - died <= millis(bound), "bound {bound}: {:?}", stale - died);
            }
        }
    }

    #[test]
    fn nothing_puts_the_verdict_off_when_no_ping_was_sent() {
        assert_eq!(verdict(&mut started(200, 0), |_| UNREAD), 200);
    }
}
