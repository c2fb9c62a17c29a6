// Ending a connection whatever its state: bounded, and told exactly once.

#include "calls.h"
#include "fixture.h"
#include "trace.h"

#include <pthread.h>
#include <signal.h>

enum
{
    TICK = 250,
};

// Closes, tells how long that took and what was reported.
static void close_now(fixture *f)
{
    int64_t t = now_ms();

    natsConnection_Close(f->nc);
    trace_time("close", now_ms() - t, TICK);
    WAIT_EVENT(f->ev, "closed", 1, 5000);
    natsConnection_Close(f->nc);
    quiet_ms(50);
    trace_events(f->ev, 0);
    trace_connection("connection", f->nc);
    fixture_destroy(f);
}

static void healthy_peer(void)
{
    fixture f = fixture_create();

    trace_scenario("healthy peer");
    fixture_connect(&f);
    for (int i = 0; i < 1000; i++)
        CHECK_OK(natsConnection_PublishString(f.nc, "foo", "data"));
    natsConnection_Close(f.nc);
    CHECK(mock_wait_closed(f.m, 1, 5000));
    trace("published before the close: %d arrived", (int)mock_pubs(f.m, 1));
    close_now(&f);
}

static void mute_peer(void)
{
    fixture f = fixture_create();

    trace_scenario("mute peer");
    mock_mute(f.m);
    fixture_connect(&f);
    CHECK_OK(natsConnection_PublishString(f.nc, "foo", "data"));
    close_now(&f);
}

static void frozen_peer(void)
{
    fixture f = fixture_create();

    trace_scenario("frozen peer, nothing written");
    fixture_connect(&f);
    mock_frozen(f.m, true);
    close_now(&f);
}

static void dead_peer(void)
{
    fixture f = fixture_create();

    trace_scenario("reconnecting");
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 60000));
    fixture_connect(&f);
    mock_stop_listening(f.m);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    WAIT_FOR(natsConnection_IsReconnecting(f.nc), 5000);
    CHECK_OK(natsConnection_PublishString(f.nc, "foo", "data"));
    close_now(&f);
}

// Closed by a peer that then never comes back; a subscriber and a requester wait meanwhile.
typedef struct
{
    natsConnection *nc;
    natsStatus      next, request;
} waiters;

static void *next_msg(void *arg)
{
    waiters          *w   = arg;
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;

    CHECK_OK(natsConnection_SubscribeSync(&sub, w->nc, "foo"));
    w->next = natsSubscription_NextMsg(&msg, sub, 10000);
    natsSubscription_Destroy(sub);
    return NULL;
}

static void *request(void *arg)
{
    waiters *w     = arg;
    natsMsg *reply = NULL;

    w->request = natsConnection_RequestString(&reply, w->nc, "help", "me", 10000);
    return NULL;
}

static void with_waiters(void)
{
    fixture   f = fixture_create();
    waiters   w;
    flushing  c;
    pthread_t a, b;

    trace_scenario("with callers waiting");
    fixture_connect(&f);
    mock_mute(f.m);
    w.nc = f.nc;
    pthread_create(&a, NULL, next_msg, &w);
    pthread_create(&b, NULL, request, &w);
    CHECK(mock_wait_line(f.m, 1, "SUB foo", 1, 5000) && mock_wait_line(f.m, 1, "PUB help", 1, 5000));
    flush_begin(&c, f.nc, 10000);
    CHECK(mock_wait_pings(f.m, 1, 1, 5000));
    natsConnection_Close(f.nc);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    trace_status("next message", w.next);
    trace_status("request", w.request);
    trace_status("flush", flush_end(&c));
    close_now(&f);
}

static void after_close(void)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;
    int64_t           rtt;

    trace_scenario("calls after the close");
    fixture_connect(&f);
    natsConnection_Close(f.nc);
    trace_status("publish", natsConnection_PublishString(f.nc, "foo", "x"));
    trace_status("flush", natsConnection_Flush(f.nc));
    trace_status("rtt", natsConnection_GetRTT(f.nc, &rtt));
    trace_status("subscribe", natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    trace_status("request", natsConnection_RequestString(&msg, f.nc, "foo", "x", 100));
    trace_status("drain", natsConnection_Drain(f.nc));
    trace_status("reconnect", natsConnection_Reconnect(f.nc));
    close_now(&f);
}

static void close_in_callback(natsConnection *nc, void *ev)
{
    natsConnection_Close(nc);
    on_disconnected(nc, ev);
}

// From inside the callback that tells of the loss.
static void inside_a_callback(void)
{
    fixture f = fixture_create();

    trace_scenario("inside the disconnected callback");
    CHECK_OK(natsOptions_SetDisconnectedCB(f.opts, close_in_callback, f.ev));
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 5000));
    fixture_connect(&f);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "closed", 1, 3000);
    close_now(&f);
}

static void destroy_in_callback(natsConnection *nc, void *ev)
{
    on_closed(nc, ev);
    natsConnection_Destroy(nc);
}

static void destroyed_in_closed(void)
{
    fixture f = fixture_pinging(0, 2, false);

    trace_scenario("destroyed inside the closed callback");
    CHECK_OK(natsOptions_SetClosedCB(f.opts, destroy_in_callback, f.ev));
    fixture_connect(&f);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "closed", 1, 3000);
    f.nc = NULL;
    trace_events(f.ev, 0);
    fixture_destroy(&f);
}

static void *close_it(void *nc)
{
    natsConnection_Close(nc);
    return NULL;
}

static void from_many_threads(void)
{
    fixture   f = fixture_create();
    pthread_t threads[8];

    trace_scenario("from many threads at once");
    fixture_connect(&f);
    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, close_it, f.nc);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    close_now(&f);
}

static void library_closes(void)
{
    fixture f = fixture_create();

    trace_scenario("the library closes");
    fixture_connect(&f);
    fixture_destroy(&f);
    trace_status("close and wait", nats_CloseAndWait(5000));
    trace_status("again", nats_CloseAndWait(5000));
    CHECK_OK(nats_Open(-1));
}

int main(void)
{
    trace_timing(TICK, 120);
    healthy_peer();
    mute_peer();
    frozen_peer();
    dead_peer();
    with_waiters();
    after_close();
    inside_a_callback();
    destroyed_in_closed();
    from_many_threads();
    library_closes();
    return 0;
}
