//! C types of JetStream: what servers tell of streams, consumers, accounts, messages.

use std::ffi::{c_char, c_int};
use std::mem::MaybeUninit;

use crate::ffi::core::types::{natsMsg, natsStatus};
use crate::ffi::jetstream::types::config::{
    jsConsumerConfig, jsExternalStream, jsStreamConfig, jsSubjectTransformConfig,
};
use crate::ffi::jetstream::types::errors::jsErrCode;

/// What a stream lost.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsLostStreamData {
    /// Sequences of the lost messages.
    pub Msgs: *mut u64,
    /// Length of `Msgs`.
    pub MsgsLen: c_int,
    /// Bytes lost.
    pub Bytes: u64,
}

/// Messages on one subject.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsStreamStateSubject {
    /// The subject.
    pub Subject: *const c_char,
    /// Number of messages.
    pub Msgs: u64,
}

/// Subjects of a stream.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsStreamStateSubjects {
    /// The subjects.
    pub List: *mut jsStreamStateSubject,
    /// Length of `List`.
    pub Count: c_int,
}

/// What is in a stream.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsStreamState {
    /// Number of messages.
    pub Msgs: u64,
    /// Their size in bytes.
    pub Bytes: u64,
    /// Sequence of the first message.
    pub FirstSeq: u64,
    /// Time of the first message in nanoseconds since 1970 UTC.
    pub FirstTime: i64,
    /// Sequence of the last message.
    pub LastSeq: u64,
    /// Time of the last message in nanoseconds since 1970 UTC.
    pub LastTime: i64,
    /// Number of different subjects.
    pub NumSubjects: i64,
    /// Messages per subject, if a filter was given in the options; else NULL.
    pub Subjects: *mut jsStreamStateSubjects,
    /// Number of messages deleted in between.
    pub NumDeleted: u64,
    /// Their sequences, if asked for in the options; else NULL.
    pub Deleted: *mut u64,
    /// Length of `Deleted`.
    pub DeletedLen: c_int,
    /// What was lost; NULL for nothing.
    pub Lost: *mut jsLostStreamData,
    /// Number of consumers.
    pub Consumers: i64,
}

/// A server that has a replica.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsPeerInfo {
    /// Name of the server.
    pub Name: *mut c_char,
    /// It has everything the leader has.
    pub Current: bool,
    /// It cannot be reached.
    pub Offline: bool,
    /// Nanoseconds since it was last heard of.
    pub Active: i64,
    /// Operations it is behind.
    pub Lag: u64,
}

/// The servers of a stream or consumer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsClusterInfo {
    /// Name of the cluster.
    pub Name: *mut c_char,
    /// Name of the leader.
    pub Leader: *mut c_char,
    /// The other servers.
    pub Replicas: *mut *mut jsPeerInfo,
    /// Length of `Replicas`.
    pub ReplicasLen: c_int,
    /// Name of the Raft group.
    pub RaftGroup: *mut c_char,
    /// When the leader was elected, in nanoseconds since 1970 UTC.
    pub LeaderSince: i64,
    /// Replication uses the system account.
    pub SystemAcc: bool,
    /// Account used for replication.
    pub TrafficAcc: *mut c_char,
}

/// State of a mirror or source.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsStreamSourceInfo {
    /// Name of the origin.
    pub Name: *mut c_char,
    /// Where the origin is; NULL for this account.
    pub External: *mut jsExternalStream,
    /// Messages behind the origin.
    pub Lag: u64,
    /// Nanoseconds since the last activity.
    pub Active: i64,
    /// Subject that is taken over; NULL for all.
    pub FilterSubject: *const c_char,
    /// How subjects are changed.
    pub SubjectTransforms: *mut jsSubjectTransformConfig,
    /// Length of `SubjectTransforms`.
    pub SubjectTransformsLen: c_int,
}

/// A stream that has the same messages, e.g. a mirror.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsStreamAlternate {
    /// Name of the stream.
    pub Name: *const c_char,
    /// Domain it is in.
    pub Domain: *const c_char,
    /// Cluster it is in.
    pub Cluster: *const c_char,
}

/// Configuration and state of a stream. Released by jsStreamInfo_Destroy().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsStreamInfo {
    /// The configuration.
    pub Config: *mut jsStreamConfig,
    /// When it was created, in nanoseconds since 1970 UTC.
    pub Created: i64,
    /// What is in it.
    pub State: jsStreamState,
    /// Its servers; NULL without a cluster.
    pub Cluster: *mut jsClusterInfo,
    /// State of the mirror; NULL for none.
    pub Mirror: *mut jsStreamSourceInfo,
    /// State of the sources.
    pub Sources: *mut *mut jsStreamSourceInfo,
    /// Length of `Sources`.
    pub SourcesLen: c_int,
    /// Streams with the same messages.
    pub Alternates: *mut *mut jsStreamAlternate,
    /// Length of `Alternates`.
    pub AlternatesLen: c_int,
}

/// A list of streams. Released by jsStreamInfoList_Destroy().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsStreamInfoList {
    /// The streams.
    pub List: *mut *mut jsStreamInfo,
    /// Length of `List`.
    pub Count: c_int,
}

/// A list of stream names. Released by jsStreamNamesList_Destroy().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsStreamNamesList {
    /// The names.
    pub List: *mut *mut c_char,
    /// Length of `List`.
    pub Count: c_int,
}

/// Sequences that should agree and do not.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsConsumerSequenceMismatch {
    /// Last sequence of the stream the client has received.
    pub Stream: u64,
    /// Last sequence of the consumer the client has received.
    pub ConsumerClient: u64,
    /// Last sequence of the consumer the server has sent.
    pub ConsumerServer: u64,
}

/// A message in both counts.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsSequencePair {
    /// Sequence of the consumer: counts deliveries.
    pub Consumer: u64,
    /// Sequence in the stream.
    pub Stream: u64,
}

/// Progress of a consumer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsSequenceInfo {
    /// Sequence of the consumer.
    pub Consumer: u64,
    /// Sequence in the stream.
    pub Stream: u64,
    /// When, in nanoseconds since 1970 UTC; 0 for never.
    pub Last: i64,
}

/// State of a priority group.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsPriorityGroupState {
    /// Name of the group.
    pub Group: *mut c_char,
    /// Id of the pinned client; NULL for none.
    pub PinnedClientID: *mut c_char,
    /// When it was pinned, in nanoseconds since 1970 UTC.
    pub PinnedTS: i64,
}

/// Configuration and state of a consumer. Released by jsConsumerInfo_Destroy().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsConsumerInfo {
    /// Name of its stream.
    pub Stream: *mut c_char,
    /// Its name.
    pub Name: *mut c_char,
    /// When it was created, in nanoseconds since 1970 UTC.
    pub Created: i64,
    /// Its configuration; never NULL.
    pub Config: *mut jsConsumerConfig,
    /// The last message that was sent.
    pub Delivered: jsSequenceInfo,
    /// The message up to which all are acknowledged.
    pub AckFloor: jsSequenceInfo,
    /// Messages sent and not acknowledged.
    pub NumAckPending: i64,
    /// Messages sent more than once and not acknowledged.
    pub NumRedelivered: i64,
    /// Waiting pull requests.
    pub NumWaiting: i64,
    /// Messages not sent yet.
    pub NumPending: u64,
    /// Its servers; NULL without a cluster.
    pub Cluster: *mut jsClusterInfo,
    /// A push consumer that somebody subscribes to.
    pub PushBound: bool,
    /// It is paused.
    pub Paused: bool,
    /// Nanoseconds until the end of the pause.
    pub PauseRemaining: i64,
    /// State of the priority groups.
    pub PriorityGroups: *mut jsPriorityGroupState,
    /// Length of `PriorityGroups`.
    pub PriorityGroupsLen: c_int,
}

/// A list of consumers. Released by jsConsumerInfoList_Destroy().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsConsumerInfoList {
    /// The consumers.
    pub List: *mut *mut jsConsumerInfo,
    /// Length of `List`.
    pub Count: c_int,
}

/// A list of consumer names. Released by jsConsumerNamesList_Destroy().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsConsumerNamesList {
    /// The names.
    pub List: *mut *mut c_char,
    /// Length of `List`.
    pub Count: c_int,
}

/// Outcome of js_PauseConsumer(). Released by jsConsumerPauseResponse_Destroy().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsConsumerPauseResponse {
    /// The consumer is paused now.
    pub Paused: bool,
    /// Until when, in nanoseconds since 1970 UTC.
    pub PauseUntil: i64,
    /// Nanoseconds until then.
    pub PauseRemaining: i64,
}

/// Outcome of js_ResetConsumer(). Released by jsConsumerResetResponse_Destroy().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsConsumerResetResponse {
    /// The consumer after the reset; released with the response.
    pub Consumer: *mut jsConsumerInfo,
    /// Stream sequence at which it starts again.
    pub ResetSeq: u64,
}

/// Use of the JetStream API.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsAPIStats {
    /// Requests.
    pub Total: u64,
    /// Requests that failed.
    pub Errors: u64,
}

/// Limits of an account; -1 is no limit.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsAccountLimits {
    /// Bytes in memory.
    pub MaxMemory: i64,
    /// Bytes on disk.
    pub MaxStore: i64,
    /// Streams.
    pub MaxStreams: i64,
    /// Consumers per stream.
    pub MaxConsumers: i64,
    /// Unacknowledged messages per consumer.
    pub MaxAckPending: i64,
    /// Bytes of one stream in memory.
    pub MemoryMaxStreamBytes: i64,
    /// Bytes of one stream on disk.
    pub StoreMaxStreamBytes: i64,
    /// Streams must set `MaxBytes`.
    pub MaxBytesRequired: bool,
}

/// Use and limits of one tier of an account.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsTier {
    /// Name of the tier.
    pub Name: *const c_char,
    /// Bytes used in memory.
    pub Memory: u64,
    /// Bytes used on disk.
    pub Store: u64,
    /// Number of streams.
    pub Streams: i64,
    /// Number of consumers.
    pub Consumers: i64,
    /// The limits.
    pub Limits: jsAccountLimits,
}

/// Use and limits of an account. Released by jsAccountInfo_Destroy().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsAccountInfo {
    /// Bytes used in memory.
    pub Memory: u64,
    /// Bytes used on disk.
    pub Store: u64,
    /// Number of streams.
    pub Streams: i64,
    /// Number of consumers.
    pub Consumers: i64,
    /// JetStream domain; NULL for none.
    pub Domain: *mut c_char,
    /// Use of the API.
    pub API: jsAPIStats,
    /// The limits.
    pub Limits: jsAccountLimits,
    /// Use and limits per tier.
    pub Tiers: *mut *mut jsTier,
    /// Length of `Tiers`.
    pub TiersLen: c_int,
}

/// Facts about a delivered message. Released by jsMsgMetaData_Destroy().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsMsgMetaData {
    /// Its sequences.
    pub Sequence: jsSequencePair,
    /// How often it was sent, this time included.
    pub NumDelivered: u64,
    /// Messages still to come.
    pub NumPending: u64,
    /// When it was stored, in nanoseconds since 1970 UTC.
    pub Timestamp: i64,
    /// Name of the stream.
    pub Stream: *mut c_char,
    /// Name of the consumer.
    pub Consumer: *mut c_char,
    /// JetStream domain; NULL for none.
    pub Domain: *mut c_char,
}

/// A stream's acknowledgement of a message. Released by jsPubAck_Destroy().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsPubAck {
    /// Name of the stream.
    pub Stream: *mut c_char,
    /// Sequence of the message.
    pub Sequence: u64,
    /// JetStream domain; NULL for none.
    pub Domain: *mut c_char,
    /// The message was there already.
    pub Duplicate: bool,
    /// Id of the batch; NULL for none.
    pub Batch: *mut c_char,
    /// Messages in the batch.
    pub Count: u64,
    /// New value of a counter; NULL for none.
    pub Value: *mut c_char,
}

/// Why an asynchronously published message was not stored.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct jsPubAckErr {
    /// The message.
    pub Msg: *mut natsMsg,
    /// The status; NATS_TIMEOUT when no acknowledgement came in time.
    pub Err: MaybeUninit<natsStatus>,
    /// The server's error code, 0 for none.
    pub ErrCode: MaybeUninit<jsErrCode>,
    /// The reason as text; never NULL.
    pub ErrText: *const c_char,
}
