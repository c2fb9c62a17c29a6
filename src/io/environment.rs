//! The environment variables of the process, as C programs read and change them.

use std::ffi::{CStr, CString};

/// What a variable of the environment says. Rust's own way takes a lock that means nothing to a C program,
/// which changes its environment without it.
pub(crate) fn variable(name: &str) -> Option<Vec<u8>> {
    let name = CString::new(name).ok()?;
    // SAFETY: a C string; the program changes the environment only while no other thread uses it, as for all
    // of C.
    let text = unsafe { libc::getenv(name.as_ptr()) };
    // SAFETY: NULL or a C string, which stays as long as the environment is not changed.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes().to_vec())
}
