// TLS connections that end in every way: closed without spinning, nothing of one attempt in the way of the
// next.

#include "scratch.h"
#include "server.h"
#include "trace.h"

#include <unistd.h>

static server *tls_server;

static void make_certificate(void)
{
    char command[1024];

    snprintf(
        command, sizeof command,
        "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost "
        "-addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' -keyout %s/key.pem -out %s/cert.pem 2>/dev/null",
        scratch_dir(), scratch_dir());
    if (system(command) != 0)
        SKIP("no openssl to make a certificate with");
}

static natsOptions *options(events *ev)
{
    natsOptions *opts = NULL;
    char         ca[256], url[64];

    snprintf(ca, sizeof ca, "%s/cert.pem", scratch_dir());
    snprintf(url, sizeof url, "tls://127.0.0.1:%d", server_port(tls_server));
    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetURL(opts, url));
    CHECK_OK(natsOptions_LoadCATrustedCertificates(opts, ca));
    CHECK_OK(natsOptions_SetReconnectWait(opts, 50));
    CHECK_OK(natsOptions_SetReconnectJitter(opts, 0, 0));
    CHECK_OK(natsOptions_SetMaxReconnect(opts, -1));
    CHECK_OK(natsOptions_SetPingInterval(opts, 500));
    events_handlers(ev, opts);
    return opts;
}

static void leave(natsConnection *nc, natsOptions *opts, events *ev)
{
    natsConnection_Close(nc);
    WAIT_EVENT(ev, "closed", 1, 5000);
    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
    events_destroy(ev);
}

static void server_dies(bool hard)
{
    events         *ev   = events_create();
    natsOptions    *opts = options(ev);
    natsConnection *nc   = NULL;
    int64_t         cpu;

    trace_scenario(hard ? "server killed" : "server shut down");
    CHECK_OK(natsConnection_Connect(&nc, opts));
    CHECK_OK(natsConnection_Flush(nc));
    for (int i = 1; i <= 3; i++)
    {
        hard ? server_kill(tls_server) : server_shutdown(tls_server);
        WAIT_EVENT(ev, "disconnected", i, 5000);
        cpu = cpu_ms();
        quiet_ms(300);
        trace("spinning: %s", cpu_ms() - cpu > 150 ? "yes" : "no");
        server_restart(tls_server);
        WAIT_EVENT(ev, "reconnected", i, 5000);
        trace_status("flush", natsConnection_FlushTimeout(nc, 5000));
    }
    trace_events(ev, 0);
    leave(nc, opts, ev);
}

static void server_stops(void)
{
    events         *ev   = events_create();
    natsOptions    *opts = options(ev);
    natsConnection *nc   = NULL;

    trace_scenario("server stopped");
    CHECK_OK(natsOptions_SetMaxPingsOut(opts, 1));
    CHECK_OK(natsConnection_Connect(&nc, opts));
    events_start_clock(ev);
    server_pause(tls_server);
    WAIT_EVENT(ev, "disconnected", 1, 10000);
    trace_time("disconnected", events_ms(ev, "disconnected", 1), 500);
    server_resume(tls_server);
    WAIT_EVENT(ev, "reconnected", 1, 10000);
    trace_status("flush", natsConnection_FlushTimeout(nc, 5000));
    leave(nc, opts, ev);
}

static void not_trusted(void)
{
    events         *ev   = events_create();
    natsOptions    *opts = NULL;
    natsConnection *nc   = NULL;
    char            url[64];
    int             fds;

    trace_scenario("certificate nobody trusts");
    snprintf(url, sizeof url, "tls://127.0.0.1:%d", server_port(tls_server));
    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetURL(opts, url));
    events_handlers(ev, opts);
    fds = fd_count();
    for (int i = 0; i < 3; i++)
        trace_status("connect", natsConnection_Connect(&nc, opts));
    trace("descriptors left: %d", fd_count() - fds);
    CHECK_OK(natsOptions_SkipServerVerification(opts, true));
    trace_status("connect without looking", natsConnection_Connect(&nc, opts));
    trace_status("flush", natsConnection_FlushTimeout(nc, 5000));
    leave(nc, opts, ev);
}

int main(void)
{
    char config[256];

    if (!server_available())
        SKIP("no nats-server");
    make_certificate();
    snprintf(config, sizeof config,
             "tls { cert_file: \"%s/cert.pem\", key_file: \"%s/key.pem\", timeout: 5 }\n", scratch_dir(),
             scratch_dir());
    trace_timing(500, 120);
    tls_server = server_start(config, NULL);
    server_dies(true);
    server_dies(false);
    server_stops();
    not_trusted();
    server_stop(tls_server);
    return 0;
}
