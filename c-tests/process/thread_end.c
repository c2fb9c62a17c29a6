// Threads that end inside the library: cancelled while it waits, or by pthread_exit in a handler. The thread
// ends, alone; the connection and all others go on.

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"
#include "certs.h"
#include "fixture.h"
#include "server.h"

#define ENDS_WITHIN_MS 10000

static mock             *m;
static natsConnection   *nc;
static natsSubscription *sync_sub;
static atomic_int        cleaned_up, destroyed;
static pthread_key_t     key;

// ---- cancelled threads ----

static void connect_to_mock(void)
{
    m = mock_create();
    CHECK_OK(natsConnection_ConnectTo(&nc, mock_url(m)));
}

static void clean_up(void *closure)
{
    (void)closure;
    atomic_fetch_add(&cleaned_up, 1);
}

// Runs `wait` in a thread, cancels it, and sees it end. The wait lasts longer than that.
static void cancel_in(void *(*wait)(void *), bool at_once)
{
    caller          c;
    struct timespec end;
    void           *result = NULL;

    caller_start(&c, wait, NULL);
    if (!at_once)
        quiet_ms(50); // most probably it waits then; if not, it is to end all the same
    CHECK_INT(pthread_cancel(c.thread), 0);
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += ENDS_WITHIN_MS / 1000;
    CHECK_INT(pthread_timedjoin_np(c.thread, &result, &end), 0);
    CHECK(result == PTHREAD_CANCELED);
    CHECK_INT(atomic_load(&cleaned_up), 1);
    atomic_store(&cleaned_up, 0);
}

// Both ways, then the connection is to work and to close.
static void cancel_twice_in(void *(*wait)(void *))
{
    cancel_in(wait, false);
    cancel_in(wait, true);
    CHECK_OK(natsConnection_FlushTimeout(nc, 20000));
    natsSubscription_Destroy(sync_sub);
    natsConnection_Destroy(nc);
    CHECK_OK(nats_CloseAndWait(20000));
    mock_destroy(m);
}

#define WAITER(name, ...)                                                                                    \
    static void *name(void *closure)                                                                         \
    {                                                                                                        \
        (void)closure;                                                                                       \
        pthread_cleanup_push(clean_up, NULL);                                                                \
        __VA_ARGS__                                                                                          \
        pthread_cleanup_pop(0);                                                                              \
        return NULL;                                                                                         \
    }

WAITER(in_next_msg, {
    natsMsg *msg = NULL;

    natsSubscription_NextMsg(&msg, sync_sub, 60000);
})

TEST(next_msg)
{
    natsMsg *msg = NULL;

    connect_to_mock();
    CHECK_OK(natsConnection_SubscribeSync(&sync_sub, nc, "a"));
    cancel_in(in_next_msg, false);
    mock_send(m, "MSG a 1 1\r\nx\r\n");
    CHECK_OK(natsSubscription_NextMsg(&msg, sync_sub, 20000)); // a cancelled wait takes none
    CHECK_STR(natsMsg_GetData(msg), "x");
    natsMsg_Destroy(msg);
    cancel_twice_in(in_next_msg);
}

WAITER(in_request, {
    natsMsg *reply = NULL;

    natsConnection_RequestString(&reply, nc, "nobody", "x", 60000);
})

TEST(request)
{
    connect_to_mock();
    cancel_twice_in(in_request);
}

// Another one waits, so nobody reads the socket himself.
TEST(requests_of_several)
{
    pthread_t other;

    connect_to_mock();
    CHECK_INT(pthread_create(&other, NULL, in_request, NULL), 0);
    CHECK(mock_wait_pubs(m, MOCK_LATEST, 1, 20000));
    cancel_in(in_request, false);
    CHECK_INT(pthread_cancel(other), 0);
    CHECK_INT(pthread_join(other, NULL), 0);
    atomic_store(&cleaned_up, 0);
    cancel_twice_in(in_request);
}

WAITER(in_flush, { natsConnection_FlushTimeout(nc, 60000); })

TEST(flush)
{
    connect_to_mock();
    mock_auto_pong(m, false);
    cancel_in(in_flush, false);
    mock_auto_pong(m, true);
    mock_send(m, "PONG\r\n");
    natsConnection_Destroy(nc);
    CHECK_OK(nats_CloseAndWait(20000));
    mock_destroy(m);
}

WAITER(in_many_flushes, {
    for (;;)
        natsConnection_FlushTimeout(nc, 60000);
})

TEST(flush_in_a_loop)
{
    connect_to_mock();
    cancel_twice_in(in_many_flushes);
}

WAITER(in_many_publishes, {
    for (;;)
        natsConnection_PublishString(nc, "a", "0123456789");
})

TEST(publish_in_a_loop)
{
    connect_to_mock();
    mock_record(m, false);
    cancel_twice_in(in_many_publishes);
}

WAITER(in_many_subscribes, {
    for (;;)
    {
        natsSubscription *sub = NULL;

        natsConnection_SubscribeSync(&sub, nc, "many");
        natsSubscription_Destroy(sub);
    }
})

TEST(subscribe_in_a_loop)
{
    connect_to_mock();
    mock_record(m, false);
    cancel_twice_in(in_many_subscribes);
}

WAITER(in_sleep, { nats_Sleep(60000); })

TEST(sleep)
{
    connect_to_mock();
    cancel_twice_in(in_sleep);
}

WAITER(in_close_and_wait, { nats_CloseAndWait(60000); })

TEST(close_and_wait)
{
    connect_to_mock();
    cancel_in(in_close_and_wait, false);
    natsConnection_Destroy(nc);
    mock_destroy(m);
}

WAITER(in_drain_completion, { natsSubscription_WaitForDrainCompletion(sync_sub, 60000); })

TEST(drain_completion)
{
    connect_to_mock();
    CHECK_OK(natsConnection_SubscribeSync(&sync_sub, nc, "a"));
    mock_send(m, "MSG a 1 1\r\nx\r\n");
    CHECK_OK(natsConnection_FlushTimeout(nc, 20000));
    CHECK_OK(natsSubscription_DrainTimeout(sync_sub, 60000)); // nobody takes the message
    cancel_twice_in(in_drain_completion);
}

static natsOptions *options;

WAITER(in_connect, {
    natsConnection *other = NULL;

    natsConnection_Connect(&other, options);
})

TEST(connect_to_a_silent_server)
{
    mock *silent = mock_create();

    mock_on_accept(silent, MOCK_ALL, MOCK_SILENT);
    CHECK_OK(natsOptions_Create(&options));
    CHECK_OK(natsOptions_SetURL(options, mock_url(silent)));
    CHECK_OK(natsOptions_SetTimeout(options, 60000));
    connect_to_mock();
    cancel_in(in_connect, false);
    CHECK(mock_wait_open(silent, 0, 20000)); // given up, not forgotten
    cancel_twice_in(in_connect);
    natsOptions_Destroy(options);
    mock_destroy(silent);
}

static char nobodys_url[64];

WAITER(in_many_connects, {
    for (;;)
    {
        natsConnection *other = NULL;

        natsConnection_ConnectTo(&other, nobodys_url);
    }
})

TEST(connect_in_a_loop_to_nobody)
{
    snprintf(nobodys_url, sizeof nobodys_url, "nats://127.0.0.1:%d", free_port());
    connect_to_mock();
    cancel_twice_in(in_many_connects);
}

TEST(connect_with_retries)
{
    snprintf(nobodys_url, sizeof nobodys_url, "nats://127.0.0.1:%d", free_port());
    CHECK_OK(natsOptions_Create(&options));
    CHECK_OK(natsOptions_SetURL(options, nobodys_url));
    CHECK_OK(natsOptions_SetRetryOnFailedConnect(options, true, NULL, NULL));
    CHECK_OK(natsOptions_SetMaxReconnect(options, -1));
    CHECK_OK(natsOptions_SetReconnectWait(options, 60000));
    connect_to_mock();
    cancel_twice_in(in_connect);
    natsOptions_Destroy(options);
}

static atomic_int outcome, state_after;

static void *with_cancellation_off(void *closure)
{
    natsMsg *msg = NULL;
    int      state;

    (void)closure;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    atomic_store(&outcome, 1 + natsSubscription_NextMsg(&msg, sync_sub, 200));
    CHECK_OK(natsConnection_FlushTimeout(nc, 20000));
    CHECK_OK(natsConnection_PublishString(nc, "a", "x"));
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    atomic_store(&state_after, state);
    return NULL;
}

static void *state_of_cancellation(void *closure)
{
    int state;

    (void)closure;
    CHECK_OK(natsConnection_FlushTimeout(nc, 20000));
    CHECK_STATUS(natsConnection_FlushTimeout(nc, 0), NATS_INVALID_TIMEOUT);
    CHECK_OK(natsConnection_PublishString(nc, "a", "x"));
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    atomic_store(&state_after, state);
    return NULL;
}

// A thread that does not want to be cancelled is not, and every thread has its state back after a call.
TEST(cancellation_off)
{
    pthread_t thread;
    void     *result = PTHREAD_CANCELED;

    connect_to_mock();
    CHECK_OK(natsConnection_SubscribeSync(&sync_sub, nc, "a"));
    CHECK_INT(pthread_create(&thread, NULL, with_cancellation_off, NULL), 0);
    CHECK_INT(pthread_cancel(thread), 0);
    CHECK_INT(pthread_join(thread, &result), 0);
    CHECK(result == NULL);
    CHECK_INT(atomic_load(&outcome), 1 + NATS_TIMEOUT);
    CHECK_INT(atomic_load(&state_after), PTHREAD_CANCEL_DISABLE);

    CHECK_INT(pthread_create(&thread, NULL, state_of_cancellation, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(atomic_load(&state_after), PTHREAD_CANCEL_ENABLE);
    natsSubscription_Destroy(sync_sub);
    natsConnection_Destroy(nc);
    mock_destroy(m);
}

// ---- handlers that end their thread ----

static void at_thread_end(void *value)
{
    (void)value;
    atomic_fetch_add(&destroyed, 1);
}

_Noreturn static void end_thread(void)
{
    pthread_setspecific(key, &key);
    pthread_cleanup_push(clean_up, NULL);
    pthread_exit(NULL);
    pthread_cleanup_pop(0);
}

static atomic_int calls, other_calls, in_order, completed;

static void exiting_handler(natsConnection *c, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)c;
    (void)sub;
    (void)closure;
    if (msg == NULL)
        return;
    if (atoi(natsMsg_GetData(msg)) == atomic_fetch_add(&calls, 1))
        atomic_fetch_add(&in_order, 1);
    natsMsg_Destroy(msg);
    end_thread();
}

static void returning_handler(natsConnection *c, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)c;
    (void)sub;
    (void)closure;
    natsMsg_Destroy(msg);
    atomic_fetch_add(&other_calls, 1);
}

static void exiting_completion(void *closure)
{
    (void)closure;
    atomic_fetch_add(&completed, 1);
    end_thread();
}

#define MESSAGES 50

static void handlers_exit(natsOptions *opts, int64_t timeout)
{
    natsSubscription *exiting = NULL, *returning = NULL;

    m = mock_create();
    CHECK_INT(pthread_key_create(&key, at_thread_end), 0);
    CHECK_OK(natsOptions_SetURL(opts, mock_url(m)));
    CHECK_OK(natsConnection_Connect(&nc, opts));
    if (timeout > 0)
        CHECK_OK(natsConnection_SubscribeTimeout(&exiting, nc, "a", timeout, exiting_handler, NULL));
    else
        CHECK_OK(natsConnection_Subscribe(&exiting, nc, "a", exiting_handler, NULL));
    CHECK_OK(natsSubscription_SetOnCompleteCB(exiting, exiting_completion, NULL));
    CHECK_OK(natsConnection_Subscribe(&returning, nc, "b", returning_handler, NULL));
    for (int i = 0; i < MESSAGES; i++)
        mock_send(m, "MSG a 1 %d\r\n%d\r\nMSG b 2 1\r\nx\r\n", i < 10 ? 1 : 2, i);
    WAIT_FOR(atomic_load(&calls) == MESSAGES && atomic_load(&other_calls) == MESSAGES, 20000);
    CHECK_INT(atomic_load(&in_order), MESSAGES);
    CHECK_OK(natsConnection_FlushTimeout(nc, 20000));
    natsSubscription_Destroy(exiting);
    WAIT_FOR(atomic_load(&completed) == 1, 20000);
    natsSubscription_Destroy(returning);
    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
    CHECK_OK(nats_CloseAndWait(20000));
    // Each of these threads has ended, as it does elsewhere: with its cleanup handlers and its keys'
    // destructors.
    CHECK_INT(atomic_load(&cleaned_up), MESSAGES + 1);
    CHECK_INT(atomic_load(&destroyed), MESSAGES + 1);
    mock_destroy(m);
}

TEST(message_handlers)
{
    natsOptions *opts = NULL;

    CHECK_OK(natsOptions_Create(&opts));
    handlers_exit(opts, 0);
}

TEST(message_handlers_with_timeout)
{
    natsOptions *opts = NULL;

    CHECK_OK(natsOptions_Create(&opts));
    handlers_exit(opts, 5);
}

TEST(message_handlers_global_delivery)
{
    natsOptions *opts = NULL;

    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_UseGlobalMessageDelivery(opts, true));
    handlers_exit(opts, 0);
}

TEST(message_handlers_dedicated)
{
    natsOptions *opts = NULL;

    setenv("NATS_DEDICATED_DELIVERY", "1", 1);
    CHECK_OK(natsOptions_Create(&opts));
    handlers_exit(opts, 0);
}

static void exiting_event(natsConnection *c, void *ev)
{
    (void)c;
    events_add(ev, "exiting", NATS_OK, "");
    end_thread();
}

static void exiting_closed(natsConnection *c, void *ev)
{
    on_closed(c, ev);
    end_thread();
}

static int64_t exiting_delay(natsConnection *c, int attempts, void *ev)
{
    (void)c;
    (void)attempts;
    events_add(ev, "delay", NATS_OK, "");
    if (events_count(ev, "delay") == 1)
        end_thread();
    return 10;
}

// Disconnected, reconnected and closed handlers, and the one that says how long to wait: the connection comes
// back.
TEST(connection_handlers)
{
    fixture f = fixture_create();

    CHECK_INT(pthread_key_create(&key, at_thread_end), 0);
    CHECK_OK(natsOptions_SetDisconnectedCB(f.opts, exiting_event, f.ev));
    CHECK_OK(natsOptions_SetReconnectedCB(f.opts, exiting_event, f.ev));
    CHECK_OK(natsOptions_SetClosedCB(f.opts, exiting_closed, f.ev));
    CHECK_OK(natsOptions_SetCustomReconnectDelay(f.opts, exiting_delay, f.ev));
    fixture_connect(&f);
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "exiting", 2, 20000);
    CHECK(mock_wait_connected(f.m, 2, 20000));
    CHECK_OK(natsConnection_FlushTimeout(f.nc, 20000));
    fixture_destroy(&f);
    CHECK_OK(nats_CloseAndWait(20000));
    CHECK_INT(atomic_load(&cleaned_up), 5); // disconnected twice
    CHECK_INT(atomic_load(&destroyed), 5);
}

static int64_t always_exiting_delay(natsConnection *c, int attempts, void *ev)
{
    (void)c;
    (void)attempts;
    events_add(ev, "delay", NATS_OK, "");
    end_thread();
}

// One that never says how long to wait: the options do.
TEST(delay_handler_that_always_exits)
{
    enum
    {
        WAIT_MS  = 200,
        ATTEMPTS = 3
    };
    fixture f = fixture_create();
    int64_t start;

    CHECK_INT(pthread_key_create(&key, at_thread_end), 0);
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, WAIT_MS));
    CHECK_OK(natsOptions_SetReconnectJitter(f.opts, 0, 0));
    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, -1));
    CHECK_OK(natsOptions_SetCustomReconnectDelay(f.opts, always_exiting_delay, f.ev));
    fixture_connect(&f);
    mock_on_accept(f.m, MOCK_ALL, MOCK_CLOSE_AT_ONCE);
    start = nats_NowMonotonicInNanoSeconds() / 1000000;
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "delay", ATTEMPTS, 20000);
    CHECK(nats_NowMonotonicInNanoSeconds() / 1000000 - start >= (ATTEMPTS - 1) * WAIT_MS);
    mock_on_accept(f.m, MOCK_ALL, MOCK_GREET);
    WAIT_FOR(natsConnection_Status(f.nc) == NATS_CONN_STATUS_CONNECTED, 20000);
    fixture_destroy(&f);
    CHECK_OK(nats_CloseAndWait(20000));
}

static atomic_bool token_exits;

static const char *exiting_token(void *closure)
{
    (void)closure;
    if (atomic_exchange(&token_exits, false))
        end_thread();
    return "token";
}

static void *connect_with_token(void *closure)
{
    natsConnection_Connect(closure, options);
    return NULL;
}

// A handler on a thread of the program: that thread ends, and the next one connects. The same when
// reconnecting.
TEST(token_handler)
{
    pthread_t thread;

    m = mock_create();
    CHECK_INT(pthread_key_create(&key, at_thread_end), 0);
    CHECK_OK(natsOptions_Create(&options));
    CHECK_OK(natsOptions_SetURL(options, mock_url(m)));
    CHECK_OK(natsOptions_SetTokenHandler(options, exiting_token, NULL));
    CHECK_OK(natsOptions_SetReconnectWait(options, 10));
    atomic_store(&token_exits, true);
    CHECK_INT(pthread_create(&thread, NULL, connect_with_token, &nc), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(nc == NULL);
    CHECK_INT(atomic_load(&cleaned_up), 1);
    CHECK_INT(atomic_load(&destroyed), 1);

    CHECK_OK(natsConnection_Connect(&nc, options));
    atomic_store(&token_exits, true);
    mock_close(m, MOCK_LATEST);
    CHECK(mock_wait_connected(m, 2, 20000));
    CHECK_OK(natsConnection_FlushTimeout(nc, 20000));
    natsConnection_Destroy(nc);
    natsOptions_Destroy(options);
    CHECK_OK(nats_CloseAndWait(20000));
    CHECK_INT(atomic_load(&destroyed), 2);
    mock_destroy(m);
}

static natsStatus exiting_attach(void **user_data, void *loop, natsConnection *c, natsSock socket)
{
    (void)user_data;
    (void)loop;
    (void)c;
    (void)socket;
    if (atomic_exchange(&token_exits, false))
        end_thread();
    return NATS_OK;
}

static natsStatus ignore(void *user_data, bool add)
{
    (void)user_data;
    (void)add;
    return NATS_OK;
}

static natsStatus ignore_detach(void *user_data)
{
    (void)user_data;
    return NATS_OK;
}

TEST(adapter_of_an_event_loop)
{
    pthread_t thread;

    m = mock_create();
    CHECK_INT(pthread_key_create(&key, at_thread_end), 0);
    CHECK_OK(natsOptions_Create(&options));
    CHECK_OK(natsOptions_SetURL(options, mock_url(m)));
    CHECK_OK(natsOptions_SetEventLoop(options, &m, exiting_attach, ignore, ignore, ignore_detach));
    atomic_store(&token_exits, true);
    CHECK_INT(pthread_create(&thread, NULL, connect_with_token, &nc), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(nc == NULL);
    CHECK_INT(atomic_load(&destroyed), 1);
    natsOptions_Destroy(options);
    mock_destroy(m);
}

// ---- adapters on threads that end ----

static pthread_mutex_t adapters_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool     write_exits;
static atomic_int      adapter_calls, adapter_returns, detached;

// What an adapter does under its lock to wake its loop up: any of it may be a cancellation point.
static void adapter_works(void)
{
    atomic_fetch_add(&adapter_calls, 1);
    pthread_mutex_lock(&adapters_lock);
    pthread_testcancel();
    pthread_mutex_unlock(&adapters_lock);
    atomic_fetch_add(&adapter_returns, 1);
}

static natsStatus locking_attach(void **user_data, void *loop, natsConnection *c, natsSock socket)
{
    (void)loop;
    (void)socket;
    *user_data = c;
    return NATS_OK;
}

static natsStatus locking_read(void *user_data, bool add)
{
    (void)user_data;
    (void)add;
    adapter_works();
    return NATS_OK;
}

static natsStatus locking_write(void *user_data, bool add)
{
    (void)user_data;
    (void)add;
    if (atomic_load(&write_exits))
        end_thread();
    adapter_works();
    return NATS_OK;
}

// Functions of the library, also one that fails, work in it as ever.
static natsStatus locking_detach(void *user_data)
{
    natsMsg *msg = NULL;

    adapter_works();
    CHECK_STATUS(natsMsg_Create(&msg, NULL, NULL, NULL, 0), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_FlushTimeout(user_data, 10), NATS_CONNECTION_CLOSED);
    natsConnection_ProcessDetachedEvent(user_data);
    atomic_fetch_add(&detached, 1);
    return NATS_OK;
}

static void connect_with_adapter(void)
{
    m = mock_create();
    CHECK_OK(natsOptions_Create(&options));
    CHECK_OK(natsOptions_SetURL(options, mock_url(m)));
    CHECK_OK(
        natsOptions_SetEventLoop(options, &m, locking_attach, locking_read, locking_write, locking_detach));
    CHECK_OK(natsConnection_Connect(&nc, options));
    natsOptions_Destroy(options);
}

// The thread has ended and left the adapter in order; nothing of the connection is left.
static void check_adapter(void *thread_result, void *expected)
{
    struct timespec end;

    CHECK(thread_result == expected);
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += ENDS_WITHIN_MS / 1000;
    CHECK_INT(pthread_mutex_timedlock(&adapters_lock, &end), 0);
    pthread_mutex_unlock(&adapters_lock);
    CHECK_INT(atomic_load(&adapter_returns), atomic_load(&adapter_calls));
    natsConnection_Destroy(nc);
    CHECK_INT(atomic_load(&detached), 1);
    CHECK_OK(nats_CloseAndWait(20000));
    mock_destroy(m);
}

// Runs body in a thread that has a cancellation to come, and returns its result.
static void *result_of_cancelled(void *(*body)(void *))
{
    pthread_t       thread;
    struct timespec end;
    void           *result = NULL;

    CHECK_INT(pthread_create(&thread, NULL, body, NULL), 0);
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += ENDS_WITHIN_MS / 1000;
    CHECK_INT(pthread_timedjoin_np(thread, &result, &end), 0);
    return result;
}

static void *publish_cancelled(void *closure)
{
    natsMsg *msg = NULL;

    (void)closure;
    pthread_cancel(pthread_self());
    natsConnection_PublishString(nc, "a", "x");
    CHECK_OK(natsMsg_Create(&msg, "a", NULL, "x", 1)); // not reached
    return NULL;
}

// The first publish asks the loop to write. That is where it ends.
TEST(publish_through_an_adapter)
{
    connect_with_adapter();
    check_adapter(result_of_cancelled(publish_cancelled), PTHREAD_CANCELED);
}

static void *publish_and_exit(void *closure)
{
    (void)closure;
    natsConnection_PublishString(nc, "a", "x");
    atomic_store(&outcome, 1); // not reached
    return NULL;
}

TEST(adapter_that_exits_in_a_publish)
{
    CHECK_INT(pthread_key_create(&key, at_thread_end), 0);
    connect_with_adapter();
    atomic_store(&write_exits, true);
    CHECK(result_of_cancelled(publish_and_exit) == NULL);
    CHECK_INT(atomic_load(&outcome), 0);
    CHECK_INT(atomic_load(&cleaned_up), 1);
    CHECK_INT(atomic_load(&destroyed), 1);
    atomic_store(&write_exits, false);
    check_adapter(NULL, NULL);
}

static void *close_cancelled(void *closure)
{
    (void)closure;
    CHECK_OK(natsConnection_PublishString(nc, "a", "x")); // to be waited for
    pthread_cancel(pthread_self());
    natsConnection_Close(nc);
    pthread_testcancel();
    return NULL;
}

static void *destroy_cancelled(void *closure)
{
    natsConnection *mine = nc;

    (void)closure;
    nc = NULL;
    CHECK_OK(natsConnection_PublishString(mine, "a", "x"));
    pthread_cancel(pthread_self());
    natsConnection_Destroy(mine);
    pthread_testcancel();
    return NULL;
}

enum
{
    PUBLISHED = 100
};

static atomic_bool published;

static void *close_much_cancelled(void *closure)
{
    static const char payload[1024];

    (void)closure;
    for (int i = 0; i < PUBLISHED; i++)
        CHECK_OK(natsConnection_Publish(nc, "a", payload, sizeof payload));
    pthread_cancel(pthread_self());
    atomic_store(&published, true);
    natsConnection_Close(nc);
    pthread_testcancel();
    return NULL;
}

// A close takes along what was published, also for a thread that was cancelled before it.
TEST(close_sends_what_was_published)
{
    caller c;

    m = mock_create();
    mock_receive_buffer(m,
                        4096); // the rest waits on this side, where a close that does not wait would drop it
    CHECK_OK(natsConnection_ConnectTo(&nc, mock_url(m)));
    mock_frozen(m, true);
    caller_start(&c, close_much_cancelled, NULL);
    WAIT_FOR(atomic_load(&published), 20000);
    caller_asleep(&c); // the close waits, for half a second at most
    mock_frozen(m, false);
    CHECK(caller_join(&c) == PTHREAD_CANCELED);
    CHECK_INT(natsConnection_Status(nc), NATS_CONN_STATUS_CLOSED);
    CHECK(mock_wait_pubs(m, MOCK_LATEST, PUBLISHED, 20000));
    natsConnection_Destroy(nc);
    CHECK_OK(nats_CloseAndWait(20000));
    mock_destroy(m);
}

// What closes is finished before the thread ends.
TEST(close_through_an_adapter)
{
    connect_with_adapter();
    check_adapter(result_of_cancelled(close_cancelled), PTHREAD_CANCELED);
}

TEST(destroy_through_an_adapter)
{
    connect_with_adapter();
    check_adapter(result_of_cancelled(destroy_cancelled), PTHREAD_CANCELED);
}

// ---- functions that print, or open the library ----

static void *print_cancelled(void *closure)
{
    FILE *file = tmpfile();

    (void)closure;
    CHECK_STATUS(natsStatistics_GetCounts(NULL, NULL, NULL, NULL, NULL, NULL), NATS_INVALID_ARG);
    pthread_cancel(pthread_self());
    nats_PrintLastErrorStack(file);
    pthread_testcancel();
    return NULL;
}

static void *ask_cancelled(void *closure)
{
    (void)closure;
    pthread_cancel(pthread_self());
    nats_GetLastError(NULL);
    pthread_testcancel();
    return NULL;
}

// The socket is closed, and known to be.
static void *close_socket_cancelled(void *closure)
{
    natsSock socket = dup(STDOUT_FILENO);

    (void)closure;
    pthread_cancel(pthread_self());
    natsConnection_ProcessCloseEvent(&socket);
    CHECK_INT(socket, -1);
    pthread_testcancel();
    return NULL;
}

TEST(last_error_of_a_cancelled_thread)
{
    CHECK(result_of_cancelled(ask_cancelled) == PTHREAD_CANCELED); // opens the library
    CHECK(result_of_cancelled(print_cancelled) == PTHREAD_CANCELED);
    CHECK(result_of_cancelled(close_socket_cancelled) == PTHREAD_CANCELED);
    CHECK_OK(nats_CloseAndWait(20000));
}

// ---- the handler that runs first on every thread ----

static atomic_int ended_threads[64], ended_count, callback_thread;

static void exiting_start(void *closure)
{
    (void)closure;
    atomic_store(&ended_threads[atomic_fetch_add(&ended_count, 1)], gettid());
    end_thread();
}

static void note_thread(natsConnection *c, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)c;
    (void)sub;
    (void)closure;
    natsMsg_Destroy(msg);
    atomic_store(&callback_thread, gettid());
}

// Whether all threads have a user's privileges alone.
static bool all_threads_are_of(unsigned user)
{
    DIR           *tasks = opendir("/proc/self/task");
    struct dirent *task;
    bool           all = true;

    while ((task = readdir(tasks)) != NULL)
    {
        char     path[300], line[200];
        unsigned real, effective;
        FILE    *status;

        snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
        status = fopen(path, "r");
        while (status != NULL && fgets(line, sizeof line, status) != NULL)
        {
            if (sscanf(line, "Uid: %u %u", &real, &effective) == 2)
                all = all && real == user && effective == user;
        }
        if (status != NULL)
            fclose(status);
    }
    closedir(tasks);
    return all;
}

// Other threads do the work: those that have ended are not among those that a change of privileges reaches.
TEST(thread_started_handler)
{
    enum
    {
        NOBODY = 65534
    };
    natsClientConfig  config = {.ThreadStartedHandler = exiting_start};
    natsSubscription *sub    = NULL;

    CHECK_INT(pthread_key_create(&key, at_thread_end), 0);
    CHECK_OK(nats_OpenWithConfig(&config));
    connect_to_mock();
    CHECK_OK(natsConnection_Subscribe(&sub, nc, "a", note_thread, NULL));
    mock_send(m, "MSG a 1 1\r\nx\r\n");
    WAIT_FOR(atomic_load(&callback_thread) > 0, 20000);
    for (int i = 0; i < atomic_load(&ended_count); i++)
        CHECK(atomic_load(&ended_threads[i]) != atomic_load(&callback_thread));
    WAIT_FOR(atomic_load(&destroyed) == atomic_load(&ended_count), 20000);
    if (getuid() == 0)
    {
        CHECK_INT(setuid(NOBODY), 0);
        CHECK(all_threads_are_of(NOBODY));
    }
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
    CHECK_OK(nats_CloseAndWait(20000));
    mock_destroy(m);
}

static int exiting_verification(int ok, void *store)
{
    (void)ok;
    (void)store;
    if (atomic_exchange(&token_exits, false))
        end_thread();
    return 1;
}

TEST(verification_callback)
{
    pthread_t thread;
    server   *s;
    char     *config;

    certs_make();
    config = cert_server_config("server-ip", "");
    s      = server_start(config, NULL);
    CHECK_INT(pthread_key_create(&key, at_thread_end), 0);
    CHECK_OK(natsOptions_Create(&options));
    CHECK_OK(natsOptions_SetURL(options, server_url(s)));
    CHECK_OK(natsOptions_SetSecure(options, true));
    CHECK_OK(natsOptions_SetSSLVerificationCallback(options, exiting_verification));
    atomic_store(&token_exits, true);
    CHECK_INT(pthread_create(&thread, NULL, connect_with_token, &nc), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(nc == NULL);
    CHECK_INT(atomic_load(&destroyed), 1);
    CHECK_OK(natsConnection_Connect(&nc, options));
    CHECK_OK(natsConnection_FlushTimeout(nc, 20000));
    natsConnection_Destroy(nc);
    natsOptions_Destroy(options);
    CHECK_OK(nats_CloseAndWait(20000));
    server_stop(s);
    free(config);
}
