//! Options of a connection: every `natsOptions_` function but those about TLS, which are in `options_tls`.

mod callbacks;
mod event_loop;

use std::ffi::{c_char, c_int, c_void};
use std::sync::Arc;

use crate::client::library;
use crate::client::options::{Options, SharedOptions};
use crate::error::{Result, Status, fail};
use crate::ffi::support::{Handle, boundary, held, strings};
use crate::ffi::types::{
    natsConnectionHandler, natsCustomReconnectDelayHandler, natsErrHandler, natsEvLoop_Attach,
    natsEvLoop_Detach, natsEvLoop_ReadAddRemove, natsEvLoop_WriteAddRemove, natsOptions,
    natsProxyConnHandler, natsSignatureHandler, natsStatus, natsTokenHandler, natsUserJWTHandler,
};
use crate::proto::memory::Text;

impl Handle for natsOptions {
    type Object = SharedOptions;
}

/// Changes the options behind a handle.
///
/// # Safety
/// `opts` is NULL or a handle from natsOptions_Create() that is not destroyed.
pub(super) unsafe fn change(
    opts: *mut natsOptions,
    change: impl FnOnce(&mut Options) -> Result<()>,
) -> Result<()> {
    // SAFETY: as promised by the caller.
    let opts = unsafe { natsOptions::borrow(opts) }?;
    opts.with(change)
}

/// Changes a plain value, which cannot fail.
///
/// # Safety
/// As for [`change`].
unsafe fn set(opts: *mut natsOptions, set: impl FnOnce(&mut Options)) -> Result<()> {
    // SAFETY: as promised by the caller.
    unsafe {
        change(opts, |opts| {
            set(opts);
            Ok(())
        })
    }
}

/// Creates options with their default values.
///
/// They can be used for any number of connections: each copies them when it connects, so that they may be changed
/// or destroyed right afterwards.
///
/// @param newOpts gets the options, to be destroyed with natsOptions_Destroy().
/// @return #NATS_OK; #NATS_INVALID_ARG if `newOpts` is NULL; #NATS_FAILED_TO_INITIALIZE while the library is being
/// closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_Create(newOpts: *mut *mut natsOptions) -> natsStatus {
    boundary("natsOptions_Create", || {
        let out = strings::required(newOpts)?;
        library::open_default()?;
        let opts = SharedOptions::new(Options::new(&library::defaults()));
        // SAFETY: not NULL, and writable by the caller's promise.
        unsafe { out.write(natsOptions::give(Arc::new(opts))) };
        Ok(())
    })
}

/// Sets the URL of the server to connect to: `[scheme://][user[:password]@|token@]host[:port]`, port 4222 by
/// default. With natsOptions_SetServers() too, this one is tried first.
///
/// The URL is not parsed here: a bad one fails when connecting. `tls://` turns TLS on, as natsOptions_SetSecure()
/// does, unless that was called before. A later URL does not turn it off.
///
/// @param opts the options.
/// @param url copied, white space at both ends removed. NULL removes the URL.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE for `tls://` in a build without TLS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetURL(opts: *mut natsOptions, url: *const c_char) -> natsStatus {
    boundary("natsOptions_SetURL", || {
        // SAFETY: NULL or a C string that lives for the call.
        let url = unsafe { strings::bytes(url) };
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_url(url)) }
    })
}

/// Sets the URLs of several servers; see natsOptions_SetURL() for their form and the meaning of `tls://`, which
/// concerns all servers. They are tried in random order unless natsOptions_SetNoRandomize() is on.
///
/// @param opts the options.
/// @param servers URLs, copied. NULL, with a count of 0, removes the list.
/// @param serversCount the number of URLs.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL, or if there is an array without a count above 0, a count
/// without an array, or a URL that is NULL; in the last case the list is empty afterwards. #NATS_ILLEGAL_STATE for
/// `tls://` in a build without TLS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetServers(
    opts: *mut natsOptions,
    servers: *mut *const c_char,
    serversCount: c_int,
) -> natsStatus {
    boundary("natsOptions_SetServers", || {
        if (servers.is_null() && serversCount != 0) || (!servers.is_null() && serversCount <= 0) {
            return Err(Status::InvalidArg.into());
        }
        let urls = if servers.is_null() {
            &[]
        } else {
            // SAFETY: the array has the number of elements the caller says, at least 1.
            unsafe { std::slice::from_raw_parts(servers.cast_const(), serversCount as usize) }
        };
        // SAFETY: `opts` is NULL or a live handle; each element is NULL or a C string that lives for the call.
        unsafe {
            change(opts, |opts| {
                if urls.iter().any(|url| url.is_null()) {
                    opts.set_servers([])?;
                    return fail(Status::InvalidArg, "a server URL is NULL");
                }
                opts.set_servers(urls.iter().filter_map(|url| strings::bytes(*url)))
            })
        }
    })
}

/// Sets user and password for servers whose URL has no credentials of its own.
///
/// @param opts the options.
/// @param user copied; NULL for none.
/// @param password copied; NULL for none. A password without a user is not sent.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetUserInfo(
    opts: *mut natsOptions,
    user: *const c_char,
    password: *const c_char,
) -> natsStatus {
    boundary("natsOptions_SetUserInfo", || {
        // SAFETY: NULL or C strings that live for the call.
        let (user, password) = unsafe { (strings::bytes(user), strings::bytes(password)) };
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_user_info(user, password)) }
    })
}

/// Sets the authentication token for servers whose URL has no credentials of its own.
///
/// @param opts the options.
/// @param token copied. NULL removes the token.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE if there is a token handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetToken(opts: *mut natsOptions, token: *const c_char) -> natsStatus {
    boundary("natsOptions_SetToken", || {
        // SAFETY: NULL or a C string that lives for the call.
        let token = unsafe { strings::bytes(token) };
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_token(token)) }
    })
}

/// Sets a function that gives the authentication token each time the library connects.
///
/// It runs on the thread that connects or reconnects. The string it returns is copied and stays the program's; NULL
/// sends no token.
///
/// @param opts the options.
/// @param tokenCb the handler. NULL removes it.
/// @param closure passed to the handler.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE if there is a token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetTokenHandler(
    opts: *mut natsOptions,
    tokenCb: natsTokenHandler,
    closure: *mut c_void,
) -> natsStatus {
    boundary("natsOptions_SetTokenHandler", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_token_handler(callbacks::token(tokenCb, closure))) }
    })
}

/// Keeps servers in the order given, and the addresses of a host in the order resolved. Default: false, both are
/// shuffled.
///
/// @param opts the options.
/// @param noRandomize true to keep the order.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetNoRandomize(opts: *mut natsOptions, noRandomize: bool) -> natsStatus {
    boundary("natsOptions_SetNoRandomize", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.no_randomize = noRandomize) }
    })
}

/// Bounds the time for connecting to one server, from resolving its name to its first answer. Default: 2000.
///
/// @param opts the options.
/// @param timeout in milliseconds. 0 has expired at once: connecting fails with #NATS_TIMEOUT.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `timeout` negative.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetTimeout(opts: *mut natsOptions, timeout: i64) -> natsStatus {
    boundary("natsOptions_SetTimeout", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_timeout(timeout)) }
    })
}

/// Names the connection, for the monitoring of the server and natsConnection_GetName(). Default: no name.
///
/// @param opts the options.
/// @param name copied. NULL removes the name.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetName(opts: *mut natsOptions, name: *const c_char) -> natsStatus {
    boundary("natsOptions_SetName", || {
        // SAFETY: NULL or a C string that lives for the call.
        let name = unsafe { strings::bytes(name) }.map(Text::copy).transpose()?;
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.name = name) }
    })
}

/// Asks the server to acknowledge every operation. Default: false.
///
/// @param opts the options.
/// @param verbose true to ask for it.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetVerbose(opts: *mut natsOptions, verbose: bool) -> natsStatus {
    boundary("natsOptions_SetVerbose", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.verbose = verbose) }
    })
}

/// Asks the server to check subjects more strictly. Default: false.
///
/// @param opts the options.
/// @param pedantic true to ask for it.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetPedantic(opts: *mut natsOptions, pedantic: bool) -> natsStatus {
    boundary("natsOptions_SetPedantic", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.pedantic = pedantic) }
    })
}

/// Sets the time between the pings that show whether the server is still there. Default: 120000.
///
/// @param opts the options.
/// @param interval in milliseconds; 0 or less sends no pings.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetPingInterval(opts: *mut natsOptions, interval: i64) -> natsStatus {
    boundary("natsOptions_SetPingInterval", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.ping_interval_ms = interval) }
    })
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
    boundary("natsOptions_SetMaxPingsOut", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.max_pings_out = maxPingsOut) }
    })
}

/// Sets the size of the buffer that collects outgoing data. Default: 32768.
///
/// @param opts the options.
/// @param ioBufSize in bytes; 0 is the default.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `ioBufSize` negative.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetIOBufSize(opts: *mut natsOptions, ioBufSize: c_int) -> natsStatus {
    boundary("natsOptions_SetIOBufSize", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_io_buf_size(ioBufSize)) }
    })
}

/// Says whether the library reconnects when the connection is lost. Default: true. Otherwise the connection is
/// closed then.
///
/// @param opts the options.
/// @param allow false to close instead.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetAllowReconnect(opts: *mut natsOptions, allow: bool) -> natsStatus {
    boundary("natsOptions_SetAllowReconnect", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.allow_reconnect = allow) }
    })
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
    boundary("natsOptions_SetReconnectOnProtocolError", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.reconnect_on_protocol_error = reconnect) }
    })
}

/// Keeps reconnecting however often a server refuses the credentials. Default: false, the connection is closed when
/// a server refuses them twice in a row with the same error.
///
/// @param opts the options.
/// @param ignore true to keep trying.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetIgnoreAuthErrorAbort(
    opts: *mut natsOptions,
    ignore: bool,
) -> natsStatus {
    boundary("natsOptions_SetIgnoreAuthErrorAbort", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.ignore_auth_error_abort = ignore) }
    })
}

/// Limits the attempts to reconnect to each server; a server that used them up is forgotten. Default: 60. With
/// natsOptions_SetRetryOnFailedConnect() and no callback, this limits the passes over the servers, where 0 is no
/// limit either.
///
/// @param opts the options.
/// @param maxReconnect the number of attempts; negative for no limit.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetMaxReconnect(
    opts: *mut natsOptions,
    maxReconnect: c_int,
) -> natsStatus {
    boundary("natsOptions_SetMaxReconnect", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.max_reconnect = maxReconnect) }
    })
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
    boundary("natsOptions_SetReconnectWait", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_reconnect_wait(reconnectWait)) }
    })
}

/// Sets the longest random time added to the wait of natsOptions_SetReconnectWait(), so that the clients of a lost
/// server do not all come back at once.
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
    boundary("natsOptions_SetReconnectJitter", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_reconnect_jitter(jitter, jitterTLS)) }
    })
}

/// Sets a function that decides how long to wait, instead of natsOptions_SetReconnectWait() and
/// natsOptions_SetReconnectJitter().
///
/// It is called once all servers were tried, with the number of such rounds since the connection was lost, and
/// returns the wait in milliseconds (0 or less: none). It may close the connection. If it ends its thread instead of
/// returning, the wait is that of the two options.
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
    boundary("natsOptions_SetCustomReconnectDelay", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.custom_reconnect_delay = callbacks::reconnect_delay(cb, closure)) }
    })
}

/// Sets how much may be published while the library reconnects. Publishing fails with #NATS_INSUFFICIENT_BUFFER
/// once this much is waiting, messages that lost connections left unsent included. Default: 8 MiB.
///
/// @param opts the options.
/// @param reconnectBufSize in bytes. 0 buffers nothing: publishing then fails while disconnected.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `reconnectBufSize` negative.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetReconnectBufSize(
    opts: *mut natsOptions,
    reconnectBufSize: c_int,
) -> natsStatus {
    boundary("natsOptions_SetReconnectBufSize", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_reconnect_buf_size(reconnectBufSize)) }
    })
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
    boundary("natsOptions_SetMaxPendingMsgs", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_max_pending_msgs(maxPending)) }
    })
}

/// Sets how many bytes may wait in each subscription, see natsOptions_SetMaxPendingMsgs(). Default: 1024 times the
/// number of messages.
///
/// @param opts the options.
/// @param maxPending in bytes, headers and payloads.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `maxPending` not above 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetMaxPendingBytes(
    opts: *mut natsOptions,
    maxPending: i64,
) -> natsStatus {
    boundary("natsOptions_SetMaxPendingBytes", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_max_pending_bytes(maxPending)) }
    })
}

/// Sets a function that makes the TCP connection to a server, through a proxy for example, instead of the library.
///
/// It gets the host without brackets, and the port; it stores the connected socket and returns #NATS_OK. The socket
/// is then the library's, also the one stored before returning something else. Any other status counts as a server
/// that cannot be reached.
///
/// @param opts the options.
/// @param proxyConnHandler the handler. NULL removes it.
/// @param closure passed to the handler.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetProxyConnHandler(
    opts: *mut natsOptions,
    proxyConnHandler: natsProxyConnHandler,
    closure: *mut c_void,
) -> natsStatus {
    boundary("natsOptions_SetProxyConnHandler", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.proxy_handler = callbacks::proxy(proxyConnHandler, closure)) }
    })
}

/// Sets the function told about errors that no call can return: permissions, slow consumers, failed drains and
/// more. Default: a handler that prints a line to stderr.
///
/// It runs on the library's callback thread, which all connections share. Its subscription is NULL if the error is
/// not about one; it may be closed already. If the error has a text, nats_GetLastError() gives it to the handler.
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
    boundary("natsOptions_SetErrorHandler", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.error_handler = callbacks::error(errHandler, closure)) }
    })
}

/// Sets the function called once when the connection is closed for good, by whatever cause. It runs on the
/// library's callback thread, which all connections share; it may call any function, and destroy the connection.
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
    boundary("natsOptions_SetClosedCB", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.closed_handler = callbacks::connection(closedCb, closure)) }
    })
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
    boundary("natsOptions_SetDisconnectedCB", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe {
            set(opts, |opts| opts.disconnected_handler = callbacks::connection(disconnectedCb, closure))
        }
    })
}

/// Sets the function called when a lost connection is there again. It runs on the library's callback thread, which
/// all connections share; it may call any function, and destroy the connection.
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
    boundary("natsOptions_SetReconnectedCB", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.reconnected_handler = callbacks::connection(reconnectedCb, closure)) }
    })
}

/// Sets the function called when the server told about servers that were not known before. Not called for those
/// known from the first connect. It runs on the library's callback thread, which all connections share; it may call
/// any function, and destroy the connection.
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
    boundary("natsOptions_SetDiscoveredServersCB", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe {
            set(opts, |opts| opts.discovered_handler = callbacks::connection(discoveredServersCb, closure))
        }
    })
}

/// Sets the function called when the server says that it is going to shut down. It runs on the library's callback
/// thread, which all connections share; it may call any function, and destroy the connection.
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
    boundary("natsOptions_SetLameDuckModeCB", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.lame_duck_handler = callbacks::connection(lameDuckCb, closure)) }
    })
}

/// Uses the given servers only, not those the server tells about. Default: false.
///
/// @param opts the options.
/// @param ignore true to ignore them.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetIgnoreDiscoveredServers(
    opts: *mut natsOptions,
    ignore: bool,
) -> natsStatus {
    boundary("natsOptions_SetIgnoreDiscoveredServers", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.ignore_discovered_servers = ignore) }
    })
}

/// Lets the program's event loop poll the sockets of the connections, instead of the library. It cannot be undone.
///
/// The loop calls natsConnection_ProcessReadEvent() and natsConnection_ProcessWriteEvent(), and closes a socket
/// with natsConnection_ProcessCloseEvent() only. The functions return #NATS_OK or why they failed.
///
/// The functions are called one at a time for each connection, on any thread: the program's, or one of the library's
/// that may block. They may use the connection; what that asks of them is called after they return. When a connection
/// is lost or closed, `writeCb` and `readCb` are called with false before any callback, and the library leaves the
/// socket alone from then on.
///
/// @param opts the options.
/// @param event_loop the program's event loop, passed to `attachCb`.
/// @param attachCb starts polling a socket; it stores data of its own that the other functions get, and finds it
/// again when called after a reconnect.
/// @param readCb starts or stops polling for reading.
/// @param writeCb starts or stops polling for writing.
/// @param detachCb the connection is closed: the loop must call natsConnection_ProcessDetachedEvent() once, which
/// drops the reference to the connection it got when first attached.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL, or the loop or a function is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetEventLoop(
    opts: *mut natsOptions,
    event_loop: *mut c_void,
    attachCb: natsEvLoop_Attach,
    readCb: natsEvLoop_ReadAddRemove,
    writeCb: natsEvLoop_WriteAddRemove,
    detachCb: natsEvLoop_Detach,
) -> natsStatus {
    boundary("natsOptions_SetEventLoop", || {
        let factory = event_loop::factory(event_loop, attachCb, readCb, writeCb, detachCb);
        let factory = factory.ok_or(Status::InvalidArg)?;
        // SAFETY: `opts` is NULL or a live handle.
        unsafe {
            change(opts, |opts| {
                opts.event_loop = Some(factory);
                Ok(())
            })
        }
    })
}

/// Delivers messages of asynchronous subscriptions on the threads of a pool shared by all connections, see
/// nats_SetMessageDeliveryPoolSize(). Each subscription is bound to one of them. Default: false, unless configured
/// with nats_OpenWithConfig() or the environment.
///
/// @param opts the options.
/// @param global true to use the pool.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_UseGlobalMessageDelivery(
    opts: *mut natsOptions,
    global: bool,
) -> natsStatus {
    boundary("natsOptions_UseGlobalMessageDelivery", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.global_delivery = global) }
    })
}

/// Sets which addresses of a host are tried, and in which order. Default: 0.
///
/// @param opts the options.
/// @param order 4 for IPv4 only, 6 for IPv6 only, 46 for IPv4 first, 64 for IPv6 first, 0 for no preference.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `order` another number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_IPResolutionOrder(opts: *mut natsOptions, order: c_int) -> natsStatus {
    boundary("natsOptions_IPResolutionOrder", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_ip_resolution_order(order)) }
    })
}

/// Writes to the socket in each call, instead of collecting the data of several calls. Default: false.
///
/// @param opts the options.
/// @param sendAsap true to write at once.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetSendAsap(opts: *mut natsOptions, sendAsap: bool) -> natsStatus {
    boundary("natsOptions_SetSendAsap", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.send_asap = sendAsap) }
    })
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
    boundary("natsOptions_SetFlusherWaitMicros", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_flusher_wait(flusherWaitUs)) }
    })
}

/// Makes each request with an inbox and a subscription of its own, instead of one subscription for all replies.
/// Default: false.
///
/// @param opts the options.
/// @param useOldStyle true for the old style.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_UseOldRequestStyle(
    opts: *mut natsOptions,
    useOldStyle: bool,
) -> natsStatus {
    boundary("natsOptions_UseOldRequestStyle", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.use_old_request_style = useOldStyle) }
    })
}

/// Ends waiting requests with #NATS_CONNECTION_DISCONNECTED when the connection is lost. Default: false, they wait
/// until their timeout. Without effect in the old request style.
///
/// @param opts the options.
/// @param failRequests true to end them.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetFailRequestsOnDisconnect(
    opts: *mut natsOptions,
    failRequests: bool,
) -> natsStatus {
    boundary("natsOptions_SetFailRequestsOnDisconnect", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.fail_requests_on_disconnect = failRequests) }
    })
}

/// Asks the server not to send this connection the messages it published itself. Default: false. Connecting fails
/// with #NATS_NO_SERVER_SUPPORT if the server cannot.
///
/// @param opts the options.
/// @param noEcho true to ask for it.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetNoEcho(opts: *mut natsOptions, noEcho: bool) -> natsStatus {
    boundary("natsOptions_SetNoEcho", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.no_echo = noEcho) }
    })
}

/// Keeps trying when the first connect fails. Default: false.
///
/// Without a callback, natsConnection_Connect() returns when connected, or when the attempts of
/// natsOptions_SetMaxReconnect() are used up. With one, it returns #NATS_NOT_YET_CONNECTED and a connection that
/// goes on connecting as if it had been lost.
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
    boundary("natsOptions_SetRetryOnFailedConnect", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe {
            set(opts, |opts| {
                opts.set_retry_on_failed_connect(retry, callbacks::connection(connectedCb, closure))
            })
        }
    })
}

/// Sets functions that give the user JWT and sign with its key each time the library connects. Both NULL removes
/// them. Credentials set in another way, and an NKey, are removed.
///
/// What the functions store comes from `malloc()` and is freed by the library. A status other than #NATS_OK ends
/// the attempt to connect with that status and text.
///
/// @param opts the options.
/// @param ujwtCB stores the user JWT, and may store the text of an error.
/// @param ujwtClosure passed to `ujwtCB`.
/// @param sigCB called to sign what the server sent, which may be NULL; it stores the raw signature, and may store
/// the text of an error.
/// @param sigClosure passed to `sigCB`.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL, or if one of the functions is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetUserCredentialsCallbacks(
    opts: *mut natsOptions,
    ujwtCB: natsUserJWTHandler,
    ujwtClosure: *mut c_void,
    sigCB: natsSignatureHandler,
    sigClosure: *mut c_void,
) -> natsStatus {
    boundary("natsOptions_SetUserCredentialsCallbacks", || {
        let jwt = callbacks::user_jwt(ujwtCB, ujwtClosure);
        let signature = callbacks::signature(sigCB, sigClosure);
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_user_credentials_callbacks(jwt, signature)) }
    })
}

/// Sets the files with the user JWT and the seed of its key. They are read each time the library connects, not
/// here. NULL or empty for both removes them. Credentials set in another way, and an NKey, are removed.
///
/// @param opts the options.
/// @param userOrChainedFile the file with the user JWT, and with the seed unless the other file has it.
/// @param seedFile the file with the seed, or NULL.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL, or if there is only a seed file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetUserCredentialsFromFiles(
    opts: *mut natsOptions,
    userOrChainedFile: *const c_char,
    seedFile: *const c_char,
) -> natsStatus {
    boundary("natsOptions_SetUserCredentialsFromFiles", || {
        // SAFETY: NULL or C strings that live for the call.
        let (userOrChainedFile, seedFile) =
            unsafe { (strings::bytes(userOrChainedFile), strings::bytes(seedFile)) };
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_user_credentials_from_files(userOrChainedFile, seedFile)) }
    })
}

/// Sets the user JWT and the seed of its key, formatted like a credentials file. Credentials set in another way,
/// and an NKey, are removed.
///
/// @param opts the options.
/// @param jwtAndSeedContent copied, and looked at when connecting. NULL removes it.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetUserCredentialsFromMemory(
    opts: *mut natsOptions,
    jwtAndSeedContent: *const c_char,
) -> natsStatus {
    boundary("natsOptions_SetUserCredentialsFromMemory", || {
        // SAFETY: NULL or a C string that lives for the call.
        let jwtAndSeedContent = unsafe { strings::bytes(jwtAndSeedContent) };
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_user_credentials_from_memory(jwtAndSeedContent)) }
    })
}

/// Sets a public NKey and a function that signs with it each time the library connects. Other credentials are
/// removed.
///
/// A key that is NULL or empty removes the NKey; a function given then replaces that of
/// natsOptions_SetUserCredentialsCallbacks(). What the function stores comes from `malloc()` and is freed by the
/// library.
///
/// @param opts the options.
/// @param pubKey the public key, copied.
/// @param sigCB called to sign what the server sent, which may be NULL; it stores the raw signature, and may store
/// the text of an error.
/// @param sigClosure passed to `sigCB`.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL, or if there is a key without a function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetNKey(
    opts: *mut natsOptions,
    pubKey: *const c_char,
    sigCB: natsSignatureHandler,
    sigClosure: *mut c_void,
) -> natsStatus {
    boundary("natsOptions_SetNKey", || {
        // SAFETY: NULL or a C string that lives for the call.
        let pubKey = unsafe { strings::bytes(pubKey) };
        let signature = callbacks::signature(sigCB, sigClosure);
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_nkey(pubKey, signature)) }
    })
}

/// Sets a public NKey and the file with its seed. Other credentials are removed.
///
/// @param opts the options.
/// @param pubKey the public key, copied. NULL or empty removes the NKey and all other credentials.
/// @param seedFile the file with the seed, read each time the library connects.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL, or if there is a key without a file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetNKeyFromSeed(
    opts: *mut natsOptions,
    pubKey: *const c_char,
    seedFile: *const c_char,
) -> natsStatus {
    boundary("natsOptions_SetNKeyFromSeed", || {
        // SAFETY: NULL or C strings that live for the call.
        let (pubKey, seedFile) = unsafe { (strings::bytes(pubKey), strings::bytes(seedFile)) };
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_nkey_from_seed(pubKey, seedFile)) }
    })
}

/// Bounds the time a call waits for the server to take its data. After it, the call returns #NATS_TIMEOUT and the
/// connection counts as lost. Default: none, unless configured with nats_OpenWithConfig() or the environment.
///
/// @param opts the options.
/// @param deadline in milliseconds; 0 for none.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `deadline` negative.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetWriteDeadline(opts: *mut natsOptions, deadline: i64) -> natsStatus {
    boundary("natsOptions_SetWriteDeadline", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_write_deadline(deadline)) }
    })
}

/// Waits for the timeout of a request that nobody listens to, instead of ending it with #NATS_NO_RESPONDERS.
/// Default: false.
///
/// @param opts the options.
/// @param disabled true to wait.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_DisableNoResponders(
    opts: *mut natsOptions,
    disabled: bool,
) -> natsStatus {
    boundary("natsOptions_DisableNoResponders", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { set(opts, |opts| opts.disable_no_responders = disabled) }
    })
}

/// Sets the prefix of the reply subjects of requests. Default: "_INBOX". natsInbox_Create() does not use it.
///
/// @param opts the options.
/// @param inboxPrefix a subject without wildcards and without the dot at its end, copied. NULL or empty restores
/// the default, and so does a refused one.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL, or if the prefix is not a valid subject.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetCustomInboxPrefix(
    opts: *mut natsOptions,
    inboxPrefix: *const c_char,
) -> natsStatus {
    boundary("natsOptions_SetCustomInboxPrefix", || {
        // SAFETY: NULL or a C string that lives for the call.
        let inboxPrefix = unsafe { strings::bytes(inboxPrefix) };
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_custom_inbox_prefix(inboxPrefix)) }
    })
}

/// Sets the number of zero bytes after the payload of each received message, for parsers that read ahead. Default:
/// 0.
///
/// @param opts the options.
/// @param paddingSize in bytes.
/// @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `paddingSize` negative.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_SetMessageBufferPadding(
    opts: *mut natsOptions,
    paddingSize: c_int,
) -> natsStatus {
    boundary("natsOptions_SetMessageBufferPadding", || {
        // SAFETY: `opts` is NULL or a live handle.
        unsafe { change(opts, |opts| opts.set_message_buffer_padding(paddingSize)) }
    })
}

/// Destroys options. Connections made with them are not affected.
///
/// @param opts the options, not to be used afterwards. NULL is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsOptions_Destroy(opts: *mut natsOptions) {
    held("natsOptions_Destroy", (), || {
        // SAFETY: NULL or a handle that the caller gives up.
        drop(unsafe { natsOptions::take(opts) });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::options::Defaults;
    use std::ptr::{null, null_mut};

    fn create() -> *mut natsOptions {
        natsOptions::give(Arc::new(SharedOptions::new(Options::new(&Defaults::default()))))
    }

    fn read<T>(opts: *mut natsOptions, read: impl FnOnce(&Options) -> T) -> T {
        // SAFETY: the tests pass live handles.
        unsafe { natsOptions::borrow(opts) }.unwrap().with(|options| read(options))
    }

    #[test]
    fn the_list_of_servers_needs_array_and_count() {
        let opts = create();
        let mut urls = [c" a ".as_ptr(), c"b".as_ptr()];
        let list = urls.as_mut_ptr();
        // SAFETY: a live handle, an array of two C strings.
        unsafe {
            assert_eq!(natsOptions_SetServers(opts, list, 2), natsStatus::NATS_OK);
            for (array, count) in [(list, 0), (list, -1), (null_mut(), 1), (null_mut(), -1)] {
                assert_eq!(natsOptions_SetServers(opts, array, count), natsStatus::NATS_INVALID_ARG);
            }
            let servers = read(opts, |o| o.servers.clone());
            assert_eq!(*servers, [Text::copy(b"a").unwrap(), Text::copy(b"b").unwrap()]);
            assert_eq!(natsOptions_SetServers(opts, [null()].as_mut_ptr(), 1), natsStatus::NATS_INVALID_ARG);
            assert!(read(opts, |o| o.servers.is_empty()));
            assert_eq!(natsOptions_SetServers(opts, null_mut(), 0), natsStatus::NATS_OK);
            natsOptions_Destroy(opts);
        }
    }

    #[test]
    fn strings_are_bytes_and_null_removes() {
        let opts = create();
        // SAFETY: a live handle, C strings.
        unsafe {
            assert_eq!(natsOptions_SetName(opts, c"\xff".as_ptr()), natsStatus::NATS_OK);
            assert_eq!(read(opts, |o| o.name.clone()).as_deref(), Some(&[0xff][..]));
            assert_eq!(natsOptions_SetName(opts, null()), natsStatus::NATS_OK);
            assert_eq!(read(opts, |o| o.name.clone()), None);
            natsOptions_Destroy(opts);
        }
    }

    #[test]
    fn missing_options_are_an_invalid_argument() {
        // SAFETY: NULL is accepted.
        unsafe {
            assert_eq!(natsOptions_SetURL(null_mut(), c"x".as_ptr()), natsStatus::NATS_INVALID_ARG);
            assert_eq!(natsOptions_SetVerbose(null_mut(), true), natsStatus::NATS_INVALID_ARG);
            assert_eq!(natsOptions_Create(null_mut()), natsStatus::NATS_INVALID_ARG);
            natsOptions_Destroy(null_mut());
        }
    }
}
