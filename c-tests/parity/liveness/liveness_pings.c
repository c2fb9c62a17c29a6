// Keep-alive arithmetic: when PINGs go out, what resets the count, when a connection is stale.
// Times are multiples of the interval, rounded to half of it.

#include "fixture.h"
#include "trace.h"

enum
{
    INTERVAL = 400,
    TICK     = INTERVAL / 2,
};

// Peers that complete the handshake and then never answer: stale on tick N + 1.
static void mute_peer(void)
{
    static const int max_out[] = {2, 1, 0, -1};

    for (int i = 0; i < 4; i++)
    {
        fixture f = fixture_pinging(INTERVAL, max_out[i], false);

        trace_scenario("mute peer");
        mock_mute(f.m);
        fixture_connect(&f);
        WAIT_EVENT(f.ev, "closed", 1, 5000);
        trace("max pings out %d: %d PINGs sent", max_out[i], mock_pings(f.m, 1));
        trace_events(f.ev, TICK);
        trace_connection("connection", f.nc);
        fixture_destroy(&f);
    }
}

static void pings_off(void)
{
    static const int64_t interval[] = {0, -1, -400};

    for (int i = 0; i < 3; i++)
    {
        fixture f = fixture_pinging(interval[i], 0, true);

        trace_scenario("pings off");
        mock_mute(f.m);
        fixture_connect(&f);
        quiet_ms(INTERVAL);
        trace("interval %d: %d PINGs sent", (int)interval[i], mock_pings(f.m, 1));
        trace_connection("connection", f.nc);
        fixture_destroy(&f);
    }
}

static void chatty_peer(void)
{
    fixture f = fixture_pinging(INTERVAL, 1, false);

    trace_scenario("data but no PONG");
    mock_chatty(f.m, 20);
    fixture_connect(&f);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    trace_events(f.ev, TICK);
    fixture_destroy(&f);
}

// A PONG that answers something else than a keep-alive PING takes the count back to zero as well.
static void foreign_pong(const char *name, natsStatus (*ask)(natsConnection *nc))
{
    fixture f = fixture_pinging(INTERVAL, 1, false);

    trace_scenario(name);
    mock_mute(f.m);
    fixture_connect(&f);
    mock_wait_pings(f.m, 1, 1, 5000);
    mock_auto_pong(f.m, true);
    trace_status("call", ask(f.nc));
    mock_auto_pong(f.m, false);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    trace_events(f.ev, TICK);
    fixture_destroy(&f);
}

static natsStatus flush(natsConnection *nc)
{
    return natsConnection_FlushTimeout(nc, 2000);
}

static natsStatus round_trip(natsConnection *nc)
{
    int64_t rtt;

    return natsConnection_GetRTT(nc, &rtt);
}

// PONGs nobody asked for keep the connection, but they are no answer to a Flush.
static void unsolicited_pongs(void)
{
    fixture f = fixture_pinging(INTERVAL, 1, false);
    int64_t t;

    trace_scenario("unsolicited PONGs");
    fixture_connect(&f);
    mock_unsolicited_pongs(f.m, 50);
    quiet_ms(4 * INTERVAL);
    trace_connection("after 4 intervals", f.nc);
    mock_every(f.m, 0, NULL);
    fixture_read(&f);
    t = now_ms();
    trace_status("flush", natsConnection_FlushTimeout(f.nc, INTERVAL / 2));
    trace_time("flush ends", now_ms() - t, TICK);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    trace_events(f.ev, 0);
    fixture_destroy(&f);
}

// Unsolicited PONGs before a Flush do not make up for its own.
static void early_pongs(void)
{
    fixture f = fixture_pinging(0, 2, false);

    trace_scenario("PONGs before the PING");
    fixture_connect(&f);
    mock_mute(f.m);
    mock_send(f.m, "PONG\r\nPONG\r\nPONG\r\n");
    fixture_read(&f);
    trace_status("flush unanswered", natsConnection_FlushTimeout(f.nc, 200));
    mock_auto_pong(f.m, true);
    trace_status("flush answered", natsConnection_FlushTimeout(f.nc, 2000));
    trace_connection("connection", f.nc);
    fixture_destroy(&f);
}

// After the reconnect a full round of ticks passes again.
static void reconnect_and_again(void)
{
    fixture f = fixture_pinging(INTERVAL, 1, true);

    trace_scenario("stale with reconnect");
    mock_mute(f.m);
    fixture_connect(&f);
    WAIT_EVENT(f.ev, "disconnected", 2, 10000);
    trace("errors reported: %d", events_count(f.ev, "error"));
    trace("PINGs on the first connection: %d", mock_pings(f.m, 1));
    trace_time("first loss", events_ms(f.ev, "disconnected", 1), TICK);
    trace_time("second loss after the reconnect",
               events_ms(f.ev, "disconnected", 2) - events_ms(f.ev, "reconnected", 1), TICK);
    mock_auto_pong(f.m, true);
    WAIT_EVENT(f.ev, "reconnected", 2, 5000);
    trace_events(f.ev, 0);
    trace_connection("connection", f.nc);
    fixture_destroy(&f);
}

// PINGs left unanswered by the last server do not count against the next.
static void count_restarts(void)
{
    fixture f = fixture_pinging(INTERVAL, 2, true);

    trace_scenario("count restarts with the connection");
    mock_mute(f.m);
    fixture_connect(&f);
    mock_wait_pings(f.m, 1, 2, 5000);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    WAIT_EVENT(f.ev, "disconnected", 2, 10000);
    trace_time("stale after the reconnect",
               events_ms(f.ev, "disconnected", 2) - events_ms(f.ev, "reconnected", 1), TICK);
    fixture_destroy(&f);
}

// Publishing faster than the interval postpones neither the PING nor the verdict.
static void busy_publisher(void)
{
    fixture f = fixture_pinging(INTERVAL, 1, false);

    trace_scenario("publishing faster than the interval");
    mock_mute(f.m);
    mock_record(f.m, false);
    fixture_connect(&f);
    while (events_count(f.ev, "closed") == 0)
    {
        natsConnection_PublishString(f.nc, "foo", "x");
        pace_ms(10);
    }
    trace("%d PINGs sent", mock_pings(f.m, 1));
    trace_events(f.ev, TICK);
    fixture_destroy(&f);
}

static void slow_handler(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    natsMsg_Destroy(msg);
    pace_ms(*(int *)closure);
}

// Draining is not being connected: no PING, no verdict.
static void draining(void)
{
    fixture           f    = fixture_pinging(INTERVAL, 0, true);
    int               busy = 3 * INTERVAL;
    natsSubscription *sub  = NULL;

    trace_scenario("draining");
    CHECK_OK(natsOptions_SetMaxPingsOut(f.opts, 5));
    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", slow_handler, &busy));
    CHECK(mock_wait_line(f.m, 1, "SUB foo", 1, 2000));
    mock_send(f.m, "MSG foo 1 2\r\nhi\r\n");
    trace_status("drain", natsConnection_Drain(f.nc));
    WAIT_EVENT(f.ev, "closed", 1, 10000);
    trace_events(f.ev, 0);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

// A server's PING is answered by somebody else than the blocked handlers.
static void answers_while_blocked(void)
{
    fixture           f    = fixture_create();
    int               busy = 1500;
    int64_t           t;
    natsSubscription *subs[3] = {NULL, NULL, NULL};

    trace_scenario("PING from the server while handlers are blocked");
    fixture_connect(&f);
    for (int i = 0; i < 3; i++)
        CHECK_OK(natsConnection_Subscribe(&subs[i], f.nc, "foo", slow_handler, &busy));
    CHECK(mock_wait_line(f.m, 1, "SUB foo", 3, 2000));
    mock_send(f.m, "MSG foo 1 0\r\n\r\nMSG foo 2 0\r\n\r\nMSG foo 3 0\r\n\r\n");
    t = now_ms();
    mock_send(f.m, "PING\r\n");
    CHECK(mock_wait_line(f.m, 1, "PONG", 1, 5000));
    trace_time("PONG", now_ms() - t, 500);
    mock_send(f.m, "ping\r\nPiNg  \r\n");
    CHECK(mock_wait_line(f.m, 1, "PONG", 3, 5000));
    trace("%d PONGs", mock_pongs(f.m, 1));
    for (int i = 0; i < 3; i++)
        natsSubscription_Destroy(subs[i]);
    fixture_destroy(&f);
}

// Ticks that come before anything else could happen.
static void shortest_interval(void)
{
    trace_scenario("interval of one millisecond");
    for (int i = 0; i < 30; i++)
    {
        fixture f = fixture_pinging(1, 1000, false);

        fixture_connect(&f);
        CHECK(i % 2 || mock_wait_pings(f.m, 1, 3, 5000));
        fixture_destroy(&f);
    }
    for (int i = 0; i < 10; i++)
    {
        fixture f = fixture_pinging(1, -1, false);

        CHECK_OK(natsConnection_Connect(&f.nc, f.opts));
        CHECK(events_wait(f.ev, "closed", 1, 5000));
        if (i == 0)
            trace_events(f.ev, 0);
        fixture_destroy(&f);
    }
    trace("done");
}

// Endless verdicts with max pings out below zero: reconnects every tick.
static void reconnect_every_tick(void)
{
    fixture f = fixture_pinging(100, -1, true);

    trace_scenario("stale on every tick");
    fixture_connect(&f);
    WAIT_EVENT(f.ev, "reconnected", 4, 10000);
    natsConnection_Close(f.nc);
    trace("first of each: %d PINGs", mock_pings(f.m, 1));
    trace("four reconnects: %s", mock_accepted(f.m) >= 5 ? "yes" : "no");
    fixture_destroy(&f);
}

int main(void)
{
    trace_timing(TICK, 150);
    mute_peer();
    pings_off();
    chatty_peer();
    foreign_pong("PONG for a Flush", flush);
    foreign_pong("PONG for GetRTT", round_trip);
    unsolicited_pongs();
    early_pongs();
    reconnect_and_again();
    count_restarts();
    busy_publisher();
    draining();
    answers_while_blocked();
    shortest_interval();
    reconnect_every_tick();
    return 0;
}
