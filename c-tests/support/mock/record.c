// What a connection of the mock has received, and what there is to count.

#include "internal.h"

enum
{
    RECORD_LIMIT = 16 << 20, // bytes recorded per connection
};

void record_line(conn *c, const char *text, size_t len)
{
    line *l;

    if (!c->m->record || c->got.raw_len >= RECORD_LIMIT)
        return;
    if (c->got.line_count == c->got.line_room)
    {
        c->got.line_room = c->got.line_room ? 2 * c->got.line_room : 64;
        c->got.lines     = realloc(c->got.lines, (size_t)c->got.line_room * sizeof *c->got.lines);
    }
    l       = &c->got.lines[c->got.line_count++];
    l->text = malloc(len + 1);
    l->ms   = now_ms();
    memcpy(l->text, text, len);
    l->text[len] = '\0';
}

void record_raw(conn *c, const char *data, size_t len)
{
    c->got.bytes += (int64_t)len;
    if (!c->m->record || c->got.raw_len >= RECORD_LIMIT)
        return;
    if (c->got.raw_len + len > c->got.raw_room)
    {
        c->got.raw_room = 2 * (c->got.raw_len + len);
        c->got.raw      = realloc(c->got.raw, c->got.raw_room);
    }
    memcpy(c->got.raw + c->got.raw_len, data, len);
    c->got.raw_len += len;
}

// ---- measuring ----

static int64_t is_open(conn *c, const char *prefix)
{
    (void)prefix;
    return c->open;
}

int64_t is_reading(conn *c, const char *prefix)
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
    return c->got.pings;
}

static int64_t pongs_of(conn *c, const char *prefix)
{
    (void)prefix;
    return c->got.pongs;
}

static int64_t pubs_of(conn *c, const char *prefix)
{
    (void)prefix;
    return c->got.pubs;
}

static int64_t bytes_of(conn *c, const char *prefix)
{
    (void)prefix;
    return c->got.bytes;
}

static int64_t lines_of(conn *c, const char *prefix)
{
    int64_t n = 0;

    for (int i = 0; i < c->got.line_count; i++)
        n += strncmp(c->got.lines[i].text, prefix, strlen(prefix)) == 0;
    return n;
}

int64_t measure_locked(mock *m, int nth, measure of, const char *prefix)
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
    sum = measure_locked(m, nth, of, prefix);
    pthread_mutex_unlock(&m->lock);
    return sum;
}

// ---- what happened ----

static bool wait_total(mock *m, int nth, measure of, const char *prefix, int64_t n, bool exactly, int64_t ms)
{
    int64_t         end   = now_ms() + ms, sum;
    struct timespec until = mock_deadline(end);

    pthread_mutex_lock(&m->lock);
    for (;;)
    {
        sum = measure_locked(m, nth, of, prefix);
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
    struct timespec until = mock_deadline(end);
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
    if (c != NULL && index >= 0 && index < c->got.line_count)
        copy = strdup(c->got.lines[index].text);
    pthread_mutex_unlock(&m->lock);
    return copy;
}

char *mock_find(mock *m, int nth, const char *prefix)
{
    conn *c;
    char *copy = NULL;

    pthread_mutex_lock(&m->lock);
    c = conn_at(m, nth);
    for (int i = 0; c != NULL && copy == NULL && i < c->got.line_count; i++)
        if (strncmp(c->got.lines[i].text, prefix, strlen(prefix)) == 0)
            copy = strdup(c->got.lines[i].text);
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
    if (c != NULL && index >= 0 && index < c->got.line_count)
        ms = c->got.lines[index].ms;
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
        copy = malloc(c->got.raw_len + 1);
        if (c->got.raw_len)
            memcpy(copy, c->got.raw, c->got.raw_len);
        copy[c->got.raw_len] = '\0';
        *len                 = c->got.raw_len;
    }
    pthread_mutex_unlock(&m->lock);
    return copy;
}
