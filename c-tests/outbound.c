// What is on its way to the server: nothing is left behind, nothing grows without a bound, nobody is woken for nothing.

#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>

static const char INFO[] = "{\"max_payload\":2000000,\"headers\":true}";

typedef struct
{
    natsConnection   *nc;
    int               size, rounds;
    pthread_barrier_t gate;
    atomic_bool       stop;
    atomic_llong      accepted, refused;
} publisher;

static void *publish_in_rounds(void *arg)
{
    publisher *p    = arg;
    char      *data = calloc(1, (size_t)p->size);

    for (int i = 0; i < p->rounds; i++)
    {
        pthread_barrier_wait(&p->gate);
        CHECK_OK(natsConnection_Publish(p->nc, "big", data, p->size));
        pthread_barrier_wait(&p->gate);
    }
    free(data);
    return NULL;
}

// Two threads publish at the same time, then nobody does: both messages reach the server without further ado.
static void everything_goes_out(int size, int rounds)
{
    fixture   f = fixture_create();
    publisher p = {.size = size, .rounds = rounds};
    pthread_t threads[2];

    mock_info(f.m, MOCK_ALL, INFO);
    mock_record(f.m, false);
    fixture_connect(&f);
    p.nc = f.nc;
    pthread_barrier_init(&p.gate, NULL, 3);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, publish_in_rounds, &p) == 0);
    for (int i = 1; i <= rounds; i++)
    {
        pthread_barrier_wait(&p.gate);
        pthread_barrier_wait(&p.gate);
        CHECK_MSG(mock_wait_pubs(f.m, 1, 2 * i, 10000), "round %d: a message is left behind, %d bytes buffered", i,
                  natsConnection_Buffered(f.nc));
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&p.gate);
    fixture_destroy(&f);
}

TEST_T(no_message_is_left_behind, 120000)
{
    everything_goes_out(1000000, 30);
    everything_goes_out(300000, 60);
    everything_goes_out(20000, 100);
}

static void *publish_until_stopped(void *arg)
{
    publisher *p    = arg;
    char      *data = calloc(1, (size_t)p->size);

    while (!p->stop)
    {
        natsStatus s = natsConnection_Publish(p->nc, "foo", data, p->size);

        if (s == NATS_OK)
            p->accepted++;
        else if (s == NATS_INSUFFICIENT_BUFFER)
            p->refused++;
        else if (s != NATS_IO_ERROR) // what was being written when the server broke off
            CHECK_STATUS(s, NATS_OK);
        if (s != NATS_OK)
            sleep_ms(1);
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
    int64_t   accepted, before, quiet_since;

    mock_receive_buffer(f.m, 4096);
    mock_record(f.m, false);
    fixture_connect(&f);
    mock_frozen(f.m, true);
    p.nc = f.nc;
    CHECK(pthread_create(&thread, NULL, publish_until_stopped, &p) == 0);
    do // until it is stuck
    {
        accepted = p.accepted;
        sleep_ms(300);
    } while (p.accepted != accepted);
    CHECK(natsConnection_Buffered(f.nc) > 0);
    before      = library_wakeups();
    quiet_since = now_ms();
    for (int64_t end = now_ms() + 10000; now_ms() - quiet_since < 1000 && now_ms() < end; sleep_ms(20))
    {
        int64_t now = library_wakeups();

        if (now != before)
            quiet_since = now_ms();
        before = now;
    }
    CHECK_MSG(now_ms() - quiet_since >= 1000, "threads of the library keep waking up");
    p.stop = true;
    mock_frozen(f.m, false);
    pthread_join(thread, NULL);
    CHECK_OK(natsConnection_FlushTimeout(f.nc, 10000));
    CHECK_INT(mock_pubs(f.m, 1), p.accepted);
    fixture_destroy(&f);
}

#define RECONNECT_BUFFER (1 << 20)

// A server that takes connections and ends them at once: what waits for a better one is bounded by the reconnect buffer.
static void accepts_and_dies(int size)
{
    fixture   f = fixture_create();
    publisher p = {.size = size};
    pthread_t thread;
    int64_t   kb = 0;

    CHECK_OK(natsOptions_SetReconnectBufSize(f.opts, RECONNECT_BUFFER));
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 50));
    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, -1));
    mock_info(f.m, MOCK_ALL, INFO);
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

// PINGs from a server that does not read: the PONGs for it do not fill the memory, and it gets some once it reads.
TEST_T(pongs_for_a_server_that_does_not_read, 60000)
{
    fixture f = fixture_pinging(0, 2, true);
    char    pings[6 * 1000 + 1];

    for (int i = 0; i < 1000; i++)
        memcpy(pings + 6 * i, "PING\r\n", 7);
    mock_receive_buffer(f.m, 4096);
    mock_record(f.m, false);
    fixture_connect(&f);
    mock_frozen(f.m, true);
    for (int i = 0; i < 2000; i++) // 12 MB, more than sockets hold
        CHECK(mock_write(f.m, 1, pings, sizeof pings - 1));
    CHECK_RANGE(natsConnection_Buffered(f.nc), 0, 64 * 1024);
    mock_frozen(f.m, false);
    CHECK_OK(natsConnection_FlushTimeout(f.nc, 30000));
    CHECK(mock_pongs(f.m, 1) > 0);
    mock_send(f.m, "PING\r\n");
    CHECK_OK(natsConnection_Flush(f.nc));
    fixture_destroy(&f);
}
