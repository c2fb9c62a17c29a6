// The liveness extensions: settings of live connections, what they report, and what they do to wrong arguments.

#include "fixture.h"
#include "loop.h"

enum
{
    INTERVAL = 100,
};

static fixture connected(int64_t interval, int max_out, bool reconnect)
{
    fixture f = fixture_pinging(interval, max_out, reconnect);

    fixture_connect(&f);
    return f;
}

// ---- natsConnection_SetPingInterval and its relatives ----

TEST(ping_interval_arguments)
{
    fixture f  = connected(120000, 2, true);
    int64_t ms = -7;
    int     n  = -7;

    CHECK_STATUS(natsConnection_SetPingInterval(NULL, 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_SetPingIntervalMillis(NULL, 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetPingInterval(NULL, &ms), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetPingInterval(f.nc, NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_SetMaxPingsOut(NULL, 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetMaxPingsOut(NULL, &n), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetMaxPingsOut(f.nc, NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_SetPingInterval(f.nc, INT64_MAX), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_SetPingInterval(f.nc, INT64_MAX / 1000 + 1), NATS_INVALID_ARG);
    CHECK_OK(natsConnection_GetPingInterval(f.nc, &ms));
    CHECK_INT(ms, 120000);
    CHECK_OK(natsConnection_GetMaxPingsOut(f.nc, &n));
    CHECK_INT(n, 2);
    CHECK_OK(natsConnection_SetPingInterval(f.nc, INT64_MAX / 1000));
    CHECK_OK(natsConnection_SetPingInterval(f.nc, 30));
    CHECK_OK(natsConnection_GetPingInterval(f.nc, &ms));
    CHECK_INT(ms, 30000);
    CHECK_OK(natsConnection_SetPingInterval(f.nc, INT64_MIN));
    CHECK_OK(natsConnection_GetPingInterval(f.nc, &ms));
    CHECK(ms <= 0);
    CHECK_OK(natsConnection_SetMaxPingsOut(f.nc, 7));
    CHECK_OK(natsConnection_GetMaxPingsOut(f.nc, &n));
    CHECK_INT(n, 7);
    natsConnection_Close(f.nc);
    CHECK_STATUS(natsConnection_SetPingInterval(f.nc, 1), NATS_CONNECTION_CLOSED);
    CHECK_STATUS(natsConnection_SetPingIntervalMillis(f.nc, 1), NATS_CONNECTION_CLOSED);
    CHECK_STATUS(natsConnection_GetPingInterval(f.nc, &ms), NATS_CONNECTION_CLOSED);
    CHECK_STATUS(natsConnection_SetMaxPingsOut(f.nc, 1), NATS_CONNECTION_CLOSED);
    CHECK_STATUS(natsConnection_GetMaxPingsOut(f.nc, &n), NATS_CONNECTION_CLOSED);
    fixture_destroy(&f);
}

TEST(ping_interval_is_in_seconds)
{
    fixture f = connected(0, 2, true);
    int64_t start;

    start = now_ms();
    CHECK_OK(natsConnection_SetPingInterval(f.nc, 1));
    CHECK(mock_wait_pings(f.m, 1, 1, 5000));
    CHECK_RANGE(now_ms() - start, 990, 1500);
    fixture_destroy(&f);
}

TEST(shortening_the_interval_acts_at_once)
{
    fixture f = connected(120000, 1, false);

    mock_mute(f.m);
    CHECK_OK(natsConnection_SetPingIntervalMillis(f.nc, INTERVAL));
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK_RANGE(events_ms(f.ev, "closed", 1), 2 * INTERVAL - 5, 2 * INTERVAL + 300);
    CHECK_INT(mock_pings(f.m, 1), 1);
    fixture_destroy(&f);
}

TEST(setting_it_in_a_loop_hides_no_dead_peer)
{
    fixture f = connected(INTERVAL, 2, false);

    mock_mute(f.m);
    for (int i = 0; events_count(f.ev, "closed") == 0; i++)
    {
        natsStatus s = natsConnection_SetPingIntervalMillis(f.nc, INTERVAL + i % 7);

        CHECK(s == NATS_OK || s == NATS_CONNECTION_CLOSED);
        sleep_ms(2);
        CHECK(events_ms(f.ev, NULL, 1) < 5000 && i < 3000);
    }
    CHECK_RANGE(events_ms(f.ev, "closed", 1), 3 * INTERVAL - 5, 3 * (INTERVAL + 7) + 400);
    CHECK_INT(events_count(f.ev, "disconnected"), 1);
    fixture_destroy(&f);
}

TEST(zero_stops_the_pings_and_a_value_starts_afresh)
{
    fixture f = connected(INTERVAL, 1, true);
    int     sent;

    mock_mute(f.m);
    CHECK(mock_wait_pings(f.m, 1, 1, 5000));
    CHECK_OK(natsConnection_SetPingInterval(f.nc, 0));
    sent = mock_pings(f.m, 1);
    sleep_ms(4 * INTERVAL);
    CHECK_INT(mock_pings(f.m, 1), sent);
    CHECK_INT(events_count(f.ev, NULL), 0);
    events_start_clock(f.ev);
    CHECK_OK(natsConnection_SetPingIntervalMillis(f.nc, INTERVAL));
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    CHECK_INT(mock_pings(f.m, 1), sent + 1);
    CHECK_RANGE(events_ms(f.ev, "disconnected", 1), 2 * INTERVAL - 5, 2 * INTERVAL + 300);
    fixture_destroy(&f);
}

TEST(the_interval_outlives_reconnects)
{
    fixture f  = connected(0, 1, true);
    int64_t ms = 0;
    int     n  = 0;

    mock_stop_listening(f.m);
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    CHECK_OK(natsConnection_SetPingIntervalMillis(f.nc, INTERVAL));
    CHECK_OK(natsConnection_SetMaxPingsOut(f.nc, 0));
    CHECK_OK(natsConnection_GetPingInterval(f.nc, &ms));
    CHECK_INT(ms, INTERVAL);
    CHECK_OK(natsConnection_GetMaxPingsOut(f.nc, &n));
    CHECK_INT(n, 0);
    mock_listen_again(f.m);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    WAIT_EVENT(f.ev, "disconnected", 2, 5000);
    WAIT_EVENT(f.ev, "disconnected", 3, 5000);
    CHECK_INT(mock_pings(f.m, 2), 1); // the one every reconnect begins with
    fixture_destroy(&f);
}

static void set_interval(natsConnection *nc, void *ev)
{
    on_disconnected(nc, ev);
    events_add(ev, "set", natsConnection_SetPingIntervalMillis(nc, INTERVAL), NULL);
}

TEST(the_interval_can_be_set_in_the_disconnected_callback)
{
    fixture f = fixture_pinging(0, 2, true);
    event   e;

    CHECK_OK(natsOptions_SetDisconnectedCB(f.opts, set_interval, f.ev));
    fixture_connect(&f);
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK(events_get(f.ev, "set", 1, &e));
    CHECK_STATUS(e.status, NATS_OK);
    CHECK(mock_wait_pings(f.m, 2, 2, 5000));
    fixture_destroy(&f);
}

TEST(the_interval_can_be_set_while_draining)
{
    fixture           f   = connected(0, 2, true);
    natsSubscription *sub = NULL;
    int64_t           ms  = 0;

    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_mute(f.m);
    CHECK_OK(natsConnection_DrainTimeout(f.nc, 500));
    CHECK_OK(natsConnection_SetPingInterval(f.nc, 5));
    CHECK_OK(natsConnection_GetPingInterval(f.nc, &ms));
    CHECK_INT(ms, 5000);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

// A stale that fires while the interval changes: one of them wins, never two disconnects.
TEST(changing_the_interval_while_a_stale_fires)
{
    fixture f = fixture_pinging(0, 0, true);

    fixture_connect(&f);
    for (int i = 1; i <= 20; i++)
    {
        int64_t end = now_ms() + 5000;

        CHECK_OK(natsConnection_SetPingIntervalMillis(f.nc, 5));
        while (events_count(f.ev, "disconnected") < i && now_ms() < end)
            CHECK_OK(natsConnection_SetPingIntervalMillis(f.nc, 3 + now_ms() % 4));
        CHECK_OK(natsConnection_SetPingInterval(f.nc, 0));
        WAIT_EVENT(f.ev, "reconnected", i, 5000);
        CHECK_INT(events_count(f.ev, "disconnected"), i);
    }
    fixture_destroy(&f);
}
