//! The one way into the library from C: catches panics, records failures, returns the status.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Error, Result, Status};
use crate::ffi::support::last_error;
use crate::ffi::types::natsStatus;

/// Runs the body of the exported function `name`. A failure becomes the thread's last error and the returned
/// status; a panic becomes `NATS_ERR`, it never crosses into C.
#[inline]
pub(crate) fn boundary(name: &'static str, body: impl FnOnce() -> Result<()>) -> natsStatus {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => natsStatus::NATS_OK,
        Ok(Err(error)) => failed(name, &error),
        Err(_) => failed(name, &panicked()),
    }
}

/// The same for functions that cannot fail; `default` is returned should the body panic.
#[inline]
pub(crate) fn infallible<T>(name: &'static str, default: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| {
        failed(name, &panicked());
        default
    })
}

#[cold]
fn failed(name: &'static str, error: &Error) -> natsStatus {
    last_error::record(name, error);
    error.status().into()
}

#[cold]
fn panicked() -> Error {
    Error::new(Status::Err, "internal error: the library panicked")
}
