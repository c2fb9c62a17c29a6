// Draining subscriptions and connections.

#include "calls.h"
#include "fixture.h"
#include "gate.h"
#include "server.h"
#include "wire.h"

#include <pthread.h>

static void finish(fixture *f, natsSubscription *sub)
{
    natsSubscription_Destroy(sub);
    fixture_destroy(f);
    // No drain may hold the library up.
    CHECK_OK(nats_CloseAndWait(5000));
}

TEST(not_drained)
{
    fixture           f = fixture_connected();
    natsSubscription *sub;

    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg, f.ev));
    CHECK_STATUS(natsSubscription_WaitForDrainCompletion(sub, 10), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsSubscription_DrainCompletionStatus(sub), NATS_ILLEGAL_STATE);
    finish(&f, sub);
}

TEST(what_is_queued_is_delivered)
{
    fixture           f = fixture_connected();
    natsSubscription *sub;
    int64_t           t;

    gate_shut(&handler_gate);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg_gated, f.ev));
    CHECK_OK(natsSubscription_SetOnCompleteCB(sub, on_completed, f.ev));
    fixture_deliver(&f, 1, "x", 20);
    t = now_ms();
    CHECK_OK(natsSubscription_Drain(sub));
    CHECK_OK(natsSubscription_Drain(sub));
    CHECK(now_ms() - t < 2000);
    CHECK(natsSubscription_IsValid(sub));
    CHECK_STATUS(natsSubscription_WaitForDrainCompletion(sub, 30), NATS_TIMEOUT);
    CHECK_STATUS(natsSubscription_DrainCompletionStatus(sub), NATS_ILLEGAL_STATE);
    gate_open(&handler_gate);
    CHECK_OK(natsSubscription_WaitForDrainCompletion(sub, 5000));
    CHECK_OK(natsSubscription_DrainCompletionStatus(sub));
    WAIT_EVENT(f.ev, "complete", 1, 5000);
    CHECK_INT(events_count(f.ev, "msg"), 20);
    CHECK(!natsSubscription_IsValid(sub));
    CHECK_STATUS(natsSubscription_Drain(sub), NATS_INVALID_SUBSCRIPTION);
    CHECK_INT(mock_count_lines(f.m, 1, "UNSUB 1 "), 1);
    finish(&f, sub);
}

// What arrives before the flush is answered still counts.
TEST(messages_before_the_pong_are_delivered)
{
    fixture           f = fixture_connected();
    natsSubscription *sub;

    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg, f.ev));
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_auto_pong(f.m, false);
    CHECK_OK(natsSubscription_Drain(sub));
    CHECK(mock_wait_line(f.m, 1, "UNSUB 1", 1, 5000));
    CHECK(mock_wait_pings(f.m, 1, 2, 5000));
    mock_send(f.m, "MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\nPONG\r\n");
    CHECK_OK(natsSubscription_WaitForDrainCompletion(sub, 5000));
    CHECK_OK(natsSubscription_DrainCompletionStatus(sub));
    CHECK_INT(events_count(f.ev, "msg"), 2);
    mock_auto_pong(f.m, true);
    finish(&f, sub);
}

TEST(idle_sync)
{
    fixture           f = fixture_connected();
    natsSubscription *sub;
    natsMsg          *msg = NULL;

    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK_OK(natsSubscription_Drain(sub));
    CHECK_OK(natsSubscription_WaitForDrainCompletion(sub, 5000));
    CHECK_OK(natsSubscription_DrainCompletionStatus(sub));
    CHECK(natsSubscription_IsValid(sub));
    CHECK_STATUS(natsSubscription_NextMsg(&msg, sub, 5000), NATS_TIMEOUT);
    CHECK(!natsSubscription_IsValid(sub));
    CHECK_STATUS(natsSubscription_NextMsg(&msg, sub, 10), NATS_INVALID_SUBSCRIPTION);
    finish(&f, sub);
}

// Without a limit an idle synchronous subscription is drained by the one who reads it.
TEST(idle_sync_without_limit)
{
    fixture           f = fixture_connected();
    natsSubscription *sub;
    natsMsg          *msg = NULL;

    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK_OK(natsSubscription_DrainTimeout(sub, 0));
    CHECK_STATUS(natsSubscription_WaitForDrainCompletion(sub, 50), NATS_TIMEOUT);
    CHECK_STATUS(natsSubscription_NextMsg(&msg, sub, 0), NATS_TIMEOUT);
    CHECK_STATUS(natsSubscription_WaitForDrainCompletion(sub, 50), NATS_TIMEOUT);
    CHECK_STATUS(natsSubscription_NextMsg(&msg, sub, 5000), NATS_TIMEOUT);
    CHECK_OK(natsSubscription_WaitForDrainCompletion(sub, 5000));
    finish(&f, sub);
}

TEST(sync_read_to_the_end)
{
    fixture           f = fixture_connected();
    natsSubscription *sub;
    natsMsg          *msg = NULL;
    int               pings;

    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    fixture_deliver(&f, 1, "x", 2);
    pings = mock_pings(f.m, 1);
    CHECK_OK(natsSubscription_Drain(sub));
    fixture_flush_read(&f, pings);
    others_asleep(); // the drain has seen its flush answered
    CHECK_STATUS(natsSubscription_WaitForDrainCompletion(sub, 10), NATS_TIMEOUT);
    CHECK_OK(natsSubscription_NextMsg(&msg, sub, 10));
    natsMsg_Destroy(msg);
    CHECK(natsSubscription_IsValid(sub));
    CHECK_OK(natsSubscription_NextMsg(&msg, sub, 10));
    natsMsg_Destroy(msg);
    CHECK(!natsSubscription_IsValid(sub));
    CHECK_STATUS(natsSubscription_NextMsg(&msg, sub, 10), NATS_INVALID_SUBSCRIPTION);
    CHECK_OK(natsSubscription_WaitForDrainCompletion(sub, 5000));
    CHECK_OK(natsSubscription_DrainCompletionStatus(sub));
    finish(&f, sub);
}

// Left unread, a synchronous subscription's drain ends at its deadline all the same.
TEST(sync_left_unread)
{
    fixture           f = fixture_connected();
    natsSubscription *sub;
    natsMsg          *msg = NULL;

    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    fixture_deliver(&f, 1, "x", 2);
    CHECK_OK(natsSubscription_DrainTimeout(sub, 100));
    CHECK_OK(natsSubscription_WaitForDrainCompletion(sub, 5000));
    CHECK_STATUS(natsSubscription_DrainCompletionStatus(sub), NATS_TIMEOUT);
    CHECK_STATUS(natsSubscription_NextMsg(&msg, sub, 10), NATS_INVALID_SUBSCRIPTION);
    finish(&f, sub);
}

// Drained along with its connection, it has no drain status; waiting for one ends all the same.
TEST(sync_left_unread_by_a_draining_connection)
{
    fixture           f = fixture_connected();
    natsSubscription *sub;

    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    fixture_deliver(&f, 1, "x", 2);
    CHECK_OK(natsConnection_DrainTimeout(f.nc, 100));
    CHECK_STATUS(natsSubscription_WaitForDrainCompletion(sub, 0), NATS_TIMEOUT);
    CHECK_STATUS(natsSubscription_DrainCompletionStatus(sub), NATS_ILLEGAL_STATE);
    CHECK(!natsSubscription_IsValid(sub));
    finish(&f, sub);
}

// A drain nobody needs any more does not linger until its deadline of 30 s.
TEST(sync_unsubscribed_while_draining)
{
    fixture           f = fixture_connected();
    natsSubscription *sub;

    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    fixture_deliver(&f, 1, "x", 2);
    CHECK_OK(natsSubscription_Drain(sub));
    CHECK_OK(natsSubscription_Unsubscribe(sub));
    CHECK_OK(natsSubscription_WaitForDrainCompletion(sub, 5000));
    CHECK_STATUS(natsSubscription_DrainCompletionStatus(sub), NATS_INVALID_SUBSCRIPTION);
    finish(&f, sub);
}

typedef enum
{
    TIME,
    UNSUBSCRIBE,
    CLOSE,
} cut;

static void cut_short(cut how, natsStatus want)
{
    fixture           f = fixture_connected();
    natsSubscription *sub;
    int               pings;

    gate_shut(&handler_gate);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg_gated, f.ev));
    CHECK_OK(natsSubscription_SetOnCompleteCB(sub, on_completed, f.ev));
    fixture_deliver(&f, 1, "x", 5);
    WAIT_FOR(atomic_load(&handler_gate.inside) > 0, 5000);
    pings = mock_pings(f.m, 1);
    CHECK_OK(natsSubscription_DrainTimeout(sub, how == TIME ? 100 : 20000));
    if (how != TIME)
        fixture_flush_read(&f, pings);
    if (how == UNSUBSCRIBE)
        CHECK_OK(natsSubscription_Unsubscribe(sub));
    else if (how == CLOSE)
        natsConnection_Close(f.nc);
    WAIT_FOR(!natsSubscription_IsValid(sub), 5000);
    CHECK_STATUS(natsSubscription_DrainCompletionStatus(sub), NATS_ILLEGAL_STATE);
    CHECK_INT(events_count(f.ev, "complete"), 0);
    gate_open(&handler_gate);
    CHECK_OK(natsSubscription_WaitForDrainCompletion(sub, 5000));
    CHECK_STATUS(natsSubscription_DrainCompletionStatus(sub), want);
    WAIT_EVENT(f.ev, "complete", 1, 5000);
    CHECK_INT(events_count(f.ev, "msg"), 1);
    finish(&f, sub);
}

TEST(ended_by_its_deadline)
{
    cut_short(TIME, NATS_TIMEOUT);
}

TEST(ended_by_unsubscribe)
{
    cut_short(UNSUBSCRIBE, NATS_INVALID_SUBSCRIPTION);
}

TEST(ended_by_close)
{
    cut_short(CLOSE, NATS_CONNECTION_CLOSED);
}

TEST(failing_flush)
{
    fixture           f = fixture_connected();
    natsSubscription *sub;

    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg, f.ev));
    mock_mute(f.m);
    CHECK_OK(natsSubscription_DrainTimeout(sub, 100));
    CHECK_OK(natsSubscription_WaitForDrainCompletion(sub, 5000));
    CHECK_STATUS(natsSubscription_DrainCompletionStatus(sub), NATS_TIMEOUT);
    CHECK(!natsSubscription_IsValid(sub));
    finish(&f, sub);
}

TEST(not_sent_again_after_a_reconnect)
{
    fixture           f = fixture_connected();
    natsSubscription *sub, *other;

    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK_OK(natsConnection_SubscribeSync(&other, f.nc, "bar"));
    fixture_deliver(&f, 1, "x", 1);
    CHECK_OK(natsSubscription_Drain(sub));
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_INT(mock_count_lines(f.m, 2, "SUB foo"), 0);
    CHECK_INT(mock_count_lines(f.m, 2, "SUB bar"), 1);
    natsSubscription_Destroy(other);
    finish(&f, sub);
}

// ---- the connection ----

static void on_last(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ev)
{
    on_msg_gated(nc, sub, NULL, ev);
    natsMsg_Destroy(msg);
    // Publishing is still allowed here, subscribing is not.
    CHECK_OK(natsConnection_PublishString(nc, "result", "done"));
    CHECK_STATUS(natsConnection_SubscribeSync(&sub, nc, "bar"), NATS_DRAINING);
    events_add(ev, "published", NATS_OK, "");
}

TEST(connection)
{
    fixture           f = fixture_connected();
    natsSubscription *sub, *late = NULL;

    gate_shut(&handler_gate);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_last, f.ev));
    fixture_deliver(&f, 1, "x", 5);
    CHECK_OK(natsConnection_DrainTimeout(f.nc, 20000));
    CHECK_OK(natsConnection_Drain(f.nc));
    CHECK(natsConnection_IsDraining(f.nc));
    CHECK_INT(natsConnection_Status(f.nc), NATS_CONN_STATUS_DRAINING_SUBS);
    CHECK_STATUS(natsConnection_SubscribeSync(&late, f.nc, "bar"), NATS_DRAINING);
    CHECK_STATUS(natsSubscription_Drain(sub), NATS_DRAINING);
    gate_open(&handler_gate);
    WAIT_EVENT(f.ev, "closed", 1, 10000);
    CHECK_INT(events_count(f.ev, "published"), 5);
    CHECK_INT(mock_pubs(f.m, 1), 5);
    CHECK_INT(events_count(f.ev, "error"), 0);
    CHECK_OK(natsSubscription_DrainCompletionStatus(sub));
    CHECK_STATUS(natsConnection_Drain(f.nc), NATS_CONNECTION_CLOSED);
    finish(&f, sub);
}

TEST(connection_that_is_not_connected)
{
    fixture f = fixture_create();

    CHECK_STATUS(natsConnection_Drain(NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_DrainTimeout(NULL, 1), NATS_INVALID_ARG);
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 60000));
    fixture_connect(&f);
    mock_stop_listening(f.m);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    WAIT_FOR(natsConnection_IsReconnecting(f.nc), 5000);
    CHECK_STATUS(natsConnection_Drain(f.nc), NATS_ILLEGAL_STATE);
    finish(&f, NULL);
}

TEST(connection_with_a_subscription_nobody_reads)
{
    fixture           f = fixture_connected();
    natsSubscription *sub;
    event             e;

    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK_OK(natsConnection_DrainTimeout(f.nc, 150));
    WAIT_EVENT(f.ev, "closed", 1, 10000);
    CHECK(events_get(f.ev, "error", 1, &e));
    CHECK_STATUS(e.status, NATS_TIMEOUT);
    CHECK(strstr(e.text, "timeout waiting for subscriptions to drain") != NULL);
    CHECK(events_ms(f.ev, "closed", 1) >= 140);
    CHECK(!natsSubscription_IsValid(sub));
    finish(&f, sub);
}

// A request in flight still gets its answer while the subscriptions drain.
typedef struct
{
    natsConnection *nc;
    natsStatus      s;
} request;

static void *ask(void *arg)
{
    request *r     = arg;
    natsMsg *reply = NULL;

    r->s = natsConnection_RequestString(&reply, r->nc, "ask", "x", 10000);
    natsMsg_Destroy(reply);
    return NULL;
}

TEST(connection_with_a_request_in_flight)
{
    fixture           f = fixture_connected();
    natsSubscription *sub;
    request           r = {f.nc, NATS_ERR};
    pthread_t         t;
    char             *line, subject[64];

    gate_shut(&handler_gate);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg_gated, f.ev));
    fixture_deliver(&f, 1, "x", 1);
    WAIT_FOR(atomic_load(&handler_gate.inside) > 0, 5000);
    CHECK(pthread_create(&t, NULL, ask, &r) == 0);
    CHECK(mock_wait_pubs(f.m, 1, 1, 5000));
    CHECK_OK(natsConnection_Drain(f.nc));
    CHECK(mock_wait_line(f.m, 1, "UNSUB 1", 1, 5000));
    CHECK_INT(mock_count_lines(f.m, 1, "UNSUB 2"), 0);
    line = mock_find(f.m, 1, "PUB ask ");
    CHECK(sscanf(line, "PUB ask %63s", subject) == 1);
    free(line);
    mock_send(f.m, "MSG %s 2 2\r\nhi\r\n", subject);
    pthread_join(t, NULL);
    CHECK_OK(r.s);
    gate_open(&handler_gate);
    WAIT_EVENT(f.ev, "closed", 1, 10000);
    finish(&f, sub);
}

TEST(old_style_requests_are_refused)
{
    fixture           f  = fixture_create();
    natsMsg          *re = (natsMsg *)8;
    natsSubscription *sub;

    CHECK_OK(natsOptions_UseOldRequestStyle(f.opts, true));
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK_OK(natsConnection_DrainTimeout(f.nc, 200));
    CHECK_STATUS(natsConnection_RequestString(&re, f.nc, "foo", "x", 10), NATS_DRAINING);
    CHECK(re == NULL);
    WAIT_EVENT(f.ev, "closed", 1, 10000);
    finish(&f, sub);
}

TEST(through_a_real_server)
{
    server           *s  = server_start(NULL, NULL);
    events           *ev = events_create();
    natsConnection   *nc = NULL, *other = NULL;
    natsSubscription *sub;

    CHECK_OK(natsConnection_ConnectTo(&nc, server_url(s)));
    CHECK_OK(natsConnection_ConnectTo(&other, server_url(s)));
    CHECK_OK(natsConnection_Subscribe(&sub, nc, "foo", on_msg, ev));
    CHECK_OK(natsConnection_Flush(nc));
    for (int i = 0; i < 1000; i++)
        CHECK_OK(natsConnection_PublishString(other, "foo", "x"));
    CHECK_OK(natsConnection_Flush(other));
    CHECK_OK(natsSubscription_Drain(sub));
    CHECK_OK(natsSubscription_WaitForDrainCompletion(sub, 10000));
    CHECK_INT(events_count(ev, "msg"), 1000);
    CHECK_OK(natsConnection_PublishString(other, "foo", "x"));
    CHECK_OK(natsConnection_Flush(other));
    CHECK_OK(natsConnection_Flush(nc));
    CHECK_INT(events_count(ev, "msg"), 1000);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
    natsConnection_Destroy(other);
    server_stop(s);
    CHECK_OK(nats_CloseAndWait(5000));
    events_destroy(ev);
}
