//! The ways into the library from C: each catches panics, records failures, returns the status. They differ
//! in what they do about cancellation (`thread_end`).

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Error, Result, Status};
use crate::ffi::support::last_error;
use crate::ffi::types::natsStatus;
use crate::thread_end::{self, Held};

/// Runs the body of an exported function of the usual kind. Nothing in it is a cancellation point, but waits
/// that say so.
///
/// When the thread is ending, it does not return: functions that wait or call handlers are `extern
/// "C-unwind"`, and have nothing to drop around this call.
pub(crate) fn boundary(name: &'static str, body: impl FnOnce() -> Result<()>) -> natsStatus {
    let status = {
        let _held = Held::new();
        caught(name, body)
    };
    // SAFETY: nothing is left to drop here, nor in the exported functions, by their contract.
    unsafe { thread_end::resume() };
    status
}

/// The same for a function that may wait: a cancellation point even if it need not.
pub(crate) fn waiting(name: &'static str, body: impl FnOnce() -> Result<()>) -> natsStatus {
    // SAFETY: nothing is done yet.
    unsafe { thread_end::test() };
    boundary(name, body)
}

/// The same for a function that is called a million times per second. What it does besides working in memory
/// it does with cancellation held off, and fails when the thread was cancelled meanwhile.
#[inline]
pub(crate) fn quick(name: &'static str, body: impl FnOnce() -> Result<()>) -> natsStatus {
    let status = caught(name, body);
    if status != natsStatus::NATS_OK {
        // SAFETY: as in `boundary`.
        unsafe { thread_end::resume() };
    }
    status
}

/// The same for functions that cannot fail; `default` is returned should the library panic. For those that
/// only work in memory.
#[inline]
pub(crate) fn infallible<T>(name: &'static str, default: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| {
        failed(name, &panicked());
        default
    })
}

/// The same for all others.
pub(crate) fn held<T: Copy>(name: &'static str, default: T, body: impl FnOnce() -> T) -> T {
    let value = {
        let _held = Held::new();
        infallible(name, default, body)
    };
    // SAFETY: as in `boundary`; a value that can be copied has nothing to drop.
    unsafe { thread_end::resume() };
    value
}

#[inline]
fn caught(name: &'static str, body: impl FnOnce() -> Result<()>) -> natsStatus {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => natsStatus::NATS_OK,
        Ok(Err(error)) => failed(name, &error),
        Err(_) => failed(name, &panicked()),
    }
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
