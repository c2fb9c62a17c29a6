// The servers of a connection: their order, what is discovered, who is told, in what order they are tried.

#include "fixture.h"
#include "trace.h"

static void append(char *line, size_t size, char **list, int from, int n)
{
    // The order in which one INFO's servers enter the pool is nobody's promise.
    qsort(list + from, (size_t)(n - from), sizeof *list, by_text);
    for (int i = 0; i < n; i++)
    {
        snprintf(line + strlen(line), size - strlen(line), " %s", list[i] + strlen("nats://"));
        free(list[i]);
    }
    free(list);
}

// The first `fixed` servers in their order, the others sorted.
static void trace_pool(natsConnection *nc, int fixed)
{
    char **list      = NULL;
    char   line[512] = "";
    int    n         = 0;

    CHECK_OK(natsConnection_GetServers(nc, &list, &n));
    append(line, sizeof line, list, fixed < n ? fixed : n, n);
    CHECK_OK(natsConnection_GetDiscoveredServers(nc, &list, &n));
    snprintf(line + strlen(line), sizeof line - strlen(line), " | discovered");
    append(line, sizeof line, list, 0, n);
    trace("pool:%s", line);
}

// Sends an INFO and waits until it was dealt with.
static void tell(fixture *f, const char *urls)
{
    int errors = events_count(f->ev, "error");

    mock_send(f->m, "INFO {\"server_id\":\"x\",\"max_payload\":1000,\"connect_urls\":%s}\r\n", urls);
    // Callbacks come in order: that of an error which follows is the last one.
    mock_err(f->m, "Permissions Violation for Publish to \"fence\"");
    WAIT_EVENT(f->ev, "error", errors + 1, 5000);
    trace("told %s", urls);
    trace_pool(f->nc, 1);
    trace("callbacks so far: %d", events_count(f->ev, "discovered"));
}

static void discovered(void)
{
    static const char *const infos[] = {
        "[\"1.1.1.1:1\",\"2.2.2.2:2\",\"3.3.3.3:3\",\"4.4.4.4:4\",\"5.5.5.5:5\"]",
        "[\"1.1.1.1:1\",\"2.2.2.2:2\",\"3.3.3.3:3\",\"4.4.4.4:4\",\"5.5.5.5:5\"]",
        "[\"5.5.5.5:5\",\"6.6.6.6:6\",\"1.1.1.1:1\"]",
        "[\"7.7.7.7:7\"]",
        "[]",
        "[\"1.1.1.1:1\",\"7.7.7.7:7\"]",
        "[\"localhost:9\",\"127.0.0.1:9\",\"[::1]:9\"]",
        "[\"LOCALHOST:10\"]",
        "[\"LocalHost:11\",\"1.2.3.4:5\"]",
        "[\"Name:1\",\"name:1\"]",
        "[\"8.8.8.8:8\",\"8.8.8.8:8\"]",
        "null",
    };
    fixture f = fixture_create();

    trace_scenario("discovered");
    trace_port(mock_port(f.m), "mock");
    CHECK_OK(natsOptions_SetNoRandomize(f.opts, true));
    fixture_connect(&f);
    for (size_t i = 0; i < sizeof infos / sizeof *infos; i++)
        tell(&f, infos[i]);
    fixture_destroy(&f);
}

static void ignored(void)
{
    fixture f = fixture_create();

    trace_scenario("ignored");
    trace_port(mock_port(f.m), "mock");
    CHECK_OK(natsOptions_SetIgnoreDiscoveredServers(f.opts, true));
    fixture_connect(&f);
    tell(&f, "[\"1.1.1.1:1\"]");
    fixture_destroy(&f);
}

// The first INFO fills the pool without a word.
static void in_the_first_info(void)
{
    fixture f = fixture_create();

    trace_scenario("in the first INFO");
    trace_port(mock_port(f.m), "mock");
    mock_info(
        f.m, MOCK_ALL,
        "{\"server_id\":\"x\",\"max_payload\":10,\"connect_urls\":[\"127.0.0.1:%port\",\"1.1.1.1:1\"]}");
    CHECK_OK(natsOptions_SetNoRandomize(f.opts, true));
    fixture_connect(&f);
    trace_pool(f.nc, 5);
    tell(&f, "[\"1.1.1.1:1\",\"2.2.2.2:2\"]");
    fixture_destroy(&f);
}

// URL and servers, not shuffled.
static void given(bool with_url)
{
    fixture     f = fixture_create();
    char        last[64];
    const char *servers[] = {"nats://127.0.0.1:1", "tok@127.0.0.1:2", " nats://u:p@127.0.0.1:3 ", last};

    trace_scenario(with_url ? "URL and servers" : "servers");
    trace_port(mock_port(f.m), "mock");
    snprintf(last, sizeof last, "127.0.0.1:%d", mock_port(f.m));
    CHECK_OK(natsOptions_SetNoRandomize(f.opts, true));
    CHECK_OK(natsOptions_SetServers(f.opts, servers, 4));
    if (!with_url)
        CHECK_OK(natsOptions_SetURL(f.opts, NULL));
    else
        CHECK_OK(natsOptions_SetURL(f.opts, "127.0.0.1:4"));
    fixture_connect(&f);
    trace_pool(f.nc, 5);
    mock_stop_listening(f.m);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    mock_listen_again(f.m);
    WAIT_EVENT(f.ev, "reconnected", 1, 10000);
    trace_pool(f.nc, 5);
    fixture_destroy(&f);
}

// Lost and refused until nobody is left.
static void shrinking(int max_reconnect)
{
    fixture     f         = fixture_create();
    const char *servers[] = {"127.0.0.1:1", "127.0.0.1:2"};

    trace_scenario("shrinking");
    trace("max reconnect %d", max_reconnect);
    trace_port(mock_port(f.m), "mock");
    CHECK_OK(natsOptions_SetNoRandomize(f.opts, true));
    CHECK_OK(natsOptions_SetServers(f.opts, servers, 2));
    CHECK_OK(natsOptions_SetMaxReconnect(f.opts, max_reconnect));
    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 1));
    fixture_connect(&f);
    trace_pool(f.nc, 5);
    mock_stop_listening(f.m);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "closed", 1, 10000);
    trace_pool(f.nc, 5);
    trace_connection("nc", f.nc);
    trace_order(f.ev); // what the disconnected callback of the reference finds is chance
    fixture_destroy(&f);
}

int main(void)
{
    discovered();
    ignored();
    in_the_first_info();
    given(true);
    given(false);
    shrinking(0);
    shrinking(1);
    shrinking(3);
    return 0;
}
