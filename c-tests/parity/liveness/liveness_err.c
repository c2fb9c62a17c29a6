// What the server says about the connection: -ERR texts, end of stream, reset, malformed protocol, and
// whether that ends the connection or only interrupts it.

#include "fixture.h"
#include "trace.h"

typedef enum
{
    RECONNECT,
    NO_RECONNECT,
    RECONNECT_ON_ERROR,
} mode;

static const char *const mode_names[] = {"reconnect", "no reconnect", "reconnect on protocol error"};

static fixture connected_with(mode how)
{
    fixture f = fixture_pinging(0, 2, how != NO_RECONNECT);

    CHECK_OK(natsOptions_SetReconnectOnProtocolError(f.opts, how == RECONNECT_ON_ERROR));
    fixture_connect(&f);
    return f;
}

// Waits for the outcome: either event ends the story.
static void settled(fixture *f)
{
    (void)HOLDS_WITHIN(events_count(f->ev, "closed") + events_count(f->ev, "reconnected") > 0, 5000);
    quiet_ms(50);
}

static void tell(fixture *f)
{
    trace_events(f->ev, 0);
    trace_connection("connection", f->nc);
    fixture_destroy(f);
}

static void server_says(const char *text, mode how)
{
    fixture f = connected_with(how);
    char    line[128];

    snprintf(line, sizeof line, "%s", text);
    line[strcspn(line, "\r\n")] = '\0';
    trace("-- %s; %s", line, mode_names[how]);
    mock_send(f.m, "%s", text);
    settled(&f);
    tell(&f);
}

static void stale_texts(void)
{
    static const char *const texts[] = {
        "-ERR 'Stale Connection'\r\n", "-ERR 'stale connection'\r\n", "-ERR   '  STALE CONNECTION  '  \r\n",
        "-ERR Stale Connection\r\n",   "-err 'Stale Connection'\r\n",
    };

    trace_scenario("-ERR that says stale");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (mode how = RECONNECT; how <= NO_RECONNECT; how++)
            server_says(texts[i], how);
}

static void other_texts(void)
{
    static const char *const texts[] = {
        "-ERR 'Stale Connection!'\r\n",
        "-ERR 'Stale Connection, bye'\r\n",
        "-ERR 'A Stale Connection'\r\n",
        "-ERR 'Any Error'\r\n",
        "-ERR 'Maximum Connections Exceeded'\r\n",
    };

    trace_scenario("-ERR of other kinds");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (mode how = RECONNECT; how <= RECONNECT_ON_ERROR; how++)
            server_says(texts[i], how);
}

static void permissions(void)
{
    fixture f = connected_with(RECONNECT);

    trace_scenario("permissions violation");
    mock_err(f.m, "Permissions Violation for Publish to \"foo\"");
    WAIT_EVENT(f.ev, "error", 1, 5000);
    trace_status("flush", natsConnection_FlushTimeout(f.nc, 5000));
    tell(&f);
}

static void malformed(void)
{
    static const char *const texts[] = {"GARBAGE\r\n", "MSG foo\r\n", "MSG foo 1 x\r\n",
                                        "MSG foo bar 1 2 3 4\r\n"};

    trace_scenario("malformed protocol");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    {
        fixture f = connected_with(RECONNECT);

        trace("-- %.*s", (int)strcspn(texts[i], "\r"), texts[i]);
        mock_send(f.m, "%s", texts[i]);
        settled(&f);
        tell(&f);
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    {
        fixture f = connected_with(NO_RECONNECT);
        event   e;

        trace("-- %.*s; no reconnect", (int)strcspn(texts[i], "\r"), texts[i]);
        mock_send(f.m, "%s", texts[i]);
        settled(&f);
        // The text names a place in the parser: only the status is common.
        CHECK(events_get(f.ev, "closed", 1, &e));
        trace("  closed: %s", status_name(e.status));
        fixture_destroy(&f);
    }
}

static void harmless_lines(void)
{
    fixture f = connected_with(RECONNECT);

    trace_scenario("harmless lines");
    mock_send(f.m, "+OK\r\n+ok whatever\r\nINFO {}\r\n+OK\n");
    fixture_read(&f);
    trace_status("flush", natsConnection_FlushTimeout(f.nc, 5000));
    tell(&f);
}

// PONGs are matched by their count: the answers to later PINGs come to nobody.
static void unasked_pongs(void)
{
    fixture f = connected_with(RECONNECT);

    trace_scenario("PONGs nobody asked for");
    mock_send(f.m, "PONG\r\npong trailing\r\n");
    fixture_read(&f);
    trace_status("flush", natsConnection_FlushTimeout(f.nc, 200));
    tell(&f);
}

static void ends(const char *name, void (*end)(mock *m, int nth), mode how)
{
    fixture f = connected_with(how);
    event   e;

    trace("-- %s; %s", name, mode_names[how]);
    end(f.m, MOCK_LATEST);
    settled(&f);
    if (how == NO_RECONNECT)
    {
        CHECK(events_get(f.ev, "closed", 1, &e));
        trace("disconnected %d times, closed %d times", events_count(f.ev, "disconnected"),
              events_count(f.ev, "closed"));
        trace("  closed: %s", status_name(e.status));
    }
    else
        trace_events(f.ev, 0);
    fixture_destroy(&f);
}

static void stream_ends(void)
{
    trace_scenario("the stream ends");
    for (mode how = RECONNECT; how <= NO_RECONNECT; how++)
    {
        ends("FIN", mock_close, how);
        ends("RST", mock_reset, how);
        ends("half close", mock_half_close, how);
    }
}

// -ERR and FIN in one segment: the reason wins over the end of stream, and there is one loss, not two.
static void error_then_end(const char *text)
{
    fixture f = connected_with(RECONNECT);

    trace_scenario("-ERR right before the end");
    mock_send(f.m, "-ERR '%s'\r\n", text);
    mock_close(f.m, MOCK_LATEST);
    settled(&f);
    tell(&f);
}

int main(void)
{
    trace_timing(1000, 120);
    stale_texts();
    other_texts();
    permissions();
    malformed();
    harmless_lines();
    unasked_pongs();
    stream_ends();
    error_then_end("Stale Connection");
    error_then_end("Any Error");
    return 0;
}
