// The smallest external event loop there can be: one thread, one poll(), the four adapter callbacks. Each
// callback is recorded ("attach", "read on", "read off", "write on", "write off", "detach").

#ifndef C_TESTS_SUPPORT_LOOP_H
#define C_TESTS_SUPPORT_LOOP_H

#include "test.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct loop loop;

// Events go to ev, which may be NULL.
loop *loop_create(events *ev);

// Ends the thread. The connections using it must be closed and detached.
void loop_destroy(loop *l);

// Makes the options use this loop.
void loop_use(loop *l, natsOptions *opts);

// The loop's thread sleeps that long right before each ProcessReadEvent (0: not at all).
void loop_slow_reads(loop *l, int ms);

#ifdef __cplusplus
}
#endif

#endif
