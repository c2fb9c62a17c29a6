//! `natsHeader_*`: headers on their own. The handle is a boxed map: one owner, one thread at a time.

use std::ffi::{c_char, c_int};

use crate::error::{Error, Result, Status};
use crate::ffi::support::*;
use crate::ffi::types::*;
use crate::proto::headers::HeaderMap;
use crate::proto::memory;

/// Creates an empty set of headers.
///
/// @param new_header gets the headers, to be destroyed with natsHeader_Destroy().
/// @return #NATS_OK; #NATS_INVALID_ARG if `new_header` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsHeader_New(new_header: *mut *mut natsHeader) -> natsStatus {
    // SAFETY: the C contract.
    unsafe { on("natsHeader_New", (), |()| Out::of(new_header)?.set(natsHeader::give(HeaderMap::new()))) }
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
    // SAFETY: the C contract.
    unsafe { on("natsHeader_Set", h, |map| map.set(given(key)?, Some(&value_bytes(value)?))) }
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
    // SAFETY: the C contract.
    unsafe { on("natsHeader_Add", h, |map| map.add(given(key)?, Some(&value_bytes(value)?))) }
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
    // SAFETY: the C contract.
    unsafe {
        on("natsHeader_Get", h, |map| {
            let key = given(key)?;
            let out = Out::of(value)?.cleared();
            let found = map.get(key).ok_or_else(not_found)?;
            out.set(c_pointer(found))
        })
    }
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
    // SAFETY: the C contract.
    unsafe {
        on("natsHeader_Values", h, |map| {
            let key = given(key)?;
            let out = OutList::of(values, count)?.cleared();
            out.set(List::pointers(map.values(key).ok_or_else(not_found)?)?)
        })
    }
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
    // SAFETY: the C contract.
    unsafe {
        on("natsHeader_Keys", h, |map| {
            let out = OutList::of(keys, count)?.cleared();
            if map.is_empty() { Err(not_found()) } else { out.set(List::pointers(map.keys().map(Some))?) }
        })
    }
}

/// The number of keys.
///
/// @param h the headers.
/// @return the number of keys; 0 if `h` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsHeader_KeysCount(h: *mut natsHeader) -> c_int {
    // SAFETY: the C contract.
    unsafe { on("natsHeader_KeysCount", Quick(h), |map| clamped(map.len())) }
}

/// Deletes a header with all its values.
///
/// @param h the headers.
/// @param key the key, matched exactly.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL or `key` is empty; #NATS_NOT_FOUND without such
/// a header, which does not change the last error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsHeader_Delete(h: *mut natsHeader, key: *const c_char) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsHeader_Delete", h, |map| {
            let key = memory::copy(given(key)?)?; // may be one of the map's own
            if map.delete(&key) { Ok(()) } else { Err(not_found()) }
        })
    }
}

/// Releases headers with all keys and values; NULL is ignored.
///
/// @param h the headers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsHeader_Destroy(h: *mut natsHeader) {
    // SAFETY: the C contract.
    unsafe { on("natsHeader_Destroy", Taken(h), drop) }
}

/// # Safety
/// As for [`bytes`].
unsafe fn value_bytes(value: *const c_char) -> Result<Vec<u8>> {
    // SAFETY: as promised by the caller.
    unsafe { copied(value) }?.ok_or_else(|| Status::InvalidArg.into())
}

#[track_caller]
fn not_found() -> Error {
    Error::unrecorded(Status::NotFound)
}
