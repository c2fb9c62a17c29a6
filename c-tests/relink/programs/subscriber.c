/* subscriber URL SUBJECT COUNT: prints what arrives; ends after COUNT messages. Says "ready" once the server
 * knows it. */
#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdatomic.h>

static atomic_int received;

static void onMsg(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    (void)closure;
    printf("[%s] %.*s\n", natsMsg_GetSubject(msg), natsMsg_GetDataLength(msg), natsMsg_GetData(msg));
    fflush(stdout);
    natsMsg_Destroy(msg);
    atomic_fetch_add(&received, 1);
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
        s = natsConnection_Subscribe(&sub, conn, argv[2], onMsg, NULL);
    if (s == NATS_OK)
        s = natsConnection_Flush(conn);
    if (s == NATS_OK)
    {
        printf("ready\n");
        fflush(stdout);
    }

    deadline = nats_Now() + 20000;
    while (s == NATS_OK && atomic_load(&received) < atoi(argv[3]))
    {
        if (nats_Now() > deadline)
            s = NATS_TIMEOUT;
        nats_Sleep(10);
    }
    if (s != NATS_OK)
        printf("Error: %s\n", natsStatus_GetText(s));

    natsSubscription_Destroy(sub);
    natsConnection_Destroy(conn);
    nats_Close();
    return s == NATS_OK ? 0 : 1;
}
