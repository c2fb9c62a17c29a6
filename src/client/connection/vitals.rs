//! What a connection knows of its own pulse: counters and times that can be read at any moment without a
//! lock.

use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::io::clock;
use crate::session::liveness::Liveness;

/// Weight of a new round trip in the smoothed one: 1/8, as TCP has it.
const SMOOTHING: i64 = 8;

/// Written by whoever reads, writes and ticks; each value has one writer at a time.
#[derive(Default)]
pub(crate) struct Vitals {
    pings_sent: AtomicU64,
    pongs_received: AtomicU64,
    server_pings: AtomicU64,
    outstanding: AtomicI32,
    /// Milliseconds on the liveness clock plus 1; 0: never.
    last_in: AtomicU64,
    last_out: AtomicU64,
    /// Nanoseconds; 0: none measured.
    rtt_last: AtomicI64,
    rtt_min: AtomicI64,
    rtt_max: AtomicI64,
    rtt_smoothed: AtomicI64,
    stale_by_client: AtomicU64,
    stale_by_server: AtomicU64,
    longest_stall_ms: AtomicU64,
    queued: AtomicU64,
    /// Milliseconds; 0: pings are off.
    bound_ms: AtomicI64,
}

/// The pulse at one moment. Times that do not exist are `None`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pulse {
    /// PINGs written for any reason, and PONGs read, over all sockets.
    pub pings_sent: u64,
    pub pongs_received: u64,
    pub server_pings: u64,
    /// Keep-alive PINGs unanswered.
    pub outstanding: i32,
    pub since_in: Option<Duration>,
    pub since_out: Option<Duration>,
    pub rtt_last: Option<Duration>,
    pub rtt_min: Option<Duration>,
    pub rtt_max: Option<Duration>,
    pub rtt_smoothed: Option<Duration>,
    pub stale_by_client: u64,
    pub stale_by_server: u64,
    pub longest_write_stall: Duration,
    /// Bytes in the library's own buffer.
    pub buffered: u64,
    /// Bytes the system has not got acknowledged by the peer; unknown without a socket.
    pub in_socket: Option<u64>,
    /// How long a dead peer may go unnoticed; `None` when pings are off.
    pub detection_bound: Option<Duration>,
}

impl Vitals {
    /// Bytes arrived.
    #[inline]
    pub(crate) fn note_in(&self) {
        self.last_in.store(stamp(), Relaxed);
    }

    /// The socket took bytes.
    #[inline]
    pub(crate) fn note_out(&self) {
        self.last_out.store(stamp(), Relaxed);
    }

    pub(crate) fn note_ping(&self) {
        self.pings_sent.fetch_add(1, Relaxed);
    }

    pub(crate) fn note_server_ping(&self) {
        self.server_pings.fetch_add(1, Relaxed);
    }

    pub(crate) fn note_pong(&self, rtt: Option<Duration>) {
        self.pongs_received.fetch_add(1, Relaxed);
        if let Some(rtt) = rtt {
            self.note_rtt(i64::try_from(rtt.as_nanos()).unwrap_or(i64::MAX).max(1));
        }
    }

    fn note_rtt(&self, rtt: i64) {
        let first = self.rtt_last.swap(rtt, Relaxed) == 0;
        let smoothed = self.rtt_smoothed.load(Relaxed);
        let (min, max) = (self.rtt_min.load(Relaxed), self.rtt_max.load(Relaxed));
        self.rtt_min.store(if first { rtt } else { min.min(rtt) }, Relaxed);
        self.rtt_max.store(max.max(rtt), Relaxed);
        self.rtt_smoothed.store(if first { rtt } else { smoothed + (rtt - smoothed) / SMOOTHING }, Relaxed);
    }

    pub(crate) fn note_stale(&self, by_server: bool) {
        let counter = if by_server { &self.stale_by_server } else { &self.stale_by_client };
        counter.fetch_add(1, Relaxed);
    }

    /// The socket took no bytes for that long.
    pub(crate) fn note_stall(&self, stall: Duration) {
        self.longest_stall_ms.fetch_max(stall.as_millis() as u64, Relaxed);
    }

    /// What the write buffer held when last looked at.
    pub(crate) fn note_queued(&self, bytes: usize) {
        self.queued.store(bytes as u64, Relaxed);
    }

    /// Takes over what the keep-alive state says.
    pub(crate) fn mirror(&self, live: &Liveness) {
        self.outstanding.store(live.outstanding(), Relaxed);
        let bound = live.detection_bound().map_or(0, |bound| bound.as_millis().min(i64::MAX as u128) as i64);
        self.bound_ms.store(bound, Relaxed);
    }

    /// How long nothing arrived; `None` if nothing ever did.
    pub(crate) fn since_in(&self) -> Option<Duration> {
        age(&self.last_in)
    }

    pub(crate) fn since_out(&self) -> Option<Duration> {
        age(&self.last_out)
    }

    pub(crate) fn rtt_smoothed(&self) -> Option<Duration> {
        nanos(&self.rtt_smoothed)
    }

    /// Everything but `in_socket`.
    pub(crate) fn pulse(&self) -> Pulse {
        let bound = self.bound_ms.load(Relaxed);
        Pulse {
            pings_sent: self.pings_sent.load(Relaxed),
            pongs_received: self.pongs_received.load(Relaxed),
            server_pings: self.server_pings.load(Relaxed),
            outstanding: self.outstanding.load(Relaxed),
            since_in: self.since_in(),
            since_out: self.since_out(),
            rtt_last: nanos(&self.rtt_last),
            rtt_min: nanos(&self.rtt_min),
            rtt_max: nanos(&self.rtt_max),
            rtt_smoothed: self.rtt_smoothed(),
            stale_by_client: self.stale_by_client.load(Relaxed),
            stale_by_server: self.stale_by_server.load(Relaxed),
            longest_write_stall: Duration::from_millis(self.longest_stall_ms.load(Relaxed)),
            buffered: self.queued.load(Relaxed),
            in_socket: None,
            detection_bound: (bound > 0).then(|| Duration::from_millis(bound as u64)),
        }
    }
}

fn stamp() -> u64 {
    clock::now().as_millis() as u64 + 1
}

fn age(at: &AtomicU64) -> Option<Duration> {
    match at.load(Relaxed) {
        0 => None,
        at => Some(Duration::from_millis(stamp().saturating_sub(at))),
    }
}

fn nanos(value: &AtomicI64) -> Option<Duration> {
    match value.load(Relaxed) {
        0 => None,
        ns => Some(Duration::from_nanos(ns as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_are_smoothed() {
        let vitals = Vitals::default();
        assert!(vitals.pulse().rtt_last.is_none());
        let ms = Duration::from_millis;
        for rtt in [8, 16, 4] {
            vitals.note_pong(Some(ms(rtt)));
        }
        vitals.note_pong(None);
        let pulse = vitals.pulse();
        assert_eq!(pulse.pongs_received, 4);
        assert_eq!((pulse.rtt_last, pulse.rtt_min, pulse.rtt_max), (Some(ms(4)), Some(ms(4)), Some(ms(16))));
        assert_eq!(pulse.rtt_smoothed, Some(Duration::from_micros(8375)));
    }

    #[test]
    fn what_never_happened_has_no_age() {
        let vitals = Vitals::default();
        assert!(vitals.since_in().is_none() && vitals.since_out().is_none());
        vitals.note_in();
        assert!(vitals.since_in().is_some_and(|age| age < Duration::from_secs(60)));
        assert!(vitals.since_out().is_none());
    }

    #[test]
    fn the_longest_stall_stays() {
        let vitals = Vitals::default();
        vitals.note_stall(Duration::from_millis(70));
        vitals.note_stall(Duration::from_millis(30));
        assert_eq!(vitals.pulse().longest_write_stall, Duration::from_millis(70));
    }
}
