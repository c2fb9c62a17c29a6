#include "calls.h"

#include <dirent.h>
#include <inttypes.h>
#include <sys/syscall.h>
#include <unistd.h>

enum
{
    ASLEEP_MS = 20, // without waking in between: one that only waits for a lock goes on sooner
};

static void *enter(void *arg)
{
    caller *c = arg;

    atomic_store(&c->tid, (int)syscall(SYS_gettid));
    return c->run(c->arg);
}

void caller_start(caller *c, void *(*run)(void *), void *arg)
{
    c->run = run;
    c->arg = arg;
    atomic_store(&c->tid, 0);
    CHECK(pthread_create(&c->thread, NULL, enter, c) == 0);
}

// How often the thread has gone to sleep if it sleeps now, -1 if it runs, -2 if it has ended.
static int64_t sleeps(int tid)
{
    char    path[64], line[200], state = 'R';
    int64_t n = 0;
    FILE   *f;

    snprintf(path, sizeof path, "/proc/self/task/%d/status", tid);
    f = fopen(path, "r");
    if (f == NULL)
        return -2;
    while (fgets(line, sizeof line, f) != NULL)
    {
        sscanf(line, "State: %c", &state);
        sscanf(line, "voluntary_ctxt_switches: %" SCNd64, &n);
    }
    fclose(f);
    return state == 'S' ? n : -1;
}

void caller_asleep(caller *c)
{
    int64_t end = now_ms() + 5000, since = now_ms(), before = -1;

    WAIT_FOR(atomic_load(&c->tid) != 0, 5000);
    while (now_ms() - since < ASLEEP_MS)
    {
        int64_t now = sleeps(atomic_load(&c->tid));

        if (now == -2)
            return;
        CHECK_MSG(now_ms() < end, "the thread does not sleep");
        if (now == -1 || now != before)
            since = now_ms();
        before = now;
        pace_ms(1);
    }
}

// How often the other threads have gone to sleep if all of them sleep now, else -1.
static int64_t others_sleep(void)
{
    DIR           *dir = opendir("/proc/self/task");
    struct dirent *e;
    int            own   = (int)syscall(SYS_gettid);
    int64_t        total = 0;

    CHECK(dir != NULL);
    while (total >= 0 && (e = readdir(dir)) != NULL)
    {
        int64_t n = e->d_name[0] == '.' || atoi(e->d_name) == own ? 0 : sleeps(atoi(e->d_name));

        total = n == -1 ? -1 : n == -2 ? total : total + n;
    }
    closedir(dir);
    return total;
}

void others_asleep(void)
{
    int64_t end = now_ms() + 5000, since = now_ms(), before = -1;

    while (now_ms() - since < ASLEEP_MS)
    {
        int64_t now = others_sleep();

        CHECK_MSG(now_ms() < end, "the other threads do not sleep");
        if (now == -1 || now != before)
            since = now_ms();
        before = now;
        pace_ms(1);
    }
}

void *caller_join(caller *c)
{
    void *result = NULL;

    CHECK(pthread_join(c->thread, &result) == 0);
    return result;
}

static void *flush(void *arg)
{
    flushing *f = arg;
    int64_t   t = now_ms();

    f->status = natsConnection_FlushTimeout(f->nc, f->timeout);
    f->took   = now_ms() - t;
    return NULL;
}

void flush_begin(flushing *f, natsConnection *nc, int64_t timeout)
{
    f->nc      = nc;
    f->timeout = timeout;
    f->status  = NATS_ERR;
    caller_start(&f->by, flush, f);
}

natsStatus flush_end(flushing *f)
{
    caller_join(&f->by);
    return f->status;
}

natsStatus publish_until_stuck(natsConnection *nc, int64_t *took)
{
    static char data[16384];
    natsStatus  s;

    do
    {
        int64_t t = now_ms();

        s     = natsConnection_Publish(nc, "foo", data, sizeof data);
        *took = now_ms() - t;
    } while (s == NATS_OK);
    return s;
}
