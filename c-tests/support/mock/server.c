// The mock itself: its listener, its accepting thread, its knobs.

#include "internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

struct timespec mock_deadline(int64_t end_ms)
{
    return (struct timespec){end_ms / 1000, (end_ms % 1000) * 1000000};
}

void wake_poke(const int wake[2])
{
    if (write(wake[1], "x", 1) < 0 && errno != EAGAIN)
        perror("mock: wake");
}

void wake_drain(const int wake[2])
{
    char buf[64];

    while (read(wake[0], buf, sizeof buf) > 0)
        ;
}

void wake_make(int wake[2])
{
    CHECK(pipe2(wake, O_CLOEXEC | O_NONBLOCK) == 0);
}

void quiet_thread(pthread_t *thread, void *(*run)(void *), void *arg)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    CHECK(pthread_create(thread, NULL, run, arg) == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void poke_all(mock *m)
{
    for (int i = 0; i < m->accepted; i++)
        if (m->conns[i] != NULL)
            wake_poke(m->conns[i]->wake);
}

static conn *latest(mock *m)
{
    return m->accepted ? m->conns[m->accepted - 1] : NULL;
}

conn *conn_at(mock *m, int nth)
{
    if (nth == MOCK_LATEST)
        return latest(m);
    return nth >= 1 && nth <= m->accepted ? m->conns[nth - 1] : NULL;
}

// ---- the listening thread ----

// Frees the connections that have ended. Called with the lock held; their threads do not need it any more.
static void forget_ended(mock *m)
{
    for (int i = 0; i < m->accepted; i++)
    {
        conn *c = m->conns[i];

        if (c == NULL || c->open || c->held > 0)
            continue;
        m->conns[i] = NULL;
        conn_free(c);
    }
}

static void make_room(mock *m)
{
    if (m->accepted < m->room)
        return;
    m->room  = m->room ? 2 * m->room : 64;
    m->conns = realloc(m->conns, (size_t)m->room * sizeof *m->conns);
    CHECK(m->conns != NULL);
}

static void admit(mock *m, int fd)
{
    conn *c   = calloc(1, sizeof *c);
    int   yes = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    c->m           = m;
    c->fd          = fd;
    c->open        = true;
    c->accepted_ms = now_ms();
    c->closed_ms   = -1;
    pthread_mutex_init(&c->write_lock, NULL);
    wake_make(c->wake);
    pthread_mutex_lock(&m->lock);
    if (m->forget)
        forget_ended(m);
    make_room(m);
    m->conns[m->accepted++] = c;
    c->number               = m->accepted;
    quiet_thread(&c->thread, conn_serve, c);
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

static void *accept_all(void *arg)
{
    mock *m = arg;

    for (;;)
    {
        struct pollfd p[2] = {{m->wake[0], POLLIN, 0}, {-1, POLLIN, 0}};
        int           fd;

        pthread_mutex_lock(&m->lock);
        if (m->stop)
        {
            pthread_mutex_unlock(&m->lock);
            return NULL;
        }
        m->polling = m->listening;
        p[1].fd    = m->listening ? m->listener : -1;
        pthread_mutex_unlock(&m->lock);

        poll(p, 2, 1000);
        wake_drain(m->wake);
        pthread_mutex_lock(&m->lock);
        m->polling = false;
        pthread_cond_broadcast(&m->changed);
        fd = m->listening && (p[1].revents & POLLIN) ? accept4(m->listener, NULL, NULL, SOCK_CLOEXEC) : -1;
        pthread_mutex_unlock(&m->lock);
        if (fd >= 0)
            admit(m, fd);
    }
}

// A socket that owns the port; connects are refused until listen().
static int bound_socket(int port)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1;
    int fd  = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    CHECK(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    CHECK_MSG(bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0, "bind to port %d: %s", port,
              strerror(errno));
    return fd;
}

void mock_stop_listening(mock *m)
{
    pthread_mutex_lock(&m->lock);
    if (m->listening)
    {
        m->listening = false;
        wake_poke(m->wake);
        // A socket that is being polled goes on listening after its close.
        while (m->polling)
            pthread_cond_wait(&m->changed, &m->lock);
        close(m->listener);
        m->listener = bound_socket(m->port);
    }
    pthread_mutex_unlock(&m->lock);
}

void mock_listen_again(mock *m)
{
    pthread_mutex_lock(&m->lock);
    if (!m->listening)
    {
        if (m->receive_buffer)
            setsockopt(m->listener, SOL_SOCKET, SO_RCVBUF, &m->receive_buffer, sizeof m->receive_buffer);
        CHECK(listen(m->listener, 64) == 0);
        m->listening = true;
    }
    pthread_mutex_unlock(&m->lock);
    wake_poke(m->wake);
}

mock *mock_create(void)
{
    mock              *m = calloc(1, sizeof *m);
    struct sockaddr_in addr;
    socklen_t          len = sizeof addr;
    pthread_condattr_t attr;

    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&m->changed, &attr);
    pthread_condattr_destroy(&attr);
    m->auto_pong = m->record = true;
    wake_make(m->wake);
    m->listener = bound_socket(0);
    CHECK(getsockname(m->listener, (struct sockaddr *)&addr, &len) == 0);
    m->port = ntohs(addr.sin_port);
    snprintf(m->url, sizeof m->url, "nats://127.0.0.1:%d", m->port);
    mock_listen_again(m);
    quiet_thread(&m->acceptor, accept_all, m);
    return m;
}

void mock_destroy(mock *m)
{
    if (m == NULL)
        return;
    pthread_mutex_lock(&m->lock);
    m->stop = true;
    poke_all(m);
    pthread_mutex_unlock(&m->lock);
    wake_poke(m->wake);
    pthread_join(m->acceptor, NULL);
    close(m->listener);
    poke_all(m); // those admitted after the first round
    for (int i = 0; i < m->accepted; i++)
        if (m->conns[i] != NULL)
            conn_free(m->conns[i]);
    free(m->conns);
    rules_free(m);
    close(m->wake[0]);
    close(m->wake[1]);
    free(m->every_text);
    pthread_mutex_destroy(&m->lock);
    pthread_cond_destroy(&m->changed);
    free(m);
}

int mock_port(mock *m)
{
    return m->port;
}

const char *mock_url(mock *m)
{
    return m->url;
}

// ---- knobs ----

void mock_auto_pong(mock *m, bool on)
{
    pthread_mutex_lock(&m->lock);
    m->auto_pong = on;
    pthread_mutex_unlock(&m->lock);
}

void mock_mute(mock *m)
{
    mock_auto_pong(m, false);
}

void mock_frozen(mock *m, bool on)
{
    int64_t         end   = now_ms() + 2000;
    struct timespec until = mock_deadline(end);

    pthread_mutex_lock(&m->lock);
    m->frozen = on;
    poke_all(m);
    // What the client sends after this call must not be read by a thread that has not looked yet.
    while (on && measure_locked(m, MOCK_ALL, is_reading, NULL) > 0 && now_ms() < end)
        pthread_cond_timedwait(&m->changed, &m->lock, &until);
    pthread_mutex_unlock(&m->lock);
}

void mock_every(mock *m, int ms, const char *text)
{
    pthread_mutex_lock(&m->lock);
    free(m->every_text);
    m->every_ms   = ms;
    m->every_text = ms ? strdup(text) : NULL;
    poke_all(m);
    pthread_mutex_unlock(&m->lock);
}

void mock_chatty(mock *m, int ms)
{
    mock_auto_pong(m, false);
    mock_every(m, ms, "+OK\r\n");
}

void mock_unsolicited_pongs(mock *m, int ms)
{
    mock_auto_pong(m, false);
    mock_every(m, ms, "PONG\r\n");
}

void mock_receive_buffer(mock *m, int bytes)
{
    pthread_mutex_lock(&m->lock);
    m->receive_buffer = bytes;
    setsockopt(m->listener, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    pthread_mutex_unlock(&m->lock);
}

void mock_forget(mock *m)
{
    pthread_mutex_lock(&m->lock);
    m->forget = true;
    pthread_mutex_unlock(&m->lock);
}

void mock_record(mock *m, bool on)
{
    pthread_mutex_lock(&m->lock);
    m->record = on;
    pthread_mutex_unlock(&m->lock);
}
