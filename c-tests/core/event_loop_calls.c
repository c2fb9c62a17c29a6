// The calls into an event loop's adapter: in which order, on which threads, and what the socket is doing
// meanwhile.

#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "fixture.h"
#include "hand.h"
#include "server.h"

// Everything goes into one list: the adapter's calls and the callbacks.
typedef struct
{
    fixture f;
    hand   *h;
} by_hand;

static by_hand by_hand_create(fixture f)
{
    by_hand x = {f, hand_create(f.ev)};

    hand_use(x.h, x.f.opts);
    return x;
}

static void by_hand_destroy(by_hand *x)
{
    natsConnection_Close(x->f.nc);
    WAIT_EVENT(x->f.ev, "detach", 1, 5000);
    WAIT_EVENT(x->f.ev, "closed", 1, 5000);
    CHECK_INT(hand_overlaps(x->h), 0);
    natsConnection_Destroy(x->f.nc);
    x->f.nc = NULL;
    hand_destroy(x->h);
    fixture_destroy(&x->f);
}

static int place_of(events *ev, const char *name, int nth)
{
    event e;

    for (int i = 1; events_get(ev, NULL, i, &e); i++)
        if (strcmp(e.name, name) == 0 && --nth == 0)
            return i;
    return 0;
}

#define CHECK_BEFORE(ev, one, other)                                                                         \
    do                                                                                                       \
    {                                                                                                        \
        char names_[512];                                                                                    \
        int  one_ = place_of((ev), (one), 1), other_ = place_of((ev), (other), 1);                           \
        CHECK_MSG(one_ > 0 && one_ < other_, "not %s before %s: %s", (one), (other),                         \
                  events_names((ev), names_, sizeof names_));                                                \
    } while (0)

static void check_open(events *ev, const char *call)
{
    event e;

    for (int i = 1; events_get(ev, call, i, &e); i++)
        CHECK_MSG(strcmp(e.text, "open") == 0, "the socket has ended before \"%s\"", call);
}

// The adapter is told first, then the program; the socket is the adapter's to end.
static void check_order_of_end(by_hand *x)
{
    events *ev = x->f.ev;

    CHECK_BEFORE(ev, "write off", "read off");
    CHECK_BEFORE(ev, "read off", "disconnected");
    check_open(ev, "write off");
    check_open(ev, "read off");
}

TEST(close_leaves_the_socket_to_the_adapter)
{
    by_hand x = by_hand_create(fixture_create());

    fixture_connect(&x.f);
    natsConnection_Close(x.f.nc);
    CHECK_INT(events_count(x.f.ev, "detach"), 1);
    WAIT_EVENT(x.f.ev, "closed", 1, 5000);
    check_order_of_end(&x);
    CHECK_BEFORE(x.f.ev, "disconnected", "closed");
    CHECK_BEFORE(x.f.ev, "read off", "detach");
    check_open(x.f.ev, "detach");
    CHECK_INT(mock_open(x.f.m), 1);
    hand_close(x.h);
    CHECK(mock_wait_open(x.f.m, 0, 5000));
    by_hand_destroy(&x);
}

TEST(reconnect_leaves_the_socket_to_the_adapter)
{
    by_hand x = by_hand_create(fixture_create());

    CHECK_OK(natsOptions_SetReconnectWait(x.f.opts, 10000));
    fixture_connect(&x.f);
    CHECK_OK(natsConnection_Reconnect(x.f.nc));
    WAIT_EVENT(x.f.ev, "disconnected", 1, 5000);
    check_order_of_end(&x);
    CHECK_INT(mock_open(x.f.m), 1);
    // Events that the loop still brings find nothing.
    hand_read(x.h);
    hand_write(x.h);
    CHECK_INT(mock_open(x.f.m), 1);
    hand_close(x.h);
    CHECK(mock_wait_open(x.f.m, 0, 5000));
    by_hand_destroy(&x);
}

TEST(stale_leaves_the_socket_to_the_adapter)
{
    by_hand x = by_hand_create(fixture_pinging(100, 1, false));
    char    thread[16];

    mock_mute(x.f.m);
    fixture_connect(&x.f);
    WAIT_EVENT(x.f.ev, "write on", 1, 5000);
    hand_thread(x.h, thread);
    CHECK_MSG(strcmp(thread, "nats-timer") != 0, "the timer's thread runs the adapter");
    WAIT_EVENT(x.f.ev, "detach", 1, 5000);
    WAIT_EVENT(x.f.ev, "closed", 1, 5000);
    hand_thread(x.h, thread);
    CHECK_MSG(strcmp(thread, "nats-timer") != 0, "the timer's thread runs the adapter");
    check_order_of_end(&x);
    CHECK_BEFORE(x.f.ev, "disconnected", "closed");
    CHECK_INT(mock_open(x.f.m), 1);
    hand_close(x.h);
    CHECK(mock_wait_open(x.f.m, 0, 5000));
    by_hand_destroy(&x);
}

TEST(loss_is_told_to_the_adapter_first)
{
    by_hand x = by_hand_create(fixture_create());

    fixture_connect(&x.f);
    mock_close(x.f.m, 1);
    WAIT_FOR((hand_read(x.h), events_count(x.f.ev, "read off") > 0), 5000);
    WAIT_EVENT(x.f.ev, "disconnected", 1, 5000);
    CHECK_BEFORE(x.f.ev, "write off", "read off");
    CHECK_BEFORE(x.f.ev, "read off", "disconnected");
    hand_close(x.h);
    WAIT_EVENT(x.f.ev, "attach", 2, 5000);
    WAIT_EVENT(x.f.ev, "reconnected", 1, 5000);
    CHECK_BEFORE(x.f.ev, "disconnected", "reconnected");
    CHECK_MSG(place_of(x.f.ev, "attach", 2) < place_of(x.f.ev, "reconnected", 1),
              "reconnected is told before the loop has the socket");
    by_hand_destroy(&x);
}

static void lose(natsConnection *nc)
{
    CHECK_OK(natsConnection_Reconnect(nc));
}

static void publish(natsConnection *nc)
{
    CHECK_OK(natsConnection_PublishString(nc, "foo", "from inside"));
}

static void *publish_once(void *nc)
{
    publish(nc);
    return NULL;
}

// From inside of the adapter everything may be used. What that asks of the adapter follows the call it is in.
TEST(adapter_that_uses_the_connection)
{
    static const char *const calls[] = {"attach", "write on", "write off", "read off"};

    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    {
        by_hand x = by_hand_create(fixture_create());

        hand_inside(x.h, calls[i], natsConnection_Close);
        CHECK_OK(natsConnection_Connect(&x.f.nc, x.f.opts));
        CHECK_STATUS(natsConnection_PublishString(x.f.nc, "foo", "x"),
                     i < 1 ? NATS_CONNECTION_CLOSED : NATS_OK);
        natsConnection_Reconnect(x.f.nc);
        WAIT_EVENT(x.f.ev, "closed", 1, 5000);
        WAIT_EVENT(x.f.ev, "detach", 1, 5000);
        CHECK_BEFORE(x.f.ev, "read off", "detach");
        by_hand_destroy(&x);
    }
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    {
        by_hand x = by_hand_create(fixture_create());

        hand_inside(x.h, calls[i], i % 2 == 0 ? publish : lose);
        fixture_connect(&x.f);
        CHECK_OK(natsConnection_PublishString(x.f.nc, "foo", "x"));
        CHECK_OK(natsConnection_Reconnect(x.f.nc));
        WAIT_EVENT(x.f.ev, "disconnected", 1, 5000);
        hand_close(x.h);
        WAIT_EVENT(x.f.ev, "reconnected", 1, 5000);
        by_hand_destroy(&x);
    }
}

// A publisher does not wait for a call that another thread is in; a close does, for its own calls come after
// that.
TEST(close_while_another_thread_is_in_the_adapter)
{
    by_hand   x = by_hand_create(fixture_create());
    pthread_t thread;
    int64_t   start;

    fixture_connect(&x.f);
    hand_block(x.h, "write on");
    CHECK(pthread_create(&thread, NULL, publish_once, x.f.nc) == 0);
    CHECK(hand_wait_blocked(x.h, 5000));
    start = now_ms();
    publish(x.f.nc);
    CHECK_RANGE(now_ms() - start, 0, 2000);
    CHECK_INT(natsConnection_Status(x.f.nc), NATS_CONN_STATUS_CONNECTED);
    CHECK_OK(natsConnection_Reconnect(x.f.nc));
    CHECK_RANGE(now_ms() - start, 0, 2000);
    CHECK_INT(natsConnection_Status(x.f.nc), NATS_CONN_STATUS_RECONNECTING);
    CHECK_INT(events_count(x.f.ev, "disconnected"), 0);
    hand_unblock(x.h);
    pthread_join(thread, NULL);
    natsConnection_Close(x.f.nc);
    CHECK_INT(events_count(x.f.ev, "detach"), 1);
    CHECK_BEFORE(x.f.ev, "read off", "detach");
    by_hand_destroy(&x);
}

// ---- a loop that is told of arrivals only once ----

typedef struct
{
    hand *h;
    int   epoll;
    bool  stop;
} edges;

static void *run_edges(void *arg)
{
    edges *e = arg;

    while (!__atomic_load_n(&e->stop, __ATOMIC_ACQUIRE))
    {
        struct epoll_event found;

        if (epoll_wait(e->epoll, &found, 1, 100) != 1)
            continue;
        if (found.events & ~(unsigned)EPOLLOUT)
            hand_read(e->h);
        if (found.events & EPOLLOUT)
            hand_write(e->h);
    }
    return NULL;
}

static void *write_events(void *arg)
{
    edges *e = arg;

    while (!__atomic_load_n(&e->stop, __ATOMIC_ACQUIRE))
    {
        hand_write(e->h);
        sched_yield();
    }
    return NULL;
}

static void answer(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    natsConnection_PublishString(nc, natsMsg_GetReply(msg), "reply");
    natsMsg_Destroy(msg);
    (void)sub;
    (void)closure;
}

TEST(edge_triggered_loop_misses_no_reply)
{
    fixture            f         = fixture_create();
    by_hand            x         = by_hand_create(f);
    struct epoll_event interest  = {.events = EPOLLIN | EPOLLET};
    edges              e         = {x.h, epoll_create1(EPOLL_CLOEXEC), false};
    natsConnection    *responder = NULL;
    natsSubscription  *sub       = NULL;
    server            *s;
    pthread_t          readers[2], writer;

    if (!server_available())
        SKIP("no nats-server");
    s = server_start(NULL, NULL);
    CHECK_OK(natsConnection_ConnectTo(&responder, server_url(s)));
    CHECK_OK(natsConnection_Subscribe(&sub, responder, "ask", answer, NULL));
    CHECK_OK(natsConnection_Flush(responder));
    CHECK_OK(natsOptions_SetURL(x.f.opts, server_url(s)));
    fixture_connect(&x.f);
    CHECK(epoll_ctl(e.epoll, EPOLL_CTL_ADD, hand_socket(x.h), &interest) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&readers[i], NULL, run_edges, &e) == 0);
    CHECK(pthread_create(&writer, NULL, write_events, &e) == 0);
    for (int i = 0; i < 3000; i++)
    {
        natsMsg *reply = NULL;

        CHECK_OK(natsConnection_RequestString(&reply, x.f.nc, "ask", "?", 5000));
        natsMsg_Destroy(reply);
    }
    __atomic_store_n(&e.stop, true, __ATOMIC_RELEASE);
    for (int i = 0; i < 2; i++)
        pthread_join(readers[i], NULL);
    pthread_join(writer, NULL);
    by_hand_destroy(&x);
    close(e.epoll);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(responder);
    server_stop(s);
}
