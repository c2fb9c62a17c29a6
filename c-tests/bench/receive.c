#include "bench.h"

#include <unistd.h>

static void count_one(int subscription)
{
    _Atomic uint64_t *count = &far->received[subscription].count;

    // Only the callback of this subscription writes it.
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1, memory_order_release);
}

static void on_message(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    natsMsg_Destroy(msg);
    count_one((int)(intptr_t)closure);
}

static void on_headers(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    const char *value = NULL;

    (void)nc;
    (void)sub;
    must(natsMsgHeader_Get(msg, "Bench-Key", &value), "header");
    if (value[0] != 's')
        die("header", "has a wrong value");
    natsMsg_Destroy(msg);
    count_one((int)(intptr_t)closure);
}

void order_blast(limits limits, int subscriptions, int size, bool headers)
{
    far->limits        = limits;
    far->subscriptions = subscriptions;
    far->size          = size;
    far->headers       = headers;
    // What the limits of a subscription let wait by default; they do not cut in then.
    far->window = (size > 512) ? ((32u << 20) / (unsigned)size) : 65536;
    far_blast();
}

static uint64_t arrived(void)
{
    uint64_t sum = 0;

    for (int i = 0; i < far->subscriptions; i++)
        sum += atomic_load(&far->received[i].count);
    return sum;
}

static uint64_t wait_for_all(void)
{
    uint64_t total;
    uint64_t deadline = now_ns() + 120000000000u;

    while (((total = atomic_load(&far->total)) == 0) || (arrived() < total))
    {
        if (now_ns() > deadline)
            die("receive", "messages are missing");
        usleep(1000);
    }
    return total;
}

static void unlimited(natsSubscription *sub)
{
    must(natsSubscription_SetPendingLimits(sub, -1, -1), "limits");
}

static natsConnection *connect_pool(int workers)
{
    natsConnection *nc   = NULL;
    natsOptions    *opts = NULL;

    if (workers == 0)
        return connect_far();
    must(nats_SetMessageDeliveryPoolSize(workers), "pool size");
    must(natsOptions_Create(&opts), "options");
    must(natsOptions_SetURL(opts, far_url), "url");
    must(natsOptions_UseGlobalMessageDelivery(opts, true), "global delivery");
    must(natsConnection_Connect(&nc, opts), "connect");
    natsOptions_Destroy(opts);
    return nc;
}

void receive_async(const char *name, limits limits, const int *subs_size_headers_pool)
{
    static natsSubscription *subs[MAX_SUBSCRIPTIONS];
    int                      count   = subs_size_headers_pool[0];
    bool                     headers = subs_size_headers_pool[2] != 0;
    natsConnection          *nc;
    interval                 in;
    uint64_t                 total;

    far_start(BLASTER);
    nc = connect_pool(subs_size_headers_pool[3]);
    for (int i = 0; i < count; i++)
    {
        char subject[16];

        snprintf(subject, sizeof(subject), "b.%d", i);
        must(natsConnection_Subscribe(&subs[i], nc, subject, headers ? on_headers : on_message,
                                      (void *)(intptr_t)i),
             "subscribe");
        unlimited(subs[i]);
    }
    must(natsConnection_Flush(nc), "flush");
    interval_start(&in);
    order_blast(limits, count, subs_size_headers_pool[1], headers);
    total = wait_for_all();
    interval_stop(&in);
    report(name, total, &in, "");
    for (int i = 0; i < count; i++)
        natsSubscription_Destroy(subs[i]);
    natsConnection_Destroy(nc);
}

void receive_sync(const char *name, limits limits, const int *size)
{
    natsSubscription *sub = NULL;
    natsConnection   *nc;
    interval          in;
    uint64_t          done = 0;

    far_start(BLASTER);
    nc = connect_far();
    must(natsConnection_SubscribeSync(&sub, nc, "b.0"), "subscribe");
    unlimited(sub);
    must(natsConnection_Flush(nc), "flush");
    interval_start(&in);
    order_blast(limits, 1, size[0], false);
    while ((done == 0) || (done != atomic_load_explicit(&far->total, memory_order_relaxed)))
    {
        natsMsg *msg = NULL;

        must(natsSubscription_NextMsg(&msg, sub, 10000), "next message");
        natsMsg_Destroy(msg);
        count_one(0);
        done++;
    }
    interval_stop(&in);
    report(name, done, &in, "");
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
}

// ---- memory of messages that the program keeps ----

static natsMsg **kept;

static void on_message_keep(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    (void)closure;
    kept[atomic_load_explicit(&far->received[0].count, memory_order_relaxed)] = msg;
    count_one(0);
}

void receive_retain(const char *name, limits limits, const int *size)
{
    natsSubscription *sub = NULL;
    natsConnection   *nc;
    interval          in;
    uint64_t          total;
    long              before;
    char              extra[64];

    limits.count = 100000;
    kept         = malloc(2 * limits.count * sizeof(*kept));
    memset(kept, 1, 2 * limits.count * sizeof(*kept));
    far_start(BLASTER);
    nc = connect_far();
    must(natsConnection_Subscribe(&sub, nc, "b.0", on_message_keep, NULL), "subscribe");
    unlimited(sub);
    must(natsConnection_Flush(nc), "flush");
    before = proc_status("VmRSS");
    interval_start(&in);
    order_blast(limits, 1, size[0], false);
    total = wait_for_all();
    interval_stop(&in);
    snprintf(extra, sizeof(extra), ", \"bytes\": %.1f", (double)(in.rss - before) * 1024 / (double)total);
    report(name, total, &in, extra);
    for (uint64_t i = 0; i < total; i++)
        natsMsg_Destroy(kept[i]);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
}
