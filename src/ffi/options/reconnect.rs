//! When a connection that was lost, or did not come about, is tried again.

use std::ffi::{c_int, c_void};

use crate::ffi::options::callbacks;
use crate::ffi::support::*;
use crate::ffi::types::*;

/// Says whether the library reconnects when the connection is lost. Default: true. Otherwise the connection
/// is closed then.
///
/// @param opts the options.
/// @param allow false to close instead.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetAllowReconnect(opts: *mut natsOptions, allow: bool) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetAllowReconnect", opts, |opts| opts.reconnect.allow = allow) }
}

/// Reconnects after an error reported by the server that normally closes the connection. Default: false.
///
/// @param opts the options.
/// @param reconnect true to reconnect.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetReconnectOnProtocolError(
    opts: *mut natsOptions,
    reconnect: bool,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetReconnectOnProtocolError", opts, |opts| {
            opts.reconnect.on_protocol_error = reconnect
        })
    }
}

/// Limits the attempts to reconnect to each server; a server that used them up is forgotten. Default: 60.
/// With natsOptions_SetRetryOnFailedConnect() and no callback, this limits the passes over the servers, where
/// 0 is no limit either.
///
/// @param opts the options.
/// @param maxReconnect the number of attempts; negative for no limit.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetMaxReconnect(
    opts: *mut natsOptions,
    maxReconnect: c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetMaxReconnect", opts, |opts| opts.reconnect.max = maxReconnect) }
}

/// Sets the wait before a server is tried again, once all servers were tried. Default: 2000. See
/// natsOptions_SetReconnectJitter().
///
/// @param opts the options.
/// @param reconnectWait in milliseconds.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `reconnectWait` negative.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetReconnectWait(
    opts: *mut natsOptions,
    reconnectWait: i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetReconnectWait", opts, |opts| opts.reconnect.set_wait(reconnectWait)) }
}

/// Sets the longest random time added to the wait of natsOptions_SetReconnectWait(), so that the clients of a
/// lost server do not all come back at once.
///
/// @param opts the options.
/// @param jitter in milliseconds, for connections without TLS. Default: 100.
/// @param jitterTLS in milliseconds, for connections with TLS. Default: 1000.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or a value negative.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetReconnectJitter(
    opts: *mut natsOptions,
    jitter: i64,
    jitterTLS: i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsOptions_SetReconnectJitter", opts, |opts| opts.reconnect.set_jitter(jitter, jitterTLS)) }
}

/// Sets a function that decides how long to wait, instead of natsOptions_SetReconnectWait() and
/// natsOptions_SetReconnectJitter().
///
/// It is called once all servers were tried, with the number of such rounds since the connection was lost,
/// and returns the wait in milliseconds (0 or less: none). It may close the connection. If it ends its thread
/// instead of returning, the wait is that of the two options.
///
/// @param opts the options.
/// @param cb the handler. NULL removes it.
/// @param closure passed to the handler.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetCustomReconnectDelay(
    opts: *mut natsOptions,
    cb: natsCustomReconnectDelayHandler,
    closure: *mut c_void,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetCustomReconnectDelay", opts, |opts| {
            opts.handlers.reconnect_delay = callbacks::reconnect_delay(cb, closure)
        })
    }
}

/// Sets how much may be published while the library reconnects. Publishing fails with
/// #NATS_INSUFFICIENT_BUFFER once this much is waiting, messages that lost connections left unsent included.
/// Default: 8 MiB.
///
/// @param opts the options.
/// @param reconnectBufSize in bytes. 0 buffers nothing: publishing then fails while disconnected.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `reconnectBufSize` negative.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetReconnectBufSize(
    opts: *mut natsOptions,
    reconnectBufSize: c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetReconnectBufSize", opts, |opts| opts.reconnect.set_buf_size(reconnectBufSize))
    }
}

/// Keeps trying when the first connect fails. Default: false.
///
/// Without a callback, natsConnection_Connect() returns when connected, or when the attempts of
/// natsOptions_SetMaxReconnect() are used up. With one, it returns #NATS_NOT_YET_CONNECTED and a connection
/// that goes on connecting as if it had been lost.
///
/// @param opts the options.
/// @param retry true to retry. false also removes the callback.
/// @param connectedCb NULL, or called on the library's callback thread when connected.
/// @param closure passed to the callback.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetRetryOnFailedConnect(
    opts: *mut natsOptions,
    retry: bool,
    connectedCb: natsConnectionHandler,
    closure: *mut c_void,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetRetryOnFailedConnect", opts, |opts| {
            opts.set_retry_on_failed_connect(retry, callbacks::connection(connectedCb, closure))
        })
    }
}
