//! After `fork()` the child has none of the library's threads: it must be able to tell that it is one.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

static IN_CHILD: AtomicBool = AtomicBool::new(false);

/// Starts watching for forks. Called when the library opens.
pub fn watch() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        extern "C" fn in_child() {
            IN_CHILD.store(true, Ordering::Relaxed);
        }
        // SAFETY: the handler only stores an atomic, and stays mapped: the library is linked with nodelete.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
}

/// Whether this process was forked from one that had the library open.
#[inline]
pub fn is_child() -> bool {
    IN_CHILD.load(Ordering::Relaxed)
}
