//! Sizes of buffers, limits of queues, waits for the socket.

use std::ffi::c_int;

use crate::ffi::support::*;
use crate::ffi::types::*;

/// Sets the size of the buffer that collects outgoing data. Default: 32768.
///
/// @param opts the options.
/// @param ioBufSize in bytes; 0 is the default.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `ioBufSize` negative.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetIOBufSize(opts: *mut natsOptions, ioBufSize: c_int) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetIOBufSize", opts, |opts| opts.buffers.set_io_size(ioBufSize)) }
}

/// Sets how many messages may wait in each subscription; further ones are dropped, which is reported as
/// #NATS_SLOW_CONSUMER. Default: 65536. natsSubscription_SetPendingLimits() sets it for one subscription.
///
/// @param opts the options.
/// @param maxPending the number of messages.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `maxPending` not above 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetMaxPendingMsgs(
    opts: *mut natsOptions,
    maxPending: c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetMaxPendingMsgs", opts, |opts| opts.buffers.set_max_pending_msgs(maxPending)) }
}

/// Sets how many bytes may wait in each subscription, see natsOptions_SetMaxPendingMsgs(). Default: 1024
/// times the number of messages.
///
/// @param opts the options.
/// @param maxPending in bytes, headers and payloads.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `maxPending` not above 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetMaxPendingBytes(
    opts: *mut natsOptions,
    maxPending: i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetMaxPendingBytes", opts, |opts| opts.buffers.set_max_pending_bytes(maxPending))
    }
}

/// Sets the number of zero bytes after the payload of each received message, for parsers that read ahead.
/// Default: 0.
///
/// @param opts the options.
/// @param paddingSize in bytes.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `paddingSize` negative.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetMessageBufferPadding(
    opts: *mut natsOptions,
    paddingSize: c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetMessageBufferPadding", opts, |opts| opts.buffers.set_message_padding(paddingSize))
    }
}

/// Writes to the socket in each call, instead of collecting the data of several calls. Default: false.
///
/// @param opts the options.
/// @param sendAsap true to write at once.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetSendAsap(opts: *mut natsOptions, sendAsap: bool) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetSendAsap", opts, |opts| opts.buffers.send_asap = sendAsap) }
}

/// Sets how long buffered data may wait for more when calls follow each other quickly. Default: 1000. Without
/// effect with natsOptions_SetSendAsap().
///
/// @param opts the options.
/// @param flusherWaitUs in microseconds; 0 does not wait.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `flusherWaitUs` negative.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetFlusherWaitMicros(
    opts: *mut natsOptions,
    flusherWaitUs: i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetFlusherWaitMicros", opts, |opts| opts.buffers.set_flusher_wait(flusherWaitUs))
    }
}

/// Bounds the time a call waits for the server to take its data. After it, the call returns #NATS_TIMEOUT and
/// the connection counts as lost. Default: none, unless configured with nats_OpenWithConfig() or the
/// environment.
///
/// @param opts the options.
/// @param deadline in milliseconds; 0 for none.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `deadline` negative.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetWriteDeadline(opts: *mut natsOptions, deadline: i64) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetWriteDeadline", opts, |opts| opts.buffers.set_write_deadline(deadline)) }
}
