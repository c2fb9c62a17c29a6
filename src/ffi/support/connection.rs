//! What all functions on a connection share.

use std::sync::Arc;

use crate::client::connection::Connection;
use crate::client::subscription::Subscription;
use crate::error::{Error, Result, Status};
use crate::ffi::support::boundary::{held, quick, waiting};
use crate::ffi::support::handle::Shared as _;
use crate::ffi::types::{natsConnection, natsStatus, natsSubscription};

/// Runs the body of an exported function on a connection. The body gets the connection, or the failure that
/// the handle stands for: NULL, or a connection of the parent process. A panic closes the connection.
///
/// # Safety
/// `nc` is NULL or a live handle.
pub(crate) unsafe fn on_connection(
    name: &'static str,
    nc: *mut natsConnection,
    body: impl FnOnce(Result<&Arc<Connection>>) -> Result<()>,
) -> natsStatus {
    // SAFETY: as promised by the caller.
    unsafe { through(Door::Waiting, name, nc, body) }
}

/// The same for functions that are called a million times per second, see [`quick`].
///
/// # Safety
/// `nc` is NULL or a live handle.
#[inline]
pub(crate) unsafe fn quickly_on_connection(
    name: &'static str,
    nc: *mut natsConnection,
    body: impl FnOnce(Result<&Arc<Connection>>) -> Result<()>,
) -> natsStatus {
    // SAFETY: as promised by the caller.
    unsafe { through(Door::Quick, name, nc, body) }
}

#[derive(Clone, Copy)]
enum Door {
    Waiting,
    Quick,
}

impl Door {
    #[inline(always)]
    fn enter(self, name: &'static str, body: impl FnOnce() -> Result<()>) -> natsStatus {
        match self {
            Door::Waiting => waiting(name, body),
            Door::Quick => quick(name, body),
        }
    }
}

#[inline(always)]
unsafe fn through(
    door: Door,
    name: &'static str,
    nc: *mut natsConnection,
    body: impl FnOnce(Result<&Arc<Connection>>) -> Result<()>,
) -> natsStatus {
    // SAFETY: as promised by the caller.
    let Some(connection) = (unsafe { natsConnection::borrow_opt(nc) }) else {
        return door.enter(name, || body(Err(Error::from(Status::InvalidArg))));
    };
    let mut finished = false;
    let status = door.enter(name, || {
        let result = match connection.check_process() {
            Ok(()) => body(Ok(&connection)),
            Err(e) => Err(e),
        };
        finished = true;
        result
    });
    if !finished {
        close_after_panic(&connection);
    }
    status
}

/// The same for functions that return nothing and do nothing for NULL or a connection of the parent process.
///
/// # Safety
/// As for [`on_connection`].
pub(crate) unsafe fn held_on_connection(
    name: &'static str,
    nc: *mut natsConnection,
    body: impl FnOnce(&Arc<Connection>),
) {
    // SAFETY: as promised by the caller.
    let Some(connection) = (unsafe { natsConnection::borrow_opt(nc) }) else { return };
    let mut panicked = true;
    held(name, (), || {
        if connection.check_process().is_ok() {
            body(&connection);
        }
        panicked = false;
    });
    if panicked {
        close_after_panic(&connection);
    }
}

#[cold]
fn close_after_panic(connection: &Arc<Connection>) {
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| connection.abandon()));
}

/// The subscription behind a handle.
///
/// # Safety
/// `sub` is NULL or a live handle.
pub(crate) unsafe fn on_subscription(
    name: &'static str,
    sub: *mut natsSubscription,
    body: impl FnOnce(&Arc<Subscription>) -> Result<()>,
) -> natsStatus {
    // SAFETY: as promised by the caller.
    waiting(name, || unsafe { live(sub, body) })
}

/// The same for functions that are called a million times per second, see [`quick`].
///
/// # Safety
/// `sub` is NULL or a live handle.
#[inline]
pub(crate) unsafe fn quickly_on_subscription(
    name: &'static str,
    sub: *mut natsSubscription,
    body: impl FnOnce(&Arc<Subscription>) -> Result<()>,
) -> natsStatus {
    // SAFETY: as promised by the caller.
    quick(name, || unsafe { live(sub, body) })
}

#[inline(always)]
unsafe fn live(
    sub: *mut natsSubscription,
    body: impl FnOnce(&Arc<Subscription>) -> Result<()>,
) -> Result<()> {
    // SAFETY: as promised by the caller.
    let sub = unsafe { natsSubscription::borrow(sub) }?;
    sub.connection().check_process()?;
    body(&sub)
}
