// Auto-unsubscribe: the lines, the counts, the end; also across a reconnect.

#include "fixture.h"
#include "trace.h"
#include "wire.h"

#define T(call) trace_status(#call, call)

static void on_msg_valid(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ev)
{
    char text[32];

    (void)nc;
    snprintf(text, sizeof text, "%s%s", natsMsg_GetData(msg), natsSubscription_IsValid(sub) ? " valid" : "");
    events_add(ev, "msg", NATS_OK, text);
    natsMsg_Destroy(msg);
}

static void tell(fixture *f)
{
    event e;

    for (int i = 1; events_get(f->ev, NULL, i, &e); i++)
        if (strcmp(e.name, "msg") == 0 || strcmp(e.name, "complete") == 0)
            trace("  %s %s", e.name, e.text);
}

static void async_max(bool pool, int max, int before)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    char             *text;

    trace("== async, pool %d, max %d set after %d of 10", pool, max, before);
    CHECK_OK(natsOptions_UseGlobalMessageDelivery(f.opts, pool));
    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg_valid, f.ev));
    T(natsSubscription_SetOnCompleteCB(sub, on_completed, f.ev));
    text = frames("foo", 1, "x", before);
    mock_write(f.m, 1, text, strlen(text));
    free(text);
    CHECK(events_wait(f.ev, "msg", before, 5000));
    WAIT_FOR(({
                 uint64_t q = 9;
                 natsSubscription_QueuedMsgs(sub, &q);
                 q == 0;
             }),
             5000);
    quiet_ms(20);
    T(natsSubscription_AutoUnsubscribe(sub, max));
    text = frames("foo", 1, "y", 10 - before);
    mock_write(f.m, 1, text, strlen(text));
    free(text);
    CHECK_OK(natsConnection_Flush(f.nc));
    if (max > 0 && max < 10)
        WAIT_EVENT(f.ev, "complete", 1, 5000);
    else if (max > 0)
        WAIT_EVENT(f.ev, "msg", 10, 5000);
    quiet_ms(50);
    tell(&f);
    trace("valid %d", natsSubscription_IsValid(sub));
    T(natsSubscription_DrainCompletionStatus(sub));
    natsSubscription_Destroy(sub);
    WAIT_EVENT(f.ev, "complete", 1, 5000); // its recorder ends with the fixture
    wire_trace(f.m, 1, f.nc);
    fixture_destroy(&f);
}

static void across_reconnect(int max, int before)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    char             *text;

    trace("== reconnect after %d of %d", before, max);
    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg_valid, f.ev));
    CHECK_OK(natsSubscription_SetOnCompleteCB(sub, on_completed, f.ev));
    T(natsSubscription_AutoUnsubscribe(sub, max));
    text = frames("foo", 1, "x", before);
    mock_write(f.m, 1, text, strlen(text));
    free(text);
    WAIT_EVENT(f.ev, "msg", before, 5000);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    text = frames("foo", 1, "y", 10);
    mock_write(f.m, 2, text, strlen(text));
    free(text);
    WAIT_EVENT(f.ev, "complete", 1, 5000);
    trace("callbacks %d valid %d", events_count(f.ev, "msg"), natsSubscription_IsValid(sub));
    natsSubscription_Destroy(sub);
    // The reconnect's own PING is in here: without the flush's.
    CHECK_OK(natsConnection_PublishString(f.nc, "end", ""));
    CHECK(mock_wait_pubs(f.m, 2, 1, 5000));
    {
        char *line = mock_find(f.m, 2, "UNSUB");

        trace("%s", line);
        free(line);
        trace("SUB lines %d, UNSUB lines %d", mock_count_lines(f.m, 2, "SUB "),
              mock_count_lines(f.m, 2, "UNSUB "));
    }
    fixture_destroy(&f);
}

static void sync_max(void)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;

    trace_scenario("sync");
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    mock_send(f.m, "MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\nMSG foo 1 1\r\nc\r\nMSG foo 1 1\r\nd\r\n");
    CHECK_OK(natsConnection_Flush(f.nc));
    T(natsSubscription_NextMsg(&msg, sub, 50));
    natsMsg_Destroy(msg);
    T(natsSubscription_AutoUnsubscribe(sub, 5));
    T(natsSubscription_AutoUnsubscribe(sub, 3));
    T(natsSubscription_NextMsg(&msg, sub, 50));
    natsMsg_Destroy(msg);
    T(natsSubscription_AutoUnsubscribe(sub, 2));
    trace("valid %d", natsSubscription_IsValid(sub));
    T(natsSubscription_NextMsg(&msg, sub, 50));
    T(natsSubscription_AutoUnsubscribe(sub, 2));
    natsSubscription_Destroy(sub);

    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    T(natsSubscription_AutoUnsubscribe(sub, 1));
    mock_send(f.m, "MSG foo 2 1\r\na\r\n");
    T(natsSubscription_NextMsg(&msg, sub, 5000));
    natsMsg_Destroy(msg);
    trace("valid %d", natsSubscription_IsValid(sub));
    T(natsSubscription_Unsubscribe(sub));
    T(natsSubscription_AutoUnsubscribe(sub, 7));
    T(natsSubscription_Drain(sub));
    natsSubscription_Destroy(sub);
    wire_trace(f.m, 1, f.nc);
    fixture_destroy(&f);
}

int main(void)
{
    nats_Open(-1);
    sync_max();
    for (int pool = 0; pool < 2; pool++)
    {
        async_max(pool, 1, 0);
        async_max(pool, 5, 0);
        async_max(pool, 5, 3);
        async_max(pool, 10, 3);
        async_max(pool, 20, 3);
        async_max(pool, -1, 3);
    }
    across_reconnect(5, 2);
    across_reconnect(3, 1);
    nats_Close();
    return 0;
}
