//! Publishing and requests.

use std::ffi::{c_char, c_int, c_void};
use std::sync::Arc;

use crate::client::connection::Connection;
use crate::client::connection::publish::{Flush, Outgoing};
use crate::client::message::Msg;
use crate::error::Result;
use crate::ffi::support::*;
use crate::ffi::types::*;

/// Publishes `dataLen` bytes of `data` on `subj`.
///
/// The data is copied before the call returns and goes out with the next write, at the latest a few
/// milliseconds later. While the connection is being re-established the message waits in the reconnect
/// buffer. The call may wait for room while the server does not read, but no longer than it takes to find the
/// connection stale.
///
/// @param nc the connection.
/// @param subj the subject; must not hold blanks, CR or LF.
/// @param data the payload, may be NULL when `dataLen` is 0.
/// @param dataLen its length in bytes.
/// @return #NATS_OK; #NATS_INVALID_ARG for a NULL connection; #NATS_INVALID_SUBJECT; #NATS_CONNECTION_CLOSED;
/// #NATS_DRAINING; #NATS_MAX_PAYLOAD; #NATS_INSUFFICIENT_BUFFER when the reconnect buffer is full;
/// #NATS_NO_MEMORY when there is no room for the message, of which nothing is sent then; #NATS_TIMEOUT when
/// the write deadline passed. Any thread may call it, callbacks too.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_Publish(
    nc: *mut natsConnection,
    subj: *const c_char,
    data: *const c_void,
    dataLen: c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_Publish", Quick(nc), |nc| {
            publish(nc, bytes(subj), None, payload(data, dataLen), Flush::Soon)
        })
    }
}

/// Publishes a text, without its terminating NUL; NULL is an empty message.
///
/// As natsConnection_Publish() in everything else.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_PublishString(
    nc: *mut natsConnection,
    subj: *const c_char,
    str: *const c_char,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_PublishString", Quick(nc), |nc| {
            publish(nc, bytes(subj), None, bytes(str).unwrap_or_default(), Flush::Soon)
        })
    }
}

/// Publishes a message with its headers, reply subject and payload. The message stays the caller's and can be
/// published again.
///
/// @param nc the connection.
/// @param msg the message; stays the caller's.
/// @return as natsConnection_Publish(), and #NATS_INVALID_ARG for a NULL message, #NATS_NO_SERVER_SUPPORT for
/// headers that the server does not support.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_PublishMsg(
    nc: *mut natsConnection,
    msg: *mut natsMsg,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_PublishMsg", Quick(nc), |nc| publish_msg(nc, &*natsMsg::borrow(msg)?, Flush::Soon))
    }
}

/// Publishes with a reply subject, without waiting for a reply.
///
/// @param nc the connection.
/// @param subj the subject, as for natsConnection_Publish().
/// @param reply the subject that replies go to.
/// @param data the payload; may be NULL when `dataLen` is 0.
/// @param dataLen its length in bytes.
/// @return as natsConnection_Publish(), and #NATS_INVALID_ARG when `reply` is NULL or empty.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_PublishRequest(
    nc: *mut natsConnection,
    subj: *const c_char,
    reply: *const c_char,
    data: *const c_void,
    dataLen: c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_PublishRequest", Quick(nc), |nc| {
            publish(nc, bytes(subj), Some(given(reply)?), payload(data, dataLen), Flush::Soon)
        })
    }
}

/// Publishes a text with a reply subject, without waiting for a reply.
///
/// As natsConnection_PublishRequest() in everything else.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_PublishRequestString(
    nc: *mut natsConnection,
    subj: *const c_char,
    reply: *const c_char,
    str: *const c_char,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_PublishRequestString", Quick(nc), |nc| {
            publish(nc, bytes(subj), Some(given(reply)?), bytes(str).unwrap_or_default(), Flush::Soon)
        })
    }
}

/// Publishes and writes everything that is buffered to the socket before it returns.
///
/// As natsConnection_Publish() in everything else.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_Send(
    nc: *mut natsConnection,
    subj: *const c_char,
    data: *const c_void,
    dataLen: c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_Send", Quick(nc), |nc| {
            publish(nc, bytes(subj), None, payload(data, dataLen), Flush::Now)
        })
    }
}

/// Publishes a message and writes everything that is buffered to the socket before it returns.
///
/// As natsConnection_PublishMsg() in everything else.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_SendMsg(
    nc: *mut natsConnection,
    msg: *mut natsMsg,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_SendMsg", Quick(nc), |nc| publish_msg(nc, &*natsMsg::borrow(msg)?, Flush::Now))
    }
}

/// Publishes with a reply subject and writes everything that is buffered to the socket before it returns.
///
/// As natsConnection_PublishRequest() in everything else.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_SendRequest(
    nc: *mut natsConnection,
    subj: *const c_char,
    reply: *const c_char,
    data: *const c_void,
    dataLen: c_int,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_SendRequest", Quick(nc), |nc| {
            publish(nc, bytes(subj), Some(given(reply)?), payload(data, dataLen), Flush::Now)
        })
    }
}

/// Sends a request and waits for its first reply.
///
/// @param replyMsg receives the reply, which the caller destroys; set to NULL on failure.
/// @param nc the connection.
/// @param subj the subject of the request.
/// @param data the payload, may be NULL when `dataLen` is 0.
/// @param dataLen its length in bytes.
/// @param timeout how long to wait, in milliseconds; with 0 or less the request is sent but not waited for.
/// @return #NATS_OK; #NATS_TIMEOUT; #NATS_NO_RESPONDERS when the server knows that nobody listens;
/// #NATS_INVALID_ARG; #NATS_CONNECTION_CLOSED; #NATS_CONNECTION_DISCONNECTED (only with
/// natsOptions_SetFailRequestsOnDisconnect()), or a status of natsConnection_Publish(). May be called in a
/// message handler.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_Request(
    replyMsg: *mut *mut natsMsg,
    nc: *mut natsConnection,
    subj: *const c_char,
    data: *const c_void,
    dataLen: c_int,
    timeout: i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_Request", nc, |nc| {
            let out = Out::of(replyMsg)?.cleared();
            let subject = bytes(subj).unwrap_or_default();
            out.set(natsMsg::give(nc.request(subject, None, payload(data, dataLen), timeout)?))
        })
    }
}

/// Sends a text as a request and waits for its first reply.
///
/// As natsConnection_Request() in everything else.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_RequestString(
    replyMsg: *mut *mut natsMsg,
    nc: *mut natsConnection,
    subj: *const c_char,
    str: *const c_char,
    timeout: i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_RequestString", nc, |nc| {
            let out = Out::of(replyMsg)?.cleared();
            let (subject, text) = (bytes(subj).unwrap_or_default(), bytes(str).unwrap_or_default());
            out.set(natsMsg::give(nc.request(subject, None, text, timeout)?))
        })
    }
}

/// Sends a message, headers included, as a request and waits for its first reply. The message's own reply
/// subject is not used; the message stays the caller's.
///
/// As natsConnection_Request() in everything else.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_RequestMsg(
    replyMsg: *mut *mut natsMsg,
    nc: *mut natsConnection,
    requestMsg: *mut natsMsg,
    timeout: i64,
) -> natsStatus {
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_RequestMsg", nc, |nc| {
            let out = Out::of(replyMsg)?;
            let msg = natsMsg::borrow(requestMsg)?;
            let out = out.cleared();
            let headers = msg.headers_to_send()?;
            let reply = nc.request(msg.subject().to_bytes(), headers.as_deref(), msg.data(), timeout)?;
            out.set(natsMsg::give(reply))
        })
    }
}

#[inline]
fn publish(
    nc: &Arc<Connection>,
    subject: Option<&[u8]>,
    reply: Option<&[u8]>,
    payload: &[u8],
    flush: Flush,
) -> Result<()> {
    let subject = subject.unwrap_or_default();
    nc.publish(Outgoing { subject, reply, headers: None, payload }, flush)
}

fn publish_msg(nc: &Arc<Connection>, msg: &Msg, flush: Flush) -> Result<()> {
    let headers = msg.headers_to_send()?;
    let (subject, reply) = (msg.subject().to_bytes(), msg.reply().map(|r| r.to_bytes()));
    nc.publish(Outgoing { subject, reply, headers: headers.as_deref(), payload: msg.data() }, flush)
}
