// natsOptions_SetEventLoop() and natsConnection_Process*Event(), with the smallest loop there is. Real loops
// are in event_loop_uv.c and event_loop_event.c.

#include <fcntl.h>
#include <unistd.h>

#include "fixture.h"
#include "loop.h"

typedef struct
{
    fixture f;
    events *told;
    loop   *l;
} looped;

static looped looped_create(void)
{
    looped x = {.f = fixture_create(), .told = events_create()};

    x.l = loop_create(x.told);
    loop_use(x.l, x.f.opts);
    return x;
}

static void looped_destroy(looped *x)
{
    natsConnection_Close(x->f.nc);
    WAIT_EVENT(x->told, "detach", 1, 5000);
    CHECK_INT(events_count(x->told, "detach"), 1);
    fixture_destroy(&x->f);
    loop_destroy(x->l);
}

TEST(null_and_no_socket)
{
    natsSock none = -1, fd = open("/dev/null", O_RDONLY);
    natsSock copy = fd;

    natsConnection_ProcessReadEvent(NULL);
    natsConnection_ProcessWriteEvent(NULL);
    natsConnection_ProcessDetachedEvent(NULL);
    natsConnection_ProcessCloseEvent(NULL);
    natsConnection_ProcessCloseEvent(&none);
    CHECK_INT(none, -1);
    natsConnection_ProcessCloseEvent(&fd);
    CHECK_INT(fd, -1);
    CHECK_INT(fcntl(copy, F_GETFD), -1);
}

// Events for a connection that has no loop do nothing.
TEST(events_without_a_loop)
{
    fixture f = fixture_create();

    fixture_connect(&f);
    natsConnection_ProcessReadEvent(f.nc);
    natsConnection_ProcessWriteEvent(f.nc);
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_INT(events_count(f.ev, "disconnected"), 0);
    fixture_destroy(&f);
}

TEST(attached_once_per_socket_detached_once)
{
    looped x = looped_create();

    fixture_connect(&x.f);
    CHECK_INT(events_count(x.told, "attach"), 1);
    for (int i = 1; i <= 2; i++)
    {
        mock_close(x.f.m, MOCK_LATEST);
        WAIT_EVENT(x.f.ev, "reconnected", i, 5000);
        CHECK_OK(natsConnection_Flush(x.f.nc));
    }
    CHECK_INT(events_count(x.told, "attach"), 3);
    CHECK_INT(events_count(x.told, "read off"), 2);
    CHECK_INT(events_count(x.told, "detach"), 0);
    looped_destroy(&x);
    CHECK_INT(events_count(x.told, "read off"), 3);
    events_destroy(x.told);
}

// Nothing is left to do once it detached: no call comes later.
TEST(detach_is_the_last_call)
{
    looped x = looped_create();
    char   names[512];

    fixture_connect(&x.f);
    CHECK_OK(natsConnection_PublishString(x.f.nc, "foo", "x"));
    CHECK_OK(natsConnection_Flush(x.f.nc));
    looped_destroy(&x);
    quiet_ms(50);
    events_names(x.told, names, sizeof names);
    CHECK_MSG(strncmp(names, "attach,", 7) == 0, "%s", names);
    CHECK_MSG(strlen(names) > 16 && strcmp(names + strlen(names) - 16, ",read off,detach") == 0, "%s", names);
    events_destroy(x.told);
}

// The library asks for write events only while there is something to write, and a write event too many is no
// loss.
TEST(spurious_write_events)
{
    looped x = looped_create();

    fixture_connect(&x.f);
    CHECK_OK(natsConnection_Flush(x.f.nc));
    for (int i = 0; i < 10; i++)
        natsConnection_ProcessWriteEvent(x.f.nc);
    CHECK_OK(natsConnection_Flush(x.f.nc));
    CHECK_INT(events_count(x.f.ev, "disconnected"), 0);
    looped_destroy(&x);
    events_destroy(x.told);
}

TEST(publishers_never_wait_for_the_loop)
{
    looped  x    = looped_create();
    char   *data = calloc(1, 10000);
    int64_t start;

    fixture_connect(&x.f);
    mock_frozen(x.f.m, true);
    start = now_ms();
    for (int i = 0; i < 500; i++)
        CHECK_OK(natsConnection_Publish(x.f.nc, "foo", data, 10000));
    CHECK_RANGE(now_ms() - start, 0, 3000);
    mock_frozen(x.f.m, false);
    CHECK_OK(natsConnection_Flush(x.f.nc));
    CHECK_INT(mock_pubs(x.f.m, 1), 500);
    free(data);
    looped_destroy(&x);
    events_destroy(x.told);
}

TEST(messages_arrive)
{
    looped            x   = looped_create();
    natsSubscription *sub = NULL;
    char             *all = frames("foo", 1, "data", 3000);

    fixture_connect(&x.f);
    CHECK_OK(natsConnection_Subscribe(&sub, x.f.nc, "foo", on_msg, x.f.ev));
    CHECK_OK(natsConnection_Flush(x.f.nc));
    CHECK(mock_write(x.f.m, 1, all, strlen(all)));
    WAIT_EVENT(x.f.ev, "msg", 3000, 10000);
    natsSubscription_Destroy(sub);
    free(all);
    looped_destroy(&x);
    events_destroy(x.told);
}

TEST(not_yet_connected)
{
    looped x = looped_create();

    CHECK_OK(natsOptions_SetRetryOnFailedConnect(x.f.opts, true, on_connected, x.f.ev));
    mock_stop_listening(x.f.m);
    CHECK_STATUS(natsConnection_Connect(&x.f.nc, x.f.opts), NATS_NOT_YET_CONNECTED);
    CHECK_OK(natsConnection_PublishString(x.f.nc, "foo", "early"));
    CHECK_INT(events_count(x.told, "attach"), 0);
    mock_listen_again(x.f.m);
    WAIT_EVENT(x.f.ev, "connected", 1, 5000);
    CHECK(mock_wait_line(x.f.m, MOCK_LATEST, "PUB foo 5", 1, 5000));
    looped_destroy(&x);
    events_destroy(x.told);
}

// Closed before it ever was connected: the loop never hears of it.
TEST(closed_before_connected)
{
    looped x = looped_create();

    CHECK_OK(natsOptions_SetRetryOnFailedConnect(x.f.opts, true, on_connected, x.f.ev));
    mock_stop_listening(x.f.m);
    CHECK_STATUS(natsConnection_Connect(&x.f.nc, x.f.opts), NATS_NOT_YET_CONNECTED);
    fixture_destroy(&x.f);
    CHECK_INT(events_count(x.told, NULL), 0);
    loop_destroy(x.l);
    events_destroy(x.told);
}
