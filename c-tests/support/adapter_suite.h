// The tests every event loop adapter has to pass. A test program defines the four functions declared first,
// then includes nothing else: the tests are here.

#ifndef C_TESTS_SUPPORT_ADAPTER_SUITE_H
#define C_TESTS_SUPPORT_ADAPTER_SUITE_H

#include <pthread.h>
#include <unistd.h>

#include "certs.h"
#include "fixture.h"
#include "server.h"

static void *adapter_create(void);                       // a loop
static void  adapter_use(void *loop, natsOptions *opts); // connections of these options run on it
static void  adapter_run(void *loop); // until nothing is left on it; calling thread is its thread
static void  adapter_free(void *loop);

// ---- a loop with a thread of its own ----

typedef struct
{
    void     *loop;
    pthread_t thread;
} running;

static void *run_loop(void *arg)
{
    adapter_run(arg);
    return NULL;
}

static void start_loop(running *r)
{
    CHECK(pthread_create(&r->thread, NULL, run_loop, r->loop) == 0);
}

// The loop ends by itself once all connections are closed and detached.
static void end_loop(running *r)
{
    test_at(__FILE__, __LINE__);
    CHECK(pthread_join(r->thread, NULL) == 0);
    adapter_free(r->loop);
}

typedef struct
{
    events         *ev;
    natsOptions    *opts;
    natsConnection *nc;
    running         r;
} client;

static client client_create(const char *url)
{
    client c = {events_create(), NULL, NULL, {adapter_create(), 0}};

    CHECK_OK(natsOptions_Create(&c.opts));
    CHECK_OK(natsOptions_SetURL(c.opts, url));
    CHECK_OK(natsOptions_SetTimeout(c.opts, 5000));
    CHECK_OK(natsOptions_SetMaxReconnect(c.opts, -1));
    CHECK_OK(natsOptions_SetReconnectWait(c.opts, 20));
    CHECK_OK(natsOptions_SetReconnectJitter(c.opts, 0, 0));
    events_handlers(c.ev, c.opts);
    adapter_use(c.r.loop, c.opts);
    return c;
}

static void client_connect(client *c)
{
    CHECK_OK(natsConnection_Connect(&c->nc, c->opts));
    start_loop(&c->r);
}

static void client_end(client *c)
{
    natsConnection_Close(c->nc);
    WAIT_EVENT(c->ev, "closed", 1, 5000);
    CHECK_INT(events_count(c->ev, "closed"), 1);
    end_loop(&c->r);
    natsConnection_Destroy(c->nc);
    natsOptions_Destroy(c->opts);
    CHECK_OK(nats_CloseAndWait(5000));
    events_destroy(c->ev);
}

// ---- tests ----

TEST(connect_and_close)
{
    mock  *m = mock_create();
    client c = client_create(mock_url(m));

    client_connect(&c);
    CHECK_OK(natsConnection_Flush(c.nc));
    client_end(&c);
    CHECK(mock_wait_open(m, 0, 5000));
    mock_destroy(m);
}

TEST(publish_subscribe_and_request)
{
    enum
    {
        COUNT = 5000
    };
    server           *s   = server_start(NULL, NULL);
    client            c   = client_create(server_url(s));
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;

    client_connect(&c);
    CHECK_OK(natsConnection_SubscribeSync(&sub, c.nc, "foo"));
    for (int i = 0; i < COUNT; i++)
        CHECK_OK(natsConnection_Publish(c.nc, "foo", &i, sizeof i));
    CHECK_OK(natsConnection_Flush(c.nc));
    for (int i = 0; i < COUNT; i++)
    {
        CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
        CHECK(memcmp(natsMsg_GetData(msg), &i, sizeof i) == 0);
        natsMsg_Destroy(msg);
    }
    CHECK_STATUS(natsConnection_RequestString(&msg, c.nc, "nobody", "x", 5000), NATS_NO_RESPONDERS);
    natsSubscription_Destroy(sub);
    client_end(&c);
    server_stop(s);
}

TEST(large_message)
{
    enum
    {
        SIZE = 1000000
    };
    server           *s    = server_start(NULL, NULL);
    client            c    = client_create(server_url(s));
    natsSubscription *sub  = NULL;
    natsMsg          *msg  = NULL;
    char             *data = malloc(SIZE);

    memset(data, 'x', SIZE);
    client_connect(&c);
    CHECK_OK(natsConnection_SubscribeSync(&sub, c.nc, "foo"));
    for (int i = 0; i < 3; i++)
        CHECK_OK(natsConnection_Publish(c.nc, "foo", data, SIZE));
    for (int i = 0; i < 3; i++)
    {
        CHECK_OK(natsSubscription_NextMsg(&msg, sub, 10000));
        CHECK_INT(natsMsg_GetDataLength(msg), SIZE);
        CHECK(memcmp(natsMsg_GetData(msg), data, SIZE) == 0);
        natsMsg_Destroy(msg);
    }
    free(data);
    natsSubscription_Destroy(sub);
    client_end(&c);
    server_stop(s);
}

TEST(server_restart_brings_everything_back)
{
    server           *s   = server_start(NULL, NULL);
    client            c   = client_create(server_url(s));
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;

    client_connect(&c);
    CHECK_OK(natsConnection_SubscribeSync(&sub, c.nc, "foo"));
    CHECK_OK(natsConnection_Flush(c.nc));
    for (int i = 1; i <= 2; i++)
    {
        server_kill(s);
        WAIT_EVENT(c.ev, "disconnected", i, 5000);
        WAIT_FOR(natsConnection_IsReconnecting(c.nc), 5000);
        CHECK_OK(natsConnection_PublishString(c.nc, "foo", "while away"));
        server_restart(s);
        WAIT_EVENT(c.ev, "reconnected", i, 10000);
        CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
        CHECK_STR(natsMsg_GetData(msg), "while away");
        natsMsg_Destroy(msg);
    }
    natsSubscription_Destroy(sub);
    client_end(&c);
    server_stop(s);
}

TEST(frozen_server_is_noticed)
{
    server *s = server_start(NULL, NULL);
    client  c = client_create(server_url(s));

    CHECK_OK(natsOptions_SetPingInterval(c.opts, 300));
    CHECK_OK(natsOptions_SetMaxPingsOut(c.opts, 2));
    client_connect(&c);
    CHECK_OK(natsConnection_Flush(c.nc));
    server_pause(s);
    WAIT_EVENT(c.ev, "disconnected", 1, 10000);
    server_resume(s);
    WAIT_EVENT(c.ev, "reconnected", 1, 10000);
    CHECK_OK(natsConnection_Flush(c.nc));
    client_end(&c);
    server_stop(s);
}

// Losses in quick succession, publishers in the middle of it: descriptors must not pile up or be closed
// twice.
typedef struct
{
    natsConnection *nc;
    volatile bool   stop;
} publisher;

static void *publish_until_told(void *arg)
{
    publisher *p = arg;

    while (!p->stop)
    {
        natsStatus s = natsConnection_PublishString(p->nc, "foo", "hello");

        CHECK_MSG(s == NATS_OK || s == NATS_INSUFFICIENT_BUFFER || s == NATS_CONNECTION_CLOSED, "status %d",
                  (int)s);
        pace_ms(1);
    }
    return NULL;
}

// Sockets of this process; the mock has other descriptors per connection.
static int sockets(void)
{
    int  n = 0;
    char path[64], target[64];

    for (int fd = 0; fd < 1024; fd++)
    {
        ssize_t len;

        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        len = readlink(path, target, sizeof target - 1);
        n += len > 7 && memcmp(target, "socket:", 7) == 0;
    }
    return n;
}

TEST(many_losses_leak_nothing)
{
    enum
    {
        LOSSES = 15
    };
    mock     *m = mock_create();
    client    c = client_create(mock_url(m));
    publisher p = {NULL, false};
    pthread_t thread;
    int       before;

    client_connect(&c);
    p.nc = c.nc;
    CHECK(pthread_create(&thread, NULL, publish_until_told, &p) == 0);
    CHECK_OK(natsConnection_Flush(c.nc));
    before = sockets();
    for (int i = 1; i <= LOSSES; i++)
    {
        if (i % 3 == 0)
            CHECK_OK(natsConnection_Reconnect(c.nc));
        else if (i % 3 == 1)
            mock_close(m, MOCK_LATEST);
        else
            mock_reset(m, MOCK_LATEST);
        WAIT_EVENT(c.ev, "reconnected", i, 10000);
    }
    CHECK_OK(natsConnection_Flush(c.nc));
    WAIT_FOR(sockets() <= before, 5000);
    CHECK_INT(events_count(c.ev, "disconnected"), LOSSES);
    p.stop = true;
    pthread_join(thread, NULL);
    client_end(&c);
    mock_destroy(m);
}

static void close_it(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ev)
{
    (void)sub;
    natsMsg_Destroy(msg);
    natsConnection_Close(nc);
    events_add(ev, "closed it", NATS_OK, NULL);
}

static void close_now(natsConnection *nc, void *ev)
{
    natsConnection_Close(nc);
    events_add(ev, "closed it", NATS_OK, NULL);
}

TEST(close_in_message_handler)
{
    mock             *m   = mock_create();
    client            c   = client_create(mock_url(m));
    natsSubscription *sub = NULL;

    client_connect(&c);
    CHECK_OK(natsConnection_Subscribe(&sub, c.nc, "foo", close_it, c.ev));
    CHECK_OK(natsConnection_Flush(c.nc));
    mock_send(m, "MSG foo 1 1\r\nx\r\n");
    WAIT_EVENT(c.ev, "closed it", 1, 5000);
    natsSubscription_Destroy(sub);
    client_end(&c);
    mock_destroy(m);
}

TEST(close_in_disconnected_handler)
{
    mock  *m = mock_create();
    client c = client_create(mock_url(m));

    CHECK_OK(natsOptions_SetDisconnectedCB(c.opts, close_now, c.ev));
    client_connect(&c);
    mock_close(m, MOCK_LATEST);
    WAIT_EVENT(c.ev, "closed it", 1, 5000);
    client_end(&c);
    mock_destroy(m);
}

TEST(close_in_reconnected_handler)
{
    mock  *m = mock_create();
    client c = client_create(mock_url(m));

    CHECK_OK(natsOptions_SetReconnectedCB(c.opts, close_now, c.ev));
    client_connect(&c);
    mock_close(m, MOCK_LATEST);
    WAIT_EVENT(c.ev, "closed it", 1, 5000);
    client_end(&c);
    mock_destroy(m);
}

TEST(close_while_reconnecting)
{
    mock  *m = mock_create();
    client c = client_create(mock_url(m));

    client_connect(&c);
    mock_stop_listening(m);
    mock_close(m, MOCK_LATEST);
    WAIT_EVENT(c.ev, "disconnected", 1, 5000);
    client_end(&c);
    mock_destroy(m);
}

// The server closes while the program does.
TEST(close_races_with_loss)
{
    for (int i = 0; i < 20; i++)
    {
        mock  *m = mock_create();
        client c = client_create(mock_url(m));

        client_connect(&c);
        CHECK_OK(natsConnection_PublishString(c.nc, "foo", "x"));
        mock_close(m, MOCK_LATEST);
        client_end(&c);
        mock_destroy(m);
    }
}

TEST(reconnect_not_allowed)
{
    mock  *m = mock_create();
    client c = client_create(mock_url(m));

    CHECK_OK(natsOptions_SetAllowReconnect(c.opts, false));
    client_connect(&c);
    mock_close(m, MOCK_LATEST);
    WAIT_EVENT(c.ev, "closed", 1, 5000);
    CHECK_INT(events_count(c.ev, "disconnected"), 1);
    client_end(&c);
    mock_destroy(m);
}

TEST(drain_ends_the_loop)
{
    server           *s   = server_start(NULL, NULL);
    client            c   = client_create(server_url(s));
    natsSubscription *sub = NULL;

    client_connect(&c);
    CHECK_OK(natsConnection_Subscribe(&sub, c.nc, "foo", on_msg, c.ev));
    for (int i = 0; i < 100; i++)
        CHECK_OK(natsConnection_PublishString(c.nc, "foo", "x"));
    CHECK_OK(natsConnection_Flush(c.nc));
    CHECK_OK(natsConnection_Drain(c.nc));
    WAIT_EVENT(c.ev, "closed", 1, 10000);
    CHECK_INT(events_count(c.ev, "msg"), 100);
    natsSubscription_Destroy(sub);
    client_end(&c);
    server_stop(s);
}

TEST(two_connections_on_one_loop)
{
    server           *s   = server_start(NULL, NULL);
    client            c   = client_create(server_url(s));
    natsConnection   *two = NULL;
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;

    CHECK_OK(natsConnection_Connect(&two, c.opts));
    client_connect(&c);
    CHECK_OK(natsConnection_SubscribeSync(&sub, two, "foo"));
    CHECK_OK(natsConnection_Flush(two));
    CHECK_OK(natsConnection_PublishString(c.nc, "foo", "x"));
    CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
    natsMsg_Destroy(msg);
    natsSubscription_Destroy(sub);
    natsConnection_Close(two);
    natsConnection_Destroy(two);
    WAIT_EVENT(c.ev, "closed", 1, 5000);
    CHECK_OK(natsConnection_Flush(c.nc));
    natsConnection_Close(c.nc);
    WAIT_EVENT(c.ev, "closed", 2, 5000);
    end_loop(&c.r);
    natsConnection_Destroy(c.nc);
    natsOptions_Destroy(c.opts);
    CHECK_OK(nats_CloseAndWait(5000));
    events_destroy(c.ev);
    server_stop(s);
}

// One thread for everything: the program's main loop.
static void answer(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ev)
{
    (void)sub;
    natsMsg_Destroy(msg);
    if (events_count(ev, "answered") < 99)
        CHECK_OK(natsConnection_PublishString(nc, "foo", "x"));
    events_add(ev, "answered", NATS_OK, NULL);
    if (events_count(ev, "answered") == 100)
        natsConnection_Close(nc);
}

TEST(all_on_one_thread)
{
    server           *s   = server_start(NULL, NULL);
    client            c   = client_create(server_url(s));
    natsSubscription *sub = NULL;

    CHECK_OK(natsConnection_Connect(&c.nc, c.opts));
    CHECK_OK(natsConnection_Subscribe(&sub, c.nc, "foo", answer, c.ev));
    CHECK_OK(natsConnection_PublishString(c.nc, "foo", "first"));
    adapter_run(c.r.loop);
    CHECK(natsConnection_IsClosed(c.nc));
    CHECK_INT(events_count(c.ev, "answered"), 100);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(c.nc);
    natsOptions_Destroy(c.opts);
    adapter_free(c.r.loop);
    CHECK_OK(nats_CloseAndWait(5000));
    events_destroy(c.ev);
    server_stop(s);
}

// Messages larger and smaller than a TLS record, in bursts: no record may stay behind in OpenSSL's buffers.
// Then losses.
TEST(over_tls)
{
    static const int  sizes[] = {1, 100, 5000, 16384, 16400, 70000, 900000};
    server           *s;
    client            c;
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;
    char              url[64], *config, *data = calloc(1, 1000000);

    if (!server_available())
        SKIP("no nats-server");
    certs_make();
    config = cert_server_config("server-ip", "");
    s      = server_start(config, NULL);
    snprintf(url, sizeof url, "tls://localhost:%d", server_port(s));
    c = client_create(url);
    CHECK_OK(natsOptions_LoadCATrustedCertificates(c.opts, cert("ca.pem")));
    client_connect(&c);
    CHECK_OK(natsConnection_SubscribeSync(&sub, c.nc, "foo"));
    for (int loss = 1; loss <= 3; loss++)
    {
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        {
            int count = sizes[k] > 10000 ? 5 : 200;

            for (int i = 0; i < count; i++)
                CHECK_OK(natsConnection_Publish(c.nc, "foo", data, sizes[k]));
            for (int i = 0; i < count; i++)
            {
                CHECK_OK(natsSubscription_NextMsg(&msg, sub, 10000));
                CHECK_INT(natsMsg_GetDataLength(msg), sizes[k]);
                natsMsg_Destroy(msg);
            }
        }
        server_kill(s);
        WAIT_EVENT(c.ev, "disconnected", loss, 5000);
        server_restart(s);
        WAIT_EVENT(c.ev, "reconnected", loss, 10000);
    }
    CHECK_OK(natsConnection_Flush(c.nc));
    natsSubscription_Destroy(sub);
    client_end(&c);
    server_stop(s);
    free(config);
    free(data);
}

#endif
