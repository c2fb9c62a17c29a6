// natsInbox_Create() and natsInbox_Destroy().

#include "test.h"

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
    enum { COUNT = 1000 };
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
