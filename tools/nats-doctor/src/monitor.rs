//! The server's monitoring endpoint.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

const TIMEOUT: Duration = Duration::from_secs(5);
const NS_PER_MS: i64 = 1_000_000;

/// What the endpoint tells of the server and of our connection. Times are in milliseconds.
#[derive(Default, Serialize)]
pub(crate) struct Monitor {
    pub server_id: String,
    pub ping_interval_ms: i64,
    pub ping_max: i64,
    pub write_deadline_ms: i64,
    pub slow_consumers: i64,
    pub stale_connections: i64,
    pub connections: i64,
    pub max_connections: i64,
    pub own: Option<OwnEntry>,
}

/// Our connection as the server sees it.
#[derive(Default, Serialize)]
pub(crate) struct OwnEntry {
    pub rtt: String,
    pub pending_bytes: i64,
    pub idle: String,
}

/// Asks for the server's variables, and for the connection with that number.
pub(crate) fn ask(address: &str, client_id: u64) -> Result<Monitor, String> {
    let base = address.trim_end_matches('/');
    let varz = get(&format!("{base}/varz"))?;
    let own = get(&format!("{base}/connz?cid={client_id}")).ok();
    Ok(Monitor { own: own.and_then(|connz| own_entry(&connz)), ..variables(&varz) })
}

fn get(url: &str) -> Result<Value, String> {
    let config = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).build();
    let mut response = ureq::Agent::new_with_config(config).get(url).call().map_err(|e| e.to_string())?;
    let text = response.body_mut().read_to_string().map_err(|e| e.to_string())?;
    serde_json::from_str(&text).map_err(|e| format!("no JSON: {e}"))
}

fn variables(varz: &Value) -> Monitor {
    let number = |name: &str| varz[name].as_i64().unwrap_or_default();
    Monitor {
        server_id: varz["server_id"].as_str().unwrap_or_default().to_owned(),
        ping_interval_ms: number("ping_interval") / NS_PER_MS,
        ping_max: number("ping_max"),
        write_deadline_ms: number("write_deadline") / NS_PER_MS,
        slow_consumers: number("slow_consumers"),
        stale_connections: number("stale_connections"),
        connections: number("connections"),
        max_connections: number("max_connections"),
        own: None,
    }
}

fn own_entry(connz: &Value) -> Option<OwnEntry> {
    let entry = connz["connections"].get(0)?;
    let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    Some(OwnEntry {
        rtt: text("rtt"),
        pending_bytes: entry["pending_bytes"].as_i64().unwrap_or_default(),
        idle: text("idle"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_become_milliseconds() {
        let (interval, deadline) = (120_000_000_000_i64, 10_000_000_000_i64);
        let varz = json!({"ping_interval": interval, "ping_max": 2, "write_deadline": deadline});
        let monitor = variables(&varz);
        assert_eq!(
            (monitor.ping_interval_ms, monitor.ping_max, monitor.write_deadline_ms),
            (120_000, 2, 10_000)
        );
    }

    #[test]
    fn a_connection_the_server_does_not_know_has_no_entry() {
        assert!(own_entry(&json!({"connections": []})).is_none());
        let own = own_entry(&json!({"connections": [{"rtt": "1ms", "pending_bytes": 7}]})).unwrap();
        assert_eq!((own.rtt.as_str(), own.pending_bytes), ("1ms", 7));
    }
}
