// The far end of every measurement: a process with raw sockets that does as little as it can per message.

#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUFFER          (1 << 20)
#define TAIL            6 // strlen("PING\r\n")
#define MAX_FDS         20100
#define REQUEST_SUBJECT "bench.request"

far_shared *far;
char        far_url[256];

static int  orders[2]; // one byte starts a blast
static int  epoll_fd;
static char buffer[BUFFER + 1];

static struct
{
    char tail[TAIL]; // the last bytes of what a sink has read
} peers[MAX_FDS];

// What a blaster or responder has read of the one connection it serves, and whom it sends to.
static struct
{
    int    fd;
    size_t unread;
    char  *subjects[MAX_SUBSCRIPTIONS];
    char   sids[MAX_SUBSCRIPTIONS][24];
    int    subscriptions;
    char   answers[BUFFER];
    size_t answered;
} line;

static void watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void send_all(int fd, const char *data, size_t len)
{
    while (len > 0)
    {
        ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);

        if (sent < 0)
        {
            if (errno == EINTR)
                continue;
            return; // the client has gone: its side of the story ends the program
        }
        data += sent;
        len -= (size_t)sent;
    }
}

static void accept_client(int listener)
{
    static const char info[] =
        "INFO {\"server_id\":\"BENCH\",\"version\":\"2.10.0\",\"proto\":1,\"headers\":true,"
        "\"max_payload\":1048576,\"client_id\":1}\r\n";
    int on = 1;
    int fd = accept(listener, NULL, NULL);

    if ((fd < 0) || (fd >= MAX_FDS))
        die("far end", "accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    memset(peers[fd].tail, 0, TAIL);
    line.fd     = fd;
    line.unread = 0;
    send_all(fd, info, sizeof(info) - 1);
    watch(fd);
}

// ---- sink ----

// Throws most of what the socket holds away without copying it; the rest comes into the buffer. 0 at the end.
static ssize_t sink_read(int fd)
{
    int available = 0;

    if ((ioctl(fd, FIONREAD, &available) == 0) && (available > 16384))
        recv(fd, NULL, (size_t)available - 4096, MSG_TRUNC | MSG_DONTWAIT);
    return recv(fd, buffer, BUFFER, MSG_DONTWAIT);
}

static void keep_tail(char *tail, const char *data, size_t len)
{
    if (len >= TAIL)
    {
        memcpy(tail, data + len - TAIL, TAIL);
        return;
    }
    memmove(tail, tail + len, TAIL - len);
    memcpy(tail + TAIL - len, data, len);
}

// A lone message ends in the time of its publishing, 16 digits.
static void stamp(size_t len)
{
    uint64_t now = now_ns();
    uint64_t n   = atomic_load(&far->samples);

    if ((len < 18) || (memcmp(buffer, "PUB ", 4) != 0) || (n >= MAX_SAMPLES))
        return;
    far->latency[n] = now - strtoull(buffer + len - 18, NULL, 16);
    atomic_store(&far->samples, n + 1);
}

static void serve_sink(int fd, bool stamps)
{
    ssize_t len = sink_read(fd);

    if (len <= 0)
    {
        if ((len == 0) || (errno != EAGAIN))
            close(fd);
        return;
    }
    if (stamps)
        stamp((size_t)len);
    keep_tail(peers[fd].tail, buffer, (size_t)len);
    if (memcmp(peers[fd].tail, "PING\r\n", TAIL) == 0)
        send_all(fd, "PONG\r\n", 6);
}

// ---- lines ----

static void answer(const char *format, const char *subject, const char *sid, const char *payload, size_t len)
{
    line.answered += (size_t)sprintf(line.answers + line.answered, format, subject, sid, len);
    memcpy(line.answers + line.answered, payload, len);
    line.answered += len;
    memcpy(line.answers + line.answered, "\r\n", 2);
    line.answered += 2;
}

static void add_subscription(char *words[], int count)
{
    int i = line.subscriptions;

    if (i == MAX_SUBSCRIPTIONS)
        i = line.subscriptions = 0;
    free(line.subjects[i]);
    line.subjects[i] = strdup(words[1]);
    snprintf(line.sids[i], sizeof(line.sids[i]), "%s", words[count - 1]);
    line.subscriptions++;
}

static int split(char *text, char *words[], int max)
{
    char *rest  = NULL;
    int   count = 0;

    for (char *word = strtok_r(text, " \r", &rest); (word != NULL) && (count < max);
         word       = strtok_r(NULL, " \r", &rest))
        words[count++] = word;
    return count;
}

// Deals with one line and what follows it: its length, or 0 when it is not here as a whole.
static size_t take_line(char *at, size_t len)
{
    char  *end = memchr(at, '\n', len);
    char   copy[512];
    char  *words[8];
    size_t whole, payload;
    int    count;

    if (end == NULL)
        return 0;
    whole = (size_t)(end + 1 - at);
    if ((at[0] != 'S') && (at[0] != 'M') && (at[0] != 'P') && (at[0] != 'H'))
        return whole;
    if ((at[0] == 'P') && (at[1] == 'I'))
    {
        memcpy(line.answers + line.answered, "PONG\r\n", 6);
        line.answered += 6;
        return whole;
    }
    if ((at[0] == 'P') && (at[1] == 'O'))
    {
        atomic_store(&far->ready, true);
        return whole;
    }
    snprintf(copy, sizeof(copy), "%.*s", (int)(whole - 1), at);
    count = split(copy, words, 8);
    if (at[0] == 'S')
    {
        add_subscription(words, count);
        return whole;
    }
    payload = strtoull(words[count - 1], NULL, 10);
    if (whole + payload + 2 > len)
        return 0;
    // PUB subject reply size; MSG subject sid reply size
    if ((at[0] == 'P') && (count == 4))
        answer("MSG %s %s %zu\r\n", words[2], line.sids[0], at + whole, payload);
    else if ((at[0] == 'M') && (count == 5))
        answer("PUB %s%.0s %zu\r\n", words[3], "", at + whole, payload);
    return whole + payload + 2;
}

static void serve_lines(int fd)
{
    size_t  at = 0;
    size_t  taken;
    ssize_t len = recv(fd, buffer + line.unread, BUFFER - line.unread, MSG_DONTWAIT);

    if (len <= 0)
    {
        if ((len == 0) || (errno != EAGAIN))
            close(fd);
        return;
    }
    len += (ssize_t)line.unread;
    buffer[len] = '\0';
    while ((taken = take_line(buffer + at, (size_t)len - at)) > 0)
    {
        at += taken;
        if (line.answered > BUFFER / 2)
        {
            send_all(fd, line.answers, line.answered);
            line.answered = 0;
        }
    }
    line.unread = (size_t)len - at;
    memmove(buffer, buffer + at, line.unread);
    send_all(fd, line.answers, line.answered);
    line.answered = 0;
}

// ---- blast ----

// One message for every subscription, as often as fits: the number of messages.
static uint64_t build_blast(char *data, size_t room, size_t *len)
{
    size_t   headers  = far->headers ? strlen(HEADER_BLOCK) : 0;
    size_t   size     = headers + (size_t)far->size;
    size_t   round    = (size_t)line.subscriptions * (size + 64);
    uint64_t messages = 0;

    *len = 0;
    while ((*len == 0) || (*len + round < room))
    {
        for (int i = 0; i < line.subscriptions; i++)
        {
            char *p = data + *len;

            if (headers > 0)
                p += sprintf(p, "HMSG %s %s %zu %zu\r\n%s", line.subjects[i], line.sids[i], headers, size,
                             HEADER_BLOCK);
            else
                p += sprintf(p, "MSG %s %s %zu\r\n", line.subjects[i], line.sids[i], size);
            memset(p, 'x', (size_t)far->size);
            p += far->size;
            memcpy(p, "\r\n", 2);
            *len = (size_t)(p + 2 - data);
            messages++;
        }
    }
    return messages;
}

static uint64_t received(void)
{
    uint64_t sum = 0;

    for (int i = 0; i < far->subscriptions; i++)
        sum += atomic_load_explicit(&far->received[i].count, memory_order_relaxed);
    return sum;
}

static void blast(void)
{
    static char data[8 << 20];
    size_t      len;
    size_t      room     = (far->size > 1024) ? (512 << 10) : (64 << 10);
    uint64_t    messages = build_blast(data, room, &len);
    uint64_t    deadline = now_ns() + (uint64_t)(far->limits.seconds * 1e9);
    uint64_t    sent     = 0;
    uint64_t    arrived  = 0;
    bool        last     = false;

    while (!last)
    {
        while ((sent + messages > arrived + far->window) && (sent > arrived))
        {
            arrived = received();
            if (sent + messages > arrived + far->window)
                usleep(20);
        }
        sent += messages;
        last = (far->limits.count > 0) ? (sent >= far->limits.count) : (now_ns() >= deadline);
        if (last)
            atomic_store(&far->total, sent);
        send_all(line.fd, data, len);
    }
}

// ---- start ----

static int dial_server(void)
{
    static const char hello[] =
        "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB " REQUEST_SUBJECT " 1\r\nPING\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET};
    const char        *url     = getenv("NATS_URL");
    unsigned           port    = 0;
    int                on      = 1;
    int                fd      = socket(AF_INET, SOCK_STREAM, 0);

    if ((url == NULL) || (sscanf(url, "nats://127.0.0.1:%u", &port) != 1))
        die("NATS_URL", "is not nats://127.0.0.1:PORT");
    snprintf(far_url, sizeof(far_url), "%s", url);
    address.sin_port        = htons((uint16_t)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        die(url, strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    send_all(fd, hello, sizeof(hello) - 1);
    line.fd = fd;
    return fd;
}

static int listen_here(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t          len     = sizeof(address);
    int                fd      = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if ((bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0) || (listen(fd, 4096) != 0) ||
        (getsockname(fd, (struct sockaddr *)&address, &len) != 0))
        die("far end", strerror(errno));
    snprintf(far_url, sizeof(far_url), "nats://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    return fd;
}

static void serve(far_role role, int listener)
{
    struct epoll_event events[64];

    epoll_fd = epoll_create1(0);
    watch(listener);
    watch(orders[0]);
    for (;;)
    {
        int count = epoll_wait(epoll_fd, events, 64, -1);

        for (int i = 0; i < count; i++)
        {
            int  fd = events[i].data.fd;
            char order;

            if (fd == orders[0])
            {
                if (read(fd, &order, 1) != 1)
                    _exit(0);
                blast();
            }
            else if ((fd == listener) && (role != CLIENT))
                accept_client(fd);
            else if ((role == SINK) || (role == STAMPER))
                serve_sink(fd, role == STAMPER);
            else
                serve_lines(fd);
        }
    }
}

void far_start(far_role role)
{
    int listener = (role == CLIENT) ? dial_server() : listen_here();

    far = mmap(NULL, sizeof(*far), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if ((far == MAP_FAILED) || (pipe(orders) != 0))
        die("far end", strerror(errno));
    if (fork() == 0)
    {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(orders[1]);
        serve(role, listener);
    }
    close(listener);
    close(orders[0]);
    while ((role == CLIENT) && !atomic_load(&far->ready))
        usleep(1000);
}

void far_blast(void)
{
    if (write(orders[1], "b", 1) != 1)
        die("far end", "is gone");
}
