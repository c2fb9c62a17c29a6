// A gate that threads wait at until it opens.

#ifndef C_TESTS_SUPPORT_GATE_H
#define C_TESTS_SUPPORT_GATE_H

#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

typedef struct
{
    pthread_mutex_t lock;
    pthread_cond_t  opened;
    bool            open;
    atomic_int      inside; // how many have come to it so far
} gate;

void gate_init(gate *g); // shut
void gate_shut(gate *g); // again
void gate_open(gate *g);
void gate_wait(gate *g);

// Open unless a test shuts it.
extern gate handler_gate;

// Message handler: waits at handler_gate, then does what on_msg does.
void on_msg_gated(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ev);

#endif
