//! C callbacks of the options as the closures the core calls. None is called with a lock of this layer held.

use std::ffi::{CString, c_int, c_void};
use std::os::fd::RawFd;
use std::ptr::{null, null_mut};
use std::sync::Arc;

use crate::client::options::auth::{SignatureHandler, TokenHandler, UserJwtHandler};
use crate::client::options::handlers::{
    ConnectionHandler, DisconnectHandler, ErrorHandler, PingHandler, ReconnectDelayHandler,
};
use crate::client::options::servers::ProxyHandler;
use crate::error::{Result, Status, fail};
use crate::ffi::support::callback::outcome;
use crate::ffi::support::*;
use crate::ffi::types::*;
use crate::proto::memory;

/// The handler of a connection event; it runs on the library's callback thread.
pub(super) fn connection(handler: natsConnectionHandler, closure: *mut c_void) -> Option<ConnectionHandler> {
    let callback = Callback::new(handler, closure)?;
    Some(Arc::new(move |conn| {
        // SAFETY: the connection lives for the call.
        unsafe { callback.tell((natsConnection::lend(conn), callback.closure())) }
    }))
}

/// The error handler: an error with a text of its own is the thread's last error while the handler runs.
pub(super) fn error(handler: natsErrHandler, closure: *mut c_void) -> Option<ErrorHandler> {
    let callback = Callback::new(handler, closure)?;
    Some(Arc::new(move |conn, sub, error| {
        if let Some(text) = error.own_text() {
            last_error::preset(error.status(), text);
        }
        let (nc, sub) = (natsConnection::lend(conn), sub.map_or(null_mut(), natsSubscription::lend));
        // SAFETY: both objects live for the call.
        unsafe { callback.tell((nc, sub, error.status().into(), callback.closure())) }
    }))
}

pub(super) fn disconnect(
    handler: natsDisconnectedErrHandler,
    closure: *mut c_void,
) -> Option<DisconnectHandler> {
    let callback = Callback::new(handler, closure)?;
    Some(Arc::new(move |conn, disconnect| {
        let info = natsDisconnectInfo::from(disconnect);
        // SAFETY: both pointers live for the call.
        unsafe { callback.tell((natsConnection::lend(conn), &raw const info, callback.closure())) }
    }))
}

pub(super) fn ping(handler: natsPingEventHandler, closure: *mut c_void) -> Option<PingHandler> {
    let callback = Callback::new(handler, closure)?;
    Some(Arc::new(move |conn, event, outstanding, round_trip| {
        let (nc, round_trip) = (natsConnection::lend(conn), nanos(round_trip));
        // SAFETY: the connection lives for the call.
        unsafe { callback.tell((nc, event.into(), outstanding, round_trip, callback.closure())) }
    }))
}

/// The token stays the program's.
pub(super) fn token(handler: natsTokenHandler, closure: *mut c_void) -> Option<TokenHandler> {
    let callback = Callback::new(handler, closure)?;
    Some(Arc::new(move || {
        // SAFETY: the closure alone.
        let token = unsafe { callback.call((callback.closure(),)) }.unwrap_or(null());
        // SAFETY: the handler returns NULL or a C string; it is copied at once.
        unsafe { bytes(token) }.map(memory::copy).transpose()
    }))
}

pub(super) fn reconnect_delay(
    handler: natsCustomReconnectDelayHandler,
    closure: *mut c_void,
) -> Option<ReconnectDelayHandler> {
    let callback = Callback::new(handler, closure)?;
    Some(Arc::new(move |conn, attempts| {
        // SAFETY: the connection lives for the call.
        unsafe { callback.call((natsConnection::lend(conn), attempts, callback.closure())) }.ok()
    }))
}

/// A socket handed over by a handler that then fails is closed here.
pub(super) fn proxy(handler: natsProxyConnHandler, closure: *mut c_void) -> Option<ProxyHandler> {
    let callback = Callback::new(handler, closure)?;
    Some(Arc::new(move |host, port| {
        let mut host = c_string(host)?.into_bytes_with_nul();
        let mut fd: natsSock = -1;
        let arguments = (&raw mut fd, host.as_mut_ptr().cast(), port, callback.closure());
        // SAFETY: `host` is a C string that the handler may change, `fd` a place for its socket.
        let returned = unsafe { callback.call(arguments) };
        accepted_socket(fd, outcome(returned, None))
    }))
}

/// JWT and error text are `malloc`ed by the handler and freed here.
pub(super) fn user_jwt(handler: natsUserJWTHandler, closure: *mut c_void) -> Option<UserJwtHandler> {
    let callback = Callback::new(handler, closure)?;
    Some(Arc::new(move || {
        let (mut jwt, mut text) = (Malloced::NULL, Malloced::NULL);
        // SAFETY: places for what the handler makes.
        let returned = unsafe { callback.call((jwt.place(), text.place(), callback.closure())) };
        outcome(returned, text.bytes())?;
        memory::copy(jwt.bytes().unwrap_or_default())
    }))
}

/// Signature and error text are `malloc`ed by the handler and freed here.
pub(super) fn signature(handler: natsSignatureHandler, closure: *mut c_void) -> Option<SignatureHandler> {
    let callback = Callback::new(handler, closure)?;
    Some(Arc::new(move |nonce| {
        let nonce = nonce.map(c_string).transpose()?;
        let nonce = nonce.as_ref().map_or(null(), |nonce| nonce.as_ptr());
        let (mut signature, mut text) = (Malloced::NULL, Malloced::NULL);
        let mut len: c_int = 0;
        let arguments = (text.place(), signature.place(), &raw mut len, nonce, callback.closure());
        // SAFETY: places for what the handler makes; `nonce` lives for the call.
        let returned = unsafe { callback.call(arguments) };
        outcome(returned, text.bytes())?;
        // SAFETY: the handler says that `signature` has `len` bytes; they are copied at once.
        memory::copy(unsafe { payload(signature.as_ptr().cast(), len) })
    }))
}

fn accepted_socket(fd: natsSock, outcome: Result<()>) -> Result<RawFd> {
    match outcome {
        Ok(()) if fd < 0 => fail(Status::NoServer, "the proxy handler gave no socket"),
        Ok(()) => Ok(fd),
        Err(error) => {
            if fd >= 0 {
                // SAFETY: the handler made this descriptor for the library and keeps no copy.
                unsafe { libc::close(fd) };
            }
            Err(error)
        }
    }
}

/// The bytes up to a NUL, should there be one.
fn c_string(bytes: &[u8]) -> Result<CString> {
    memory::c_text(bytes.split(|b| *b == 0).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::support::cenum::enum_from_code;
    use std::ffi::{c_char, c_uchar};
    use std::mem::MaybeUninit;
    use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};

    unsafe extern "C" fn jwt(
        jwt: *mut *mut c_char,
        text: *mut *mut c_char,
        closure: *mut c_void,
    ) -> MaybeUninit<natsStatus> {
        // SAFETY: both pointers are writable; strdup makes what the library frees.
        unsafe {
            *jwt = libc::strdup(c"JWT".as_ptr());
            *text = libc::strdup(c"no luck".as_ptr());
        }
        enum_from_code(closure as usize as c_int)
    }

    #[test]
    fn a_jwt_comes_with_ok_only() {
        let good = user_jwt(Some(jwt), null_mut()).unwrap();
        assert_eq!(good().unwrap(), b"JWT");
        let bad = user_jwt(Some(jwt), 19 as *mut c_void).unwrap();
        let error = bad().unwrap_err();
        assert_eq!((error.status(), error.text()), (Status::IllegalState, "no luck"));
        assert!(user_jwt(None, null_mut()).is_none());
    }

    unsafe extern "C" fn sign(
        _text: *mut *mut c_char,
        signature: *mut *mut c_uchar,
        len: *mut c_int,
        nonce: *const c_char,
        _closure: *mut c_void,
    ) -> MaybeUninit<natsStatus> {
        if nonce.is_null() {
            return enum_from_code(0);
        }
        // SAFETY: the out parameters are writable, `nonce` is a C string, strdup makes what the library
        // frees.
        unsafe {
            *signature = libc::strdup(nonce).cast();
            *len = libc::strlen(nonce) as c_int;
        }
        enum_from_code(0)
    }

    #[test]
    fn the_signature_is_copied_and_may_be_missing() {
        let sign = signature(Some(sign), null_mut()).unwrap();
        assert_eq!(sign(Some(b"abc\0def")).unwrap(), b"abc");
        assert_eq!(sign(None).unwrap(), b"");
    }

    #[test]
    fn the_socket_of_a_failed_proxy_handler_is_closed() {
        assert_eq!(accepted_socket(-1, Ok(())).unwrap_err().status(), Status::NoServer);
        let (kept, closed) = std::os::unix::net::UnixStream::pair().unwrap();
        let result = accepted_socket(closed.into_raw_fd(), Err(Status::Timeout.into()));
        assert_eq!(result.unwrap_err().status(), Status::Timeout);
        let mut byte = [0];
        assert_eq!(std::io::Read::read(&mut &kept, &mut byte).unwrap(), 0, "the other end is gone");
        let fd = accepted_socket(kept.into_raw_fd(), Ok(())).unwrap();
        // SAFETY: `fd` was given up above.
        drop(unsafe { OwnedFd::from_raw_fd(fd) });
    }
}
