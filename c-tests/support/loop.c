#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

enum
{
    MAX_ATTACHED = 64,
};

typedef struct
{
    natsConnection *nc;
    natsSock        fd;
    bool            used, read, write, close, detached;
} attached;

struct loop
{
    pthread_mutex_t lock;
    pthread_t       thread;
    int             wake[2];
    bool            stop;
    int             slow_ms;
    events         *ev;
    attached        list[MAX_ATTACHED];
};

static void note(loop *l, const char *what)
{
    if (l->ev != NULL)
        events_add(l->ev, what, NATS_OK, NULL);
}

static void wake_up(loop *l)
{
    if (write(l->wake[1], "x", 1) < 0 && errno != EAGAIN)
        perror("loop: wake");
}

// ---- the loop's thread ----

// Does what the library asked for from other threads: close the descriptor, let go of the connection.
static void tidy(loop *l, attached *a)
{
    natsConnection *gone = NULL;

    pthread_mutex_lock(&l->lock);
    if (a->close && !a->read && !a->write)
    {
        a->close = false;
        natsConnection_ProcessCloseEvent(&a->fd);
    }
    if (a->detached)
    {
        gone = a->nc;
        memset(a, 0, sizeof *a);
    }
    pthread_mutex_unlock(&l->lock);
    if (gone != NULL)
    {
        note(l, "detach");
        natsConnection_ProcessDetachedEvent(gone);
    }
}

static void serve_one(loop *l, attached *a, short revents)
{
    int slow;

    pthread_mutex_lock(&l->lock);
    slow = l->slow_ms;
    pthread_mutex_unlock(&l->lock);
    if (revents & (POLLIN | POLLHUP | POLLERR))
    {
        if (slow)
            pace_ms(slow);
        natsConnection_ProcessReadEvent(a->nc);
    }
    if (revents & POLLOUT)
        natsConnection_ProcessWriteEvent(a->nc);
}

static void *run(void *arg)
{
    loop *l = arg;

    for (;;)
    {
        struct pollfd p[MAX_ATTACHED + 1];
        char          buf[64];
        bool          stop;

        p[0] = (struct pollfd){l->wake[0], POLLIN, 0};
        pthread_mutex_lock(&l->lock);
        stop = l->stop;
        for (int i = 0; i < MAX_ATTACHED; i++)
        {
            attached *a  = &l->list[i];
            bool      on = a->used && (a->read || a->write);

            p[i + 1]        = (struct pollfd){on ? a->fd : -1, 0, 0};
            p[i + 1].events = (short)((a->read ? POLLIN : 0) | (a->write ? POLLOUT : 0));
        }
        pthread_mutex_unlock(&l->lock);
        if (stop)
            return NULL;
        poll(p, MAX_ATTACHED + 1, 1000);
        while (read(l->wake[0], buf, sizeof buf) > 0)
            ;
        for (int i = 0; i < MAX_ATTACHED; i++)
        {
            if (p[i + 1].revents)
                serve_one(l, &l->list[i], p[i + 1].revents);
            if (l->list[i].used)
                tidy(l, &l->list[i]);
        }
    }
}

// ---- the adapter's callbacks ----

static natsStatus attach(void **user_data, void *closure, natsConnection *nc, natsSock fd)
{
    loop     *l = closure;
    attached *a = *user_data;

    note(l, "attach");
    pthread_mutex_lock(&l->lock);
    for (int i = 0; a == NULL && i < MAX_ATTACHED; i++)
        if (!l->list[i].used)
            a = &l->list[i];
    // The descriptor of the lost connection, if the thread has not come to it yet.
    if (a->close)
        natsConnection_ProcessCloseEvent(&a->fd);
    *a         = (attached){.nc = nc, .fd = fd, .used = true, .read = true};
    *user_data = a;
    pthread_mutex_unlock(&l->lock);
    wake_up(l);
    return NATS_OK;
}

// The loop, for callbacks that are handed only their own slot.
static loop *the_loop;

static natsStatus set_read(void *user_data, bool add)
{
    attached *a = user_data;
    loop     *l = the_loop;

    note(l, add ? "read on" : "read off");
    pthread_mutex_lock(&l->lock);
    a->read = add;
    if (!add)
        a->close = true;
    pthread_mutex_unlock(&l->lock);
    wake_up(l);
    return NATS_OK;
}

static natsStatus set_write(void *user_data, bool add)
{
    attached *a = user_data;
    loop     *l = the_loop;

    pthread_mutex_lock(&l->lock);
    if (add != a->write)
        note(l, add ? "write on" : "write off");
    a->write = add;
    pthread_mutex_unlock(&l->lock);
    wake_up(l);
    return NATS_OK;
}

static natsStatus detach(void *user_data)
{
    attached *a = user_data;
    loop     *l = the_loop;

    pthread_mutex_lock(&l->lock);
    a->detached = true;
    pthread_mutex_unlock(&l->lock);
    wake_up(l);
    return NATS_OK;
}

// ---- the rest ----

loop *loop_create(events *ev)
{
    loop    *l = calloc(1, sizeof *l);
    sigset_t all, before;

    CHECK_MSG(the_loop == NULL, "one loop at a time");
    the_loop = l;
    l->ev    = ev;
    pthread_mutex_init(&l->lock, NULL);
    CHECK(pipe2(l->wake, O_CLOEXEC | O_NONBLOCK) == 0);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    CHECK(pthread_create(&l->thread, NULL, run, l) == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return l;
}

void loop_destroy(loop *l)
{
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_mutex_unlock(&l->lock);
    wake_up(l);
    pthread_join(l->thread, NULL);
    close(l->wake[0]);
    close(l->wake[1]);
    pthread_mutex_destroy(&l->lock);
    free(l);
    the_loop = NULL;
}

void loop_use(loop *l, natsOptions *opts)
{
    CHECK_OK(natsOptions_SetEventLoop(opts, l, attach, set_read, set_write, detach));
}

void loop_slow_reads(loop *l, int ms)
{
    pthread_mutex_lock(&l->lock);
    l->slow_ms = ms;
    pthread_mutex_unlock(&l->lock);
}
