// What a client wrote to the mock, as text to compare byte for byte.

#ifndef C_TESTS_SUPPORT_WIRE_H
#define C_TESTS_SUPPORT_WIRE_H

#include "mock.h"
#include "test.h"

#ifdef __cplusplus
extern "C" {
#endif

// Bytes received on the nth connection after the PING of its handshake, NUL-terminated, to free. len may be
// NULL.
char *wire(mock *m, int nth, size_t *len);

// Waits until exactly these bytes arrived after the handshake; fails the test when other ones did.
void wire_check(const char *file, int line, mock *m, int nth, const char *want);

#define CHECK_WIRE(m, nth, want)                                                                             \
    do                                                                                                       \
    {                                                                                                        \
        test_at(__FILE__, __LINE__);                                                                         \
        wire_check(__FILE__, __LINE__, (m), (nth), (want));                                                  \
    } while (0)

// Waits until the only client of the mock has taken all bytes from its socket, also those of half a frame.
void wire_taken(mock *m);

// The reply subject of the nth request of subject foo on the first connection; to free.
char *reply_subject(mock *m, int nth);

// Prints the recorded lines of a connection from that one on.
void wire_trace_lines(mock *m, int nth, int from);

// Prints them one line each ("  > PUB foo 5"), control characters escaped, after flushing the connection.
void wire_trace(mock *m, int nth, natsConnection *nc);

#ifdef __cplusplus
}
#endif

#endif
