// The write deadline: a peer that does not read costs the publisher at most that long.

#include "calls.h"
#include "fixture.h"
#include "trace.h"

enum
{
    TICK     = 200,
    DEADLINE = 600,
};

static fixture stuck(bool reconnect)
{
    fixture f = fixture_pinging(0, 2, reconnect);

    CHECK_OK(natsOptions_SetWriteDeadline(f.opts, DEADLINE));
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 400));
    mock_receive_buffer(f.m, 4096);
    mock_record(f.m, false);
    fixture_connect(&f);
    mock_frozen(f.m, true);
    return f;
}

static void reconnect_follows(void)
{
    fixture f = stuck(true);
    int64_t took;

    trace_scenario("deadline passes, reconnect allowed");
    trace_status("publish", publish_until_stuck(f.nc, &took));
    trace_time("publish returns", took, TICK);
    mock_frozen(f.m, false);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    trace_status("flush", natsConnection_FlushTimeout(f.nc, 5000));
    trace_events(f.ev, 0);
    trace_connection("connection", f.nc);
    fixture_destroy(&f);
}

static void no_reconnect(void)
{
    fixture f = stuck(false);
    int64_t took;

    trace_scenario("deadline passes, reconnect not allowed");
    trace_status("publish", publish_until_stuck(f.nc, &took));
    trace_time("publish returns", took, TICK);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    quiet_ms(50);
    trace_events(f.ev, 0);
    trace_connection("connection", f.nc);
    fixture_destroy(&f);
}

// With the deadline far away the tick ends it. Pings are off on the reference while a write blocks: the peer
// is mute, not frozen.
static void deadline_and_mute_peer(void)
{
    fixture f = fixture_pinging(400, 1, false);

    trace_scenario("deadline and a mute peer");
    CHECK_OK(natsOptions_SetWriteDeadline(f.opts, 500));
    mock_mute(f.m);
    fixture_connect(&f);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    trace_events(f.ev, TICK);
    fixture_destroy(&f);
}

// A message cut off by the deadline is never completed on the next connection.
static void no_half_message(void)
{
    fixture f = stuck(true);
    int64_t took;
    char   *line;

    trace_scenario("nothing of the cut-off message on the next connection");
    trace_status("publish", publish_until_stuck(f.nc, &took));
    mock_record(f.m, true);
    mock_frozen(f.m, false);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK_OK(natsConnection_PublishString(f.nc, "bar", "after"));
    CHECK_OK(natsConnection_Flush(f.nc));
    for (int i = 1; (line = mock_line(f.m, 2, i)) != NULL; i++)
    {
        trace("  %.40s", line);
        free(line);
    }
    fixture_destroy(&f);
}

static void reconnect_buffer(void)
{
    fixture f = fixture_create();

    trace_scenario("reconnect buffer");
    CHECK_OK(natsOptions_SetReconnectBufSize(f.opts, 32));
    fixture_connect(&f);
    mock_stop_listening(f.m);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    WAIT_FOR(natsConnection_IsReconnecting(f.nc), 5000);
    for (int i = 0; i < 4; i++)
        trace_status("publish", natsConnection_PublishString(f.nc, "foo", "12345"));
    mock_listen_again(f.m);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK_OK(natsConnection_Flush(f.nc));
    trace("arrived: %d", (int)mock_pubs(f.m, 2));
    fixture_destroy(&f);
}

int main(void)
{
    trace_timing(TICK, 120);
    reconnect_follows();
    no_reconnect();
    deadline_and_mute_peer();
    no_half_message();
    reconnect_buffer();
    return 0;
}
