// Subscriptions: counters, limits, NextMsg, auto-unsubscribe, and every way they end.

#include "calls.h"
#include "fixture.h"
#include "server.h"
#include "wire.h"

#include <limits.h>
#include <pthread.h>

// While it is locked, callbacks that take it wait.
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static fixture subscribed(natsSubscription **sync)
{
    fixture f = fixture_create();

    fixture_connect(&f);
    if (sync != NULL)
        CHECK_OK(natsConnection_SubscribeSync(sync, f.nc, "foo"));
    return f;
}

static void done(fixture *f, natsSubscription *sub)
{
    natsSubscription_Destroy(sub);
    fixture_destroy(f);
}

#define NEXT_IS(sub, timeout, want)                                                                          \
    do                                                                                                       \
    {                                                                                                        \
        natsMsg *next_ = NULL;                                                                               \
        CHECK_OK(natsSubscription_NextMsg(&next_, (sub), (timeout)));                                        \
        CHECK_STR(natsMsg_GetData(next_), (want));                                                           \
        natsMsg_Destroy(next_);                                                                              \
    } while (0)

#define NEXT_FAILS(sub, timeout, want)                                                                       \
    do                                                                                                       \
    {                                                                                                        \
        natsMsg *next_ = (natsMsg *)8;                                                                       \
        CHECK_STATUS(natsSubscription_NextMsg(&next_, (sub), (timeout)), (want));                            \
        CHECK(next_ == (natsMsg *)8);                                                                        \
    } while (0)

// ---- getters ----

static void all_answer(natsSubscription *sub, natsStatus want)
{
    int      a, b, c, d;
    int64_t  e, g;
    uint64_t u;

    CHECK_STATUS(natsSubscription_QueuedMsgs(sub, &u), want);
    CHECK_STATUS(natsSubscription_GetPending(sub, &a, &b), want);
    CHECK_STATUS(natsSubscription_GetPendingLimits(sub, &a, &b), want);
    CHECK_STATUS(natsSubscription_GetMaxPending(sub, &a, &b), want);
    CHECK_STATUS(natsSubscription_GetDelivered(sub, &e), want);
    CHECK_STATUS(natsSubscription_GetDropped(sub, &e), want);
    CHECK_STATUS(natsSubscription_GetStats(sub, &a, &b, &c, &d, &e, &g), want);
    CHECK_STATUS(natsSubscription_ClearMaxPending(sub), want);
    CHECK_STATUS(natsSubscription_SetPendingLimits(sub, 10, 10), want);
}

TEST(null_subscription)
{
    all_answer(NULL, NATS_INVALID_ARG);
    CHECK_STATUS(natsSubscription_NoDeliveryDelay(NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsSubscription_Unsubscribe(NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsSubscription_AutoUnsubscribe(NULL, 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsSubscription_Drain(NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsSubscription_DrainTimeout(NULL, 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsSubscription_WaitForDrainCompletion(NULL, 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsSubscription_DrainCompletionStatus(NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsSubscription_SetOnCompleteCB(NULL, NULL, NULL), NATS_INVALID_ARG);
    NEXT_FAILS(NULL, 1, NATS_INVALID_ARG);
    CHECK_INT(natsSubscription_GetID(NULL), 0);
    CHECK(natsSubscription_GetSubject(NULL) == NULL);
    CHECK(natsSubscription_GetConnection(NULL) == NULL);
    CHECK(!natsSubscription_IsValid(NULL));
    natsSubscription_Destroy(NULL);
}

TEST(out_pointers_may_be_missing)
{
    natsSubscription *sub;
    fixture           f = subscribed(&sub);

    CHECK_OK(natsSubscription_GetPending(sub, NULL, NULL));
    CHECK_OK(natsSubscription_GetPendingLimits(sub, NULL, NULL));
    CHECK_OK(natsSubscription_GetMaxPending(sub, NULL, NULL));
    CHECK_OK(natsSubscription_GetStats(sub, NULL, NULL, NULL, NULL, NULL, NULL));
    CHECK_STATUS(natsSubscription_QueuedMsgs(sub, NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsSubscription_GetDelivered(sub, NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsSubscription_GetDropped(sub, NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsSubscription_NextMsg(NULL, sub, 1), NATS_INVALID_ARG);
    done(&f, sub);
}

TEST(closed_subscription)
{
    natsSubscription *sub;
    fixture           f = subscribed(&sub);

    CHECK_OK(natsSubscription_Unsubscribe(sub));
    all_answer(sub, NATS_INVALID_SUBSCRIPTION);
    CHECK_OK(natsSubscription_NoDeliveryDelay(sub));
    CHECK_STATUS(natsSubscription_Unsubscribe(sub), NATS_INVALID_SUBSCRIPTION);
    CHECK_STATUS(natsSubscription_AutoUnsubscribe(sub, 1), NATS_INVALID_SUBSCRIPTION);
    CHECK_STATUS(natsSubscription_Drain(sub), NATS_INVALID_SUBSCRIPTION);
    CHECK_STATUS(natsSubscription_DrainCompletionStatus(sub), NATS_ILLEGAL_STATE);
    NEXT_FAILS(sub, 1, NATS_INVALID_SUBSCRIPTION);
    CHECK_INT(natsSubscription_GetID(sub), 0);
    CHECK(natsSubscription_GetSubject(sub) == NULL);
    CHECK(natsSubscription_GetConnection(sub) == f.nc);
    CHECK(!natsSubscription_IsValid(sub));
    natsConnection_Close(f.nc);
    CHECK_STATUS(natsSubscription_Unsubscribe(sub), NATS_CONNECTION_CLOSED);
    done(&f, sub);
}

// A subscription outlives its connection's handle.
TEST(connection_destroyed_first)
{
    natsSubscription *sub, *async;
    fixture           f = subscribed(&sub);
    mock             *m = f.m;

    CHECK_OK(natsConnection_Subscribe(&async, f.nc, "bar", on_msg, f.ev));
    natsConnection_Destroy(f.nc);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK(mock_wait_closed(m, 1, 5000));
    for (int i = 0; i < 2; i++)
    {
        natsSubscription *s = i == 0 ? sub : async;

        CHECK_STATUS(natsSubscription_Unsubscribe(s), NATS_CONNECTION_CLOSED);
        CHECK_STATUS(natsSubscription_AutoUnsubscribe(s, 1), NATS_CONNECTION_CLOSED);
        CHECK_STATUS(natsSubscription_Drain(s), NATS_CONNECTION_CLOSED);
        NEXT_FAILS(s, 10, NATS_CONNECTION_CLOSED);
        all_answer(s, NATS_INVALID_SUBSCRIPTION);
        CHECK(natsSubscription_GetConnection(s) != NULL);
        CHECK(natsConnection_IsClosed(natsSubscription_GetConnection(s)));
        natsSubscription_Destroy(s);
    }
    f.nc = NULL;
    fixture_destroy(&f);
    CHECK_OK(nats_CloseAndWait(5000));
}

TEST(counters)
{
    natsSubscription *sub;
    fixture           f = subscribed(&sub);
    int               pm, pb, mm, mb;
    int64_t           delivered, dropped;
    uint64_t          n;

    fixture_deliver(&f, 1, "12345", 3);
    mock_send(f.m, "HMSG foo 1 12 14\r\nNATS/1.0\r\n\r\nab\r\n");
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_OK(natsSubscription_QueuedMsgs(sub, &n));
    CHECK_INT(n, 4);
    NEXT_IS(sub, 0, "12345");
    CHECK_OK(natsSubscription_GetStats(sub, &pm, &pb, &mm, &mb, &delivered, &dropped));
    CHECK_INT(pm, 3);
    CHECK_INT(pb, 5 + 5 + 14); // headers count
    CHECK_INT(mm, 4);
    CHECK_INT(mb, 3 * 5 + 14);
    CHECK_INT(delivered, 1);
    CHECK_INT(dropped, 0);
    CHECK_OK(natsSubscription_ClearMaxPending(sub));
    CHECK_OK(natsSubscription_GetMaxPending(sub, &mm, &mb));
    CHECK_INT(mm, 0);
    CHECK_INT(mb, 0);
    fixture_deliver(&f, 1, "x", 1);
    CHECK_OK(natsSubscription_GetMaxPending(sub, &mm, &mb));
    CHECK_INT(mm, 4);
    CHECK_INT(mb, 25);
    done(&f, sub);
}

// ---- limits ----

TEST(default_limits)
{
    natsSubscription *sub;
    fixture           f = subscribed(&sub);
    int               m, b;

    CHECK_OK(natsSubscription_GetPendingLimits(sub, &m, &b));
    CHECK_INT(m, 65536);
    CHECK_INT(b, 65536 * 1024);
    CHECK_STATUS(natsSubscription_SetPendingLimits(sub, 0, 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsSubscription_SetPendingLimits(sub, 1, 0), NATS_INVALID_ARG);
    CHECK_OK(natsSubscription_SetPendingLimits(sub, -1, -5));
    CHECK_OK(natsSubscription_GetPendingLimits(sub, &m, &b));
    CHECK_INT(m, -1);
    CHECK_INT(b, -5);
    done(&f, sub);
}

TEST(limits_by_options)
{
    fixture           f = fixture_create();
    natsSubscription *sub;
    int               m, b;

    CHECK_STATUS(natsOptions_SetMaxPendingMsgs(f.opts, 0), NATS_INVALID_ARG);
    CHECK_STATUS(natsOptions_SetMaxPendingBytes(f.opts, -1), NATS_INVALID_ARG);
    CHECK_OK(natsOptions_SetMaxPendingMsgs(f.opts, 10));
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK_OK(natsSubscription_GetPendingLimits(sub, &m, &b));
    CHECK_INT(m, 10);
    CHECK_INT(b, 10240);
    done(&f, sub);
}

TEST(the_newest_are_dropped)
{
    natsSubscription *sub;
    fixture           f = subscribed(&sub);
    int64_t           dropped;
    char              text[256];

    CHECK_OK(natsSubscription_SetPendingLimits(sub, 2, -1));
    mock_send(f.m, "MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\nMSG foo 1 1\r\nc\r\nMSG foo 1 1\r\nd\r\n");
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_OK(natsSubscription_GetDropped(sub, &dropped));
    CHECK_INT(dropped, 2);
    WAIT_EVENT(f.ev, "error", 1, 5000);
    CHECK_STATUS(natsConnection_ReadLastError(f.nc, text, sizeof text), NATS_SLOW_CONSUMER);
    // Told once, before the messages.
    NEXT_FAILS(sub, 10, NATS_SLOW_CONSUMER);
    NEXT_IS(sub, 10, "a");
    NEXT_IS(sub, 10, "b");
    NEXT_FAILS(sub, 0, NATS_TIMEOUT);
    quiet_ms(20);
    CHECK_INT(events_count(f.ev, "error"), 1);
    done(&f, sub);
}

TEST(byte_limit_is_inclusive)
{
    natsSubscription *sub;
    fixture           f = subscribed(&sub);
    uint64_t          n;

    CHECK_OK(natsSubscription_SetPendingLimits(sub, -1, 10));
    fixture_deliver(&f, 1, "12345", 2);
    CHECK_OK(natsSubscription_QueuedMsgs(sub, &n));
    CHECK_INT(n, 2);
    fixture_deliver(&f, 1, "1", 1);
    CHECK_OK(natsSubscription_QueuedMsgs(sub, &n));
    CHECK_INT(n, 2);
    WAIT_EVENT(f.ev, "error", 1, 5000);
    // Nothing is taken away by a lower limit, and nothing is added.
    CHECK_OK(natsSubscription_SetPendingLimits(sub, 1, 1));
    CHECK_OK(natsSubscription_QueuedMsgs(sub, &n));
    CHECK_INT(n, 2);
    done(&f, sub);
}

static void on_slow(natsConnection *nc, natsSubscription *sub, natsStatus err, void *ev)
{
    (void)nc;
    events_add(ev, natsSubscription_IsValid(sub) ? "slow" : "slow and invalid", err, "");
    pthread_mutex_lock(&held);
    pthread_mutex_unlock(&held);
}

// The handler may come after the program let go of the subscription.
TEST(error_handler_after_destroy)
{
    fixture           f = fixture_create();
    natsSubscription *subs[2];

    CHECK_OK(natsOptions_SetErrorHandler(f.opts, on_slow, f.ev));
    fixture_connect(&f);
    for (int i = 0; i < 2; i++)
    {
        CHECK_OK(natsConnection_SubscribeSync(&subs[i], f.nc, "foo"));
        CHECK_OK(natsSubscription_SetPendingLimits(subs[i], 1, -1));
    }
    pthread_mutex_lock(&held);
    fixture_deliver(&f, 1, "x", 2);
    fixture_deliver(&f, 2, "x", 2);
    WAIT_EVENT(f.ev, "slow", 1, 5000);
    natsSubscription_Destroy(subs[1]);
    natsSubscription_Destroy(subs[0]);
    pthread_mutex_unlock(&held);
    WAIT_EVENT(f.ev, "slow and invalid", 1, 5000);
    fixture_destroy(&f);
}

// ---- NextMsg ----

typedef struct
{
    natsSubscription *sub;
    int64_t           timeout;
    natsStatus        s;
    int64_t           ms;
} reader;

static void *read_one(void *arg)
{
    reader  *r   = arg;
    natsMsg *msg = NULL;
    int64_t  t   = now_ms();

    r->s  = natsSubscription_NextMsg(&msg, r->sub, r->timeout);
    r->ms = now_ms() - t;
    natsMsg_Destroy(msg);
    return NULL;
}

typedef enum
{
    MESSAGE,
    UNSUBSCRIBE,
    CLOSE,
    DRAIN
} waker;

static void woken_by(waker how, natsStatus want)
{
    natsSubscription *sub;
    fixture           f = subscribed(&sub);
    reader            r = {sub, 20000, NATS_OK, 0};
    caller            t;

    caller_start(&t, read_one, &r);
    caller_asleep(&t);
    if (how == MESSAGE)
        mock_send(f.m, "MSG foo 1 1\r\nx\r\n");
    else if (how == UNSUBSCRIBE)
        CHECK_OK(natsSubscription_Unsubscribe(sub));
    else if (how == CLOSE)
        natsConnection_Close(f.nc);
    else
        CHECK_OK(natsSubscription_Drain(sub));
    caller_join(&t);
    CHECK_STATUS(r.s, want);
    CHECK_RANGE(r.ms, 0, 5000);
    CHECK_INT(natsSubscription_IsValid(sub), how == MESSAGE);
    done(&f, sub);
}

TEST(next_is_woken_by_a_message)
{
    woken_by(MESSAGE, NATS_OK);
}

TEST(next_is_woken_by_unsubscribe)
{
    woken_by(UNSUBSCRIBE, NATS_INVALID_SUBSCRIPTION);
}

TEST(next_is_woken_by_close)
{
    woken_by(CLOSE, NATS_CONNECTION_CLOSED);
}

TEST(next_is_woken_by_drain)
{
    woken_by(DRAIN, NATS_TIMEOUT);
}

TEST(next_without_messages)
{
    natsSubscription *sub, *async;
    fixture           f = subscribed(&sub);
    int64_t           t = now_ms();

    NEXT_FAILS(sub, 0, NATS_TIMEOUT);
    NEXT_FAILS(sub, -1, NATS_TIMEOUT);
    CHECK(now_ms() - t < 1000);
    t = now_ms();
    NEXT_FAILS(sub, 60, NATS_TIMEOUT);
    CHECK_RANGE(now_ms() - t, 59, 2000);
    CHECK_OK(natsConnection_Subscribe(&async, f.nc, "bar", on_msg, f.ev));
    NEXT_FAILS(async, 0, NATS_ILLEGAL_STATE);
    natsSubscription_Destroy(async);
    done(&f, sub);
}

// The longest time there is must not overflow.
TEST(next_with_the_longest_timeout)
{
    natsSubscription *sub;
    fixture           f = subscribed(&sub);
    reader            r = {sub, INT64_MAX, NATS_ERR, 0};
    caller            t;

    caller_start(&t, read_one, &r);
    caller_asleep(&t);
    mock_send(f.m, "MSG foo 1 1\r\nx\r\n");
    caller_join(&t);
    CHECK_OK(r.s);
    done(&f, sub);
}

// Several threads in NextMsg: every message wakes one of them.
TEST(next_from_several_threads)
{
    enum
    {
        READERS = 8
    };
    natsSubscription *sub;
    fixture           f = subscribed(&sub);

    for (int round = 0; round < 20; round++)
    {
        reader    r[READERS];
        pthread_t t[READERS];

        for (int i = 0; i < READERS; i++)
        {
            r[i] = (reader){sub, 10000, NATS_ERR, 0};
            CHECK(pthread_create(&t[i], NULL, read_one, &r[i]) == 0);
        }
        fixture_deliver(&f, 1, "x", READERS);
        for (int i = 0; i < READERS; i++)
        {
            pthread_join(t[i], NULL);
            CHECK_OK(r[i].s);
        }
    }
    done(&f, sub);
}

TEST(no_responders_through_next)
{
    natsSubscription *sub;
    fixture           f = subscribed(&sub);
    int64_t           delivered;

    mock_send(f.m,
              "HMSG foo 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\nHMSG foo 1 16 17\r\nNATS/1.0 503\r\n\r\nx\r\n");
    CHECK_OK(natsConnection_Flush(f.nc));
    NEXT_FAILS(sub, 100, NATS_NO_RESPONDERS);
    NEXT_IS(sub, 100, "x");
    CHECK_OK(natsSubscription_GetDelivered(sub, &delivered));
    CHECK_INT(delivered, 2);
    done(&f, sub);
}

// ---- auto-unsubscribe ----

TEST(auto_unsubscribe_sync)
{
    natsSubscription *sub;
    fixture           f = subscribed(&sub);

    CHECK_OK(natsSubscription_AutoUnsubscribe(sub, 2));
    fixture_deliver(&f, 1, "x", 3);
    NEXT_IS(sub, 10, "x");
    CHECK(natsSubscription_IsValid(sub));
    NEXT_IS(sub, 10, "x");
    CHECK(!natsSubscription_IsValid(sub));
    NEXT_FAILS(sub, 10, NATS_MAX_DELIVERED_MSGS);
    natsSubscription_Destroy(sub);
    CHECK_OK(natsConnection_Flush(f.nc));
    // No UNSUB at the end: the server ended it itself.
    CHECK_WIRE(f.m, 1, "SUB foo  1\r\nUNSUB 1 2\r\nPING\r\nPING\r\n");
    fixture_destroy(&f);
}

TEST(auto_unsubscribe_that_is_reached_already)
{
    natsSubscription *sub;
    fixture           f = subscribed(&sub);

    fixture_deliver(&f, 1, "x", 3);
    NEXT_IS(sub, 10, "x");
    NEXT_IS(sub, 10, "x");
    CHECK_OK(natsSubscription_AutoUnsubscribe(sub, 2));
    CHECK(!natsSubscription_IsValid(sub));
    NEXT_FAILS(sub, 10, NATS_INVALID_SUBSCRIPTION);
    done(&f, sub);
}

static void valid_inside(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ev)
{
    (void)nc;
    events_add(ev, natsSubscription_IsValid(sub) ? "msg" : "invalid inside", NATS_OK, natsMsg_GetData(msg));
    natsMsg_Destroy(msg);
}

TEST(auto_unsubscribe_async)
{
    fixture           f = subscribed(NULL);
    natsSubscription *sub;

    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", valid_inside, f.ev));
    CHECK_OK(natsSubscription_AutoUnsubscribe(sub, 5));
    fixture_deliver(&f, 1, "x", 20);
    WAIT_FOR(!natsSubscription_IsValid(sub), 5000);
    quiet_ms(20);
    CHECK_INT(events_count(f.ev, "msg"), 5);
    CHECK_INT(events_count(f.ev, "invalid inside"), 0);
    CHECK_OK(natsSubscription_DrainCompletionStatus(sub));
    done(&f, sub);
}

TEST(auto_unsubscribe_across_a_reconnect)
{
    fixture           f = subscribed(NULL);
    natsSubscription *sub;

    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", valid_inside, f.ev));
    CHECK_OK(natsSubscription_AutoUnsubscribe(sub, 10));
    fixture_deliver(&f, 1, "x", 4);
    WAIT_EVENT(f.ev, "msg", 4, 5000);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_INT(mock_count_lines(f.m, 2, "SUB foo  1"), 1);
    CHECK_INT(mock_count_lines(f.m, 2, "UNSUB 1 6"), 1);
    fixture_deliver(&f, 1, "x", 20);
    WAIT_FOR(!natsSubscription_IsValid(sub), 5000);
    quiet_ms(20);
    CHECK_INT(events_count(f.ev, "msg"), 10);
    done(&f, sub);
}

TEST(auto_unsubscribe_with_a_restarted_server)
{
    server           *s    = server_start(NULL, NULL);
    events           *ev   = events_create();
    natsOptions      *opts = NULL;
    natsConnection   *nc   = NULL;
    natsSubscription *sub;

    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetURL(opts, server_url(s)));
    CHECK_OK(natsOptions_SetReconnectWait(opts, 20));
    CHECK_OK(natsOptions_SetMaxReconnect(opts, -1));
    events_handlers(ev, opts);
    CHECK_OK(natsConnection_Connect(&nc, opts));
    CHECK_OK(natsConnection_Subscribe(&sub, nc, "foo", valid_inside, ev));
    CHECK_OK(natsSubscription_AutoUnsubscribe(sub, 10));
    for (int i = 0; i < 4; i++)
        CHECK_OK(natsConnection_PublishString(nc, "foo", "x"));
    WAIT_EVENT(ev, "msg", 4, 5000);
    server_restart(s);
    WAIT_EVENT(ev, "reconnected", 1, 10000);
    for (int i = 0; i < 20; i++)
        CHECK_OK(natsConnection_PublishString(nc, "foo", "x"));
    CHECK_OK(natsConnection_Flush(nc));
    WAIT_FOR(!natsSubscription_IsValid(sub), 5000);
    CHECK_INT(events_count(ev, "msg"), 10);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
    server_stop(s);
    CHECK_OK(nats_CloseAndWait(5000));
    events_destroy(ev);
}

// ---- the end ----

// What is queued is not delivered any more; the caller does not wait for the running callback.
static void holding(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ev)
{
    (void)nc;
    (void)sub;
    natsMsg_Destroy(msg);
    events_add(ev, "in", NATS_OK, "");
    pthread_mutex_lock(&held);
    pthread_mutex_unlock(&held);
}

static void cut(bool by_destroying_the_connection)
{
    fixture           f = subscribed(NULL);
    natsSubscription *sub;
    int64_t           t;

    pthread_mutex_lock(&held);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", holding, f.ev));
    fixture_deliver(&f, 1, "x", 10);
    WAIT_EVENT(f.ev, "in", 1, 5000);
    t = now_ms();
    if (by_destroying_the_connection)
    {
        natsConnection_Destroy(f.nc);
        f.nc = NULL;
    }
    else
        CHECK_OK(natsSubscription_Unsubscribe(sub));
    CHECK(now_ms() - t < 2000);
    CHECK(!natsSubscription_IsValid(sub));
    pthread_mutex_unlock(&held);
    WAIT_FOR(natsSubscription_DrainCompletionStatus(sub) != NATS_ILLEGAL_STATE, 5000);
    CHECK_INT(events_count(f.ev, "in"), 1);
    if (f.nc == NULL)
        WAIT_EVENT(f.ev, "closed", 1, 5000);
    done(&f, sub);
}

TEST(unsubscribe_cuts_off)
{
    cut(false);
}

TEST(destroying_the_connection_cuts_off)
{
    cut(true);
}

static void destroys_itself(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ev)
{
    natsMsg_Destroy(msg);
    CHECK_OK(natsConnection_PublishString(nc, "seen", "x"));
    natsSubscription_Destroy(sub);
    events_add(ev, "destroyed", NATS_OK, "");
}

TEST(destroyed_in_its_callback)
{
    fixture           f = subscribed(NULL);
    natsSubscription *sub;

    for (int i = 1; i <= 50; i++)
    {
        CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", destroys_itself, f.ev));
        fixture_deliver(&f, i, "x", 3);
        WAIT_EVENT(f.ev, "destroyed", i, 5000);
    }
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_INT(events_count(f.ev, "destroyed"), 50);
    CHECK_INT(mock_pubs(f.m, 1), 50);
    fixture_destroy(&f);
    CHECK_OK(nats_CloseAndWait(5000));
}

static void closes_connection(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ev)
{
    (void)sub;
    natsMsg_Destroy(msg);
    natsConnection_Close(nc);
    events_add(ev, "closed inside", NATS_OK, "");
}

TEST(connection_closed_in_a_callback)
{
    fixture           f = subscribed(NULL);
    natsSubscription *sub;

    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", closes_connection, f.ev));
    mock_send(f.m, "MSG foo 1 1\r\nx\r\nMSG foo 1 1\r\nx\r\n");
    WAIT_EVENT(f.ev, "closed inside", 1, 5000);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK(natsConnection_IsClosed(f.nc));
    done(&f, sub);
    CHECK_OK(nats_CloseAndWait(5000));
}

static void keeps(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    __atomic_store_n((natsMsg **)closure, msg, __ATOMIC_RELEASE);
}

// A message belongs to the callback for as long as it likes.
TEST(message_outlives_everything)
{
    fixture           f = subscribed(NULL);
    natsSubscription *sub;
    natsMsg          *kept = NULL;

    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", keeps, &kept));
    mock_send(f.m, "HMSG foo 1 re 18 22\r\nNATS/1.0\r\nk: v\r\n\r\ndata\r\n");
    WAIT_FOR(__atomic_load_n(&kept, __ATOMIC_ACQUIRE) != NULL, 5000);
    done(&f, sub);
    CHECK_OK(nats_CloseAndWait(5000));
    CHECK_STR(natsMsg_GetSubject(kept), "foo");
    CHECK_STR(natsMsg_GetReply(kept), "re");
    CHECK_STR(natsMsg_GetData(kept), "data");
    {
        const char *value = NULL;

        CHECK_OK(natsMsgHeader_Get(kept, "k", &value));
        CHECK_STR(value, "v");
    }
    natsMsg_Destroy(kept);
}

// ---- odd servers ----

TEST(byte_by_byte)
{
    natsSubscription *sub;
    fixture           f   = subscribed(&sub);
    natsMsg          *msg = NULL;

    mock_drip(f.m,
              "MSG foo 1 5\r\nhello\r\nPING\r\nHMSG foo 1 re.ply 18 22\r\nNATS/1.0\r\nk: "
              "v\r\n\r\ndata\r\n+OK\r\nMSG foo 1 "
              "0\r\n\r\nmsg\tfoo  1\t3 \r\nendJUNK\r\n",
              1);
    NEXT_IS(sub, 5000, "hello");
    CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
    CHECK_STR(natsMsg_GetReply(msg), "re.ply");
    CHECK_STR(natsMsg_GetData(msg), "data");
    natsMsg_Destroy(msg);
    CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
    CHECK_INT(natsMsg_GetDataLength(msg), 0);
    natsMsg_Destroy(msg);
    NEXT_IS(sub, 5000, "end");
    CHECK(mock_wait_line(f.m, 1, "PONG", 1, 5000));
    done(&f, sub);
}

TEST(unknown_sids_are_counted_and_dropped)
{
    natsSubscription *sub;
    fixture           f     = subscribed(&sub);
    natsStatistics   *stats = NULL;
    uint64_t          msgs, bytes;

    mock_send(f.m, "MSG foo 7 3\r\nabc\r\nMSG foo 0 1\r\na\r\nMSG foo 1 2\r\nab\r\n");
    NEXT_IS(sub, 5000, "ab");
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_OK(natsStatistics_Create(&stats));
    CHECK_OK(natsConnection_GetStats(f.nc, stats));
    CHECK_OK(natsStatistics_GetCounts(stats, &msgs, &bytes, NULL, NULL, NULL));
    CHECK_INT(msgs, 3);
    CHECK_INT(bytes, 6);
    natsStatistics_Destroy(stats);
    done(&f, sub);
}

TEST_T(large_messages_arrive_whole, 60000)
{
    static const int  sizes[] = {16000, 16384, 40000, 65536, 100000, 1000000, 5, 300000, 0};
    natsSubscription *sub;
    fixture           f    = subscribed(&sub);
    char             *data = malloc(1000000);
    natsMsg          *msg  = NULL;

    for (int i = 0; i < 1000000; i++)
        data[i] = (char)(i * 11 + i / 253);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    {
        mock_send(f.m, "MSG foo 1 %d\r\n", sizes[i]);
        CHECK(mock_write(f.m, 1, data, (size_t)sizes[i]));
        mock_send(f.m, "\r\n");
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    {
        CHECK_OK(natsSubscription_NextMsg(&msg, sub, 10000));
        CHECK_INT(natsMsg_GetDataLength(msg), sizes[i]);
        CHECK(sizes[i] == 0 || memcmp(natsMsg_GetData(msg), data, (size_t)sizes[i]) == 0);
        CHECK(sizes[i] == 0 || natsMsg_GetData(msg)[sizes[i]] == '\0');
        natsMsg_Destroy(msg);
    }
    free(data);
    done(&f, sub);
}

TEST(padding_of_received_messages)
{
    fixture           f = fixture_create();
    natsSubscription *sub;
    natsMsg          *msg = NULL;

    CHECK_STATUS(natsOptions_SetMessageBufferPadding(f.opts, -1), NATS_INVALID_ARG);
    CHECK_OK(natsOptions_SetMessageBufferPadding(f.opts, 32));
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    mock_send(f.m, "MSG foo 1 3\r\nabc\r\n");
    CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
    CHECK_INT(natsMsg_GetDataLength(msg), 3);
    for (int i = 0; i < 32; i++)
        CHECK_INT(natsMsg_GetData(msg)[3 + i], 0);
    natsMsg_Destroy(msg);
    done(&f, sub);
}
