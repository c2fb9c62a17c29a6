//! Subscribing.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::Arc;

use crate::client::connection::Connection;
use crate::client::message::Msg;
use crate::client::subscription::{MsgHandler, Request, Subscription};
use crate::error::{Result, Status};
use crate::ffi::support::*;
use crate::ffi::types::*;

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
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_Subscribe", nc, |nc| {
            let request = Request {
                subject: bytes(subject).unwrap_or_default(),
                queue: None,
                handler: Some(handler(cb, cbClosure)?),
                timeout_ms: None,
            };
            subscribe(nc, Out::of(sub)?, request)
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
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_SubscribeTimeout", nc, |nc| {
            let request = Request {
                subject: bytes(subject).unwrap_or_default(),
                queue: None,
                handler: Some(handler(cb, cbClosure)?),
                timeout_ms: Some(positive(timeout)?),
            };
            subscribe(nc, Out::of(sub)?, request)
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
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_SubscribeSync", nc, |nc| {
            let request = Request {
                subject: bytes(subject).unwrap_or_default(),
                queue: None,
                handler: None,
                timeout_ms: None,
            };
            subscribe(nc, Out::of(sub)?, request)
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
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_QueueSubscribe", nc, |nc| {
            let request = Request {
                subject: bytes(subject).unwrap_or_default(),
                queue: Some(given(queueGroup)?),
                handler: Some(handler(cb, cbClosure)?),
                timeout_ms: None,
            };
            subscribe(nc, Out::of(sub)?, request)
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
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_QueueSubscribeTimeout", nc, |nc| {
            let request = Request {
                subject: bytes(subject).unwrap_or_default(),
                queue: Some(given(queueGroup)?),
                handler: Some(handler(cb, cbClosure)?),
                timeout_ms: Some(positive(timeout)?),
            };
            subscribe(nc, Out::of(sub)?, request)
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
    // SAFETY: the C contract.
    unsafe {
        on("natsConnection_QueueSubscribeSync", nc, |nc| {
            let request = Request {
                subject: bytes(subject).unwrap_or_default(),
                queue: Some(given(queueGroup)?),
                handler: None,
                timeout_ms: None,
            };
            subscribe(nc, Out::of(sub)?, request)
        })
    }
}

/// The program has the handle before the first callback can run.
fn subscribe(nc: &Arc<Connection>, out: Out<*mut natsSubscription>, request: Request) -> Result<()> {
    let sub = nc.subscribe(request)?;
    out.set(natsSubscription::give(Arc::clone(&sub)))?;
    sub.start();
    Ok(())
}

fn handler(cb: natsMsgHandler, closure: *mut c_void) -> Result<MsgHandler> {
    let callback = Callback::new(cb, closure).ok_or(Status::InvalidArg)?;
    Ok(Box::new(move |nc: &Arc<Connection>, sub: &Arc<Subscription>, msg: Option<Msg>| {
        let msg = msg.map_or(ptr::null_mut(), natsMsg::give);
        let (nc, sub) = (natsConnection::lend(nc), natsSubscription::lend(sub));
        // SAFETY: both handles outlive the call, the message is the program's.
        unsafe { callback.deliver((nc, sub, msg, callback.closure())) }
    }))
}

fn positive(timeout_ms: i64) -> Result<i64> {
    if timeout_ms <= 0 { Err(Status::InvalidArg.into()) } else { Ok(timeout_ms) }
}
