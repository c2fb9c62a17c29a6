//! What the adapter of an external event loop calls. Adapters for libuv and libevent, which use nothing but
//! these functions and natsConnection_Close(), are headers that programs compile: include/nats/adapters/.

use crate::ffi::support::*;
use crate::ffi::types::*;

/// Tells the library that the socket of a connection can be read. Called by the event loop's adapter on the
/// loop's thread, or on several at a time. Does nothing when the connection has no socket at the moment.
///
/// @param nc the connection.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_ProcessReadEvent(nc: *mut natsConnection) {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_ProcessReadEvent", Held(nc), |nc| nc.process_read_event()) }
}

/// Tells the library that the socket of a connection can be written. Called by the event loop's adapter on
/// the loop's thread, or on several at a time. Does nothing when nothing is buffered or the connection has no
/// socket at the moment.
///
/// @param nc the connection.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_ProcessWriteEvent(nc: *mut natsConnection) {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_ProcessWriteEvent", Held(nc), |nc| nc.process_write_event()) }
}

/// Closes a socket that the event loop's adapter has stopped polling, and sets it to -1. Called on the loop's
/// thread; NULL and -1 are ignored.
///
/// @param socket the socket, as given to the attach function; set to -1.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_ProcessCloseEvent(socket: *mut natsSock) {
    const NONE: natsSock = -1;
    // SAFETY: the C contract; the library left closing this descriptor to the adapter.
    unsafe {
        on("natsConnection_ProcessCloseEvent", (), |()| {
            let Some(socket) = socket.as_mut().filter(|socket| **socket != NONE) else { return };
            libc::close(*socket);
            *socket = NONE;
        })
    }
}

/// Tells the library that the event loop uses a connection no longer: drops the reference that the loop has
/// had since it attached. Called once by the adapter after its detach function; NULL is ignored.
///
/// @param nc the connection.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_ProcessDetachedEvent(nc: *mut natsConnection) {
    // SAFETY: the C contract.
    unsafe { on("natsConnection_ProcessDetachedEvent", Released(nc), |_| ()) }
}
