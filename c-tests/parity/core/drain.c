// Draining subscriptions and connections: statuses, what is still delivered, how it ends.

#include "fixture.h"
#include "gate.h"
#include "trace.h"
#include "wire.h"

#include <pthread.h>

#define T(call) trace_status(#call, call)

static void idle_sync(void)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    natsMsg          *msg = (natsMsg *)8;

    trace_scenario("idle sync");
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    T(natsSubscription_WaitForDrainCompletion(sub, 10));
    T(natsSubscription_DrainCompletionStatus(sub));
    T(natsSubscription_Drain(sub));
    T(natsSubscription_Drain(sub));
    T(natsSubscription_DrainTimeout(sub, 1));
    T(natsSubscription_WaitForDrainCompletion(sub, 5000));
    T(natsSubscription_WaitForDrainCompletion(sub, 0));
    T(natsSubscription_DrainCompletionStatus(sub));
    trace("valid %d", natsSubscription_IsValid(sub));
    T(natsSubscription_NextMsg(&msg, sub, 50));
    trace("valid %d", natsSubscription_IsValid(sub));
    T(natsSubscription_NextMsg(&msg, sub, 50));
    T(natsSubscription_Drain(sub));
    T(natsSubscription_Unsubscribe(sub));
    natsSubscription_Destroy(sub);
    wire_trace(f.m, 1, NULL);
    fixture_destroy(&f);
}

static void queued_sync(int64_t timeout)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;

    trace("== sync with two queued, timeout %d", (int)timeout);
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    fixture_deliver(&f, 1, "x", 2);
    T(natsSubscription_DrainTimeout(sub, timeout));
    T(natsSubscription_WaitForDrainCompletion(sub, 100));
    T(natsSubscription_DrainCompletionStatus(sub));
    T(natsSubscription_NextMsg(&msg, sub, 50));
    natsMsg_Destroy(msg);
    trace("valid %d", natsSubscription_IsValid(sub));
    T(natsSubscription_NextMsg(&msg, sub, 50));
    natsMsg_Destroy(msg);
    trace("valid %d", natsSubscription_IsValid(sub));
    T(natsSubscription_NextMsg(&msg, sub, 50));
    T(natsSubscription_WaitForDrainCompletion(sub, 1000));
    T(natsSubscription_DrainCompletionStatus(sub));
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

static void async_drain(bool pool, int count)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;

    trace("== async, pool %d, %d queued", pool, count);
    CHECK_OK(natsOptions_UseGlobalMessageDelivery(f.opts, pool));
    fixture_connect(&f);
    gate_shut(&handler_gate);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg_gated, f.ev));
    T(natsSubscription_SetOnCompleteCB(sub, on_completed, f.ev));
    fixture_deliver(&f, 1, "x", count);
    T(natsSubscription_Drain(sub));
    if (count > 0)
    {
        trace("valid %d", natsSubscription_IsValid(sub));
        T(natsSubscription_WaitForDrainCompletion(sub, 50));
        T(natsSubscription_DrainCompletionStatus(sub));
        trace("valid %d", natsSubscription_IsValid(sub));
    }
    gate_open(&handler_gate);
    T(natsSubscription_WaitForDrainCompletion(sub, 5000));
    T(natsSubscription_DrainCompletionStatus(sub));
    WAIT_EVENT(f.ev, "complete", 1, 5000);
    trace("callbacks %d valid %d", events_count(f.ev, "msg"), natsSubscription_IsValid(sub));
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

typedef enum
{
    BY_TIME,
    BY_UNSUBSCRIBE,
    BY_CLOSE,
} cut;

static void cut_short(cut how)
{
    static const char *const names[] = {"time", "unsubscribe", "close"};
    fixture                  f       = fixture_create();
    natsSubscription        *sub     = NULL;
    int                      pings;

    trace("== drain cut short by %s", names[how]);
    fixture_connect(&f);
    gate_shut(&handler_gate);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg_gated, f.ev));
    CHECK_OK(natsSubscription_SetOnCompleteCB(sub, on_completed, f.ev));
    fixture_deliver(&f, 1, "x", 5);
    WAIT_FOR(({
                 int64_t d = 0;
                 natsSubscription_GetDelivered(sub, &d);
                 d == 1;
             }),
             5000);
    pings = mock_pings(f.m, 1);
    T(natsSubscription_DrainTimeout(sub, how == BY_TIME ? 150 : 20000));
    if (how != BY_TIME)
        fixture_flush_read(&f, pings);
    if (how == BY_UNSUBSCRIBE)
        T(natsSubscription_Unsubscribe(sub));
    else if (how == BY_CLOSE)
        natsConnection_Close(f.nc);
    WAIT_FOR(!natsSubscription_IsValid(sub), 5000);
    T(natsSubscription_DrainCompletionStatus(sub));
    gate_open(&handler_gate);
    T(natsSubscription_WaitForDrainCompletion(sub, 5000));
    T(natsSubscription_DrainCompletionStatus(sub));
    WAIT_EVENT(f.ev, "complete", 1, 5000);
    trace("callbacks %d", events_count(f.ev, "msg"));
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

// A synchronous subscription that nobody reads, with nothing in it: complete at once, whatever comes later.
// (With something in it the released library never completes such a drain, ours does: see ../drain.c.)
static void cut_short_sync(cut how)
{
    static const char *const names[] = {"time", "unsubscribe", "close"};
    fixture                  f       = fixture_create();
    natsSubscription        *sub     = NULL;
    natsMsg                 *msg     = NULL;

    trace("== drain of sync cut short by %s", names[how]);
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    T(natsSubscription_DrainTimeout(sub, how == BY_TIME ? 150 : 20000));
    T(natsSubscription_WaitForDrainCompletion(sub, 5000));
    if (how == BY_UNSUBSCRIBE)
        T(natsSubscription_Unsubscribe(sub));
    else if (how == BY_CLOSE)
        natsConnection_Close(f.nc);
    else
        quiet_ms(400);
    trace("valid %d", natsSubscription_IsValid(sub));
    T(natsSubscription_DrainCompletionStatus(sub));
    T(natsSubscription_NextMsg(&msg, sub, 0));
    T(natsSubscription_NextMsg(&msg, sub, 50));
    T(natsSubscription_DrainCompletionStatus(sub));
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

static void no_pong(void)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;

    trace_scenario("server that answers no flush");
    fixture_connect(&f);
    mock_mute(f.m);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg, f.ev));
    T(natsSubscription_DrainTimeout(sub, 100));
    T(natsSubscription_WaitForDrainCompletion(sub, 5000));
    T(natsSubscription_DrainCompletionStatus(sub));
    // The reference removes the subscription a moment after it says that the drain is complete.
    trace("valid in the end %d", !HOLDS_WITHIN(!natsSubscription_IsValid(sub), 5000));
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

static void statuses_without_drain(void)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;

    trace_scenario("ends without a drain");
    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg, f.ev));
    T(natsSubscription_SetOnCompleteCB(sub, on_completed, f.ev));
    T(natsSubscription_Unsubscribe(sub));
    WAIT_EVENT(f.ev, "complete", 1, 5000);
    T(natsSubscription_DrainCompletionStatus(sub));
    T(natsSubscription_WaitForDrainCompletion(sub, 10));
    natsSubscription_Destroy(sub);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    T(natsSubscription_Unsubscribe(sub));
    T(natsSubscription_DrainCompletionStatus(sub));
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

static void not_sent_again(void)
{
    fixture           f = fixture_create();
    natsSubscription *a = NULL, *b = NULL;

    trace_scenario("a draining subscription and a reconnect");
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&a, f.nc, "foo"));
    CHECK_OK(natsConnection_SubscribeSync(&b, f.nc, "bar"));
    fixture_deliver(&f, 1, "x", 3);
    T(natsSubscription_Drain(a));
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK_OK(natsConnection_Flush(f.nc));
    trace("foo %d bar %d", mock_count_lines(f.m, 2, "SUB foo"), mock_count_lines(f.m, 2, "SUB bar"));
    T(natsSubscription_Unsubscribe(a));
    natsSubscription_Destroy(a);
    natsSubscription_Destroy(b);
    fixture_destroy(&f);
}

static void whole_connection(void)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL, *late = NULL;
    natsMsg          *msg = (natsMsg *)8;

    trace_scenario("connection");
    T(natsConnection_Drain(NULL));
    T(natsConnection_DrainTimeout(NULL, 1));
    fixture_connect(&f);
    gate_shut(&handler_gate);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg_gated, f.ev));
    CHECK_OK(natsSubscription_SetOnCompleteCB(sub, on_completed, f.ev));
    fixture_deliver(&f, 1, "x", 3);
    T(natsConnection_DrainTimeout(f.nc, 5000));
    T(natsConnection_Drain(f.nc));
    trace("%s draining %d closed %d", conn_status_name(natsConnection_Status(f.nc)),
          natsConnection_IsDraining(f.nc), natsConnection_IsClosed(f.nc));
    T(natsConnection_SubscribeSync(&late, f.nc, "bar"));
    T(natsConnection_PublishString(f.nc, "foo", "first phase"));
    T(natsConnection_RequestString(&msg, f.nc, "foo", "first phase", 20));
    T(natsSubscription_Drain(sub));
    T(natsSubscription_WaitForDrainCompletion(sub, 10));
    gate_open(&handler_gate);
    WAIT_EVENT(f.ev, "closed", 1, 10000);
    T(natsSubscription_WaitForDrainCompletion(sub, 5000));
    T(natsSubscription_DrainCompletionStatus(sub));
    WAIT_EVENT(f.ev, "complete", 1, 5000);
    trace("callbacks %d errors %d", events_count(f.ev, "msg"), events_count(f.ev, "error"));
    T(natsConnection_Drain(f.nc));
    T(natsConnection_PublishString(f.nc, "foo", "closed"));
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

// Whether the server answers no flush at all, or none from the second one on.
static void connection_late(bool mute, bool mute_later, int64_t timeout)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    event             e;

    trace("== connection with a subscription nobody reads, mute %d, later %d, timeout %d", mute, mute_later,
          (int)timeout);
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK_OK(natsConnection_Flush(f.nc));
    if (mute)
        mock_mute(f.m);
    T(natsConnection_DrainTimeout(f.nc, timeout));
    if (mute_later)
    {
        quiet_ms(150);
        mock_mute(f.m);
        if (timeout > 1000)
            T(natsSubscription_Unsubscribe(sub));
    }
    WAIT_EVENT(f.ev, "closed", 1, 10000);
    for (int i = 1; events_get(f.ev, NULL, i, &e); i++)
    {
        const char *text = strstr(e.text, "): ");

        trace("  %s %s %s", e.name, status_name(e.status), text == NULL ? e.text : text + 3);
    }
    trace("valid %d", natsSubscription_IsValid(sub));
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

typedef enum
{
    LEFT_ALONE,
    CLOSED_MEANWHILE,
    UNSUBSCRIBED_MEANWHILE,
    READ_MEANWHILE,
    AWAITED_MEANWHILE,
} meanwhile;

typedef struct
{
    natsSubscription *sub;
    int64_t           timeout;
} reading;

static void *read_until_it_ends(void *arg)
{
    reading   *r = arg;
    natsStatus s = NATS_OK;
    int        n = 0;

    while (s == NATS_OK || s == NATS_TIMEOUT)
    {
        natsMsg *msg = NULL;

        s = natsSubscription_NextMsg(&msg, r->sub, r->timeout);
        n += msg != NULL;
        natsMsg_Destroy(msg);
        pace_ms(5);
    }
    trace("read %d, then %s", n, status_name(s));
    return NULL;
}

// What synchronous subscriptions say after their connection was drained: nobody reads one of them.
static void connection_with_sync(int queued, meanwhile what)
{
    static const char *const names[] = {"left alone", "closed", "unsubscribed", "read", "awaited"};
    fixture                  f       = fixture_create();
    bool                     read    = what == READ_MEANWHILE || what == AWAITED_MEANWHILE;
    natsMsg                 *msg     = NULL;
    reading                  r       = {NULL, what == AWAITED_MEANWHILE ? 10 : 0};
    pthread_t                reader;
    int                      pings;

    trace("== connection drain, sync subscription with %d queued, %s meanwhile", queued, names[what]);
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&r.sub, f.nc, "foo"));
    fixture_deliver(&f, 1, "x", queued);
    pings = mock_pings(f.m, 1);
    T(natsConnection_DrainTimeout(f.nc, what == LEFT_ALONE || read ? 1000 : 20000));
    if (read)
    {
        // Who has read everything before the drain looks for queued messages is a reader of none.
        fixture_flush_read(&f, pings);
        CHECK(pthread_create(&reader, NULL, read_until_it_ends, &r) == 0);
    }
    else
    {
        quiet_ms(100);
        trace("valid %d", natsSubscription_IsValid(r.sub));
        T(natsSubscription_DrainCompletionStatus(r.sub));
    }
    if (what == CLOSED_MEANWHILE)
        natsConnection_Close(f.nc);
    if (what == UNSUBSCRIBED_MEANWHILE)
        T(natsSubscription_Unsubscribe(r.sub));
    WAIT_EVENT(f.ev, "closed", 1, 10000);
    if (read)
        pthread_join(reader, NULL);
    trace("valid %d errors %d", natsSubscription_IsValid(r.sub), events_count(f.ev, "error"));
    T(natsSubscription_DrainCompletionStatus(r.sub));
    T(natsSubscription_NextMsg(&msg, r.sub, 0));
    natsMsg_Destroy(msg);
    T(natsSubscription_NextMsg(&msg, r.sub, 50));
    T(natsSubscription_DrainCompletionStatus(r.sub));
    natsSubscription_Destroy(r.sub);
    fixture_destroy(&f);
}

// An asynchronous one whose callback takes longer than the drain may.
static void connection_with_slow_callback(void)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;

    trace_scenario("connection drain, slow callback");
    fixture_connect(&f);
    gate_shut(&handler_gate);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg_gated, f.ev));
    CHECK_OK(natsSubscription_SetOnCompleteCB(sub, on_completed, f.ev));
    fixture_deliver(&f, 1, "x", 3);
    WAIT_FOR(({
                 int64_t d = 0;
                 natsSubscription_GetDelivered(sub, &d);
                 d == 1;
             }),
             5000);
    T(natsConnection_DrainTimeout(f.nc, 300));
    WAIT_EVENT(f.ev, "closed", 1, 10000);
    trace("valid %d errors %d", natsSubscription_IsValid(sub), events_count(f.ev, "error"));
    T(natsSubscription_DrainCompletionStatus(sub));
    gate_open(&handler_gate);
    WAIT_EVENT(f.ev, "complete", 1, 5000);
    T(natsSubscription_WaitForDrainCompletion(sub, 5000));
    T(natsSubscription_DrainCompletionStatus(sub));
    trace("callbacks %d", events_count(f.ev, "msg"));
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

static void old_requests(void)
{
    fixture           f   = fixture_create();
    natsMsg          *msg = (natsMsg *)8;
    natsSubscription *sub = NULL;

    trace_scenario("old style requests on a draining connection");
    CHECK_OK(natsOptions_UseOldRequestStyle(f.opts, true));
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    T(natsConnection_DrainTimeout(f.nc, 300));
    T(natsConnection_RequestString(&msg, f.nc, "foo", "x", 10));
    trace("%s", msg == NULL ? "NULL" : "set");
    WAIT_EVENT(f.ev, "closed", 1, 10000);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

static void while_reconnecting(void)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;

    trace_scenario("while reconnecting");
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 60000));
    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg, f.ev));
    mock_stop_listening(f.m);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    WAIT_FOR(natsConnection_IsReconnecting(f.nc), 5000);
    T(natsConnection_Drain(f.nc));
    T(natsSubscription_DrainTimeout(sub, 100));
    T(natsSubscription_WaitForDrainCompletion(sub, 5000));
    T(natsSubscription_DrainCompletionStatus(sub));
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

int main(void)
{
    nats_Open(-1);
    idle_sync();
    queued_sync(20000);
    queued_sync(0);
    for (int pool = 0; pool < 2; pool++)
    {
        async_drain(pool, 0);
        async_drain(pool, 3);
    }
    cut_short(BY_TIME);
    cut_short(BY_UNSUBSCRIBE);
    cut_short(BY_CLOSE);
    cut_short_sync(BY_TIME);
    cut_short_sync(BY_UNSUBSCRIBE);
    cut_short_sync(BY_CLOSE);
    for (int queued = 0; queued < 3; queued += 2)
        for (meanwhile what = LEFT_ALONE; what <= AWAITED_MEANWHILE; what++)
            connection_with_sync(queued, what);
    connection_with_slow_callback();
    no_pong();
    statuses_without_drain();
    not_sent_again();
    whole_connection();
    connection_late(false, false, 200);
    connection_late(true, false, 200);
    connection_late(false, true, 400);
    connection_late(false, true, 1500);
    old_requests();
    while_reconnecting();
    nats_Close();
    return 0;
}
