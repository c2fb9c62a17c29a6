// Getters, limits and counters of subscriptions: NULL, open, closed, and with the connection closed.

#include "fixture.h"
#include "trace.h"

#define T(call) trace_status(#call, call)

static void all_getters(natsSubscription *sub)
{
    uint64_t   queued = 77;
    int64_t    n64    = 77;
    int        a = 77, b = 77, c = 77, d = 77;
    int64_t    delivered = 77, dropped = 77;
    natsStatus s;

    trace("id %d subject %s connection %s valid %d", (int)natsSubscription_GetID(sub),
          natsSubscription_GetSubject(sub) == NULL ? "NULL" : natsSubscription_GetSubject(sub),
          natsSubscription_GetConnection(sub) == NULL ? "NULL" : "set", natsSubscription_IsValid(sub));
    s = natsSubscription_QueuedMsgs(sub, &queued);
    trace("QueuedMsgs: %s %d", status_name(s), s == NATS_OK ? (int)queued : -1);
    T(natsSubscription_QueuedMsgs(sub, NULL));
    s = natsSubscription_GetPending(sub, &a, &b);
    trace("GetPending: %s %d %d", status_name(s), s == NATS_OK ? a : -1, s == NATS_OK ? b : -1);
    T(natsSubscription_GetPending(sub, NULL, NULL));
    s = natsSubscription_GetPendingLimits(sub, &a, &b);
    trace("GetPendingLimits: %s %d %d", status_name(s), s == NATS_OK ? a : -1, s == NATS_OK ? b : -1);
    T(natsSubscription_GetPendingLimits(sub, NULL, NULL));
    s = natsSubscription_GetMaxPending(sub, &a, &b);
    trace("GetMaxPending: %s %d %d", status_name(s), s == NATS_OK ? a : -1, s == NATS_OK ? b : -1);
    T(natsSubscription_GetMaxPending(sub, NULL, NULL));
    s = natsSubscription_GetDelivered(sub, &n64);
    trace("GetDelivered: %s %d", status_name(s), s == NATS_OK ? (int)n64 : -1);
    T(natsSubscription_GetDelivered(sub, NULL));
    s = natsSubscription_GetDropped(sub, &n64);
    trace("GetDropped: %s %d", status_name(s), s == NATS_OK ? (int)n64 : -1);
    T(natsSubscription_GetDropped(sub, NULL));
    s = natsSubscription_GetStats(sub, &a, &b, &c, &d, &delivered, &dropped);
    if (s == NATS_OK)
        trace("GetStats: %d %d %d %d %d %d", a, b, c, d, (int)delivered, (int)dropped);
    else
        trace_status("GetStats", s);
    T(natsSubscription_GetStats(sub, NULL, NULL, NULL, NULL, NULL, NULL));
    T(natsSubscription_ClearMaxPending(sub));
    T(natsSubscription_NoDeliveryDelay(sub));
    T(natsSubscription_SetPendingLimits(sub, 0, 10));
    T(natsSubscription_SetPendingLimits(sub, 10, 0));
    T(natsSubscription_SetPendingLimits(sub, -1, -7));
    s = natsSubscription_GetPendingLimits(sub, &a, &b);
    trace("GetPendingLimits: %s %d %d", status_name(s), s == NATS_OK ? a : -1, s == NATS_OK ? b : -1);
    T(natsSubscription_SetPendingLimits(sub, 10, 2000));
    T(natsSubscription_SetOnCompleteCB(sub, NULL, NULL));
    T(natsSubscription_DrainCompletionStatus(sub));
    T(natsSubscription_WaitForDrainCompletion(sub, 10));
}

static void set_options(natsOptions *opts, int msgs, int64_t bytes)
{
    trace("-- options %d %d", msgs, (int)bytes);
    if (msgs != 0)
        T(natsOptions_SetMaxPendingMsgs(opts, msgs));
    if (bytes != 0)
        T(natsOptions_SetMaxPendingBytes(opts, bytes));
}

static void defaults(int msgs, int64_t bytes)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    int               m = 0, b = 0;

    set_options(f.opts, msgs, bytes);
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    T(natsSubscription_GetPendingLimits(sub, &m, &b));
    trace("limits %d %d", m, b);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

static void sync_life(void)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL, *other = NULL;
    natsMsg          *msg = NULL;

    fixture_connect(&f);
    trace_scenario("sync, fresh");
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK_OK(natsConnection_QueueSubscribeSync(&other, f.nc, "bar", "q"));
    all_getters(sub);
    T(natsSubscription_SetOnCompleteCB(sub, on_completed, f.ev));
    mock_send(f.m, "MSG foo 1 5\r\nhello\r\nHMSG foo 1 12 14\r\nNATS/1.0\r\n\r\nab\r\nMSG foo 1 0\r\n\r\n");
    CHECK_OK(natsConnection_Flush(f.nc));
    trace_scenario("sync, three queued");
    all_getters(sub);
    T(natsSubscription_NextMsg(&msg, sub, 1000));
    natsMsg_Destroy(msg);
    trace_scenario("sync, one taken, high water cleared");
    all_getters(sub);
    T(natsSubscription_Unsubscribe(sub));
    trace_scenario("sync, closed");
    all_getters(sub);
    natsConnection_Close(f.nc);
    trace_scenario("sync, connection closed");
    all_getters(other);
    T(natsSubscription_Unsubscribe(other));
    T(natsSubscription_Unsubscribe(sub));
    T(natsSubscription_AutoUnsubscribe(sub, 3));
    T(natsSubscription_Drain(sub));
    T(natsSubscription_DrainTimeout(other, 10));
    natsSubscription_Destroy(sub);
    natsSubscription_Destroy(other);
    fixture_destroy(&f);
}

static void async_life(bool pool)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL, *idle = NULL;
    event             last;

    T(natsOptions_UseGlobalMessageDelivery(f.opts, pool));
    fixture_connect(&f);
    trace_scenario(pool ? "async in the pool" : "async");
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg, f.ev));
    CHECK_OK(natsConnection_Subscribe(&idle, f.nc, "bar", on_msg_ignored, NULL));
    all_getters(sub);
    T(natsSubscription_SetOnCompleteCB(sub, on_completed, f.ev));
    mock_send(f.m, "MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\nMSG foo 1 1\r\nc\r\n");
    WAIT_EVENT(f.ev, "msg", 3, 5000);
    WAIT_FOR(({
                 uint64_t q = 9;
                 natsSubscription_QueuedMsgs(sub, &q);
                 q == 0;
             }),
             5000);
    T(natsSubscription_ClearMaxPending(sub));
    T(natsSubscription_Unsubscribe(sub));
    WAIT_EVENT(f.ev, "complete", 1, 5000);
    for (int i = 1; events_get(f.ev, NULL, i, &last); i++)
        trace("  %s %s", last.name, strcmp(last.name, "msg") == 0 ? last.text : "");
    all_getters(sub);
    T(natsSubscription_SetOnCompleteCB(sub, on_completed, f.ev));
    T(natsSubscription_SetOnCompleteCB(idle, on_completed, f.ev));
    natsConnection_Close(f.nc);
    WAIT_EVENT(f.ev, "complete", 2, 5000);
    all_getters(idle);
    natsSubscription_Destroy(sub);
    natsSubscription_Destroy(idle);
    fixture_destroy(&f);
}

int main(void)
{
    nats_Open(-1);
    trace_scenario("NULL");
    all_getters(NULL);
    T(natsSubscription_SetOnCompleteCB(NULL, on_completed, NULL));
    T(natsSubscription_Drain(NULL));
    T(natsSubscription_DrainTimeout(NULL, 1));
    defaults(0, 0);
    defaults(10, 0);
    defaults(0, 12345);
    defaults(10, 12345);
    defaults(1000000, 0);
    defaults(-1, -1);
    sync_life();
    async_life(false);
    async_life(true);
    nats_Close();
    return 0;
}
