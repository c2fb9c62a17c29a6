// Received header blocks, well-formed, odd and malformed: what is found in them.
//
// The first look at a malformed block, and with several malformed lines the next ones, fail in the reference
// and change what comes after; here every look says the same. So it is looked at a few times before anything
// is printed, which NextMsg does once for messages without payload.

#include "fixture.h"
#include "trace.h"

#define BLOCK(text)                                                                                          \
    {                                                                                                        \
        text, sizeof(text) - 1                                                                               \
    }

static const struct
{
    const char *bytes;
    size_t      len;
} blocks[] = {
    BLOCK("NATS/1.0\r\nK: v\r\n\r\n"),
    BLOCK("NATS/1.0418\r\nK: v\r\n\r\n"),
    BLOCK("NATS/1.0 418\r\nK: v\r\n\r\n"),
    BLOCK("NATS/1.0 418 I am a teapot\r\nK: v\r\n\r\n"),
    BLOCK("NATS/1.0 \r\nK: v\r\n\r\n"),
    BLOCK("NATS/1.0   418   text  here  \r\n\r\n"),
    BLOCK("NATS/1.0 41\r\n\r\n"),
    BLOCK("NATS/1.0 4185\r\n\r\n"),
    BLOCK("NATS/1.1\r\nK: v\r\n\r\n"),
    BLOCK("nats/1.0\r\nK: v\r\n\r\n"),
    BLOCK("HTTP/1.1 200 OK\r\nK: v\r\n\r\n"),
    BLOCK("NATS/1.0\r\nK: v\r\n"),
    BLOCK("NATS/1.0\r\nK: v"),
    BLOCK("NATS/1.0"),
    BLOCK("NATS/1.0\r"),
    BLOCK("NATS/1.0\r\n"),
    BLOCK("NATS/1.0\r\n\r\n"),
    BLOCK("NATS/1.0\r\n\r\n\r\n"),
    BLOCK("NATS/1.0\r\n\r\n\r\n\r\n"),
    BLOCK("NATS/1.0xxxxx"),
    BLOCK("NATS/1.0 5\r\n"),
    BLOCK("\r\n\r\n"),
    BLOCK("NATS/1.0\r\nK:v\r\n\r\n"),
    BLOCK("NATS/1.0\r\nK:\r\n\r\n"),
    BLOCK("NATS/1.0\r\nK:   v   \r\n\r\n"),
    BLOCK("NATS/1.0\r\nK\r\n\r\n"),
    BLOCK("NATS/1.0\r\nK v\r\n\r\n"),
    BLOCK("NATS/1.0\r\nK : v\r\n\r\n"),
    BLOCK("NATS/1.0\r\nK: a\r\n b\r\n\r\n"),
    BLOCK("NATS/1.0\r\nK: a\r\n b"),
    BLOCK("NATS/1.0\r\nK: a\r\n b\r\nZ"),
    BLOCK("NATS/1.0\r\nK:a\r\n "),
    BLOCK("NATS/1.0\r\nK:a\r\n:"),
    BLOCK("NATS/1.0\r\n K: a\r\n\r\n"),
    BLOCK("NATS/1.0\nK: v\n\n"),
    BLOCK("NATS/1.0\r\nK: v\r\n\r\nX: y\r\n\r\n"),
    BLOCK("NATS/1.0\r\nK: a:b:c\r\n\r\n"),
    BLOCK("NATS/1.0\r\nK: v\r\nk: w\r\nK: x\r\n\r\n"),
    BLOCK("NATS/1.0\r\nX: y\r\nK\r\n\r\n"),
    BLOCK("NATS/1.0\r\nX: y\r\nK\r\nL\r\n\r\n"),
    BLOCK("NATS/1.0\r\nX: y\r\nK\r\n"),
    BLOCK("NATS/1.0\r\nX: y\r\nK"),
    BLOCK("NATS/1.0\r\nX: y\r\nK: "),
    BLOCK("NATS/1.0\r\nK\r\nX: y\r\n\r\n"),
    BLOCK("NATS/1.0\r\nX: y\r\n\r\n\r\n"),
    BLOCK("NATS/1.0\r\nX: y\r\n\r\nz"),
    BLOCK("NATS/1.0\r\nX: y\r\n\r\nz\r\n"),
    BLOCK("NATS/1.0\r\nX: y\r\n\r\n\r\nK: v\r\n\r\n"),
    BLOCK("NATS/1.0\r\nX: y\n\r\n"),
    BLOCK("NATS/1.0\r\nX: y\rK: v\r\n\r\n"),
    BLOCK("NATS/1.0\r\nX: y\r\n\rK: v\r\n\r\n"),
    BLOCK("NATS/1.0\r\nX: y\r\n\nK: v\r\n\r\n"),
    BLOCK("NATS/1.0 404 Text\r\nA: 1\r\nB: 2\r\n\r\nC: 3\r\n\r\n"),
    BLOCK("NATS/1.0\r\nA: 1\r\nA: 2\r\nB\r\n\r\n"),
    BLOCK("NATS/1.0\r\nA: 1\r\nA: 2\r\n\r\nB: 3\r\n"),
    BLOCK("NATS/1.0\r\nA: 1\r\nB\r\n\r\nC: 3\r\n\r\n"),
    BLOCK("NATS/1.0\r\nA: b\r\nK\n\r\n\r\nB: c\r\n\r\n"),
    BLOCK("NATS/1.0\r\nA\0q: b\r\nX: y\r\n\r\n"),
    BLOCK("NATS/1.0\r\nA: b\0c\r\nX: y\r\n\r\n"),
    BLOCK("NATS/1.0\r\n\0\r\nX: y\r\n\r\n"),
    BLOCK("NATS/1.0\r\nX: y\r\n\0\r\n\r\n"),
    BLOCK("NATS/1.0\r\nX: y\r\n\0: z\r\n\r\n"),
};

static void show(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] >= ' ')
            putchar(bytes[i]);
        else
            printf("\\x%02x", (unsigned char)bytes[i]);
}

static void show_headers(natsMsg *msg)
{
    const char **keys = NULL, **values = NULL;
    int          count = 0, n = 0;

    printf("  keys %d", natsMsgHeader_Keys(msg, &keys, &count));
    if (keys != NULL)
        qsort((void *)keys, (size_t)count, sizeof *keys, by_text);
    for (int i = 0; i < count; i++)
    {
        printf(" '");
        show(keys[i], strlen(keys[i]));
        printf("'=");
        if (natsMsgHeader_Values(msg, keys[i], &values, &n) != NATS_OK)
            continue;
        for (int j = 0; j < n; j++)
            printf("'%s'", values[j]);
        free((void *)values);
    }
    free((void *)keys);
    printf(" on the wire %d bytes\n", natsMsgHeader_EncodedLength(msg));
}

static void one(fixture *f, natsSubscription *sub, const char *block, size_t len, const char *payload)
{
    natsMsg    *msg = NULL;
    const char *value;

    show(block, len);
    printf(" '%s'\n", payload);
    mock_send(f->m, "HMSG foo 1 %zu %zu\r\n", len, len + strlen(payload));
    mock_write(f->m, 1, block, len);
    mock_send(f->m, "%s\r\n", payload);
    CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
    for (int i = 0; i < 4; i++)
        natsMsgHeader_Get(msg, "none", &value);
    show_headers(msg);
    show_headers(msg);
    printf("  no responders %d, set %d\n", natsMsg_IsNoResponders(msg), natsMsgHeader_Set(msg, "N", "w"));
    show_headers(msg);
    natsMsg_Destroy(msg);
}

int main(void)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;

    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK_OK(natsConnection_Flush(f.nc));
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
    {
        one(&f, sub, blocks[i].bytes, blocks[i].len, "");
        one(&f, sub, blocks[i].bytes, blocks[i].len, "payload");
    }
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
    nats_Close();
    return 0;
}
