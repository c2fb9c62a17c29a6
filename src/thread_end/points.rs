//! The points at which a thread of the program ends when it was cancelled.

use std::ffi::{c_int, c_long, c_void};
use std::ptr;

use super::calls::call;
use super::held::{Held, may_be_cancelled, never_cancel};
use super::{ASYNCHRONOUS, ENABLE, Ending, KNOWN, check};
use super::{poll, pthread_setcancelstate, pthread_setcanceltype, pthread_testcancel, syscall};

/// A cancellation point of a function that works with cancellation on, but for parts of it. One that holds
/// cancellation off as a whole has its own.
pub(crate) fn point() -> Result<(), Ending> {
    if KNOWN.with(|known| known.held.get()) { check() } else { Held::new().check() }
}

/// `poll` of one descriptor, no cancellation point; the error's number as a negative result.
pub(crate) fn poll_held(entry: &mut libc::pollfd, timeout: c_int) -> isize {
    let _held = Held::new();
    // SAFETY: one valid entry; without cancellation nothing is unwound.
    result_of(unsafe { poll(ptr::from_mut(entry).cast(), 1, timeout) }.into())
}

/// The same, but it ends when the thread is cancelled.
pub(crate) fn poll_or_end(entry: &mut libc::pollfd, timeout: c_int) -> Result<isize, Ending> {
    check()?;
    if !may_be_cancelled() {
        return Ok(poll_held(entry, timeout));
    }
    enabled(poll_point as *const c_void, [ptr::from_mut(entry).addr(), timeout as usize, 0, 0])
}

/// `FUTEX_WAIT` on a word; the error's number as a negative result.
pub(crate) fn sleep_or_end(
    word: usize,
    operation: c_int,
    expected: u32,
    time: usize,
) -> Result<isize, Ending> {
    enabled(futex_point as *const c_void, [word, operation as usize, expected as usize, time])
}

/// Calls one of the three functions below, which are left by cancellation alone.
pub(super) fn enabled(point: *const c_void, [a, b, c, d]: [usize; 4]) -> Result<isize, Ending> {
    // SAFETY: the function takes these arguments; cancellation is on in it, and is switched off again below.
    let result = unsafe { call(point, [a, b, c, d, 0]) };
    never_cancel();
    result.map(|value| value as isize)
}

pub(super) unsafe extern "C-unwind" fn test_point() -> isize {
    // SAFETY: nothing here to be unwound.
    unsafe {
        pthread_setcancelstate(ENABLE, ptr::null_mut());
        pthread_testcancel();
    }
    0
}

unsafe extern "C-unwind" fn poll_point(entry: *mut c_void, timeout: usize) -> isize {
    // SAFETY: one entry, by the caller's promise.
    unsafe {
        pthread_setcancelstate(ENABLE, ptr::null_mut());
        result_of(poll(entry, 1, timeout as c_int).into())
    }
}

/// The system call itself is no cancellation point; nothing but it may be left at any moment. The result is
/// taken before anything else can change the error's number.
unsafe extern "C-unwind" fn futex_point(
    word: usize,
    operation: usize,
    expected: usize,
    time: usize,
) -> isize {
    let mut kind = 0;
    // SAFETY: word and time are valid for the call, by the caller's promise.
    unsafe {
        pthread_setcancelstate(ENABLE, ptr::null_mut());
        pthread_setcanceltype(ASYNCHRONOUS, &mut kind);
        let result = result_of(syscall(libc::SYS_futex, word, operation as c_int, expected as u32, time));
        pthread_setcanceltype(kind, ptr::null_mut());
        // The signal of a cancellation that found the thread in its sleep may come later, and in a function
        // of the C library that sleeps it would act although cancellation is off by then. A cancellation
        // point of that library does not end before such a signal has come.
        poll(ptr::null_mut(), 0, 0);
        pthread_testcancel();
        result
    }
}

fn result_of(returned: c_long) -> isize {
    // SAFETY: errno is there on every thread.
    if returned == -1 { -(unsafe { *libc::__errno_location() } as isize) } else { returned as isize }
}
