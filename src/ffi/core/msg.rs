//! `natsMsg_*`, `natsMsgHeader_*` and `natsMsgList_Destroy`. A message handle is the message itself: one
//! owner, one thread at a time.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::ManuallyDrop;
use std::ptr;

use crate::client::message::Msg;
use crate::error::{Error, Result, Status, fail};
use crate::ffi::support::{alloc, boundary, infallible, strings};
use crate::ffi::types::{natsMsg, natsMsgList, natsStatus};
use crate::proto::memory;

/// Hands a message to the C program, which destroys it.
pub(crate) fn give(msg: Msg) -> *mut natsMsg {
    msg.into_raw().cast()
}

/// The message behind a handle, still owned by C; `None` for NULL.
///
/// # Safety
/// `msg` is NULL or a live handle. While a method with `&mut self` runs, nobody else uses the message.
#[inline]
pub(crate) unsafe fn borrow(msg: *const natsMsg) -> Option<ManuallyDrop<Msg>> {
    // SAFETY: not NULL, and a live handle by the caller's promise.
    (!msg.is_null()).then(|| unsafe { Msg::borrow_raw(msg.cast_mut().cast()) })
}

/// Takes a message back from C; `None` for NULL.
///
/// # Safety
/// `msg` is NULL or a live handle that C does not use afterwards.
#[inline]
pub(crate) unsafe fn take(msg: *mut natsMsg) -> Option<Msg> {
    // SAFETY: not NULL, and given up by the caller's promise.
    (!msg.is_null()).then(|| unsafe { Msg::from_raw(msg.cast()) })
}

/// Calls `read` with the message, or gives `missing` for NULL.
///
/// # Safety
/// As for [`borrow`].
#[inline]
unsafe fn read<T: Copy>(
    function: &'static str,
    msg: *const natsMsg,
    missing: T,
    read: impl FnOnce(&mut Msg) -> T,
) -> T {
    infallible(function, missing, || {
        // SAFETY: as promised by the caller.
        unsafe { borrow(msg) }.map_or(missing, |mut msg| read(&mut msg))
    })
}

/// Creates a message to be published, or as a container of the program's own. Subject, reply and data are
/// copied.
///
/// @param newMsg gets the message, to be destroyed with natsMsg_Destroy(). Untouched on failure.
/// @param subj the subject; any text that is not empty.
/// @param reply the reply subject, NULL for none.
/// @param data the payload, which may contain NULs; NULL for an empty one.
/// @param dataLen length of the payload in bytes; a negative one counts as 0.
/// @return #NATS_OK; #NATS_INVALID_ARG if `newMsg` is NULL, `subj` NULL or empty, or `reply` empty;
/// #NATS_NO_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsg_Create(
    newMsg: *mut *mut natsMsg,
    subj: *const c_char,
    reply: *const c_char,
    data: *const c_char,
    dataLen: c_int,
) -> natsStatus {
    boundary("natsMsg_Create", || {
        let out = strings::required(newMsg)?;
        // SAFETY: strings and data are NULL or readable by the C contract.
        let msg = unsafe {
            let subject = strings::bytes(subj).unwrap_or_default();
            Msg::new(subject, strings::bytes(reply), strings::payload(data.cast(), dataLen))?
        };
        // SAFETY: not NULL, and writable by the C contract.
        unsafe { out.write(give(msg)) };
        Ok(())
    })
}

/// The subject of a message.
///
/// @param msg the message.
/// @return the subject, which belongs to the message; NULL if `msg` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsg_GetSubject(msg: *const natsMsg) -> *const c_char {
    // SAFETY: NULL or a live message by the C contract.
    unsafe { read("natsMsg_GetSubject", msg, ptr::null(), |msg| msg.subject().as_ptr()) }
}

/// The reply subject of a message.
///
/// @param msg the message.
/// @return the reply subject, which belongs to the message; NULL if there is none or `msg` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsg_GetReply(msg: *const natsMsg) -> *const c_char {
    // SAFETY: NULL or a live message by the C contract.
    unsafe { read("natsMsg_GetReply", msg, ptr::null(), |msg| c_pointer(msg.reply())) }
}

/// Makes bytes of the program the payload of a message, without copying them.
///
/// The bytes must stay valid and unchanged until the message is destroyed or gets other data; destroying the
/// message does not release them. They need no NUL at the end, so natsMsg_GetData() may return text without
/// one.
///
/// @param msg the message, created or received.
/// @param data the payload; NULL only together with length 0.
/// @param len length of the payload in bytes.
/// @return #NATS_OK; #NATS_INVALID_ARG if `msg` is NULL, `len` negative, or `data` NULL with another length
/// than 0. The message keeps the data it had then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsg_SetData(msg: *mut natsMsg, data: *const c_void, len: c_int) -> natsStatus {
    boundary("natsMsg_SetData", || {
        // SAFETY: NULL or a live message, and the bytes live long enough by the C contract.
        unsafe { borrow(msg).ok_or(Status::InvalidArg)?.set_external_data(data.cast(), len) }
    })
}

/// The payload of a message.
///
/// A NUL follows the payload, which does not count in its length, unless the payload was set with
/// natsMsg_SetData(). The payload may itself contain NULs.
///
/// @param msg the message.
/// @return the payload, which belongs to the message; NULL if it is empty or `msg` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsg_GetData(msg: *const natsMsg) -> *const c_char {
    // SAFETY: NULL or a live message by the C contract.
    unsafe { read("natsMsg_GetData", msg, ptr::null(), |msg| msg.data_ptr().cast()) }
}

/// Length of the payload of a message.
///
/// @param msg the message.
/// @return the length in bytes, without headers; 0 if `msg` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsg_GetDataLength(msg: *const natsMsg) -> c_int {
    // SAFETY: NULL or a live message by the C contract.
    unsafe { read("natsMsg_GetDataLength", msg, 0, |msg| length(msg.data().len())) }
}

/// Sets a header: the value replaces all values the key has.
///
/// Keys are case-sensitive and otherwise taken as they are. A CR or LF in a value is sent as a space. Like
/// all functions about headers this one may take received headers apart, so a message must not be used by two
/// threads at once. Lines of received headers that are malformed, but not the last one, are left out then.
///
/// @param msg the message.
/// @param key the key, without CR, LF and colon.
/// @param value the value, copied; NULL stands for none and is sent as an empty one.
/// @return #NATS_OK; #NATS_INVALID_ARG if `msg` is NULL, or `key` NULL, empty or with one of those
/// characters; #NATS_PROTOCOL_ERROR if version or end of a received message's headers are malformed;
/// #NATS_NO_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsgHeader_Set(
    msg: *mut natsMsg,
    key: *const c_char,
    value: *const c_char,
) -> natsStatus {
    boundary("natsMsgHeader_Set", || {
        // SAFETY: message and strings are NULL or valid by the C contract.
        let (mut msg, key, value) = unsafe { (message(msg)?, key_bytes(key)?, copied(value)?) };
        msg.header_set(key, value.as_deref())
    })
}

/// Adds a value to those a header has already.
///
/// @param msg the message.
/// @param key the key, see natsMsgHeader_Set().
/// @param value the value, copied; NULL stands for none and is sent as an empty one.
/// @return #NATS_OK; #NATS_INVALID_ARG if `msg` is NULL, or `key` NULL, empty or with one of those
/// characters; #NATS_PROTOCOL_ERROR if version or end of a received message's headers are malformed;
/// #NATS_NO_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsgHeader_Add(
    msg: *mut natsMsg,
    key: *const c_char,
    value: *const c_char,
) -> natsStatus {
    boundary("natsMsgHeader_Add", || {
        // SAFETY: message and strings are NULL or valid by the C contract.
        let (mut msg, key, value) = unsafe { (message(msg)?, key_bytes(key)?, copied(value)?) };
        msg.header_add(key, value.as_deref())
    })
}

/// The first value of a header.
///
/// @param msg the message.
/// @param key the key, matched exactly.
/// @param value gets the value, which belongs to the message and is valid until this header is set or
/// deleted; it is NULL for a header set to NULL, and on #NATS_NOT_FOUND and #NATS_PROTOCOL_ERROR.
/// @return #NATS_OK; #NATS_INVALID_ARG if `msg` or `value` is NULL, or `key` NULL or empty; #NATS_NOT_FOUND
/// without such a header, which does not change the last error; #NATS_PROTOCOL_ERROR as from
/// natsMsgHeader_Set(); #NATS_NO_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsgHeader_Get(
    msg: *mut natsMsg,
    key: *const c_char,
    value: *mut *const c_char,
) -> natsStatus {
    boundary("natsMsgHeader_Get", || {
        // SAFETY: message and key are NULL or valid by the C contract.
        let (mut msg, key) = unsafe { (message(msg)?, key_bytes(key)?) };
        if value.is_null() {
            return fail(Status::InvalidArg, "value cannot be NULL");
        }
        // SAFETY: not NULL, and writable by the C contract.
        unsafe { value.write(ptr::null()) };
        let found = c_pointer(msg.header_get(key)?);
        // SAFETY: as above.
        unsafe { value.write(found) };
        Ok(())
    })
}

/// All values of a header, in the order they were added.
///
/// @param msg the message.
/// @param key the key, matched exactly.
/// @param values gets an array of the values, to be released with `free()`; the values belong to the message
/// and are valid until this header is set or deleted. NULL on #NATS_NOT_FOUND and #NATS_PROTOCOL_ERROR.
/// @param count gets the number of values, 0 when `values` gets NULL.
/// @return #NATS_OK; #NATS_INVALID_ARG if `msg`, `values` or `count` is NULL, or `key` NULL or empty;
/// #NATS_NOT_FOUND without such a header, which does not change the last error; #NATS_PROTOCOL_ERROR as from
/// natsMsgHeader_Set(); #NATS_NO_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsgHeader_Values(
    msg: *mut natsMsg,
    key: *const c_char,
    values: *mut *mut *const c_char,
    count: *mut c_int,
) -> natsStatus {
    boundary("natsMsgHeader_Values", || {
        // SAFETY: message and key are NULL or valid by the C contract.
        let (mut msg, key) = unsafe { (message(msg)?, key_bytes(key)?) };
        if values.is_null() || count.is_null() {
            return fail(Status::InvalidArg, "value or count cannot be NULL");
        }
        // SAFETY: both are not NULL, and writable by the C contract.
        unsafe { store_list(values, count, || pointers(msg.header_values(key)?)) }
    })
}

/// The keys of all headers, in no particular order.
///
/// @param msg the message.
/// @param keys gets an array of the keys, to be released with `free()`; the keys belong to the message and
/// are valid until that header is deleted. NULL on #NATS_NOT_FOUND and #NATS_PROTOCOL_ERROR.
/// @param count gets the number of keys, 0 when `keys` gets NULL.
/// @return #NATS_OK; #NATS_INVALID_ARG if `msg`, `keys` or `count` is NULL; #NATS_NOT_FOUND without any
/// header, which does not change the last error; #NATS_PROTOCOL_ERROR as from natsMsgHeader_Set();
/// #NATS_NO_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsgHeader_Keys(
    msg: *mut natsMsg,
    keys: *mut *mut *const c_char,
    count: *mut c_int,
) -> natsStatus {
    boundary("natsMsgHeader_Keys", || {
        // SAFETY: NULL or a live message by the C contract.
        let mut msg = unsafe { message(msg)? };
        if keys.is_null() || count.is_null() {
            return fail(Status::InvalidArg, "keys or count cannot be NULL");
        }
        // SAFETY: both are not NULL, and writable by the C contract.
        unsafe { store_list(keys, count, || pointers(msg.header_keys()?.map(Some))) }
    })
}

/// Deletes a header with all its values. A message that lost its last header this way is still sent with an
/// empty header block.
///
/// @param msg the message.
/// @param key the key, matched exactly.
/// @return #NATS_OK; #NATS_INVALID_ARG if `msg` is NULL, or `key` NULL or empty; #NATS_NOT_FOUND without such
/// a header, which does not change the last error; #NATS_PROTOCOL_ERROR as from natsMsgHeader_Set();
/// #NATS_NO_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsgHeader_Delete(msg: *mut natsMsg, key: *const c_char) -> natsStatus {
    boundary("natsMsgHeader_Delete", || {
        // SAFETY: message and key are NULL or valid by the C contract.
        let (mut msg, key) = unsafe { (message(msg)?, memory::copy(key_bytes(key)?)?) };
        msg.header_delete(&key)
    })
}

/// Length of the headers of a message on the wire, from the version line to the empty line at the end.
///
/// @param msg the message.
/// @return the length in bytes; 0 without headers or if `msg` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsgHeader_EncodedLength(msg: *const natsMsg) -> c_int {
    // SAFETY: NULL or a live message by the C contract.
    unsafe { read("natsMsgHeader_EncodedLength", msg, 0, |msg| length(msg.encoded_headers_len())) }
}

/// Whether a message is the server's answer to a request that nobody listens to: no payload and status 503.
/// Requests report this as #NATS_NO_RESPONDERS themselves; callbacks of a subscription get the message.
///
/// @param msg the message.
/// @return `true` for such a message; `false` for any other and if `msg` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsg_IsNoResponders(msg: *mut natsMsg) -> bool {
    // SAFETY: NULL or a live message by the C contract.
    unsafe { read("natsMsg_IsNoResponders", msg, false, Msg::is_no_responders) }
}

/// Releases a message; NULL is ignored. Any thread may do this, also after the connection and the
/// subscription of the message are gone.
///
/// @param msg the message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsg_Destroy(msg: *mut natsMsg) {
    // SAFETY: NULL or a live message that is not used afterwards, by the C contract.
    infallible("natsMsg_Destroy", (), || drop(unsafe { take(msg) }));
}

/// Destroys the messages of a list and the array that holds them, and makes the list an empty one. Entries
/// that are NULL are skipped: to keep a message, put NULL in its place. The struct itself is the program's.
///
/// @param list the list; NULL, or one without array, is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsgList_Destroy(list: *mut natsMsgList) {
    infallible("natsMsgList_Destroy", (), || {
        // SAFETY: NULL or a list by the C contract.
        let Some(list) = (unsafe { list.as_mut() }).filter(|list| !list.Msgs.is_null()) else {
            return;
        };
        for i in 0..usize::try_from(list.Count).unwrap_or(0) {
            // SAFETY: the array has `Count` entries, each NULL or a live message that nobody uses afterwards.
            drop(unsafe { take(*list.Msgs.add(i)) });
        }
        // SAFETY: the array came from malloc and is not used afterwards.
        unsafe { libc::free(list.Msgs.cast()) };
        *list = natsMsgList { Msgs: ptr::null_mut(), Count: 0 };
    });
}

/// The sequence of a message in its stream.
///
/// @param msg the message.
/// @return the sequence; 0 for a message that does not come from a stream's direct access, and if `msg` is
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsg_GetSequence(msg: *mut natsMsg) -> u64 {
    // SAFETY: NULL or a live message by the C contract.
    unsafe { read("natsMsg_GetSequence", msg, 0, |msg| msg.sequence()) }
}

/// When the stream stored a message.
///
/// @param msg the message.
/// @return nanoseconds since 1970-01-01 UTC; 0 for a message that does not come from a stream's direct
/// access, and if `msg` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsg_GetTime(msg: *mut natsMsg) -> i64 {
    // SAFETY: NULL or a live message by the C contract.
    unsafe { read("natsMsg_GetTime", msg, 0, |msg| msg.time()) }
}

/// # Safety
/// As for [`borrow`].
unsafe fn message(msg: *mut natsMsg) -> Result<ManuallyDrop<Msg>> {
    // SAFETY: as promised by the caller.
    unsafe { borrow(msg) }.ok_or_else(|| Error::new(Status::InvalidArg, "message cannot be NULL"))
}

/// # Safety
/// As for [`strings::bytes`].
unsafe fn key_bytes<'a>(key: *const c_char) -> Result<&'a [u8]> {
    // SAFETY: as promised by the caller.
    unsafe { strings::non_empty(key) }
        .ok_or_else(|| Error::new(Status::InvalidArg, "key cannot be NULL nor empty"))
}

/// A copy of a text that may belong to the very headers that are about to change.
///
/// # Safety
/// As for [`strings::bytes`].
pub(super) unsafe fn copied(text: *const c_char) -> Result<Option<Vec<u8>>> {
    // SAFETY: as promised by the caller.
    unsafe { strings::bytes(text) }.map(memory::copy).transpose()
}

/// The array for a list of keys or values.
pub(super) fn pointers<'a>(
    texts: impl ExactSizeIterator<Item = Option<&'a CStr>>,
) -> Result<Vec<*const c_char>> {
    memory::collect(texts.map(c_pointer))
}

/// Stores the list `make` makes as an array from `malloc`; NULL and 0 if that fails.
///
/// # Safety
/// `list` and `count` are writable.
pub(super) unsafe fn store_list(
    list: *mut *mut *const c_char,
    count: *mut c_int,
    make: impl FnOnce() -> Result<Vec<*const c_char>>,
) -> Result<()> {
    // SAFETY: as promised by the caller.
    unsafe {
        list.write(ptr::null_mut());
        count.write(0);
    }
    let items = make()?;
    let array = alloc::array(&items)?;
    // SAFETY: as above.
    unsafe {
        list.write(array);
        count.write(length(items.len()));
    }
    Ok(())
}

/// The pointer of a string, NULL for none.
pub(super) fn c_pointer(text: Option<&CStr>) -> *const c_char {
    text.map_or(ptr::null(), CStr::as_ptr)
}

fn length(len: usize) -> c_int {
    c_int::try_from(len).unwrap_or(c_int::MAX)
}
