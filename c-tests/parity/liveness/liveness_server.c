// A real server that stops, dies, comes back, goes lame, and one that gives up on a client.

#include "fixture.h"
#include "server.h"
#include "trace.h"

enum
{
    INTERVAL = 500,
    TICK     = INTERVAL,
};

typedef struct
{
    events         *ev;
    natsOptions    *opts;
    natsConnection *nc;
} client;

static client client_of(server *s, bool reconnect, int max_pings_out)
{
    client c = {events_create(), NULL, NULL};

    CHECK_OK(natsOptions_Create(&c.opts));
    CHECK_OK(natsOptions_SetURL(c.opts, server_url(s)));
    CHECK_OK(natsOptions_SetPingInterval(c.opts, INTERVAL));
    CHECK_OK(natsOptions_SetMaxPingsOut(c.opts, max_pings_out));
    CHECK_OK(natsOptions_SetAllowReconnect(c.opts, reconnect));
    CHECK_OK(natsOptions_SetMaxReconnect(c.opts, -1));
    CHECK_OK(natsOptions_SetReconnectWait(c.opts, 100));
    CHECK_OK(natsOptions_SetReconnectJitter(c.opts, 0, 0));
    events_handlers(c.ev, c.opts);
    CHECK_OK(natsConnection_Connect(&c.nc, c.opts));
    events_start_clock(c.ev);
    return c;
}

static void leave(client *c)
{
    natsConnection_Close(c->nc);
    WAIT_EVENT(c->ev, "closed", 1, 5000);
    natsConnection_Destroy(c->nc);
    natsOptions_Destroy(c->opts);
    events_destroy(c->ev);
}

// Stopped with its sockets open: idle, and with a subscriber and data on the way.
static void stopped(bool reconnect)
{
    server           *s   = server_start(NULL, NULL);
    client            c   = client_of(s, reconnect, 2);
    natsSubscription *sub = NULL;

    trace_scenario(reconnect ? "server stopped" : "server stopped, reconnect not allowed");
    CHECK_OK(natsConnection_Subscribe(&sub, c.nc, "foo", on_msg, c.ev));
    CHECK_OK(natsConnection_Flush(c.nc));
    // From here on no PONG: the first of the three ticks is the next one.
    server_pause(s);
    CHECK_OK(natsConnection_PublishString(c.nc, "foo", "x"));
    WAIT_EVENT(c.ev, "disconnected", 1, 10000);
    trace_time("disconnected", events_ms(c.ev, "disconnected", 1), TICK);
    server_resume(s);
    if (reconnect)
    {
        WAIT_EVENT(c.ev, "reconnected", 1, 10000);
        CHECK_OK(natsConnection_Flush(c.nc));
        CHECK_OK(natsConnection_PublishString(c.nc, "foo", "after"));
        CHECK_OK(natsConnection_Flush(c.nc));
        WAIT_EVENT(c.ev, "msg", 1, 5000);
        trace("delivered again: %s", events_count(c.ev, "msg") >= 1 ? "yes" : "no");
    }
    else
    {
        WAIT_EVENT(c.ev, "closed", 1, 5000);
        trace_events(c.ev, 0);
    }
    trace("disconnected %d times", events_count(c.ev, "disconnected"));
    natsSubscription_Destroy(sub);
    leave(&c);
    server_stop(s);
}

// Stopped for less than it takes: nobody notices.
static void stopped_briefly(void)
{
    server *s = server_start(NULL, NULL);
    client  c = client_of(s, true, 3);

    trace_scenario("server stopped briefly");
    for (int i = 0; i < 2; i++)
    {
        server_pause(s);
        quiet_ms(2 * INTERVAL);
        server_resume(s);
        CHECK_OK(natsConnection_Flush(c.nc));
    }
    trace_events(c.ev, 0);
    trace_connection("connection", c.nc);
    leave(&c);
    server_stop(s);
}

static void killed(void)
{
    server           *s   = server_start(NULL, NULL);
    client            c   = client_of(s, true, 2);
    natsSubscription *sub = NULL;

    trace_scenario("server killed and started again");
    CHECK_OK(natsConnection_Subscribe(&sub, c.nc, "foo", on_msg, c.ev));
    CHECK_OK(natsConnection_Flush(c.nc));
    server_kill(s);
    WAIT_EVENT(c.ev, "disconnected", 1, 2000);
    CHECK_OK(natsConnection_PublishString(c.nc, "foo", "while away"));
    server_restart(s);
    WAIT_EVENT(c.ev, "reconnected", 1, 10000);
    WAIT_EVENT(c.ev, "msg", 1, 5000);
    // The message and the event come on two threads: their order is chance in the reference.
    trace("disconnected %d reconnected %d msg %d", events_count(c.ev, "disconnected"),
          events_count(c.ev, "reconnected"), events_count(c.ev, "msg"));
    natsSubscription_Destroy(sub);
    leave(&c);
    server_stop(s);
}

static void shut_down(void)
{
    server *s = server_start(NULL, NULL);
    client  c = client_of(s, true, 2);

    trace_scenario("server shut down and started again");
    server_shutdown(s);
    WAIT_EVENT(c.ev, "disconnected", 1, 2000);
    server_restart(s);
    WAIT_EVENT(c.ev, "reconnected", 1, 10000);
    trace_events(c.ev, 0);
    leave(&c);
    server_stop(s);
}

static void lame_duck(void)
{
    server *s = server_start("lame_duck_duration: \"30s\"\nlame_duck_grace_period: \"10s\"\n", NULL);
    client  c = client_of(s, true, 2);

    trace_scenario("lame duck");
    server_lame_duck(s);
    WAIT_EVENT(c.ev, "lame duck", 1, 5000);
    trace_status("flush", natsConnection_FlushTimeout(c.nc, 5000));
    trace_events(c.ev, 0);
    leave(&c);
    server_stop(s);
}

// A server that is quick to give up meets a client that answers its PINGs, even with all handlers blocked.
static void slow(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    (void)closure;
    natsMsg_Destroy(msg);
    pace_ms(2500);
}

static void impatient_server(void)
{
    server           *s   = server_start("ping_interval: \"300ms\"\nping_max: 2\n", NULL);
    client            c   = client_of(s, true, 2);
    natsSubscription *sub = NULL;

    trace_scenario("a server that is quick to give up");
    CHECK_OK(natsConnection_Subscribe(&sub, c.nc, "foo", slow, NULL));
    CHECK_OK(natsConnection_PublishString(c.nc, "foo", "x"));
    quiet_ms(3500);
    trace_events(c.ev, 0);
    trace_connection("connection", c.nc);
    natsSubscription_Destroy(sub);
    leave(&c);
    server_stop(s);
}

// Three nodes, the one in use dies: the others are known from INFO alone.
static void cluster(void)
{
    int         ports[3] = {free_port(), free_port(), free_port()};
    const char *config = "cluster { name: c, listen: \"127.0.0.1:%d\", routes: [\"nats://127.0.0.1:%d\"] }\n";
    server     *nodes[3];
    char        text[256];
    client      c;

    trace_scenario("cluster of three");
    for (int i = 0; i < 3; i++)
    {
        snprintf(text, sizeof text, config, ports[i], ports[0]);
        nodes[i] = server_start(text, NULL);
    }
    c = client_of(nodes[1], true, 2);
    (void)HOLDS_WITHIN(server_count(c.nc) == 3, 10000);
    trace("servers known: %d", server_count(c.nc));
    server_kill(nodes[1]);
    WAIT_EVENT(c.ev, "reconnected", 1, 10000);
    trace_status("flush", natsConnection_FlushTimeout(c.nc, 5000));
    trace("disconnected %d, closed %d", events_count(c.ev, "disconnected"), events_count(c.ev, "closed"));
    leave(&c);
    for (int i = 0; i < 3; i++)
        server_stop(nodes[i]);
}

int main(void)
{
    if (!server_available())
        SKIP("no nats-server");
    trace_timing(TICK, 150);
    stopped(true);
    stopped(false);
    stopped_briefly();
    killed();
    shut_down();
    lame_duck();
    impatient_server();
    cluster();
    return 0;
}
