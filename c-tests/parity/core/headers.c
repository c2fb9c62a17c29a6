/* Statuses and values of natsMsgHeader_* and natsHeader_*: no server needed. Keys come in any order, so they
 * are printed sorted. The output must be the same with every implementation. */
#include "trace.h"

#include <nats/nats.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRESET ((const char *)"preset")

static void show_list(const char *call, const char *key, natsStatus s, const char **list, int count, int sort)
{
    int i;

    printf("%s %s: %d count=%d", call, shown(key), s, count);
    if (list == NULL)
        printf(" NULL");
    if (sort && list != NULL && s == NATS_OK)
        qsort(list, (size_t)count, sizeof(*list), by_text);
    for (i = 0; s == NATS_OK && i < count; i++)
        printf(" '%s'", shown(list[i]));
    printf("\n");
    if (s == NATS_OK)
        free((void *)list);
}

/* ---- headers of a message ---- */

static void m_set(natsMsg *m, const char *k, const char *v)
{
    printf("Set %s=%s: %d", shown(k), shown(v), natsMsgHeader_Set(m, k, v));
    printf(" encoded=%d\n", natsMsgHeader_EncodedLength(m));
}

static void m_add(natsMsg *m, const char *k, const char *v)
{
    printf("Add %s=%s: %d", shown(k), shown(v), natsMsgHeader_Add(m, k, v));
    printf(" encoded=%d\n", natsMsgHeader_EncodedLength(m));
}

static void m_get(natsMsg *m, const char *k)
{
    const char *v = PRESET;
    natsStatus  s = natsMsgHeader_Get(m, k, &v);

    printf("Get %s: %d '%s'\n", shown(k), s, shown(v));
}

static void m_values(natsMsg *m, const char *k)
{
    const char **list  = (const char **)PRESET;
    int          count = 7;
    natsStatus   s     = natsMsgHeader_Values(m, k, &list, &count);

    show_list("Values", k, s, list, count, 0);
}

static void m_keys(natsMsg *m)
{
    const char **list  = (const char **)PRESET;
    int          count = 7;
    natsStatus   s     = natsMsgHeader_Keys(m, &list, &count);

    show_list("Keys", "", s, list, count, 1);
}

static void m_delete(natsMsg *m, const char *k)
{
    printf("Delete %s: %d", shown(k), natsMsgHeader_Delete(m, k));
    printf(" encoded=%d\n", natsMsgHeader_EncodedLength(m));
}

static void m_look(natsMsg *m, const char *k)
{
    m_get(m, k);
    m_values(m, k);
}

static void msg_arguments(natsMsg *m)
{
    const char  *v     = PRESET;
    const char **list  = (const char **)PRESET;
    int          count = 7;

    m_set(NULL, "k", "v"), trace_last_error("Set");
    m_set(m, NULL, "v"), trace_last_error("Set");
    m_set(m, "", "v"), trace_last_error("Set");
    m_set(NULL, NULL, NULL), trace_last_error("Set");
    m_add(NULL, "k", "v"), trace_last_error("Add");
    m_add(m, NULL, "v"), trace_last_error("Add");
    m_add(m, "", "v"), trace_last_error("Add");
    m_get(NULL, "k"), trace_last_error("Get");
    m_get(m, NULL), trace_last_error("Get");
    m_get(m, ""), trace_last_error("Get");
    printf("Get without value: %d\n", natsMsgHeader_Get(m, "k", NULL)), trace_last_error("Get");
    m_values(NULL, "k"), trace_last_error("Values");
    m_values(m, NULL), trace_last_error("Values");
    m_values(m, ""), trace_last_error("Values");
    printf("Values without list: %d", natsMsgHeader_Values(m, "k", NULL, &count));
    printf(" count=%d\n", count);
    trace_last_error("Values");
    printf("Values without count: %d", natsMsgHeader_Values(m, "k", &list, NULL));
    printf(" %d\n", list == (const char **)PRESET);
    m_keys(NULL), trace_last_error("Keys");
    printf("Keys without list: %d", natsMsgHeader_Keys(m, NULL, &count));
    printf(" count=%d\n", count);
    trace_last_error("Keys");
    printf("Keys without count: %d", natsMsgHeader_Keys(m, &list, NULL));
    printf(" %d\n", list == (const char **)PRESET);
    m_delete(NULL, "k"), trace_last_error("Delete");
    m_delete(m, NULL), trace_last_error("Delete");
    m_delete(m, ""), trace_last_error("Delete");
    printf("EncodedLength NULL: %d\n", natsMsgHeader_EncodedLength(NULL));
    printf("preset value: %s\n", v);
}

static void msg_values(natsMsg *m)
{
    m_look(m, "k"), m_keys(m), m_delete(m, "k");
    trace_last_error("not found");
    m_set(m, "k", "v"), m_look(m, "k"), m_keys(m);
    m_set(m, "k", "w"), m_look(m, "k");
    m_add(m, "k", "x"), m_look(m, "k");
    m_add(m, "K", "upper"), m_look(m, "K"), m_look(m, "k"), m_keys(m);
    m_set(m, "null", NULL), m_look(m, "null");
    m_add(m, "null", NULL), m_look(m, "null");
    m_add(m, "null", "text"), m_look(m, "null");
    m_add(m, "added null", NULL), m_look(m, "added null");
    m_set(m, "empty", ""), m_look(m, "empty");
    m_set(m, " spaced key ", " spaced value "), m_look(m, " spaced key "), m_look(m, "spaced key");
    m_set(m, "lines", "a\r\nb\nc\rd"), m_look(m, "lines");
    m_set(m, "odd", ":"), m_look(m, "odd"); /* keys that break lines differ on purpose: ../header.c */
    m_set(m, "\xff\xfe", "\x80"), m_look(m, "\xff\xfe");
    m_keys(m);
    m_set(m, "k", "single"), m_look(m, "k");
    m_delete(m, "k"), m_look(m, "k"), m_delete(m, "k"), m_keys(m);
    m_delete(m, "K"), m_delete(m, "null"), m_delete(m, "added null"), m_delete(m, "empty");
    m_delete(m, " spaced key "), m_delete(m, "lines"), m_delete(m, "odd");
    m_delete(m, "\xff\xfe");
    m_keys(m), m_look(m, "k"), m_delete(m, "k");
    printf("EncodedLength of none: %d\n", natsMsgHeader_EncodedLength(m));
    m_add(m, "back", "again"), m_look(m, "back");
    m_set(m, "Status", "503"), m_look(m, "Status");
    printf("IsNoResponders: %d\n", natsMsg_IsNoResponders(m));
}

static void message_headers(void)
{
    natsMsg *m = NULL;

    printf("-- message\n");
    natsMsg_Create(&m, "foo", NULL, "data", 4);
    msg_arguments(m);
    msg_values(m);
    natsMsg_Destroy(m);

    printf("-- 503 without payload\n");
    natsMsg_Create(&m, "foo", NULL, NULL, 0);
    printf("IsNoResponders: %d\n", natsMsg_IsNoResponders(m));
    m_set(m, "Status", "50"), printf("IsNoResponders: %d\n", natsMsg_IsNoResponders(m));
    m_set(m, "Status", NULL), printf("IsNoResponders: %d\n", natsMsg_IsNoResponders(m));
    m_set(m, "Status", "503"), printf("IsNoResponders: %d\n", natsMsg_IsNoResponders(m));
    m_set(m, "Status", "5031"), printf("IsNoResponders: %d\n", natsMsg_IsNoResponders(m));
    m_set(m, "Status", " 503"), printf("IsNoResponders: %d\n", natsMsg_IsNoResponders(m));
    m_add(m, "Status", "503"), printf("IsNoResponders: %d\n", natsMsg_IsNoResponders(m));
    natsMsg_Destroy(m);

    printf("-- many\n");
    {
        char key[16];
        int  i;

        natsMsg_Create(&m, "foo", NULL, NULL, 0);
        for (i = 0; i < 40; i++)
        {
            snprintf(key, sizeof(key), "key-%02d", i);
            natsMsgHeader_Set(m, key, key);
        }
        m_keys(m), m_get(m, "key-17"), m_delete(m, "key-17"), m_get(m, "key-17"), m_keys(m);
        natsMsg_Destroy(m);
    }
}

/* ---- headers on their own ---- */

static void h_set(natsHeader *h, const char *k, const char *v)
{
    printf("Set %s=%s: %d", shown(k), shown(v), natsHeader_Set(h, k, v));
    printf(" count=%d\n", natsHeader_KeysCount(h));
}

static void h_add(natsHeader *h, const char *k, const char *v)
{
    printf("Add %s=%s: %d", shown(k), shown(v), natsHeader_Add(h, k, v));
    printf(" count=%d\n", natsHeader_KeysCount(h));
}

static void h_get(natsHeader *h, const char *k)
{
    const char *v = PRESET;
    natsStatus  s = natsHeader_Get(h, k, &v);

    printf("Get %s: %d '%s'\n", shown(k), s, shown(v));
}

static void h_values(natsHeader *h, const char *k)
{
    const char **list  = (const char **)PRESET;
    int          count = 7;
    natsStatus   s     = natsHeader_Values(h, k, &list, &count);

    show_list("Values", k, s, list, count, 0);
}

static void h_keys(natsHeader *h)
{
    const char **list  = (const char **)PRESET;
    int          count = 7;
    natsStatus   s     = natsHeader_Keys(h, &list, &count);

    show_list("Keys", "", s, list, count, 1);
}

static void h_delete(natsHeader *h, const char *k)
{
    printf("Delete %s: %d", shown(k), natsHeader_Delete(h, k));
    printf(" count=%d\n", natsHeader_KeysCount(h));
}

static void h_look(natsHeader *h, const char *k)
{
    h_get(h, k);
    h_values(h, k);
}

static void header_arguments(natsHeader *h)
{
    const char **list  = (const char **)PRESET;
    int          count = 7;

    printf("New NULL: %d\n", natsHeader_New(NULL)), trace_last_error("New");
    h_set(NULL, "k", "v"), trace_last_error("Set");
    h_set(h, NULL, "v"), trace_last_error("Set");
    h_set(h, "", "v"), trace_last_error("Set");
    h_set(h, "k", NULL), trace_last_error("Set");
    h_add(NULL, "k", "v"), trace_last_error("Add");
    h_add(h, NULL, "v"), h_add(h, "", "v"), h_add(h, "k", NULL);
    h_get(NULL, "k"), trace_last_error("Get");
    h_get(h, NULL), h_get(h, "");
    printf("Get without value: %d\n", natsHeader_Get(h, "k", NULL)), trace_last_error("Get");
    h_values(NULL, "k"), h_values(h, NULL), h_values(h, ""), trace_last_error("Values");
    printf("Values without list: %d", natsHeader_Values(h, "k", NULL, &count));
    printf(" count=%d\n", count);
    printf("Values without count: %d", natsHeader_Values(h, "k", &list, NULL));
    printf(" %d\n", list == (const char **)PRESET);
    h_keys(NULL), trace_last_error("Keys");
    printf("Keys without list: %d", natsHeader_Keys(h, NULL, &count));
    printf(" count=%d\n", count);
    printf("Keys without count: %d", natsHeader_Keys(h, &list, NULL));
    printf(" %d\n", list == (const char **)PRESET);
    h_delete(NULL, "k"), h_delete(h, NULL), h_delete(h, ""), trace_last_error("Delete");
    printf("KeysCount NULL: %d\n", natsHeader_KeysCount(NULL));
    natsHeader_Destroy(NULL);
}

static void header_values(natsHeader *h)
{
    h_look(h, "k"), h_keys(h), h_delete(h, "k");
    trace_last_error("not found");
    h_set(h, "k", "v"), h_look(h, "k"), h_keys(h);
    h_set(h, "k", "w"), h_look(h, "k");
    h_add(h, "k", "x"), h_look(h, "k");
    h_add(h, "K", "upper"), h_look(h, "K"), h_keys(h);
    h_set(h, "empty", ""), h_look(h, "empty");
    h_set(h, "lines", "a\r\nb\nc\rd"), h_look(h, "lines");
    h_set(h, " spaced key ", " spaced value "), h_look(h, " spaced key ");
    h_keys(h);
    h_set(h, "k", "single"), h_look(h, "k");
    h_delete(h, "k"), h_look(h, "k"), h_delete(h, "k"), h_keys(h);
    h_delete(h, "K"), h_delete(h, "empty"), h_delete(h, "lines"), h_delete(h, " spaced key ");
    h_keys(h), h_look(h, "k"), h_delete(h, "k");
    h_add(h, "back", "again"), h_look(h, "back");
}

static void own_headers(void)
{
    natsHeader *h = NULL;

    printf("-- header\n");
    printf("New: %d\n", natsHeader_New(&h));
    header_arguments(h);
    header_values(h);
    natsHeader_Destroy(h);
}

int main(void)
{
    printf("-- open: %d\n", nats_Open(-1));
    message_headers();
    own_headers();
    nats_Close();
    return 0;
}
