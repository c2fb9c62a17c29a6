//! What the adapter of an external event loop calls. Adapters for libuv and libevent, which use nothing but
//! these functions and natsConnection_Close(), are headers that programs compile: include/nats/adapters/.

use std::ffi::c_int;

use crate::ffi::support::connection::held_on_connection;
use crate::ffi::support::{Handle, held};
use crate::ffi::types::*;

/// Tells the library that the socket of a connection can be read. Called by the event loop's adapter on the
/// loop's thread, or on several at a time. Does nothing when the connection has no socket at the moment.
///
/// @param nc the connection.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_ProcessReadEvent(nc: *mut natsConnection) {
    // SAFETY: a live handle or NULL.
    unsafe { held_on_connection("natsConnection_ProcessReadEvent", nc, |nc| nc.process_read_event()) }
}

/// Tells the library that the socket of a connection can be written. Called by the event loop's adapter on
/// the loop's thread, or on several at a time. Does nothing when nothing is buffered or the connection has no
/// socket at the moment.
///
/// @param nc the connection.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_ProcessWriteEvent(nc: *mut natsConnection) {
    // SAFETY: a live handle or NULL.
    unsafe { held_on_connection("natsConnection_ProcessWriteEvent", nc, |nc| nc.process_write_event()) }
}

/// Closes a socket that the event loop's adapter has stopped polling, and sets it to -1. Called on the loop's
/// thread; NULL and -1 are ignored.
///
/// @param socket the socket, as given to the attach function; set to -1.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_ProcessCloseEvent(socket: *mut natsSock) {
    const NONE: c_int = -1;
    held("natsConnection_ProcessCloseEvent", (), || {
        // SAFETY: NULL or a valid place, by the contract of this function.
        let Some(socket) = (unsafe { socket.as_mut() }) else { return };
        if *socket != NONE {
            // SAFETY: the library left closing this descriptor to the adapter.
            unsafe { libc::close(*socket) };
            *socket = NONE;
        }
    });
}

/// Tells the library that the event loop uses a connection no longer: drops the reference that the loop has
/// had since it attached. Called once by the adapter after its detach function; NULL is ignored.
///
/// @param nc the connection.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_ProcessDetachedEvent(nc: *mut natsConnection) {
    held("natsConnection_ProcessDetachedEvent", (), || {
        // SAFETY: the reference given to the loop when it attached, or NULL.
        let connection = unsafe { natsConnection::borrow_opt(nc) };
        if connection.is_some_and(|nc| nc.check_process().is_ok()) {
            // SAFETY: as above, and not used by the loop afterwards.
            drop(unsafe { natsConnection::take(nc) });
        }
    });
}
