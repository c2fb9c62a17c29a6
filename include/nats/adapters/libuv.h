// Runs the sockets of NATS connections on a libuv loop.
//
//   natsLibuv_Init();
//   uv_loop_t *loop = uv_default_loop();
//   natsLibuv_SetThreadLocalLoop(loop);
//   natsOptions_SetEventLoop(opts, loop, natsLibuv_Attach, natsLibuv_Read, natsLibuv_Write,
//   natsLibuv_Detach); natsConnection_Connect(&nc, opts); uv_run(loop, UV_RUN_DEFAULT);
//
// Not part of the library: the program that includes this is linked with libuv (1.8 or later). libuv lets
// only the loop's own thread touch a loop, but the library calls from any thread. So each call notes what is
// wanted and wakes the loop, which then does it.
//
// Connect on the loop's thread, or before the loop runs: the first attachment of a connection adds a handle
// to the loop. A connection keeps the loop running until it is closed; uv_run() may return only after its
// detachment.

#ifndef NATS_ADAPTERS_LIBUV_H_
#define NATS_ADAPTERS_LIBUV_H_

// uv.h needs it where the compiler is told to be strict.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include <nats/nats.h>

/** Tells that this header was included. */
#define NATS_LIBUV_INCLUDE

#ifdef __cplusplus
extern "C" {
#endif

static const natsSock natsLibuv_noSocket = (natsSock)-1;

// A socket that the loop polls. Belongs to the loop's thread.
typedef struct natsLibuvPoll
{
    uv_poll_t               handle;
    natsSock                fd;
    uint64_t                number;
    int                     events;
    struct natsLibuvEvents *owner;

} natsLibuvPoll;

// A connection attached to a loop.
typedef struct natsLibuvEvents
{
    natsConnection *nc;
    uv_loop_t      *loop;
    uv_async_t      wake;

    // What the library wants; under the lock.
    uv_mutex_t lock;
    natsSock   fd;     // natsLibuv_noSocket: none
    uint64_t   number; // of the attachment, so that a reused descriptor is not mistaken for the former one
    uint64_t   taken;  // the attachment the loop has come to know
    int        events;
    bool       detach;

    // The loop's thread only.
    natsLibuvPoll *poll;

} natsLibuvEvents;

static uv_once_t natsLibuv_once = UV_ONCE_INIT;
static uv_key_t  natsLibuv_loopOfThread;

static inline void natsLibuv_createKey(void)
{
    if (uv_key_create(&natsLibuv_loopOfThread) != 0)
        abort();
}

// Prepares the adapter. Call it once before the other functions; further calls do nothing.
static inline void natsLibuv_Init(void)
{
    uv_once(&natsLibuv_once, natsLibuv_createKey);
}

// Tells the adapter that the calling thread is the one that runs `loop`: requests made on it are then carried
// out at once, without waking the loop. NULL takes that back.
static inline void natsLibuv_SetThreadLocalLoop(uv_loop_t *loop)
{
    natsLibuv_Init();
    uv_key_set(&natsLibuv_loopOfThread, loop);
}

static inline void natsLibuv_pollClosed(uv_handle_t *handle)
{
    free(handle->data);
}

static inline void natsLibuv_endPoll(natsLibuvEvents *nle)
{
    natsLibuvPoll *poll = nle->poll;

    if (poll == NULL)
        return;
    nle->poll = NULL;
    uv_poll_stop(&poll->handle);
    uv_close((uv_handle_t *)&poll->handle, natsLibuv_pollClosed);
    natsConnection_ProcessCloseEvent(&poll->fd);
}

static inline void natsLibuv_apply(natsLibuvEvents *nle);

static inline void natsLibuv_polled(uv_poll_t *handle, int status, int events)
{
    natsLibuvPoll   *poll   = (natsLibuvPoll *)handle->data;
    natsLibuvEvents *nle    = poll->owner;
    uint64_t         number = poll->number;

    // A broken socket is readable: reading it tells the library what happened.
    if ((status < 0) || (events & UV_READABLE))
        natsConnection_ProcessReadEvent(nle->nc);
    // That may have ended this socket.
    if ((nle->poll == NULL) || (nle->poll->number != number))
        return;
    if (events & UV_WRITABLE)
        natsConnection_ProcessWriteEvent(nle->nc);
    if (status < 0)
    {
        // libuv stopped polling, but the read above may have found data in front of the error.
        nle->poll->events = 0;
        natsLibuv_apply(nle);
    }
}

// A failure here means that the connection cannot be served.
static inline bool natsLibuv_beginPoll(natsLibuvEvents *nle, natsSock fd, uint64_t number)
{
    natsLibuvPoll *poll = (natsLibuvPoll *)calloc(1, sizeof(natsLibuvPoll));

    if (poll == NULL)
        return false;
    if (uv_poll_init_socket(nle->loop, &poll->handle, fd) != 0)
    {
        free(poll);
        return false;
    }
    poll->handle.data = poll;
    poll->fd          = fd;
    poll->number      = number;
    poll->owner       = nle;
    nle->poll         = poll;
    return true;
}

// On the loop's thread: makes the loop do what the library wants, except letting go of the connection.
static inline void natsLibuv_apply(natsLibuvEvents *nle)
{
    natsSock fd;
    uint64_t number;
    int      events;
    bool     ok = true;

    uv_mutex_lock(&nle->lock);
    fd         = nle->fd;
    number     = nle->number;
    events     = nle->events;
    nle->taken = number;
    uv_mutex_unlock(&nle->lock);

    if ((nle->poll != NULL) && ((fd == natsLibuv_noSocket) || (nle->poll->number != number)))
        natsLibuv_endPoll(nle);
    if (fd == natsLibuv_noSocket)
        return;
    if (nle->poll == NULL)
        ok = natsLibuv_beginPoll(nle, fd, number);
    if (ok && (nle->poll->events != events))
    {
        nle->poll->events = events;
        if (events == 0)
            ok = uv_poll_stop(&nle->poll->handle) == 0;
        else
            ok = uv_poll_start(&nle->poll->handle, events, natsLibuv_polled) == 0;
    }
    if (!ok)
        natsConnection_Close(nle->nc);
}

static inline void natsLibuv_wakeClosed(uv_handle_t *handle)
{
    natsLibuvEvents *nle = (natsLibuvEvents *)handle->data;
    natsConnection  *nc  = nle->nc;

    uv_mutex_destroy(&nle->lock);
    free(nle);
    natsConnection_ProcessDetachedEvent(nc);
}

static inline void natsLibuv_woken(uv_async_t *handle)
{
    natsLibuvEvents *nle = (natsLibuvEvents *)handle->data;
    bool             detach;

    natsLibuv_apply(nle);
    uv_mutex_lock(&nle->lock);
    detach = nle->detach;
    uv_mutex_unlock(&nle->lock);
    if (!detach)
        return;
    natsLibuv_endPoll(nle);
    uv_close((uv_handle_t *)handle, natsLibuv_wakeClosed);
}

// Has the loop do what was noted: at once when this is its thread.
static inline natsStatus natsLibuv_request(natsLibuvEvents *nle)
{
    if (uv_key_get(&natsLibuv_loopOfThread) == (void *)nle->loop)
    {
        natsLibuv_apply(nle);
        return NATS_OK;
    }
    return (uv_async_send(&nle->wake) == 0) ? NATS_OK : NATS_ERR;
}

static inline natsStatus natsLibuv_create(natsLibuvEvents **newEvents, uv_loop_t *loop, natsConnection *nc)
{
    natsLibuvEvents *nle = (natsLibuvEvents *)calloc(1, sizeof(natsLibuvEvents));

    if (nle == NULL)
        return NATS_NO_MEMORY;
    if (uv_mutex_init(&nle->lock) != 0)
    {
        free(nle);
        return NATS_ERR;
    }
    if (uv_async_init(loop, &nle->wake, natsLibuv_woken) != 0)
    {
        uv_mutex_destroy(&nle->lock);
        free(nle);
        return NATS_ERR;
    }
    nle->wake.data = nle;
    nle->nc        = nc;
    nle->loop      = loop;
    nle->fd        = natsLibuv_noSocket;
    *newEvents     = nle;
    return NATS_OK;
}

// Called by the library when `nc` is connected, again after each reconnect: the loop polls `socket` for
// reading.
static inline natsStatus natsLibuv_Attach(void **userData, void *loop, natsConnection *nc, natsSock socket)
{
    natsLibuvEvents *nle = (natsLibuvEvents *)*userData;
    natsStatus       s   = NATS_OK;

    natsLibuv_Init();
    if (nle == NULL)
        s = natsLibuv_create(&nle, (uv_loop_t *)loop, nc);
    if (s != NATS_OK)
        return s;
    uv_mutex_lock(&nle->lock);
    nle->fd     = socket;
    nle->events = UV_READABLE;
    nle->number++;
    uv_mutex_unlock(&nle->lock);
    *userData = nle;
    return natsLibuv_request(nle);
}

// Called by the library to start (`add`) or end polling for reading. The end of reading is the end of the
// socket.
static inline natsStatus natsLibuv_Read(void *userData, bool add)
{
    natsLibuvEvents *nle = (natsLibuvEvents *)userData;

    uv_mutex_lock(&nle->lock);
    if (add)
        nle->events |= UV_READABLE;
    else
    {
        nle->events = 0;
        // The loop closes the socket that it polls; one that it has not heard of yet is closed here.
        if (nle->taken != nle->number)
            natsConnection_ProcessCloseEvent(&nle->fd);
        nle->fd = natsLibuv_noSocket;
    }
    uv_mutex_unlock(&nle->lock);
    return natsLibuv_request(nle);
}

// Called by the library to start (`add`) or end polling for writing.
static inline natsStatus natsLibuv_Write(void *userData, bool add)
{
    natsLibuvEvents *nle = (natsLibuvEvents *)userData;

    uv_mutex_lock(&nle->lock);
    if (add)
        nle->events |= UV_WRITABLE;
    else
        nle->events &= ~UV_WRITABLE;
    uv_mutex_unlock(&nle->lock);
    return natsLibuv_request(nle);
}

// Called by the library when the connection is closed for good. The loop then lets go of the connection,
// never from within this call.
static inline natsStatus natsLibuv_Detach(void *userData)
{
    natsLibuvEvents *nle = (natsLibuvEvents *)userData;
    natsStatus       s;

    // Under the lock: once the loop has seen this, it may free everything.
    uv_mutex_lock(&nle->lock);
    nle->detach = true;
    s           = (uv_async_send(&nle->wake) == 0) ? NATS_OK : NATS_ERR;
    uv_mutex_unlock(&nle->lock);
    return s;
}

#ifdef __cplusplus
}
#endif

#endif // NATS_ADAPTERS_LIBUV_H_
