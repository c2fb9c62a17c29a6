// The first exchange: how its bytes may arrive, how it may fail, how long it may take.

#include "fixture.h"
#include "trace.h"

enum
{
    TICK = 200,
};

static natsStatus attempt(fixture *f)
{
    natsStatus s = natsConnection_Connect(&f->nc, f->opts);

    events_start_clock(f->ev);
    return s;
}

// A failed attempt leaves no object, no file descriptor and no event behind.
static void fails(fixture *f, int64_t timeout)
{
    int     fds = fd_count();
    int64_t t;

    CHECK_OK(natsOptions_SetTimeout(f->opts, timeout));
    t = now_ms();
    trace_status("connect", attempt(f));
    if (timeout < 1000)
        trace_time("ends", now_ms() - t, TICK);
    if (f->nc != NULL)
    {
        fixture_destroy(f);
        return;
    }
    mock_close(f->m, MOCK_ALL);
    CHECK(mock_wait_open(f->m, 0, 5000));
    // Two per connection are the mock's.
    trace("descriptors left: %d", fd_count() - fds - 2 * mock_accepted(f->m));
    quiet_ms(20);
    trace_events(f->ev, 0);
    fixture_destroy(f);
}

static void pieces_of_info(void)
{
    static const mock_greeting how[] = {MOCK_SPLIT_INFO, MOCK_DRIP_INFO};

    trace_scenario("INFO in pieces");
    for (int i = 0; i < 2; i++)
    {
        fixture f = fixture_create();

        mock_on_accept(f.m, MOCK_ALL, how[i]);
        trace_status("connect", attempt(&f));
        trace_status("flush", natsConnection_FlushTimeout(f.nc, 5000));
        fixture_destroy(&f);
    }
}

static void bytes_with_the_pong(void)
{
    fixture f = fixture_create();
    char  **urls;
    int     n = 0;

    trace_scenario("bytes in the same segment as the first PONG");
    mock_after_pong(f.m, MOCK_ALL, "INFO {\"max_payload\":77,\"connect_urls\":[\"me:1\"]}\r\nPING\r\n");
    trace_status("connect", attempt(&f));
    CHECK(mock_wait_line(f.m, 1, "PONG", 1, 5000));
    trace("max payload %d", (int)natsConnection_GetMaxPayload(f.nc));
    trace_status("discovered", natsConnection_GetDiscoveredServers(f.nc, &urls, &n));
    for (int i = 0; i < n; i++)
    {
        trace("  %s", urls[i]);
        free(urls[i]);
    }
    free(urls);
    fixture_destroy(&f);
}

// The same after a reconnect, where subscriptions exist already.
static void message_with_the_pong(void)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;

    trace_scenario("message in the same segment as the PONG of a reconnect");
    mock_after_pong(f.m, 2, "MSG foo 1 5\r\nhello\r\nMSG foo 1 5\r\nworld\r\n");
    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg, f.ev));
    CHECK(mock_wait_line(f.m, 1, "SUB foo", 1, 5000));
    mock_close(f.m, 1);
    CHECK(mock_wait_line(f.m, 2, "SUB foo", 1, 5000));
    WAIT_EVENT(f.ev, "msg", 2, 5000);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    for (int i = 1; i <= 2; i++)
    {
        event e;
        CHECK(events_get(f.ev, "msg", i, &e));
        trace("  %s", e.text);
    }
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

static void answers(void)
{
    static const struct
    {
        const char *text;
        bool        verbose;
    } cases[] = {
        {"PONG\r\n", false},
        {"PONG\n", false},
        {"PONG and more\r\n", false},
        {"pong\r\n", false},
        {"+OK\r\nPONG\r\n", false},
        {"+OK\r\nPONG\r\n", true}, // the mock has sent one +OK for the CONNECT before
        {"PONG\r\n", true},
        {"PING\r\nPONG\r\n", false},
        {"INFO {}\r\nPONG\r\n", false},
        {"-ERR 'Authorization Violation'\r\n", false},
        {"-ERR 'User Authentication Expired'\r\n", false},
        {"-ERR 'Maximum Connections Exceeded'\r\n", false},
        {"-ERR 'Stale Connection'\r\n", false},
        {"\r\n", false},
        {"GARBAGE\r\n", false},
        {"+OK\r\n-ERR 'Authorization Violation'\r\n", true},
    };

    trace_scenario("answers to the first PING");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    {
        fixture f = fixture_create();

        trace("-- %d: %.*s%s", (int)i, (int)strcspn(cases[i].text, "\r\n"), cases[i].text,
              cases[i].verbose ? " (verbose)" : "");
        CHECK_OK(natsOptions_SetVerbose(f.opts, cases[i].verbose));
        mock_handshake_reply(f.m, MOCK_ALL, cases[i].text);
        trace_status("connect", attempt(&f));
        if (f.nc != NULL)
            trace_status("flush", natsConnection_FlushTimeout(f.nc, 5000));
        quiet_ms(20);
        trace("callbacks: %d", events_count(f.ev, NULL));
        fixture_destroy(&f);
    }
}

static void greetings(void)
{
    static const char *const texts[] = {
        "INFO {}\r\n",
        "INFOZ {}\r\n",
        "info {}\r\n",
        "PING\r\n",
        "INFO {\"max_payload\":\"many\"}\r\n",
        "INFO not json\r\n",
        "\r\n",
        "-ERR 'go away'\r\n",
    };

    trace_scenario("greetings");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    {
        fixture f = fixture_create();

        trace("-- %.*s", (int)strcspn(texts[i], "\r"), texts[i]);
        mock_greeting_text(f.m, MOCK_ALL, texts[i]);
        fails(&f, 5000);
    }
}

static void ends_early(void)
{
    fixture f = fixture_create();

    trace_scenario("closed at once");
    mock_on_accept(f.m, MOCK_ALL, MOCK_CLOSE_AT_ONCE);
    fails(&f, 5000);

    f = fixture_create();
    trace_scenario("closed after CONNECT and PING");
    mock_close_in_handshake(f.m, MOCK_ALL, true);
    fails(&f, 5000);
}

static void timeouts(void)
{
    fixture f = fixture_create();

    trace_scenario("no INFO");
    mock_on_accept(f.m, MOCK_ALL, MOCK_SILENT);
    fails(&f, 400);

    f = fixture_create();
    trace_scenario("no PONG");
    mock_handshake_reply(f.m, MOCK_ALL, "");
    fails(&f, 400);

    f = fixture_create();
    trace_scenario("INFO slower than the timeout");
    mock_on_accept(f.m, MOCK_ALL, MOCK_DRIP_INFO);
    fails(&f, 400);

    f = fixture_create();
    trace_scenario("TLS handshake never answered");
    mock_info(f.m, MOCK_ALL, "{\"tls_required\":true,\"max_payload\":1000}");
    fails(&f, 400);

    // Whether a timeout of zero lets the reference connect is chance: liveness.c tests what it does here.
    f = fixture_create();
    trace_scenario("timeout of zero");
    trace_status("set", natsOptions_SetTimeout(f.opts, 0));
    trace_status("set -1", natsOptions_SetTimeout(f.opts, -1));
    fixture_destroy(&f);
}

static void refused(void)
{
    fixture f = fixture_create();

    trace_scenario("refused");
    mock_stop_listening(f.m);
    fails(&f, 5000);
}

// A server that wants TLS and then does not speak it: each attempt leaves nothing behind.
static void tls_garbage(void)
{
    fixture f = fixture_create();

    trace_scenario("TLS handshake that fails");
    mock_greeting_text(f.m, MOCK_ALL, "INFO {\"tls_required\":true}\r\n\fthis is no TLS record\r\n");
    fails(&f, 5000);

    // What the failed attempts have left in the options or the connection must not be in the way.
    f = fixture_create();
    trace_scenario("plain after a TLS handshake that failed");
    mock_greeting_text(f.m, 1, "INFO {\"tls_required\":true}\r\n\fthis is no TLS record\r\n");
    trace_status("TLS", attempt(&f));
    trace_status("plain", attempt(&f));
    fixture_destroy(&f);
}

// The last attempt's outcome is the one that is told.
static void several_servers(void)
{
    fixture     a = fixture_create(), b = fixture_create();
    const char *urls[2] = {mock_url(a.m), mock_url(b.m)};

    trace_scenario("two servers, the second answers");
    CHECK_OK(natsOptions_SetURL(a.opts, NULL));
    CHECK_OK(natsOptions_SetServers(a.opts, urls, 2));
    CHECK_OK(natsOptions_SetNoRandomize(a.opts, true));
    mock_on_accept(a.m, MOCK_ALL, MOCK_CLOSE_AT_ONCE);
    trace_status("connect", attempt(&a));
    trace("first tried %d times, second %d times", mock_accepted(a.m), mock_accepted(b.m));
    fixture_destroy(&b);
    fixture_destroy(&a);
}

int main(void)
{
    trace_timing(TICK, 120);
    // Opening the library costs descriptors of its own.
    CHECK_OK(nats_Open(-1));
    pieces_of_info();
    bytes_with_the_pong();
    message_with_the_pong();
    answers();
    greetings();
    ends_early();
    timeouts();
    refused();
    tls_garbage();
    several_servers();
    return 0;
}
