/* queue URL SUBJECT GROUP: one member of a queue group. On a message on SUBJECT.end it prints how many it
 * took and ends. Members share the work, so only the sum over all members is known beforehand. */
#include <nats/nats.h>
#include <stdio.h>
#include <stdatomic.h>
#include <string.h>

static atomic_int taken;

static void onWork(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    (void)closure;
    atomic_fetch_add(&taken, 1);
    natsMsg_Destroy(msg);
}

int main(int argc, char **argv)
{
    natsConnection   *conn = NULL;
    natsSubscription *work = NULL;
    natsSubscription *end  = NULL;
    natsMsg          *msg  = NULL;
    natsStatus        s;
    char              endSubject[128];

    if (argc != 4)
        return 2;
    snprintf(endSubject, sizeof(endSubject), "%s.end", argv[2]);

    s = natsConnection_ConnectTo(&conn, argv[1]);
    if (s == NATS_OK)
        s = natsConnection_QueueSubscribe(&work, conn, argv[2], argv[3], onWork, NULL);
    if (s == NATS_OK)
        s = natsConnection_SubscribeSync(&end, conn, endSubject);
    if (s == NATS_OK)
        s = natsConnection_Flush(conn);
    if (s == NATS_OK)
    {
        printf("ready\n");
        fflush(stdout);
        s = natsSubscription_NextMsg(&msg, end, 20000);
    }
    /* What was received before the end message may still be waiting for its callback. */
    if (s == NATS_OK)
        s = natsSubscription_Drain(work);
    if (s == NATS_OK)
        s = natsSubscription_WaitForDrainCompletion(work, 5000);

    if (s == NATS_OK)
        printf("took %d\n", atomic_load(&taken));
    else
        printf("Error: %s\n", natsStatus_GetText(s));

    natsMsg_Destroy(msg);
    natsSubscription_Destroy(end);
    natsSubscription_Destroy(work);
    natsConnection_Destroy(conn);
    nats_Close();
    return s == NATS_OK ? 0 : 1;
}
