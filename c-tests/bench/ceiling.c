// What this machine and the far end allow: the same work without any library. Nothing can be measured above
// it.

#include "bench.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK (64 << 10)

static int dial(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    unsigned           port    = 0;
    int                fd      = socket(AF_INET, SOCK_STREAM, 0);
    char               info[1024];

    sscanf(far_url, "nats://127.0.0.1:%u", &port);
    address.sin_port        = htons((uint16_t)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if ((connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) ||
        (recv(fd, info, sizeof(info), 0) <= 0))
        die("ceiling", "cannot connect");
    return fd;
}

static void send_all(int fd, const char *data, size_t len)
{
    while (len > 0)
    {
        ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);

        if (sent <= 0)
            die("ceiling", "cannot send");
        data += sent;
        len -= (size_t)sent;
    }
}

static void ping_pong(int fd)
{
    char pong[6];

    send_all(fd, "PING\r\n", 6);
    if (recv(fd, pong, sizeof(pong), MSG_WAITALL) != (ssize_t)sizeof(pong))
        die("ceiling", "no PONG");
}

// Copies frames into a buffer and sends the buffer when it is full.
void ceiling_publish(const char *name, limits limits, const int *size)
{
    char    *payload = calloc(1, (size_t)size[0]);
    char    *chunk   = malloc(CHUNK + (size_t)size[0] + 64);
    char     head[32];
    size_t   head_len = (size_t)sprintf(head, "PUB bench %d\r\n", size[0]);
    uint64_t done     = 0;
    interval in;
    uint64_t deadline;
    int      fd;

    far_start(SINK);
    fd       = dial();
    deadline = now_ns() + (uint64_t)(limits.seconds * 1e9);
    interval_start(&in);
    while (!limits_reached(&limits, done, 1, deadline))
    {
        size_t len = 0;

        while (len < CHUNK)
        {
            memcpy(chunk + len, head, head_len);
            memcpy(chunk + len + head_len, payload, (size_t)size[0]);
            len += head_len + (size_t)size[0];
            memcpy(chunk + len, "\r\n", 2);
            len += 2;
            done++;
        }
        send_all(fd, chunk, len);
    }
    ping_pong(fd);
    interval_stop(&in);
    report(name, done, &in, "");
    close(fd);
}

// Counts the bytes.
void ceiling_receive(const char *name, limits limits, const int *size)
{
    static char buffer[256 << 10];
    size_t      frame = (size_t)sprintf(buffer, "MSG b.0 1 %d\r\n", size[0]) + (size_t)size[0] + 2;
    uint64_t    bytes = 0;
    interval    in;
    int         fd;

    far_start(BLASTER);
    fd = dial();
    send_all(fd, "SUB b.0 1\r\n", 11);
    ping_pong(fd);
    interval_start(&in);
    order_blast(limits, 1, size[0], false);
    while ((bytes == 0) || (bytes < atomic_load(&far->total) * frame) || (atomic_load(&far->total) == 0))
    {
        ssize_t len = recv(fd, buffer, sizeof(buffer), 0);

        if (len <= 0)
            die("ceiling", "cannot receive");
        bytes += (uint64_t)len;
        atomic_store(&far->received[0].count, bytes / frame);
    }
    interval_stop(&in);
    report(name, bytes / frame, &in, "");
    close(fd);
}
