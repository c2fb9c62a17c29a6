//! C types of JetStream.

use crate::ffi::support::cenum::CEnum;
use std::ffi::{c_char, c_int, c_void};
use std::mem::MaybeUninit;

use crate::ffi::core::types::natsStatus;
use crate::ffi::core::types::{natsConnection, natsMetadata, natsMsg, natsSubscription};

/// A JetStream context of a connection. Made by natsConnection_JetStream(), released by jsCtx_Destroy().
pub struct jsCtx {
    _private: [u8; 0],
}

/// A batch of messages that is stored as a whole. Made by js_BatchPublishStart(), released by
/// jsAtomicBatchCtx_Destroy().
pub struct jsAtomicBatchCtx {
    _private: [u8; 0],
}

/// Error codes of the JetStream API: the `err_code` of the server's error replies. A server may send codes
/// that are not listed here; 0 stands for none.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum jsErrCode {
    JSAccountResourcesExceededErr = 10002,
    JSBadRequestErr = 10003,
    JSClusterIncompleteErr = 10004,
    JSClusterNoPeersErr = 10005,
    JSClusterNotActiveErr = 10006,
    JSClusterNotAssignedErr = 10007,
    JSClusterNotAvailErr = 10008,
    JSClusterNotLeaderErr = 10009,
    JSClusterRequiredErr = 10010,
    JSClusterTagsErr = 10011,
    JSConsumerCreateErr = 10012,
    JSConsumerNameExistErr = 10013,
    JSConsumerNotFoundErr = 10014,
    JSSnapshotDeliverSubjectInvalidErr = 10015,
    JSConsumerDurableNameNotInSubjectErr = 10016,
    JSConsumerDurableNameNotMatchSubjectErr = 10017,
    JSConsumerDurableNameNotSetErr = 10018,
    JSConsumerEphemeralWithDurableInSubjectErr = 10019,
    JSConsumerEphemeralWithDurableNameErr = 10020,
    JSStreamExternalApiOverlapErr = 10021,
    JSStreamExternalDelPrefixOverlapsErr = 10022,
    JSInsufficientResourcesErr = 10023,
    JSStreamInvalidExternalDeliverySubjErr = 10024,
    JSInvalidJSONErr = 10025,
    JSMaximumConsumersLimitErr = 10026,
    JSMaximumStreamsLimitErr = 10027,
    JSMemoryResourcesExceededErr = 10028,
    JSMirrorConsumerSetupFailedErr = 10029,
    JSMirrorMaxMessageSizeTooBigErr = 10030,
    JSMirrorWithSourcesErr = 10031,
    JSMirrorWithStartSeqAndTimeErr = 10032,
    JSMirrorWithSubjectFiltersErr = 10033,
    JSMirrorWithSubjectsErr = 10034,
    JSNoAccountErr = 10035,
    JSClusterUnSupportFeatureErr = 10036,
    JSNoMessageFoundErr = 10037,
    JSNotEmptyRequestErr = 10038,
    JSNotEnabledForAccountErr = 10039,
    JSClusterPeerNotMemberErr = 10040,
    JSRaftGeneralErr = 10041,
    JSRestoreSubscribeFailedErr = 10042,
    JSSequenceNotFoundErr = 10043,
    JSClusterServerNotMemberErr = 10044,
    JSSourceConsumerSetupFailedErr = 10045,
    JSSourceMaxMessageSizeTooBigErr = 10046,
    JSStorageResourcesExceededErr = 10047,
    JSStreamAssignmentErr = 10048,
    JSStreamCreateErr = 10049,
    JSStreamDeleteErr = 10050,
    JSStreamGeneralError = 10051,
    JSStreamInvalidConfig = 10052,
    JSStreamLimitsErr = 10053,
    JSStreamMessageExceedsMaximumErr = 10054,
    JSStreamMirrorNotUpdatableErr = 10055,
    JSStreamMismatchErr = 10056,
    JSStreamMsgDeleteFailed = 10057,
    JSStreamNameExistErr = 10058,
    JSStreamNotFoundErr = 10059,
    JSStreamNotMatchErr = 10060,
    JSStreamReplicasNotUpdatableErr = 10061,
    JSStreamRestoreErr = 10062,
    JSStreamSequenceNotMatchErr = 10063,
    JSStreamSnapshotErr = 10064,
    JSStreamSubjectOverlapErr = 10065,
    JSStreamTemplateCreateErr = 10066,
    JSStreamTemplateDeleteErr = 10067,
    JSStreamTemplateNotFoundErr = 10068,
    JSStreamUpdateErr = 10069,
    JSStreamWrongLastMsgIDErr = 10070,
    JSStreamWrongLastSequenceErr = 10071,
    JSTempStorageFailedErr = 10072,
    JSTemplateNameNotMatchSubjectErr = 10073,
    JSStreamReplicasNotSupportedErr = 10074,
    JSPeerRemapErr = 10075,
    JSNotEnabledErr = 10076,
    JSStreamStoreFailedErr = 10077,
    JSConsumerConfigRequiredErr = 10078,
    JSConsumerDeliverToWildcardsErr = 10079,
    JSConsumerPushMaxWaitingErr = 10080,
    JSConsumerDeliverCycleErr = 10081,
    JSConsumerMaxPendingAckPolicyRequiredErr = 10082,
    JSConsumerSmallHeartbeatErr = 10083,
    JSConsumerPullRequiresAckErr = 10084,
    JSConsumerPullNotDurableErr = 10085,
    JSConsumerPullWithRateLimitErr = 10086,
    JSConsumerMaxWaitingNegativeErr = 10087,
    JSConsumerHBRequiresPushErr = 10088,
    JSConsumerFCRequiresPushErr = 10089,
    JSConsumerDirectRequiresPushErr = 10090,
    JSConsumerDirectRequiresEphemeralErr = 10091,
    JSConsumerOnMappedErr = 10092,
    JSConsumerFilterNotSubsetErr = 10093,
    JSConsumerInvalidPolicyErr = 10094,
    JSConsumerInvalidSamplingErr = 10095,
    JSStreamInvalidErr = 10096,
    JSConsumerWQRequiresExplicitAckErr = 10098,
    JSConsumerWQMultipleUnfilteredErr = 10099,
    JSConsumerWQConsumerNotUniqueErr = 10100,
    JSConsumerWQConsumerNotDeliverAllErr = 10101,
    JSConsumerNameTooLongErr = 10102,
    JSConsumerBadDurableNameErr = 10103,
    JSConsumerStoreFailedErr = 10104,
    JSConsumerExistingActiveErr = 10105,
    JSConsumerReplacementWithDifferentNameErr = 10106,
    JSConsumerDescriptionTooLongErr = 10107,
    JSConsumerWithFlowControlNeedsHeartbeatsErr = 10108,
    JSStreamSealedErr = 10109,
    JSStreamPurgeFailedErr = 10110,
    JSStreamRollupFailedErr = 10111,
    JSConsumerInvalidDeliverSubjectErr = 10112,
    JSStreamMaxBytesRequiredErr = 10113,
    JSConsumerMaxRequestBatchNegativeErr = 10114,
    JSConsumerMaxRequestExpiresToSmallErr = 10115,
    JSConsumerMaxDeliverBackoffErr = 10116,
    JSStreamInfoMaxSubjectsErr = 10117,
    JSStreamOfflineErr = 10118,
    JSConsumerOfflineErr = 10119,
    JSNoLimitsErr = 10120,
    JSConsumerMaxPendingAckExcessErr = 10121,
    JSStreamMaxStreamBytesExceededErr = 10122,
    JSStreamMoveAndScaleErr = 10123,
    JSStreamMoveInProgressErr = 10124,
    JSConsumerMaxRequestBatchExceededErr = 10125,
    JSConsumerReplicasExceedsStreamErr = 10126,
    JSConsumerNameContainsPathSeparatorsErr = 10127,
    JSStreamNameContainsPathSeparatorsErr = 10128,
    JSStreamMoveNotInProgressErr = 10129,
    JSStreamNameExistRestoreFailedErr = 10130,
    JSConsumerCreateFilterSubjectMismatchErr = 10131,
    JSConsumerCreateDurableAndNameMismatchErr = 10132,
    JSReplicasCountCannotBeNegativeErr = 10133,
    JSConsumerReplicasShouldMatchStreamErr = 10134,
    JSConsumerMetadataLengthErr = 10135,
    JSConsumerDuplicateFilterSubjectsErr = 10136,
    JSConsumerMultipleFiltersNotAllowedErr = 10137,
    JSConsumerOverlappingSubjectFiltersErr = 10138,
    JSConsumerEmptyFilterErr = 10139,
    JSSourceDuplicateDetectedErr = 10140,
    JSSourceInvalidStreamNameErr = 10141,
    JSMirrorInvalidStreamNameErr = 10142,
    JSSourceMultipleFiltersNotAllowedErr = 10144,
    JSSourceInvalidSubjectFilterErr = 10145,
    JSSourceInvalidTransformDestinationErr = 10146,
    JSSourceOverlappingSubjectFiltersErr = 10147,
    JSConsumerAlreadyExistsErr = 10148,
    JSConsumerDoesNotExistErr = 10149,
    JSMirrorMultipleFiltersNotAllowedErr = 10150,
    JSMirrorInvalidSubjectFilterErr = 10151,
    JSMirrorOverlappingSubjectFiltersErr = 10152,
    JSConsumerInactiveThresholdExcessErr = 10153,
    JSMirrorInvalidTransformDestinationErr = 10154,
    JSStreamTransformInvalidSourceErr = 10155,
    JSStreamTransformInvalidDestinationErr = 10156,
    JSPedanticErr = 10157,
    JSStreamDuplicateMessageConflictErr = 10158,
    JSConsumerPriorityPolicyWithoutGroupErr = 10159,
    JSConsumerInvalidPriorityGroupErr = 10160,
    JSConsumerEmptyGroupNameErr = 10161,
    JSConsumerInvalidGroupNameErr = 10162,
    JSStreamExpectedLastSeqPerSubjectNotReadyErr = 10163,
    JSStreamWrongLastSequenceConstantErr = 10164,
    JSMessageTTLInvalidErr = 10165,
    JSMessageTTLDisabledErr = 10166,
    JSStreamTooManyRequestsErr = 10167,
    JSBatchPublishNotEnabledErr = 10174,
    JSBatchPublishSequenceMissingErr = 10175,
    JSBatchPublishIncompleteErr = 10176,
    JSBatchPublishUnsupportedHeaderErr = 10177,
    JSBatchPublishInvalidIDErr = 10179,
    JSBatchPublishSequenceExceedsLimitErr = 10199,
    JSBatchPublishDuplicateMessageIDErr = 10201,
}
// SAFETY: a `#[repr(C)]` enum.
unsafe impl CEnum for jsErrCode {}

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
