#include "test.h"

#include <pthread.h>
#include <time.h>

struct events
{
    pthread_mutex_t lock;
    pthread_cond_t  changed;
    int64_t         start;
    event          *list;
    int             count, room;
};

events *events_create(void)
{
    events            *ev = calloc(1, sizeof *ev);
    pthread_condattr_t attr;

    pthread_mutex_init(&ev->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&ev->changed, &attr);
    pthread_condattr_destroy(&attr);
    ev->start = now_ms();
    return ev;
}

void events_destroy(events *ev)
{
    if (ev == NULL)
        return;
    pthread_mutex_destroy(&ev->lock);
    pthread_cond_destroy(&ev->changed);
    free(ev->list);
    free(ev);
}

void events_reset(events *ev)
{
    pthread_mutex_lock(&ev->lock);
    ev->count = 0;
    ev->start = now_ms();
    pthread_mutex_unlock(&ev->lock);
}

void events_start_clock(events *ev)
{
    pthread_mutex_lock(&ev->lock);
    ev->start = now_ms();
    pthread_mutex_unlock(&ev->lock);
}

void events_add(events *ev, const char *name, natsStatus status, const char *text)
{
    event *e;

    pthread_mutex_lock(&ev->lock);
    if (ev->count == ev->room)
    {
        ev->room = ev->room ? 2 * ev->room : 64;
        ev->list = realloc(ev->list, (size_t)ev->room * sizeof *ev->list);
    }
    e = &ev->list[ev->count++];
    snprintf(e->name, sizeof e->name, "%s", name);
    snprintf(e->text, sizeof e->text, "%s", text ? text : "");
    e->ms     = now_ms() - ev->start;
    e->status = status;
    pthread_cond_broadcast(&ev->changed);
    pthread_mutex_unlock(&ev->lock);
}

static int count_locked(events *ev, const char *name)
{
    int n = 0;

    for (int i = 0; i < ev->count; i++)
        n += name == NULL || strcmp(ev->list[i].name, name) == 0;
    return n;
}

int events_count(events *ev, const char *name)
{
    int n;

    pthread_mutex_lock(&ev->lock);
    n = count_locked(ev, name);
    pthread_mutex_unlock(&ev->lock);
    return n;
}

bool events_wait(events *ev, const char *name, int n, int64_t ms)
{
    int64_t         end   = now_ms() + ms;
    struct timespec until = {end / 1000, (end % 1000) * 1000000};
    bool            there;

    pthread_mutex_lock(&ev->lock);
    while (count_locked(ev, name) < n && now_ms() < end)
        pthread_cond_timedwait(&ev->changed, &ev->lock, &until);
    there = count_locked(ev, name) >= n;
    pthread_mutex_unlock(&ev->lock);
    return there;
}

bool events_get(events *ev, const char *name, int nth, event *out)
{
    bool found = false;

    pthread_mutex_lock(&ev->lock);
    for (int i = 0; i < ev->count && !found; i++)
    {
        if (name != NULL && strcmp(ev->list[i].name, name) != 0)
            continue;
        if (--nth == 0)
        {
            *out  = ev->list[i];
            found = true;
        }
    }
    pthread_mutex_unlock(&ev->lock);
    return found;
}

int64_t events_ms(events *ev, const char *name, int nth)
{
    event e;

    return events_get(ev, name, nth, &e) ? e.ms : -1;
}

char *events_names(events *ev, char *buf, size_t size)
{
    size_t used = 0;

    buf[0] = '\0';
    pthread_mutex_lock(&ev->lock);
    for (int i = 0; i < ev->count && used < size; i++)
        used += (size_t)snprintf(buf + used, size - used, "%s%s", i ? "," : "", ev->list[i].name);
    pthread_mutex_unlock(&ev->lock);
    return buf;
}

static void record(natsConnection *nc, const char *name, events *ev)
{
    char       text[EVENT_TEXT_MAX];
    natsStatus s = natsConnection_ReadLastError(nc, text, sizeof text);

    events_add(ev, name, s, text);
}

void on_disconnected(natsConnection *nc, void *ev)
{
    record(nc, "disconnected", ev);
}

void on_reconnected(natsConnection *nc, void *ev)
{
    record(nc, "reconnected", ev);
}

void on_closed(natsConnection *nc, void *ev)
{
    record(nc, "closed", ev);
}

void on_connected(natsConnection *nc, void *ev)
{
    record(nc, "connected", ev);
}

void on_discovered(natsConnection *nc, void *ev)
{
    record(nc, "discovered", ev);
}

void on_lame_duck(natsConnection *nc, void *ev)
{
    record(nc, "lame duck", ev);
}

void on_error(natsConnection *nc, natsSubscription *sub, natsStatus err, void *ev)
{
    natsStatus  s    = NATS_OK;
    const char *text = nats_GetLastError(&s);

    (void)nc;
    (void)sub;
    events_add(ev, "error", err, text);
}

void on_msg(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ev)
{
    char text[EVENT_TEXT_MAX];

    (void)nc;
    (void)sub;
    snprintf(text, sizeof text, "%.*s", natsMsg_GetDataLength(msg), natsMsg_GetData(msg));
    events_add(ev, "msg", NATS_OK, text);
    natsMsg_Destroy(msg);
}

void on_msg_ignored(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    (void)closure;
    natsMsg_Destroy(msg);
}

void on_completed(void *ev)
{
    events_add(ev, "complete", NATS_OK, "");
}

void events_handlers(events *ev, natsOptions *opts)
{
    CHECK_OK(natsOptions_SetDisconnectedCB(opts, on_disconnected, ev));
    CHECK_OK(natsOptions_SetReconnectedCB(opts, on_reconnected, ev));
    CHECK_OK(natsOptions_SetClosedCB(opts, on_closed, ev));
    CHECK_OK(natsOptions_SetErrorHandler(opts, on_error, ev));
    CHECK_OK(natsOptions_SetDiscoveredServersCB(opts, on_discovered, ev));
    CHECK_OK(natsOptions_SetLameDuckModeCB(opts, on_lame_duck, ev));
}
