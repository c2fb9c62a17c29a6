//! `natsStatistics_*`: counters copied out of a connection.

use crate::client::connection::stats::Statistics;
use crate::ffi::support::*;
use crate::ffi::types::*;

/// Creates a statistics object for natsConnection_GetStats(); all counters are 0.
///
/// @param newStats gets the object, to be destroyed with natsStatistics_Destroy().
/// @return #NATS_OK; #NATS_INVALID_ARG if `newStats` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsStatistics_Create(newStats: *mut *mut natsStatistics) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsStatistics_Create", (), |()| {
            Out::of(newStats)?.set(natsStatistics::give(Statistics::default()))
        })
    }
}

/// Reads the counters. Each of the pointers behind `stats` may be NULL, that counter is left out then.
///
/// @param stats the statistics object.
/// @param inMsgs gets the number of messages received.
/// @param inBytes gets the bytes received: headers and payloads.
/// @param outMsgs gets the number of messages sent.
/// @param outBytes gets the bytes sent: headers and payloads.
/// @param reconnects gets how often the connection was made again.
/// @return #NATS_OK; #NATS_INVALID_ARG if `stats` is NULL, nothing is stored then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsStatistics_GetCounts(
    stats: *const natsStatistics,
    inMsgs: *mut u64,
    inBytes: *mut u64,
    outMsgs: *mut u64,
    outBytes: *mut u64,
    reconnects: *mut u64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsStatistics_GetCounts", stats, |stats| {
            Wanted::of(inMsgs).set(stats.in_msgs);
            Wanted::of(inBytes).set(stats.in_bytes);
            Wanted::of(outMsgs).set(stats.out_msgs);
            Wanted::of(outBytes).set(stats.out_bytes);
            Wanted::of(reconnects).set(stats.reconnects);
        })
    }
}

/// Releases a statistics object; NULL is ignored.
///
/// @param stats the statistics object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsStatistics_Destroy(stats: *mut natsStatistics) {
    // SAFETY: the C contract.
    unsafe { on("natsStatistics_Destroy", Taken(stats), drop) }
}
