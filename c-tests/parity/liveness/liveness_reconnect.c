// From the loss of a connection to the next one: who is told what, what is sent again and what is not, how
// long it takes, and when it is given up.

#include "fixture.h"
#include "trace.h"
#include "wire.h"

#include <pthread.h>

enum
{
    TICK = 200,
};

static void what_is_sent_again(void)
{
    fixture           f     = fixture_create();
    natsSubscription *plain = NULL, *queue = NULL, *gone = NULL, *limited = NULL, *late = NULL;

    trace_scenario("what is sent again");
    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&plain, f.nc, "plain", on_msg, f.ev));
    CHECK_OK(natsConnection_QueueSubscribe(&queue, f.nc, "queue", "workers", on_msg, f.ev));
    CHECK_OK(natsConnection_Subscribe(&gone, f.nc, "gone", on_msg, f.ev));
    CHECK_OK(natsConnection_Subscribe(&limited, f.nc, "limited", on_msg, f.ev));
    CHECK_OK(natsSubscription_AutoUnsubscribe(limited, 10));
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_send(f.m, "MSG limited 4 1\r\na\r\nMSG limited 4 1\r\nb\r\nMSG limited 4 1\r\nc\r\n");
    WAIT_EVENT(f.ev, "msg", 3, 5000);
    fixture_lose(&f);
    CHECK_OK(natsConnection_PublishString(f.nc, "buffered", "one"));
    CHECK_OK(natsSubscription_Unsubscribe(gone));
    CHECK_OK(natsConnection_Subscribe(&late, f.nc, "late", on_msg, f.ev));
    CHECK_OK(natsConnection_PublishString(f.nc, "buffered", "two"));
    fixture_regain(&f);
    CHECK_OK(natsConnection_Flush(f.nc));
    wire_trace_lines(f.m, 2, 1);
    trace_events(f.ev, 0);
    natsSubscription_Destroy(plain);
    natsSubscription_Destroy(queue);
    natsSubscription_Destroy(gone);
    natsSubscription_Destroy(limited);
    natsSubscription_Destroy(late);
    fixture_destroy(&f);
}

// A limit that is reached but for the UNSUB, and one that is reached while disconnected.
static void limits_reached(void)
{
    fixture           f = fixture_create();
    natsSubscription *a = NULL, *b = NULL;

    trace_scenario("auto-unsubscribe limits");
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&a, f.nc, "a"));
    CHECK_OK(natsConnection_Subscribe(&b, f.nc, "b", on_msg, f.ev));
    CHECK_OK(natsSubscription_AutoUnsubscribe(b, 2));
    mock_wait_line(f.m, 1, "UNSUB 2", 1, 5000);
    mock_send(f.m, "MSG b 2 1\r\nx\r\nMSG b 2 1\r\ny\r\nMSG a 1 1\r\nz\r\n");
    WAIT_EVENT(f.ev, "msg", 2, 5000);
    fixture_lose(&f);
    CHECK_OK(natsSubscription_AutoUnsubscribe(a, 5));
    fixture_regain(&f);
    CHECK_OK(natsConnection_Flush(f.nc));
    wire_trace_lines(f.m, 2, 1);
    natsSubscription_Destroy(a);
    natsSubscription_Destroy(b);
    fixture_destroy(&f);
}

static void hold(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    events *ev = closure;

    (void)nc;
    (void)sub;
    natsMsg_Destroy(msg);
    events_add(ev, "holding", NATS_OK, NULL);
    events_wait(ev, "go on", 1, 10000);
}

static void draining_subscription(void)
{
    fixture           f       = fixture_create();
    natsSubscription *drained = NULL, *other = NULL;

    trace_scenario("a draining subscription is not sent again");
    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&drained, f.nc, "drained", hold, f.ev));
    CHECK_OK(natsConnection_Subscribe(&other, f.nc, "other", on_msg, f.ev));
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_send(f.m, "MSG drained 1 1\r\nx\r\nMSG drained 1 1\r\ny\r\n");
    WAIT_EVENT(f.ev, "holding", 1, 5000);
    CHECK_OK(natsSubscription_Drain(drained));
    CHECK(mock_wait_line(f.m, 1, "UNSUB 1", 1, 5000));
    fixture_lose(&f);
    fixture_regain(&f);
    events_add(f.ev, "go on", NATS_OK, NULL);
    WAIT_EVENT(f.ev, "holding", 2, 5000);
    CHECK_OK(natsSubscription_WaitForDrainCompletion(drained, 5000));
    CHECK_OK(natsConnection_Flush(f.nc));
    trace("SUB drained %d times, SUB other %d times", mock_count_lines(f.m, 2, "SUB drained"),
          mock_count_lines(f.m, 2, "SUB other"));
    natsSubscription_Destroy(drained);
    natsSubscription_Destroy(other);
    fixture_destroy(&f);
}

// The socket drops inside a MSG: the next connection starts with a clean parser.
static void drop_inside_a_message(void)
{
    static const char *const pieces[] = {
        "MS",
        "MSG foo 1 1",
        "MSG foo 1 10\r\n",
        "MSG foo 1 10\r\nhalf",
        "HMSG foo 1 12 20\r\nNATS/1.0\r\n",
        "INFO {\"a\":",
        "-ERR 'half",
        "PIN",
    };

    trace_scenario("the socket drops inside a frame");
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
    {
        fixture           f   = fixture_create();
        natsSubscription *sub = NULL;
        event             e;

        fixture_connect(&f);
        CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg, f.ev));
        CHECK_OK(natsConnection_Flush(f.nc));
        mock_send(f.m, "%s", pieces[i]);
        wire_taken(f.m);
        mock_close(f.m, MOCK_LATEST);
        WAIT_EVENT(f.ev, "reconnected", 1, 5000);
        CHECK_OK(natsConnection_Flush(f.nc));
        mock_send(f.m, "MSG foo 1 5\r\nwhole\r\n");
        WAIT_EVENT(f.ev, "msg", 1, 5000);
        CHECK(events_get(f.ev, "msg", 1, &e));
        trace("%d: %s; disconnected %d times", (int)i, e.text, events_count(f.ev, "disconnected"));
        natsSubscription_Destroy(sub);
        fixture_destroy(&f);
    }
}

// Many losses: one event of each kind per loss, no thread and no descriptor left behind.
static void many_cycles(void)
{
    fixture f = fixture_create();
    int     threads, fds;

    trace_scenario("many cycles");
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 5));
    fixture_connect(&f);
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK_OK(natsConnection_Flush(f.nc));
    threads = settled_threads();
    fds     = fd_count();
    for (int i = 2; i <= 30; i++)
    {
        i % 2 ? mock_close(f.m, MOCK_LATEST) : mock_reset(f.m, MOCK_LATEST);
        WAIT_EVENT(f.ev, "reconnected", i, 5000);
    }
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK(mock_wait_open(f.m, 1, 5000));
    // Threads of the mock's dead connections are gone with their sockets; two descriptors each remain.
    WAIT_FOR(thread_count() <= threads, 5000);
    trace("threads left: %d", thread_count() - threads);
    trace("descriptors left: %d", fd_count() - fds - 2 * 29);
    trace("disconnected %d, reconnected %d, closed %d", events_count(f.ev, "disconnected"),
          events_count(f.ev, "reconnected"), events_count(f.ev, "closed"));
    trace_connection("connection", f.nc);
    natsConnection_Close(f.nc);
    natsConnection_Close(f.nc);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    quiet_ms(50);
    trace("after two closes: disconnected %d, closed %d", events_count(f.ev, "disconnected"),
          events_count(f.ev, "closed"));
    fixture_destroy(&f);
}

// Attempts run out: one disconnected, one closed.
static void attempts_run_out(void)
{
    fixture f = fixture_create();
    int64_t t;

    trace_scenario("attempts run out");
    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, 4));
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 200));
    fixture_connect(&f);
    t = now_ms();
    mock_stop_listening(f.m);
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "closed", 1, 10000);
    trace_time("closed", now_ms() - t, 400);
    quiet_ms(50);
    trace_events(f.ev, 0);
    trace_connection("connection", f.nc);
    fixture_destroy(&f);
}

// One server: the wait comes before every attempt, the first too. The default wait is two seconds.
static void waits_of_one_server(void)
{
    fixture f = fixture_create();
    int64_t t;

    trace_scenario("waits of one server");
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 400));
    fixture_connect(&f);
    mock_on_accept(f.m, 2, MOCK_CLOSE_AT_ONCE);
    mock_on_accept(f.m, 3, MOCK_CLOSE_AT_ONCE);
    t = now_ms();
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "reconnected", 1, 10000);
    for (int i = 2; i <= 4; i++)
        trace_time("attempt", mock_accepted_ms(f.m, i) - t, TICK);
    trace_events(f.ev, 0);
    trace_connection("connection", f.nc);
    fixture_destroy(&f);

    f = fixture_create();
    trace_scenario("the default wait");
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 2000));
    CHECK_OK(natsOptions_SetReconnectJitter(f.opts, 100, 1000));
    fixture_connect(&f);
    t = now_ms();
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "reconnected", 1, 10000);
    trace_time("attempt", mock_accepted_ms(f.m, 2) - t - 50, TICK);
    fixture_destroy(&f);
}

// Several servers: the others at once, the wait only before the one just lost.
static void waits_of_several_servers(void)
{
    fixture     f = fixture_create(), g = fixture_create(), h = fixture_create();
    const char *urls[3] = {mock_url(f.m), mock_url(g.m), mock_url(h.m)};
    int64_t     t;

    trace_scenario("waits of several servers");
    CHECK_OK(natsOptions_SetURL(f.opts, NULL));
    CHECK_OK(natsOptions_SetServers(f.opts, urls, 3));
    CHECK_OK(natsOptions_SetNoRandomize(f.opts, true));
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 600));
    fixture_connect(&f);
    mock_stop_listening(g.m);
    t = now_ms();
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "reconnected", 1, 10000);
    trace_time("the third", mock_accepted_ms(h.m, 1) - t, TICK);
    mock_stop_listening(h.m);
    t = now_ms();
    mock_close(h.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "reconnected", 2, 10000);
    trace_time("back to the first", mock_accepted_ms(f.m, 2) - t, TICK);
    mock_stop_listening(f.m);
    mock_listen_again(h.m);
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "reconnected", 3, 10000);
    trace_events(f.ev, 0);
    fixture_destroy(&f);
    fixture_destroy(&g);
    fixture_destroy(&h);
}

static void forced(void)
{
    fixture f = fixture_create();
    int64_t t;

    trace_scenario("natsConnection_Reconnect");
    trace_status("NULL", natsConnection_Reconnect(NULL));
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 200));
    fixture_connect(&f);
    t = now_ms();
    trace_status("connected", natsConnection_Reconnect(f.nc));
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    trace_time("reconnected", now_ms() - t, TICK);
    fixture_lose(&f);
    trace_status("while reconnecting", natsConnection_Reconnect(f.nc));
    trace_status("and again", natsConnection_Reconnect(f.nc));
    fixture_regain(&f);
    trace_events(f.ev, 0);
    natsConnection_Close(f.nc);
    trace_status("closed", natsConnection_Reconnect(f.nc));
    fixture_destroy(&f);

    f = fixture_pinging(0, 2, false);
    trace_scenario("natsConnection_Reconnect with reconnect not allowed");
    fixture_connect(&f);
    trace_status("call", natsConnection_Reconnect(f.nc));
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    trace("disconnected %d times, closed %d times", events_count(f.ev, "disconnected"),
          events_count(f.ev, "closed"));
    fixture_destroy(&f);
}

// Two losses at once are one loss.
static void losses_at_once(void)
{
    fixture f = fixture_create();

    trace_scenario("several causes, one loss");
    fixture_connect(&f);
    mock_send(f.m, "-ERR 'Stale Connection'\r\n-ERR 'Stale Connection'\r\nGARBAGE\r\n");
    natsConnection_Reconnect(f.nc);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK_OK(natsConnection_Flush(f.nc));
    quiet_ms(100);
    // Which cause comes first is chance.
    trace_order(f.ev);
    fixture_destroy(&f);
}

typedef struct
{
    natsConnection *nc;
    int64_t         timeout;
    natsStatus      status;
    int64_t         took;
    pthread_t       thread;
} call;

static void *flush_thread(void *arg)
{
    call   *c = arg;
    int64_t t = now_ms();

    c->status = natsConnection_FlushTimeout(c->nc, c->timeout);
    c->took   = now_ms() - t;
    return NULL;
}

static void *request_thread(void *arg)
{
    call    *c     = arg;
    int64_t  t     = now_ms();
    natsMsg *reply = NULL;

    c->status = natsConnection_RequestString(&reply, c->nc, "help", "me", c->timeout);
    c->took   = now_ms() - t;
    natsMsg_Destroy(reply);
    return NULL;
}

static call *in_flight(void *(*run)(void *), natsConnection *nc, int64_t timeout)
{
    call *c = calloc(1, sizeof *c);

    c->nc      = nc;
    c->timeout = timeout;
    CHECK(pthread_create(&c->thread, NULL, run, c) == 0);
    return c;
}

static void outcome(const char *name, call *c)
{
    pthread_join(c->thread, NULL);
    trace_status(name, c->status);
    trace_time(name, c->took, TICK);
    free(c);
}

static void calls_in_flight(void)
{
    fixture f = fixture_pinging(0, 2, true);
    call   *flush, *request;

    trace_scenario("Flush and request in flight");
    fixture_connect(&f);
    mock_mute(f.m);
    flush   = in_flight(flush_thread, f.nc, 3000);
    request = in_flight(request_thread, f.nc, 600);
    CHECK(mock_wait_pings(f.m, 1, 1, 5000) && mock_wait_line(f.m, 1, "PUB help", 1, 5000));
    mock_close(f.m, 1);
    outcome("flush", flush);
    outcome("request", request);
    fixture_destroy(&f);

    f = fixture_pinging(0, 2, true);
    trace_scenario("the same with requests failing on a disconnect");
    CHECK_OK(natsOptions_SetFailRequestsOnDisconnect(f.opts, true));
    fixture_connect(&f);
    request = in_flight(request_thread, f.nc, 5000);
    CHECK(mock_wait_line(f.m, 1, "PUB help", 1, 5000));
    mock_close(f.m, 1);
    outcome("request", request);
    fixture_destroy(&f);

    f = fixture_pinging(0, 2, false);
    trace_scenario("the same with reconnect not allowed");
    mock_mute(f.m);
    fixture_connect(&f);
    flush   = in_flight(flush_thread, f.nc, 5000);
    request = in_flight(request_thread, f.nc, 5000);
    CHECK(mock_wait_pings(f.m, 1, 1, 5000) && mock_wait_line(f.m, 1, "PUB help", 1, 5000));
    mock_close(f.m, 1);
    outcome("flush", flush);
    outcome("request", request);
    fixture_destroy(&f);
}

// A Flush made while reconnecting ends well only after the reconnect.
static void flush_while_reconnecting(void)
{
    fixture f = fixture_create();
    call   *flush;

    trace_scenario("Flush while reconnecting");
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 800));
    fixture_connect(&f);
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    WAIT_FOR(natsConnection_IsReconnecting(f.nc), 5000);
    trace_status("short one", natsConnection_FlushTimeout(f.nc, 100));
    flush = in_flight(flush_thread, f.nc, 5000);
    pthread_join(flush->thread, NULL);
    trace_status("long one", flush->status);
    trace("after the reconnect: %s", mock_connected(f.m) >= 2 ? "yes" : "no");
    free(flush);
    fixture_destroy(&f);
}

// A slow consumer loses messages, not the connection, and is nobody else's business.
static void slow_consumer(void)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    char             *all = frames("foo", 1, "data", 100);

    trace_scenario("slow consumer");
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK_OK(natsSubscription_SetPendingLimits(sub, 10, 1000000));
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_write(f.m, 1, all, strlen(all));
    WAIT_EVENT(f.ev, "error", 1, 5000);
    trace_status("publish", natsConnection_PublishString(f.nc, "bar", "x"));
    trace_status("flush", natsConnection_FlushTimeout(f.nc, 5000));
    trace_events(f.ev, 0);
    trace_connection("connection", f.nc);
    natsConnection_Reconnect(f.nc);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    trace_connection("after a reconnect", f.nc);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
    free(all);
}

// Messages that arrive for a subscription while it is being removed.
static void removed_while_delivered(void)
{
    fixture f   = fixture_create();
    char   *all = frames("foo", 1, "data", 200);

    trace_scenario("messages for a subscription that is being removed");
    fixture_connect(&f);
    for (int i = 1; i <= 50; i++)
    {
        natsSubscription *sub = NULL;
        char             *one;

        CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg, f.ev));
        free(all);
        one = all = frames("foo", i, "data", 200);
        mock_write(f.m, 1, one, strlen(one));
        if (i % 3 == 0)
            CHECK_OK(natsSubscription_Unsubscribe(sub));
        else if (i % 3 == 1)
            CHECK_OK(natsSubscription_AutoUnsubscribe(sub, i));
        natsSubscription_Destroy(sub);
    }
    trace_status("flush", natsConnection_FlushTimeout(f.nc, 5000));
    trace_connection("connection", f.nc);
    free(all);
    fixture_destroy(&f);
}

// The URL a server tells about has no credentials: the ones of the first URL go along.
static void discovered_with_credentials(void)
{
    fixture f = fixture_create(), g = fixture_create();
    char    url[128], info[128], *connect;

    trace_scenario("a discovered server gets the credentials of the first");
    snprintf(url, sizeof url, "nats://ivan:secret@127.0.0.1:%d", mock_port(f.m));
    snprintf(info, sizeof info, "{\"max_payload\":1000,\"connect_urls\":[\"127.0.0.1:%d\"]}", mock_port(g.m));
    CHECK_OK(natsOptions_SetURL(f.opts, url));
    mock_info(f.m, MOCK_ALL, info);
    fixture_connect(&f);
    mock_stop_listening(f.m);
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    connect = mock_connect_line(g.m, 1);
    trace("%s", connect);
    free(connect);
    fixture_destroy(&f);
    fixture_destroy(&g);
}

int main(void)
{
    trace_timing(TICK, 150);
    what_is_sent_again();
    limits_reached();
    draining_subscription();
    drop_inside_a_message();
    many_cycles();
    attempts_run_out();
    waits_of_one_server();
    waits_of_several_servers();
    forced();
    losses_at_once();
    calls_in_flight();
    flush_while_reconnecting();
    slow_consumer();
    removed_while_delivered();
    discovered_with_credentials();
    return 0;
}
