// Callbacks: their order, the threads they run on, what the connection looks like inside them.

#include <pthread.h>

#include "fixture.h"
#include "trace.h"

typedef struct
{
    events         *ev;
    pthread_t       threads[64];
    int             count;
    pthread_mutex_t lock;
    bool            closes; // a delay does
} recorder;

// Which thread this is, by the order in which threads first came here: "A", "B".
static char thread_letter(recorder *r)
{
    char letter;
    int  i;

    pthread_mutex_lock(&r->lock);
    for (i = 0; i < r->count && !pthread_equal(r->threads[i], pthread_self()); i++)
        ;
    if (i == r->count)
        r->threads[r->count++] = pthread_self();
    letter = (char)('A' + i);
    pthread_mutex_unlock(&r->lock);
    return letter;
}

static void record(recorder *r, natsConnection *nc, const char *what)
{
    char text[96];
    char url[64] = "";

    natsConnection_GetConnectedUrl(nc, url, sizeof url);
    snprintf(text, sizeof text, "thread %c, %s, %s, url %s", thread_letter(r),
             conn_status_name(natsConnection_Status(nc)),
             status_name(natsConnection_ReadLastError(nc, NULL, 0)), url[0] == '\0' ? "none" : "set");
    events_add(r->ev, what, NATS_OK, text);
}

static void disconnected(natsConnection *nc, void *r)
{
    record(r, nc, "disconnected");
}
static void reconnected(natsConnection *nc, void *r)
{
    record(r, nc, "reconnected");
}
static void closed(natsConnection *nc, void *r)
{
    record(r, nc, "closed");
}
static void connected(natsConnection *nc, void *r)
{
    record(r, nc, "connected");
}
static void discovered(natsConnection *nc, void *r)
{
    record(r, nc, "discovered");
}
static void lame_duck(natsConnection *nc, void *r)
{
    record(r, nc, "lame duck");
}

static void error(natsConnection *nc, natsSubscription *sub, natsStatus err, void *r)
{
    char        text[96];
    natsStatus  s    = NATS_OK;
    const char *last = nats_GetLastError(&s);

    (void)nc;
    snprintf(text, sizeof text, "thread %c, %s, sub %s, last %s '%s'", thread_letter(r), status_name(err),
             sub == NULL ? "NULL" : "set", status_name(s), last == NULL ? "NULL" : last);
    events_add(((recorder *)r)->ev, "error", err, text);
}

static void message(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *r)
{
    (void)sub;
    natsMsg_Destroy(msg);
    record(r, nc, "message");
}

static recorder *recording(natsOptions *opts)
{
    recorder *r = calloc(1, sizeof *r);

    pthread_mutex_init(&r->lock, NULL);
    r->ev = events_create();
    thread_letter(r); // A: the main thread
    CHECK_OK(natsOptions_SetDisconnectedCB(opts, disconnected, r));
    CHECK_OK(natsOptions_SetReconnectedCB(opts, reconnected, r));
    CHECK_OK(natsOptions_SetClosedCB(opts, closed, r));
    CHECK_OK(natsOptions_SetDiscoveredServersCB(opts, discovered, r));
    CHECK_OK(natsOptions_SetLameDuckModeCB(opts, lame_duck, r));
    CHECK_OK(natsOptions_SetErrorHandler(opts, error, r));
    return r;
}

static void life(void)
{
    fixture           f   = fixture_create();
    recorder         *r   = recording(f.opts);
    natsSubscription *sub = NULL;

    trace_scenario("one life");
    CHECK_OK(natsOptions_SetNoRandomize(f.opts, true));
    fixture_connect(&f);
    mock_send(
        f.m,
        "INFO {\"server_id\":\"x\",\"max_payload\":9,\"ldm\":true,\"connect_urls\":[\"1.1.1.1:1\"]}\r\n");
    WAIT_EVENT(r->ev, "lame duck", 1, 5000);
    mock_send(f.m, "INFO {\"server_id\":\"x\",\"max_payload\":9,\"connect_urls\":[\"127.0.0.1:%d\"]}\r\n",
              mock_port(f.m));
    mock_err(f.m, "Permissions Violation for Publish to \"foo\"");
    WAIT_EVENT(r->ev, "error", 1, 5000);
    mock_err(f.m, "User Authentication Expired");
    WAIT_EVENT(r->ev, "error", 2, 5000);
    mock_close(f.m, 1);
    WAIT_EVENT(r->ev, "reconnected", 1, 5000);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", message, r));
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_send(f.m, "MSG foo 1 1\r\nx\r\n");
    WAIT_EVENT(r->ev, "message", 1, 5000);
    natsConnection_Close(f.nc);
    WAIT_EVENT(r->ev, "closed", 1, 5000);
    trace_events(r->ev, 0);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(f.nc);
    f.nc = NULL;
    fixture_destroy(&f);
}

static void retried(void)
{
    fixture   f = fixture_create();
    recorder *r = recording(f.opts);

    trace_scenario("first connect retried");
    CHECK_OK(natsOptions_SetRetryOnFailedConnect(f.opts, true, connected, r));
    mock_stop_listening(f.m);
    trace_status("connect", natsConnection_Connect(&f.nc, f.opts));
    trace("status %s, reconnecting %d, buffered %d", conn_status_name(natsConnection_Status(f.nc)),
          natsConnection_IsReconnecting(f.nc), natsConnection_Buffered(f.nc));
    trace_status("headers", natsConnection_HasHeaderSupport(f.nc));
    trace_status("publish", natsConnection_PublishString(f.nc, "foo", "x"));
    trace_status("flush", natsConnection_FlushTimeout(f.nc, 10));
    trace_status("drain", natsConnection_Drain(f.nc));
    mock_listen_again(f.m);
    WAIT_EVENT(r->ev, "connected", 1, 5000);
    CHECK(mock_wait_line(f.m, MOCK_LATEST, "PUB foo", 1, 5000));
    trace_connection("nc", f.nc);
    natsConnection_Close(f.nc);
    WAIT_EVENT(r->ev, "closed", 1, 5000);
    trace_events(r->ev, 0);
    natsConnection_Destroy(f.nc);
    f.nc = NULL;
    fixture_destroy(&f);
}

static void slow(natsConnection *nc, void *r)
{
    record(r, nc, "disconnected");
    pace_ms(300);
    events_add(((recorder *)r)->ev, "slept", NATS_OK, NULL);
}

// One thread for the callbacks of all connections.
static void one_waits_for_the_other(void)
{
    fixture   a = fixture_create(), b = fixture_create();
    recorder *r = recording(a.opts);

    trace_scenario("one connection's callback waits for another's");
    CHECK_OK(natsOptions_SetDisconnectedCB(a.opts, slow, r));
    CHECK_OK(natsOptions_SetReconnectedCB(a.opts, NULL, NULL));
    CHECK_OK(natsOptions_SetDisconnectedCB(b.opts, disconnected, r));
    fixture_connect(&a);
    fixture_connect(&b);
    mock_close(a.m, 1);
    WAIT_EVENT(r->ev, "disconnected", 1, 5000);
    mock_close(b.m, 1);
    WAIT_EVENT(r->ev, "disconnected", 2, 5000);
    trace_events(r->ev, 0);
    CHECK_OK(natsOptions_SetClosedCB(a.opts, NULL, NULL));
    natsConnection_Destroy(a.nc);
    a.nc = NULL;
    fixture_destroy(&a);
    fixture_destroy(&b);
}

static void destroyed(natsConnection *nc, void *r)
{
    record(r, nc, "closed");
    natsConnection_Destroy(nc);
    events_add(((recorder *)r)->ev, "destroyed", NATS_OK, NULL);
}

static void destroyed_in_the_callback(void)
{
    fixture   f = fixture_create();
    recorder *r = recording(f.opts);

    trace_scenario("destroyed in the closed callback");
    CHECK_OK(natsOptions_SetClosedCB(f.opts, destroyed, r));
    CHECK_OK(natsOptions_SetAllowReconnect(f.opts, false));
    fixture_connect(&f);
    mock_close(f.m, 1);
    WAIT_EVENT(r->ev, "destroyed", 1, 5000);
    trace_events(r->ev, 0);
    f.nc = NULL;
    fixture_destroy(&f);
}

// Custom delays: on which thread, with what count, in what state.
static long delay(natsConnection *nc, int attempts, void *r)
{
    char text[64];

    snprintf(text, sizeof text, "attempts %d, %s, thread of callbacks %d", attempts,
             conn_status_name(natsConnection_Status(nc)), thread_letter(r) == 'B');
    events_add(((recorder *)r)->ev, "delay", NATS_OK, text);
    if (attempts == 4)
        natsConnection_Close(nc);
    return attempts == 2 ? -5 : 1;
}

static void custom_delay(void)
{
    fixture   f = fixture_create();
    recorder *r = recording(f.opts);

    trace_scenario("custom delay that closes");
    CHECK_OK(natsOptions_SetCustomReconnectDelay(f.opts, delay, r));
    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, -1));
    fixture_connect(&f);
    mock_stop_listening(f.m);
    mock_close(f.m, 1);
    WAIT_EVENT(r->ev, "closed", 1, 5000);
    // The delay runs while the disconnected callback may still be on its way: counts, and order within each.
    for (int i = 1; i <= events_count(r->ev, "delay"); i++)
    {
        event e;

        events_get(r->ev, "delay", i, &e);
        trace("delay: %.24s", e.text);
    }
    trace("disconnected %d, closed %d", events_count(r->ev, "disconnected"), events_count(r->ev, "closed"));
    natsConnection_Destroy(f.nc);
    f.nc = NULL;
    fixture_destroy(&f);
}

// A delay that looks whether the closed callback runs beside it, and may be what closes.
static long delay_looks(natsConnection *nc, int attempts, void *r)
{
    recorder *rec = r;

    (void)attempts;
    events_add(rec->ev, "asked", NATS_OK, NULL);
    if (rec->closes)
        natsConnection_Close(nc);
    trace("closed while the delay runs: %d", HOLDS_WITHIN(events_count(rec->ev, "closed") > 0, 500));
    events_add(rec->ev, "looked", NATS_OK, NULL);
    return 1;
}

static void closed_beside_a_delay(bool by_itself)
{
    fixture   f = fixture_create();
    recorder *r = recording(f.opts);

    trace_scenario(by_itself ? "a delay closes and looks" : "closed while a delay runs");
    r->closes = by_itself;
    CHECK_OK(natsOptions_SetCustomReconnectDelay(f.opts, delay_looks, r));
    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, -1));
    fixture_connect(&f);
    mock_stop_listening(f.m);
    mock_close(f.m, 1);
    WAIT_EVENT(r->ev, "asked", 1, 5000);
    if (!by_itself)
        natsConnection_Close(f.nc);
    WAIT_EVENT(r->ev, "looked", 1, 5000);
    WAIT_EVENT(r->ev, "closed", 1, 5000);
    trace("closed %d", events_count(r->ev, "closed"));
    natsConnection_Destroy(f.nc);
    f.nc = NULL;
    fixture_destroy(&f);
}

// The recursive lock: a token handler asks the connection that is being made.
static natsConnection *asked;

static const char *ask(void *r)
{
    char url[64] = "";

    if (asked != NULL)
    {
        natsConnection_GetConnectedUrl(asked, url, sizeof url);
        events_add(((recorder *)r)->ev, conn_status_name(natsConnection_Status(asked)), NATS_OK,
                   url[0] == '\0' ? "no url" : "url");
    }
    return "token";
}

static void token_handler(void)
{
    fixture   f = fixture_create();
    recorder *r = recording(f.opts);

    trace_scenario("token handler asks");
    CHECK_OK(natsOptions_SetTokenHandler(f.opts, ask, r));
    fixture_connect(&f);
    asked = f.nc;
    mock_close(f.m, 1);
    WAIT_EVENT(r->ev, "reconnected", 1, 5000);
    asked = NULL;
    trace("asked while reconnecting: %d",
          events_count(r->ev, "RECONNECTING") + events_count(r->ev, "CONNECTING") > 0);
    trace_events(r->ev, 0);
    natsConnection_Destroy(f.nc);
    f.nc = NULL;
    fixture_destroy(&f);
}

int main(void)
{
    life();
    retried();
    one_waits_for_the_other();
    destroyed_in_the_callback();
    custom_delay();
    closed_beside_a_delay(false);
    closed_beside_a_delay(true);
    token_handler();
    return 0;
}
