// What a test does to connections of the mock now.

#include "internal.h"

#include <stdarg.h>

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
        ok = conn_send(c, data, len) && ok;
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
        pace_ms(ms);
    }
}

void mock_err(mock *m, const char *text)
{
    mock_send(m, "-ERR '%s'\r\n", text);
}

static void command_one(mock *m, int number, command cmd)
{
    int64_t         end   = now_ms() + 2000;
    struct timespec until = mock_deadline(end);
    conn           *c;

    pthread_mutex_lock(&m->lock);
    c = conn_at(m, number);
    if (c != NULL && c->open)
    {
        c->command = cmd;
        c->held++;
        wake_poke(c->wake);
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
