// NextMsg: its statuses in every state, and what it leaves in *nextMsg.

#include "calls.h"
#include "fixture.h"
#include "trace.h"

#include <pthread.h>

static void next(const char *what, natsSubscription *sub, int64_t timeout)
{
    natsMsg   *msg = (natsMsg *)8;
    int64_t    t   = now_ms();
    natsStatus s   = natsSubscription_NextMsg(&msg, sub, timeout);
    int64_t    ms  = now_ms() - t;

    if (s == NATS_OK)
    {
        trace("%s: OK '%s'%s", what, natsMsg_GetData(msg),
              natsSubscription_IsValid(sub) ? "" : " and invalid");
        natsMsg_Destroy(msg);
        return;
    }
    trace("%s: %s%s%s%s", what, status_name(s), msg == (natsMsg *)8 ? " untouched" : " touched",
          natsSubscription_IsValid(sub) ? "" : " invalid", timeout > 0 && ms >= timeout - 5 ? " waited" : "");
}

static fixture start(const char *name, natsSubscription **sub)
{
    fixture f = fixture_create();

    trace_scenario(name);
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(sub, f.nc, "foo"));
    return f;
}

static void end(fixture *f, natsSubscription *sub)
{
    natsSubscription_Destroy(sub);
    fixture_destroy(f);
}

typedef struct
{
    natsSubscription *sub;
    const char       *what;
    int64_t           timeout;
} waiting;

static void *wait_next(void *arg)
{
    waiting *w = arg;

    next(w->what, w->sub, w->timeout);
    return NULL;
}

static void begin(caller *c, waiting *w)
{
    caller_start(c, wait_next, w);
    caller_asleep(c);
}

static void plain(void)
{
    natsSubscription *sub, *async = NULL;
    fixture           f = start("plain", &sub);

    trace_status("no out", natsSubscription_NextMsg(NULL, sub, 10));
    next("no subscription", NULL, 10);
    next("nothing, 0", sub, 0);
    next("nothing, -1", sub, -1);
    next("nothing, 50", sub, 50);
    mock_send(f.m, "MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\nMSG foo 1 1\r\nc\r\nMSG foo 1 0\r\n\r\n");
    CHECK_OK(natsConnection_Flush(f.nc));
    next("queued, 0", sub, 0);
    next("queued, -1", sub, -1);
    next("queued, 50", sub, 50);
    next("empty payload", sub, 50);
    next("nothing", sub, 0);
    mock_send(f.m,
              "HMSG foo 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\nHMSG foo 1 16 17\r\nNATS/1.0 503\r\n\r\nx\r\n");
    CHECK_OK(natsConnection_Flush(f.nc));
    next("no responders", sub, 50);
    next("503 with data", sub, 50);
    CHECK_OK(natsConnection_Subscribe(&async, f.nc, "bar", on_msg_ignored, NULL));
    next("async", async, 10);
    CHECK_OK(natsSubscription_Unsubscribe(async));
    next("closed async", async, 10);
    mock_send(f.m, "MSG foo 1 1\r\na\r\n");
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_OK(natsSubscription_Unsubscribe(sub));
    next("unsubscribed with one queued", sub, 10);
    natsConnection_Close(f.nc);
    next("connection closed", sub, 10);
    natsSubscription_Destroy(async);
    end(&f, sub);
}

static void woken(void)
{
    natsSubscription *sub;
    fixture           f = start("woken by a message", &sub);
    waiting           w = {NULL, "waiting", 10000};
    caller            t;

    w.sub = sub;
    begin(&t, &w);
    mock_send(f.m, "MSG foo 1 1\r\na\r\n");
    caller_join(&t);

    trace_scenario("woken by an unsubscribe");
    begin(&t, &w);
    CHECK_OK(natsSubscription_Unsubscribe(sub));
    caller_join(&t);
    end(&f, sub);

    f     = start("woken by a close", &sub);
    w.sub = sub;
    begin(&t, &w);
    natsConnection_Close(f.nc);
    caller_join(&t);
    end(&f, sub);

    f     = start("woken by a drain", &sub);
    w.sub = sub;
    begin(&t, &w);
    CHECK_OK(natsSubscription_Drain(sub));
    caller_join(&t);
    trace_status("drained", natsSubscription_WaitForDrainCompletion(sub, 5000));
    trace_status("status", natsSubscription_DrainCompletionStatus(sub));
    next("afterwards", sub, 10);
    end(&f, sub);

    f     = start("not woken by a reconnect", &sub);
    w.sub = sub;
    begin(&t, &w);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    mock_send(f.m, "MSG foo 1 1\r\nz\r\n");
    caller_join(&t);
    end(&f, sub);
}

static void limits(void)
{
    natsSubscription *sub;
    fixture           f = start("slow", &sub);

    CHECK_OK(natsSubscription_SetPendingLimits(sub, 2, -1));
    for (int i = 0; i < 2; i++)
    {
        mock_send(f.m, "MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\nMSG foo 1 1\r\nc\r\nMSG foo 1 1\r\nd\r\n");
        CHECK_OK(natsConnection_Flush(f.nc));
        next("first", sub, 50);
        next("second", sub, 50);
        next("third", sub, 50);
        next("fourth", sub, 0);
    }
    mock_send(f.m, "MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\nMSG foo 1 1\r\nc\r\n");
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_OK(natsSubscription_Unsubscribe(sub));
    next("closed while slow", sub, 50);
    end(&f, sub);

    f = start("auto-unsubscribe", &sub);
    CHECK_OK(natsSubscription_AutoUnsubscribe(sub, 2));
    mock_send(f.m, "MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\nMSG foo 1 1\r\nc\r\n");
    CHECK_OK(natsConnection_Flush(f.nc));
    next("first", sub, 50);
    next("second", sub, 50);
    next("third", sub, 50);
    next("fourth", sub, 0);
    trace_status("Unsubscribe", natsSubscription_Unsubscribe(sub));
    natsConnection_Close(f.nc);
    next("connection closed", sub, 50);
    end(&f, sub);
}

int main(void)
{
    nats_Open(-1);
    plain();
    woken();
    limits();
    nats_Close();
    return 0;
}
