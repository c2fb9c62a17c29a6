/* replier URL SUBJECT COUNT: answers COUNT requests with their text in capitals, then ends. */
#include <nats/nats.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdatomic.h>

static atomic_int answered;

static void onRequest(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    char        text[256];
    int         i;
    int         len  = natsMsg_GetDataLength(msg);
    const char *data = natsMsg_GetData(msg);

    (void)sub;
    (void)closure;
    for (i = 0; i < len && i < (int)sizeof(text); i++)
        text[i] = (char)toupper((unsigned char)data[i]);

    if (natsMsg_GetReply(msg) != NULL)
        natsConnection_Publish(nc, natsMsg_GetReply(msg), text, i);
    natsConnection_Flush(nc);
    natsMsg_Destroy(msg);
    atomic_fetch_add(&answered, 1);
}

int main(int argc, char **argv)
{
    natsConnection   *conn = NULL;
    natsSubscription *sub  = NULL;
    natsStatus        s;
    int64_t           deadline;

    if (argc != 4)
        return 2;

    s = natsConnection_ConnectTo(&conn, argv[1]);
    if (s == NATS_OK)
        s = natsConnection_Subscribe(&sub, conn, argv[2], onRequest, NULL);
    if (s == NATS_OK)
        s = natsConnection_Flush(conn);
    if (s == NATS_OK)
    {
        printf("ready\n");
        fflush(stdout);
    }
    deadline = nats_Now() + 20000;
    while (s == NATS_OK && atomic_load(&answered) < atoi(argv[3]) && nats_Now() < deadline)
        nats_Sleep(10);

    printf("answered %d\n", atomic_load(&answered));
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(conn);
    nats_Close();
    return s == NATS_OK ? 0 : 1;
}
