// The client of the fault matrix: one connection that meets the fault, one that does not. Told on standard
// input what to do, tells on standard output what happened and when (CLOCK_MONOTONIC, milliseconds). Runs on
// either library.
//
//   client URL HEALTHY_URL INTERVAL_MS MAX_OUT idle|publish|subscribe SIZE RATE WAIT_MS
//
// It says "ready" once both connections are up. The line "stop" ends it.

#include <dlfcn.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <nats/nats.h>

static natsConnection *faulty, *healthy;
static atomic_bool     stop;
static atomic_int      running;
static atomic_llong    published, received, refused;
static atomic_int      closed;
static _Atomic double  slowest_status, slowest_healthy;
static int             size, rate;

// What a Flush has confirmed. What was published before a loss and not flushed before it may be gone with the
// socket: a later Flush says nothing about that, so every loss begins a new range.
static atomic_llong at_last_loss;
static struct
{
    long long first, last;
} confirmed[64];
static int ranges;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void pause_ms(double ms)
{
    struct timespec t = {(time_t)(ms / 1e3), (long)(ms * 1e6) % 1000000000};

    nanosleep(&t, NULL);
}

static void say(const char *fmt, ...)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    va_list                args;

    va_start(args, fmt);
    pthread_mutex_lock(&lock);
    vprintf(fmt, args);
    putchar('\n');
    fflush(stdout);
    pthread_mutex_unlock(&lock);
    va_end(args);
}

static void at_most(_Atomic double *highest, double value)
{
    if (value > *highest)
        *highest = value;
}

// ---- callbacks ----

typedef natsStatus (*last_disconnect)(natsConnection *nc, natsDisconnectInfo *info, size_t size);

// What the extension tells, where there is one.
static int reason_of(natsConnection *nc)
{
    last_disconnect    ask = (last_disconnect)dlsym(RTLD_DEFAULT, "natsConnection_GetLastDisconnect");
    natsDisconnectInfo info;

    return ask != NULL && ask(nc, &info, sizeof info) == NATS_OK ? (int)info.Reason : 0;
}

static void on_event(natsConnection *nc, const char *name)
{
    say("%s %.3f %d", name, now(), reason_of(nc));
}

static void on_disconnected(natsConnection *nc, void *closure)
{
    (void)closure;
    at_last_loss = published;
    on_event(nc, "disconnected");
}

static void on_reconnected(natsConnection *nc, void *closure)
{
    (void)closure;
    on_event(nc, "reconnected");
}

static void on_closed(natsConnection *nc, void *closure)
{
    (void)closure;
    closed = 1;
    on_event(nc, "closed");
}

static void on_error(natsConnection *nc, natsSubscription *sub, natsStatus s, void *closure)
{
    (void)nc;
    (void)sub;
    (void)s;
    (void)closure;
}

static void on_healthy_lost(natsConnection *nc, void *closure)
{
    (void)nc;
    (void)closure;
    say("healthy-lost %.3f 0", now());
}

static void on_msg(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    (void)closure;
    received++;
    natsMsg_Destroy(msg);
}

// ---- threads ----

static void *publish(void *closure)
{
    char  *data  = malloc((size_t)size + 1);
    double start = now();

    (void)closure;
    memset(data, 'x', (size_t)size);
    for (long long n = 1; !stop && !closed; n++)
    {
        natsStatus s;

        // the number comes first, the rest is ballast
        data[snprintf(data, (size_t)size, "%016lld", n)] = ' ';
        s = natsConnection_Publish(faulty, "faults", data, size);
        if (s == NATS_OK)
            published = n;
        else
            n--, refused++;
        if (s != NATS_OK || now() < start + (double)n * 1e3 / rate)
            pause_ms(1);
    }
    running--;
    return NULL;
}

static void flush_once(int64_t timeout)
{
    long long last = published, first;

    if (natsConnection_FlushTimeout(faulty, timeout) != NATS_OK)
        return;
    first = at_last_loss + 1;
    if (last < first)
        return;
    if (ranges == 0 || confirmed[ranges - 1].first != first)
    {
        if (ranges == 64)
            return;
        confirmed[ranges++].first = first;
    }
    confirmed[ranges - 1].last = last;
}

static void *flush(void *closure)
{
    (void)closure;
    while (!stop && !closed)
    {
        flush_once(2000);
        pause_ms(20);
    }
    running--;
    return NULL;
}

// Looks at the status all the time: how long that takes, and when the loss shows.
static void *watch_status(void *closure)
{
    bool was_up = true;

    (void)closure;
    while (!stop)
    {
        double         before = now();
        natsConnStatus status = natsConnection_Status(faulty);
        double         after  = now();
        bool           up     = status == NATS_CONN_STATUS_CONNECTED;

        at_most(&slowest_status, after - before);
        if (was_up && !up)
            say("detected %.3f 0", after);
        was_up = up;
        pause_ms(1);
    }
    running--;
    return NULL;
}

static void *watch_healthy(void *closure)
{
    (void)closure;
    while (!stop)
    {
        double before = now();

        natsConnection_FlushTimeout(healthy, 5000);
        at_most(&slowest_healthy, now() - before);
        pause_ms(5);
    }
    running--;
    return NULL;
}

static void start(void *(*body)(void *))
{
    pthread_t t;

    running++;
    pthread_create(&t, NULL, body, NULL);
    pthread_detach(t);
}

static void check(natsStatus s, const char *what)
{
    if (s != NATS_OK)
    {
        say("failed: %s: %s", what, natsStatus_GetText(s));
        _exit(1);
    }
}

static natsConnection *connect_to(const char *url, int64_t interval, int max_out, int64_t wait,
                                  bool is_faulty)
{
    natsOptions    *opts = NULL;
    natsConnection *nc   = NULL;

    check(natsOptions_Create(&opts), "options");
    check(natsOptions_SetURL(opts, url), "url");
    check(natsOptions_SetPingInterval(opts, interval), "interval");
    check(natsOptions_SetMaxPingsOut(opts, max_out), "max");
    check(natsOptions_SetReconnectWait(opts, wait), "wait");
    check(natsOptions_SetReconnectJitter(opts, 0, 0), "jitter");
    check(natsOptions_SetMaxReconnect(opts, -1), "attempts");
    check(natsOptions_SetTimeout(opts, 1000), "timeout");
    check(natsOptions_SetErrorHandler(opts, on_error, NULL), "errors");
    if (is_faulty)
    {
        check(natsOptions_SetDisconnectedCB(opts, on_disconnected, NULL), "callback");
        check(natsOptions_SetReconnectedCB(opts, on_reconnected, NULL), "callback");
        check(natsOptions_SetClosedCB(opts, on_closed, NULL), "callback");
    }
    else
        check(natsOptions_SetDisconnectedCB(opts, on_healthy_lost, NULL), "callback");
    check(natsConnection_Connect(&nc, opts), "connect");
    natsOptions_Destroy(opts);
    return nc;
}

int main(int argc, char **argv)
{
    natsSubscription *sub = NULL;
    char              line[32];

    if (argc != 9)
        return 2;
    size    = atoi(argv[6]);
    rate    = atoi(argv[7]);
    faulty  = connect_to(argv[1], atoll(argv[3]), atoi(argv[4]), atoll(argv[8]), true);
    healthy = connect_to(argv[2], 120000, 2, 100, false);
    if (strcmp(argv[5], "subscribe") == 0)
        check(natsConnection_Subscribe(&sub, faulty, "faults.in", on_msg, NULL), "subscribe");
    check(natsConnection_Flush(faulty), "flush");
    if (strcmp(argv[5], "publish") == 0)
    {
        start(publish);
        start(flush);
    }
    start(watch_status);
    start(watch_healthy);
    say("ready %.3f 0", now());
    while (fgets(line, sizeof line, stdin) != NULL && strcmp(line, "stop\n") != 0)
        ;
    stop = true;
    for (int i = 0; running > 0 && i < 3000; i++)
        pause_ms(1);
    if (running == 0 && !closed)
        flush_once(3000);
    for (int i = 0; i < ranges; i++)
        printf("flushed %lld %lld\n", confirmed[i].first, confirmed[i].last);
    say("result {\"published\": %lld, \"received\": %lld, \"refused\": %lld, \"hanging\": %d, \"status_ms\": "
        "%.3f, "
        "\"healthy_ms\": %.3f}",
        (long long)published, (long long)received, (long long)refused, (int)running, slowest_status,
        slowest_healthy);
    _exit(0); // a library that hangs is not asked to clean up
}
