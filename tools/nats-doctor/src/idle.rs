//! Finds out after how long the path forgets an idle connection: several connections stay idle for growing
//! times at once, then each says PING.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use nats::doctor::Connection;
use serde::Serialize;

use crate::args::Args;
use crate::connecting::connected;

/// The first idle time tried; each further one is half as long again.
const FIRST: Duration = Duration::from_secs(5);
/// How long the answer may take after the idle time.
const ANSWER_MS: i64 = 5000;

/// Seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct IdleProbe {
    /// The longest idle time a connection outlived.
    pub survived_s: u64,
    /// The shortest one after which it was dead.
    pub died_s: Option<u64>,
    /// The server's own PINGs kept the longer probes from being idle: they tell nothing.
    pub disturbed: bool,
}

enum Ending {
    Alive,
    Dead,
    /// The server said something meanwhile.
    Disturbed,
    NoConnection,
}

pub(crate) fn probe(args: &Args, limit: Duration) -> IdleProbe {
    let times = idle_times(limit);
    let endings: Vec<(Duration, Ending)> = thread::scope(|scope| {
        let probes: Vec<_> =
            times.iter().map(|time| (*time, scope.spawn(|| stay_idle(args, *time)))).collect();
        probes.into_iter().map(|(time, probe)| (time, probe.join().unwrap_or(Ending::NoConnection))).collect()
    });
    sum_up(&endings)
}

fn idle_times(limit: Duration) -> Vec<Duration> {
    let mut times = Vec::new();
    let mut next = FIRST.min(limit);
    while next < limit {
        times.push(next);
        next = next * 3 / 2;
    }
    times.push(limit);
    times
}

fn stay_idle(args: &Args, time: Duration) -> Ending {
    let Ok(mut options) = args.options() else { return Ending::NoConnection };
    options.liveness.ping_interval_ms = 0;
    options.liveness.max_detection_ms = 0;
    options.reconnect.allow = false;
    let Ok(connection) = connected(options) else { return Ending::NoConnection };
    thread::sleep(Duration::from_millis(2500)); // the server's first PING comes after about two seconds
    let before = server_pings(&connection);
    thread::sleep(time);
    let disturbed = server_pings(&connection) != before;
    let alive = connection.flush(ANSWER_MS).is_ok();
    connection.close();
    match (alive, disturbed) {
        (false, _) => Ending::Dead,
        (true, false) => Ending::Alive,
        (true, true) => Ending::Disturbed,
    }
}

fn server_pings(connection: &Arc<Connection>) -> Option<u64> {
    connection.pulse().ok().map(|pulse| pulse.server_pings)
}

fn sum_up(endings: &[(Duration, Ending)]) -> IdleProbe {
    let mut probe = IdleProbe::default();
    for (time, ending) in endings {
        let seconds = time.as_secs();
        match ending {
            Ending::Alive => probe.survived_s = probe.survived_s.max(seconds),
            Ending::Dead => probe.died_s = Some(probe.died_s.map_or(seconds, |died| died.min(seconds))),
            Ending::Disturbed => probe.disturbed = true,
            Ending::NoConnection => {}
        }
    }
    probe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_grow_up_to_the_limit() {
        let seconds =
            |limit| idle_times(Duration::from_secs(limit)).iter().map(Duration::as_secs).collect::<Vec<_>>();
        assert_eq!(seconds(3), [3]);
        assert_eq!(seconds(20), [5, 7, 11, 16, 20]);
    }

    #[test]
    fn the_limit_is_between_the_last_survivor_and_the_first_dead() {
        let at = Duration::from_secs;
        let endings =
            [(at(5), Ending::Alive), (at(7), Ending::Alive), (at(11), Ending::Dead), (at(16), Ending::Dead)];
        assert_eq!(sum_up(&endings), IdleProbe { survived_s: 7, died_s: Some(11), disturbed: false });
        assert!(sum_up(&[(at(5), Ending::Disturbed)]).disturbed);
    }
}
