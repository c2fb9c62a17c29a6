/* Generated from src/ffi/header/nats.h.in and src/ffi: do not edit. */

/** \file
 * The NATS client library.
 */

#ifndef NATS_NATS_H_
#define NATS_NATS_H_

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "status.h"
#include "version.h"

#ifdef __cplusplus
extern "C" {
#endif

/** URL of a server on this machine that listens to the usual port. */
#define NATS_DEFAULT_URL "nats://localhost:4222"

/** Header with the payload's size in bytes, on messages a consumer delivers without payload. */
#define JSMsgSize "Nats-Msg-Size"

/** Header by which a message replaces earlier ones. */
#define JSMsgRollup "Nats-Rollup"

/** Value of #JSMsgRollup: replaces the earlier messages on its subject. */
#define JSMsgRollupSubject "sub"

/** Value of #JSMsgRollup: replaces all earlier messages of the stream. */
#define JSMsgRollupAll "all"

/** Header with the stream's name, on messages that are published again or read directly. */
#define JSStream "Nats-Stream"

/** Header with the sequence in the stream, on messages that are published again or read directly. */
#define JSSequence "Nats-Sequence"

/** Header with the sequence of the subject's message before, on messages that are published again. */
#define JSLastSequence "Nats-Last-Sequence"

/** Header with the time of storing, on messages that are read directly. */
#define JSTimeStamp "Nats-Time-Stamp"

/** Header with the original subject, on messages that are read directly. */
#define JSSubject "Nats-Subject"

/** First token of the subjects on which services answer about themselves. */
#define MICRO_API_PREFIX "$SRV"

/** Type of the reply to #MICRO_INFO_VERB. */
#define MICRO_INFO_RESPONSE_TYPE "io.nats.micro.v1.info_response"

/** Asks services what they are. */
#define MICRO_INFO_VERB "INFO"

/** Type of the reply to #MICRO_PING_VERB. */
#define MICRO_PING_RESPONSE_TYPE "io.nats.micro.v1.ping_response"

/** Asks services whether they are there. */
#define MICRO_PING_VERB "PING"

/** Type of the reply to #MICRO_STATS_VERB. */
#define MICRO_STATS_RESPONSE_TYPE "io.nats.micro.v1.stats_response"

/** Asks services for their counters. */
#define MICRO_STATS_VERB "STATS"

/** Header with the status of an error reply. */
#define MICRO_STATUS_HDR "Nats-Status"

/** Header with the text of an error reply. */
#define MICRO_ERROR_HDR "Nats-Service-Error"

/** Header with the code of an error reply. */
#define MICRO_ERROR_CODE_HDR "Nats-Service-Error-Code"

/** Whether the library is the one this header belongs to; ends the program with a message if it is not. */
#define nats_CheckCompatibility()                                                                            \
    nats_CheckCompatibilityImpl(NATS_VERSION_REQUIRED_NUMBER, NATS_VERSION_NUMBER, NATS_VERSION_STRING)

/** Releases an error nobody wants to know about. */
#define microError_Ignore(__err) microError_Destroy(__err)

/** A connection to a server. Made by natsConnection_Connect(), released by natsConnection_Destroy(). */
typedef struct __natsConnection natsConnection;

/**
 * Message headers that do not belong to a message. Made by natsHeader_New(), released by
 * natsHeader_Destroy().
 */
typedef struct __natsHeader natsHeader;

/** A message, received or to be published. Released by natsMsg_Destroy(). */
typedef struct __natsMsg natsMsg;

/**
 * Options for connections; copied when a connection is made. Made by natsOptions_Create(), released by
 * natsOptions_Destroy().
 */
typedef struct __natsOptions natsOptions;

/** Counters of a connection. Made by natsStatistics_Create(), released by natsStatistics_Destroy(). */
typedef struct __natsStatistics natsStatistics;

/** A subscription of a connection. Released by natsSubscription_Destroy(). */
typedef struct __natsSubscription natsSubscription;

/** A socket of the operating system. */
typedef int natsSock;

/**
 * A unique subject for replies: a NUL-terminated string. Made by natsInbox_Create(), released by
 * natsInbox_Destroy().
 */
typedef char natsInbox;

/** Called first on every thread the library starts, possibly on several at once. */
typedef void (*natsThreadStartedHandler)(void *closure);

/**
 * Called with each message of a subscription, on a thread of the library. The callback destroys `msg`; it is
 * NULL when the subscription's timeout passed without a message.
 */
typedef void (*natsMsgHandler)(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure);

/**
 * Called when the state of a connection has changed, one call after the other on a thread of the library.
 */
typedef void (*natsConnectionHandler)(natsConnection *nc, void *closure);

/**
 * Opens the connection to `host`:`port` in place of the library and stores the connected socket in `*fd`.
 * Any status but NATS_OK counts as a server that cannot be reached.
 */
typedef natsStatus (*natsProxyConnHandler)(natsSock *fd, char *host, int port, void *closure);

/**
 * Called for an error that no function call could report, on a thread of the library. `subscription` is NULL
 * when the error concerns the whole connection.
 */
typedef void (*natsErrHandler)(natsConnection *nc, natsSubscription *subscription, natsStatus err,
                               void *closure);

/**
 * Asks an event loop to watch `socket` for `nc`. `*userData` is NULL on the first call; what is stored there
 * is handed to the other callbacks, and back to this one after a reconnect.
 */
typedef natsStatus (*natsEvLoop_Attach)(void **userData, void *event_loop, natsConnection *nc,
                                        natsSock socket);

/** Asks the event loop to start (`add` true) or stop watching for data to read. */
typedef natsStatus (*natsEvLoop_ReadAddRemove)(void *userData, bool add);

/** Asks the event loop to start (`add` true) or stop watching for room to write. */
typedef natsStatus (*natsEvLoop_WriteAddRemove)(void *userData, bool add);

/** Tells the event loop that the connection is closed: the last call for it. */
typedef natsStatus (*natsEvLoop_Detach)(void *userData);

/**
 * Stores the user's JWT in `*userJWT`, or a text for the error in `*customErrTxt`. Both come from malloc()
 * and are freed by the library.
 */
typedef natsStatus (*natsUserJWTHandler)(char **userJWT, char **customErrTxt, void *closure);

/**
 * Signs the server's `nonce` and stores the raw signature and its length in bytes, or a text for the error
 * in `*customErrTxt`. Both pointers come from malloc() and are freed by the library. `nonce` may be NULL.
 */
typedef natsStatus (*natsSignatureHandler)(char **customErrTxt, unsigned char **signature,
                                           int *signatureLength, const char *nonce, void *closure);

/** Returns the authorization token for each attempt to connect. The string remains the program's. */
typedef const char *(*natsTokenHandler)(void *closure);

/** Called once when a subscription will get no more messages and its last callback has returned. */
typedef void (*natsOnCompleteCB)(void *closure);

/**
 * Returns how long to wait, in milliseconds, before the servers are tried again. `attempts` counts the
 * rounds of this outage, from 1.
 */
typedef long (*natsCustomReconnectDelayHandler)(natsConnection *nc, int attempts, void *closure);

/**
 * Verifies a certificate: `ctx` is OpenSSL's `X509_STORE_CTX *`, `preverifyOk` its own verdict. Returns 1 to
 * accept, 0 to refuse.
 */
typedef int (*natsSSLVerifyCb)(int preverifyOk, void *ctx);

/** Settings of the whole library for nats_OpenWithConfig(), which copies them. Zero-fill it first. */
typedef struct __natsClientConfig {
    /**
     * Milliseconds a write to a socket may take, for connections whose options do not say; 0 for no limit.
     */
    int64_t DefaultWriteDeadline;
    /** How often a lock is tried before the thread sleeps; negative for the default, 0 for never. */
    int64_t LockSpinCount;
    /** Asynchronous subscriptions use the shared delivery pool unless their options say otherwise. */
    bool DefaultToThreadPool;
    /** Threads in the shared delivery pool. */
    int ThreadPoolMax;
    /** Accepted, without effect. */
    bool DefaultRepliesToThreadPool;
    /** Accepted, without effect. */
    bool UseSeparatePoolForReplies;
    /** Accepted, without effect. */
    int ReplyThreadPoolMax;
    /** Called first on every thread the library starts; may be NULL. */
    natsThreadStartedHandler ThreadStartedHandler;
    /** Handed to `ThreadStartedHandler`. */
    void *ThreadStartedHandlerClosure;
} natsClientConfig;

/** A list of messages. The struct is the program's, its content is released by natsMsgList_Destroy(). */
typedef struct natsMsgList {
    /** The messages. One that is replaced by NULL is the program's. */
    natsMsg **Msgs;
    /** Length of `Msgs`. */
    int Count;
} natsMsgList;

/** Pairs of strings. */
typedef struct natsMetadata {
    /** Key, value, key, value, ... */
    const char **List;
    /** Number of pairs: half the length of `List`. */
    int Count;
} natsMetadata;

/**
 * Error codes of the JetStream API: the `err_code` of the server's error replies. A server may send codes
 * that are not listed here; 0 stands for none.
 */
typedef enum {
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
} jsErrCode;

/** When a stream removes its messages. */
typedef enum {
    /** When a limit of the stream is reached. The default. */
    js_LimitsPolicy = 0,
    /** When every consumer has acknowledged the message. */
    js_InterestPolicy = 1,
    /** When one consumer has acknowledged the message. */
    js_WorkQueuePolicy = 2,
} jsRetentionPolicy;

/** What a full stream does with a new message. */
typedef enum {
    /** Removes the oldest messages. The default. */
    js_DiscardOld = 0,
    /** Refuses the new message. */
    js_DiscardNew = 1,
} jsDiscardPolicy;

/** Where a stream keeps its messages. */
typedef enum {
    /** On disk. The default. */
    js_FileStorage = 0,
    /** In the server's memory. */
    js_MemoryStorage = 1,
} jsStorageType;

/** How a stream on disk is compressed. */
typedef enum {
    /** Not at all. The default. */
    js_StorageCompressionNone = 0,
    /** With the S2 algorithm. */
    js_StorageCompressionS2 = 1,
} jsStorageCompression;

/** The message at which a consumer starts. jsConsumerConfig_Init() sets the field to -1, "not chosen". */
typedef enum {
    /** The first one in the stream. */
    js_DeliverAll = 0,
    /** The last one in the stream. */
    js_DeliverLast = 1,
    /** The next one to arrive. */
    js_DeliverNew = 2,
    /** The one with the sequence `OptStartSeq`. */
    js_DeliverByStartSequence = 3,
    /** The first one stored at or after `OptStartTime`. */
    js_DeliverByStartTime = 4,
    /** The last one of each subject. */
    js_DeliverLastPerSubject = 5,
} jsDeliverPolicy;

/** Which messages have to be acknowledged. jsConsumerConfig_Init() sets the field to -1, "not chosen". */
typedef enum {
    /** Each one. */
    js_AckExplicit = 0,
    /** None. */
    js_AckNone = 1,
    /** One stands for all before it. */
    js_AckAll = 2,
} jsAckPolicy;

/**
 * The pace at which stored messages are sent. jsConsumerConfig_Init() sets the field to -1, "not chosen".
 */
typedef enum {
    /** As fast as possible. */
    js_ReplayInstant = 0,
    /** The pace at which they were stored. */
    js_ReplayOriginal = 1,
} jsReplayPolicy;

/** When the server acknowledges a message it stores. */
typedef enum {
    /** After it is written. The default. */
    js_PersistDefault = 0,
    /** Before it is written: faster, a crash may lose messages. */
    js_PersistAsync = 1,
} jsPersistModeType;

/**
 * A batch of messages that is stored as a whole. Made by js_BatchPublishStart(), released by
 * jsAtomicBatchCtx_Destroy().
 */
typedef struct __jsAtomicBatchCtx jsAtomicBatchCtx;

/** A JetStream context of a connection. Made by natsConnection_JetStream(), released by jsCtx_Destroy(). */
typedef struct __jsCtx jsCtx;

/** Why an asynchronously published message was not stored. */
typedef struct jsPubAckErr {
    /** The message. */
    natsMsg *Msg;
    /** The status; NATS_TIMEOUT when no acknowledgement came in time. */
    natsStatus Err;
    /** The server's error code, 0 for none. */
    jsErrCode ErrCode;
    /** The reason as text; never NULL. */
    const char *ErrText;
} jsPubAckErr;

/**
 * Called for every asynchronously published message that was not stored. `pae` is valid during the call
 * only. The library destroys `pae->Msg` afterwards, unless the handler took the message by setting that
 * field to NULL, as js_PublishMsgAsync() does when it publishes the message again.
 */
typedef void (*jsPubAckErrHandler)(jsCtx *js, jsPubAckErr *pae, void *closure);

/** A stream's acknowledgement of a message. Released by jsPubAck_Destroy(). */
typedef struct jsPubAck {
    /** Name of the stream. */
    char *Stream;
    /** Sequence of the message. */
    uint64_t Sequence;
    /** JetStream domain; NULL for none. */
    char *Domain;
    /** The message was there already. */
    bool Duplicate;
    /** Id of the batch; NULL for none. */
    char *Batch;
    /** Messages in the batch. */
    uint64_t Count;
    /** New value of a counter; NULL for none. */
    char *Value;
} jsPubAck;

/**
 * Called with the outcome of every asynchronously published message. Exactly one of `pa` and `pae` is not
 * NULL; both are valid during the call only and must not be destroyed. The message belongs to the handler.
 */
typedef void (*jsPubAckHandler)(jsCtx *js, natsMsg *msg, jsPubAck *pa, jsPubAckErr *pae, void *closure);

/**
 * Called once when an asynchronous pull subscription has ended, after its last message. `s` says why:
 * NATS_OK after an unsubscribe, NATS_MAX_DELIVERED_MSGS, NATS_TIMEOUT, NATS_NOT_FOUND, NATS_LIMIT_REACHED,
 * NATS_MISSED_HEARTBEAT, NATS_CONNECTION_CLOSED, ...
 */
typedef void (*jsFetchCompleteHandler)(natsConnection *nc, natsSubscription *sub, natsStatus s,
                                       void *closure);

/**
 * Asked after each message whether an asynchronous pull subscription sends another request: true to send one
 * for `*messages` messages and `*maxBytes` bytes.
 */
typedef bool (*jsFetchNextHandler)(int *messages, int64_t *maxBytes, natsSubscription *sub, void *closure);

/** Asks the server to publish a message later, or repeatedly. */
typedef struct jsScheduleOptions {
    /** When: a point in time, an interval or a cron expression, in the server's syntax. */
    const char *Schedule;
    /** The subject to publish to. */
    const char *Target;
    /** A subject whose last message is published in place of this one; NULL for this one. */
    const char *Source;
    /** Time to live of the published messages in milliseconds, 0 for none. */
    int64_t TTL;
    /** Time zone of a cron expression; NULL for UTC. */
    const char *TimeZone;
    /** The published message replaces all earlier ones of its subject. */
    bool Rollup;
    /** The subject whose schedule is cancelled; excludes all other fields. */
    const char *CancelScheduledSubject;
} jsScheduleOptions;

/** Options of one publish into a stream. Set up by jsPubOptions_Init(), which zero-fills it. */
typedef struct jsPubOptions {
    /**
     * Milliseconds to wait for the acknowledgement. 0 is the context's `Wait` for synchronous calls, no
     * limit for asynchronous ones.
     */
    int64_t MaxWait;
    /** Id by which the server recognises duplicates. */
    const char *MsgId;
    /** Name the stream must have. */
    const char *ExpectStream;
    /** Id the last message of the stream must have. */
    const char *ExpectLastMsgId;
    /** Sequence the last message of the stream must have; 0 for any. */
    uint64_t ExpectLastSeq;
    /** Sequence the last message on the subject must have; 0 for any. */
    uint64_t ExpectLastSubjectSeq;
    /** The subject `ExpectLastSubjectSeq` is about, when it is not the message's own. */
    const char *ExpectLastSubjectSeqSubject;
    /** The subject must not have any message; wins over `ExpectLastSubjectSeq`. */
    bool ExpectNoMessage;
    /** Time to live of the message in milliseconds, 0 for none. */
    int64_t MsgTTL;
    /** Publish later. */
    jsScheduleOptions Schedule;
} jsPubOptions;

/** Where the servers of a stream are to be found. Set up by jsPlacement_Init(). */
typedef struct jsPlacement {
    /** Name of the cluster. */
    const char *Cluster;
    /** Tags the servers must have. */
    const char **Tags;
    /** Length of `Tags`. */
    int TagsLen;
} jsPlacement;

/** A stream of another account or domain. Set up by jsExternalStream_Init(). */
typedef struct jsExternalStream {
    /** Subject prefix of the other JetStream API. */
    const char *APIPrefix;
    /** Subject prefix for the delivery. */
    const char *DeliverPrefix;
} jsExternalStream;

/** A stream that is mirrored or used as a source. Set up by jsStreamSource_Init(). */
typedef struct jsStreamSource {
    /** Name of the stream. */
    const char *Name;
    /** Sequence to start at, 0 for the first. */
    uint64_t OptStartSeq;
    /** Time to start at in nanoseconds since 1970 UTC, 0 for the first message. */
    int64_t OptStartTime;
    /** Only messages on this subject; NULL for all. */
    const char *FilterSubject;
    /** Where the stream is, if not in this account; excludes `Domain`. */
    jsExternalStream *External;
    /** JetStream domain the stream is in; excludes `External`. */
    const char *Domain;
} jsStreamSource;

/** Publishes again what a stream has stored. Set up by jsRePublish_Init(). */
typedef struct jsRePublish {
    /** Subject of the messages to publish; NULL for all. */
    const char *Source;
    /** Subject to publish to. */
    const char *Destination;
    /** Leave the payload out. */
    bool HeadersOnly;
} jsRePublish;

/** Changes subjects. */
typedef struct jsSubjectTransformConfig {
    /** Subjects to change, with wildcards. */
    const char *Source;
    /** The new subject. */
    const char *Destination;
} jsSubjectTransformConfig;

/** Limits for the consumers of a stream. */
typedef struct jsStreamConsumerLimits {
    /** Largest inactive threshold in nanoseconds, 0 for no limit. */
    int64_t InactiveThreshold;
    /** Largest number of unacknowledged messages, 0 for no limit. */
    int MaxAckPending;
} jsStreamConsumerLimits;

/** Configuration of a stream. Set up by jsStreamConfig_Init(); strings and arrays remain the program's. */
typedef struct jsStreamConfig {
    /** Name: no dots, no blanks, no wildcards. */
    const char *Name;
    /** Text for people. */
    const char *Description;
    /** Subjects whose messages are stored. */
    const char **Subjects;
    /** Length of `Subjects`. */
    int SubjectsLen;
    /** When messages are removed. Default js_LimitsPolicy. */
    jsRetentionPolicy Retention;
    /** Largest number of consumers, -1 (default) for no limit. */
    int64_t MaxConsumers;
    /** Largest number of messages, -1 (default) for no limit. */
    int64_t MaxMsgs;
    /** Largest size in bytes, -1 (default) for no limit. */
    int64_t MaxBytes;
    /** Largest age of a message in nanoseconds, 0 (default) for no limit. */
    int64_t MaxAge;
    /** Largest number of messages per subject, 0 (default) for no limit. */
    int64_t MaxMsgsPerSubject;
    /** Largest size of a message in bytes, -1 (default) for no limit. */
    int32_t MaxMsgSize;
    /** What a full stream does. Default js_DiscardOld. */
    jsDiscardPolicy Discard;
    /** Where messages are kept. Default js_FileStorage. */
    jsStorageType Storage;
    /** Number of servers that keep a copy, 1 to 5. Default 1. */
    int64_t Replicas;
    /** Publishers get no acknowledgement. */
    bool NoAck;
    /** Name of the template the stream was made from. */
    const char *Template;
    /** Nanoseconds in which duplicates are recognised, 0 for the server's default. */
    int64_t Duplicates;
    /** Which servers to use; may be NULL. */
    jsPlacement *Placement;
    /** The stream this one mirrors; NULL for none. */
    jsStreamSource *Mirror;
    /** The streams this one collects. */
    jsStreamSource **Sources;
    /** Length of `Sources`. */
    int SourcesLen;
    /** The stream does not change any more. */
    bool Sealed;
    /** Single messages cannot be deleted. */
    bool DenyDelete;
    /** The stream cannot be purged. */
    bool DenyPurge;
    /** A message may replace all earlier ones. */
    bool AllowRollup;
    /** Publish again what was stored; may be NULL. */
    jsRePublish *RePublish;
    /** Messages may be read directly from any replica. */
    bool AllowDirect;
    /** A mirror answers direct reads for its origin. */
    bool MirrorDirect;
    /** With js_DiscardNew, the limit per subject refuses messages too. */
    bool DiscardNewPerSubject;
    /** Pairs of strings of the program. */
    natsMetadata Metadata;
    /** Compression on disk. Default js_StorageCompressionNone. */
    jsStorageCompression Compression;
    /** Sequence of the first message, 0 for 1. */
    uint64_t FirstSeq;
    /** Changes subjects before messages are stored. */
    jsSubjectTransformConfig SubjectTransform;
    /** Limits for the consumers. */
    jsStreamConsumerLimits ConsumerLimits;
    /** Messages may have a time to live. */
    bool AllowMsgTTL;
    /**
     * Nanoseconds for which the server leaves a marker when the last message of a subject expired, 0 for no
     * markers.
     */
    int64_t SubjectDeleteMarkerTTL;
    /** When the server acknowledges. Default js_PersistDefault. */
    jsPersistModeType PersistMode;
    /** Batches may be published atomically. */
    bool AllowAtomic;
    /** Messages may be counters. */
    bool AllowMsgCounter;
    /** Messages may be scheduled. */
    bool AllowMsgSchedules;
    /** Batches may be published without being atomic. */
    bool AllowBatched;
} jsStreamConfig;

/** What a stream lost. */
typedef struct jsLostStreamData {
    /** Sequences of the lost messages. */
    uint64_t *Msgs;
    /** Length of `Msgs`. */
    int MsgsLen;
    /** Bytes lost. */
    uint64_t Bytes;
} jsLostStreamData;

/** Messages on one subject. */
typedef struct jsStreamStateSubject {
    /** The subject. */
    const char *Subject;
    /** Number of messages. */
    uint64_t Msgs;
} jsStreamStateSubject;

/** Subjects of a stream. */
typedef struct jsStreamStateSubjects {
    /** The subjects. */
    jsStreamStateSubject *List;
    /** Length of `List`. */
    int Count;
} jsStreamStateSubjects;

/** What is in a stream. */
typedef struct jsStreamState {
    /** Number of messages. */
    uint64_t Msgs;
    /** Their size in bytes. */
    uint64_t Bytes;
    /** Sequence of the first message. */
    uint64_t FirstSeq;
    /** Time of the first message in nanoseconds since 1970 UTC. */
    int64_t FirstTime;
    /** Sequence of the last message. */
    uint64_t LastSeq;
    /** Time of the last message in nanoseconds since 1970 UTC. */
    int64_t LastTime;
    /** Number of different subjects. */
    int64_t NumSubjects;
    /** Messages per subject, if a filter was given in the options; else NULL. */
    jsStreamStateSubjects *Subjects;
    /** Number of messages deleted in between. */
    uint64_t NumDeleted;
    /** Their sequences, if asked for in the options; else NULL. */
    uint64_t *Deleted;
    /** Length of `Deleted`. */
    int DeletedLen;
    /** What was lost; NULL for nothing. */
    jsLostStreamData *Lost;
    /** Number of consumers. */
    int64_t Consumers;
} jsStreamState;

/** A server that has a replica. */
typedef struct jsPeerInfo {
    /** Name of the server. */
    char *Name;
    /** It has everything the leader has. */
    bool Current;
    /** It cannot be reached. */
    bool Offline;
    /** Nanoseconds since it was last heard of. */
    int64_t Active;
    /** Operations it is behind. */
    uint64_t Lag;
} jsPeerInfo;

/** The servers of a stream or consumer. */
typedef struct jsClusterInfo {
    /** Name of the cluster. */
    char *Name;
    /** Name of the leader. */
    char *Leader;
    /** The other servers. */
    jsPeerInfo **Replicas;
    /** Length of `Replicas`. */
    int ReplicasLen;
    /** Name of the Raft group. */
    char *RaftGroup;
    /** When the leader was elected, in nanoseconds since 1970 UTC. */
    int64_t LeaderSince;
    /** Replication uses the system account. */
    bool SystemAcc;
    /** Account used for replication. */
    char *TrafficAcc;
} jsClusterInfo;

/** State of a mirror or source. */
typedef struct jsStreamSourceInfo {
    /** Name of the origin. */
    char *Name;
    /** Where the origin is; NULL for this account. */
    jsExternalStream *External;
    /** Messages behind the origin. */
    uint64_t Lag;
    /** Nanoseconds since the last activity. */
    int64_t Active;
    /** Subject that is taken over; NULL for all. */
    const char *FilterSubject;
    /** How subjects are changed. */
    jsSubjectTransformConfig *SubjectTransforms;
    /** Length of `SubjectTransforms`. */
    int SubjectTransformsLen;
} jsStreamSourceInfo;

/** A stream that has the same messages, e.g. a mirror. */
typedef struct jsStreamAlternate {
    /** Name of the stream. */
    const char *Name;
    /** Domain it is in. */
    const char *Domain;
    /** Cluster it is in. */
    const char *Cluster;
} jsStreamAlternate;

/** Configuration and state of a stream. Released by jsStreamInfo_Destroy(). */
typedef struct jsStreamInfo {
    /** The configuration. */
    jsStreamConfig *Config;
    /** When it was created, in nanoseconds since 1970 UTC. */
    int64_t Created;
    /** What is in it. */
    jsStreamState State;
    /** Its servers; NULL without a cluster. */
    jsClusterInfo *Cluster;
    /** State of the mirror; NULL for none. */
    jsStreamSourceInfo *Mirror;
    /** State of the sources. */
    jsStreamSourceInfo **Sources;
    /** Length of `Sources`. */
    int SourcesLen;
    /** Streams with the same messages. */
    jsStreamAlternate **Alternates;
    /** Length of `Alternates`. */
    int AlternatesLen;
} jsStreamInfo;

/** A list of streams. Released by jsStreamInfoList_Destroy(). */
typedef struct jsStreamInfoList {
    /** The streams. */
    jsStreamInfo **List;
    /** Length of `List`. */
    int Count;
} jsStreamInfoList;

/** A list of stream names. Released by jsStreamNamesList_Destroy(). */
typedef struct jsStreamNamesList {
    /** The names. */
    char **List;
    /** Length of `List`. */
    int Count;
} jsStreamNamesList;

/**
 * Configuration of a consumer. Set up by jsConsumerConfig_Init(); strings and arrays remain the program's.
 */
typedef struct jsConsumerConfig {
    /** Name: no dots, no blanks, no wildcards. */
    const char *Name;
    /** Name of a consumer that outlives its clients; NULL for one that does not. */
    const char *Durable;
    /** Text for people. */
    const char *Description;
    /** The message to start at. -1 (default) for js_DeliverAll. */
    jsDeliverPolicy DeliverPolicy;
    /** Sequence to start at, for js_DeliverByStartSequence. */
    uint64_t OptStartSeq;
    /** Time to start at in nanoseconds since 1970 UTC, for js_DeliverByStartTime. */
    int64_t OptStartTime;
    /** Which messages are acknowledged. -1 (default) for js_AckExplicit. */
    jsAckPolicy AckPolicy;
    /** Nanoseconds after which an unacknowledged message is sent again, 0 for the server's default. */
    int64_t AckWait;
    /** How often a message is sent at most; 0 for no limit. */
    int64_t MaxDeliver;
    /** Nanoseconds to wait before each repetition. */
    int64_t *BackOff;
    /** Length of `BackOff`. */
    int BackOffLen;
    /** Only messages on this subject. */
    const char *FilterSubject;
    /** Pace of the delivery. -1 (default) for js_ReplayInstant. */
    jsReplayPolicy ReplayPolicy;
    /** Bits per second for a push consumer, 0 for no limit. */
    uint64_t RateLimit;
    /** Share of acknowledgements that are observed, in percent, as a string. */
    const char *SampleFrequency;
    /** Largest number of waiting pull requests, 0 for the server's default. */
    int64_t MaxWaiting;
    /** Largest number of unacknowledged messages, 0 for the server's default. */
    int64_t MaxAckPending;
    /** The server asks from time to time whether the client keeps up. */
    bool FlowControl;
    /** Nanoseconds without a message after which the server sends a heartbeat, 0 for none. */
    int64_t Heartbeat;
    /** Deliver without payload; its size is in the header JSMsgSize. */
    bool HeadersOnly;
    /** Largest number of messages a pull request may ask for, 0 for no limit. */
    int64_t MaxRequestBatch;
    /** Longest life of a pull request in nanoseconds, 0 for no limit. */
    int64_t MaxRequestExpires;
    /** Largest number of bytes a pull request may ask for, 0 for no limit. */
    int64_t MaxRequestMaxBytes;
    /** Subject a push consumer delivers to. */
    const char *DeliverSubject;
    /** Queue group a push consumer delivers to. */
    const char *DeliverGroup;
    /**
     * Nanoseconds without a client after which the server removes the consumer, 0 for the server's default.
     */
    int64_t InactiveThreshold;
    /** Number of servers that keep the state, 0 for that of the stream. */
    int64_t Replicas;
    /** Keep the state in memory only. */
    bool MemoryStorage;
    /** Only messages on these subjects; excludes `FilterSubject`. */
    const char **FilterSubjects;
    /** Length of `FilterSubjects`. */
    int FilterSubjectsLen;
    /** Pairs of strings of the program. */
    natsMetadata Metadata;
    /** Nothing is delivered before this time, in nanoseconds since 1970 UTC; 0 for no pause. */
    int64_t PauseUntil;
    /** "pinned_client", "overflow" or "prioritized"; NULL for none. */
    const char *PriorityPolicy;
    /** Nanoseconds without a request after which a pinned client is replaced. */
    int64_t PinnedTTL;
    /** Names of the priority groups. */
    const char **PriorityGroups;
    /** Length of `PriorityGroups`. */
    int PriorityGroupsLen;
} jsConsumerConfig;

/** Sequences that should agree and do not. */
typedef struct jsConsumerSequenceMismatch {
    /** Last sequence of the stream the client has received. */
    uint64_t Stream;
    /** Last sequence of the consumer the client has received. */
    uint64_t ConsumerClient;
    /** Last sequence of the consumer the server has sent. */
    uint64_t ConsumerServer;
} jsConsumerSequenceMismatch;

/** Options of a subscription to a stream. Set up by jsSubOptions_Init(). */
typedef struct jsSubOptions {
    /** Name of the stream; NULL to look it up by the subject. */
    const char *Stream;
    /** Name of an existing consumer; needs `Stream`. */
    const char *Consumer;
    /** Queue group. */
    const char *Queue;
    /** The library does not acknowledge messages after the callback. */
    bool ManualAck;
    /** Configuration for a consumer that is created, or that an existing one must have. */
    jsConsumerConfig Config;
    /**
     * Deliver every message once and in order: the library creates a new consumer whenever one is missing.
     */
    bool Ordered;
} jsSubOptions;

/** A message in both counts. */
typedef struct jsSequencePair {
    /** Sequence of the consumer: counts deliveries. */
    uint64_t Consumer;
    /** Sequence in the stream. */
    uint64_t Stream;
} jsSequencePair;

/** Progress of a consumer. */
typedef struct jsSequenceInfo {
    /** Sequence of the consumer. */
    uint64_t Consumer;
    /** Sequence in the stream. */
    uint64_t Stream;
    /** When, in nanoseconds since 1970 UTC; 0 for never. */
    int64_t Last;
} jsSequenceInfo;

/** State of a priority group. */
typedef struct jsPriorityGroupState {
    /** Name of the group. */
    char *Group;
    /** Id of the pinned client; NULL for none. */
    char *PinnedClientID;
    /** When it was pinned, in nanoseconds since 1970 UTC. */
    int64_t PinnedTS;
} jsPriorityGroupState;

/** Configuration and state of a consumer. Released by jsConsumerInfo_Destroy(). */
typedef struct jsConsumerInfo {
    /** Name of its stream. */
    char *Stream;
    /** Its name. */
    char *Name;
    /** When it was created, in nanoseconds since 1970 UTC. */
    int64_t Created;
    /** Its configuration; never NULL. */
    jsConsumerConfig *Config;
    /** The last message that was sent. */
    jsSequenceInfo Delivered;
    /** The message up to which all are acknowledged. */
    jsSequenceInfo AckFloor;
    /** Messages sent and not acknowledged. */
    int64_t NumAckPending;
    /** Messages sent more than once and not acknowledged. */
    int64_t NumRedelivered;
    /** Waiting pull requests. */
    int64_t NumWaiting;
    /** Messages not sent yet. */
    uint64_t NumPending;
    /** Its servers; NULL without a cluster. */
    jsClusterInfo *Cluster;
    /** A push consumer that somebody subscribes to. */
    bool PushBound;
    /** It is paused. */
    bool Paused;
    /** Nanoseconds until the end of the pause. */
    int64_t PauseRemaining;
    /** State of the priority groups. */
    jsPriorityGroupState *PriorityGroups;
    /** Length of `PriorityGroups`. */
    int PriorityGroupsLen;
} jsConsumerInfo;

/** A list of consumers. Released by jsConsumerInfoList_Destroy(). */
typedef struct jsConsumerInfoList {
    /** The consumers. */
    jsConsumerInfo **List;
    /** Length of `List`. */
    int Count;
} jsConsumerInfoList;

/** A list of consumer names. Released by jsConsumerNamesList_Destroy(). */
typedef struct jsConsumerNamesList {
    /** The names. */
    char **List;
    /** Length of `List`. */
    int Count;
} jsConsumerNamesList;

/** Outcome of js_PauseConsumer(). Released by jsConsumerPauseResponse_Destroy(). */
typedef struct jsConsumerPauseResponse {
    /** The consumer is paused now. */
    bool Paused;
    /** Until when, in nanoseconds since 1970 UTC. */
    int64_t PauseUntil;
    /** Nanoseconds until then. */
    int64_t PauseRemaining;
} jsConsumerPauseResponse;

/** Outcome of js_ResetConsumer(). Released by jsConsumerResetResponse_Destroy(). */
typedef struct jsConsumerResetResponse {
    /** The consumer after the reset; released with the response. */
    jsConsumerInfo *Consumer;
    /** Stream sequence at which it starts again. */
    uint64_t ResetSeq;
} jsConsumerResetResponse;

/** Use of the JetStream API. */
typedef struct jsAPIStats {
    /** Requests. */
    uint64_t Total;
    /** Requests that failed. */
    uint64_t Errors;
} jsAPIStats;

/** Limits of an account; -1 is no limit. */
typedef struct jsAccountLimits {
    /** Bytes in memory. */
    int64_t MaxMemory;
    /** Bytes on disk. */
    int64_t MaxStore;
    /** Streams. */
    int64_t MaxStreams;
    /** Consumers per stream. */
    int64_t MaxConsumers;
    /** Unacknowledged messages per consumer. */
    int64_t MaxAckPending;
    /** Bytes of one stream in memory. */
    int64_t MemoryMaxStreamBytes;
    /** Bytes of one stream on disk. */
    int64_t StoreMaxStreamBytes;
    /** Streams must set `MaxBytes`. */
    bool MaxBytesRequired;
} jsAccountLimits;

/** Use and limits of one tier of an account. */
typedef struct jsTier {
    /** Name of the tier. */
    const char *Name;
    /** Bytes used in memory. */
    uint64_t Memory;
    /** Bytes used on disk. */
    uint64_t Store;
    /** Number of streams. */
    int64_t Streams;
    /** Number of consumers. */
    int64_t Consumers;
    /** The limits. */
    jsAccountLimits Limits;
} jsTier;

/** Use and limits of an account. Released by jsAccountInfo_Destroy(). */
typedef struct jsAccountInfo {
    /** Bytes used in memory. */
    uint64_t Memory;
    /** Bytes used on disk. */
    uint64_t Store;
    /** Number of streams. */
    int64_t Streams;
    /** Number of consumers. */
    int64_t Consumers;
    /** JetStream domain; NULL for none. */
    char *Domain;
    /** Use of the API. */
    jsAPIStats API;
    /** The limits. */
    jsAccountLimits Limits;
    /** Use and limits per tier. */
    jsTier **Tiers;
    /** Length of `Tiers`. */
    int TiersLen;
} jsAccountInfo;

/** Facts about a delivered message. Released by jsMsgMetaData_Destroy(). */
typedef struct jsMsgMetaData {
    /** Its sequences. */
    jsSequencePair Sequence;
    /** How often it was sent, this time included. */
    uint64_t NumDelivered;
    /** Messages still to come. */
    uint64_t NumPending;
    /** When it was stored, in nanoseconds since 1970 UTC. */
    int64_t Timestamp;
    /** Name of the stream. */
    char *Stream;
    /** Name of the consumer. */
    char *Consumer;
    /** JetStream domain; NULL for none. */
    char *Domain;
} jsMsgMetaData;

/** Selects the message js_DirectGetMsg() reads. Set up by jsDirectGetMsgOptions_Init(). */
typedef struct jsDirectGetMsgOptions {
    /** The message with this sequence, or with `NextBySubject` the first one from there. */
    uint64_t Sequence;
    /** The next message on this subject. */
    const char *NextBySubject;
    /** The last message on this subject; the other fields are ignored then. */
    const char *LastBySubject;
} jsDirectGetMsgOptions;

/**
 * A pull request, see natsSubscription_FetchRequest(), which changes it. Set up by jsFetchRequest_Init().
 */
typedef struct jsFetchRequest {
    /** Life of the request in nanoseconds. Required without `NoWait`. */
    int64_t Expires;
    /** Largest number of messages; at least 1. */
    int Batch;
    /** Largest size of all messages in bytes, 0 for no limit. */
    int64_t MaxBytes;
    /** Only what is available now. */
    bool NoWait;
    /** Nanoseconds without a message after which the server sends a heartbeat, 0 for none. */
    int64_t Heartbeat;
    /** Served only when at least that many messages are pending. */
    int64_t MinPending;
    /** Served only when at least that many are unacknowledged. */
    int64_t MinAckPending;
    /** Id of the pinned client. */
    const char *ID;
    /** Priority group. */
    const char *Group;
    /** Priority in the group, 0 (first) to 9. */
    uint8_t Priority;
} jsFetchRequest;

/** Options of asynchronous pull subscriptions. */
typedef struct jsOptionsPullSubscribeAsync {
    /** Life of the subscription in milliseconds, 0 for no end. */
    int64_t Timeout;
    /** Messages after which it ends, 0 for no end. */
    int MaxMessages;
    /** Bytes after which it ends, 0 for no end. */
    int64_t MaxBytes;
    /** Ends when no message is available. */
    bool NoWait;
    /** Called when the subscription has ended; may be NULL. */
    jsFetchCompleteHandler CompleteHandler;
    /** Handed to `CompleteHandler`. */
    void *CompleteHandlerClosure;
    /** Milliseconds without a message after which the server sends a heartbeat, 0 for none. */
    int64_t Heartbeat;
    /** Priority group. */
    const char *Group;
    /** Served only when at least that many messages are pending. */
    int64_t MinPending;
    /** Served only when at least that many are unacknowledged. */
    int64_t MinAckPending;
    /** Messages asked for at once, 0 for 128. */
    int FetchSize;
    /** The next request is sent when at most this many messages of the previous ones are missing. */
    int KeepAhead;
    /** Decides when to ask again in place of the library; may be NULL. */
    jsFetchNextHandler NextHandler;
    /** Handed to `NextHandler`. */
    void *NextHandlerClosure;
} jsOptionsPullSubscribeAsync;

/** Options of asynchronous publishing. */
typedef struct jsOptionsPublishAsync {
    /** Largest number of unacknowledged messages, 0 for no limit; beyond it publishing waits. */
    int64_t MaxPending;
    /** Called with each outcome; `ErrHandler` is ignored then. */
    jsPubAckHandler AckHandler;
    /** Handed to `AckHandler`. */
    void *AckHandlerClosure;
    /** Called for each message that was not stored. */
    jsPubAckErrHandler ErrHandler;
    /** Handed to `ErrHandler`. */
    void *ErrHandlerClosure;
    /** Milliseconds publishing waits for room, 0 for 200. */
    int64_t StallWait;
    /** Acknowledgements share the connection's subscription for replies. */
    bool MuxReplies;
} jsOptionsPublishAsync;

/** Options of js_PurgeStream(). */
typedef struct jsOptionsStreamPurge {
    /** Only messages on this subject; NULL for all. */
    const char *Subject;
    /** Only messages before this sequence; 0 for all. Excludes `Keep`. */
    uint64_t Sequence;
    /** How many of the last messages stay. Excludes `Sequence`. */
    uint64_t Keep;
} jsOptionsStreamPurge;

/** Options of js_GetStreamInfo(). */
typedef struct jsOptionsStreamInfo {
    /** Ask for the sequences of deleted messages. */
    bool DeletedDetails;
    /** Ask for the number of messages on each of these subjects; NULL not to. */
    const char *SubjectsFilter;
} jsOptionsStreamInfo;

/** Options of the functions on streams. */
typedef struct jsOptionsStream {
    /** For js_PurgeStream(). */
    jsOptionsStreamPurge Purge;
    /** For js_GetStreamInfo(). */
    jsOptionsStreamInfo Info;
} jsOptionsStream;

/** Options of a JetStream context, or of one call. Set up by jsOptions_Init(), which zero-fills it. */
typedef struct jsOptions {
    /** Subject prefix of the API; NULL for `$JS.API`. */
    const char *Prefix;
    /** JetStream domain; wins over `Prefix`. */
    const char *Domain;
    /** Milliseconds to wait for replies, 0 for 5000 (in a call: for that of the context). */
    int64_t Wait;
    /** Asynchronous publishing; looked at when the context is made. */
    jsOptionsPublishAsync PublishAsync;
    /** Asynchronous pull subscriptions; looked at in the call only. */
    jsOptionsPullSubscribeAsync PullSubscribeAsync;
    /** Functions on streams. */
    jsOptionsStream Stream;
} jsOptions;

/** What an entry of a bucket records. */
typedef enum {
    /** Nothing: the value for a NULL entry. */
    kvOp_Unknown = 0,
    /** A value was stored. */
    kvOp_Put = 1,
    /** The key was deleted. */
    kvOp_Delete = 2,
    /** The key was deleted together with its history. */
    kvOp_Purge = 3,
} kvOperation;

/** One value of a key, or the marker of its deletion. Released by kvEntry_Destroy(). */
typedef struct __kvEntry kvEntry;

/** Facts about a bucket at one moment. Released by kvStatus_Destroy(). */
typedef struct __kvStatus kvStatus;

/** A key-value bucket. Made by js_KeyValue() or js_CreateKeyValue(), released by kvStore_Destroy(). */
typedef struct __kvStore kvStore;

/** Reports the changes of a bucket. Released by kvWatcher_Destroy(). */
typedef struct __kvWatcher kvWatcher;

/**
 * Called for each change a watcher sees. The callback destroys `e`; NULL with NATS_OK marks the end of the
 * values that existed when the watcher was made.
 */
typedef void (*kvWatchCb)(kvWatcher *w, kvEntry *e, natsStatus s, void *closure);

/**
 * Called once with the outcome of kvStore_GetAsync(), on a thread of the library. The callback destroys `e`;
 * it is NULL unless `s` is NATS_OK.
 */
typedef void (*kvGetCb)(kvStore *kv, kvEntry *e, natsStatus s, void *closure);

/** Configuration of a bucket. Set up by kvConfig_Init(), which zero-fills it. */
typedef struct kvConfig {
    /** Name: letters, digits, `_` and `-`. */
    const char *Bucket;
    /** Text for people. */
    const char *Description;
    /** Largest size of a value in bytes, 0 for no limit. */
    int32_t MaxValueSize;
    /** Values kept per key, 0 for 1, at most 64. */
    uint8_t History;
    /** Life of a value in nanoseconds, 0 for no end. */
    int64_t TTL;
    /** Largest size of the bucket in bytes, 0 for no limit. */
    int64_t MaxBytes;
    /** Where values are kept. */
    jsStorageType StorageType;
    /** Number of servers that keep a copy, 0 for 1. */
    int Replicas;
    /** Publish again what was stored; may be NULL. */
    jsRePublish *RePublish;
    /** The bucket this one mirrors; NULL for none. */
    jsStreamSource *Mirror;
    /** The buckets this one collects. */
    jsStreamSource **Sources;
    /** Length of `Sources`. */
    int SourcesLen;
    /**
     * Nanoseconds for which the server leaves a marker for an expired key, 0 for none; allows a time to live
     * per key.
     */
    int64_t LimitMarkerTTL;
} kvConfig;

/**
 * Options of watchers and of the functions that list keys. Set up by kvWatchOptions_Init(), which zero-fills
 * it.
 */
typedef struct kvWatchOptions {
    /** Leave deletions out. */
    bool IgnoreDeletes;
    /** Report all values that are kept, not only the last one of each key. */
    bool IncludeHistory;
    /** Leave the values out. */
    bool MetaOnly;
    /** Milliseconds kvStore_Keys() and kvStore_History() may take, 0 for no limit. */
    int64_t Timeout;
    /** Report only what changes from now on. */
    bool UpdatesOnly;
    /** Nanoseconds without a change after which the server sends a heartbeat, 0 for 5 seconds. */
    int64_t Heartbeat;
    /** Start at this revision; 0 not to. */
    uint64_t ResumeFromRevision;
    /** Called for each change, in place of kvWatcher_Next(); may be NULL. */
    kvWatchCb Callback;
    /** Handed to `Callback`. */
    void *Closure;
} kvWatchOptions;

/**
 * Options of kvStore_Purge() and kvStore_PurgeDeletes(). Set up by kvPurgeOptions_Init(), which zero-fills
 * it.
 */
typedef struct kvPurgeOptions {
    /** Milliseconds to wait for the acknowledgement of a purge, 0 for that of the context. */
    int64_t Timeout;
    /** Nanoseconds: younger markers stay. 0 for 30 minutes, negative to remove all. */
    int64_t DeleteMarkersOlderThan;
    /** Milliseconds the marker lives, 0 for no end. */
    int64_t TTL;
} kvPurgeOptions;

/** A list of entries. The struct is the program's, its content is released by kvEntryList_Destroy(). */
typedef struct kvEntryList {
    /** The entries. */
    kvEntry **Entries;
    /** Length of `Entries`. */
    int Count;
} kvEntryList;

/** A list of keys. The struct is the program's, its content is released by kvKeysList_Destroy(). */
typedef struct kvKeysList {
    /** The keys. */
    char **Keys;
    /** Length of `Keys`. */
    int Count;
} kvKeysList;

/** An object store. Made by js_ObjectStore() or js_CreateObjectStore(), released by objStore_Destroy(). */
typedef struct __objStore objStore;

/** An object being read piece by piece. Made by objStore_Get(), released by objStoreGet_Destroy(). */
typedef struct __objStoreGet objStoreGet;

/** An object being stored piece by piece. Made by objStore_Put(), released by objStorePut_Destroy(). */
typedef struct __objStorePut objStorePut;

/** Reports the changes of an object store. Released by objStoreWatcher_Destroy(). */
typedef struct __objStoreWatcher objStoreWatcher;

/** Configuration of an object store. Set up by objStoreConfig_Init(), which zero-fills it. */
typedef struct objStoreConfig {
    /** Name: letters, digits, `_` and `-`. */
    const char *Bucket;
    /** Text for people. */
    const char *Description;
    /** Life of an object in milliseconds, 0 for no end. */
    int64_t TTL;
    /** Largest size of the store in bytes, 0 for no limit. */
    int64_t MaxBytes;
    /** Where objects are kept. */
    jsStorageType Storage;
    /** Number of servers that keep a copy, 0 for 1. */
    int Replicas;
    /** Which servers to use; may be NULL. */
    jsPlacement *Placement;
    /** Compress on disk. */
    bool Compression;
    /** Pairs of strings of the program. */
    natsMetadata Metadata;
} objStoreConfig;

/** A list of store names. Released by objStoreNamesList_Destroy(). */
typedef struct objStoreNamesList {
    /** The names. */
    char **List;
    /** Length of `List`. */
    int Count;
} objStoreNamesList;

/** Facts about a store at one moment. Released by objStoreStatus_Destroy(). */
typedef struct objStoreStatus {
    /** Its name. */
    const char *Bucket;
    /** Text for people. */
    const char *Description;
    /** Life of an object in milliseconds, 0 for no end. */
    int64_t TTL;
    /** Where objects are kept. */
    jsStorageType Storage;
    /** Number of servers that keep a copy. */
    int Replicas;
    /** Always false: see `StreamInfo->Config->Sealed`. */
    bool Sealed;
    /** Size in bytes. */
    uint64_t Size;
    /** What it is made of: "JetStream". */
    const char *BackingStore;
    /** Pairs of strings; belong to `StreamInfo`. */
    natsMetadata Metadata;
    /** The stream behind it. */
    jsStreamInfo *StreamInfo;
    /** It is compressed on disk. */
    bool IsCompressed;
} objStoreStatus;

/** A list of facts about stores. Released by objStoreStatusesList_Destroy(), with its elements. */
typedef struct objStoreStatusesList {
    /** The stores. */
    objStoreStatus **List;
    /** Length of `List`. */
    int Count;
} objStoreStatusesList;

/** Points to another object or store. */
typedef struct objStoreLink {
    /** The store. */
    const char *Bucket;
    /** The object; NULL for the whole store. */
    const char *Name;
} objStoreLink;

/** Options of an object. */
typedef struct objStoreMetaOptions {
    /** What it points to; NULL for an object of its own. */
    objStoreLink *Link;
    /** Bytes per message, 0 for 131072. */
    uint32_t ChunkSize;
} objStoreMetaOptions;

/** What a program says about an object. Set up by objStoreMeta_Init(), which zero-fills it. */
typedef struct objStoreMeta {
    /** Its name. */
    const char *Name;
    /** Text for people. */
    const char *Description;
    /** Headers; may be NULL. */
    natsHeader *Headers;
    /** Pairs of strings of the program. */
    natsMetadata Metadata;
    /** Options. */
    objStoreMetaOptions Opts;
} objStoreMeta;

/** An object. Released by objStoreInfo_Destroy(). */
typedef struct objStoreInfo {
    /** What the program said about it. */
    objStoreMeta Meta;
    /** The store it is in. */
    const char *Bucket;
    /** Its unique id. */
    const char *NUID;
    /** Its size in bytes. */
    uint64_t Size;
    /** When it was stored, in nanoseconds since 1970 UTC. */
    int64_t ModTime;
    /** Number of messages it is made of. */
    uint32_t Chunks;
    /** Its checksum: `SHA-256=` and the sum in base64 for URLs. */
    const char *Digest;
    /** It was deleted. */
    bool Deleted;
} objStoreInfo;

/** A list of objects. Released by objStoreInfoList_Destroy(). */
typedef struct objStoreInfoList {
    /** The objects. */
    objStoreInfo **List;
    /** Length of `List`. */
    int Count;
} objStoreInfoList;

/** Options for reading. Set up by objStoreOptions_Init(), which zero-fills it. */
typedef struct objStoreOptions {
    /** Deleted objects count too. */
    bool ShowDeleted;
} objStoreOptions;

/** Options of objStore_Watch(). Set up by objStoreWatchOptions_Init(), which zero-fills it. */
typedef struct objStoreWatchOptions {
    /** Leave deletions out. */
    bool IgnoreDeletes;
    /** Report only what changes from now on. */
    bool UpdatesOnly;
} objStoreWatchOptions;

/** A client of microservices. Made by micro_NewClient(), released by microClient_Destroy(). */
typedef struct micro_client_s microClient;

/** Settings of a microservice client. There are none yet: pass NULL. */
typedef struct __for_forward_compatibility_only microClientConfig;

/** An endpoint of a microservice; belongs to its service. */
typedef struct micro_endpoint_s microEndpoint;

/** An error of the microservice functions, NULL for success. Released by microError_Destroy(). */
typedef struct micro_error_s microError;

/** A common subject prefix for endpoints; belongs to its service. */
typedef struct micro_group_s microGroup;

/** A request received by an endpoint; valid until its handler returns. */
typedef struct micro_request_s microRequest;

/** A microservice. Made by micro_AddService(), released by microService_Destroy(). */
typedef struct micro_service_s microService;

/**
 * Handles one request. NULL says it was handled; an error is sent to the requester and released by the
 * library.
 */
typedef microError *(*microRequestHandler)(microRequest *req);

/**
 * Called for an error on an endpoint's subscription; the service is stopped afterwards. `ep` may be NULL.
 */
typedef void (*microErrorHandler)(microService *m, microEndpoint *ep, natsStatus s);

/** Called once when a service has stopped and its last endpoint is done. `m` is still valid. */
typedef void (*microDoneHandler)(microService *m);

/** Configuration of an endpoint, copied by the library. Zero-fill it first. */
typedef struct micro_endpoint_config_s {
    /** Its name: letters, digits, `_` and `-`. */
    const char *Name;
    /** Subject it listens to, below the prefixes of its groups; NULL for its name. */
    const char *Subject;
    /** Queue group; NULL for that of its group or service. */
    const char *QueueGroup;
    /** No queue group: every instance gets every request. */
    bool NoQueueGroup;
    /** Pairs of strings of the program. */
    natsMetadata Metadata;
    /** Handles the requests; required. */
    microRequestHandler Handler;
    /** The program's, see microRequest_GetEndpointState(). */
    void *State;
} microEndpointConfig;

/** What a service says about an endpoint. */
typedef struct micro_endpoint_info_s {
    /** Its name. */
    const char *Name;
    /** Subject it listens to. */
    const char *Subject;
    /** Its queue group; NULL for none. */
    const char *QueueGroup;
    /** Pairs of strings of the program. */
    natsMetadata Metadata;
} microEndpointInfo;

/** Counters of an endpoint. */
typedef struct micro_endpoint_stats_s {
    /** Its name. */
    const char *Name;
    /** Subject it listens to. */
    const char *Subject;
    /** Its queue group; NULL for none. */
    const char *QueueGroup;
    /** Requests received. */
    int64_t NumRequests;
    /** Errors sent or met. */
    int64_t NumErrors;
    /** Time spent in the handler: whole seconds. */
    int64_t ProcessingTimeSeconds;
    /** Time spent in the handler: the rest in nanoseconds. */
    int64_t ProcessingTimeNanoseconds;
    /** Nanoseconds per request, 0 without requests. */
    int64_t AverageProcessingTimeNanoseconds;
    /** The last error; "" for none. */
    char LastErrorString[2048];
} microEndpointStats;

/** Configuration of a group, copied by the library. Zero-fill it first. */
typedef struct micro_group_config_s {
    /** Subject prefix without a dot at its end; required. */
    const char *Prefix;
    /** Queue group of its endpoints; NULL for that of its parent. */
    const char *QueueGroup;
    /** No queue group for its endpoints. */
    bool NoQueueGroup;
} microGroupConfig;

/** Configuration of a service, copied by the library. Zero-fill it first. */
typedef struct micro_service_config_s {
    /** Its name: letters, digits, `_` and `-`. */
    const char *Name;
    /** Its version; required. */
    const char *Version;
    /** Text for people. */
    const char *Description;
    /** Queue group of its endpoints; NULL for `q`. */
    const char *QueueGroup;
    /** No queue group for its endpoints. */
    bool NoQueueGroup;
    /** Pairs of strings of the program. */
    natsMetadata Metadata;
    /** Its first endpoint; may be NULL. */
    microEndpointConfig *Endpoint;
    /** Answers requests for statistics in place of the library; may be NULL. */
    microRequestHandler StatsHandler;
    /** Called for errors; may be NULL. */
    microErrorHandler ErrHandler;
    /** Called when the service has stopped; may be NULL. */
    microDoneHandler DoneHandler;
    /** The program's, see microService_GetState(). */
    void *State;
} microServiceConfig;

/** What a service says about itself. Released by microServiceInfo_Destroy(). */
typedef struct micro_service_info_s {
    /** MICRO_INFO_RESPONSE_TYPE. */
    const char *Type;
    /** Its name. */
    const char *Name;
    /** Its version. */
    const char *Version;
    /** Text for people. */
    const char *Description;
    /** Unique id of this instance. */
    const char *Id;
    /** Pairs of strings of the program. */
    natsMetadata Metadata;
    /** Its endpoints, the newest first. */
    microEndpointInfo *Endpoints;
    /** Length of `Endpoints`. */
    int EndpointsLen;
} microServiceInfo;

/** Counters of a service. Released by microServiceStats_Destroy(). */
typedef struct micro_service_stats_s {
    /** MICRO_STATS_RESPONSE_TYPE. */
    const char *Type;
    /** Its name. */
    const char *Name;
    /** Its version. */
    const char *Version;
    /** Unique id of this instance. */
    const char *Id;
    /** When it was started, in nanoseconds since 1970 UTC. */
    int64_t Started;
    /** Its endpoints, the newest first. */
    microEndpointStats *Endpoints;
    /** Length of `Endpoints`. */
    int EndpointsLen;
} microServiceStats;

#ifdef __cplusplus
}
#endif

#endif /* NATS_NATS_H_ */
