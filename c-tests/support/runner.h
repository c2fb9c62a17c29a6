// Shared by test.c and runner.c only.

#ifndef C_TESTS_SUPPORT_RUNNER_H
#define C_TESTS_SUPPORT_RUNNER_H

#include <stdbool.h>

enum
{
    EXIT_FAILED  = 99, // the test failed and has printed its line
    EXIT_SKIPPED = 98,
};

// The test that runs and the score so far.
typedef struct
{
    const char *name;
    bool        forked;
    int         passed, failed, skipped;
    // Where the test was last seen, for the report of a hang; written without a lock on purpose.
    const char *volatile at_file;
    volatile int at_line;
} test_run;

extern test_run test_now;

void test_summary(void);

// Runs what test_at_end registered, once.
void test_clean_up(void);

#endif
