// Peers that die in different ways, met by connections that are busy with different things. Every connection
// has a peer of its own; the ones of one table row run side by side.

#include "fixture.h"
#include "trace.h"

#include <pthread.h>

enum
{
    INTERVAL = 600,
    TICK     = INTERVAL / 2,
};

typedef enum
{
    IDLE,
    PUBLISHING,
    SUBSCRIBING,
    REQUESTING,
    FLUSHING,
    ACTIVITIES,
} activity;

static const char *const activity_names[] = {"idle", "publishing", "subscribing at full rate",
                                             "request in flight", "flush in flight"};

typedef enum
{
    MUTE,
    CHATTY,
    SILENT_AFTER_A_PONG,
    HALF_CLOSED,
    RESET,
    SERVER_SAYS_STALE,
    DRIPPING,
} death;

static const char *const death_names[] = {"mute",  "chatty",     "mute after a PONG",      "half-closed",
                                          "reset", "-ERR stale", "dripping half a message"};

typedef struct
{
    fixture   f;
    activity  what;
    pthread_t thread;
    bool      stop;
    int       sent;
} client;

static void *be_busy(void *arg)
{
    client           *c     = arg;
    natsMsg          *reply = NULL;
    natsSubscription *sub   = NULL;
    char             *batch;

    switch (c->what)
    {
    case PUBLISHING:
        while (events_count(c->f.ev, "disconnected") == 0)
        {
            natsConnection_PublishString(c->f.nc, "foo", "data");
            pace_ms(5);
        }
        break;
    case SUBSCRIBING:
        batch = frames("foo", 1, "0123456789abcdef", 200);
        CHECK_OK(natsConnection_Subscribe(&sub, c->f.nc, "foo", on_msg_ignored, NULL));
        while (events_count(c->f.ev, "disconnected") == 0 && mock_write(c->f.m, 1, batch, strlen(batch)))
            pace_ms(5);
        natsSubscription_Destroy(sub);
        free(batch);
        break;
    case REQUESTING:
        events_add(c->f.ev, "request ends",
                   natsConnection_RequestString(&reply, c->f.nc, "help", "me", 10000), NULL);
        natsMsg_Destroy(reply);
        break;
    case FLUSHING:
        events_add(c->f.ev, "flush ends", natsConnection_FlushTimeout(c->f.nc, 10000), NULL);
        break;
    default: break;
    }
    return NULL;
}

static void die(client *c, death how)
{
    mock *m = c->f.m;

    switch (how)
    {
    case CHATTY: mock_every(m, 20, "+OK\r\n"); break;
    case SILENT_AFTER_A_PONG: mock_send(m, "PONG\r\n"); break;
    case HALF_CLOSED: mock_half_close(m, 1); break;
    case RESET: mock_reset(m, 1); break;
    case SERVER_SAYS_STALE: mock_err(m, "Stale Connection"); break;
    case DRIPPING:
        mock_send(m, "MSG foo 9 1000\r\n");
        mock_every(m, 20, "x");
        break;
    default: break;
    }
}

static void start(client *c, activity what, bool reconnect, int64_t deadline)
{
    c->f    = fixture_pinging(INTERVAL, 1, reconnect);
    c->what = what;
    CHECK_OK(natsOptions_SetWriteDeadline(c->f.opts, deadline));
    CHECK_OK(natsOptions_SetFailRequestsOnDisconnect(c->f.opts, true));
    mock_record(c->f.m, false);
    mock_mute(c->f.m);
    fixture_connect(&c->f);
    CHECK(pthread_create(&c->thread, NULL, be_busy, c) == 0);
}

static void row(death how, bool reconnect, int64_t deadline)
{
    client c[ACTIVITIES];

    trace("-- peer %s, reconnect %s, write deadline %d", death_names[how], reconnect ? "on" : "off",
          (int)deadline);
    for (int i = 0; i < ACTIVITIES; i++)
        start(&c[i], (activity)i, reconnect, deadline);
    quiet_ms(INTERVAL / 10);
    for (int i = 0; i < ACTIVITIES; i++)
        if (!(how == DRIPPING && c[i].what == SUBSCRIBING)) // its own frames would end up inside the half one
            die(&c[i], how);
    for (int i = 0; i < ACTIVITIES; i++)
    {
        fixture *f = &c[i].f;

        WAIT_EVENT(f->ev, reconnect ? "disconnected" : "closed", 1, 10000);
        pthread_join(c[i].thread, NULL);
        trace("%s: disconnected at %d ms, errors %d", activity_names[i],
              (int)trace_round(events_ms(f->ev, "disconnected", 1), TICK), events_count(f->ev, "error"));
        fprintf(stderr, "%s, %s: %d ms\n", death_names[how], activity_names[i],
                (int)events_ms(f->ev, "disconnected", 1));
        for (int k = 0; k < 2; k++)
        {
            event e;
            if (events_get(f->ev, k ? "request ends" : "flush ends", 1, &e))
                trace("  %s: %s", e.name, status_name(e.status));
        }
        mock_auto_pong(f->m, true);
        mock_every(f->m, 0, NULL);
    }
    for (int i = 0; i < ACTIVITIES; i++)
    {
        fixture *f = &c[i].f;

        if (reconnect)
        {
            WAIT_EVENT(f->ev, "reconnected", 1, 10000);
            trace_status("  flush on the next connection", natsConnection_FlushTimeout(f->nc, 10000));
        }
        else
            trace("  last error %s", status_name(natsConnection_ReadLastError(f->nc, NULL, 0)));
        trace("  disconnected %d, closed %d", events_count(f->ev, "disconnected"),
              events_count(f->ev, "closed"));
        fixture_destroy(f);
    }
}

int main(void)
{
    trace_timing(TICK, 170);
    trace_scenario("how peers die and what connections do meanwhile");
    for (death how = MUTE; how <= DRIPPING; how++)
    {
        row(how, true, 0);
        row(how, false, 500);
    }
    row(MUTE, true, 500);
    row(MUTE, false, 0);
    return 0;
}
