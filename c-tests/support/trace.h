// For parity programs: canonical lines on stdout, compared byte for byte between two libraries. Whatever
// differs from run to run (ports, inboxes, exact times) is replaced or rounded here; what is only for a human
// goes to stderr.

#ifndef C_TESTS_SUPPORT_TRACE_H
#define C_TESTS_SUPPORT_TRACE_H

#include "test.h"

#ifdef __cplusplus
extern "C" {
#endif

// printf plus a newline. Registered ports, inbox subjects and NUIDs are replaced by names.
void trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

// A heading: "== name". Also the place named when the program hangs.
void trace_scenario(const char *name);

// Replaces ":PORT" by ":name" in all later lines.
void trace_port(int port, const char *name);

// ms rounded to the nearest multiple of tick; -1 stays -1. Choose expected times on a tick and ticks of at
// least four times the lateness one is ready to accept.
int64_t trace_round(int64_t ms, int64_t tick);

// "name: STATUS (text)".
void trace_status(const char *name, natsStatus s);

// "name at N ms" for something that was measured.
void trace_time(const char *name, int64_t ms, int64_t tick);

// One line per recorded event: "  disconnected at 600 ms: OK", text included when there is one. Tick 0: no
// times.
void trace_events(events *ev, int64_t tick);

// The names of the recorded events in their order, without what their handlers found.
void trace_order(events *ev);

// Name of the constant: "NATS_OK", "NATS_TIMEOUT", ...
const char *status_name(natsStatus s);
const char *conn_status_name(natsConnStatus s);

// "nc: status=... last error=... (text) reconnects=N".
void trace_connection(const char *name, natsConnection *nc);

// Text for "%s": "NULL" for NULL.
const char *shown(const char *text);

// What follows the place in a text of an error ("(file:line): "), which is each implementation's own.
const char *error_body(const char *text);

// "call: last error STATUS 'text'", of this thread.
void trace_last_error(const char *call);

// Starts measuring how late this machine runs timers; at exit the worst lateness goes to stderr as
// "lateness-ms: N tick-ms: TICK". run.py repeats a differing program once only when N >= TICK / 4: then the
// machine, not a library, may be to blame. Also ends the whole program after limit_s seconds with a line on
// stdout.
void trace_timing(int64_t tick, int limit_s);

#ifdef __cplusplus
}
#endif

#endif
