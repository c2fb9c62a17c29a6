#include "gate.h"

#include <string.h>

void gate_init(gate *g)
{
    memset(g, 0, sizeof *g);
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->opened, NULL);
}

void gate_shut(gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->open = false;
    pthread_mutex_unlock(&g->lock);
}

void gate_open(gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->open = true;
    pthread_cond_broadcast(&g->opened);
    pthread_mutex_unlock(&g->lock);
}

void gate_wait(gate *g)
{
    pthread_mutex_lock(&g->lock);
    atomic_fetch_add(&g->inside, 1);
    while (!g->open)
        pthread_cond_wait(&g->opened, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

gate handler_gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, true, 0};

void on_msg_gated(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ev)
{
    gate_wait(&handler_gate);
    on_msg(nc, sub, msg, ev);
}
