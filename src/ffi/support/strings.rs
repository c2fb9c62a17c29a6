//! C strings and buffers in and out. Strings are bytes: C programs pass what they like.

use std::ffi::{CStr, c_char, c_int, c_void};

use crate::error::{Result, Status};

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

/// Stores `value` in an out parameter unless the caller passed NULL for it.
///
/// # Safety
/// `out` is NULL or writable.
#[inline]
pub(crate) unsafe fn store<T>(out: *mut T, value: T) {
    if !out.is_null() {
        // SAFETY: not NULL, and writable by the caller's promise.
        unsafe { out.write(value) };
    }
}

/// Fails with `NATS_INVALID_ARG` when a required out parameter is NULL.
#[inline]
pub(crate) fn required<T>(out: *mut T) -> Result<*mut T> {
    if out.is_null() { Err(Status::InvalidArg.into()) } else { Ok(out) }
}

/// Copies `text` and a NUL into a caller's buffer of `size` bytes, which is emptied first.
///
/// # Safety
/// `buffer` is NULL or has `size` writable bytes.
pub(crate) unsafe fn copy_to_buffer(text: &[u8], buffer: *mut c_char, size: usize) -> Result<()> {
    if buffer.is_null() {
        return Err(Status::InvalidArg.into());
    }
    if size == 0 {
        return Err(Status::InsufficientBuffer.into());
    }
    // SAFETY: `size` is at least 1.
    unsafe { buffer.write(0) };
    if text.len() >= size {
        return Err(Status::InsufficientBuffer.into());
    }
    // SAFETY: the text and its NUL fit.
    unsafe {
        buffer.copy_from_nonoverlapping(text.as_ptr().cast(), text.len());
        buffer.add(text.len()).write(0);
    }
    Ok(())
}
