//! A C callback's closure on its way to another thread.

use std::ffi::c_void;

/// The pointer a C program registers along with a callback. The library never looks at it.
#[derive(Clone, Copy)]
pub(crate) struct Closure(*mut c_void);

// SAFETY: the library only hands the pointer back; the C interface says that callbacks run on threads of the
// library, so what it points to is the program's to synchronise.
unsafe impl Send for Closure {}
// SAFETY: as above.
unsafe impl Sync for Closure {}

/// A pointer as an argument of `thread_end::call`.
#[inline]
pub(crate) fn word<T>(pointer: *const T) -> usize {
    pointer.expose_provenance()
}

impl Closure {
    pub(crate) fn new(pointer: *mut c_void) -> Closure {
        Closure(pointer)
    }

    /// As an argument of `thread_end::call`.
    #[inline]
    pub(crate) fn word(&self) -> usize {
        word(self.0)
    }

    pub(crate) fn get(&self) -> *mut c_void {
        self.0
    }
}
