//! `natsMsg_*`, `natsMsgHeader_*` and `natsMsgList_Destroy`. A message handle is the message itself: one
//! owner, one thread at a time.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use crate::client::message::Msg;
use crate::error::{Error, Result, Status};
use crate::ffi::support::*;
use crate::ffi::types::*;
use crate::proto::memory;

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
    // SAFETY: the C contract.
    unsafe {
        on("natsMsg_Create", (), |()| {
            let out = Out::of(newMsg)?;
            let subject = bytes(subj).unwrap_or_default();
            out.set(natsMsg::give(Msg::new(subject, bytes(reply), payload(data.cast(), dataLen))?))
        })
    }
}

/// The subject of a message.
///
/// @param msg the message.
/// @return the subject, which belongs to the message; NULL if `msg` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsg_GetSubject(msg: *const natsMsg) -> *const c_char {
    // SAFETY: the C contract.
    unsafe { on("natsMsg_GetSubject", Quick(msg), |msg| msg.subject().as_ptr()) }
}

/// The reply subject of a message.
///
/// @param msg the message.
/// @return the reply subject, which belongs to the message; NULL if there is none or `msg` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsg_GetReply(msg: *const natsMsg) -> *const c_char {
    // SAFETY: the C contract.
    unsafe { on("natsMsg_GetReply", Quick(msg), |msg| c_pointer(msg.reply())) }
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
    // SAFETY: the C contract.
    unsafe { on("natsMsg_SetData", (), |()| natsMsg::borrow_mut(msg)?.set_external_data(data.cast(), len)) }
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
    // SAFETY: the C contract.
    unsafe { on("natsMsg_GetData", Quick(msg), |msg| msg.data_ptr().cast::<c_char>()) }
}

/// Length of the payload of a message.
///
/// @param msg the message.
/// @return the length in bytes, without headers; 0 if `msg` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsg_GetDataLength(msg: *const natsMsg) -> c_int {
    // SAFETY: the C contract.
    unsafe { on("natsMsg_GetDataLength", Quick(msg), |msg| clamped(msg.data().len())) }
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
    // SAFETY: the C contract.
    unsafe {
        on("natsMsgHeader_Set", msg, |msg| {
            let (key, value) = (key_bytes(key)?, copied(value)?);
            msg.header_set(key, value.as_deref())
        })
    }
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
    // SAFETY: the C contract.
    unsafe {
        on("natsMsgHeader_Add", msg, |msg| {
            let (key, value) = (key_bytes(key)?, copied(value)?);
            msg.header_add(key, value.as_deref())
        })
    }
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
    // SAFETY: the C contract.
    unsafe {
        on("natsMsgHeader_Get", msg, |msg| {
            let key = key_bytes(key)?;
            let out = Out::named(value, "value cannot be NULL")?.cleared();
            out.set(c_pointer(msg.header_get(key)?))
        })
    }
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
    // SAFETY: the C contract.
    unsafe {
        on("natsMsgHeader_Values", msg, |msg| {
            let key = key_bytes(key)?;
            let out = OutList::named(values, count, "value or count cannot be NULL")?.cleared();
            out.set(List::pointers(msg.header_values(key)?)?)
        })
    }
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
    // SAFETY: the C contract.
    unsafe {
        on("natsMsgHeader_Keys", msg, |msg| {
            let out = OutList::named(keys, count, "keys or count cannot be NULL")?.cleared();
            out.set(List::pointers(msg.header_keys()?.map(Some))?)
        })
    }
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
    // SAFETY: the C contract.
    unsafe { on("natsMsgHeader_Delete", msg, |msg| msg.header_delete(&memory::copy(key_bytes(key)?)?)) }
}

/// Length of the headers of a message on the wire, from the version line to the empty line at the end.
///
/// @param msg the message.
/// @return the length in bytes; 0 without headers or if `msg` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsgHeader_EncodedLength(msg: *const natsMsg) -> c_int {
    // SAFETY: the C contract.
    unsafe { on("natsMsgHeader_EncodedLength", Quick(msg), |msg| clamped(msg.encoded_headers_len())) }
}

/// Whether a message is the server's answer to a request that nobody listens to: no payload and status 503.
/// Requests report this as #NATS_NO_RESPONDERS themselves; callbacks of a subscription get the message.
///
/// @param msg the message.
/// @return `true` for such a message; `false` for any other and if `msg` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsg_IsNoResponders(msg: *mut natsMsg) -> bool {
    // SAFETY: the C contract.
    unsafe { on("natsMsg_IsNoResponders", Quick(msg), Msg::is_no_responders) }
}

/// Releases a message; NULL is ignored. Any thread may do this, also after the connection and the
/// subscription of the message are gone.
///
/// @param msg the message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsg_Destroy(msg: *mut natsMsg) {
    // SAFETY: the C contract.
    unsafe { on("natsMsg_Destroy", Taken(msg), drop) }
}

/// Destroys the messages of a list and the array that holds them, and makes the list an empty one. Entries
/// that are NULL are skipped: to keep a message, put NULL in its place. The struct itself is the program's.
///
/// @param list the list; NULL, or one without array, is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsgList_Destroy(list: *mut natsMsgList) {
    // SAFETY: the C contract.
    unsafe {
        on("natsMsgList_Destroy", Quick(()), |()| {
            let Some(list) = list.as_mut().filter(|list| !list.Msgs.is_null()) else { return };
            drop(List::from_c(list.Msgs, list.Count));
            *list = natsMsgList { Msgs: ptr::null_mut(), Count: 0 };
        })
    }
}

/// The sequence of a message in its stream.
///
/// @param msg the message.
/// @return the sequence; 0 for a message that does not come from a stream's direct access, and if `msg` is
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsg_GetSequence(msg: *mut natsMsg) -> u64 {
    // SAFETY: the C contract.
    unsafe { on("natsMsg_GetSequence", Quick(msg), |msg| msg.sequence()) }
}

/// When the stream stored a message.
///
/// @param msg the message.
/// @return nanoseconds since 1970-01-01 UTC; 0 for a message that does not come from a stream's direct
/// access, and if `msg` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn natsMsg_GetTime(msg: *mut natsMsg) -> i64 {
    // SAFETY: the C contract.
    unsafe { on("natsMsg_GetTime", Quick(msg), |msg| msg.time()) }
}

/// # Safety
/// As for [`bytes`].
unsafe fn key_bytes<'a>(key: *const c_char) -> Result<&'a [u8]> {
    // SAFETY: as promised by the caller.
    unsafe { non_empty(key) }.ok_or_else(|| Error::new(Status::InvalidArg, "key cannot be NULL nor empty"))
}
