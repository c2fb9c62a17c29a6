// main() of the test programs. Kept apart from test.c: parity programs bring a main of their own.

#include "test.h"

#include "runner.h"

#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static test_case *first_test, **last_test = &first_test;
static int        time_limit_ms; // of --timeout, 0: each test's own

void test_register(test_case *test)
{
    *last_test = test;
    last_test  = &test->next;
}

// Prints where the main thread hangs; the process is killed right afterwards.
static void report_hang(int sig)
{
    void       *frames[64];
    int         n;
    const char *text = "    stack of the main thread:\n";

    (void)sig;
    dprintf(STDOUT_FILENO, "    last seen at %s:%d\n", test_now.at_file, test_now.at_line);
    if (write(STDOUT_FILENO, text, strlen(text)) < 0)
        return;
    n = backtrace(frames, 64);
    backtrace_symbols_fd(frames, n, STDOUT_FILENO);
    // Not safe in a signal handler in theory; the process is lost anyway.
    test_clean_up();
    if (!test_now.forked)
    {
        test_now.failed++;
        test_summary();
        _exit(1);
    }
}

static void alarm_expired(int sig)
{
    dprintf(STDOUT_FILENO, "FAIL %s: timeout\n", test_now.name);
    report_hang(sig);
}

static int limit_of(const test_case *test)
{
    // Under valgrind, say, everything takes several times as long.
    const char *patience = getenv("NATS_TESTS_PATIENCE");

    return time_limit_ms ? time_limit_ms : test->timeout_ms * (patience ? atoi(patience) : 1);
}

_Noreturn static void run_in_child(const test_case *test)
{
    void *warm_up[4];

    test_now.forked = true;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    backtrace(warm_up, 4); // loads what it needs now, not inside the signal handler
    signal(SIGUSR2, report_hang);
    test->run();
    exit(0);
}

// Waits for the child; returns false when it had to be killed.
static bool wait_for_child(pid_t pid, int limit_ms, int *status)
{
    int64_t end  = now_ms() + limit_ms;
    int     step = 1;

    while (waitpid(pid, status, WNOHANG) == 0)
    {
        if (now_ms() > end)
            return false;
        pace_ms(step);
        if (step < 5)
            step++;
    }
    return true;
}

static void run_forked(const test_case *test)
{
    int   status = 0;
    pid_t pid;

    fflush(stdout);
    fflush(stderr);
    pid = fork();
    if (pid == 0)
        run_in_child(test);
    if (!wait_for_child(pid, limit_of(test), &status))
    {
        printf("FAIL %s: timeout after %d ms\n", test->name, limit_of(test));
        fflush(stdout);
        test_now.failed++;
        // To the main thread: its stack is the one that tells what the test was doing.
        syscall(SYS_tgkill, pid, pid, SIGUSR2);
        pace_ms(300);
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        return;
    }
    kill(-pid, SIGKILL);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    {
        printf("ok %s\n", test->name);
        test_now.passed++;
    }
    else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED)
        test_now.skipped++;
    else
    {
        test_now.failed++;
        if (WIFSIGNALED(status))
            printf("FAIL %s: killed by signal %d (%s)\n", test->name, WTERMSIG(status),
                   strsignal(WTERMSIG(status)));
        else if (WEXITSTATUS(status) != EXIT_FAILED)
            printf("FAIL %s: exited with status %d\n", test->name, WEXITSTATUS(status));
    }
    fflush(stdout);
}

static void run_here(const test_case *test)
{
    signal(SIGALRM, alarm_expired);
    alarm((unsigned)((limit_of(test) + 999) / 1000));
    test->run();
    alarm(0);
    printf("ok %s\n", test->name);
    test_now.passed++;
}

static bool wanted(const char *name, int argc, char **argv)
{
    bool any = false;

    for (int i = 1; i < argc; i++)
    {
        if (argv[i] == NULL)
            continue;
        any = true;
        if (strcmp(argv[i], name) == 0)
            return true;
    }
    return !any;
}

static bool exists(const char *name)
{
    for (test_case *t = first_test; t != NULL; t = t->next)
        if (strcmp(t->name, name) == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    bool fork_each = true, list = false;

    for (int i = 1; i < argc; i++)
    {
        if (strcmp(argv[i], "--list") == 0)
            list = true;
        else if (strcmp(argv[i], "--no-fork") == 0)
            fork_each = false;
        else if (strcmp(argv[i], "--timeout") == 0 && i + 1 < argc)
        {
            argv[i++]     = NULL;
            time_limit_ms = atoi(argv[i]) * 1000;
        }
        else if (exists(argv[i]))
            continue;
        else
        {
            fprintf(stderr, "no test of the name %s (try --list)\n", argv[i]);
            return 2;
        }
        argv[i] = NULL;
    }
    for (test_case *t = first_test; t != NULL; t = t->next)
    {
        if (!wanted(t->name, argc, argv))
            continue;
        if (list)
        {
            printf("%s\n", t->name);
            continue;
        }
        test_now.name = t->name;
        fork_each ? run_forked(t) : run_here(t);
    }
    if (!list)
        test_summary();
    return test_now.failed ? 1 : 0;
}
