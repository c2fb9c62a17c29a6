// What the last error says after each way a call can fail: status, text, and the function the program called.
// Each call starts from a clean thread. A status without a text of its own leaves the text empty in the
// released library, or the status's own text in both: they count as the same. Inner functions of the released
// library are not compared, nor what it takes natsSubscription_QueuedMsgs for.

#include "fixture.h"
#include "trace.h"

static void tell(const char *call, natsStatus s)
{
    natsStatus  last = NATS_OK;
    const char *text = nats_GetLastError(&last);
    char        stack[4096], name[96], *outer;

    nats_GetLastErrorStack(stack, sizeof stack);
    outer = strrchr(stack, '\n');
    outer = outer == NULL ? stack : outer + 1;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(call, "("), call);
    if (text != NULL && *text == '\0')
        text = natsStatus_GetText(last);
    trace("%s: %s, last %s%s%s%s%s", call, status_name(s), status_name(last), text == NULL ? "" : " | ",
          text == NULL ? "" : error_body(text), *outer == '\0' ? "" : " | ",
          strcmp(outer, name) == 0 || strcmp(name, "natsSubscription_QueuedMsgs") == 0 ? "here" : outer);
    nats_ReleaseThreadMemory();
}

#define T(call) tell(#call, (call))

static void done(void *closure)
{
    (void)closure;
}

static const char *no_token(void *closure)
{
    (void)closure;
    return NULL;
}

static natsStatus no_jwt(char **jwt, char **text, void *closure)
{
    (void)jwt;
    (void)text;
    (void)closure;
    return NATS_ERR;
}

static natsStatus no_signature(char **text, unsigned char **signature, int *length, const char *nonce,
                               void *closure)
{
    (void)text;
    (void)signature;
    (void)length;
    (void)nonce;
    (void)closure;
    return NATS_ERR;
}

static void of_the_library(void)
{
    unsigned char *signature = NULL;
    natsInbox     *inbox     = NULL;
    int            n         = 0;
    char           few[3];

    trace_scenario("library");
    T(nats_SetMessageDeliveryPoolSize(0));
    T(nats_GetLastErrorStack(NULL, 10));
    T(nats_GetLastErrorStack(few, 0));
    T(nats_Sign(NULL, "x", &signature, &n));
    T(nats_Sign("SU", NULL, &signature, &n));
    T(nats_Sign("SU", "x", &signature, &n));
    T(nats_Sign("XUAMK2FG4MI6UE3ACF3FK3OIQBCEIEZV7NSWFFEW63UXMRLFM2XLAXK4GY", "x", &signature, &n));
    T(nats_Sign("SUAMK2FG4MI6UE3ACF3FK3OIQBCEIEZV7NSWFFEW63UXMRLFM2XLAXK5GY", "x", &signature, &n));
    T(natsInbox_Create(&inbox));
    natsInbox_Destroy(inbox);
}

static void of_options(void)
{
    natsOptions *opts    = NULL;
    const char  *none[]  = {"nats://x", NULL};
    const char  *bad[]   = {"nats://x:bad"};
    natsStatus   created = natsOptions_Create(&opts);

    trace_scenario("options");
    T(created);
    T(natsOptions_SetURL(NULL, "x"));
    T(natsOptions_SetURL(opts, "nats://x:bad"));
    T(natsOptions_SetServers(NULL, none, 1));
    T(natsOptions_SetServers(opts, none, -1));
    T(natsOptions_SetServers(opts, NULL, 1));
    T(natsOptions_SetServers(opts, none, 0));
    T(natsOptions_SetServers(opts, bad, 1));
    T(natsOptions_SetUserInfo(NULL, "a", "b"));
    T(natsOptions_SetToken(opts, "token"));
    T(natsOptions_SetTokenHandler(opts, no_token, NULL));
    T(natsOptions_SetToken(opts, NULL));
    T(natsOptions_SetTokenHandler(opts, no_token, NULL));
    T(natsOptions_SetToken(opts, "token"));
    T(natsOptions_SetTokenHandler(opts, NULL, NULL));
    T(natsOptions_SetNoRandomize(NULL, true));
    T(natsOptions_SetTimeout(NULL, 1));
    T(natsOptions_SetTimeout(opts, -1));
    T(natsOptions_SetName(NULL, "x"));
    T(natsOptions_SetVerbose(NULL, true));
    T(natsOptions_SetPedantic(NULL, true));
    T(natsOptions_SetPingInterval(NULL, 1));
    T(natsOptions_SetMaxPingsOut(NULL, 1));
    T(natsOptions_SetIOBufSize(NULL, 1));
    T(natsOptions_SetIOBufSize(opts, -1));
    T(natsOptions_SetAllowReconnect(NULL, true));
    T(natsOptions_SetReconnectOnProtocolError(NULL, true));
    T(natsOptions_SetIgnoreAuthErrorAbort(NULL, true));
    T(natsOptions_SetMaxReconnect(NULL, 1));
    T(natsOptions_SetReconnectWait(NULL, 1));
    T(natsOptions_SetReconnectWait(opts, -1));
    T(natsOptions_SetReconnectJitter(NULL, 1, 1));
    T(natsOptions_SetReconnectJitter(opts, -1, 1));
    T(natsOptions_SetReconnectJitter(opts, 1, -1));
    T(natsOptions_SetCustomReconnectDelay(NULL, NULL, NULL));
    T(natsOptions_SetReconnectBufSize(NULL, 1));
    T(natsOptions_SetReconnectBufSize(opts, -1));
    T(natsOptions_SetMaxPendingMsgs(NULL, 1));
    T(natsOptions_SetMaxPendingMsgs(opts, 0));
    T(natsOptions_SetMaxPendingMsgs(opts, -1));
    T(natsOptions_SetMaxPendingBytes(NULL, 1));
    T(natsOptions_SetMaxPendingBytes(opts, 0));
    T(natsOptions_SetProxyConnHandler(NULL, NULL, NULL));
    T(natsOptions_SetErrorHandler(NULL, NULL, NULL));
    T(natsOptions_SetClosedCB(NULL, NULL, NULL));
    T(natsOptions_SetDisconnectedCB(NULL, NULL, NULL));
    T(natsOptions_SetReconnectedCB(NULL, NULL, NULL));
    T(natsOptions_SetDiscoveredServersCB(NULL, NULL, NULL));
    T(natsOptions_SetLameDuckModeCB(NULL, NULL, NULL));
    T(natsOptions_SetIgnoreDiscoveredServers(NULL, true));
    T(natsOptions_SetEventLoop(NULL, NULL, NULL, NULL, NULL, NULL));
    T(natsOptions_SetEventLoop(opts, NULL, NULL, NULL, NULL, NULL));
    T(natsOptions_UseGlobalMessageDelivery(NULL, true));
    T(natsOptions_IPResolutionOrder(NULL, 4));
    T(natsOptions_IPResolutionOrder(opts, 5));
    T(natsOptions_SetSendAsap(NULL, true));
    T(natsOptions_SetFlusherWaitMicros(NULL, 1));
    T(natsOptions_SetFlusherWaitMicros(opts, -1));
    T(natsOptions_UseOldRequestStyle(NULL, true));
    T(natsOptions_SetFailRequestsOnDisconnect(NULL, true));
    T(natsOptions_SetNoEcho(NULL, true));
    T(natsOptions_SetRetryOnFailedConnect(NULL, true, NULL, NULL));
    T(natsOptions_SetUserCredentialsCallbacks(NULL, no_jwt, NULL, no_signature, NULL));
    T(natsOptions_SetUserCredentialsCallbacks(opts, NULL, NULL, no_signature, NULL));
    T(natsOptions_SetUserCredentialsCallbacks(opts, no_jwt, NULL, NULL, NULL));
    T(natsOptions_SetUserCredentialsFromFiles(NULL, "x", NULL));
    T(natsOptions_SetUserCredentialsFromFiles(opts, NULL, NULL));
    T(natsOptions_SetUserCredentialsFromFiles(opts, "", NULL));
    T(natsOptions_SetUserCredentialsFromFiles(opts, "x", ""));
    T(natsOptions_SetUserCredentialsFromMemory(NULL, "x"));
    T(natsOptions_SetUserCredentialsFromMemory(opts, ""));
    T(natsOptions_SetNKey(NULL, "x", no_signature, NULL));
    T(natsOptions_SetNKey(opts, "", no_signature, NULL));
    T(natsOptions_SetNKey(opts, "x", NULL, NULL));
    T(natsOptions_SetNKeyFromSeed(NULL, "x", "y"));
    T(natsOptions_SetNKeyFromSeed(opts, "", "y"));
    T(natsOptions_SetNKeyFromSeed(opts, "x", ""));
    T(natsOptions_SetWriteDeadline(NULL, 1));
    T(natsOptions_SetWriteDeadline(opts, -1));
    T(natsOptions_DisableNoResponders(NULL, true));
    T(natsOptions_SetCustomInboxPrefix(NULL, "x"));
    T(natsOptions_SetCustomInboxPrefix(opts, "a.*"));
    T(natsOptions_SetCustomInboxPrefix(opts, "a.>"));
    T(natsOptions_SetCustomInboxPrefix(opts, "a..b"));
    T(natsOptions_SetCustomInboxPrefix(opts, "a."));
    T(natsOptions_SetCustomInboxPrefix(opts, ".a"));
    T(natsOptions_SetCustomInboxPrefix(opts, "a b"));
    T(natsOptions_SetMessageBufferPadding(NULL, 1));
    T(natsOptions_SetMessageBufferPadding(opts, -1));
    T(natsOptions_SetSecure(NULL, true));
    T(natsOptions_SkipServerVerification(NULL, true));
    T(natsOptions_SetExpectedHostname(NULL, "x"));
    T(natsOptions_SetCiphers(opts, ""));
    natsOptions_Destroy(opts);
}

#define OF_HEADERS(type, object)                                                                             \
    do                                                                                                       \
    {                                                                                                        \
        const char *value = NULL, **list = NULL;                                                             \
        int         count = 0;                                                                               \
                                                                                                             \
        T(type##_Set(NULL, "A", "1"));                                                                       \
        T(type##_Set(object, NULL, "1"));                                                                    \
        T(type##_Set(object, "", "1"));                                                                      \
        T(type##_Add(NULL, "A", "1"));                                                                       \
        T(type##_Add(object, "", "1"));                                                                      \
        T(type##_Get(NULL, "A", &value));                                                                    \
        T(type##_Get(object, "", &value));                                                                   \
        T(type##_Get(object, "A", NULL));                                                                    \
        T(type##_Get(object, "A", &value));                                                                  \
        T(type##_Values(NULL, "A", &list, &count));                                                          \
        T(type##_Values(object, "", &list, &count));                                                         \
        T(type##_Values(object, "A", NULL, &count));                                                         \
        T(type##_Values(object, "A", &list, NULL));                                                          \
        T(type##_Values(object, "A", &list, &count));                                                        \
        T(type##_Keys(NULL, &list, &count));                                                                 \
        T(type##_Keys(object, NULL, &count));                                                                \
        T(type##_Keys(object, &list, NULL));                                                                 \
        T(type##_Keys(object, &list, &count));                                                               \
        T(type##_Delete(NULL, "A"));                                                                         \
        T(type##_Delete(object, ""));                                                                        \
        T(type##_Delete(object, "A"));                                                                       \
    } while (0)

static void of_messages(void)
{
    natsMsg    *msg = NULL;
    natsHeader *h   = NULL;

    trace_scenario("messages");
    T(natsMsg_Create(&msg, NULL, NULL, "x", 1));
    T(natsMsg_Create(&msg, "", NULL, "x", 1));
    T(natsMsg_Create(&msg, "foo", "", "x", 1));
    CHECK_OK(natsMsg_Create(&msg, "foo", NULL, "x", 1));
    T(natsMsg_SetData(NULL, "x", 1));
    T(natsMsg_SetData(msg, NULL, 1));
    T(natsMsg_SetData(msg, "x", -1));
    OF_HEADERS(natsMsgHeader, msg);
    natsMsg_Destroy(msg);
    trace_scenario("headers");
    CHECK_OK(natsHeader_New(&h));
    OF_HEADERS(natsHeader, h);
    natsHeader_Destroy(h);
}

// Everything that takes a connection, in whatever state it is.
static void of_a_connection(natsConnection *nc)
{
    natsStatistics   *stats = NULL;
    natsSubscription *sub   = NULL;
    natsMsg          *msg = NULL, *reply = NULL;
    char              few[3], buf[128], **servers = NULL, *ip = NULL;
    unsigned char     signature[64];
    uint64_t          id    = 0;
    int               count = 0;

    CHECK_OK(natsStatistics_Create(&stats));
    CHECK_OK(natsMsg_Create(&msg, "foo", NULL, "x", 1));
    T(natsConnection_FlushTimeout(nc, 0));
    T(natsConnection_FlushTimeout(nc, -1));
    T(natsConnection_GetStats(nc, NULL));
    T(natsConnection_GetConnectedUrl(nc, NULL, 10));
    T(natsConnection_GetConnectedUrl(nc, few, sizeof few));
    T(natsConnection_GetConnectedServerId(nc, NULL, 10));
    T(natsConnection_GetConnectedServerName(nc, NULL, 10));
    T(natsConnection_GetServers(nc, NULL, &count));
    T(natsConnection_GetServers(nc, &servers, NULL));
    T(natsConnection_GetDiscoveredServers(nc, NULL, &count));
    T(natsConnection_ReadLastError(nc, buf, sizeof buf));
    T(natsConnection_GetClientID(nc, NULL));
    T(natsConnection_GetClientID(nc, &id));
    T(natsConnection_GetClientIP(nc, NULL));
    T(natsConnection_GetClientIP(nc, &ip));
    T(natsConnection_GetRTT(nc, NULL));
    T(natsConnection_GetLocalIPAndPort(nc, NULL, &count));
    T(natsConnection_GetLocalIPAndPort(nc, &ip, NULL));
    T(natsConnection_Sign(nc, (const unsigned char *)"x", 1, signature));
    T(natsConnection_Publish(nc, NULL, "x", 1));
    T(natsConnection_Publish(nc, "", "x", 1));
    T(natsConnection_PublishString(nc, "", "x"));
    T(natsConnection_PublishMsg(nc, NULL));
    T(natsConnection_PublishRequest(nc, "foo", NULL, "x", 1));
    T(natsConnection_PublishRequest(nc, "foo", "", "x", 1));
    T(natsConnection_PublishRequest(nc, "", "bar", "x", 1));
    T(natsConnection_PublishRequestString(nc, "foo", "", "x"));
    T(natsConnection_Request(NULL, nc, "foo", "x", 1, 10));
    T(natsConnection_Request(&reply, nc, "", "x", 1, 10));
    T(natsConnection_Request(&reply, nc, NULL, "x", 1, 10));
    T(natsConnection_Request(&reply, nc, "foo", "x", 1, 0));
    T(natsConnection_RequestString(&reply, nc, "foo", "x", -1));
    T(natsConnection_RequestMsg(&reply, nc, NULL, 10));
    T(natsConnection_RequestMsg(&reply, nc, msg, 0));
    T(natsConnection_Subscribe(&sub, nc, "foo", NULL, NULL));
    T(natsConnection_Subscribe(&sub, nc, "", on_msg_ignored, NULL));
    T(natsConnection_Subscribe(&sub, nc, "a b", on_msg_ignored, NULL));
    T(natsConnection_Subscribe(&sub, nc, "a..b", on_msg_ignored, NULL));
    T(natsConnection_SubscribeTimeout(&sub, nc, "foo", 0, on_msg_ignored, NULL));
    T(natsConnection_SubscribeTimeout(&sub, nc, "foo", 10, NULL, NULL));
    T(natsConnection_SubscribeSync(&sub, nc, NULL));
    T(natsConnection_SubscribeSync(&sub, nc, "a."));
    T(natsConnection_QueueSubscribe(&sub, nc, "foo", NULL, on_msg_ignored, NULL));
    T(natsConnection_QueueSubscribe(&sub, nc, "foo", "", on_msg_ignored, NULL));
    T(natsConnection_QueueSubscribe(&sub, nc, "foo", "a b", on_msg_ignored, NULL));
    T(natsConnection_QueueSubscribe(&sub, nc, "foo", "q", NULL, NULL));
    T(natsConnection_QueueSubscribeTimeout(&sub, nc, "foo", "q", 0, on_msg_ignored, NULL));
    T(natsConnection_QueueSubscribeSync(&sub, nc, "foo", ""));
    T(natsConnection_QueueSubscribeSync(&sub, nc, "foo", "a b"));
    natsMsg_Destroy(msg);
    natsStatistics_Destroy(stats);
}

// What fails only because of the state: for a connection that cannot do it.
static void of_an_unusable_connection(natsConnection *nc)
{
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL, *reply = NULL;
    int64_t           rtt  = 0;
    char             *ip   = NULL;
    int               port = 0;

    CHECK_OK(natsMsg_Create(&msg, "foo", NULL, "x", 1));
    T(natsConnection_GetRTT(nc, &rtt));
    T(natsConnection_GetLocalIPAndPort(nc, &ip, &port));
    T(natsConnection_HasHeaderSupport(nc));
    T(natsConnection_Flush(nc));
    T(natsConnection_FlushTimeout(nc, 50));
    T(natsConnection_Publish(nc, "foo", "x", 1));
    T(natsConnection_PublishString(nc, "foo", "x"));
    T(natsConnection_PublishMsg(nc, msg));
    T(natsConnection_PublishRequest(nc, "foo", "bar", "x", 1));
    T(natsConnection_PublishRequestString(nc, "foo", "bar", "x"));
    T(natsConnection_Request(&reply, nc, "foo", "x", 1, 50));
    T(natsConnection_RequestString(&reply, nc, "foo", "x", 50));
    T(natsConnection_RequestMsg(&reply, nc, msg, 50));
    T(natsConnection_Subscribe(&sub, nc, "foo", on_msg_ignored, NULL));
    T(natsConnection_SubscribeTimeout(&sub, nc, "foo", 10, on_msg_ignored, NULL));
    T(natsConnection_SubscribeSync(&sub, nc, "foo"));
    T(natsConnection_QueueSubscribe(&sub, nc, "foo", "q", on_msg_ignored, NULL));
    T(natsConnection_QueueSubscribeSync(&sub, nc, "foo", "q"));
    T(natsConnection_Drain(nc));
    T(natsConnection_DrainTimeout(nc, 100));
    T(natsConnection_Reconnect(nc));
    natsMsg_Destroy(msg);
}

// Everything that takes a subscription.
static void of_a_subscription(natsSubscription *sub)
{
    natsMsg *msg = NULL;
    uint64_t n   = 0;
    int64_t  big = 0;
    int      a = 0, b = 0;

    T(natsSubscription_NoDeliveryDelay(sub));
    T(natsSubscription_NextMsg(&msg, sub, 10));
    T(natsSubscription_NextMsg(&msg, sub, 0));
    T(natsSubscription_NextMsg(NULL, sub, 10));
    T(natsSubscription_SetPendingLimits(sub, 0, 1));
    T(natsSubscription_SetPendingLimits(sub, 1, 0));
    T(natsSubscription_SetPendingLimits(sub, 100, 1000));
    T(natsSubscription_GetPendingLimits(sub, &a, &b));
    T(natsSubscription_QueuedMsgs(sub, &n));
    T(natsSubscription_GetPending(sub, &a, &b));
    T(natsSubscription_GetDelivered(sub, &big));
    T(natsSubscription_GetDropped(sub, &big));
    T(natsSubscription_GetMaxPending(sub, &a, &b));
    T(natsSubscription_ClearMaxPending(sub));
    T(natsSubscription_GetStats(sub, &a, &b, &a, &b, &big, &big));
    T(natsSubscription_DrainCompletionStatus(sub));
    T(natsSubscription_WaitForDrainCompletion(sub, 10));
    T(natsSubscription_SetOnCompleteCB(sub, done, NULL));
    T(natsSubscription_SetOnCompleteCB(sub, NULL, NULL));
}

static void of_an_ended_subscription(natsSubscription *sub)
{
    of_a_subscription(sub);
    T(natsSubscription_AutoUnsubscribe(sub, 0));
    T(natsSubscription_AutoUnsubscribe(sub, 3));
    T(natsSubscription_Unsubscribe(sub));
    T(natsSubscription_Drain(sub));
    T(natsSubscription_DrainTimeout(sub, 100));
}

static void of_nothing(void)
{
    natsConnection *nc = NULL;

    trace_scenario("no connection");
    of_a_connection(NULL);
    of_an_unusable_connection(NULL);
    T(natsConnection_ConnectTo(&nc, "nats://127.0.0.1:bad"));
    T(natsConnection_ConnectTo(&nc, "nats://127.0.0.1:4222,nats://127.0.0.1:-1"));
    T(natsConnection_ConnectTo(&nc, "nats://a%zz@127.0.0.1:1"));
    trace_scenario("no subscription");
    of_an_ended_subscription(NULL);
}

static void of_live_objects(void)
{
    fixture           f    = fixture_create();
    natsSubscription *sync = NULL, *async = NULL, *sub = NULL;
    natsMsg          *msg = NULL, *reply = NULL;
    static char       data[2000];

    mock_info(f.m, MOCK_ALL,
              "{\"server_id\":\"X\",\"version\":\"2.10.0\",\"port\":%port,\"max_payload\":1000,\"proto\":1,"
              "\"headers\":true}");
    fixture_connect(&f);
    trace_scenario("connected");
    of_a_connection(f.nc);
    T(natsConnection_Publish(f.nc, "foo", data, sizeof data));
    T(natsConnection_PublishRequest(f.nc, "foo", "bar", data, sizeof data));
    T(natsConnection_Request(&reply, f.nc, "foo", data, sizeof data, 10));
    CHECK_OK(natsMsg_Create(&msg, "foo", NULL, data, sizeof data));
    T(natsConnection_PublishMsg(f.nc, msg));
    T(natsConnection_RequestMsg(&reply, f.nc, msg, 10));
    natsMsg_Destroy(msg);
    T(natsConnection_Request(&reply, f.nc, "foo", "x", 1, 10));
    CHECK_OK(natsConnection_SubscribeSync(&sync, f.nc, "foo"));
    CHECK_OK(natsConnection_Subscribe(&async, f.nc, "foo", on_msg_ignored, NULL));
    trace_scenario("synchronous subscription");
    of_a_subscription(sync);
    trace_scenario("asynchronous subscription");
    of_a_subscription(async);
    T(natsSubscription_AutoUnsubscribe(async, -1));
    trace_scenario("slow consumer");
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "slow"));
    CHECK_OK(natsSubscription_SetPendingLimits(sub, 1, 1000));
    mock_send(f.m, "MSG slow 4 1\r\nx\r\nMSG slow 4 1\r\nx\r\n");
    CHECK_OK(natsConnection_Flush(f.nc));
    T(natsSubscription_NextMsg(&msg, sub, 1000));
    T(natsConnection_GetClientID(f.nc, &(uint64_t){0}));
    CHECK_OK(natsSubscription_Unsubscribe(sync));
    natsSubscription_Unsubscribe(async);
    trace_scenario("unsubscribed, synchronous");
    of_an_ended_subscription(sync);
    trace_scenario("unsubscribed, asynchronous");
    WAIT_FOR(natsSubscription_DrainCompletionStatus(async) != NATS_ILLEGAL_STATE, 5000);
    of_an_ended_subscription(async);
    trace_scenario("closed");
    natsConnection_Close(f.nc);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    of_a_connection(f.nc);
    of_an_unusable_connection(f.nc);
    trace_scenario("subscription of a closed connection");
    of_an_ended_subscription(sub);
    natsSubscription_Destroy(sync);
    natsSubscription_Destroy(async);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

static void of_a_draining_connection(void)
{
    fixture           f    = fixture_create();
    natsSubscription *sync = NULL;

    trace_scenario("draining");
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sync, f.nc, "foo"));
    CHECK_OK(natsConnection_DrainTimeout(f.nc, 20000));
    of_a_connection(f.nc);
    T(natsConnection_SubscribeSync(&sync, f.nc, "foo"));
    T(natsConnection_Subscribe(&sync, f.nc, "foo", on_msg_ignored, NULL));
    T(natsSubscription_Drain(sync));
    natsSubscription_Destroy(sync);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    natsConnection_Destroy(f.nc);
    f.nc = NULL;
    fixture_destroy(&f);
}

static void of_a_reconnecting_connection(void)
{
    fixture f = fixture_create();

    trace_scenario("reconnecting");
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 60000));
    CHECK_OK(natsOptions_SetReconnectBufSize(f.opts, 0));
    fixture_connect(&f);
    mock_stop_listening(f.m);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    WAIT_FOR(natsConnection_IsReconnecting(f.nc), 5000);
    T(natsConnection_GetRTT(f.nc, &(int64_t){0}));
    T(natsConnection_GetLocalIPAndPort(f.nc, &(char *){NULL}, &(int){0}));
    T(natsConnection_FlushTimeout(f.nc, 50));
    T(natsConnection_Drain(f.nc));
    T(natsConnection_DrainTimeout(f.nc, 100));
    T(natsConnection_GetClientID(f.nc, &(uint64_t){0}));
    T(natsConnection_GetClientIP(f.nc, &(char *){NULL}));
    fixture_destroy(&f);
}

static void of_a_server_without_headers(void)
{
    fixture         f   = fixture_create();
    natsMsg        *msg = NULL, *reply = NULL;
    natsConnection *nc = NULL;

    trace_scenario("server without headers, old protocol");
    mock_info(f.m, MOCK_ALL,
              "{\"server_id\":\"X\",\"version\":\"1.0.0\",\"port\":%port,\"max_payload\":1000,\"proto\":0}");
    fixture_connect(&f);
    CHECK_OK(natsMsg_Create(&msg, "foo", NULL, "x", 1));
    CHECK_OK(natsMsgHeader_Set(msg, "A", "1"));
    T(natsConnection_HasHeaderSupport(f.nc));
    T(natsConnection_PublishMsg(f.nc, msg));
    T(natsConnection_RequestMsg(&reply, f.nc, msg, 50));
    T(natsConnection_GetClientID(f.nc, &(uint64_t){0}));
    T(natsConnection_GetClientIP(f.nc, &(char *){NULL}));
    CHECK_OK(natsOptions_SetNoEcho(f.opts, true));
    T(natsConnection_Connect(&nc, f.opts));
    CHECK_OK(natsOptions_SetNoEcho(f.opts, false));
    CHECK_OK(natsOptions_SetSecure(f.opts, true));
    T(natsConnection_Connect(&nc, f.opts));
    natsMsg_Destroy(msg);
    fixture_destroy(&f);
}

int main(void)
{
    CHECK_OK(nats_Open(-1));
    nats_ReleaseThreadMemory();
    of_the_library();
    of_options();
    of_messages();
    of_nothing();
    of_live_objects();
    of_a_draining_connection();
    of_a_reconnecting_connection();
    of_a_server_without_headers();
    nats_Close();
    return 0;
}
