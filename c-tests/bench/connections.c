#include "bench.h"

#include <sys/resource.h>

natsConnection *connect_far(void)
{
    natsConnection *nc   = NULL;
    natsOptions    *opts = NULL;

    must(natsOptions_Create(&opts), "options");
    must(natsOptions_SetURL(opts, far_url), "url");
    must(natsConnection_Connect(&nc, opts), "connect");
    natsOptions_Destroy(opts);
    return nc;
}

void connect_close(const char *name, limits limits, const int *unused)
{
    interval in;
    uint64_t deadline;
    uint64_t done = 0;

    (void)unused;
    far_start(SINK);
    natsConnection_Destroy(connect_far());
    deadline = now_ns() + (uint64_t)(limits.seconds * 1e9);
    interval_start(&in);
    while (!limits_reached(&limits, done, 1, deadline))
    {
        natsConnection_Destroy(connect_far());
        done++;
    }
    interval_stop(&in);
    report(name, done, &in, "");
}

// Time to open so many connections, what they hold, and the CPU time of a second in which nothing happens.
void idle_connections(const char *name, limits limits, const int *connections)
{
    int              count = connections[0];
    natsConnection **all   = calloc((size_t)count, sizeof(*all));
    struct rlimit    files;
    interval         in, idle;
    long             rss, threads;
    char             extra[160];

    (void)limits;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    far_start(SINK);
    all[0]  = connect_far();
    rss     = proc_status("VmRSS");
    threads = proc_status("Threads");
    interval_start(&in);
    for (int i = 1; i < count; i++)
        all[i] = connect_far();
    interval_stop(&in);
    interval_start(&idle);
    nats_Sleep(1000);
    interval_stop(&idle);
    snprintf(extra, sizeof(extra),
             ", \"bytes\": %.1f, \"more_threads\": %ld, \"seconds\": %.4f, \"idle_cpu_us\": %.1f",
             (double)(in.rss - rss) * 1024 / (count - 1), in.threads - threads, (double)in.wall / 1e9,
             (double)idle.cpu / 1e3);
    report(name, (uint64_t)count - 1, &in, extra);
    for (int i = 0; i < count; i++)
        natsConnection_Destroy(all[i]);
    free(all);
}

static void ignore(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    (void)closure;
    natsMsg_Destroy(msg);
}

void subscribe_unsubscribe(const char *name, limits limits, const int *sync)
{
    natsConnection *nc;
    interval        in;
    uint64_t        deadline;
    uint64_t        done = 0;

    far_start(SINK);
    nc       = connect_far();
    deadline = now_ns() + (uint64_t)(limits.seconds * 1e9);
    interval_start(&in);
    while (!limits_reached(&limits, done, 16, deadline))
    {
        natsSubscription *sub = NULL;

        if (sync[0])
            must(natsConnection_SubscribeSync(&sub, nc, "bench"), "subscribe");
        else
            must(natsConnection_Subscribe(&sub, nc, "bench", ignore, NULL), "subscribe");
        must(natsSubscription_Unsubscribe(sub), "unsubscribe");
        natsSubscription_Destroy(sub);
        done++;
    }
    must(natsConnection_FlushTimeout(nc, 60000), "flush");
    interval_stop(&in);
    report(name, done, &in, "");
    natsConnection_Destroy(nc);
}
