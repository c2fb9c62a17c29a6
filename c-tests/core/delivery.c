// Which thread runs a callback, in which order, and whom a slow callback may hold up (nobody).

#include "fixture.h"
#include "gate.h"
#include "server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static void blocking(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    natsMsg_Destroy(msg);
    gate_wait(closure);
}

// What a callback saw: how often it ran, whether numbers came in order, and on how many threads.
typedef struct
{
    atomic_int count, disorder, switches, overlap, inside;
    pthread_t  thread;
    int        next;
    int        work_us;
} watcher;

static void watched(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    watcher *w = closure;

    (void)nc;
    (void)sub;
    if (atomic_fetch_add(&w->inside, 1) != 0)
        atomic_fetch_add(&w->overlap, 1);
    if (atoi(natsMsg_GetData(msg)) != w->next++)
        atomic_fetch_add(&w->disorder, 1);
    if (w->next > 1 && !pthread_equal(w->thread, pthread_self()))
        atomic_fetch_add(&w->switches, 1);
    w->thread = pthread_self();
    natsMsg_Destroy(msg);
    if (w->work_us > 0)
        pace_us(w->work_us);
    atomic_fetch_sub(&w->inside, 1);
    atomic_fetch_add(&w->count, 1);
}

static void send_number(mock *m, int sid, int n)
{
    char text[16];

    snprintf(text, sizeof text, "%d", n);
    mock_send(m, "MSG foo %d %d\r\n%s\r\n", sid, (int)strlen(text), text);
}

// count rounds of one numbered message to each of the sids first..last, in few large writes.
static void send_rounds(mock *m, int first, int last, int from, int count)
{
    char *all = malloc((size_t)(last - first + 1) * (size_t)count * 48 + 1), *at = all;

    for (int n = from; n < from + count; n++)
        for (int sid = first; sid <= last; sid++)
        {
            char text[16];
            int  len = snprintf(text, sizeof text, "%d", n);

            at += sprintf(at, "MSG foo %d %d\r\n%s\r\n", sid, len, text);
        }
    CHECK(mock_write(m, MOCK_LATEST, all, (size_t)(at - all)));
    free(all);
}

static fixture connected_with_pool(bool pool)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_UseGlobalMessageDelivery(f.opts, pool));
    fixture_connect(&f);
    return f;
}

static void order(bool pool)
{
    enum
    {
        SUBS  = 20,
        COUNT = 1000
    };
    fixture           f = connected_with_pool(pool);
    natsSubscription *subs[SUBS];
    watcher           w[SUBS];

    memset(w, 0, sizeof w);
    for (int i = 0; i < SUBS; i++)
        CHECK_OK(natsConnection_Subscribe(&subs[i], f.nc, "foo", watched, &w[i]));
    for (int n = 0; n < COUNT; n += 100)
        send_rounds(f.m, 1, SUBS, n, 100);
    for (int i = 0; i < SUBS; i++)
        WAIT_FOR(w[i].count == COUNT, 20000);
    for (int i = 0; i < SUBS; i++)
    {
        CHECK_INT(w[i].disorder, 0);
        CHECK_INT(w[i].overlap, 0);
        natsSubscription_Destroy(subs[i]);
    }
    fixture_destroy(&f);
    nats_CloseAndWait(5000);
}

TEST_T(order_per_subscription, 60000)
{
    order(false);
}

TEST_T(order_per_subscription_in_the_pool, 60000)
{
    order(true);
}

// In an ordinary program (callbacks that return) each subscription stays on one thread.
TEST_T(sticky_thread, 60000)
{
    enum
    {
        SUBS  = 10,
        COUNT = 500
    };
    fixture           f = connected_with_pool(false);
    natsSubscription *subs[SUBS];
    watcher           w[SUBS];

    memset(w, 0, sizeof w);
    for (int i = 0; i < SUBS; i++)
        CHECK_OK(natsConnection_Subscribe(&subs[i], f.nc, "foo", watched, &w[i]));
    for (int n = 0; n < COUNT; n++)
    {
        send_rounds(f.m, 1, SUBS, n, 1);
        if (n % 50 == 0)
            pace_ms(1);
    }
    for (int i = 0; i < SUBS; i++)
        WAIT_FOR(w[i].count == COUNT, 20000);
    for (int i = 0; i < SUBS; i++)
    {
        // A machine that stops a thread in mid-callback looks like a callback that blocks: a few moves are
        // fair.
        CHECK_MSG(w[i].switches <= COUNT / 50, "subscription %d changed its thread %d times", i,
                  w[i].switches);
        natsSubscription_Destroy(subs[i]);
    }
    fixture_destroy(&f);
    nats_CloseAndWait(5000);
}

// Fifty callbacks that do not return, and one more subscription: it is served at once all the same.
TEST_T(a_blocked_callback_delays_nobody, 60000)
{
    enum
    {
        BLOCKED = 50,
        TRIES   = 20
    };
    fixture           f = connected_with_pool(false);
    natsSubscription *blocked[BLOCKED], *free_one, *second;
    watcher           w, v;
    gate              g;
    int64_t           worst = 0, best = 1 << 30;

    gate_init(&g);
    memset(&w, 0, sizeof w);
    memset(&v, 0, sizeof v);
    for (int i = 0; i < BLOCKED; i++)
        CHECK_OK(natsConnection_Subscribe(&blocked[i], f.nc, "foo", blocking, &g));
    CHECK_OK(natsConnection_Subscribe(&free_one, f.nc, "foo", watched, &w));
    // All block, each with a second message behind it.
    send_rounds(f.m, 1, BLOCKED, 0, 2);
    send_number(f.m, BLOCKED + 1, 0);
    WAIT_FOR(w.count == 1, 5000);
    WAIT_FOR(g.inside == BLOCKED, 10000);
    for (int i = 1; i <= TRIES; i++)
    {
        int64_t t = now_ms();

        send_number(f.m, BLOCKED + 1, i);
        WAIT_FOR(w.count == i + 1, 2000);
        t     = now_ms() - t;
        worst = t > worst ? t : worst;
        best  = t < best ? t : best;
    }
    CHECK_MSG(best <= 10, "not even once within 10 ms, best %d", (int)best);
    CHECK_MSG(worst <= 1000, "once %d ms", (int)worst);
    // A subscription made now is served too.
    CHECK_OK(natsConnection_Subscribe(&second, f.nc, "foo", watched, &v));
    send_number(f.m, BLOCKED + 2, 0);
    WAIT_FOR(v.count == 1, 2000);
    CHECK_INT(w.disorder + v.disorder, 0);
    gate_open(&g);
    WAIT_FOR(g.inside == 2 * BLOCKED, 10000);
    for (int i = 0; i < BLOCKED; i++)
        natsSubscription_Destroy(blocked[i]);
    natsSubscription_Destroy(free_one);
    natsSubscription_Destroy(second);
    fixture_destroy(&f);
    nats_CloseAndWait(5000);
}

// Slow callbacks do not add up: subscriptions with work of 100 ms each are served side by side.
TEST_T(slow_callbacks_run_side_by_side, 60000)
{
    enum
    {
        SUBS = 20
    };
    fixture           f = connected_with_pool(false);
    natsSubscription *subs[SUBS];
    watcher           w[SUBS];
    int64_t           t;

    memset(w, 0, sizeof w);
    for (int i = 0; i < SUBS; i++)
    {
        w[i].work_us = 100000;
        CHECK_OK(natsConnection_Subscribe(&subs[i], f.nc, "foo", watched, &w[i]));
    }
    t = now_ms();
    send_rounds(f.m, 1, SUBS, 0, 2);
    for (int i = 0; i < SUBS; i++)
        WAIT_FOR(w[i].count == 2, 20000);
    t = now_ms() - t;
    CHECK_RANGE(t, 200, 1500); // one after the other it would take 4000
    for (int i = 0; i < SUBS; i++)
    {
        CHECK_INT(w[i].disorder + w[i].overlap, 0);
        natsSubscription_Destroy(subs[i]);
    }
    fixture_destroy(&f);
    nats_CloseAndWait(5000);
}

// Threads that were needed for a while go away again.
TEST_T(idle_threads_retire, 60000)
{
    enum
    {
        SUBS = 20
    };
    fixture           f = connected_with_pool(false);
    natsSubscription *subs[SUBS];
    gate              g;
    int               before = thread_count();

    gate_init(&g);
    for (int i = 0; i < SUBS; i++)
        CHECK_OK(natsConnection_Subscribe(&subs[i], f.nc, "foo", blocking, &g));
    send_rounds(f.m, 1, SUBS, 0, 1);
    WAIT_FOR(g.inside == SUBS, 10000);
    CHECK(thread_count() >= before + SUBS - 1);
    gate_open(&g);
    for (int i = 0; i < SUBS; i++)
        natsSubscription_Destroy(subs[i]);
    WAIT_FOR(thread_count() <= before + 4, 20000);
    fixture_destroy(&f);
    nats_CloseAndWait(5000);
}

// ---- the fixed pool ----

typedef struct
{
    events *ev;
    char    name;
    gate   *g;
} pooled;

static void pooled_msg(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    pooled *p = closure;
    char    text[32];

    (void)nc;
    (void)sub;
    snprintf(text, sizeof text, "%c%s", p->name, natsMsg_GetData(msg));
    natsMsg_Destroy(msg);
    if (p->g != NULL)
        gate_wait(p->g);
    events_add(p->ev, "msg", NATS_OK, text);
}

// One worker: messages run in arrival order across subscriptions, and a blocked callback blocks them all.
TEST_T(pool_of_one, 60000)
{
    fixture           f = connected_with_pool(true);
    gate              g;
    pooled            a = {f.ev, 'a', &g}, b = {f.ev, 'b', NULL};
    natsSubscription *sa, *sb;
    event             e;

    gate_init(&g);
    CHECK_OK(natsConnection_Subscribe(&sa, f.nc, "foo", pooled_msg, &a));
    CHECK_OK(natsConnection_Subscribe(&sb, f.nc, "foo", pooled_msg, &b));
    send_rounds(f.m, 1, 2, 0, 50);
    WAIT_FOR(g.inside == 1, 5000);
    quiet_ms(50);
    CHECK_INT(events_count(f.ev, "msg"), 0);
    gate_open(&g);
    WAIT_EVENT(f.ev, "msg", 100, 10000);
    for (int i = 0; i < 100; i++)
    {
        char want[16];

        snprintf(want, sizeof want, "%c%d", i % 2 == 0 ? 'a' : 'b', i / 2);
        CHECK(events_get(f.ev, "msg", i + 1, &e));
        CHECK_STR(e.text, want);
    }
    natsSubscription_Destroy(sa);
    natsSubscription_Destroy(sb);
    fixture_destroy(&f);
    nats_CloseAndWait(5000);
}

// Two workers, bound in turn: a blocked one holds up its own subscriptions only, and for ever the same ones.
TEST_T(pool_of_two, 60000)
{
    fixture           f;
    gate              g;
    pooled            p[4];
    natsSubscription *subs[4];
    event             e;

    gate_init(&g);
    CHECK_OK(nats_Open(-1));
    CHECK_STATUS(nats_SetMessageDeliveryPoolSize(0), NATS_ERR);
    CHECK_STATUS(nats_SetMessageDeliveryPoolSize(-1), NATS_ERR);
    CHECK_OK(nats_SetMessageDeliveryPoolSize(2));
    CHECK_OK(nats_SetMessageDeliveryPoolSize(1)); // does not shrink
    f = connected_with_pool(true);
    for (int i = 0; i < 4; i++)
    {
        p[i] = (pooled){f.ev, (char)('0' + i), i == 0 ? &g : NULL};
        CHECK_OK(natsConnection_Subscribe(&subs[i], f.nc, "foo", pooled_msg, &p[i]));
    }
    send_rounds(f.m, 1, 4, 0, 10);
    WAIT_EVENT(f.ev, "msg", 20, 5000);
    quiet_ms(50);
    CHECK_INT(events_count(f.ev, "msg"), 20);
    for (int i = 1; i <= 20; i++)
    {
        CHECK(events_get(f.ev, "msg", i, &e));
        CHECK_MSG(e.text[0] == '1' || e.text[0] == '3', "%s ran", e.text);
    }
    gate_open(&g);
    WAIT_EVENT(f.ev, "msg", 40, 5000);
    for (int i = 0; i < 4; i++)
        natsSubscription_Destroy(subs[i]);
    fixture_destroy(&f);
    nats_CloseAndWait(5000);
}

// One worker whose callback requests and subscribes: replies do not need the worker.
static void asks(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    natsMsg          *reply = NULL, *next = NULL;
    natsSubscription *other = NULL;
    natsStatus        s     = natsConnection_RequestString(&reply, nc, "service", "x", 5000);

    (void)sub;
    natsMsg_Destroy(msg);
    natsMsg_Destroy(reply);
    if (s == NATS_OK)
        s = natsConnection_SubscribeSync(&other, nc, "later");
    if (s == NATS_OK)
        s = natsConnection_PublishString(nc, "later", "x");
    if (s == NATS_OK)
        s = natsSubscription_NextMsg(&next, other, 5000);
    natsMsg_Destroy(next);
    natsSubscription_Destroy(other);
    if (s == NATS_OK)
        s = natsConnection_Flush(nc);
    events_add(closure, "asked", s, natsStatus_GetText(s));
}

static void answers(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)sub;
    (void)closure;
    natsConnection_PublishString(nc, natsMsg_GetReply(msg), "answer");
    natsMsg_Destroy(msg);
}

static void requests_from_callbacks(bool pool)
{
    server           *s    = server_start(NULL, NULL);
    events           *ev   = events_create();
    natsOptions      *opts = NULL;
    natsConnection   *nc = NULL, *service = NULL;
    natsSubscription *subs[5], *answering;
    event             e;

    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetURL(opts, server_url(s)));
    CHECK_OK(natsConnection_Connect(&service, opts));
    CHECK_OK(natsConnection_Subscribe(&answering, service, "service", answers, NULL));
    CHECK_OK(natsConnection_Flush(service));
    CHECK_OK(natsOptions_UseGlobalMessageDelivery(opts, pool));
    CHECK_OK(natsConnection_Connect(&nc, opts));
    for (int i = 0; i < 5; i++)
        CHECK_OK(natsConnection_Subscribe(&subs[i], nc, "go", asks, ev));
    for (int i = 0; i < 5; i++)
        CHECK_OK(natsConnection_PublishString(nc, "go", "x"));
    WAIT_EVENT(ev, "asked", 25, 20000);
    for (int i = 1; i <= 25; i++)
    {
        CHECK(events_get(ev, "asked", i, &e));
        CHECK_STR(e.text, "OK");
    }
    for (int i = 0; i < 5; i++)
        natsSubscription_Destroy(subs[i]);
    natsSubscription_Destroy(answering);
    natsConnection_Destroy(nc);
    natsConnection_Destroy(service);
    natsOptions_Destroy(opts);
    server_stop(s);
    nats_CloseAndWait(5000);
    events_destroy(ev);
}

TEST_T(requests_and_subscribes_from_callbacks, 60000)
{
    requests_from_callbacks(false);
}

TEST_T(requests_and_subscribes_from_a_pool_of_one, 60000)
{
    requests_from_callbacks(true);
}

TEST(pool_of_nothing_is_refused)
{
    natsClientConfig  config;
    fixture           f;
    natsSubscription *sub = NULL;

    memset(&config, 0, sizeof config);
    config.ThreadPoolMax = 0;
    CHECK_OK(nats_OpenWithConfig(&config));
    f = connected_with_pool(true);
    CHECK_STATUS(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg, f.ev), NATS_FAILED_TO_INITIALIZE);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

// The environment makes the pool the default; its value does not matter.
TEST(pool_by_environment)
{
    fixture           f;
    gate              g;
    watcher           w;
    natsSubscription *a, *b;

    setenv("NATS_DEFAULT_TO_LIB_MSG_DELIVERY", "0", 1);
    CHECK_OK(nats_Open(-1));
    gate_init(&g);
    memset(&w, 0, sizeof w);
    f = fixture_create();
    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&a, f.nc, "foo", blocking, &g));
    CHECK_OK(natsConnection_Subscribe(&b, f.nc, "foo", watched, &w));
    send_rounds(f.m, 1, 2, 0, 1);
    WAIT_FOR(g.inside == 1, 5000);
    quiet_ms(50);
    CHECK_INT(w.count, 0);
    gate_open(&g);
    WAIT_FOR(w.count == 1, 5000);
    natsSubscription_Destroy(a);
    natsSubscription_Destroy(b);
    fixture_destroy(&f);
}

// ---- one thread per subscription ----

typedef struct
{
    pthread_t  thread;
    atomic_int count;
    bool       moved;
} bound;

static void bound_msg(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    bound *b = closure;

    (void)nc;
    (void)sub;
    b->moved |= b->count > 0 && !pthread_equal(b->thread, pthread_self());
    b->thread = pthread_self();
    natsMsg_Destroy(msg);
    atomic_fetch_add(&b->count, 1);
}

TEST_T(dedicated_threads, 60000)
{
    enum
    {
        SUBS = 10
    };
    fixture           f;
    natsSubscription *subs[SUBS];
    bound             b[SUBS];
    int               before;

    setenv("NATS_DEDICATED_DELIVERY", "1", 1);
    CHECK_OK(nats_Open(-1));
    memset(b, 0, sizeof b);
    f      = connected_with_pool(false);
    before = thread_count();
    for (int i = 0; i < SUBS; i++)
        CHECK_OK(natsConnection_Subscribe(&subs[i], f.nc, "foo", bound_msg, &b[i]));
    CHECK_INT(thread_count(), before + SUBS);
    send_rounds(f.m, 1, SUBS, 0, 100);
    for (int i = 0; i < SUBS; i++)
        WAIT_FOR(b[i].count == 100, 10000);
    for (int i = 0; i < SUBS; i++)
    {
        CHECK(!b[i].moved);
        for (int k = 0; k < i; k++)
            CHECK(!pthread_equal(b[i].thread, b[k].thread));
    }
    for (int i = 0; i < SUBS; i++)
        natsSubscription_Destroy(subs[i]);
    WAIT_FOR(thread_count() <= before, 15000);
    fixture_destroy(&f);
    nats_CloseAndWait(5000);
}

// ---- the handler of started threads ----

static atomic_int         threads_started;
static _Thread_local bool told_here;

static void thread_started(void *closure)
{
    CHECK(closure == &threads_started);
    CHECK(!told_here);
    told_here = true;
    atomic_fetch_add(&threads_started, 1);
}

static void told_msg(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    natsMsg_Destroy(msg);
    events_add(closure, told_here ? "told" : "not told", NATS_OK, "");
}

static void told_complete(void *closure)
{
    events_add(closure, told_here ? "complete told" : "not told", NATS_OK, "");
}

TEST(thread_started_handler_runs_first)
{
    natsClientConfig  config;
    fixture           f;
    natsSubscription *sub = NULL;

    memset(&config, 0, sizeof config);
    config.ThreadPoolMax               = 1;
    config.ThreadStartedHandler        = thread_started;
    config.ThreadStartedHandlerClosure = &threads_started;
    CHECK_OK(nats_OpenWithConfig(&config));
    WAIT_FOR(threads_started >= 3, 5000);
    f = connected_with_pool(false);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", told_msg, f.ev));
    CHECK_OK(natsSubscription_SetOnCompleteCB(sub, told_complete, f.ev));
    send_number(f.m, 1, 0);
    WAIT_EVENT(f.ev, "told", 1, 5000);
    natsSubscription_Destroy(sub);
    WAIT_EVENT(f.ev, "complete told", 1, 5000);
    CHECK_INT(events_count(f.ev, "not told"), 0);
    fixture_destroy(&f);
    CHECK_OK(nats_CloseAndWait(5000));
}

// ---- the completion callback ----

typedef struct
{
    gate             *g;
    events           *ev;
    pthread_t         thread;
    natsSubscription *sub;
} completing;

static void slow_msg(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    completing *c = closure;

    (void)nc;
    (void)sub;
    natsMsg_Destroy(msg);
    c->thread = pthread_self();
    gate_wait(c->g);
    events_add(c->ev, "returned", NATS_OK, "");
}

static void on_complete(void *closure)
{
    completing *c = closure;

    events_add(c->ev, pthread_equal(c->thread, pthread_self()) ? "complete" : "other thread", NATS_OK, "");
}

typedef enum
{
    UNSUBSCRIBE,
    DESTROY,
    CLOSE,
    DRAIN,
    MAX
} way;

// Whatever ends a subscription: the running callback is not waited for, nothing follows it, and then, on its
// thread, the completion comes exactly once.
static void ends(way how, bool pool)
{
    fixture    f = connected_with_pool(pool);
    gate       g;
    completing c = {&g, f.ev, 0, NULL};
    char       names[256];

    gate_init(&g);
    CHECK_OK(natsConnection_Subscribe(&c.sub, f.nc, "foo", slow_msg, &c));
    CHECK_OK(natsSubscription_SetOnCompleteCB(c.sub, on_complete, &c));
    if (how == MAX)
        CHECK_OK(natsSubscription_AutoUnsubscribe(c.sub, 1));
    send_rounds(f.m, 1, 1, 0, how == DRAIN ? 1 : 5);
    WAIT_FOR(g.inside == 1, 5000);
    if (how == UNSUBSCRIBE)
        CHECK_OK(natsSubscription_Unsubscribe(c.sub));
    else if (how == DESTROY)
        natsSubscription_Destroy(c.sub), c.sub = NULL;
    else if (how == CLOSE)
        natsConnection_Close(f.nc);
    else if (how == DRAIN)
        CHECK_OK(natsSubscription_Drain(c.sub));
    quiet_ms(30);
    CHECK_INT(events_count(f.ev, "complete") + events_count(f.ev, "returned"), 0);
    gate_open(&g);
    WAIT_EVENT(f.ev, "complete", 1, 5000);
    CHECK_INT(events_count(f.ev, "returned"), 1);
    quiet_ms(20);
    CHECK_INT(events_count(f.ev, "complete"), 1);
    CHECK_MSG(events_count(f.ev, "other thread") == 0, "%s", events_names(f.ev, names, sizeof names));
    CHECK(events_ms(f.ev, "returned", 1) <= events_ms(f.ev, "complete", 1));
    natsSubscription_Destroy(c.sub);
    fixture_destroy(&f);
    nats_CloseAndWait(5000);
}

#define ENDING(name, how)                                                                                    \
    TEST(completion_after_##name)                                                                            \
    {                                                                                                        \
        ends(how, false);                                                                                    \
    }                                                                                                        \
    TEST(completion_after_##name##_in_the_pool)                                                              \
    {                                                                                                        \
        ends(how, true);                                                                                     \
    }

ENDING(unsubscribe, UNSUBSCRIBE)
ENDING(destroy, DESTROY)
ENDING(close, CLOSE)
ENDING(drain, DRAIN)
ENDING(auto_unsubscribe, MAX)

// ---- timeout subscriptions ----

static void timed(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    events_add(closure, msg == NULL ? "timeout" : "msg", NATS_OK, "");
    natsMsg_Destroy(msg);
}

static void timeouts(bool pool)
{
    fixture           f = connected_with_pool(pool);
    natsSubscription *sub;
    int               n;

    CHECK_OK(natsConnection_SubscribeTimeout(&sub, f.nc, "foo", 60, timed, f.ev));
    // They come again and again while nothing arrives.
    WAIT_EVENT(f.ev, "timeout", 4, 5000);
    CHECK(events_ms(f.ev, "timeout", 1) >= 55);
    CHECK(events_ms(f.ev, "timeout", 4) - events_ms(f.ev, "timeout", 1) >= 160);
    send_number(f.m, 1, 0);
    WAIT_EVENT(f.ev, "msg", 1, 5000);
    n = events_count(f.ev, "timeout");
    WAIT_EVENT(f.ev, "timeout", n + 2, 5000);
    CHECK_OK(natsSubscription_Unsubscribe(sub));
    quiet_ms(70);
    n = events_count(f.ev, "timeout");
    quiet_ms(150);
    CHECK_INT(events_count(f.ev, "timeout"), n);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
    nats_CloseAndWait(5000);
}

TEST(timeouts_repeat)
{
    timeouts(false);
}

TEST(timeouts_repeat_in_the_pool)
{
    timeouts(true);
}

// A very short period never gets lost, whatever comes in between.
TEST(short_timeouts_never_stop)
{
    fixture           f = connected_with_pool(false);
    natsSubscription *sub;

    CHECK_OK(natsConnection_SubscribeTimeout(&sub, f.nc, "foo", 1, timed, f.ev));
    for (int i = 0; i < 200; i++)
    {
        int n = events_count(f.ev, "timeout");

        send_number(f.m, 1, i);
        WAIT_EVENT(f.ev, "msg", i + 1, 5000);
        WAIT_EVENT(f.ev, "timeout", n + 1, 5000);
    }
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
    nats_CloseAndWait(5000);
}

static void slow_timed(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    timed(nc, sub, msg, closure);
    if (msg != NULL)
        pace_ms(150);
    events_add(closure, "returned", NATS_OK, "");
}

// The period starts when the callback of the last message returns; none fires in between.
TEST(timeout_counts_from_the_end_of_the_callback)
{
    fixture           f = connected_with_pool(false);
    natsSubscription *sub;

    CHECK_OK(natsConnection_SubscribeTimeout(&sub, f.nc, "foo", 100, slow_timed, f.ev));
    send_rounds(f.m, 1, 1, 0, 3);
    WAIT_EVENT(f.ev, "timeout", 1, 5000);
    CHECK_INT(events_count(f.ev, "msg"), 3);
    CHECK(events_ms(f.ev, "timeout", 1) - events_ms(f.ev, "returned", 3) >= 95);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
    nats_CloseAndWait(5000);
}

static void destroying(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    CHECK(msg == NULL);
    natsSubscription_Destroy(sub);
    events_add(closure, "destroyed", NATS_OK, "");
}

TEST(destroyed_in_the_timeout_callback)
{
    fixture           f = connected_with_pool(false);
    natsSubscription *sub;

    CHECK_OK(natsConnection_SubscribeTimeout(&sub, f.nc, "foo", 10, destroying, f.ev));
    WAIT_EVENT(f.ev, "destroyed", 1, 5000);
    quiet_ms(50);
    CHECK_INT(events_count(f.ev, "destroyed"), 1);
    CHECK_OK(natsConnection_Flush(f.nc));
    fixture_destroy(&f);
    nats_CloseAndWait(5000);
}
