// Calls that block: in a thread of their own, or until the connection is stuck.

#ifndef C_TESTS_SUPPORT_CALLS_H
#define C_TESTS_SUPPORT_CALLS_H

#include "test.h"

#include <pthread.h>

// A flush under way.
typedef struct
{
    natsConnection *nc;
    int64_t         timeout;
    natsStatus      status;
    int64_t         took; // ms
    pthread_t       thread;
} flushing;

void flush_begin(flushing *f, natsConnection *nc, int64_t timeout);

// Waits until the flush has returned; returns its status.
natsStatus flush_end(flushing *f);

// Publishes until it fails; returns that status and how many ms the last call took.
natsStatus publish_until_stuck(natsConnection *nc, int64_t *took);

#endif
