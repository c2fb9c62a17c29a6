// Authentication errors on the way back, and first connects that are retried: what is repeated and what ends
// it all.

#include "fixture.h"
#include "trace.h"

#define VIOLATION "-ERR 'Authorization Violation'\r\n"
#define EXPIRED   "-ERR 'User Authentication Expired'\r\n"

static void tell(fixture *f)
{
    quiet_ms(50);
    trace_events(f->ev, 0);
    trace_connection("connection", f->nc);
    trace("accepted: %d", mock_accepted(f->m));
    fixture_destroy(f);
}

// The same error twice on one server ends the connection, attempts without end or not.
static void twice_the_same(const char *text, bool ignore)
{
    fixture f = fixture_create();

    trace_scenario(ignore ? "the same error over and over, ignored" : "the same error twice");
    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, -1));
    CHECK_OK(natsOptions_SetIgnoreAuthErrorAbort(f.opts, ignore));
    for (int i = 2; i <= 5; i++)
        mock_handshake_reply(f.m, i, text);
    fixture_connect(&f);
    mock_close(f.m, 1);
    CHECK(events_wait(f.ev, ignore ? "reconnected" : "closed", 1, 5000));
    tell(&f);
}

static void different_ones(void)
{
    fixture f = fixture_create();

    trace_scenario("different errors in turn");
    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, -1));
    mock_handshake_reply(f.m, 2, VIOLATION);
    mock_handshake_reply(f.m, 3, EXPIRED);
    mock_handshake_reply(f.m, 4, VIOLATION);
    fixture_connect(&f);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    tell(&f);
}

// On a live connection the error alone ends nothing; what comes after it does.
static void while_connected(void)
{
    fixture f = fixture_create();

    trace_scenario("error while connected");
    fixture_connect(&f);
    mock_send(f.m, EXPIRED);
    WAIT_EVENT(f.ev, "error", 1, 5000);
    trace_status("flush", natsConnection_FlushTimeout(f.nc, 5000));
    mock_send(f.m, VIOLATION);
    WAIT_EVENT(f.ev, "error", 2, 5000);
    trace_status("flush", natsConnection_FlushTimeout(f.nc, 5000));
    mock_send(f.m, VIOLATION);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    tell(&f);
}

static void forgotten_after_success(void)
{
    fixture f = fixture_create();

    trace_scenario("a success in between");
    fixture_connect(&f);
    for (int i = 1; i <= 2; i++)
    {
        mock_send(f.m, EXPIRED);
        WAIT_EVENT(f.ev, "error", i, 5000);
        mock_close(f.m, MOCK_LATEST);
        WAIT_EVENT(f.ev, "reconnected", i, 5000);
    }
    tell(&f);
}

// The limit of attempts also counts for a next server that refuses the credentials.
static void limit_with_two_servers(void)
{
    fixture     f = fixture_create(), g = fixture_create();
    const char *urls[2] = {mock_url(f.m), mock_url(g.m)};

    trace_scenario("attempts run out while the next server refuses");
    CHECK_OK(natsOptions_SetURL(f.opts, NULL));
    CHECK_OK(natsOptions_SetServers(f.opts, urls, 2));
    CHECK_OK(natsOptions_SetNoRandomize(f.opts, true));
    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, 2));
    CHECK_OK(natsOptions_SetIgnoreAuthErrorAbort(f.opts, true));
    mock_handshake_reply(g.m, MOCK_ALL, VIOLATION);
    fixture_connect(&f);
    mock_stop_listening(f.m);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    trace("second server accepted: %d", mock_accepted(g.m));
    quiet_ms(50);
    // The disconnected callback of the reference may run before or after the next server refused: what it
    // finds is chance.
    trace_order(f.ev);
    trace_connection("connection", f.nc);
    trace("accepted: %d", mock_accepted(f.m));
    fixture_destroy(&f);
    fixture_destroy(&g);
}

// A peer that accepts and closes, met by a first connect that is to be retried.
static void retried_in_the_background(void)
{
    fixture f = fixture_create();

    trace_scenario("first connect retried in the background");
    CHECK_OK(natsOptions_SetRetryOnFailedConnect(f.opts, true, on_connected, f.ev));
    for (int i = 1; i <= 4; i++)
        mock_on_accept(f.m, i, MOCK_CLOSE_AT_ONCE);
    trace_status("connect", natsConnection_Connect(&f.nc, f.opts));
    trace_status("publish", natsConnection_PublishString(f.nc, "early", "x"));
    WAIT_EVENT(f.ev, "connected", 1, 5000);
    CHECK(mock_wait_line(f.m, 5, "PUB early", 1, 5000));
    tell(&f);
}

static void retried_without_end(void)
{
    fixture f = fixture_create();
    int64_t t;

    trace_scenario("closed while the first connect is retried");
    CHECK_OK(natsOptions_SetRetryOnFailedConnect(f.opts, true, on_connected, f.ev));
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 60000));
    mock_stop_listening(f.m);
    trace_status("connect", natsConnection_Connect(&f.nc, f.opts));
    t = now_ms();
    natsConnection_Close(f.nc);
    trace_time("close", now_ms() - t, 1000);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    tell(&f);
}

static void retried_while_blocking(void)
{
    fixture f = fixture_create();
    int64_t t = now_ms();

    trace_scenario("first connect retried by the caller");
    CHECK_OK(natsOptions_SetRetryOnFailedConnect(f.opts, true, NULL, NULL));
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 300));
    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, 5));
    mock_on_accept(f.m, 1, MOCK_CLOSE_AT_ONCE);
    mock_on_accept(f.m, 2, MOCK_CLOSE_AT_ONCE);
    trace_status("connect", natsConnection_Connect(&f.nc, f.opts));
    trace_time("connected", now_ms() - t, 300);
    tell(&f);

    f = fixture_create();
    trace_scenario("and given up");
    CHECK_OK(natsOptions_SetRetryOnFailedConnect(f.opts, true, NULL, NULL));
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 200));
    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, 3));
    mock_on_accept(f.m, MOCK_ALL, MOCK_CLOSE_AT_ONCE);
    t = now_ms();
    trace_status("connect", natsConnection_Connect(&f.nc, f.opts));
    trace_time("failed", now_ms() - t, 300);
    trace("accepted: %d, events: %d", mock_accepted(f.m), events_count(f.ev, NULL));
    fixture_destroy(&f);
}

int main(void)
{
    trace_timing(300, 120);
    twice_the_same(VIOLATION, false);
    twice_the_same(EXPIRED, false);
    twice_the_same(VIOLATION, true);
    different_ones();
    while_connected();
    forgotten_after_success();
    limit_with_two_servers();
    retried_in_the_background();
    retried_without_end();
    retried_while_blocking();
    return 0;
}
