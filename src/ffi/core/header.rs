//! `natsHeader_*`: headers on their own. The handle is a boxed map: one owner, one thread at a time.

use std::ffi::{c_char, c_int};

use crate::error::{Error, Result, Status};
use crate::ffi::core::msg::{c_pointer, copied, pointers, store_list};
use crate::ffi::support::strings::{non_empty, required};
use crate::ffi::support::{boundary, infallible};
use crate::ffi::types::{natsHeader, natsStatus};
use crate::proto::headers::HeaderMap;
use crate::proto::memory;

/// Creates an empty set of headers.
///
/// @param new_header gets the headers, to be destroyed with natsHeader_Destroy().
/// @return #NATS_OK; #NATS_INVALID_ARG if `new_header` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsHeader_New(new_header: *mut *mut natsHeader) -> natsStatus {
    boundary("natsHeader_New", || {
        let out = required(new_header)?;
        // SAFETY: not NULL, and writable by the C contract.
        unsafe { out.write(Box::into_raw(Box::new(HeaderMap::new())).cast()) };
        Ok(())
    })
}

/// Sets a header: the value replaces all values the key has. Keys are case-sensitive and otherwise taken as
/// they are.
///
/// @param h the headers.
/// @param key the key, without CR, LF and colon.
/// @param value the value, copied.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL, or `key` is empty or has one of those
/// characters; #NATS_NO_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsHeader_Set(
    h: *mut natsHeader,
    key: *const c_char,
    value: *const c_char,
) -> natsStatus {
    boundary("natsHeader_Set", || {
        // SAFETY: headers and strings are NULL or valid by the C contract.
        let (map, key, value) = unsafe { (borrow(h)?, key_bytes(key)?, value_bytes(value)?) };
        map.set(key, Some(&value))
    })
}

/// Adds a value to those a header has already.
///
/// @param h the headers.
/// @param key the key, without CR, LF and colon.
/// @param value the value, copied.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL, or `key` is empty or has one of those
/// characters; #NATS_NO_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsHeader_Add(
    h: *mut natsHeader,
    key: *const c_char,
    value: *const c_char,
) -> natsStatus {
    boundary("natsHeader_Add", || {
        // SAFETY: headers and strings are NULL or valid by the C contract.
        let (map, key, value) = unsafe { (borrow(h)?, key_bytes(key)?, value_bytes(value)?) };
        map.add(key, Some(&value))
    })
}

/// The first value of a header.
///
/// @param h the headers.
/// @param key the key, matched exactly.
/// @param value gets the value, which belongs to the headers and is valid until this one is set or deleted;
/// NULL on #NATS_NOT_FOUND.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL or `key` is empty; #NATS_NOT_FOUND without such
/// a header, which does not change the last error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsHeader_Get(
    h: *mut natsHeader,
    key: *const c_char,
    value: *mut *const c_char,
) -> natsStatus {
    boundary("natsHeader_Get", || {
        // SAFETY: headers and key are NULL or valid by the C contract.
        let (map, key) = unsafe { (borrow(h)?, key_bytes(key)?) };
        let out = required(value)?;
        let found = map.get(key);
        // SAFETY: not NULL, and writable by the C contract.
        unsafe { out.write(c_pointer(found.flatten())) };
        found.map(|_| ()).ok_or_else(not_found)
    })
}

/// All values of a header, in the order they were added.
///
/// @param h the headers.
/// @param key the key, matched exactly.
/// @param values gets an array of the values, to be released with `free()`; the values belong to the headers
/// and are valid until this one is set or deleted. NULL on #NATS_NOT_FOUND.
/// @param count gets the number of values, 0 when `values` gets NULL.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL or `key` is empty; #NATS_NOT_FOUND without such
/// a header, which does not change the last error; #NATS_NO_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsHeader_Values(
    h: *mut natsHeader,
    key: *const c_char,
    values: *mut *mut *const c_char,
    count: *mut c_int,
) -> natsStatus {
    boundary("natsHeader_Values", || {
        // SAFETY: headers and key are NULL or valid by the C contract.
        let (map, key) = unsafe { (borrow(h)?, key_bytes(key)?) };
        let (values, count) = (required(values)?, required(count)?);
        // SAFETY: both are not NULL, and writable by the C contract.
        unsafe { store_list(values, count, || pointers(map.values(key).ok_or_else(not_found)?)) }
    })
}

/// The keys of all headers, in no particular order.
///
/// @param h the headers.
/// @param keys gets an array of the keys, to be released with `free()`; the keys belong to the headers and
/// are valid until that header is deleted. NULL on #NATS_NOT_FOUND.
/// @param count gets the number of keys, 0 when `keys` gets NULL.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_NOT_FOUND without any header, which does
/// not change the last error; #NATS_NO_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsHeader_Keys(
    h: *mut natsHeader,
    keys: *mut *mut *const c_char,
    count: *mut c_int,
) -> natsStatus {
    boundary("natsHeader_Keys", || {
        // SAFETY: NULL or live headers by the C contract.
        let map = unsafe { borrow(h)? };
        let (keys, count) = (required(keys)?, required(count)?);
        let list = || if map.is_empty() { Err(not_found()) } else { pointers(map.keys().map(Some)) };
        // SAFETY: both are not NULL, and writable by the C contract.
        unsafe { store_list(keys, count, list) }
    })
}

/// The number of keys.
///
/// @param h the headers.
/// @return the number of keys; 0 if `h` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsHeader_KeysCount(h: *mut natsHeader) -> c_int {
    infallible("natsHeader_KeysCount", 0, || {
        // SAFETY: NULL or live headers by the C contract.
        unsafe { h.cast::<HeaderMap>().as_ref() }.map_or(0, |map| map.len() as c_int)
    })
}

/// Deletes a header with all its values.
///
/// @param h the headers.
/// @param key the key, matched exactly.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL or `key` is empty; #NATS_NOT_FOUND without such
/// a header, which does not change the last error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsHeader_Delete(h: *mut natsHeader, key: *const c_char) -> natsStatus {
    boundary("natsHeader_Delete", || {
        // SAFETY: headers and key are NULL or valid by the C contract. The key may be one of the map: copied.
        let (map, key) = unsafe { (borrow(h)?, memory::copy(key_bytes(key)?)?) };
        if map.delete(&key) { Ok(()) } else { Err(not_found()) }
    })
}

/// Releases headers with all keys and values; NULL is ignored.
///
/// @param h the headers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsHeader_Destroy(h: *mut natsHeader) {
    infallible("natsHeader_Destroy", (), || {
        if !h.is_null() {
            // SAFETY: made by natsHeader_New, not used afterwards.
            drop(unsafe { Box::from_raw(h.cast::<HeaderMap>()) });
        }
    });
}

/// # Safety
/// `h` is NULL or live headers that no other thread uses now.
unsafe fn borrow<'a>(h: *mut natsHeader) -> Result<&'a mut HeaderMap> {
    // SAFETY: as promised by the caller.
    unsafe { h.cast::<HeaderMap>().as_mut() }.ok_or_else(|| Status::InvalidArg.into())
}

/// # Safety
/// `key` is NULL or a string.
unsafe fn key_bytes<'a>(key: *const c_char) -> Result<&'a [u8]> {
    // SAFETY: as promised by the caller.
    unsafe { non_empty(key) }.ok_or_else(|| Status::InvalidArg.into())
}

/// # Safety
/// `value` is NULL or a string.
unsafe fn value_bytes(value: *const c_char) -> Result<Vec<u8>> {
    // SAFETY: as promised by the caller.
    unsafe { copied(value) }?.ok_or_else(|| Status::InvalidArg.into())
}

#[track_caller]
fn not_found() -> Error {
    Error::unrecorded(Status::NotFound)
}
