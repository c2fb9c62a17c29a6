#include "bench.h"

#include <pthread.h>

typedef struct
{
    natsConnection *nc;
    limits          limits;
    uint64_t        deadline;
    uint64_t        done;
    int             size;
    bool            headers;
} publisher;

static void publish_plain(publisher *p, const char *payload, uint64_t stride)
{
    while (!limits_reached(&p->limits, p->done, stride, p->deadline))
    {
        must(natsConnection_Publish(p->nc, "bench", payload, p->size), "publish");
        p->done++;
    }
}

static void publish_headers(publisher *p, const char *payload, uint64_t stride)
{
    natsMsg *msg = NULL;

    must(natsMsg_Create(&msg, "bench", NULL, payload, p->size), "message");
    must(natsMsgHeader_Set(msg, "Bench-Key", "some value"), "header");
    while (!limits_reached(&p->limits, p->done, stride, p->deadline))
    {
        must(natsConnection_PublishMsg(p->nc, msg), "publish");
        p->done++;
    }
    natsMsg_Destroy(msg);
}

static void *publisher_main(void *arg)
{
    publisher *p       = arg;
    char      *payload = calloc(1, (size_t)p->size);
    uint64_t   stride  = (p->size <= 1024) ? 512 : 16;

    if (p->headers)
        publish_headers(p, payload, stride);
    else
        publish_plain(p, payload, stride);
    free(payload);
    return NULL;
}

void publish(const char *name, limits limits, const int *threads_size_headers)
{
    publisher       publishers[16] = {0};
    pthread_t       threads[16];
    int             count = threads_size_headers[0];
    natsConnection *nc;
    interval        in;
    uint64_t        done = 0;

    far_start(SINK);
    nc = connect_far();
    interval_start(&in);
    limits.count /= (uint64_t)count;
    for (int i = 0; i < count; i++)
    {
        publishers[i] = (publisher){.nc       = nc,
                                    .limits   = limits,
                                    .deadline = now_ns() + (uint64_t)(limits.seconds * 1e9),
                                    .size     = threads_size_headers[1],
                                    .headers  = threads_size_headers[2] != 0};
        pthread_create(&threads[i], NULL, publisher_main, &publishers[i]);
    }
    for (int i = 0; i < count; i++)
    {
        pthread_join(threads[i], NULL);
        done += publishers[i].done;
    }
    must(natsConnection_FlushTimeout(nc, 60000), "flush");
    interval_stop(&in);
    report(name, done, &in, "");
    natsConnection_Destroy(nc);
}

// How long a message that nothing follows takes to the far end, when the connection was quiet before.
void publish_lone(const char *name, limits limits, const int *unused)
{
    natsConnection *nc;
    interval        in;
    uint64_t        deadline;
    uint64_t        done = 0;

    (void)unused;
    far_start(STAMPER);
    nc       = connect_far();
    deadline = now_ns() + (uint64_t)(limits.seconds * 1e9);
    interval_start(&in);
    while ((done < MAX_SAMPLES) && !limits_reached(&limits, done, 1, deadline))
    {
        char time[24];

        snprintf(time, sizeof(time), "%016llx", (unsigned long long)now_ns());
        must(natsConnection_Publish(nc, "bench", time, 16), "publish");
        done++;
        while (atomic_load(&far->samples) < done)
            nats_Sleep(1);
    }
    interval_stop(&in);
    report_latency(name, far->latency, done, &in);
    natsConnection_Destroy(nc);
}
