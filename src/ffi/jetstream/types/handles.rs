//! C types of JetStream: contexts, with the callbacks that are registered there.

use std::ffi::{c_int, c_void};

use crate::ffi::core::types::{natsConnection, natsMsg, natsStatus, natsSubscription};
use crate::ffi::jetstream::types::info::{jsPubAck, jsPubAckErr};

/// A JetStream context of a connection. Made by natsConnection_JetStream(), released by jsCtx_Destroy().
pub struct jsCtx {
    _private: [u8; 0],
}

/// A batch of messages that is stored as a whole. Made by js_BatchPublishStart(), released by
/// jsAtomicBatchCtx_Destroy().
pub struct jsAtomicBatchCtx {
    _private: [u8; 0],
}

/// Called for every asynchronously published message that was not stored. `pae` is valid during the call
/// only. The library destroys `pae->Msg` afterwards, unless the handler took the message by setting that
/// field to NULL, as js_PublishMsgAsync() does when it publishes the message again.
pub type jsPubAckErrHandler =
    Option<unsafe extern "C" fn(js: *mut jsCtx, pae: *mut jsPubAckErr, closure: *mut c_void)>;

/// Called with the outcome of every asynchronously published message. Exactly one of `pa` and `pae` is not
/// NULL; both are valid during the call only and must not be destroyed. The message belongs to the handler.
pub type jsPubAckHandler = Option<
    unsafe extern "C" fn(
        js: *mut jsCtx,
        msg: *mut natsMsg,
        pa: *mut jsPubAck,
        pae: *mut jsPubAckErr,
        closure: *mut c_void,
    ),
>;

/// Called once when an asynchronous pull subscription has ended, after its last message. `s` says why:
/// NATS_OK after an unsubscribe, NATS_MAX_DELIVERED_MSGS, NATS_TIMEOUT, NATS_NOT_FOUND, NATS_LIMIT_REACHED,
/// NATS_MISSED_HEARTBEAT, NATS_CONNECTION_CLOSED, ...
pub type jsFetchCompleteHandler = Option<
    unsafe extern "C" fn(
        nc: *mut natsConnection,
        sub: *mut natsSubscription,
        s: natsStatus,
        closure: *mut c_void,
    ),
>;

/// Asked after each message whether an asynchronous pull subscription sends another request: true to send one
/// for `*messages` messages and `*maxBytes` bytes.
pub type jsFetchNextHandler = Option<
    unsafe extern "C" fn(
        messages: *mut c_int,
        maxBytes: *mut i64,
        sub: *mut natsSubscription,
        closure: *mut c_void,
    ) -> bool,
>;
