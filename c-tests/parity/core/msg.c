/* Statuses and values of natsMsg_*, natsMsgList_*, natsInbox_* and natsStatistics_*: no server needed.
 * Prints one line per call; the output must be the same with every implementation. */
#include "trace.h"

#include <nats/nats.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show(const char *what, natsMsg *msg)
{
    const char *data = natsMsg_GetData(msg);
    int         len  = natsMsg_GetDataLength(msg);

    printf("%s: subject=%s reply=%s len=%d data=%s", what, shown(natsMsg_GetSubject(msg)),
           shown(natsMsg_GetReply(msg)), len, data == NULL ? "NULL" : "");
    if (data != NULL)
        printf("'%.*s'", len < 0 ? 0 : len, data);
    printf(" seq=%llu time=%lld noresp=%d encoded=%d\n", (unsigned long long)natsMsg_GetSequence(msg),
           (long long)natsMsg_GetTime(msg), natsMsg_IsNoResponders(msg), natsMsgHeader_EncodedLength(msg));
}

static void create(const char *what, const char *subj, const char *reply, const char *data, int len)
{
    natsMsg   *msg = (natsMsg *)-1;
    natsStatus s   = natsMsg_Create(&msg, subj, reply, data, len);

    printf("Create %s: %d%s\n", what, s, msg == (natsMsg *)-1 ? " untouched" : msg == NULL ? " NULL" : "");
    if (s != NATS_OK)
        return;
    show(what, msg);
    if (len >= 0 && natsMsg_GetData(msg) != NULL)
        printf("%s: after the data: %d\n", what, natsMsg_GetData(msg)[len]);
    natsMsg_Destroy(msg);
}

static void set_data(const char *what, natsMsg *msg, const void *data, int len)
{
    natsStatus s = natsMsg_SetData(msg, data, len);

    printf("SetData %s: %d\n", what, s);
    if (msg == NULL)
        return;
    show(what, msg);
    printf("%s: the caller's pointer: %d\n", what,
           data != NULL && natsMsg_GetData(msg) == (const char *)data);
}

static void creating(void)
{
    create("plain", "foo", NULL, "hello", 5);
    create("reply", "foo", "bar", "hello", 5);
    create("part of the data", "foo", NULL, "hello", 2);
    create("embedded NUL", "foo", NULL, "a\0b", 3);
    create("NULL data", "foo", NULL, NULL, 0);
    create("length 0", "foo", NULL, "hello", 0);
    create("empty data", "foo", "bar", "", 0);
    create("NULL subject", NULL, NULL, "hello", 5);
    create("empty subject", "", NULL, "hello", 5);
    create("empty reply", "foo", "", "hello", 5);
    create("blank subject", " ", " ", "hello", 5);
    create("wildcards", "a.*.>", "..", "hello", 5);
    create("bytes", "\xff\xfe", "\x80", "\x81", 1);
    trace_last_error("Create");
}

static void null_msg(void)
{
    natsMsgList list = {NULL, 3};

    show("NULL", NULL);
    set_data("NULL msg", NULL, "abc", 3);
    natsMsg_Destroy(NULL);
    natsMsgList_Destroy(NULL);
    natsMsgList_Destroy(&list);
    printf("list without Msgs: %d %d\n", list.Msgs == NULL, list.Count);
}

static void setting_data(void)
{
    natsMsg *msg = NULL;

    natsMsg_Create(&msg, "foo", "bar", "hello", 5);
    set_data("other data", msg, "something else", 14);
    set_data("part", msg, "something else", 4);
    set_data("length 0", msg, "abc", 0);
    set_data("NULL and 0", msg, NULL, 0);
    set_data("again", msg, "abc", 3);
    set_data("NULL and 3", msg, NULL, 3);
    set_data("negative", msg, "abc", -1);
    set_data("NULL and negative", msg, NULL, -1);
    trace_last_error("SetData");
    natsMsg_Destroy(msg);

    natsMsg_Create(&msg, "foo", NULL, NULL, 0);
    set_data("first data", msg, "abc", 3);
    printf("Set: %d\n", natsMsgHeader_Set(msg, "k", "v"));
    set_data("with headers", msg, "abcd", 4);
    natsMsg_Destroy(msg);
}

static void lists(void)
{
    natsMsgList list;

    list.Count = 3;
    list.Msgs  = calloc(3, sizeof(natsMsg *));
    natsMsg_Create(&list.Msgs[0], "foo", NULL, "a", 1);
    natsMsg_Create(&list.Msgs[2], "bar", NULL, "b", 1);
    natsMsgList_Destroy(&list);
    printf("list: %d %d\n", list.Msgs == NULL, list.Count);
    natsMsgList_Destroy(&list);
    printf("list again: %d %d\n", list.Msgs == NULL, list.Count);

    list.Count = 0;
    list.Msgs  = calloc(1, sizeof(natsMsg *));
    natsMsgList_Destroy(&list);
    printf("empty list: %d %d\n", list.Msgs == NULL, list.Count);
}

static void inboxes(void)
{
    natsInbox *a = NULL;
    natsInbox *b = NULL;

    printf("Inbox: %d", natsInbox_Create(&a));
    printf(" %d", natsInbox_Create(&b));
    printf(" length=%d prefix=%.7s", (int)strlen(a), a);
    printf(" alphabet=%d different=%d\n", strspn(a + 7, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 22,
           strcmp(a, b) != 0);
    printf("inboxes share 12 characters: %d\n", strncmp(a, b, 19) == 0);
    natsInbox_Destroy(a);
    natsInbox_Destroy(b);
    natsInbox_Destroy(NULL);
}

static void statistics(void)
{
    natsStatistics *stats = NULL;
    uint64_t        n[5]  = {9, 9, 9, 9, 9};

    printf("Statistics NULL: %d\n", natsStatistics_GetCounts(NULL, &n[0], &n[1], &n[2], &n[3], &n[4]));
    printf("untouched: %d %d %d %d %d\n", (int)n[0], (int)n[1], (int)n[2], (int)n[3], (int)n[4]);
    trace_last_error("GetCounts");
    printf("Statistics Create: %d\n", natsStatistics_Create(&stats));
    printf("GetCounts: %d\n", natsStatistics_GetCounts(stats, &n[0], &n[1], &n[2], &n[3], &n[4]));
    printf("counts: %d %d %d %d %d\n", (int)n[0], (int)n[1], (int)n[2], (int)n[3], (int)n[4]);
    printf("GetCounts nothing: %d\n", natsStatistics_GetCounts(stats, NULL, NULL, NULL, NULL, NULL));
    natsStatistics_Destroy(stats);
    natsStatistics_Destroy(NULL);
}

int main(void)
{
    printf("-- before the library is open\n");
    printf("natsHeader_New: %d\n", natsHeader_New(NULL));
    creating();
    null_msg();
    setting_data();
    statistics();
    printf("-- open: %d\n", nats_Open(-1));
    creating();
    null_msg();
    setting_data();
    lists();
    inboxes();
    statistics();
    printf("-- close\n");
    nats_Close();
    statistics();
    return 0;
}
