//! What stands in for the frames where nothing is stopped.

use std::ffi::c_void;
use std::mem::transmute;

use super::calls::Returned;

pub(super) unsafe fn nats_call(
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
    function: *const c_void,
) -> Returned {
    type Function = unsafe extern "C-unwind" fn(usize, usize, usize, usize, usize) -> usize;
    // SAFETY: as promised by the caller; arguments too many do no harm on these targets.
    let value = unsafe { transmute::<*const c_void, Function>(function)(a, b, c, d, e) };
    Returned { value, ended: false }
}

pub(super) unsafe fn nats_call_void(a: usize, b: usize, c: usize, d: usize, function: *const c_void) -> bool {
    type Function = unsafe extern "C-unwind" fn(usize, usize, usize, usize);
    // SAFETY: as promised by the caller.
    unsafe { transmute::<*const c_void, Function>(function)(a, b, c, d) };
    false
}
