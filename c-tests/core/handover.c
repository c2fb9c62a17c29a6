// Data of the program that goes through the library from one thread to another, without a lock of the
// program's own. The calls of the interface order both sides, so the program is correct; run under
// ThreadSanitizer (scripts/guest-tsan.sh) or helgrind (scripts/helgrind.sh), with the library as programs
// have it, it must look correct.
//
// NATS_HANDOVER_RACE=1 adds a race of the program's own, which must be found.

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "fixture.h"
#include "server.h"

#define ROUNDS  20
#define NUMBERS 32

typedef struct
{
    int  numbers[NUMBERS];
    long sum;
    int  calls;
} work;

typedef struct
{
    pthread_mutex_t lock;
    pthread_cond_t  changed;
    int             count;
} gate;

#define GATE                                                                                                 \
    {                                                                                                        \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0                                               \
    }

static server         *srv;
static natsConnection *nc;

static void pass(gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->count++;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

static void await(gate *g, int count)
{
    pthread_mutex_lock(&g->lock);
    while (g->count < count)
        pthread_cond_wait(&g->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

static work *work_create(void)
{
    work *w = calloc(1, sizeof *w);

    for (int i = 0; i < NUMBERS; i++)
        w->numbers[i] = i;
    return w;
}

static void add_up(work *w)
{
    for (int i = 0; i < NUMBERS; i++)
        w->sum += w->numbers[i];
    w->calls++;
}

static void connect_to_server(void)
{
    srv = server_start(NULL, NULL);
    CHECK_OK(natsConnection_ConnectTo(&nc, server_url(srv)));
}

static void close_all(void)
{
    natsConnection_Destroy(nc);
    CHECK_OK(nats_CloseAndWait(20000));
    server_stop(srv);
}

static bool race(void)
{
    return getenv("NATS_HANDOVER_RACE") != NULL;
}

// Tells that the handler ran without ordering anything.
static atomic_bool called;

static void count_and_reply(natsConnection *c, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)sub;
    add_up(closure);
    atomic_store_explicit(&called, true, memory_order_relaxed);
    if (!race())
        CHECK_OK(natsConnection_PublishString(c, natsMsg_GetReply(msg), "done"));
    natsMsg_Destroy(msg);
}

static void last_use(void *closure)
{
    pass(closure);
}

// closure -> handler -> requester -> handler, and handler -> on-complete.
TEST(closure_and_reply)
{
    static gate       ended = GATE;
    natsSubscription *sub   = NULL;
    work             *w     = work_create();

    connect_to_server();
    CHECK_OK(natsConnection_Subscribe(&sub, nc, "job", count_and_reply, w));
    CHECK_OK(natsSubscription_SetOnCompleteCB(sub, last_use, &ended));
    for (int i = 1; i <= (race() ? 1 : ROUNDS); i++)
    {
        natsMsg   *reply  = NULL;
        natsStatus status = natsConnection_RequestString(&reply, nc, "job", "x", race() ? 100 : 20000);

        CHECK_STATUS(status, race() ? NATS_TIMEOUT : NATS_OK);
        if (race())
            WAIT_FOR(atomic_load_explicit(&called, memory_order_relaxed), 20000);
        else
            CHECK_INT(w->calls, i);
        natsMsg_Destroy(reply);
        w->numbers[i]++;
    }
    natsSubscription_Destroy(sub);
    await(&ended, 1);
    CHECK_INT(w->calls > 0, 1);
    free(w);
    close_all();
}

static natsMsg *queue[ROUNDS];
static gate     queued = GATE;

static void keep(natsConnection *c, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)c;
    (void)sub;
    (void)closure;
    queue[queued.count] = msg; // only this handler writes
    pass(&queued);
}

static void *free_messages(void *closure)
{
    (void)closure;
    for (int i = 0; i < ROUNDS; i++)
    {
        await(&queued, i + 1);
        CHECK_STR(natsMsg_GetData(queue[i]), "hello");
        CHECK_STR(natsMsg_GetSubject(queue[i]), "keep");
        natsMsg_Destroy(queue[i]);
    }
    return NULL;
}

// A message made by the library, read and freed by another thread than the handler's; its memory is used
// again.
TEST(message_freed_elsewhere)
{
    natsSubscription *sub = NULL;
    pthread_t         thread;

    connect_to_server();
    CHECK_OK(natsConnection_Subscribe(&sub, nc, "keep", keep, NULL));
    CHECK_INT(pthread_create(&thread, NULL, free_messages, NULL), 0);
    for (int i = 0; i < ROUNDS; i++)
    {
        CHECK_OK(natsConnection_PublishString(nc, "keep", "hello"));
        CHECK_OK(natsConnection_FlushTimeout(nc, 20000));
    }
    pthread_join(thread, NULL);
    natsSubscription_Destroy(sub);
    close_all();
}

static void *take_with_next_msg(void *closure)
{
    natsSubscription *sub   = closure;
    natsMsg          *msg   = NULL;
    long              total = 0;

    for (int i = 0; i < ROUNDS; i++)
    {
        work *w = NULL;

        CHECK_OK(natsSubscription_NextMsg(&msg, sub, 20000));
        CHECK_INT(natsMsg_GetDataLength(msg), sizeof w);
        memcpy(&w, natsMsg_GetData(msg), sizeof w);
        natsMsg_Destroy(msg);
        add_up(w);
        total += w->sum;
        free(w);
    }
    CHECK_INT(total, ROUNDS * (NUMBERS * (NUMBERS - 1) / 2));
    return NULL;
}

// publisher -> network -> NextMsg on another thread.
TEST(pointer_in_a_message)
{
    natsSubscription *sub = NULL;
    pthread_t         thread;

    connect_to_server();
    CHECK_OK(natsConnection_SubscribeSync(&sub, nc, "pointer"));
    CHECK_INT(pthread_create(&thread, NULL, take_with_next_msg, sub), 0);
    for (int i = 0; i < ROUNDS; i++)
    {
        work *w = work_create();

        CHECK_OK(natsConnection_Publish(nc, "pointer", &w, sizeof w));
    }
    CHECK_OK(natsConnection_FlushTimeout(nc, 20000));
    pthread_join(thread, NULL);
    natsSubscription_Destroy(sub);
    close_all();
}

static void count_event(natsConnection *c, void *closure)
{
    (void)c;
    add_up(closure);
}

static void count_msg(natsConnection *c, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)c;
    (void)sub;
    if (msg != NULL)
        add_up(closure);
    natsMsg_Destroy(msg);
}

// options -> connection -> closed callback, several subscriptions on a shared pool, drain -> who waits for
// it, last callback -> nats_CloseAndWait.
static void events_and_drain(bool global)
{
    natsOptions      *opts   = NULL;
    work             *closed = work_create(), *w[3];
    natsSubscription *subs[3];

    srv = server_start(NULL, NULL);
    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetURL(opts, server_url(srv)));
    CHECK_OK(natsOptions_SetClosedCB(opts, count_event, closed));
    CHECK_OK(natsOptions_UseGlobalMessageDelivery(opts, global));
    CHECK_OK(natsConnection_Connect(&nc, opts));
    natsOptions_Destroy(opts);
    for (int i = 0; i < 3; i++)
    {
        w[i] = work_create();
        CHECK_OK(natsConnection_SubscribeTimeout(&subs[i], nc, "many", 10, count_msg, w[i]));
    }
    for (int i = 0; i < ROUNDS; i++)
        CHECK_OK(natsConnection_PublishString(nc, "many", "x"));
    CHECK_OK(natsConnection_FlushTimeout(nc, 20000));
    for (int i = 0; i < 3; i++)
    {
        CHECK_OK(natsSubscription_Drain(subs[i]));
        CHECK_OK(natsSubscription_WaitForDrainCompletion(subs[i], 20000));
        CHECK_INT(w[i]->calls, ROUNDS);
        natsSubscription_Destroy(subs[i]);
    }
    close_all();
    CHECK_INT(closed->calls, 1);
    for (int i = 0; i < 3; i++)
        free(w[i]);
    free(closed);
}

TEST(callbacks_and_drain)
{
    events_and_drain(false);
}

TEST(callbacks_and_drain_global_delivery)
{
    events_and_drain(true);
}
