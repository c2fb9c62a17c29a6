#include "test.h"

#include "runner.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

test_run test_now = {.at_file = "?"};

// ---- clock ----

int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void sleep_us(int64_t us)
{
    struct timespec left = {us / 1000000, (us % 1000000) * 1000};
    while (nanosleep(&left, &left) == -1 && errno == EINTR)
        ;
}

void quiet_ms(int64_t ms)
{
    sleep_us(ms * 1000);
}

void pace_us(int64_t us)
{
    sleep_us(us);
}

void pace_ms(int64_t ms)
{
    sleep_us(ms * 1000);
}

// ---- tests ----

void test_at(const char *file, int line)
{
    __atomic_store_n(&test_now.at_file, file, __ATOMIC_RELAXED);
    __atomic_store_n(&test_now.at_line, line, __ATOMIC_RELAXED);
}

static void (*at_end[16])(void);
static int at_end_count;

void test_at_end(void (*fn)(void))
{
    if (at_end_count == 0)
        atexit(test_clean_up);
    CHECK(at_end_count < 16);
    at_end[at_end_count++] = fn;
}

void test_clean_up(void)
{
    while (at_end_count > 0)
        at_end[--at_end_count]();
}

void test_summary(void)
{
    printf("%d passed, %d failed, %d skipped\n", test_now.passed, test_now.failed, test_now.skipped);
    fflush(stdout);
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
    static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
    char                   why[1024];
    va_list                args;
    const char            *base = strrchr(file, '/');

    // Never unlocked: the first failure is the one that is told.
    pthread_mutex_lock(&once);
    va_start(args, fmt);
    vsnprintf(why, sizeof why, fmt, args);
    va_end(args);
    printf("FAIL %s: %s:%d: %s\n", test_now.name ? test_now.name : "?", base ? base + 1 : file, line, why);
    fflush(stdout);
    test_clean_up();
    if (!test_now.forked)
    {
        test_now.failed++;
        test_summary();
    }
    _exit(test_now.forked ? EXIT_FAILED : 1);
}

void test_skip(const char *fmt, ...)
{
    char    why[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(why, sizeof why, fmt, args);
    va_end(args);
    printf("skip %s: %s\n", test_now.name ? test_now.name : "?", why);
    fflush(stdout);
    test_clean_up();
    if (!test_now.forked)
    {
        test_now.skipped++;
        test_summary();
    }
    _exit(test_now.forked ? EXIT_SKIPPED : 0);
}

void test_check_status(const char *file, int line, const char *expr, natsStatus got, natsStatus want)
{
    if (got != want)
        test_fail(file, line, "%s: got %d (%s), want %d (%s)", expr, (int)got, natsStatus_GetText(got),
                  (int)want, natsStatus_GetText(want));
}

void test_check_int(const char *file, int line, const char *expr, int64_t got, int64_t want)
{
    if (got != want)
        test_fail(file, line, "%s: got %lld, want %lld", expr, (long long)got, (long long)want);
}

void test_check_str(const char *file, int line, const char *expr, const char *got, const char *want)
{
    if (got == want || (got && want && strcmp(got, want) == 0))
        return;
    test_fail(file, line, "%s: got \"%s\", want \"%s\"", expr, got ? got : "(null)", want ? want : "(null)");
}

void test_check_range(const char *file, int line, const char *expr, int64_t got, int64_t low, int64_t high)
{
    if (got < low || got > high)
        test_fail(file, line, "%s: got %lld, want %lld to %lld", expr, (long long)got, (long long)low,
                  (long long)high);
}
