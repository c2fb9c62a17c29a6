// The library's threads inside a C program: how they are made, how they end, and what happens when there is
// none to be had.

#include "fixture.h"
#include "gate.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

// How many threads can be had before the system has no more; less than 0: there is no end of them.
static atomic_int available = -1;
static atomic_int refused;

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = NULL;

    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    if (available == 0)
    {
        atomic_fetch_add(&refused, 1);
        return EAGAIN;
    }
    if (available > 0)
        atomic_fetch_sub(&available, 1);
    return real(thread, attr, start, arg);
}

// ---- the stack of callbacks ----

// Uses `kb` of the calling thread's stack.
__attribute__((noinline)) static int deep(int kb)
{
    volatile char page[1024];

    memset((char *)page, kb, sizeof page);
    return kb > 0 ? deep(kb - 1) + page[kb % 1024] : page[0];
}

static atomic_int stack_kb;

static void deep_in(natsConnection *nc, void *closure)
{
    deep(stack_kb);
    (void)nc;
    events_add(closure, "deep", NATS_OK, "");
}

static void deep_on(natsConnection *nc, void *closure, const char *name)
{
    deep_in(nc, closure);
    events_add(closure, name, NATS_OK, "");
}

static void deep_disconnected(natsConnection *nc, void *closure)
{
    deep_on(nc, closure, "disconnected");
}

static void deep_reconnected(natsConnection *nc, void *closure)
{
    deep_on(nc, closure, "reconnected");
}

static void deep_closed(natsConnection *nc, void *closure)
{
    deep_on(nc, closure, "closed");
}

static void deep_lame_duck(natsConnection *nc, void *closure)
{
    deep_on(nc, closure, "lame duck");
}

static void deep_error(natsConnection *nc, natsSubscription *sub, natsStatus err, void *closure)
{
    (void)sub;
    (void)err;
    deep_on(nc, closure, "error");
}

static void deep_msg(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)sub;
    deep_on(nc, closure, msg == NULL ? "timeout" : "msg");
    natsMsg_Destroy(msg);
}

static void deep_complete(void *closure)
{
    deep_on(NULL, closure, "complete");
}

static int64_t deep_delay(natsConnection *nc, int attempts, void *closure)
{
    (void)attempts;
    deep_on(nc, closure, "delay");
    return 10;
}

static const char *deep_token(void *closure)
{
    deep_on(NULL, closure, "token");
    return "token";
}

// Every callback of a connection's life uses `kb` of stack.
static void all_callbacks(int kb)
{
    fixture           f;
    natsSubscription *sub = NULL;

    stack_kb = kb;
    f        = fixture_create();
    CHECK_OK(natsOptions_SetDisconnectedCB(f.opts, deep_disconnected, f.ev));
    CHECK_OK(natsOptions_SetReconnectedCB(f.opts, deep_reconnected, f.ev));
    CHECK_OK(natsOptions_SetClosedCB(f.opts, deep_closed, f.ev));
    CHECK_OK(natsOptions_SetLameDuckModeCB(f.opts, deep_lame_duck, f.ev));
    CHECK_OK(natsOptions_SetErrorHandler(f.opts, deep_error, f.ev));
    CHECK_OK(natsOptions_SetCustomReconnectDelay(f.opts, deep_delay, f.ev));
    stack_kb = 0; // for the token handler on the main thread, which has the stack it has
    CHECK_OK(natsOptions_SetTokenHandler(f.opts, deep_token, f.ev));
    fixture_connect(&f);
    stack_kb = kb;
    CHECK_OK(natsConnection_SubscribeTimeout(&sub, f.nc, "foo", 50, deep_msg, f.ev));
    CHECK_OK(natsSubscription_SetOnCompleteCB(sub, deep_complete, f.ev));
    mock_send(f.m, "MSG foo 1 1\r\nx\r\n");
    WAIT_EVENT(f.ev, "msg", 1, 5000);
    WAIT_EVENT(f.ev, "timeout", 1, 5000);
    mock_send(f.m, "INFO {\"ldm\":true}\r\n");
    WAIT_EVENT(f.ev, "lame duck", 1, 5000);
    mock_err(f.m, "Permissions Violation for Publish to \"x\"");
    WAIT_EVENT(f.ev, "error", 1, 5000);
    mock_stop_listening(f.m);
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    WAIT_EVENT(f.ev, "delay", 1, 5000);
    mock_listen_again(f.m);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK(events_count(f.ev, "token") >= 2);
    natsSubscription_Destroy(sub);
    WAIT_EVENT(f.ev, "complete", 1, 5000);
    fixture_destroy(&f);
    CHECK_OK(nats_CloseAndWait(5000));
}

// As much as RLIMIT_STACK gives every thread.
TEST(callbacks_have_the_stack_of_the_process)
{
    pthread_attr_t attr;
    size_t         size = 0;

    CHECK_INT(pthread_getattr_default_np(&attr), 0);
    CHECK_INT(pthread_attr_getstacksize(&attr, &size), 0);
    if (size < 4 * 1024 * 1024)
        SKIP("threads have only %d kB of stack here", (int)(size / 1024));
    setenv("RUST_MIN_STACK", "65536", 1); // says nothing to a C program
    all_callbacks(3 * 1024);
}

// What the program asked for by pthread_setattr_default_np.
TEST(callbacks_have_the_stack_the_program_asked_for)
{
    pthread_attr_t attr;

    CHECK_INT(pthread_attr_init(&attr), 0);
    CHECK_INT(pthread_attr_setstacksize(&attr, 24 * 1024 * 1024), 0);
    CHECK_INT(pthread_setattr_default_np(&attr), 0);
    all_callbacks(20 * 1024);
}

// ---- thread-local destructors of the program ----

typedef struct
{
    natsConnection *nc;
    events         *ev;
    gate            g;
} leaving;

static pthread_key_t key;

// Uses the library, then takes as long as the gate is shut.
static void leave(void *arg)
{
    leaving          *l   = arg;
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;

    CHECK_OK(natsConnection_SubscribeSync(&sub, l->nc, "leaving"));
    CHECK_OK(natsConnection_Flush(l->nc));
    CHECK_STATUS(natsSubscription_NextMsg(&msg, sub, 1), NATS_TIMEOUT);
    natsSubscription_Destroy(sub);
    CHECK_STATUS(nats_CloseAndWait(1), NATS_ILLEGAL_STATE); // it is still a thread of the library
    events_add(l->ev, "leaving", NATS_OK, "");
    gate_wait(&l->g);
    events_add(l->ev, "left", NATS_OK, "");
}

static int64_t delay_on_a_marked_thread(natsConnection *nc, int attempts, void *closure)
{
    (void)nc;
    (void)attempts;
    pthread_setspecific(key, closure);
    return 10;
}

// The reconnect thread has done its work, but a destructor of the program keeps it: nobody waits for it but
// the one who waits for the end of the library.
TEST(a_thread_that_is_slow_to_end_holds_up_nobody)
{
    fixture           f = fixture_create(), other = fixture_create();
    leaving           l;
    natsSubscription *sub = NULL;

    CHECK_INT(pthread_key_create(&key, leave), 0);
    fixture_connect(&other);
    l.nc = other.nc;
    l.ev = f.ev;
    gate_init(&l.g);
    CHECK_OK(natsOptions_SetCustomReconnectDelay(f.opts, delay_on_a_marked_thread, &l));
    fixture_connect(&f);
    mock_stop_listening(f.m);
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    quiet_ms(20);
    mock_listen_again(f.m);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    WAIT_EVENT(f.ev, "leaving", 1, 5000);
    // Everything that starts threads still works, and thereby all timers and sockets.
    for (int i = 1; i <= 3; i++)
    {
        CHECK_OK(natsConnection_Subscribe(&sub, other.nc, "foo", on_msg, other.ev));
        CHECK_OK(natsSubscription_Drain(sub));
        CHECK_OK(natsSubscription_WaitForDrainCompletion(sub, 5000));
        natsSubscription_Destroy(sub);
        mock_close(other.m, MOCK_LATEST);
        WAIT_EVENT(other.ev, "reconnected", i, 5000);
        CHECK_OK(natsConnection_FlushTimeout(other.nc, 5000));
    }
    CHECK_INT(events_count(f.ev, "left"), 0);
    gate_open(&l.g);
    WAIT_EVENT(f.ev, "left", 1, 5000);
    fixture_destroy(&f);
    fixture_destroy(&other);
    CHECK_OK(nats_CloseAndWait(5000));
}

static void *open_the_gate(void *arg)
{
    quiet_ms(100);
    gate_open(arg);
    return NULL;
}

static void mark_thread(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    natsMsg_Destroy(msg);
    pthread_setspecific(key, closure);
    events_add(closure, "marked", NATS_OK, "");
}

static atomic_int destructors;
static gate       exit_gate;

static void slow_destructor(void *arg)
{
    (void)arg;
    gate_wait(&exit_gate);
    atomic_fetch_add(&destructors, 1);
}

// After the final wait no thread of the library runs, not even its destructors; before its deadline it says
// so.
TEST(the_final_wait_waits_for_destructors)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    pthread_t         opener;
    int               threads = thread_count();

    CHECK_INT(pthread_key_create(&key, slow_destructor), 0);
    gate_init(&exit_gate);
    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", mark_thread, f.ev));
    mock_send(f.m, "MSG foo 1 1\r\nx\r\n");
    WAIT_EVENT(f.ev, "marked", 1, 5000);
    natsSubscription_Destroy(sub);
    natsConnection_Close(f.nc);
    natsConnection_Destroy(f.nc);
    f.nc = NULL;
    CHECK_STATUS(nats_CloseAndWait(50), NATS_TIMEOUT);
    CHECK_STATUS(nats_Open(-1), NATS_FAILED_TO_INITIALIZE);
    CHECK_INT(destructors, 0);
    gate_open(&exit_gate);
    WAIT_FOR(nats_Open(-1) == NATS_OK, 5000);
    CHECK_INT(destructors, 1);

    CHECK_OK(natsConnection_Connect(&f.nc, f.opts));
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", mark_thread, f.ev));
    mock_send(f.m, "MSG foo 1 1\r\nx\r\n");
    WAIT_EVENT(f.ev, "marked", 2, 5000);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(f.nc);
    f.nc = NULL;
    gate_shut(&exit_gate);
    CHECK_INT(pthread_create(&opener, NULL, open_the_gate, &exit_gate), 0);
    CHECK_OK(nats_CloseAndWait(0));
    CHECK_INT(destructors, 2);
    pthread_join(opener, NULL);
    CHECK(thread_count() <= threads + 2); // the mock's own
    fixture_destroy(&f);
}

// ---- idle threads ----

// Workers of the global-delivery pool wait for work as long as the library is open.
TEST(a_pool_that_had_nothing_to_do_still_delivers)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;

    CHECK_OK(natsOptions_UseGlobalMessageDelivery(f.opts, true));
    fixture_connect(&f);
    for (int i = 1; i <= 3; i++)
    {
        CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg, f.ev));
        mock_send(f.m, "MSG foo %d 1\r\nx\r\n", i);
        WAIT_EVENT(f.ev, "msg", i, 5000);
        natsSubscription_Destroy(sub);
        if (i == 1)
            quiet_ms(6000); // longer than a thread waits that is to end
    }
    fixture_destroy(&f);
    CHECK_OK(nats_CloseAndWait(5000));
}

// A pool may grow after it has gone round.
TEST(a_pool_that_grows_late_delivers)
{
    enum
    {
        SUBS = 12
    };
    fixture           f = fixture_create();
    natsSubscription *subs[SUBS];

    CHECK_OK(natsOptions_UseGlobalMessageDelivery(f.opts, true));
    fixture_connect(&f);
    for (int i = 0; i < SUBS; i++)
    {
        if (i == 7)
            CHECK_OK(nats_SetMessageDeliveryPoolSize(5));
        CHECK_OK(natsConnection_Subscribe(&subs[i], f.nc, "foo", on_msg, f.ev));
        mock_send(f.m, "MSG foo %d 1\r\nx\r\n", i + 1);
        WAIT_EVENT(f.ev, "msg", i + 1, 5000);
    }
    for (int i = 0; i < SUBS; i++)
        natsSubscription_Destroy(subs[i]);
    fixture_destroy(&f);
    CHECK_OK(nats_CloseAndWait(5000));
}

static gate held;

static void holding(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    natsMsg_Destroy(msg);
    gate_wait(&held);
    atomic_fetch_add((atomic_int *)closure, 1);
}

// Threads that took over from blocked ones go away when they have nothing to do, also while the subscriptions
// live.
TEST_T(threads_that_helped_out_go_away, 60000)
{
    enum
    {
        SUBS = 20
    };
    fixture           f = fixture_create();
    natsSubscription *subs[SUBS];
    atomic_int        returned = 0;
    int               before, with_one;

    gate_init(&held);
    fixture_connect(&f);
    before = thread_count();
    for (int i = 0; i < SUBS; i++)
        CHECK_OK(natsConnection_Subscribe(&subs[i], f.nc, "foo", holding, &returned));
    with_one = thread_count();
    for (int i = 1; i <= SUBS; i++)
        mock_send(f.m, "MSG foo %d 1\r\nx\r\n", i);
    WAIT_FOR(held.inside == SUBS, 10000);
    CHECK(thread_count() >= before + SUBS);
    gate_open(&held);
    WAIT_FOR(thread_count() <= with_one, 20000);
    CHECK_INT(returned, SUBS);
    for (int i = 1; i <= SUBS; i++)
        mock_send(f.m, "MSG foo %d 1\r\nx\r\n", i);
    WAIT_FOR(returned == 2 * SUBS, 5000);
    for (int i = 0; i < SUBS; i++)
        natsSubscription_Destroy(subs[i]);
    fixture_destroy(&f);
    CHECK_OK(nats_CloseAndWait(5000));
}

// ---- no thread to be had ----

// Whatever number of threads is missing, the failed open leaves nothing behind and the next one works.
TEST(open_without_threads)
{
    int threads, fds, n = 0;

    CHECK_OK(nats_Open(-1));
    CHECK_OK(nats_CloseAndWait(5000));
    threads = thread_count();
    fds     = fd_count();
    setenv("NATS_POLLER_THREADS", "3", 1);
    for (;; n++)
    {
        natsStatus s;

        available = n;
        s         = nats_Open(-1);
        available = -1;
        if (s == NATS_OK)
            break;
        CHECK_STATUS(s, NATS_SYS_ERROR);
        CHECK_STATUS(nats_CloseAndWait(5000), NATS_NOT_INITIALIZED);
        CHECK_INT(thread_count(), threads);
        CHECK_INT(fd_count(), fds);
    }
    CHECK(n >= 4); // each of them was missed once
    CHECK_OK(nats_CloseAndWait(5000));
    CHECK_INT(thread_count(), threads);
    CHECK_INT(fd_count(), fds);
}

// A connect that was to go on in the background: no handle, so no callback about it either.
TEST(connect_without_a_thread)
{
    fixture f = fixture_create();

    mock_stop_listening(f.m);
    CHECK_OK(natsOptions_SetRetryOnFailedConnect(f.opts, true, on_connected, f.ev));
    available = 0;
    CHECK_STATUS(natsConnection_Connect(&f.nc, f.opts), NATS_SYS_ERROR);
    available = -1;
    CHECK(f.nc == NULL);
    CHECK_STATUS(natsConnection_Connect(&f.nc, f.opts), NATS_NOT_YET_CONNECTED);
    mock_listen_again(f.m);
    WAIT_EVENT(f.ev, "connected", 1, 5000);
    natsConnection_Close(f.nc);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    natsConnection_Destroy(f.nc);
    f.nc = NULL;
    CHECK_OK(nats_CloseAndWait(5000)); // all callbacks are through
    CHECK_INT(events_count(f.ev, "closed"), 1);
    fixture_destroy(&f);
}

static void subscribe_without_a_thread(const char *dedicated)
{
    fixture           f;
    natsSubscription *sub = NULL;

    if (dedicated != NULL)
        setenv("NATS_DEDICATED_DELIVERY", dedicated, 1);
    f = fixture_create();
    fixture_connect(&f);
    available = 0;
    CHECK_STATUS(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg, f.ev), NATS_SYS_ERROR);
    CHECK(sub == NULL);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "bar")); // needs none
    natsSubscription_Destroy(sub);
    available = -1;
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg, f.ev));
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_INT(mock_count_lines(f.m, MOCK_LATEST, "SUB foo"), 1);
    mock_send(f.m, "MSG foo %d 1\r\nx\r\n", (int)natsSubscription_GetID(sub));
    WAIT_EVENT(f.ev, "msg", 1, 5000);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
    CHECK_OK(nats_CloseAndWait(5000));
}

TEST(subscribe_without_a_thread)
{
    subscribe_without_a_thread(NULL);
}

TEST(subscribe_without_a_thread_of_its_own)
{
    subscribe_without_a_thread("1");
}

// A callback blocks its thread and there is no other: what waits behind it is served as soon as there is one.
TEST(blocked_callback_without_threads)
{
    enum
    {
        BLOCKED = 4
    };
    fixture           f = fixture_create();
    natsSubscription *blocked[BLOCKED], *sub;
    atomic_int        returned = 0;

    gate_init(&held);
    fixture_connect(&f);
    for (int i = 0; i < BLOCKED; i++)
        CHECK_OK(natsConnection_Subscribe(&blocked[i], f.nc, "foo", holding, &returned));
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg, f.ev));
    available = 0;
    for (int i = 1; i <= BLOCKED + 1; i++)
        mock_send(f.m, "MSG foo %d 1\r\nx\r\n", i);
    WAIT_FOR(refused >= 3, 10000); // tried again and again
    available = -1;
    WAIT_EVENT(f.ev, "msg", 1, 5000);
    WAIT_FOR(held.inside == BLOCKED, 5000);
    gate_open(&held);
    for (int i = 0; i < BLOCKED; i++)
        natsSubscription_Destroy(blocked[i]);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
    CHECK_OK(nats_CloseAndWait(5000));
}

// A drain that cannot begin leaves everything as it was.
TEST(drain_without_a_thread)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;

    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg, f.ev));
    available = 0;
    CHECK_STATUS(natsSubscription_Drain(sub), NATS_SYS_ERROR);
    CHECK_STATUS(natsSubscription_WaitForDrainCompletion(sub, 10), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsConnection_Drain(f.nc), NATS_SYS_ERROR);
    available = -1;
    CHECK(!natsConnection_IsDraining(f.nc));
    CHECK_INT(natsConnection_Status(f.nc), NATS_CONN_STATUS_CONNECTED);
    CHECK_OK(natsConnection_PublishString(f.nc, "foo", "x"));
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_INT(mock_count_lines(f.m, MOCK_LATEST, "UNSUB"), 0);
    mock_send(f.m, "MSG foo 1 1\r\nx\r\n");
    WAIT_EVENT(f.ev, "msg", 1, 5000);
    // It has the reconnect, too, that a draining connection has not.
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK(mock_wait_line(f.m, MOCK_LATEST, "SUB foo", 1, 5000));
    CHECK_OK(natsSubscription_Drain(sub));
    CHECK_OK(natsSubscription_WaitForDrainCompletion(sub, 5000));
    CHECK_OK(natsConnection_Drain(f.nc));
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
    CHECK_OK(nats_CloseAndWait(5000));
}

// Without a thread the reconnect comes as soon as there is one; until then the connection is reconnecting.
TEST(loss_without_threads)
{
    fixture f = fixture_create();

    fixture_connect(&f);
    available = 0;
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    WAIT_FOR(refused >= 3, 10000);
    CHECK_INT(natsConnection_Status(f.nc), NATS_CONN_STATUS_RECONNECTING);
    CHECK_OK(natsConnection_PublishString(f.nc, "foo", "x"));
    available = -1;
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK(mock_wait_pubs(f.m, MOCK_LATEST, 1, 5000));
    CHECK_INT(events_count(f.ev, "closed"), 0);
    fixture_destroy(&f);
    CHECK_OK(nats_CloseAndWait(5000));
}

// A close meanwhile is a close like any other.
TEST(close_while_no_thread_can_be_had)
{
    fixture f = fixture_create();

    fixture_connect(&f);
    available = 0;
    CHECK_OK(natsConnection_Reconnect(f.nc));
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    WAIT_FOR(refused >= 2, 10000);
    natsConnection_Close(f.nc);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    available = -1;
    fixture_destroy(&f);
    CHECK_OK(nats_CloseAndWait(5000));
}
