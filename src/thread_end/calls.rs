//! Calls that the thread may end in.

use std::ffi::c_void;
use std::ptr;

use super::frame;
use super::held::{Held, never_cancel};
use super::{ENABLE, Ending, KNOWN, pthread_setcancelstate};

/// Calls a function of an event loop's adapter, with cancellation held off: adapters hold locks of their own
/// across functions of the C library. The thread may end in it by `pthread_exit` all the same.
///
/// # Safety
/// The function takes these arguments.
pub(crate) unsafe fn call_adapter(function: *const c_void, arguments: [usize; 5]) -> Result<usize, Ending> {
    let _held = Held::new();
    let cancellable = KNOWN.with(|known| {
        known.held.set(false);
        known.cancellable.replace(false) // not in what the adapter calls either
    });
    // SAFETY: as promised by the caller.
    let result = unsafe { call(function, arguments) };
    never_cancel();
    KNOWN.with(|known| {
        known.cancellable.set(cancellable);
        known.held.set(true);
    });
    result
}

/// Calls a handler of the program with cancellation as it is in the program's part of the thread.
///
/// # Safety
/// The function takes these arguments.
pub(crate) unsafe fn call_handler(handler: *const c_void, arguments: [usize; 5]) -> Result<usize, Ending> {
    let (cancellable, held) =
        KNOWN.with(|known| (known.cancellable.replace(false), known.held.replace(false)));
    if !cancellable {
        // What the handler does about cancellation is not known: the next `Held` switches it off again.
        // SAFETY: as promised by the caller.
        return unsafe { call(handler, arguments) };
    }
    // SAFETY: as promised by the caller; cancellation was on when the program called the library.
    let result = unsafe {
        pthread_setcancelstate(ENABLE, ptr::null_mut());
        call(handler, arguments)
    };
    never_cancel();
    KNOWN.with(|known| {
        known.cancellable.set(true);
        known.held.set(held);
    });
    result
}

/// Calls a function with up to five arguments, of any kind that fits a general register. When the thread ends
/// in it, that is noted for [`is_ending`] and [`resume`]. When it is ending already, that waits: what the
/// function calls of the library works as ever.
///
/// # Safety
/// The function takes these arguments.
pub(super) unsafe fn call(function: *const c_void, [a, b, c, d, e]: [usize; 5]) -> Result<usize, Ending> {
    let stopped = KNOWN.with(|known| known.stopped.replace(ptr::null_mut()));
    // SAFETY: as promised by the caller.
    let returned = unsafe { frame::nats_call(a, b, c, d, e, function) };
    if !stopped.is_null() {
        KNOWN.with(|known| known.stopped.set(stopped)); // the same one, should it have ended again
    }
    if returned.ended { Err(Ending) } else { Ok(returned.value) }
}

/// The same for a function that returns nothing, the quickest way.
///
/// # Safety
/// The function takes these arguments.
#[inline(always)]
pub(crate) unsafe fn call_message_handler(
    function: *const c_void,
    [a, b, c, d]: [usize; 4],
) -> Result<(), Ending> {
    // SAFETY: as promised by the caller.
    if unsafe { frame::nats_call_void(a, b, c, d, function) } { Err(Ending) } else { Ok(()) }
}

/// In the two registers of a result.
#[repr(C)]
pub(super) struct Returned {
    pub(super) value: usize,
    pub(super) ended: bool,
}
