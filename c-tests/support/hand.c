#include "hand.h"

#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>

struct hand
{
    pthread_mutex_t lock;
    pthread_cond_t  changed;
    events         *ev;
    natsConnection *nc;
    natsSock        fd;
    const char     *block;
    bool            blocked;
    const char     *inside;
    void (*fn)(natsConnection *nc);
    pthread_t caller;
    int       calls; // under way, one inside of the other
    int       overlaps;
    char      thread[16];
};

static const char *state_of(natsSock fd)
{
    struct pollfd p = {fd, POLLIN | POLLRDHUP, 0};

    return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) ? "ended" : "open";
}

static void begin(hand *h, const char *call)
{
    void (*fn)(natsConnection *) = NULL;
    natsConnection *nc;

    pthread_mutex_lock(&h->lock);
    if (h->calls > 0 && !pthread_equal(h->caller, pthread_self()))
        h->overlaps++;
    h->caller = pthread_self();
    h->calls++;
    prctl(PR_GET_NAME, h->thread);
    events_add(h->ev, call, NATS_OK, state_of(h->fd));
    if (h->block != NULL && strcmp(h->block, call) == 0)
    {
        h->blocked = true;
        pthread_cond_broadcast(&h->changed);
        while (h->block != NULL)
            pthread_cond_wait(&h->changed, &h->lock);
        h->blocked = false;
    }
    if (h->inside != NULL && strcmp(h->inside, call) == 0)
    {
        fn        = h->fn;
        h->inside = NULL;
    }
    nc = h->nc;
    pthread_mutex_unlock(&h->lock);
    if (fn != NULL)
        fn(nc);
}

static natsStatus end(hand *h)
{
    pthread_mutex_lock(&h->lock);
    h->calls--;
    pthread_mutex_unlock(&h->lock);
    return NATS_OK;
}

static natsStatus attach(void **user_data, void *loop, natsConnection *nc, natsSock fd)
{
    hand *h = loop;

    *user_data = h;
    pthread_mutex_lock(&h->lock);
    h->nc = nc;
    h->fd = fd;
    pthread_mutex_unlock(&h->lock);
    begin(h, "attach");
    return end(h);
}

static natsStatus set_read(void *user_data, bool add)
{
    begin(user_data, add ? "read on" : "read off");
    return end(user_data);
}

static natsStatus set_write(void *user_data, bool add)
{
    begin(user_data, add ? "write on" : "write off");
    return end(user_data);
}

// The loop's reference is dropped at once: nobody uses the connection any more.
static natsStatus detach(void *user_data)
{
    hand *h = user_data;

    begin(h, "detach");
    natsConnection_ProcessDetachedEvent(h->nc);
    return end(h);
}

hand *hand_create(events *ev)
{
    hand *h = calloc(1, sizeof *h);

    h->ev = ev;
    h->fd = -1;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->changed, NULL);
    return h;
}

void hand_destroy(hand *h)
{
    natsConnection_ProcessCloseEvent(&h->fd);
    pthread_cond_destroy(&h->changed);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

void hand_use(hand *h, natsOptions *opts)
{
    CHECK_OK(natsOptions_SetEventLoop(opts, h, attach, set_read, set_write, detach));
}

void hand_block(hand *h, const char *call)
{
    pthread_mutex_lock(&h->lock);
    h->block = call;
    pthread_mutex_unlock(&h->lock);
}

bool hand_wait_blocked(hand *h, int64_t ms)
{
    int64_t end = now_ms() + ms;
    bool    blocked;

    do
    {
        pthread_mutex_lock(&h->lock);
        blocked = h->blocked;
        pthread_mutex_unlock(&h->lock);
        if (!blocked)
            pace_ms(1);
    } while (!blocked && now_ms() < end);
    return blocked;
}

void hand_unblock(hand *h)
{
    pthread_mutex_lock(&h->lock);
    h->block = NULL;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

void hand_inside(hand *h, const char *call, void (*fn)(natsConnection *nc))
{
    pthread_mutex_lock(&h->lock);
    h->inside = call;
    h->fn     = fn;
    pthread_mutex_unlock(&h->lock);
}

void hand_read(hand *h)
{
    natsConnection_ProcessReadEvent(h->nc);
}

void hand_write(hand *h)
{
    natsConnection_ProcessWriteEvent(h->nc);
}

void hand_close(hand *h)
{
    pthread_mutex_lock(&h->lock);
    natsConnection_ProcessCloseEvent(&h->fd);
    pthread_mutex_unlock(&h->lock);
}

natsSock hand_socket(hand *h)
{
    natsSock fd;

    pthread_mutex_lock(&h->lock);
    fd = h->fd;
    pthread_mutex_unlock(&h->lock);
    return fd;
}

int hand_overlaps(hand *h)
{
    int overlaps;

    pthread_mutex_lock(&h->lock);
    overlaps = h->overlaps;
    pthread_mutex_unlock(&h->lock);
    return overlaps;
}

void hand_thread(hand *h, char name[16])
{
    pthread_mutex_lock(&h->lock);
    memcpy(name, h->thread, sizeof h->thread);
    pthread_mutex_unlock(&h->lock);
}
