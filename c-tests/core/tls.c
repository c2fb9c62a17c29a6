// TLS connections at work: much data, records that come in pieces or not at all, losses, renewed
// certificates, many connections. Who is trusted and what the errors say is in parity/core/tls.c.

#include "certs.h"
#include "fixture.h"
#include "loop.h"
#include "relay.h"
#include "server.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct
{
    server         *s;
    relay          *r;
    events         *ev;
    natsOptions    *opts;
    natsConnection *nc;
} secured;

static server *start(const char *name, const char *tls, const char *rest)
{
    char   *block  = cert_server_config(name, tls);
    char   *config = malloc(strlen(block) + strlen(rest) + 1);
    server *s;

    sprintf(config, "%s%s", block, rest);
    s = server_start(config, NULL);
    free(block);
    free(config);
    return s;
}

static natsOptions *options_for(int port, events *ev)
{
    natsOptions *opts = NULL;
    char         url[64];

    snprintf(url, sizeof url, "tls://localhost:%d", port);
    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetURL(opts, url));
    CHECK_OK(natsOptions_LoadCATrustedCertificates(opts, cert("ca.pem")));
    CHECK_OK(natsOptions_SetTimeout(opts, 10000));
    CHECK_OK(natsOptions_SetReconnectWait(opts, 20));
    CHECK_OK(natsOptions_SetReconnectJitter(opts, 0, 0));
    CHECK_OK(natsOptions_SetMaxReconnect(opts, -1));
    if (ev != NULL)
        events_handlers(ev, opts);
    return opts;
}

// A server, a relay before it, options for the relay. Not connected yet.
static secured prepare(void)
{
    secured x = {0};

    if (!server_available())
        SKIP("no nats-server");
    certs_make();
    x.s    = start("server-ip", "", "max_payload: 8MB\n");
    x.r    = relay_create(server_port(x.s));
    x.ev   = events_create();
    x.opts = options_for(relay_port(x.r), x.ev);
    return x;
}

static secured secured_connected(void)
{
    secured x = prepare();

    CHECK_OK(natsConnection_Connect(&x.nc, x.opts));
    return x;
}

static void finish(secured *x)
{
    natsConnection_Destroy(x->nc);
    natsOptions_Destroy(x->opts);
    relay_destroy(x->r);
    server_stop(x->s);
    CHECK_OK(nats_CloseAndWait(10000)); // nothing is left of any connection
    events_destroy(x->ev);
}

// ---- data ----

static char pattern(int64_t message, int64_t at)
{
    return (char)('!' + (message * 31 + at * 7 + at / 255) % 90);
}

static void exchange(natsConnection *nc, natsSubscription *sub, int count, int size)
{
    char *data = malloc((size_t)size + 1);

    for (int i = 0; i < count; i++)
    {
        for (int k = 0; k < size; k++)
            data[k] = pattern(i, k);
        CHECK_OK(natsConnection_Publish(nc, "data", data, size));
    }
    for (int i = 0; i < count; i++)
    {
        natsMsg    *msg = NULL;
        const char *got;

        CHECK_OK(natsSubscription_NextMsg(&msg, sub, 20000));
        CHECK_INT(natsMsg_GetDataLength(msg), size);
        got = natsMsg_GetData(msg);
        for (int k = 0; k < size; k++)
            CHECK_MSG(got[k] == pattern(i, k), "message %d of %d bytes differs at %d", i, size, k);
        natsMsg_Destroy(msg);
    }
    free(data);
}

static void exchange_all(secured *x)
{
    natsSubscription *sub = NULL;

    CHECK_OK(natsConnection_SubscribeSync(&sub, x->nc, "data"));
    CHECK_OK(natsSubscription_SetPendingLimits(sub, -1, -1));
    exchange(x->nc, sub, 20000, 16);
    exchange(x->nc, sub, 2000, 1000);
    exchange(x->nc, sub, 50, 16 * 1024); // a record and a bit
    exchange(x->nc, sub, 20, 100 * 1000);
    exchange(x->nc, sub, 4, 5 * 1000 * 1000);
    exchange(x->nc, sub, 1000, 0);
    natsSubscription_Destroy(sub);
    CHECK_INT(events_count(x->ev, NULL), 0);
}

TEST_T(all_sizes_arrive_unharmed, 60000)
{
    secured x = secured_connected();

    exchange_all(&x);
    finish(&x);
}

TEST_T(all_sizes_arrive_with_an_event_loop, 60000)
{
    secured x = prepare();
    loop   *l = loop_create(NULL);

    loop_use(l, x.opts);
    CHECK_OK(natsConnection_Connect(&x.nc, x.opts));
    exchange_all(&x);
    // Data and the end of the connection in one go, several times.
    for (int i = 1; i <= 3; i++)
    {
        relay_cut(x.r);
        WAIT_EVENT(x.ev, "reconnected", i, 10000);
    }
    CHECK_OK(natsConnection_FlushTimeout(x.nc, 5000));
    natsConnection_Close(x.nc);
    WAIT_EVENT(x.ev, "closed", 1, 5000);
    finish(&x);
    loop_destroy(l);
}

// Several threads publish while as much comes back: encrypting and decrypting at the same time.
typedef struct
{
    natsConnection *nc;
    int             count;
} publisher;

static void *publish_many(void *arg)
{
    publisher *p = arg;

    for (int i = 0; i < p->count; i++)
        CHECK_OK(natsConnection_PublishString(p->nc, "many", "0123456789abcdef0123456789abcdef"));
    return NULL;
}

static atomic_int received;

static void count_msg(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    (void)closure;
    atomic_fetch_add(&received, 1);
    natsMsg_Destroy(msg);
}

TEST_T(both_directions_at_once, 60000)
{
    secured           x   = secured_connected();
    natsSubscription *sub = NULL;
    publisher         p   = {x.nc, 50000};
    pthread_t         threads[3];

    CHECK_OK(natsConnection_Subscribe(&sub, x.nc, "many", count_msg, NULL));
    CHECK_OK(natsSubscription_SetPendingLimits(sub, -1, -1));
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, publish_many, &p) == 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    CHECK_OK(natsConnection_FlushTimeout(x.nc, 30000));
    WAIT_FOR(atomic_load(&received) == 3 * p.count, 30000);
    CHECK_INT(events_count(x.ev, NULL), 0);
    natsSubscription_Destroy(sub);
    finish(&x);
}

// ---- records in pieces ----

TEST(records_byte_by_byte)
{
    secured           x   = prepare();
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;

    relay_trickle(x.r, 20);
    CHECK_OK(natsConnection_Connect(&x.nc, x.opts));
    CHECK_OK(natsConnection_SubscribeSync(&sub, x.nc, "x"));
    CHECK_OK(natsConnection_PublishString(x.nc, "x", "slow but sure"));
    CHECK_OK(natsSubscription_NextMsg(&msg, sub, 10000));
    CHECK_STR(natsMsg_GetData(msg), "slow but sure");
    natsMsg_Destroy(msg);
    CHECK_OK(natsConnection_FlushTimeout(x.nc, 10000));
    natsSubscription_Destroy(sub);
    finish(&x);
}

TEST(half_a_record_costs_nothing)
{
    secured           x     = secured_connected();
    natsConnection   *other = NULL;
    natsOptions      *opts  = options_for(server_port(x.s), NULL);
    natsSubscription *sub   = NULL;
    natsMsg          *msg   = NULL;
    int64_t           cpu;

    CHECK_OK(natsConnection_Connect(&other, opts));
    CHECK_OK(natsConnection_SubscribeSync(&sub, x.nc, "x"));
    CHECK_OK(natsConnection_FlushTimeout(x.nc, 5000));
    relay_stall_after(x.r, 9);
    CHECK_OK(natsConnection_PublishString(x.nc, "x", "in two pieces"));
    CHECK_STATUS(natsSubscription_NextMsg(&msg, sub, 100), NATS_TIMEOUT);
    cpu = cpu_ms();
    quiet_ms(500);
    CHECK_RANGE(cpu_ms() - cpu, 0, 150);
    // Nobody else waits for it.
    for (int i = 0; i < 20; i++)
        CHECK_OK(natsConnection_FlushTimeout(other, 2000));
    relay_stall_after(x.r, -1);
    CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
    CHECK_STR(natsMsg_GetData(msg), "in two pieces");
    natsMsg_Destroy(msg);
    CHECK_INT(events_count(x.ev, NULL), 0);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(other);
    natsOptions_Destroy(opts);
    finish(&x);
}

TEST(the_end_in_a_record_is_an_end)
{
    secured           x   = secured_connected();
    natsSubscription *sub = NULL;

    CHECK_OK(natsConnection_Subscribe(&sub, x.nc, "x", on_msg, x.ev));
    CHECK_OK(natsConnection_FlushTimeout(x.nc, 5000));
    for (int i = 1; i <= 5; i++)
    {
        relay_close_after(x.r, i * 5);
        CHECK_OK(natsConnection_PublishString(x.nc, "x", "never seen as a whole"));
        WAIT_EVENT(x.ev, "disconnected", i, 5000);
        relay_close_after(x.r, -1);
        WAIT_EVENT(x.ev, "reconnected", i, 5000);
        CHECK_OK(natsConnection_FlushTimeout(x.nc, 5000));
    }
    natsSubscription_Destroy(sub);
    finish(&x);
}

// ---- handshakes ----

static void *connect_in_vain(void *arg)
{
    secured        *x  = arg;
    natsConnection *nc = NULL;

    CHECK_STATUS(natsConnection_Connect(&nc, x->opts), NATS_TIMEOUT);
    return NULL;
}

TEST(a_stalled_handshake_delays_nobody)
{
    secured         x    = prepare();
    natsOptions    *opts = options_for(server_port(x.s), NULL);
    natsConnection *nc   = NULL;
    pthread_t       thread;
    int64_t         t;

    CHECK_OK(natsOptions_SetTimeout(x.opts, 6000));
    relay_stall_after(x.r, 800); // INFO comes through
    t = now_ms();
    CHECK(pthread_create(&thread, NULL, connect_in_vain, &x) == 0);
    WAIT_FOR(relay_accepted(x.r) == 1, 5000);
    for (int i = 0; i < 5; i++)
    {
        CHECK_OK(natsConnection_Connect(&nc, opts));
        CHECK_OK(natsConnection_FlushTimeout(nc, 5000));
        natsConnection_Destroy(nc);
    }
    CHECK_RANGE(now_ms() - t, 0, 5900); // while the other still waits
    pthread_join(thread, NULL);
    CHECK_RANGE(now_ms() - t, 5900, 9000);
    natsOptions_Destroy(opts);
    finish(&x);
}

static atomic_int inside, most_inside;

static int slow_verdict(int ok, void *ctx)
{
    int now  = atomic_fetch_add(&inside, 1) + 1;
    int most = atomic_load(&most_inside);

    (void)ctx;
    while (now > most && !atomic_compare_exchange_weak(&most_inside, &most, now))
        ;
    pace_ms(30);
    atomic_fetch_sub(&inside, 1);
    return ok;
}

static void *connect_once(void *opts)
{
    natsConnection *nc = NULL;

    CHECK_OK(natsConnection_Connect(&nc, opts));
    natsConnection_Destroy(nc);
    return NULL;
}

static int callbacks_at_once(bool concurrent)
{
    secured      x    = prepare();
    natsOptions *opts = options_for(server_port(x.s), NULL);
    pthread_t    threads[4];

    CHECK_OK(natsOptions_SetSSLVerificationCallback(opts, slow_verdict));
    if (concurrent)
        CHECK_OK(natsOptions_AllowConcurrentTLSHandshakes(opts));
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, connect_once, opts) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    natsOptions_Destroy(opts);
    finish(&x);
    return atomic_load(&most_inside);
}

TEST(verification_callbacks_take_turns)
{
    CHECK_INT(callbacks_at_once(false), 1);
}

TEST(verification_callbacks_need_not_take_turns)
{
    CHECK_RANGE(callbacks_at_once(true), 2, 4);
}

static natsStatus dial(natsSock *fd, char *host, int port, void *closure)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    CHECK_STR(host, "localhost");
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *fd                     = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(*fd, (struct sockaddr *)&address, sizeof address) == 0);
    atomic_fetch_add((atomic_int *)closure, 1);
    return NATS_OK;
}

TEST(through_a_proxy_handler)
{
    secured    x     = prepare();
    atomic_int dials = 0;

    CHECK_OK(natsOptions_SetProxyConnHandler(x.opts, dial, &dials));
    CHECK_OK(natsConnection_Connect(&x.nc, x.opts));
    CHECK_OK(natsConnection_FlushTimeout(x.nc, 5000));
    relay_cut(x.r);
    WAIT_EVENT(x.ev, "reconnected", 1, 5000);
    CHECK_OK(natsConnection_FlushTimeout(x.nc, 5000));
    CHECK_INT(atomic_load(&dials), 2);
    finish(&x);
}

TEST(retried_until_the_server_is_there)
{
    secured x = prepare();

    CHECK_OK(natsOptions_SetRetryOnFailedConnect(x.opts, true, on_connected, x.ev));
    server_kill(x.s);
    CHECK_STATUS(natsConnection_Connect(&x.nc, x.opts), NATS_NOT_YET_CONNECTED);
    CHECK_OK(natsConnection_PublishString(x.nc, "x", "early"));
    server_restart(x.s);
    WAIT_EVENT(x.ev, "connected", 1, 10000);
    CHECK_OK(natsConnection_FlushTimeout(x.nc, 5000));
    finish(&x);
}

// ---- certificates ----

#define USERS                                                                                                \
    "authorization { users: [\n"                                                                             \
    "  {user: \"client@test.example\", permissions: {publish: [\"one\", \"_INBOX.>\"]}}\n"                   \
    "  {user: \"client2@test.example\", permissions: {publish: [\"two\", \"_INBOX.>\"]}} ] }\n"

TEST(renewed_certificates_are_used_by_the_next_connect)
{
    server         *s;
    relay          *r;
    events         *ev = events_create();
    natsOptions    *opts;
    natsConnection *nc = NULL;
    event           error;

    if (!server_available())
        SKIP("no nats-server");
    certs_make();
    cert_copy("client.pem", "now.pem");
    cert_copy("client.key", "now.key");
    s    = start("server-ip", "verify_and_map: true", USERS);
    r    = relay_create(server_port(s));
    opts = options_for(relay_port(r), ev);
    CHECK_OK(natsOptions_LoadCertificatesChainDynamic(opts, cert("now.pem"), cert("now.key")));
    CHECK_OK(natsConnection_Connect(&nc, opts));
    CHECK_OK(natsConnection_PublishString(nc, "one", "x"));
    CHECK_OK(natsConnection_FlushTimeout(nc, 5000));
    CHECK_INT(events_count(ev, NULL), 0);

    cert_copy("client2.pem", "now.pem");
    cert_copy("client2.key", "now.key");
    relay_cut(r);
    WAIT_EVENT(ev, "reconnected", 1, 5000);
    CHECK_OK(natsConnection_PublishString(nc, "two", "x"));
    CHECK_OK(natsConnection_FlushTimeout(nc, 5000));
    CHECK_INT(events_count(ev, "error"), 0);
    CHECK_OK(natsConnection_PublishString(nc, "one", "x"));
    WAIT_EVENT(ev, "error", 1, 5000);
    CHECK(events_get(ev, "error", 1, &error));
    CHECK_STATUS(error.status, NATS_NOT_PERMITTED);

    // Files that are gone: no attempt succeeds until they are back.
    CHECK(unlink(cert("now.key")) == 0);
    relay_cut(r);
    WAIT_EVENT(ev, "disconnected", 2, 5000);
    quiet_ms(200);
    CHECK_INT(events_count(ev, "reconnected"), 1);
    cert_copy("client2.key", "now.key");
    WAIT_EVENT(ev, "reconnected", 2, 5000);
    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
    relay_destroy(r);
    server_stop(s);
    CHECK_OK(nats_CloseAndWait(10000));
    events_destroy(ev);
}

// A cluster announces its servers by address; their certificate has only the name that the program used.
TEST(a_discovered_address_is_verified_by_name)
{
    server         *first, *second;
    relay          *r;
    events         *ev = events_create();
    natsOptions    *opts;
    natsConnection *nc = NULL;
    char            buf[128], cluster[256];
    int             port = free_port();

    if (!server_available())
        SKIP("no nats-server");
    certs_make();
    snprintf(cluster, sizeof cluster, "cluster { listen: \"127.0.0.1:%d\", name: test }\n", port);
    first = start("server", "", cluster);
    snprintf(cluster, sizeof cluster,
             "cluster { listen: \"127.0.0.1:-1\", name: test, routes: [\"nats://127.0.0.1:%d\"] }\n", port);
    second = start("server", "", cluster);
    r      = relay_create(server_port(first));
    opts   = options_for(relay_port(r), ev);
    CHECK_OK(natsConnection_Connect(&nc, opts));
    WAIT_FOR(discovered_count(nc) == 2, 10000);
    relay_close_after(r, 0); // closes whatever comes through
    relay_cut(r);
    WAIT_EVENT(ev, "reconnected", 1, 10000);
    CHECK_OK(natsConnection_GetConnectedUrl(nc, buf, sizeof buf));
    CHECK_MSG(strstr(buf, "127.0.0.1") != NULL, "connected to %s", buf);
    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
    relay_destroy(r);
    server_stop(second);
    server_stop(first);
    CHECK_OK(nats_CloseAndWait(10000));
    events_destroy(ev);
}

// ---- the program uses OpenSSL, too ----

// An entry in the calling thread's queue, as a failing call of the program leaves it.
static unsigned long leave_error(void)
{
    unsigned long before = ERR_peek_error();

    CHECK(BIO_new_file("/no/such/file", "r") == NULL);
    return before != 0 ? before : ERR_peek_error();
}

static int queued_errors(void)
{
    int n = 0;

    while (ERR_get_error() != 0)
        n++;
    return n;
}

static void answer(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)sub;
    (void)closure;
    CHECK_OK(natsConnection_PublishString(nc, natsMsg_GetReply(msg), natsMsg_GetData(msg)));
    natsMsg_Destroy(msg);
}

static int accept_and_leave_error(int ok, void *ctx)
{
    (void)ctx;
    leave_error();
    return ok;
}

TEST_T(the_programs_error_queue_is_its_own, 120000) // valgrind takes its time for the system's authorities
{
    secured           x      = prepare();
    natsOptions      *opts   = options_for(server_port(x.s), NULL);
    natsConnection   *server = NULL, *refused = NULL;
    natsSubscription *sub = NULL, *data = NULL;
    natsMsg          *msg = NULL;
    unsigned long     error;
    int               errors;

    CHECK_OK(natsConnection_Connect(&server, opts));
    CHECK_OK(natsConnection_Subscribe(&sub, server, "svc", answer, NULL));
    CHECK_OK(natsConnection_FlushTimeout(server, 5000));
    error  = leave_error();
    errors = queued_errors();
    leave_error();

    // Handshake, requests (whose replies this thread may read itself), writes and reads with an entry in the
    // queue.
    CHECK_OK(natsConnection_Connect(&x.nc, x.opts));
    for (int i = 0; i < 20; i++)
    {
        CHECK_OK(natsConnection_RequestString(&msg, x.nc, "svc", "hello", 5000));
        natsMsg_Destroy(msg);
        CHECK_INT(queued_errors(), errors);
        leave_error();
    }
    CHECK_OK(natsConnection_SubscribeSync(&data, x.nc, "data"));
    exchange(x.nc, data, 20, 100 * 1000);
    CHECK_OK(natsConnection_FlushTimeout(x.nc, 5000));
    CHECK_INT(events_count(x.ev, NULL), 0);
    // What fails tells its own reason, not the program's, and leaves nothing.
    natsOptions_Destroy(opts);
    opts = options_for(server_port(x.s), NULL);
    CHECK_STATUS(natsOptions_SetCiphers(opts, "NOPE"), NATS_SSL_ERROR);
    CHECK_MSG(strstr(nats_GetLastError(NULL), "no cipher match") != NULL, "%s", nats_GetLastError(NULL));
    CHECK_OK(natsOptions_SetExpectedHostname(opts, "other.example"));
    CHECK_STATUS(natsConnection_Connect(&refused, opts), NATS_SSL_ERROR);
    CHECK(ERR_peek_error() == error);
    CHECK_INT(queued_errors(), errors);

    // Nothing of ours is left in an empty queue, nor does it matter what a verification callback leaves.
    CHECK_STATUS(natsConnection_Connect(&refused, opts), NATS_SSL_ERROR);
    CHECK_STATUS(natsOptions_LoadCATrustedCertificates(opts, "/no/such/file"), NATS_SSL_ERROR);
    CHECK_OK(natsOptions_SetExpectedHostname(opts, NULL));
    CHECK_OK(natsOptions_SetSSLVerificationCallback(opts, accept_and_leave_error));
    CHECK_OK(natsConnection_Connect(&refused, opts));
    CHECK_OK(natsConnection_FlushTimeout(refused, 5000));
    CHECK_INT(queued_errors(), 0);
    natsConnection_Destroy(refused);
    natsSubscription_Destroy(data);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(server);
    natsOptions_Destroy(opts);
    finish(&x);
}

// ---- peers that stop ----

static void frozen(bool publishing)
{
    secured x = prepare();
    int64_t t, ms;
    char    data[1000];

    memset(data, 'x', sizeof data);
    CHECK_OK(natsOptions_SetPingInterval(x.opts, 200));
    CHECK_OK(natsOptions_SetMaxPingsOut(x.opts, 2));
    CHECK_OK(natsConnection_Connect(&x.nc, x.opts));
    relay_freeze(x.r, true);
    t = now_ms();
    while (publishing && events_count(x.ev, "disconnected") == 0 && now_ms() - t < 5000)
        natsConnection_Publish(x.nc, "x", data, sizeof data);
    WAIT_EVENT(x.ev, "disconnected", 1, 5000);
    ms = now_ms() - t;
    CHECK_RANGE(ms, 390, 1500);
    t = now_ms();
    natsConnection_Close(x.nc);
    CHECK_RANGE(now_ms() - t, 0, 300);
    relay_freeze(x.r, false);
    finish(&x);
}

TEST(a_frozen_server_is_noticed)
{
    frozen(false);
}

TEST(a_frozen_server_is_noticed_while_publishing)
{
    frozen(true);
}

// ---- nothing is left behind ----

TEST_T(many_connects_leave_nothing_behind, 240000)
{
    const char     *wanted = getenv("NATS_TESTS_TLS_CONNECTS");
    int             count  = wanted != NULL ? atoi(wanted) : 300;
    secured         x      = prepare();
    natsOptions    *opts   = options_for(server_port(x.s), NULL);
    natsConnection *nc     = NULL;
    int             fds = 0, threads = 0;
    int64_t         kb = 0;

    for (int i = -60; i < count; i++)
    {
        if (i == 0)
        {
            threads = settled_threads();
            fds     = fd_count();
            kb      = resident_kb();
        }
        CHECK_OK(natsConnection_Connect(&nc, opts));
        if (i % 3 == 0)
            CHECK_OK(natsConnection_PublishString(nc, "x", "y"));
        if (i % 2 == 0)
            natsConnection_Close(nc);
        natsConnection_Destroy(nc);
    }
    WAIT_FOR(fd_count() <= fds, 5000);
    WAIT_FOR(thread_count() <= threads, 5000);
    CHECK_RANGE(resident_kb() - kb, -100000, 2000 + count); // a leaked connection has 20 kB and more
    // Attempts that fail leave nothing, either.
    CHECK_OK(natsOptions_SetExpectedHostname(opts, "other.example"));
    for (int i = 0; i < 50; i++)
        CHECK_STATUS(natsConnection_Connect(&nc, opts), NATS_SSL_ERROR);
    CHECK_INT(fd_count(), fds);
    natsOptions_Destroy(opts);
    finish(&x);
}
