/* requestor URL SUBJECT TEXT: asks, prints the answer; exit 0 when answered, 3 when nobody listens, 4 on
 * timeout. */
#include <nats/nats.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    natsConnection *conn  = NULL;
    natsMsg        *reply = NULL;
    natsStatus      s;

    if (argc != 4)
        return 2;

    s = natsConnection_ConnectTo(&conn, argv[1]);
    if (s == NATS_OK)
        s = natsConnection_Request(&reply, conn, argv[2], argv[3], (int)strlen(argv[3]), 2000);

    if (s == NATS_OK)
        printf("answer: %.*s\n", natsMsg_GetDataLength(reply), natsMsg_GetData(reply));
    else
        printf("no answer: %s\n", natsStatus_GetText(s));

    natsMsg_Destroy(reply);
    natsConnection_Destroy(conn);
    nats_Close();
    if (s == NATS_NO_RESPONDERS)
        return 3;
    if (s == NATS_TIMEOUT)
        return 4;
    return s == NATS_OK ? 0 : 1;
}
