// What a server sends is bounded, in memory and in time: no line without end, no announced size and no list
// makes this process give more than a little of it, and shortage of memory ends one connection, not the
// process.

#include "fixture.h"
#include "wire.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MB (1 << 20)

static char *info_with_urls(int count)
{
    char *text = malloc((size_t)count * 32 + 200), *at = text;

    at += sprintf(
        at, "{\"server_id\":\"x\",\"proto\":1,\"headers\":true,\"max_payload\":1048576,\"connect_urls\":[");
    for (int i = 0; i < count; i++)
        at += sprintf(at, "%s\"10.%d.%d.%d:4222\"", i ? "," : "", i >> 16, (i >> 8) & 255, i & 255);
    sprintf(at, "]}");
    return text;
}

static fixture without_reconnect(void)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetAllowReconnect(f.opts, false));
    return f;
}

// Sends `text` again and again until the client has had enough.
static void flood(fixture *f, size_t len)
{
    char *some = malloc(len);

    memset(some, 'x', len);
    for (int i = 0; i < 400 * MB / (int)len && mock_write(f->m, 1, some, len); i++)
        ;
    free(some);
}

static void ends_with(fixture *f, natsStatus why)
{
    char text[256];

    WAIT_EVENT(f->ev, "closed", 1, 20000);
    CHECK_STATUS(natsConnection_ReadLastError(f->nc, text, sizeof text), why);
}

// A cluster of two thousand servers.
TEST(large_info_in_the_handshake)
{
    fixture f    = fixture_create();
    char   *info = info_with_urls(2000);

    CHECK(strlen(info) > 32768);
    mock_info(f.m, MOCK_ALL, info);
    fixture_connect(&f);
    CHECK_INT(discovered_count(f.nc), 2000);
    free(info);
    fixture_destroy(&f);
}

TEST(endless_info_in_the_handshake)
{
    fixture f   = fixture_create();
    char   *big = malloc(17 * MB + 16);
    int64_t kb;

    memset(big, 'x', 17 * MB);
    memcpy(big, "INFO {", 6);
    strcpy(big + 17 * MB, "}\r\n");
    mock_greeting_text(f.m, 1, big);
    free(big);
    kb = resident_kb();
    CHECK_STATUS(natsConnection_Connect(&f.nc, f.opts), NATS_LINE_TOO_LONG);
    CHECK_RANGE(resident_kb() - kb, -100000, 50000);
    fixture_destroy(&f);
}

TEST(endless_reply_in_the_handshake)
{
    fixture f   = fixture_create();
    char   *big = malloc(33000);

    memset(big, 'x', 32999);
    memcpy(big, "-ERR '", 6);
    big[32999] = '\0';
    mock_handshake_reply(f.m, 1, big); // no line end at all
    CHECK_STATUS(natsConnection_Connect(&f.nc, f.opts), NATS_LINE_TOO_LONG);
    strcpy(big + 32768 - 2, "'\r\n"); // ends one byte too late
    mock_handshake_reply(f.m, 2, big);
    CHECK_STATUS(natsConnection_Connect(&f.nc, f.opts), NATS_LINE_TOO_LONG);
    strcpy(big + 32768 - 3, "'\r\n");
    mock_handshake_reply(f.m, 3, big);
    CHECK_STATUS(natsConnection_Connect(&f.nc, f.opts), NATS_ERR);
    free(big);
    fixture_destroy(&f);
}

static void endless_line(const char *start, int limit_kb)
{
    fixture f = without_reconnect();
    int64_t kb;

    mock_record(f.m, false);
    fixture_connect(&f);
    kb = resident_kb();
    mock_send(f.m, "%s", start);
    flood(&f, 256 * 1024);
    ends_with(&f, NATS_LINE_TOO_LONG);
    CHECK_RANGE(resident_kb() - kb, -100000, limit_kb);
    fixture_destroy(&f);
}

TEST(endless_control_lines)
{
    endless_line("PING ", 8 * 1024);
    endless_line("MSG ", 8 * 1024);
    endless_line("-ERR '", 8 * 1024);
    endless_line("INFO {\"x\":\"", 50 * 1024);
}

// What follows a payload up to the line's end is not kept, however much it is.
TEST(endless_end_of_a_payload)
{
    fixture           f   = without_reconnect();
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;
    int64_t           kb;

    mock_record(f.m, false);
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    kb = resident_kb();
    mock_send(f.m, "MSG foo 1 2\r\nhi");
    flood(&f, 4 * MB);
    CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
    CHECK_STR(natsMsg_GetData(msg), "hi");
    natsMsg_Destroy(msg);
    mock_send(f.m, "\nMSG foo 1 5\r\nagain\r\n");
    CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
    CHECK_STR(natsMsg_GetData(msg), "again");
    natsMsg_Destroy(msg);
    CHECK_RANGE(resident_kb() - kb, -100000, 8 * 1024);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

// Announcing costs the server nothing, so it costs us nothing.
TEST(announced_sizes)
{
    static const char *const sizes[] = {"1000000", "100000000", "1000000000", "2147483000"};

    for (int known = 0; known < 2; known++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        {
            fixture           f   = without_reconnect();
            natsSubscription *sub = NULL;
            int64_t           kb;

            fixture_connect(&f);
            CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
            CHECK_OK(natsConnection_Flush(f.nc));
            kb = resident_kb();
            mock_send(f.m, "PING\r\nMSG foo %d %s\r\nabc", known ? 1 : 99, sizes[i]);
            CHECK(mock_wait_line(f.m, 1, "PONG", 1, 5000));
            wire_taken(f.m);
            CHECK_RANGE(resident_kb() - kb, -100000, 4 * 1024);
            CHECK(!natsConnection_IsClosed(f.nc));
            natsSubscription_Destroy(sub);
            fixture_destroy(&f);
        }
}

static char letter(size_t at)
{
    return (char)('a' + (at * 7 + at / 1000) % 26);
}

// A body that arrives in pieces is whole in the end, whatever memory it went through.
TEST(large_bodies)
{
    static const size_t sizes[] = {MB - 1, MB, MB + 1, 3 * MB, 8 * MB - 33, 8 * MB, 20 * MB + 7};
    fixture             f       = without_reconnect();
    natsSubscription   *sub     = NULL;

    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    {
        size_t   size = sizes[i];
        char    *body = malloc(size);
        natsMsg *msg  = NULL;

        for (size_t at = 0; at < size; at++)
            body[at] = letter(at);
        mock_send(f.m, "HMSG foo 1 re 18 %zu\r\nNATS/1.0\r\nA: b\r\n\r\n", size + 18);
        CHECK(mock_write(f.m, 1, body, size / 3));
        CHECK(mock_write(f.m, 1, body + size / 3, size - size / 3));
        mock_send(f.m, "\r\n");
        CHECK_OK(natsSubscription_NextMsg(&msg, sub, 20000));
        CHECK_INT(natsMsg_GetDataLength(msg), size);
        CHECK(memcmp(natsMsg_GetData(msg), body, size) == 0);
        CHECK(natsMsg_GetData(msg)[size] == '\0');
        CHECK_STR(natsMsg_GetReply(msg), "re");
        natsMsg_Destroy(msg);
        free(body);
    }
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

// In a process that may not have the memory, which other threads of it would miss, too.
static void receive_with_little_memory(void)
{
    fixture           f   = without_reconnect();
    natsSubscription *sub = NULL;
    struct rlimit     limit;
    FILE             *statm = fopen("/proc/self/statm", "r");
    long              pages = 0;

    mock_record(f.m, false);
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK(statm != NULL && fscanf(statm, "%ld", &pages) == 1);
    fclose(statm);
    limit.rlim_cur = limit.rlim_max = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + 100 * (rlim_t)MB;
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    mock_send(f.m, "MSG foo 1 1000000000\r\n");
    flood(&f, 256 * 1024);
    ends_with(&f, NATS_NO_MEMORY);
    exit(0);
}

TEST(no_memory_for_a_body)
{
    pid_t pid    = fork();
    int   status = 0;

    if (pid == 0)
        receive_with_little_memory();
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the process ended with %x", status);
}

// The list of a large cluster is taken in at once, again and again, and other connections go on.
TEST(many_discovered_servers)
{
    fixture f    = fixture_create();
    char   *info = info_with_urls(30000);
    size_t  len  = strlen(info);
    int64_t began;

    fixture_connect(&f);
    began = now_ms();
    for (int i = 0; i < 3; i++)
    {
        mock_send(f.m, "INFO ");
        CHECK(mock_write(f.m, 1, info, len));
        mock_send(f.m, "\r\nPING\r\n");
    }
    CHECK(mock_wait_line(f.m, 1, "PONG", 3, 20000));
    WAIT_FOR(discovered_count(f.nc) == 30000, 20000);
    CHECK_RANGE(now_ms() - began, 0, 10000);
    free(info);
    info = info_with_urls(40000);
    mock_send(f.m, "INFO ");
    CHECK(mock_write(f.m, 1, info, strlen(info)));
    mock_send(f.m, "\r\n");
    WAIT_FOR(discovered_count(f.nc) == 32768, 20000); // as many as are taken
    free(info);
    fixture_destroy(&f);
}

// A publisher's headers: a megabyte of the shortest lines, well-formed or not.
TEST(headers_in_linear_time)
{
    static const char *const lines[] = {"a:\r\n", "a\r\n", "\r\n", " \r\n", "a:\r\n b\r\n"};
    fixture                  f       = without_reconnect();
    natsSubscription        *sub     = NULL;
    char                    *block   = malloc(MB + 100);

    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
    {
        size_t      step = strlen(lines[i]);
        char       *at   = block + sprintf(block, "NATS/1.0\r\n");
        natsMsg    *msg  = NULL;
        const char *value;
        int64_t     began;

        for (; at < block + MB; at += step)
            memcpy(at, lines[i], step);
        at += sprintf(at, "k: v\r\n\r\n");
        mock_send(f.m, "HMSG foo 1 %d %d\r\n", (int)(at - block), (int)(at - block) + 1);
        CHECK(mock_write(f.m, 1, block, (size_t)(at - block)));
        mock_send(f.m, "x\r\n");
        CHECK_OK(natsSubscription_NextMsg(&msg, sub, 20000));
        began = now_ms();
        natsMsgHeader_Get(msg, "k", &value);
        CHECK_RANGE(now_ms() - began, 0, 2000);
        natsMsg_Destroy(msg);
    }
    free(block);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}
