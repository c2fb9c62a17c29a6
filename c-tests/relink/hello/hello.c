/* The smallest useful client: prints what it published to itself, the answer to a request, and which library
 * it runs on. */
#include <stdio.h>
#include <string.h>
#include <nats/nats.h>

static void answer(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)sub;
    natsConnection_PublishString(nc, natsMsg_GetReply(msg), (const char *)closure);
    natsMsg_Destroy(msg);
}

int main(int argc, char **argv)
{
    natsConnection   *nc    = NULL;
    natsSubscription *inbox = NULL;
    natsSubscription *help  = NULL;
    natsMsg          *msg   = NULL;
    natsMsg          *reply = NULL;
    natsStatus        s;

    if (!nats_CheckCompatibility())
        return 2;

    s = natsConnection_ConnectTo(&nc, argc > 1 ? argv[1] : NATS_DEFAULT_URL);
    if (s == NATS_OK)
        s = natsConnection_SubscribeSync(&inbox, nc, "hello");
    if (s == NATS_OK)
        s = natsConnection_Subscribe(&help, nc, "help", answer, (void *)"at your service");
    if (s == NATS_OK)
        s = natsConnection_PublishString(nc, "hello", "hello, world");
    if (s == NATS_OK)
        s = natsSubscription_NextMsg(&msg, inbox, 5000);
    if (s == NATS_OK)
        s = natsConnection_RequestString(&reply, nc, "help", "?", 5000);
    if (s == NATS_OK)
        printf("%.*s / %.*s / %s\n", natsMsg_GetDataLength(msg), natsMsg_GetData(msg),
               natsMsg_GetDataLength(reply), natsMsg_GetData(reply), nats_GetVersion());
    else
        nats_PrintLastErrorStack(stderr);

    natsMsg_Destroy(reply);
    natsMsg_Destroy(msg);
    natsSubscription_Destroy(help);
    natsSubscription_Destroy(inbox);
    natsConnection_Destroy(nc);
    nats_Close();
    return s == NATS_OK ? 0 : 1;
}
