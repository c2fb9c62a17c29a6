//! When a silent connection is found stale.

use std::ffi::c_int;

use crate::ffi::support::{self, *};
use crate::ffi::types::*;

/// Sets the time between the pings that show whether the server is still there. Default: 120000.
///
/// @param opts the options.
/// @param interval in milliseconds; 0 or less sends no pings.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetPingInterval(opts: *mut natsOptions, interval: i64) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetPingInterval", opts, |opts| opts.liveness.ping_interval_ms = interval) }
}

/// Sets how many pings may be unanswered. When the next one would be sent the connection counts as lost
/// (#NATS_STALE_CONNECTION). Default: 2.
///
/// @param opts the options.
/// @param maxPingsOut 0 or less: the connection is lost when the first ping would be sent.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetMaxPingsOut(
    opts: *mut natsOptions,
    maxPingsOut: c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetMaxPingsOut", opts, |opts| opts.liveness.max_pings_out = maxPingsOut) }
}

/// Extension. Lets a connection count as stale once a keep-alive PING is unanswered for a time, if that comes
/// before the limit of natsOptions_SetMaxPingsOut(). Default: 0, or what `NATS_DEFAULT_LIB_PONG_TIMEOUT`
/// says.
///
/// @param opts the options.
/// @param ms in milliseconds; 0 for no limit.
/// @return #NATS_OK; #NATS_INVALID_ARG for NULL or a negative time.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsOptions_SetPongTimeout(opts: *mut natsOptions, ms: i64) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetPongTimeout", opts, |opts| opts.liveness.set_pong_timeout(ms)) }
}

/// Extension. Has a dead server found within a time, whatever the program is doing: the one knob to turn.
///
/// Ping interval, PONG timeout and TCP user timeout are derived from it: half of the time each for interval
/// and PONG timeout, after a margin of a tenth (at most 250 ms) for late timers. Shorter values set otherwise
/// stay in force; a ping interval of 0 does not turn the PINGs off while this is set. Default: 0, or what
/// `NATS_DEFAULT_LIB_MAX_DETECTION_TIME` says.
///
/// @code{.c}
/// natsOptions_SetMaxDetectionTime(opts, 5000); // a PING every 2.375 s, each to be answered within 2.375 s
/// @endcode
///
/// @param opts the options.
/// @param ms in milliseconds; 0 for no bound. Well above the round-trip time, or a slow network looks dead.
/// @return #NATS_OK; #NATS_INVALID_ARG for NULL or a negative time.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsOptions_SetMaxDetectionTime(
    opts: *mut natsOptions,
    ms: i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetMaxDetectionTime", opts, |opts| opts.liveness.set_max_detection(ms)) }
}

/// Extension. Lets the system probe idle connections (`SO_KEEPALIVE`), on every socket, those made for a
/// reconnect or by a proxy handler included. It keeps middleboxes from forgetting a connection; a program
/// that does not answer is not found that way, its system still is alive. No effect on sockets that are not
/// TCP. Default: off.
///
/// @param opts the options.
/// @param on false leaves the sockets alone.
/// @param idle seconds without traffic before the first probe; 0 for the system's value.
/// @param interval seconds between probes; 0 for the system's value.
/// @param count unanswered probes until the socket fails; 0 for the system's value.
/// @return #NATS_OK; #NATS_INVALID_ARG for NULL or a negative number.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsOptions_SetTCPKeepAlive(
    opts: *mut natsOptions,
    on: bool,
    idle: c_int,
    interval: c_int,
    count: c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        support::on("natsOptions_SetTCPKeepAlive", opts, |opts| {
            opts.liveness.set_tcp_keep_alive(on.then_some([idle, interval, count]))
        })
    }
}

/// Extension. Lets a socket fail when the peer's system has acknowledged nothing, or taken nothing, of what
/// was sent for a time (`TCP_USER_TIMEOUT`), on every socket. Finds a dead peer only while something is being
/// sent. No effect where the system has none. Default: 0, or what `NATS_DEFAULT_LIB_TCP_USER_TIMEOUT` says.
///
/// @param opts the options.
/// @param ms in milliseconds; 0 for the system's value, about 15 minutes.
/// @return #NATS_OK; #NATS_INVALID_ARG for NULL or a negative time.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsOptions_SetTCPUserTimeout(opts: *mut natsOptions, ms: i64) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetTCPUserTimeout", opts, |opts| opts.liveness.set_tcp_user_timeout(ms)) }
}
