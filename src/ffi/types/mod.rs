//! C types of the core family: opaque handles, statuses, callbacks.

use std::ffi::{c_char, c_int, c_void};

use crate::error::Status;

/// Result of every fallible function.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum natsStatus {
    NATS_OK = 0,
    NATS_ERR = 1,
    NATS_PROTOCOL_ERROR = 2,
    NATS_IO_ERROR = 3,
    NATS_LINE_TOO_LONG = 4,
    NATS_CONNECTION_CLOSED = 5,
    NATS_NO_SERVER = 6,
    NATS_STALE_CONNECTION = 7,
    NATS_SECURE_CONNECTION_WANTED = 8,
    NATS_SECURE_CONNECTION_REQUIRED = 9,
    NATS_CONNECTION_DISCONNECTED = 10,
    NATS_CONNECTION_AUTH_FAILED = 11,
    NATS_NOT_PERMITTED = 12,
    NATS_NOT_FOUND = 13,
    NATS_ADDRESS_MISSING = 14,
    NATS_INVALID_SUBJECT = 15,
    NATS_INVALID_ARG = 16,
    NATS_INVALID_SUBSCRIPTION = 17,
    NATS_INVALID_TIMEOUT = 18,
    NATS_ILLEGAL_STATE = 19,
    NATS_SLOW_CONSUMER = 20,
    NATS_MAX_PAYLOAD = 21,
    NATS_MAX_DELIVERED_MSGS = 22,
    NATS_INSUFFICIENT_BUFFER = 23,
    NATS_NO_MEMORY = 24,
    NATS_SYS_ERROR = 25,
    NATS_TIMEOUT = 26,
    NATS_FAILED_TO_INITIALIZE = 27,
    NATS_NOT_INITIALIZED = 28,
    NATS_SSL_ERROR = 29,
    NATS_NO_SERVER_SUPPORT = 30,
    NATS_NOT_YET_CONNECTED = 31,
    NATS_DRAINING = 32,
    NATS_INVALID_QUEUE_NAME = 33,
    NATS_NO_RESPONDERS = 34,
    NATS_MISMATCH = 35,
    NATS_MISSED_HEARTBEAT = 36,
    NATS_LIMIT_REACHED = 37,
    NATS_PIN_ID_MISMATCH = 38,
    NATS_INVALID_CONFIG = 39,
    NATS_MAX_STATUS_VALUE = 40,
}

impl From<Status> for natsStatus {
    fn from(status: Status) -> natsStatus {
        // SAFETY: both enums are 32-bit and `Status` only has values that natsStatus has (a test compares them).
        unsafe { std::mem::transmute::<i32, natsStatus>(status.code()) }
    }
}

macro_rules! opaque {
    ($($name:ident),*) => {$(
        #[repr(C)]
        pub struct $name { _private: [u8; 0] }
    )*};
}
opaque!(natsConnection, natsSubscription, natsOptions, natsMsg, natsStatistics, natsHeader);

pub type natsSock = c_int;
pub type natsInbox = c_char;
pub type natsMsgHandler = Option<
    unsafe extern "C" fn(
        nc: *mut natsConnection,
        sub: *mut natsSubscription,
        msg: *mut natsMsg,
        closure: *mut c_void,
    ),
>;
pub type natsConnectionHandler = Option<unsafe extern "C" fn(nc: *mut natsConnection, closure: *mut c_void)>;
pub type natsErrHandler = Option<
    unsafe extern "C" fn(
        nc: *mut natsConnection,
        subscription: *mut natsSubscription,
        err: natsStatus,
        closure: *mut c_void,
    ),
>;
pub type natsThreadStartedHandler = Option<unsafe extern "C" fn(closure: *mut c_void)>;
pub type natsOnCompleteCB = Option<unsafe extern "C" fn(closure: *mut c_void)>;
