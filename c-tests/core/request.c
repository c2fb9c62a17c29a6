// Requests: what they write, whom a reply reaches, and how a wait ends.

#include "calls.h"
#include "fixture.h"
#include "server.h"
#include "wire.h"

#include <pthread.h>

static fixture connected_in_style(bool old)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_UseOldRequestStyle(f.opts, old));
    fixture_connect(&f);
    return f;
}

// A request made by a thread of its own.
typedef struct
{
    caller          by;
    natsConnection *nc;
    int64_t         timeout;
    natsStatus      s;
    natsMsg        *reply;
    int64_t         ms;
} call;

static void *make(void *arg)
{
    call   *c = arg;
    int64_t t = now_ms();

    c->reply = (natsMsg *)8;
    c->s     = natsConnection_RequestString(&c->reply, c->nc, "foo", "data", c->timeout);
    c->ms    = now_ms() - t;
    return NULL;
}

static void begin(call *c, natsConnection *nc, int64_t timeout)
{
    c->nc      = nc;
    c->timeout = timeout;
    caller_start(&c->by, make, c);
}

static void answered(call *c, const char *data)
{
    caller_join(&c->by);
    CHECK_OK(c->s);
    CHECK_STR(natsMsg_GetData(c->reply), data);
    natsMsg_Destroy(c->reply);
}

static void failed(call *c, natsStatus want)
{
    caller_join(&c->by);
    CHECK_STATUS(c->s, want);
    CHECK(c->reply == NULL);
}

static void invalid(bool old)
{
    fixture  f   = connected_in_style(old);
    natsMsg *re  = (natsMsg *)8;
    natsMsg *msg = NULL;

    CHECK_OK(natsMsg_Create(&msg, "foo", NULL, "x", 1));
    CHECK_STATUS(natsConnection_Request(NULL, f.nc, "foo", "x", 1, 10), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_Request(&re, NULL, "foo", "x", 1, 10), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_RequestString(NULL, f.nc, "foo", "x", 10), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_RequestString(&re, NULL, "foo", "x", 10), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_RequestMsg(NULL, f.nc, msg, 10), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_RequestMsg(&re, NULL, msg, 10), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_RequestMsg(&re, f.nc, NULL, 10), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_Request(&re, f.nc, NULL, "x", 1, 10), NATS_INVALID_SUBJECT);
    CHECK(re == NULL);
    CHECK_STATUS(natsConnection_Request(&re, f.nc, "", "x", 1, 10), NATS_INVALID_SUBJECT);
    CHECK_STATUS(natsConnection_Request(&re, f.nc, "a b", "x", 1, 10), NATS_INVALID_SUBJECT);
    re = (natsMsg *)8;
    natsConnection_Close(f.nc);
    CHECK_STATUS(natsConnection_Request(&re, f.nc, "", "x", 1, 10), NATS_CONNECTION_CLOSED);
    CHECK(re == NULL);
    natsMsg_Destroy(msg);
    fixture_destroy(&f);
}

TEST(invalid_arguments)
{
    invalid(false);
}

TEST(invalid_arguments_old_style)
{
    invalid(true);
}

// The first request subscribes to all replies and goes out with that, already flushed, nothing else.
TEST(lines_of_the_first_requests)
{
    fixture  f  = connected_in_style(false);
    natsMsg *re = (natsMsg *)8;
    char    *got, prefix[32], want[512];

    CHECK_STATUS(natsConnection_RequestString(&re, f.nc, "foo", "x", 0), NATS_TIMEOUT);
    CHECK(re == NULL);
    CHECK(mock_wait_pubs(f.m, 1, 1, 5000));
    CHECK_STATUS(natsConnection_RequestString(&re, f.nc, "foo", "y", -1), NATS_TIMEOUT);
    CHECK(mock_wait_pubs(f.m, 1, 2, 5000));
    got = wire(f.m, 1, NULL);
    CHECK(sscanf(got, "SUB %19s", prefix) == 1);
    prefix[19] = '\0';
    CHECK(strncmp(prefix, "_INBOX.", 7) == 0);
    CHECK_INT(strspn(prefix + 7, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"), 12);
    snprintf(want, sizeof want,
             "SUB %s.*  1\r\nPUB foo %s.0_00000000000 1\r\nx\r\nPUB foo %s.0_10000000000 1\r\ny\r\n", prefix,
             prefix, prefix);
    CHECK_STR(got, want);
    free(got);
    fixture_destroy(&f);
}

TEST(lines_old_style)
{
    fixture  f  = connected_in_style(true);
    natsMsg *re = NULL;
    char    *got, inbox[64], want[512];

    CHECK_STATUS(natsConnection_RequestString(&re, f.nc, "foo", "x", 20), NATS_TIMEOUT);
    CHECK_OK(natsConnection_Flush(f.nc));
    got = wire(f.m, 1, NULL);
    CHECK(sscanf(got, "SUB %29s", inbox) == 1);
    snprintf(want, sizeof want, "SUB %s  1\r\nUNSUB 1 1\r\nPUB foo %s 1\r\nx\r\nUNSUB 1 \r\nPING\r\n", inbox,
             inbox);
    CHECK_STR(got, want);
    free(got);
    fixture_destroy(&f);
}

static void replies(bool old)
{
    fixture f = connected_in_style(old);
    call    a, b;
    char   *sa, *sb;

    begin(&a, f.nc, 10000);
    sa = reply_subject(f.m, 1);
    mock_send(f.m, "MSG %s 1 2\r\nhi\r\n", sa);
    answered(&a, "hi");
    free(sa);

    // A late reply never reaches a later request.
    begin(&a, f.nc, 100);
    sa = reply_subject(f.m, 2);
    failed(&a, NATS_TIMEOUT);
    CHECK_RANGE(a.ms, 99, 3000);
    begin(&b, f.nc, 10000);
    sb = reply_subject(f.m, 3);
    mock_send(f.m, "MSG %s %d 4\r\nlate\r\n", sa, old ? 2 : 1);
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_send(f.m, "MSG %s %d 3\r\nown\r\nMSG %s %d 5\r\nagain\r\n", sb, old ? 3 : 1, sb, old ? 3 : 1);
    answered(&b, "own");
    free(sa);
    free(sb);

    // No responders; a 503 with data is an answer like any other.
    begin(&a, f.nc, 10000);
    sa = reply_subject(f.m, 4);
    mock_send(f.m, "HMSG %s %d 16 16\r\nNATS/1.0 503\r\n\r\n\r\n", sa, old ? 4 : 1);
    failed(&a, NATS_NO_RESPONDERS);
    free(sa);
    begin(&a, f.nc, 10000);
    sa = reply_subject(f.m, 5);
    mock_send(f.m, "HMSG %s %d 16 17\r\nNATS/1.0 503\r\n\r\nx\r\n", sa, old ? 5 : 1);
    answered(&a, "x");
    free(sa);
    fixture_destroy(&f);
}

TEST(replies_reach_their_request)
{
    replies(false);
}

TEST(replies_reach_their_request_old_style)
{
    replies(true);
}

// Two at once, answered in the other order.
TEST(answers_out_of_order)
{
    fixture f = connected_in_style(false);
    call    a, b;
    char   *sa, *sb;

    begin(&a, f.nc, 10000);
    sa = reply_subject(f.m, 1);
    begin(&b, f.nc, 10000);
    sb = reply_subject(f.m, 2);
    mock_send(f.m, "MSG %s 1 1\r\nb\r\nMSG %s 1 1\r\na\r\n", sb, sa);
    answered(&a, "a");
    answered(&b, "b");
    free(sa);
    free(sb);
    fixture_destroy(&f);
}

// A server may map the reply's subject: with one request outstanding it is clear which one it answers.
TEST(mapped_replies)
{
    fixture f = connected_in_style(false);
    call    a, b;

    begin(&a, f.nc, 10000);
    free(reply_subject(f.m, 1));
    mock_send(f.m, "MSG mapped 1 2\r\nhi\r\n");
    answered(&a, "hi");
    begin(&a, f.nc, 300);
    free(reply_subject(f.m, 2));
    begin(&b, f.nc, 300);
    free(reply_subject(f.m, 3));
    mock_send(f.m, "MSG mapped 1 2\r\nhi\r\n");
    failed(&a, NATS_TIMEOUT);
    failed(&b, NATS_TIMEOUT);
    fixture_destroy(&f);
}

static void lost(bool old, bool fail, natsStatus want)
{
    fixture f = fixture_create();
    call    c;

    CHECK_OK(natsOptions_UseOldRequestStyle(f.opts, old));
    CHECK_OK(natsOptions_SetFailRequestsOnDisconnect(f.opts, fail));
    fixture_connect(&f);
    begin(&c, f.nc, want == NATS_TIMEOUT ? 400 : 20000);
    free(reply_subject(f.m, 1));
    mock_close(f.m, 1);
    failed(&c, want);
    CHECK(c.ms < 5000);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    fixture_destroy(&f);
}

TEST(a_lost_connection_keeps_waiting)
{
    lost(false, false, NATS_TIMEOUT);
}

TEST(a_lost_connection_fails_on_request)
{
    lost(false, true, NATS_CONNECTION_DISCONNECTED);
}

TEST(a_lost_connection_old_style)
{
    lost(true, true, NATS_TIMEOUT);
}

static void closed(bool old)
{
    fixture f = connected_in_style(old);
    call    c;

    begin(&c, f.nc, 20000);
    free(reply_subject(f.m, 1));
    natsConnection_Close(f.nc);
    failed(&c, NATS_CONNECTION_CLOSED);
    CHECK(c.ms < 5000);
    fixture_destroy(&f);
}

TEST(close_ends_the_wait)
{
    closed(false);
}

TEST(close_ends_the_wait_old_style)
{
    closed(true);
}

// The subscription for replies outlives a reconnect, and so does a request buffered meanwhile.
TEST(buffered_while_reconnecting)
{
    fixture f = connected_in_style(false);
    call    c;
    char   *line, subject[64];

    begin(&c, f.nc, 0);
    failed(&c, NATS_TIMEOUT);
    mock_stop_listening(f.m);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    WAIT_FOR(natsConnection_IsReconnecting(f.nc), 5000);
    begin(&c, f.nc, 20000);
    caller_asleep(&c.by);
    mock_listen_again(f.m);
    CHECK(mock_wait_pubs(f.m, 2, 1, 10000));
    CHECK_INT(mock_count_lines(f.m, 2, "SUB _INBOX."), 1);
    line = mock_find(f.m, 2, "PUB foo ");
    CHECK(sscanf(line, "PUB foo %63s", subject) == 1);
    free(line);
    mock_send(f.m, "MSG %s 1 2\r\nhi\r\n", subject);
    answered(&c, "hi");
    fixture_destroy(&f);
}

TEST(custom_inbox_prefix)
{
    fixture  f  = fixture_create();
    natsMsg *re = NULL;
    char    *line;
    char    *inbox = NULL;

    CHECK_STATUS(natsOptions_SetCustomInboxPrefix(f.opts, "a.*"), NATS_INVALID_ARG);
    CHECK_STATUS(natsOptions_SetCustomInboxPrefix(f.opts, "a."), NATS_INVALID_ARG);
    CHECK_OK(natsOptions_SetCustomInboxPrefix(f.opts, "my.own.prefix.that.is.longer.than.32.characters"));
    fixture_connect(&f);
    CHECK_STATUS(natsConnection_RequestString(&re, f.nc, "foo", "x", 1), NATS_TIMEOUT);
    CHECK(mock_wait_pubs(f.m, 1, 1, 5000));
    line = mock_find(f.m, 1, "SUB ");
    CHECK(strncmp(line, "SUB my.own.prefix.that.is.longer.than.32.characters.", 52) == 0);
    CHECK_INT(strlen(line), 52 + 12 + 2 + 3);
    free(line);
    CHECK_OK(natsInbox_Create((natsInbox **)&inbox));
    CHECK(strncmp(inbox, "_INBOX.", 7) == 0);
    natsInbox_Destroy((natsInbox *)inbox);
    fixture_destroy(&f);
}

TEST(the_longest_timeout)
{
    fixture f = connected_in_style(false);
    call    c;
    char   *subject;

    begin(&c, f.nc, INT64_MAX);
    subject = reply_subject(f.m, 1);
    mock_send(f.m, "MSG %s 1 2\r\nhi\r\n", subject);
    answered(&c, "hi");
    free(subject);
    fixture_destroy(&f);
}

// ---- with a real server ----

static void echo(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    natsMsg *answer = NULL;

    (void)sub;
    (void)closure;
    natsMsg_Create(&answer, natsMsg_GetReply(msg), NULL, natsMsg_GetData(msg), natsMsg_GetDataLength(msg));
    natsConnection_PublishMsg(nc, answer);
    natsMsg_Destroy(answer);
    natsMsg_Destroy(msg);
}

enum
{
    REQUESTERS = 8,
    EACH       = 300,
};

static void *ask_many(void *arg)
{
    natsConnection *nc = arg;

    for (int i = 0; i < EACH; i++)
    {
        char     text[48];
        natsMsg *re = NULL;

        snprintf(text, sizeof text, "%lx %d", (unsigned long)pthread_self(), i);
        CHECK_OK(natsConnection_RequestString(&re, nc, "echo", text, 10000));
        CHECK_STR(natsMsg_GetData(re), text);
        natsMsg_Destroy(re);
    }
    return NULL;
}

static void many(bool old)
{
    server           *s    = server_start(NULL, NULL);
    natsOptions      *opts = NULL;
    natsConnection   *nc   = NULL;
    natsSubscription *sub  = NULL;
    pthread_t         t[REQUESTERS];
    natsMsg          *re = NULL;

    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetURL(opts, server_url(s)));
    CHECK_OK(natsOptions_UseOldRequestStyle(opts, old));
    CHECK_OK(natsConnection_Connect(&nc, opts));
    CHECK_STATUS(natsConnection_RequestString(&re, nc, "nobody", "x", 10000), NATS_NO_RESPONDERS);
    CHECK(re == NULL);
    CHECK_OK(natsConnection_Subscribe(&sub, nc, "echo", echo, NULL));
    for (int i = 0; i < REQUESTERS; i++)
        CHECK(pthread_create(&t[i], NULL, ask_many, nc) == 0);
    for (int i = 0; i < REQUESTERS; i++)
        pthread_join(t[i], NULL);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
    server_stop(s);
}

TEST_T(many_requesters, 60000)
{
    many(false);
}

TEST_T(many_requesters_old_style, 60000)
{
    many(true);
}

TEST(no_responders_switched_off)
{
    server         *s    = server_start(NULL, NULL);
    natsOptions    *opts = NULL;
    natsConnection *nc   = NULL;
    natsMsg        *re   = NULL;

    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetURL(opts, server_url(s)));
    CHECK_OK(natsOptions_DisableNoResponders(opts, true));
    CHECK_OK(natsConnection_Connect(&nc, opts));
    CHECK_STATUS(natsConnection_RequestString(&re, nc, "nobody", "x", 100), NATS_TIMEOUT);
    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
    server_stop(s);
}

static void raw_reply(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ev)
{
    (void)nc;
    (void)sub;
    events_add(ev, natsMsg_IsNoResponders(msg) ? "no responders" : "msg", NATS_OK, "");
    natsMsg_Destroy(msg);
}

// Without the request calls the program sees the message itself.
TEST(no_responders_in_a_callback)
{
    server           *s   = server_start(NULL, NULL);
    events           *ev  = events_create();
    natsConnection   *nc  = NULL;
    natsSubscription *sub = NULL;

    CHECK_OK(natsConnection_ConnectTo(&nc, server_url(s)));
    CHECK_OK(natsConnection_Subscribe(&sub, nc, "my.reply", raw_reply, ev));
    CHECK_OK(natsConnection_PublishRequestString(nc, "nobody", "my.reply", "x"));
    WAIT_EVENT(ev, "no responders", 1, 5000);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
    server_stop(s);
    CHECK_OK(nats_CloseAndWait(5000));
    events_destroy(ev);
}

// Who has the reply also has the messages the server sent before it.
TEST(messages_before_the_reply_are_there)
{
    fixture           f = connected_in_style(false);
    natsSubscription *sub;
    call              c;

    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "other"));
    for (int i = 1; i <= 100; i++)
    {
        char    *subject;
        uint64_t n;

        begin(&c, f.nc, 10000);
        subject = reply_subject(f.m, i);
        mock_send(f.m, "MSG other 1 1\r\nx\r\nMSG %s 2 2\r\nhi\r\n", subject);
        answered(&c, "hi");
        CHECK_OK(natsSubscription_QueuedMsgs(sub, &n));
        CHECK_INT(n, i);
        free(subject);
    }
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

// A caller that waits may be the one that reads the socket: it does for others what the library's own threads
// would.
TEST(what_arrives_while_a_caller_waits)
{
    fixture           f = connected_in_style(false);
    natsSubscription *async, *sync;
    natsMsg          *msg = NULL;
    char             *subject;
    call              c;

    CHECK_OK(natsConnection_Subscribe(&async, f.nc, "async", on_msg, f.ev));
    CHECK_OK(natsConnection_SubscribeSync(&sync, f.nc, "sync"));
    for (int i = 1; i <= 20; i++)
    {
        begin(&c, f.nc, 10000);
        subject = reply_subject(f.m, i);
        if (i % 2 == 0)
            caller_asleep(&c.by); // or it is still looking
        mock_send(f.m, "PING\r\n");
        CHECK(mock_wait_line(f.m, 1, "PONG", i, 5000));
        mock_send(f.m, "MSG async 1 1\r\nx\r\nMSG sync 2 1\r\ny\r\n");
        WAIT_EVENT(f.ev, "msg", i, 5000);
        CHECK_OK(natsSubscription_NextMsg(&msg, sync, 5000));
        natsMsg_Destroy(msg);
        CHECK_OK(natsConnection_FlushTimeout(f.nc, 5000));
        mock_send(f.m, "MSG %s 3 2\r\nhi\r\n", subject);
        answered(&c, "hi");
        free(subject);
    }
    natsSubscription_Destroy(async);
    natsSubscription_Destroy(sync);
    fixture_destroy(&f);
}

// More than one read of a caller holds arrives together with the reply.
TEST(a_flood_while_a_caller_waits)
{
    fixture           f = connected_in_style(false);
    natsSubscription *sub;
    char             *flood = frames("other", 1, "some data of some length", 5000), *subject;
    call              c;
    uint64_t          n;

    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "other"));
    for (int i = 1; i <= 5; i++)
    {
        begin(&c, f.nc, 10000);
        subject = reply_subject(f.m, i);
        CHECK(mock_write(f.m, 1, flood, strlen(flood)));
        mock_send(f.m, "MSG %s 2 2\r\nhi\r\n", subject);
        answered(&c, "hi");
        CHECK_OK(natsSubscription_QueuedMsgs(sub, &n));
        CHECK_INT(n, 5000 * i);
        free(subject);
    }
    free(flood);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

// Requests go on over losses, whoever was reading when they came.
TEST(requests_over_losses)
{
    fixture f = connected_in_style(false);
    call    c;

    for (int i = 1; i <= 10; i++)
    {
        begin(&c, f.nc, 300);
        CHECK(mock_wait_pubs(f.m, i, 1,
                             5000)); // one that is on its way when the connection goes may fail at once
        mock_reset(f.m, i);
        WAIT_EVENT(f.ev, "reconnected", i, 10000);
        failed(&c, NATS_TIMEOUT);
    }
    fixture_destroy(&f);
}
