// Texts and data that the library returns and keeps: each is there as long as docs/pointers.md says. Run
// under valgrind, too: there a text that was freed or moved is found even if its bytes are still in place.

#include "fixture.h"

#include <pthread.h>

// ---- last errors ----

static natsStatus fail_with_text(natsOptions *opts)
{
    return natsOptions_SetCATrustedCertificates(opts, NULL);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

#define FIRST  "): Invalid Argument"
#define SECOND "): CA certificates can't be NULL nor empty"

TEST(the_last_error_of_a_thread_stays_where_it_is)
{
    natsOptions *opts = NULL;
    const char  *first, *later;
    char         copy[256];

    CHECK_OK(natsOptions_Create(&opts));
    CHECK_STATUS(natsOptions_SetTimeout(opts, -1), NATS_INVALID_ARG);
    first = nats_GetLastError(NULL);
    CHECK_MSG(ends_with(first, FIRST), "%s", first);
    strcpy(copy, first);
    CHECK_OK(natsOptions_SetTimeout(opts, 1000));
    CHECK_STR(first, copy);
    CHECK_STATUS(fail_with_text(opts), NATS_INVALID_ARG);
    CHECK_MSG(ends_with(first, SECOND), "%s", first);
    for (int i = 0; i < 100; i++)
    {
        CHECK_STATUS(i % 2 == 0 ? natsOptions_SetMaxPendingMsgs(opts, -5) : fail_with_text(opts),
                     NATS_INVALID_ARG);
        later = nats_GetLastError(NULL);
        CHECK(later == first);
        CHECK_MSG(ends_with(first, i % 2 == 0 ? FIRST : SECOND), "%s", first);
    }
    natsOptions_Destroy(opts);
    CHECK(strlen(first) > 0);
    CHECK_OK(nats_CloseAndWait(5000));
    CHECK(strlen(first) > 0);
}

static void *fail_often(void *arg)
{
    natsOptions *opts = NULL;

    CHECK_OK(natsOptions_Create(&opts));
    for (int i = 0; i < 1000; i++)
        fail_with_text(opts);
    *(bool *)arg = ends_with(nats_GetLastError(NULL), SECOND);
    natsOptions_Destroy(opts);
    return NULL;
}

TEST(each_thread_has_a_last_error_of_its_own)
{
    natsOptions *opts = NULL;
    const char  *mine;
    pthread_t    threads[4];
    bool         found[4] = {false};

    CHECK_OK(natsOptions_Create(&opts));
    CHECK_STATUS(natsOptions_SetTimeout(opts, -1), NATS_INVALID_ARG);
    mine = nats_GetLastError(NULL);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, fail_often, &found[i]) == 0);
    for (int i = 0; i < 4; i++)
    {
        pthread_join(threads[i], NULL);
        CHECK(found[i]);
    }
    CHECK(nats_GetLastError(NULL) == mine);
    CHECK_MSG(ends_with(mine, FIRST), "%s", mine);
    natsOptions_Destroy(opts);
}

static const char *last_error_of(natsConnection *nc, natsStatus expected)
{
    const char *text = NULL;

    CHECK_STATUS(natsConnection_GetLastError(nc, &text), expected);
    CHECK(text != NULL);
    return text;
}

TEST(each_connection_has_a_last_error_of_its_own)
{
    fixture     a = fixture_create(), b = fixture_create();
    const char *of_a, *of_b;

    natsOptions_SetAllowReconnect(a.opts, false);
    natsOptions_SetAllowReconnect(b.opts, false);
    fixture_connect(&a);
    fixture_connect(&b);
    CHECK_STR(of_a = last_error_of(a.nc, NATS_OK), "");
    CHECK_STR(of_b = last_error_of(b.nc, NATS_OK), "");
    mock_err(a.m, "first");
    WAIT_EVENT(a.ev, "closed", 1, 5000);
    mock_err(b.m, "second");
    WAIT_EVENT(b.ev, "closed", 1, 5000);
    CHECK(last_error_of(a.nc, NATS_ERR) == of_a);
    CHECK(last_error_of(b.nc, NATS_ERR) == of_b);
    CHECK_STR(of_a, "first");
    CHECK_STR(of_b, "second");
    fixture_destroy(&b);
    CHECK_STR(of_a, "first");
    fixture_destroy(&a);
}

// ---- connections and subscriptions ----

TEST(names_live_as_long_as_their_object)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    const char       *name, *subject;

    CHECK_OK(natsOptions_SetName(f.opts, "the name"));
    fixture_connect(&f);
    name = natsConnection_GetName(f.nc);
    CHECK_OK(natsOptions_SetName(f.opts, "another"));
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "the.subject"));
    subject = natsSubscription_GetSubject(sub);
    CHECK(natsSubscription_GetConnection(sub) == f.nc);
    CHECK_OK(natsSubscription_Unsubscribe(sub));
    natsConnection_Close(f.nc);
    WAIT_EVENT(f.ev, "closed", 1, 5000);
    CHECK_STR(name, "the name");
    natsConnection_Destroy(f.nc);
    f.nc = NULL;
    CHECK_STR(subject, "the.subject");
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

TEST(texts_of_the_library_are_there_for_good)
{
    const char *version = nats_GetVersion(), *status = natsStatus_GetText(NATS_TIMEOUT);

    CHECK_OK(nats_Open(-1));
    CHECK_OK(nats_CloseAndWait(5000));
    CHECK_STR(version, "3.14.0");
    CHECK_STR(status, "Timeout");
    CHECK(nats_GetVersion() == version && natsStatus_GetText(NATS_TIMEOUT) == status);
}

// ---- messages ----

TEST(parts_of_a_message_live_as_long_as_it)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;
    const char       *subject, *reply, *data;

    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_send(f.m, "HMSG foo 1 bar 18 22\r\nNATS/1.0\r\nA: 1\r\n\r\ndata\r\n");
    CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
    subject = natsMsg_GetSubject(msg);
    reply   = natsMsg_GetReply(msg);
    data    = natsMsg_GetData(msg);
    for (int i = 0; i < 100; i++)
    {
        char key[16];

        snprintf(key, sizeof key, "key-%d", i);
        CHECK_OK(natsMsgHeader_Set(msg, key, "value"));
    }
    CHECK_OK(natsConnection_PublishMsg(f.nc, msg));
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
    CHECK_STR(subject, "foo");
    CHECK_STR(reply, "bar");
    CHECK_STR(data, "data");
    CHECK_OK(natsMsg_SetData(msg, "other", 5));
    CHECK_STR(natsMsg_GetData(msg), "other");
    CHECK_STR(data, "data");
    natsMsg_Destroy(msg);
}

// The same for headers of a message and headers on their own.
#define HEADERS_STAY(type, object)                                                                           \
    do                                                                                                       \
    {                                                                                                        \
        const char *first = NULL, **values = NULL, **keys = NULL;                                            \
        int         count = 0, key_count = 0;                                                                \
                                                                                                             \
        CHECK_OK(type##_Set(object, "A", "one"));                                                            \
        CHECK_OK(type##_Add(object, "A", "two"));                                                            \
        CHECK_OK(type##_Set(object, "B", "other"));                                                          \
        CHECK_OK(type##_Get(object, "A", &first));                                                           \
        CHECK_OK(type##_Values(object, "A", &values, &count));                                               \
        CHECK_OK(type##_Keys(object, &keys, &key_count));                                                    \
        CHECK_INT(count, 2);                                                                                 \
        CHECK_INT(key_count, 2);                                                                             \
        for (int i = 0; i < 200; i++)                                                                        \
        {                                                                                                    \
            char key[16];                                                                                    \
                                                                                                             \
            snprintf(key, sizeof key, "key-%d", i);                                                          \
            CHECK_OK(type##_Set(object, key, "value"));                                                      \
            CHECK_OK(type##_Add(object, "A", "more"));                                                       \
        }                                                                                                    \
        CHECK_OK(type##_Delete(object, "key-7"));                                                            \
        CHECK_STR(first, "one");                                                                             \
        CHECK_STR(values[0], "one");                                                                         \
        CHECK_STR(values[1], "two");                                                                         \
        CHECK((strcmp(keys[0], "A") == 0 && strcmp(keys[1], "B") == 0) ||                                    \
              (strcmp(keys[0], "B") == 0 && strcmp(keys[1], "A") == 0));                                     \
        CHECK_OK(type##_Get(object, "B", &first));                                                           \
        CHECK_OK(type##_Delete(object, "A"));                                                                \
        CHECK_STR(first, "other");                                                                           \
        CHECK_OK(type##_Set(object, "B", first)); /* a text of the very header that changes */               \
        CHECK_OK(type##_Get(object, "B", &first));                                                           \
        CHECK_STR(first, "other");                                                                           \
        free((void *)values);                                                                                \
        free((void *)keys);                                                                                  \
    } while (0)

TEST(headers_of_a_message_live_until_they_change)
{
    natsMsg *msg = NULL;

    CHECK_OK(natsMsg_Create(&msg, "foo", NULL, NULL, 0));
    HEADERS_STAY(natsMsgHeader, msg);
    natsMsg_Destroy(msg);
}

TEST(headers_live_until_they_change)
{
    natsHeader *h = NULL;

    CHECK_OK(natsHeader_New(&h));
    HEADERS_STAY(natsHeader, h);
    natsHeader_Destroy(h);
}

// ---- what the program frees ----

TEST(copies_are_the_programs)
{
    fixture        f       = fixture_create();
    char         **servers = NULL, *ip = NULL, *local = NULL;
    unsigned char *signature = NULL;
    natsInbox     *inbox     = NULL;
    int            count = 0, port = 0, length = 0;

    mock_info(
        f.m, MOCK_ALL,
        "{\"server_id\":\"X\",\"version\":\"2.10.0\",\"port\":%port,\"max_payload\":1048576,\"proto\":1,"
        "\"client_ip\":\"127.0.0.9\"}");
    fixture_connect(&f);
    CHECK_OK(natsConnection_GetServers(f.nc, &servers, &count));
    CHECK_OK(natsConnection_GetClientIP(f.nc, &ip));
    CHECK_OK(natsConnection_GetLocalIPAndPort(f.nc, &local, &port));
    CHECK_OK(natsInbox_Create(&inbox));
    CHECK_OK(
        nats_Sign("SUAMK2FG4MI6UE3ACF3FK3OIQBCEIEZV7NSWFFEW63UXMRLFM2XLAXK4GY", "text", &signature, &length));
    fixture_destroy(&f);
    CHECK_INT(count, 1);
    CHECK(strncmp(servers[0], "nats://127.0.0.1:", 17) == 0);
    CHECK_STR(ip, "127.0.0.9");
    CHECK_STR(local, "127.0.0.1");
    CHECK_INT(length, 64);
    free(servers[0]);
    free(servers);
    free(ip);
    free(local);
    free(signature);
    natsInbox_Destroy(inbox);
}
