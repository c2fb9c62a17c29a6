// Runs the sockets of NATS connections on a libevent loop.
//
//   natsLibevent_Init(); // before the base is made
//   struct event_base *base = event_base_new();
//   natsOptions_SetEventLoop(opts, base, natsLibevent_Attach, natsLibevent_Read, natsLibevent_Write,
//                            natsLibevent_Detach);
//   natsConnection_Connect(&nc, opts);
//   event_base_dispatch(base);
//
// Not part of the library: the program that includes this is linked with libevent 2.1 or later,
// event_pthreads (or its Windows counterpart) included. The library calls from any thread, sometimes with
// locks held. So each call only notes what is wanted and activates an event; all else happens on the loop's
// thread.
//
// A connection keeps the loop running until it is closed and detached.

#ifndef NATS_ADAPTERS_LIBEVENT_H_
#define NATS_ADAPTERS_LIBEVENT_H_

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <event.h>
#include <event2/thread.h>
#ifdef _WIN32
#include <windows.h>
#else
#include <pthread.h>
#endif

#include <nats/nats.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef _WIN32
typedef CRITICAL_SECTION natsLibeventLock;
#define natsLibevent_lockCreate(l)  (InitializeCriticalSection(l), 0)
#define natsLibevent_lockDestroy(l) DeleteCriticalSection(l)
#define natsLibevent_lock(l)        EnterCriticalSection(l)
#define natsLibevent_unlock(l)      LeaveCriticalSection(l)
#else
typedef pthread_mutex_t natsLibeventLock;
#define natsLibevent_lockCreate(l)  pthread_mutex_init((l), NULL)
#define natsLibevent_lockDestroy(l) pthread_mutex_destroy(l)
#define natsLibevent_lock(l)        pthread_mutex_lock(l)
#define natsLibevent_unlock(l)      pthread_mutex_unlock(l)
#endif

static const natsSock natsLibevent_noSocket = (natsSock)-1;

// A connection attached to a loop.
typedef struct natsLibeventEvents
{
    natsConnection    *nc;
    struct event_base *base;
    struct event      *wake;

    // What the library wants; under the lock.
    natsLibeventLock lock;
    natsSock         fd; // natsLibevent_noSocket: none
    uint64_t number;     // of the attachment, so that a reused descriptor is not mistaken for the former one
    uint64_t taken;      // the attachment the loop has come to know
    bool     wantRead;
    bool     wantWrite;
    bool     detach;

    // The loop's thread only: the socket it polls.
    natsSock      polledFd;
    uint64_t      polledNumber;
    bool          reading;
    bool          writing;
    struct event *read;
    struct event *write;

} natsLibeventEvents;

// Makes libevent fit for threads. Call it once, before any event base is made.
static inline void natsLibevent_Init(void)
{
#ifdef _WIN32
    evthread_use_windows_threads();
#else
    evthread_use_pthreads();
#endif
}

static inline void natsLibevent_readable(evutil_socket_t fd, short events, void *closure)
{
    (void)fd;
    (void)events;
    natsConnection_ProcessReadEvent(((natsLibeventEvents *)closure)->nc);
}

static inline void natsLibevent_writable(evutil_socket_t fd, short events, void *closure)
{
    (void)fd;
    (void)events;
    natsConnection_ProcessWriteEvent(((natsLibeventEvents *)closure)->nc);
}

static inline void natsLibevent_endPoll(natsLibeventEvents *nle)
{
    if (nle->read != NULL)
        event_free(nle->read);
    if (nle->write != NULL)
        event_free(nle->write);
    nle->read    = NULL;
    nle->write   = NULL;
    nle->reading = false;
    nle->writing = false;
    natsConnection_ProcessCloseEvent(&nle->polledFd);
}

static inline bool natsLibevent_beginPoll(natsLibeventEvents *nle, natsSock fd, uint64_t number)
{
    nle->polledFd     = fd;
    nle->polledNumber = number;
    nle->read         = event_new(nle->base, fd, EV_READ | EV_PERSIST, natsLibevent_readable, nle);
    nle->write        = event_new(nle->base, fd, EV_WRITE | EV_PERSIST, natsLibevent_writable, nle);
    return (nle->read != NULL) && (nle->write != NULL);
}

static inline bool natsLibevent_set(struct event *event, bool *now, bool wanted)
{
    if (*now == wanted)
        return true;
    *now = wanted;
    return (wanted ? event_add(event, NULL) : event_del(event)) == 0;
}

// On the loop's thread: makes the loop do what the library wants, except letting go of the connection.
static inline void natsLibevent_apply(natsLibeventEvents *nle)
{
    natsSock fd;
    uint64_t number;
    bool     wantRead, wantWrite;
    bool     ok = true;

    natsLibevent_lock(&nle->lock);
    fd         = nle->fd;
    number     = nle->number;
    wantRead   = nle->wantRead;
    wantWrite  = nle->wantWrite;
    nle->taken = number;
    natsLibevent_unlock(&nle->lock);

    if ((nle->polledFd != natsLibevent_noSocket) &&
        ((fd == natsLibevent_noSocket) || (nle->polledNumber != number)))
        natsLibevent_endPoll(nle);
    if (fd == natsLibevent_noSocket)
        return;
    if (nle->polledFd == natsLibevent_noSocket)
        ok = natsLibevent_beginPoll(nle, fd, number);
    ok = ok && natsLibevent_set(nle->read, &nle->reading, wantRead) &&
         natsLibevent_set(nle->write, &nle->writing, wantWrite);
    if (!ok)
        natsConnection_Close(nle->nc); // it cannot be served
}

static inline void natsLibevent_free(natsLibeventEvents *nle)
{
    if (nle->wake != NULL)
        event_free(nle->wake);
    natsLibevent_lockDestroy(&nle->lock);
    free(nle);
}

static inline void natsLibevent_woken(evutil_socket_t fd, short events, void *closure)
{
    natsLibeventEvents *nle = (natsLibeventEvents *)closure;
    natsConnection     *nc  = nle->nc;
    bool                detach;

    (void)fd;
    (void)events;
    natsLibevent_apply(nle);
    natsLibevent_lock(&nle->lock);
    detach = nle->detach;
    natsLibevent_unlock(&nle->lock);
    if (!detach)
        return;
    natsLibevent_endPoll(nle);
    natsLibevent_free(nle);
    natsConnection_ProcessDetachedEvent(nc);
}

static inline natsStatus natsLibevent_create(natsLibeventEvents **newEvents, struct event_base *base,
                                             natsConnection *nc)
{
    // The period means nothing: an event that is waited for keeps the loop running while no socket is polled.
    const struct timeval hour = {3600, 0};
    natsLibeventEvents  *nle  = (natsLibeventEvents *)calloc(1, sizeof(natsLibeventEvents));

    if (nle == NULL)
        return NATS_NO_MEMORY;
    if (natsLibevent_lockCreate(&nle->lock) != 0)
    {
        free(nle);
        return NATS_ERR;
    }
    nle->nc       = nc;
    nle->base     = base;
    nle->fd       = natsLibevent_noSocket;
    nle->polledFd = natsLibevent_noSocket;
    nle->wake     = event_new(base, -1, EV_PERSIST, natsLibevent_woken, nle);
    if ((nle->wake == NULL) || (event_add(nle->wake, &hour) != 0))
    {
        natsLibevent_free(nle);
        return NATS_ERR;
    }
    *newEvents = nle;
    return NATS_OK;
}

// Called by the library when `nc` is connected, again after each reconnect: the loop polls `socket` for
// reading.
static inline natsStatus natsLibevent_Attach(void **userData, void *loop, natsConnection *nc, natsSock socket)
{
    natsLibeventEvents *nle = (natsLibeventEvents *)*userData;
    natsStatus          s   = NATS_OK;

    if (nle == NULL)
        s = natsLibevent_create(&nle, (struct event_base *)loop, nc);
    if (s != NATS_OK)
        return s;
    natsLibevent_lock(&nle->lock);
    nle->fd        = socket;
    nle->wantRead  = true;
    nle->wantWrite = false;
    nle->number++;
    event_active(nle->wake, EV_TIMEOUT, 0);
    natsLibevent_unlock(&nle->lock);
    *userData = nle;
    return NATS_OK;
}

// Called by the library to start (`add`) or end polling for reading. The end of reading is the end of the
// socket.
static inline natsStatus natsLibevent_Read(void *userData, bool add)
{
    natsLibeventEvents *nle = (natsLibeventEvents *)userData;

    natsLibevent_lock(&nle->lock);
    nle->wantRead = add;
    if (!add)
    {
        nle->wantWrite = false;
        // The loop closes the socket that it polls; one that it has not heard of yet is closed here.
        if (nle->taken != nle->number)
            natsConnection_ProcessCloseEvent(&nle->fd);
        nle->fd = natsLibevent_noSocket;
    }
    event_active(nle->wake, EV_TIMEOUT, 0);
    natsLibevent_unlock(&nle->lock);
    return NATS_OK;
}

// Called by the library to start (`add`) or end polling for writing.
static inline natsStatus natsLibevent_Write(void *userData, bool add)
{
    natsLibeventEvents *nle = (natsLibeventEvents *)userData;

    natsLibevent_lock(&nle->lock);
    nle->wantWrite = add;
    event_active(nle->wake, EV_TIMEOUT, 0);
    natsLibevent_unlock(&nle->lock);
    return NATS_OK;
}

// Called by the library when the connection is closed for good. The loop then lets go of the connection,
// never from within this call.
static inline natsStatus natsLibevent_Detach(void *userData)
{
    natsLibeventEvents *nle = (natsLibeventEvents *)userData;

    // Under the lock: once the loop has seen this, it may free everything.
    natsLibevent_lock(&nle->lock);
    nle->detach = true;
    event_active(nle->wake, EV_TIMEOUT, 0);
    natsLibevent_unlock(&nle->lock);
    return NATS_OK;
}

#ifdef __cplusplus
}
#endif

#endif // NATS_ADAPTERS_LIBEVENT_H_
