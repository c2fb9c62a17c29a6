// Liveness with an external event loop: the same verdicts at the same ticks, whatever the loop is doing.

#include "fixture.h"
#include "loop.h"
#include "trace.h"

enum
{
    INTERVAL = 400,
    TICK     = INTERVAL / 2,
};

typedef struct
{
    fixture f;
    events *adapter;
    loop   *l;
} looped;

static looped looped_create(int64_t interval, int max_out, bool reconnect)
{
    looped x = {.f = fixture_pinging(interval, max_out, reconnect), .adapter = events_create()};

    x.l = loop_create(x.adapter);
    loop_use(x.l, x.f.opts);
    return x;
}

// How often the loop was told what; how often it was told to write is a matter of timing.
static void finish(looped *x)
{
    natsConnection_Close(x->f.nc);
    WAIT_EVENT(x->adapter, "detach", 1, 5000);
    trace("attach %d, read off %d, detach %d", events_count(x->adapter, "attach"),
          events_count(x->adapter, "read off"), events_count(x->adapter, "detach"));
    fixture_destroy(&x->f);
    loop_destroy(x->l);
    events_destroy(x->adapter);
}

static void mute_peer(bool reconnect)
{
    looped x = looped_create(INTERVAL, 1, reconnect);

    trace_scenario(reconnect ? "mute peer" : "mute peer, reconnect not allowed");
    mock_mute(x.f.m);
    fixture_connect(&x.f);
    WAIT_EVENT(x.f.ev, "disconnected", 1, 5000);
    trace_time("disconnected", events_ms(x.f.ev, "disconnected", 1), TICK);
    mock_auto_pong(x.f.m, true);
    WAIT_EVENT(x.f.ev, reconnect ? "reconnected" : "closed", 1, 5000);
    trace_events(x.f.ev, 0);
    trace_connection("connection", x.f.nc);
    finish(&x);
}

// The timer's verdict comes while the loop is on its way into a read.
static void inside_a_read(void)
{
    looped x = looped_create(INTERVAL, 0, true);

    trace_scenario("stale while the loop is inside a read");
    loop_slow_reads(x.l, 30);
    mock_chatty(x.f.m, 5);
    fixture_connect(&x.f);
    WAIT_EVENT(x.f.ev, "reconnected", 4, 10000);
    trace_time("first loss", events_ms(x.f.ev, "disconnected", 1), TICK);
    loop_slow_reads(x.l, 0);
    finish(&x);
}

static void chatter(void)
{
    looped            x   = looped_create(INTERVAL, 2, true);
    natsSubscription *sub = NULL;
    char             *all = frames("foo", 1, "data", 5000);

    trace_scenario("messages, requests to write, two losses");
    fixture_connect(&x.f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, x.f.nc, "foo"));
    CHECK_OK(natsConnection_Flush(x.f.nc));
    for (int i = 1; i <= 2; i++)
    {
        natsMsg *msg = NULL;

        mock_write(x.f.m, MOCK_LATEST, all, strlen(all));
        for (int k = 0; k < 5000; k++)
        {
            CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
            natsMsg_Destroy(msg);
            if (k % 10 == 0)
                CHECK_OK(natsConnection_PublishString(x.f.nc, "bar", "reply"));
        }
        CHECK_OK(natsConnection_Flush(x.f.nc));
        trace("published %d", (int)mock_pubs(x.f.m, MOCK_LATEST));
        i == 1 ? mock_close(x.f.m, MOCK_LATEST) : mock_reset(x.f.m, MOCK_LATEST);
        WAIT_EVENT(x.f.ev, "reconnected", i, 5000);
        CHECK(mock_wait_line(x.f.m, MOCK_LATEST, "SUB foo", 1, 5000));
    }
    trace_events(x.f.ev, 0);
    natsSubscription_Destroy(sub);
    free(all);
    finish(&x);
}

// The loop's part of a loss, in order.
static void order_of_callbacks(void)
{
    looped x = looped_create(0, 2, true);
    char   names[512];

    trace_scenario("what the loop is told");
    CHECK_OK(natsOptions_SetSendAsap(x.f.opts, true));
    fixture_connect(&x.f);
    CHECK_OK(natsConnection_Flush(x.f.nc));
    mock_close(x.f.m, 1);
    WAIT_EVENT(x.f.ev, "reconnected", 1, 5000);
    CHECK_OK(natsConnection_Flush(x.f.nc));
    quiet_ms(100);
    natsConnection_Close(x.f.nc);
    WAIT_EVENT(x.adapter, "detach", 1, 5000);
    WAIT_EVENT(x.f.ev, "closed", 1, 5000);
    fprintf(stderr, "%s\n", events_names(x.adapter, names, sizeof names));
    trace_events(x.f.ev, 0);
    finish(&x);
}

int main(void)
{
    trace_timing(TICK, 120);
    mute_peer(true);
    mute_peer(false);
    inside_a_read();
    chatter();
    order_of_callbacks();
    return 0;
}
