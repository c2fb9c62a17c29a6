//! Subscribing.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use crate::client::connection::Connection;
use crate::client::message::Msg;
use crate::client::subscription::{MsgHandler, Request, Subscription};
use crate::error::{Error, Result, Status};
use crate::ffi::core::msg;
use crate::ffi::support::Handle;
use crate::ffi::support::callback::{Closure, word};
use crate::ffi::support::connection::on_connection;
use crate::ffi::support::strings::{bytes, required};
use crate::ffi::types::*;
use crate::thread_end;

/// Subscribes; messages are delivered to a callback, one at a time and in order.
///
/// @param sub receives the subscription, which the caller ends with natsSubscription_Destroy(); untouched on
/// failure.
/// @param nc the connection.
/// @param subject the subject, may hold the wildcards `*` and `>`.
/// @param cb called for each message on a delivery thread; it owns the message and destroys it.
/// @param cbClosure handed to `cb`.
/// @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_INVALID_SUBJECT;
/// #NATS_CONNECTION_CLOSED; #NATS_DRAINING while the connection drains; #NATS_SYS_ERROR when the system gives
/// no thread to deliver on. A server that cannot be reached at this moment is no failure: the subscription is
/// made when it can.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_Subscribe(
    sub: *mut *mut natsSubscription,
    nc: *mut natsConnection,
    subject: *const c_char,
    cb: natsMsgHandler,
    cbClosure: *mut c_void,
) -> natsStatus {
    // SAFETY: the contract of this function: live handles or NULL, valid C strings, a writable `sub`.
    unsafe {
        on_connection("natsConnection_Subscribe", nc, |nc| {
            let handler = handler(cb, cbClosure)?;
            subscribe(nc, sub, bytes(subject), None, Some(handler), None)
        })
    }
}

/// Subscribes; the callback also runs, with a NULL message, each time nothing arrived for a while.
///
/// As natsConnection_Subscribe() in everything else.
///
/// @param timeout time without messages after which the handler runs, in milliseconds, above 0.
/// @return as natsConnection_Subscribe(); #NATS_INVALID_ARG also for a timeout of 0 or less.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_SubscribeTimeout(
    sub: *mut *mut natsSubscription,
    nc: *mut natsConnection,
    subject: *const c_char,
    timeout: i64,
    cb: natsMsgHandler,
    cbClosure: *mut c_void,
) -> natsStatus {
    // SAFETY: the contract of this function: live handles or NULL, valid C strings, a writable `sub`.
    unsafe {
        on_connection("natsConnection_SubscribeTimeout", nc, |nc| {
            let handler = handler(cb, cbClosure)?;
            subscribe(nc, sub, bytes(subject), None, Some(handler), Some(positive(timeout)?))
        })
    }
}

/// Subscribes; messages are read with natsSubscription_NextMsg().
///
/// As natsConnection_Subscribe() in everything else.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_SubscribeSync(
    sub: *mut *mut natsSubscription,
    nc: *mut natsConnection,
    subject: *const c_char,
) -> natsStatus {
    // SAFETY: the contract of this function: live handles or NULL, valid C strings, a writable `sub`.
    unsafe {
        on_connection("natsConnection_SubscribeSync", nc, |nc| {
            subscribe(nc, sub, bytes(subject), None, None, None)
        })
    }
}

/// Subscribes as a member of a queue group; messages are delivered to a callback.
///
/// As natsConnection_Subscribe() in everything else.
///
/// @param queueGroup the group: each message goes to one member of it; no white space.
/// @return as natsConnection_Subscribe(); #NATS_INVALID_ARG also if `queueGroup` is NULL or empty;
/// #NATS_INVALID_QUEUE_NAME if it has white space.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_QueueSubscribe(
    sub: *mut *mut natsSubscription,
    nc: *mut natsConnection,
    subject: *const c_char,
    queueGroup: *const c_char,
    cb: natsMsgHandler,
    cbClosure: *mut c_void,
) -> natsStatus {
    // SAFETY: the contract of this function: live handles or NULL, valid C strings, a writable `sub`.
    unsafe {
        on_connection("natsConnection_QueueSubscribe", nc, |nc| {
            let handler = handler(cb, cbClosure)?;
            subscribe(nc, sub, bytes(subject), Some(bytes(queueGroup)), Some(handler), None)
        })
    }
}

/// Subscribes as a member of a queue group; the callback also runs, with a NULL message, each time nothing
/// arrived for a while.
///
/// As natsConnection_SubscribeTimeout() in everything else.
///
/// @param queueGroup the group: each message goes to one member of it; no white space.
/// @return as natsConnection_SubscribeTimeout(); #NATS_INVALID_QUEUE_NAME as for
/// natsConnection_QueueSubscribe().
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_QueueSubscribeTimeout(
    sub: *mut *mut natsSubscription,
    nc: *mut natsConnection,
    subject: *const c_char,
    queueGroup: *const c_char,
    timeout: i64,
    cb: natsMsgHandler,
    cbClosure: *mut c_void,
) -> natsStatus {
    // SAFETY: the contract of this function: live handles or NULL, valid C strings, a writable `sub`.
    unsafe {
        on_connection("natsConnection_QueueSubscribeTimeout", nc, |nc| {
            let handler = handler(cb, cbClosure)?;
            let timeout = Some(positive(timeout)?);
            subscribe(nc, sub, bytes(subject), Some(bytes(queueGroup)), Some(handler), timeout)
        })
    }
}

/// Subscribes as a member of a queue group; messages are read with natsSubscription_NextMsg().
///
/// As natsConnection_Subscribe() in everything else.
///
/// @param queueGroup the group: each message goes to one member of it; no white space.
/// @return as natsConnection_Subscribe(); #NATS_INVALID_QUEUE_NAME as for natsConnection_QueueSubscribe().
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn natsConnection_QueueSubscribeSync(
    sub: *mut *mut natsSubscription,
    nc: *mut natsConnection,
    subject: *const c_char,
    queueGroup: *const c_char,
) -> natsStatus {
    // SAFETY: the contract of this function: live handles or NULL, valid C strings, a writable `sub`.
    unsafe {
        on_connection("natsConnection_QueueSubscribeSync", nc, |nc| {
            subscribe(nc, sub, bytes(subject), Some(bytes(queueGroup)), None, None)
        })
    }
}

/// `queue` is `None` for a plain subscription, `Some(None)` for a missing group.
///
/// # Safety
/// `out` is NULL or writable.
unsafe fn subscribe(
    nc: Result<&Arc<Connection>>,
    out: *mut *mut natsSubscription,
    subject: Option<&[u8]>,
    queue: Option<Option<&[u8]>>,
    handler: Option<MsgHandler>,
    timeout_ms: Option<i64>,
) -> Result<()> {
    let queue = match queue {
        Some(queue) => Some(queue.filter(|q| !q.is_empty()).ok_or(Status::InvalidArg)?),
        None => None,
    };
    let nc = nc?;
    let out = required(out)?;
    let request = Request { subject: subject.unwrap_or_default(), queue, handler, timeout_ms };
    let sub = nc.subscribe(request)?;
    // SAFETY: checked for NULL, writable by the caller's promise. Stored before the first callback can run.
    unsafe { *out = natsSubscription::give(Arc::clone(&sub)) };
    sub.start();
    Ok(())
}

fn handler(cb: natsMsgHandler, closure: *mut c_void) -> Result<MsgHandler> {
    let cb = cb.ok_or_else(|| Error::from(Status::InvalidArg))?;
    let closure = Closure::new(closure);
    Ok(Box::new(move |nc: &Arc<Connection>, sub: &Arc<Subscription>, msg: Option<Msg>| {
        let msg = msg.map_or(std::ptr::null_mut(), msg::give);
        let (nc, sub) = (natsConnection::lend(nc), natsSubscription::lend(sub));
        let arguments = [word(nc), word(sub), word(msg), closure.word()];
        // SAFETY: a function of the program called as it was registered; both handles outlive the call.
        unsafe { thread_end::call_message_handler(cb as *const c_void, arguments) }
    }))
}

fn positive(timeout_ms: i64) -> Result<i64> {
    if timeout_ms <= 0 { Err(Status::InvalidArg.into()) } else { Ok(timeout_ms) }
}
