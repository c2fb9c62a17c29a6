// The liveness extensions: settings of live connections, what they report, and what they do to wrong
// arguments.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include "certs.h"
#include "fixture.h"
#include "loop.h"
#include "server.h"

enum
{
    INTERVAL = 100,
};

// ---- natsConnection_SetPingInterval and its relatives ----

TEST(ping_interval_arguments)
{
    fixture f  = fixture_connected_pinging(120000, 2, true);
    int64_t ms = -7;
    int     n  = -7;

    CHECK_STATUS(natsConnection_SetPingInterval(NULL, 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_SetPingIntervalMillis(NULL, 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetPingInterval(NULL, &ms), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetPingInterval(f.nc, NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_SetMaxPingsOut(NULL, 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetMaxPingsOut(NULL, &n), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetMaxPingsOut(f.nc, NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_SetPingInterval(f.nc, INT64_MAX), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_SetPingInterval(f.nc, INT64_MAX / 1000 + 1), NATS_INVALID_ARG);
    CHECK_OK(natsConnection_GetPingInterval(f.nc, &ms));
    CHECK_INT(ms, 120000);
    CHECK_OK(natsConnection_GetMaxPingsOut(f.nc, &n));
    CHECK_INT(n, 2);
    CHECK_OK(natsConnection_SetPingInterval(f.nc, INT64_MAX / 1000));
    CHECK_OK(natsConnection_SetPingInterval(f.nc, 30));
    CHECK_OK(natsConnection_GetPingInterval(f.nc, &ms));
    CHECK_INT(ms, 30000);
    CHECK_OK(natsConnection_SetPingInterval(f.nc, INT64_MIN));
    CHECK_OK(natsConnection_GetPingInterval(f.nc, &ms));
    CHECK(ms <= 0);
    CHECK_OK(natsConnection_SetMaxPingsOut(f.nc, 7));
    CHECK_OK(natsConnection_GetMaxPingsOut(f.nc, &n));
    CHECK_INT(n, 7);
    natsConnection_Close(f.nc);
    CHECK_STATUS(natsConnection_SetPingInterval(f.nc, 1), NATS_CONNECTION_CLOSED);
    CHECK_STATUS(natsConnection_SetPingIntervalMillis(f.nc, 1), NATS_CONNECTION_CLOSED);
    CHECK_STATUS(natsConnection_GetPingInterval(f.nc, &ms), NATS_CONNECTION_CLOSED);
    CHECK_STATUS(natsConnection_SetMaxPingsOut(f.nc, 1), NATS_CONNECTION_CLOSED);
    CHECK_STATUS(natsConnection_GetMaxPingsOut(f.nc, &n), NATS_CONNECTION_CLOSED);
    fixture_destroy(&f);
}

TEST(ping_interval_is_in_seconds)
{
    fixture f = fixture_connected_pinging(0, 2, true);
    int64_t start;

    start = now_ms();
    CHECK_OK(natsConnection_SetPingInterval(f.nc, 1));
    CHECK(mock_wait_pings(f.m, 1, 1, 5000));
    CHECK_RANGE(now_ms() - start, 990, 1500);
    fixture_destroy(&f);
}

TEST(shortening_the_interval_acts_at_once)
{
    fixture f = fixture_connected_pinging(120000, 1, false);

    mock_mute(f.m);
    CHECK_OK(natsConnection_SetPingIntervalMillis(f.nc, INTERVAL));
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK_RANGE(events_ms(f.ev, "closed", 1), 2 * INTERVAL - 5, 2 * INTERVAL + 300);
    CHECK_INT(mock_pings(f.m, 1), 1);
    fixture_destroy(&f);
}

TEST(setting_it_in_a_loop_hides_no_dead_peer)
{
    fixture f = fixture_connected_pinging(INTERVAL, 2, false);

    mock_mute(f.m);
    for (int i = 0; events_count(f.ev, "closed") == 0; i++)
    {
        natsStatus s = natsConnection_SetPingIntervalMillis(f.nc, INTERVAL + i % 7);

        CHECK(s == NATS_OK || s == NATS_CONNECTION_CLOSED);
        pace_ms(2);
        CHECK(events_ms(f.ev, NULL, 1) < 5000 && i < 3000);
    }
    CHECK_RANGE(events_ms(f.ev, "closed", 1), 3 * INTERVAL - 5, 3 * (INTERVAL + 7) + 400);
    CHECK_INT(events_count(f.ev, "disconnected"), 1);
    fixture_destroy(&f);
}

TEST(zero_stops_the_pings_and_a_value_starts_afresh)
{
    fixture f = fixture_connected_pinging(INTERVAL, 1, true);
    int     sent;

    mock_mute(f.m);
    CHECK(mock_wait_pings(f.m, 1, 1, 5000));
    CHECK_OK(natsConnection_SetPingInterval(f.nc, 0));
    sent = mock_pings(f.m, 1);
    quiet_ms(4 * INTERVAL);
    CHECK_INT(mock_pings(f.m, 1), sent);
    CHECK_INT(events_count(f.ev, NULL), 0);
    events_start_clock(f.ev);
    CHECK_OK(natsConnection_SetPingIntervalMillis(f.nc, INTERVAL));
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    CHECK_INT(mock_pings(f.m, 1), sent + 1);
    CHECK_RANGE(events_ms(f.ev, "disconnected", 1), 2 * INTERVAL - 5, 2 * INTERVAL + 300);
    fixture_destroy(&f);
}

TEST(the_interval_outlives_reconnects)
{
    fixture f  = fixture_connected_pinging(0, 1, true);
    int64_t ms = 0;
    int     n  = 0;

    mock_stop_listening(f.m);
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    CHECK_OK(natsConnection_SetPingIntervalMillis(f.nc, INTERVAL));
    CHECK_OK(natsConnection_SetMaxPingsOut(f.nc, 0));
    CHECK_OK(natsConnection_GetPingInterval(f.nc, &ms));
    CHECK_INT(ms, INTERVAL);
    CHECK_OK(natsConnection_GetMaxPingsOut(f.nc, &n));
    CHECK_INT(n, 0);
    mock_listen_again(f.m);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    WAIT_EVENT(f.ev, "disconnected", 2, 5000);
    WAIT_EVENT(f.ev, "disconnected", 3, 5000);
    CHECK_INT(mock_pings(f.m, 2), 1); // the one every reconnect begins with
    fixture_destroy(&f);
}

static void set_interval(natsConnection *nc, void *ev)
{
    on_disconnected(nc, ev);
    events_add(ev, "set", natsConnection_SetPingIntervalMillis(nc, INTERVAL), NULL);
}

TEST(the_interval_can_be_set_in_the_disconnected_callback)
{
    fixture f = fixture_pinging(0, 2, true);
    event   e;

    CHECK_OK(natsOptions_SetDisconnectedCB(f.opts, set_interval, f.ev));
    fixture_connect(&f);
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK(events_get(f.ev, "set", 1, &e));
    CHECK_STATUS(e.status, NATS_OK);
    CHECK(mock_wait_pings(f.m, 2, 2, 5000));
    fixture_destroy(&f);
}

TEST(the_interval_can_be_set_while_draining)
{
    fixture           f   = fixture_connected_pinging(0, 2, true);
    natsSubscription *sub = NULL;
    int64_t           ms  = 0;

    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_mute(f.m);
    CHECK_OK(natsConnection_DrainTimeout(f.nc, 500));
    CHECK_OK(natsConnection_SetPingInterval(f.nc, 5));
    CHECK_OK(natsConnection_GetPingInterval(f.nc, &ms));
    CHECK_INT(ms, 5000);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

// A stale that fires while the interval changes: one of them wins, never two disconnects.
TEST(changing_the_interval_while_a_stale_fires)
{
    fixture f = fixture_pinging(0, 0, true);

    fixture_connect(&f);
    for (int i = 1; i <= 20; i++)
    {
        int64_t end = now_ms() + 5000;

        CHECK_OK(natsConnection_SetPingIntervalMillis(f.nc, 5));
        while (events_count(f.ev, "disconnected") < i && now_ms() < end)
            CHECK_OK(natsConnection_SetPingIntervalMillis(f.nc, 3 + now_ms() % 4));
        CHECK_OK(natsConnection_SetPingInterval(f.nc, 0));
        WAIT_EVENT(f.ev, "reconnected", i, 5000);
        CHECK_INT(events_count(f.ev, "disconnected"), i);
    }
    fixture_destroy(&f);
}

// ---- PONG timeout and maximum detection time ----

// The last disconnect; fails the test when there was none.
static natsDisconnectInfo last_disconnect(natsConnection *nc)
{
    natsDisconnectInfo info;

    CHECK_OK(natsConnection_GetLastDisconnect(nc, &info, sizeof info));
    CHECK_INT(info.Size, sizeof info);
    return info;
}

static natsLiveness liveness_of(natsConnection *nc)
{
    natsLiveness l;

    CHECK_OK(natsConnection_GetLiveness(nc, &l, sizeof l));
    CHECK_INT(l.Size, sizeof l);
    return l;
}

TEST(pong_timeout_arguments)
{
    fixture f = fixture_create();

    CHECK_STATUS(natsOptions_SetPongTimeout(NULL, 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsOptions_SetPongTimeout(f.opts, -1), NATS_INVALID_ARG);
    CHECK_OK(natsOptions_SetPongTimeout(f.opts, 0));
    CHECK_OK(natsOptions_SetPongTimeout(f.opts, INT64_MAX));
    CHECK_STATUS(natsOptions_SetMaxDetectionTime(NULL, 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsOptions_SetMaxDetectionTime(f.opts, -1), NATS_INVALID_ARG);
    CHECK_OK(natsOptions_SetMaxDetectionTime(f.opts, INT64_MAX));
    CHECK_OK(natsOptions_SetMaxDetectionTime(f.opts, 0));
    fixture_connect(&f);
    CHECK_STATUS(natsConnection_SetPongTimeout(NULL, 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_SetPongTimeout(f.nc, -1), NATS_INVALID_ARG);
    CHECK_OK(natsConnection_SetPongTimeout(f.nc, INT64_MAX));
    CHECK_STATUS(natsConnection_SetMaxDetectionTime(NULL, 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_SetMaxDetectionTime(f.nc, -1), NATS_INVALID_ARG);
    CHECK_OK(natsConnection_SetMaxDetectionTime(f.nc, INT64_MAX));
    natsConnection_Close(f.nc);
    CHECK_STATUS(natsConnection_SetPongTimeout(f.nc, 1), NATS_CONNECTION_CLOSED);
    CHECK_STATUS(natsConnection_SetMaxDetectionTime(f.nc, 1), NATS_CONNECTION_CLOSED);
    fixture_destroy(&f);
}

TEST(an_unanswered_ping_times_out)
{
    fixture f = fixture_pinging(300, 5, false);

    CHECK_OK(natsOptions_SetPongTimeout(f.opts, 100));
    mock_mute(f.m);
    fixture_connect(&f);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK_RANGE(events_ms(f.ev, "closed", 1), 395, 700);
    CHECK_INT(last_disconnect(f.nc).Reason, NATS_DISCONNECT_PONG_TIMEOUT);
    CHECK_INT(mock_pings(f.m, 1), 1);
    fixture_destroy(&f);
}

TEST(the_pong_timeout_can_be_set_on_a_ping_already_sent)
{
    fixture f = fixture_connected_pinging(INTERVAL, 1000000, false);

    mock_mute(f.m);
    CHECK(mock_wait_pings(f.m, 1, 1, 5000));
    CHECK_OK(natsConnection_SetPongTimeout(f.nc, 10));
    WAIT_EVENT(f.ev, "closed", 1, 2000);
    CHECK_INT(last_disconnect(f.nc).Reason, NATS_DISCONNECT_PONG_TIMEOUT);
    fixture_destroy(&f);
}

TEST(answered_pings_do_not_time_out)
{
    fixture f = fixture_pinging(20, 2, true);

    CHECK_OK(natsOptions_SetPongTimeout(f.opts, 1000));
    fixture_connect(&f);
    CHECK(mock_wait_pings(f.m, 1, 20, 10000));
    CHECK_INT(events_count(f.ev, NULL), 0);
    fixture_destroy(&f);
}

TEST(a_maximum_detection_time_holds_with_pings_off)
{
    fixture f = fixture_pinging(0, 2, false);

    CHECK_OK(natsOptions_SetMaxDetectionTime(f.opts, 600));
    mock_mute(f.m);
    fixture_connect(&f);
    CHECK_INT(liveness_of(f.nc).DetectionBound, 540);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK_RANGE(events_ms(f.ev, "closed", 1), 200, 900);
    fixture_destroy(&f);
}

// Set on a live connection with a frozen peer and a publisher that waits for room.
TEST(a_maximum_detection_time_frees_a_blocked_publisher)
{
    fixture    f    = fixture_pinging(120000, 2, false);
    char      *data = calloc(1, 100000);
    natsStatus s    = NATS_OK;
    int64_t    start;

    mock_receive_buffer(f.m, 4096);
    fixture_connect(&f);
    mock_frozen(f.m, true);
    CHECK_OK(natsConnection_SetMaxDetectionTime(f.nc, 600));
    start = now_ms();
    while (s == NATS_OK && now_ms() < start + 10000)
        s = natsConnection_Publish(f.nc, "foo", data, 100000);
    CHECK_STATUS(s, NATS_CONNECTION_CLOSED);
    CHECK_RANGE(now_ms() - start, 200, 1500);
    free(data);
    fixture_destroy(&f);
}

TEST(the_maximum_detection_time_outlives_reconnects)
{
    fixture f = fixture_connected_pinging(0, 2, true);

    mock_stop_listening(f.m);
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    CHECK_OK(natsConnection_SetMaxDetectionTime(f.nc, 400));
    mock_listen_again(f.m);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    mock_mute(f.m);
    WAIT_EVENT(f.ev, "disconnected", 2, 5000);
    CHECK_INT(last_disconnect(f.nc).Reason, NATS_DISCONNECT_PONG_TIMEOUT);
    fixture_destroy(&f);
}

// ---- socket options ----

// The client's socket of the connection to the mock: our descriptor whose peer is the mock's port.
static int socket_of(mock *m)
{
    for (int fd = 3; fd < 256; fd++)
    {
        struct sockaddr_in peer;
        socklen_t          len = sizeof peer;

        if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 && peer.sin_family == AF_INET &&
            ntohs(peer.sin_port) == mock_port(m))
            return fd;
    }
    return -1;
}

static int option_of(mock *m, int level, int name)
{
    int       value = -1;
    socklen_t len   = sizeof value;

    CHECK(getsockopt(socket_of(m), level, name, &value, &len) == 0);
    return value;
}

static natsStatus proxy(natsSock *fd, char *host, int port, void *closure)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};

    (void)host;
    *(int *)closure += 1;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *fd                  = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connect(*fd, (struct sockaddr *)&addr, sizeof addr) == 0 ? NATS_OK : NATS_NO_SERVER;
}

TEST(socket_options_arguments)
{
    fixture f = fixture_create();

    CHECK_STATUS(natsOptions_SetTCPKeepAlive(NULL, true, 1, 1, 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsOptions_SetTCPKeepAlive(f.opts, true, -1, 1, 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsOptions_SetTCPKeepAlive(f.opts, true, 1, -1, 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsOptions_SetTCPKeepAlive(f.opts, true, 1, 1, -1), NATS_INVALID_ARG);
    CHECK_STATUS(natsOptions_SetTCPUserTimeout(NULL, 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsOptions_SetTCPUserTimeout(f.opts, -1), NATS_INVALID_ARG);
    CHECK_OK(natsOptions_SetTCPUserTimeout(f.opts, INT64_MAX));
    fixture_connect(&f);
    fixture_destroy(&f);
}

TEST(sockets_are_left_alone_by_default)
{
    fixture f = fixture_connected_pinging(0, 2, true);

    CHECK_INT(option_of(f.m, SOL_SOCKET, SO_KEEPALIVE), 0);
    CHECK_INT(option_of(f.m, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
    fixture_destroy(&f);
}

TEST(socket_options_are_set_on_every_socket)
{
    fixture f     = fixture_create();
    int     calls = 0;

    CHECK_OK(natsOptions_SetTCPKeepAlive(f.opts, true, 11, 7, 3));
    CHECK_OK(natsOptions_SetTCPUserTimeout(f.opts, 4321));
    CHECK_OK(natsOptions_SetProxyConnHandler(f.opts, proxy, &calls));
    fixture_connect(&f);
    for (int i = 1; i <= 2; i++)
    {
        CHECK_INT(calls, i);
        CHECK_INT(option_of(f.m, SOL_SOCKET, SO_KEEPALIVE), 1);
        CHECK_INT(option_of(f.m, IPPROTO_TCP, TCP_KEEPIDLE), 11);
        CHECK_INT(option_of(f.m, IPPROTO_TCP, TCP_KEEPINTVL), 7);
        CHECK_INT(option_of(f.m, IPPROTO_TCP, TCP_KEEPCNT), 3);
        CHECK_INT(option_of(f.m, IPPROTO_TCP, TCP_USER_TIMEOUT), 4321);
        if (i == 1)
        {
            mock_close(f.m, MOCK_LATEST);
            WAIT_EVENT(f.ev, "reconnected", 1, 5000);
        }
    }
    CHECK_OK(natsConnection_SetMaxDetectionTime(f.nc, 2000));
    CHECK_INT(option_of(f.m, IPPROTO_TCP, TCP_USER_TIMEOUT), 2000);
    CHECK_OK(natsConnection_SetMaxDetectionTime(f.nc, 9000));
    CHECK_INT(option_of(f.m, IPPROTO_TCP, TCP_USER_TIMEOUT), 4321);
    fixture_destroy(&f);
}

// ---- why a connection was lost ----

static void on_disconnected_err(natsConnection *nc, const natsDisconnectInfo *info, void *ev)
{
    char text[32];

    (void)nc;
    CHECK(info->Size >= sizeof *info);
    snprintf(text, sizeof text, "reason %d", (int)info->Reason);
    events_add(ev, "reason", info->Status, text);
}

static fixture with_reason(int64_t interval, int max_out, bool reconnect)
{
    fixture f = fixture_pinging(interval, max_out, reconnect);

    CHECK_OK(natsOptions_SetDisconnectedErrCB(f.opts, on_disconnected_err, f.ev));
    return f;
}

// The callback came once, right before the disconnected one, and what can be pulled says the same.
static natsDisconnectInfo check_reason(fixture *f, natsDisconnectReason reason, natsStatus status)
{
    natsDisconnectInfo info;
    char               expected[32];
    event              e;

    WAIT_EVENT(f->ev, "disconnected", 1, 5000);
    CHECK(events_get(f->ev, "reason", 1, &e));
    snprintf(expected, sizeof expected, "reason %d", (int)reason);
    CHECK_STR(e.text, expected);
    CHECK_STATUS(e.status, status);
    for (int i = 1; events_get(f->ev, NULL, i, &e) && strcmp(e.name, "disconnected") != 0; i++)
        CHECK(strcmp(e.name, "reason") == 0 || strcmp(e.name, "error") == 0);
    info = last_disconnect(f->nc);
    CHECK_INT(info.Reason, reason);
    CHECK_INT(info.Status, status);
    CHECK_STR(info.ServerURL, mock_url(f->m));
    CHECK(llabs(info.Time - nats_Now()) < 60000);
    return info;
}

TEST(reason_arguments)
{
    fixture            f = fixture_create();
    natsDisconnectInfo info;

    CHECK_STATUS(natsOptions_SetDisconnectedErrCB(NULL, on_disconnected_err, NULL), NATS_INVALID_ARG);
    CHECK_OK(natsOptions_SetDisconnectedErrCB(f.opts, NULL, NULL));
    fixture_connect(&f);
    CHECK_STATUS(natsConnection_GetLastDisconnect(NULL, &info, sizeof info), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetLastDisconnect(f.nc, NULL, sizeof info), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetLastDisconnect(f.nc, &info, 0), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetLastDisconnect(f.nc, &info, sizeof info), NATS_NOT_FOUND);
    fixture_destroy(&f);
}

TEST(reason_max_pings)
{
    fixture            f = with_reason(INTERVAL, 1, true);
    natsDisconnectInfo info;

    mock_mute(f.m);
    fixture_connect(&f);
    info = check_reason(&f, NATS_DISCONNECT_MAX_PINGS, NATS_STALE_CONNECTION);
    CHECK_INT(info.PingsOutstanding, 1);
    CHECK_STR(info.Text, "Stale Connection");
    CHECK_RANGE(info.LastByteInAge, 2 * INTERVAL - 30, 2 * INTERVAL + 300);
    CHECK_RANGE(info.LastByteOutAge, INTERVAL - 30, INTERVAL + 300);
    CHECK(info.TCPRetransmits >= 0 && info.TCPUnacked >= 0);
    CHECK(!info.LameDuck);
    fixture_destroy(&f);
}

TEST(reason_server_stale)
{
    fixture f = with_reason(0, 2, false);

    fixture_connect(&f);
    mock_err(f.m, "Stale Connection");
    check_reason(&f, NATS_DISCONNECT_SERVER_STALE, NATS_STALE_CONNECTION);
    fixture_destroy(&f);
}

TEST(reason_server_error)
{
    fixture            f = with_reason(0, 2, true);
    natsDisconnectInfo info;

    fixture_connect(&f);
    mock_err(f.m, "Something Else");
    info = check_reason(&f, NATS_DISCONNECT_SERVER_ERR, NATS_ERR);
    CHECK_STR(info.Text, "Something Else");
    fixture_destroy(&f);
}

TEST(reason_server_closed)
{
    fixture f = with_reason(0, 2, true);

    fixture_connect(&f);
    mock_close(f.m, MOCK_LATEST);
    check_reason(&f, NATS_DISCONNECT_SERVER_CLOSED, NATS_CONNECTION_CLOSED);
    fixture_destroy(&f);
}

TEST(reason_reset)
{
    fixture f = with_reason(0, 2, true);

    fixture_connect(&f);
    mock_reset(f.m, MOCK_LATEST);
    check_reason(&f, NATS_DISCONNECT_IO_ERROR, NATS_IO_ERROR);
    fixture_destroy(&f);
}

TEST(reason_protocol_error)
{
    fixture f = with_reason(0, 2, true);

    fixture_connect(&f);
    mock_send(f.m, "HELLO THERE\r\n");
    check_reason(&f, NATS_DISCONNECT_PROTOCOL_ERROR, NATS_PROTOCOL_ERROR);
    fixture_destroy(&f);
}

TEST(reason_auth)
{
    fixture f = with_reason(0, 2, true);

    fixture_connect(&f);
    mock_err(f.m, "User Authentication Expired");
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    CHECK_INT(last_disconnect(f.nc).Reason, NATS_DISCONNECT_AUTH);
    fixture_destroy(&f);
}

TEST(reason_forced)
{
    fixture f = with_reason(0, 2, true);

    fixture_connect(&f);
    CHECK_OK(natsConnection_Reconnect(f.nc));
    check_reason(&f, NATS_DISCONNECT_FORCED, NATS_CONNECTION_CLOSED);
    fixture_destroy(&f);
}

TEST(reason_closed_by_user)
{
    fixture f = with_reason(0, 2, true);

    fixture_connect(&f);
    natsConnection_Close(f.nc);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    check_reason(&f, NATS_DISCONNECT_CLOSED_BY_USER, NATS_CONNECTION_CLOSED);
    fixture_destroy(&f);
}

TEST(reason_drained)
{
    fixture f = with_reason(0, 2, true);

    fixture_connect(&f);
    CHECK_OK(natsConnection_Drain(f.nc));
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    check_reason(&f, NATS_DISCONNECT_CLOSED_BY_USER, NATS_CONNECTION_CLOSED);
    fixture_destroy(&f);
}

TEST(reason_write_deadline)
{
    fixture            f    = with_reason(0, 2, true);
    char              *data = calloc(1, 100000);
    natsStatus         s    = NATS_OK;
    natsDisconnectInfo info;

    CHECK_OK(natsOptions_SetWriteDeadline(f.opts, 200));
    mock_receive_buffer(f.m, 4096);
    fixture_connect(&f);
    mock_frozen(f.m, true);
    mock_stop_listening(f.m);
    for (int i = 0; s == NATS_OK && i < 1000; i++)
        s = natsConnection_Publish(f.nc, "foo", data, 100000);
    CHECK_STATUS(s, NATS_TIMEOUT);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    info = last_disconnect(f.nc);
    CHECK_INT(info.Reason, NATS_DISCONNECT_WRITE_DEADLINE);
    CHECK(info.BytesUnsent > 0);
    CHECK(liveness_of(f.nc).LongestWriteStall >= 0);
    free(data);
    fixture_destroy(&f);
}

TEST(reason_tcp_timeout)
{
    fixture f    = with_reason(0, 2, true);
    char   *data = calloc(1, 100000);

    CHECK_OK(natsOptions_SetTCPUserTimeout(f.opts, 500));
    CHECK_OK(natsOptions_SetWriteDeadline(f.opts, 20000));
    mock_receive_buffer(f.m, 4096);
    fixture_connect(&f);
    mock_frozen(f.m, true);
    mock_stop_listening(f.m);
    for (int i = 0; events_count(f.ev, "disconnected") == 0 && i < 1000; i++)
        natsConnection_Publish(f.nc, "foo", data, 100000);
    WAIT_EVENT(f.ev, "disconnected", 1, 15000);
    CHECK_INT(last_disconnect(f.nc).Reason, NATS_DISCONNECT_TCP_TIMEOUT);
    free(data);
    fixture_destroy(&f);
}

TEST(reason_knows_the_lame_duck)
{
    fixture f = with_reason(0, 2, true);

    mock_info(f.m, MOCK_ALL, "{\"server_id\":\"THE-ID\",\"max_payload\":1000,\"proto\":1}");
    fixture_connect(&f);
    mock_send(f.m, "INFO {\"server_id\":\"THE-ID\",\"max_payload\":1000,\"ldm\":true}\r\n");
    WAIT_EVENT(f.ev, "lame duck", 1, 5000);
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    CHECK(last_disconnect(f.nc).LameDuck);
    CHECK_STR(last_disconnect(f.nc).ServerID, "THE-ID");
    fixture_destroy(&f);
}

TEST(the_url_of_a_disconnect_has_no_password)
{
    fixture f = with_reason(0, 2, true);
    char    url[128];

    snprintf(url, sizeof url, "nats://user:secret@127.0.0.1:%d", mock_port(f.m));
    CHECK_OK(natsOptions_SetURL(f.opts, url));
    fixture_connect(&f);
    CHECK_OK(natsConnection_Reconnect(f.nc));
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    CHECK(strstr(last_disconnect(f.nc).ServerURL, "secret") == NULL);
    fixture_destroy(&f);
}

TEST(a_smaller_info_struct_is_filled_as_far_as_it_goes)
{
    fixture f = with_reason(0, 2, true);
    union
    {
        natsDisconnectInfo info;
        unsigned char      bytes[sizeof(natsDisconnectInfo) + 32];
    } u;
    size_t small = offsetof(natsDisconnectInfo, Time);

    fixture_connect(&f);
    CHECK_OK(natsConnection_Reconnect(f.nc));
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    memset(&u, 0xAA, sizeof u);
    CHECK_OK(natsConnection_GetLastDisconnect(f.nc, &u.info, small));
    CHECK_INT(u.info.Size, small);
    CHECK_INT(u.info.Reason, NATS_DISCONNECT_FORCED);
    for (size_t i = small; i < sizeof u; i++)
        CHECK_INT(u.bytes[i], 0xAA);
    CHECK_OK(natsConnection_GetLastDisconnect(f.nc, &u.info, sizeof u.bytes));
    CHECK_INT(u.info.Size, sizeof(natsDisconnectInfo));
    for (size_t i = sizeof(natsDisconnectInfo); i < sizeof u.bytes; i++)
        CHECK_INT(u.bytes[i], 0);
    fixture_destroy(&f);
}

// ---- the pulse ----

TEST(liveness_arguments)
{
    fixture      f = fixture_connected_pinging(0, 2, true);
    natsLiveness l;

    CHECK_STATUS(natsConnection_GetLiveness(NULL, &l, sizeof l), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetLiveness(f.nc, NULL, sizeof l), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_GetLiveness(f.nc, &l, 0), NATS_INVALID_ARG);
    l.PingsSent = 77;
    CHECK_OK(natsConnection_GetLiveness(f.nc, &l, sizeof l.Size));
    CHECK_INT(l.Size, sizeof l.Size);
    CHECK_INT(l.PingsSent, 77);
    CHECK(!natsConnection_IsAlive(NULL, 1000));
    natsConnection_Close(f.nc);
    CHECK_STATUS(natsConnection_GetLiveness(f.nc, &l, sizeof l), NATS_CONNECTION_CLOSED);
    CHECK(!natsConnection_IsAlive(f.nc, 100000));
    fixture_destroy(&f);
}

TEST(liveness_counts)
{
    fixture      f = fixture_connected_pinging(INTERVAL, 3, true);
    natsLiveness l = liveness_of(f.nc);

    CHECK_INT(l.PingsSent, 0);
    CHECK_INT(l.RTTLast, -1);
    CHECK_INT(l.DetectionBound, 4 * INTERVAL);
    CHECK(l.LastByteInAge >= 0 && l.LastByteOutAge >= 0);
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_send(f.m, "PING\r\nPING\r\n");
    CHECK(mock_wait_line(f.m, 1, "PONG", 2, 5000));
    CHECK(mock_wait_pings(f.m, 1, 3, 5000));
    WAIT_FOR(liveness_of(f.nc).PongsReceived >= 3, 5000);
    l = liveness_of(f.nc);
    CHECK(l.PingsSent >= 3);
    CHECK_INT(l.ServerPings, 2);
    CHECK_INT(l.PingsOutstanding, 0);
    CHECK(l.RTTMin > 0 && l.RTTMin <= l.RTTSmoothed && l.RTTSmoothed <= l.RTTMax && l.RTTLast <= l.RTTMax);
    CHECK(natsConnection_IsAlive(f.nc, 5000));
    mock_mute(f.m);
    WAIT_FOR(liveness_of(f.nc).PingsOutstanding == 2, 5000);
    CHECK(liveness_of(f.nc).LastByteInAge >= INTERVAL);
    CHECK(!natsConnection_IsAlive(f.nc, INTERVAL / 2));
    CHECK(natsConnection_IsAlive(f.nc, 100000));
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    CHECK_INT(liveness_of(f.nc).StaleByClient, 1);
    CHECK_INT(liveness_of(f.nc).StaleByServer, 0);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    mock_err(f.m, "stale connection");
    WAIT_EVENT(f.ev, "disconnected", 2, 5000);
    CHECK_INT(liveness_of(f.nc).StaleByServer, 1);
    fixture_destroy(&f);
}

TEST(liveness_sees_what_is_queued)
{
    fixture      f    = fixture_connected_pinging(0, 2, true);
    char        *data = calloc(1, 20000);
    natsLiveness l;

    mock_receive_buffer(f.m, 4096);
    CHECK_OK(natsConnection_Reconnect(f.nc));
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_frozen(f.m, true);
    for (int i = 0; i < 1000; i++)
    {
        CHECK_OK(natsConnection_Publish(f.nc, "foo", data, 20000));
        l = liveness_of(f.nc);
        if (l.BytesBuffered > 0 && l.BytesInSocket > 0)
            break;
    }
    CHECK(l.BytesBuffered > 0 && l.BytesInSocket > 0);
    free(data);
    mock_stop_listening(f.m);
    mock_reset(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "disconnected", 2, 5000);
    CHECK_INT(liveness_of(f.nc).BytesInSocket, -1);
    CHECK(!natsConnection_IsAlive(f.nc, 100000));
    fixture_destroy(&f);
}

// ---- a check on demand ----

TEST(check_liveness_arguments)
{
    fixture f = fixture_connected_pinging(0, 2, true);

    CHECK_STATUS(natsConnection_CheckLiveness(NULL, 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_CheckLiveness(f.nc, 0), NATS_INVALID_TIMEOUT);
    CHECK_STATUS(natsConnection_CheckLiveness(f.nc, -1), NATS_INVALID_TIMEOUT);
    CHECK_OK(natsConnection_CheckLiveness(f.nc, INT64_MAX));
    mock_stop_listening(f.m);
    mock_close(f.m, MOCK_LATEST);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    CHECK_STATUS(natsConnection_CheckLiveness(f.nc, 100), NATS_CONNECTION_DISCONNECTED);
    natsConnection_Close(f.nc);
    CHECK_STATUS(natsConnection_CheckLiveness(f.nc, 100), NATS_CONNECTION_CLOSED);
    fixture_destroy(&f);
}

TEST(check_liveness_passes)
{
    fixture f = fixture_connected_pinging(0, 2, true);

    CHECK_OK(natsConnection_CheckLiveness(f.nc, 200));
    CHECK(mock_wait_pings(f.m, 1, 1, 5000));
    quiet_ms(500);
    CHECK_INT(events_count(f.ev, NULL), 0);
    fixture_destroy(&f);
}

TEST(check_liveness_finds_a_dead_peer)
{
    fixture f = fixture_connected_pinging(0, 2, true);

    mock_mute(f.m);
    events_start_clock(f.ev);
    CHECK_OK(natsConnection_CheckLiveness(f.nc, 150));
    CHECK_OK(natsConnection_CheckLiveness(f.nc, 160));
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    CHECK_RANGE(events_ms(f.ev, "disconnected", 1), 145, 600);
    CHECK_INT(last_disconnect(f.nc).Reason, NATS_DISCONNECT_PONG_TIMEOUT);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    quiet_ms(200);
    CHECK_INT(events_count(f.ev, "disconnected"), 1);
    fixture_destroy(&f);
}

// ---- PING events ----

static void on_ping(natsConnection *nc, natsPingEvent event, int out, int64_t rtt, void *ev)
{
    static const char *const names[] = {"?", "sent", "pong", "missed"};
    char                     text[16];

    (void)nc;
    CHECK((event == NATS_PONG_RECEIVED) == (rtt > 0));
    snprintf(text, sizeof text, "%d", out);
    events_add(ev, names[event], NATS_OK, text);
}

TEST(ping_events)
{
    fixture f = fixture_pinging(INTERVAL, 2, false);
    char    names[256];
    event   e;

    CHECK_STATUS(natsOptions_SetPingEventCB(NULL, on_ping, f.ev), NATS_INVALID_ARG);
    CHECK_OK(natsOptions_SetPingEventCB(f.opts, on_ping, f.ev));
    fixture_connect(&f);
    WAIT_EVENT(f.ev, "pong", 1, 5000);
    CHECK_OK(natsConnection_Flush(f.nc)); // no keep-alive
    mock_mute(f.m);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK_STR(events_names(f.ev, names, sizeof names),
              "sent,pong,sent,missed,sent,missed,disconnected,closed");
    CHECK(events_get(f.ev, "missed", 2, &e));
    CHECK_STR(e.text, "2");
    CHECK(events_get(f.ev, "sent", 3, &e));
    CHECK_STR(e.text, "2");
    fixture_destroy(&f);
}

// ---- environment ----

static void with_environment(const char *name, const char *value)
{
    char full[64];

    snprintf(full, sizeof full, "NATS_DEFAULT_LIB_%s", name);
    CHECK(setenv(full, value, 1) == 0);
}

TEST(environment_sets_defaults)
{
    fixture f;
    int64_t ms = 0;
    int     n  = 0;

    with_environment("PING_INTERVAL", "4000");
    with_environment("MAX_PINGS_OUT", "4");
    with_environment("PONG_TIMEOUT", "3000");
    with_environment("TCP_USER_TIMEOUT", "5000");
    f = fixture_create();
    fixture_connect(&f);
    CHECK_OK(natsConnection_GetPingInterval(f.nc, &ms));
    CHECK_INT(ms, 4000);
    CHECK_OK(natsConnection_GetMaxPingsOut(f.nc, &n));
    CHECK_INT(n, 4);
    CHECK_INT(liveness_of(f.nc).DetectionBound, 7000);
    CHECK_INT(option_of(f.m, IPPROTO_TCP, TCP_USER_TIMEOUT), 5000);
    fixture_destroy(&f);
}

TEST(environment_maximum_detection_time)
{
    fixture f;

    with_environment("MAX_DETECTION_TIME", "500");
    f = fixture_create();
    CHECK_OK(natsOptions_SetAllowReconnect(f.opts, false));
    mock_mute(f.m);
    fixture_connect(&f);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK_RANGE(events_ms(f.ev, "closed", 1), 200, 900);
    fixture_destroy(&f);
}

TEST(the_program_has_the_last_word_over_the_environment)
{
    fixture f;
    int64_t ms = 0;

    with_environment("PING_INTERVAL", "4000");
    with_environment("MAX_PINGS_OUT", "nonsense");
    CHECK_OK(nats_Open(-1));
    f = fixture_pinging(90000, 2, true);
    fixture_connect(&f);
    CHECK_OK(natsConnection_GetPingInterval(f.nc, &ms));
    CHECK_INT(ms, 90000);
    fixture_destroy(&f);
}

TEST(bad_environment_values_are_named_once_and_ignored)
{
    char    path[] = "/tmp/liveness-ext-XXXXXX", text[512] = "";
    int     file = mkstemp(path), saved = dup(2);
    fixture f;
    int64_t ms = 0;
    ssize_t n;

    with_environment("PING_INTERVAL", "30s");
    dup2(file, 2);
    CHECK_OK(nats_Open(-1));
    CHECK_OK(nats_CloseAndWait(5000));
    CHECK_OK(nats_Open(-1));
    dup2(saved, 2);
    n = pread(file, text, sizeof text - 1, 0);
    unlink(path);
    CHECK(n > 0);
    CHECK(strstr(text, "NATS_DEFAULT_LIB_PING_INTERVAL") != NULL);
    CHECK(strchr(text, '\n') == text + n - 1);
    f = fixture_create();
    fixture_connect(&f);
    CHECK_OK(natsConnection_GetPingInterval(f.nc, &ms));
    CHECK_INT(ms, 120000);
    fixture_destroy(&f);
}

// ---- with an event loop ----

TEST(everything_works_with_an_event_loop)
{
    fixture      f = with_reason(0, 2, true);
    loop        *l = loop_create(NULL);
    natsLiveness live;

    loop_use(l, f.opts);
    fixture_connect(&f);
    CHECK_OK(natsConnection_SetPingIntervalMillis(f.nc, INTERVAL));
    CHECK(mock_wait_pings(f.m, 1, 2, 5000));
    WAIT_FOR(liveness_of(f.nc).PongsReceived >= 2, 5000);
    live = liveness_of(f.nc);
    CHECK(live.RTTMin > 0 && live.LastByteInAge >= 0);
    CHECK_OK(natsConnection_CheckLiveness(f.nc, 2000));
    mock_mute(f.m);
    CHECK_OK(natsConnection_SetPongTimeout(f.nc, INTERVAL / 2));
    check_reason(&f, NATS_DISCONNECT_PONG_TIMEOUT, NATS_STALE_CONNECTION);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    fixture_destroy(&f);
    loop_destroy(l);
}

// ---- over TLS ----

TEST(everything_works_over_tls)
{
    fixture      f = fixture_create();
    char        *config;
    server      *s;
    char         url[64];
    natsLiveness l;

    certs_make();
    config = cert_server_config("server-ip", "");
    s      = server_start(config, NULL);
    snprintf(url, sizeof url, "tls://127.0.0.1:%d", server_port(s));
    CHECK_OK(natsOptions_SetURL(f.opts, url));
    CHECK_OK(natsOptions_LoadCATrustedCertificates(f.opts, cert("ca.pem")));
    CHECK_OK(natsOptions_SetTCPUserTimeout(f.opts, 60000));
    fixture_connect(&f);
    CHECK_OK(natsConnection_Flush(f.nc));
    l = liveness_of(f.nc);
    CHECK(l.RTTLast > 0 && l.PongsReceived >= 1 && l.LastByteInAge >= 0 && l.LastByteOutAge >= 0);
    CHECK(natsConnection_IsAlive(f.nc, 5000));
    CHECK_OK(natsConnection_CheckLiveness(f.nc, 5000));
    CHECK_OK(natsConnection_SetPingIntervalMillis(f.nc, INTERVAL));
    WAIT_FOR(liveness_of(f.nc).PongsReceived >= l.PongsReceived + 3, 5000);
    server_pause(s);
    CHECK_OK(natsConnection_SetMaxDetectionTime(f.nc, 1000));
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    CHECK_STATUS(last_disconnect(f.nc).Status, NATS_STALE_CONNECTION);
    server_resume(s);
    WAIT_EVENT(f.ev, "reconnected", 1, 20000);
    server_shutdown(s);
    WAIT_EVENT(f.ev, "disconnected", 2, 5000);
    CHECK_INT(last_disconnect(f.nc).Reason, NATS_DISCONNECT_SERVER_CLOSED);
    fixture_destroy(&f);
    server_stop(s);
    free(config);
}
