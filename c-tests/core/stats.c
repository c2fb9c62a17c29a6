// natsStatistics_* and natsConnection_GetStats().

#include "fixture.h"

typedef struct
{
    uint64_t in, in_bytes, out, out_bytes, reconnects;
} counts;

static counts counts_of(natsConnection *nc)
{
    natsStatistics *stats = NULL;
    counts          c     = {9, 9, 9, 9, 9};

    CHECK_OK(natsStatistics_Create(&stats));
    CHECK_OK(natsConnection_GetStats(nc, stats));
    CHECK_OK(natsStatistics_GetCounts(stats, &c.in, &c.in_bytes, &c.out, &c.out_bytes, &c.reconnects));
    natsStatistics_Destroy(stats);
    return c;
}

TEST(new_ones_are_zero)
{
    natsStatistics *stats = NULL;
    counts          c     = {9, 9, 9, 9, 9};

    CHECK_OK(natsStatistics_Create(&stats));
    CHECK_OK(natsStatistics_GetCounts(stats, &c.in, &c.in_bytes, &c.out, &c.out_bytes, &c.reconnects));
    CHECK_INT(c.in + c.in_bytes + c.out + c.out_bytes + c.reconnects, 0);
    natsStatistics_Destroy(stats);
}

TEST(arguments)
{
    natsStatistics *stats = NULL;
    uint64_t        n     = 9;

    CHECK_OK(natsStatistics_Create(&stats));
    CHECK_STATUS(natsStatistics_Create(NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsStatistics_GetCounts(NULL, &n, &n, &n, &n, &n), NATS_INVALID_ARG);
    CHECK_OK(natsStatistics_GetCounts(stats, NULL, NULL, NULL, NULL, NULL));
    CHECK_OK(natsStatistics_GetCounts(stats, NULL, NULL, &n, NULL, NULL));
    CHECK_INT(n, 0);
    CHECK_STATUS(natsConnection_GetStats(NULL, stats), NATS_INVALID_ARG);
    natsStatistics_Destroy(stats);
    natsStatistics_Destroy(NULL);
}

// Payloads and headers count, also of what nobody here subscribed to.
TEST(messages_both_ways)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    counts            c;

    fixture_connect(&f);
    CHECK_STATUS(natsConnection_GetStats(f.nc, NULL), NATS_INVALID_ARG);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK_OK(natsConnection_PublishString(f.nc, "foo", "12345"));
    CHECK_OK(natsConnection_PublishString(f.nc, "foo", ""));
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_send(
        f.m, "MSG foo 1 3\r\nabc\r\nMSG foo 99 2\r\nab\r\nHMSG foo 1 12 13\r\nNATS/1.0\r\n\r\nx\r\nPING\r\n");
    WAIT_FOR(mock_pongs(f.m, 1) == 1, 5000);
    c = counts_of(f.nc);
    CHECK_INT(c.in, 3);
    CHECK_INT(c.in_bytes, 18);
    CHECK_INT(c.out, 2);
    CHECK_INT(c.out_bytes, 5);
    CHECK_INT(c.reconnects, 0);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

// Every attempt that reached a server counts, also one that was then refused.
TEST(reconnects_count_connected_sockets)
{
    fixture f = fixture_create();

    mock_handshake_reply(f.m, 2, "-ERR 'Authorization Violation'\r\n");
    mock_on_accept(f.m, 3, MOCK_CLOSE_AT_ONCE);
    fixture_connect(&f);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK_INT(counts_of(f.nc).reconnects, 3);
    fixture_destroy(&f);
}

TEST(publishes_while_away_count)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, -1));
    fixture_connect(&f);
    mock_stop_listening(f.m);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    CHECK_OK(natsConnection_PublishString(f.nc, "foo", "12345"));
    CHECK_INT(counts_of(f.nc).out, 1);
    CHECK_INT(counts_of(f.nc).out_bytes, 5);
    fixture_destroy(&f);
}
