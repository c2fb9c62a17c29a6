// Limits: what is dropped, what is counted, how often the program is told.

#include "fixture.h"
#include "trace.h"

#include <pthread.h>

#define T(call) trace_status(#call, call)

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void gated(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ev)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    on_msg(nc, sub, msg, ev);
}

static void counters(natsSubscription *sub)
{
    int     pm = 0, pb = 0, mm = 0, mb = 0;
    int64_t delivered = 0, dropped = 0;

    T(natsSubscription_GetStats(sub, &pm, &pb, &mm, &mb, &delivered, &dropped));
    trace("pending %d/%d max %d/%d delivered %d dropped %d", pm, pb, mm, mb, (int)delivered, (int)dropped);
}

static void send_many(fixture *f, const char *data, int count)
{
    char *text = frames("foo", 1, data, count);

    mock_write(f->m, MOCK_LATEST, text, strlen(text));
    free(text);
    CHECK_OK(natsConnection_Flush(f->nc));
}

static void told(fixture *f, int slow)
{
    if (slow > 0)
        WAIT_EVENT(f->ev, "error", slow, 5000);
    sleep_ms(30);
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
    send_many(&f, "12345", 10);
    counters(sub);
    mock_send(f.m, "HMSG foo 1 12 14\r\nNATS/1.0\r\n\r\nab\r\nMSG foo 1 0\r\n\r\n");
    CHECK_OK(natsConnection_Flush(f.nc));
    counters(sub);
    trace("slow %d", events_wait(f.ev, "error", 1, 100));
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
    pthread_mutex_lock(&gate);
    if (sync)
        CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    else
        CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", gated, f.ev));
    T(natsSubscription_SetPendingLimits(sub, 3, -1));
    if (!sync)
    {
        // One in the callback, which waits.
        send_many(&f, "a", 1);
        WAIT_FOR(({ int64_t d = 0; natsSubscription_GetDelivered(sub, &d); d == 1; }), 5000);
    }
    send_many(&f, "b", 6);
    told(&f, 1);
    send_many(&f, "c", 6);
    told(&f, 1);
    counters(sub);
    trace_connection("nc", f.nc);
    base = events_count(f.ev, "msg");
    pthread_mutex_unlock(&gate);
    if (sync)
    {
        T(natsSubscription_NextMsg(&msg, sub, 50)); // tells
        T(natsSubscription_NextMsg(&msg, sub, 50));
        natsMsg_Destroy(msg);
    }
    else
        WAIT_EVENT(f.ev, "msg", base + 4, 5000);
    send_many(&f, "d", 1);
    if (!sync)
        WAIT_EVENT(f.ev, "msg", base + 5, 5000);
    told(&f, 1);
    pthread_mutex_lock(&gate);
    if (!sync)
        send_many(&f, "e", 1);
    if (!sync)
        WAIT_FOR(({ int64_t d = 0; natsSubscription_GetDelivered(sub, &d); d == 6; }), 5000);
    send_many(&f, "f", 6);
    told(&f, 2);
    counters(sub);
    // A lower limit takes nothing away.
    T(natsSubscription_SetPendingLimits(sub, 1, 1));
    counters(sub);
    pthread_mutex_unlock(&gate);
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
    send_many(&f, "12345", 10);
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
