//! What the facts mean: symptom, cause, evidence, and what to change.

use nats::doctor::{Disconnect, Error, Reason, Status};
use serde::Serialize;

use crate::examine::{Facts, public};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Good to know.
    Advice,
    Warning,
}

#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    pub level: Level,
    pub symptom: String,
    pub cause: String,
    pub evidence: String,
    pub change: String,
}

/// A detection time this long surprises most people.
const LONG_DETECTION_MS: i64 = 60_000;
/// Round trips are uneven when the longest is that many times the median, and more than a few milliseconds.
const UNEVEN_FACTOR: f64 = 10.0;
const UNEVEN_MS: f64 = 50.0;

pub(crate) fn of_facts(facts: &Facts) -> Vec<Finding> {
    let rules =
        [detection, false_alarms, round_trips, idle_timeout, lame_duck, monitor_unreachable, write_deadline];
    let counters = [slow_consumers, stale_connections, pending_bytes, connection_limit, other_server];
    rules.iter().chain(&counters).filter_map(|rule| rule(facts)).collect()
}

fn detection(facts: &Facts) -> Option<Finding> {
    let client = &facts.client;
    let wanted = facts.required_detection_ms;
    let Some(bound) = client.detection_bound_ms else {
        return Some(Finding {
            level: Level::Warning,
            symptom: "a server that falls silent is never noticed".into(),
            cause: "this client sends no PINGs".into(),
            evidence: format!("ping interval {} ms", client.ping_interval_ms),
            change: "call natsConnection_SetPingInterval(nc, 30) (seconds), or set \
                NATS_DEFAULT_LIB_PING_INTERVAL=30000 (milliseconds): a dead server is found within 90 s"
                .into(),
        });
    };
    let limit = wanted.unwrap_or(LONG_DETECTION_MS);
    (bound > limit).then(|| Finding {
        level: if wanted.is_some() { Level::Warning } else { Level::Advice },
        symptom: format!("a dead server is noticed after up to {}", seconds(bound)),
        cause: "a connection counts as stale one interval after the last PING it may leave unanswered".into(),
        evidence: format!(
            "interval {} x ({} pings out + 1) = {}",
            seconds(client.ping_interval_ms),
            client.max_pings_out,
            seconds(bound)
        ),
        change: format!(
            "call natsOptions_SetMaxDetectionTime(opts, {limit}) or natsConnection_SetMaxDetectionTime(nc, \
             {limit}), or set NATS_DEFAULT_LIB_MAX_DETECTION_TIME={limit} (milliseconds): found within {}",
            seconds(limit)
        ),
    })
}

/// PINGs that cannot be answered in time.
fn false_alarms(facts: &Facts) -> Option<Finding> {
    let client = &facts.client;
    let patience = match (client.detection_bound_ms?, client.pong_timeout_ms) {
        (bound, 1..) => bound.min(client.pong_timeout_ms),
        (bound, _) => (bound - client.ping_interval_ms).max(client.ping_interval_ms),
    };
    let longest = facts.round_trips.max_ms;
    (longest * 2.0 > patience as f64).then(|| Finding {
        level: Level::Warning,
        symptom: "connections may be given up although the server is well".into(),
        cause: "an answer may take longer than this client waits for it".into(),
        evidence: format!("longest round trip {longest:.1} ms, patience {patience} ms"),
        change: format!(
            "allow {} ms or more: natsOptions_SetPongTimeout(), natsOptions_SetPingInterval() or \
             natsOptions_SetMaxDetectionTime()",
            (longest * 4.0).ceil().max(100.0)
        ),
    })
}

fn round_trips(facts: &Facts) -> Option<Finding> {
    let trips = &facts.round_trips;
    if trips.failed > 0 {
        return Some(Finding {
            level: Level::Warning,
            symptom: "a PING was not answered within 10 s".into(),
            cause: "the server or the network stopped answering while it was being examined".into(),
            evidence: format!("{} answered, then none", trips.measured),
            change: "run nats-doctor --watch to see it happen".into(),
        });
    }
    (trips.max_ms > UNEVEN_MS && trips.max_ms > UNEVEN_FACTOR * trips.median_ms).then(|| Finding {
        level: Level::Warning,
        symptom: "some answers take much longer than others".into(),
        cause: "loss on the path, a full link, or a server that is busy".into(),
        evidence: format!(
            "median {:.2} ms, longest {:.1} ms of {} round trips",
            trips.median_ms, trips.max_ms, trips.measured
        ),
        change: format!("keep PONG timeouts above {:.0} ms", trips.max_ms * 4.0),
    })
}

fn idle_timeout(facts: &Facts) -> Option<Finding> {
    let idle = facts.idle.as_ref()?;
    let Some(died) = idle.died_s else {
        return idle.disturbed.then(|| Finding {
            level: Level::Advice,
            symptom: "longer idle times could not be tried".into(),
            cause: "the server sends PINGs of its own, which keep the path open".into(),
            evidence: format!("an idle connection lives for {} s at least", idle.survived_s),
            change: "nothing: the server's ping_interval protects these connections too".into(),
        });
    };
    let interval = facts.client.ping_interval_ms;
    let safe = (idle.survived_s / 2).max(1);
    let harmless = interval > 0 && interval < idle.survived_s as i64 * 1000;
    Some(Finding {
        level: if harmless { Level::Advice } else { Level::Warning },
        symptom: "idle connections die without a word".into(),
        cause: "a load balancer, NAT or firewall on the path forgets them".into(),
        evidence: format!("after {} s idle it still worked, after {died} s no more", idle.survived_s),
        change: if harmless {
            format!("nothing: the ping interval of {} is short enough", seconds(interval))
        } else {
            format!(
                "call natsConnection_SetPingInterval(nc, {safe}) (seconds), or set \
                 NATS_DEFAULT_LIB_PING_INTERVAL={}000; or \
                 natsOptions_SetTCPKeepAlive(opts, true, {safe}, {safe}, 3); or raise the idle timeout of \
                 the middlebox",
                safe
            )
        },
    })
}

fn lame_duck(facts: &Facts) -> Option<Finding> {
    facts.server.lame_duck.then(|| Finding {
        level: Level::Warning,
        symptom: "this connection will be closed soon".into(),
        cause: "the server is in lame-duck mode: it is about to shut down".into(),
        evidence: "INFO says ldm".into(),
        change: "nothing if the client knows other servers of the cluster; else give it their URLs".into(),
    })
}

fn monitor_unreachable(facts: &Facts) -> Option<Finding> {
    facts.monitor_error.as_ref().map(|error| Finding {
        level: Level::Warning,
        symptom: "the server's settings could not be read".into(),
        cause: "its monitoring endpoint does not answer".into(),
        evidence: error.clone(),
        change: "check the address, and http_port in the server's configuration".into(),
    })
}

fn write_deadline(facts: &Facts) -> Option<Finding> {
    let deadline = facts.monitor.as_ref()?.write_deadline_ms;
    let longest = facts.round_trips.max_ms;
    (deadline > 0 && (deadline < 1000 || longest * 4.0 > deadline as f64)).then(|| Finding {
        level: Level::Warning,
        symptom: "the server may cut off clients that pause only briefly".into(),
        cause: "its write_deadline is short for this path".into(),
        evidence: format!("write_deadline {deadline} ms, longest round trip {longest:.1} ms"),
        change: "raise write_deadline in the server's configuration (its default is 10s)".into(),
    })
}

fn slow_consumers(facts: &Facts) -> Option<Finding> {
    let count = facts.monitor.as_ref()?.slow_consumers;
    (count > 0).then(|| Finding {
        level: Level::Warning,
        symptom: "clients are disconnected as slow consumers".into(),
        cause: "they did not read what they subscribed to within the server's write_deadline or \
            max_pending"
            .into(),
        evidence: format!("slow_consumers {count} since the server started"),
        change: "make message handlers faster or subscribe to less; natsOptions_SetDisconnectedErrCB() \
            tells a program when it is the one"
            .into(),
    })
}

fn stale_connections(facts: &Facts) -> Option<Finding> {
    let monitor = facts.monitor.as_ref()?;
    (monitor.stale_connections > 0).then(|| Finding {
        level: Level::Warning,
        symptom: "the server gave up on clients that did not answer its PINGs".into(),
        cause: "clients that died or lost their network; or programs that stood still, such as in a \
            debugger or a suspended machine"
            .into(),
        evidence: format!(
            "stale_connections {} since the server started; it waits {} x ({} + 1)",
            monitor.stale_connections,
            seconds(monitor.ping_interval_ms),
            monitor.ping_max
        ),
        change: "on clients, natsConnection_GetLiveness() shows StaleByServer; on the server, ping_interval \
            and ping_max"
            .into(),
    })
}

fn pending_bytes(facts: &Facts) -> Option<Finding> {
    let own = facts.monitor.as_ref()?.own.as_ref()?;
    (own.pending_bytes > 0).then(|| Finding {
        level: Level::Advice,
        symptom: "the server has bytes for this connection that the path has not taken".into(),
        cause: "a slow path".into(),
        evidence: format!("pending_bytes {}", own.pending_bytes),
        change: "look again with --watch".into(),
    })
}

fn connection_limit(facts: &Facts) -> Option<Finding> {
    let monitor = facts.monitor.as_ref()?;
    let close = monitor.max_connections > 0 && monitor.connections * 10 >= monitor.max_connections * 9;
    close.then(|| Finding {
        level: Level::Warning,
        symptom: "new connections may soon be refused".into(),
        cause: "the server is near its limit of connections".into(),
        evidence: format!("{} of {}", monitor.connections, monitor.max_connections),
        change: "raise max_connections in the server's configuration".into(),
    })
}

fn other_server(facts: &Facts) -> Option<Finding> {
    let monitor = facts.monitor.as_ref()?;
    (monitor.server_id != facts.server.id).then(|| Finding {
        level: Level::Warning,
        symptom: "the monitoring endpoint belongs to another server".into(),
        cause: "URL and --monitor lead to different servers, such as two nodes of a cluster".into(),
        evidence: format!("connected to {}, monitoring {}", facts.server.id, monitor.server_id),
        change: "give the monitoring address of the same server".into(),
    })
}

pub(crate) fn of_failed_connect(url: &str, error: &Error) -> Finding {
    let (cause, change) = match error.status() {
        Status::NoServer => ("nothing listens there, or the name does not resolve", "check host and port"),
        Status::Timeout => (
            "packets are dropped on the way, the server stands still, or it takes longer than the connect \
             timeout",
            "check firewalls; natsOptions_SetTimeout(opts, 5000) waits 5 s (milliseconds)",
        ),
        Status::ConnectionAuthFailed => {
            ("the server does not accept the credentials", "check --creds, --user, --token")
        }
        Status::SecureConnectionWanted => ("this side wants TLS, the server does not", "leave out --tls"),
        Status::SecureConnectionRequired | Status::SslError => (
            "TLS did not come about",
            "see that the certificate is valid for that name; --tls-ca FILE trusts its authority",
        ),
        _ => ("see the evidence", "check that a NATS server is at that address"),
    };
    Finding {
        level: Level::Warning,
        symptom: format!("no connection to {}", public(url)),
        cause: cause.into(),
        evidence: format!("{}: {}", error.status().text(), error.text()),
        change: change.into(),
    }
}

/// Explains a loss while watching.
pub(crate) fn of_disconnect(lost: &Disconnect) -> Finding {
    let (cause, change) = cause_and_change(lost.reason);
    Finding {
        level: if lost.reason == Reason::ClosedByUser { Level::Advice } else { Level::Warning },
        symptom: format!(
            "lost {}: {}",
            String::from_utf8_lossy(&lost.server_url),
            if lost.text.is_empty() { lost.status.text() } else { &lost.text }
        ),
        cause: cause.into(),
        evidence: traces_of(lost),
        change: change.into(),
    }
}

fn cause_and_change(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::MaxPings => (
            "the server or the path stopped answering PINGs",
            "if this comes too late, shorten natsConnection_SetPingInterval(); if the server was only busy, \
             allow more with natsConnection_SetMaxPingsOut()",
        ),
        Reason::PongTimeout => (
            "a PING was not answered in time",
            "if the server was only busy, allow more with natsConnection_SetPongTimeout()",
        ),
        Reason::ServerStale => (
            "the server missed the PONGs of this side: this program stood still, or the path to the server \
             lost them",
            "the server's ping_interval and ping_max; see that the machine is not suspended or starved",
        ),
        Reason::ServerErr => ("the server said so", "see the server's log"),
        Reason::ServerClosed => (
            "the server ended the connection: a shutdown, a restart, or a slow consumer",
            "see the server's log; give the client the URLs of other servers",
        ),
        Reason::IoError => (
            "the socket failed: the server's process or machine ended, or a middlebox cut the connection",
            "if it happens after idle times, try --probe-idle and a shorter ping interval",
        ),
        Reason::TcpTimeout => {
            ("nothing of what was sent was acknowledged", "check the path; the machine may be gone")
        }
        Reason::WriteDeadline => (
            "the server did not take data within the write deadline",
            "natsOptions_SetWriteDeadline(), or see why the server is slow",
        ),
        Reason::ProtocolError => {
            ("what arrived is no NATS protocol", "a proxy that speaks something else, or a wrong port")
        }
        Reason::Auth => ("the server no longer accepts the credentials", "renew them"),
        Reason::Forced | Reason::ClosedByUser => ("this side ended it", "nothing"),
    }
}

/// What was known of the connection when it was lost.
fn traces_of(lost: &Disconnect) -> String {
    let silent = lost.since_in.map_or(-1, |age| age.as_millis() as i64);
    let known = |n: Option<u32>| n.map_or("unknown".to_owned(), |n| n.to_string());
    format!(
        "{} pings unanswered, {silent} ms since the last byte came in, {} bytes unsent, TCP retransmits {}, \
         unacknowledged segments {}{}",
        lost.pings_outstanding,
        lost.bytes_unsent,
        known(lost.tcp_retransmits),
        known(lost.tcp_unacked),
        if lost.lame_duck { ", the server had announced its shutdown" } else { "" }
    )
}

fn seconds(ms: i64) -> String {
    if ms % 1000 == 0 { format!("{} s", ms / 1000) } else { format!("{:.3} s", ms as f64 / 1e3) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examine::{Client, RoundTrips};
    use crate::idle::IdleProbe;
    use crate::monitor::Monitor;

    fn healthy() -> Facts {
        Facts {
            client: Client {
                ping_interval_ms: 10_000,
                max_pings_out: 2,
                detection_bound_ms: Some(30_000),
                ..Client::default()
            },
            round_trips: RoundTrips {
                measured: 20,
                min_ms: 0.1,
                median_ms: 0.2,
                max_ms: 0.9,
                ..RoundTrips::default()
            },
            ..Facts::default()
        }
    }

    fn symptoms(facts: &Facts) -> Vec<String> {
        of_facts(facts).into_iter().map(|finding| finding.symptom).collect()
    }

    #[test]
    fn nothing_is_said_about_a_healthy_connection() {
        assert!(of_facts(&healthy()).is_empty());
        let monitor = Monitor {
            write_deadline_ms: 10_000,
            connections: 1,
            max_connections: 65536,
            ..Monitor::default()
        };
        assert!(of_facts(&Facts { monitor: Some(monitor), ..healthy() }).is_empty());
    }

    #[test]
    fn a_late_detection_is_a_warning_only_when_a_time_is_required() {
        let mut facts = healthy();
        facts.client.detection_bound_ms = Some(360_000);
        assert_eq!(of_facts(&facts)[0].level, Level::Advice);
        facts.required_detection_ms = Some(10_000);
        let finding = &of_facts(&facts)[0];
        assert_eq!(finding.level, Level::Warning);
        assert!(
            finding.change.contains("natsOptions_SetMaxDetectionTime(opts, 10000)"),
            "{}",
            finding.change
        );
    }

    #[test]
    fn no_pings_are_a_warning() {
        let mut facts = healthy();
        facts.client = Client::default();
        assert_eq!(symptoms(&facts), ["a server that falls silent is never noticed"]);
    }

    #[test]
    fn a_slow_path_and_a_short_patience_do_not_go_together() {
        let mut facts = healthy();
        facts.client.pong_timeout_ms = 100;
        facts.round_trips.max_ms = 80.0;
        facts.round_trips.median_ms = 40.0;
        assert_eq!(symptoms(&facts), ["connections may be given up although the server is well"]);
    }

    #[test]
    fn an_idle_timeout_matters_when_pings_are_rarer() {
        let mut facts = healthy();
        facts.idle = Some(IdleProbe { survived_s: 60, died_s: Some(90), disturbed: false });
        assert_eq!(of_facts(&facts)[0].level, Level::Advice);
        facts.client.ping_interval_ms = 120_000;
        let finding = &of_facts(&facts)[0];
        assert_eq!(finding.level, Level::Warning);
        assert!(finding.change.contains("natsConnection_SetPingInterval(nc, 30)"), "{}", finding.change);
    }

    #[test]
    fn counters_of_the_server_are_explained() {
        let monitor = Monitor {
            slow_consumers: 3,
            stale_connections: 2,
            connections: 95,
            max_connections: 100,
            ..Monitor::default()
        };
        assert_eq!(of_facts(&Facts { monitor: Some(monitor), ..healthy() }).len(), 3);
    }

    #[test]
    fn a_failed_connect_names_its_cause() {
        let finding = of_failed_connect("nats://u:secret@h:1", &Error::from(Status::NoServer));
        assert!(!finding.symptom.contains("secret"));
        assert!(finding.change.contains("port"));
    }
}
