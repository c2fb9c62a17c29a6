//! Liveness: what the reference does not have, to set and see how a dead peer is found.

use std::ffi::c_int;
use std::time::Duration;

use crate::client::options::not_negative;
use crate::error::{Error, Status};
use crate::ffi::support::*;
use crate::ffi::types::*;

const MS_PER_SECOND: i64 = 1000;

/// Extension. Changes how often a connection sends keep-alive PINGs, in **seconds**, at once and on a live
/// connection.
///
/// (natsOptions_SetPingInterval(), for connections to be made, takes **milliseconds**.)
///
/// The next PING is due when it was due before or one new interval after the last one, whichever is earlier:
/// a shorter interval acts now. The count of unanswered PINGs stays, so calling this again and again never
/// hides a dead peer. A value above 0 after one of 0 or less starts a fresh count, with the first PING one
/// interval from now; the same value again changes nothing. A dead peer is found after (max pings out + 1)
/// intervals at the latest.
///
/// May be called by any thread and in any callback, never waits for the network, and works with an event loop
/// too. While the connection reconnects or drains the value is stored; it stays in force after every
/// reconnect. Connections made with pings turned off can be given some.
///
/// @code{.c}
/// natsConnection_SetPingInterval(nc, 30); // every 30 s; with 2 pings out, a dead peer is found in 90 s
/// @endcode
///
/// @param nc the connection.
/// @param seconds above 0; 0 or less stops the PINGs. Default: natsOptions_SetPingInterval(), 2 minutes.
/// @return #NATS_OK; #NATS_INVALID_ARG for NULL or a value above `INT64_MAX / 1000`; #NATS_CONNECTION_CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_SetPingInterval(
    nc: *mut natsConnection,
    seconds: i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_SetPingInterval", nc, |nc| {
            let ms = seconds.max(0).checked_mul(MS_PER_SECOND);
            nc.set_ping_interval(ms.ok_or(Status::InvalidArg)?)
        })
    }
}

/// Extension. As natsConnection_SetPingInterval(), in milliseconds.
///
/// @param nc the connection.
/// @param ms above 0; 0 or less stops the PINGs.
/// @return #NATS_OK; #NATS_INVALID_ARG if `nc` is NULL; #NATS_CONNECTION_CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_SetPingIntervalMillis(
    nc: *mut natsConnection,
    ms: i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_SetPingIntervalMillis", nc, |nc| nc.set_ping_interval(ms.max(0))) }
}

/// Extension. The interval between keep-alive PINGs that is in force.
///
/// @param nc the connection.
/// @param ms receives milliseconds; 0 or less when no PINGs are sent.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_CONNECTION_CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_GetPingInterval(
    nc: *mut natsConnection,
    ms: *mut i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_GetPingInterval", nc, |nc| Out::of(ms)?.set(nc.ping_interval()?)) }
}

/// Extension. Changes how many keep-alive PINGs may be unanswered on a live connection; the next tick decides
/// by it. A value of 0 or less makes the connection stale at that tick, without a PING. Stored while the
/// connection reconnects.
///
/// @param nc the connection.
/// @param maxPingsOut any value. Default: natsOptions_SetMaxPingsOut(), 2.
/// @return #NATS_OK; #NATS_INVALID_ARG if `nc` is NULL; #NATS_CONNECTION_CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_SetMaxPingsOut(
    nc: *mut natsConnection,
    maxPingsOut: c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_SetMaxPingsOut", nc, |nc| nc.set_max_pings_out(maxPingsOut)) }
}

/// Extension. How many keep-alive PINGs may be unanswered.
///
/// @param nc the connection.
/// @param maxPingsOut receives the number.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_CONNECTION_CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_GetMaxPingsOut(
    nc: *mut natsConnection,
    maxPingsOut: *mut c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_GetMaxPingsOut", nc, |nc| Out::of(maxPingsOut)?.set(nc.max_pings_out()?)) }
}

/// Extension. As natsOptions_SetPongTimeout(), on a live connection and at once: a PING already sent counts
/// too.
///
/// May be called by any thread and in any callback. While the connection reconnects or drains the value is
/// stored; it stays in force after every reconnect.
///
/// @param nc the connection.
/// @param ms in milliseconds; 0 for no limit.
/// @return #NATS_OK; #NATS_INVALID_ARG for NULL or a negative time; #NATS_CONNECTION_CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_SetPongTimeout(
    nc: *mut natsConnection,
    ms: i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_SetPongTimeout", nc, |nc| nc.set_pong_timeout(not_negative(ms)?)) }
}

/// Extension. As natsOptions_SetMaxDetectionTime(), on a live connection and at once.
///
/// May be called by any thread and in any callback. While the connection reconnects or drains the value is
/// stored; it stays in force after every reconnect.
///
/// @param nc the connection.
/// @param ms in milliseconds; 0 for no bound.
/// @return #NATS_OK; #NATS_INVALID_ARG for NULL or a negative time; #NATS_CONNECTION_CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_SetMaxDetectionTime(
    nc: *mut natsConnection,
    ms: i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_SetMaxDetectionTime", nc, |nc| nc.set_max_detection(not_negative(ms)?)) }
}

/// Extension. Tells about the last disconnect, the one by a close included. Works in any state of the
/// connection.
///
/// @code{.c}
/// natsDisconnectInfo info;
/// if (natsConnection_GetLastDisconnect(nc, &info, sizeof(info)) == NATS_OK)
///     printf("lost %s: %s\n", info.ServerURL, info.Text);
/// @endcode
///
/// @param nc the connection.
/// @param info receives a copy, filled as far as `size` goes.
/// @param size `sizeof(natsDisconnectInfo)`; a smaller struct of an older version is fine, what a larger one
/// has more is set to 0.
/// @return #NATS_OK; #NATS_INVALID_ARG for NULL or a size of 0; #NATS_NOT_FOUND if there was no disconnect
/// yet.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_GetLastDisconnect(
    nc: *mut natsConnection,
    info: *mut natsDisconnectInfo,
    size: usize,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_GetLastDisconnect", nc, |nc| {
            let out = OutStruct::of(info, size)?;
            let known = out.known();
            let last = nc.last_disconnect().ok_or_else(|| Error::unrecorded(Status::NotFound))?;
            out.set(&natsDisconnectInfo { Size: known, ..last.as_ref().into() })
        })
    }
}

/// Extension. Takes the pulse of a connection. Waits for nothing and takes no lock: fit for frequent calls.
///
/// @param nc the connection.
/// @param out receives a copy, filled as far as `size` goes.
/// @param size `sizeof(natsLiveness)`; a smaller struct of an older version is fine, what a larger one has
/// more is set to 0.
/// @return #NATS_OK; #NATS_INVALID_ARG for NULL or a size of 0; #NATS_CONNECTION_CLOSED.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_GetLiveness(
    nc: *mut natsConnection,
    out: *mut natsLiveness,
    size: usize,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_GetLiveness", nc, |nc| {
            let out = OutStruct::of(out, size)?;
            let known = out.known();
            let pulse = nc.pulse()?;
            out.set(&natsLiveness { Size: known, ..(&pulse).into() })
        })
    }
}

/// Extension. Whether the connection is up and bytes came in not too long ago: for health checks. Waits for
/// nothing.
///
/// An idle server sends little but PONGs: choose more than the ping interval.
///
/// @param nc the connection.
/// @param maxAge in milliseconds.
/// @return true if so; false also for NULL, and while the connection is closed or reconnects.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_IsAlive(nc: *mut natsConnection, maxAge: i64) -> bool {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_IsAlive", Quick(nc), |nc| nc.is_alive(Duration::from_millis(maxAge.max(0) as u64)))
    }
}

/// Extension. Sends a PING now, such as after a network change or when a request got no answer. Without its
/// PONG in time the connection is stale (#NATS_DISCONNECT_PONG_TIMEOUT) and reconnects. Does not wait for the
/// outcome.
///
/// @param nc the connection.
/// @param timeout in milliseconds, above 0.
/// @return #NATS_OK; #NATS_INVALID_ARG if `nc` is NULL; #NATS_INVALID_TIMEOUT; #NATS_CONNECTION_CLOSED;
/// #NATS_CONNECTION_DISCONNECTED while it reconnects anyway.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_CheckLiveness(
    nc: *mut natsConnection,
    timeout: i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_CheckLiveness", nc, |nc| match u64::try_from(timeout) {
            Err(_) | Ok(0) => Err(Status::InvalidTimeout.into()),
            Ok(ms) => nc.check_liveness(Duration::from_millis(ms)),
        })
    }
}
