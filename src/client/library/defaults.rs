//! Defaults of what a program does not set: from the library's configuration, or from the environment, by
//! which an operator changes the liveness of a program without touching it.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::io::{environment, stderr};

const PREFIX: &str = "NATS_DEFAULT_LIB_";
const NAMES: [&str; 5] =
    ["PING_INTERVAL", "MAX_PINGS_OUT", "PONG_TIMEOUT", "MAX_DETECTION_TIME", "TCP_USER_TIMEOUT"];

/// Defaults that come from the library's configuration.
#[derive(Clone, Copy, Debug, Default)]
pub struct Defaults {
    /// Milliseconds; 0 is none.
    pub write_deadline_ms: i64,
    pub global_delivery: bool,
    pub liveness: LivenessDefaults,
}

/// Defaults that come from the environment, for what the program does not set. Milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LivenessDefaults {
    pub ping_interval_ms: Option<i64>,
    pub max_pings_out: Option<i32>,
    pub pong_timeout_ms: Option<i64>,
    pub max_detection_ms: Option<i64>,
    pub tcp_user_timeout_ms: Option<i64>,
}

/// What the environment says; read each time the library opens. A value that is no number from 0 up is
/// ignored, and named on stderr once.
pub(super) fn liveness_from_environment() -> LivenessDefaults {
    let [interval, max_out, pong, detection, user] = std::array::from_fn(read);
    LivenessDefaults {
        ping_interval_ms: interval,
        max_pings_out: max_out.map(|n| i32::try_from(n).unwrap_or(i32::MAX)),
        pong_timeout_ms: pong,
        max_detection_ms: detection,
        tcp_user_timeout_ms: user,
    }
}

fn read(index: usize) -> Option<i64> {
    let name = format!("{PREFIX}{}", NAMES[index]);
    let text = environment::variable(&name)?;
    let value = std::str::from_utf8(&text).ok().and_then(parse);
    if value.is_none() && first_time(index) {
        let text = String::from_utf8_lossy(&text);
        stderr::print(&format!("nats: {name}={text:?} is ignored: it should be a whole number from 0 up\n"));
    }
    value
}

fn parse(text: &str) -> Option<i64> {
    text.trim().parse().ok().filter(|n| *n >= 0)
}

fn first_time(index: usize) -> bool {
    static WARNED: AtomicU32 = AtomicU32::new(0);
    WARNED.fetch_or(1 << index, Ordering::Relaxed) & (1 << index) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_from_zero_up_count() {
        assert_eq!(["0", " 250 ", "9223372036854775807"].map(parse), [Some(0), Some(250), Some(i64::MAX)]);
        for bad in ["", "-1", "1.5", "30s", "0x10", "9223372036854775808", "many"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
