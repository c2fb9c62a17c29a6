//! The program's event loop, as registered with `natsOptions_SetEventLoop`. When which function is called is
//! decided in `client::event_loop`; the other direction, what an adapter calls, is in `ffi::event_loop`.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use crate::client::connection::Connection;
use crate::client::options::handlers::{EventLoop, EventLoopFactory};
use crate::error::{Error, Result};
use crate::ffi::support::callback::call_adapter;
use crate::ffi::support::*;
use crate::ffi::types::*;

/// The functions of an adapter, each with the type of C.
#[derive(Clone, Copy)]
struct Adapter {
    attach: Callback<Attach>,
    read: AddRemove,
    write: AddRemove,
    detach: Detach,
}

type Status = MaybeUninit<natsStatus>;
type Attach = unsafe extern "C" fn(*mut *mut c_void, *mut c_void, *mut natsConnection, natsSock) -> Status;
type AddRemove = unsafe extern "C" fn(*mut c_void, bool) -> Status;
type Detach = unsafe extern "C" fn(*mut c_void) -> Status;

/// Makes an adapter for each connection; `None` when the loop or a function is missing.
fn factory(
    event_loop: *mut c_void,
    attach: natsEvLoop_Attach,
    read: natsEvLoop_ReadAddRemove,
    write: natsEvLoop_WriteAddRemove,
    detach: natsEvLoop_Detach,
) -> Option<EventLoopFactory> {
    if event_loop.is_null() {
        return None;
    }
    let attach = Callback::new(attach, event_loop)?;
    let adapter = Adapter { attach, read: read?, write: write?, detach: detach? };
    Some(Arc::new(move || {
        Arc::new(Attached {
            adapter,
            user_data: AtomicPtr::new(null_mut()),
            referenced: AtomicBool::new(false),
        })
    }))
}

/// One connection's place in the loop.
struct Attached {
    adapter: Adapter,
    /// Set by the adapter's attach function, handed back to it in every call.
    user_data: AtomicPtr<c_void>,
    /// The loop has its reference to the connection.
    referenced: AtomicBool,
}

impl EventLoop for Attached {
    fn attach(&self, conn: &Arc<Connection>, fd: RawFd) -> Result<()> {
        // The loop's reference is there before the adapter can use it; `ProcessDetachedEvent` drops it.
        let first = !self.referenced.swap(true, Ordering::AcqRel);
        let nc = if first { natsConnection::give(conn.clone()) } else { natsConnection::lend(conn) };
        let attach = self.adapter.attach;
        // SAFETY: the handle is there for the loop; calls for one connection do not overlap with attach, so
        // nothing else touches the user data.
        let result = unsafe { attach.call_adapter((self.user_data.as_ptr(), attach.closure(), nc, fd)) };
        result.map_err(|error| {
            if first {
                self.referenced.store(false, Ordering::Release);
                // SAFETY: given above, and an adapter that failed keeps nothing.
                drop(unsafe { natsConnection::take(nc) });
            }
            Error::new(error.status(), "Error attaching to the event loop")
        })
    }

    fn read(&self, add: bool) -> Result<()> {
        // SAFETY: the adapter's own data.
        unsafe { call_adapter(self.adapter.read, (self.user_data(), add)) }
    }

    fn write(&self, add: bool) -> Result<()> {
        // SAFETY: the adapter's own data.
        unsafe { call_adapter(self.adapter.write, (self.user_data(), add)) }
    }

    fn detach(&self) -> Result<()> {
        // SAFETY: the adapter's own data.
        unsafe { call_adapter(self.adapter.detach, (self.user_data(),)) }
    }
}

impl Attached {
    fn user_data(&self) -> *mut c_void {
        self.user_data.load(Ordering::Acquire)
    }
}

/// Lets the program's event loop poll the sockets of the connections, instead of the library. It cannot be
/// undone.
///
/// The loop calls natsConnection_ProcessReadEvent() and natsConnection_ProcessWriteEvent(), and closes a
/// socket with natsConnection_ProcessCloseEvent() only. The functions return #NATS_OK or why they failed.
///
/// The functions are called one at a time for each connection, on any thread: the program's, or one of the
/// library's that may block. They may use the connection; what that asks of them is called after they return.
/// When a connection is lost or closed, `writeCb` and `readCb` are called with false before any callback, and
/// the library leaves the socket alone from then on.
///
/// @param opts the options.
/// @param event_loop the program's event loop, passed to `attachCb`.
/// @param attachCb starts polling a socket; it stores data of its own that the other functions get, and finds
/// it again when called after a reconnect.
/// @param readCb starts or stops polling for reading.
/// @param writeCb starts or stops polling for writing.
/// @param detachCb the connection is closed: the loop must call natsConnection_ProcessDetachedEvent() once,
/// which drops the reference to the connection it got when first attached.
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
    // SAFETY: the C contract.
    unsafe {
        on("natsOptions_SetEventLoop", opts, |opts| {
            let factory = factory(event_loop, attachCb, readCb, writeCb, detachCb);
            opts.handlers.event_loop = Some(factory.ok_or(crate::error::Status::InvalidArg)?);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::support::cenum::enum_from_code;

    unsafe extern "C" fn attach(
        _user_data: *mut *mut c_void,
        _event_loop: *mut c_void,
        _nc: *mut natsConnection,
        _fd: natsSock,
    ) -> Status {
        enum_from_code(0)
    }

    unsafe extern "C" fn add_remove(user_data: *mut c_void, add: bool) -> Status {
        enum_from_code(if add { user_data as usize as i32 } else { 0 })
    }

    unsafe extern "C" fn detach(user_data: *mut c_void) -> Status {
        enum_from_code(user_data as usize as i32)
    }

    #[test]
    fn everything_must_be_given() {
        let event_loop = std::ptr::dangling_mut::<c_void>();
        let made = |l, a, r, w, d| factory(l, a, r, w, d).is_some();
        let (a, rw, d) = (Some(attach as Attach), Some(add_remove as AddRemove), Some(detach as Detach));
        assert!(made(event_loop, a, rw, rw, d));
        assert!(!made(null_mut(), a, rw, rw, d));
        assert!(!made(event_loop, None, rw, rw, d));
        assert!(!made(event_loop, a, None, rw, d));
        assert!(!made(event_loop, a, rw, None, d));
        assert!(!made(event_loop, a, rw, rw, None));
    }

    #[test]
    fn user_data_goes_out_and_statuses_come_back() {
        let attach = Callback::new(Some(attach as Attach), null_mut()).unwrap();
        let adapter = Adapter { attach, read: add_remove, write: add_remove, detach };
        let user_data = AtomicPtr::new(26 as *mut c_void);
        let attached = Attached { adapter, user_data, referenced: AtomicBool::new(true) };
        let status = |result: Result<()>| result.map_err(|error| error.status()).err();
        assert_eq!(status(attached.write(false)), None);
        assert_eq!(status(attached.write(true)), Some(crate::error::Status::Timeout));
        assert_eq!(status(attached.read(true)), Some(crate::error::Status::Timeout));
        assert_eq!(status(attached.detach()), Some(crate::error::Status::Timeout));
    }
}
