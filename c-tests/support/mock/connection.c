// A connection's thread in the mock.

#include "internal.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

bool conn_send(conn *c, const void *data, size_t len)
{
    const char *at  = data;
    int64_t     end = now_ms() + 10000;
    bool        ok  = true;

    pthread_mutex_lock(&c->write_lock);
    while (len > 0 && ok)
    {
        ssize_t n = send(c->fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n >= 0)
        {
            at += n;
            len -= (size_t)n;
        }
        else if (errno == EAGAIN && now_ms() < end)
        {
            struct pollfd p = {c->fd, POLLOUT, 0};
            poll(&p, 1, 100);
        }
        else if (errno != EINTR)
            ok = false;
    }
    pthread_mutex_unlock(&c->write_lock);
    return ok;
}

static void close_socket(conn *c, bool by_reset)
{
    struct linger now = {1, 0};

    // No send may be under way on a number that could be another file's next.
    pthread_mutex_lock(&c->write_lock);
    if (by_reset)
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    else
        shutdown(c->fd, SHUT_WR);
    close(c->fd);
    c->fd = -1;
    pthread_mutex_unlock(&c->write_lock);
}

static void ended(conn *c, bool reset_by_client)
{
    pthread_mutex_lock(&c->m->lock);
    c->open      = false;
    c->reset     = reset_by_client;
    c->closed_ms = now_ms();
    c->command   = DO_NOTHING;
    pthread_cond_broadcast(&c->m->changed);
    pthread_mutex_unlock(&c->m->lock);
}

// Bytes that were never read would turn the FIN into a RST.
static void discard_input(conn *c)
{
    char buf[65536];

    while (recv(c->fd, buf, sizeof buf, MSG_DONTWAIT) > 0)
        ;
}

// Does what was asked for; false when the connection is over.
static bool obey(conn *c)
{
    command cmd;

    wake_drain(c->wake);
    pthread_mutex_lock(&c->m->lock);
    cmd = c->m->stop ? DO_RESET : c->command;
    if (cmd == DO_HALF_CLOSE)
    {
        shutdown(c->fd, SHUT_WR);
        c->command = DO_NOTHING;
        pthread_cond_broadcast(&c->m->changed);
    }
    pthread_mutex_unlock(&c->m->lock);
    if (cmd != DO_CLOSE && cmd != DO_RESET)
        return true;
    if (cmd == DO_CLOSE)
        discard_input(c);
    close_socket(c, cmd == DO_RESET);
    ended(c, false);
    return false;
}

// Sends the periodic text when it is due; returns how long to wait for the next.
static int periodic(conn *c)
{
    mock *m = c->m;
    char *text;
    int   every;

    pthread_mutex_lock(&m->lock);
    every = c->handshaken ? m->every_ms : 0;
    text  = every ? strdup(m->every_text) : NULL;
    pthread_mutex_unlock(&m->lock);
    if (every == 0)
    {
        c->next_periodic = 0;
        return 1000;
    }
    if (now_ms() >= c->next_periodic)
    {
        conn_send(c, text, strlen(text));
        c->next_periodic = now_ms() + every;
    }
    free(text);
    every = (int)(c->next_periodic - now_ms());
    return every > 0 ? every : 0;
}

static bool reading(conn *c)
{
    bool on;

    pthread_mutex_lock(&c->m->lock);
    on        = !c->m->frozen || !c->handshaken;
    c->frozen = !on;
    pthread_cond_broadcast(&c->m->changed);
    pthread_mutex_unlock(&c->m->lock);
    return on;
}

static bool refuse_at_once(conn *c)
{
    mock_greeting how = (mock_greeting)rule_value(c->m, RULE_ACCEPT, c->number, MOCK_GREET);

    if (how != MOCK_CLOSE_AT_ONCE && how != MOCK_RESET_AT_ONCE)
        return false;
    close_socket(c, how == MOCK_RESET_AT_ONCE);
    ended(c, false);
    return true;
}

void *conn_serve(void *arg)
{
    conn *c = arg;
    char *buf;

    if (refuse_at_once(c))
        return NULL;
    conn_greet(c);
    buf = malloc(65536);
    while (obey(c))
    {
        bool          read_now = reading(c);
        struct pollfd p[2]     = {{c->wake[0], POLLIN, 0}, {c->fd, POLLIN, 0}};
        ssize_t       n;

        poll(p, read_now ? 2 : 1, periodic(c));
        if (!read_now || !(p[1].revents & (POLLIN | POLLHUP | POLLERR)))
            continue;
        n = recv(c->fd, buf, 65536, MSG_DONTWAIT);
        if (n > 0)
            conn_take_bytes(c, buf, (size_t)n);
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        {
            bool was_reset = n < 0;

            close_socket(c, false);
            ended(c, was_reset);
            break;
        }
    }
    free(buf);
    return NULL;
}

void conn_free(conn *c)
{
    pthread_join(c->thread, NULL);
    for (int i = 0; i < c->got.line_count; i++)
        free(c->got.lines[i].text);
    free(c->got.lines);
    free(c->got.raw);
    free(c->in.partial);
    close(c->wake[0]);
    close(c->wake[1]);
    pthread_mutex_destroy(&c->write_lock);
    free(c);
}
