// Limits: what is dropped, what is counted, how often the program is told.

#include "fixture.h"
#include "gate.h"
#include "trace.h"

#include <pthread.h>

#define T(call) trace_status(#call, call)

static void counters(natsSubscription *sub)
{
    int     pm = 0, pb = 0, mm = 0, mb = 0;
    int64_t delivered = 0, dropped = 0;

    T(natsSubscription_GetStats(sub, &pm, &pb, &mm, &mb, &delivered, &dropped));
    trace("pending %d/%d max %d/%d delivered %d dropped %d", pm, pb, mm, mb, (int)delivered, (int)dropped);
}

static int64_t dropped_by(natsSubscription *sub)
{
    int64_t dropped = 0;

    CHECK_OK(natsSubscription_GetDropped(sub, &dropped));
    return dropped;
}

static void told(fixture *f, int slow)
{
    if (slow > 0)
        WAIT_EVENT(f->ev, "error", slow, 5000);
    quiet_ms(30);
    trace("told %d times", events_count(f->ev, "error"));
}

static void sync_limits(int msgs, int bytes)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;
    int               n   = 0;

    trace("== sync, limits %d %d", msgs, bytes);
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    T(natsSubscription_SetPendingLimits(sub, msgs, bytes));
    fixture_deliver(&f, 1, "12345", 10);
    counters(sub);
    mock_send(f.m, "HMSG foo 1 12 14\r\nNATS/1.0\r\n\r\nab\r\nMSG foo 1 0\r\n\r\n");
    CHECK_OK(natsConnection_Flush(f.nc));
    counters(sub);
    trace("slow %d", events_wait(f.ev, "error", 1, dropped_by(sub) > 0 ? 5000 : 100));
    trace_connection("nc", f.nc);
    while (natsSubscription_NextMsg(&msg, sub, 0) != NATS_TIMEOUT && n < 50)
        n++, natsMsg_Destroy(msg), msg = NULL;
    trace("calls that were no timeout: %d", n);
    counters(sub);
    T(natsSubscription_ClearMaxPending(sub));
    counters(sub);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

static void episodes(bool sync)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;
    int               base;

    trace_scenario(sync ? "episodes, sync" : "episodes, async");
    fixture_connect(&f);
    gate_shut(&handler_gate);
    if (sync)
        CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    else
        CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg_gated, f.ev));
    T(natsSubscription_SetPendingLimits(sub, 3, -1));
    if (!sync)
    {
        // One in the callback, which waits.
        fixture_deliver(&f, 1, "a", 1);
        WAIT_FOR(({
                     int64_t d = 0;
                     natsSubscription_GetDelivered(sub, &d);
                     d == 1;
                 }),
                 5000);
    }
    fixture_deliver(&f, 1, "b", 6);
    told(&f, 1);
    fixture_deliver(&f, 1, "c", 6);
    told(&f, 1);
    counters(sub);
    trace_connection("nc", f.nc);
    base = events_count(f.ev, "msg");
    gate_open(&handler_gate);
    if (sync)
    {
        T(natsSubscription_NextMsg(&msg, sub, 50)); // tells
        T(natsSubscription_NextMsg(&msg, sub, 50));
        natsMsg_Destroy(msg);
    }
    else
        WAIT_EVENT(f.ev, "msg", base + 4, 5000);
    fixture_deliver(&f, 1, "d", 1);
    if (!sync)
        WAIT_EVENT(f.ev, "msg", base + 5, 5000);
    told(&f, 1);
    gate_shut(&handler_gate);
    if (!sync)
        fixture_deliver(&f, 1, "e", 1);
    if (!sync)
        WAIT_FOR(({
                     int64_t d = 0;
                     natsSubscription_GetDelivered(sub, &d);
                     d == 6;
                 }),
                 5000);
    fixture_deliver(&f, 1, "f", 6);
    told(&f, 2);
    counters(sub);
    // A lower limit takes nothing away.
    T(natsSubscription_SetPendingLimits(sub, 1, 1));
    counters(sub);
    gate_open(&handler_gate);
    T(natsSubscription_Unsubscribe(sub));
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

static void by_option(void)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;

    trace_scenario("limit by option");
    T(natsOptions_SetMaxPendingMsgs(f.opts, 4));
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    fixture_deliver(&f, 1, "12345", 10);
    counters(sub);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

int main(void)
{
    nats_Open(-1);
    sync_limits(3, -1);
    sync_limits(-1, 15);
    sync_limits(-1, 14);
    sync_limits(-1, 4);
    sync_limits(100, 100);
    sync_limits(-1, -1);
    episodes(true);
    episodes(false);
    by_option();
    nats_Close();
    return 0;
}
