// What every setter of options (TLS aside) says to good and bad values, to NULL options, and what a refused
// value leaves behind.

#include "fixture.h"
#include "trace.h"

#define T(expr) trace_status(#expr, (expr))

static void handler(natsConnection *nc, void *closure)
{
    (void)nc;
    (void)closure;
}
static void err_handler(natsConnection *nc, natsSubscription *sub, natsStatus err, void *closure)
{
    (void)nc;
    (void)sub;
    (void)err;
    (void)closure;
}
static const char *token(void *closure)
{
    return closure;
}
static natsStatus jwt(char **out, char **text, void *closure)
{
    (void)out;
    (void)text;
    (void)closure;
    return NATS_OK;
}
static natsStatus sign(char **text, unsigned char **sig, int *len, const char *nonce, void *closure)
{
    (void)text;
    (void)sig;
    (void)len;
    (void)nonce;
    (void)closure;
    return NATS_OK;
}
static long delay(natsConnection *nc, int attempts, void *closure)
{
    (void)nc;
    (void)attempts;
    (void)closure;
    return 0;
}
static natsStatus proxy(natsSock *fd, char *host, int port, void *closure)
{
    (void)fd;
    (void)host;
    (void)port;
    (void)closure;
    return NATS_ERR;
}
static natsStatus attach(void **data, void *loop, natsConnection *nc, natsSock fd)
{
    (void)data;
    (void)loop;
    (void)nc;
    (void)fd;
    return NATS_OK;
}
static natsStatus add_remove(void *data, bool add)
{
    (void)data;
    (void)add;
    return NATS_OK;
}
static natsStatus detach(void *data)
{
    (void)data;
    return NATS_OK;
}

static void all(natsOptions *opts)
{
    const char *servers[] = {"nats://a:1", " b:2 ", "c"};

    T(natsOptions_SetURL(opts, "nats://localhost:4222"));
    T(natsOptions_SetURL(opts, "  spaces  "));
    T(natsOptions_SetURL(opts, "not a url:x"));
    T(natsOptions_SetURL(opts, NULL));
    T(natsOptions_SetServers(opts, servers, 3));
    T(natsOptions_SetServers(opts, servers, 0));
    T(natsOptions_SetServers(opts, servers, -1));
    T(natsOptions_SetServers(opts, NULL, 3));
    T(natsOptions_SetServers(opts, NULL, -1));
    T(natsOptions_SetServers(opts, NULL, 0));
    T(natsOptions_SetUserInfo(opts, "user", "pass"));
    T(natsOptions_SetUserInfo(opts, NULL, "pass"));
    T(natsOptions_SetUserInfo(opts, "user", NULL));
    T(natsOptions_SetUserInfo(opts, NULL, NULL));
    T(natsOptions_SetToken(opts, "token"));
    T(natsOptions_SetTokenHandler(opts, token, NULL));
    T(natsOptions_SetTokenHandler(opts, NULL, NULL));
    T(natsOptions_SetToken(opts, NULL));
    T(natsOptions_SetTokenHandler(opts, token, NULL));
    T(natsOptions_SetToken(opts, "token"));
    T(natsOptions_SetToken(opts, NULL));
    T(natsOptions_SetTokenHandler(opts, NULL, NULL));
    T(natsOptions_SetToken(opts, ""));
    T(natsOptions_SetTokenHandler(opts, token, NULL));
    T(natsOptions_SetToken(opts, NULL));
    T(natsOptions_SetNoRandomize(opts, true));
    T(natsOptions_SetTimeout(opts, 1));
    T(natsOptions_SetTimeout(opts, 0));
    T(natsOptions_SetTimeout(opts, -1));
    T(natsOptions_SetName(opts, "name"));
    T(natsOptions_SetName(opts, ""));
    T(natsOptions_SetName(opts, NULL));
    T(natsOptions_SetVerbose(opts, true));
    T(natsOptions_SetPedantic(opts, true));
    T(natsOptions_SetPingInterval(opts, 0));
    T(natsOptions_SetPingInterval(opts, -1));
    T(natsOptions_SetPingInterval(opts, INT64_MAX));
    T(natsOptions_SetMaxPingsOut(opts, 0));
    T(natsOptions_SetMaxPingsOut(opts, -1));
    T(natsOptions_SetIgnoreAuthErrorAbort(opts, true));
    T(natsOptions_SetIOBufSize(opts, 1));
    T(natsOptions_SetIOBufSize(opts, 0));
    T(natsOptions_SetIOBufSize(opts, -1));
    T(natsOptions_SetAllowReconnect(opts, false));
    T(natsOptions_SetReconnectOnProtocolError(opts, true));
    T(natsOptions_SetMaxReconnect(opts, 0));
    T(natsOptions_SetMaxReconnect(opts, -1));
    T(natsOptions_SetReconnectWait(opts, 0));
    T(natsOptions_SetReconnectWait(opts, -1));
    T(natsOptions_SetReconnectJitter(opts, 0, 0));
    T(natsOptions_SetReconnectJitter(opts, -1, 0));
    T(natsOptions_SetReconnectJitter(opts, 0, -1));
    T(natsOptions_SetCustomReconnectDelay(opts, delay, NULL));
    T(natsOptions_SetCustomReconnectDelay(opts, NULL, NULL));
    T(natsOptions_SetReconnectBufSize(opts, 0));
    T(natsOptions_SetReconnectBufSize(opts, -1));
    T(natsOptions_SetMaxPendingMsgs(opts, 1));
    T(natsOptions_SetMaxPendingMsgs(opts, 0));
    T(natsOptions_SetMaxPendingMsgs(opts, -1));
    T(natsOptions_SetMaxPendingBytes(opts, 1));
    T(natsOptions_SetMaxPendingBytes(opts, 0));
    T(natsOptions_SetMaxPendingBytes(opts, -1));
    T(natsOptions_SetProxyConnHandler(opts, proxy, NULL));
    T(natsOptions_SetProxyConnHandler(opts, NULL, NULL));
    T(natsOptions_SetErrorHandler(opts, err_handler, NULL));
    T(natsOptions_SetErrorHandler(opts, NULL, NULL));
    T(natsOptions_SetClosedCB(opts, handler, NULL));
    T(natsOptions_SetClosedCB(opts, NULL, NULL));
    T(natsOptions_SetDisconnectedCB(opts, handler, NULL));
    T(natsOptions_SetDisconnectedCB(opts, NULL, NULL));
    T(natsOptions_SetReconnectedCB(opts, handler, NULL));
    T(natsOptions_SetReconnectedCB(opts, NULL, NULL));
    T(natsOptions_SetDiscoveredServersCB(opts, handler, NULL));
    T(natsOptions_SetDiscoveredServersCB(opts, NULL, NULL));
    T(natsOptions_SetLameDuckModeCB(opts, handler, NULL));
    T(natsOptions_SetLameDuckModeCB(opts, NULL, NULL));
    T(natsOptions_SetIgnoreDiscoveredServers(opts, true));
    T(natsOptions_SetEventLoop(opts, (void *)1, attach, add_remove, add_remove, detach));
    T(natsOptions_SetEventLoop(opts, NULL, attach, add_remove, add_remove, detach));
    T(natsOptions_SetEventLoop(opts, (void *)1, NULL, add_remove, add_remove, detach));
    T(natsOptions_SetEventLoop(opts, (void *)1, attach, NULL, add_remove, detach));
    T(natsOptions_SetEventLoop(opts, (void *)1, attach, add_remove, NULL, detach));
    T(natsOptions_SetEventLoop(opts, (void *)1, attach, add_remove, add_remove, NULL));
    T(natsOptions_UseGlobalMessageDelivery(opts, true));
    for (int order = -1; order <= 65; order++)
        if (natsOptions_IPResolutionOrder(opts, order) == NATS_OK)
            trace("natsOptions_IPResolutionOrder(%d): NATS_OK", order);
    T(natsOptions_IPResolutionOrder(opts, 5));
    T(natsOptions_SetSendAsap(opts, true));
    T(natsOptions_SetFlusherWaitMicros(opts, 0));
    T(natsOptions_SetFlusherWaitMicros(opts, -1));
    T(natsOptions_UseOldRequestStyle(opts, true));
    T(natsOptions_SetFailRequestsOnDisconnect(opts, true));
    T(natsOptions_SetNoEcho(opts, true));
    T(natsOptions_SetRetryOnFailedConnect(opts, true, handler, NULL));
    T(natsOptions_SetRetryOnFailedConnect(opts, true, NULL, NULL));
    T(natsOptions_SetRetryOnFailedConnect(opts, false, handler, NULL));
    T(natsOptions_SetUserCredentialsCallbacks(opts, jwt, NULL, sign, NULL));
    T(natsOptions_SetUserCredentialsCallbacks(opts, NULL, NULL, sign, NULL));
    T(natsOptions_SetUserCredentialsCallbacks(opts, jwt, NULL, NULL, NULL));
    T(natsOptions_SetUserCredentialsCallbacks(opts, NULL, NULL, NULL, NULL));
    T(natsOptions_SetUserCredentialsFromFiles(opts, "no/such/file", NULL));
    T(natsOptions_SetUserCredentialsFromFiles(opts, "no/such/file", "nor/this"));
    T(natsOptions_SetUserCredentialsFromFiles(opts, NULL, "nor/this"));
    T(natsOptions_SetUserCredentialsFromFiles(opts, "", "nor/this"));
    T(natsOptions_SetUserCredentialsFromFiles(opts, "", ""));
    T(natsOptions_SetUserCredentialsFromFiles(opts, NULL, NULL));
    T(natsOptions_SetUserCredentialsFromMemory(opts, "anything"));
    T(natsOptions_SetUserCredentialsFromMemory(opts, ""));
    T(natsOptions_SetUserCredentialsFromMemory(opts, NULL));
    T(natsOptions_SetNKey(opts, "pub", sign, NULL));
    T(natsOptions_SetNKey(opts, "pub", NULL, NULL));
    T(natsOptions_SetNKey(opts, "", sign, NULL));
    T(natsOptions_SetNKey(opts, "", NULL, NULL));
    T(natsOptions_SetNKey(opts, NULL, sign, NULL));
    T(natsOptions_SetNKey(opts, NULL, NULL, NULL));
    T(natsOptions_SetNKeyFromSeed(opts, "pub", "no/such/file"));
    T(natsOptions_SetNKeyFromSeed(opts, "pub", NULL));
    T(natsOptions_SetNKeyFromSeed(opts, "pub", ""));
    T(natsOptions_SetNKeyFromSeed(opts, "", "no/such/file"));
    T(natsOptions_SetNKeyFromSeed(opts, NULL, NULL));
    T(natsOptions_SetWriteDeadline(opts, 1));
    T(natsOptions_SetWriteDeadline(opts, 0));
    T(natsOptions_SetWriteDeadline(opts, -1));
    T(natsOptions_DisableNoResponders(opts, true));
    T(natsOptions_SetMessageBufferPadding(opts, 0));
    T(natsOptions_SetMessageBufferPadding(opts, 32));
    T(natsOptions_SetMessageBufferPadding(opts, -1));
}

static void inbox_prefixes(natsOptions *opts)
{
    static const char *const prefixes[] = {
        "foo", "foo.bar", "a*b",    "a>b",       "foo.",     ".foo",     "foo..bar", "*",
        ">",   "foo.*",   "foo.>",  "foo.*.bar", "foo bar",  "foo\tbar", "foo\r",    "",
        " ",   ".",       "_INBOX", "_INBOX.",   "foo\nbar", "\xff\xfe",
    };

    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
    {
        char name[64];

        snprintf(name, sizeof name, "prefix %zu", i);
        trace_status(name, natsOptions_SetCustomInboxPrefix(opts, prefixes[i]));
    }
    T(natsOptions_SetCustomInboxPrefix(opts, NULL));
}

// Which calls become this thread's last error, with what text, and that a success does not clear it.
static void last_errors(natsOptions *opts)
{
    natsStatus  s = NATS_OK;
    const char *text;
    char        stack[256];

    trace_scenario("last error");
    nats_ReleaseThreadMemory();
    text = nats_GetLastError(&s);
    trace("at first: %s, %s", status_name(s), text == NULL ? "NULL" : "text");
    T(natsOptions_SetTimeout(opts, -1));
    text = nats_GetLastError(&s);
    trace("then: %s, %s", status_name(s),
          text != NULL && strstr(text, "Invalid Argument") != NULL ? "text" : "?");
    trace_status("stack", nats_GetLastErrorStack(stack, sizeof stack));
    trace("  %s", stack);
    T(natsOptions_SetTimeout(opts, 1));
    nats_GetLastError(&s);
    trace("after a success: %s", status_name(s));
    T(natsOptions_SetToken(opts, "t"));
    T(natsOptions_SetTokenHandler(opts, token, NULL));
    text = nats_GetLastError(&s);
    trace("refused handler: %s", status_name(s));
    T(natsOptions_SetServers(NULL, NULL, 0));
    trace_status("stack", nats_GetLastErrorStack(stack, sizeof stack));
    trace("  %s", stack);
    nats_ReleaseThreadMemory();
    text = nats_GetLastError(&s);
    trace("at last: %s, %s", status_name(s), text == NULL ? "NULL" : "text");
}

int main(void)
{
    natsOptions *opts = fresh_options();

    trace_scenario("options");
    all(opts);
    trace_scenario("inbox prefixes");
    inbox_prefixes(opts);
    natsOptions_Destroy(opts);
    trace_scenario("NULL");
    all(NULL);
    inbox_prefixes(NULL);
    natsOptions_Destroy(NULL);
    opts = fresh_options();
    last_errors(opts);
    natsOptions_Destroy(opts);
    nats_Close();
    return 0;
}
