// natsMsgHeader_* and natsHeader_*: the values, the bytes, and what a server may send.

#include "fixture.h"
#include "wire.h"

static natsMsg *message(void)
{
    natsMsg *msg = NULL;

    CHECK_OK(natsMsg_Create(&msg, "foo", NULL, "data", 4));
    return msg;
}

static void value_is(natsMsg *msg, const char *key, const char *want)
{
    const char *value = "preset";

    CHECK_OK(natsMsgHeader_Get(msg, key, &value));
    CHECK_STR(value, want);
}

static void error_text_is(const char *want)
{
    natsStatus  s;
    const char *text = nats_GetLastError(&s);

    CHECK_MSG(text != NULL && strstr(text, want) != NULL, "got %s, want %s", text, want);
}

TEST(set_get_add_delete)
{
    natsMsg     *msg    = message();
    const char **values = NULL, **keys = NULL, *value;
    int          count = 0;

    CHECK_STATUS(natsMsgHeader_Get(msg, "k", &value), NATS_NOT_FOUND);
    CHECK(value == NULL);
    CHECK_STATUS(natsMsgHeader_Keys(msg, &keys, &count), NATS_NOT_FOUND);
    CHECK_OK(natsMsgHeader_Set(msg, "k", "a"));
    CHECK_OK(natsMsgHeader_Add(msg, "k", "b"));
    CHECK_OK(natsMsgHeader_Add(msg, "k", NULL));
    CHECK_OK(natsMsgHeader_Add(msg, "K", "other case"));
    value_is(msg, "k", "a");
    value_is(msg, "K", "other case");
    CHECK_OK(natsMsgHeader_Values(msg, "k", &values, &count));
    CHECK_INT(count, 3);
    CHECK_STR(values[0], "a");
    CHECK_STR(values[1], "b");
    CHECK(values[2] == NULL);
    free(values);
    CHECK_OK(natsMsgHeader_Keys(msg, &keys, &count));
    CHECK_INT(count, 2);
    CHECK(strcmp(keys[0], "k") == 0 || strcmp(keys[1], "k") == 0);
    free(keys);
    CHECK_OK(natsMsgHeader_Set(msg, "k", "only"));
    CHECK_OK(natsMsgHeader_Values(msg, "k", &values, &count));
    CHECK_INT(count, 1);
    free(values);
    CHECK_OK(natsMsgHeader_Delete(msg, "k"));
    CHECK_STATUS(natsMsgHeader_Delete(msg, "k"), NATS_NOT_FOUND);
    CHECK_STATUS(natsMsgHeader_Values(msg, "k", &values, &count), NATS_NOT_FOUND);
    CHECK(values == NULL);
    CHECK_INT(count, 0);
    natsMsg_Destroy(msg);
}

TEST(invalid_arguments)
{
    natsMsg     *msg = message();
    const char  *value;
    const char **values;
    int          n;

    CHECK_STATUS(natsMsgHeader_Set(NULL, "k", "v"), NATS_INVALID_ARG);
    error_text_is("message cannot be NULL");
    CHECK_STATUS(natsMsgHeader_Set(msg, NULL, "v"), NATS_INVALID_ARG);
    error_text_is("key cannot be NULL nor empty");
    CHECK_STATUS(natsMsgHeader_Set(msg, "", "v"), NATS_INVALID_ARG);
    CHECK_STATUS(natsMsgHeader_Add(NULL, "k", "v"), NATS_INVALID_ARG);
    CHECK_STATUS(natsMsgHeader_Add(msg, "", "v"), NATS_INVALID_ARG);
    CHECK_STATUS(natsMsgHeader_Get(NULL, "k", &value), NATS_INVALID_ARG);
    CHECK_STATUS(natsMsgHeader_Get(msg, NULL, &value), NATS_INVALID_ARG);
    CHECK_STATUS(natsMsgHeader_Get(msg, "k", NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsMsgHeader_Values(NULL, "k", &values, &n), NATS_INVALID_ARG);
    CHECK_STATUS(natsMsgHeader_Values(msg, "", &values, &n), NATS_INVALID_ARG);
    CHECK_STATUS(natsMsgHeader_Values(msg, "k", NULL, &n), NATS_INVALID_ARG);
    CHECK_STATUS(natsMsgHeader_Values(msg, "k", &values, NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsMsgHeader_Keys(NULL, &values, &n), NATS_INVALID_ARG);
    CHECK_STATUS(natsMsgHeader_Keys(msg, NULL, &n), NATS_INVALID_ARG);
    CHECK_STATUS(natsMsgHeader_Keys(msg, &values, NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsMsgHeader_Delete(NULL, "k"), NATS_INVALID_ARG);
    CHECK_STATUS(natsMsgHeader_Delete(msg, ""), NATS_INVALID_ARG);
    natsMsg_Destroy(msg);
}

// A key that is not there is no error to remember.
TEST(not_found_leaves_the_last_error_alone)
{
    natsMsg     *msg = message();
    const char  *value;
    const char **values;
    int          n;
    natsStatus   s;

    CHECK_STATUS(natsMsgHeader_Set(msg, "", "v"), NATS_INVALID_ARG);
    CHECK_STATUS(natsMsgHeader_Get(msg, "k", &value), NATS_NOT_FOUND);
    CHECK_STATUS(natsMsgHeader_Values(msg, "k", &values, &n), NATS_NOT_FOUND);
    CHECK_STATUS(natsMsgHeader_Keys(msg, &values, &n), NATS_NOT_FOUND);
    CHECK_STATUS(natsMsgHeader_Delete(msg, "k"), NATS_NOT_FOUND);
    nats_GetLastError(&s);
    CHECK_STATUS(s, NATS_INVALID_ARG);
    natsMsg_Destroy(msg);
}

TEST(header_objects)
{
    natsHeader  *h = NULL;
    const char  *value;
    const char **values;
    int          n;

    CHECK_STATUS(natsHeader_New(NULL), NATS_INVALID_ARG);
    CHECK_OK(natsHeader_New(&h));
    CHECK_INT(natsHeader_KeysCount(h), 0);
    CHECK_INT(natsHeader_KeysCount(NULL), 0);
    CHECK_STATUS(natsHeader_Set(NULL, "k", "v"), NATS_INVALID_ARG);
    CHECK_STATUS(natsHeader_Set(h, NULL, "v"), NATS_INVALID_ARG);
    CHECK_STATUS(natsHeader_Set(h, "", "v"), NATS_INVALID_ARG);
    CHECK_STATUS(natsHeader_Set(h, "k", NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsHeader_Add(h, "k", NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsHeader_Get(h, "k", NULL), NATS_INVALID_ARG);
    CHECK_STATUS(natsHeader_Get(h, "k", &value), NATS_NOT_FOUND);
    CHECK_STATUS(natsHeader_Keys(h, &values, &n), NATS_NOT_FOUND);
    CHECK_OK(natsHeader_Set(h, "k", "v"));
    CHECK_OK(natsHeader_Add(h, "k", "w"));
    CHECK_OK(natsHeader_Add(h, "l", "x"));
    CHECK_INT(natsHeader_KeysCount(h), 2);
    CHECK_OK(natsHeader_Get(h, "k", &value));
    CHECK_STR(value, "v");
    CHECK_OK(natsHeader_Values(h, "k", &values, &n));
    CHECK_INT(n, 2);
    CHECK_STR(values[1], "w");
    free(values);
    CHECK_OK(natsHeader_Keys(h, &values, &n));
    CHECK_INT(n, 2);
    free(values);
    CHECK_OK(natsHeader_Delete(h, "k"));
    CHECK_STATUS(natsHeader_Delete(h, "k"), NATS_NOT_FOUND);
    CHECK_STATUS(natsHeader_Delete(h, ""), NATS_INVALID_ARG);
    natsHeader_Destroy(h);
    natsHeader_Destroy(NULL);
}

static fixture subscribed(natsSubscription **sub)
{
    fixture f = fixture_create();

    mock_info(f.m, MOCK_ALL, "{\"max_payload\":100000,\"headers\":true}");
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(sub, f.nc, "foo"));
    return f;
}

// Sends the header block with a payload of one byte and returns what arrives.
static natsMsg *received(fixture *f, natsSubscription *sub, const char *block)
{
    natsMsg *msg = NULL;
    int      len = (int)strlen(block);

    mock_send(f->m, "HMSG foo 1 %d %d\r\n%sx\r\n", len, len + 1, block);
    CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
    CHECK_STR(natsMsg_GetData(msg), "x");
    return msg;
}

TEST(line_breaks_in_values)
{
    natsSubscription *sub;
    fixture           f   = subscribed(&sub);
    natsMsg          *msg = message();

    CHECK_OK(natsMsgHeader_Set(msg, "k", "a\r\nb\nc\rd"));
    CHECK_OK(natsConnection_PublishMsg(f.nc, msg));
    CHECK_OK(natsMsgHeader_Set(msg, "k", NULL));
    CHECK_OK(natsConnection_PublishMsg(f.nc, msg));
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_WIRE(f.m, 1,
               "SUB foo  1\r\nHPUB foo 25 29\r\nNATS/1.0\r\nk: a  b c d\r\n\r\ndata\r\n"
               "HPUB foo 17 21\r\nNATS/1.0\r\nk: \r\n\r\ndata\r\nPING\r\n");
    natsMsg_Destroy(msg);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

// Without headers ever set it is a PUB; with all of them deleted it stays an HPUB.
TEST(empty_headers)
{
    natsSubscription *sub;
    fixture           f   = subscribed(&sub);
    natsMsg          *msg = message();

    CHECK_INT(natsMsgHeader_EncodedLength(msg), 0);
    CHECK_OK(natsConnection_PublishMsg(f.nc, msg));
    CHECK_OK(natsMsgHeader_Set(msg, "k", "v"));
    CHECK_INT(natsMsgHeader_EncodedLength(msg), 18);
    CHECK_OK(natsMsgHeader_Delete(msg, "k"));
    CHECK_OK(natsConnection_PublishMsg(f.nc, msg));
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_WIRE(f.m, 1,
               "SUB foo  1\r\nPUB foo 4\r\ndata\r\nHPUB foo 12 16\r\nNATS/1.0\r\n\r\ndata\r\nPING\r\n");
    natsMsg_Destroy(msg);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

TEST(received_values)
{
    natsSubscription *sub;
    fixture           f   = subscribed(&sub);
    natsMsg          *msg = received(&f, sub,
                                     "NATS/1.0\r\nKey: value\r\nkey:  trimmed  \r\nB :v\r\n"
                                              "empty:\r\nblank:   \r\n"
                                              "dup: 1\r\ndup: 2\r\nfold: a\r\n  b\r\ncolon: a:b\r\n\r\n");
    const char      **values;
    const char       *value;
    int               n;

    value_is(msg, "Key", "value");
    value_is(msg, "key", "trimmed");
    value_is(msg, "B ", "v");
    value_is(msg, "empty", "");
    value_is(msg, "blank", "");
    value_is(msg, "fold", "a b");
    value_is(msg, "colon", "a:b");
    CHECK_OK(natsMsgHeader_Values(msg, "dup", &values, &n));
    CHECK_INT(n, 2);
    CHECK_STR(values[1], "2");
    free(values);
    CHECK_STATUS(natsMsgHeader_Get(msg, "KEY", &value), NATS_NOT_FOUND);
    CHECK_STATUS(natsMsgHeader_Get(msg, "Status", &value), NATS_NOT_FOUND);
    natsMsg_Destroy(msg);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

TEST(inline_status)
{
    natsSubscription *sub;
    fixture           f = subscribed(&sub);
    const char       *value;
    natsMsg          *msg =
        received(&f, sub, "NATS/1.0 100  Hello  World \r\nStatus: other\r\nDescription: mine\r\n\r\n");

    value_is(msg, "Status", "100");
    value_is(msg, "Description", "Hello  World");
    natsMsg_Destroy(msg);
    msg = received(&f, sub, "NATS/1.0 404\r\nDescription: mine\r\n\r\n");
    value_is(msg, "Status", "404");
    value_is(msg, "Description", "mine");
    natsMsg_Destroy(msg);
    msg = received(&f, sub, "NATS/1.0503\r\n\r\n");
    value_is(msg, "Status", "503");
    CHECK_STATUS(natsMsgHeader_Get(msg, "Description", &value), NATS_NOT_FOUND);
    CHECK(!natsMsg_IsNoResponders(msg)); // it has a payload
    natsMsg_Destroy(msg);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

// A key that would write lines of its own, or be another one on the wire, is refused by all that set headers.
TEST(keys_that_break_lines)
{
    static const char *const keys[] = {"a\r\nb", "a\n", "\r", "a: b", ":", "a\r\n\r\nPUB evil 0\r\n"};
    natsMsg                 *msg    = message();
    natsHeader              *h      = NULL;

    CHECK_OK(natsHeader_New(&h));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    {
        CHECK_STATUS(natsMsgHeader_Set(msg, keys[i], "v"), NATS_INVALID_ARG);
        error_text_is("line break");
        CHECK_STATUS(natsMsgHeader_Add(msg, keys[i], "v"), NATS_INVALID_ARG);
        CHECK_STATUS(natsMsgHeader_Set(msg, keys[i], NULL), NATS_INVALID_ARG);
        CHECK_STATUS(natsHeader_Set(h, keys[i], "v"), NATS_INVALID_ARG);
        CHECK_STATUS(natsHeader_Add(h, keys[i], "v"), NATS_INVALID_ARG);
    }
    CHECK_INT(natsHeader_KeysCount(h), 0);
    CHECK_OK(natsMsgHeader_Set(msg, "k", "a\r\nb: c")); // of a value only the line break goes
    CHECK_INT(natsMsgHeader_EncodedLength(msg), 12 + (int)strlen("k: a  b: c\r\n"));
    natsHeader_Destroy(h);
    natsMsg_Destroy(msg);
}

// Received headers are passed on as they came, and on one line each once they were looked at.
TEST(received_keys_that_break_lines)
{
    static const char block[] = "NATS/1.0\r\nK\r\nX: y\r\n\r\n";
    natsSubscription *sub;
    fixture           f   = subscribed(&sub);
    natsMsg          *msg = received(&f, sub, block);
    const char       *value;
    char             *bytes;
    size_t            len;

    CHECK_OK(natsConnection_PublishMsg(f.nc, msg));
    CHECK_OK(natsConnection_Flush(f.nc));
    bytes = wire(f.m, 1, &len);
    CHECK(strstr(bytes, block) != NULL);
    free(bytes);
    value_is(msg, "K\r\nX", "y");
    CHECK_STATUS(natsMsgHeader_Get(msg, "X", &value), NATS_NOT_FOUND);
    CHECK_OK(natsConnection_PublishMsg(f.nc, msg));
    CHECK_OK(natsConnection_Flush(f.nc));
    bytes = wire(f.m, 1, &len);
    CHECK(strstr(bytes, "NATS/1.0\r\nK  X: y\r\n\r\n") != NULL);
    free(bytes);
    natsMsg_Destroy(msg);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

// Malformed lines are left out, and every look says the same.
TEST(malformed_in_part)
{
    static const struct
    {
        const char *block, *k, *x;
    } all[] = {
        {"NATS/1.0\r\nX: y\r\nK\r\n\r\n", NULL, "y"},
        {"NATS/1.0\r\nno colon\r\n\r\n", NULL, NULL},
        {"NATS/1.0\r\n K: v\r\n\r\n", NULL, NULL},
        {"NATS/1.0\r\n\r\nX: y\r\n\r\n", NULL, "y"},
        {"NATS/1.0\r\nK: v\r\n\r\n\r\nX: y\r\n\r\n", "v", "y"},
    };
    natsSubscription *sub;
    fixture           f = subscribed(&sub);

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    {
        natsMsg *msg = received(&f, sub, all[i].block);

        for (int look = 0; look < 3; look++)
        {
            const char *k = NULL, *x = NULL;

            CHECK_STATUS(natsMsgHeader_Get(msg, "K", &k), all[i].k ? NATS_OK : NATS_NOT_FOUND);
            CHECK_STATUS(natsMsgHeader_Get(msg, "X", &x), all[i].x ? NATS_OK : NATS_NOT_FOUND);
            CHECK_STR(k, all[i].k);
            CHECK_STR(x, all[i].x);
        }
        CHECK_OK(natsMsgHeader_Set(msg, "N", "w"));
        value_is(msg, "N", "w");
        natsMsg_Destroy(msg);
    }
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

// What cannot be parsed says so when it is looked at; the message and the connection are fine.
TEST(malformed)
{
    static const struct
    {
        const char *block, *text;
    } all[] = {
        {"NATS/2.0\r\n\r\n", "header prefix missing"},
        {"nats/1.0\r\n\r\n", "header prefix missing"},
        {"NATS/1.0", "header prefix missing"},
        {"NATS/1.0\r\n", "early termination of headers"},
        {"NATS/1.0\r\nk: v\r\nno colon\r\n", "column delimiter not found"},
        {"NATS/1.0\r\nk: v", "no CRLF found for value"},
        {"NATS/1.0\r\n k: v\r\n", "key cannot start with a space"},
        {"NATS/1.0\r\n\r\nk", "invalid start of a key"},
    };
    natsSubscription *sub;
    fixture           f = subscribed(&sub);

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    {
        natsMsg     *msg = received(&f, sub, all[i].block);
        const char  *value;
        const char **values;
        int          n;

        CHECK_STATUS(natsMsgHeader_Get(msg, "k", &value), NATS_PROTOCOL_ERROR);
        error_text_is(all[i].text);
        CHECK_STATUS(natsMsgHeader_Set(msg, "k", "v"), NATS_PROTOCOL_ERROR);
        CHECK_STATUS(natsMsgHeader_Add(msg, "k", "v"), NATS_PROTOCOL_ERROR);
        CHECK_STATUS(natsMsgHeader_Delete(msg, "k"), NATS_PROTOCOL_ERROR);
        CHECK_STATUS(natsMsgHeader_Keys(msg, &values, &n), NATS_PROTOCOL_ERROR);
        CHECK_STATUS(natsMsgHeader_Values(msg, "k", &values, &n), NATS_PROTOCOL_ERROR);
        // It can still be passed on as it came.
        CHECK_OK(natsConnection_PublishMsg(f.nc, msg));
        natsMsg_Destroy(msg);
    }
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_INT(mock_count_lines(f.m, 1, "HPUB foo "), (int)(sizeof all / sizeof *all));
    CHECK_INT(mock_accepted(f.m), 1);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

TEST(many_and_large)
{
    natsSubscription *sub;
    fixture           f   = subscribed(&sub);
    natsMsg          *msg = message(), *back = NULL;
    char             *big = malloc(20001), key[16], *bytes;
    size_t            len;
    char             *head;

    memset(big, 'b', 20000);
    big[20000] = '\0';
    for (int i = 0; i < 200; i++)
    {
        snprintf(key, sizeof key, "key-%d", i);
        CHECK_OK(natsMsgHeader_Set(msg, key, key));
    }
    CHECK_OK(natsMsgHeader_Set(msg, "big", big));
    CHECK_OK(natsConnection_PublishMsg(f.nc, msg));
    CHECK_OK(natsConnection_Flush(f.nc));
    // Sent back by the mock, the same comes out.
    bytes = wire(f.m, 1, &len);
    head  = strstr(bytes, "NATS/1.0");
    CHECK(head != NULL);
    mock_send(f.m, "HMSG foo 1 %d %d\r\n", natsMsgHeader_EncodedLength(msg),
              natsMsgHeader_EncodedLength(msg) + 4);
    CHECK(mock_write(f.m, 1, head, (size_t)natsMsgHeader_EncodedLength(msg) + 4 + 2));
    CHECK_OK(natsSubscription_NextMsg(&back, sub, 5000));
    for (int i = 0; i < 200; i++)
    {
        snprintf(key, sizeof key, "key-%d", i);
        value_is(back, key, key);
    }
    value_is(back, "big", big);
    CHECK_STR(natsMsg_GetData(back), "data");
    free(bytes);
    free(big);
    natsMsg_Destroy(msg);
    natsMsg_Destroy(back);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}
