// What the library takes of the machine: nothing while nothing happens, and never more memory than it was
// allowed.

#include "fixture.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

// A quiet second comes soon; what wakes in the first ones is still on its way to sleep.
static void check_quiet(void)
{
    int64_t before = library_wakeups(), quiet_since = now_ms();

    for (int64_t end = now_ms() + 10000; now_ms() - quiet_since < 1000 && now_ms() < end; pace_ms(20))
    {
        int64_t now = library_wakeups();

        if (now != before)
            quiet_since = now_ms();
        before = now;
    }
    CHECK_MSG(now_ms() - quiet_since >= 1000, "threads of the library keep waking up");
}

// An open connection without pings wakes nobody, whatever it did before.
TEST(nothing_wakes_up_while_idle)
{
    fixture           f   = fixture_pinging(0, 2, true);
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;

    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg, f.ev));
    CHECK_OK(natsConnection_PublishString(f.nc, "bar", "x"));
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_send(f.m, "MSG foo 1 1\r\nx\r\n");
    WAIT_EVENT(f.ev, "msg", 1, 5000);
    CHECK_STATUS(natsConnection_RequestString(&msg, f.nc, "nobody", "x", 20), NATS_TIMEOUT);
    CHECK_OK(natsConnection_Flush(f.nc));
    check_quiet();
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

typedef struct
{
    natsConnection *nc;
    int             size;
    atomic_bool     stop;
    atomic_llong    published, refused;
} publisher;

static void *publish_on(void *arg)
{
    publisher *p    = arg;
    char      *data = calloc(1, (size_t)p->size);

    while (!p->stop && natsConnection_Publish(p->nc, "foo", data, p->size) == NATS_OK)
        p->published++;
    free(data);
    return NULL;
}

// The publisher of a server that does not read waits; what it published before is all there is in memory.
static void stuck_socket(int size)
{
    fixture   f = fixture_create();
    publisher p = {.size = size};
    pthread_t thread;
    int64_t   kb, published;

    mock_receive_buffer(f.m, 4096);
    mock_record(f.m, false);
    fixture_connect(&f);
    mock_frozen(f.m, true);
    p.nc = f.nc;
    kb   = resident_kb();
    CHECK(pthread_create(&thread, NULL, publish_on, &p) == 0);
    do // until it is stuck
    {
        published = p.published;
        quiet_ms(200);
    } while (p.published != published);
    CHECK_RANGE(resident_kb() - kb, -100000, 8000);
    CHECK(natsConnection_Buffered(f.nc) <= 2 * 16 * 32768 + 2 * size);
    p.stop = true;
    mock_frozen(f.m, false);
    pthread_join(thread, NULL);
    fixture_destroy(&f);
}

TEST(memory_while_the_server_does_not_read)
{
    stuck_socket(16);
    stuck_socket(4096);
    stuck_socket(200000);
}

static void *publish_until_stopped(void *arg)
{
    publisher *p    = arg;
    char      *data = calloc(1, (size_t)p->size);

    while (!p->stop)
    {
        natsStatus s = natsConnection_Publish(p->nc, "foo", data, p->size);

        if (s == NATS_OK)
            p->published++;
        else if (s == NATS_INSUFFICIENT_BUFFER)
            p->refused++;
        else if (s != NATS_IO_ERROR) // what was being written when the server broke off
            CHECK_STATUS(s, NATS_OK);
        if (s != NATS_OK)
            pace_ms(1);
    }
    free(data);
    return NULL;
}

// While a publisher waits for a server that does not read, no thread of the library has anything to do.
TEST(nothing_wakes_up_while_a_publisher_is_blocked)
{
    fixture   f = fixture_pinging(0, 2, true);
    publisher p = {.size = 1000};
    pthread_t thread;
    int64_t   published;

    mock_receive_buffer(f.m, 4096);
    mock_record(f.m, false);
    fixture_connect(&f);
    mock_frozen(f.m, true);
    p.nc = f.nc;
    CHECK(pthread_create(&thread, NULL, publish_until_stopped, &p) == 0);
    do // until it is stuck
    {
        published = p.published;
        quiet_ms(300);
    } while (p.published != published);
    CHECK(natsConnection_Buffered(f.nc) > 0);
    check_quiet();
    p.stop = true;
    mock_frozen(f.m, false);
    pthread_join(thread, NULL);
    CHECK_OK(natsConnection_FlushTimeout(f.nc, 10000));
    CHECK_INT(mock_pubs(f.m, 1), p.published);
    fixture_destroy(&f);
}

#define RECONNECT_BUFFER (1 << 20)

// A server that takes connections and ends them at once: what waits for a better one is bounded by the
// reconnect buffer.
static void accepts_and_dies(int size)
{
    fixture   f = fixture_create();
    publisher p = {.size = size};
    pthread_t thread;
    int64_t   kb = 0;

    CHECK_OK(natsOptions_SetReconnectBufSize(f.opts, RECONNECT_BUFFER));
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 50));
    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, -1));
    mock_info(f.m, MOCK_ALL, "{\"max_payload\":2000000,\"headers\":true}");
    mock_record(f.m, false);
    mock_receive_buffer(f.m, 4096);
    fixture_connect(&f);
    mock_frozen(f.m, true); // what is sent gets no further than the socket's buffers
    p.nc = f.nc;
    CHECK(pthread_create(&thread, NULL, publish_until_stopped, &p) == 0);
    for (int i = 1; i <= 40; i++)
    {
        CHECK(mock_wait_connected(f.m, i, 10000));
        mock_reset(f.m, MOCK_LATEST);
        WAIT_EVENT(f.ev, "disconnected", i, 10000);
        if (i == 5)
            kb = resident_kb();
    }
    CHECK_RANGE(resident_kb() - kb, -100000, 4000);
    CHECK(p.refused > 0);
    p.stop = true;
    pthread_join(thread, NULL);
    mock_frozen(f.m, false);
    CHECK(mock_wait_connected(f.m, 41, 10000));
    WAIT_EVENT(f.ev, "reconnected", 40, 10000);
    CHECK_OK(natsConnection_FlushTimeout(f.nc, 30000));
    // How much of it the connections before have taken with them is up to the system's buffers.
    CHECK_RANGE(mock_pubs(f.m, MOCK_LATEST) * (size + 14), 0, RECONNECT_BUFFER + 3 * 256 * 1024 + 4 * size);
    fixture_destroy(&f);
}

TEST_T(memory_while_the_server_accepts_and_dies, 120000)
{
    accepts_and_dies(16);
    accepts_and_dies(1000);
    accepts_and_dies(100000);
}

static void slow_callback(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    natsMsg_Destroy(msg);
    while (!*(atomic_bool *)closure)
        pace_ms(5);
}

// A subscription keeps no more messages than its limit says, however many arrive while its callback is stuck.
TEST(memory_while_a_callback_is_slow)
{
    fixture           f    = fixture_create();
    natsSubscription *sub  = NULL;
    char             *some = frames("foo", 1, "some data of a length that is nothing special", 2000);
    atomic_bool       go   = false;
    int64_t           kb, dropped = 0;

    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", slow_callback, &go));
    CHECK_OK(natsSubscription_SetPendingLimits(sub, 1000, -1));
    CHECK_OK(natsConnection_Flush(f.nc));
    kb = resident_kb();
    for (int i = 0; i < 300; i++)
        CHECK(mock_write(f.m, 1, some, strlen(some)));
    CHECK_OK(natsConnection_FlushTimeout(f.nc, 30000)); // its PONG comes behind them
    CHECK_OK(natsSubscription_GetDropped(sub, &dropped));
    CHECK_RANGE(dropped, 300 * 2000 - 1002, 300 * 2000 - 999);
    CHECK_RANGE(resident_kb() - kb, -100000, 8000);
    go = true;
    natsSubscription_Destroy(sub);
    free(some);
    fixture_destroy(&f);
}

// ---- memory that threads keep ----

enum
{
    FREEING_THREADS = 16,
    FREED_EACH      = 4000
};

typedef struct
{
    natsMsg         **msgs;
    pthread_barrier_t freed, released;
} freer;

static void *free_messages(void *arg)
{
    freer *f = arg;

    for (int i = 0; i < FREED_EACH; i++)
        natsMsg_Destroy(f->msgs[i]);
    pthread_barrier_wait(&f->freed);
    pthread_barrier_wait(&f->released);
    nats_ReleaseThreadMemory();
    pthread_barrier_wait(&f->freed);
    pthread_barrier_wait(&f->released);
    return NULL;
}

static int64_t trimmed_kb(void)
{
    malloc_trim(0);
    return resident_kb();
}

// A thread that frees messages of all sizes keeps no more than 256 KiB for messages to come, all together a
// few MB more.
TEST(memory_of_threads_that_free_messages)
{
    static char data[8192];
    freer       freers[FREEING_THREADS];
    pthread_t   threads[FREEING_THREADS];
    natsMsg   **msgs = calloc(FREED_EACH, sizeof *msgs);
    unsigned    seed = 1;
    int64_t     kb   = trimmed_kb(), kept;

    for (int t = 0; t < FREEING_THREADS; t++)
    {
        for (int i = 0; i < FREED_EACH; i++)
            CHECK_OK(natsMsg_Create(&msgs[i], "foo", NULL, data, rand_r(&seed) % 8000));
        freers[t].msgs = msgs;
        pthread_barrier_init(&freers[t].freed, NULL, 2);
        pthread_barrier_init(&freers[t].released, NULL, 2);
        CHECK(pthread_create(&threads[t], NULL, free_messages, &freers[t]) == 0);
        pthread_barrier_wait(&freers[t].freed);
    }
    kept = trimmed_kb() - kb;
    CHECK_RANGE(kept, -100000, FREEING_THREADS * 256 + 12000);
    for (int t = 0; t < FREEING_THREADS; t++)
    {
        pthread_barrier_wait(&freers[t].released);
        pthread_barrier_wait(&freers[t].freed);
    }
    CHECK_RANGE(trimmed_kb() - kb, -100000, kept - FREEING_THREADS * 32);
    for (int t = 0; t < FREEING_THREADS; t++)
    {
        pthread_barrier_wait(&freers[t].released);
        pthread_join(threads[t], NULL);
    }
    free(msgs);
}

// What malloc has given out, kB.
static int64_t in_use_kb(void)
{
    struct mallinfo2 m = mallinfo2();

    return (int64_t)((m.uordblks + m.hblkhd) / 1024);
}

static void counting(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    natsMsg_Destroy(msg);
    atomic_fetch_add((atomic_int *)closure, 1);
}

// Queues that a burst made large are small again soon after.
static void room_after_a_burst(bool async)
{
    enum
    {
        SUBS  = 400,
        BURST = 3000
    };
    fixture           f = fixture_create();
    natsSubscription *subs[SUBS];
    static atomic_int got;
    int64_t           kb;

    got = 0;
    CHECK_OK(natsOptions_SetPingInterval(f.opts, 0));
    mock_record(f.m, false);
    fixture_connect(&f);
    for (int i = 0; i < SUBS; i++)
        if (async)
            CHECK_OK(natsConnection_Subscribe(&subs[i], f.nc, "foo", counting, &got));
        else
            CHECK_OK(natsConnection_SubscribeSync(&subs[i], f.nc, "foo"));
    CHECK_OK(natsConnection_Flush(f.nc));
    kb = in_use_kb();
    for (int i = 0; i < SUBS; i++)
    {
        char *burst = frames("foo", i + 1, "x", BURST);

        CHECK(mock_write(f.m, MOCK_LATEST, burst, strlen(burst)));
        free(burst);
        for (int n = 0; !async && n < BURST; n++)
        {
            natsMsg *msg = NULL;

            CHECK_OK(natsSubscription_NextMsg(&msg, subs[i], 10000));
            natsMsg_Destroy(msg);
        }
    }
    if (async)
        WAIT_FOR(got == SUBS * BURST, 60000);
    // What lies ready for the next messages is no more than a few MB in all.
    WAIT_FOR(in_use_kb() - kb < SUBS * 2 + 6000, 20000);
    // All is as before for what comes then.
    for (int i = 0; i < SUBS; i++)
    {
        natsMsg *msg = NULL;

        mock_send(f.m, "MSG foo %d 1\r\nx\r\n", i + 1);
        if (!async)
            CHECK_OK(natsSubscription_NextMsg(&msg, subs[i], 10000));
        natsMsg_Destroy(msg);
    }
    if (async)
        WAIT_FOR(got == SUBS * BURST + SUBS, 10000);
    for (int i = 0; i < SUBS; i++)
        natsSubscription_Destroy(subs[i]);
    fixture_destroy(&f);
    nats_CloseAndWait(5000);
}

TEST_T(room_after_a_burst_is_given_back, 120000)
{
    room_after_a_burst(true);
}

TEST_T(room_after_a_burst_for_readers_is_given_back, 120000)
{
    room_after_a_burst(false);
}
