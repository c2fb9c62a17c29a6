// natsInbox_Create() and natsInbox_Destroy(), and the identifiers in them, for which the headers have no
// declaration.

#include "test.h"

natsStatus natsNUID_init(void);
natsStatus natsNUID_Next(char *buffer, int bufferLen);
void       natsNUID_free(void);
uint16_t   nats_CRC16_Compute(unsigned char *data, int len);

TEST(form)
{
    natsInbox *inbox = NULL;

    CHECK_OK(natsInbox_Create(&inbox));
    CHECK_INT(strlen(inbox), 29);
    CHECK(strncmp(inbox, "_INBOX.", 7) == 0);
    CHECK_INT(strspn(inbox + 7, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"), 22);
    natsInbox_Destroy(inbox);
}

TEST(all_different)
{
    enum
    {
        COUNT = 1000
    };
    natsInbox *inboxes[COUNT];

    for (int i = 0; i < COUNT; i++)
    {
        CHECK_OK(natsInbox_Create(&inboxes[i]));
        if (i > 0)
            CHECK(strcmp(inboxes[i], inboxes[i - 1]) != 0);
    }
    for (int i = 0; i < COUNT; i++)
        natsInbox_Destroy(inboxes[i]);
}

TEST(null)
{
    natsInbox_Destroy(NULL);
    CHECK_STATUS(natsInbox_Create(NULL), NATS_INVALID_ARG);
}

TEST(identifiers)
{
    char a[24], b[24];

    CHECK_OK(natsNUID_init());
    memset(a, '#', sizeof a);
    for (int size = -1; size < 23; size++)
        CHECK_STATUS(natsNUID_Next(a, size), NATS_INSUFFICIENT_BUFFER);
    CHECK_INT(a[0], '#');
    CHECK_STATUS(natsNUID_Next(NULL, 23), NATS_INVALID_ARG);
    CHECK_OK(natsNUID_Next(a, 23));
    CHECK_INT(strlen(a), 22);
    CHECK_INT(a[23], '#');
    CHECK_INT(strspn(a, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"), 22);
    natsNUID_free();
    CHECK_OK(natsNUID_Next(b, 24));
    CHECK_INT(strncmp(a, b, 12), 0);
    CHECK(strcmp(a, b) != 0);
}

TEST(checksums)
{
    CHECK_INT(nats_CRC16_Compute((unsigned char *)"123456789", 9), 0x31C3);
    CHECK_INT(nats_CRC16_Compute((unsigned char *)"123456789", 0), 0);
    CHECK_INT(nats_CRC16_Compute((unsigned char *)"123456789", -1), 0);
    CHECK_INT(nats_CRC16_Compute(NULL, 0), 0);
}
