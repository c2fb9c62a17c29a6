//! The two system calls: sleep as long as a word has a value, and wake who sleeps on a word.

use std::ptr;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use crate::thread_end::{self, Ending};

/// Sleeps if `word` still is `expected`, until somebody wakes the word. Also returns for no reason. False
/// when the time is over.
pub(crate) fn wait(word: &AtomicU32, expected: u32, timeout: Option<Duration>) -> bool {
    let timeout = timeout.map(timespec);
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: word and time are valid for the call; the kernel only reads them.
    let result = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, expected, timeout) };
    // SAFETY: errno is there on every thread.
    result == 0 || unsafe { *libc::__errno_location() } != libc::ETIMEDOUT
}

/// The same, but the wait also ends when the thread is cancelled.
pub(crate) fn wait_or_end(
    word: &AtomicU32,
    expected: u32,
    timeout: Option<Duration>,
) -> Result<bool, Ending> {
    if !thread_end::may_be_cancelled() {
        return Ok(wait(word, expected, timeout));
    }
    let timeout = timeout.map(timespec);
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    let result = thread_end::sleep_or_end(word.as_ptr().addr(), operation, expected, timeout.addr())?;
    Ok(result != -(libc::ETIMEDOUT as isize))
}

fn timespec(time: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: libc::time_t::try_from(time.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: time.subsec_nanos().into(),
    }
}

/// Wakes one thread that sleeps on `word`.
pub(crate) fn wake_one(word: &AtomicU32) {
    wake(word, 1);
}

/// Wakes all threads that sleep on `word`.
pub(crate) fn wake_all(word: &AtomicU32) {
    wake(word, i32::MAX);
}

/// Who sleeps on `word` sleeps on `other` from now on. False if the system cannot do that.
pub(crate) fn move_all(word: &AtomicU32, other: &AtomicU32) -> bool {
    let operation = libc::FUTEX_REQUEUE | libc::FUTEX_PRIVATE_FLAG;
    let (woken, moved) = (0, i32::MAX as usize);
    // SAFETY: as for `wake`.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, woken, moved, other.as_ptr()) >= 0 }
}

fn wake(word: &AtomicU32, count: i32) {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the kernel takes the address as a name and does not look behind it.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, count) };
}
