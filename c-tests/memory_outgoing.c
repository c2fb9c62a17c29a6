// Shortage of memory on the way out: a call says NATS_NO_MEMORY, nothing of it is sent, and the next one works.

#include "fixture.h"
#include "wire.h"

// Allocations of the thread that says so fail from this size on.
static __thread size_t fail_from = SIZE_MAX;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
    return size >= fail_from ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return size != 0 && count >= fail_from / size ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return size >= fail_from ? NULL : __libc_realloc(old, size);
}

#define SCARCE(call) (fail_from = 4096, (call))
#define CHECK_NO_MEMORY(call)                                                                                          \
    do                                                                                                                 \
    {                                                                                                                  \
        natsStatus s_ = SCARCE(call);                                                                                  \
        fail_from     = SIZE_MAX;                                                                                      \
        CHECK_STATUS(s_, NATS_NO_MEMORY);                                                                              \
    } while (0)

static char big[200000];

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
    fail_from = SIZE_MAX;
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
