// What is on its way to the server: nothing is left behind, nothing grows without a bound. What it takes of
// the machine is in resources.c.

#include "fixture.h"

#include <pthread.h>

static const char INFO[] = "{\"max_payload\":2000000,\"headers\":true}";

typedef struct
{
    natsConnection   *nc;
    int               size, rounds;
    pthread_barrier_t gate;
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
        CHECK_MSG(mock_wait_pubs(f.m, 1, 2 * i, 10000),
                  "round %d: a message is left behind, %d bytes buffered", i, natsConnection_Buffered(f.nc));
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

// PINGs from a server that does not read: the PONGs for it do not fill the memory, and it gets some once it
// reads.
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
