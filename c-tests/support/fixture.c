#include "fixture.h"

fixture fixture_create(void)
{
    fixture f = {mock_create(), events_create(), NULL, NULL};

    CHECK_OK(natsOptions_Create(&f.opts));
    CHECK_OK(natsOptions_SetURL(f.opts, mock_url(f.m)));
    CHECK_OK(natsOptions_SetTimeout(f.opts, 5000));
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 50));
    CHECK_OK(natsOptions_SetReconnectJitter(f.opts, 0, 0));
    events_handlers(f.ev, f.opts);
    return f;
}

fixture fixture_pinging(int64_t interval_ms, int max_pings_out, bool reconnect)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetPingInterval(f.opts, interval_ms));
    CHECK_OK(natsOptions_SetMaxPingsOut(f.opts, max_pings_out));
    CHECK_OK(natsOptions_SetAllowReconnect(f.opts, reconnect));
    return f;
}

void fixture_connect(fixture *f)
{
    CHECK_OK(natsConnection_Connect(&f->nc, f->opts));
    events_start_clock(f->ev);
}

fixture fixture_connected(void)
{
    fixture f = fixture_create();

    fixture_connect(&f);
    return f;
}

fixture fixture_connected_pinging(int64_t interval_ms, int max_pings_out, bool reconnect)
{
    fixture f = fixture_pinging(interval_ms, max_pings_out, reconnect);

    fixture_connect(&f);
    return f;
}

void fixture_lose(fixture *f)
{
    int n = events_count(f->ev, "disconnected");

    mock_stop_listening(f->m);
    mock_close(f->m, MOCK_LATEST);
    WAIT_EVENT(f->ev, "disconnected", n + 1, 5000);
    WAIT_FOR(natsConnection_IsReconnecting(f->nc), 5000);
}

void fixture_regain(fixture *f)
{
    int n = events_count(f->ev, "reconnected");

    mock_listen_again(f->m);
    WAIT_EVENT(f->ev, "reconnected", n + 1, 10000);
}

void fixture_read(fixture *f)
{
    // The mock's own thread may still be sending what it decided to send before: that is over when it reads
    // the first answer, and read by the client when it reads the second.
    for (int i = 0; i < 2; i++)
    {
        int pongs = mock_count_lines(f->m, MOCK_LATEST, "PONG");

        mock_send(f->m, "PING\r\n");
        CHECK(mock_wait_line(f->m, MOCK_LATEST, "PONG", pongs + 1, 5000));
    }
}

void fixture_flush_read(fixture *f, int pings)
{
    CHECK(mock_wait_pings(f->m, MOCK_LATEST, pings + 1, 5000));
    fixture_read(f);
}

void fixture_deliver(fixture *f, int sid, const char *data, int count)
{
    char *text = frames("foo", sid, data, count);

    CHECK(mock_write(f->m, MOCK_LATEST, text, strlen(text)));
    free(text);
    CHECK_OK(natsConnection_Flush(f->nc));
}

natsOptions *fresh_options(void)
{
    natsOptions *opts = NULL;

    CHECK_OK(natsOptions_Create(&opts));
    return opts;
}

void fixture_destroy(fixture *f)
{
    if (f->nc != NULL)
    {
        natsConnection_Close(f->nc);
        WAIT_EVENT(f->ev, "closed", 1, 5000);
        natsConnection_Destroy(f->nc);
    }
    natsOptions_Destroy(f->opts);
    mock_destroy(f->m);
    events_destroy(f->ev);
}

static int count_list(natsConnection *nc, natsStatus (*get)(natsConnection *nc, char ***list, int *count))
{
    char **list  = NULL;
    int    count = 0;

    CHECK_OK(get(nc, &list, &count));
    for (int i = 0; i < count; i++)
        free(list[i]);
    free(list);
    return count;
}

int server_count(natsConnection *nc)
{
    return count_list(nc, natsConnection_GetServers);
}

int discovered_count(natsConnection *nc)
{
    return count_list(nc, natsConnection_GetDiscoveredServers);
}

char *frames(const char *subject, int sid, const char *data, int count)
{
    size_t one = strlen(subject) + strlen(data) + 64;
    char  *all = malloc(one * (size_t)count + 1), *at = all;

    *at = '\0';
    for (int i = 0; i < count; i++)
        at += snprintf(at, one, "MSG %s %d %d\r\n%s\r\n", subject, sid, (int)strlen(data), data);
    return all;
}
