// What is sent after a reconnect, in what order: requests, limits of the reconnect buffer, flushes, headers.

#include <pthread.h>

#include "calls.h"
#include "fixture.h"
#include "trace.h"
#include "wire.h"

static fixture patient(void)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, -1));
    mock_info(f.m, MOCK_ALL, "{\"server_id\":\"x\",\"max_payload\":1000,\"headers\":true,\"proto\":1}");
    return f;
}

static void publishes(int buffer)
{
    fixture  f   = patient();
    natsMsg *msg = NULL;

    trace_scenario("published while away");
    trace("buffer %d", buffer);
    if (buffer >= 0)
        CHECK_OK(natsOptions_SetReconnectBufSize(f.opts, buffer));
    fixture_connect(&f);
    fixture_lose(&f);
    trace_status("publish", natsConnection_PublishString(f.nc, "foo", "1234"));
    trace_status("publish", natsConnection_PublishString(f.nc, "foo", "5678"));
    trace_status("publish", natsConnection_PublishString(f.nc, "foo", "9"));
    trace_status("request", natsConnection_PublishRequestString(f.nc, "foo", "bar", "abc"));
    CHECK_OK(natsMsg_Create(&msg, "foo", NULL, "data", 4));
    CHECK_OK(natsMsgHeader_Set(msg, "a", "b"));
    trace_status("headers", natsConnection_PublishMsg(f.nc, msg));
    natsMsg_Destroy(msg);
    trace_status("send", natsConnection_Send(f.nc, "foo", "now", 3));
    trace_status("too big", natsConnection_Publish(f.nc, "foo", calloc(1, 2000), 2000));
    trace("buffered %d", natsConnection_Buffered(f.nc));
    fixture_regain(&f);
    CHECK_OK(natsConnection_Flush(f.nc));
    wire_trace_lines(f.m, 2, 0);
    trace_connection("nc", f.nc);
    fixture_destroy(&f);
}

static void flush_in_between(void)
{
    fixture  f = patient();
    flushing a;

    trace_scenario("flush between two publishes");
    fixture_connect(&f);
    fixture_lose(&f);
    CHECK_OK(natsConnection_PublishString(f.nc, "foo", "before"));
    flush_begin(&a, f.nc, 10000);
    caller_asleep(&a.by);
    CHECK_OK(natsConnection_PublishString(f.nc, "foo", "after"));
    mock_listen_again(f.m);
    WAIT_EVENT(f.ev, "reconnected", 1, 10000);
    trace_status("flush", flush_end(&a));
    CHECK_OK(natsConnection_Flush(f.nc));
    wire_trace_lines(f.m, 2, 1);
    fixture_destroy(&f);
}

// The subscription of requests comes back, after the others.
static void requests(bool before)
{
    fixture           f   = patient();
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;

    trace_scenario(before ? "request before the loss" : "first request while away");
    fixture_connect(&f);
    if (before)
        trace_status("request", natsConnection_RequestString(&msg, f.nc, "svc", "q", 20));
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    fixture_lose(&f);
    trace_status("request", natsConnection_RequestString(&msg, f.nc, "svc", "r", 20));
    fixture_regain(&f);
    CHECK_OK(natsConnection_Flush(f.nc));
    wire_trace_lines(f.m, 2, 1);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

static void unsubscribed(void)
{
    fixture           f = patient();
    natsSubscription *a = NULL, *b = NULL;

    trace_scenario("subscribed and unsubscribed while away");
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&a, f.nc, "a"));
    fixture_lose(&f);
    CHECK_OK(natsConnection_QueueSubscribeSync(&b, f.nc, "b", "q"));
    trace_status("auto-unsubscribe", natsSubscription_AutoUnsubscribe(b, 3));
    trace_status("unsubscribe", natsSubscription_Unsubscribe(a));
    fixture_regain(&f);
    CHECK_OK(natsConnection_Flush(f.nc));
    wire_trace_lines(f.m, 2, 1);
    natsSubscription_Destroy(a);
    natsSubscription_Destroy(b);
    fixture_destroy(&f);
}

static void verbose(void)
{
    fixture f = patient();

    trace_scenario("verbose");
    CHECK_OK(natsOptions_SetVerbose(f.opts, true));
    fixture_connect(&f);
    fixture_lose(&f);
    CHECK_OK(natsConnection_PublishString(f.nc, "foo", "x"));
    fixture_regain(&f);
    CHECK_OK(natsConnection_Flush(f.nc));
    wire_trace_lines(f.m, 2, 0);
    fixture_destroy(&f);
}

int main(void)
{
    publishes(-1);
    publishes(32);
    publishes(0);
    flush_in_between();
    requests(true);
    requests(false);
    unsubscribed();
    verbose();
    return 0;
}
