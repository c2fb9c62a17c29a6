//! C strings and buffers in and out. Strings are bytes: C programs pass what they like.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use crate::error::{Result, Status};
use crate::proto::memory;

/// The bytes of a C string, `None` for NULL.
///
/// # Safety
/// `s` is NULL or a NUL-terminated string that lives for `'a`.
#[inline]
pub(crate) unsafe fn bytes<'a>(s: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: as promised by the caller.
    (!s.is_null()).then(|| unsafe { CStr::from_ptr(s) }.to_bytes())
}

/// The same; NULL and "" both count as missing.
///
/// # Safety
/// As for [`bytes`].
#[inline]
pub(crate) unsafe fn non_empty<'a>(s: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: as promised by the caller.
    unsafe { bytes(s) }.filter(|b| !b.is_empty())
}

/// The same; one that is missing is an invalid argument.
///
/// # Safety
/// As for [`bytes`].
#[inline]
pub(crate) unsafe fn given<'a>(s: *const c_char) -> Result<&'a [u8]> {
    // SAFETY: as promised by the caller.
    unsafe { non_empty(s) }.ok_or_else(|| Status::InvalidArg.into())
}

/// A copy of a text that may belong to the very object that is about to change.
///
/// # Safety
/// As for [`bytes`].
pub(crate) unsafe fn copied(s: *const c_char) -> Result<Option<Vec<u8>>> {
    // SAFETY: as promised by the caller.
    unsafe { bytes(s) }.map(memory::copy).transpose()
}

/// The pointer of a string, NULL for none.
#[inline]
pub(crate) fn c_pointer(text: Option<&CStr>) -> *const c_char {
    text.map_or(ptr::null(), CStr::as_ptr)
}

/// A payload given as pointer and length; NULL or a length below 1 is an empty payload.
///
/// # Safety
/// `data` is NULL or has `len` readable bytes that live for `'a`.
#[inline]
pub(crate) unsafe fn payload<'a>(data: *const c_void, len: c_int) -> &'a [u8] {
    if data.is_null() || len <= 0 {
        return &[];
    }
    // SAFETY: as promised by the caller.
    unsafe { std::slice::from_raw_parts(data.cast::<u8>(), len as usize) }
}
