// One hundred programs in one: many threads create, use and destroy connections and subscriptions, inside
// callbacks as well, some of them lose their connection now and then. At the end the library closes and
// nothing is left of it.
//
// NATS_STRESS_SECONDS (default 5) is how long; NATS_STRESS_THREADS (default 8) how many;
// NATS_STRESS_SANITIZED, when set, leaves the count of descriptors out.

#include "fixture.h"
#include "server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static const char  *url;
static mock        *flaky;
static int64_t      end;
static atomic_llong connections, subscriptions, messages, requests, completions, closures,
    expected_completions;

static bool over(void)
{
    return now_ms() >= end;
}

// What a status may be when others close and destroy at the same time.
static void fair(const char *what, natsStatus s)
{
    switch (s)
    {
    case NATS_OK:
    case NATS_IO_ERROR:
    case NATS_CONNECTION_CLOSED:
    case NATS_CONNECTION_DISCONNECTED:
    case NATS_INVALID_SUBSCRIPTION:
    case NATS_DRAINING:
    case NATS_TIMEOUT:
    case NATS_NO_RESPONDERS:
    case NATS_NO_SERVER:
    case NATS_SLOW_CONSUMER:
    case NATS_MAX_DELIVERED_MSGS:
    case NATS_INSUFFICIENT_BUFFER:
    case NATS_ILLEGAL_STATE: return;
    default: FAIL("%s: %d %s", what, s, natsStatus_GetText(s));
    }
}

static unsigned next_random(unsigned *seed)
{
    return *seed = *seed * 1103515245u + 12345u, *seed >> 16;
}

static void completed(void *closure)
{
    free(closure); // its last use: no callback may come later
    atomic_fetch_add(&completions, 1);
}

static void count_closed(natsConnection *nc, void *closure)
{
    (void)nc;
    (void)closure;
    atomic_fetch_add(&closures, 1);
}

static void ignore_error(natsConnection *nc, natsSubscription *sub, natsStatus err, void *closure)
{
    (void)nc;
    (void)closure;
    (void)err;
    if (sub != NULL)
        natsSubscription_IsValid(sub);
}

static natsStatus subscribe(natsSubscription **sub, natsConnection *nc, const char *subject, unsigned kind);

// A subscription that closed before it was given a completion: nobody says when its closure is out of use.
static void keep(unsigned *seed)
{
    static struct kept
    {
        unsigned    *seed;
        struct kept *next;
    } * all;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct kept           *one  = malloc(sizeof *one);

    one->seed = seed;
    pthread_mutex_lock(&lock);
    one->next = all;
    all       = one;
    pthread_mutex_unlock(&lock);
}

// Does something else each time, according to its closure, which only the completion frees.
static void on_any(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    unsigned         *seed  = closure;
    natsSubscription *other = NULL;
    natsMsg          *reply = NULL;

    if (msg == NULL)
        return; // a timeout
    atomic_fetch_add(&messages, 1);
    if (natsMsg_GetReply(msg) != NULL)
        natsConnection_PublishString(nc, natsMsg_GetReply(msg), "answer");
    natsMsg_Destroy(msg);
    switch (next_random(seed) % 60)
    {
    case 0: fair("request", natsConnection_RequestString(&reply, nc, "nobody", "x", 50)); break;
    case 1:
        if (subscribe(&other, nc, "inner.>", next_random(seed)) == NATS_OK)
            natsSubscription_Destroy(other);
        break;
    case 2: fair("unsubscribe", natsSubscription_Unsubscribe(sub)); break;
    case 3: fair("drain", natsSubscription_DrainTimeout(sub, 500)); break;
    case 4: fair("auto-unsubscribe", natsSubscription_AutoUnsubscribe(sub, 5)); break;
    case 5: natsConnection_Close(nc); break;
    case 6: fair("publish", natsConnection_PublishString(nc, "work.inner", "x")); break;
    case 7: fair("flush", natsConnection_FlushTimeout(nc, 200)); break;
    case 8: pace_ms(2); break;
    default: break;
    }
    natsMsg_Destroy(reply);
}

static natsStatus subscribe(natsSubscription **sub, natsConnection *nc, const char *subject, unsigned kind)
{
    unsigned  *seed = malloc(sizeof *seed);
    natsStatus s;

    *seed = kind * 7919u + 1;
    switch (kind % 4)
    {
    case 0: s = natsConnection_Subscribe(sub, nc, subject, on_any, seed); break;
    case 1: s = natsConnection_QueueSubscribe(sub, nc, subject, "group", on_any, seed); break;
    case 2: s = natsConnection_SubscribeTimeout(sub, nc, subject, 5, on_any, seed); break;
    default: s = natsConnection_SubscribeSync(sub, nc, subject); break;
    }
    fair("subscribe", s);
    if (s == NATS_OK)
        atomic_fetch_add(&subscriptions, 1);
    if (s == NATS_OK && kind % 4 != 3)
    {
        natsStatus set = natsSubscription_SetOnCompleteCB(*sub, completed, seed);

        fair("completion", set);
        if (set == NATS_OK)
            atomic_fetch_add(&expected_completions, 1);
        else
            keep(seed);
    }
    else
        free(seed);
    return s;
}

static natsConnection *connect_some(unsigned *seed)
{
    natsOptions    *opts = NULL;
    natsConnection *nc   = NULL;
    bool            lost = next_random(seed) % 4 == 0;

    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetURL(opts, lost ? mock_url(flaky) : url));
    CHECK_OK(natsOptions_SetReconnectWait(opts, 5));
    CHECK_OK(natsOptions_SetReconnectJitter(opts, 0, 0));
    CHECK_OK(natsOptions_SetMaxReconnect(opts, 20));
    CHECK_OK(natsOptions_SetClosedCB(opts, count_closed, NULL));
    CHECK_OK(natsOptions_SetErrorHandler(opts, ignore_error, NULL));
    CHECK_OK(natsOptions_UseGlobalMessageDelivery(opts, next_random(seed) % 4 == 0));
    CHECK_OK(natsOptions_SetPingInterval(opts, 20));
    CHECK_OK(natsOptions_SetMaxPingsOut(opts, 100));
    fair("connect", natsConnection_Connect(&nc, opts));
    natsOptions_Destroy(opts);
    if (nc != NULL)
        atomic_fetch_add(&connections, 1);
    return nc;
}

// One program: connects, subscribes, publishes, requests, reads, and leaves in one of several ways.
static void one_program(unsigned *seed)
{
    natsConnection   *nc      = connect_some(seed);
    natsSubscription *subs[6] = {0};
    int               rounds  = (int)(next_random(seed) % 30);
    natsMsg          *msg     = NULL;

    if (nc == NULL)
        return;
    for (int i = 0; i < 6; i++)
        subscribe(&subs[i], nc, i % 2 == 0 ? "work.*" : "work.>", next_random(seed));
    for (int i = 0; i < rounds && !over(); i++)
    {
        natsSubscription *sub = subs[next_random(seed) % 6];

        fair("publish", natsConnection_PublishString(nc, "work.a", "data"));
        if (sub == NULL)
            continue;
        switch (next_random(seed) % 8)
        {
        case 0:
            fair("request", natsConnection_RequestString(&msg, nc, "work.b", "data", 30));
            atomic_fetch_add(&requests, 1);
            break;
        case 1: fair("next", natsSubscription_NextMsg(&msg, sub, 5)); break;
        case 2: fair("flush", natsConnection_FlushTimeout(nc, 200)); break;
        case 3: fair("send", natsConnection_Send(nc, "work.c", "data", 4)); break;
        case 4: fair("drain", natsSubscription_DrainTimeout(sub, 200)); break;
        case 5: fair("unsubscribe", natsSubscription_Unsubscribe(sub)); break;
        default: break;
        }
        natsMsg_Destroy(msg);
        msg = NULL;
    }
    switch (next_random(seed) % 4)
    {
    case 0: natsConnection_Close(nc); break;
    case 1: fair("drain", natsConnection_DrainTimeout(nc, 300)); break;
    case 2:
        natsConnection_Destroy(nc); // before its subscriptions
        nc = NULL;
        break;
    default: break;
    }
    for (int i = 0; i < 6; i++)
        natsSubscription_Destroy(subs[i]);
    natsConnection_Destroy(nc);
}

static void *programs(void *arg)
{
    unsigned seed = (unsigned)(intptr_t)arg * 2654435761u + 17;

    while (!over())
        one_program(&seed);
    return NULL;
}

static void *disturb(void *arg)
{
    (void)arg;
    while (!over())
    {
        pace_ms(30);
        mock_reset(flaky, MOCK_ALL);
    }
    return NULL;
}

static int number(const char *name, int otherwise)
{
    const char *text = getenv(name);

    return text == NULL || atoi(text) <= 0 ? otherwise : atoi(text);
}

// The library survives its own panics; here they must not go unnoticed.
static FILE *panics;

static void watch_for_panics(void)
{
    panics = tmpfile();
    CHECK(panics != NULL && dup2(fileno(panics), STDERR_FILENO) == STDERR_FILENO);
}

static void check_no_panic(void)
{
    char line[512];

    rewind(panics);
    while (fgets(line, sizeof line, panics) != NULL)
    {
        fputs(line, stdout);
        CHECK_MSG(strstr(line, "panicked") == NULL, "%s", line);
    }
    fclose(panics);
}

static void *nothing(void *arg)
{
    return arg;
}

// Sanitizers start a thread of their own with the first one of the program.
static void warm_up(void)
{
    pthread_t t;

    CHECK(pthread_create(&t, NULL, nothing, NULL) == 0);
    pthread_join(t, NULL);
}

// Everything of ours has to be gone, not only signalled.
static void check_nothing_left(int threads, int fds)
{
    CHECK_OK(nats_CloseAndWait(30000));
    // The kernel takes a joined thread off its list a moment later.
    WAIT_FOR(thread_count() == threads, 2000);
    // A sanitizer's symbolizer opens pipes.
    CHECK_MSG(getenv("NATS_STRESS_SANITIZED") != NULL || fd_count() == fds, "%d descriptors, %d before",
              fd_count(), fds);
}

TEST_T(hundred_programs, 3600000)
{
    int       count   = number("NATS_STRESS_THREADS", 8);
    int       seconds = number("NATS_STRESS_SECONDS", 5);
    server   *s       = server_start(NULL, NULL);
    pthread_t threads[256], disturber;
    int       idle_threads, idle_fds;

    CHECK(count <= 256);
    warm_up();
    watch_for_panics();
    // The library must not be open yet when the counting begins, but the mock's threads must run.
    idle_threads = thread_count();
    idle_fds     = fd_count();
    url          = server_url(s);
    flaky        = mock_create();
    mock_every(
        flaky, 3,
        "MSG work.a 1 1\r\nx\r\nMSG work.a 2 1\r\nx\r\nMSG work.a 3 1\r\nx\r\nMSG work.a 4 re 1\r\nx\r\n");
    mock_record(flaky, false);
    mock_forget(flaky);
    end = now_ms() + seconds * 1000;
    CHECK(pthread_create(&disturber, NULL, disturb, NULL) == 0);
    for (int i = 0; i < count; i++)
        CHECK(pthread_create(&threads[i], NULL, programs, (void *)(intptr_t)(i + 1)) == 0);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    pthread_join(disturber, NULL);
    WAIT_FOR(closures == connections, 30000);
    WAIT_FOR(completions == expected_completions, 30000);
    fprintf(stderr, "%lld connections, %lld subscriptions, %lld messages, %lld requests\n", connections,
            subscriptions, messages, requests);
    CHECK(connections > 0 && messages > 0);
    mock_destroy(flaky);
    check_nothing_left(idle_threads, idle_fds);
    check_no_panic();
    server_stop(s);
}

// Opening and closing the library again and again leaves nothing behind either.
TEST_T(open_and_close, 60000)
{
    int threads, fds;

    warm_up();
    threads = thread_count();
    fds     = fd_count();
    for (int i = 0; i < 30; i++)
    {
        mock             *m   = mock_create();
        natsConnection   *nc  = NULL;
        natsSubscription *sub = NULL;
        events           *ev  = events_create();

        CHECK_OK(natsConnection_ConnectTo(&nc, mock_url(m)));
        CHECK_OK(natsConnection_Subscribe(&sub, nc, "foo", on_msg, ev));
        mock_send(m, "MSG foo 1 1\r\nx\r\n");
        WAIT_EVENT(ev, "msg", 1, 5000);
        if (i % 2 == 0)
            natsSubscription_Destroy(sub);
        natsConnection_Destroy(nc);
        if (i % 2 != 0)
            natsSubscription_Destroy(sub);
        mock_destroy(m);
        check_nothing_left(threads, fds);
        events_destroy(ev);
    }
}
