// What can be seen of the socket and of the process from outside.

#include "fixture.h"
#include "trace.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>

static void options_of(int fd)
{
    struct linger linger = {0, 0};
    int           value;
    socklen_t     len = sizeof linger;

    getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len);
    trace("SO_LINGER %d %d", linger.l_onoff, linger.l_linger);
    len = sizeof value;
    getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &len);
    trace("TCP_NODELAY %d", value != 0);
    getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &len);
    trace("SO_KEEPALIVE %d", value != 0);
    getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &len);
    trace("TCP_USER_TIMEOUT %d", value);
}

static void socket_options(void)
{
    fixture f = fixture_create();

    trace_scenario("options of the socket");
    fixture_connect(&f);
    options_of(client_fd(mock_port(f.m)));
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    trace("after a reconnect");
    options_of(client_fd(mock_port(f.m)));
    fixture_destroy(&f);
}

static void broken_pipe(void)
{
    struct sigaction before, after;

    trace_scenario("SIGPIPE");
    sigaction(SIGPIPE, NULL, &before);
    trace("before: %s", before.sa_handler == SIG_IGN ? "ignored" : "not ignored");
    CHECK_OK(nats_Open(-1));
    sigaction(SIGPIPE, NULL, &after);
    trace("after: %s", after.sa_handler == SIG_IGN ? "ignored" : "not ignored");
}

int main(void)
{
    signal(SIGPIPE, SIG_DFL);
    broken_pipe();
    socket_options();
    return 0;
}
