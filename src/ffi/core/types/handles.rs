//! C types of the core: handles, callbacks, library settings.

use std::ffi::{c_char, c_int, c_long, c_uchar, c_void};
use std::mem::MaybeUninit;

use crate::ffi::core::types::status::natsStatus;

/// A socket of the operating system.
pub type natsSock = c_int;

/// A connection to a server. Made by natsConnection_Connect(), released by natsConnection_Destroy().
pub struct natsConnection {
    _private: [u8; 0],
}

/// Counters of a connection. Made by natsStatistics_Create(), released by natsStatistics_Destroy().
pub struct natsStatistics {
    _private: [u8; 0],
}

/// A subscription of a connection. Released by natsSubscription_Destroy().
pub struct natsSubscription {
    _private: [u8; 0],
}

/// A message, received or to be published. Released by natsMsg_Destroy().
pub struct natsMsg {
    _private: [u8; 0],
}

/// Options for connections; copied when a connection is made. Made by natsOptions_Create(), released by
/// natsOptions_Destroy().
pub struct natsOptions {
    _private: [u8; 0],
}

/// A unique subject for replies: a NUL-terminated string. Made by natsInbox_Create(), released by
/// natsInbox_Destroy().
pub type natsInbox = c_char;

/// Message headers that do not belong to a message. Made by natsHeader_New(), released by
/// natsHeader_Destroy().
pub struct natsHeader {
    _private: [u8; 0],
}

/// Called first on every thread the library starts, possibly on several at once.
pub type natsThreadStartedHandler = Option<unsafe extern "C" fn(closure: *mut c_void)>;

/// Called with each message of a subscription, on a thread of the library. The callback destroys `msg`; it is
/// NULL when the subscription's timeout passed without a message.
pub type natsMsgHandler = Option<
    unsafe extern "C" fn(
        nc: *mut natsConnection,
        sub: *mut natsSubscription,
        msg: *mut natsMsg,
        closure: *mut c_void,
    ),
>;

/// Called when the state of a connection has changed, one call after the other on a thread of the library.
pub type natsConnectionHandler = Option<unsafe extern "C" fn(nc: *mut natsConnection, closure: *mut c_void)>;

/// Opens the connection to `host`:`port` in place of the library and stores the connected socket in `*fd`.
/// Any status but NATS_OK counts as a server that cannot be reached.
pub type natsProxyConnHandler = Option<
    unsafe extern "C" fn(
        fd: *mut natsSock,
        host: *mut c_char,
        port: c_int,
        closure: *mut c_void,
    ) -> MaybeUninit<natsStatus>,
>;

/// Called for an error that no function call could report, on a thread of the library. `subscription` is NULL
/// when the error concerns the whole connection.
pub type natsErrHandler = Option<
    unsafe extern "C" fn(
        nc: *mut natsConnection,
        subscription: *mut natsSubscription,
        err: natsStatus,
        closure: *mut c_void,
    ),
>;

/// Asks an event loop to watch `socket` for `nc`. `*userData` is NULL on the first call; what is stored there
/// is handed to the other callbacks, and back to this one after a reconnect.
pub type natsEvLoop_Attach = Option<
    unsafe extern "C" fn(
        userData: *mut *mut c_void,
        event_loop: *mut c_void,
        nc: *mut natsConnection,
        socket: natsSock,
    ) -> MaybeUninit<natsStatus>,
>;

/// Asks the event loop to start (`add` true) or stop watching for data to read.
pub type natsEvLoop_ReadAddRemove =
    Option<unsafe extern "C" fn(userData: *mut c_void, add: bool) -> MaybeUninit<natsStatus>>;

/// Asks the event loop to start (`add` true) or stop watching for room to write.
pub type natsEvLoop_WriteAddRemove =
    Option<unsafe extern "C" fn(userData: *mut c_void, add: bool) -> MaybeUninit<natsStatus>>;

/// Tells the event loop that the connection is closed: the last call for it.
pub type natsEvLoop_Detach = Option<unsafe extern "C" fn(userData: *mut c_void) -> MaybeUninit<natsStatus>>;

/// Stores the user's JWT in `*userJWT`, or a text for the error in `*customErrTxt`. Both come from malloc()
/// and are freed by the library.
pub type natsUserJWTHandler = Option<
    unsafe extern "C" fn(
        userJWT: *mut *mut c_char,
        customErrTxt: *mut *mut c_char,
        closure: *mut c_void,
    ) -> MaybeUninit<natsStatus>,
>;

/// Signs the server's `nonce` and stores the raw signature and its length in bytes, or a text for the error
/// in `*customErrTxt`. Both pointers come from malloc() and are freed by the library. `nonce` may be NULL.
pub type natsSignatureHandler = Option<
    unsafe extern "C" fn(
        customErrTxt: *mut *mut c_char,
        signature: *mut *mut c_uchar,
        signatureLength: *mut c_int,
        nonce: *const c_char,
        closure: *mut c_void,
    ) -> MaybeUninit<natsStatus>,
>;

/// Returns the authorization token for each attempt to connect. The string remains the program's.
pub type natsTokenHandler = Option<unsafe extern "C" fn(closure: *mut c_void) -> *const c_char>;

/// Called once when a subscription will get no more messages and its last callback has returned.
pub type natsOnCompleteCB = Option<unsafe extern "C" fn(closure: *mut c_void)>;

/// Returns how long to wait, in milliseconds, before the servers are tried again. `attempts` counts the
/// rounds of this outage, from 1.
pub type natsCustomReconnectDelayHandler =
    Option<unsafe extern "C" fn(nc: *mut natsConnection, attempts: c_int, closure: *mut c_void) -> c_long>;

/// Verifies a certificate: `ctx` is OpenSSL's `X509_STORE_CTX *`, `preverifyOk` its own verdict. Returns 1 to
/// accept, 0 to refuse.
pub type natsSSLVerifyCb = Option<unsafe extern "C" fn(preverifyOk: c_int, ctx: *mut c_void) -> c_int>;

/// Settings of the whole library for nats_OpenWithConfig(), which copies them. Zero-fill it first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct natsClientConfig {
    /// Milliseconds a write to a socket may take, for connections whose options do not say; 0 for no limit.
    pub DefaultWriteDeadline: i64,
    /// How often a lock is tried before the thread sleeps; negative for the default, 0 for never.
    pub LockSpinCount: i64,
    /// Asynchronous subscriptions use the shared delivery pool unless their options say otherwise.
    pub DefaultToThreadPool: bool,
    /// Threads in the shared delivery pool.
    pub ThreadPoolMax: c_int,
    /// Accepted, without effect.
    pub DefaultRepliesToThreadPool: bool,
    /// Accepted, without effect.
    pub UseSeparatePoolForReplies: bool,
    /// Accepted, without effect.
    pub ReplyThreadPoolMax: c_int,
    /// Called first on every thread the library starts; may be NULL.
    pub ThreadStartedHandler: natsThreadStartedHandler,
    /// Handed to `ThreadStartedHandler`.
    pub ThreadStartedHandlerClosure: *mut c_void,
}

/// A list of messages. The struct is the program's, its content is released by natsMsgList_Destroy().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct natsMsgList {
    /// The messages. One that is replaced by NULL is the program's.
    pub Msgs: *mut *mut natsMsg,
    /// Length of `Msgs`.
    pub Count: c_int,
}

/// Pairs of strings.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct natsMetadata {
    /// Key, value, key, value, ...
    pub List: *mut *const c_char,
    /// Number of pairs: half the length of `List`.
    pub Count: c_int,
}
