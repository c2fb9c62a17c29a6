/* headers URL: sends a message with headers to itself and prints them as they came back. */
#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static natsStatus printHeaders(natsMsg *msg)
{
    const char **keys    = NULL;
    const char **values  = NULL;
    int          nKeys   = 0;
    int          nValues = 0;
    int          k, v;
    natsStatus   s = natsMsgHeader_Keys(msg, &keys, &nKeys);

    /* The order of keys is not promised. */
    if (s == NATS_OK)
        qsort((void *)keys, (size_t)nKeys, sizeof(*keys), compare);
    for (k = 0; s == NATS_OK && k < nKeys; k++)
    {
        s = natsMsgHeader_Values(msg, keys[k], &values, &nValues);
        for (v = 0; s == NATS_OK && v < nValues; v++)
            printf("%s: %s\n", keys[k], values[v]);
        free((void *)values);
        values = NULL;
    }
    free((void *)keys);
    return s;
}

int main(int argc, char **argv)
{
    natsConnection   *conn  = NULL;
    natsSubscription *sub   = NULL;
    natsMsg          *out   = NULL;
    natsMsg          *in    = NULL;
    const char       *value = NULL;
    natsStatus        s;

    if (argc != 2)
        return 2;

    s = natsConnection_ConnectTo(&conn, argv[1]);
    if (s == NATS_OK)
        s = natsConnection_SubscribeSync(&sub, conn, "headers");
    if (s == NATS_OK)
        s = natsMsg_Create(&out, "headers", NULL, "body", 4);
    if (s == NATS_OK)
        s = natsMsgHeader_Set(out, "Colour", "red");
    if (s == NATS_OK)
        s = natsMsgHeader_Add(out, "Colour", "green");
    if (s == NATS_OK)
        s = natsMsgHeader_Set(out, "Size", "large");
    if (s == NATS_OK)
        s = natsMsgHeader_Set(out, "Removed", "soon");
    if (s == NATS_OK)
        s = natsMsgHeader_Delete(out, "Removed");
    if (s == NATS_OK)
        s = natsConnection_PublishMsg(conn, out);
    if (s == NATS_OK)
        s = natsSubscription_NextMsg(&in, sub, 5000);
    if (s == NATS_OK)
        s = natsMsgHeader_Get(in, "Size", &value);
    if (s == NATS_OK)
    {
        printf("size is %s, body is %.*s\n", value, natsMsg_GetDataLength(in), natsMsg_GetData(in));
        printf("removed: %s\n", natsStatus_GetText(natsMsgHeader_Get(in, "Removed", &value)));
        s = printHeaders(in);
    }
    if (s != NATS_OK)
        printf("Error: %s\n", natsStatus_GetText(s));

    natsMsg_Destroy(in);
    natsMsg_Destroy(out);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(conn);
    nats_Close();
    return s == NATS_OK ? 0 : 1;
}
