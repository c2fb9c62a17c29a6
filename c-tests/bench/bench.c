// bench [--seconds S] [--count N] NAME: measures one scenario and prints one line of JSON.
// bench --list: the names.
//
// NATS_URL names a nats-server for the scenarios that need a real one.

#include "bench.h"

static const scenario scenarios[] = {
    // threads, payload size, headers
    {"publish 16 B", publish, {1, 16, 0}},
    {"publish 128 B", publish, {1, 128, 0}},
    {"publish 4 KiB", publish, {1, 4096, 0}},
    {"publish 64 KiB", publish, {1, 65536, 0}},
    {"publish 16 B, 4 threads", publish, {4, 16, 0}},
    {"publish 128 B, 4 threads", publish, {4, 128, 0}},
    {"publish 4 KiB, 4 threads", publish, {4, 4096, 0}},
    {"publish 64 KiB, 4 threads", publish, {4, 65536, 0}},
    {"publish 128 B with headers", publish, {1, 128, 1}},
    {"publish a lone message", publish_lone, {0}},
    // subscriptions, payload size, headers, workers of the global pool
    {"receive 16 B", receive_async, {1, 16, 0, 0}},
    {"receive 128 B", receive_async, {1, 128, 0, 0}},
    {"receive 4 KiB", receive_async, {1, 4096, 0, 0}},
    {"receive 16 B, 100 subs", receive_async, {100, 16, 0, 0}},
    {"receive 128 B, 100 subs", receive_async, {100, 128, 0, 0}},
    {"receive 4 KiB, 100 subs", receive_async, {100, 4096, 0, 0}},
    {"receive 16 B, 1000 subs", receive_async, {1000, 16, 0, 0}},
    {"receive 128 B, 1000 subs", receive_async, {1000, 128, 0, 0}},
    {"receive 4 KiB, 1000 subs", receive_async, {1000, 4096, 0, 0}},
    {"receive 16 B, 100 subs, pool of 2", receive_async, {100, 16, 0, 2}},
    {"receive 128 B with headers", receive_async, {1, 128, 1, 0}},
    {"receive 16 B, NextMsg", receive_sync, {16}},
    {"receive 128 B, NextMsg", receive_sync, {128}},
    {"receive 4 KiB, NextMsg", receive_sync, {4096}},
    {"retain 16 B", receive_retain, {16}},
    {"retain 128 B", receive_retain, {128}},
    {"publish 16 B, TLS", publish_tls, {16}},
    {"publish 4 KiB, TLS", publish_tls, {4096}},
    {"receive 16 B, TLS", receive_tls, {16}},
    {"receive 4 KiB, TLS", receive_tls, {4096}},
    // requesters, through a real server
    {"request, bare responder", request, {1, 0}},
    {"request, bare responder, 16 threads", request, {16, 0}},
    {"request, nats-server", request, {1, 1}},
    {"request, nats-server, 16 threads", request, {16, 1}},
    {"connect and close", connect_close, {0}},
    {"idle connections, 300", idle_connections, {300}},
    {"idle connections, 5000", idle_connections, {5000}},
    {"subscribe and unsubscribe, async", subscribe_unsubscribe, {0}},
    {"subscribe and unsubscribe, sync", subscribe_unsubscribe, {1}},
    {"ceiling, publish 16 B", ceiling_publish, {16}},
    {"ceiling, publish 4 KiB", ceiling_publish, {4096}},
    {"ceiling, publish 64 KiB", ceiling_publish, {65536}},
    {"ceiling, receive 16 B", ceiling_receive, {16}},
    {"ceiling, receive 128 B", ceiling_receive, {128}},
    {"ceiling, receive 4 KiB", ceiling_receive, {4096}},
};

#define COUNT (sizeof(scenarios) / sizeof(scenarios[0]))

static void list(void)
{
    for (size_t i = 0; i < COUNT; i++)
        printf("%s\n", scenarios[i].name);
}

static void run(const char *name, limits limits)
{
    for (size_t i = 0; i < COUNT; i++)
    {
        if (strcmp(scenarios[i].name, name) == 0)
        {
            scenarios[i].run(name, limits, scenarios[i].parameters);
            return;
        }
    }
    die(name, "no such scenario");
}

int main(int argc, char **argv)
{
    limits limits = {.seconds = 1.0, .count = 0};

    for (int i = 1; i < argc; i++)
    {
        if (strcmp(argv[i], "--list") == 0)
            list();
        else if ((strcmp(argv[i], "--seconds") == 0) && (i + 1 < argc))
            limits.seconds = atof(argv[++i]);
        else if ((strcmp(argv[i], "--count") == 0) && (i + 1 < argc))
            limits.count = strtoull(argv[++i], NULL, 10);
        else
            run(argv[i], limits);
    }
    return 0;
}
