// What tests ask of this process and its machine.

#include "test.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

int free_port(void)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t          len  = sizeof addr;
    int                fd   = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&addr, &len) == 0);
    close(fd);
    return ntohs(addr.sin_port);
}

static int entries(const char *path)
{
    DIR           *dir = opendir(path);
    struct dirent *e;
    int            n = 0;

    CHECK(dir != NULL);
    while ((e = readdir(dir)) != NULL)
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

int thread_count(void)
{
    return entries("/proc/self/task");
}

int settled_threads(void)
{
    int     n   = thread_count(), now;
    int64_t end = now_ms() + 5000, since = now_ms();

    while (now_ms() - since < 100 && now_ms() < end)
    {
        pace_ms(2);
        now = thread_count();
        if (now != n)
            since = now_ms();
        n = now;
    }
    return n;
}

int fd_count(void)
{
    return entries("/proc/self/fd") - 1; // the directory itself was open
}

int64_t resident_kb(void)
{
    FILE *f     = fopen("/proc/self/statm", "r");
    long  total = 0, pages = 0;

    CHECK(f != NULL && fscanf(f, "%ld %ld", &total, &pages) == 2);
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

// The thread's voluntary context switches if it is the library's, else 0.
static int64_t wakeups_of(const char *thread)
{
    char    path[300], line[200];
    int64_t n    = 0;
    bool    ours = false;
    FILE   *f;

    snprintf(path, sizeof path, "/proc/self/task/%s/status", thread);
    f = fopen(path, "r");
    if (f == NULL)
        return 0; // it has ended
    while (fgets(line, sizeof line, f) != NULL)
    {
        if (strncmp(line, "Name:", 5) == 0)
            ours = strstr(line, "nats-") != NULL;
        sscanf(line, "voluntary_ctxt_switches: %" SCNd64, &n);
    }
    fclose(f);
    return ours ? n : 0;
}

int64_t library_wakeups(void)
{
    DIR           *dir = opendir("/proc/self/task");
    struct dirent *e;
    int64_t        n = 0;

    CHECK(dir != NULL);
    while ((e = readdir(dir)) != NULL)
        if (e->d_name[0] != '.')
            n += wakeups_of(e->d_name);
    closedir(dir);
    return n;
}

int64_t cpu_ms(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
           (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

int client_fd(int port)
{
    for (int fd = 0; fd < 1024; fd++)
    {
        struct sockaddr_in peer;
        socklen_t          len = sizeof peer;

        if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 && peer.sin_family == AF_INET &&
            ntohs(peer.sin_port) == port)
            return fd;
    }
    return -1;
}

int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}
