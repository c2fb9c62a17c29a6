//! Gathers what there is to know about a server and the way to it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use nats::doctor::{Connection, Options, Result, without_credentials};
use serde::Serialize;

use crate::args::Args;
use crate::connecting::connected;
use crate::idle::{self, IdleProbe};
use crate::monitor::{self, Monitor};

/// Between two measured round trips.
const PING_GAP: Duration = Duration::from_millis(20);

/// Times are in milliseconds.
#[derive(Default, Serialize)]
pub(crate) struct Facts {
    pub url: String,
    pub connect_ms: f64,
    pub server: Server,
    pub client: Client,
    pub round_trips: RoundTrips,
    pub required_detection_ms: Option<i64>,
    pub monitor: Option<Monitor>,
    /// Why the monitoring endpoint told nothing, if one was given.
    pub monitor_error: Option<String>,
    pub idle: Option<IdleProbe>,
}

/// What INFO says.
#[derive(Default, Serialize)]
pub(crate) struct Server {
    pub id: String,
    pub name: String,
    pub version: String,
    pub max_payload: i64,
    pub headers: bool,
    pub tls_required: bool,
    pub lame_duck: bool,
    pub known_servers: usize,
    pub client_id: u64,
    pub client_ip: Option<String>,
}

/// The settings of this side. Milliseconds, 0 or less: off.
#[derive(Default, Serialize)]
pub(crate) struct Client {
    pub ping_interval_ms: i64,
    pub max_pings_out: i32,
    pub pong_timeout_ms: i64,
    pub max_detection_ms: i64,
    /// When a dead server is found at the latest.
    pub detection_bound_ms: Option<i64>,
}

#[derive(Default, Serialize)]
pub(crate) struct RoundTrips {
    pub measured: usize,
    pub failed: usize,
    pub min_ms: f64,
    pub median_ms: f64,
    pub max_ms: f64,
}

pub(crate) fn examine(args: &Args) -> Result<Facts> {
    let start = Instant::now();
    let connection = connected(args.options()?)?;
    let mut facts = Facts {
        url: public(&args.url),
        connect_ms: ms(start.elapsed()),
        server: server(&connection),
        client: client(&connection, &args.options()?),
        round_trips: round_trips(&connection, args.pings),
        required_detection_ms: args.required_detection,
        ..Facts::default()
    };
    if let Some(address) = &args.monitor {
        match monitor::ask(address, facts.server.client_id) {
            Ok(monitor) => facts.monitor = Some(monitor),
            Err(error) => facts.monitor_error = Some(format!("{address}: {error}")),
        }
    }
    if let Some(seconds) = args.probe_idle {
        facts.idle = Some(idle::probe(args, Duration::from_secs(seconds)));
    }
    connection.close();
    Ok(facts)
}

fn server(connection: &Connection) -> Server {
    let known_servers = connection.servers(false).map_or(0, |urls| urls.len());
    connection.of_server(|_, info| Server {
        id: info.server_id.clone(),
        name: info.server_name.clone(),
        version: info.version.clone(),
        max_payload: info.max_payload,
        headers: info.headers,
        tls_required: info.tls_required,
        lame_duck: info.lame_duck,
        known_servers,
        client_id: info.client_id,
        client_ip: info.client_ip.clone(),
    })
}

fn client(connection: &Connection, options: &Options) -> Client {
    let bound = connection.pulse().ok().and_then(|pulse| pulse.detection_bound);
    Client {
        ping_interval_ms: connection.ping_interval().unwrap_or(options.liveness.ping_interval_ms),
        max_pings_out: options.liveness.max_pings_out,
        pong_timeout_ms: options.liveness.pong_timeout_ms,
        max_detection_ms: options.liveness.max_detection_ms,
        detection_bound_ms: bound.map(|bound| bound.as_millis() as i64),
    }
}

fn round_trips(connection: &Arc<Connection>, count: u32) -> RoundTrips {
    let mut times = Vec::new();
    for n in 0..count {
        if n > 0 {
            std::thread::sleep(PING_GAP);
        }
        match connection.measure_rtt() {
            Ok(time) => times.push(ms(time)),
            Err(_) => break, // ten seconds without an answer: more would not tell more
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |index: usize| times.get(index).copied().unwrap_or_default();
    RoundTrips {
        measured: times.len(),
        failed: usize::from(times.len() < count as usize),
        min_ms: at(0),
        median_ms: at(times.len() / 2),
        max_ms: at(times.len().saturating_sub(1)),
    }
}

/// The URL without what it says of credentials.
pub(crate) fn public(url: &str) -> String {
    let shown = without_credentials(url.as_bytes()).unwrap_or_default();
    String::from_utf8_lossy(&shown).into_owned()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
