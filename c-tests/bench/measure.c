#include "bench.h"

#include <sys/resource.h>
#include <time.h>

uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t cpu_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

long proc_status(const char *field)
{
    char   line[256];
    size_t len   = strlen(field);
    long   value = -1;
    FILE  *f     = fopen("/proc/self/status", "r");

    if (f == NULL)
        return -1;
    while ((value < 0) && (fgets(line, sizeof(line), f) != NULL))
    {
        if ((strncmp(line, field, len) == 0) && (line[len] == ':'))
            value = atol(line + len + 1);
    }
    fclose(f);
    return value;
}

void interval_start(interval *in)
{
    in->cpu  = cpu_ns();
    in->wall = now_ns();
}

void interval_stop(interval *in)
{
    interval_stop_at(in, now_ns());
}

void interval_stop_at(interval *in, uint64_t end)
{
    in->wall    = end - in->wall;
    in->cpu     = cpu_ns() - in->cpu;
    in->threads = proc_status("Threads");
    in->rss     = proc_status("VmRSS");
}

void report(const char *name, uint64_t operations, const interval *in, const char *extra)
{
    double n = (operations > 0) ? (double)operations : 1;

    printf("{\"name\": \"%s\", \"count\": %llu, \"rate\": %.1f, \"cpu_ns\": %.1f, \"threads\": %ld, "
           "\"rss_kb\": %ld, "
           "\"peak_kb\": %ld%s}\n",
           name, (unsigned long long)operations, n * 1e9 / (double)in->wall, (double)in->cpu / n, in->threads,
           in->rss, proc_status("VmHWM"), extra);
    fflush(stdout);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

void report_latency(const char *name, uint64_t *samples, size_t count, const interval *in)
{
    char extra[160];

    if (count == 0)
        die(name, "no sample");
    qsort(samples, count, sizeof(*samples), compare);
    snprintf(extra, sizeof(extra), ", \"p50_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": %.2f",
             (double)samples[count / 2] / 1e3, (double)samples[count * 99 / 100] / 1e3,
             (double)samples[count * 999 / 1000] / 1e3);
    report(name, count, in, extra);
}

void die(const char *what, const char *why)
{
    fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(1);
}

void must(natsStatus status, const char *what)
{
    if (status != NATS_OK)
        die(what, natsStatus_GetText(status));
}
