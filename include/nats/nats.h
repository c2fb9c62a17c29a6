/* Generated from src/ffi/templates/nats.h.in and src/ffi: do not edit. */

/** \file
 * The NATS client library.
 *
 * What holds for every function unless its text says otherwise:
 * - Any thread may call it, and so may any callback of the library. Messages and headers are the exception:
 *   one thread at a time may change or send one.
 * - NULL in place of an object gives #NATS_INVALID_ARG; functions that release ignore it. Strings are
 *   NUL-terminated bytes; the library copies what it keeps.
 * - A status other than #NATS_OK leaves a text for the calling thread, see nats_GetLastError().
 * - What is marked "Extension" is in this library only, and tells so by #NATS_EXT_LIVENESS. All else is as in
 *   version 3.14 of the released library.
 * - In a child made by fork(), connections and subscriptions of the parent are refused with
 *   #NATS_ILLEGAL_STATE; questions without a status are answered as for a closed connection.
 */

#ifndef NATS_H_
#define NATS_H_

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

/** Defined by this library only: it has the functions, types and environment variables marked "Extension". */
#define NATS_EXT_LIVENESS 1

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

/** Extension. What ended a connection to a server. */
typedef enum {
    /** More keep-alive PINGs than natsOptions_SetMaxPingsOut() allows went unanswered. */
    NATS_DISCONNECT_MAX_PINGS = 1,
    /**
     * A PING was unanswered for longer than natsOptions_SetPongTimeout(), or than the time of
     * natsConnection_CheckLiveness().
     */
    NATS_DISCONNECT_PONG_TIMEOUT = 2,
    /** The server reported a stale connection: it missed the PONGs of this side. */
    NATS_DISCONNECT_SERVER_STALE = 3,
    /** The server reported another error that ends the connection; see the text. */
    NATS_DISCONNECT_SERVER_ERR = 4,
    /** The server closed the connection without a word. */
    NATS_DISCONNECT_SERVER_CLOSED = 5,
    /** The socket failed, such as by a reset. */
    NATS_DISCONNECT_IO_ERROR = 6,
    /**
     * The system gave up on a peer that acknowledged nothing: natsOptions_SetTCPUserTimeout(),
     * natsOptions_SetTCPKeepAlive(), or the system's own limits.
     */
    NATS_DISCONNECT_TCP_TIMEOUT = 7,
    /** A write took longer than natsOptions_SetWriteDeadline(). */
    NATS_DISCONNECT_WRITE_DEADLINE = 8,
    /** The server sent what is not NATS protocol. */
    NATS_DISCONNECT_PROTOCOL_ERROR = 9,
    /** The server no longer accepts the credentials. */
    NATS_DISCONNECT_AUTH = 10,
    /** The program called natsConnection_Reconnect(). */
    NATS_DISCONNECT_FORCED = 11,
    /** The program closed or drained the connection. */
    NATS_DISCONNECT_CLOSED_BY_USER = 12,
} natsDisconnectReason;

/** Extension. What happened to a keep-alive PING. */
typedef enum {
    /** A PING was sent. */
    NATS_PING_SENT = 1,
    /** A PONG answered a PING. */
    NATS_PONG_RECEIVED = 2,
    /**
     * A PING is still unanswered although the next one is due, or the PONG timeout is over: the warning
     * before a stale connection.
     */
    NATS_PONG_MISSED = 3,
} natsPingEvent;

/**
 * Extension. One disconnect and what was known at that moment. -1 stands for what is not known.
 *
 * Later versions of the library add fields at the end only.
 */
typedef struct natsDisconnectInfo {
    /** Bytes of this struct that the library filled. */
    size_t Size;
    /** Why. */
    natsDisconnectReason Reason;
    /** The status a program finds as the connection's last error if it is not to reconnect. */
    natsStatus Status;
    /** When: milliseconds since 1970-01-01 UTC by the system's clock, as nats_Now(). */
    int64_t Time;
    /** Keep-alive PINGs unanswered. */
    int PingsOutstanding;
    /** The server had announced that it is going to shut down. */
    bool LameDuck;
    /** Milliseconds since bytes came in, and since the socket took bytes. */
    int64_t LastByteInAge;
    int64_t LastByteOutAge;
    /** Bytes in the library's buffer, and in the system's that the peer has not acknowledged. */
    int64_t BytesUnsent;
    /** Smoothed round trip in nanoseconds. */
    int64_t SmoothedRTT;
    /** TCP segments sent again since the connect. */
    int64_t TCPRetransmits;
    /** TCP segments sent and not acknowledged. */
    int64_t TCPUnacked;
    /** What happened, cut to fit. */
    char Text[256];
    /** The server, without credentials, cut to fit. */
    char ServerURL[256];
    /** The server's id, cut to fit. */
    char ServerID[64];
} natsDisconnectInfo;

/**
 * Extension. The pulse of a connection. Counters run over all reconnects; -1 stands for what is not known.
 *
 * Later versions of the library add fields at the end only.
 */
typedef struct natsLiveness {
    /** Bytes of this struct that the library filled. */
    size_t Size;
    /**
     * PINGs sent, those of natsConnection_Flush() and natsConnection_GetRTT() included, and PONGs received.
     */
    uint64_t PingsSent;
    uint64_t PongsReceived;
    /** PINGs received from the server, each answered. */
    uint64_t ServerPings;
    /** Keep-alive PINGs unanswered now. */
    int PingsOutstanding;
    /** Milliseconds since bytes came in, and since the socket took bytes. */
    int64_t LastByteInAge;
    int64_t LastByteOutAge;
    /** Round trips in nanoseconds, of any PING. */
    int64_t RTTLast;
    int64_t RTTMin;
    int64_t RTTMax;
    /** The smoothed one: each new round trip counts an eighth. */
    int64_t RTTSmoothed;
    /** How often this side found the server dead, and how often the server said so of this side. */
    uint64_t StaleByClient;
    uint64_t StaleByServer;
    /** The longest time in milliseconds for which the socket took no bytes. */
    int64_t LongestWriteStall;
    /** Bytes in the library's write buffer. */
    int64_t BytesBuffered;
    /** Bytes in the system's buffer that the peer has not acknowledged; -1 without a socket. */
    int64_t BytesInSocket;
    /**
     * Milliseconds after which a dead server is found at the latest, without what a busy client may put that
     * off (half a ping interval, 5000 at most); -1 when no PINGs are sent.
     */
    int64_t DetectionBound;
} natsLiveness;

/**
 * Extension. Called right before the disconnected callback, on the same thread. `info` is valid during the
 * call.
 */
typedef void (*natsDisconnectedErrHandler)(natsConnection *nc, const natsDisconnectInfo *info, void *closure);

/**
 * Extension. Called with what happens to keep-alive PINGs, on the thread of the other connection callbacks.
 * `pingsOut` is how many are unanswered; `rtt` the round trip in nanoseconds with #NATS_PONG_RECEIVED, else
 * -1.
 */
typedef void (*natsPingEventHandler)(natsConnection *nc, natsPingEvent event, int pingsOut, int64_t rtt,
                                     void *closure);

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

/** Sequences that should agree and do not. */
typedef struct jsConsumerSequenceMismatch {
    /** Last sequence of the stream the client has received. */
    uint64_t Stream;
    /** Last sequence of the consumer the client has received. */
    uint64_t ConsumerClient;
    /** Last sequence of the consumer the server has sent. */
    uint64_t ConsumerServer;
} jsConsumerSequenceMismatch;

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
 * A batch of messages that is stored as a whole. Made by js_BatchPublishStart(), released by
 * jsAtomicBatchCtx_Destroy().
 */
typedef struct __jsAtomicBatchCtx jsAtomicBatchCtx;

/** A JetStream context of a connection. Made by natsConnection_JetStream(), released by jsCtx_Destroy(). */
typedef struct __jsCtx jsCtx;

/**
 * Called for every asynchronously published message that was not stored. `pae` is valid during the call
 * only. The library destroys `pae->Msg` afterwards, unless the handler took the message by setting that
 * field to NULL, as js_PublishMsgAsync() does when it publishes the message again.
 */
typedef void (*jsPubAckErrHandler)(jsCtx *js, jsPubAckErr *pae, void *closure);

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

/** \defgroup libraryGroup Library
 *  @{
 */

/**
 * Opens the library with a configuration: nats_Open() with settings of your own.
 *
 * Has no effect other than returning #NATS_OK when the library is open already, also when another function
 * opened it on the way; call it first. The environment variables that nats_Open() reads are not looked at,
 * but for its extensions.
 *
 * @param config copied; its fields without a meaning in this library are ignored. NULL is the same as
 * `nats_Open(-1)`.
 * @return #NATS_OK, or #NATS_FAILED_TO_INITIALIZE while the library is being closed.
 */
NATS_EXTERN natsStatus nats_OpenWithConfig(natsClientConfig *config);

/**
 * Opens the library. Rarely needed: creating options or connecting opens it too.
 *
 * Opening an open library has no effect; one nats_Close() closes it, however often it was opened. From then
 * on the signal SIGPIPE is ignored in the process. Read from the environment:
 * - `NATS_DEFAULT_LIB_WRITE_DEADLINE`: default of natsOptions_SetWriteDeadline(), in milliseconds.
 * - `NATS_DEFAULT_TO_LIB_MSG_DELIVERY`: when present, natsOptions_UseGlobalMessageDelivery() is on by
 *   default.
 * - `NATS_DEFAULT_LIB_MSG_DELIVERY_POOL_SIZE`: see nats_SetMessageDeliveryPoolSize().
 *
 * Extension: read by nats_OpenWithConfig() too, in milliseconds, for connections whose program does not set
 * the option itself. A value that is no whole number from 0 up is ignored, with a line on stderr.
 * - `NATS_DEFAULT_LIB_PING_INTERVAL`: default of natsOptions_SetPingInterval().
 * - `NATS_DEFAULT_LIB_MAX_PINGS_OUT`: default of natsOptions_SetMaxPingsOut() (a count).
 * - `NATS_DEFAULT_LIB_PONG_TIMEOUT`: default of natsOptions_SetPongTimeout().
 * - `NATS_DEFAULT_LIB_MAX_DETECTION_TIME`: default of natsOptions_SetMaxDetectionTime().
 * - `NATS_DEFAULT_LIB_TCP_USER_TIMEOUT`: default of natsOptions_SetTCPUserTimeout().
 *
 * @param lockSpinCount accepted for compatibility; this library has no use for it.
 * @return #NATS_OK, or #NATS_FAILED_TO_INITIALIZE while the library is being closed.
 */
NATS_EXTERN natsStatus nats_Open(int64_t lockSpinCount);

/**
 * Returns the version of the library, such as "3.14.0".
 *
 * @return a static string; do not free it.
 */
NATS_EXTERN const char *nats_GetVersion(void);

/**
 * Returns the version of the library as a number: 0x030E00 is 3.14.0.
 *
 * @return the number.
 */
NATS_EXTERN uint32_t nats_GetVersionNumber(void);

/**
 * Checks that header and library fit together. Call the macro nats_CheckCompatibility(), which passes the
 * header's values. If they do not fit, prints both versions to the standard output and exits the process
 * with code 1.
 *
 * @param reqVerNumber the oldest library that works with the header.
 * @param verNumber the version of the header.
 * @param verString the version of the header, as text.
 * @return true.
 */
NATS_EXTERN bool nats_CheckCompatibilityImpl(uint32_t reqVerNumber, uint32_t verNumber,
                                             const char *verString);

/**
 * Returns the time of the system's clock in milliseconds.
 *
 * @return milliseconds since 1970-01-01 UTC.
 */
NATS_EXTERN int64_t nats_Now(void);

/**
 * Returns the time of the system's clock in nanoseconds.
 *
 * @return nanoseconds since 1970-01-01 UTC.
 */
NATS_EXTERN int64_t nats_NowInNanoSeconds(void);

/**
 * Returns the time of a clock that is never set back: for differences.
 *
 * @return nanoseconds; the origin is arbitrary.
 */
NATS_EXTERN int64_t nats_NowMonotonicInNanoSeconds(void);

/**
 * Puts the calling thread to sleep.
 *
 * @param sleepTime in milliseconds; 0 or less returns at once.
 */
NATS_EXTERN void nats_Sleep(int64_t sleepTime);

/**
 * Returns the last error of the calling thread. Each thread has its own; a successful call does not clear
 * it.
 *
 * @param status where to put the status of that error, #NATS_OK if there is none; may be NULL.
 * @return the text, NULL if there is no error. It belongs to the library; the address is the same for all
 * errors of a thread and is valid until the thread ends, the text there is replaced by the thread's next
 * error.
 */
NATS_EXTERN const char *nats_GetLastError(natsStatus *status);

/**
 * Writes the name of the function that the calling thread's last error came out of.
 *
 * @param buffer gets the name and a terminating NUL; empty if there is no error.
 * @param bufLen the size of `buffer` in bytes.
 * @return #NATS_OK; #NATS_INVALID_ARG if `buffer` is NULL or `bufLen` 0; #NATS_INSUFFICIENT_BUFFER if the
 * name did not fit, `buffer` then has the beginning; #NATS_FAILED_TO_INITIALIZE while the library is being
 * closed. None of these becomes the last error.
 */
NATS_EXTERN natsStatus nats_GetLastErrorStack(char *buffer, size_t bufLen);

/**
 * Prints the calling thread's last error and the function it came out of; nothing if there is no error.
 *
 * @param file an open `FILE *`, flushed afterwards.
 */
NATS_EXTERN void nats_PrintLastErrorStack(FILE *file);

/**
 * Makes room for more threads that deliver messages when natsOptions_UseGlobalMessageDelivery() is on. The
 * pool starts with 1 unless configured otherwise, and never shrinks.
 *
 * @param max the number of threads; fewer than there are changes nothing.
 * @return #NATS_OK; #NATS_ERR if `max` is 0 or less; #NATS_FAILED_TO_INITIALIZE while the library is being
 * closed.
 */
NATS_EXTERN natsStatus nats_SetMessageDeliveryPoolSize(int max);

/**
 * Frees what the library keeps for the calling thread: its last error, up to 256 KiB for messages to come,
 * and 64 KiB once the thread has read from a connection with TLS. Needed only in threads that are not the
 * library's, live on, and want the memory back.
 */
NATS_EXTERN void nats_ReleaseThreadMemory(void);

/**
 * Signs a text with Ed25519.
 *
 * @param encodedSeed an NKey seed: user, account, server or cluster ("SU...", "SA...", "SN...", "SC...").
 * @param input the text.
 * @param signature gets the raw signature, to be freed with `free()`.
 * @param signatureLength gets its length in bytes, 64.
 * @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL or a text empty; #NATS_ERR for a bad seed.
 */
NATS_EXTERN natsStatus nats_Sign(const char *encodedSeed, const char *input, unsigned char **signature,
                                 int *signatureLength);

/**
 * Closes the library. Callbacks posted before are still delivered. Connections and other objects that are
 * still there keep what they need of the library until they are destroyed. Has no effect when the library is
 * not open. May be called from a callback.
 */
NATS_EXTERN void nats_Close(void);

/**
 * Closes the library and waits until all connections, subscriptions and threads are gone.
 *
 * @param timeout in milliseconds; 0 or less waits without bound.
 * @return #NATS_OK; #NATS_NOT_INITIALIZED if the library is not open; #NATS_ILLEGAL_STATE if it is being
 * closed already, or on a thread of the library, where nothing is closed then; #NATS_TIMEOUT if objects are
 * left, the library closes nevertheless when they go.
 */
NATS_EXTERN natsStatus nats_CloseAndWait(int64_t timeout);

/** @} */

/** \defgroup optionsGroup Options
 *  @{
 */

/**
 * Creates options with their default values.
 *
 * They can be used for any number of connections: each copies them when it connects, so that they may be
 * changed or destroyed right afterwards.
 *
 * @param newOpts gets the options, to be destroyed with natsOptions_Destroy().
 * @return #NATS_OK; #NATS_INVALID_ARG if `newOpts` is NULL; #NATS_FAILED_TO_INITIALIZE while the library is
 * being closed.
 */
NATS_EXTERN natsStatus natsOptions_Create(natsOptions **newOpts);

/**
 * Destroys options. Connections made with them are not affected.
 *
 * @param opts the options, not to be used afterwards. NULL is accepted.
 */
NATS_EXTERN void natsOptions_Destroy(natsOptions *opts);

/**
 * Sets the URL of the server to connect to: `[scheme://][user[:password]@|token@]host[:port]`, port 4222 by
 * default. With natsOptions_SetServers() too, this one is tried first.
 *
 * The URL is not parsed here: a bad one fails when connecting. `tls://` turns TLS on, as
 * natsOptions_SetSecure() does, unless that was called before. A later URL does not turn it off.
 *
 * @param opts the options.
 * @param url copied, white space at both ends removed. NULL removes the URL.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE for `tls://` in a build without
 * TLS.
 */
NATS_EXTERN natsStatus natsOptions_SetURL(natsOptions *opts, const char *url);

/**
 * Sets the URLs of several servers; see natsOptions_SetURL() for their form and the meaning of `tls://`,
 * which concerns all servers. They are tried in random order unless natsOptions_SetNoRandomize() is on.
 *
 * @param opts the options.
 * @param servers URLs, copied. NULL, with a count of 0, removes the list.
 * @param serversCount the number of URLs.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL, or if there is an array without a count above 0, a
 * count without an array, or a URL that is NULL; in the last case the list is empty afterwards.
 * #NATS_ILLEGAL_STATE for `tls://` in a build without TLS.
 */
NATS_EXTERN natsStatus natsOptions_SetServers(natsOptions *opts, const char **servers, int serversCount);

/**
 * Keeps servers in the order given, and the addresses of a host in the order resolved. Default: false, both
 * are shuffled.
 *
 * @param opts the options.
 * @param noRandomize true to keep the order.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetNoRandomize(natsOptions *opts, bool noRandomize);

/**
 * Bounds the time for connecting to one server, from resolving its name to its first answer. Default: 2000.
 *
 * @param opts the options.
 * @param timeout in milliseconds. 0 has expired at once: connecting fails with #NATS_TIMEOUT.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `timeout` negative.
 */
NATS_EXTERN natsStatus natsOptions_SetTimeout(natsOptions *opts, int64_t timeout);

/**
 * Sets which addresses of a host are tried, and in which order. Default: 0.
 *
 * @param opts the options.
 * @param order 4 for IPv4 only, 6 for IPv6 only, 46 for IPv4 first, 64 for IPv6 first, 0 for no preference.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `order` another number.
 */
NATS_EXTERN natsStatus natsOptions_IPResolutionOrder(natsOptions *opts, int order);

/**
 * Uses the given servers only, not those the server tells about. Default: false.
 *
 * @param opts the options.
 * @param ignore true to ignore them.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetIgnoreDiscoveredServers(natsOptions *opts, bool ignore);

/**
 * Sets a function that makes the TCP connection to a server, through a proxy for example, instead of the
 * library.
 *
 * It gets the host without brackets, and the port; it stores the connected socket and returns #NATS_OK. The
 * socket is then the library's, also the one stored before returning something else. Any other status counts
 * as a server that cannot be reached.
 *
 * @param opts the options.
 * @param proxyConnHandler the handler. NULL removes it.
 * @param closure passed to the handler.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetProxyConnHandler(natsOptions *opts,
                                                       natsProxyConnHandler proxyConnHandler, void *closure);

/**
 * Sets user and password for servers whose URL has no credentials of its own.
 *
 * @param opts the options.
 * @param user copied; NULL for none.
 * @param password copied; NULL for none. A password without a user is not sent.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetUserInfo(natsOptions *opts, const char *user, const char *password);

/**
 * Sets the authentication token for servers whose URL has no credentials of its own.
 *
 * @param opts the options.
 * @param token copied. NULL removes the token.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE if there is a token handler.
 */
NATS_EXTERN natsStatus natsOptions_SetToken(natsOptions *opts, const char *token);

/**
 * Sets a function that gives the authentication token each time the library connects.
 *
 * It runs on the thread that connects or reconnects. The string it returns is copied and stays the
 * program's; NULL sends no token.
 *
 * @param opts the options.
 * @param tokenCb the handler. NULL removes it.
 * @param closure passed to the handler.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE if there is a token.
 */
NATS_EXTERN natsStatus natsOptions_SetTokenHandler(natsOptions *opts, natsTokenHandler tokenCb,
                                                   void *closure);

/**
 * Sets functions that give the user JWT and sign with its key each time the library connects. Both NULL
 * removes them. Credentials set in another way, and an NKey, are removed.
 *
 * What the functions store comes from `malloc()` and is freed by the library. A status other than #NATS_OK
 * ends the attempt to connect with that status and text.
 *
 * @param opts the options.
 * @param ujwtCB stores the user JWT, and may store the text of an error.
 * @param ujwtClosure passed to `ujwtCB`.
 * @param sigCB called to sign what the server sent, which may be NULL; it stores the raw signature, and may
 * store the text of an error.
 * @param sigClosure passed to `sigCB`.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL, or if one of the functions is.
 */
NATS_EXTERN natsStatus natsOptions_SetUserCredentialsCallbacks(natsOptions *opts, natsUserJWTHandler ujwtCB,
                                                               void *ujwtClosure, natsSignatureHandler sigCB,
                                                               void *sigClosure);

/**
 * Sets the files with the user JWT and the seed of its key. They are read each time the library connects,
 * not here. NULL or empty for both removes them. Credentials set in another way, and an NKey, are removed.
 *
 * @param opts the options.
 * @param userOrChainedFile the file with the user JWT, and with the seed unless the other file has it.
 * @param seedFile the file with the seed, or NULL.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL, or if there is only a seed file.
 */
NATS_EXTERN natsStatus natsOptions_SetUserCredentialsFromFiles(natsOptions *opts,
                                                               const char *userOrChainedFile,
                                                               const char *seedFile);

/**
 * Sets the user JWT and the seed of its key, formatted like a credentials file. Credentials set in another
 * way, and an NKey, are removed.
 *
 * @param opts the options.
 * @param jwtAndSeedContent copied, and looked at when connecting. NULL removes it.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetUserCredentialsFromMemory(natsOptions *opts,
                                                                const char *jwtAndSeedContent);

/**
 * Sets a public NKey and a function that signs with it each time the library connects. Other credentials are
 * removed.
 *
 * A key that is NULL or empty removes the NKey; a function given then replaces that of
 * natsOptions_SetUserCredentialsCallbacks(). What the function stores comes from `malloc()` and is freed by
 * the library.
 *
 * @param opts the options.
 * @param pubKey the public key, copied.
 * @param sigCB called to sign what the server sent, which may be NULL; it stores the raw signature, and may
 * store the text of an error.
 * @param sigClosure passed to `sigCB`.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL, or if there is a key without a function.
 */
NATS_EXTERN natsStatus natsOptions_SetNKey(natsOptions *opts, const char *pubKey, natsSignatureHandler sigCB,
                                           void *sigClosure);

/**
 * Sets a public NKey and the file with its seed. Other credentials are removed.
 *
 * @param opts the options.
 * @param pubKey the public key, copied. NULL or empty removes the NKey and all other credentials.
 * @param seedFile the file with the seed, read each time the library connects.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL, or if there is a key without a file.
 */
NATS_EXTERN natsStatus natsOptions_SetNKeyFromSeed(natsOptions *opts, const char *pubKey,
                                                   const char *seedFile);

/**
 * Keeps reconnecting however often a server refuses the credentials. Default: false, the connection is
 * closed when a server refuses them twice in a row with the same error.
 *
 * @param opts the options.
 * @param ignore true to keep trying.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetIgnoreAuthErrorAbort(natsOptions *opts, bool ignore);

/**
 * Says whether the library reconnects when the connection is lost. Default: true. Otherwise the connection
 * is closed then.
 *
 * @param opts the options.
 * @param allow false to close instead.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetAllowReconnect(natsOptions *opts, bool allow);

/**
 * Reconnects after an error reported by the server that normally closes the connection. Default: false.
 *
 * @param opts the options.
 * @param reconnect true to reconnect.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetReconnectOnProtocolError(natsOptions *opts, bool reconnect);

/**
 * Limits the attempts to reconnect to each server; a server that used them up is forgotten. Default: 60.
 * With natsOptions_SetRetryOnFailedConnect() and no callback, this limits the passes over the servers, where
 * 0 is no limit either.
 *
 * @param opts the options.
 * @param maxReconnect the number of attempts; negative for no limit.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetMaxReconnect(natsOptions *opts, int maxReconnect);

/**
 * Sets the wait before a server is tried again, once all servers were tried. Default: 2000. See
 * natsOptions_SetReconnectJitter().
 *
 * @param opts the options.
 * @param reconnectWait in milliseconds.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `reconnectWait` negative.
 */
NATS_EXTERN natsStatus natsOptions_SetReconnectWait(natsOptions *opts, int64_t reconnectWait);

/**
 * Sets the longest random time added to the wait of natsOptions_SetReconnectWait(), so that the clients of a
 * lost server do not all come back at once.
 *
 * @param opts the options.
 * @param jitter in milliseconds, for connections without TLS. Default: 100.
 * @param jitterTLS in milliseconds, for connections with TLS. Default: 1000.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or a value negative.
 */
NATS_EXTERN natsStatus natsOptions_SetReconnectJitter(natsOptions *opts, int64_t jitter, int64_t jitterTLS);

/**
 * Sets a function that decides how long to wait, instead of natsOptions_SetReconnectWait() and
 * natsOptions_SetReconnectJitter().
 *
 * It is called once all servers were tried, with the number of such rounds since the connection was lost,
 * and returns the wait in milliseconds (0 or less: none). It may close the connection. If it ends its thread
 * instead of returning, the wait is that of the two options.
 *
 * @param opts the options.
 * @param cb the handler. NULL removes it.
 * @param closure passed to the handler.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetCustomReconnectDelay(natsOptions *opts,
                                                           natsCustomReconnectDelayHandler cb, void *closure);

/**
 * Sets how much may be published while the library reconnects. Publishing fails with
 * #NATS_INSUFFICIENT_BUFFER once this much is waiting, messages that lost connections left unsent included.
 * Default: 8 MiB.
 *
 * @param opts the options.
 * @param reconnectBufSize in bytes. 0 buffers nothing: publishing then fails while disconnected.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `reconnectBufSize` negative.
 */
NATS_EXTERN natsStatus natsOptions_SetReconnectBufSize(natsOptions *opts, int reconnectBufSize);

/**
 * Keeps trying when the first connect fails. Default: false.
 *
 * Without a callback, natsConnection_Connect() returns when connected, or when the attempts of
 * natsOptions_SetMaxReconnect() are used up. With one, it returns #NATS_NOT_YET_CONNECTED and a connection
 * that goes on connecting as if it had been lost.
 *
 * @param opts the options.
 * @param retry true to retry. false also removes the callback.
 * @param connectedCb NULL, or called on the library's callback thread when connected.
 * @param closure passed to the callback.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetRetryOnFailedConnect(natsOptions *opts, bool retry,
                                                           natsConnectionHandler connectedCb, void *closure);

/**
 * Sets the size of the buffer that collects outgoing data. Default: 32768.
 *
 * @param opts the options.
 * @param ioBufSize in bytes; 0 is the default.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `ioBufSize` negative.
 */
NATS_EXTERN natsStatus natsOptions_SetIOBufSize(natsOptions *opts, int ioBufSize);

/**
 * Sets how many messages may wait in each subscription; further ones are dropped, which is reported as
 * #NATS_SLOW_CONSUMER. Default: 65536. natsSubscription_SetPendingLimits() sets it for one subscription.
 *
 * @param opts the options.
 * @param maxPending the number of messages.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `maxPending` not above 0.
 */
NATS_EXTERN natsStatus natsOptions_SetMaxPendingMsgs(natsOptions *opts, int maxPending);

/**
 * Sets how many bytes may wait in each subscription, see natsOptions_SetMaxPendingMsgs(). Default: 1024
 * times the number of messages.
 *
 * @param opts the options.
 * @param maxPending in bytes, headers and payloads.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `maxPending` not above 0.
 */
NATS_EXTERN natsStatus natsOptions_SetMaxPendingBytes(natsOptions *opts, int64_t maxPending);

/**
 * Sets the number of zero bytes after the payload of each received message, for parsers that read ahead.
 * Default: 0.
 *
 * @param opts the options.
 * @param paddingSize in bytes.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `paddingSize` negative.
 */
NATS_EXTERN natsStatus natsOptions_SetMessageBufferPadding(natsOptions *opts, int paddingSize);

/**
 * Writes to the socket in each call, instead of collecting the data of several calls. Default: false.
 *
 * @param opts the options.
 * @param sendAsap true to write at once.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetSendAsap(natsOptions *opts, bool sendAsap);

/**
 * Sets how long buffered data may wait for more when calls follow each other quickly. Default: 1000. Without
 * effect with natsOptions_SetSendAsap().
 *
 * @param opts the options.
 * @param flusherWaitUs in microseconds; 0 does not wait.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `flusherWaitUs` negative.
 */
NATS_EXTERN natsStatus natsOptions_SetFlusherWaitMicros(natsOptions *opts, int64_t flusherWaitUs);

/**
 * Bounds the time a call waits for the server to take its data. After it, the call returns #NATS_TIMEOUT and
 * the connection counts as lost. Default: none, unless configured with nats_OpenWithConfig() or the
 * environment.
 *
 * @param opts the options.
 * @param deadline in milliseconds; 0 for none.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `deadline` negative.
 */
NATS_EXTERN natsStatus natsOptions_SetWriteDeadline(natsOptions *opts, int64_t deadline);

/**
 * Names the connection, for the monitoring of the server and natsConnection_GetName(). Default: no name.
 *
 * @param opts the options.
 * @param name copied. NULL removes the name.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetName(natsOptions *opts, const char *name);

/**
 * Asks the server to acknowledge every operation. Default: false.
 *
 * @param opts the options.
 * @param verbose true to ask for it.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetVerbose(natsOptions *opts, bool verbose);

/**
 * Asks the server to check subjects more strictly. Default: false.
 *
 * @param opts the options.
 * @param pedantic true to ask for it.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetPedantic(natsOptions *opts, bool pedantic);

/**
 * Asks the server not to send this connection the messages it published itself. Default: false. Connecting
 * fails with #NATS_NO_SERVER_SUPPORT if the server cannot.
 *
 * @param opts the options.
 * @param noEcho true to ask for it.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetNoEcho(natsOptions *opts, bool noEcho);

/**
 * Makes each request with an inbox and a subscription of its own, instead of one subscription for all
 * replies. Default: false.
 *
 * @param opts the options.
 * @param useOldStyle true for the old style.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_UseOldRequestStyle(natsOptions *opts, bool useOldStyle);

/**
 * Ends waiting requests with #NATS_CONNECTION_DISCONNECTED when the connection is lost. Default: false, they
 * wait until their timeout. Without effect in the old request style.
 *
 * @param opts the options.
 * @param failRequests true to end them.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetFailRequestsOnDisconnect(natsOptions *opts, bool failRequests);

/**
 * Waits for the timeout of a request that nobody listens to, instead of ending it with #NATS_NO_RESPONDERS.
 * Default: false.
 *
 * @param opts the options.
 * @param disabled true to wait.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_DisableNoResponders(natsOptions *opts, bool disabled);

/**
 * Sets the prefix of the reply subjects of requests. Default: "_INBOX". natsInbox_Create() does not use it.
 *
 * @param opts the options.
 * @param inboxPrefix a subject without wildcards and without the dot at its end, copied. NULL or empty
 * restores the default, and so does a refused one.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL, or if the prefix is not a valid subject.
 */
NATS_EXTERN natsStatus natsOptions_SetCustomInboxPrefix(natsOptions *opts, const char *inboxPrefix);

/**
 * Delivers messages of asynchronous subscriptions on the threads of a pool shared by all connections, see
 * nats_SetMessageDeliveryPoolSize(). Each subscription is bound to one of them. Default: false, unless
 * configured with nats_OpenWithConfig() or the environment.
 *
 * @param opts the options.
 * @param global true to use the pool.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_UseGlobalMessageDelivery(natsOptions *opts, bool global);

/**
 * Sets the function told about errors that no call can return: permissions, slow consumers, failed drains
 * and more. Default: a handler that prints a line to stderr.
 *
 * It runs on the library's callback thread, which all connections share. Its subscription is NULL if the
 * error is not about one; it may be closed already. If the error has a text, nats_GetLastError() gives it to
 * the handler.
 *
 * @param opts the options.
 * @param errHandler the handler. NULL restores the one that prints to stderr.
 * @param closure passed to the handler.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetErrorHandler(natsOptions *opts, natsErrHandler errHandler,
                                                   void *closure);

/**
 * Sets the function called once when the connection is closed for good, by whatever cause. It runs on the
 * library's callback thread, which all connections share; it may call any function, and destroy the
 * connection.
 *
 * @param opts the options.
 * @param closedCb the handler. NULL removes it.
 * @param closure passed to the handler.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetClosedCB(natsOptions *opts, natsConnectionHandler closedCb,
                                               void *closure);

/**
 * Sets the function called when the connection is lost, or closed while connected. It runs on the library's
 * callback thread, which all connections share; it may call any function, and destroy the connection.
 *
 * @param opts the options.
 * @param disconnectedCb the handler. NULL removes it.
 * @param closure passed to the handler.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetDisconnectedCB(natsOptions *opts, natsConnectionHandler disconnectedCb,
                                                     void *closure);

/**
 * Extension. Sets a callback that gets the reason of every disconnect. It is called right before the
 * disconnected callback, on the same thread, whether or not there is one.
 *
 * @param opts the options.
 * @param disconnectedErrCb the callback; NULL for none.
 * @param closure handed to the callback.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetDisconnectedErrCB(natsOptions *opts,
                                                        natsDisconnectedErrHandler disconnectedErrCb,
                                                        void *closure);

/**
 * Sets the function called when a lost connection is there again. It runs on the library's callback thread,
 * which all connections share; it may call any function, and destroy the connection.
 *
 * @param opts the options.
 * @param reconnectedCb the handler. NULL removes it.
 * @param closure passed to the handler.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetReconnectedCB(natsOptions *opts, natsConnectionHandler reconnectedCb,
                                                    void *closure);

/**
 * Sets the function called when the server told about servers that were not known before. Not called for
 * those known from the first connect. It runs on the library's callback thread, which all connections share;
 * it may call any function, and destroy the connection.
 *
 * @param opts the options.
 * @param discoveredServersCb the handler. NULL removes it.
 * @param closure passed to the handler.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetDiscoveredServersCB(natsOptions *opts,
                                                          natsConnectionHandler discoveredServersCb,
                                                          void *closure);

/**
 * Sets the function called when the server says that it is going to shut down. It runs on the library's
 * callback thread, which all connections share; it may call any function, and destroy the connection.
 *
 * @param opts the options.
 * @param lameDuckCb the handler. NULL removes it.
 * @param closure passed to the handler.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetLameDuckModeCB(natsOptions *opts, natsConnectionHandler lameDuckCb,
                                                     void *closure);

/**
 * Extension. Sets a callback that is told when a keep-alive PING is sent, answered, or missed its PONG.
 *
 * @param opts the options.
 * @param pingEventCb the callback; NULL for none.
 * @param closure handed to the callback.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetPingEventCB(natsOptions *opts, natsPingEventHandler pingEventCb,
                                                  void *closure);

/**
 * Sets the time between the pings that show whether the server is still there. Default: 120000.
 *
 * @param opts the options.
 * @param interval in milliseconds; 0 or less sends no pings.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetPingInterval(natsOptions *opts, int64_t interval);

/**
 * Sets how many pings may be unanswered. When the next one would be sent the connection counts as lost
 * (#NATS_STALE_CONNECTION). Default: 2.
 *
 * @param opts the options.
 * @param maxPingsOut 0 or less: the connection is lost when the first ping would be sent.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL.
 */
NATS_EXTERN natsStatus natsOptions_SetMaxPingsOut(natsOptions *opts, int maxPingsOut);

/**
 * Extension. Lets a connection count as stale once a keep-alive PING is unanswered for a time, if that comes
 * before the limit of natsOptions_SetMaxPingsOut(). Default: 0, or what `NATS_DEFAULT_LIB_PONG_TIMEOUT`
 * says.
 *
 * @param opts the options.
 * @param ms in milliseconds; 0 for no limit.
 * @return #NATS_OK; #NATS_INVALID_ARG for NULL or a negative time.
 */
NATS_EXTERN natsStatus natsOptions_SetPongTimeout(natsOptions *opts, int64_t ms);

/**
 * Extension. Has a dead server found within a time, whatever the program is doing: the one knob to turn.
 *
 * Ping interval, PONG timeout and TCP user timeout are derived from it: half of the time each for interval
 * and PONG timeout, after a margin of a tenth (at most 250 ms) for late timers. Shorter values set otherwise
 * stay in force; a ping interval of 0 does not turn the PINGs off while this is set. Default: 0, or what
 * `NATS_DEFAULT_LIB_MAX_DETECTION_TIME` says.
 *
 * @code{.c}
 * natsOptions_SetMaxDetectionTime(opts, 5000); // a PING every 2.375 s, each to be answered within 2.375 s
 * @endcode
 *
 * @param opts the options.
 * @param ms in milliseconds; 0 for no bound. Well above the round-trip time, or a slow network looks dead.
 * @return #NATS_OK; #NATS_INVALID_ARG for NULL or a negative time.
 */
NATS_EXTERN natsStatus natsOptions_SetMaxDetectionTime(natsOptions *opts, int64_t ms);

/**
 * Extension. Lets the system probe idle connections (`SO_KEEPALIVE`), on every socket, those made for a
 * reconnect or by a proxy handler included. It keeps middleboxes from forgetting a connection; a program
 * that does not answer is not found that way, its system still is alive. No effect on sockets that are not
 * TCP. Default: off.
 *
 * @param opts the options.
 * @param on false leaves the sockets alone.
 * @param idle seconds without traffic before the first probe; 0 for the system's value.
 * @param interval seconds between probes; 0 for the system's value.
 * @param count unanswered probes until the socket fails; 0 for the system's value.
 * @return #NATS_OK; #NATS_INVALID_ARG for NULL or a negative number.
 */
NATS_EXTERN natsStatus natsOptions_SetTCPKeepAlive(natsOptions *opts, bool on, int idle, int interval,
                                                   int count);

/**
 * Extension. Lets a socket fail when the peer's system has acknowledged nothing, or taken nothing, of what
 * was sent for a time (`TCP_USER_TIMEOUT`), on every socket. Finds a dead peer only while something is being
 * sent. No effect where the system has none. Default: 0, or what `NATS_DEFAULT_LIB_TCP_USER_TIMEOUT` says.
 *
 * @param opts the options.
 * @param ms in milliseconds; 0 for the system's value, about 15 minutes.
 * @return #NATS_OK; #NATS_INVALID_ARG for NULL or a negative time.
 */
NATS_EXTERN natsStatus natsOptions_SetTCPUserTimeout(natsOptions *opts, int64_t ms);

/**
 * Lets the program's event loop poll the sockets of the connections, instead of the library. It cannot be
 * undone.
 *
 * The loop calls natsConnection_ProcessReadEvent() and natsConnection_ProcessWriteEvent(), and closes a
 * socket with natsConnection_ProcessCloseEvent() only. The functions return #NATS_OK or why they failed.
 *
 * The functions are called one at a time for each connection, on any thread: the program's, or one of the
 * library's that may block. They may use the connection; what that asks of them is called after they return.
 * When a connection is lost or closed, `writeCb` and `readCb` are called with false before any callback, and
 * the library leaves the socket alone from then on.
 *
 * @param opts the options.
 * @param event_loop the program's event loop, passed to `attachCb`.
 * @param attachCb starts polling a socket; it stores data of its own that the other functions get, and finds
 * it again when called after a reconnect.
 * @param readCb starts or stops polling for reading.
 * @param writeCb starts or stops polling for writing.
 * @param detachCb the connection is closed: the loop must call natsConnection_ProcessDetachedEvent() once,
 * which drops the reference to the connection it got when first attached.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL, or the loop or a function is.
 */
NATS_EXTERN natsStatus natsOptions_SetEventLoop(natsOptions *opts, void *event_loop,
                                                natsEvLoop_Attach attachCb, natsEvLoop_ReadAddRemove readCb,
                                                natsEvLoop_WriteAddRemove writeCb,
                                                natsEvLoop_Detach detachCb);

/**
 * Turns TLS on or off for connections made with these options.
 *
 * On: a server that offers no TLS is refused with #NATS_SECURE_CONNECTION_WANTED. Off: every TLS setting
 * made so far is dropped, certificates included; still, a connection to a server that insists on TLS uses
 * it. After either, `tls://` in a URL means nothing any more. Without a call, TLS is on when a URL says
 * `tls://`.
 *
 * The server's certificate is verified: it must come from an authority that the system or these options
 * trust, and be for the host of the URL or the one set with natsOptions_SetExpectedHostname(). TLS 1.2 is
 * the oldest version used.
 *
 * The TLS settings of options are shared with the connections made from them: while one of those exists,
 * functions that change them give #NATS_ILLEGAL_STATE. This one does not.
 *
 * @param opts the options.
 * @param secure true for on. Default: off.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE in a build without TLS, as with
 * all functions about TLS.
 */
NATS_EXTERN natsStatus natsOptions_SetSecure(natsOptions *opts, bool secure);

/**
 * Begins TLS with the first byte, before the server has said anything, and turns TLS on. For servers that
 * are configured to expect that; it cannot be taken back.
 *
 * @param opts the options.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE if a connection made from them
 * exists.
 */
NATS_EXTERN natsStatus natsOptions_TLSHandshakeFirst(natsOptions *opts);

/**
 * Lets a verification callback run for several connections at the same time. Without this call, the callback
 * of connections made from the same options runs for one after the other. Handshakes without a callback
 * never wait for each other.
 *
 * @param opts the options.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE if a connection made from them
 * exists.
 */
NATS_EXTERN natsStatus natsOptions_AllowConcurrentTLSHandshakes(natsOptions *opts);

/**
 * Trusts the authorities whose certificates (PEM) are in a file, in addition to those trusted already.
 *
 * @param opts the options.
 * @param fileName the file; read now.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `fileName` NULL or empty; #NATS_SSL_ERROR if the
 * file cannot be used; #NATS_ILLEGAL_STATE if a connection made from the options exists.
 */
NATS_EXTERN natsStatus natsOptions_LoadCATrustedCertificates(natsOptions *opts, const char *fileName);

/**
 * Trusts the authorities whose certificates (PEM) are in a directory, in addition to those trusted already.
 * The files have names as made by `openssl rehash`.
 *
 * @param opts the options.
 * @param path the directory; looked into during handshakes, so that it need not exist yet.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `path` NULL or empty; #NATS_ILLEGAL_STATE if a
 * connection made from the options exists.
 */
NATS_EXTERN natsStatus natsOptions_LoadCATrustedCertificatesPath(natsOptions *opts, const char *path);

/**
 * Trusts the authorities whose certificates are in a text, in addition to those trusted already. The text
 * may also have revocation lists; from then on a certificate is refused unless a list of its authority says
 * nothing about it.
 *
 * @param opts the options.
 * @param certificates one or more objects in PEM format.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `certificates` NULL or empty; #NATS_SSL_ERROR if
 * there is nothing in PEM format in it, or a damaged certificate; #NATS_ILLEGAL_STATE if a connection made
 * from the options exists.
 */
NATS_EXTERN natsStatus natsOptions_SetCATrustedCertificates(natsOptions *opts, const char *certificates);

/**
 * Sets the certificate chain and the private key (PEM) that identify this client to servers that ask for it.
 *
 * @param opts the options.
 * @param certsFileName file with the client's certificate first, then those of the authorities between; read
 * now.
 * @param keyFileName file with the key of that certificate; read now.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or a name NULL or empty; #NATS_SSL_ERROR if a file
 * cannot be used or the key is another's; #NATS_ILLEGAL_STATE if a connection made from the options exists.
 */
NATS_EXTERN natsStatus natsOptions_LoadCertificatesChain(natsOptions *opts, const char *certsFileName,
                                                         const char *keyFileName);

/**
 * As natsOptions_LoadCertificatesChain(), but the files are read at each connect and reconnect, so that they
 * can be renewed while the program runs.
 *
 * @param opts the options.
 * @param certsFileName file with the certificate chain; not looked at now.
 * @param keyFileName file with the key; not looked at now.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or a name NULL or empty; #NATS_ILLEGAL_STATE if a
 * connection made from the options exists. A file that cannot be used makes the connect fail with
 * #NATS_SSL_ERROR.
 */
NATS_EXTERN natsStatus natsOptions_LoadCertificatesChainDynamic(natsOptions *opts, const char *certsFileName,
                                                                const char *keyFileName);

/**
 * As natsOptions_LoadCertificatesChain(), from texts in PEM format.
 *
 * @param opts the options.
 * @param cert the client's certificate; only the first one of the text is used.
 * @param key its key.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or a text NULL or empty; #NATS_SSL_ERROR if a text
 * cannot be used or the key is another's; #NATS_ILLEGAL_STATE if a connection made from the options exists.
 */
NATS_EXTERN natsStatus natsOptions_SetCertificatesChain(natsOptions *opts, const char *cert, const char *key);

/**
 * Sets the ciphers that may be used with TLS 1.2.
 *
 * @param opts the options.
 * @param ciphers a list in OpenSSL's language, such as `ECDHE+AESGCM:!aNULL`.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL or `ciphers` NULL or empty; #NATS_SSL_ERROR if
 * nothing is left by the list; #NATS_ILLEGAL_STATE if a connection made from the options exists.
 */
NATS_EXTERN natsStatus natsOptions_SetCiphers(natsOptions *opts, const char *ciphers);

/**
 * Sets the cipher suites that may be used with TLS 1.3.
 *
 * @param opts the options.
 * @param ciphers names such as `TLS_AES_256_GCM_SHA384`, separated by colons; empty for none.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` or `ciphers` is NULL; #NATS_SSL_ERROR for an unknown name;
 * #NATS_ILLEGAL_STATE if a connection made from the options exists.
 */
NATS_EXTERN natsStatus natsOptions_SetCipherSuites(natsOptions *opts, const char *ciphers);

/**
 * Sets the name that the server's certificate must be for, in place of the host of the URL.
 *
 * @param opts the options.
 * @param hostname a name, or an address; copied. NULL for the host of the URL.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE if a connection made from them
 * exists.
 */
NATS_EXTERN natsStatus natsOptions_SetExpectedHostname(natsOptions *opts, const char *hostname);

/**
 * Accepts any certificate of a server, without knowing who it is. Not for production.
 *
 * @param opts the options.
 * @param skip true to verify nothing, which also removes a callback set with
 * natsOptions_SetSSLVerificationCallback(). Default: false.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE if a connection made from them
 * exists.
 */
NATS_EXTERN natsStatus natsOptions_SkipServerVerification(natsOptions *opts, bool skip);

/**
 * Lets the program decide on the server's certificates. OpenSSL calls it for each certificate of the chain,
 * and for each thing it finds wrong, on the thread that connects. See also
 * natsOptions_AllowConcurrentTLSHandshakes().
 *
 * @param opts the options.
 * @param callback gets OpenSSL's verdict and its `X509_STORE_CTX *`, returns 1 to accept or 0 to refuse;
 * turns verification on again if it was skipped. NULL removes it.
 * @return #NATS_OK; #NATS_INVALID_ARG if `opts` is NULL; #NATS_ILLEGAL_STATE if a connection made from them
 * exists.
 */
NATS_EXTERN natsStatus natsOptions_SetSSLVerificationCallback(natsOptions *opts, natsSSLVerifyCb callback);

/** @} */

/** \defgroup inboxGroup Inboxes
 *  @{
 */

/**
 * Creates a subject that nobody else uses, to receive replies on. It starts with `_INBOX.`, also when a
 * connection has an inbox prefix of its own. Opens the library if that was not done yet.
 *
 * @param newInbox gets the NUL-terminated subject, to be destroyed with natsInbox_Destroy().
 * @return #NATS_OK; #NATS_INVALID_ARG if `newInbox` is NULL; #NATS_NO_MEMORY; the status of opening the
 * library if that fails.
 */
NATS_EXTERN natsStatus natsInbox_Create(natsInbox **newInbox);

/**
 * Releases a subject made by natsInbox_Create(); NULL is ignored.
 *
 * @param inbox the subject.
 */
NATS_EXTERN void natsInbox_Destroy(natsInbox *inbox);

/** @} */

/** \defgroup headerGroup Headers
 *  @{
 */

/**
 * Creates an empty set of headers.
 *
 * @param new_header gets the headers, to be destroyed with natsHeader_Destroy().
 * @return #NATS_OK; #NATS_INVALID_ARG if `new_header` is NULL.
 */
NATS_EXTERN natsStatus natsHeader_New(natsHeader **new_header);

/**
 * Sets a header: the value replaces all values the key has. Keys are case-sensitive and otherwise taken as
 * they are.
 *
 * @param h the headers.
 * @param key the key, without CR, LF and colon.
 * @param value the value, copied.
 * @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL, or `key` is empty or has one of those
 * characters; #NATS_NO_MEMORY.
 */
NATS_EXTERN natsStatus natsHeader_Set(natsHeader *h, const char *key, const char *value);

/**
 * Adds a value to those a header has already.
 *
 * @param h the headers.
 * @param key the key, without CR, LF and colon.
 * @param value the value, copied.
 * @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL, or `key` is empty or has one of those
 * characters; #NATS_NO_MEMORY.
 */
NATS_EXTERN natsStatus natsHeader_Add(natsHeader *h, const char *key, const char *value);

/**
 * The first value of a header.
 *
 * @param h the headers.
 * @param key the key, matched exactly.
 * @param value gets the value, which belongs to the headers and is valid until this one is set or deleted;
 * NULL on #NATS_NOT_FOUND.
 * @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL or `key` is empty; #NATS_NOT_FOUND without such
 * a header, which does not change the last error.
 */
NATS_EXTERN natsStatus natsHeader_Get(natsHeader *h, const char *key, const char **value);

/**
 * All values of a header, in the order they were added.
 *
 * @param h the headers.
 * @param key the key, matched exactly.
 * @param values gets an array of the values, to be released with `free()`; the values belong to the headers
 * and are valid until this one is set or deleted. NULL on #NATS_NOT_FOUND.
 * @param count gets the number of values, 0 when `values` gets NULL.
 * @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL or `key` is empty; #NATS_NOT_FOUND without such
 * a header, which does not change the last error; #NATS_NO_MEMORY.
 */
NATS_EXTERN natsStatus natsHeader_Values(natsHeader *h, const char *key, const char ***values, int *count);

/**
 * The keys of all headers, in no particular order.
 *
 * @param h the headers.
 * @param keys gets an array of the keys, to be released with `free()`; the keys belong to the headers and
 * are valid until that header is deleted. NULL on #NATS_NOT_FOUND.
 * @param count gets the number of keys, 0 when `keys` gets NULL.
 * @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_NOT_FOUND without any header, which does
 * not change the last error; #NATS_NO_MEMORY.
 */
NATS_EXTERN natsStatus natsHeader_Keys(natsHeader *h, const char ***keys, int *count);

/**
 * The number of keys.
 *
 * @param h the headers.
 * @return the number of keys; 0 if `h` is NULL.
 */
NATS_EXTERN int natsHeader_KeysCount(natsHeader *h);

/**
 * Deletes a header with all its values.
 *
 * @param h the headers.
 * @param key the key, matched exactly.
 * @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL or `key` is empty; #NATS_NOT_FOUND without such
 * a header, which does not change the last error.
 */
NATS_EXTERN natsStatus natsHeader_Delete(natsHeader *h, const char *key);

/**
 * Releases headers with all keys and values; NULL is ignored.
 *
 * @param h the headers.
 */
NATS_EXTERN void natsHeader_Destroy(natsHeader *h);

/** @} */

/** \defgroup msgGroup Messages
 *  @{
 */

/**
 * Creates a message to be published, or as a container of the program's own. Subject, reply and data are
 * copied.
 *
 * @param newMsg gets the message, to be destroyed with natsMsg_Destroy(). Untouched on failure.
 * @param subj the subject; any text that is not empty.
 * @param reply the reply subject, NULL for none.
 * @param data the payload, which may contain NULs; NULL for an empty one.
 * @param dataLen length of the payload in bytes; a negative one counts as 0.
 * @return #NATS_OK; #NATS_INVALID_ARG if `newMsg` is NULL, `subj` NULL or empty, or `reply` empty;
 * #NATS_NO_MEMORY.
 */
NATS_EXTERN natsStatus natsMsg_Create(natsMsg **newMsg, const char *subj, const char *reply, const char *data,
                                      int dataLen);

/**
 * The subject of a message.
 *
 * @param msg the message.
 * @return the subject, which belongs to the message; NULL if `msg` is NULL.
 */
NATS_EXTERN const char *natsMsg_GetSubject(const natsMsg *msg);

/**
 * The reply subject of a message.
 *
 * @param msg the message.
 * @return the reply subject, which belongs to the message; NULL if there is none or `msg` is NULL.
 */
NATS_EXTERN const char *natsMsg_GetReply(const natsMsg *msg);

/**
 * Makes bytes of the program the payload of a message, without copying them.
 *
 * The bytes must stay valid and unchanged until the message is destroyed or gets other data; destroying the
 * message does not release them. They need no NUL at the end, so natsMsg_GetData() may return text without
 * one.
 *
 * @param msg the message, created or received.
 * @param data the payload; NULL only together with length 0.
 * @param len length of the payload in bytes.
 * @return #NATS_OK; #NATS_INVALID_ARG if `msg` is NULL, `len` negative, or `data` NULL with another length
 * than 0. The message keeps the data it had then.
 */
NATS_EXTERN natsStatus natsMsg_SetData(natsMsg *msg, const void *data, int len);

/**
 * The payload of a message.
 *
 * A NUL follows the payload, which does not count in its length, unless the payload was set with
 * natsMsg_SetData(). The payload may itself contain NULs.
 *
 * @param msg the message.
 * @return the payload, which belongs to the message; NULL if it is empty or `msg` is NULL.
 */
NATS_EXTERN const char *natsMsg_GetData(const natsMsg *msg);

/**
 * Length of the payload of a message.
 *
 * @param msg the message.
 * @return the length in bytes, without headers; 0 if `msg` is NULL.
 */
NATS_EXTERN int natsMsg_GetDataLength(const natsMsg *msg);

/**
 * Sets a header: the value replaces all values the key has.
 *
 * Keys are case-sensitive and otherwise taken as they are. A CR or LF in a value is sent as a space. Like
 * all functions about headers this one may take received headers apart, so a message must not be used by two
 * threads at once. Lines of received headers that are malformed, but not the last one, are left out then.
 *
 * @param msg the message.
 * @param key the key, without CR, LF and colon.
 * @param value the value, copied; NULL stands for none and is sent as an empty one.
 * @return #NATS_OK; #NATS_INVALID_ARG if `msg` is NULL, or `key` NULL, empty or with one of those
 * characters; #NATS_PROTOCOL_ERROR if version or end of a received message's headers are malformed;
 * #NATS_NO_MEMORY.
 */
NATS_EXTERN natsStatus natsMsgHeader_Set(natsMsg *msg, const char *key, const char *value);

/**
 * Adds a value to those a header has already.
 *
 * @param msg the message.
 * @param key the key, see natsMsgHeader_Set().
 * @param value the value, copied; NULL stands for none and is sent as an empty one.
 * @return #NATS_OK; #NATS_INVALID_ARG if `msg` is NULL, or `key` NULL, empty or with one of those
 * characters; #NATS_PROTOCOL_ERROR if version or end of a received message's headers are malformed;
 * #NATS_NO_MEMORY.
 */
NATS_EXTERN natsStatus natsMsgHeader_Add(natsMsg *msg, const char *key, const char *value);

/**
 * The first value of a header.
 *
 * @param msg the message.
 * @param key the key, matched exactly.
 * @param value gets the value, which belongs to the message and is valid until this header is set or
 * deleted; it is NULL for a header set to NULL, and on #NATS_NOT_FOUND and #NATS_PROTOCOL_ERROR.
 * @return #NATS_OK; #NATS_INVALID_ARG if `msg` or `value` is NULL, or `key` NULL or empty; #NATS_NOT_FOUND
 * without such a header, which does not change the last error; #NATS_PROTOCOL_ERROR as from
 * natsMsgHeader_Set(); #NATS_NO_MEMORY.
 */
NATS_EXTERN natsStatus natsMsgHeader_Get(natsMsg *msg, const char *key, const char **value);

/**
 * All values of a header, in the order they were added.
 *
 * @param msg the message.
 * @param key the key, matched exactly.
 * @param values gets an array of the values, to be released with `free()`; the values belong to the message
 * and are valid until this header is set or deleted. NULL on #NATS_NOT_FOUND and #NATS_PROTOCOL_ERROR.
 * @param count gets the number of values, 0 when `values` gets NULL.
 * @return #NATS_OK; #NATS_INVALID_ARG if `msg`, `values` or `count` is NULL, or `key` NULL or empty;
 * #NATS_NOT_FOUND without such a header, which does not change the last error; #NATS_PROTOCOL_ERROR as from
 * natsMsgHeader_Set(); #NATS_NO_MEMORY.
 */
NATS_EXTERN natsStatus natsMsgHeader_Values(natsMsg *msg, const char *key, const char ***values, int *count);

/**
 * The keys of all headers, in no particular order.
 *
 * @param msg the message.
 * @param keys gets an array of the keys, to be released with `free()`; the keys belong to the message and
 * are valid until that header is deleted. NULL on #NATS_NOT_FOUND and #NATS_PROTOCOL_ERROR.
 * @param count gets the number of keys, 0 when `keys` gets NULL.
 * @return #NATS_OK; #NATS_INVALID_ARG if `msg`, `keys` or `count` is NULL; #NATS_NOT_FOUND without any
 * header, which does not change the last error; #NATS_PROTOCOL_ERROR as from natsMsgHeader_Set();
 * #NATS_NO_MEMORY.
 */
NATS_EXTERN natsStatus natsMsgHeader_Keys(natsMsg *msg, const char ***keys, int *count);

/**
 * Deletes a header with all its values. A message that lost its last header this way is still sent with an
 * empty header block.
 *
 * @param msg the message.
 * @param key the key, matched exactly.
 * @return #NATS_OK; #NATS_INVALID_ARG if `msg` is NULL, or `key` NULL or empty; #NATS_NOT_FOUND without such
 * a header, which does not change the last error; #NATS_PROTOCOL_ERROR as from natsMsgHeader_Set();
 * #NATS_NO_MEMORY.
 */
NATS_EXTERN natsStatus natsMsgHeader_Delete(natsMsg *msg, const char *key);

/**
 * Length of the headers of a message on the wire, from the version line to the empty line at the end.
 *
 * @param msg the message.
 * @return the length in bytes; 0 without headers or if `msg` is NULL.
 */
NATS_EXTERN int natsMsgHeader_EncodedLength(const natsMsg *msg);

/**
 * Whether a message is the server's answer to a request that nobody listens to: no payload and status 503.
 * Requests report this as #NATS_NO_RESPONDERS themselves; callbacks of a subscription get the message.
 *
 * @param msg the message.
 * @return `true` for such a message; `false` for any other and if `msg` is NULL.
 */
NATS_EXTERN bool natsMsg_IsNoResponders(natsMsg *msg);

/**
 * Releases a message; NULL is ignored. Any thread may do this, also after the connection and the
 * subscription of the message are gone.
 *
 * @param msg the message.
 */
NATS_EXTERN void natsMsg_Destroy(natsMsg *msg);

/**
 * Destroys the messages of a list and the array that holds them, and makes the list an empty one. Entries
 * that are NULL are skipped: to keep a message, put NULL in its place. The struct itself is the program's.
 *
 * @param list the list; NULL, or one without array, is ignored.
 */
NATS_EXTERN void natsMsgList_Destroy(natsMsgList *list);

/**
 * The sequence of a message in its stream.
 *
 * @param msg the message.
 * @return the sequence; 0 for a message that does not come from a stream's direct access, and if `msg` is
 * NULL.
 */
NATS_EXTERN uint64_t natsMsg_GetSequence(natsMsg *msg);

/**
 * When the stream stored a message.
 *
 * @param msg the message.
 * @return nanoseconds since 1970-01-01 UTC; 0 for a message that does not come from a stream's direct
 * access, and if `msg` is NULL.
 */
NATS_EXTERN int64_t natsMsg_GetTime(natsMsg *msg);

/** @} */

/** \defgroup statsGroup Statistics
 *  @{
 */

/**
 * Creates a statistics object for natsConnection_GetStats(); all counters are 0.
 *
 * @param newStats gets the object, to be destroyed with natsStatistics_Destroy().
 * @return #NATS_OK; #NATS_INVALID_ARG if `newStats` is NULL.
 */
NATS_EXTERN natsStatus natsStatistics_Create(natsStatistics **newStats);

/**
 * Reads the counters. Each of the pointers behind `stats` may be NULL, that counter is left out then.
 *
 * @param stats the statistics object.
 * @param inMsgs gets the number of messages received.
 * @param inBytes gets the bytes received: headers and payloads.
 * @param outMsgs gets the number of messages sent.
 * @param outBytes gets the bytes sent: headers and payloads.
 * @param reconnects gets how often the connection was made again.
 * @return #NATS_OK; #NATS_INVALID_ARG if `stats` is NULL, nothing is stored then.
 */
NATS_EXTERN natsStatus natsStatistics_GetCounts(const natsStatistics *stats, uint64_t *inMsgs,
                                                uint64_t *inBytes, uint64_t *outMsgs, uint64_t *outBytes,
                                                uint64_t *reconnects);

/**
 * Releases a statistics object; NULL is ignored.
 *
 * @param stats the statistics object.
 */
NATS_EXTERN void natsStatistics_Destroy(natsStatistics *stats);

/** @} */

/** \defgroup connectionGroup Connections
 *  @{
 */

/**
 * Connects to one of the servers of the options.
 *
 * Each server gets the connect timeout of the options for name resolution, TCP, TLS and the first exchange.
 * The options are copied; they can be changed or destroyed afterwards.
 *
 * @param nc receives the connection, which the caller ends with natsConnection_Destroy(); untouched on
 * failure, except for #NATS_NOT_YET_CONNECTED.
 * @param options NULL is the same as default options.
 * @return #NATS_OK; #NATS_NO_SERVER when no server could be reached; #NATS_TIMEOUT;
 * #NATS_CONNECTION_AUTH_FAILED; #NATS_INVALID_ARG for a malformed URL; #NATS_NOT_YET_CONNECTED with
 * natsOptions_SetRetryOnFailedConnect() and a callback: the connection then goes on trying; other statuses
 * of the first exchange.
 */
NATS_EXTERN natsStatus natsConnection_Connect(natsConnection **nc, natsOptions *options);

/**
 * Connects with default options to one of the servers in `urls`, a list separated by commas. NULL connects
 * to `nats://localhost:4222`.
 *
 * @param nc receives the connection, which the caller ends with natsConnection_Destroy(); untouched on
 * failure.
 * @param urls the URLs.
 * @return as natsConnection_Connect().
 */
NATS_EXTERN natsStatus natsConnection_ConnectTo(natsConnection **nc, const char *urls);

/**
 * Breaks the connection off and reconnects, as if it had been lost: the reconnect wait comes first.
 *
 * @param nc the connection.
 * @return #NATS_OK; #NATS_INVALID_ARG if `nc` is NULL; #NATS_CONNECTION_CLOSED. OK without effect while it
 * reconnects already; with reconnects not allowed it closes.
 */
NATS_EXTERN natsStatus natsConnection_Reconnect(natsConnection *nc);

/**
 * Whether the connection is closed for good.
 *
 * @param nc the connection.
 * @return true if it is closed, for NULL, and for a connection of the parent process after fork().
 */
NATS_EXTERN bool natsConnection_IsClosed(natsConnection *nc);

/**
 * Whether the connection is lost and being re-established. Stays true when it was closed then.
 *
 * @param nc the connection.
 * @return true while it reconnects; false for NULL.
 */
NATS_EXTERN bool natsConnection_IsReconnecting(natsConnection *nc);

/**
 * Whether the connection is draining. The close that ends a drain ends this, too.
 *
 * @param nc the connection.
 * @return true while it drains; false for NULL.
 */
NATS_EXTERN bool natsConnection_IsDraining(natsConnection *nc);

/**
 * The state of the connection. Never waits for anything.
 *
 * @param nc the connection.
 * @return the state; #NATS_CONN_STATUS_CLOSED for NULL and for a connection of the parent process after
 * fork().
 */
NATS_EXTERN natsConnStatus natsConnection_Status(natsConnection *nc);

/**
 * Bytes published and not written to the socket yet. Those that wait for a reconnect are not counted.
 *
 * @param nc the connection.
 * @return the number of bytes; -1 for NULL, and for a connection that is closed or was never up.
 */
NATS_EXTERN int natsConnection_Buffered(natsConnection *nc);

/**
 * Waits until the server has received everything published so far, for 10 seconds at most.
 *
 * As natsConnection_FlushTimeout() in everything else.
 */
NATS_EXTERN natsStatus natsConnection_Flush(natsConnection *nc);

/**
 * Waits until the server has received everything published so far: sends a PING and waits for its PONG.
 * While the connection is being re-established, for the new one.
 *
 * @param nc the connection.
 * @param timeout milliseconds to wait, above 0.
 * @return #NATS_OK; #NATS_INVALID_ARG if `nc` is NULL; #NATS_INVALID_TIMEOUT; #NATS_CONNECTION_CLOSED;
 * #NATS_TIMEOUT; #NATS_CONNECTION_DISCONNECTED when the connection is lost during the wait. May be called in
 * any callback.
 */
NATS_EXTERN natsStatus natsConnection_FlushTimeout(natsConnection *nc, int64_t timeout);

/**
 * The largest message the server takes, headers and payload together, in bytes.
 *
 * @param nc the connection.
 * @return the number of bytes; 0 for NULL and before the first connect.
 */
NATS_EXTERN int64_t natsConnection_GetMaxPayload(natsConnection *nc);

/**
 * Copies the counters of a connection into a statistics object.
 *
 * @param nc the connection.
 * @param stats an object of natsStatistics_Create(); its counters are replaced.
 * @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL. Works on a closed connection.
 */
NATS_EXTERN natsStatus natsConnection_GetStats(natsConnection *nc, natsStatistics *stats);

/**
 * Copies the URL of the server connected to, credentials included; "" unless connected.
 *
 * @param nc the connection.
 * @param buffer receives the text and a NUL; emptied first.
 * @param bufferSize its size in bytes.
 * @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_INSUFFICIENT_BUFFER.
 */
NATS_EXTERN natsStatus natsConnection_GetConnectedUrl(natsConnection *nc, char *buffer, size_t bufferSize);

/**
 * Copies the id of the server connected to; "" unless connected.
 *
 * As natsConnection_GetConnectedUrl() in everything else.
 */
NATS_EXTERN natsStatus natsConnection_GetConnectedServerId(natsConnection *nc, char *buffer,
                                                           size_t bufferSize);

/**
 * Copies the name of the server connected to; "" unless connected, and for a server that tells none.
 *
 * As natsConnection_GetConnectedUrl() in everything else.
 */
NATS_EXTERN natsStatus natsConnection_GetConnectedServerName(natsConnection *nc, char *buffer,
                                                             size_t bufferSize);

/**
 * The servers this connection may use, in the order of the pool, without credentials.
 *
 * @param nc the connection.
 * @param servers receives an array of strings; the caller frees each string and the array with `free()`.
 * NULL when there is none left.
 * @param count receives their number.
 * @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_NO_MEMORY.
 */
NATS_EXTERN natsStatus natsConnection_GetServers(natsConnection *nc, char ***servers, int *count);

/**
 * The servers of the pool that were announced by a server, without credentials.
 *
 * As natsConnection_GetServers() in everything else, except that the array is never NULL.
 */
NATS_EXTERN natsStatus natsConnection_GetDiscoveredServers(natsConnection *nc, char ***servers, int *count);

/**
 * The connection's last error. Deprecated: natsConnection_ReadLastError() copies the text.
 *
 * @param nc the connection.
 * @param lastError receives the text, "" for no error. It belongs to the connection and is there until that
 * is destroyed; the address is always the same, the text there is replaced by the next call.
 * @return the status of the last error, #NATS_INVALID_ARG if an argument is NULL.
 */
NATS_EXTERN natsStatus natsConnection_GetLastError(natsConnection *nc, const char **lastError);

/**
 * Copies the text of the connection's last error.
 *
 * @param nc the connection.
 * @param buf receives the text, cut to fit and always NUL-terminated; a cut text ends in `...`. May be NULL.
 * @param n size of `buf` in bytes.
 * @return the status of the last error (#NATS_OK for none), #NATS_INVALID_ARG for a NULL connection.
 */
NATS_EXTERN natsStatus natsConnection_ReadLastError(natsConnection *nc, char *buf, size_t n);

/**
 * The number that the server has given this connection.
 *
 * @param nc the connection.
 * @param cid receives the number; 0 if the server gives none.
 * @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_CONNECTION_CLOSED;
 * #NATS_NO_SERVER_SUPPORT (and 0 stored) when the server gives none.
 */
NATS_EXTERN natsStatus natsConnection_GetClientID(natsConnection *nc, uint64_t *cid);

/**
 * Drains the connection: subscriptions first, then what was published, then it closes. Does not wait; gives
 * up after 30 seconds.
 *
 * As natsConnection_DrainTimeout() in everything else.
 */
NATS_EXTERN natsStatus natsConnection_Drain(natsConnection *nc);

/**
 * Drains the connection within a time of the program's choice.
 *
 * While the subscriptions drain, publishing still works and subscribing does not. Failures are reported to
 * the error handler; the closed callback tells the end.
 *
 * @param nc the connection.
 * @param timeout milliseconds for the subscriptions; 0 or less for no limit.
 * @return #NATS_OK; #NATS_INVALID_ARG if `nc` is NULL; #NATS_CONNECTION_CLOSED; #NATS_ILLEGAL_STATE while it
 * is not connected; #NATS_SYS_ERROR when the system gives no thread for it (the connection goes on as
 * before). OK without effect when it drains already.
 */
NATS_EXTERN natsStatus natsConnection_DrainTimeout(natsConnection *nc, int64_t timeout);

/**
 * Signs a message with the seed of the connection's credentials. Works in any state of the connection.
 *
 * @param nc a connection with credentials from files or memory, or an NKey from a seed.
 * @param message the bytes; a non-NULL message with length 0 is taken as a C string.
 * @param messageLen their number.
 * @param sig receives the 64 bytes of the signature, not NUL-terminated.
 * @return #NATS_OK; #NATS_INVALID_ARG; #NATS_ERR when there is nothing to sign with or it cannot be read.
 */
NATS_EXTERN natsStatus natsConnection_Sign(natsConnection *nc, const unsigned char *message, int messageLen,
                                           unsigned char *sig);

/**
 * The address the server sees this connection come from.
 *
 * @param nc the connection.
 * @param ip receives the text, to be freed with `free()`; NULL on failure.
 * @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_CONNECTION_CLOSED;
 * #NATS_NO_SERVER_SUPPORT when the server does not tell.
 */
NATS_EXTERN natsStatus natsConnection_GetClientIP(natsConnection *nc, char **ip);

/**
 * The name given with natsOptions_SetName().
 *
 * @param nc the connection.
 * @return the name, which belongs to the connection; NULL for none and for a NULL connection.
 */
NATS_EXTERN const char *natsConnection_GetName(natsConnection *nc);

/**
 * Measures the time from a PING to its PONG.
 *
 * @param nc the connection.
 * @param rtt receives nanoseconds.
 * @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_CONNECTION_CLOSED;
 * #NATS_CONNECTION_DISCONNECTED while it reconnects; #NATS_TIMEOUT after 10 seconds.
 */
NATS_EXTERN natsStatus natsConnection_GetRTT(natsConnection *nc, int64_t *rtt);

/**
 * Whether the server takes messages with headers.
 *
 * @param nc the connection.
 * @return #NATS_OK if so; #NATS_NO_SERVER_SUPPORT if not; #NATS_INVALID_ARG if `nc` is NULL.
 */
NATS_EXTERN natsStatus natsConnection_HasHeaderSupport(natsConnection *nc);

/**
 * Address and port of this end of the connection.
 *
 * @param nc the connection.
 * @param ip receives the address, to be freed with `free()`; NULL on failure.
 * @param port receives the port, 0 on failure.
 * @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_CONNECTION_CLOSED;
 * #NATS_CONNECTION_DISCONNECTED while there is no socket; #NATS_SYS_ERROR.
 */
NATS_EXTERN natsStatus natsConnection_GetLocalIPAndPort(natsConnection *nc, char **ip, int *port);

/**
 * Closes a connection for good: what was published goes out first if the server takes it within half a
 * second, who waits for something is released with #NATS_CONNECTION_CLOSED, subscriptions end. The handle
 * stays valid for getters until natsConnection_Destroy(). NULL is ignored. May be called in any callback.
 *
 * @param nc the connection.
 */
NATS_EXTERN void natsConnection_Close(natsConnection *nc);

/**
 * Closes a connection and gives the handle back. Callbacks may still run afterwards; subscriptions stay
 * valid handles until they are destroyed. NULL is ignored. May be called in any callback.
 *
 * @param nc the connection.
 */
NATS_EXTERN void natsConnection_Destroy(natsConnection *nc);

/** @} */

/** \defgroup publishGroup Publishing
 *  @{
 */

/**
 * Publishes `dataLen` bytes of `data` on `subj`.
 *
 * The data is copied before the call returns and goes out with the next write, at the latest a few
 * milliseconds later. While the connection is being re-established the message waits in the reconnect
 * buffer. The call may wait for room while the server does not read, but no longer than it takes to find the
 * connection stale.
 *
 * @param nc the connection.
 * @param subj the subject; must not hold blanks, CR or LF.
 * @param data the payload, may be NULL when `dataLen` is 0.
 * @param dataLen its length in bytes.
 * @return #NATS_OK; #NATS_INVALID_ARG for a NULL connection; #NATS_INVALID_SUBJECT; #NATS_CONNECTION_CLOSED;
 * #NATS_DRAINING; #NATS_MAX_PAYLOAD; #NATS_INSUFFICIENT_BUFFER when the reconnect buffer is full;
 * #NATS_NO_MEMORY when there is no room for the message, of which nothing is sent then; #NATS_TIMEOUT when
 * the write deadline passed. Any thread may call it, callbacks too.
 */
NATS_EXTERN natsStatus natsConnection_Publish(natsConnection *nc, const char *subj, const void *data,
                                              int dataLen);

/**
 * Publishes a text, without its terminating NUL; NULL is an empty message.
 *
 * As natsConnection_Publish() in everything else.
 */
NATS_EXTERN natsStatus natsConnection_PublishString(natsConnection *nc, const char *subj, const char *str);

/**
 * Publishes a message with its headers, reply subject and payload. The message stays the caller's and can be
 * published again.
 *
 * @param nc the connection.
 * @param msg the message; stays the caller's.
 * @return as natsConnection_Publish(), and #NATS_INVALID_ARG for a NULL message, #NATS_NO_SERVER_SUPPORT for
 * headers that the server does not support.
 */
NATS_EXTERN natsStatus natsConnection_PublishMsg(natsConnection *nc, natsMsg *msg);

/**
 * Publishes with a reply subject, without waiting for a reply.
 *
 * @param nc the connection.
 * @param subj the subject, as for natsConnection_Publish().
 * @param reply the subject that replies go to.
 * @param data the payload; may be NULL when `dataLen` is 0.
 * @param dataLen its length in bytes.
 * @return as natsConnection_Publish(), and #NATS_INVALID_ARG when `reply` is NULL or empty.
 */
NATS_EXTERN natsStatus natsConnection_PublishRequest(natsConnection *nc, const char *subj, const char *reply,
                                                     const void *data, int dataLen);

/**
 * Publishes a text with a reply subject, without waiting for a reply.
 *
 * As natsConnection_PublishRequest() in everything else.
 */
NATS_EXTERN natsStatus natsConnection_PublishRequestString(natsConnection *nc, const char *subj,
                                                           const char *reply, const char *str);

/**
 * Publishes and writes everything that is buffered to the socket before it returns.
 *
 * As natsConnection_Publish() in everything else.
 */
NATS_EXTERN natsStatus natsConnection_Send(natsConnection *nc, const char *subj, const void *data,
                                           int dataLen);

/**
 * Publishes a message and writes everything that is buffered to the socket before it returns.
 *
 * As natsConnection_PublishMsg() in everything else.
 */
NATS_EXTERN natsStatus natsConnection_SendMsg(natsConnection *nc, natsMsg *msg);

/**
 * Publishes with a reply subject and writes everything that is buffered to the socket before it returns.
 *
 * As natsConnection_PublishRequest() in everything else.
 */
NATS_EXTERN natsStatus natsConnection_SendRequest(natsConnection *nc, const char *subj, const char *reply,
                                                  const void *data, int dataLen);

/**
 * Sends a request and waits for its first reply.
 *
 * @param replyMsg receives the reply, which the caller destroys; set to NULL on failure.
 * @param nc the connection.
 * @param subj the subject of the request.
 * @param data the payload, may be NULL when `dataLen` is 0.
 * @param dataLen its length in bytes.
 * @param timeout how long to wait, in milliseconds; with 0 or less the request is sent but not waited for.
 * @return #NATS_OK; #NATS_TIMEOUT; #NATS_NO_RESPONDERS when the server knows that nobody listens;
 * #NATS_INVALID_ARG; #NATS_CONNECTION_CLOSED; #NATS_CONNECTION_DISCONNECTED (only with
 * natsOptions_SetFailRequestsOnDisconnect()), or a status of natsConnection_Publish(). May be called in a
 * message handler.
 */
NATS_EXTERN natsStatus natsConnection_Request(natsMsg **replyMsg, natsConnection *nc, const char *subj,
                                              const void *data, int dataLen, int64_t timeout);

/**
 * Sends a text as a request and waits for its first reply.
 *
 * As natsConnection_Request() in everything else.
 */
NATS_EXTERN natsStatus natsConnection_RequestString(natsMsg **replyMsg, natsConnection *nc, const char *subj,
                                                    const char *str, int64_t timeout);

/**
 * Sends a message, headers included, as a request and waits for its first reply. The message's own reply
 * subject is not used; the message stays the caller's.
 *
 * As natsConnection_Request() in everything else.
 */
NATS_EXTERN natsStatus natsConnection_RequestMsg(natsMsg **replyMsg, natsConnection *nc, natsMsg *requestMsg,
                                                 int64_t timeout);

/** @} */

/** \defgroup subscribeGroup Subscribing
 *  @{
 */

/**
 * Subscribes; messages are delivered to a callback, one at a time and in order.
 *
 * @param sub receives the subscription, which the caller ends with natsSubscription_Destroy(); untouched on
 * failure.
 * @param nc the connection.
 * @param subject the subject, may hold the wildcards `*` and `>`.
 * @param cb called for each message on a delivery thread; it owns the message and destroys it.
 * @param cbClosure handed to `cb`.
 * @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_INVALID_SUBJECT;
 * #NATS_CONNECTION_CLOSED; #NATS_DRAINING while the connection drains; #NATS_SYS_ERROR when the system gives
 * no thread to deliver on. A server that cannot be reached at this moment is no failure: the subscription is
 * made when it can.
 */
NATS_EXTERN natsStatus natsConnection_Subscribe(natsSubscription **sub, natsConnection *nc,
                                                const char *subject, natsMsgHandler cb, void *cbClosure);

/**
 * Subscribes; the callback also runs, with a NULL message, each time nothing arrived for a while.
 *
 * As natsConnection_Subscribe() in everything else.
 *
 * @param timeout time without messages after which the handler runs, in milliseconds, above 0.
 * @return as natsConnection_Subscribe(); #NATS_INVALID_ARG also for a timeout of 0 or less.
 */
NATS_EXTERN natsStatus natsConnection_SubscribeTimeout(natsSubscription **sub, natsConnection *nc,
                                                       const char *subject, int64_t timeout,
                                                       natsMsgHandler cb, void *cbClosure);

/**
 * Subscribes; messages are read with natsSubscription_NextMsg().
 *
 * As natsConnection_Subscribe() in everything else.
 */
NATS_EXTERN natsStatus natsConnection_SubscribeSync(natsSubscription **sub, natsConnection *nc,
                                                    const char *subject);

/**
 * Subscribes as a member of a queue group; messages are delivered to a callback.
 *
 * As natsConnection_Subscribe() in everything else.
 *
 * @param queueGroup the group: each message goes to one member of it; no white space.
 * @return as natsConnection_Subscribe(); #NATS_INVALID_ARG also if `queueGroup` is NULL or empty;
 * #NATS_INVALID_QUEUE_NAME if it has white space.
 */
NATS_EXTERN natsStatus natsConnection_QueueSubscribe(natsSubscription **sub, natsConnection *nc,
                                                     const char *subject, const char *queueGroup,
                                                     natsMsgHandler cb, void *cbClosure);

/**
 * Subscribes as a member of a queue group; the callback also runs, with a NULL message, each time nothing
 * arrived for a while.
 *
 * As natsConnection_SubscribeTimeout() in everything else.
 *
 * @param queueGroup the group: each message goes to one member of it; no white space.
 * @return as natsConnection_SubscribeTimeout(); #NATS_INVALID_QUEUE_NAME as for
 * natsConnection_QueueSubscribe().
 */
NATS_EXTERN natsStatus natsConnection_QueueSubscribeTimeout(natsSubscription **sub, natsConnection *nc,
                                                            const char *subject, const char *queueGroup,
                                                            int64_t timeout, natsMsgHandler cb,
                                                            void *cbClosure);

/**
 * Subscribes as a member of a queue group; messages are read with natsSubscription_NextMsg().
 *
 * As natsConnection_Subscribe() in everything else.
 *
 * @param queueGroup the group: each message goes to one member of it; no white space.
 * @return as natsConnection_Subscribe(); #NATS_INVALID_QUEUE_NAME as for natsConnection_QueueSubscribe().
 */
NATS_EXTERN natsStatus natsConnection_QueueSubscribeSync(natsSubscription **sub, natsConnection *nc,
                                                         const char *subject, const char *queueGroup);

/** @} */

/** \defgroup subscriptionGroup Subscriptions
 *  @{
 */

/**
 * Does nothing: there is no delivery delay to switch off. Kept for old programs.
 *
 * @param sub the subscription.
 * @return #NATS_OK; #NATS_INVALID_ARG if `sub` is NULL.
 */
NATS_EXTERN natsStatus natsSubscription_NoDeliveryDelay(natsSubscription *sub);

/**
 * Takes the next message of a synchronous subscription.
 *
 * @param nextMsg receives the message, which the caller destroys; untouched on failure.
 * @param sub the subscription.
 * @param timeout how long to wait for a message, in milliseconds; 0 or less takes only what is there.
 * @return #NATS_OK; #NATS_TIMEOUT; #NATS_INVALID_ARG; #NATS_CONNECTION_CLOSED; #NATS_MAX_DELIVERED_MSGS when
 * the auto-unsubscribe limit is reached; #NATS_INVALID_SUBSCRIPTION; #NATS_ILLEGAL_STATE for a subscription
 * with a callback; #NATS_SLOW_CONSUMER once after messages were dropped; #NATS_NO_RESPONDERS.
 */
NATS_EXTERN natsStatus natsSubscription_NextMsg(natsMsg **nextMsg, natsSubscription *sub, int64_t timeout);

/**
 * Ends a subscription. Messages not delivered yet are dropped; a running callback is not waited for.
 *
 * @param sub the subscription.
 * @return #NATS_OK; #NATS_INVALID_ARG if `sub` is NULL; #NATS_CONNECTION_CLOSED; #NATS_INVALID_SUBSCRIPTION
 * when it has ended already.
 */
NATS_EXTERN natsStatus natsSubscription_Unsubscribe(natsSubscription *sub);

/**
 * Ends a subscription after it has received `max` messages in all, those already received included. With 0,
 * or when that many were delivered already, it ends at once.
 *
 * @param sub the subscription.
 * @param max messages in all.
 * @return as natsSubscription_Unsubscribe().
 */
NATS_EXTERN natsStatus natsSubscription_AutoUnsubscribe(natsSubscription *sub, int max);

/**
 * Number of messages received and not delivered yet.
 *
 * @param sub the subscription.
 * @param queuedMsgs receives the number.
 * @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_INVALID_SUBSCRIPTION once it has ended.
 */
NATS_EXTERN natsStatus natsSubscription_QueuedMsgs(natsSubscription *sub, uint64_t *queuedMsgs);

/**
 * The connection a subscription belongs to, also after the subscription has ended.
 *
 * @param sub the subscription.
 * @return the connection, whose handle is valid as long as the subscription's; NULL for NULL.
 */
NATS_EXTERN natsConnection *natsSubscription_GetConnection(natsSubscription *sub);

/**
 * The subscription's number on its connection.
 *
 * @param sub the subscription.
 * @return the number, from 1; 0 for NULL and once it has ended.
 */
NATS_EXTERN int64_t natsSubscription_GetID(natsSubscription *sub);

/**
 * The subject subscribed to.
 *
 * @param sub the subscription.
 * @return the subject, which belongs to the subscription; NULL for NULL and once it has ended.
 */
NATS_EXTERN const char *natsSubscription_GetSubject(natsSubscription *sub);

/**
 * Limits what may wait for delivery; a message that would go over a limit is dropped (slow consumer).
 *
 * @param sub the subscription.
 * @param msgLimit number of messages, below 0 for no limit.
 * @param bytesLimit their headers and payloads in bytes, below 0 for no limit.
 * @return #NATS_OK; #NATS_INVALID_ARG for NULL or a limit of 0; #NATS_INVALID_SUBSCRIPTION once it has
 * ended.
 */
NATS_EXTERN natsStatus natsSubscription_SetPendingLimits(natsSubscription *sub, int msgLimit, int bytesLimit);

/**
 * The limits of what may wait for delivery.
 *
 * @param sub the subscription.
 * @param msgLimit receives the number of messages, below 0 for no limit; may be NULL.
 * @param bytesLimit receives the number of bytes, below 0 for no limit; may be NULL.
 * @return #NATS_OK; #NATS_INVALID_ARG if `sub` is NULL; #NATS_INVALID_SUBSCRIPTION once it has ended.
 */
NATS_EXTERN natsStatus natsSubscription_GetPendingLimits(natsSubscription *sub, int *msgLimit,
                                                         int *bytesLimit);

/**
 * What waits for delivery: messages, and their headers and payloads in bytes.
 *
 * @param sub the subscription.
 * @param msgs receives the number of messages; may be NULL.
 * @param bytes receives the number of bytes; may be NULL.
 * @return #NATS_OK; #NATS_INVALID_ARG if `sub` is NULL; #NATS_INVALID_SUBSCRIPTION once it has ended.
 */
NATS_EXTERN natsStatus natsSubscription_GetPending(natsSubscription *sub, int *msgs, int *bytes);

/**
 * Number of messages delivered so far.
 *
 * @param sub the subscription.
 * @param msgs receives the number.
 * @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_INVALID_SUBSCRIPTION once it has ended.
 */
NATS_EXTERN natsStatus natsSubscription_GetDelivered(natsSubscription *sub, int64_t *msgs);

/**
 * Number of messages dropped so far because a limit was reached.
 *
 * @param sub the subscription.
 * @param msgs receives the number.
 * @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_INVALID_SUBSCRIPTION once it has ended.
 */
NATS_EXTERN natsStatus natsSubscription_GetDropped(natsSubscription *sub, int64_t *msgs);

/**
 * The most that ever waited for delivery: messages and bytes, each for itself.
 *
 * @param sub the subscription.
 * @param msgs receives the number of messages; may be NULL.
 * @param bytes receives the number of bytes; may be NULL.
 * @return #NATS_OK; #NATS_INVALID_ARG if `sub` is NULL; #NATS_INVALID_SUBSCRIPTION once it has ended.
 */
NATS_EXTERN natsStatus natsSubscription_GetMaxPending(natsSubscription *sub, int *msgs, int *bytes);

/**
 * Starts the high-water marks of natsSubscription_GetMaxPending() again from 0.
 *
 * @param sub the subscription.
 * @return #NATS_OK; #NATS_INVALID_ARG if `sub` is NULL; #NATS_INVALID_SUBSCRIPTION once it has ended.
 */
NATS_EXTERN natsStatus natsSubscription_ClearMaxPending(natsSubscription *sub);

/**
 * All counters of a subscription in one consistent look. Any out parameter may be NULL.
 *
 * @param sub the subscription.
 * @param pendingMsgs receives the messages that wait for delivery.
 * @param pendingBytes receives their headers and payloads in bytes.
 * @param maxPendingMsgs receives the most messages that ever waited.
 * @param maxPendingBytes receives the most bytes that ever waited.
 * @param deliveredMsgs receives the number of messages delivered.
 * @param droppedMsgs receives the number of messages dropped.
 * @return #NATS_OK; #NATS_INVALID_ARG if `sub` is NULL; #NATS_INVALID_SUBSCRIPTION once it has ended.
 */
NATS_EXTERN natsStatus natsSubscription_GetStats(natsSubscription *sub, int *pendingMsgs, int *pendingBytes,
                                                 int *maxPendingMsgs, int *maxPendingBytes,
                                                 int64_t *deliveredMsgs, int64_t *droppedMsgs);

/**
 * Whether the subscription can still deliver messages.
 *
 * @param sub the subscription.
 * @return true if so, also while it drains; false for NULL.
 */
NATS_EXTERN bool natsSubscription_IsValid(natsSubscription *sub);

/**
 * Drains: receives no more than what the server has sent already, delivers all of it, then ends. Does not
 * wait; gives up after 30 seconds.
 *
 * @param sub the subscription.
 * @return #NATS_OK; #NATS_INVALID_ARG if `sub` is NULL; #NATS_CONNECTION_CLOSED; #NATS_INVALID_SUBSCRIPTION
 * once it has ended; #NATS_DRAINING while the whole connection drains; #NATS_SYS_ERROR when the system gives
 * no thread for it (the subscription goes on as before). OK without effect when it drains already.
 */
NATS_EXTERN natsStatus natsSubscription_Drain(natsSubscription *sub);

/**
 * Drains within a time of the program's choice.
 *
 * @param sub the subscription.
 * @param timeout milliseconds after which it ends whatever is left; 0 or less for no limit.
 * @return as natsSubscription_Drain().
 */
NATS_EXTERN natsStatus natsSubscription_DrainTimeout(natsSubscription *sub, int64_t timeout);

/**
 * Waits until a drain is complete, whatever came of it: see natsSubscription_DrainCompletionStatus().
 *
 * @param sub the subscription.
 * @param timeout milliseconds to wait; 0 or less for as long as it takes.
 * @return #NATS_OK; #NATS_INVALID_ARG if `sub` is NULL; #NATS_ILLEGAL_STATE when it was never drained;
 * #NATS_TIMEOUT, at once if the drain can no longer be complete.
 */
NATS_EXTERN natsStatus natsSubscription_WaitForDrainCompletion(natsSubscription *sub, int64_t timeout);

/**
 * What came of a drain.
 *
 * @param sub the subscription.
 * @return #NATS_OK when everything was delivered; #NATS_TIMEOUT, #NATS_CONNECTION_CLOSED,
 * #NATS_INVALID_SUBSCRIPTION or the status of the flush for what went wrong first; #NATS_ILLEGAL_STATE while
 * it is not complete, and for good if a connection was drained and nobody read the synchronous subscription
 * to its end; #NATS_INVALID_ARG if `sub` is NULL.
 */
NATS_EXTERN natsStatus natsSubscription_DrainCompletionStatus(natsSubscription *sub);

/**
 * Sets a function that runs once after the last callback of a subscription, for whatever reason it ended:
 * from then on the library does not use the closures any more.
 *
 * @param sub a subscription with a message callback.
 * @param cb the function, NULL clears it; runs on the delivery thread.
 * @param closure handed to `cb`.
 * @return #NATS_OK; #NATS_INVALID_ARG if `sub` is NULL; #NATS_INVALID_SUBSCRIPTION for a synchronous
 * subscription or once it has ended.
 */
NATS_EXTERN natsStatus natsSubscription_SetOnCompleteCB(natsSubscription *sub, natsOnCompleteCB cb,
                                                        void *closure);

/**
 * Gives the handle back, and ends the subscription if it has not ended yet. NULL is ignored. Allowed in the
 * subscription's own callback.
 *
 * @param sub the subscription.
 */
NATS_EXTERN void natsSubscription_Destroy(natsSubscription *sub);

/** @} */

/** \defgroup livenessGroup Liveness
 *  @{
 */

/**
 * Extension. Changes how often a connection sends keep-alive PINGs, in **seconds**, at once and on a live
 * connection.
 *
 * (natsOptions_SetPingInterval(), for connections to be made, takes **milliseconds**.)
 *
 * The next PING is due when it was due before or one new interval after the last one, whichever is earlier:
 * a shorter interval acts now. The count of unanswered PINGs stays, so calling this again and again never
 * hides a dead peer. A value above 0 after one of 0 or less starts a fresh count, with the first PING one
 * interval from now; the same value again changes nothing. A dead peer is found after (max pings out + 1)
 * intervals at the latest.
 *
 * May be called by any thread and in any callback, never waits for the network, and works with an event loop
 * too. While the connection reconnects or drains the value is stored; it stays in force after every
 * reconnect. Connections made with pings turned off can be given some.
 *
 * @code{.c}
 * natsConnection_SetPingInterval(nc, 30); // every 30 s; with 2 pings out, a dead peer is found in 90 s
 * @endcode
 *
 * @param nc the connection.
 * @param seconds above 0; 0 or less stops the PINGs. Default: natsOptions_SetPingInterval(), 2 minutes.
 * @return #NATS_OK; #NATS_INVALID_ARG for NULL or a value above `INT64_MAX / 1000`; #NATS_CONNECTION_CLOSED.
 */
NATS_EXTERN natsStatus natsConnection_SetPingInterval(natsConnection *nc, int64_t seconds);

/**
 * Extension. As natsConnection_SetPingInterval(), in milliseconds.
 *
 * @param nc the connection.
 * @param ms above 0; 0 or less stops the PINGs.
 * @return #NATS_OK; #NATS_INVALID_ARG if `nc` is NULL; #NATS_CONNECTION_CLOSED.
 */
NATS_EXTERN natsStatus natsConnection_SetPingIntervalMillis(natsConnection *nc, int64_t ms);

/**
 * Extension. The interval between keep-alive PINGs that is in force.
 *
 * @param nc the connection.
 * @param ms receives milliseconds; 0 or less when no PINGs are sent.
 * @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_CONNECTION_CLOSED.
 */
NATS_EXTERN natsStatus natsConnection_GetPingInterval(natsConnection *nc, int64_t *ms);

/**
 * Extension. Changes how many keep-alive PINGs may be unanswered on a live connection; the next tick decides
 * by it. A value of 0 or less makes the connection stale at that tick, without a PING. Stored while the
 * connection reconnects.
 *
 * @param nc the connection.
 * @param maxPingsOut any value. Default: natsOptions_SetMaxPingsOut(), 2.
 * @return #NATS_OK; #NATS_INVALID_ARG if `nc` is NULL; #NATS_CONNECTION_CLOSED.
 */
NATS_EXTERN natsStatus natsConnection_SetMaxPingsOut(natsConnection *nc, int maxPingsOut);

/**
 * Extension. How many keep-alive PINGs may be unanswered.
 *
 * @param nc the connection.
 * @param maxPingsOut receives the number.
 * @return #NATS_OK; #NATS_INVALID_ARG if an argument is NULL; #NATS_CONNECTION_CLOSED.
 */
NATS_EXTERN natsStatus natsConnection_GetMaxPingsOut(natsConnection *nc, int *maxPingsOut);

/**
 * Extension. As natsOptions_SetPongTimeout(), on a live connection and at once: a PING already sent counts
 * too.
 *
 * May be called by any thread and in any callback. While the connection reconnects or drains the value is
 * stored; it stays in force after every reconnect.
 *
 * @param nc the connection.
 * @param ms in milliseconds; 0 for no limit.
 * @return #NATS_OK; #NATS_INVALID_ARG for NULL or a negative time; #NATS_CONNECTION_CLOSED.
 */
NATS_EXTERN natsStatus natsConnection_SetPongTimeout(natsConnection *nc, int64_t ms);

/**
 * Extension. As natsOptions_SetMaxDetectionTime(), on a live connection and at once.
 *
 * May be called by any thread and in any callback. While the connection reconnects or drains the value is
 * stored; it stays in force after every reconnect.
 *
 * @param nc the connection.
 * @param ms in milliseconds; 0 for no bound.
 * @return #NATS_OK; #NATS_INVALID_ARG for NULL or a negative time; #NATS_CONNECTION_CLOSED.
 */
NATS_EXTERN natsStatus natsConnection_SetMaxDetectionTime(natsConnection *nc, int64_t ms);

/**
 * Extension. Tells about the last disconnect, the one by a close included. Works in any state of the
 * connection.
 *
 * @code{.c}
 * natsDisconnectInfo info;
 * if (natsConnection_GetLastDisconnect(nc, &info, sizeof(info)) == NATS_OK)
 *     printf("lost %s: %s\n", info.ServerURL, info.Text);
 * @endcode
 *
 * @param nc the connection.
 * @param info receives a copy, filled as far as `size` goes.
 * @param size `sizeof(natsDisconnectInfo)`; a smaller struct of an older version is fine, what a larger one
 * has more is set to 0.
 * @return #NATS_OK; #NATS_INVALID_ARG for NULL or a size of 0; #NATS_NOT_FOUND if there was no disconnect
 * yet.
 */
NATS_EXTERN natsStatus natsConnection_GetLastDisconnect(natsConnection *nc, natsDisconnectInfo *info,
                                                        size_t size);

/**
 * Extension. Takes the pulse of a connection. Waits for nothing and takes no lock: fit for frequent calls.
 *
 * @param nc the connection.
 * @param out receives a copy, filled as far as `size` goes.
 * @param size `sizeof(natsLiveness)`; a smaller struct of an older version is fine, what a larger one has
 * more is set to 0.
 * @return #NATS_OK; #NATS_INVALID_ARG for NULL or a size of 0; #NATS_CONNECTION_CLOSED.
 */
NATS_EXTERN natsStatus natsConnection_GetLiveness(natsConnection *nc, natsLiveness *out, size_t size);

/**
 * Extension. Whether the connection is up and bytes came in not too long ago: for health checks. Waits for
 * nothing.
 *
 * An idle server sends little but PONGs: choose more than the ping interval.
 *
 * @param nc the connection.
 * @param maxAge in milliseconds.
 * @return true if so; false also for NULL, and while the connection is closed or reconnects.
 */
NATS_EXTERN bool natsConnection_IsAlive(natsConnection *nc, int64_t maxAge);

/**
 * Extension. Sends a PING now, such as after a network change or when a request got no answer. Without its
 * PONG in time the connection is stale (#NATS_DISCONNECT_PONG_TIMEOUT) and reconnects. Does not wait for the
 * outcome.
 *
 * @param nc the connection.
 * @param timeout in milliseconds, above 0.
 * @return #NATS_OK; #NATS_INVALID_ARG if `nc` is NULL; #NATS_INVALID_TIMEOUT; #NATS_CONNECTION_CLOSED;
 * #NATS_CONNECTION_DISCONNECTED while it reconnects anyway.
 */
NATS_EXTERN natsStatus natsConnection_CheckLiveness(natsConnection *nc, int64_t timeout);

/** @} */

/** \defgroup event_loopGroup Event loops
 *  @{
 */

/**
 * Tells the library that the socket of a connection can be read. Called by the event loop's adapter on the
 * loop's thread, or on several at a time. Does nothing when the connection has no socket at the moment.
 *
 * @param nc the connection.
 */
NATS_EXTERN void natsConnection_ProcessReadEvent(natsConnection *nc);

/**
 * Tells the library that the socket of a connection can be written. Called by the event loop's adapter on
 * the loop's thread, or on several at a time. Does nothing when nothing is buffered or the connection has no
 * socket at the moment.
 *
 * @param nc the connection.
 */
NATS_EXTERN void natsConnection_ProcessWriteEvent(natsConnection *nc);

/**
 * Closes a socket that the event loop's adapter has stopped polling, and sets it to -1. Called on the loop's
 * thread; NULL and -1 are ignored.
 *
 * @param socket the socket, as given to the attach function; set to -1.
 */
NATS_EXTERN void natsConnection_ProcessCloseEvent(natsSock *socket);

/**
 * Tells the library that the event loop uses a connection no longer: drops the reference that the loop has
 * had since it attached. Called once by the adapter after its detach function; NULL is ignored.
 *
 * @param nc the connection.
 */
NATS_EXTERN void natsConnection_ProcessDetachedEvent(natsConnection *nc);

/** @} */

#ifdef __cplusplus
}
#endif

#endif /* NATS_H_ */
