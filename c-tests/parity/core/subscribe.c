// Subscribing: statuses of every argument, subject and queue rules, the SUB and UNSUB lines.

#include "fixture.h"
#include "trace.h"
#include "wire.h"

static natsSubscription *const PRESET = (natsSubscription *)8;

// Runs a call that may set `sub`, tells its status and whether it touched the variable.
#define S(call)                                                                                              \
    do                                                                                                       \
    {                                                                                                        \
        natsSubscription *sub = PRESET;                                                                      \
        natsStatus        s   = call;                                                                        \
        trace("%s: %s%s", #call, status_name(s), sub == PRESET ? " untouched" : "");                         \
        if (s == NATS_OK)                                                                                    \
        {                                                                                                    \
            trace("  id %d subject %s valid %d", (int)natsSubscription_GetID(sub),                           \
                  natsSubscription_GetSubject(sub), natsSubscription_IsValid(sub));                          \
            natsSubscription_Destroy(sub);                                                                   \
        }                                                                                                    \
    } while (0)

static void arguments(natsConnection *nc)
{
    S(natsConnection_Subscribe(&sub, NULL, "foo", on_msg_ignored, NULL));
    S(natsConnection_Subscribe(&sub, nc, NULL, on_msg_ignored, NULL));
    S(natsConnection_Subscribe(&sub, nc, "", on_msg_ignored, NULL));
    S(natsConnection_Subscribe(&sub, nc, "foo", NULL, NULL));
    S(natsConnection_Subscribe(&sub, nc, "foo", on_msg_ignored, NULL));
    S(natsConnection_SubscribeTimeout(&sub, NULL, "foo", 100, on_msg_ignored, NULL));
    S(natsConnection_SubscribeTimeout(&sub, nc, NULL, 100, on_msg_ignored, NULL));
    S(natsConnection_SubscribeTimeout(&sub, nc, "foo", 0, on_msg_ignored, NULL));
    S(natsConnection_SubscribeTimeout(&sub, nc, "foo", -1, on_msg_ignored, NULL));
    S(natsConnection_SubscribeTimeout(&sub, nc, "foo", 100, NULL, NULL));
    S(natsConnection_SubscribeTimeout(&sub, nc, "foo", 100000, on_msg_ignored, NULL));
    S(natsConnection_SubscribeSync(&sub, NULL, "foo"));
    S(natsConnection_SubscribeSync(&sub, nc, NULL));
    S(natsConnection_SubscribeSync(&sub, nc, ""));
    S(natsConnection_SubscribeSync(&sub, nc, "foo"));
    S(natsConnection_QueueSubscribe(&sub, NULL, "foo", "q", on_msg_ignored, NULL));
    S(natsConnection_QueueSubscribe(&sub, nc, NULL, "q", on_msg_ignored, NULL));
    S(natsConnection_QueueSubscribe(&sub, nc, "foo", NULL, on_msg_ignored, NULL));
    S(natsConnection_QueueSubscribe(&sub, nc, "foo", "", on_msg_ignored, NULL));
    S(natsConnection_QueueSubscribe(&sub, nc, "foo", "a b", on_msg_ignored, NULL));
    S(natsConnection_QueueSubscribe(&sub, nc, "foo", "a\tb", on_msg_ignored, NULL));
    S(natsConnection_QueueSubscribe(&sub, nc, "foo", " ", on_msg_ignored, NULL));
    S(natsConnection_QueueSubscribe(&sub, nc, "foo", "a..b.>", on_msg_ignored, NULL));
    S(natsConnection_QueueSubscribe(&sub, nc, "foo", "q", NULL, NULL));
    S(natsConnection_QueueSubscribe(&sub, nc, "f oo", "a b", on_msg_ignored, NULL));
    S(natsConnection_QueueSubscribe(&sub, nc, "foo", "q", on_msg_ignored, NULL));
    S(natsConnection_QueueSubscribeTimeout(&sub, nc, "foo", "q", 0, on_msg_ignored, NULL));
    S(natsConnection_QueueSubscribeTimeout(&sub, nc, "foo", "q", 100, NULL, NULL));
    S(natsConnection_QueueSubscribeTimeout(&sub, nc, "foo", NULL, 100, on_msg_ignored, NULL));
    S(natsConnection_QueueSubscribeTimeout(&sub, nc, "foo", "", 100, on_msg_ignored, NULL));
    S(natsConnection_QueueSubscribeTimeout(&sub, nc, "foo", "q", 100000, on_msg_ignored, NULL));
    S(natsConnection_QueueSubscribeSync(&sub, NULL, "foo", "q"));
    S(natsConnection_QueueSubscribeSync(&sub, nc, "foo", NULL));
    S(natsConnection_QueueSubscribeSync(&sub, nc, "foo", ""));
    S(natsConnection_QueueSubscribeSync(&sub, nc, "foo", "a b"));
    S(natsConnection_QueueSubscribeSync(&sub, nc, "foo", "q"));
}

static void subjects(natsConnection *nc)
{
    static const char *const all[] = {
        "foo.bar", "*",    ">",    "foo.*",   "foo.>",       "*.*.>", "foo.*.bar", ">.a",    "a.>.b",
        ">.>",     ".",    "..",   ".foo",    "foo.",        "a..b",  " ",         "a b",    "a\tb",
        "a\nb",    "a\rb", "a\vb", "a\fb",    "foo*",        "f*o",   "foo>",      "a.b>.c", "*foo.>",
        "a.**",    "a.>>", "$SYS", "_INBOX.", "caf\xc3\xa9", "\xff",  "\x01",      "a.\x7f", "a.\xa0",
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    {
        natsSubscription *sub = NULL;
        natsStatus        s   = natsConnection_SubscribeSync(&sub, nc, all[i]);

        trace("%d '%s': %s", (int)i, all[i], status_name(s));
        natsSubscription_Destroy(sub);
    }
}

static void unsubscribing(natsConnection *nc)
{
    natsSubscription *sub = NULL;

    trace_status("Unsubscribe NULL", natsSubscription_Unsubscribe(NULL));
    trace_status("AutoUnsubscribe NULL", natsSubscription_AutoUnsubscribe(NULL, 1));
    natsSubscription_Destroy(NULL);
    for (int max = -2; max <= 2; max++)
    {
        trace("-- max %d", max);
        CHECK_OK(natsConnection_SubscribeSync(&sub, nc, "foo"));
        trace_status("AutoUnsubscribe", natsSubscription_AutoUnsubscribe(sub, max));
        trace("valid %d", natsSubscription_IsValid(sub));
        trace_status("again", natsSubscription_AutoUnsubscribe(sub, max));
        trace_status("Unsubscribe", natsSubscription_Unsubscribe(sub));
        trace("valid %d id %d subject %s connection %d", natsSubscription_IsValid(sub),
              (int)natsSubscription_GetID(sub), natsSubscription_GetSubject(sub) ? "set" : "NULL",
              natsSubscription_GetConnection(sub) == nc);
        trace_status("twice", natsSubscription_Unsubscribe(sub));
        trace_status("NoDeliveryDelay", natsSubscription_NoDeliveryDelay(sub));
        natsSubscription_Destroy(sub);
    }
}

static void resubscribing(void)
{
    fixture           f = fixture_create();
    natsSubscription *a = NULL, *b = NULL;

    trace_scenario("reconnect");
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&a, f.nc, "foo"));
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_stop_listening(f.m);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    WAIT_FOR(natsConnection_IsReconnecting(f.nc), 5000);
    trace_status("unsubscribe while reconnecting", natsSubscription_Unsubscribe(a));
    trace_status("subscribe while reconnecting", natsConnection_QueueSubscribeSync(&b, f.nc, "bar", "q"));
    trace_status("publish while reconnecting", natsConnection_PublishString(f.nc, "bar", "buffered"));
    mock_listen_again(f.m);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK(mock_wait_pubs(f.m, 2, 1, 5000));
    wire_trace(f.m, 2, f.nc);
    natsSubscription_Destroy(a);
    natsSubscription_Destroy(b);
    fixture_destroy(&f);
}

int main(void)
{
    fixture f;

    nats_Open(-1);
    f = fixture_create();
    trace_scenario("arguments");
    fixture_connect(&f);
    arguments(f.nc);
    wire_trace(f.m, 1, f.nc);
    natsConnection_Close(f.nc);
    trace_scenario("closed");
    arguments(f.nc);
    fixture_destroy(&f);

    f = fixture_create();
    trace_scenario("subjects");
    fixture_connect(&f);
    subjects(f.nc);
    fixture_destroy(&f);

    f = fixture_create();
    trace_scenario("unsubscribe");
    fixture_connect(&f);
    unsubscribing(f.nc);
    wire_trace(f.m, 1, f.nc);
    fixture_destroy(&f);

    resubscribing();
    nats_Close();
    return 0;
}
