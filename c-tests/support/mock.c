#include "mock.h"

#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_INFO                                                                                         \
    "{\"server_id\":\"MOCK\",\"server_name\":\"mock\",\"version\":\"2.10.0\",\"host\":\"127.0.0.1\","        \
    "\"port\":%port,\"headers\":true,\"max_payload\":1048576,\"proto\":1,\"client_id\":%cid,"                \
    "\"client_ip\":\"127.0.0.1\"}"

enum
{
    RECORD_LIMIT = 16 << 20, // bytes recorded per connection
};

typedef enum
{
    RULE_ACCEPT,
    RULE_INFO,
    RULE_GREETING,
    RULE_REPLY,
    RULE_BEFORE,
    RULE_AFTER,
    RULE_CLOSE,
} rule_kind;

typedef struct rule
{
    rule_kind    kind;
    int          nth;
    int          value;
    char        *text;
    struct rule *next;
} rule;

typedef enum
{
    DO_NOTHING,
    DO_CLOSE,
    DO_RESET,
    DO_HALF_CLOSE,
} command;

typedef struct
{
    char   *text;
    int64_t ms;
} line;

typedef struct
{
    mock           *m;
    int             number; // from 1
    int             fd;
    int             wake[2];
    pthread_t       thread;
    pthread_mutex_t write_lock; // one send at a time

    // Guarded by the mock's lock.
    command command;
    int     held; // by calls that wait while they look at it
    bool    open, handshaken, reset, half_closed;
    bool    verbose;
    bool    frozen; // has seen that it is to read no more
    int64_t accepted_ms, closed_ms;
    int     pings, pongs;
    int64_t pubs, bytes;
    line   *lines;
    int     line_count, line_room;
    char   *raw;
    size_t  raw_len, raw_room;

    // Only the connection's thread.
    char  *partial;
    size_t partial_len, partial_room;
    size_t payload_left; // of the PUB that is being read, CRLF included
    size_t payload_size;
    int64_t next_periodic;
} conn;

struct mock
{
    pthread_mutex_t lock;
    pthread_cond_t  changed;
    pthread_t       acceptor;
    int             wake[2];
    int             listener;
    int             port;
    char            url[64];
    bool            listening, stop;
    bool            polling; // the accepting thread holds on to the listener right now

    rule *rules;
    bool  auto_pong, frozen, record, forget;
    int   every_ms;
    char *every_text;
    int   receive_buffer;

    conn **conns; // NULL where one is forgotten
    int    room, accepted, connected;
};

// ---- small helpers ----

static struct timespec deadline(int64_t end_ms)
{
    return (struct timespec){end_ms / 1000, (end_ms % 1000) * 1000000};
}

static void poke(const int wake[2])
{
    if (write(wake[1], "x", 1) < 0 && errno != EAGAIN)
        perror("mock: wake");
}

static void drain_pokes(const int wake[2])
{
    char buf[64];

    while (read(wake[0], buf, sizeof buf) > 0)
        ;
}

static void make_wake(int wake[2])
{
    CHECK(pipe2(wake, O_CLOEXEC | O_NONBLOCK) == 0);
}

static void start_thread(pthread_t *thread, void *(*run)(void *), void *arg)
{
    sigset_t all, before;

    // Signals a test sends are for the program's and the library's threads.
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    CHECK(pthread_create(thread, NULL, run, arg) == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void poke_all(mock *m)
{
    for (int i = 0; i < m->accepted; i++)
        if (m->conns[i] != NULL)
            poke(m->conns[i]->wake);
}

static conn *latest(mock *m)
{
    return m->accepted ? m->conns[m->accepted - 1] : NULL;
}

static conn *conn_at(mock *m, int nth)
{
    if (nth == MOCK_LATEST)
        return latest(m);
    return nth >= 1 && nth <= m->accepted ? m->conns[nth - 1] : NULL;
}

// ---- rules ----

static void set_rule(mock *m, rule_kind kind, int nth, int value, const char *text)
{
    rule *r = calloc(1, sizeof *r);

    *r = (rule){kind, nth, value, text ? strdup(text) : NULL, NULL};
    pthread_mutex_lock(&m->lock);
    r->next  = m->rules;
    m->rules = r;
    pthread_mutex_unlock(&m->lock);
}

// The newest rule for exactly that connection, else the newest for all.
static const rule *find_rule(mock *m, rule_kind kind, int nth)
{
    const rule *general = NULL;

    for (const rule *r = m->rules; r != NULL; r = r->next)
    {
        if (r->kind != kind)
            continue;
        if (r->nth == nth)
            return r;
        if (r->nth == MOCK_ALL && general == NULL)
            general = r;
    }
    return general;
}

static int rule_value(mock *m, rule_kind kind, int nth, int otherwise)
{
    const rule *r;
    int         value;

    pthread_mutex_lock(&m->lock);
    r     = find_rule(m, kind, nth);
    value = r ? r->value : otherwise;
    pthread_mutex_unlock(&m->lock);
    return value;
}

// A copy to free, or NULL.
static char *rule_text(mock *m, rule_kind kind, int nth)
{
    const rule *r;
    char       *text;

    pthread_mutex_lock(&m->lock);
    r    = find_rule(m, kind, nth);
    text = r && r->text ? strdup(r->text) : NULL;
    pthread_mutex_unlock(&m->lock);
    return text;
}

void mock_on_accept(mock *m, int nth, mock_greeting what)
{
    set_rule(m, RULE_ACCEPT, nth, what, NULL);
}

void mock_info(mock *m, int nth, const char *json)
{
    set_rule(m, RULE_INFO, nth, 0, json);
}

void mock_greeting_text(mock *m, int nth, const char *text)
{
    set_rule(m, RULE_GREETING, nth, 0, text);
}

void mock_handshake_reply(mock *m, int nth, const char *text)
{
    set_rule(m, RULE_REPLY, nth, 0, text);
}

void mock_before_pong(mock *m, int nth, const char *text)
{
    set_rule(m, RULE_BEFORE, nth, 0, text);
}

void mock_after_pong(mock *m, int nth, const char *text)
{
    set_rule(m, RULE_AFTER, nth, 0, text);
}

void mock_close_in_handshake(mock *m, int nth, bool on)
{
    set_rule(m, RULE_CLOSE, nth, on, NULL);
}

// ---- sending ----

// Waits at most 10 seconds for a client that does not read.
static bool send_all(conn *c, const void *data, size_t len)
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

static void drip(conn *c, const char *text, int ms)
{
    for (; *text; text++)
    {
        send_all(c, text, 1);
        sleep_ms(ms);
    }
}

static char *replace(char *text, const char *what, int by)
{
    char *at, *out;

    while ((at = strstr(text, what)) != NULL)
    {
        size_t size = strlen(text) + 16;

        out = malloc(size);
        snprintf(out, size, "%.*s%d%s", (int)(at - text), text, by, at + strlen(what));
        free(text);
        text = out;
    }
    return text;
}

static char *info_line(conn *c)
{
    char  *json = rule_text(c->m, RULE_INFO, c->number), *text;
    size_t size;

    json = replace(json ? json : strdup(DEFAULT_INFO), "%port", c->m->port);
    json = replace(json, "%cid", c->number);
    size = strlen(json) + 16;
    text = malloc(size);
    snprintf(text, size, "INFO %s\r\n", json);
    free(json);
    return text;
}

// A form feed is a pause.
static void send_paced(conn *c, const char *text)
{
    size_t len = strcspn(text, "\f");

    send_all(c, text, len);
    for (text += len; *text == '\f'; text += len)
    {
        sleep_ms(50);
        len = strcspn(++text, "\f");
        send_all(c, text, len);
    }
}

static void greet(conn *c)
{
    mock_greeting how  = (mock_greeting)rule_value(c->m, RULE_ACCEPT, c->number, MOCK_GREET);
    char         *text = rule_text(c->m, RULE_GREETING, c->number);

    if (text == NULL)
        text = info_line(c);
    switch (how)
    {
    case MOCK_SPLIT_INFO:
        send_all(c, text, strlen(text) - 1);
        sleep_ms(50);
        send_all(c, "\n", 1);
        break;
    case MOCK_DRIP_INFO:
        drip(c, text, 5);
        break;
    case MOCK_GREET:
        send_paced(c, text);
        break;
    default:
        break;
    }
    free(text);
}

static void answer_handshake(conn *c)
{
    mock *m      = c->m;
    char *reply  = rule_text(m, RULE_REPLY, c->number);
    char *before = rule_text(m, RULE_BEFORE, c->number);
    char *after  = rule_text(m, RULE_AFTER, c->number);
    char *all;
    size_t size;

    // Counted first: a client that has read the answer must find itself counted.
    pthread_mutex_lock(&m->lock);
    c->handshaken = true;
    if (reply == NULL)
        m->connected++;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);

    size = (reply ? strlen(reply) : 6) + (before ? strlen(before) : 0) + (after ? strlen(after) : 0) + 1;
    all  = malloc(size);
    snprintf(all, size, "%s%s%s", before ? before : "", reply ? reply : "PONG\r\n", after ? after : "");
    send_all(c, all, strlen(all));
    free(all);
    free(reply);
    free(before);
    free(after);
}

// ---- receiving ----

static void record_line(conn *c, const char *text, size_t len)
{
    line *l;

    if (!c->m->record || c->raw_len >= RECORD_LIMIT)
        return;
    if (c->line_count == c->line_room)
    {
        c->line_room = c->line_room ? 2 * c->line_room : 64;
        c->lines     = realloc(c->lines, (size_t)c->line_room * sizeof *c->lines);
    }
    l       = &c->lines[c->line_count++];
    l->text = malloc(len + 1);
    l->ms   = now_ms();
    memcpy(l->text, text, len);
    l->text[len] = '\0';
}

static void record_raw(conn *c, const char *data, size_t len)
{
    c->bytes += (int64_t)len;
    if (!c->m->record || c->raw_len >= RECORD_LIMIT)
        return;
    if (c->raw_len + len > c->raw_room)
    {
        c->raw_room = 2 * (c->raw_len + len);
        c->raw      = realloc(c->raw, c->raw_room);
    }
    memcpy(c->raw + c->raw_len, data, len);
    c->raw_len += len;
}

static bool starts(const char *text, const char *prefix)
{
    return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

static size_t payload_size(const char *pub)
{
    const char *last = strrchr(pub, ' ');

    return last ? (size_t)strtoul(last + 1, NULL, 10) : 0;
}

// One complete protocol line, under the lock; tells what has to be answered after the lock is gone.
typedef enum
{
    ANSWER_NOTHING,
    ANSWER_OK,
    ANSWER_PONG,
    ANSWER_HANDSHAKE,
} answer;

static answer take_line(conn *c, const char *text)
{
    record_line(c, text, strlen(text));
    if (starts(text, "CONNECT "))
    {
        c->verbose = strstr(text, "\"verbose\":true") != NULL;
        return c->verbose ? ANSWER_OK : ANSWER_NOTHING;
    }
    if (starts(text, "PING"))
    {
        if (!c->handshaken)
            return ANSWER_HANDSHAKE;
        c->pings++;
        return c->m->auto_pong ? ANSWER_PONG : ANSWER_NOTHING;
    }
    if (starts(text, "PONG"))
        c->pongs++;
    if (starts(text, "PUB ") || starts(text, "HPUB "))
    {
        c->pubs++;
        c->payload_size = payload_size(text);
        c->payload_left = c->payload_size + 2;
        return ANSWER_NOTHING;
    }
    return c->verbose && (starts(text, "SUB ") || starts(text, "UNSUB ")) ? ANSWER_OK : ANSWER_NOTHING;
}

// Takes the next line or payload off the front of data; returns the bytes used, 0 when it is incomplete.
static size_t take_one(conn *c, char *data, size_t len, answer *a)
{
    char  *end;
    size_t used;

    *a = ANSWER_NOTHING;
    if (c->payload_left > 0)
    {
        if (len < c->payload_left)
            return 0;
        used = c->payload_left;
        record_line(c, data, c->payload_size);
        c->payload_left = 0;
        *a              = c->verbose ? ANSWER_OK : ANSWER_NOTHING;
        return used;
    }
    end = memchr(data, '\n', len);
    if (end == NULL)
        return 0;
    used = (size_t)(end - data) + 1;
    *end = '\0';
    if (end > data && end[-1] == '\r')
        end[-1] = '\0';
    *a = take_line(c, data);
    return used;
}

static void give(conn *c, answer a)
{
    if (a == ANSWER_OK)
        send_all(c, "+OK\r\n", 5);
    else if (a == ANSWER_PONG)
        send_all(c, "PONG\r\n", 6);
    else if (a == ANSWER_HANDSHAKE && rule_value(c->m, RULE_CLOSE, c->number, false))
    {
        pthread_mutex_lock(&c->m->lock);
        c->command = DO_CLOSE;
        pthread_mutex_unlock(&c->m->lock);
    }
    else if (a == ANSWER_HANDSHAKE)
        answer_handshake(c);
}

static void take_bytes(conn *c, const char *data, size_t len)
{
    size_t at = 0, used;
    answer a;

    if (c->partial_len + len > c->partial_room)
    {
        c->partial_room = 2 * (c->partial_len + len);
        c->partial      = realloc(c->partial, c->partial_room);
    }
    memcpy(c->partial + c->partial_len, data, len);
    c->partial_len += len;

    pthread_mutex_lock(&c->m->lock);
    record_raw(c, data, len);
    while (at < c->partial_len && (used = take_one(c, c->partial + at, c->partial_len - at, &a)) > 0)
    {
        at += used;
        if (a == ANSWER_NOTHING)
            continue;
        pthread_cond_broadcast(&c->m->changed);
        pthread_mutex_unlock(&c->m->lock);
        give(c, a);
        pthread_mutex_lock(&c->m->lock);
    }
    pthread_cond_broadcast(&c->m->changed);
    pthread_mutex_unlock(&c->m->lock);

    memmove(c->partial, c->partial + at, c->partial_len - at);
    c->partial_len -= at;
}

// ---- a connection's thread ----

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

    drain_pokes(c->wake);
    pthread_mutex_lock(&c->m->lock);
    cmd = c->m->stop ? DO_RESET : c->command;
    if (cmd == DO_HALF_CLOSE)
    {
        shutdown(c->fd, SHUT_WR);
        c->half_closed = true;
        c->command     = DO_NOTHING;
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
        send_all(c, text, strlen(text));
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

static void *serve(void *arg)
{
    conn *c = arg;
    char *buf;

    if (refuse_at_once(c))
        return NULL;
    greet(c);
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
            take_bytes(c, buf, (size_t)n);
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

// ---- the listening thread ----

static void free_conn(conn *c)
{
    pthread_join(c->thread, NULL);
    for (int i = 0; i < c->line_count; i++)
        free(c->lines[i].text);
    free(c->lines);
    free(c->raw);
    free(c->partial);
    close(c->wake[0]);
    close(c->wake[1]);
    pthread_mutex_destroy(&c->write_lock);
    free(c);
}

// Frees the connections that have ended. Called with the lock held; their threads do not need it any more.
static void forget_ended(mock *m)
{
    for (int i = 0; i < m->accepted; i++)
    {
        conn *c = m->conns[i];

        if (c == NULL || c->open || c->held > 0)
            continue;
        m->conns[i] = NULL;
        free_conn(c);
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
    make_wake(c->wake);
    pthread_mutex_lock(&m->lock);
    if (m->forget)
        forget_ended(m);
    make_room(m);
    m->conns[m->accepted++] = c;
    c->number               = m->accepted;
    start_thread(&c->thread, serve, c);
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
        drain_pokes(m->wake);
        pthread_mutex_lock(&m->lock);
        m->polling = false;
        pthread_cond_broadcast(&m->changed);
        fd = m->listening && (p[1].revents & POLLIN) 
                 ? accept4(m->listener, NULL, NULL, SOCK_CLOEXEC)
                 : -1;
        pthread_mutex_unlock(&m->lock);
        if (fd >= 0)
            admit(m, fd);
    }
}

// A socket that owns the port; connects are refused until listen().
static int bound_socket(int port)
{
    struct sockaddr_in addr = {.sin_family      = AF_INET,
                               .sin_port        = htons((uint16_t)port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int                yes  = 1;
    int                fd   = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    CHECK(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    CHECK_MSG(bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0, "bind to port %d: %s", port, strerror(errno));
    return fd;
}

void mock_stop_listening(mock *m)
{
    pthread_mutex_lock(&m->lock);
    if (m->listening)
    {
        m->listening = false;
        poke(m->wake);
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
    poke(m->wake);
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
    make_wake(m->wake);
    m->listener = bound_socket(0);
    CHECK(getsockname(m->listener, (struct sockaddr *)&addr, &len) == 0);
    m->port = ntohs(addr.sin_port);
    snprintf(m->url, sizeof m->url, "nats://127.0.0.1:%d", m->port);
    mock_listen_again(m);
    start_thread(&m->acceptor, accept_all, m);
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
    poke(m->wake);
    pthread_join(m->acceptor, NULL);
    close(m->listener);
    poke_all(m); // those admitted after the first round
    for (int i = 0; i < m->accepted; i++)
        if (m->conns[i] != NULL)
            free_conn(m->conns[i]);
    free(m->conns);
    while (m->rules != NULL)
    {
        rule *next = m->rules->next;
        free(m->rules->text);
        free(m->rules);
        m->rules = next;
    }
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

// ---- measuring ----

typedef int64_t (*measure)(conn *c, const char *prefix);

static int64_t is_open(conn *c, const char *prefix)
{
    (void)prefix;
    return c->open;
}

static int64_t is_reading(conn *c, const char *prefix)
{
    (void)prefix;
    return c->open && c->handshaken && !c->frozen;
}

static int64_t is_closed(conn *c, const char *prefix)
{
    (void)prefix;
    return !c->open;
}

static int64_t pings_of(conn *c, const char *prefix)
{
    (void)prefix;
    return c->pings;
}

static int64_t pongs_of(conn *c, const char *prefix)
{
    (void)prefix;
    return c->pongs;
}

static int64_t pubs_of(conn *c, const char *prefix)
{
    (void)prefix;
    return c->pubs;
}

static int64_t bytes_of(conn *c, const char *prefix)
{
    (void)prefix;
    return c->bytes;
}

static int64_t lines_of(conn *c, const char *prefix)
{
    int64_t n = 0;

    for (int i = 0; i < c->line_count; i++)
        n += strncmp(c->lines[i].text, prefix, strlen(prefix)) == 0;
    return n;
}

static int64_t total_locked(mock *m, int nth, measure of, const char *prefix)
{
    int64_t sum = 0;
    conn   *c;

    if (nth != MOCK_ALL)
        return (c = conn_at(m, nth)) != NULL ? of(c, prefix) : 0;
    for (int i = 0; i < m->accepted; i++)
        if (m->conns[i] != NULL)
            sum += of(m->conns[i], prefix);
    return sum;
}

static int64_t total(mock *m, int nth, measure of, const char *prefix)
{
    int64_t sum;

    pthread_mutex_lock(&m->lock);
    sum = total_locked(m, nth, of, prefix);
    pthread_mutex_unlock(&m->lock);
    return sum;
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
    struct timespec until = deadline(end);

    pthread_mutex_lock(&m->lock);
    m->frozen = on;
    poke_all(m);
    // What the client sends after this call must not be read by a thread that has not looked yet.
    while (on && total_locked(m, MOCK_ALL, is_reading, NULL) > 0 && now_ms() < end)
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

// ---- doing something now ----

bool mock_write(mock *m, int nth, const void *data, size_t len)
{
    int  first, last;
    bool ok = true;

    pthread_mutex_lock(&m->lock);
    first = nth == MOCK_ALL ? 1 : nth == MOCK_LATEST ? m->accepted : nth;
    last  = nth == MOCK_ALL ? m->accepted : first;
    pthread_mutex_unlock(&m->lock);
    if (first < 1)
        return false;
    for (int i = first; i <= last; i++)
    {
        conn *c;
        bool  open;

        pthread_mutex_lock(&m->lock);
        c    = conn_at(m, i);
        open = c != NULL && c->open;
        if (open)
            c->held++;
        pthread_mutex_unlock(&m->lock);
        if (!open)
        {
            ok = ok && nth == MOCK_ALL;
            continue;
        }
        ok = send_all(c, data, len) && ok;
        pthread_mutex_lock(&m->lock);
        c->held--;
        pthread_mutex_unlock(&m->lock);
    }
    return ok;
}

static void send_formatted(mock *m, int nth, const char *fmt, va_list args)
{
    char *text;
    int   len = vasprintf(&text, fmt, args);

    CHECK(len >= 0);
    mock_write(m, nth, text, (size_t)len);
    free(text);
}

void mock_send(mock *m, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    send_formatted(m, MOCK_LATEST, fmt, args);
    va_end(args);
}

void mock_send_to(mock *m, int nth, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    send_formatted(m, nth, fmt, args);
    va_end(args);
}

void mock_drip(mock *m, const char *text, int ms)
{
    for (; *text; text++)
    {
        mock_write(m, MOCK_LATEST, text, 1);
        sleep_ms(ms);
    }
}

void mock_err(mock *m, const char *text)
{
    mock_send(m, "-ERR '%s'\r\n", text);
}

static void command_one(mock *m, int number, command cmd)
{
    int64_t         end   = now_ms() + 2000;
    struct timespec until = deadline(end);
    conn           *c;

    pthread_mutex_lock(&m->lock);
    c = conn_at(m, number);
    if (c != NULL && c->open)
    {
        c->command = cmd;
        c->held++;
        poke(c->wake);
        while (c->command != DO_NOTHING && now_ms() < end)
            pthread_cond_timedwait(&m->changed, &m->lock, &until);
        c->held--;
    }
    pthread_mutex_unlock(&m->lock);
}

static void command_conns(mock *m, int nth, command cmd)
{
    int count = mock_accepted(m);

    if (nth != MOCK_ALL)
        command_one(m, nth, cmd);
    else
        for (int i = 1; i <= count; i++)
            command_one(m, i, cmd);
}

void mock_close(mock *m, int nth)
{
    command_conns(m, nth, DO_CLOSE);
}

void mock_reset(mock *m, int nth)
{
    command_conns(m, nth, DO_RESET);
}

void mock_half_close(mock *m, int nth)
{
    command_conns(m, nth, DO_HALF_CLOSE);
}

// ---- what happened ----

static bool wait_total(mock *m, int nth, measure of, const char *prefix, int64_t n, bool exactly, int64_t ms)
{
    int64_t         end   = now_ms() + ms, sum;
    struct timespec until = deadline(end);

    pthread_mutex_lock(&m->lock);
    for (;;)
    {
        sum = total_locked(m, nth, of, prefix);
        if ((exactly ? sum == n : sum >= n) || now_ms() >= end)
            break;
        pthread_cond_timedwait(&m->changed, &m->lock, &until);
    }
    pthread_mutex_unlock(&m->lock);
    return exactly ? sum == n : sum >= n;
}

static bool wait_counter(mock *m, const int *counter, int n, int64_t ms)
{
    int64_t         end   = now_ms() + ms;
    struct timespec until = deadline(end);
    bool            there;

    pthread_mutex_lock(&m->lock);
    while (*counter < n && now_ms() < end)
        pthread_cond_timedwait(&m->changed, &m->lock, &until);
    there = *counter >= n;
    pthread_mutex_unlock(&m->lock);
    return there;
}

int mock_accepted(mock *m)
{
    int n;

    pthread_mutex_lock(&m->lock);
    n = m->accepted;
    pthread_mutex_unlock(&m->lock);
    return n;
}

int mock_connected(mock *m)
{
    int n;

    pthread_mutex_lock(&m->lock);
    n = m->connected;
    pthread_mutex_unlock(&m->lock);
    return n;
}

int mock_open(mock *m)
{
    return (int)total(m, MOCK_ALL, is_open, NULL);
}

bool mock_wait_accepted(mock *m, int n, int64_t ms)
{
    return wait_counter(m, &m->accepted, n, ms);
}

bool mock_wait_connected(mock *m, int n, int64_t ms)
{
    return wait_counter(m, &m->connected, n, ms);
}

bool mock_wait_open(mock *m, int n, int64_t ms)
{
    return wait_total(m, MOCK_ALL, is_open, NULL, n, true, ms);
}

bool mock_wait_closed(mock *m, int nth, int64_t ms)
{
    return wait_total(m, nth, is_closed, NULL, 1, false, ms);
}

bool mock_closed_by_reset(mock *m, int nth)
{
    conn *c;
    bool  reset;

    pthread_mutex_lock(&m->lock);
    c     = conn_at(m, nth);
    reset = c != NULL && c->reset;
    pthread_mutex_unlock(&m->lock);
    return reset;
}

int mock_pings(mock *m, int nth)
{
    return (int)total(m, nth, pings_of, NULL);
}

int mock_pongs(mock *m, int nth)
{
    return (int)total(m, nth, pongs_of, NULL);
}

int64_t mock_pubs(mock *m, int nth)
{
    return total(m, nth, pubs_of, NULL);
}

int64_t mock_bytes(mock *m, int nth)
{
    return total(m, nth, bytes_of, NULL);
}

bool mock_wait_pings(mock *m, int nth, int n, int64_t ms)
{
    return wait_total(m, nth, pings_of, NULL, n, false, ms);
}

bool mock_wait_pubs(mock *m, int nth, int64_t n, int64_t ms)
{
    return wait_total(m, nth, pubs_of, NULL, n, false, ms);
}

int mock_lines(mock *m, int nth)
{
    return (int)total(m, nth, lines_of, "");
}

int mock_count_lines(mock *m, int nth, const char *prefix)
{
    return (int)total(m, nth, lines_of, prefix);
}

bool mock_wait_line(mock *m, int nth, const char *prefix, int count, int64_t ms)
{
    return wait_total(m, nth, lines_of, prefix, count, false, ms);
}

char *mock_line(mock *m, int nth, int index)
{
    conn *c;
    char *copy = NULL;

    pthread_mutex_lock(&m->lock);
    c = conn_at(m, nth);
    if (c != NULL && index >= 0 && index < c->line_count)
        copy = strdup(c->lines[index].text);
    pthread_mutex_unlock(&m->lock);
    return copy;
}

char *mock_find(mock *m, int nth, const char *prefix)
{
    conn *c;
    char *copy = NULL;

    pthread_mutex_lock(&m->lock);
    c = conn_at(m, nth);
    for (int i = 0; c != NULL && copy == NULL && i < c->line_count; i++)
        if (strncmp(c->lines[i].text, prefix, strlen(prefix)) == 0)
            copy = strdup(c->lines[i].text);
    pthread_mutex_unlock(&m->lock);
    return copy;
}

char *mock_connect_line(mock *m, int nth)
{
    return mock_find(m, nth, "CONNECT ");
}

int64_t mock_accepted_ms(mock *m, int nth)
{
    conn   *c;
    int64_t ms;

    pthread_mutex_lock(&m->lock);
    c  = conn_at(m, nth);
    ms = c != NULL ? c->accepted_ms : -1;
    pthread_mutex_unlock(&m->lock);
    return ms;
}

int64_t mock_closed_ms(mock *m, int nth)
{
    conn   *c;
    int64_t ms;

    pthread_mutex_lock(&m->lock);
    c  = conn_at(m, nth);
    ms = c != NULL ? c->closed_ms : -1;
    pthread_mutex_unlock(&m->lock);
    return ms;
}

int64_t mock_line_ms(mock *m, int nth, int index)
{
    conn   *c;
    int64_t ms = -1;

    pthread_mutex_lock(&m->lock);
    c = conn_at(m, nth);
    if (c != NULL && index >= 0 && index < c->line_count)
        ms = c->lines[index].ms;
    pthread_mutex_unlock(&m->lock);
    return ms;
}

char *mock_raw(mock *m, int nth, size_t *len)
{
    conn *c;
    char *copy = NULL;

    *len = 0;
    pthread_mutex_lock(&m->lock);
    c = conn_at(m, nth);
    if (c != NULL)
    {
        copy = malloc(c->raw_len + 1);
        if (c->raw_len)
            memcpy(copy, c->raw, c->raw_len);
        copy[c->raw_len] = '\0';
        *len             = c->raw_len;
    }
    pthread_mutex_unlock(&m->lock);
    return copy;
}
