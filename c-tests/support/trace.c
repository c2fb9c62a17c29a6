#include "trace.h"

#include <ctype.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

static struct
{
    int  port;
    char name[32];
} ports[64];
static int             port_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char            scenario[128];

void trace_port(int port, const char *name)
{
    pthread_mutex_lock(&lock);
    CHECK(port_count < 64);
    ports[port_count].port = port;
    snprintf(ports[port_count].name, sizeof ports[0].name, "%s", name);
    port_count++;
    pthread_mutex_unlock(&lock);
}

static size_t identifier(const char *text)
{
    size_t n = 0;

    while (isalnum((unsigned char)text[n]))
        n++;
    return n;
}

// The newest registration wins: a port may be used again.
static const char *name_of_port(const char *digits, size_t *len)
{
    char *end;
    long  port = strtol(digits, &end, 10);

    *len = (size_t)(end - digits);
    for (int i = port_count - 1; i >= 0; i--)
        if (ports[i].port == port)
            return ports[i].name;
    return NULL;
}

static void print_scrubbed(const char *text)
{
    while (*text != '\0')
    {
        size_t      n;
        const char *name;

        if (*text == ':' && isdigit((unsigned char)text[1]) && (name = name_of_port(text + 1, &n)) != NULL)
        {
            printf(":%s", name);
            text += 1 + n;
        }
        else if (strncmp(text, "_INBOX.", 7) == 0)
        {
            fputs("_INBOX.*", stdout);
            text += 7 + identifier(text + 7);
            if (*text == '.' && (n = identifier(text + 1)) > 0)
            {
                fputs(".*", stdout);
                text += 1 + n;
            }
        }
        else
            putchar(*text++);
    }
}

void trace(const char *fmt, ...)
{
    va_list args;
    char   *text;

    va_start(args, fmt);
    CHECK(vasprintf(&text, fmt, args) >= 0);
    va_end(args);
    pthread_mutex_lock(&lock);
    print_scrubbed(text);
    putchar('\n');
    fflush(stdout);
    pthread_mutex_unlock(&lock);
    free(text);
}

void trace_scenario(const char *name)
{
    snprintf(scenario, sizeof scenario, "%s", name);
    trace("== %s", name);
}

int64_t trace_round(int64_t ms, int64_t tick)
{
    return ms < 0 || tick <= 1 ? ms : (ms + tick / 2) / tick * tick;
}

const char *status_name(natsStatus s)
{
    static const char *const names[] = {
        "OK",
        "ERR",
        "PROTOCOL_ERROR",
        "IO_ERROR",
        "LINE_TOO_LONG",
        "CONNECTION_CLOSED",
        "NO_SERVER",
        "STALE_CONNECTION",
        "SECURE_CONNECTION_WANTED",
        "SECURE_CONNECTION_REQUIRED",
        "CONNECTION_DISCONNECTED",
        "CONNECTION_AUTH_FAILED",
        "NOT_PERMITTED",
        "NOT_FOUND",
        "ADDRESS_MISSING",
        "INVALID_SUBJECT",
        "INVALID_ARG",
        "INVALID_SUBSCRIPTION",
        "INVALID_TIMEOUT",
        "ILLEGAL_STATE",
        "SLOW_CONSUMER",
        "MAX_PAYLOAD",
        "MAX_DELIVERED_MSGS",
        "INSUFFICIENT_BUFFER",
        "NO_MEMORY",
        "SYS_ERROR",
        "TIMEOUT",
        "FAILED_TO_INITIALIZE",
        "NOT_INITIALIZED",
        "SSL_ERROR",
        "NO_SERVER_SUPPORT",
        "NOT_YET_CONNECTED",
        "DRAINING",
        "INVALID_QUEUE_NAME",
        "NO_RESPONDERS",
        "MISMATCH",
        "MISSED_HEARTBEAT",
        "LIMIT_REACHED",
        "PIN_ID_MISMATCH",
        "INVALID_CONFIG",
    };

    return (unsigned)s < sizeof names / sizeof *names ? names[s] : "UNKNOWN";
}

const char *conn_status_name(natsConnStatus s)
{
    static const char *const names[] = {"DISCONNECTED", "CONNECTING",    "CONNECTED",    "CLOSED",
                                        "RECONNECTING", "DRAINING_SUBS", "DRAINING_PUBS"};

    return (unsigned)s < sizeof names / sizeof *names ? names[s] : "UNKNOWN";
}

void trace_status(const char *name, natsStatus s)
{
    trace("%s: %s", name, status_name(s));
}

void trace_time(const char *name, int64_t ms, int64_t tick)
{
    fprintf(stderr, "%s: %s at %lld ms\n", scenario, name, (long long)ms);
    trace("%s at %lld ms", name, (long long)trace_round(ms, tick));
}

void trace_events(events *ev, int64_t tick)
{
    event e;

    for (int i = 1; events_get(ev, NULL, i, &e); i++)
    {
        const char *sep = e.text[0] ? " " : "";

        if (tick == 0)
        {
            trace("  %s: %s%s%s", e.name, status_name(e.status), sep, e.text);
            continue;
        }
        fprintf(stderr, "%s: %s at %lld ms\n", scenario, e.name, (long long)e.ms);
        trace("  %s at %lld ms: %s%s%s", e.name, (long long)trace_round(e.ms, tick), status_name(e.status),
              sep, e.text);
    }
}

void trace_order(events *ev)
{
    event e;

    for (int i = 1; events_get(ev, NULL, i, &e); i++)
        trace("  %s", e.name);
}

const char *shown(const char *text)
{
    return text == NULL ? "NULL" : text;
}

const char *error_body(const char *text)
{
    const char *at = text == NULL ? NULL : strstr(text, "): ");

    return at == NULL ? shown(text) : at + 3;
}

void trace_last_error(const char *call)
{
    natsStatus  s    = NATS_OK;
    const char *text = nats_GetLastError(&s);

    trace("%s: last error %s '%s'", call, status_name(s), error_body(text));
}

void trace_connection(const char *name, natsConnection *nc)
{
    char            text[256];
    natsStatus      s          = natsConnection_ReadLastError(nc, text, sizeof text);
    natsStatistics *stats      = NULL;
    uint64_t        reconnects = 0;

    if (natsStatistics_Create(&stats) == NATS_OK && natsConnection_GetStats(nc, stats) == NATS_OK)
        natsStatistics_GetCounts(stats, NULL, NULL, NULL, NULL, &reconnects);
    natsStatistics_Destroy(stats);
    trace("%s: %s, last error %s%s%s, reconnects %d", name, conn_status_name(natsConnection_Status(nc)),
          status_name(s), text[0] ? " " : "", text, (int)reconnects);
}

// ---- lateness ----

static int64_t          timing_tick, timing_end;
static volatile int64_t worst;

static void *watch(void *arg)
{
    (void)arg;
    for (;;)
    {
        int64_t before = now_ms(), late;

        pace_ms(5);
        late = now_ms() - before - 5;
        if (late > worst)
            worst = late;
        if (now_ms() < timing_end)
            continue;
        trace("HANG in scenario %s", scenario);
        _exit(3);
    }
    return NULL;
}

static void report_lateness(void)
{
    fprintf(stderr, "lateness-ms: %lld tick-ms: %lld\n", (long long)worst, (long long)timing_tick);
}

void trace_timing(int64_t tick, int limit_s)
{
    pthread_t      thread;
    pthread_attr_t attr;
    sigset_t       all, before;

    timing_tick = tick;
    timing_end  = now_ms() + (int64_t)limit_s * 1000;
    atexit(report_lateness);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    CHECK(pthread_create(&thread, &attr, watch, NULL) == 0);
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
