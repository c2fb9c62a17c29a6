// How the mock speaks the protocol: greets, reads lines, answers.

#include "internal.h"

#include <strings.h>

#define DEFAULT_INFO                                                                                         \
    "{\"server_id\":\"MOCK\",\"server_name\":\"mock\",\"version\":\"2.10.0\",\"host\":\"127.0.0.1\","        \
    "\"port\":%port,\"headers\":true,\"max_payload\":1048576,\"proto\":1,\"client_id\":%cid,"                \
    "\"client_ip\":\"127.0.0.1\"}"

static void drip(conn *c, const char *text, int ms)
{
    for (; *text; text++)
    {
        conn_send(c, text, 1);
        pace_ms(ms);
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

    conn_send(c, text, len);
    for (text += len; *text == '\f'; text += len)
    {
        pace_ms(50);
        len = strcspn(++text, "\f");
        conn_send(c, text, len);
    }
}

void conn_greet(conn *c)
{
    mock_greeting how  = (mock_greeting)rule_value(c->m, RULE_ACCEPT, c->number, MOCK_GREET);
    char         *text = rule_text(c->m, RULE_GREETING, c->number);

    if (text == NULL)
        text = info_line(c);
    switch (how)
    {
    case MOCK_SPLIT_INFO:
        conn_send(c, text, strlen(text) - 1);
        pace_ms(50);
        conn_send(c, "\n", 1);
        break;
    case MOCK_DRIP_INFO: drip(c, text, 5); break;
    case MOCK_GREET: send_paced(c, text); break;
    default: break;
    }
    free(text);
}

static void answer_handshake(conn *c)
{
    mock  *m      = c->m;
    char  *reply  = rule_text(m, RULE_REPLY, c->number);
    char  *before = rule_text(m, RULE_BEFORE, c->number);
    char  *after  = rule_text(m, RULE_AFTER, c->number);
    char  *all;
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
    conn_send(c, all, strlen(all));
    free(all);
    free(reply);
    free(before);
    free(after);
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
        c->got.pings++;
        return c->m->auto_pong ? ANSWER_PONG : ANSWER_NOTHING;
    }
    if (starts(text, "PONG"))
        c->got.pongs++;
    if (starts(text, "PUB ") || starts(text, "HPUB "))
    {
        c->got.pubs++;
        c->in.payload_size = payload_size(text);
        c->in.payload_left = c->in.payload_size + 2;
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
    if (c->in.payload_left > 0)
    {
        if (len < c->in.payload_left)
            return 0;
        used = c->in.payload_left;
        record_line(c, data, c->in.payload_size);
        c->in.payload_left = 0;
        *a                 = c->verbose ? ANSWER_OK : ANSWER_NOTHING;
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
        conn_send(c, "+OK\r\n", 5);
    else if (a == ANSWER_PONG)
        conn_send(c, "PONG\r\n", 6);
    else if (a == ANSWER_HANDSHAKE && rule_value(c->m, RULE_CLOSE, c->number, false))
    {
        pthread_mutex_lock(&c->m->lock);
        c->command = DO_CLOSE;
        pthread_mutex_unlock(&c->m->lock);
    }
    else if (a == ANSWER_HANDSHAKE)
        answer_handshake(c);
}

void conn_take_bytes(conn *c, const char *data, size_t len)
{
    size_t at = 0, used;
    answer a;

    if (c->in.partial_len + len > c->in.partial_room)
    {
        c->in.partial_room = 2 * (c->in.partial_len + len);
        c->in.partial      = realloc(c->in.partial, c->in.partial_room);
    }
    memcpy(c->in.partial + c->in.partial_len, data, len);
    c->in.partial_len += len;

    pthread_mutex_lock(&c->m->lock);
    record_raw(c, data, len);
    while (at < c->in.partial_len && (used = take_one(c, c->in.partial + at, c->in.partial_len - at, &a)) > 0)
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

    memmove(c->in.partial, c->in.partial + at, c->in.partial_len - at);
    c->in.partial_len -= at;
}
