// Measures libnats through its public API. One process measures one scenario, so that threads and memory of
// one never count for another. The far end (a sink, a blaster, a responder) is a forked process with raw
// sockets: the CPU time of this process is the client's alone.

#ifndef C_TESTS_BENCH_BENCH_H
#define C_TESTS_BENCH_BENCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nats/nats.h>

#define MAX_SUBSCRIPTIONS 1000
#define MAX_SAMPLES       100000
#define HEADER_BLOCK      "NATS/1.0\r\nBench-Key: some value\r\n\r\n"

// How long a scenario runs: a time, or a number of operations when count is not zero.
typedef struct
{
    double   seconds;
    uint64_t count;
} limits;

// ---- clock and process (measure.c) ----

uint64_t now_ns(void);

// User and system time of this process.
uint64_t cpu_ns(void);

// A field of /proc/self/status: "VmRSS" and "VmHWM" are in kB, "Threads" is a number.
long proc_status(const char *field);

typedef struct
{
    uint64_t wall;
    uint64_t cpu;
    long     threads; // most seen by interval_stop
    long     rss;     // kB
} interval;

void interval_start(interval *in);

// Turns the starting points into what has passed since.
void interval_stop(interval *in);

// The same with the end of the wall time known: what comes after the last message does not count.
void interval_stop_at(interval *in, uint64_t end);

// One line of JSON: the rate, the CPU time and the state of the process, then extra (", \"key\": value" or
// "").
void report(const char *name, uint64_t operations, const interval *in, const char *extra);

// Sorts samples (ns) and reports their percentiles besides.
void report_latency(const char *name, uint64_t *samples, size_t count, const interval *in);

void die(const char *what, const char *why) __attribute__((noreturn));

// Ends the program unless the status is NATS_OK.
void must(natsStatus status, const char *what);

// ---- the far end (farend.c) ----

typedef enum
{
    SINK,      // discards everything, answers a PING that is the last thing it read
    BLASTER,   // sends messages to all subscriptions when told
    RESPONDER, // answers every request, itself being the server
    CLIENT,    // answers every request on "bench.request", as a client of a real server
    STAMPER,   // a sink that compares the time in a lone message with its own clock
} far_role;

// Shared with the far end.
typedef struct
{
    // the order of a blast, written before far_blast()
    limits   limits;
    uint64_t window; // most messages on the way
    int      size;
    int      subscriptions;
    bool     headers;

    _Alignas(64) _Atomic bool ready;
    _Alignas(64) _Atomic uint64_t total; // messages of the blast; 0 until the last of them are to be sent
    _Alignas(64) _Atomic uint64_t samples;
    uint64_t latency[MAX_SAMPLES];

    struct
    {
        _Alignas(64) _Atomic uint64_t count; // by the one callback that runs for this subscription
    } received[MAX_SUBSCRIPTIONS];
} far_shared;

extern far_shared *far;
extern char        far_url[256];

// Forks the far end. Comes before everything that may start a thread.
void far_start(far_role role);

void far_blast(void);

// ---- scenarios ----

typedef struct
{
    const char *name;
    void (*run)(const char *name, limits limits, const int *parameters);
    int parameters[4];
} scenario;

void publish(const char *name, limits limits, const int *threads_size_headers);
void publish_lone(const char *name, limits limits, const int *unused);
void receive_async(const char *name, limits limits, const int *subs_size_headers_pool);
void receive_sync(const char *name, limits limits, const int *size);
void receive_retain(const char *name, limits limits, const int *size);
void request(const char *name, limits limits, const int *requesters_server);
void publish_tls(const char *name, limits limits, const int *size);
void receive_tls(const char *name, limits limits, const int *size);
void ceiling_publish(const char *name, limits limits, const int *size);
void ceiling_receive(const char *name, limits limits, const int *size);
void connect_close(const char *name, limits limits, const int *unused);
void idle_connections(const char *name, limits limits, const int *connections);
void subscribe_unsubscribe(const char *name, limits limits, const int *sync);

// Lets the far end send to its subscriptions.
void order_blast(limits limits, int subscriptions, int size, bool headers);

// Connected to the far end, or to the real server.
natsConnection *connect_far(void);

static inline bool limits_reached(const limits *limits, uint64_t done, uint64_t stride, uint64_t deadline)
{
    if (limits->count > 0)
        return done >= limits->count;
    return (done % stride == 0) && (now_ns() >= deadline);
}

#endif
