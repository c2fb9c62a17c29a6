//! What functions on each kind of handle share: how the door gets at the object, when it refuses.

use std::mem::{self, ManuallyDrop};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;

use crate::client::connection::Connection;
use crate::client::connection::stats::Statistics;
use crate::client::message::Msg;
use crate::client::options::{Options, SharedOptions};
use crate::client::subscription::Subscription;
use crate::error::{Error, Result, Status};
use crate::ffi::support::door::{Mode, Target};
use crate::ffi::support::handle::{Borrowed, Boxed, Owned, Shared};
use crate::ffi::types::*;
use crate::proto::headers::HeaderMap;

impl Shared for natsConnection {
    type Object = Connection;

    #[inline(always)]
    fn check(connection: &Connection) -> Result<()> {
        connection.check_process()
    }

    fn given(connection: &Connection) {
        connection.add_user();
    }

    fn taken(connection: &Connection) {
        connection.remove_user();
    }
}

impl Target for *mut natsConnection {
    type Given<'a> = &'a Arc<Connection>;

    const MODE: Mode = Mode::Waiting;

    #[inline(always)]
    unsafe fn with<R>(self, body: impl FnOnce(&Arc<Connection>) -> R) -> Result<R> {
        // SAFETY: the C contract.
        let connection = ClosedByPanic(unsafe { natsConnection::borrow(self) }?);
        let result = match natsConnection::check(&connection.0) {
            Ok(()) => Ok(body(&connection.0)),
            Err(refusal) => Err(refusal),
        };
        mem::forget(connection);
        result
    }
}

/// A connection that a function is at work on: after a panic nobody knows what is left of it.
struct ClosedByPanic<'a>(Borrowed<'a, Connection>);

impl Drop for ClosedByPanic<'_> {
    #[cold]
    fn drop(&mut self) {
        let _ = catch_unwind(AssertUnwindSafe(|| self.0.abandon()));
    }
}

impl Shared for natsSubscription {
    type Object = Subscription;

    #[inline(always)]
    fn check(subscription: &Subscription) -> Result<()> {
        subscription.connection().check_process()
    }

    fn given(subscription: &Subscription) {
        subscription.connection().add_user();
    }

    fn taken(subscription: &Subscription) {
        subscription.connection().remove_user();
    }
}

impl Target for *mut natsSubscription {
    type Given<'a> = &'a Arc<Subscription>;

    const MODE: Mode = Mode::Waiting;

    #[inline(always)]
    unsafe fn with<R>(self, body: impl FnOnce(&Arc<Subscription>) -> R) -> Result<R> {
        // SAFETY: the C contract.
        unsafe { checked(self, body) }
    }
}

/// Runs the body with an object of this process.
///
/// # Safety
/// The C contract.
#[inline(always)]
unsafe fn checked<H: Shared, R>(handle: *mut H, body: impl FnOnce(&Arc<H::Object>) -> R) -> Result<R> {
    // SAFETY: as promised by the caller.
    let object = unsafe { H::borrow(handle) }?;
    H::check(&object)?;
    Ok(body(&object))
}

impl Shared for natsOptions {
    type Object = SharedOptions;
}

impl Target for *mut natsOptions {
    type Given<'a> = &'a mut Options;

    const MODE: Mode = Mode::Held;

    unsafe fn with<R>(self, body: impl FnOnce(&mut Options) -> R) -> Result<R> {
        // SAFETY: the C contract.
        Ok(unsafe { natsOptions::borrow(self) }?.with(body))
    }
}

/// A handle whose object answers in a forked child, too: what is asked for never changes, or is one word.
#[derive(Clone, Copy)]
pub(crate) struct AnyProcess<P>(pub(crate) P);

impl<H: Shared> Target for AnyProcess<*mut H> {
    type Given<'a> = &'a Arc<H::Object>;

    const MODE: Mode = Mode::Quick;

    unsafe fn with<R>(self, body: impl FnOnce(&Arc<H::Object>) -> R) -> Result<R> {
        // SAFETY: the C contract.
        let object = unsafe { H::borrow(self.0) }?;
        Ok(body(&object))
    }
}

/// A handle of a shared object that the program gives back. What the parent process has is left alone: its
/// locks and threads are the parent's.
#[derive(Clone, Copy)]
pub(crate) struct Released<P>(pub(crate) P);

impl<H: Shared> Target for Released<*mut H> {
    type Given<'a> = &'a Arc<H::Object>;

    const MODE: Mode = Mode::Held;

    unsafe fn with<R>(self, body: impl FnOnce(&Arc<H::Object>) -> R) -> Result<R> {
        // SAFETY: the C contract.
        let result = unsafe { checked(self.0, body) }?;
        // SAFETY: the C contract, and the program does not use the handle afterwards.
        drop(unsafe { H::take(self.0) });
        Ok(result)
    }
}

impl Owned for natsMsg {
    type Object = Msg;
    type Borrowed<'a> = ManuallyDrop<Msg>;
    type BorrowedMut<'a> = ManuallyDrop<Msg>;

    #[inline]
    fn give(msg: Msg) -> *mut natsMsg {
        msg.into_raw().cast()
    }

    #[inline(always)]
    unsafe fn open<'a>(handle: NonNull<natsMsg>) -> Self::Borrowed<'a> {
        // SAFETY: a live handle by the caller's promise.
        unsafe { Msg::borrow_raw(handle.as_ptr().cast()) }
    }

    #[inline(always)]
    unsafe fn open_mut<'a>(handle: NonNull<natsMsg>) -> Self::BorrowedMut<'a> {
        // SAFETY: a live handle, of which nobody else makes use, by the caller's promise.
        unsafe { Msg::borrow_raw(handle.as_ptr().cast()) }
    }

    #[inline(always)]
    unsafe fn close(handle: NonNull<natsMsg>) -> Msg {
        // SAFETY: given up by the caller's promise.
        unsafe { Msg::from_raw(handle.as_ptr().cast()) }
    }

    fn missing() -> Error {
        Error::new(Status::InvalidArg, "message cannot be NULL")
    }
}

impl Boxed for natsHeader {
    type Object = HeaderMap;
}

impl Boxed for natsStatistics {
    type Object = Statistics;
}

/// Functions on an owned object work in memory, and may allocate some.
impl<H: Owned> Target for *mut H {
    type Given<'a> = &'a mut H::Object;

    const MODE: Mode = Mode::Held;

    #[inline(always)]
    unsafe fn with<R>(self, body: impl FnOnce(&mut H::Object) -> R) -> Result<R> {
        let handle = NonNull::new(self).ok_or_else(H::missing)?;
        // SAFETY: the C contract.
        let mut object = unsafe { H::open_mut(handle) };
        Ok(body(&mut object))
    }
}

impl<H: Owned> Target for *const H {
    type Given<'a> = &'a H::Object;

    const MODE: Mode = Mode::Held;

    #[inline(always)]
    unsafe fn with<R>(self, body: impl FnOnce(&H::Object) -> R) -> Result<R> {
        let handle = NonNull::new(self.cast_mut()).ok_or_else(H::missing)?;
        // SAFETY: the C contract.
        let object = unsafe { H::open(handle) };
        Ok(body(&object))
    }
}

/// A handle of an owned object that the program gives up; the body gets the object.
#[derive(Clone, Copy)]
pub(crate) struct Taken<P>(pub(crate) P);

impl<H: Owned> Target for Taken<*mut H> {
    type Given<'a> = H::Object;

    const MODE: Mode = Mode::Quick;

    #[inline(always)]
    unsafe fn with<R>(self, body: impl FnOnce(H::Object) -> R) -> Result<R> {
        // SAFETY: the C contract, and the program does not use the handle afterwards.
        let object = unsafe { H::take(self.0) }.ok_or(Status::InvalidArg)?;
        Ok(body(object))
    }
}

#[cfg(test)]
mod tests {
    use std::ptr::{null_mut, without_provenance_mut};

    use super::*;
    use crate::ffi::core::connection::*;
    use crate::ffi::options::create::*;
    use crate::ffi::options::reconnect::natsOptions_SetRetryOnFailedConnect;
    use crate::ffi::options::servers::natsOptions_SetURL;
    use crate::ffi::support::door::on;

    unsafe extern "C" fn connected(_: *mut natsConnection, _: *mut std::ffi::c_void) {}

    /// A connection that goes on trying, for nobody listens to its port.
    fn trying() -> *mut natsConnection {
        let (mut opts, mut nc) = (null_mut(), null_mut());
        // SAFETY: writable places, live handles.
        unsafe {
            assert_eq!(natsOptions_Create(&mut opts), natsStatus::NATS_OK);
            natsOptions_SetURL(opts, c"nats://127.0.0.1:1".as_ptr());
            natsOptions_SetRetryOnFailedConnect(opts, true, Some(connected), without_provenance_mut(1));
            assert_eq!(natsConnection_Connect(&mut nc, opts), natsStatus::NATS_NOT_YET_CONNECTED);
            natsOptions_Destroy(opts);
        }
        nc
    }

    #[test]
    fn a_panic_closes_the_connection() {
        let nc = trying();
        // SAFETY: a live handle until the end.
        unsafe {
            assert_eq!(on("f", nc, |_| Ok(())), natsStatus::NATS_OK);
            assert!(!natsConnection_IsClosed(nc));
            assert_eq!(on("f", nc, |_| -> Result<()> { panic!("on purpose") }), natsStatus::NATS_ERR);
            assert!(natsConnection_IsClosed(nc));
            natsConnection_Destroy(nc);
        }
    }

    #[test]
    fn what_is_not_there_is_refused() {
        // SAFETY: NULL is accepted everywhere.
        unsafe {
            assert_eq!(on("f", null_mut::<natsConnection>(), |_| Ok(())), natsStatus::NATS_INVALID_ARG);
            assert_eq!(on("f", AnyProcess(null_mut::<natsSubscription>()), |_| 3i64), 0);
            let () = on("f", Released(null_mut::<natsOptions>()), |_| ());
            let () = on("f", Taken(null_mut::<natsMsg>()), drop);
            let missing = natsHeader::borrow(null_mut()).err().map(|error| error.status());
            assert_eq!(missing, Some(Status::InvalidArg));
        }
    }

    #[test]
    fn owned_objects_go_to_c_and_back() {
        let map = natsHeader::give(HeaderMap::new());
        // SAFETY: a live handle until it is taken.
        unsafe {
            assert_eq!(on("f", map, |map| map.set(b"a", Some(b"1"))), natsStatus::NATS_OK);
            assert_eq!(natsHeader::borrow(map).unwrap().len(), 1);
            assert_eq!(natsHeader::take(map).unwrap().len(), 1);
        }
    }
}
