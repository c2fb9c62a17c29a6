// Calls that block: in a thread of their own, or until the connection is stuck.

#ifndef C_TESTS_SUPPORT_CALLS_H
#define C_TESTS_SUPPORT_CALLS_H

#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

// A thread of the test's, of which one can tell that it sleeps in a call.
typedef struct
{
    pthread_t thread;
    void *(*run)(void *);
    void      *arg;
    atomic_int tid;
} caller;

void caller_start(caller *c, void *(*run)(void *), void *arg);

// Returns when the thread sleeps and goes on sleeping, or has ended.
void caller_asleep(caller *c);

void *caller_join(caller *c);

// Returns when all other threads of the process sleep and go on sleeping: they have dealt with whatever came.
void others_asleep(void);

// A flush under way.
typedef struct
{
    caller          by;
    natsConnection *nc;
    int64_t         timeout;
    natsStatus      status;
    int64_t         took; // ms
} flushing;

void flush_begin(flushing *f, natsConnection *nc, int64_t timeout);

// Waits until the flush has returned; returns its status.
natsStatus flush_end(flushing *f);

// Publishes until it fails; returns that status and how many ms the last call took.
natsStatus publish_until_stuck(natsConnection *nc, int64_t *took);

#endif
