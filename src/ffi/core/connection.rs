//! Connecting, the state of a connection, and its end.

use std::ffi::{c_char, c_int, c_uchar};
use std::ptr;

use crate::client::connection::connect::{Outcome, connect};
use crate::client::connection::{DRAIN_TIMEOUT_MS, FLUSH_TIMEOUT_MS};
use crate::client::library;
use crate::client::options::Options;
use crate::error::{Error, Result, Status, fail};
use crate::ffi::support::*;
use crate::ffi::types::*;

/// Where to connect without any URL.
const DEFAULT_URL: &[u8] = crate::proto::url::DEFAULT_URL;

/// Connects to one of the servers of the options.
///
/// Each server gets the connect timeout of the options for name resolution, TCP, TLS and the first exchange.
/// The options are copied; they can be changed or destroyed afterwards.
///
/// @param nc receives the connection, which the caller ends with natsConnection_Destroy(); untouched on
/// failure, except for #NATS_NOT_YET_CONNECTED.
/// @param options NULL is the same as default options.
/// @return #NATS_OK; #NATS_NO_SERVER when no server could be reached; #NATS_TIMEOUT;
/// #NATS_CONNECTION_AUTH_FAILED; #NATS_INVALID_ARG for a malformed URL; #NATS_NOT_YET_CONNECTED with
/// natsOptions_SetRetryOnFailedConnect() and a callback: the connection then goes on trying; other statuses
/// of the first exchange.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_Connect(
    nc: *mut *mut natsConnection,
    options: *mut natsOptions,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_Connect", Waiting(()), |()| {
            let out = Out::of(nc)?;
            let options = match natsOptions::borrow_opt(options) {
                Some(shared) => shared.with(|options| options.clone()),
                None => default_options()?,
            };
            connect_into(out, options)
        })
    }
}

/// Connects with default options to one of the servers in `urls`, a list separated by commas. NULL connects
/// to `nats://localhost:4222`.
///
/// @param nc receives the connection, which the caller ends with natsConnection_Destroy(); untouched on
/// failure.
/// @param urls the URLs.
/// @return as natsConnection_Connect().
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_ConnectTo(
    nc: *mut *mut natsConnection,
    urls: *const c_char,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_ConnectTo", Waiting(()), |()| {
            let out = Out::of(nc)?;
            let mut options = default_options()?;
            let urls = bytes(urls).unwrap_or(DEFAULT_URL);
            if urls.contains(&b',') {
                options.set_servers(urls.split(|b| *b == b','))?;
            } else {
                options.set_url(Some(urls))?;
            }
            connect_into(out, options)
        })
    }
}

/// Breaks the connection off and reconnects, as if it had been lost: the reconnect wait comes first.
///
/// @param nc the connection.
/// @return #NATS_OK; #NATS_INVALID_ARG if `nc` is NULL; #NATS_CONNECTION_CLOSED. OK without effect while it
/// reconnects already; with reconnects not allowed it closes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_Reconnect(nc: *mut natsConnection) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_Reconnect", nc, |nc| nc.reconnect()) }
}

/// Whether the connection is closed for good.
///
/// @param nc the connection.
/// @return true if it is closed, for NULL, and for a connection of the parent process after fork().
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_IsClosed(nc: *mut natsConnection) -> bool {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_IsClosed", Held(nc), |nc| Closed(nc.is_closed())) }
}

/// Whether the connection is lost and being re-established. Stays true when it was closed then.
///
/// @param nc the connection.
/// @return true while it reconnects; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_IsReconnecting(nc: *mut natsConnection) -> bool {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_IsReconnecting", Held(nc), |nc| nc.is_reconnecting()) }
}

/// Whether the connection is draining. The close that ends a drain ends this, too.
///
/// @param nc the connection.
/// @return true while it drains; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_IsDraining(nc: *mut natsConnection) -> bool {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_IsDraining", Held(nc), |nc| nc.is_draining()) }
}

/// The state of the connection. Never waits for anything.
///
/// @param nc the connection.
/// @return the state; #NATS_CONN_STATUS_CLOSED for NULL and for a connection of the parent process after
/// fork().
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_Status(nc: *mut natsConnection) -> natsConnStatus {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_Status", Held(nc), |nc| natsConnStatus::from(nc.visible_status())) }
}

/// Bytes published and not written to the socket yet. Those that wait for a reconnect are not counted.
///
/// @param nc the connection.
/// @return the number of bytes; -1 for NULL, and for a connection that is closed or was never up.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_Buffered(nc: *mut natsConnection) -> c_int {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_Buffered", Held(nc), |nc| nc.buffered()) }
}

/// Waits until the server has received everything published so far, for 10 seconds at most.
///
/// As natsConnection_FlushTimeout() in everything else.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_Flush(nc: *mut natsConnection) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_Flush", nc, |nc| nc.flush(FLUSH_TIMEOUT_MS)) }
}

/// Waits until the server has received everything published so far: sends a PING and waits for its PONG.
/// While the connection is being re-established, for the new one.
///
/// @param nc the connection.
/// @param timeout milliseconds to wait, above 0.
/// @return #NATS_OK; #NATS_INVALID_ARG if `nc` is NULL; #NATS_INVALID_TIMEOUT; #NATS_CONNECTION_CLOSED;
/// #NATS_TIMEOUT; #NATS_CONNECTION_DISCONNECTED when the connection is lost during the wait. May be called in
/// any callback.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_FlushTimeout(
    nc: *mut natsConnection,
    timeout: i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_FlushTimeout", nc, |nc| nc.flush(timeout)) }
}

/// The largest message the server takes, headers and payload together, in bytes.
///
/// @param nc the connection.
/// @return the number of bytes; 0 for NULL and before the first connect.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_GetMaxPayload(nc: *mut natsConnection) -> i64 {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_GetMaxPayload", Held(nc), |nc| nc.max_payload()) }
}

/// Copies the counters of a connection into a statistics object.
///
/// @param nc the connection.
/// @param stats an object of natsStatistics_Create(); its counters are replaced.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL. Works on a closed connection.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_GetStats(
    nc: *mut natsConnection,
    stats: *mut natsStatistics,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_GetStats", nc, |nc| {
            let counts = nc.statistics();
            *natsStatistics::borrow_mut(stats)? = counts;
            Ok(())
        })
    }
}

/// Copies the URL of the server connected to, credentials included; "" unless connected.
///
/// @param nc the connection.
/// @param buffer receives the text and a NUL; emptied first.
/// @param bufferSize its size in bytes.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_INSUFFICIENT_BUFFER.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_GetConnectedUrl(
    nc: *mut natsConnection,
    buffer: *mut c_char,
    bufferSize: usize,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_GetConnectedUrl", nc, |nc| copy_whole(&nc.connected_url()?, buffer, bufferSize))
    }
}

/// Copies the id of the server connected to; "" unless connected.
///
/// As natsConnection_GetConnectedUrl() in everything else.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_GetConnectedServerId(
    nc: *mut natsConnection,
    buffer: *mut c_char,
    bufferSize: usize,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_GetConnectedServerId", nc, |nc| {
            copy_whole(&nc.connected_server_id()?, buffer, bufferSize)
        })
    }
}

/// Copies the name of the server connected to; "" unless connected, and for a server that tells none.
///
/// As natsConnection_GetConnectedUrl() in everything else.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_GetConnectedServerName(
    nc: *mut natsConnection,
    buffer: *mut c_char,
    bufferSize: usize,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_GetConnectedServerName", nc, |nc| {
            copy_whole(&nc.connected_server_name()?, buffer, bufferSize)
        })
    }
}

/// The servers this connection may use, in the order of the pool, without credentials.
///
/// @param nc the connection.
/// @param servers receives an array of strings; the caller frees each string and the array with `free()`.
/// NULL when there is none left.
/// @param count receives their number.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_NO_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_GetServers(
    nc: *mut natsConnection,
    servers: *mut *mut *mut c_char,
    count: *mut c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_GetServers", nc, |nc| {
            let urls = nc.servers(false)?;
            OutList::of(servers, count)?.set(List::texts(&urls)?.or_null())
        })
    }
}

/// The servers of the pool that were announced by a server, without credentials.
///
/// As natsConnection_GetServers() in everything else, except that the array is never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_GetDiscoveredServers(
    nc: *mut natsConnection,
    servers: *mut *mut *mut c_char,
    count: *mut c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_GetDiscoveredServers", nc, |nc| {
            let urls = nc.servers(true)?;
            OutList::of(servers, count)?.set(List::texts(&urls)?)
        })
    }
}

/// The connection's last error. Deprecated: natsConnection_ReadLastError() copies the text.
///
/// @param nc the connection.
/// @param lastError receives the text, "" for no error. It belongs to the connection and is there until that
/// is destroyed; the address is always the same, the text there is replaced by the next call.
/// @return the status of the last error, #NATS_INVALID_ARG if an argument is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_GetLastError(
    nc: *mut natsConnection,
    lastError: *mut *const c_char,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_GetLastError", nc, |nc| {
            let out = Out::of(lastError)?;
            let (status, text) = nc.last_error_for_good();
            out.set(text)?;
            Ok(status)
        })
    }
}

/// Copies the text of the connection's last error.
///
/// @param nc the connection.
/// @param buf receives the text, cut to fit and always NUL-terminated; a cut text ends in `...`. May be NULL.
/// @param n size of `buf` in bytes.
/// @return the status of the last error (#NATS_OK for none), #NATS_INVALID_ARG for a NULL connection.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_ReadLastError(
    nc: *mut natsConnection,
    buf: *mut c_char,
    n: usize,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_ReadLastError", nc, |nc| {
            let (status, text) = nc.last_error().unwrap_or((Status::Ok, Vec::new()));
            if let Some(buffer) = Buffer::of(buf, n) {
                set_cut(buffer, text);
            }
            Ok(status)
        })
    }
}

/// The number that the server has given this connection.
///
/// @param nc the connection.
/// @param cid receives the number; 0 if the server gives none.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_CONNECTION_CLOSED;
/// #NATS_NO_SERVER_SUPPORT (and 0 stored) when the server gives none.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_GetClientID(
    nc: *mut natsConnection,
    cid: *mut u64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_GetClientID", nc, |nc| {
            let out = Out::of(cid)?;
            let id = nc.client_id()?;
            out.set(id)?;
            if id == 0 { Err(Status::NoServerSupport.into()) } else { Ok(()) }
        })
    }
}

/// Drains the connection: subscriptions first, then what was published, then it closes. Does not wait; gives
/// up after 30 seconds.
///
/// As natsConnection_DrainTimeout() in everything else.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_Drain(nc: *mut natsConnection) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_Drain", nc, |nc| nc.drain(DRAIN_TIMEOUT_MS)) }
}

/// Drains the connection within a time of the program's choice.
///
/// While the subscriptions drain, publishing still works and subscribing does not. Failures are reported to
/// the error handler; the closed callback tells the end.
///
/// @param nc the connection.
/// @param timeout milliseconds for the subscriptions; 0 or less for no limit.
/// @return #NATS_OK; #NATS_INVALID_ARG if `nc` is NULL; #NATS_CONNECTION_CLOSED; #NATS_ILLEGAL_STATE while it
/// is not connected; #NATS_SYS_ERROR when the system gives no thread for it (the connection goes on as
/// before). OK without effect when it drains already.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_DrainTimeout(
    nc: *mut natsConnection,
    timeout: i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_DrainTimeout", nc, |nc| nc.drain(timeout)) }
}

/// Signs a message with the seed of the connection's credentials. Works in any state of the connection.
///
/// @param nc a connection with credentials from files or memory, or an NKey from a seed.
/// @param message the bytes; a non-NULL message with length 0 is taken as a C string.
/// @param messageLen their number.
/// @param sig receives the 64 bytes of the signature, not NUL-terminated.
/// @return #NATS_OK; #NATS_INVALID_ARG; #NATS_ERR when there is nothing to sign with or it cannot be read.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_Sign(
    nc: *mut natsConnection,
    message: *const c_uchar,
    messageLen: c_int,
    sig: *mut c_uchar,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_Sign", nc, |nc| {
            let out = Out::of(sig.cast::<[u8; 64]>())?;
            let text = match messageLen {
                ..0 => return Err(Status::InvalidArg.into()),
                0 => bytes(message.cast()).unwrap_or_default(),
                n if message.is_null() => {
                    return fail(Status::InvalidArg, format!("no message of {n} bytes"));
                }
                n => payload(message.cast(), n),
            };
            out.set(nc.sign(text)?)
        })
    }
}

/// The address the server sees this connection come from.
///
/// @param nc the connection.
/// @param ip receives the text, to be freed with `free()`; NULL on failure.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_CONNECTION_CLOSED;
/// #NATS_NO_SERVER_SUPPORT when the server does not tell.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_GetClientIP(
    nc: *mut natsConnection,
    ip: *mut *mut c_char,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_GetClientIP", nc, |nc| {
            let out = Out::of(ip)?.cleared();
            out.set(Malloced::text(&nc.client_ip()?)?.into_c())
        })
    }
}

/// The name given with natsOptions_SetName().
///
/// @param nc the connection.
/// @return the name, which belongs to the connection; NULL for none and for a NULL connection.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_GetName(nc: *mut natsConnection) -> *const c_char {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_GetName", Held(nc), |nc| nc.name().map_or(ptr::null(), |name| name.as_ptr()))
    }
}

/// Measures the time from a PING to its PONG.
///
/// @param nc the connection.
/// @param rtt receives nanoseconds.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_CONNECTION_CLOSED;
/// #NATS_CONNECTION_DISCONNECTED while it reconnects; #NATS_TIMEOUT after 10 seconds.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_GetRTT(nc: *mut natsConnection, rtt: *mut i64) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_GetRTT", nc, |nc| {
            let out = Out::of(rtt)?;
            out.set(i64::try_from(nc.measure_rtt()?.as_nanos()).unwrap_or(i64::MAX))
        })
    }
}

/// Whether the server takes messages with headers.
///
/// @param nc the connection.
/// @return #NATS_OK if so; #NATS_NO_SERVER_SUPPORT if not; #NATS_INVALID_ARG if `nc` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_HasHeaderSupport(nc: *mut natsConnection) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_HasHeaderSupport", nc, |nc| match nc.has_header_support() {
            true => Ok(()),
            false => Err(Error::unrecorded(Status::NoServerSupport)),
        })
    }
}

/// Address and port of this end of the connection.
///
/// @param nc the connection.
/// @param ip receives the address, to be freed with `free()`; NULL on failure.
/// @param port receives the port, 0 on failure.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_CONNECTION_CLOSED;
/// #NATS_CONNECTION_DISCONNECTED while there is no socket; #NATS_SYS_ERROR.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_GetLocalIPAndPort(
    nc: *mut natsConnection,
    ip: *mut *mut c_char,
    port: *mut c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_GetLocalIPAndPort", nc, |nc| {
            let (ip, port) = (Out::of(ip)?, Out::of(port)?);
            let (ip, port) = (ip.cleared(), port.cleared());
            let address = nc.local_address()?;
            ip.set(Malloced::text(address.ip().to_string().as_bytes())?.into_c())?;
            port.set(address.port().into())
        })
    }
}

/// Closes a connection for good: what was published goes out first if the server takes it within half a
/// second, who waits for something is released with #NATS_CONNECTION_CLOSED, subscriptions end. The handle
/// stays valid for getters until natsConnection_Destroy(). NULL is ignored. May be called in any callback.
///
/// @param nc the connection.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_Close(nc: *mut natsConnection) {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_Close", Held(nc), |nc| nc.close()) }
}

/// Closes a connection and gives the handle back. Callbacks may still run afterwards; subscriptions stay
/// valid handles until they are destroyed. NULL is ignored. May be called in any callback.
///
/// @param nc the connection.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_Destroy(nc: *mut natsConnection) {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_Destroy", Released(nc), |nc| nc.close()) }
}

fn default_options() -> Result<Options> {
    library::open_default()?;
    Ok(Options::new(&library::defaults()))
}

/// A successful connect leaves no error behind, whatever the servers before said.
fn connect_into(out: Out<*mut natsConnection>, options: Options) -> Result<()> {
    let (connection, result) = match connect(options)? {
        Outcome::Connected(connection) => (connection, Ok(())),
        Outcome::Retrying(connection) => (connection, fail(Status::NotYetConnected, "")),
    };
    last_error::clear();
    out.set(natsConnection::give(connection))?;
    result
}

/// Whether a connection is closed, as one is that is not there.
struct Closed(bool);

impl Answer<bool> for Closed {
    fn into_c(self) -> Result<bool> {
        Ok(self.0)
    }

    fn failed(_: &Error) -> bool {
        true
    }
}

/// Stores a text; one that does not fit ends in dots, unless there is room for nothing else.
fn set_cut(mut buffer: Buffer, mut text: Vec<u8>) {
    let room = buffer.room();
    if text.len() > room && room > 3 {
        text[room - 3..room].fill(b'.');
    }
    buffer.set(&text);
}
