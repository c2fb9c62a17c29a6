// What the parts of the mock share: its types, who guards what, and the calls from one part to another.
// Programs use mock.h.

#ifndef C_TESTS_SUPPORT_MOCK_INTERNAL_H
#define C_TESTS_SUPPORT_MOCK_INTERNAL_H

#include "mock.h"
#include "test.h"

#include <pthread.h>
#include <time.h>

typedef enum
{
    RULE_ACCEPT,
    RULE_INFO,
    RULE_GREETING,
    RULE_REPLY,
    RULE_BEFORE,
    RULE_AFTER,
    RULE_CLOSE,
} rule_kind;

typedef struct rule
{
    rule_kind    kind;
    int          nth;
    int          value;
    char        *text;
    struct rule *next;
} rule;

typedef enum
{
    DO_NOTHING,
    DO_CLOSE,
    DO_RESET,
    DO_HALF_CLOSE,
} command;

typedef struct
{
    char   *text;
    int64_t ms;
} line;

// What a connection has received; the PING of the handshake does not count.
typedef struct
{
    int     pings, pongs;
    int64_t pubs, bytes;
    line   *lines;
    int     line_count, line_room;
    char   *raw;
    size_t  raw_len, raw_room;
} received;

// What is not a whole line or payload yet.
typedef struct
{
    char  *partial;
    size_t partial_len, partial_room;
    size_t payload_left; // of the PUB that is being read, CRLF included
    size_t payload_size;
} input;

typedef struct
{
    mock           *m;
    int             number; // from 1
    int             fd;
    int             wake[2];
    pthread_t       thread;
    pthread_mutex_t write_lock; // one send at a time

    // Guarded by the mock's lock.
    command  command;
    int      held; // by calls that wait while they look at it
    bool     open, handshaken, reset;
    bool     verbose;
    bool     frozen; // has seen that it is to read no more
    int64_t  accepted_ms, closed_ms;
    received got;

    // Only the connection's thread.
    input   in;
    int64_t next_periodic;
} conn;

struct mock
{
    pthread_mutex_t lock;
    pthread_cond_t  changed;
    pthread_t       acceptor;
    int             wake[2];
    int             listener;
    int             port;
    char            url[64];
    bool            listening, stop;
    bool            polling; // the accepting thread holds on to the listener right now

    rule *rules;
    bool  auto_pong, frozen, record, forget;
    int   every_ms;
    char *every_text;
    int   receive_buffer;

    conn **conns; // NULL where one is forgotten
    int    room, accepted, connected;
};

// ---- server.c ----

struct timespec mock_deadline(int64_t end_ms);
void            wake_make(int wake[2]);
void            wake_poke(const int wake[2]);
void            wake_drain(const int wake[2]);

// With all signals blocked: those a test sends are for the program's and the library's threads.
void quiet_thread(pthread_t *thread, void *(*run)(void *), void *arg);

// Makes every connection's thread look again. With the lock held.
void  poke_all(mock *m);
conn *conn_at(mock *m, int nth);

// ---- rules.c ----

int   rule_value(mock *m, rule_kind kind, int nth, int otherwise);
char *rule_text(mock *m, rule_kind kind, int nth); // a copy to free, or NULL
void  rules_free(mock *m);

// ---- connection.c ----

void *conn_serve(void *conn);
void  conn_free(conn *c); // joins its thread

// Waits at most 10 seconds for a client that does not read.
bool conn_send(conn *c, const void *data, size_t len);

// ---- protocol.c; called by the connection's thread ----

void conn_greet(conn *c);
void conn_take_bytes(conn *c, const char *data, size_t len);

// ---- record.c; with the lock held ----

typedef int64_t (*measure)(conn *c, const char *prefix);

void    record_line(conn *c, const char *text, size_t len);
void    record_raw(conn *c, const char *data, size_t len);
int64_t is_reading(conn *c, const char *prefix);
int64_t measure_locked(mock *m, int nth, measure of, const char *prefix);

#endif
