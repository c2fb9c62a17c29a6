// The harness itself: a mock that misbehaves, or a recorder that forgets, would make every other test lie.

#include "mock.h"
#include "server.h"
#include "test.h"

static natsConnection *connect_to(mock *m, events *ev, bool verbose)
{
    natsOptions    *opts = NULL;
    natsConnection *nc   = NULL;

    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetURL(opts, mock_url(m)));
    CHECK_OK(natsOptions_SetVerbose(opts, verbose));
    CHECK_OK(natsOptions_SetReconnectWait(opts, 10));
    CHECK_OK(natsOptions_SetReconnectJitter(opts, 0, 0));
    events_handlers(ev, opts);
    CHECK_OK(natsConnection_Connect(&nc, opts));
    natsOptions_Destroy(opts);
    return nc;
}

TEST(mock_records_lines_and_payloads)
{
    mock           *m  = mock_create();
    events         *ev = events_create();
    natsConnection *nc = connect_to(m, ev, false);
    char           *connect, *payload;

    CHECK_OK(natsConnection_Publish(nc, "foo", "a\r\nPING\r\nb", 10));
    CHECK_OK(natsConnection_Flush(nc));
    CHECK(mock_wait_line(m, 1, "PUB foo 10", 1, 1000));
    CHECK_INT(mock_pings(m, 1), 1);
    CHECK_INT(mock_pubs(m, MOCK_ALL), 1);
    connect = mock_connect_line(m, MOCK_LATEST);
    CHECK(connect != NULL && strstr(connect, "\"lang\":\"C\"") != NULL);
    payload = mock_line(m, 1, 3); // after CONNECT, PING and PUB
    CHECK_STR(payload, "a\r\nPING\r\nb");
    free(connect);
    free(payload);
    natsConnection_Destroy(nc);
    CHECK(mock_wait_closed(m, 1, 1000));
    mock_destroy(m);
    nats_Close();
    events_destroy(ev);
}

TEST(mock_speaks_verbose)
{
    mock             *m   = mock_create();
    events           *ev  = events_create();
    natsConnection   *nc  = connect_to(m, ev, true);
    natsSubscription *sub = NULL;

    CHECK_OK(natsConnection_SubscribeSync(&sub, nc, "foo"));
    CHECK_OK(natsConnection_Flush(nc));
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
    mock_destroy(m);
}

TEST(mock_close_reset_and_refuse)
{
    mock           *m  = mock_create();
    events         *ev = events_create();
    natsConnection *nc = connect_to(m, ev, false);

    mock_close(m, MOCK_LATEST);
    WAIT_EVENT(ev, "reconnected", 1, 5000);
    mock_reset(m, MOCK_LATEST);
    WAIT_EVENT(ev, "reconnected", 2, 5000);
    CHECK_INT(mock_connected(m), 3);
    mock_stop_listening(m);
    mock_close(m, MOCK_LATEST);
    WAIT_EVENT(ev, "disconnected", 3, 5000);
    CHECK(!mock_wait_accepted(m, 4, 100));
    mock_listen_again(m);
    WAIT_EVENT(ev, "reconnected", 3, 5000);
    mock_half_close(m, MOCK_LATEST);
    WAIT_EVENT(ev, "reconnected", 4, 5000);
    natsConnection_Destroy(nc);
    CHECK(mock_wait_open(m, 0, 1000));
    mock_destroy(m);
}

TEST(mock_freezes_and_thaws)
{
    mock           *m  = mock_create();
    events         *ev = events_create();
    natsConnection *nc = connect_to(m, ev, false);

    mock_frozen(m, true);
    CHECK_STATUS(natsConnection_FlushTimeout(nc, 50), NATS_TIMEOUT);
    CHECK_INT(mock_pings(m, 1), 0);
    mock_frozen(m, false);
    CHECK(mock_wait_pings(m, 1, 1, 1000));
    natsConnection_Destroy(nc);
    mock_destroy(m);
}

TEST(mock_greetings)
{
    mock *m = mock_create();

    mock_on_accept(m, 1, MOCK_CLOSE_AT_ONCE);
    mock_on_accept(m, 2, MOCK_SPLIT_INFO);
    mock_on_accept(m, 3, MOCK_DRIP_INFO);
    mock_handshake_reply(m, 4, "-ERR 'Authorization Violation'\r\n");
    for (int i = 1; i <= 4; i++)
    {
        natsConnection *nc   = NULL;
        natsOptions    *opts = NULL;
        natsStatus      s;

        CHECK_OK(natsOptions_Create(&opts));
        CHECK_OK(natsOptions_SetURL(opts, mock_url(m)));
        CHECK_OK(natsOptions_SetTimeout(opts, 20000)); // the third greeting takes one second at least
        s = natsConnection_Connect(&nc, opts);
        if (i == 1)
            CHECK_MSG(s == NATS_CONNECTION_CLOSED || s == NATS_IO_ERROR, "got %d", (int)s);
        else
            CHECK_STATUS(s, i == 4 ? NATS_CONNECTION_AUTH_FAILED : NATS_OK);
        natsConnection_Destroy(nc);
        natsOptions_Destroy(opts);
    }
    mock_destroy(m);
}

TEST(mock_delivers_what_it_is_told)
{
    mock             *m   = mock_create();
    events           *ev  = events_create();
    natsConnection   *nc  = connect_to(m, ev, false);
    natsSubscription *sub = NULL;

    CHECK_OK(natsConnection_Subscribe(&sub, nc, "foo", on_msg, ev));
    CHECK(mock_wait_line(m, MOCK_LATEST, "SUB foo", 1, 1000));
    mock_send(m, "MSG foo 1 %d\r\n%s\r\n", 2, "hi");
    mock_drip(m, "MSG foo 1 5\r\nhello\r\n", 1);
    WAIT_EVENT(ev, "msg", 2, 1000);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
    mock_destroy(m);
}

TEST(server_starts_pauses_and_restarts)
{
    server         *s  = server_start(NULL, NULL);
    natsConnection *nc = NULL;

    CHECK_OK(natsConnection_ConnectTo(&nc, server_url(s)));
    CHECK_OK(natsConnection_Flush(nc));
    server_pause(s);
    CHECK_STATUS(natsConnection_FlushTimeout(nc, 100), NATS_TIMEOUT);
    server_resume(s);
    CHECK_OK(natsConnection_Flush(nc));
    natsConnection_Destroy(nc);
    server_kill(s);
    server_restart(s);
    CHECK_OK(natsConnection_ConnectTo(&nc, server_url(s)));
    natsConnection_Destroy(nc);
    server_stop(s);
}

// JetStream by plain requests: its API of this library is not there yet.
TEST(server_with_jetstream)
{
    server         *s     = server_start_jetstream();
    natsConnection *nc    = NULL;
    natsMsg        *reply = NULL;

    CHECK_OK(natsConnection_ConnectTo(&nc, server_url(s)));
    CHECK_OK(natsConnection_RequestString(&reply, nc, "$JS.API.INFO", "", 5000));
    CHECK(strstr(natsMsg_GetData(reply), "account_info_response") != NULL);
    natsMsg_Destroy(reply);
    natsConnection_Destroy(nc);
    server_stop(s);
}

TEST(events_are_kept_in_order)
{
    events *ev = events_create();
    event   e;
    char    names[64];

    events_add(ev, "a", NATS_OK, NULL);
    events_add(ev, "b", NATS_TIMEOUT, "why");
    events_add(ev, "a", NATS_ERR, NULL);
    CHECK_STR(events_names(ev, names, sizeof names), "a,b,a");
    CHECK_INT(events_count(ev, "a"), 2);
    CHECK(events_get(ev, "b", 1, &e) && e.status == NATS_TIMEOUT);
    CHECK_STR(e.text, "why");
    CHECK(!events_wait(ev, "c", 1, 20));
    events_destroy(ev);
}
