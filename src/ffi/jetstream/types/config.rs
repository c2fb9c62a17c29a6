//! C types of JetStream: how streams and consumers are configured.

use std::ffi::{c_char, c_int};
use std::mem::MaybeUninit;

use crate::ffi::core::types::natsMetadata;
use crate::ffi::support::cenum::CEnum;

/// When a stream removes its messages.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum jsRetentionPolicy {
    /// When a limit of the stream is reached. The default.
    js_LimitsPolicy = 0,
    /// When every consumer has acknowledged the message.
    js_InterestPolicy = 1,
    /// When one consumer has acknowledged the message.
    js_WorkQueuePolicy = 2,
}
// SAFETY: a `#[repr(C)]` enum.
unsafe impl CEnum for jsRetentionPolicy {}

/// What a full stream does with a new message.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum jsDiscardPolicy {
    /// Removes the oldest messages. The default.
    js_DiscardOld = 0,
    /// Refuses the new message.
    js_DiscardNew = 1,
}
// SAFETY: a `#[repr(C)]` enum.
unsafe impl CEnum for jsDiscardPolicy {}

/// Where a stream keeps its messages.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum jsStorageType {
    /// On disk. The default.
    js_FileStorage = 0,
    /// In the server's memory.
    js_MemoryStorage = 1,
}
// SAFETY: a `#[repr(C)]` enum.
unsafe impl CEnum for jsStorageType {}

/// How a stream on disk is compressed.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum jsStorageCompression {
    /// Not at all. The default.
    js_StorageCompressionNone = 0,
    /// With the S2 algorithm.
    js_StorageCompressionS2 = 1,
}
// SAFETY: a `#[repr(C)]` enum.
unsafe impl CEnum for jsStorageCompression {}

/// The message at which a consumer starts. jsConsumerConfig_Init() sets the field to -1, "not chosen".
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum jsDeliverPolicy {
    /// The first one in the stream.
    js_DeliverAll = 0,
    /// The last one in the stream.
    js_DeliverLast = 1,
    /// The next one to arrive.
    js_DeliverNew = 2,
    /// The one with the sequence `OptStartSeq`.
    js_DeliverByStartSequence = 3,
    /// The first one stored at or after `OptStartTime`.
    js_DeliverByStartTime = 4,
    /// The last one of each subject.
    js_DeliverLastPerSubject = 5,
}
// SAFETY: a `#[repr(C)]` enum.
unsafe impl CEnum for jsDeliverPolicy {}

/// Which messages have to be acknowledged. jsConsumerConfig_Init() sets the field to -1, "not chosen".
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum jsAckPolicy {
    /// Each one.
    js_AckExplicit = 0,
    /// None.
    js_AckNone = 1,
    /// One stands for all before it.
    js_AckAll = 2,
}
// SAFETY: a `#[repr(C)]` enum.
unsafe impl CEnum for jsAckPolicy {}

/// The pace at which stored messages are sent. jsConsumerConfig_Init() sets the field to -1, "not chosen".
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum jsReplayPolicy {
    /// As fast as possible.
    js_ReplayInstant = 0,
    /// The pace at which they were stored.
    js_ReplayOriginal = 1,
}
// SAFETY: a `#[repr(C)]` enum.
unsafe impl CEnum for jsReplayPolicy {}

/// When the server acknowledges a message it stores.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum jsPersistModeType {
    /// After it is written. The default.
    js_PersistDefault = 0,
    /// Before it is written: faster, a crash may lose messages.
    js_PersistAsync = 1,
}
// SAFETY: a `#[repr(C)]` enum.
unsafe impl CEnum for jsPersistModeType {}

/// Where the servers of a stream are to be found. Set up by jsPlacement_Init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsPlacement {
    /// Name of the cluster.
    pub Cluster: *const c_char,
    /// Tags the servers must have.
    pub Tags: *mut *const c_char,
    /// Length of `Tags`.
    pub TagsLen: c_int,
}

/// A stream of another account or domain. Set up by jsExternalStream_Init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsExternalStream {
    /// Subject prefix of the other JetStream API.
    pub APIPrefix: *const c_char,
    /// Subject prefix for the delivery.
    pub DeliverPrefix: *const c_char,
}

/// A stream that is mirrored or used as a source. Set up by jsStreamSource_Init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsStreamSource {
    /// Name of the stream.
    pub Name: *const c_char,
    /// Sequence to start at, 0 for the first.
    pub OptStartSeq: u64,
    /// Time to start at in nanoseconds since 1970 UTC, 0 for the first message.
    pub OptStartTime: i64,
    /// Only messages on this subject; NULL for all.
    pub FilterSubject: *const c_char,
    /// Where the stream is, if not in this account; excludes `Domain`.
    pub External: *mut jsExternalStream,
    /// JetStream domain the stream is in; excludes `External`.
    pub Domain: *const c_char,
}

/// Publishes again what a stream has stored. Set up by jsRePublish_Init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsRePublish {
    /// Subject of the messages to publish; NULL for all.
    pub Source: *const c_char,
    /// Subject to publish to.
    pub Destination: *const c_char,
    /// Leave the payload out.
    pub HeadersOnly: bool,
}

/// Changes subjects.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsSubjectTransformConfig {
    /// Subjects to change, with wildcards.
    pub Source: *const c_char,
    /// The new subject.
    pub Destination: *const c_char,
}

/// Limits for the consumers of a stream.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsStreamConsumerLimits {
    /// Largest inactive threshold in nanoseconds, 0 for no limit.
    pub InactiveThreshold: i64,
    /// Largest number of unacknowledged messages, 0 for no limit.
    pub MaxAckPending: c_int,
}

/// Configuration of a stream. Set up by jsStreamConfig_Init(); strings and arrays remain the program's.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsStreamConfig {
    /// Name: no dots, no blanks, no wildcards.
    pub Name: *const c_char,
    /// Text for people.
    pub Description: *const c_char,
    /// Subjects whose messages are stored.
    pub Subjects: *mut *const c_char,
    /// Length of `Subjects`.
    pub SubjectsLen: c_int,
    /// When messages are removed. Default js_LimitsPolicy.
    pub Retention: MaybeUninit<jsRetentionPolicy>,
    /// Largest number of consumers, -1 (default) for no limit.
    pub MaxConsumers: i64,
    /// Largest number of messages, -1 (default) for no limit.
    pub MaxMsgs: i64,
    /// Largest size in bytes, -1 (default) for no limit.
    pub MaxBytes: i64,
    /// Largest age of a message in nanoseconds, 0 (default) for no limit.
    pub MaxAge: i64,
    /// Largest number of messages per subject, 0 (default) for no limit.
    pub MaxMsgsPerSubject: i64,
    /// Largest size of a message in bytes, -1 (default) for no limit.
    pub MaxMsgSize: i32,
    /// What a full stream does. Default js_DiscardOld.
    pub Discard: MaybeUninit<jsDiscardPolicy>,
    /// Where messages are kept. Default js_FileStorage.
    pub Storage: MaybeUninit<jsStorageType>,
    /// Number of servers that keep a copy, 1 to 5. Default 1.
    pub Replicas: i64,
    /// Publishers get no acknowledgement.
    pub NoAck: bool,
    /// Name of the template the stream was made from.
    pub Template: *const c_char,
    /// Nanoseconds in which duplicates are recognised, 0 for the server's default.
    pub Duplicates: i64,
    /// Which servers to use; may be NULL.
    pub Placement: *mut jsPlacement,
    /// The stream this one mirrors; NULL for none.
    pub Mirror: *mut jsStreamSource,
    /// The streams this one collects.
    pub Sources: *mut *mut jsStreamSource,
    /// Length of `Sources`.
    pub SourcesLen: c_int,
    /// The stream does not change any more.
    pub Sealed: bool,
    /// Single messages cannot be deleted.
    pub DenyDelete: bool,
    /// The stream cannot be purged.
    pub DenyPurge: bool,
    /// A message may replace all earlier ones.
    pub AllowRollup: bool,
    /// Publish again what was stored; may be NULL.
    pub RePublish: *mut jsRePublish,
    /// Messages may be read directly from any replica.
    pub AllowDirect: bool,
    /// A mirror answers direct reads for its origin.
    pub MirrorDirect: bool,
    /// With js_DiscardNew, the limit per subject refuses messages too.
    pub DiscardNewPerSubject: bool,
    /// Pairs of strings of the program.
    pub Metadata: natsMetadata,
    /// Compression on disk. Default js_StorageCompressionNone.
    pub Compression: MaybeUninit<jsStorageCompression>,
    /// Sequence of the first message, 0 for 1.
    pub FirstSeq: u64,
    /// Changes subjects before messages are stored.
    pub SubjectTransform: jsSubjectTransformConfig,
    /// Limits for the consumers.
    pub ConsumerLimits: jsStreamConsumerLimits,
    /// Messages may have a time to live.
    pub AllowMsgTTL: bool,
    /// Nanoseconds for which the server leaves a marker when the last message of a subject expired, 0 for no
    /// markers.
    pub SubjectDeleteMarkerTTL: i64,
    /// When the server acknowledges. Default js_PersistDefault.
    pub PersistMode: MaybeUninit<jsPersistModeType>,
    /// Batches may be published atomically.
    pub AllowAtomic: bool,
    /// Messages may be counters.
    pub AllowMsgCounter: bool,
    /// Messages may be scheduled.
    pub AllowMsgSchedules: bool,
    /// Batches may be published without being atomic.
    pub AllowBatched: bool,
}

/// Configuration of a consumer. Set up by jsConsumerConfig_Init(); strings and arrays remain the program's.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsConsumerConfig {
    /// Name: no dots, no blanks, no wildcards.
    pub Name: *const c_char,
    /// Name of a consumer that outlives its clients; NULL for one that does not.
    pub Durable: *const c_char,
    /// Text for people.
    pub Description: *const c_char,
    /// The message to start at. -1 (default) for js_DeliverAll.
    pub DeliverPolicy: MaybeUninit<jsDeliverPolicy>,
    /// Sequence to start at, for js_DeliverByStartSequence.
    pub OptStartSeq: u64,
    /// Time to start at in nanoseconds since 1970 UTC, for js_DeliverByStartTime.
    pub OptStartTime: i64,
    /// Which messages are acknowledged. -1 (default) for js_AckExplicit.
    pub AckPolicy: MaybeUninit<jsAckPolicy>,
    /// Nanoseconds after which an unacknowledged message is sent again, 0 for the server's default.
    pub AckWait: i64,
    /// How often a message is sent at most; 0 for no limit.
    pub MaxDeliver: i64,
    /// Nanoseconds to wait before each repetition.
    pub BackOff: *mut i64,
    /// Length of `BackOff`.
    pub BackOffLen: c_int,
    /// Only messages on this subject.
    pub FilterSubject: *const c_char,
    /// Pace of the delivery. -1 (default) for js_ReplayInstant.
    pub ReplayPolicy: MaybeUninit<jsReplayPolicy>,
    /// Bits per second for a push consumer, 0 for no limit.
    pub RateLimit: u64,
    /// Share of acknowledgements that are observed, in percent, as a string.
    pub SampleFrequency: *const c_char,
    /// Largest number of waiting pull requests, 0 for the server's default.
    pub MaxWaiting: i64,
    /// Largest number of unacknowledged messages, 0 for the server's default.
    pub MaxAckPending: i64,
    /// The server asks from time to time whether the client keeps up.
    pub FlowControl: bool,
    /// Nanoseconds without a message after which the server sends a heartbeat, 0 for none.
    pub Heartbeat: i64,
    /// Deliver without payload; its size is in the header JSMsgSize.
    pub HeadersOnly: bool,
    /// Largest number of messages a pull request may ask for, 0 for no limit.
    pub MaxRequestBatch: i64,
    /// Longest life of a pull request in nanoseconds, 0 for no limit.
    pub MaxRequestExpires: i64,
    /// Largest number of bytes a pull request may ask for, 0 for no limit.
    pub MaxRequestMaxBytes: i64,
    /// Subject a push consumer delivers to.
    pub DeliverSubject: *const c_char,
    /// Queue group a push consumer delivers to.
    pub DeliverGroup: *const c_char,
    /// Nanoseconds without a client after which the server removes the consumer, 0 for the server's default.
    pub InactiveThreshold: i64,
    /// Number of servers that keep the state, 0 for that of the stream.
    pub Replicas: i64,
    /// Keep the state in memory only.
    pub MemoryStorage: bool,
    /// Only messages on these subjects; excludes `FilterSubject`.
    pub FilterSubjects: *mut *const c_char,
    /// Length of `FilterSubjects`.
    pub FilterSubjectsLen: c_int,
    /// Pairs of strings of the program.
    pub Metadata: natsMetadata,
    /// Nothing is delivered before this time, in nanoseconds since 1970 UTC; 0 for no pause.
    pub PauseUntil: i64,
    /// "pinned_client", "overflow" or "prioritized"; NULL for none.
    pub PriorityPolicy: *const c_char,
    /// Nanoseconds without a request after which a pinned client is replaced.
    pub PinnedTTL: i64,
    /// Names of the priority groups.
    pub PriorityGroups: *mut *const c_char,
    /// Length of `PriorityGroups`.
    pub PriorityGroupsLen: c_int,
}
