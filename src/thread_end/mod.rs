//! Threads that end in the middle of a call: by `pthread_cancel` while the library waits, by `pthread_exit`
//! in a handler of the program.
//!
//! The C library ends such a thread by forced unwinding: it leaves frame after frame, up to the thread's
//! first function, and runs the cleanup code it finds on its way. Frames of Rust must not be left like that,
//! unless they own nothing. So each call that a forced unwinding may come out of goes through
//! [`calls::call`], a frame written in assembly. Its cleanup code does what cleanup code may do, it takes as
//! long as it likes: it returns to the library, which learns that the thread is ending, lets its own frames
//! end as usual and gives up what they hold. On a thread of the program the door to the library, whose frame
//! owns nothing by then, goes on with the unwinding: [`resume`]. A thread of the library just returns from
//! its first function.
//!
//! Cancellation is off while frames of Rust run ([`Held`]), for any function of the C library may be a
//! cancellation point. It is on in the waits that may last ([`may_be_cancelled`]), and in handlers as it was
//! in their thread, but for the adapters of event loops.
//!
//! Linux with glibc on x86_64 only; elsewhere cancellation waits for the end of the call, and `pthread_exit`
//! in a handler aborts.

#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
mod absent;
mod calls;
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
mod frame;
mod held;
mod points;
#[cfg(all(test, target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
mod tests;

use std::cell::Cell;
use std::ffi::{c_int, c_long, c_void};
use std::ptr;

#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
use self::absent as frame;
pub(crate) use self::calls::{call_adapter, call_handler, call_message_handler};
pub(crate) use self::held::{Held, Uncut, may_be_cancelled, never_cancel};
pub(crate) use self::points::{point, poll_held, poll_or_end, sleep_or_end};
use crate::error::{Error, Status};

const ENABLE: c_int = 0;
const DISABLE: c_int = 1;
const ASYNCHRONOUS: c_int = 1;

unsafe extern "C-unwind" {
    fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    fn pthread_setcanceltype(kind: c_int, before: *mut c_int) -> c_int;
    fn pthread_testcancel();
    fn poll(entries: *mut c_void, count: libc::nfds_t, timeout: c_int) -> c_int;
    fn syscall(number: c_long, ...) -> c_long;
    fn _Unwind_Resume(exception: *mut c_void) -> !;
}

/// What is known about the calling thread.
struct Known {
    /// The unwinding that was stopped on it, NULL when there is none.
    stopped: Cell<*mut c_void>,
    /// Whether its waits end when it is cancelled: it is in a call to the library that was made with
    /// cancellation on, and not by an adapter.
    cancellable: Cell<bool>,
    /// Whether a [`Held`] has switched cancellation off, and no code of the program runs.
    held: Cell<bool>,
}

thread_local! {
    static KNOWN: Known = const {
        Known {
            stopped: Cell::new(ptr::null_mut()),
            cancellable: Cell::new(false),
            held: Cell::new(false),
        }
    };
}

/// The thread is ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending;

impl From<Ending> for Error {
    /// Nobody sees it: the call does not return.
    fn from(_: Ending) -> Error {
        Error::from(Status::Timeout)
    }
}

/// Whether the calling thread is ending: it must not wait any more.
pub(crate) fn is_ending() -> bool {
    KNOWN.with(|known| !known.stopped.get().is_null())
}

/// An error when the calling thread is ending.
pub(crate) fn check() -> Result<(), Ending> {
    if is_ending() { Err(Ending) } else { Ok(()) }
}

/// Forgets that the thread was to end. For the threads of the library that must go on.
pub(crate) fn stay() {
    KNOWN.with(|known| known.stopped.set(ptr::null_mut()));
}

/// Goes on with the end of the thread, if it is ending.
///
/// # Safety
/// The frames from here to the program's own have nothing left to drop, and may be unwound.
pub(crate) unsafe fn resume() {
    let exception = KNOWN.with(|known| known.stopped.replace(ptr::null_mut()));
    if !exception.is_null() {
        // SAFETY: stopped by `call` on this thread, in a frame below the caller's.
        unsafe { _Unwind_Resume(exception) };
    }
}

/// A cancellation point: ends the calling thread if it was cancelled.
///
/// # Safety
/// As for [`resume`].
pub(crate) unsafe fn test() {
    // SAFETY: no arguments; what it may unwind is the caller's promise.
    unsafe { pthread_testcancel() };
}
