// An event loop adapter that does nothing by itself: it notes what the library tells it, among the other
// events, and how the socket was doing then. The test brings the read and write events by hand and says when
// the socket is closed.

#ifndef C_TESTS_SUPPORT_HAND_H
#define C_TESTS_SUPPORT_HAND_H

#include "test.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hand hand;

// Calls are noted in ev as "attach", "read on", "read off", "write on", "write off" and "detach"; the text of
// each is "open", or "ended" when the socket says that the connection is over.
hand *hand_create(events *ev);

// The connections using it must be detached. Closes what is still open.
void hand_destroy(hand *h);

void hand_use(hand *h, natsOptions *opts);

// The next call of that name blocks until hand_unblock(); NULL: none does.
void hand_block(hand *h, const char *call);
bool hand_wait_blocked(hand *h, int64_t ms);
void hand_unblock(hand *h);

// The next call of that name runs fn(nc) before it returns.
void hand_inside(hand *h, const char *call, void (*fn)(natsConnection *nc));

// What an event of the loop is for the library, on the calling thread.
void hand_read(hand *h);
void hand_write(hand *h);

// natsConnection_ProcessCloseEvent() for the socket attached last.
void hand_close(hand *h);

natsSock hand_socket(hand *h);

// Calls that were made while another one was on its way on another thread.
int hand_overlaps(hand *h);

// The name of the thread that made the latest call.
void hand_thread(hand *h, char name[16]);

#ifdef __cplusplus
}
#endif

#endif
