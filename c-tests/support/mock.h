// A scripted NATS server inside the test program: own threads, a free port of 127.0.0.1.
//
// Left alone it behaves: sends INFO, reads CONNECT, answers every PING with PONG (and +OK where the client
// asked for verbose), records all it receives and delivers nothing. Everything else is switched on by the
// calls below, at any time and from any thread.
//
// Connections are numbered from 1 in the order they were accepted. Where a call takes `nth`, MOCK_LATEST is
// the connection accepted last and MOCK_ALL all of them (sums; for a wait: any of them).

#ifndef C_TESTS_SUPPORT_MOCK_H
#define C_TESTS_SUPPORT_MOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mock mock;

#define MOCK_LATEST 0
#define MOCK_ALL    (-1)

mock *mock_create(void);

// Closes all connections with a reset and ends the threads.
void mock_destroy(mock *m);

int         mock_port(mock *m);
const char *mock_url(mock *m); // "nats://127.0.0.1:PORT", owned by the mock

// ---- what connections meet; `nth` as in "the nth connection", MOCK_ALL for every one without a rule of its
// own ----

typedef enum
{
    MOCK_GREET,         // INFO, then the handshake
    MOCK_CLOSE_AT_ONCE, // accepted, then closed with FIN
    MOCK_RESET_AT_ONCE, // accepted, then closed with RST
    MOCK_SILENT,        // accepted and read, INFO is never sent
    MOCK_SPLIT_INFO,    // INFO with 50 ms between its CR and its LF
    MOCK_DRIP_INFO,     // INFO byte by byte, 5 ms apart
} mock_greeting;

void mock_on_accept(mock *m, int nth, mock_greeting what);

// INFO's JSON (without "INFO " and CRLF). %port and %cid are replaced by the port and the connection's
// number.
void mock_info(mock *m, int nth, const char *json);

// Raw bytes instead of the INFO line; a form feed (\f) in them is not sent but means a pause of 50 ms.
void mock_greeting_text(mock *m, int nth, const char *text);

// What answers the PING of the handshake, instead of "PONG\r\n". "" sends nothing; NULL restores the default.
void mock_handshake_reply(mock *m, int nth, const char *text);

// Bytes in the same segment, right before and right after the handshake's answer. NULL takes them away.
void mock_before_pong(mock *m, int nth, const char *text);
void mock_after_pong(mock *m, int nth, const char *text);

// Where the nth handshake ends without an answer: the connection is closed with FIN after reading CONNECT and
// PING.
void mock_close_in_handshake(mock *m, int nth, bool on);

// ---- knobs of the running server; for all connections, present and future ----

void mock_auto_pong(mock *m, bool on);              // default on; off: mute (the handshake is still answered)
void mock_mute(mock *m);                            // the same as mock_auto_pong(m, false)
void mock_frozen(mock *m, bool on);                 // reads nothing (the handshake is still read)
void mock_every(mock *m, int ms, const char *text); // sends text to everyone every ms; ms 0: stops
void mock_chatty(mock *m, int ms);                  // no PONG, but +OK every ms
void mock_unsolicited_pongs(mock *m, int ms);       // PINGs go unanswered, PONG every ms; 0: stops
void mock_receive_buffer(mock *m,
                         int   bytes); // SO_RCVBUF of connections accepted from now on: freezes bite fast
void mock_record(mock *m, bool on);  // default on; off: counts only, for floods
void mock_forget(mock *m);           // ended connections do not count any more: for thousands of them

void mock_stop_listening(mock *m); // connects are refused; live connections stay
void mock_listen_again(mock *m);   // on the same port

// ---- doing something to the latest connection now (the _to forms: to the nth or to all) ----

void mock_send(mock *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void mock_send_to(mock *m, int nth, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool mock_write(mock *m, int nth, const void *data, size_t len); // false when the connection is gone
void mock_drip(mock *m, const char *text, int ms);               // byte by byte, ms apart; returns when done
void mock_err(mock *m, const char *text);                        // -ERR 'text'

// Return when it is done.
void mock_close(mock *m, int nth);      // FIN
void mock_reset(mock *m, int nth);      // RST
void mock_half_close(mock *m, int nth); // FIN, but goes on reading

// ---- what happened ----

int mock_accepted(mock *m);  // connections accepted so far
int mock_connected(mock *m); // handshakes completed so far
int mock_open(mock *m);      // connections open now

bool mock_wait_accepted(mock *m, int n, int64_t ms);
bool mock_wait_connected(mock *m, int n, int64_t ms);
bool mock_wait_open(mock *m, int n, int64_t ms);     // exactly n
bool mock_wait_closed(mock *m, int nth, int64_t ms); // by the client, or by us
bool mock_closed_by_reset(mock *m, int nth);         // the client's end came as RST, not FIN

// Counts leave the PING of the handshake out.
int     mock_pings(mock *m, int nth);
int     mock_pongs(mock *m, int nth);
int64_t mock_pubs(mock *m, int nth);  // PUB and HPUB
int64_t mock_bytes(mock *m, int nth); // received, all of it
bool    mock_wait_pings(mock *m, int nth, int n, int64_t ms);
bool    mock_wait_pubs(mock *m, int nth, int64_t n, int64_t ms);

// Lines received, CRLF stripped; the payload of a PUB or HPUB is a line of its own (NUL-terminated, may hold
// NULs).
int  mock_lines(mock *m, int nth);
int  mock_count_lines(mock *m, int nth, const char *prefix);
bool mock_wait_line(mock *m, int nth, const char *prefix, int count, int64_t ms);

// Copies for the caller to free; NULL when there is none. Indices count from 0.
char *mock_line(mock *m, int nth, int index);
char *mock_find(mock *m, int nth, const char *prefix); // the first one with that prefix
char *mock_connect_line(mock *m, int nth);             // the whole CONNECT line

// When (now_ms clock): the connection was accepted, was closed, and the line arrived; -1 when it did not
// happen.
int64_t mock_accepted_ms(mock *m, int nth);
int64_t mock_closed_ms(mock *m, int nth);
int64_t mock_line_ms(mock *m, int nth, int index);

// The bytes received on one connection, for the caller to free.
char *mock_raw(mock *m, int nth, size_t *len);

#ifdef __cplusplus
}
#endif

#endif
