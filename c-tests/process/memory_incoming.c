// Shortage of memory while messages arrive: each allocation of the library from 4 KiB up fails once. The
// connection ends with it, or messages are dropped as for a slow consumer; the process lives, and the next
// connection works.

#include "certs.h"
#include "fixture.h"
#include "gate.h"
#include "loop.h"
#include "scarce.h"
#include "server.h"

// Threads keep memory for the next round otherwise.
static void start_afresh(void)
{
    CHECK_OK(nats_CloseAndWait(5000));
}

// A block of headers, for the caller to free.
static char *many_headers(int count)
{
    char *block = malloc((size_t)count * 48 + 20000), *at = block;

    at += sprintf(at, "NATS/1.0\r\n");
    for (int i = 0; i < count; i++)
        at += sprintf(at, "key-%d: value\r\nsame: %d\r\n", i, i);
    at += sprintf(at, "folded: a\r\n %s\r\n\r\n", "0123456789");
    return block;
}

// Messages with everything that may be large, an INFO, and one that tells that all was taken.
static void send_all(mock *m, const char *block, const char *body, int body_len)
{
    int len = (int)strlen(block);

    mock_send(m, "MSG foo 1 %d\r\n", body_len);
    mock_write(m, 1, body, (size_t)body_len);
    mock_send(m, "\r\nHMSG foo 1 %d %d\r\n", len, len + 1);
    mock_write(m, 1, block, (size_t)len);
    mock_send(m, "x\r\nMSG ");
    mock_write(m, 1, body, 10000);
    pace_ms(1); // most probably it is read by itself then, so that the line is kept
    mock_send(m, " 1 1\r\nx\r\n");
    mock_send(m, "INFO {\"max_payload\":1000,\"connect_urls\":[");
    for (int i = 0; i < 600; i++)
        mock_send(m, "%s\"10.0.%d.%d:1\"", i ? "," : "", i / 200, i % 200);
    mock_send(m, "]}\r\n");
    for (int i = 0; i < 30; i++)
        mock_send(m, "%s",
                  "MSG foo 1 1\r\nx\r\nMSG foo 1 1\r\nx\r\nMSG foo 1 1\r\nx\r\nMSG foo 1 1\r\nx\r\n");
    mock_send(m, "MSG foo 1 3\r\nend\r\n");
}

static natsStatus look_at(natsMsg *msg)
{
    const char *value = NULL;
    natsStatus  s     = natsMsgHeader_Get(msg, "same", &value);

    CHECK_MSG(s == NATS_OK || s == NATS_NO_MEMORY || s == NATS_NOT_FOUND, "status %d", (int)s);
    return s;
}

static void receive(void)
{
    fixture           f     = fixture_create();
    natsSubscription *sub   = NULL;
    natsMsg          *msg   = NULL;
    char             *block = many_headers(1000), *body = long_text(3 << 20);
    bool              ended = false;
    natsStatus        s;

    CHECK_OK(natsOptions_SetAllowReconnect(f.opts, false));
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK_OK(natsConnection_Flush(f.nc));
    scarce(true);
    send_all(f.m, block, body, 3 << 20);
    while (!ended && (s = natsSubscription_NextMsg(&msg, sub, 10000)) == NATS_OK)
    {
        look_at(msg);
        ended = natsMsg_GetDataLength(msg) == 3;
        natsMsg_Destroy(msg);
    }
    scarce(false);
    if (!ended)
    {
        char text[256];

        // Either the connection is gone, or a message was dropped.
        CHECK_STATUS(s, NATS_CONNECTION_CLOSED);
        WAIT_EVENT(f.ev, "closed", 1, 5000);
        CHECK_STATUS(natsConnection_ReadLastError(f.nc, text, sizeof text), NATS_NO_MEMORY);
    }
    free(block);
    free(body);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
    start_afresh();
}

TEST_T(messages_of_a_server, 120000)
{
    CHECK(each_fails_once(receive) > 5);
}

// ---- callbacks ----

typedef struct
{
    gate       gate;
    atomic_int got;
} receiver;

static void hold_first(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    receiver *r = closure;

    (void)nc, (void)sub;
    gate_wait(&r->gate);
    atomic_fetch_add(&r->got, 1);
    natsMsg_Destroy(msg);
}

static enum { ELASTIC, FIXED_POOL, EVENT_LOOP } delivery;

#define SUBS  300
#define MSGS  20
#define BURST 3000

static int dropped_by(natsSubscription **subs)
{
    int64_t dropped, sum = 0;

    for (int i = 0; i < SUBS; i++)
    {
        CHECK_OK(natsSubscription_GetDropped(subs[i], &dropped));
        sum += dropped;
    }
    return (int)sum;
}

// Many messages while the callback of the first one does not return: all queues grow. What was not dropped
// arrives.
static void call_back(void)
{
    fixture           f = fixture_create();
    loop             *l = NULL;
    natsSubscription *subs[SUBS];
    receiver          r    = {0};
    char             *text = malloc(SUBS * MSGS * 32), *at = text;
    bool              lost;

    gate_init(&r.gate);
    CHECK_OK(natsOptions_UseGlobalMessageDelivery(f.opts, delivery == FIXED_POOL));
    CHECK_OK(natsOptions_SetAllowReconnect(f.opts, false));
    if (delivery == EVENT_LOOP)
        loop_use(l = loop_create(NULL), f.opts); // it outlives the recorder
    fixture_connect(&f);
    for (int i = 0; i < SUBS; i++)
        CHECK_OK(natsConnection_Subscribe(&subs[i], f.nc, "foo", hold_first, &r));
    CHECK_OK(natsConnection_Flush(f.nc));
    for (int i = 0; i < MSGS; i++)
        for (int sid = 1; sid <= SUBS; sid++)
            at += sprintf(at, "MSG foo %d 1\r\nx\r\n", sid);
    scarce(true);
    mock_write(f.m, 1, text, (size_t)(at - text));
    at = text;
    for (int i = 0; i < BURST; i++)
        at += sprintf(at, "MSG foo 1 1\r\nx\r\n");
    mock_write(f.m, 1, text, (size_t)(at - text));
    lost = natsConnection_FlushTimeout(f.nc, 10000) != NATS_OK;
    gate_open(&r.gate);
    if (!lost)
        WAIT_FOR(r.got + dropped_by(subs) >= SUBS * MSGS + BURST || natsConnection_IsClosed(f.nc), 10000);
    scarce(false);
    if (!lost && !natsConnection_IsClosed(f.nc))
    {
        CHECK_INT(r.got + dropped_by(subs), SUBS * MSGS + BURST);
        mock_send(f.m, "MSG foo 2 1\r\nx\r\n");
        WAIT_FOR(r.got + dropped_by(subs) == SUBS * MSGS + BURST + 1, 5000);
    }
    natsConnection_Close(f.nc);
    for (int i = 0; i < SUBS; i++)
        natsSubscription_Destroy(subs[i]);
    free(text);
    fixture_destroy(&f);
    if (l != NULL)
        loop_destroy(l);
    start_afresh();
}

TEST_T(callbacks, 120000)
{
    for (delivery = ELASTIC; delivery <= EVENT_LOOP; delivery++)
        CHECK_RANGE(each_fails_once(call_back), 5, 200);
}

// Errors of the server while the error callback of the first one does not return.
static void hold_errors(natsConnection *nc, natsSubscription *sub, natsStatus s, void *closure)
{
    receiver *r = closure;

    (void)nc, (void)sub, (void)s;
    gate_wait(&r->gate);
    atomic_fetch_add(&r->got, 1);
}

static void tell_errors(void)
{
    fixture  f = fixture_create();
    receiver r = {0};

    gate_init(&r.gate);
    CHECK_OK(natsOptions_SetErrorHandler(f.opts, hold_errors, &r));
    fixture_connect(&f);
    scarce(true);
    for (int i = 0; i < 1000; i++)
        mock_send(f.m, "-ERR 'Permissions Violation for Publish'\r\n");
    CHECK(natsConnection_Flush(f.nc) == NATS_OK || scarce_failed());
    gate_open(&r.gate);
    WAIT_FOR(r.got == 1000 || scarce_failed(), 5000);
    scarce(false);
    fixture_destroy(&f);
}

TEST_T(errors_of_a_server, 60000)
{
    each_fails_once(tell_errors);
}

// ---- TLS ----

static server *secure_server;

static void over_tls(void)
{
    natsOptions      *opts = NULL;
    natsConnection   *nc   = NULL;
    natsSubscription *sub  = NULL;
    natsMsg          *msg  = NULL;
    events           *ev   = events_create();
    char             *body = long_text(300000), url[64];
    natsStatus        s;

    snprintf(url, sizeof url, "tls://localhost:%d", server_port(secure_server));
    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetURL(opts, url));
    CHECK_OK(natsOptions_LoadCATrustedCertificates(opts, cert("ca.pem")));
    CHECK_OK(natsOptions_SetTimeout(opts, 10000));
    CHECK_OK(natsOptions_SetReconnectWait(opts, 20));
    CHECK_OK(natsOptions_SetReconnectJitter(opts, 0, 0));
    events_handlers(ev, opts);
    scarce(true);
    s = ok_or_no_memory(natsConnection_Connect(&nc, opts));
    scarce(false);
    if (s != NATS_OK)
        CHECK_OK(natsConnection_Connect(&nc, opts));
    CHECK_OK(natsConnection_SubscribeSync(&sub, nc, "foo"));
    CHECK_OK(natsConnection_Flush(nc));
    scarce(true);
    // When the connection ends with it the message may be gone.
    s = natsConnection_Publish(nc, "foo", body, 300000);
    s = s == NATS_OK ? natsSubscription_NextMsg(&msg, sub, 200) : s;
    scarce(false);
    natsMsg_Destroy(msg);
    msg = NULL;
    CHECK(s == NATS_OK || scarce_failed());
    for (int i = 0; i < 100 && s != NATS_TIMEOUT; i++)
        s = natsConnection_Flush(nc) == NATS_OK ? NATS_TIMEOUT : NATS_ERR; // it has come back
    CHECK_OK(natsConnection_Publish(nc, "foo", body, 1));
    do
    {
        natsMsg_Destroy(msg);
        msg = NULL;
        CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
    } while (natsMsg_GetDataLength(msg) != 1);
    natsMsg_Destroy(msg);
    natsSubscription_Destroy(sub);
    natsConnection_Close(nc);
    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
    WAIT_EVENT(ev, "closed", 1, 5000);
    free(body);
    start_afresh();
}

TEST_T(tls, 120000)
{
    char *block;

    if (!server_available())
        SKIP("no nats-server");
    certs_make();
    block         = cert_server_config("server-ip", "");
    secure_server = server_start(block, NULL);
    CHECK_RANGE(each_fails_once(over_tls), 4, 200);
    server_stop(secure_server);
    free(block);
}
