// natsMsg_*, natsMsgList_*: made by the program or received.

#include "fixture.h"

#include <pthread.h>

TEST(create)
{
    natsMsg *msg    = NULL;
    char     data[] = "hello";

    CHECK_OK(natsMsg_Create(&msg, "foo", "re", data, 5));
    data[0] = 'X'; // a copy was made
    CHECK_STR(natsMsg_GetSubject(msg), "foo");
    CHECK_STR(natsMsg_GetReply(msg), "re");
    CHECK_STR(natsMsg_GetData(msg), "hello");
    CHECK_INT(natsMsg_GetDataLength(msg), 5);
    CHECK_INT(natsMsg_GetSequence(msg), 0);
    CHECK_INT(natsMsg_GetTime(msg), 0);
    CHECK(!natsMsg_IsNoResponders(msg));
    natsMsg_Destroy(msg);
}

TEST(create_with_part_of_the_data)
{
    natsMsg *msg = NULL;

    CHECK_OK(natsMsg_Create(&msg, "foo", NULL, "a\0bcd", 3));
    CHECK(natsMsg_GetReply(msg) == NULL);
    CHECK_INT(natsMsg_GetDataLength(msg), 3);
    CHECK(memcmp(natsMsg_GetData(msg), "a\0b\0", 4) == 0);
    natsMsg_Destroy(msg);
}

TEST(create_refuses)
{
    natsMsg *msg = (natsMsg *)8;

    CHECK_STATUS(natsMsg_Create(&msg, NULL, NULL, "x", 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsMsg_Create(&msg, "", NULL, "x", 1), NATS_INVALID_ARG);
    CHECK_STATUS(natsMsg_Create(&msg, "foo", "", "x", 1), NATS_INVALID_ARG);
    CHECK(msg == (natsMsg *)8);
    // Nothing else is looked at.
    CHECK_OK(natsMsg_Create(&msg, " a b..", "\xff", NULL, 0));
    CHECK_INT(natsMsg_GetDataLength(msg), 0);
    natsMsg_Destroy(msg);
}

TEST(null_message)
{
    CHECK(natsMsg_GetSubject(NULL) == NULL);
    CHECK(natsMsg_GetReply(NULL) == NULL);
    CHECK(natsMsg_GetData(NULL) == NULL);
    CHECK_INT(natsMsg_GetDataLength(NULL), 0);
    CHECK_INT(natsMsg_GetSequence(NULL), 0);
    CHECK_INT(natsMsg_GetTime(NULL), 0);
    CHECK(!natsMsg_IsNoResponders(NULL));
    CHECK_INT(natsMsgHeader_EncodedLength(NULL), 0);
    natsMsg_Destroy(NULL);
}

TEST(set_data_refers_to_the_callers_bytes)
{
    static const char other[] = "other bytes";
    natsMsg          *msg     = NULL;

    CHECK_OK(natsMsg_Create(&msg, "foo", NULL, "hello", 5));
    CHECK_OK(natsMsg_SetData(msg, other, 5));
    CHECK(natsMsg_GetData(msg) == other);
    CHECK_INT(natsMsg_GetDataLength(msg), 5);
    CHECK_STATUS(natsMsg_SetData(NULL, other, 5), NATS_INVALID_ARG);
    natsMsg_Destroy(msg);
}

TEST(set_data_of_a_received_message)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;
    char             *line;

    mock_info(f.m, MOCK_ALL, "{\"max_payload\":1000,\"headers\":true}");
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    mock_send(f.m, "HMSG foo 1 18 22\r\nNATS/1.0\r\nk: v\r\n\r\ndata\r\n");
    CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
    CHECK_OK(natsMsg_SetData(msg, "replaced", 8));
    CHECK_OK(natsConnection_PublishMsg(f.nc, msg));
    CHECK_OK(natsConnection_Flush(f.nc));
    line = mock_find(f.m, 1, "HPUB");
    CHECK_STR(line, "HPUB foo 18 26");
    free(line);
    natsMsg_Destroy(msg);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

TEST(lists)
{
    natsMsgList list = {calloc(3, sizeof(natsMsg *)), 3};

    CHECK_OK(natsMsg_Create(&list.Msgs[0], "foo", NULL, "a", 1));
    CHECK_OK(natsMsg_Create(&list.Msgs[2], "foo", NULL, "b", 1));
    natsMsgList_Destroy(&list);
    CHECK(list.Msgs == NULL);
    CHECK_INT(list.Count, 0);
    natsMsgList_Destroy(&list);
    natsMsgList_Destroy(NULL);
}

TEST(without_an_open_library)
{
    natsMsg    *msg   = NULL;
    const char *value = NULL;

    CHECK_OK(natsMsg_Create(&msg, "foo", NULL, "a", 1));
    CHECK_OK(natsMsgHeader_Set(msg, "k", "v"));
    CHECK_OK(nats_Open(-1));
    CHECK_OK(nats_CloseAndWait(5000));
    CHECK_OK(natsMsgHeader_Get(msg, "k", &value));
    CHECK_STR(value, "v");
    natsMsg_Destroy(msg);
    nats_ReleaseThreadMemory();
}

static void *destroy_here(void *msg)
{
    natsMsg_Destroy(msg);
    return NULL;
}

TEST(destroyed_by_another_thread)
{
    for (int i = 0; i < 50; i++)
    {
        natsMsg  *msg = NULL;
        pthread_t t;

        CHECK_OK(natsMsg_Create(&msg, "foo", NULL, "a", 1));
        CHECK(pthread_create(&t, NULL, destroy_here, msg) == 0);
        pthread_join(t, NULL);
    }
}

TEST(received)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;

    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    mock_send(
        f.m,
        "MSG foo.bar 1 re.ply 4\r\ndata\r\nMSG foo 1 0\r\n\r\nHMSG foo 1 16 16\r\nNATS/1.0 404\r\n\r\n\r\n");
    CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
    CHECK_STR(natsMsg_GetSubject(msg), "foo.bar");
    CHECK_STR(natsMsg_GetReply(msg), "re.ply");
    CHECK_STR(natsMsg_GetData(msg), "data");
    CHECK_INT(natsMsg_GetSequence(msg), 0);
    natsMsg_Destroy(msg);
    CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
    CHECK(natsMsg_GetReply(msg) == NULL);
    CHECK_INT(natsMsg_GetDataLength(msg), 0);
    natsMsg_Destroy(msg);
    CHECK_OK(natsSubscription_NextMsg(&msg, sub, 5000));
    CHECK(!natsMsg_IsNoResponders(msg));
    natsMsg_Destroy(msg);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}
