/* drain URL: fills a slow subscriber, drains the connection and shows that nothing that had arrived was lost.
 */
#include <nats/nats.h>
#include <stdio.h>
#include <stdatomic.h>
#include <stdbool.h>

#define MESSAGES 50

static atomic_int  handled;
static atomic_bool closed;

static void onSlow(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    (void)closure;
    nats_Sleep(5);
    atomic_fetch_add(&handled, 1);
    natsMsg_Destroy(msg);
}

static void onClosed(natsConnection *nc, void *closure)
{
    (void)nc;
    atomic_store((atomic_bool *)closure, true);
}

int main(int argc, char **argv)
{
    natsConnection   *conn = NULL;
    natsOptions      *opts = NULL;
    natsSubscription *sub  = NULL;
    natsStatus        s;
    int               i;

    if (argc != 2)
        return 2;

    s = natsOptions_Create(&opts);
    if (s == NATS_OK)
        s = natsOptions_SetURL(opts, argv[1]);
    if (s == NATS_OK)
        s = natsOptions_SetClosedCB(opts, onClosed, (void *)&closed);
    if (s == NATS_OK)
        s = natsConnection_Connect(&conn, opts);
    if (s == NATS_OK)
        s = natsConnection_Subscribe(&sub, conn, "slow", onSlow, NULL);
    for (i = 0; s == NATS_OK && i < MESSAGES; i++)
        s = natsConnection_PublishString(conn, "slow", "work");
    if (s == NATS_OK)
        s = natsConnection_Flush(conn);
    if (s == NATS_OK)
        s = natsConnection_DrainTimeout(conn, 10000);

    for (i = 0; s == NATS_OK && i < 1500 && !atomic_load(&closed); i++)
        nats_Sleep(10);

    printf("drain: %s, handled %d of %d, closed: %s\n", natsStatus_GetText(s), atomic_load(&handled),
           MESSAGES, atomic_load(&closed) ? "yes" : "no");
    if (s == NATS_OK)
        printf("publishing afterwards: %s\n",
               natsStatus_GetText(natsConnection_PublishString(conn, "slow", "late")));

    natsSubscription_Destroy(sub);
    natsConnection_Destroy(conn);
    natsOptions_Destroy(opts);
    nats_Close();
    return (s == NATS_OK && atomic_load(&handled) == MESSAGES && atomic_load(&closed)) ? 0 : 1;
}
