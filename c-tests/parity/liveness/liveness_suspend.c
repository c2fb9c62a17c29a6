// The whole program is stopped for many ping intervals: the ticks it missed are not made up for all at once,
// and a healthy connection is not taken for a stale one. No trace_timing here: being late is the point.

#include "server.h"
#include "trace.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum
{
    INTERVAL = 300,
};

// Another process stops this one and lets it go on.
static void suspend(int ms)
{
    pid_t me  = getpid();
    pid_t pid = fork();

    if (pid == 0)
    {
        kill(me, SIGSTOP);
        quiet_ms(ms);
        kill(me, SIGCONT);
        _exit(0);
    }
    CHECK(pid > 0 && waitpid(pid, NULL, 0) == pid);
}

int main(void)
{
    server         *s;
    events         *ev   = events_create();
    natsOptions    *opts = NULL;
    natsConnection *nc   = NULL;

    if (!server_available())
        SKIP("no nats-server");
    s = server_start(NULL, NULL);
    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetURL(opts, server_url(s)));
    CHECK_OK(natsOptions_SetPingInterval(opts, INTERVAL));
    CHECK_OK(natsOptions_SetMaxPingsOut(opts, 1));
    events_handlers(ev, opts);
    CHECK_OK(natsConnection_Connect(&nc, opts));
    for (int i = 0; i < 3; i++)
    {
        trace_scenario("suspended for ten intervals");
        suspend(10 * INTERVAL);
        trace_status("flush", natsConnection_FlushTimeout(nc, 5000));
        quiet_ms(3 * INTERVAL);
        trace_events(ev, 0);
        trace_connection("connection", nc);
    }
    natsConnection_Close(nc);
    WAIT_EVENT(ev, "closed", 1, 5000);
    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
    server_stop(s);
    return 0;
}
