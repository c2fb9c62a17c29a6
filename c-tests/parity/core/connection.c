// Getters and management functions of a connection: NULL and invalid arguments, and every state a connection
// can be in.

#include "fixture.h"
#include "trace.h"

#define T(expr) trace_status(#expr, (expr))

static void nulls(void)
{
    char            buf[64];
    char          **list = NULL;
    char           *ip   = NULL;
    const char     *text = NULL;
    int             n = 0, port = 0;
    int64_t         rtt = 0;
    uint64_t        cid = 0;
    unsigned char   sig[64];
    natsConnection *nc   = NULL;
    natsStatistics *st   = NULL;
    natsSock        sock = -1;

    trace_scenario("NULL");
    natsStatistics_Create(&st);
    trace("closed %d, reconnecting %d, draining %d", natsConnection_IsClosed(NULL),
          natsConnection_IsReconnecting(NULL), natsConnection_IsDraining(NULL));
    trace("status %s, buffered %d, payload %d, name %s", conn_status_name(natsConnection_Status(NULL)),
          natsConnection_Buffered(NULL), (int)natsConnection_GetMaxPayload(NULL),
          natsConnection_GetName(NULL) == NULL ? "NULL" : "?");
    T(natsConnection_Reconnect(NULL));
    T(natsConnection_Flush(NULL));
    T(natsConnection_FlushTimeout(NULL, 0));
    T(natsConnection_GetStats(NULL, st));
    T(natsConnection_GetConnectedUrl(NULL, buf, sizeof buf));
    T(natsConnection_GetConnectedServerId(NULL, buf, sizeof buf));
    T(natsConnection_GetConnectedServerName(NULL, buf, sizeof buf));
    T(natsConnection_GetServers(NULL, &list, &n));
    T(natsConnection_GetDiscoveredServers(NULL, &list, &n));
    T(natsConnection_GetLastError(NULL, &text));
    T(natsConnection_ReadLastError(NULL, buf, sizeof buf));
    T(natsConnection_GetClientID(NULL, &cid));
    T(natsConnection_GetClientIP(NULL, &ip));
    T(natsConnection_GetLocalIPAndPort(NULL, &ip, &port));
    T(natsConnection_GetRTT(NULL, &rtt));
    T(natsConnection_HasHeaderSupport(NULL));
    T(natsConnection_Drain(NULL));
    T(natsConnection_DrainTimeout(NULL, 1));
    T(natsConnection_Sign(NULL, (const unsigned char *)"x", 1, sig));
    natsConnection_Close(NULL);
    natsConnection_Destroy(NULL);
    natsConnection_ProcessCloseEvent(NULL);
    natsConnection_ProcessCloseEvent(&sock);
    natsConnection_ProcessDetachedEvent(NULL);
    T(natsConnection_ConnectTo(&nc, "a,"));
    T(natsConnection_ConnectTo(&nc, ",a"));
    T(natsConnection_ConnectTo(&nc, "nats://localhost:port"));
    T(natsConnection_ConnectTo(&nc, "nats://localhost:99999999999"));
    T(natsConnection_ConnectTo(&nc, "nats://a%zz@localhost:1"));
    trace("nc %s", nc == NULL ? "NULL" : "set");
    natsStatistics_Destroy(st);
}

// Sorted: the order in which one INFO's servers enter the pool is nobody's promise.
static void list_of(const char *what, natsConnection *nc, natsStatus get(natsConnection *, char ***, int *))
{
    char     **list = (char **)1;
    int        n    = 7;
    natsStatus s    = get(nc, &list, &n);

    trace("%s: %s, %d, %s", what, status_name(s), n, list == NULL ? "NULL" : "array");
    if (s == NATS_OK && n > 0)
        qsort(list, (size_t)n, sizeof *list, by_text);
    for (int i = 0; s == NATS_OK && i < n; i++)
    {
        trace("  %s", list[i]);
        free(list[i]);
    }
    if (s == NATS_OK)
        free(list);
}

// Everything there is to ask, in whatever state.
static void ask(const char *state, natsConnection *nc)
{
    char            buf[64];
    char           *ip   = (char *)1;
    const char     *text = NULL;
    int             port = 7;
    int64_t         rtt  = 0;
    uint64_t        cid  = 7;
    unsigned char   sig[64];
    natsStatus      s;
    natsStatistics *st         = NULL;
    uint64_t        reconnects = 0;

    trace("-- %s", state);
    trace("status %s, closed %d, reconnecting %d, draining %d", conn_status_name(natsConnection_Status(nc)),
          natsConnection_IsClosed(nc), natsConnection_IsReconnecting(nc), natsConnection_IsDraining(nc));
    trace("buffered %d, payload %d, name %s", natsConnection_Buffered(nc),
          (int)natsConnection_GetMaxPayload(nc), natsConnection_GetName(nc));
    s = natsConnection_GetConnectedUrl(nc, buf, sizeof buf);
    trace("url: %s '%s'", status_name(s), buf);
    s = natsConnection_GetConnectedServerId(nc, buf, sizeof buf);
    trace("server id: %s '%s'", status_name(s), buf);
    s = natsConnection_GetConnectedServerName(nc, buf, sizeof buf);
    trace("server name: %s '%s'", status_name(s), buf);
    list_of("servers", nc, natsConnection_GetServers);
    list_of("discovered", nc, natsConnection_GetDiscoveredServers);
    s = natsConnection_GetLastError(nc, &text);
    trace("last error: %s '%s'", status_name(s), text == NULL ? "NULL" : text);
    s = natsConnection_GetClientID(nc, &cid);
    trace("client id: %s %d", status_name(s), (int)cid);
    s = natsConnection_GetClientIP(nc, &ip);
    trace("client ip: %s %s", status_name(s), ip == NULL ? "NULL" : ip);
    free(ip);
    ip = (char *)1;
    s  = natsConnection_GetLocalIPAndPort(nc, &ip, &port);
    trace("local: %s %s %s", status_name(s), ip == NULL ? "NULL" : ip,
          port == 0   ? "0"
          : port == 7 ? "7"
                      : "port");
    free(ip);
    trace_status("headers", natsConnection_HasHeaderSupport(nc));
    trace_status("sign", natsConnection_Sign(nc, (const unsigned char *)"x", 1, sig));
    trace_status("flush timeout 0", natsConnection_FlushTimeout(nc, 0));
    trace_status("flush timeout -1", natsConnection_FlushTimeout(nc, -1));
    if (natsConnection_Status(nc) != NATS_CONN_STATUS_RECONNECTING)
        trace_status("flush", natsConnection_FlushTimeout(nc, 1000));
    trace_status("rtt", natsConnection_GetRTT(nc, &rtt));
    natsStatistics_Create(&st);
    trace_status("stats", natsConnection_GetStats(nc, st));
    natsStatistics_GetCounts(st, NULL, NULL, NULL, NULL, &reconnects);
    natsStatistics_Destroy(st);
    trace("reconnects %d", (int)reconnects);
}

#define FULL_INFO                                                                                            \
    "{\"server_id\":\"ID\",\"server_name\":\"NAME\",\"version\":\"2.10.0\",\"proto\":1,\"host\":\"127.0.0."  \
    "1\","                                                                                                   \
    "\"port\":%port,\"max_payload\":1000,\"client_id\":5,\"client_ip\":\"1.2.3.4\",\"headers\":true,"        \
    "\"connect_urls\":[\"10.0.0.1:4\",\"[::5]:6\",\"name:7\"]}"

static void states(void)
{
    fixture f = fixture_create();

    trace_scenario("states");
    trace_port(mock_port(f.m), "mock");
    mock_info(f.m, MOCK_ALL, FULL_INFO);
    CHECK_OK(natsOptions_SetNoRandomize(f.opts, true));
    CHECK_OK(natsOptions_SetName(f.opts, "a name"));
    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, -1));
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 60000));
    fixture_connect(&f);
    ask("connected", f.nc);
    natsConnection_Close(f.nc);
    ask("closed", f.nc);
    T(natsConnection_Drain(f.nc));
    T(natsConnection_DrainTimeout(f.nc, 10));
    T(natsConnection_Reconnect(f.nc));
    T(natsConnection_PublishString(f.nc, "foo", "x"));
    fixture_destroy(&f);
}

static void poor_info(void)
{
    fixture f = fixture_create();

    trace_scenario("INFO that says nothing");
    trace_port(mock_port(f.m), "mock");
    mock_info(f.m, MOCK_ALL, "{}");
    fixture_connect(&f);
    ask("connected", f.nc);
    T(natsConnection_PublishString(f.nc, "foo", "x"));
    T(natsConnection_PublishString(f.nc, "foo", ""));
    fixture_destroy(&f);
}

static void reconnecting(void)
{
    fixture f = fixture_create();

    trace_scenario("reconnecting");
    trace_port(mock_port(f.m), "mock");
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 60000));
    fixture_connect(&f);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    WAIT_FOR(natsConnection_IsReconnecting(f.nc), 5000);
    quiet_ms(100);
    ask("reconnecting", f.nc);
    T(natsConnection_FlushTimeout(f.nc, 50));
    T(natsConnection_Drain(f.nc));
    T(natsConnection_Reconnect(f.nc));
    natsConnection_Close(f.nc);
    ask("closed while reconnecting", f.nc);
    fixture_destroy(&f);
}

static void buffers(void)
{
    fixture f = fixture_create();
    char    buf[64], **list = NULL;
    int     n = 0, port = 0;
    char   *ip = NULL;

    trace_scenario("buffers");
    trace_port(mock_port(f.m), "mock");
    mock_info(f.m, MOCK_ALL, FULL_INFO);
    fixture_connect(&f);
    for (size_t size = 0; size <= 4; size++)
    {
        memset(buf, 'x', sizeof buf);
        trace("size %zu: %s", size, status_name(natsConnection_GetConnectedServerId(f.nc, buf, size)));
        if (size > 0)
            trace("  '%.4s'", buf);
    }
    T(natsConnection_GetConnectedUrl(f.nc, NULL, 10));
    T(natsConnection_GetConnectedServerName(f.nc, NULL, 10));
    T(natsConnection_GetConnectedServerName(f.nc, buf, 4));
    T(natsConnection_GetConnectedServerName(f.nc, buf, 5));
    T(natsConnection_GetServers(f.nc, NULL, &n));
    T(natsConnection_GetServers(f.nc, &list, NULL));
    T(natsConnection_GetDiscoveredServers(f.nc, NULL, &n));
    T(natsConnection_GetDiscoveredServers(f.nc, &list, NULL));
    T(natsConnection_GetClientID(f.nc, NULL));
    T(natsConnection_GetClientIP(f.nc, NULL));
    T(natsConnection_GetLocalIPAndPort(f.nc, NULL, &port));
    T(natsConnection_GetLocalIPAndPort(f.nc, &ip, NULL));
    T(natsConnection_GetRTT(f.nc, NULL));
    T(natsConnection_GetStats(f.nc, NULL));
    T(natsConnection_Sign(f.nc, NULL, 0, NULL));
    T(natsConnection_Sign(f.nc, NULL, -1, (unsigned char *)buf));
    T(natsConnection_ReadLastError(f.nc, NULL, 10));
    T(natsConnection_ReadLastError(f.nc, buf, 0));
    mock_err(f.m, "EEEEEEEEEEEEEEEEEEEE");
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    for (size_t size = 1; size <= 22; size++)
    {
        natsStatus s = natsConnection_ReadLastError(f.nc, buf, size);

        trace("n %zu: %s '%s'", size, status_name(s), buf);
    }
    fixture_destroy(&f);
}

// Text that an INFO brings is replaced by the next one, all of it.
static void info_replaces(void)
{
    fixture f = fixture_create();

    trace_scenario("INFO replaces INFO");
    trace_port(mock_port(f.m), "mock");
    mock_info(f.m, MOCK_ALL, FULL_INFO);
    CHECK_OK(natsOptions_SetNoRandomize(f.opts, true));
    fixture_connect(&f);
    mock_send(f.m, "INFO {\"server_id\":\"OTHER\",\"connect_urls\":[\"10.0.0.9:9\",\"name:7\"]}\r\n");
    WAIT_EVENT(f.ev, "discovered", 1, 5000);
    ask("after an INFO", f.nc);
    mock_send(f.m, "INFO {\"ldm\":true}\r\n");
    WAIT_EVENT(f.ev, "lame duck", 1, 5000);
    ask("after another", f.nc);
    trace_events(f.ev, 0);
    fixture_destroy(&f);
}

static void statistics(void)
{
    fixture           f     = fixture_create();
    natsStatistics   *stats = NULL;
    natsSubscription *sub   = NULL;
    uint64_t          in = 0, inb = 0, out = 0, outb = 0, rec = 0;

    trace_scenario("statistics");
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK_OK(natsConnection_PublishString(f.nc, "foo", "12345"));
    CHECK_OK(natsConnection_PublishRequestString(f.nc, "foo", "bar", "123"));
    CHECK_OK(natsConnection_PublishString(f.nc, "foo", ""));
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_send(
        f.m, "MSG foo 1 3\r\nabc\r\nMSG foo 99 2\r\nab\r\nHMSG foo 1 12 13\r\nNATS/1.0\r\n\r\nx\r\nPING\r\n");
    WAIT_FOR(mock_pongs(f.m, 1) >= 1, 5000);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK_OK(natsStatistics_Create(&stats));
    CHECK_OK(natsConnection_GetStats(f.nc, stats));
    CHECK_OK(natsStatistics_GetCounts(stats, &in, &inb, &out, &outb, &rec));
    trace("in %d/%d, out %d/%d, reconnects %d", (int)in, (int)inb, (int)out, (int)outb, (int)rec);
    natsStatistics_Destroy(stats);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

int main(void)
{
    nulls();
    states();
    poor_info();
    reconnecting();
    buffers();
    info_replaces();
    statistics();
    return 0;
}
