//! What the program is told of a connection.

use std::ffi::c_void;

use crate::ffi::options::callbacks;
use crate::ffi::support::*;
use crate::ffi::types::*;

/// Sets the function told about errors that no call can return: permissions, slow consumers, failed drains
/// and more. Default: a handler that prints a line to stderr.
///
/// It runs on the library's callback thread, which all connections share. Its subscription is NULL if the
/// error is not about one; it may be closed already. If the error has a text, nats_GetLastError() gives it to
/// the handler.
///
/// @param opts the options.
/// @param errHandler the handler. NULL restores the one that prints to stderr.
/// @param closure passed to the handler.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetErrorHandler(
    opts: *mut natsOptions,
    errHandler: natsErrHandler,
    closure: *mut c_void,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetErrorHandler", opts, |opts| {
            opts.handlers.error = callbacks::error(errHandler, closure)
        })
    }
}

/// Sets the function called once when the connection is closed for good, by whatever cause. It runs on the
/// library's callback thread, which all connections share; it may call any function, and destroy the
/// connection.
///
/// @param opts the options.
/// @param closedCb the handler. NULL removes it.
/// @param closure passed to the handler.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetClosedCB(
    opts: *mut natsOptions,
    closedCb: natsConnectionHandler,
    closure: *mut c_void,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetClosedCB", opts, |opts| {
            opts.handlers.closed = callbacks::connection(closedCb, closure)
        })
    }
}

/// Sets the function called when the connection is lost, or closed while connected. It runs on the library's
/// callback thread, which all connections share; it may call any function, and destroy the connection.
///
/// @param opts the options.
/// @param disconnectedCb the handler. NULL removes it.
/// @param closure passed to the handler.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetDisconnectedCB(
    opts: *mut natsOptions,
    disconnectedCb: natsConnectionHandler,
    closure: *mut c_void,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetDisconnectedCB", opts, |opts| {
            opts.handlers.disconnected = callbacks::connection(disconnectedCb, closure)
        })
    }
}

/// Extension. Sets a callback that gets the reason of every disconnect. It is called right before the
/// disconnected callback, on the same thread, whether or not there is one.
///
/// @param opts the options.
/// @param disconnectedErrCb the callback; NULL for none.
/// @param closure handed to the callback.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsOptions_SetDisconnectedErrCB(
    opts: *mut natsOptions,
    disconnectedErrCb: natsDisconnectedErrHandler,
    closure: *mut c_void,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetDisconnectedErrCB", opts, |opts| {
            opts.handlers.disconnect = callbacks::disconnect(disconnectedErrCb, closure)
        })
    }
}

/// Sets the function called when a lost connection is there again. It runs on the library's callback thread,
/// which all connections share; it may call any function, and destroy the connection.
///
/// @param opts the options.
/// @param reconnectedCb the handler. NULL removes it.
/// @param closure passed to the handler.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetReconnectedCB(
    opts: *mut natsOptions,
    reconnectedCb: natsConnectionHandler,
    closure: *mut c_void,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetReconnectedCB", opts, |opts| {
            opts.handlers.reconnected = callbacks::connection(reconnectedCb, closure)
        })
    }
}

/// Sets the function called when the server told about servers that were not known before. Not called for
/// those known from the first connect. It runs on the library's callback thread, which all connections share;
/// it may call any function, and destroy the connection.
///
/// @param opts the options.
/// @param discoveredServersCb the handler. NULL removes it.
/// @param closure passed to the handler.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetDiscoveredServersCB(
    opts: *mut natsOptions,
    discoveredServersCb: natsConnectionHandler,
    closure: *mut c_void,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetDiscoveredServersCB", opts, |opts| {
            opts.handlers.discovered = callbacks::connection(discoveredServersCb, closure)
        })
    }
}

/// Sets the function called when the server says that it is going to shut down. It runs on the library's
/// callback thread, which all connections share; it may call any function, and destroy the connection.
///
/// @param opts the options.
/// @param lameDuckCb the handler. NULL removes it.
/// @param closure passed to the handler.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetLameDuckModeCB(
    opts: *mut natsOptions,
    lameDuckCb: natsConnectionHandler,
    closure: *mut c_void,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetLameDuckModeCB", opts, |opts| {
            opts.handlers.lame_duck = callbacks::connection(lameDuckCb, closure)
        })
    }
}

/// Extension. Sets a callback that is told when a keep-alive PING is sent, answered, or missed its PONG.
///
/// @param opts the options.
/// @param pingEventCb the callback; NULL for none.
/// @param closure handed to the callback.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsOptions_SetPingEventCB(
    opts: *mut natsOptions,
    pingEventCb: natsPingEventHandler,
    closure: *mut c_void,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetPingEventCB", opts, |opts| {
            opts.handlers.ping = callbacks::ping(pingEventCb, closure)
        })
    }
}
