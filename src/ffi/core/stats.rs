//! `natsStatistics_*`: counters copied out of a connection.

use crate::client::connection::stats::Statistics;
use crate::error::{Result, Status};
use crate::ffi::support::strings::{required, store};
use crate::ffi::support::{boundary, infallible};
use crate::ffi::types::{natsStatistics, natsStatus};

/// Fills a statistics object of the program.
///
/// # Safety
/// `stats` is NULL or a live object that no other thread uses now.
pub(crate) unsafe fn fill(stats: *mut natsStatistics, counts: Statistics) -> Result<()> {
    let stats = required(stats.cast::<Statistics>())?;
    // SAFETY: as promised by the caller.
    unsafe { stats.write(counts) };
    Ok(())
}

/// Creates a statistics object for natsConnection_GetStats(); all counters are 0.
///
/// @param newStats gets the object, to be destroyed with natsStatistics_Destroy().
/// @return #NATS_OK; #NATS_INVALID_ARG if `newStats` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsStatistics_Create(newStats: *mut *mut natsStatistics) -> natsStatus {
    boundary("natsStatistics_Create", || {
        let out = required(newStats)?;
        // SAFETY: not NULL, and writable by the C contract.
        unsafe { out.write(Box::into_raw(Box::new(Statistics::default())).cast()) };
        Ok(())
    })
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
    boundary("natsStatistics_GetCounts", || {
        // SAFETY: NULL or a live object by the C contract.
        let counts = *unsafe { stats.cast::<Statistics>().as_ref() }.ok_or(Status::InvalidArg)?;
        // SAFETY: each is NULL or writable by the C contract.
        unsafe {
            store(inMsgs, counts.in_msgs);
            store(inBytes, counts.in_bytes);
            store(outMsgs, counts.out_msgs);
            store(outBytes, counts.out_bytes);
            store(reconnects, counts.reconnects);
        }
        Ok(())
    })
}

/// Releases a statistics object; NULL is ignored.
///
/// @param stats the statistics object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsStatistics_Destroy(stats: *mut natsStatistics) {
    infallible("natsStatistics_Destroy", (), || {
        if !stats.is_null() {
            // SAFETY: made by natsStatistics_Create, not used afterwards.
            drop(unsafe { Box::from_raw(stats.cast::<Statistics>()) });
        }
    });
}
