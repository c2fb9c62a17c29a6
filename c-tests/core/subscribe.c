// Subscribing: arguments, subject rules, the lines on the wire, and who gets what from a real server.

#include "fixture.h"
#include "server.h"
#include "wire.h"

static natsSubscription *const PRESET = (natsSubscription *)8;

#define REFUSED(call, status)                                                                                \
    do                                                                                                       \
    {                                                                                                        \
        natsSubscription *sub = PRESET;                                                                      \
        CHECK_STATUS(call, status);                                                                          \
        CHECK(sub == PRESET);                                                                                \
    } while (0)

TEST(invalid_arguments)
{
    fixture         f  = fixture_connected();
    natsConnection *nc = f.nc;

    REFUSED(natsConnection_Subscribe(&sub, NULL, "foo", on_msg_ignored, NULL), NATS_INVALID_ARG);
    REFUSED(natsConnection_Subscribe(&sub, nc, "foo", NULL, NULL), NATS_INVALID_ARG);
    REFUSED(natsConnection_Subscribe(&sub, nc, NULL, on_msg_ignored, NULL), NATS_INVALID_SUBJECT);
    REFUSED(natsConnection_SubscribeTimeout(&sub, NULL, "foo", 1, on_msg_ignored, NULL), NATS_INVALID_ARG);
    REFUSED(natsConnection_SubscribeTimeout(&sub, nc, "foo", 0, on_msg_ignored, NULL), NATS_INVALID_ARG);
    REFUSED(natsConnection_SubscribeTimeout(&sub, nc, "foo", -1, on_msg_ignored, NULL), NATS_INVALID_ARG);
    REFUSED(natsConnection_SubscribeTimeout(&sub, nc, "foo", 1, NULL, NULL), NATS_INVALID_ARG);
    REFUSED(natsConnection_SubscribeTimeout(&sub, nc, "", 1, on_msg_ignored, NULL), NATS_INVALID_SUBJECT);
    REFUSED(natsConnection_SubscribeSync(&sub, NULL, "foo"), NATS_INVALID_ARG);
    REFUSED(natsConnection_SubscribeSync(&sub, nc, NULL), NATS_INVALID_SUBJECT);
    REFUSED(natsConnection_QueueSubscribe(&sub, NULL, "foo", "q", on_msg_ignored, NULL), NATS_INVALID_ARG);
    REFUSED(natsConnection_QueueSubscribe(&sub, nc, "foo", NULL, on_msg_ignored, NULL), NATS_INVALID_ARG);
    REFUSED(natsConnection_QueueSubscribe(&sub, nc, "foo", "", on_msg_ignored, NULL), NATS_INVALID_ARG);
    REFUSED(natsConnection_QueueSubscribe(&sub, nc, "foo", "q", NULL, NULL), NATS_INVALID_ARG);
    REFUSED(natsConnection_QueueSubscribe(&sub, nc, "foo", "a b", on_msg_ignored, NULL),
            NATS_INVALID_QUEUE_NAME);
    REFUSED(natsConnection_QueueSubscribe(&sub, nc, "foo", "a\n", on_msg_ignored, NULL),
            NATS_INVALID_QUEUE_NAME);
    REFUSED(natsConnection_QueueSubscribe(&sub, nc, "f oo", "a b", on_msg_ignored, NULL),
            NATS_INVALID_SUBJECT);
    REFUSED(natsConnection_QueueSubscribeTimeout(&sub, nc, "foo", "q", 0, on_msg_ignored, NULL),
            NATS_INVALID_ARG);
    REFUSED(natsConnection_QueueSubscribeTimeout(&sub, nc, "foo", "", 1, on_msg_ignored, NULL),
            NATS_INVALID_ARG);
    REFUSED(natsConnection_QueueSubscribeTimeout(&sub, nc, "foo", "q", 1, NULL, NULL), NATS_INVALID_ARG);
    REFUSED(natsConnection_QueueSubscribeSync(&sub, NULL, "foo", "q"), NATS_INVALID_ARG);
    REFUSED(natsConnection_QueueSubscribeSync(&sub, nc, "foo", ""), NATS_INVALID_ARG);
    REFUSED(natsConnection_QueueSubscribeSync(&sub, nc, "foo", " "), NATS_INVALID_QUEUE_NAME);
    CHECK_OK(natsConnection_Flush(nc));
    CHECK_WIRE(f.m, 1, "PING\r\n");
    natsConnection_Close(nc);
    REFUSED(natsConnection_SubscribeSync(&sub, nc, "foo bar"), NATS_INVALID_SUBJECT);
    REFUSED(natsConnection_QueueSubscribeSync(&sub, nc, "foo", "a b"), NATS_INVALID_QUEUE_NAME);
    REFUSED(natsConnection_SubscribeSync(&sub, nc, "foo"), NATS_CONNECTION_CLOSED);
    fixture_destroy(&f);
}

TEST(subject_rules)
{
    static const char *const good[] = {"foo",  "foo.bar", "*",      ">",   "*.>",  "a.*.b",
                                       "foo*", "f>o",     "a.>b.c", "$S.", "\xff", "a.**"};
    static const char *const bad[]  = {"",    ".",   "..",  ".a",   "a.",    "a..b",
                                       ">.a", ">.>", "a b", "a\tb", "a\r\n", "a.>.b"};
    fixture                  f      = fixture_connected();
    natsSubscription        *sub    = NULL;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    {
        if (good[i][0] == '$')
            continue; // ends with a dot: bad, see below
        CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, good[i]));
        CHECK_STR(natsSubscription_GetSubject(sub), good[i]);
        natsSubscription_Destroy(sub);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_STATUS(natsConnection_SubscribeSync(&sub, f.nc, bad[i]), NATS_INVALID_SUBJECT);
    fixture_destroy(&f);
}

TEST(lines_on_the_wire)
{
    fixture           f = fixture_connected();
    natsSubscription *a = NULL, *b = NULL, *c = NULL, *d = NULL, *e = NULL;

    CHECK_OK(natsConnection_Subscribe(&a, f.nc, "a", on_msg_ignored, NULL));
    CHECK_OK(natsConnection_QueueSubscribeSync(&b, f.nc, "b", "workers"));
    CHECK_OK(natsConnection_SubscribeTimeout(&c, f.nc, "c", 60000, on_msg_ignored, NULL));
    CHECK_OK(natsConnection_QueueSubscribeTimeout(&d, f.nc, "d", "q", 60000, on_msg_ignored, NULL));
    CHECK_OK(natsConnection_QueueSubscribe(&e, f.nc, "e", "q", on_msg_ignored, NULL));
    CHECK_INT(natsSubscription_GetID(a), 1);
    CHECK_INT(natsSubscription_GetID(e), 5);
    CHECK_OK(natsSubscription_Unsubscribe(a));
    CHECK_OK(natsSubscription_AutoUnsubscribe(b, 7));
    CHECK_OK(natsSubscription_AutoUnsubscribe(c, 0));
    CHECK_OK(natsSubscription_AutoUnsubscribe(d, -3));
    CHECK(natsSubscription_IsValid(d));
    natsSubscription_Destroy(e);
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_WIRE(f.m, 1,
               "SUB a  1\r\nSUB b workers 2\r\nSUB c  3\r\nSUB d q 4\r\nSUB e q 5\r\nUNSUB 1 \r\nUNSUB 2 "
               "7\r\nUNSUB 3 \r\n"
               "UNSUB 4 \r\nUNSUB 5 \r\nPING\r\n");
    natsSubscription_Destroy(a);
    natsSubscription_Destroy(b);
    natsSubscription_Destroy(c);
    natsSubscription_Destroy(d);
    fixture_destroy(&f);
}

// The server learns of a subscription without a flush.
TEST(leaves_by_itself)
{
    fixture           f   = fixture_connected();
    natsSubscription *sub = NULL;

    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK(mock_wait_line(f.m, 1, "SUB foo", 1, 5000));
    natsSubscription_Destroy(sub);
    CHECK(mock_wait_line(f.m, 1, "UNSUB 1", 1, 5000));
    fixture_destroy(&f);
}

static void on_early(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    natsSubscription *volatile *stored = ((void **)closure)[0];

    // The variable given to the subscribe call is set before the first callback.
    events_add(((void **)closure)[1], *stored == sub ? "same" : "other", NATS_OK, "");
    (void)nc;
    natsMsg_Destroy(msg);
}

TEST(handle_is_stored_before_the_first_callback)
{
    fixture f = fixture_connected();

    for (int i = 1; i <= 100; i++)
    {
        natsSubscription *sub        = NULL;
        void             *closure[2] = {&sub, f.ev};
        int               before     = events_count(f.ev, NULL);

        mock_send(f.m, "MSG foo %d 1\r\nx\r\nMSG foo %d 1\r\nx\r\nMSG foo %d 1\r\nx\r\n", i, i, i);
        CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_early, closure));
        mock_send(f.m, "MSG foo %d 1\r\nx\r\n", i);
        // The last message finds the subscription; an unsubscribe must not come before its callback.
        WAIT_FOR(events_count(f.ev, NULL) > before, 5000);
        natsSubscription_Unsubscribe(sub);
        WAIT_FOR(natsSubscription_DrainCompletionStatus(sub) != NATS_ILLEGAL_STATE, 5000);
        natsSubscription_Destroy(sub);
    }
    CHECK_INT(events_count(f.ev, "other"), 0);
    fixture_destroy(&f);
}

TEST(sent_again_after_a_reconnect)
{
    fixture           f       = fixture_connected();
    natsSubscription *subs[4] = {0};
    natsMsg          *msg     = NULL;

    CHECK_OK(natsConnection_SubscribeSync(&subs[0], f.nc, "a"));
    CHECK_OK(natsConnection_QueueSubscribeSync(&subs[1], f.nc, "b", "q"));
    CHECK_OK(natsConnection_SubscribeSync(&subs[2], f.nc, "gone"));
    CHECK_OK(natsSubscription_Unsubscribe(subs[2]));
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK_OK(natsConnection_SubscribeSync(&subs[3], f.nc, "d"));
    CHECK_INT(natsSubscription_GetID(subs[3]), 4);
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_INT(mock_count_lines(f.m, 2, "SUB a  1"), 1);
    CHECK_INT(mock_count_lines(f.m, 2, "SUB b q 2"), 1);
    CHECK_INT(mock_count_lines(f.m, 2, "SUB gone"), 0);
    CHECK_INT(mock_count_lines(f.m, 2, "SUB "), 3);
    mock_send(f.m, "MSG b 2 2\r\nhi\r\n");
    CHECK_OK(natsSubscription_NextMsg(&msg, subs[1], 5000));
    natsMsg_Destroy(msg);
    for (int i = 0; i < 4; i++)
        natsSubscription_Destroy(subs[i]);
    fixture_destroy(&f);
}

// ---- with a real server ----

enum
{
    MEMBERS = 3,
    SENT    = 300,
};

TEST(wildcards_and_queues)
{
    server           *s  = server_start(NULL, NULL);
    natsConnection   *nc = NULL;
    natsSubscription *star, *all, *exact, *none, *members[MEMBERS];
    uint64_t          n, sum = 0;
    char              subject[32];

    CHECK_OK(natsConnection_ConnectTo(&nc, server_url(s)));
    CHECK_OK(natsConnection_SubscribeSync(&star, nc, "w.*"));
    CHECK_OK(natsConnection_SubscribeSync(&all, nc, "w.>"));
    CHECK_OK(natsConnection_SubscribeSync(&exact, nc, "w.1"));
    CHECK_OK(natsConnection_SubscribeSync(&none, nc, "w.*.x.*"));
    for (int i = 0; i < MEMBERS; i++)
        CHECK_OK(natsConnection_QueueSubscribeSync(&members[i], nc, "w.>", "group"));
    for (int i = 0; i < SENT; i++)
    {
        snprintf(subject, sizeof subject, i % 3 == 0 ? "w.%d" : "w.%d.x", i);
        CHECK_OK(natsConnection_PublishString(nc, subject, "x"));
    }
    CHECK_OK(natsConnection_Flush(nc));
    CHECK_OK(natsSubscription_QueuedMsgs(star, &n));
    CHECK_INT(n, SENT / 3);
    CHECK_OK(natsSubscription_QueuedMsgs(all, &n));
    CHECK_INT(n, SENT);
    CHECK_OK(natsSubscription_QueuedMsgs(exact, &n));
    CHECK_INT(n, 0);
    CHECK_OK(natsSubscription_QueuedMsgs(none, &n));
    CHECK_INT(n, 0);
    for (int i = 0; i < MEMBERS; i++)
    {
        CHECK_OK(natsSubscription_QueuedMsgs(members[i], &n));
        CHECK_MSG(n > 0, "member %d of the queue got nothing", i);
        sum += n;
        natsSubscription_Destroy(members[i]);
    }
    CHECK_INT(sum, SENT);
    natsSubscription_Destroy(star);
    natsSubscription_Destroy(all);
    natsSubscription_Destroy(exact);
    natsSubscription_Destroy(none);
    natsConnection_Destroy(nc);
    server_stop(s);
}

TEST_T(many_subscriptions, 60000)
{
    enum
    {
        COUNT = 2000
    };
    server            *s    = server_start(NULL, NULL);
    natsConnection    *nc   = NULL;
    events            *ev   = events_create();
    natsSubscription **subs = calloc(COUNT, sizeof *subs);
    int                before;
    char               subject[32];

    CHECK_OK(natsConnection_ConnectTo(&nc, server_url(s)));
    before = thread_count();
    for (int i = 0; i < COUNT; i++)
    {
        snprintf(subject, sizeof subject, "many.%d", i);
        CHECK_OK(natsConnection_Subscribe(&subs[i], nc, subject, on_msg, ev));
    }
    for (int i = 0; i < COUNT; i++)
    {
        snprintf(subject, sizeof subject, "many.%d", i);
        CHECK_OK(natsConnection_PublishString(nc, subject, "x"));
    }
    WAIT_EVENT(ev, "msg", COUNT, 20000);
    CHECK_MSG(thread_count() - before < 50, "%d threads more for %d subscriptions", thread_count() - before,
              COUNT);
    for (int i = 0; i < COUNT; i++)
        natsSubscription_Destroy(subs[i]);
    natsConnection_Destroy(nc);
    free(subs);
    server_stop(s);
    nats_CloseAndWait(5000);
    events_destroy(ev);
}

TEST(no_echo)
{
    server           *s    = server_start(NULL, NULL);
    natsOptions      *opts = NULL;
    natsConnection   *nc   = NULL;
    natsSubscription *sub  = NULL;
    natsMsg          *msg  = NULL;

    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetURL(opts, server_url(s)));
    CHECK_OK(natsOptions_SetNoEcho(opts, true));
    CHECK_OK(natsConnection_Connect(&nc, opts));
    CHECK_OK(natsConnection_SubscribeSync(&sub, nc, "foo"));
    CHECK_OK(natsConnection_PublishString(nc, "foo", "x"));
    CHECK_OK(natsConnection_Flush(nc));
    CHECK_STATUS(natsSubscription_NextMsg(&msg, sub, 0), NATS_TIMEOUT);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
    server_stop(s);
}
