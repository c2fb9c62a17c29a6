// Opening and closing the library, versions, clocks, the last error, signatures, inboxes, statistics, status
// texts.

#include <pthread.h>
#include <unistd.h>

#include "fixture.h"
#include "trace.h"

#define T(expr) trace_status(#expr, (expr))

// Exported, but declared in no header.
natsStatus natsNUID_Next(char *buffer, int bufferLen);
uint16_t   nats_CRC16_Compute(unsigned char *data, int len);

static void identifiers(void)
{
    char a[24], b[24];

    trace_scenario("identifiers and checksums");
    T(nats_Open(-1));
    for (int size = 0; size < 25; size++)
    {
        memset(a, '#', sizeof a);
        T(natsNUID_Next(a, size));
        trace("%d: %s", size, *a == '#' ? "untouched" : "written");
    }
    T(natsNUID_Next(b, 23));
    trace("%d characters, the same beginning %d, different %d", (int)strlen(b), strncmp(a, b, 12) == 0,
          strcmp(a, b) != 0);
    for (int len = 0; len < 10; len++)
        trace("%x", nats_CRC16_Compute((unsigned char *)"123456789", len));
    T(nats_CloseAndWait(5000));
}

static void versions(void)
{
    trace_scenario("versions");
    trace("%s %x", nats_GetVersion(), nats_GetVersionNumber());
    trace(
        "%d %d", nats_CheckCompatibility(),
        nats_CheckCompatibilityImpl(NATS_VERSION_REQUIRED_NUMBER, NATS_VERSION_NUMBER, NATS_VERSION_STRING));
    for (int s = 0; s < NATS_MAX_STATUS_VALUE; s++)
        trace("%d %s: %s", s, status_name((natsStatus)s), natsStatus_GetText((natsStatus)s));
}

static void open_and_close(void)
{
    natsClientConfig config = {0};
    natsOptions     *opts   = NULL;

    trace_scenario("open and close");
    nats_Close();
    T(nats_CloseAndWait(0));
    T(nats_Open(-1));
    T(nats_Open(0));
    T(nats_OpenWithConfig(&config));
    T(nats_OpenWithConfig(NULL));
    T(nats_CloseAndWait(5000));
    T(nats_CloseAndWait(5000));
    T(nats_OpenWithConfig(&config));
    nats_Close();
    nats_Close();
    for (int i = 0; i < 3; i++)
    {
        T(nats_Open(10));
        T(natsOptions_Create(&opts));
        natsOptions_Destroy(opts);
        T(nats_CloseAndWait(0));
    }
    T(natsOptions_Create(&opts));
    natsOptions_Destroy(opts);
    T(nats_CloseAndWait(5000));
    T(nats_SetMessageDeliveryPoolSize(0));
    T(nats_SetMessageDeliveryPoolSize(-1));
    T(nats_SetMessageDeliveryPoolSize(3));
    T(nats_SetMessageDeliveryPoolSize(1));
    T(nats_CloseAndWait(5000));
}

// A connection that is left keeps the library from ending.
static void close_with_a_connection(void)
{
    mock           *m    = mock_create();
    natsConnection *nc   = NULL;
    natsOptions    *opts = NULL;

    trace_scenario("close with a connection");
    T(natsConnection_ConnectTo(&nc, mock_url(m)));
    T(nats_CloseAndWait(100));
    T(nats_CloseAndWait(100));
    T(nats_Open(-1));
    T(natsOptions_Create(&opts));
    trace("status %s", conn_status_name(natsConnection_Status(nc)));
    T(natsConnection_Flush(nc));
    natsConnection_Destroy(nc);
    CHECK(HOLDS_WITHIN(nats_Open(-1) == NATS_OK, 5000));
    T(natsOptions_Create(&opts));
    natsOptions_Destroy(opts);
    T(nats_CloseAndWait(5000));
    mock_destroy(m);
}

static void close_from_callback(natsConnection *nc, void *closure)
{
    char line[64];

    (void)nc;
    snprintf(line, sizeof line, "%s", status_name(nats_CloseAndWait(100)));
    events_add(closure, "closed", NATS_OK, line);
}

static void in_a_callback(void)
{
    fixture f = fixture_create();

    trace_scenario("close in a callback");
    CHECK_OK(natsOptions_SetDisconnectedCB(f.opts, NULL, NULL));
    CHECK_OK(natsOptions_SetClosedCB(f.opts, close_from_callback, f.ev));
    fixture_connect(&f);
    natsConnection_Close(f.nc);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    trace_events(f.ev, 0);
    natsConnection_Destroy(f.nc);
    f.nc = NULL;
    fixture_destroy(&f);
    T(nats_CloseAndWait(5000));
}

static void started(void *closure)
{
    __atomic_add_fetch((int *)closure, 1, __ATOMIC_SEQ_CST);
}

static void thread_started_handler(void)
{
    natsClientConfig config = {0};
    int              n      = 0;

    trace_scenario("threads started");
    config.ThreadStartedHandler        = started;
    config.ThreadStartedHandlerClosure = &n;
    T(nats_OpenWithConfig(&config));
    trace("at least 3: %d", HOLDS_WITHIN(__atomic_load_n(&n, __ATOMIC_SEQ_CST) >= 3, 5000));
    T(nats_CloseAndWait(5000));
}

static void *in_thread(void *arg)
{
    natsStatus s = NATS_ERR;

    (void)arg;
    trace("new thread: %s, %s", nats_GetLastError(&s) == NULL ? "NULL" : "text", status_name(s));
    return NULL;
}

static void last_error(void)
{
    natsStatus s = NATS_OK;
    char       buf[256], big[1000];
    pthread_t  thread;
    FILE      *file;

    trace_scenario("last error");
    nats_ReleaseThreadMemory();
    T(nats_GetLastErrorStack(NULL, 10));
    T(nats_GetLastErrorStack(buf, 0));
    T(nats_GetLastErrorStack(buf, sizeof buf));
    trace("'%s'", buf);
    trace("%s", error_body(nats_GetLastError(NULL)));
    natsOptions_SetAllowReconnect(NULL, true);
    trace("%s", error_body(nats_GetLastError(&s)));
    trace("%s", status_name(s));
    T(nats_GetLastErrorStack(buf, 10));
    trace("'%s'", buf);
    T(nats_GetLastErrorStack(buf, 30));
    trace("'%s'", buf);
    T(nats_GetLastErrorStack(buf, sizeof buf));
    trace("'%s'", buf);
    pthread_create(&thread, NULL, in_thread, NULL);
    pthread_join(thread, NULL);
    file = tmpfile();
    nats_PrintLastErrorStack(file);
    rewind(file);
    for (int i = 0; fgets(big, sizeof big, file) != NULL; i++)
    {
        char *prefix = strchr(big, '('), *end = strstr(big, "): ");

        if (i == 0 && prefix != NULL && end != NULL)
            memmove(prefix, end + 3, strlen(end + 3) + 1);
        big[strcspn(big, "\n")] = '\0';
        trace("%s", big);
    }
    fclose(file);
    nats_ReleaseThreadMemory();
    file = tmpfile();
    nats_PrintLastErrorStack(file);
    trace("printed without an error: %ld bytes", ftell(file));
    fclose(file);
}

static void signatures(void)
{
    const char *const seeds[] = {
        "SUAMK2FG4MI6UE3ACF3FK3OIQBCEIEZV7NSWFFEW63UXMRLFM2XLAXK4GY",
        "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY",
        "SUAMK2FG4MI6UE3ACF3FK3OIQBCEIEZV7NSWFFEW63UXMRLFM2XLAXK4GZ",
        "SU",
        "XXX",
        "suamk2fg4mi6ue3acf3fk3oiqbceiezv7nswffew63uxmrlfm2xlaxk4gy",
        " ",
        "",
        "UAMK2FG4MI6UE3ACF3FK3OIQBCEIEZV7NSWFFEW63UXMRLFM2XLAXK4GY",
        NULL,
    };
    unsigned char *sig = NULL;
    int            len = 0;

    trace_scenario("signatures");
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
    {
        natsStatus s = nats_Sign(seeds[i], "nonce", &sig, &len);

        trace("seed %zu: %s", i, status_name(s));
        if (s != NATS_OK)
            continue;
        trace("  %d: %02x%02x...%02x", len, sig[0], sig[1], sig[len - 1]);
        free(sig);
    }
    T(nats_Sign(seeds[0], NULL, &sig, &len));
    T(nats_Sign(seeds[0], "", &sig, &len));
    T(nats_Sign(seeds[0], "x", NULL, &len));
    T(nats_Sign(seeds[0], "x", &sig, NULL));
}

static void inboxes_and_statistics(void)
{
    natsInbox      *inbox = NULL;
    natsStatistics *stats = NULL;
    uint64_t        a = 9, b = 9, c = 9, d = 9, e = 9;
    bool            ok = true;

    trace_scenario("inboxes and statistics");
    T(natsInbox_Create(&inbox));
    for (const char *p = inbox + 7; *p != '\0'; p++)
        ok = ok && strchr("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", *p) != NULL;
    trace("%.7s, %zu characters, %s", inbox, strlen(inbox), ok ? "ok" : "?");
    natsInbox_Destroy(inbox);
    natsInbox_Destroy(NULL);
    T(natsStatistics_Create(&stats));
    T(natsStatistics_GetCounts(stats, &a, &b, &c, &d, &e));
    trace("%d %d %d %d %d", (int)a, (int)b, (int)c, (int)d, (int)e);
    T(natsStatistics_GetCounts(stats, NULL, NULL, NULL, NULL, NULL));
    T(natsStatistics_GetCounts(NULL, &a, &b, &c, &d, &e));
    natsStatistics_Destroy(stats);
    natsStatistics_Destroy(NULL);
}

static void clocks(void)
{
    int64_t ms = nats_Now(), ns = nats_NowInNanoSeconds(), mono = nats_NowMonotonicInNanoSeconds();

    trace_scenario("clocks");
    trace("wall: %d", llabs(ns / 1000000 - ms) < 1000 && ms > 1600000000000);
    nats_Sleep(20);
    trace("slept: %d", nats_NowMonotonicInNanoSeconds() - mono >= 20000000);
    nats_Sleep(0);
}

static void environment(void)
{
    natsOptions *opts = NULL;

    trace_scenario("environment");
    setenv("NATS_DEFAULT_LIB_WRITE_DEADLINE", "x", 1);
    setenv("NATS_DEFAULT_LIB_MSG_DELIVERY_POOL_SIZE", "-5", 1);
    setenv("NATS_DEFAULT_TO_LIB_MSG_DELIVERY", "", 1);
    T(nats_Open(-1));
    T(natsOptions_Create(&opts));
    natsOptions_Destroy(opts);
    T(nats_CloseAndWait(5000));
}

int main(void)
{
    identifiers();
    versions();
    open_and_close();
    close_with_a_connection();
    in_a_callback();
    thread_started_handler();
    last_error();
    signatures();
    inboxes_and_statistics();
    clocks();
    nats_CloseAndWait(5000);
    environment();
    return 0;
}
