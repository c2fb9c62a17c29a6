// natsConnection_*: connecting, getters, loss and return, closing, draining. What a peer may do wrong is in
// liveness.c and the parity programs.

#include <pthread.h>

#include "calls.h"
#include "fixture.h"
#include "server.h"

#define INFO(rest)                                                                                           \
    "{\"server_id\":\"ID\",\"server_name\":\"NAME\",\"version\":\"2\",\"proto\":1,\"max_payload\":1000" rest \
    "}"

static char *connected_url(natsConnection *nc)
{
    static char url[128];

    CHECK_OK(natsConnection_GetConnectedUrl(nc, url, sizeof url));
    return url;
}

// ---- arguments ----

TEST(null_connection)
{
    char          buf[16], **list;
    const char   *text;
    char         *ip;
    int           n;
    int64_t       rtt;
    uint64_t      cid;
    unsigned char sig[64];

    CHECK(natsConnection_IsClosed(NULL));
    CHECK(!natsConnection_IsReconnecting(NULL));
    CHECK(!natsConnection_IsDraining(NULL));
    CHECK_INT(natsConnection_Status(NULL), NATS_CONN_STATUS_CLOSED);
    CHECK_INT(natsConnection_Buffered(NULL), -1);
    CHECK_INT(natsConnection_GetMaxPayload(NULL), 0);
    CHECK(natsConnection_GetName(NULL) == NULL);
    CHECK_STATUS(natsConnection_Reconnect(NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_Flush(NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_FlushTimeout(NULL, 0), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetConnectedUrl(NULL, buf, sizeof buf), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetConnectedServerId(NULL, buf, sizeof buf), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetConnectedServerName(NULL, buf, sizeof buf), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetServers(NULL, &list, &n), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetDiscoveredServers(NULL, &list, &n), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetLastError(NULL, &text), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_ReadLastError(NULL, buf, sizeof buf), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetClientID(NULL, &cid), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetClientIP(NULL, &ip), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetLocalIPAndPort(NULL, &ip, &n), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetRTT(NULL, &rtt), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_HasHeaderSupport(NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_Drain(NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_DrainTimeout(NULL, 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_Sign(NULL, (const unsigned char *)"x", 1, sig), NATS_INVALID_ARG);
    natsConnection_Close(NULL);
    natsConnection_Destroy(NULL);
}

TEST(null_results)
{
    fixture f = fixture_create();
    char    buf[16], **list;
    char   *ip;
    int     n;

    fixture_connect(&f);
    CHECK_STATUS(natsConnection_GetConnectedUrl(f.nc, NULL, 10), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetConnectedServerId(f.nc, NULL, 10), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetConnectedServerName(f.nc, NULL, 10), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetServers(f.nc, NULL, &n), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetServers(f.nc, &list, NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetDiscoveredServers(f.nc, NULL, &n), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetDiscoveredServers(f.nc, &list, NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetClientID(f.nc, NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetClientIP(f.nc, NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetLocalIPAndPort(f.nc, NULL, &n), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetLocalIPAndPort(f.nc, &ip, NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetRTT(f.nc, NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_Sign(f.nc, NULL, 0, NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_Sign(f.nc, NULL, -1, (unsigned char *)buf), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_FlushTimeout(f.nc, 0), NATS_INVALID_TIMEOUT);
    CHECK_STATUS(natsConnection_FlushTimeout(f.nc, -1), NATS_INVALID_TIMEOUT);
    CHECK_OK(natsConnection_ReadLastError(f.nc, NULL, 10));
    CHECK_OK(natsConnection_ReadLastError(f.nc, buf, 0));
    fixture_destroy(&f);
}

// ---- connecting ----

TEST(connect_to_lists)
{
    mock           *m  = mock_create();
    natsConnection *nc = NULL;
    char            urls[128];

    snprintf(urls, sizeof urls, "nats://127.0.0.1:1, %s ,127.0.0.1:2", mock_url(m));
    CHECK_OK(natsConnection_ConnectTo(&nc, urls));
    CHECK_INT(server_count(nc), 3);
    natsConnection_Destroy(nc);
    nc = NULL;
    CHECK_STATUS(natsConnection_ConnectTo(&nc, "a,"), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_ConnectTo(&nc, "nats://localhost:x"), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_ConnectTo(&nc, "nats://127.0.0.1:1"), NATS_NO_SERVER);
    CHECK(nc == NULL);
    mock_destroy(m);
}

// What comes of an attempt, and that nobody is called back for it.
TEST(failures_of_connect)
{
    static const struct
    {
        const char *greeting, *reply;
        natsStatus  status;
    } cases[] = {
        {"INFOZ {}\r\n", NULL, NATS_PROTOCOL_ERROR},
        {"INFO {\r\n", NULL, NATS_ERR},
        {NULL, "-ERR 'Authorization Violation'\r\n", NATS_CONNECTION_AUTH_FAILED},
        {NULL, "-ERR 'Whatever'\r\n", NATS_ERR},
        {NULL, "+OK\r\n", NATS_PROTOCOL_ERROR},
        {NULL, "INFO {}\r\n", NATS_PROTOCOL_ERROR},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    {
        fixture f = fixture_create();

        if (cases[i].greeting != NULL)
            mock_greeting_text(f.m, 1, cases[i].greeting);
        if (cases[i].reply != NULL)
            mock_handshake_reply(f.m, 1, cases[i].reply);
        CHECK_STATUS(natsConnection_Connect(&f.nc, f.opts), cases[i].status);
        CHECK(f.nc == NULL);
        quiet_ms(20);
        CHECK_INT(events_count(f.ev, NULL), 0);
        fixture_destroy(&f);
    }
}

TEST(silent_and_vanishing_servers)
{
    fixture    f = fixture_create();
    natsStatus s;

    CHECK_OK(natsOptions_SetTimeout(f.opts, 100));
    mock_on_accept(f.m, 1, MOCK_SILENT);
    CHECK_STATUS(natsConnection_Connect(&f.nc, f.opts), NATS_TIMEOUT);
    CHECK_OK(natsOptions_SetTimeout(f.opts, 5000));
    mock_on_accept(f.m, 2, MOCK_CLOSE_AT_ONCE);
    CHECK_STATUS(natsConnection_Connect(&f.nc, f.opts), NATS_CONNECTION_CLOSED);
    mock_on_accept(f.m, 3, MOCK_RESET_AT_ONCE);
    s = natsConnection_Connect(&f.nc, f.opts);
    // The reset may come before the connection counts as made.
    CHECK_MSG(s == NATS_IO_ERROR || s == NATS_CONNECTION_CLOSED || s == NATS_NO_SERVER, "status %d", (int)s);
    CHECK_INT(events_count(f.ev, NULL), 0);
    fixture_destroy(&f);
}

TEST(no_echo_needs_a_newer_server)
{
    fixture f = fixture_create();

    mock_info(f.m, MOCK_ALL, "{\"proto\":0}");
    CHECK_OK(natsOptions_SetNoEcho(f.opts, true));
    CHECK_STATUS(natsConnection_Connect(&f.nc, f.opts), NATS_NO_SERVER_SUPPORT);
    fixture_destroy(&f);
}

// What the server sends right behind its PONG is not lost.
TEST(bytes_behind_the_pong)
{
    fixture f = fixture_create();

    mock_after_pong(f.m, 1, "INFO {\"server_id\":\"x\",\"connect_urls\":[\"me:1\"]}\r\n");
    fixture_connect(&f);
    WAIT_FOR(discovered_count(f.nc) == 1, 5000);
    fixture_destroy(&f);
}

TEST_T(retry_blocks_and_gives_up, 20000)
{
    fixture f     = fixture_create();
    int64_t start = now_ms();

    mock_stop_listening(f.m);
    CHECK_OK(natsOptions_SetRetryOnFailedConnect(f.opts, true, NULL, NULL));
    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, 3));
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 100));
    CHECK_STATUS(natsConnection_Connect(&f.nc, f.opts), NATS_NO_SERVER);
    CHECK_RANGE(now_ms() - start, 290, 5000);
    fixture_destroy(&f);
}

TEST(not_yet_connected)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    natsStatus        s   = NATS_OK;

    mock_stop_listening(f.m);
    CHECK_OK(natsOptions_SetRetryOnFailedConnect(f.opts, true, on_connected, f.ev));
    CHECK_STATUS(natsConnection_Connect(&f.nc, f.opts), NATS_NOT_YET_CONNECTED);
    nats_GetLastError(&s);
    CHECK_STATUS(s, NATS_NOT_YET_CONNECTED);
    CHECK(natsConnection_IsReconnecting(f.nc));
    CHECK_INT(natsConnection_Status(f.nc), NATS_CONN_STATUS_RECONNECTING);
    CHECK_OK(natsConnection_PublishString(f.nc, "foo", "early"));
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "bar"));
    mock_listen_again(f.m);
    WAIT_EVENT(f.ev, "connected", 1, 5000);
    CHECK(mock_wait_line(f.m, MOCK_LATEST, "PUB foo 5", 1, 5000));
    CHECK(mock_wait_line(f.m, MOCK_LATEST, "SUB bar  1", 1, 5000));
    CHECK_INT(events_count(f.ev, "reconnected") + events_count(f.ev, "disconnected"), 0);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

TEST(closed_before_connected)
{
    fixture f     = fixture_create();
    int64_t start = now_ms();

    mock_stop_listening(f.m);
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 60000));
    CHECK_OK(natsOptions_SetRetryOnFailedConnect(f.opts, true, on_connected, f.ev));
    CHECK_STATUS(natsConnection_Connect(&f.nc, f.opts), NATS_NOT_YET_CONNECTED);
    natsConnection_Close(f.nc);
    CHECK_RANGE(now_ms() - start, 0, 5000);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK_INT(events_count(f.ev, NULL), 1);
    fixture_destroy(&f);
}

// ---- getters ----

TEST(what_the_server_said)
{
    fixture       f = fixture_create();
    char          buf[64], *ip = NULL, url[64];
    uint64_t      cid  = 0;
    int           port = 0;
    int64_t       rtt  = 0;
    unsigned char sig[64];

    mock_info(f.m, MOCK_ALL,
              INFO(",\"headers\":true,\"client_id\":5,\"client_ip\":\"1.2.3.4\",\"connect_urls\":[\"a:1\"]"));
    snprintf(url, sizeof url, "nats://u%%40:p@127.0.0.1:%d", mock_port(f.m));
    CHECK_OK(natsOptions_SetURL(f.opts, url));
    fixture_connect(&f);
    CHECK_STR(connected_url(f.nc), url);
    CHECK_STATUS(natsConnection_GetConnectedServerId(f.nc, buf, 2), NATS_INSUFFICIENT_BUFFER);
    CHECK_STR(buf, "");
    CHECK_OK(natsConnection_GetConnectedServerId(f.nc, buf, 3));
    CHECK_STR(buf, "ID");
    CHECK_OK(natsConnection_GetConnectedServerName(f.nc, buf, 5));
    CHECK_STR(buf, "NAME");
    CHECK_INT(server_count(f.nc), 2);
    CHECK_INT(discovered_count(f.nc), 1);
    CHECK_INT(natsConnection_GetMaxPayload(f.nc), 1000);
    CHECK_OK(natsConnection_HasHeaderSupport(f.nc));
    CHECK_OK(natsConnection_GetClientID(f.nc, &cid));
    CHECK_INT(cid, 5);
    CHECK_OK(natsConnection_GetClientIP(f.nc, &ip));
    CHECK_STR(ip, "1.2.3.4");
    free(ip);
    CHECK_OK(natsConnection_GetLocalIPAndPort(f.nc, &ip, &port));
    CHECK_STR(ip, "127.0.0.1");
    CHECK(port > 0);
    free(ip);
    CHECK_OK(natsConnection_GetRTT(f.nc, &rtt));
    CHECK_RANGE(rtt, 1, 5000000000);
    CHECK_STATUS(natsConnection_Sign(f.nc, (const unsigned char *)"x", 1, sig), NATS_ERR);
    CHECK(strstr(nats_GetLastError(NULL), "unable to sign") != NULL);

    mock_send(f.m, "INFO {\"ldm\":true}\r\n");
    WAIT_EVENT(f.ev, "lame duck", 1, 5000);
    CHECK_INT(natsConnection_GetMaxPayload(f.nc), 0);
    CHECK_STATUS(natsConnection_GetClientID(f.nc, &cid), NATS_NO_SERVER_SUPPORT);
    CHECK_STATUS(natsConnection_GetClientIP(f.nc, &ip), NATS_NO_SERVER_SUPPORT);
    CHECK(ip == NULL);
    CHECK_STATUS(natsConnection_HasHeaderSupport(f.nc), NATS_NO_SERVER_SUPPORT);
    CHECK_STATUS(natsConnection_PublishString(f.nc, "foo", "x"), NATS_MAX_PAYLOAD);
    CHECK(strstr(nats_GetLastError(NULL), "greater than maximum allowed") != NULL);

    natsConnection_Close(f.nc);
    CHECK_STATUS(natsConnection_GetClientID(f.nc, &cid), NATS_CONNECTION_CLOSED);
    CHECK_STATUS(natsConnection_GetClientIP(f.nc, &ip), NATS_CONNECTION_CLOSED);
    CHECK_STATUS(natsConnection_GetLocalIPAndPort(f.nc, &ip, &port), NATS_CONNECTION_CLOSED);
    CHECK(ip == NULL && port == 0);
    CHECK_STR(connected_url(f.nc), "");
    CHECK_INT(natsConnection_Buffered(f.nc), -1);
    fixture_destroy(&f);
}

TEST(last_error_is_cut)
{
    fixture     f = fixture_create();
    char        buf[16];
    const char *text = NULL;

    fixture_connect(&f);
    mock_err(f.m, "EEEEEEEEEEEE");
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK_STATUS(natsConnection_ReadLastError(f.nc, buf, 8), NATS_ERR);
    CHECK_STR(buf, "EEEE...");
    CHECK_STATUS(natsConnection_ReadLastError(f.nc, buf, 4), NATS_ERR);
    CHECK_STR(buf, "EEE");
    CHECK_STATUS(natsConnection_ReadLastError(f.nc, buf, 13), NATS_ERR);
    CHECK_STR(buf, "EEEEEEEEEEEE");
    CHECK_STATUS(natsConnection_GetLastError(f.nc, &text), NATS_ERR);
    CHECK_STR(text, "EEEEEEEEEEEE");
    CHECK_INT(events_count(f.ev, "error"), 0);
    CHECK_INT(events_count(f.ev, "disconnected"), 1);
    CHECK_INT(events_count(f.ev, "reconnected"), 0);
    fixture_destroy(&f);
}

TEST(buffered_bytes)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetFlusherWaitMicros(f.opts, 1000000));
    fixture_connect(&f);
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_RANGE(natsConnection_Buffered(f.nc), 0, 0);
    CHECK_OK(natsConnection_PublishString(f.nc, "foo", "x"));
    CHECK_RANGE(natsConnection_Buffered(f.nc), 0, (int)strlen("PUB foo 1\r\nx\r\n"));
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_INT(natsConnection_Buffered(f.nc), 0);
    fixture_destroy(&f);
}

// ---- errors of the server ----

TEST(permissions_and_authorization)
{
    fixture f = fixture_create();
    event   e;

    fixture_connect(&f);
    mock_err(f.m, "Permissions Violation for Publish to \"foo\"");
    WAIT_EVENT(f.ev, "error", 1, 5000);
    CHECK(events_get(f.ev, "error", 1, &e) && e.status == NATS_NOT_PERMITTED);
    CHECK(strstr(e.text, "Permissions Violation") != NULL);
    mock_err(f.m, "User Authentication Expired");
    WAIT_EVENT(f.ev, "error", 2, 5000);
    CHECK(events_get(f.ev, "error", 2, &e) && e.status == NATS_CONNECTION_AUTH_FAILED);
    CHECK(strstr(e.text, "User Authentication Expired") != NULL);
    mock_err(f.m, "Authorization Violation");
    WAIT_EVENT(f.ev, "error", 3, 5000);
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_INT(events_count(f.ev, "closed"), 0);
    mock_err(f.m, "Authorization Violation");
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK_INT(events_count(f.ev, "error"), 4);
    CHECK_INT(events_count(f.ev, "reconnected"), 0);
    fixture_destroy(&f);
}

TEST(malformed_protocol)
{
    static const char *const texts[][2] = {
        {"MSG foo\r\n", "processMsgArgs Parse Error: wrong number of arguments"},
        {"MSG foo bar 1 baz\r\n", "processMsgArgs Bad or Missing Size: 'foo bar 1 baz'"},
        {"PINK\r\n", "Parse Error [20]: 'K\r\n'"},
        {"MSG foo bar 1\r\n", "Bad or Missing Sid"},
        {"MSG foo 1 x\r\n", "Bad or Missing Size"},
        {"FOO\r\n", "Parse Error"},
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    {
        fixture f = fixture_create();
        char    buf[256];

        CHECK_OK(natsOptions_SetAllowReconnect(f.opts, i % 2 == 1));
        CHECK_OK(natsOptions_SetAllowReconnect(f.opts, false));
        fixture_connect(&f);
        mock_send(f.m, "%s", texts[i][0]);
        WAIT_EVENT(f.ev, "closed", 1, 5000);
        CHECK_STATUS(natsConnection_ReadLastError(f.nc, buf, sizeof buf), NATS_PROTOCOL_ERROR);
        CHECK_MSG(strstr(buf, texts[i][1]) != NULL, "%s", buf);
        fixture_destroy(&f);
    }
}

TEST(stale_is_the_whole_text)
{
    fixture f = fixture_create();

    fixture_connect(&f);
    mock_err(f.m, "STALE connection");
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    mock_err(f.m, "Stale Connection!");
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK_INT(events_count(f.ev, "reconnected"), 1);
    fixture_destroy(&f);
}

// ---- loss and return ----

TEST(reconnecting_state)
{
    fixture f = fixture_create();
    char   *ip;
    int     port;
    int64_t rtt;

    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, -1));
    fixture_connect(&f);
    fixture_lose(&f);
    CHECK_STR(connected_url(f.nc), "");
    CHECK_STATUS(natsConnection_Drain(f.nc), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsConnection_GetRTT(f.nc, &rtt), NATS_CONNECTION_DISCONNECTED);
    CHECK_STATUS(natsConnection_GetLocalIPAndPort(f.nc, &ip, &port), NATS_CONNECTION_DISCONNECTED);
    CHECK_OK(natsConnection_Reconnect(f.nc));
    CHECK_STATUS(natsConnection_FlushTimeout(f.nc, 20), NATS_TIMEOUT);
    CHECK_INT(natsConnection_Buffered(f.nc), 0);
    natsConnection_Close(f.nc);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK(natsConnection_IsReconnecting(f.nc));
    CHECK(natsConnection_IsClosed(f.nc));
    CHECK_INT(events_count(f.ev, "disconnected"), 1);
    fixture_destroy(&f);
}

// The limit is looked at before a publish: one may exceed it.
TEST(reconnect_buffer_is_a_soft_limit)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, -1));
    CHECK_OK(natsOptions_SetReconnectBufSize(f.opts, 32));
    fixture_connect(&f);
    fixture_lose(&f);
    CHECK_OK(natsConnection_PublishString(f.nc, "foo", "1234"));
    CHECK_OK(natsConnection_PublishString(f.nc, "foo", "5678"));
    CHECK_STATUS(natsConnection_PublishString(f.nc, "foo", "9"), NATS_INSUFFICIENT_BUFFER);
    fixture_regain(&f);
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_INT(mock_count_lines(f.m, MOCK_LATEST, "PUB foo"), 2);
    fixture_destroy(&f);
}

TEST(no_reconnect_buffer)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetReconnectBufSize(f.opts, 0));
    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, -1));
    fixture_connect(&f);
    fixture_lose(&f);
    CHECK_STATUS(natsConnection_PublishString(f.nc, "foo", "x"), NATS_INSUFFICIENT_BUFFER);
    fixture_destroy(&f);
}

TEST(order_after_a_reconnect)
{
    static const char *const expected[] = {
        "PING", "SUB kept  1", "SUB late  3", "PUB one 1", "1", "PUB two 1", "2"};
    fixture           f    = fixture_create();
    natsSubscription *kept = NULL, *gone = NULL, *late = NULL;

    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, -1));
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&kept, f.nc, "kept"));
    CHECK_OK(natsConnection_SubscribeSync(&gone, f.nc, "gone"));
    CHECK_OK(natsConnection_Flush(f.nc));
    fixture_lose(&f);
    CHECK_OK(natsConnection_PublishString(f.nc, "one", "1"));
    CHECK_OK(natsSubscription_Unsubscribe(gone));
    CHECK_OK(natsConnection_SubscribeSync(&late, f.nc, "late"));
    CHECK_OK(natsConnection_PublishString(f.nc, "two", "2"));
    fixture_regain(&f);
    CHECK_OK(natsConnection_Flush(f.nc));
    for (int i = 0; i < 7; i++)
    {
        char *line = mock_line(f.m, MOCK_LATEST, i + 1);

        if (i == 1 || i == 2) // the order of the subscriptions is open
            CHECK_MSG(line && (!strcmp(line, expected[1]) || !strcmp(line, expected[2])), "%s",
                      line ? line : "none");
        else
            CHECK_STR(line, expected[i]);
        free(line);
    }
    natsSubscription_Destroy(kept);
    natsSubscription_Destroy(gone);
    natsSubscription_Destroy(late);
    fixture_destroy(&f);
}

TEST(attempts_run_out)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, 2));
    fixture_connect(&f);
    mock_stop_listening(f.m);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK_RANGE(events_ms(f.ev, "closed", 1), 95, 5000);
    CHECK_STATUS(natsConnection_ReadLastError(f.nc, NULL, 0), NATS_NO_SERVER);
    CHECK_INT(server_count(f.nc), 0);
    CHECK_INT(events_count(f.ev, "disconnected"), 1);
    fixture_destroy(&f);
}

static long delay(natsConnection *nc, int attempts, void *ev)
{
    char text[16];

    snprintf(text, sizeof text, "%d", attempts);
    events_add(ev, "delay", NATS_OK, text);
    if (attempts == 3)
        natsConnection_Close(nc);
    return 1;
}

TEST(custom_delay_counts_and_may_close)
{
    fixture f = fixture_create();
    event   e;

    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, -1));
    CHECK_OK(natsOptions_SetCustomReconnectDelay(f.opts, delay, f.ev));
    fixture_connect(&f);
    mock_stop_listening(f.m);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK_INT(events_count(f.ev, "delay"), 3);
    CHECK(events_get(f.ev, "delay", 3, &e));
    CHECK_STR(e.text, "3");
    fixture_destroy(&f);
}

TEST(same_authentication_error_twice)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, -1));
    mock_handshake_reply(f.m, 2, "-ERR 'Authorization Violation'\r\n");
    mock_handshake_reply(f.m, 3, "-ERR 'Authorization Violation'\r\n");
    fixture_connect(&f);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK_INT(events_count(f.ev, "error"), 2);
    CHECK_INT(events_count(f.ev, "disconnected"), 1);
    CHECK_STATUS(natsConnection_ReadLastError(f.nc, NULL, 0), NATS_CONNECTION_AUTH_FAILED);
    fixture_destroy(&f);
}

// ---- flush ----

TEST(flush_and_loss)
{
    fixture  f = fixture_create();
    flushing lost, regained;

    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, -1));
    fixture_connect(&f);
    mock_mute(f.m);
    flush_begin(&lost, f.nc, 10000);
    CHECK(mock_wait_pings(f.m, 1, 1, 5000));
    mock_auto_pong(f.m, true);
    fixture_lose(&f);
    CHECK_STATUS(flush_end(&lost), NATS_CONNECTION_DISCONNECTED);
    flush_begin(&regained, f.nc, 10000);
    fixture_regain(&f);
    CHECK_OK(flush_end(&regained));
    fixture_destroy(&f);
}

TEST(many_flushes_at_once)
{
    enum
    {
        COUNT = 20
    };
    fixture  f = fixture_create();
    flushing all[COUNT];

    fixture_connect(&f);
    for (int i = 0; i < COUNT; i++)
        flush_begin(&all[i], f.nc, 10000);
    for (int i = 0; i < COUNT; i++)
        CHECK_OK(flush_end(&all[i]));
    fixture_destroy(&f);
}

// ---- the end ----

TEST(close_is_final)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;

    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    natsConnection_Close(f.nc);
    natsConnection_Close(f.nc);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK(natsConnection_IsClosed(f.nc));
    CHECK_STATUS(natsConnection_Flush(f.nc), NATS_CONNECTION_CLOSED);
    CHECK_STATUS(natsConnection_Reconnect(f.nc), NATS_CONNECTION_CLOSED);
    CHECK_STATUS(natsConnection_Drain(f.nc), NATS_CONNECTION_CLOSED);
    CHECK_STATUS(natsConnection_PublishString(f.nc, "foo", "x"), NATS_CONNECTION_CLOSED);
    CHECK_INT(events_count(f.ev, "closed"), 1);
    CHECK_INT(events_count(f.ev, "disconnected"), 1);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

// Everything published before a close arrives.
TEST(close_flushes)
{
    enum
    {
        COUNT = 100000
    };
    server           *s    = server_start(NULL, NULL);
    natsConnection   *from = NULL, *to = NULL;
    natsSubscription *sub = NULL;

    CHECK_OK(natsConnection_ConnectTo(&to, server_url(s)));
    CHECK_OK(natsConnection_ConnectTo(&from, server_url(s)));
    CHECK_OK(natsConnection_SubscribeSync(&sub, to, "foo"));
    CHECK_OK(natsSubscription_SetPendingLimits(sub, -1, -1));
    CHECK_OK(natsConnection_Flush(to));
    for (int i = 0; i < COUNT; i++)
        CHECK_OK(natsConnection_Publish(from, "foo", "hello", 5));
    natsConnection_Close(from);
    for (int i = 0; i < COUNT; i++)
    {
        natsMsg *msg = NULL;

        CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
        natsMsg_Destroy(msg);
    }
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(from);
    natsConnection_Destroy(to);
    server_stop(s);
}

static void destroy(natsConnection *nc, void *ev)
{
    natsConnection_Destroy(nc);
    events_add(ev, "destroyed", NATS_OK, NULL);
}

TEST(destroyed_in_the_closed_callback)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetClosedCB(f.opts, destroy, f.ev));
    CHECK_OK(natsOptions_SetAllowReconnect(f.opts, false));
    fixture_connect(&f);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "destroyed", 1, 5000);
    f.nc = NULL;
    fixture_destroy(&f);
    CHECK_OK(nats_CloseAndWait(5000));
}

TEST(drain)
{
    server           *s    = server_start(NULL, NULL);
    events           *ev   = events_create();
    natsOptions      *opts = NULL;
    natsConnection   *nc   = NULL;
    natsSubscription *sub = NULL, *late = NULL;

    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetURL(opts, server_url(s)));
    events_handlers(ev, opts);
    CHECK_OK(natsConnection_Connect(&nc, opts));
    CHECK_OK(natsConnection_Subscribe(&sub, nc, "foo", on_msg, ev));
    for (int i = 0; i < 1000; i++)
        CHECK_OK(natsConnection_PublishString(nc, "foo", "x"));
    CHECK_OK(natsConnection_Flush(nc));
    CHECK_OK(natsConnection_Drain(nc));
    CHECK_MSG(natsConnection_DrainTimeout(nc, 1) == NATS_OK || natsConnection_IsClosed(nc), "a second drain");
    if (natsConnection_IsDraining(nc))
        CHECK(natsConnection_SubscribeSync(&late, nc, "bar") != NATS_OK);
    WAIT_EVENT(ev, "closed", 1, 10000);
    CHECK_INT(events_count(ev, "msg"), 1000);
    CHECK(!natsConnection_IsDraining(nc));
    CHECK_INT(events_count(ev, "error"), 0);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
    CHECK_OK(nats_CloseAndWait(5000));
    events_destroy(ev);
    server_stop(s);
}

static void hold(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ev)
{
    (void)nc;
    (void)sub;
    natsMsg_Destroy(msg);
    events_add(ev, "holding", NATS_OK, NULL);
    events_wait(ev, "go on", 1, 10000);
}

TEST(drain_times_out)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    event             e;

    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", hold, f.ev));
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_send(f.m, "MSG foo 1 1\r\nx\r\nMSG foo 1 1\r\nx\r\n");
    WAIT_EVENT(f.ev, "holding", 1, 5000);
    CHECK_OK(natsConnection_DrainTimeout(f.nc, 50));
    CHECK(natsConnection_IsDraining(f.nc));
    CHECK_STR(connected_url(f.nc), "");
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK(events_get(f.ev, "error", 1, &e) && e.status == NATS_TIMEOUT);
    CHECK_MSG(strncmp(e.text, "Drain error", 11) == 0, "%s", e.text);
    events_add(f.ev, "go on", NATS_OK, NULL);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

TEST(loss_while_draining_closes)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;

    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", hold, f.ev));
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_send(f.m, "MSG foo 1 1\r\nx\r\n");
    WAIT_EVENT(f.ev, "holding", 1, 5000);
    CHECK_OK(natsConnection_Drain(f.nc));
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK_INT(events_count(f.ev, "reconnected"), 0);
    events_add(f.ev, "go on", NATS_OK, NULL);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}
