// What an event loop's adapter is told at the end of a connection, in which order among the callbacks, and
// what becomes of the socket.

#include "fixture.h"
#include "hand.h"
#include "trace.h"

static int place_of(events *ev, const char *name)
{
    event e;

    for (int i = 1; events_get(ev, NULL, i, &e); i++)
        if (strcmp(e.name, name) == 0)
            return i;
    return 0;
}

static void trace_before(events *ev, const char *one, const char *other)
{
    trace("%s before %s: %s", one, other, place_of(ev, one) < place_of(ev, other) ? "yes" : "no");
}

static void trace_call(events *ev, const char *call)
{
    event e;

    if (events_get(ev, call, 1, &e))
        trace("%s %d, socket %s", call, events_count(ev, call), e.text);
}

static void trace_end(fixture *f, hand *h)
{
    WAIT_EVENT(f->ev, "detach", 1, 5000);
    WAIT_EVENT(f->ev, "closed", 1, 5000);
    trace_call(f->ev, "attach");
    trace_call(f->ev, "write off");
    trace_call(f->ev, "read off");
    trace_call(f->ev, "detach");
    trace_before(f->ev, "write off", "read off");
    trace_before(f->ev, "read off", "disconnected");
    trace_before(f->ev, "read off", "detach");
    trace_before(f->ev, "disconnected", "closed");
    trace("open on the server's side: %d", mock_open(f->m));
    hand_close(h);
    trace("after the socket was closed: %d", mock_wait_open(f->m, 0, 5000) ? 0 : mock_open(f->m));
    natsConnection_Destroy(f->nc);
    f->nc = NULL;
    hand_destroy(h);
    fixture_destroy(f);
}

static void closed(bool waiting)
{
    fixture f = fixture_create();
    hand   *h = hand_create(f.ev);

    trace_scenario(waiting ? "close with something to write" : "close");
    hand_use(h, f.opts);
    fixture_connect(&f);
    if (waiting)
        CHECK_OK(natsConnection_PublishString(f.nc, "foo", "x"));
    natsConnection_Close(f.nc);
    trace("detached when Close returned: %d", events_count(f.ev, "detach"));
    trace_end(&f, h);
}

static void stale(void)
{
    fixture f = fixture_pinging(100, 1, false);
    hand   *h = hand_create(f.ev);

    trace_scenario("stale, reconnect not allowed");
    mock_mute(f.m);
    hand_use(h, f.opts);
    fixture_connect(&f);
    trace_end(&f, h);
}

int main(void)
{
    closed(false);
    closed(true);
    stale();
    return 0;
}
