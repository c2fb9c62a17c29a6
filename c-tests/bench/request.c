#include "bench.h"

#include <pthread.h>

typedef struct
{
    natsConnection *nc;
    limits          limits;
    uint64_t        deadline;
    uint64_t       *samples;
    uint64_t        room;
    uint64_t        done;
} requester;

static void *requester_main(void *arg)
{
    requester *r = arg;

    while ((r->done < r->room) && !limits_reached(&r->limits, r->done, 1, r->deadline))
    {
        natsMsg *reply = NULL;
        uint64_t start = now_ns();

        must(natsConnection_Request(&reply, r->nc, "bench.request", "0123456789abcdef", 16, 10000),
             "request");
        r->samples[r->done++] = now_ns() - start;
        if (natsMsg_GetDataLength(reply) != 16)
            die("request", "the reply has a wrong length");
        natsMsg_Destroy(reply);
    }
    return NULL;
}

void request(const char *name, limits limits, const int *requesters_server)
{
    static uint64_t samples[MAX_SAMPLES * 16];
    requester       requesters[16];
    pthread_t       threads[16];
    int             count = requesters_server[0];
    natsMsg        *reply = NULL;
    natsConnection *nc;
    interval        in;
    uint64_t        done = 0;

    far_start(requesters_server[1] ? CLIENT : RESPONDER);
    nc = connect_far();
    must(natsConnection_Request(&reply, nc, "bench.request", "warm up", 7, 10000), "request");
    natsMsg_Destroy(reply);
    limits.count /= (uint64_t)count;
    interval_start(&in);
    for (int i = 0; i < count; i++)
    {
        requesters[i] = (requester){.nc       = nc,
                                    .limits   = limits,
                                    .deadline = now_ns() + (uint64_t)(limits.seconds * 1e9),
                                    .samples  = samples + (size_t)i * MAX_SAMPLES,
                                    .room     = MAX_SAMPLES};
        pthread_create(&threads[i], NULL, requester_main, &requesters[i]);
    }
    for (int i = 0; i < count; i++)
    {
        pthread_join(threads[i], NULL);
        memmove(samples + done, requesters[i].samples, requesters[i].done * sizeof(*samples));
        done += requesters[i].done;
    }
    interval_stop(&in);
    report_latency(name, samples, done, &in);
    natsConnection_Destroy(nc);
}
