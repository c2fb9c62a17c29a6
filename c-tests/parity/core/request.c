// Requests: statuses, the lines they write, which reply reaches whom.

#include "fixture.h"
#include "trace.h"
#include "wire.h"

#include <pthread.h>

#define R(call)                                                                                              \
    do                                                                                                       \
    {                                                                                                        \
        natsMsg   *reply = (natsMsg *)8;                                                                     \
        natsStatus s     = call;                                                                             \
        told(#call, s, reply);                                                                               \
    } while (0)

static void told(const char *call, natsStatus s, natsMsg *reply)
{
    if (reply == NULL || reply == (natsMsg *)8)
    {
        trace("%s: %s%s", call, status_name(s), reply == NULL ? " NULL" : " untouched");
        return;
    }
    trace("%s: %s subject=%s reply=%s data='%s'", call, status_name(s), natsMsg_GetSubject(reply),
          natsMsg_GetReply(reply) ? natsMsg_GetReply(reply) : "NULL", natsMsg_GetData(reply));
    natsMsg_Destroy(reply);
}

static const char INFO[] = "{\"max_payload\":20,\"headers\":true}";

static void arguments(bool old)
{
    fixture         f = fixture_create();
    natsConnection *nc;
    natsMsg        *msg = NULL;

    trace_scenario(old ? "arguments, old style" : "arguments");
    mock_info(f.m, MOCK_ALL, INFO);
    CHECK_OK(natsOptions_UseOldRequestStyle(f.opts, old));
    fixture_connect(&f);
    nc = f.nc;
    natsMsg_Create(&msg, "foo", "mine", "hello", 5);
    R(natsConnection_Request(NULL, nc, "foo", "a", 1, 10));
    R(natsConnection_Request(&reply, NULL, "foo", "a", 1, 10));
    R(natsConnection_Request(&reply, nc, NULL, "a", 1, 10));
    R(natsConnection_Request(&reply, nc, "", "a", 1, 10));
    R(natsConnection_Request(&reply, nc, "foo", "a", 1, 0));
    R(natsConnection_Request(&reply, nc, "foo", "a", 1, -5));
    R(natsConnection_Request(&reply, nc, "foo", "a", 1, 10));
    R(natsConnection_Request(&reply, nc, "foo", NULL, 0, 10));
    R(natsConnection_Request(&reply, nc, "foo", "123456789012345678901", 21, 10));
    R(natsConnection_RequestString(NULL, nc, "foo", "a", 10));
    R(natsConnection_RequestString(&reply, NULL, "foo", "a", 10));
    R(natsConnection_RequestString(&reply, nc, NULL, "a", 10));
    R(natsConnection_RequestString(&reply, nc, "foo", NULL, 10));
    R(natsConnection_RequestString(&reply, nc, "foo", "text", 10));
    R(natsConnection_RequestMsg(NULL, nc, msg, 10));
    R(natsConnection_RequestMsg(&reply, NULL, msg, 10));
    R(natsConnection_RequestMsg(&reply, nc, NULL, 10));
    R(natsConnection_RequestMsg(&reply, nc, msg, 10));
    trace("the message's reply: %s", natsMsg_GetReply(msg));
    natsMsgHeader_Set(msg, "k", "v");
    R(natsConnection_RequestMsg(&reply, nc, msg, 10));
    wire_trace(f.m, 1, nc);
    natsConnection_Close(nc);
    R(natsConnection_Request(&reply, nc, "", "a", 1, 10));
    R(natsConnection_RequestString(&reply, nc, "foo", "a", 10));
    R(natsConnection_RequestMsg(&reply, nc, msg, 10));
    natsMsg_Destroy(msg);
    fixture_destroy(&f);
}

typedef struct
{
    natsConnection *nc;
    int64_t         timeout;
    natsStatus      s;
    char            data[64];
    bool            null;
} call;

static void *request(void *arg)
{
    call    *c     = arg;
    natsMsg *reply = (natsMsg *)8;

    c->s    = natsConnection_RequestString(&reply, c->nc, "foo", "data", c->timeout);
    c->null = reply == NULL;
    if (c->s == NATS_OK)
        snprintf(c->data, sizeof c->data, "%s '%s'", natsMsg_GetSubject(reply), natsMsg_GetData(reply));
    if (c->s == NATS_OK)
        natsMsg_Destroy(reply);
    return NULL;
}

static pthread_t begin(call *c, fixture *f, int64_t timeout)
{
    pthread_t t;

    memset(c, 0, sizeof *c);
    c->nc      = f->nc;
    c->timeout = timeout;
    pthread_create(&t, NULL, request, c);
    return t;
}

static void ended(const char *name, pthread_t t, call *c)
{
    pthread_join(t, NULL);
    trace("%s: %s %s%s", name, status_name(c->s), c->null ? "NULL" : "", c->data);
}

static void answers(bool old)
{
    fixture   f = fixture_create();
    call      a, b;
    pthread_t ta, tb;
    char     *sa, *sb;

    trace_scenario(old ? "answers, old style" : "answers");
    mock_info(f.m, MOCK_ALL, "{\"max_payload\":1000,\"headers\":true}");
    CHECK_OK(natsOptions_UseOldRequestStyle(f.opts, old));
    fixture_connect(&f);

    ta = begin(&a, &f, 5000);
    sa = reply_subject(f.m, 1);
    mock_send(f.m, "MSG %s 1 2\r\nhi\r\n", sa);
    ended("answered", ta, &a);
    if (!old)
        trace("shape %d %d '%s'", (int)strlen(sa), (int)strcspn(sa, "."), strrchr(sa, '.'));
    free(sa);

    ta = begin(&a, &f, 5000);
    sa = reply_subject(f.m, 2);
    mock_send(f.m, "HMSG %s %d 16 16\r\nNATS/1.0 503\r\n\r\n\r\n", sa, old ? 2 : 1);
    ended("no responders", ta, &a);
    free(sa);

    ta = begin(&a, &f, 5000);
    sa = reply_subject(f.m, 3);
    mock_send(f.m, "HMSG %s %d 16 19\r\nNATS/1.0 503\r\n\r\nabc\r\n", sa, old ? 3 : 1);
    ended("503 with data", ta, &a);
    free(sa);

    ta = begin(&a, &f, 5000);
    sa = reply_subject(f.m, 4);
    mock_send(f.m, "HMSG %s %d 21 21\r\nNATS/1.0 503 abc\r\n\r\n\r\n", sa, old ? 4 : 1);
    mock_err(f.m, "Permissions Violation for something");
    ended("503 with wrong length", ta, &a);
    free(sa);

    ta = begin(&a, &f, 5000);
    sa = reply_subject(f.m, 5);
    mock_send(f.m, "MSG %s %d 0\r\n\r\n", sa, old ? 5 : 1);
    ended("empty", ta, &a);
    free(sa);

    ta = begin(&a, &f, 150);
    sa = reply_subject(f.m, 6);
    ended("unanswered", ta, &a);
    tb = begin(&b, &f, 5000);
    sb = reply_subject(f.m, 7);
    mock_send(f.m, "MSG %s %d 4\r\nlate\r\nMSG %s %d 3\r\nown\r\n", sa, old ? 6 : 1, sb, old ? 7 : 1);
    ended("after a late reply", tb, &b);
    free(sa);
    free(sb);

    if (!old)
    {
        ta = begin(&a, &f, 5000);
        sa = reply_subject(f.m, 8);
        mock_send(f.m, "MSG mapped.subject 1 6\r\nmapped\r\n");
        ended("mapped, one outstanding", ta, &a);
        free(sa);

        ta = begin(&a, &f, 300);
        sa = reply_subject(f.m, 9);
        tb = begin(&b, &f, 300);
        sb = reply_subject(f.m, 10);
        mock_send(f.m, "MSG mapped.subject 1 6\r\nmapped\r\n");
        ended("mapped, two outstanding", ta, &a);
        ended("mapped, two outstanding", tb, &b);
        free(sa);
        free(sb);
    }
    CHECK_OK(natsConnection_Flush(f.nc));
    fixture_destroy(&f);
}

static void ends(bool old, bool fail_on_disconnect)
{
    fixture   f = fixture_create();
    call      a;
    pthread_t t;

    trace("== lost and closed, old %d, fail on disconnect %d", old, fail_on_disconnect);
    CHECK_OK(natsOptions_UseOldRequestStyle(f.opts, old));
    CHECK_OK(natsOptions_SetFailRequestsOnDisconnect(f.opts, fail_on_disconnect));
    fixture_connect(&f);
    t = begin(&a, &f, 700);
    free(reply_subject(f.m, 1));
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    ended("lost", t, &a);
    t = begin(&a, &f, 10000);
    CHECK(mock_wait_pubs(f.m, 2, 1, 5000));
    natsConnection_Close(f.nc);
    ended("closed", t, &a);
    fixture_destroy(&f);
}

static void prefix(bool old)
{
    fixture f = fixture_create();
    char   *line;

    trace_scenario(old ? "inbox prefix, old style" : "inbox prefix");
    trace_status("prefix",
                 natsOptions_SetCustomInboxPrefix(f.opts, "a.rather.long.prefix.of.more.than.32.characters"));
    CHECK_OK(natsOptions_UseOldRequestStyle(f.opts, old));
    fixture_connect(&f);
    R(natsConnection_RequestString(&reply, f.nc, "foo", "x", 20));
    line = mock_find(f.m, 1, "SUB ");
    trace("%.50s %d", line, (int)strlen(line));
    free(line);
    line = mock_find(f.m, 1, "PUB ");
    trace("%.50s %d", line, (int)strlen(line));
    free(line);
    fixture_destroy(&f);
}

int main(void)
{
    nats_Open(-1);
    arguments(false);
    arguments(true);
    answers(false);
    answers(true);
    ends(false, false);
    ends(false, true);
    ends(true, false);
    ends(true, true);
    prefix(false);
    prefix(true);
    nats_Close();
    return 0;
}
