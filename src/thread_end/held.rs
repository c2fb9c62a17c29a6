//! Cancellation of the calling thread, held off or put aside.

use std::ffi::{c_int, c_void};
use std::ptr;

use super::points::{enabled, test_point};
use super::{DISABLE, ENABLE, Ending, KNOWN, check, pthread_setcancelstate};

/// Switches cancellation off for all threads of the library: what ends one of them is `pthread_exit`.
pub(crate) fn never_cancel() {
    // SAFETY: NULL stands for "not interested".
    unsafe { pthread_setcancelstate(DISABLE, ptr::null_mut()) };
}

/// As long as this lives, no function of the C library is a cancellation point. Inside of another one it
/// costs nothing.
pub(crate) struct Held {
    /// The state before; `None` inside of another one.
    before: Option<c_int>,
    cancellable_before: bool,
}

impl Held {
    #[inline]
    #[allow(clippy::new_without_default, reason = "a guard is made on purpose")]
    pub(crate) fn new() -> Held {
        KNOWN.with(|known| {
            let cancellable_before = known.cancellable.get();
            if known.held.replace(true) {
                return Held { before: None, cancellable_before };
            }
            let mut before = DISABLE;
            // SAFETY: `before` is writable.
            unsafe { pthread_setcancelstate(DISABLE, &mut before) };
            known.cancellable.set(cancellable_before || before == ENABLE);
            Held { before: Some(before), cancellable_before }
        })
    }

    /// A cancellation that was held off counts now: the caller gives up what it does.
    pub(crate) fn check(&self) -> Result<(), Ending> {
        if !may_be_cancelled() {
            return check();
        }
        enabled(test_point as *const c_void, [0; 4]).map(drop)
    }
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        let Some(before) = self.before else { return };
        KNOWN.with(|known| {
            known.cancellable.set(self.cancellable_before);
            known.held.set(false);
        });
        // SAFETY: a state that was in effect before.
        unsafe { pthread_setcancelstate(before, ptr::null_mut()) };
    }
}

/// As long as this lives, waits of the calling thread do not end when it is cancelled: for what must be done
/// as a whole.
pub(crate) struct Uncut(bool);

impl Uncut {
    #[allow(clippy::new_without_default, reason = "a guard is made on purpose")]
    pub(crate) fn new() -> Uncut {
        Uncut(KNOWN.with(|known| known.cancellable.replace(false)))
    }
}

impl Drop for Uncut {
    fn drop(&mut self) {
        KNOWN.with(|known| known.cancellable.set(self.0));
    }
}

/// Whether a wait of this thread has to end when it is cancelled.
#[inline]
pub(crate) fn may_be_cancelled() -> bool {
    cfg!(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))
        && KNOWN.with(|known| known.cancellable.get() && known.stopped.get().is_null())
}
