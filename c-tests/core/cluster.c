// A cluster of three real servers: nodes die and leave, and nothing that a Flush confirmed is lost.

#include <signal.h>
#include <unistd.h>

#include "fixture.h"
#include "server.h"
#include "test.h"

enum
{
    NODES = 3
};

typedef struct
{
    server *nodes[NODES];
} cluster;

// Recorders of closed connections: a late callback may still use them.
static events *kept[16];
static int     kept_count;

static cluster cluster_start(void)
{
    cluster c;
    int     ports[NODES];
    char    text[512];

    if (!server_available())
        SKIP("no nats-server");
    for (int i = 0; i < NODES; i++)
        ports[i] = free_port();
    for (int i = 0; i < NODES; i++)
    {
        snprintf(text, sizeof text,
                 "server_name: n%d\nlame_duck_grace_period: \"200ms\"\nlame_duck_duration: \"30s\"\n"
                 "cluster { name: c, listen: \"127.0.0.1:%d\", routes: [\"nats://127.0.0.1:%d\", "
                 "\"nats://127.0.0.1:%d\"] }\n",
                 i, ports[i], ports[(i + 1) % NODES], ports[(i + 2) % NODES]);
        c.nodes[i] = server_start(text, NULL);
    }
    return c;
}

static void cluster_stop(cluster *c)
{
    CHECK_OK(nats_CloseAndWait(10000));
    while (kept_count > 0)
        events_destroy(kept[--kept_count]);
    for (int i = 0; i < NODES; i++)
        server_stop(c->nodes[i]);
}

typedef struct
{
    events         *ev;
    natsOptions    *opts;
    natsConnection *nc;
} client;

// Knows the one node only; learns of the others.
static client client_of(cluster *c, int node)
{
    client x = {events_create(), NULL, NULL};

    CHECK_OK(natsOptions_Create(&x.opts));
    CHECK_OK(natsOptions_SetURL(x.opts, server_url(c->nodes[node])));
    CHECK_OK(natsOptions_SetTimeout(x.opts, 5000));
    CHECK_OK(natsOptions_SetMaxReconnect(x.opts, -1));
    CHECK_OK(natsOptions_SetReconnectWait(x.opts, 50));
    CHECK_OK(natsOptions_SetReconnectJitter(x.opts, 0, 0));
    events_handlers(x.ev, x.opts);
    CHECK_OK(natsConnection_Connect(&x.nc, x.opts));
    WAIT_FOR(server_count(x.nc) == NODES, 20000);
    return x;
}

static void client_end(client *x)
{
    natsConnection_Close(x->nc);
    WAIT_EVENT(x->ev, "closed", 1, 5000);
    natsConnection_Destroy(x->nc);
    natsOptions_Destroy(x->opts);
    kept[kept_count++] = x->ev;
}

// Until an interest registered at one node has reached another, a message may find nobody.
static void wait_for_interest(client *from, natsSubscription *sub)
{
    natsMsg *msg = NULL;

    for (int64_t end = now_ms() + 20000; msg == NULL;)
    {
        CHECK(now_ms() < end);
        if (natsConnection_PublishString(from->nc, "data", "probe") == NATS_OK)
            natsConnection_FlushTimeout(from->nc, 1000);
        if (natsSubscription_NextMsg(&msg, sub, 50) != NATS_OK)
            msg = NULL;
    }
    natsMsg_Destroy(msg);
    while (natsSubscription_NextMsg(&msg, sub, 200) == NATS_OK)
        natsMsg_Destroy(msg);
}

TEST_T(discovered_servers, 60000)
{
    cluster c = cluster_start();
    client  x = client_of(&c, 0);

    // At most two of them came after the first INFO.
    CHECK_RANGE(events_count(x.ev, "discovered"), 0, 2);
    CHECK_RANGE(discovered_count(x.nc), 2, 3);
    client_end(&x);
    cluster_stop(&c);
}

// A node goes while batches are published through it: what a Flush confirmed reaches a subscriber at another
// node.
static void failover(bool lame_duck)
{
    enum
    {
        BATCHES = 40,
        BATCH   = 50
    };
    cluster           c    = cluster_start();
    client            from = client_of(&c, 0), to = client_of(&c, 2);
    natsSubscription *sub                = NULL;
    bool              confirmed[BATCHES] = {false};
    int               seen[BATCHES]      = {0};
    natsMsg          *msg                = NULL;

    CHECK_OK(natsConnection_SubscribeSync(&sub, to.nc, "data"));
    CHECK_OK(natsConnection_Flush(to.nc));
    wait_for_interest(&from, sub);
    for (int b = 0; b < BATCHES; b++)
    {
        if (b == BATCHES / 2 && lame_duck)
            server_lame_duck(c.nodes[0]);
        else if (b == BATCHES / 2)
        {
            // A PONG does not say that the server has passed everything on to the others: a kill may take
            // that along.
            uint64_t queued = 0;

            WAIT_FOR(natsSubscription_QueuedMsgs(sub, &queued) == NATS_OK && queued == (uint64_t)b * BATCH,
                     10000);
            server_kill(c.nodes[0]);
        }
        for (int i = 0; i < BATCH; i++)
            CHECK_OK(natsConnection_Publish(from.nc, "data", &b, sizeof b));
        confirmed[b] = natsConnection_FlushTimeout(from.nc, 10000) == NATS_OK;
        if (lame_duck)
            pace_ms(20);
    }
    WAIT_EVENT(from.ev, "reconnected", 1, 20000);
    if (lame_duck)
        CHECK(events_count(from.ev, "lame duck") >= 1);
    CHECK_OK(natsConnection_FlushTimeout(from.nc, 10000));
    while (natsSubscription_NextMsg(&msg, sub, 1000) == NATS_OK)
    {
        int b;

        memcpy(&b, natsMsg_GetData(msg), sizeof b);
        CHECK(b >= 0 && b < BATCHES);
        seen[b]++;
        natsMsg_Destroy(msg);
    }
    for (int b = 0; b < BATCHES; b++)
        CHECK_MSG(!confirmed[b] || seen[b] >= BATCH, "batch %d was confirmed, %d of %d arrived", b, seen[b],
                  BATCH);
    CHECK(confirmed[0] && confirmed[BATCHES - 1]);
    CHECK_INT(events_count(from.ev, "closed"), 0);
    natsSubscription_Destroy(sub);
    client_end(&from);
    client_end(&to);
    cluster_stop(&c);
}

TEST_T(node_killed_while_publishing, 90000)
{
    failover(false);
}

TEST_T(node_in_lame_duck_while_publishing, 90000)
{
    failover(true);
}

// The subscriber's node dies: the subscription lives on at another node.
TEST_T(subscriber_moves, 60000)
{
    cluster           c    = cluster_start();
    client            from = client_of(&c, 1), to = client_of(&c, 0);
    natsSubscription *sub = NULL;

    CHECK_OK(natsConnection_SubscribeSync(&sub, to.nc, "data"));
    CHECK_OK(natsConnection_Flush(to.nc));
    server_kill(c.nodes[0]);
    WAIT_EVENT(to.ev, "reconnected", 1, 20000);
    wait_for_interest(&from, sub);
    CHECK_OK(natsConnection_Flush(to.nc));
    natsSubscription_Destroy(sub);
    client_end(&from);
    client_end(&to);
    cluster_stop(&c);
}

// Drains at the very moment the node dies: it ends, one way or the other.
TEST_T(drain_during_failover, 60000)
{
    cluster c = cluster_start();

    for (int i = 0; i < 2; i++)
    {
        client            x   = client_of(&c, i);
        natsSubscription *sub = NULL;
        natsStatus        s;

        CHECK_OK(natsConnection_Subscribe(&sub, x.nc, "data", on_msg, x.ev));
        for (int k = 0; k < 1000; k++)
            CHECK_OK(natsConnection_PublishString(x.nc, "data", "x"));
        server_signal(c.nodes[i], SIGKILL);
        s = natsConnection_DrainTimeout(x.nc, 5000);
        CHECK_MSG(s == NATS_OK || s == NATS_ILLEGAL_STATE || s == NATS_CONNECTION_CLOSED, "status %d",
                  (int)s);
        if (s == NATS_OK)
            WAIT_EVENT(x.ev, "closed", 1, 10000);
        natsSubscription_Destroy(sub);
        client_end(&x);
        server_restart(c.nodes[i]);
    }
    cluster_stop(&c);
}

// Nodes one after the other: the client is never without one.
TEST_T(rolling_restart, 90000)
{
    cluster c      = cluster_start();
    client  x      = client_of(&c, 0);
    int     losses = 0;

    for (int i = 0; i < NODES; i++)
    {
        char url[128] = "";

        CHECK_OK(natsConnection_GetConnectedUrl(x.nc, url, sizeof url));
        for (int n = 0; n < NODES; n++)
            if (strcmp(url, server_url(c.nodes[n])) == 0)
            {
                server_restart(c.nodes[n]);
                losses++;
                break;
            }
        WAIT_EVENT(x.ev, "reconnected", losses, 20000);
        CHECK_OK(natsConnection_FlushTimeout(x.nc, 10000));
    }
    CHECK(losses >= 1);
    CHECK_INT(events_count(x.ev, "closed"), 0);
    client_end(&x);
    cluster_stop(&c);
}
