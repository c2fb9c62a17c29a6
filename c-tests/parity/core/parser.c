// What a server may send: the lenient and the broken, whole and byte by byte.

#include "fixture.h"
#include "trace.h"

static void on_any(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ev)
{
    char text[EVENT_TEXT_MAX];

    const char *data = natsMsg_GetData(msg);
    int         len  = natsMsg_GetDataLength(msg);

    (void)nc;
    (void)sub;
    snprintf(text, sizeof text, "%.20s(%d) %s %s '%.30s'(%d)", natsMsg_GetSubject(msg),
             (int)strlen(natsMsg_GetSubject(msg)), natsMsg_GetReply(msg) ? natsMsg_GetReply(msg) : "-",
             data == NULL        ? "NULL"
             : data[len] == '\0' ? "ended"
                                 : "unended",
             data == NULL ? "" : data, len);
    events_add(ev, "msg", NATS_OK, text);
    natsMsg_Destroy(msg);
}

static void counts(natsConnection *nc)
{
    natsStatistics *stats = NULL;
    uint64_t        in = 0, in_bytes = 0;

    natsStatistics_Create(&stats);
    natsConnection_GetStats(nc, stats);
    natsStatistics_GetCounts(stats, &in, &in_bytes, NULL, NULL, NULL);
    natsStatistics_Destroy(stats);
    trace("in %d/%d", (int)in, (int)in_bytes);
}

static void accepted(const char *name, const char *bytes, int drip_ms)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    event             e;

    trace_scenario(name);
    CHECK_OK(natsOptions_SetAllowReconnect(f.opts, false));
    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_any, f.ev));
    CHECK_OK(natsConnection_Flush(f.nc));
    if (drip_ms > 0)
        mock_drip(f.m, bytes, drip_ms);
    else
        mock_write(f.m, 1, bytes, strlen(bytes));
    mock_send(f.m, "MSG end 1 3\r\nend\r\n");
    (void)HOLDS_WITHIN(
        natsConnection_IsClosed(f.nc) ||
            (events_get(f.ev, "msg", events_count(f.ev, "msg"), &e) && strncmp(e.text, "end(", 4) == 0),
        5000);
    for (int i = 1; events_get(f.ev, "msg", i, &e); i++)
        trace("  %s", e.text);
    trace_connection("nc", f.nc);
    counts(f.nc);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

static void show(const char *bytes)
{
    for (const char *c = bytes; *c; c++)
        if (*c == '\r' || *c == '\n')
            printf("%s", *c == '\r' ? "\\r" : "\\n");
        else
            putchar(*c);
    putchar('\n');
}

// The connection ends without reconnect: the last error says why.
static void refused(const char *bytes)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    char              text[256];
    natsStatus        s;

    trace_scenario("refused");
    show(bytes);
    CHECK_OK(natsOptions_SetAllowReconnect(f.opts, false));
    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_any, f.ev));
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_write(f.m, 1, bytes, strlen(bytes));
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    s = natsConnection_ReadLastError(f.nc, text, sizeof text);
    trace_status("last error", s);
    show(text);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

// With reconnect allowed an error is no end.
static void recovers(void)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;

    trace_scenario("comes back after a protocol error");
    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_any, f.ev));
    mock_send(f.m, "what is this\r\n");
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    mock_send(f.m, "MSG foo 1 2\r\nok\r\n");
    WAIT_EVENT(f.ev, "msg", 1, 5000);
    trace("messages %d", events_count(f.ev, "msg"));
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

static char *long_subject(size_t size)
{
    char *text = malloc(size + 64);
    int   n    = sprintf(text, "MSG ");

    memset(text + n, 'a', size);
    strcpy(text + n + size, " 1 2\r\nhi\r\n");
    return text;
}

int main(void)
{
    char *text;

    nats_Open(-1);
    accepted("plain", "MSG foo 1 5\r\nhello\r\n", 0);
    accepted("reply", "MSG foo 1 re.ply 5\r\nhello\r\n", 0);
    accepted("lower case",
             "msg foo 1 5\r\nhello\r\nhmsg foo 1 12 14\r\nNATS/1.0\r\n\r\nab\r\nping\r\npong\r\n+ok\r\n", 0);
    accepted("mixed case", "mSg foo 1 5\r\nhello\r\nHmSg foo 1 re 12 14\r\nNATS/1.0\r\n\r\nab\r\n", 0);
    accepted("blanks", "MSG   foo \t 1  \tre   5  \r\nhello\r\nMSG\tfoo\t1\t5\r\nhello\r\n", 0);
    accepted("junk after the body",
             "MSG foo 1 5\r\nhelloJUNK\r\nMSG foo 1 2\r\nab\r junk \nMSG foo 1 1\r\nc \t \r\n", 0);
    accepted(
        "a payload that CRLF does not end",
        "MSG foo 1 2\r\nhi\n\nMSG foo 1 2\r\nab\r\r\nMSG foo 1 2\r\ncd\n\r\nMSG foo 1 2\r\nef\nx\nMSG foo 1 "
        "2\r\nghxy\n"
        "MSG foo 1 0\r\n\n\nMSG foo 1 2\r\nij\nMSG foo 1 2\r\nHMSG foo 1 12 14\r\nNATS/1.0\r\n\r\nkl\n\n",
        0);
    accepted("the same byte by byte",
             "MSG foo 1 2\r\nhi\n\nMSG foo 1 2\r\nef\nx\nMSG foo 1 0\r\n\n\nMSG foo 1 2\r\nghxy\n", 1);
    accepted("junk after verbs", "PING and more\r\nPONG 1 2 3\r\n+OK okay\r\nPONG\r\nMSG foo 1 1\r\na\r\n",
             0);
    accepted("bare LF after a line", "MSG foo 1 1\na\r\nPONG\n+OK\nMSG foo 1 1\nb\r\n", 0);
    accepted("empty", "MSG foo 1 0\r\n\r\nMSG foo 1 00\r\n\r\n", 0);
    accepted("leading zeros", "MSG foo 01 003\r\nabc\r\n", 0);
    accepted("no headers in HMSG", "HMSG foo 1 0 2\r\nab\r\nHMSG foo 1 0 0\r\n\r\n", 0);
    accepted("unknown sids",
             "MSG foo 7 2\r\nab\r\nMSG foo 99999999 3\r\nabc\r\nHMSG foo 9 12 14\r\nNATS/1.0\r\n\r\nab\r\n",
             0);
    accepted("body that looks like protocol", "MSG foo 1 16\r\nMSG foo 1 1\r\na\r\n\r\n", 0);
    accepted("info in between",
             "INFO {\"max_payload\":9}\r\nMSG foo 1 2\r\nab\r\nINFO {bad\r\nMSG foo 1 2\r\nab\r\n", 0);
    accepted("permissions", "-ERR 'Permissions Violation for Subscription to \"x\"'\r\nMSG foo 1 2\r\nab\r\n",
             0);
    accepted("byte by byte",
             "MSG foo 1 5\r\nhello\r\nHMSG foo 1 re 12 "
             "14\r\nNATS/1.0\r\n\r\nab\r\nPING\r\n+OK\r\nPONG\r\nMSG foo 1 0\r\n\r\n"
             "INFO {\"max_payload\":9}\r\nMSG foo 1 3\r\nabcJ\r\n",
             1);
    text = long_subject(5000);
    accepted("long subject", text, 0);
    free(text);
    text = long_subject(70000);
    accepted("longer subject", text, 0);
    free(text);

    refused("\r\n");
    refused(" MSG foo 1 1\r\na\r\n");
    refused("nonsense\r\n");
    refused("PINK\r\n");
    refused("POND\r\n");
    refused("+NO\r\n");
    refused("MSGfoo 1 1\r\na\r\n");
    refused("MSG\r\n");
    refused("MSG foo\r\n");
    refused("MSG foo 1\r\n");
    refused("MSG foo 1 re 1 1\r\na\r\n");
    refused("MSG foo x 1\r\na\r\n");
    refused("MSG foo -1 1\r\na\r\n");
    refused("MSG foo 1 x\r\na\r\n");
    refused("MSG foo 1 -1\r\na\r\n");
    refused("MSG foo 1 1x\r\na\r\n");
    refused("MSG foo 1 99999999999999999999\r\na\r\n");
    refused("HMSG foo 1 5\r\n");
    refused("HMSG foo 1 re 5 6 7\r\n");
    refused("HMSG foo 1 20 5\r\n");
    refused("HMSG foo 1 x 5\r\n");
    refused("HMSG foo 1 5 x\r\n");
    refused("HMSG foo x 5 5\r\n");
    refused("HMSG foo 1 -1 5\r\n");
    refused("MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\nnonsense\r\n");
    refused("MSG foo 1 2\r\nhi\n\n\n");
    refused("MSG foo 1 2\r\nhi\nMSG foo 1 2\r\nok\r\n");
    refused("PING\n\n");
    refused("+OX\r\n");
    refused("MsX\r\n");
    refused("HMSGfoo 1 1\r\n");
    refused("HX\r\n");
    refused("HM\r\n");
    refused("INFO\r\n");
    refused("INF {}\r\n");
    refused("-ERx\r\n");
    refused("PI\r\n");
    refused("PONX\r\nPING\r\nMSG foo 1 1\r\n");
    refused("MSG foo bar 1 baz\r\n");
    refused("MSG foo bar baz\r\n");
    refused("MSG foo bar 1\r\n");
    refused("MSG \t foo \t x   1  \r\n");
    refused("MSG foo 99999999999999999999 1\r\n");
    refused("HMSG foo x y z\r\n");
    refused("HMSG foo bar x 5 5\r\n");
    refused("HMSG foo bar 1 5 baz\r\n");
    text = long_subject(400);
    strcpy(text + 404, " x 2\r\n");
    refused(text);
    memset(text, 'X', 400);
    refused(text);
    free(text);
    refused("-ERR 'whatever'\r\n");
    refused("-ERR\r\n");
    recovers();
    nats_Close();
    return 0;
}
