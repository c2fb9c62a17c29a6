#include "relay.h"

#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_PAIRS 64
#define LOOK_MS   5

typedef struct
{
    relay    *r;
    int       client, server;
    pthread_t thread;
} pair;

struct relay
{
    int             listener, port, target;
    pthread_t       thread;
    atomic_bool     done, stalled, frozen;
    atomic_int      trickle_us, accepted, cuts;
    _Atomic int64_t close_after, stall_after;
    pair            pairs[MAX_PAIRS];
};

static struct sockaddr_in local(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static bool send_all(int fd, const char *data, ssize_t n)
{
    while (n > 0)
    {
        ssize_t sent = send(fd, data, (size_t)n, MSG_NOSIGNAL);

        if (sent < 0)
            return false;
        data += sent;
        n -= sent;
    }
    return true;
}

// Takes n bytes, or what is left, from a limit. A limit set at this moment holds from the next call on.
static int64_t take(_Atomic int64_t *limit, int64_t n)
{
    int64_t left = atomic_load(limit);
    int64_t part = left < 0 || left > n ? n : left;

    while (left >= 0 && !atomic_compare_exchange_weak(limit, &left, left - part))
        part = left < 0 || left > n ? n : left;
    return part;
}

static bool to_client(pair *p, const char *data, int64_t n)
{
    relay *r = p->r;

    while (n > 0 && !atomic_load(&r->done))
    {
        int     us   = atomic_load(&r->trickle_us);
        int64_t part = us > 0 ? 1 : n;

        if (atomic_load(&r->stalled) || atomic_load(&r->frozen))
            part = 0;
        part = take(&r->close_after, take(&r->stall_after, part));
        if (part > 0 && !send_all(p->client, data, part))
            return false;
        data += part;
        n -= part;
        if (atomic_load(&r->close_after) == 0)
            return false;
        if (part == 0)
            pace_ms(1);
        else if (us > 0)
            usleep((useconds_t)us);
    }
    return true;
}

static void *serve(void *arg)
{
    pair  *p    = arg;
    relay *r    = p->r;
    int    cuts = atomic_load(&r->cuts);
    char   buf[65536];

    while (!atomic_load(&r->done) && atomic_load(&r->cuts) == cuts)
    {
        struct pollfd fds[2] = {{p->client, POLLIN, 0}, {p->server, POLLIN, 0}};

        if (atomic_load(&r->frozen))
        {
            pace_ms(1);
            continue;
        }
        if (poll(fds, 2, LOOK_MS) <= 0)
            continue;
        if (fds[0].revents)
        {
            ssize_t n = recv(p->client, buf, sizeof buf, 0);

            if (n <= 0 || !send_all(p->server, buf, n))
                break;
        }
        if (fds[1].revents)
        {
            ssize_t n = recv(p->server, buf, sizeof buf, 0);

            if (n <= 0 || !to_client(p, buf, n))
                break;
        }
    }
    close(p->server);
    close(p->client);
    return NULL;
}

static void *accept_all(void *arg)
{
    relay *r = arg;

    while (!atomic_load(&r->done))
    {
        struct pollfd      fd      = {r->listener, POLLIN, 0};
        struct sockaddr_in address = local(r->target);
        int                n       = atomic_load(&r->accepted);
        pair              *p;

        if (poll(&fd, 1, LOOK_MS) <= 0 || n == MAX_PAIRS)
            continue;
        p         = &r->pairs[n];
        p->r      = r;
        p->client = accept(r->listener, NULL, NULL);
        p->server = socket(AF_INET, SOCK_STREAM, 0);
        if (p->client < 0)
            continue;
        if (connect(p->server, (struct sockaddr *)&address, sizeof address) != 0)
        {
            close(p->client);
            close(p->server);
            continue;
        }
        pthread_create(&p->thread, NULL, serve, p);
        atomic_fetch_add(&r->accepted, 1);
    }
    return NULL;
}

relay *relay_create(int port)
{
    relay             *r       = calloc(1, sizeof *r);
    struct sockaddr_in address = local(0);
    socklen_t          len     = sizeof address;

    r->target = port;
    atomic_store(&r->close_after, -1);
    atomic_store(&r->stall_after, -1);
    r->listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(r->listener, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(r->listener, 16) == 0);
    CHECK(getsockname(r->listener, (struct sockaddr *)&address, &len) == 0);
    r->port = ntohs(address.sin_port);
    CHECK(pthread_create(&r->thread, NULL, accept_all, r) == 0);
    return r;
}

void relay_destroy(relay *r)
{
    atomic_store(&r->done, true);
    pthread_join(r->thread, NULL);
    for (int i = 0; i < atomic_load(&r->accepted); i++)
        pthread_join(r->pairs[i].thread, NULL);
    close(r->listener);
    free(r);
}

int relay_port(relay *r)
{
    return r->port;
}

int relay_accepted(relay *r)
{
    return atomic_load(&r->accepted);
}

void relay_trickle(relay *r, int us)
{
    atomic_store(&r->trickle_us, us);
}

void relay_stall(relay *r, bool on)
{
    atomic_store(&r->stalled, on);
}

void relay_freeze(relay *r, bool on)
{
    atomic_store(&r->frozen, on);
}

void relay_close_after(relay *r, int64_t bytes)
{
    atomic_store(&r->close_after, bytes);
}

void relay_stall_after(relay *r, int64_t bytes)
{
    atomic_store(&r->stall_after, bytes);
}

void relay_cut(relay *r)
{
    atomic_fetch_add(&r->cuts, 1);
}
