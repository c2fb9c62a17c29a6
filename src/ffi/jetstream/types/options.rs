//! C types of JetStream: options of JetStream calls.

use std::ffi::{c_char, c_int, c_void};

use crate::ffi::jetstream::types::config::jsConsumerConfig;
use crate::ffi::jetstream::types::handles::{
    jsFetchCompleteHandler, jsFetchNextHandler, jsPubAckErrHandler, jsPubAckHandler,
};

/// Asks the server to publish a message later, or repeatedly.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsScheduleOptions {
    /// When: a point in time, an interval or a cron expression, in the server's syntax.
    pub Schedule: *const c_char,
    /// The subject to publish to.
    pub Target: *const c_char,
    /// A subject whose last message is published in place of this one; NULL for this one.
    pub Source: *const c_char,
    /// Time to live of the published messages in milliseconds, 0 for none.
    pub TTL: i64,
    /// Time zone of a cron expression; NULL for UTC.
    pub TimeZone: *const c_char,
    /// The published message replaces all earlier ones of its subject.
    pub Rollup: bool,
    /// The subject whose schedule is cancelled; excludes all other fields.
    pub CancelScheduledSubject: *const c_char,
}

/// Options of one publish into a stream. Set up by jsPubOptions_Init(), which zero-fills it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsPubOptions {
    /// Milliseconds to wait for the acknowledgement. 0 is the context's `Wait` for synchronous calls, no
    /// limit for asynchronous ones.
    pub MaxWait: i64,
    /// Id by which the server recognises duplicates.
    pub MsgId: *const c_char,
    /// Name the stream must have.
    pub ExpectStream: *const c_char,
    /// Id the last message of the stream must have.
    pub ExpectLastMsgId: *const c_char,
    /// Sequence the last message of the stream must have; 0 for any.
    pub ExpectLastSeq: u64,
    /// Sequence the last message on the subject must have; 0 for any.
    pub ExpectLastSubjectSeq: u64,
    /// The subject `ExpectLastSubjectSeq` is about, when it is not the message's own.
    pub ExpectLastSubjectSeqSubject: *const c_char,
    /// The subject must not have any message; wins over `ExpectLastSubjectSeq`.
    pub ExpectNoMessage: bool,
    /// Time to live of the message in milliseconds, 0 for none.
    pub MsgTTL: i64,
    /// Publish later.
    pub Schedule: jsScheduleOptions,
}

/// Options of a subscription to a stream. Set up by jsSubOptions_Init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsSubOptions {
    /// Name of the stream; NULL to look it up by the subject.
    pub Stream: *const c_char,
    /// Name of an existing consumer; needs `Stream`.
    pub Consumer: *const c_char,
    /// Queue group.
    pub Queue: *const c_char,
    /// The library does not acknowledge messages after the callback.
    pub ManualAck: bool,
    /// Configuration for a consumer that is created, or that an existing one must have.
    pub Config: jsConsumerConfig,
    /// Deliver every message once and in order: the library creates a new consumer whenever one is missing.
    pub Ordered: bool,
}

/// Selects the message js_DirectGetMsg() reads. Set up by jsDirectGetMsgOptions_Init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsDirectGetMsgOptions {
    /// The message with this sequence, or with `NextBySubject` the first one from there.
    pub Sequence: u64,
    /// The next message on this subject.
    pub NextBySubject: *const c_char,
    /// The last message on this subject; the other fields are ignored then.
    pub LastBySubject: *const c_char,
}

/// A pull request, see natsSubscription_FetchRequest(), which changes it. Set up by jsFetchRequest_Init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsFetchRequest {
    /// Life of the request in nanoseconds. Required without `NoWait`.
    pub Expires: i64,
    /// Largest number of messages; at least 1.
    pub Batch: c_int,
    /// Largest size of all messages in bytes, 0 for no limit.
    pub MaxBytes: i64,
    /// Only what is available now.
    pub NoWait: bool,
    /// Nanoseconds without a message after which the server sends a heartbeat, 0 for none.
    pub Heartbeat: i64,
    /// Served only when at least that many messages are pending.
    pub MinPending: i64,
    /// Served only when at least that many are unacknowledged.
    pub MinAckPending: i64,
    /// Id of the pinned client.
    pub ID: *const c_char,
    /// Priority group.
    pub Group: *const c_char,
    /// Priority in the group, 0 (first) to 9.
    pub Priority: u8,
}

/// Options of asynchronous pull subscriptions.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsOptionsPullSubscribeAsync {
    /// Life of the subscription in milliseconds, 0 for no end.
    pub Timeout: i64,
    /// Messages after which it ends, 0 for no end.
    pub MaxMessages: c_int,
    /// Bytes after which it ends, 0 for no end.
    pub MaxBytes: i64,
    /// Ends when no message is available.
    pub NoWait: bool,
    /// Called when the subscription has ended; may be NULL.
    pub CompleteHandler: jsFetchCompleteHandler,
    /// Handed to `CompleteHandler`.
    pub CompleteHandlerClosure: *mut c_void,
    /// Milliseconds without a message after which the server sends a heartbeat, 0 for none.
    pub Heartbeat: i64,
    /// Priority group.
    pub Group: *const c_char,
    /// Served only when at least that many messages are pending.
    pub MinPending: i64,
    /// Served only when at least that many are unacknowledged.
    pub MinAckPending: i64,
    /// Messages asked for at once, 0 for 128.
    pub FetchSize: c_int,
    /// The next request is sent when at most this many messages of the previous ones are missing.
    pub KeepAhead: c_int,
    /// Decides when to ask again in place of the library; may be NULL.
    pub NextHandler: jsFetchNextHandler,
    /// Handed to `NextHandler`.
    pub NextHandlerClosure: *mut c_void,
}

/// Options of asynchronous publishing.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsOptionsPublishAsync {
    /// Largest number of unacknowledged messages, 0 for no limit; beyond it publishing waits.
    pub MaxPending: i64,
    /// Called with each outcome; `ErrHandler` is ignored then.
    pub AckHandler: jsPubAckHandler,
    /// Handed to `AckHandler`.
    pub AckHandlerClosure: *mut c_void,
    /// Called for each message that was not stored.
    pub ErrHandler: jsPubAckErrHandler,
    /// Handed to `ErrHandler`.
    pub ErrHandlerClosure: *mut c_void,
    /// Milliseconds publishing waits for room, 0 for 200.
    pub StallWait: i64,
    /// Acknowledgements share the connection's subscription for replies.
    pub MuxReplies: bool,
}

/// Options of js_PurgeStream().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsOptionsStreamPurge {
    /// Only messages on this subject; NULL for all.
    pub Subject: *const c_char,
    /// Only messages before this sequence; 0 for all. Excludes `Keep`.
    pub Sequence: u64,
    /// How many of the last messages stay. Excludes `Sequence`.
    pub Keep: u64,
}

/// Options of js_GetStreamInfo().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsOptionsStreamInfo {
    /// Ask for the sequences of deleted messages.
    pub DeletedDetails: bool,
    /// Ask for the number of messages on each of these subjects; NULL not to.
    pub SubjectsFilter: *const c_char,
}

/// Options of the functions on streams.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsOptionsStream {
    /// For js_PurgeStream().
    pub Purge: jsOptionsStreamPurge,
    /// For js_GetStreamInfo().
    pub Info: jsOptionsStreamInfo,
}

/// Options of a JetStream context, or of one call. Set up by jsOptions_Init(), which zero-fills it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsOptions {
    /// Subject prefix of the API; NULL for `$JS.API`.
    pub Prefix: *const c_char,
    /// JetStream domain; wins over `Prefix`.
    pub Domain: *const c_char,
    /// Milliseconds to wait for replies, 0 for 5000 (in a call: for that of the context).
    pub Wait: i64,
    /// Asynchronous publishing; looked at when the context is made.
    pub PublishAsync: jsOptionsPublishAsync,
    /// Asynchronous pull subscriptions; looked at in the call only.
    pub PullSubscribeAsync: jsOptionsPullSubscribeAsync,
    /// Functions on streams.
    pub Stream: jsOptionsStream,
}
