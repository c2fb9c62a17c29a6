// Shortage of memory on the way out: a call says NATS_NO_MEMORY, nothing of it is sent, and the next one
// works.

#include "fixture.h"
#include "scarce.h"
#include "wire.h"

#define SCARCE(call) (none_for_this_thread(true), (call))
#define CHECK_NO_MEMORY(call)                                                                                \
    do                                                                                                       \
    {                                                                                                        \
        natsStatus s_ = SCARCE(call);                                                                        \
        none_for_this_thread(false);                                                                         \
        CHECK_STATUS(s_, NATS_NO_MEMORY);                                                                    \
    } while (0)

static char big[200000], long_value[5001];

__attribute__((constructor)) static void fill(void)
{
    memset(long_value, 'v', sizeof long_value - 1);
}

static fixture fresh(void)
{
    fixture f = fixture_create();

    mock_info(f.m, MOCK_ALL, "{\"max_payload\":1000000,\"headers\":true}");
    fixture_connect(&f);
    return f;
}

static void published(natsConnection *nc, int expected)
{
    natsStatistics *stats = NULL;
    uint64_t        msgs  = 0;

    CHECK_OK(natsStatistics_Create(&stats));
    CHECK_OK(natsConnection_GetStats(nc, stats));
    CHECK_OK(natsStatistics_GetCounts(stats, NULL, NULL, &msgs, NULL, NULL));
    CHECK_INT(msgs, expected);
    natsStatistics_Destroy(stats);
}

// Payloads for both ways out: through the buffer, and from the program's own memory.
TEST(publish)
{
    static const int sizes[] = {5000, 31000, 32768, 200000};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    {
        fixture f = fresh();

        CHECK_NO_MEMORY(natsConnection_Publish(f.nc, "foo", big, sizes[i]));
        CHECK_NO_MEMORY(natsConnection_PublishRequest(f.nc, "foo", "re", big, sizes[i]));
        published(f.nc, 0);
        CHECK_OK(natsConnection_Publish(f.nc, "foo", big, sizes[i]));
        CHECK_OK(natsConnection_Flush(f.nc));
        published(f.nc, 1);
        CHECK_INT(mock_pubs(f.m, 1), 1);
        CHECK_INT(mock_count_lines(f.m, 1, "PUB foo"), 1);
        fixture_destroy(&f);
    }
}

// What is in the buffer already goes out although the next message finds no room.
TEST(publish_behind_others)
{
    fixture f = fresh();

    for (int i = 0; i < 10; i++)
        CHECK_OK(natsConnection_Publish(f.nc, "foo", big, 10));
    CHECK_NO_MEMORY(natsConnection_Publish(f.nc, "foo", big, 31000));
    CHECK(mock_wait_pubs(f.m, 1, 10, 5000));
    CHECK_OK(natsConnection_Publish(f.nc, "foo", big, 31000));
    CHECK(mock_wait_pubs(f.m, 1, 11, 5000));
    fixture_destroy(&f);
}

TEST(request)
{
    fixture  f   = fresh();
    natsMsg *msg = NULL;

    CHECK_NO_MEMORY(natsConnection_Request(&msg, f.nc, "foo", big, 31000, 1000));
    CHECK(msg == NULL);
    CHECK_STATUS(natsConnection_Request(&msg, f.nc, "foo", big, 31000, 10), NATS_TIMEOUT);
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_INT(mock_count_lines(f.m, 1, "SUB "), 1);
    CHECK_INT(mock_pubs(f.m, 1), 1);
    fixture_destroy(&f);
}

// Small messages, until the buffer cannot grow any more.
TEST(small_while_reconnecting)
{
    fixture    f    = fresh();
    natsStatus s    = NATS_OK;
    int        good = 0;

    mock_stop_listening(f.m);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    WAIT_FOR(natsConnection_IsReconnecting(f.nc), 5000);
    while ((s = SCARCE(natsConnection_Publish(f.nc, "foo", big, 100))) == NATS_OK)
        good++;
    none_for_this_thread(false);
    CHECK_STATUS(s, NATS_NO_MEMORY);
    CHECK_RANGE(good, 20, 40);
    published(f.nc, good);
    mock_listen_again(f.m);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_INT(mock_pubs(f.m, 2), good);
    fixture_destroy(&f);
}

TEST(while_reconnecting)
{
    fixture f = fresh();

    mock_stop_listening(f.m);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    WAIT_FOR(natsConnection_IsReconnecting(f.nc), 5000);
    CHECK_NO_MEMORY(natsConnection_Publish(f.nc, "foo", big, 10000));
    CHECK_OK(natsConnection_Publish(f.nc, "bar", big, 10000));
    CHECK_NO_MEMORY(natsConnection_Publish(f.nc, "foo", big, 100000));
    CHECK_OK(natsConnection_Publish(f.nc, "bar", big, 100000));
    published(f.nc, 2);
    mock_listen_again(f.m);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_INT(mock_pubs(f.m, 2), 2);
    CHECK_INT(mock_count_lines(f.m, 2, "PUB foo"), 0);
    fixture_destroy(&f);
}

// ---- each allocation once ----

static void publish_all(void)
{
    static const int sizes[] = {10, 5000, 31000, 32768, 200000};
    fixture          f       = fresh();
    natsMsg         *msg     = NULL;
    int              good    = 0;

    scarce(true);
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        {
            good += ok_or_no_memory(natsConnection_Publish(f.nc, "foo", big, sizes[i])) == NATS_OK;
            if (ok_or_no_memory(natsMsg_Create(&msg, "foo", "re", big, sizes[i])) != NATS_OK)
                continue;
            ok_or_no_memory(natsMsgHeader_Set(msg, "key", long_value));
            good += ok_or_no_memory(natsConnection_PublishMsg(f.nc, msg)) == NATS_OK;
            natsMsg_Destroy(msg);
        }
    ok_or_no_memory(natsConnection_Flush(f.nc));
    scarce(false);
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_INT(mock_pubs(f.m, 1), good);
    published(f.nc, good);
    fixture_destroy(&f);
}

TEST_T(publishing, 60000)
{
    CHECK_RANGE(each_fails_once(publish_all), 5, 200);
}

static bool old_style;

static void request_once(void)
{
    fixture           f   = fixture_create();
    natsMsg          *msg = NULL;
    static char       prefix[20001];
    natsSubscription *sub = NULL;

    memset(prefix, 'p', 20000);
    mock_info(f.m, MOCK_ALL, "{\"max_payload\":1000000,\"headers\":true}");
    CHECK_OK(natsOptions_UseOldRequestStyle(f.opts, old_style));
    CHECK_OK(natsOptions_SetCustomInboxPrefix(f.opts, prefix));
    fixture_connect(&f);
    scarce(true);
    failed_or_no_memory(natsConnection_Request(&msg, f.nc, "foo", big, 31000, 1), NATS_TIMEOUT);
    scarce(false);
    WAIT_FOR(natsConnection_Buffered(f.nc) == 0, 5000); // what the failed one has appended goes out
    scarce(true);
    failed_or_no_memory(natsConnection_Request(&msg, f.nc, "foo", big, 200000, 1), NATS_TIMEOUT);
    scarce(false);
    failed_or_no_memory(natsConnection_Request(&msg, f.nc, "foo", big, 31000, 1), NATS_TIMEOUT);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "bar"));
    CHECK_OK(natsConnection_Flush(f.nc));
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

TEST_T(requesting, 60000)
{
    for (int old = 0; old <= 1; old++)
    {
        old_style = old;
        CHECK_RANGE(each_fails_once(request_once), 3, 200);
    }
}

// Publishes while there is no connection, then lets it come back, and drains.
static void publish_down(void)
{
    fixture           f = fresh();
    natsSubscription *subs[300];
    int               good = 0;

    for (int i = 0; i < 300; i++)
        CHECK_OK(natsConnection_SubscribeSync(&subs[i], f.nc, long_value));
    mock_stop_listening(f.m);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    WAIT_FOR(natsConnection_IsReconnecting(f.nc), 5000);
    scarce(true);
    for (int i = 0; i < 10; i++)
        good += ok_or_no_memory(natsConnection_Publish(f.nc, "foo", big, i % 2 ? 100000 : 10)) == NATS_OK;
    mock_listen_again(f.m);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    scarce(false);
    // It may have been lost once more.
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_INT(mock_pubs(f.m, MOCK_ALL), good);
    published(f.nc, good);
    scarce(true);
    ok_or_no_memory(natsConnection_Drain(f.nc));
    scarce(false);
    natsConnection_Close(f.nc);
    for (int i = 0; i < 300; i++)
        natsSubscription_Destroy(subs[i]);
    fixture_destroy(&f);
}

TEST_T(reconnecting, 120000)
{
    CHECK_RANGE(each_fails_once(publish_down), 8, 200);
}

// PINGs of flushes that nobody waits for any more.
static void flush_many(void)
{
    fixture f = fresh();

    mock_mute(f.m);
    scarce(true);
    for (int i = 0; i < 280; i++)
        failed_or_no_memory(natsConnection_FlushTimeout(f.nc, 1), NATS_TIMEOUT);
    scarce(false);
    mock_auto_pong(f.m, true);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK_OK(natsConnection_Flush(f.nc));
    fixture_destroy(&f);
}

TEST_T(flushing, 60000)
{
    CHECK_RANGE(each_fails_once(flush_many), 1, 10);
}
