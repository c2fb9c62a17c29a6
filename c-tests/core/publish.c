// Publishing: what the calls answer, the bytes they write, and that a real server passes them on.

#include "fixture.h"
#include "server.h"
#include "wire.h"

#include <pthread.h>

static const char INFO[] = "{\"max_payload\":20,\"headers\":true}";

static fixture connected_to(const char *info)
{
    fixture f = fixture_create();

    if (info != NULL)
        mock_info(f.m, MOCK_ALL, info);
    fixture_connect(&f);
    return f;
}

static void counts(natsConnection *nc, uint64_t *msgs, uint64_t *bytes)
{
    natsStatistics *stats = NULL;

    CHECK_OK(natsStatistics_Create(&stats));
    CHECK_OK(natsConnection_GetStats(nc, stats));
    CHECK_OK(natsStatistics_GetCounts(stats, NULL, NULL, msgs, bytes, NULL));
    natsStatistics_Destroy(stats);
}

TEST(invalid_arguments)
{
    fixture  f   = connected_to(INFO);
    natsMsg *msg = NULL;

    CHECK_OK(natsMsg_Create(&msg, "foo", NULL, "a", 1));
    CHECK_STATUS(natsConnection_Publish(NULL, "foo", "a", 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_PublishString(NULL, "foo", "a"), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_PublishMsg(NULL, msg), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_PublishMsg(f.nc, NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_Send(NULL, "foo", "a", 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_SendMsg(NULL, msg), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_SendMsg(f.nc, NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_PublishRequest(NULL, "foo", "re", "a", 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_PublishRequest(f.nc, "foo", NULL, "a", 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_PublishRequest(f.nc, "", "", "a", 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_PublishRequestString(NULL, "foo", "re", "a"), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_PublishRequestString(f.nc, "foo", "", "a"), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_SendRequest(NULL, "foo", "re", "a", 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsConnection_SendRequest(f.nc, "foo", NULL, "a", 1), NATS_INVALID_ARG);
    for (int i = 0; i < 2; i++)
    {
        const char *bad = i == 0 ? NULL : "";

        CHECK_STATUS(natsConnection_Publish(f.nc, bad, "a", 1), NATS_INVALID_SUBJECT);
        CHECK_STATUS(natsConnection_PublishString(f.nc, bad, "a"), NATS_INVALID_SUBJECT);
        CHECK_STATUS(natsConnection_Send(f.nc, bad, "a", 1), NATS_INVALID_SUBJECT);
        CHECK_STATUS(natsConnection_PublishRequest(f.nc, bad, "re", "a", 1), NATS_INVALID_SUBJECT);
        CHECK_STATUS(natsConnection_SendRequest(f.nc, bad, "re", "a", 1), NATS_INVALID_SUBJECT);
    }
    // Nothing of all that left.
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_WIRE(f.m, 1, "PING\r\n");
    natsMsg_Destroy(msg);
    fixture_destroy(&f);
}

// Bytes that would be protocol of their own are refused; everything else goes out as it is.
TEST(subjects_cannot_write_protocol)
{
    static const char *const bad[] = {"a b", "a\r\nPING", "a\nb", "a\rb", " a", "a "};
    fixture                  f     = connected_to(INFO);

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    {
        CHECK_STATUS(natsConnection_Publish(f.nc, bad[i], "x", 1), NATS_INVALID_SUBJECT);
        CHECK_STATUS(natsConnection_PublishRequest(f.nc, "foo", bad[i], "x", 1), NATS_INVALID_SUBJECT);
    }
    CHECK_OK(natsConnection_Publish(f.nc, "..", "x", 1));
    CHECK_OK(natsConnection_Publish(f.nc, ">.*.a", "x", 1));
    CHECK_OK(natsConnection_Publish(f.nc, "\xff\xfe", "x", 1));
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_WIRE(f.m, 1, "PUB .. 1\r\nx\r\nPUB >.*.a 1\r\nx\r\nPUB \xff\xfe 1\r\nx\r\nPING\r\n");
    fixture_destroy(&f);
}

TEST(bytes_of_every_call)
{
    fixture  f   = connected_to("{\"max_payload\":1000,\"headers\":true}");
    natsMsg *msg = NULL, *hdr = NULL;
    uint64_t msgs, bytes;

    CHECK_OK(natsMsg_Create(&msg, "m", "re", "abc", 3));
    CHECK_OK(natsMsg_Create(&hdr, "h", NULL, "abc", 3));
    CHECK_OK(natsMsgHeader_Set(hdr, "k", "v"));
    CHECK_OK(natsConnection_Publish(f.nc, "p", "12", 2));
    CHECK_OK(natsConnection_Publish(f.nc, "p", NULL, 0));
    CHECK_OK(natsConnection_PublishString(f.nc, "s", "text"));
    CHECK_OK(natsConnection_PublishString(f.nc, "s", NULL));
    CHECK_OK(natsConnection_PublishMsg(f.nc, msg));
    CHECK_OK(natsConnection_PublishMsg(f.nc, hdr));
    CHECK_OK(natsConnection_PublishRequest(f.nc, "q", "re", "1", 1));
    CHECK_OK(natsConnection_PublishRequestString(f.nc, "q", "re", "1"));
    CHECK_OK(natsConnection_Send(f.nc, "S", "1", 1));
    CHECK_OK(natsConnection_SendMsg(f.nc, hdr));
    CHECK_OK(natsConnection_SendRequest(f.nc, "S", "re", "1", 1));
    CHECK_WIRE(f.m, 1,
               "PUB p 2\r\n12\r\nPUB p 0\r\n\r\nPUB s 4\r\ntext\r\nPUB s 0\r\n\r\nPUB m re 3\r\nabc\r\n"
               "HPUB h 18 21\r\nNATS/1.0\r\nk: v\r\n\r\nabc\r\nPUB q re 1\r\n1\r\nPUB q re 1\r\n1\r\n"
               "PUB S 1\r\n1\r\nHPUB h 18 21\r\nNATS/1.0\r\nk: v\r\n\r\nabc\r\nPUB S re 1\r\n1\r\n");
    counts(f.nc, &msgs, &bytes);
    CHECK_INT(msgs, 11);
    CHECK_INT(bytes, 2 + 0 + 4 + 0 + 3 + 21 + 1 + 1 + 1 + 21 + 1);
    natsMsg_Destroy(msg);
    natsMsg_Destroy(hdr);
    fixture_destroy(&f);
}

// Send has written when it returns: nothing is left in the buffer.
TEST(send_leaves_nothing_behind)
{
    fixture f = connected_to(NULL);

    for (int i = 0; i < 50; i++)
    {
        CHECK_OK(natsConnection_PublishString(f.nc, "foo", "first"));
        CHECK_OK(natsConnection_Send(f.nc, "foo", "second", 6));
        CHECK_INT(natsConnection_Buffered(f.nc), 0);
    }
    CHECK(mock_wait_pubs(f.m, 1, 100, 5000));
    fixture_destroy(&f);
}

// A lone message leaves soon without a flush.
TEST(buffered_message_leaves_by_itself)
{
    fixture f = connected_to(NULL);

    for (int i = 1; i <= 20; i++)
    {
        CHECK_OK(natsConnection_PublishString(f.nc, "foo", "x"));
        CHECK(mock_wait_pubs(f.m, 1, i, 2000));
    }
    fixture_destroy(&f);
}

TEST(max_payload_counts_headers)
{
    fixture     f   = connected_to("{\"max_payload\":30,\"headers\":true}");
    natsMsg    *msg = NULL;
    natsStatus  s;
    const char *text;

    CHECK_INT(natsConnection_GetMaxPayload(f.nc), 30);
    CHECK_OK(natsMsg_Create(&msg, "foo", NULL, "0123456789", 10));
    CHECK_OK(natsMsgHeader_Set(msg, "k", "vvv"));
    CHECK_INT(natsMsgHeader_EncodedLength(msg), 20);
    CHECK_OK(natsConnection_PublishMsg(f.nc, msg));
    CHECK_OK(natsMsgHeader_Set(msg, "k", "vvvv"));
    CHECK_STATUS(natsConnection_PublishMsg(f.nc, msg), NATS_MAX_PAYLOAD);
    text = nats_GetLastError(&s);
    CHECK_INT(s, NATS_MAX_PAYLOAD);
    CHECK(strstr(text, "Payload 31 greater than maximum allowed: 30") != NULL);
    natsMsg_Destroy(msg);
    fixture_destroy(&f);
}

TEST(limits_follow_the_last_info)
{
    fixture  f   = connected_to(INFO);
    natsMsg *msg = NULL;

    CHECK_OK(natsMsg_Create(&msg, "foo", NULL, "", 0));
    CHECK_OK(natsMsgHeader_Set(msg, "k", "v"));
    CHECK_OK(natsConnection_PublishMsg(f.nc, msg));
    mock_send(f.m, "INFO {\"max_payload\":5}\r\n");
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_OK(natsConnection_Publish(f.nc, "foo", "12345", 5));
    CHECK_STATUS(natsConnection_Publish(f.nc, "foo", "123456", 6), NATS_MAX_PAYLOAD);
    CHECK_STATUS(natsConnection_PublishMsg(f.nc, msg), NATS_NO_SERVER_SUPPORT);
    CHECK_STATUS(natsConnection_HasHeaderSupport(f.nc), NATS_NO_SERVER_SUPPORT);
    natsMsg_Destroy(msg);
    fixture_destroy(&f);
}

TEST(closed_connection)
{
    fixture f = connected_to(INFO);

    natsConnection_Close(f.nc);
    CHECK_STATUS(natsConnection_Publish(f.nc, "", "x", 1), NATS_INVALID_SUBJECT);
    CHECK_STATUS(natsConnection_Publish(f.nc, "foo", "x", 1), NATS_CONNECTION_CLOSED);
    CHECK_STATUS(natsConnection_Publish(f.nc, "foo", "123456789012345678901", 21), NATS_CONNECTION_CLOSED);
    CHECK_STATUS(natsConnection_Send(f.nc, "foo", "x", 1), NATS_CONNECTION_CLOSED);
    CHECK_STATUS(natsConnection_PublishRequest(f.nc, "foo", "re", "x", 1), NATS_CONNECTION_CLOSED);
    CHECK_INT(natsConnection_Buffered(f.nc), -1);
    fixture_destroy(&f);
}

static void reconnect_buffer(int size, int fit)
{
    fixture f = fixture_create();

    CHECK_OK(natsOptions_SetReconnectBufSize(f.opts, size));
    fixture_connect(&f);
    mock_stop_listening(f.m);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    WAIT_FOR(natsConnection_IsReconnecting(f.nc), 5000);
    for (int i = 0; i < fit; i++)
        CHECK_OK(natsConnection_Publish(f.nc, "foo", "abcde", 5)); // frames of 18 bytes
    CHECK_STATUS(natsConnection_Publish(f.nc, "foo", "abcde", 5), NATS_INSUFFICIENT_BUFFER);
    CHECK_STATUS(natsConnection_Send(f.nc, "foo", "abcde", 5), NATS_INSUFFICIENT_BUFFER);
    mock_listen_again(f.m);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    CHECK_OK(natsConnection_Publish(f.nc, "foo", "after", 5));
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_INT(mock_pubs(f.m, 2), fit + 1);
    fixture_destroy(&f);
}

TEST(reconnect_buffer_of_nothing)
{
    reconnect_buffer(0, 0);
}

TEST(reconnect_buffer_may_overshoot_once)
{
    reconnect_buffer(32, 2);
}

TEST(reconnect_buffer_filled_exactly)
{
    reconnect_buffer(36, 2);
}

// Payloads around the sizes of buffers arrive whole and in order, however they are cut.
TEST_T(large_payloads, 60000)
{
    static const int sizes[] = {0, 1, 4095, 4096, 32755, 32768, 32769, 65536, 100000, 1000000, 3};
    fixture          f       = connected_to("{\"max_payload\":2000000,\"headers\":true}");
    char            *data    = malloc(1000000);
    size_t           len, at = 0;
    char            *got;

    for (int i = 0; i < 1000000; i++)
        data[i] = (char)(i * 7 + i / 251);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        CHECK_OK(natsConnection_Publish(f.nc, "big", data, sizes[i]));
    CHECK_OK(natsConnection_FlushTimeout(f.nc, 20000));
    got = wire(f.m, 1, &len);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    {
        char head[32];
        int  n = snprintf(head, sizeof head, "PUB big %d\r\n", sizes[i]);

        CHECK(at + (size_t)n + (size_t)sizes[i] + 2 <= len);
        CHECK_MSG(memcmp(got + at, head, (size_t)n) == 0, "head of message %d", (int)i);
        at += (size_t)n;
        CHECK_MSG(memcmp(got + at, data, (size_t)sizes[i]) == 0, "body of message %d", (int)i);
        at += (size_t)sizes[i];
        CHECK(memcmp(got + at, "\r\n", 2) == 0);
        at += 2;
    }
    CHECK_STR(got + at, "PING\r\n");
    free(got);
    free(data);
    fixture_destroy(&f);
}

enum
{
    PUBLISHERS = 4,
    EACH       = 5000,
};

static void *publish_many(void *arg)
{
    natsConnection *nc = ((void **)arg)[0];
    int             id = (int)(intptr_t)((void **)arg)[1];
    char            text[32];

    for (int i = 0; i < EACH; i++)
    {
        snprintf(text, sizeof text, "%d %d", id, i);
        CHECK_OK(natsConnection_PublishString(nc, "foo", text));
    }
    return NULL;
}

// Frames of several publishers never mix, and each publisher's own order is kept.
TEST_T(many_publishers_on_one_connection, 60000)
{
    fixture   f = connected_to(NULL);
    pthread_t threads[PUBLISHERS];
    void     *args[PUBLISHERS][2];
    int       next[PUBLISHERS] = {0};
    char     *got, *line;
    int       frames_seen = 0;

    for (int i = 0; i < PUBLISHERS; i++)
    {
        args[i][0] = f.nc;
        args[i][1] = (void *)(intptr_t)i;
        CHECK(pthread_create(&threads[i], NULL, publish_many, args[i]) == 0);
    }
    for (int i = 0; i < PUBLISHERS; i++)
        pthread_join(threads[i], NULL);
    CHECK_OK(natsConnection_FlushTimeout(f.nc, 20000));
    got = wire(f.m, 1, NULL);
    for (line = strtok(got, "\r\n"); line != NULL && strncmp(line, "PUB foo ", 8) == 0;
         line = strtok(NULL, "\r\n"))
    {
        int len = atoi(line + 8), id, n;

        line = strtok(NULL, "\r\n");
        CHECK(line != NULL && (int)strlen(line) == len && sscanf(line, "%d %d", &id, &n) == 2);
        CHECK_INT(n, next[id]);
        next[id]++;
        frames_seen++;
    }
    CHECK_INT(frames_seen, PUBLISHERS * EACH);
    CHECK_STR(line, "PING");
    free(got);
    fixture_destroy(&f);
}

static void *publish_large_and_small(void *arg)
{
    natsConnection *nc   = ((void **)arg)[0];
    int             id   = (int)(intptr_t)((void **)arg)[1];
    char           *data = malloc(100000);

    memset(data, 'a' + id, 100000);
    for (int i = 0; i < 60; i++)
    {
        char head[16];
        int  n = snprintf(head, sizeof head, "%d %d ", id, i);

        memcpy(data, head, (size_t)n);
        CHECK_OK(natsConnection_Publish(nc, "foo", data, i % 2 == 0 ? 100000 - i : 20));
    }
    free(data);
    return NULL;
}

// A large payload goes to the socket from the program's own memory; what others publish meanwhile stays
// behind it.
TEST_T(large_and_small_from_several_threads, 60000)
{
    fixture   f = fixture_create();
    pthread_t threads[3];
    void     *args[3][2];
    int       next[3] = {0};
    size_t    len, at = 0;
    char     *got;

    mock_receive_buffer(f.m, 8192); // the socket takes no payload as a whole
    fixture_connect(&f);
    for (int i = 0; i < 3; i++)
    {
        args[i][0] = f.nc;
        args[i][1] = (void *)(intptr_t)i;
        CHECK(pthread_create(&threads[i], NULL, publish_large_and_small, args[i]) == 0);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    CHECK_OK(natsConnection_FlushTimeout(f.nc, 30000));
    got = wire(f.m, 1, &len);
    for (int i = 0; i < 3 * 60; i++)
    {
        int size, head, id, n, body;

        CHECK(sscanf(got + at, "PUB foo %d\r\n%n", &size, &head) == 1);
        at += (size_t)head;
        CHECK(sscanf(got + at, "%d %d %n", &id, &n, &body) == 2 && id >= 0 && id < 3);
        CHECK_INT(n, next[id]);
        CHECK_INT(size, n % 2 == 0 ? 100000 - n : 20);
        next[id]++;
        for (int b = body; b < size; b++)
            CHECK(got[at + (size_t)b] == 'a' + id);
        at += (size_t)size;
        CHECK(memcmp(got + at, "\r\n", 2) == 0);
        at += 2;
    }
    CHECK_STR(got + at, "PING\r\n");
    free(got);
    fixture_destroy(&f);
}

static void *publish_one_large(void *arg)
{
    natsMsg *msg  = NULL;
    char    *data = malloc(8000000);

    memset(data, 'x', 8000000);
    CHECK_OK(natsMsg_Create(&msg, "big", NULL, data, 8000000));
    CHECK_OK(natsMsgHeader_Set(msg, "k", "v"));
    CHECK_OK(natsConnection_PublishMsg(arg, msg));
    natsMsg_Destroy(msg);
    free(data); // nothing of ours is looked at after the call
    return NULL;
}

// A large message that the lost connection took in part goes out whole on the next one.
TEST_T(a_large_message_cut_off_by_a_loss, 60000)
{
    fixture     f    = fixture_create();
    const char *want = "HPUB big 18 8000018\r\nNATS/1.0\r\nk: v\r\n\r\nxxx";
    pthread_t   thread;
    size_t      len;
    char       *got;

    mock_info(f.m, MOCK_ALL, "{\"max_payload\":9000000,\"headers\":true}");
    mock_receive_buffer(f.m, 8192);
    fixture_connect(&f);
    mock_frozen(f.m, true);
    CHECK(pthread_create(&thread, NULL, publish_one_large, f.nc) == 0);
    WAIT_FOR(natsConnection_Buffered(f.nc) > 1000000, 10000); // more than half of it is stuck
    mock_frozen(f.m, false);
    mock_reset(f.m, 1);
    pthread_join(thread, NULL);
    WAIT_EVENT(f.ev, "reconnected", 1, 10000);
    CHECK_OK(natsConnection_FlushTimeout(f.nc, 30000));
    got = wire(f.m, 2, &len);
    CHECK_MSG(strncmp(got, want, strlen(want)) == 0, "%.60s", got);
    CHECK_INT(len, strlen(want) - 3 + 8000000 + strlen("\r\nPING\r\nPING\r\n"));
    free(got);
    fixture_destroy(&f);
}

// From the moment a server has ended the connection nothing is written to it any more, noticed or not: it
// goes out on the next connection.
TEST_T(nothing_is_written_to_a_server_that_has_gone, 60000)
{
    fixture f     = fixture_create();
    char   *large = calloc(1, 100000);
    char    text[32];

    CHECK_OK(natsOptions_SetReconnectWait(f.opts, 1));
    fixture_connect(&f);
    for (int i = 1; i <= 60; i++)
    {
        int n = snprintf(text, sizeof text, "number %d", i);

        if (i % 4 == 0)
            quiet_ms(3); // quiet: the publisher writes it itself
        mock_close(f.m, i);
        switch (i % 3)
        {
        case 0: CHECK_OK(natsConnection_PublishString(f.nc, "foo", text)); break;
        case 1: CHECK_OK(natsConnection_Send(f.nc, "foo", text, n)); break;
        default:
            CHECK_OK(natsConnection_Publish(f.nc, "large", large, 100000));
            CHECK_OK(natsConnection_PublishString(f.nc, "foo", text));
            break;
        }
        WAIT_EVENT(f.ev, "reconnected", i, 10000);
        CHECK_OK(natsConnection_FlushTimeout(f.nc, 10000));
        CHECK_MSG(mock_count_lines(f.m, i + 1, text) == 1, "message %d did not arrive", i);
        CHECK_INT(mock_count_lines(f.m, i + 1, "PUB large 100000"), i % 3 == 2);
    }
    free(large);
    fixture_destroy(&f);
}

// A received message can be published on as it is: its headers stay byte for byte until they are looked at.
TEST(received_headers_are_forwarded_raw)
{
    fixture           f   = connected_to("{\"max_payload\":1000,\"headers\":true}");
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;
    const char       *value;

    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    mock_send(f.m, "HMSG foo 1 33 35\r\nNATS/1.0 100 Hi \r\nA :  b \r\nA:\r\n\r\nxy\r\n");
    CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
    CHECK_OK(natsConnection_PublishMsg(f.nc, msg));
    CHECK_OK(natsMsgHeader_Get(msg, "Status", &value));
    CHECK_STR(value, "100");
    CHECK_OK(natsMsgHeader_Get(msg, "Description", &value));
    CHECK_STR(value, "Hi");
    CHECK_OK(natsMsgHeader_Delete(msg, "A "));
    CHECK_OK(natsMsgHeader_Delete(msg, "A"));
    CHECK_OK(natsMsgHeader_Delete(msg, "Description"));
    CHECK_OK(natsConnection_PublishMsg(f.nc, msg));
    CHECK_OK(natsMsgHeader_Delete(msg, "Status"));
    CHECK_OK(natsConnection_PublishMsg(f.nc, msg));
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_WIRE(f.m, 1,
               "SUB foo  1\r\nHPUB foo 33 35\r\nNATS/1.0 100 Hi \r\nA :  b \r\nA:\r\n\r\nxy\r\n"
               "HPUB foo 25 27\r\nNATS/1.0\r\nStatus: 100\r\n\r\nxy\r\nHPUB foo 12 "
               "14\r\nNATS/1.0\r\n\r\nxy\r\nPING\r\n");
    natsMsg_Destroy(msg);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

TEST(through_a_real_server)
{
    server           *s   = server_start(NULL, NULL);
    natsConnection   *nc  = NULL;
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;
    const char       *value;

    CHECK_OK(natsConnection_ConnectTo(&nc, server_url(s)));
    CHECK_OK(natsConnection_SubscribeSync(&sub, nc, "foo.*"));
    CHECK_OK(natsMsg_Create(&msg, "foo.bar", "re.ply", "data", 4));
    CHECK_OK(natsMsgHeader_Set(msg, "key", "value"));
    CHECK_OK(natsConnection_PublishMsg(nc, msg));
    natsMsg_Destroy(msg);
    CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
    CHECK_STR(natsMsg_GetSubject(msg), "foo.bar");
    CHECK_STR(natsMsg_GetReply(msg), "re.ply");
    CHECK_STR(natsMsg_GetData(msg), "data");
    CHECK_OK(natsMsgHeader_Get(msg, "key", &value));
    CHECK_STR(value, "value");
    natsMsg_Destroy(msg);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
    server_stop(s);
}
