// Liveness: what every release of this library has to do about peers that fall silent. Times have a floor
// (never early) and a generous ceiling (a busy machine is late, but not by seconds).

#include "calls.h"
#include "fixture.h"
#include "loop.h"
#include "server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

enum
{
    I    = 200, // ping interval of most tests
    LATE = 1000,
};

// Loss to verdict for a peer that never answers: tick N + 1, and N PINGs before it.
static void stale_on(int max_out, int tick, int pings)
{
    fixture f = fixture_pinging(I, max_out, false);
    event   e;

    mock_mute(f.m);
    fixture_connect(&f);
    WAIT_EVENT(f.ev, "closed", 1, 10000);
    CHECK_RANGE(events_ms(f.ev, "disconnected", 1), tick * I - 20, tick * I + LATE);
    CHECK_INT(mock_pings(f.m, 1), pings);
    CHECK(events_get(f.ev, "closed", 1, &e));
    CHECK_INT(e.status, NATS_STALE_CONNECTION);
    CHECK_STR(e.text, "Stale Connection");
    CHECK_INT(events_count(f.ev, "disconnected"), 1);
    CHECK_INT(events_count(f.ev, "error"), 0);
    fixture_destroy(&f);
}

TEST(stale_after_two_pings_out)
{
    stale_on(2, 3, 2);
}

TEST(stale_after_one_ping_out)
{
    stale_on(1, 2, 1);
}

TEST(stale_at_the_first_tick_without_pings_out)
{
    stale_on(0, 1, 0);
    stale_on(-1, 1, 0);
}

TEST(no_pings_with_an_interval_of_zero_or_less)
{
    for (int64_t interval = 0; interval >= -1; interval--)
    {
        fixture f = fixture_pinging(interval, 0, false);

        mock_mute(f.m);
        fixture_connect(&f);
        quiet_ms(2 * I);
        CHECK_INT(mock_pings(f.m, 1), 0);
        CHECK_INT(natsConnection_Status(f.nc), NATS_CONN_STATUS_CONNECTED);
        fixture_destroy(&f);
    }
}

TEST(data_without_pong_is_as_stale_as_silence)
{
    fixture f = fixture_pinging(I, 1, false);

    mock_chatty(f.m, 10);
    fixture_connect(&f);
    WAIT_EVENT(f.ev, "closed", 1, 10000);
    CHECK_RANGE(events_ms(f.ev, "disconnected", 1), 2 * I - 20, 2 * I + LATE);
    fixture_destroy(&f);
}

TEST(any_pong_starts_the_count_again)
{
    fixture f = fixture_pinging(I, 1, false);

    mock_mute(f.m);
    fixture_connect(&f);
    CHECK(mock_wait_pings(f.m, 1, 1, 5000));
    mock_auto_pong(f.m, true);
    CHECK_OK(natsConnection_FlushTimeout(f.nc, 5000));
    mock_auto_pong(f.m, false);
    WAIT_EVENT(f.ev, "closed", 1, 10000);
    CHECK_RANGE(events_ms(f.ev, "disconnected", 1), 3 * I - 20, 4 * I + LATE);
    CHECK(mock_pings(f.m, 1) >= 3);
    fixture_destroy(&f);
}

TEST(unsolicited_pongs_keep_alive_but_answer_no_flush)
{
    fixture f = fixture_pinging(I, 1, false);

    fixture_connect(&f);
    mock_unsolicited_pongs(f.m, 20);
    quiet_ms(5 * I);
    CHECK_INT(natsConnection_Status(f.nc), NATS_CONN_STATUS_CONNECTED);
    mock_every(f.m, 0, NULL);
    fixture_read(&f);
    CHECK_STATUS(natsConnection_FlushTimeout(f.nc, I / 2), NATS_TIMEOUT);
    WAIT_EVENT(f.ev, "closed", 1, 10000);
    fixture_destroy(&f);
}

TEST(stale_with_reconnect_tells_only_the_disconnected_callback)
{
    fixture f = fixture_pinging(I, 1, true);
    event   e;
    char    names[256];

    mock_mute(f.m);
    fixture_connect(&f);
    WAIT_EVENT(f.ev, "disconnected", 1, 10000);
    mock_auto_pong(f.m, true);
    WAIT_EVENT(f.ev, "reconnected", 1, 10000);
    CHECK(events_get(f.ev, "disconnected", 1, &e));
    CHECK_INT(e.status, NATS_OK);
    CHECK_STR(events_names(f.ev, names, sizeof names), "disconnected,reconnected");
    CHECK_INT(natsConnection_ReadLastError(f.nc, NULL, 0), NATS_OK);
    CHECK_OK(natsConnection_Flush(f.nc));
    fixture_destroy(&f);
}

TEST(count_restarts_with_the_next_connection)
{
    fixture f = fixture_pinging(I, 2, true);

    mock_mute(f.m);
    fixture_connect(&f);
    CHECK(mock_wait_pings(f.m, 1, 2, 5000));
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "disconnected", 2, 10000);
    CHECK(events_ms(f.ev, "disconnected", 2) - events_ms(f.ev, "reconnected", 1) >= 3 * I - 50);
    CHECK_INT(mock_pings(f.m, 2), 3); // the one that ends the reconnect, then those of two ticks
    fixture_destroy(&f);
}

TEST(publishing_does_not_postpone_the_ping)
{
    fixture f = fixture_pinging(I, 1, false);

    mock_mute(f.m);
    mock_record(f.m, false);
    fixture_connect(&f);
    while (events_count(f.ev, "closed") == 0)
    {
        natsConnection_PublishString(f.nc, "foo", "x");
        pace_ms(5);
        CHECK(events_ms(f.ev, "closed", 1) < 10000);
    }
    CHECK_RANGE(events_ms(f.ev, "disconnected", 1), 2 * I - 20, 2 * I + LATE);
    fixture_destroy(&f);
}

TEST(server_says_stale)
{
    static const char *const texts[] = {"'Stale Connection'", "stale connection", "'  STALE connection '"};

    for (int i = 0; i < 3; i++)
    {
        fixture f = fixture_pinging(0, 2, true);

        fixture_connect(&f);
        mock_send(f.m, "-ERR %s\r\n", texts[i]);
        WAIT_EVENT(f.ev, "reconnected", 1, 5000);
        CHECK_INT(events_count(f.ev, "disconnected"), 1);
        CHECK_INT(events_count(f.ev, "error"), 0);
        fixture_destroy(&f);
    }
}

TEST(server_says_stale_and_more)
{
    fixture f = fixture_pinging(0, 2, true);
    event   e;

    fixture_connect(&f);
    mock_err(f.m, "Stale Connection!");
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK(events_get(f.ev, "closed", 1, &e));
    CHECK_INT(e.status, NATS_ERR);
    CHECK_STR(e.text, "Stale Connection!");
    CHECK_INT(events_count(f.ev, "reconnected"), 0);
    fixture_destroy(&f);
}

static void block(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    events *ev = closure;

    (void)nc;
    (void)sub;
    natsMsg_Destroy(msg);
    events_add(ev, "blocked", NATS_OK, NULL);
    events_wait(ev, "go on", 1, 10000);
}

TEST(ping_is_answered_while_handlers_are_blocked)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;

    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", block, f.ev));
    CHECK(mock_wait_line(f.m, 1, "SUB foo", 1, 5000));
    mock_send(f.m, "MSG foo 1 0\r\n\r\n");
    WAIT_EVENT(f.ev, "blocked", 1, 5000);
    mock_send(f.m, "PING\r\nPING\r\n");
    CHECK(mock_wait_line(f.m, 1, "PONG", 2, 5000));
    events_add(f.ev, "go on", NATS_OK, NULL);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

TEST(no_pings_while_draining)
{
    fixture           f   = fixture_pinging(I, 0, true);
    natsSubscription *sub = NULL;
    int               pings;

    CHECK_OK(natsOptions_SetMaxPingsOut(f.opts, 1));
    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", block, f.ev));
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_send(f.m, "MSG foo 1 0\r\n\r\n");
    WAIT_EVENT(f.ev, "blocked", 1, 5000);
    pings = mock_pings(f.m, 1);
    CHECK_OK(natsConnection_Drain(f.nc));
    CHECK(mock_wait_line(f.m, 1, "UNSUB 1", 1, 5000));
    // The drain's own flush is answered, nothing after it.
    WAIT_FOR(mock_pings(f.m, 1) > pings, 5000);
    mock_mute(f.m);
    quiet_ms(5 * I);
    CHECK_INT(events_count(f.ev, "disconnected"), 0);
    mock_auto_pong(f.m, true);
    events_add(f.ev, "go on", NATS_OK, NULL);
    WAIT_EVENT(f.ev, "closed", 1, 10000);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

TEST(forced_reconnect)
{
    fixture f = fixture_create();

    CHECK_STATUS(natsConnection_Reconnect(NULL), NATS_INVALID_ARG);
    fixture_connect(&f);
    CHECK_OK(natsConnection_Reconnect(f.nc));
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_INT(events_count(f.ev, "disconnected"), 1);
    natsConnection_Close(f.nc);
    CHECK_STATUS(natsConnection_Reconnect(f.nc), NATS_CONNECTION_CLOSED);
    fixture_destroy(&f);
}

TEST(forced_reconnect_when_not_allowed_closes)
{
    fixture f = fixture_pinging(0, 2, false);

    fixture_connect(&f);
    CHECK_OK(natsConnection_Reconnect(f.nc));
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    fixture_destroy(&f);
}

TEST(socket_options)
{
    fixture       f      = fixture_create();
    struct linger linger = {0, 0};
    int           value  = 0, fd;
    socklen_t     len = sizeof linger, size = sizeof value;

    fixture_connect(&f);
    fd = client_fd(mock_port(f.m));
    CHECK(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len) == 0);
    CHECK(linger.l_onoff && linger.l_linger == 0);
    CHECK(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &size) == 0 && value);
    CHECK(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &size) == 0 && !value);
    fixture_destroy(&f);
}

TEST(opening_the_library_ignores_sigpipe)
{
    struct sigaction action;

    signal(SIGPIPE, SIG_DFL);
    CHECK_OK(nats_Open(-1));
    CHECK(sigaction(SIGPIPE, NULL, &action) == 0);
    CHECK(action.sa_handler == SIG_IGN);
    nats_Close();
}

TEST(write_deadline_ends_a_blocked_publish)
{
    fixture f = fixture_pinging(0, 2, true);
    int64_t took;

    CHECK_OK(natsOptions_SetWriteDeadline(f.opts, 300));
    mock_receive_buffer(f.m, 4096);
    mock_record(f.m, false);
    fixture_connect(&f);
    mock_frozen(f.m, true);
    CHECK_INT(publish_until_stuck(f.nc, &took), NATS_TIMEOUT);
    CHECK_RANGE(took, 280, 300 + LATE);
    mock_frozen(f.m, false);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    fixture_destroy(&f);
}

TEST(wait_comes_before_every_attempt_on_one_server)
{
    fixture f = fixture_create();
    int64_t t;

    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 300));
    mock_on_accept(f.m, 2, MOCK_CLOSE_AT_ONCE);
    fixture_connect(&f);
    t = now_ms();
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "reconnected", 1, 10000);
    CHECK_RANGE(mock_accepted_ms(f.m, 2) - t, 290, 300 + LATE);
    CHECK_RANGE(mock_accepted_ms(f.m, 3) - mock_accepted_ms(f.m, 2), 280, 300 + LATE);
    fixture_destroy(&f);
}

TEST(other_servers_are_tried_at_once)
{
    fixture     f = fixture_create(), g = fixture_create();
    const char *urls[2] = {mock_url(f.m), mock_url(g.m)};

    CHECK_OK(natsOptions_SetURL(f.opts, NULL));
    CHECK_OK(natsOptions_SetServers(f.opts, urls, 2));
    CHECK_OK(natsOptions_SetNoRandomize(f.opts, true));
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 5000));
    fixture_connect(&f);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "reconnected", 1, 2000);
    CHECK_INT(mock_connected(g.m), 1);
    fixture_destroy(&f);
    fixture_destroy(&g);
}

TEST(connect_timeout)
{
    fixture f = fixture_create();
    int64_t t = now_ms();

    CHECK_STATUS(natsOptions_SetTimeout(f.opts, -1), NATS_INVALID_ARG);
    CHECK_OK(natsOptions_SetTimeout(f.opts, 300));
    mock_on_accept(f.m, MOCK_ALL, MOCK_DRIP_INFO); // takes longer than that
    CHECK_STATUS(natsConnection_Connect(&f.nc, f.opts), NATS_TIMEOUT);
    CHECK_RANGE(now_ms() - t, 280, 300 + LATE);
    CHECK(f.nc == NULL);
    CHECK_OK(natsOptions_SetTimeout(f.opts, 0));
    CHECK_STATUS(natsConnection_Connect(&f.nc, f.opts), NATS_TIMEOUT);
    fixture_destroy(&f);
}

TEST(bytes_behind_the_first_pong_are_read)
{
    fixture f = fixture_create();

    mock_after_pong(f.m, MOCK_ALL, "INFO {\"max_payload\":77}\r\nPING\r\n");
    fixture_connect(&f);
    CHECK(mock_wait_line(f.m, 1, "PONG", 1, 5000));
    CHECK_INT(natsConnection_GetMaxPayload(f.nc), 77);
    fixture_destroy(&f);
}

TEST(ping_before_the_first_pong_fails_the_connect)
{
    fixture f = fixture_create();

    mock_before_pong(f.m, MOCK_ALL, "PING\r\n");
    CHECK_STATUS(natsConnection_Connect(&f.nc, f.opts), NATS_PROTOCOL_ERROR);
    fixture_destroy(&f);
}

TEST(loss_inside_a_message_leaves_nothing_behind)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    event             e;

    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", on_msg, f.ev));
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_send(f.m, "MSG foo 1 10\r\nhalf");
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK(mock_wait_line(f.m, 2, "SUB foo", 1, 5000));
    mock_send(f.m, "MSG foo 1 5\r\nwhole\r\n");
    WAIT_EVENT(f.ev, "msg", 1, 5000);
    CHECK(events_get(f.ev, "msg", 1, &e));
    CHECK_STR(e.text, "whole");
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

TEST(loss_fails_a_pending_flush_at_once)
{
    fixture  f = fixture_connected_pinging(0, 2, true);
    flushing c;

    mock_mute(f.m);
    flush_begin(&c, f.nc, 20000);
    CHECK(mock_wait_pings(f.m, 1, 1, 5000));
    mock_close(f.m, 1);
    CHECK_STATUS(flush_end(&c), NATS_CONNECTION_DISCONNECTED);
    CHECK(c.took < 5000);
    fixture_destroy(&f);
}

TEST(flush_while_reconnecting_is_never_a_false_ok)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 500));
    fixture_connect(&f);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    WAIT_FOR(natsConnection_IsReconnecting(f.nc), 5000);
    CHECK_STATUS(natsConnection_FlushTimeout(f.nc, 50), NATS_TIMEOUT);
    CHECK_OK(natsConnection_FlushTimeout(f.nc, 10000));
    CHECK_INT(mock_connected(f.m), 2);
    fixture_destroy(&f);
}

TEST(close_of_a_mute_peer_takes_half_a_second)
{
    fixture f = fixture_create();
    int64_t t;

    mock_mute(f.m);
    fixture_connect(&f);
    t = now_ms();
    natsConnection_Close(f.nc);
    CHECK_RANGE(now_ms() - t, 480, 500 + LATE);
    fixture_destroy(&f);
}

TEST(close_during_the_wait_for_the_next_attempt)
{
    fixture f = fixture_create();
    int64_t t;

    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 60000));
    fixture_connect(&f);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    WAIT_FOR(natsConnection_IsReconnecting(f.nc), 5000);
    t = now_ms();
    natsConnection_Close(f.nc);
    CHECK(now_ms() - t < LATE);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK_INT(events_count(f.ev, "disconnected"), 1);
    fixture_destroy(&f);
}

TEST(many_losses_leave_no_thread_behind)
{
    fixture f       = fixture_create();
    int     threads = 0;

    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 2));
    fixture_connect(&f);
    for (int i = 1; i <= 30; i++)
    {
        mock_close(f.m, MOCK_LATEST);
        WAIT_EVENT(f.ev, "reconnected", i, 5000);
        if (i == 1)
        {
            CHECK(mock_wait_open(f.m, 1, 5000));
            threads = settled_threads(); // those of the first loss have ended
        }
    }
    CHECK(mock_wait_open(f.m, 1, 5000));
    WAIT_FOR(thread_count() <= threads, 5000);
    CHECK_INT(events_count(f.ev, "disconnected"), 30);
    fixture_destroy(&f);
}

TEST(stale_with_an_event_loop_inside_a_read)
{
    fixture f  = fixture_pinging(100, 0, true);
    events *ad = events_create();
    loop   *l  = loop_create(ad);

    loop_use(l, f.opts);
    loop_slow_reads(l, 20);
    mock_chatty(f.m, 5);
    fixture_connect(&f);
    WAIT_EVENT(f.ev, "reconnected", 3, 10000);
    loop_slow_reads(l, 0);
    natsConnection_Close(f.nc);
    WAIT_EVENT(ad, "detach", 1, 5000);
    fixture_destroy(&f);
    loop_destroy(l);
    events_destroy(ad);
}

TEST(real_server_that_is_stopped)
{
    server         *s    = server_start(NULL, NULL);
    events         *ev   = events_create();
    natsOptions    *opts = NULL;
    natsConnection *nc   = NULL;

    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetURL(opts, server_url(s)));
    CHECK_OK(natsOptions_SetPingInterval(opts, I));
    CHECK_OK(natsOptions_SetReconnectWait(opts, 50));
    CHECK_OK(natsOptions_SetMaxReconnect(opts, -1));
    events_handlers(ev, opts);
    CHECK_OK(natsConnection_Connect(&nc, opts));
    server_pause(s);
    events_start_clock(ev);
    WAIT_EVENT(ev, "disconnected", 1, 10000);
    CHECK_RANGE(events_ms(ev, "disconnected", 1), 2 * I - 20, 3 * I + LATE);
    server_resume(s);
    WAIT_EVENT(ev, "reconnected", 1, 10000);
    CHECK_OK(natsConnection_Flush(nc));
    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
    server_stop(s);
}
