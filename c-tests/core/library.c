// Opening and closing the library, the last error of a thread, versions, clocks, signatures.

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

TEST(versions)
{
    CHECK_STR(nats_GetVersion(), NATS_VERSION_STRING);
    CHECK_STR(nats_GetVersion(), "3.14.0");
    CHECK_INT(nats_GetVersionNumber(), NATS_VERSION_NUMBER);
    CHECK_INT(nats_GetVersionNumber(), 0x030E00);
    CHECK(nats_CheckCompatibility());
}

static int exit_code_of_check(uint32_t required, uint32_t version)
{
    int   status = 0;
    pid_t pid    = fork();

    if (pid == 0)
    {
        CHECK(freopen("/dev/null", "w", stdout) != NULL);
        _exit(nats_CheckCompatibilityImpl(required, version, "x") ? 7 : 8);
    }
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

TEST(incompatible_headers_end_the_program)
{
    CHECK_INT(exit_code_of_check(0x030E00, 0x030E00), 7);
    CHECK_INT(exit_code_of_check(0x010000, 0x030E00), 7);
    CHECK_INT(exit_code_of_check(0x030E00, 0x030D00), 1);
    CHECK_INT(exit_code_of_check(0x040000, 0x040000), 1);
}

TEST(clocks)
{
    int64_t mono = nats_NowMonotonicInNanoSeconds();

    CHECK_RANGE(nats_NowInNanoSeconds() / 1000000 - nats_Now(), -1000, 1000);
    CHECK_RANGE(nats_Now() / 1000 - time(NULL), -2, 2);
    nats_Sleep(30);
    CHECK_RANGE(nats_NowMonotonicInNanoSeconds() - mono, 30000000, 5000000000);
    nats_Sleep(0);
}

TEST(open_and_close)
{
    natsClientConfig config = {0};

    CHECK_STATUS(nats_CloseAndWait(0), NATS_NOT_INITIALIZED);
    nats_Close();
    CHECK_OK(nats_Open(-1));
    CHECK_OK(nats_Open(5));
    CHECK_OK(nats_OpenWithConfig(&config));
    CHECK_OK(nats_CloseAndWait(5000));
    CHECK_STATUS(nats_CloseAndWait(5000), NATS_NOT_INITIALIZED);
    CHECK_OK(nats_OpenWithConfig(NULL));
    nats_Close();
    nats_Close();
    CHECK_OK(nats_OpenWithConfig(&config));
    CHECK_OK(nats_CloseAndWait(0));
}

TEST(many_openings_leave_nothing)
{
    int threads, fds;

    CHECK_OK(nats_Open(-1));
    CHECK_OK(nats_CloseAndWait(0));
    threads = thread_count();
    fds     = fd_count();
    for (int i = 0; i < 20; i++)
    {
        natsOptions *opts = NULL;

        CHECK_OK(natsOptions_Create(&opts));
        natsOptions_Destroy(opts);
        CHECK_OK(nats_CloseAndWait(0));
    }
    WAIT_FOR(thread_count() <= threads, 5000);
    CHECK_INT(fd_count(), fds);
}

TEST(a_connection_keeps_the_library)
{
    mock           *m    = mock_create();
    natsConnection *nc   = NULL;
    natsOptions    *opts = NULL;

    CHECK_OK(natsConnection_ConnectTo(&nc, mock_url(m)));
    CHECK_STATUS(nats_CloseAndWait(100), NATS_TIMEOUT);
    CHECK_STATUS(nats_CloseAndWait(100), NATS_ILLEGAL_STATE);
    CHECK_STATUS(nats_Open(-1), NATS_FAILED_TO_INITIALIZE);
    CHECK_STATUS(natsOptions_Create(&opts), NATS_FAILED_TO_INITIALIZE);
    natsConnection_Destroy(nc);
    WAIT_FOR(nats_Open(-1) == NATS_OK, 5000);
    CHECK_OK(nats_CloseAndWait(5000));
    mock_destroy(m);
}

TEST(a_subscription_keeps_the_library)
{
    mock             *m   = mock_create();
    natsConnection   *nc  = NULL;
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;

    CHECK_OK(natsConnection_ConnectTo(&nc, mock_url(m)));
    CHECK_OK(natsConnection_SubscribeSync(&sub, nc, "foo"));
    natsConnection_Destroy(nc);
    CHECK_STATUS(natsSubscription_NextMsg(&msg, sub, 10), NATS_CONNECTION_CLOSED);
    CHECK_STATUS(natsSubscription_Unsubscribe(sub), NATS_CONNECTION_CLOSED);
    CHECK_STATUS(nats_CloseAndWait(100), NATS_TIMEOUT);
    natsSubscription_Destroy(sub);
    WAIT_FOR(nats_Open(-1) == NATS_OK, 5000);
    CHECK_OK(nats_CloseAndWait(5000));
    mock_destroy(m);
}

static void close_and_wait(natsConnection *nc, void *closure)
{
    (void)nc;
    events_add(closure, "tried", nats_CloseAndWait(100), NULL);
}

TEST(the_librarys_own_threads_cannot_wait)
{
    fixture f = fixture_create();
    event   e;

    CHECK_OK(natsOptions_SetClosedCB(f.opts, close_and_wait, f.ev));
    fixture_connect(&f);
    natsConnection_Close(f.nc);
    WAIT_EVENT(f.ev, "tried", 1, 5000);
    CHECK(events_get(f.ev, "tried", 1, &e) && e.status == NATS_ILLEGAL_STATE);
    natsConnection_Destroy(f.nc);
    f.nc = NULL;
    fixture_destroy(&f);
    CHECK_OK(nats_CloseAndWait(5000));
}

static void close_library(natsConnection *nc, void *closure)
{
    (void)nc;
    nats_Close();
    events_add(closure, "closed library", NATS_OK, NULL);
}

TEST(close_in_a_callback)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetClosedCB(f.opts, close_library, f.ev));
    fixture_connect(&f);
    natsConnection_Close(f.nc);
    WAIT_EVENT(f.ev, "closed library", 1, 5000);
    natsConnection_Destroy(f.nc);
    f.nc = NULL;
    fixture_destroy(&f);
    WAIT_FOR(nats_Open(-1) == NATS_OK, 5000);
}

static void count(void *closure)
{
    __atomic_add_fetch((int *)closure, 1, __ATOMIC_SEQ_CST);
}

TEST(thread_started_handler)
{
    static int        n;
    natsClientConfig  config = {0};
    mock             *m      = mock_create();
    natsConnection   *nc     = NULL;
    natsSubscription *sub    = NULL;

    config.ThreadStartedHandler        = count;
    config.ThreadStartedHandlerClosure = &n;
    CHECK_OK(nats_OpenWithConfig(&config));
    WAIT_FOR(__atomic_load_n(&n, __ATOMIC_SEQ_CST) >= 3, 5000);
    CHECK_OK(natsConnection_ConnectTo(&nc, mock_url(m)));
    CHECK_OK(natsConnection_Subscribe(&sub, nc, "foo", on_msg, NULL));
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
    CHECK_OK(nats_CloseAndWait(5000));
    mock_destroy(m);
}

TEST(delivery_pool_size)
{
    CHECK_STATUS(nats_SetMessageDeliveryPoolSize(0), NATS_ERR);
    CHECK_STATUS(nats_SetMessageDeliveryPoolSize(-1), NATS_ERR);
    CHECK_OK(nats_SetMessageDeliveryPoolSize(4));
    CHECK_OK(nats_SetMessageDeliveryPoolSize(2));
}

// The write deadline of the environment is seen by connections whose options say nothing.
static natsStatus publish_to_frozen(void)
{
    fixture    f    = fixture_create();
    natsStatus s    = NATS_OK;
    char      *data = calloc(1, 100000);

    mock_receive_buffer(f.m, 4096);
    fixture_connect(&f);
    mock_frozen(f.m, true);
    for (int i = 0; i < 500 && s == NATS_OK; i++)
        s = natsConnection_Publish(f.nc, "foo", data, 100000);
    free(data);
    mock_frozen(f.m, false);
    fixture_destroy(&f);
    return s;
}

TEST(environment_is_read_by_open)
{
    setenv("NATS_DEFAULT_LIB_WRITE_DEADLINE", "100", 1);
    CHECK_OK(nats_Open(-1));
    CHECK_STATUS(publish_to_frozen(), NATS_TIMEOUT);
}

TEST(configuration_in_place_of_the_environment)
{
    natsClientConfig config = {0};

    setenv("NATS_DEFAULT_LIB_WRITE_DEADLINE", "garbage", 1);
    config.DefaultWriteDeadline = 100;
    CHECK_OK(nats_OpenWithConfig(&config));
    CHECK_STATUS(publish_to_frozen(), NATS_TIMEOUT);
}

static void *fresh_thread(void *unused)
{
    natsStatus s = NATS_ERR;

    (void)unused;
    CHECK(nats_GetLastError(&s) == NULL);
    CHECK_STATUS(s, NATS_OK);
    return NULL;
}

TEST(last_error_is_per_thread_and_stays)
{
    natsStatus   s    = NATS_OK;
    natsOptions *opts = NULL;
    pthread_t    thread;
    const char  *text;

    CHECK(nats_GetLastError(NULL) == NULL);
    CHECK_STATUS(natsOptions_SetAllowReconnect(NULL, true), NATS_INVALID_ARG);
    text = nats_GetLastError(&s);
    CHECK_STATUS(s, NATS_INVALID_ARG);
    CHECK(text != NULL && strstr(text, "Invalid") != NULL);
    CHECK_OK(natsOptions_Create(&opts));
    natsOptions_Destroy(opts);
    nats_GetLastError(&s);
    CHECK_STATUS(s, NATS_INVALID_ARG);
    pthread_create(&thread, NULL, fresh_thread, NULL);
    pthread_join(thread, NULL);
    nats_ReleaseThreadMemory();
    CHECK(nats_GetLastError(&s) == NULL);
    CHECK_STATUS(s, NATS_OK);
    nats_ReleaseThreadMemory();
}

TEST(connecting_clears_the_last_error)
{
    mock           *m  = mock_create();
    natsConnection *nc = NULL;
    natsStatus      s  = NATS_ERR;

    CHECK_STATUS(natsOptions_SetAllowReconnect(NULL, true), NATS_INVALID_ARG);
    CHECK_OK(natsConnection_ConnectTo(&nc, mock_url(m)));
    CHECK(nats_GetLastError(&s) == NULL);
    CHECK_STATUS(s, NATS_OK);
    natsConnection_Destroy(nc);
    mock_destroy(m);
}

// Also where the status has no text of its own: nothing is left of an older error.
TEST(last_error_is_of_the_call_that_failed)
{
    mock           *m     = mock_create();
    natsConnection *nc    = NULL;
    natsMsg        *reply = NULL;
    natsStatus      s     = NATS_OK;

    CHECK_OK(natsConnection_ConnectTo(&nc, mock_url(m)));
    CHECK_STATUS(natsConnection_Publish(nc, "", "x", 1), NATS_INVALID_SUBJECT);
    CHECK_STATUS(natsConnection_RequestString(&reply, nc, "foo", "x", 10), NATS_TIMEOUT);
    CHECK(strstr(nats_GetLastError(&s), "Timeout") != NULL);
    CHECK_STATUS(s, NATS_TIMEOUT);
    natsConnection_Destroy(nc);
    mock_destroy(m);
}

TEST(error_stack_names_the_function)
{
    char  buf[256] = "x", line[256];
    FILE *file     = tmpfile();
    bool  named    = false;

    CHECK_STATUS(nats_GetLastErrorStack(NULL, 10), NATS_INVALID_ARG);
    CHECK_STATUS(nats_GetLastErrorStack(buf, 0), NATS_INVALID_ARG);
    CHECK_OK(nats_GetLastErrorStack(buf, sizeof buf));
    CHECK_STR(buf, "");
    CHECK_STATUS(natsOptions_SetAllowReconnect(NULL, true), NATS_INVALID_ARG);
    CHECK_OK(nats_GetLastErrorStack(buf, sizeof buf));
    CHECK(strstr(buf, "natsOptions_SetAllowReconnect") != NULL);
    CHECK_STATUS(nats_GetLastErrorStack(buf, 6), NATS_INSUFFICIENT_BUFFER);
    CHECK_INT(strlen(buf), 5);
    nats_PrintLastErrorStack(file);
    rewind(file);
    CHECK(fgets(line, sizeof line, file) != NULL && strncmp(line, "Error: 16 - Invalid Argument", 28) == 0);
    CHECK(fgets(line, sizeof line, file) != NULL);
    CHECK_STR(line, "Stack: (library version: 3.14.0)\n");
    while (fgets(line, sizeof line, file) != NULL)
        named = named || strstr(line, "natsOptions_SetAllowReconnect") != NULL;
    CHECK(named);
    fclose(file);
}

TEST(signatures)
{
    static const char *const seed  = "SUAMK2FG4MI6UE3ACF3FK3OIQBCEIEZV7NSWFFEW63UXMRLFM2XLAXK4GY";
    static const char *const bad[] = {"", " ", "SU", "XXX",
                                      "SUAMK2FG4MI6UE3ACF3FK3OIQBCEIEZV7NSWFFEW63UXMRLFM2XLAXK5GY"};
    unsigned char           *sig   = NULL;
    int                      len   = 0;

    CHECK_OK(nats_Sign(seed, "nonce", &sig, &len));
    CHECK_INT(len, 64);
    CHECK_INT(sig[0], 0x9b); // "m50..." in base64
    CHECK_INT(sig[1], 0x9d);
    free(sig);
    CHECK_STATUS(nats_Sign(NULL, "nonce", &sig, &len), NATS_INVALID_ARG);
    CHECK_STATUS(nats_Sign(seed, NULL, &sig, &len), NATS_INVALID_ARG);
    CHECK_STATUS(nats_Sign(seed, "", &sig, &len), NATS_INVALID_ARG);
    CHECK_STATUS(nats_Sign(seed, "nonce", NULL, &len), NATS_INVALID_ARG);
    CHECK_STATUS(nats_Sign(seed, "nonce", &sig, NULL), NATS_INVALID_ARG);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_STATUS(nats_Sign(bad[i], "nonce", &sig, &len), bad[i][0] == '\0' ? NATS_INVALID_ARG : NATS_ERR);
}

TEST(exit_with_a_live_connection)
{
    mock *m = mock_create();
    int   status;
    pid_t pid = fork();

    if (pid == 0)
    {
        natsConnection *nc = NULL;

        exit(natsConnection_ConnectTo(&nc, mock_url(m)) == NATS_OK ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
    mock_destroy(m);
}

TEST(sigpipe_is_ignored)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetAllowReconnect(f.opts, false));
    fixture_connect(&f);
    mock_reset(f.m, 1);
    for (int i = 0; i < 100; i++)
        natsConnection_Publish(f.nc, "foo", "x", 1), natsConnection_FlushTimeout(f.nc, 1);
    fixture_destroy(&f);
}
