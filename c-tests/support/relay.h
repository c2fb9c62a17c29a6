// A relay between a client and a server that passes bytes on, and misbehaves on the way to the client when
// told to: what a TLS peer does with its records can be tried out with a real server behind it.

#ifndef C_TESTS_SUPPORT_RELAY_H
#define C_TESTS_SUPPORT_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct relay relay;

// Listens on a free port of 127.0.0.1 and passes on to `port`.
relay *relay_create(int port);
void   relay_destroy(relay *r);
int    relay_port(relay *r);
int    relay_accepted(relay *r);

// The settings hold for all connections, at once.

// To the client byte by byte, `us` microseconds apart; 0: as it comes.
void relay_trickle(relay *r, int us);

// Passes nothing on to the client (the connection stays open), false: goes on.
void relay_stall(relay *r, bool on);

// Passes nothing on in either direction and reads nothing.
void relay_freeze(relay *r, bool on);

// Closes (FIN) the client's side after that many more bytes were passed on to it; -1: never.
void relay_close_after(relay *r, int64_t bytes);

// The same, but it stalls.
void relay_stall_after(relay *r, int64_t bytes);

// Closes all connections now.
void relay_cut(relay *r);

#ifdef __cplusplus
}
#endif

#endif
