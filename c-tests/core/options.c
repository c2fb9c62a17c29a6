// natsOptions_*, TLS aside: what is accepted, what a refusal leaves, what a connection makes of it.

#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <unistd.h>

#include "fixture.h"

static natsStatus attach(void **data, void *loop, natsConnection *nc, natsSock fd)
{
    (void)data, (void)loop, (void)nc, (void)fd;
    return NATS_MISMATCH;
}
static natsStatus add_remove(void *data, bool add)
{
    (void)data, (void)add;
    return NATS_OK;
}
static natsStatus detach(void *data)
{
    (void)data;
    return NATS_OK;
}
static const char *give(void *closure)
{
    return closure;
}
static natsStatus jwt(char **out, char **text, void *closure)
{
    (void)out;
    *text = strdup(closure);
    return NATS_MISMATCH;
}
static natsStatus sign(char **text, unsigned char **sig, int *len, const char *nonce, void *closure)
{
    (void)sig, (void)len, (void)nonce;
    *text = strdup(closure);
    return NATS_NOT_PERMITTED;
}
static natsStatus good_jwt(char **out, char **text, void *closure)
{
    (void)text, (void)closure;
    *out = strdup("the.jwt");
    return NATS_OK;
}

TEST(create_and_destroy)
{
    CHECK_STATUS(natsOptions_Create(NULL), NATS_INVALID_ARG);
    natsOptions_Destroy(NULL);
    natsOptions_Destroy(fresh_options());
}

TEST(null_options)
{
    const char *servers[] = {"a"};

#define REFUSED(call) CHECK_STATUS(call, NATS_INVALID_ARG)
    REFUSED(natsOptions_SetURL(NULL, "a"));
    REFUSED(natsOptions_SetServers(NULL, servers, 1));
    REFUSED(natsOptions_SetUserInfo(NULL, "u", "p"));
    REFUSED(natsOptions_SetToken(NULL, "t"));
    REFUSED(natsOptions_SetTokenHandler(NULL, give, NULL));
    REFUSED(natsOptions_SetNoRandomize(NULL, true));
    REFUSED(natsOptions_SetTimeout(NULL, 1));
    REFUSED(natsOptions_SetName(NULL, "n"));
    REFUSED(natsOptions_SetVerbose(NULL, true));
    REFUSED(natsOptions_SetPedantic(NULL, true));
    REFUSED(natsOptions_SetPingInterval(NULL, 1));
    REFUSED(natsOptions_SetMaxPingsOut(NULL, 1));
    REFUSED(natsOptions_SetIgnoreAuthErrorAbort(NULL, true));
    REFUSED(natsOptions_SetIOBufSize(NULL, 1));
    REFUSED(natsOptions_SetAllowReconnect(NULL, true));
    REFUSED(natsOptions_SetReconnectOnProtocolError(NULL, true));
    REFUSED(natsOptions_SetMaxReconnect(NULL, 1));
    REFUSED(natsOptions_SetReconnectWait(NULL, 1));
    REFUSED(natsOptions_SetReconnectJitter(NULL, 1, 1));
    REFUSED(natsOptions_SetCustomReconnectDelay(NULL, NULL, NULL));
    REFUSED(natsOptions_SetReconnectBufSize(NULL, 1));
    REFUSED(natsOptions_SetMaxPendingMsgs(NULL, 1));
    REFUSED(natsOptions_SetMaxPendingBytes(NULL, 1));
    REFUSED(natsOptions_SetProxyConnHandler(NULL, NULL, NULL));
    REFUSED(natsOptions_SetErrorHandler(NULL, NULL, NULL));
    REFUSED(natsOptions_SetClosedCB(NULL, NULL, NULL));
    REFUSED(natsOptions_SetDisconnectedCB(NULL, NULL, NULL));
    REFUSED(natsOptions_SetReconnectedCB(NULL, NULL, NULL));
    REFUSED(natsOptions_SetDiscoveredServersCB(NULL, NULL, NULL));
    REFUSED(natsOptions_SetLameDuckModeCB(NULL, NULL, NULL));
    REFUSED(natsOptions_SetIgnoreDiscoveredServers(NULL, true));
    REFUSED(natsOptions_SetEventLoop(NULL, (void *)1, attach, add_remove, add_remove, detach));
    REFUSED(natsOptions_UseGlobalMessageDelivery(NULL, true));
    REFUSED(natsOptions_IPResolutionOrder(NULL, 4));
    REFUSED(natsOptions_SetSendAsap(NULL, true));
    REFUSED(natsOptions_SetFlusherWaitMicros(NULL, 1));
    REFUSED(natsOptions_UseOldRequestStyle(NULL, true));
    REFUSED(natsOptions_SetFailRequestsOnDisconnect(NULL, true));
    REFUSED(natsOptions_SetNoEcho(NULL, true));
    REFUSED(natsOptions_SetRetryOnFailedConnect(NULL, true, NULL, NULL));
    REFUSED(natsOptions_SetUserCredentialsCallbacks(NULL, jwt, NULL, sign, NULL));
    REFUSED(natsOptions_SetUserCredentialsFromFiles(NULL, "f", NULL));
    REFUSED(natsOptions_SetUserCredentialsFromMemory(NULL, "m"));
    REFUSED(natsOptions_SetNKey(NULL, "k", sign, NULL));
    REFUSED(natsOptions_SetNKeyFromSeed(NULL, "k", "f"));
    REFUSED(natsOptions_SetWriteDeadline(NULL, 1));
    REFUSED(natsOptions_DisableNoResponders(NULL, true));
    REFUSED(natsOptions_SetCustomInboxPrefix(NULL, "p"));
    REFUSED(natsOptions_SetMessageBufferPadding(NULL, 1));
}

TEST(values_out_of_range)
{
    natsOptions *opts      = fresh_options();
    const char  *servers[] = {"a", "b"};

    REFUSED(natsOptions_SetServers(opts, servers, 0));
    REFUSED(natsOptions_SetServers(opts, servers, -1));
    REFUSED(natsOptions_SetServers(opts, NULL, 1));
    REFUSED(natsOptions_SetTimeout(opts, -1));
    REFUSED(natsOptions_SetIOBufSize(opts, -1));
    REFUSED(natsOptions_SetReconnectWait(opts, -1));
    REFUSED(natsOptions_SetReconnectJitter(opts, -1, 0));
    REFUSED(natsOptions_SetReconnectJitter(opts, 0, -1));
    REFUSED(natsOptions_SetReconnectBufSize(opts, -1));
    REFUSED(natsOptions_SetMaxPendingMsgs(opts, 0));
    REFUSED(natsOptions_SetMaxPendingMsgs(opts, -1));
    REFUSED(natsOptions_SetMaxPendingBytes(opts, 0));
    REFUSED(natsOptions_SetMaxPendingBytes(opts, -1));
    REFUSED(natsOptions_SetFlusherWaitMicros(opts, -1));
    REFUSED(natsOptions_SetWriteDeadline(opts, -1));
    REFUSED(natsOptions_SetMessageBufferPadding(opts, -1));
    REFUSED(natsOptions_SetEventLoop(opts, NULL, attach, add_remove, add_remove, detach));
    REFUSED(natsOptions_SetEventLoop(opts, opts, NULL, add_remove, add_remove, detach));
    REFUSED(natsOptions_SetEventLoop(opts, opts, attach, NULL, add_remove, detach));
    REFUSED(natsOptions_SetEventLoop(opts, opts, attach, add_remove, NULL, detach));
    REFUSED(natsOptions_SetEventLoop(opts, opts, attach, add_remove, add_remove, NULL));
    for (int order = -1; order <= 100; order++)
        CHECK_STATUS(natsOptions_IPResolutionOrder(opts, order),
                     order == 0 || order == 4 || order == 6 || order == 46 || order == 64 ? NATS_OK
                                                                                          : NATS_INVALID_ARG);
    REFUSED(natsOptions_SetUserCredentialsCallbacks(opts, jwt, NULL, NULL, NULL));
    REFUSED(natsOptions_SetUserCredentialsCallbacks(opts, NULL, NULL, sign, NULL));
    REFUSED(natsOptions_SetUserCredentialsFromFiles(opts, NULL, "seed"));
    REFUSED(natsOptions_SetUserCredentialsFromFiles(opts, "", "seed"));
    REFUSED(natsOptions_SetNKey(opts, "key", NULL, NULL));
    REFUSED(natsOptions_SetNKeyFromSeed(opts, "key", NULL));
    REFUSED(natsOptions_SetNKeyFromSeed(opts, "key", ""));
    natsOptions_Destroy(opts);
}

TEST(edges_that_are_accepted)
{
    natsOptions *opts = fresh_options();

    CHECK_OK(natsOptions_SetURL(opts, NULL));
    CHECK_OK(natsOptions_SetServers(opts, NULL, 0));
    CHECK_OK(natsOptions_SetTimeout(opts, 0));
    CHECK_OK(natsOptions_SetName(opts, NULL));
    CHECK_OK(natsOptions_SetPingInterval(opts, -1));
    CHECK_OK(natsOptions_SetMaxPingsOut(opts, -1));
    CHECK_OK(natsOptions_SetIOBufSize(opts, 0));
    CHECK_OK(natsOptions_SetMaxReconnect(opts, -1));
    CHECK_OK(natsOptions_SetReconnectWait(opts, 0));
    CHECK_OK(natsOptions_SetReconnectBufSize(opts, 0));
    CHECK_OK(natsOptions_SetFlusherWaitMicros(opts, 0));
    CHECK_OK(natsOptions_SetWriteDeadline(opts, 0));
    CHECK_OK(natsOptions_SetMessageBufferPadding(opts, 0));
    CHECK_OK(natsOptions_SetUserCredentialsFromFiles(opts, "no/such/file", NULL));
    CHECK_OK(natsOptions_SetUserCredentialsFromFiles(opts, NULL, NULL));
    CHECK_OK(natsOptions_SetUserCredentialsCallbacks(opts, NULL, NULL, NULL, NULL));
    CHECK_OK(natsOptions_SetUserCredentialsFromMemory(opts, NULL));
    CHECK_OK(natsOptions_SetNKey(opts, "", NULL, NULL));
    CHECK_OK(natsOptions_SetNKeyFromSeed(opts, NULL, NULL));
    natsOptions_Destroy(opts);
}

TEST(token_and_token_handler_exclude_each_other)
{
    natsOptions *opts = fresh_options();

    CHECK_OK(natsOptions_SetToken(opts, "t"));
    CHECK_STATUS(natsOptions_SetTokenHandler(opts, give, NULL), NATS_ILLEGAL_STATE);
    CHECK_OK(natsOptions_SetTokenHandler(opts, NULL, NULL));
    CHECK_OK(natsOptions_SetToken(opts, NULL));
    CHECK_OK(natsOptions_SetTokenHandler(opts, give, NULL));
    CHECK_STATUS(natsOptions_SetToken(opts, "t"), NATS_ILLEGAL_STATE);
    CHECK_OK(natsOptions_SetToken(opts, NULL));
    natsOptions_Destroy(opts);
}

TEST(custom_inbox_prefix)
{
    static const char *const good[] = {"foo", "foo.bar", "a*b", "a>b", "_INBOX", ""};
    static const char *const bad[]  = {"foo.",  ".foo",    "foo..bar", "*", ">", "foo.*",
                                       "foo.>", "foo bar", "a\tb",     " ", "."};
    natsOptions             *opts   = fresh_options();

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK_OK(natsOptions_SetCustomInboxPrefix(opts, good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_STATUS(natsOptions_SetCustomInboxPrefix(opts, bad[i]), NATS_INVALID_ARG);
    CHECK_OK(natsOptions_SetCustomInboxPrefix(opts, NULL));
    natsOptions_Destroy(opts);
}

// ---- what connections make of them ----

static natsStatus connect_status(fixture *f, const char *text)
{
    natsStatus  s    = natsConnection_Connect(&f->nc, f->opts);
    const char *last = nats_GetLastError(NULL);

    if (text != NULL)
        CHECK_MSG(last != NULL && strstr(last, text) != NULL, "last error: %s", last == NULL ? "none" : last);
    return s;
}

static void check_connect_line(fixture *f, const char *part)
{
    char *line = mock_connect_line(f->m, MOCK_LATEST);

    CHECK_MSG(line != NULL && strstr(line, part) != NULL, "%s", line == NULL ? "no CONNECT" : line);
    free(line);
}

TEST(options_are_copied)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetName(f.opts, "first"));
    fixture_connect(&f);
    check_connect_line(&f, "\"name\":\"first\"");
    CHECK_OK(natsOptions_SetName(f.opts, "second"));
    CHECK_OK(natsOptions_SetURL(f.opts, "nats://127.0.0.1:1"));
    natsOptions_Destroy(f.opts);
    f.opts = NULL;
    CHECK_STR(natsConnection_GetName(f.nc), "first");
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    check_connect_line(&f, "\"name\":\"first\"");
    fixture_destroy(&f);
}

TEST(flags_in_connect)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetVerbose(f.opts, true));
    CHECK_OK(natsOptions_SetPedantic(f.opts, true));
    CHECK_OK(natsOptions_SetNoEcho(f.opts, true));
    CHECK_OK(natsOptions_DisableNoResponders(f.opts, true));
    fixture_connect(&f);
    check_connect_line(
        &f, "CONNECT {\"verbose\":true,\"pedantic\":true,\"tls_required\":false,\"name\":\"\",\"lang\":\"C\","
            "\"version\":\"3.14.0\",\"protocol\":1,\"echo\":false,");
    check_connect_line(&f, "\"no_responders\":false}");
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    check_connect_line(&f, "\"verbose\":true");
    fixture_destroy(&f);
}

TEST(user_and_token_are_escaped)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetUserInfo(f.opts, "a\"b", "c\\d"));
    CHECK_OK(natsOptions_SetName(f.opts, "n\"m"));
    fixture_connect(&f);
    check_connect_line(&f, "\"user\":\"a\\\"b\",\"pass\":\"c\\\\d\"");
    check_connect_line(&f, "\"name\":\"n\\\"m\"");
    fixture_destroy(&f);
}

TEST(timeout_of_zero_is_over_at_once)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetTimeout(f.opts, 0));
    CHECK_STATUS(connect_status(&f, NULL), NATS_TIMEOUT);
    fixture_destroy(&f);
}

TEST(bad_urls_fail_at_connect)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetURL(f.opts, "nats://localhost:port"));
    CHECK_STATUS(connect_status(&f, "invalid port '"), NATS_INVALID_ARG);
    CHECK_OK(natsOptions_SetURL(f.opts, "nats://a%zz@localhost:1"));
    CHECK_STATUS(connect_status(&f, "invalid percent encoding in URL:"), NATS_ERR);
    CHECK_INT(mock_accepted(f.m), 0);
    fixture_destroy(&f);
}

TEST(credentials_that_cannot_be_read)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetUserCredentialsFromFiles(f.opts, "no/such/file", NULL));
    CHECK_STATUS(connect_status(&f, "error opening file '"), NATS_ERR);
    CHECK_OK(natsOptions_SetUserCredentialsFromMemory(f.opts, ""));
    CHECK_STATUS(connect_status(&f, NULL), NATS_NOT_FOUND);
    CHECK_OK(natsOptions_SetNKeyFromSeed(f.opts, "UA", "/dev/null"));
    CHECK_STATUS(connect_status(&f, "no nkey user seed found"), NATS_ERR);
    fixture_destroy(&f);
}

TEST(texts_of_the_programs_handlers)
{
    fixture f = fixture_create();

    CHECK_OK(
        natsOptions_SetUserCredentialsCallbacks(f.opts, jwt, "no jwt today", sign, "no signature today"));
    CHECK_STATUS(connect_status(&f, "no jwt today"), NATS_MISMATCH);
    CHECK_OK(natsOptions_SetUserCredentialsCallbacks(f.opts, good_jwt, NULL, sign, "no signature today"));
    CHECK_STATUS(connect_status(&f, "no signature today"), NATS_NOT_PERMITTED);
    CHECK_OK(natsOptions_SetNKey(f.opts, "UA", sign, "nor here"));
    CHECK_STATUS(connect_status(&f, "nor here"), NATS_NOT_PERMITTED);
    fixture_destroy(&f);
}

TEST(token_handler_and_url_token)
{
    fixture f = fixture_create();
    char    url[64];

    CHECK_OK(natsOptions_SetTokenHandler(f.opts, give, "handed"));
    fixture_connect(&f);
    check_connect_line(&f, "\"auth_token\":\"handed\"");
    natsConnection_Destroy(f.nc);
    f.nc = NULL;
    snprintf(url, sizeof url, "nats://mine@127.0.0.1:%d", mock_port(f.m));
    CHECK_OK(natsOptions_SetURL(f.opts, url));
    CHECK_STATUS(connect_status(&f, NULL), NATS_ILLEGAL_STATE);
    fixture_destroy(&f);
}

TEST(credentials_of_one_url_serve_the_pool)
{
    fixture     f = fixture_create();
    char        plain[64];
    const char *servers[] = {plain, "nats://ivan:secret@127.0.0.1:1"};

    snprintf(plain, sizeof plain, "nats://127.0.0.1:%d", mock_port(f.m));
    CHECK_OK(natsOptions_SetURL(f.opts, NULL));
    CHECK_OK(natsOptions_SetServers(f.opts, servers, 2));
    fixture_connect(&f);
    check_connect_line(&f, "\"user\":\"ivan\",\"pass\":\"secret\"");
    fixture_destroy(&f);
}

TEST(custom_prefix_of_requests)
{
    fixture  f   = fixture_create();
    natsMsg *msg = NULL;

    CHECK_OK(natsOptions_SetCustomInboxPrefix(f.opts, "my.box"));
    fixture_connect(&f);
    CHECK_STATUS(natsConnection_RequestString(&msg, f.nc, "svc", "x", 20), NATS_TIMEOUT);
    CHECK(mock_wait_line(f.m, 1, "SUB my.box.", 1, 5000));
    CHECK(mock_wait_line(f.m, 1, "PUB svc my.box.", 1, 5000));
    fixture_destroy(&f);
}

// A proxy makes the connection itself.
typedef struct
{
    int  port, calls;
    char host[64];
    int  asked_port;
} proxy_data;

static natsStatus proxy(natsSock *fd, char *host, int port, void *closure)
{
    proxy_data        *p    = closure;
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)p->port)};

    p->calls++;
    p->asked_port = port;
    snprintf(p->host, sizeof p->host, "%s", host);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *fd                  = socket(AF_INET, SOCK_STREAM, 0);
    return connect(*fd, (struct sockaddr *)&addr, sizeof addr) == 0 ? NATS_OK : NATS_ERR;
}

static natsStatus broken_proxy(natsSock *fd, char *host, int port, void *closure)
{
    (void)fd, (void)host, (void)port, (void)closure;
    return NATS_NOT_PERMITTED;
}

TEST(proxy_connection)
{
    fixture    f = fixture_create();
    proxy_data p = {mock_port(f.m), 0, "", 0};

    CHECK_OK(natsOptions_SetProxyConnHandler(f.opts, proxy, &p));
    CHECK_OK(natsOptions_SetURL(f.opts, "nats://[::5]:77"));
    fixture_connect(&f);
    CHECK_STR(p.host, "::5");
    CHECK_INT(p.asked_port, 77);
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK_INT(p.calls, 2);
    natsConnection_Destroy(f.nc);
    f.nc = NULL;
    CHECK_OK(natsOptions_SetProxyConnHandler(f.opts, broken_proxy, NULL));
    CHECK_STATUS(connect_status(&f, NULL), NATS_NO_SERVER);
    fixture_destroy(&f);
}

TEST(event_loop_that_refuses)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetEventLoop(f.opts, &f, attach, add_remove, add_remove, detach));
    CHECK_STATUS(connect_status(&f, "Error attaching to the event loop"), NATS_MISMATCH);
    CHECK_INT(events_count(f.ev, NULL), 0);
    fixture_destroy(&f);
}

// A sparse publish arrives soon, whatever the flusher does.
TEST(publishes_arrive_promptly)
{
    static const int waits[] = {0, 1000, 5000, -1};

    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
    {
        fixture f = fixture_create();

        if (waits[i] < 0)
            CHECK_OK(natsOptions_SetSendAsap(f.opts, true));
        else
            CHECK_OK(natsOptions_SetFlusherWaitMicros(f.opts, waits[i]));
        fixture_connect(&f);
        for (int n = 1; n <= 3; n++)
        {
            CHECK_OK(natsConnection_PublishString(f.nc, "foo", "x"));
            CHECK(mock_wait_pubs(f.m, 1, n, 2000));
        }
        fixture_destroy(&f);
    }
}
