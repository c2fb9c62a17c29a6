//! Liveness: what the reference does not have, to set and see how a dead peer is found.

use std::ffi::c_int;

use crate::error::{Error, Status};
use crate::ffi::support::connection::on_connection;
use crate::ffi::support::strings::required;
use crate::ffi::types::{natsConnection, natsStatus};

const MS_PER_SECOND: i64 = 1000;

/// Extension. Changes how often a connection sends keep-alive PINGs, in **seconds**, at once and on a live connection.
///
/// (natsOptions_SetPingInterval(), for connections to be made, takes **milliseconds**.)
///
/// The next PING is due when it was due before or one new interval after the last one, whichever is earlier: a shorter
/// interval acts now. The count of unanswered PINGs stays, so calling this again and again never hides a dead peer. A
/// value above 0 after one of 0 or less starts a fresh count, with the first PING one interval from now; the same value
/// again changes nothing. A dead peer is found after (max pings out + 1) intervals at the latest.
///
/// May be called by any thread and in any callback, never waits for the network, and works with an event loop too.
/// While the connection reconnects or drains the value is stored; it stays in force after every reconnect. Connections
/// made with pings turned off can be given some.
///
/// @code{.c}
/// natsConnection_SetPingInterval(nc, 30); // a PING every 30 seconds; with 2 pings out, a dead peer is found in 90 s
/// @endcode
///
/// @param nc the connection
/// @param seconds above 0; 0 or less stops the PINGs. Default: natsOptions_SetPingInterval(), 2 minutes
/// @return #NATS_INVALID_ARG for NULL or a value above `INT64_MAX / 1000`, #NATS_CONNECTION_CLOSED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsConnection_SetPingInterval(nc: *mut natsConnection, seconds: i64) -> natsStatus {
    // SAFETY: a live handle or NULL.
    unsafe {
        on_connection("natsConnection_SetPingInterval", nc, |nc| {
            let nc = nc?;
            let ms = seconds.max(0).checked_mul(MS_PER_SECOND);
            nc.set_ping_interval(ms.ok_or_else(|| Error::from(Status::InvalidArg))?)
        })
    }
}

/// Extension. As natsConnection_SetPingInterval(), in milliseconds.
///
/// @param nc the connection
/// @param ms above 0; 0 or less stops the PINGs
/// @return #NATS_INVALID_ARG for NULL, #NATS_CONNECTION_CLOSED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsConnection_SetPingIntervalMillis(
    nc: *mut natsConnection,
    ms: i64,
) -> natsStatus {
    // SAFETY: a live handle or NULL.
    unsafe {
        on_connection("natsConnection_SetPingIntervalMillis", nc, |nc| nc?.set_ping_interval(ms.max(0)))
    }
}

/// Extension. The interval between keep-alive PINGs that is in force.
///
/// @param nc the connection
/// @param ms receives milliseconds; 0 or less when no PINGs are sent
/// @return #NATS_INVALID_ARG for a NULL argument, #NATS_CONNECTION_CLOSED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsConnection_GetPingInterval(nc: *mut natsConnection, ms: *mut i64) -> natsStatus {
    // SAFETY: a live handle or NULL; `ms` is NULL or writable.
    unsafe {
        on_connection("natsConnection_GetPingInterval", nc, |nc| {
            let (nc, out) = (nc?, required(ms)?);
            out.write(nc.ping_interval()?);
            Ok(())
        })
    }
}

/// Extension. Changes how many keep-alive PINGs may be unanswered on a live connection; the next tick decides by it.
/// A value of 0 or less makes the connection stale at that tick, without a PING. Stored while the connection reconnects.
///
/// @param nc the connection
/// @param maxPingsOut any value. Default: natsOptions_SetMaxPingsOut(), 2
/// @return #NATS_INVALID_ARG for NULL, #NATS_CONNECTION_CLOSED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsConnection_SetMaxPingsOut(
    nc: *mut natsConnection,
    maxPingsOut: c_int,
) -> natsStatus {
    // SAFETY: a live handle or NULL.
    unsafe { on_connection("natsConnection_SetMaxPingsOut", nc, |nc| nc?.set_max_pings_out(maxPingsOut)) }
}

/// Extension. How many keep-alive PINGs may be unanswered.
///
/// @param nc the connection
/// @param maxPingsOut receives the number
/// @return #NATS_INVALID_ARG for a NULL argument, #NATS_CONNECTION_CLOSED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsConnection_GetMaxPingsOut(
    nc: *mut natsConnection,
    maxPingsOut: *mut c_int,
) -> natsStatus {
    // SAFETY: a live handle or NULL; `maxPingsOut` is NULL or writable.
    unsafe {
        on_connection("natsConnection_GetMaxPingsOut", nc, |nc| {
            let (nc, out) = (nc?, required(maxPingsOut)?);
            out.write(nc.max_pings_out()?);
            Ok(())
        })
    }
}
