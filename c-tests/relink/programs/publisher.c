/* publisher URL SUBJECT COUNT: publishes COUNT numbered messages and waits until the server has them. */
#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    natsConnection *conn = NULL;
    natsOptions    *opts = NULL;
    natsStatus      s;
    char            text[64];
    int             i, count;

    if (argc != 4)
        return 2;
    count = atoi(argv[3]);

    s = natsOptions_Create(&opts);
    if (s == NATS_OK)
        s = natsOptions_SetURL(opts, argv[1]);
    if (s == NATS_OK)
        s = natsOptions_SetName(opts, "publisher");
    if (s == NATS_OK)
        s = natsConnection_Connect(&conn, opts);

    for (i = 1; s == NATS_OK && i <= count; i++)
    {
        int len = snprintf(text, sizeof(text), "message %d", i);
        s       = natsConnection_Publish(conn, argv[2], text, len);
    }
    if (s == NATS_OK)
        s = natsConnection_FlushTimeout(conn, 5000);

    if (s == NATS_OK)
        printf("published %d\n", count);
    else
    {
        printf("Error: %d - %s\n", s, natsStatus_GetText(s));
        nats_PrintLastErrorStack(stderr);
    }
    natsConnection_Destroy(conn);
    natsOptions_Destroy(opts);
    nats_Close();
    return s == NATS_OK ? 0 : 1;
}
