//! C callbacks of the options as the closures the core calls. None is called with a lock of this layer held.

use std::ffi::{CString, c_char, c_int, c_uchar, c_void};
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::ptr::null_mut;
use std::sync::Arc;

use crate::client::options::auth::{SignatureHandler, TokenHandler, UserJwtHandler};
use crate::client::options::handlers::{
    ConnectionHandler, DisconnectHandler, ErrorHandler, PingEvent, PingHandler, ReconnectDelayHandler,
};
use crate::client::options::servers::ProxyHandler;
use crate::error::{Error, Result, Status, fail, shown};
use crate::ffi::core::liveness::{disconnect_info, nanos};
use crate::ffi::support::callback::{Closure, word};
use crate::ffi::support::cenum::{enum_from_code, status_from_c};
use crate::ffi::support::{Handle, last_error, strings};
use crate::ffi::types::{
    natsConnection, natsConnectionHandler, natsCustomReconnectDelayHandler, natsDisconnectedErrHandler,
    natsErrHandler, natsPingEvent, natsPingEventHandler, natsProxyConnHandler, natsSignatureHandler,
    natsSock, natsStatus, natsSubscription, natsTokenHandler, natsUserJWTHandler,
};
use crate::proto::memory;
use crate::thread_end::{Ending, call_handler as call};

/// The handler of a connection event; it runs on the library's callback thread.
pub(super) fn connection(handler: natsConnectionHandler, closure: *mut c_void) -> Option<ConnectionHandler> {
    let (handler, closure) = (handler?, Closure::new(closure));
    Some(Arc::new(move |conn| {
        // SAFETY: a function of the program called as it was registered; `conn` lives for the call.
        let _ = unsafe {
            call(handler as *const c_void, [word(natsConnection::lend(conn)), closure.word(), 0, 0, 0])
        };
        last_error::clear();
    }))
}

/// The error handler: an error with a text of its own is the thread's last error while the handler runs.
pub(super) fn error(handler: natsErrHandler, closure: *mut c_void) -> Option<ErrorHandler> {
    let (handler, closure) = (handler?, Closure::new(closure));
    Some(Arc::new(move |conn, sub, error| {
        if let Some(text) = error.own_text() {
            last_error::preset(error.status(), text);
        }
        let (nc, sub) = (natsConnection::lend(conn), sub.map_or(null_mut(), natsSubscription::lend));
        let status = natsStatus::from(error.status()) as usize;
        // SAFETY: a function of the program called as it was registered; both objects live for the call.
        let _ = unsafe { call(handler as *const c_void, [word(nc), word(sub), status, closure.word(), 0]) };
        last_error::clear();
    }))
}

pub(super) fn disconnect_handler(
    handler: natsDisconnectedErrHandler,
    closure: *mut c_void,
) -> Option<DisconnectHandler> {
    let (handler, closure) = (handler?, Closure::new(closure));
    Some(Arc::new(move |conn, disconnect| {
        let info = disconnect_info(disconnect);
        let arguments = [word(natsConnection::lend(conn)), word(&raw const info), closure.word(), 0, 0];
        // SAFETY: a function of the program called as it was registered; both pointers live for the call.
        let _ = unsafe { call(handler as *const c_void, arguments) };
        last_error::clear();
    }))
}

pub(super) fn ping_handler(handler: natsPingEventHandler, closure: *mut c_void) -> Option<PingHandler> {
    let (handler, closure) = (handler?, Closure::new(closure));
    Some(Arc::new(move |conn, event, outstanding, round_trip| {
        let event = match event {
            PingEvent::Sent => natsPingEvent::NATS_PING_SENT,
            PingEvent::Answered => natsPingEvent::NATS_PONG_RECEIVED,
            PingEvent::Missed => natsPingEvent::NATS_PONG_MISSED,
        };
        let nc = natsConnection::lend(conn);
        let arguments =
            [word(nc), event as usize, outstanding as usize, nanos(round_trip) as usize, closure.word()];
        // SAFETY: a function of the program called as it was registered; `nc` lives for the call.
        let _ = unsafe { call(handler as *const c_void, arguments) };
        last_error::clear();
    }))
}

/// The token stays the program's.
pub(super) fn token(handler: natsTokenHandler, closure: *mut c_void) -> Option<TokenHandler> {
    let (handler, closure) = (handler?, Closure::new(closure));
    Some(Arc::new(move || {
        // SAFETY: a function of the program called as it was registered.
        let token =
            unsafe { call(handler as *const c_void, [closure.word(), 0, 0, 0, 0]) }.unwrap_or_default();
        // SAFETY: the handler returns NULL or a C string; it is copied at once.
        unsafe { strings::bytes(std::ptr::with_exposed_provenance(token)) }.map(memory::copy).transpose()
    }))
}

pub(super) fn reconnect_delay(
    handler: natsCustomReconnectDelayHandler,
    closure: *mut c_void,
) -> Option<ReconnectDelayHandler> {
    let (handler, closure) = (handler?, Closure::new(closure));
    Some(Arc::new(move |conn, attempts| {
        let arguments = [word(natsConnection::lend(conn)), attempts as usize, closure.word(), 0, 0];
        // SAFETY: a function of the program called as it was registered; `conn` lives for the call.
        unsafe { call(handler as *const c_void, arguments) }.ok().map(|delay| delay as i64)
    }))
}

/// A socket handed over by a handler that then fails is closed here.
pub(super) fn proxy(handler: natsProxyConnHandler, closure: *mut c_void) -> Option<ProxyHandler> {
    let (handler, closure) = (handler?, Closure::new(closure));
    Some(Arc::new(move |host, port| {
        let mut host = c_string(host)?.into_bytes_with_nul();
        let mut fd: natsSock = -1;
        let arguments = [word(&raw mut fd), word(host.as_mut_ptr()), port as usize, closure.word(), 0];
        // SAFETY: a function of the program called as it was registered; `host` is a C string it may change.
        let returned = unsafe { call(handler as *const c_void, arguments) };
        accepted_socket(fd, outcome(status_of(returned), None))
    }))
}

/// JWT and error text are `malloc`ed by the handler and freed here.
pub(super) fn user_jwt(handler: natsUserJWTHandler, closure: *mut c_void) -> Option<UserJwtHandler> {
    let (handler, closure) = (handler?, Closure::new(closure));
    Some(Arc::new(move || {
        let (mut jwt, mut text) = (Malloced::<c_char>::empty(), Malloced::<c_char>::empty());
        let arguments = [word(&raw mut jwt.0), word(&raw mut text.0), closure.word(), 0, 0];
        // SAFETY: a function of the program called as it was registered.
        let returned = unsafe { call(handler as *const c_void, arguments) };
        outcome(status_of(returned), text.bytes())?;
        memory::copy(jwt.bytes().unwrap_or_default())
    }))
}

/// Signature and error text are `malloc`ed by the handler and freed here.
pub(super) fn signature(handler: natsSignatureHandler, closure: *mut c_void) -> Option<SignatureHandler> {
    let (handler, closure) = (handler?, Closure::new(closure));
    Some(Arc::new(move |nonce| {
        let nonce = nonce.map(c_string).transpose()?;
        let nonce = nonce.as_ref().map_or(std::ptr::null(), |nonce| nonce.as_ptr());
        let (mut signature, mut text) = (Malloced::<c_uchar>::empty(), Malloced::<c_char>::empty());
        let mut len: c_int = 0;
        let arguments = [
            word(&raw mut text.0),
            word(&raw mut signature.0),
            word(&raw mut len),
            word(nonce),
            closure.word(),
        ];
        // SAFETY: a function of the program called as it was registered; `nonce` lives for the call.
        let returned = unsafe { call(handler as *const c_void, arguments) };
        outcome(status_of(returned), text.bytes())?;
        // SAFETY: the handler says that `signature` has `len` bytes; they are copied at once.
        memory::copy(unsafe { strings::payload(signature.0.cast(), len) })
    }))
}

/// What a function of the program returned, which is a failure when it ended the thread instead.
pub(super) fn status_of(returned: std::result::Result<usize, Ending>) -> MaybeUninit<natsStatus> {
    enum_from_code(returned.map_or(natsStatus::NATS_ERR as c_int, |code| code as c_int))
}

/// What a status returned by a function of the program means; an unknown one is `NATS_ERR`.
pub(super) fn outcome(returned: MaybeUninit<natsStatus>, text: Option<&[u8]>) -> Result<()> {
    // SAFETY: a function returned it.
    let status = unsafe { status_from_c(returned) }.unwrap_or(Status::Err);
    match (status, text) {
        (Status::Ok, _) => Ok(()),
        (status, Some(text)) => fail(status, shown(text).into_owned()),
        (status, None) => Err(Error::from(status)),
    }
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

/// Memory that a callback got from `malloc` for the library.
struct Malloced<T>(*mut T);

impl<T> Malloced<T> {
    fn empty() -> Malloced<T> {
        Malloced(null_mut())
    }
}

impl Malloced<c_char> {
    fn bytes(&self) -> Option<&[u8]> {
        // SAFETY: NULL or a C string made by the callback, freed when `self` is dropped.
        unsafe { strings::bytes(self.0) }
    }
}

impl<T> Drop for Malloced<T> {
    fn drop(&mut self) {
        // SAFETY: NULL or memory from `malloc` that nobody else frees, by the callback's contract.
        unsafe { libc::free(self.0.cast()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};

    #[test]
    fn statuses_of_the_program_are_checked() {
        assert!(outcome(enum_from_code(0), Some(b"ignored")).is_ok());
        let error = outcome(enum_from_code(77), Some(b"mine")).unwrap_err();
        assert_eq!((error.status(), error.text()), (Status::Err, "mine"));
        assert_eq!(outcome(enum_from_code(-1), None).unwrap_err().status(), Status::Err);
        assert_eq!(outcome(enum_from_code(26), None).unwrap_err().status(), Status::Timeout);
    }

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
