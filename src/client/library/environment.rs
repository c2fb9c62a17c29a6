//! Environment variables: reading one, and those by which an operator changes the liveness defaults of a program without
//! touching it.

use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::client::options::LivenessDefaults;
use crate::io::stderr;

const PREFIX: &str = "NATS_DEFAULT_LIB_";
const NAMES: [&str; 5] =
    ["PING_INTERVAL", "MAX_PINGS_OUT", "PONG_TIMEOUT", "MAX_DETECTION_TIME", "TCP_USER_TIMEOUT"];

/// What the environment says; read each time the library opens. A value that is no number from 0 up is ignored, and
/// named on stderr once.
pub fn liveness_defaults() -> LivenessDefaults {
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
    let text = variable(&name)?;
    let value = std::str::from_utf8(&text).ok().and_then(parse);
    if value.is_none() && first_time(index) {
        let text = String::from_utf8_lossy(&text);
        stderr::print(&format!("nats: {name}={text:?} is ignored: it should be a whole number from 0 up\n"));
    }
    value
}

/// What a variable of the environment says. Rust's own way takes a lock that means nothing to a C program, which changes
/// its environment without it.
pub fn variable(name: &str) -> Option<Vec<u8>> {
    let name = CString::new(name).ok()?;
    // SAFETY: a C string; the program changes the environment only while no other thread uses it, as for all of C.
    let text = unsafe { libc::getenv(name.as_ptr()) };
    // SAFETY: NULL or a C string, which stays as long as the environment is not changed.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes().to_vec())
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
