// Small test framework for the C tests: every TEST runs in a process of its own, so a crash, a hang or a
// half-open library never spoils the next one.
//
//   TEST(publish_after_close) { ...  CHECK_STATUS(natsConnection_Publish(...), NATS_CONNECTION_CLOSED); }
//
// Command line: [--list] [--no-fork] [--timeout SECONDS] [NAME...]. One line per test ("ok NAME",
// "FAIL NAME: why", "skip NAME: why"), then "N passed, N failed, N skipped". Exit status 0 when none failed.
// NATS_TESTS_PATIENCE=N in the environment makes the time limits N times as long.

#ifndef C_TESTS_SUPPORT_TEST_H
#define C_TESTS_SUPPORT_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nats/nats.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---- clock ----

// Milliseconds of the monotonic clock; only differences mean something.
int64_t now_ms(void);

// Tests do not sleep to synchronise. These two are for what remains.
//
// Time passes in which nothing may happen, or which is itself what is tested.
void quiet_ms(int64_t ms);

// Between the steps of a loop, or in a callback that is slow on purpose.
void pace_ms(int64_t ms);
void pace_us(int64_t us);

// ---- tests ----

typedef struct test_case
{
    const char *name;
    void (*run)(void);
    int               timeout_ms;
    struct test_case *next;
} test_case;

void test_register(test_case *test);

#define TEST_DEFAULT_TIMEOUT_MS 30000

// Like TEST, with a time limit of its own in milliseconds.
#define TEST_T(test_name, limit_ms)                                                                          \
    static void      test_run_##test_name(void);                                                             \
    static test_case test_case_##test_name = {#test_name, test_run_##test_name, (limit_ms), NULL};           \
    __attribute__((constructor)) static void test_add_##test_name(void)                                      \
    {                                                                                                        \
        test_register(&test_case_##test_name);                                                               \
    }                                                                                                        \
    static void test_run_##test_name(void)

#define TEST(test_name) TEST_T(test_name, TEST_DEFAULT_TIMEOUT_MS)

// Fails the running test with a formatted reason and ends it. Callable from any thread.
_Noreturn void test_fail(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

// Ends the running test as skipped.
_Noreturn void test_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

// Calls fn however the running test ends (kill what was started, remove temporary files).
void test_at_end(void (*fn)(void));

// Remembers the place for the message of a test that hangs.
void test_at(const char *file, int line);

#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)
#define SKIP(...) test_skip(__VA_ARGS__)

#define CHECK(cond)                                                                                          \
    do                                                                                                       \
    {                                                                                                        \
        test_at(__FILE__, __LINE__);                                                                         \
        if (!(cond))                                                                                         \
            test_fail(__FILE__, __LINE__, "%s", #cond);                                                      \
    } while (0)

// CHECK with a printf-style explanation of the values involved.
#define CHECK_MSG(cond, ...)                                                                                 \
    do                                                                                                       \
    {                                                                                                        \
        test_at(__FILE__, __LINE__);                                                                         \
        if (!(cond))                                                                                         \
            test_fail(__FILE__, __LINE__, __VA_ARGS__);                                                      \
    } while (0)

void test_check_status(const char *file, int line, const char *expr, natsStatus got, natsStatus want);
void test_check_int(const char *file, int line, const char *expr, int64_t got, int64_t want);
void test_check_str(const char *file, int line, const char *expr, const char *got, const char *want);
void test_check_range(const char *file, int line, const char *expr, int64_t got, int64_t low, int64_t high);

#define CHECK_STATUS(expr, want)                                                                             \
    do                                                                                                       \
    {                                                                                                        \
        test_at(__FILE__, __LINE__);                                                                         \
        test_check_status(__FILE__, __LINE__, #expr, (expr), (want));                                        \
    } while (0)
#define CHECK_OK(expr) CHECK_STATUS(expr, NATS_OK)
#define CHECK_INT(expr, want)                                                                                \
    do                                                                                                       \
    {                                                                                                        \
        test_at(__FILE__, __LINE__);                                                                         \
        test_check_int(__FILE__, __LINE__, #expr, (int64_t)(expr), (int64_t)(want));                         \
    } while (0)
// Both NULL counts as equal.
#define CHECK_STR(expr, want)                                                                                \
    do                                                                                                       \
    {                                                                                                        \
        test_at(__FILE__, __LINE__);                                                                         \
        test_check_str(__FILE__, __LINE__, #expr, (expr), (want));                                           \
    } while (0)
// Inclusive bounds.
#define CHECK_RANGE(expr, low, high)                                                                         \
    do                                                                                                       \
    {                                                                                                        \
        test_at(__FILE__, __LINE__);                                                                         \
        test_check_range(__FILE__, __LINE__, #expr, (int64_t)(expr), (int64_t)(low), (int64_t)(high));       \
    } while (0)

// Waits until cond holds, looking every millisecond; fails the test after ms milliseconds.
#define WAIT_FOR(cond, ms)                                                                                   \
    do                                                                                                       \
    {                                                                                                        \
        int64_t wait_for_end_ = now_ms() + (ms);                                                             \
        test_at(__FILE__, __LINE__);                                                                         \
        while (!(cond))                                                                                      \
        {                                                                                                    \
            if (now_ms() > wait_for_end_)                                                                    \
                test_fail(__FILE__, __LINE__, "not within %d ms: %s", (int)(ms), #cond);                     \
            pace_ms(1);                                                                                      \
        }                                                                                                    \
    } while (0)

// The same for what may stay out: whether cond came to hold.
#define HOLDS_WITHIN(cond, ms)                                                                               \
    ({                                                                                                       \
        int64_t holds_within_end_ = now_ms() + (ms);                                                         \
        test_at(__FILE__, __LINE__);                                                                         \
        while (!(cond) && now_ms() < holds_within_end_)                                                      \
            pace_ms(1);                                                                                      \
        (cond);                                                                                              \
    })

// ---- recorded events ----

#define EVENT_NAME_MAX 48
#define EVENT_TEXT_MAX 128

typedef struct
{
    char       name[EVENT_NAME_MAX];
    int64_t    ms;     // since events_create or the last events_reset
    natsStatus status; // of the connection (or the error) when it was recorded
    char       text[EVENT_TEXT_MAX];
} event;

typedef struct events events;

// A thread-safe list of what happened, in order. Callbacks may still come late: destroy it after the library
// closed, or never.
events *events_create(void);
void    events_destroy(events *ev);

// Forgets everything and restarts the clock.
void events_reset(events *ev);

// Restarts only the clock; times of recorded events stay as they are.
void events_start_clock(events *ev);

void events_add(events *ev, const char *name, natsStatus status, const char *text);

// How many events of that name there are (NULL: all).
int events_count(events *ev, const char *name);

// Waits until there are at least n events of that name; false after ms milliseconds.
bool events_wait(events *ev, const char *name, int n, int64_t ms);

// Copy of the nth event (from 1) of that name (NULL: of all); false when there are fewer.
bool events_get(events *ev, const char *name, int nth, event *out);

// Milliseconds at which the nth event (from 1) of that name happened, -1 when it did not.
int64_t events_ms(events *ev, const char *name, int nth);

// Names joined with commas into buf; buf is returned.
char *events_names(events *ev, char *buf, size_t size);

// Fails the test unless the event comes in time.
#define WAIT_EVENT(ev, name, n, ms)                                                                          \
    do                                                                                                       \
    {                                                                                                        \
        char wait_event_buf_[256];                                                                           \
        test_at(__FILE__, __LINE__);                                                                         \
        if (!events_wait((ev), (name), (n), (ms)))                                                           \
            test_fail(__FILE__, __LINE__, "no event %s (no %d) within %d ms; so far: %s", (name), (n),       \
                      (int)(ms), events_names((ev), wait_event_buf_, sizeof wait_event_buf_));               \
    } while (0)

// Ready-made handlers; the closure is an events*. The recorded status and text are the connection's last
// error, for on_error the reported error and this thread's last error text.
void on_disconnected(natsConnection *nc, void *ev);
void on_reconnected(natsConnection *nc, void *ev);
void on_closed(natsConnection *nc, void *ev);
void on_connected(natsConnection *nc, void *ev);
void on_discovered(natsConnection *nc, void *ev);
void on_lame_duck(natsConnection *nc, void *ev);
void on_error(natsConnection *nc, natsSubscription *sub, natsStatus err, void *ev);

// Message handler: records "msg" with the data as text and destroys the message.
void on_msg(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *ev);

// Message handler that only destroys the message; the closure may be anything.
void on_msg_ignored(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure);

// Records "complete": for natsSubscription_SetOnCompleteCB.
void on_completed(void *ev);

// Sets the disconnected, reconnected, closed, error, discovered-servers and lame-duck handlers.
void events_handlers(events *ev, natsOptions *opts);

// ---- one-off helpers ----

// Free TCP port of 127.0.0.1 (free at the time of the call).
int free_port(void);

// Number of threads and of open file descriptors of this process.
int thread_count(void);

// The number of threads once no thread has come or gone for a while.
int settled_threads(void);
int fd_count(void);

// Memory in use by this process, kB.
int64_t resident_kb(void);

// Processor time this process has used so far.
int64_t cpu_ms(void);

// The descriptor that is connected to that port of 127.0.0.1; -1: none.
int client_fd(int port);

// Order of char *, for qsort().
int by_text(const void *a, const void *b);

// How often threads of the library have gone to sleep so far: as often as they were woken.
int64_t library_wakeups(void);

#ifdef __cplusplus
}
#endif

#endif
