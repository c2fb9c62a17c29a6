//! After `fork()` the child has none of the library's threads: what was made before the fork must not be used in it.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

static FORKS: AtomicU32 = AtomicU32::new(0);

/// Tells the processes of a line of forks apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process(u32);

impl Process {
    #[inline]
    pub fn current() -> Process {
        Process(FORKS.load(Ordering::Relaxed))
    }
}

/// Starts watching for forks. Called when the library opens.
pub fn watch() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        extern "C" fn in_child() {
            FORKS.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: the handler only counts up an atomic, and stays mapped: the library is linked with nodelete.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
}
