// Every allocation of the library from 4 KiB up fails once, for each family of calls: the call says so, or
// the connection ends with it; the process lives, and everything works again afterwards.

#include "fixture.h"
#include "jwt.h"
#include "scarce.h"

static void make_messages(void)
{
    natsMsg     *msg  = NULL;
    char        *text = long_text(100000), key[16];
    const char **list = NULL;
    int          count;
    natsStatus   s;

    scarce(true);
    ok_or_no_memory(s = natsMsg_Create(&msg, text, text, text, 100000));
    CHECK((msg == NULL) == (s != NATS_OK));
    if (msg != NULL)
    {
        ok_or_no_memory(s = natsMsgHeader_Set(msg, "long", text));
        if (s != NATS_OK)
            CHECK_INT(natsMsgHeader_EncodedLength(msg) > 100000, 0);
        for (int i = 0; i < 1500; i++)
        {
            snprintf(key, sizeof key, "k%d", i);
            ok_or_no_memory(natsMsgHeader_Set(msg, key, key));
            ok_or_no_memory(natsMsgHeader_Add(msg, "same", key));
        }
        list = NULL;
        ok_or_no_memory(natsMsgHeader_Keys(msg, &list, &count));
        free((void *)list);
        list = NULL;
        ok_or_no_memory(natsMsgHeader_Values(msg, "same", &list, &count));
        free((void *)list);
        s = natsMsgHeader_Delete(msg, text);
        CHECK(s == NATS_NOT_FOUND || s == NATS_NO_MEMORY);
    }
    scarce(false);
    natsMsg_Destroy(msg);
    free(text);
}

TEST(messages_of_the_program)
{
    CHECK(each_fails_once(make_messages) > 10);
}

// So many that the blocks kept for messages to come need a longer list.
static void free_many_messages(void)
{
    enum
    {
        COUNT = 20000
    };
    natsMsg **msgs = calloc(COUNT, sizeof *msgs);

    for (int i = 0; i < COUNT; i++)
        CHECK_OK(natsMsg_Create(&msgs[i], "a", NULL, "x", 1));
    scarce(true);
    for (int i = 0; i < COUNT; i++)
        natsMsg_Destroy(msgs[i]);
    scarce(false);
    free(msgs);
}

TEST(memory_kept_for_messages)
{
    CHECK(each_fails_once(free_many_messages) > 0);
}

static void make_headers(void)
{
    natsHeader  *h    = NULL;
    char        *text = long_text(100000), key[16];
    const char **list = NULL;
    int          count;

    CHECK_OK(natsHeader_New(&h));
    scarce(true);
    ok_or_no_memory(natsHeader_Set(h, text, text));
    for (int i = 0; i < 1500; i++)
    {
        snprintf(key, sizeof key, "k%d", i);
        ok_or_no_memory(natsHeader_Add(h, key, key));
    }
    ok_or_no_memory(natsHeader_Keys(h, &list, &count));
    scarce(false);
    free((void *)list);
    natsHeader_Destroy(h);
    free(text);
}

TEST(headers_of_the_program)
{
    CHECK(each_fails_once(make_headers) > 10);
}

// ---- opening, options, connecting, getters ----

static void open_library(void)
{
    scarce(true);
    ok_or_no_memory(nats_Open(-1));
    scarce(false);
    CHECK_OK(nats_Open(-1));
    CHECK_OK(nats_CloseAndWait(5000));
}

TEST(opening)
{
    CHECK_RANGE(each_fails_once(open_library), 1, 100);
}

static void make_options(void)
{
    char        *text = long_text(20000), *url = long_text(20000);
    const char  *servers[600];
    natsOptions *opts = NULL;

    memcpy(url, "nats://", 7);
    for (int i = 0; i < 600; i++)
        servers[i] = i == 0 ? url : "nats://x";
    CHECK_OK(natsOptions_Create(&opts));
    scarce(true);
    ok_or_no_memory(natsOptions_SetURL(opts, url));
    ok_or_no_memory(natsOptions_SetServers(opts, servers, 600));
    ok_or_no_memory(natsOptions_SetName(opts, text));
    ok_or_no_memory(natsOptions_SetUserInfo(opts, text, text));
    ok_or_no_memory(natsOptions_SetToken(opts, text));
    ok_or_no_memory(natsOptions_SetCustomInboxPrefix(opts, text));
    ok_or_no_memory(natsOptions_SetUserCredentialsFromFiles(opts, text, text));
    ok_or_no_memory(natsOptions_SetUserCredentialsFromMemory(opts, text));
    ok_or_no_memory(natsOptions_SetNKeyFromSeed(opts, text, text));
    // What is refused is shown, but not all of it.
    url[10] = ' ';
    failed_or_no_memory(natsOptions_SetCustomInboxPrefix(opts, url), NATS_INVALID_ARG);
    failed_or_no_memory(natsOptions_LoadCATrustedCertificates(opts, text), NATS_SSL_ERROR);
    failed_or_no_memory(natsOptions_LoadCertificatesChain(opts, text, text), NATS_SSL_ERROR);
    failed_or_no_memory(natsOptions_SetCiphers(opts, text), NATS_SSL_ERROR);
    ok_or_no_memory(natsOptions_SetExpectedHostname(opts, text));
    ok_or_no_memory(natsOptions_LoadCertificatesChainDynamic(opts, text, text));
    scarce(false);
    natsOptions_Destroy(opts);
    free(text);
    free(url);
}

TEST(options_of_the_program)
{
    CHECK_OK(nats_Open(-1));
    CHECK_RANGE(each_fails_once(make_options), 9, 200);
}

// What the program gives to connect with; the texts are long.
static enum { TOKEN, USER, URL_USER, CREDENTIALS, TOKEN_HANDLER, JWT_HANDLER } login;

static const char *give_token(void *text)
{
    return text;
}

static natsStatus give_jwt(char **jwt, char **error, void *text)
{
    (void)error;
    *jwt = strdup(text);
    return NATS_OK;
}

static natsStatus give_signature(char **error, unsigned char **signature, int *len, const char *nonce,
                                 void *closure)
{
    (void)error, (void)nonce, (void)closure;
    *len       = 64;
    *signature = calloc(1, 64);
    return NATS_OK;
}

static void set_login(fixture *f, char *text)
{
    char *url = malloc(strlen(text) + 100), *credentials;

    switch (login)
    {
    case TOKEN: CHECK_OK(natsOptions_SetToken(f->opts, text)); break;
    case USER: CHECK_OK(natsOptions_SetUserInfo(f->opts, text, text)); break;
    case URL_USER:
        sprintf(url, "nats://u:%s@%s", text, mock_url(f->m) + 7);
        CHECK_OK(natsOptions_SetURL(f->opts, url));
        break;
    case CREDENTIALS:
        credentials = jwt_credentials(text, JWT_USER_SEED);
        CHECK_OK(natsOptions_SetUserCredentialsFromMemory(f->opts, credentials));
        free(credentials);
        break;
    case TOKEN_HANDLER: CHECK_OK(natsOptions_SetTokenHandler(f->opts, give_token, text)); break;
    case JWT_HANDLER:
        CHECK_OK(natsOptions_SetUserCredentialsCallbacks(f->opts, give_jwt, text, give_signature, NULL));
        break;
    }
    free(url);
}

static void set_info(mock *m)
{
    char *text = long_text(8000), *info = malloc(100000), *at = info;

    at += sprintf(
        at,
        "{\"server_id\":\"%s\",\"server_name\":\"%s\",\"client_ip\":\"%s\",\"nonce\":\"%s\",\"headers\":true,"
        "\"max_payload\":8000000,\"proto\":1,\"connect_urls\":[",
        text, text, text, text);
    for (int i = 0; i < 400; i++)
        at += sprintf(at, "%s\"10.0.%d.%d:1\"", i ? "," : "", i / 200, i % 200);
    sprintf(at, "]}");
    mock_info(m, MOCK_ALL, info);
    free(text);
    free(info);
}

static fixture with_long_texts(char *text)
{
    fixture     f = fixture_create();
    const char *servers[300];

    for (int i = 0; i < 300; i++)
        servers[i] = "nats://127.0.0.1:1";
    set_info(f.m);
    CHECK_OK(natsOptions_SetServers(f.opts, servers, 300));
    CHECK_OK(natsOptions_SetNoRandomize(f.opts, true));
    CHECK_OK(natsOptions_SetName(f.opts, text));
    CHECK_OK(natsOptions_SetCustomInboxPrefix(f.opts, text));
    set_login(&f, text);
    return f;
}

static void connect_once(void)
{
    char           *text = long_text(20000);
    fixture         f    = with_long_texts(text);
    natsConnection *nc   = NULL;
    natsStatus      s;

    scarce(true);
    s = natsConnection_Connect(&nc, f.opts);
    scarce(false);
    CHECK((nc != NULL) == (s == NATS_OK));
    if (s == NATS_OK)
    {
        natsConnection_Destroy(nc);
        WAIT_EVENT(f.ev, "closed", 1, 5000);
    }
    else
        CHECK_STATUS(s, NATS_NO_MEMORY);
    events_reset(f.ev);
    fixture_connect(&f);
    CHECK_OK(natsConnection_Flush(f.nc));
    fixture_destroy(&f);
    free(text);
}

TEST_T(connecting, 120000)
{
    for (login = TOKEN; login <= JWT_HANDLER; login++)
        CHECK_RANGE(each_fails_once(connect_once), 5, 200);
}

static void ask(fixture *f)
{
    char         *text = NULL, *buffer = calloc(1, 100000), **list = NULL;
    const char   *error = NULL;
    unsigned char signature[64];
    natsInbox    *inbox = NULL;
    int           count = 0;

    scarce(true);
    ok_or_no_memory(natsConnection_GetConnectedUrl(f->nc, buffer, 100000));
    ok_or_no_memory(natsConnection_GetConnectedServerId(f->nc, buffer, 100000));
    ok_or_no_memory(natsConnection_GetConnectedServerName(f->nc, buffer, 100000));
    ok_or_no_memory(natsConnection_GetClientIP(f->nc, &text));
    natsConnection_GetLastError(f->nc, &error);
    for (int discovered = 0; discovered <= 1; discovered++)
    {
        list = NULL;
        ok_or_no_memory((discovered ? natsConnection_GetDiscoveredServers
                                    : natsConnection_GetServers)(f->nc, &list, &count));
        CHECK(list == NULL || count >= 400);
        for (int i = 0; list != NULL && i < count; i++)
            free(list[i]);
        free(list);
    }
    ok_or_no_memory(natsInbox_Create(&inbox));
    ok_or_no_memory(natsConnection_Sign(f->nc, (const unsigned char *)"text", 4, signature));
    scarce(false);
    natsInbox_Destroy(inbox);
    free(text);
    free(buffer);
}

static fixture asked;

static void ask_once(void)
{
    ask(&asked);
}

TEST(getters)
{
    char *text = long_text(20000);

    login = CREDENTIALS;
    asked = with_long_texts(text);
    fixture_connect(&asked);
    CHECK_RANGE(each_fails_once(ask_once), 5, 2000);
    fixture_destroy(&asked);
    free(text);
}

// ---- subscribing ----

static bool fixed_pool;

static void nothing(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc, (void)sub, (void)closure;
    natsMsg_Destroy(msg);
}

#define SUBS 700

static void subscribe_many(void)
{
    fixture           f          = fixture_create();
    natsSubscription *subs[SUBS] = {0}, *last = NULL;
    char             *text = long_text(20000);
    int               good = 0;

    CHECK_OK(natsOptions_UseGlobalMessageDelivery(f.opts, fixed_pool));
    fixture_connect(&f);
    scarce(true);
    ok_or_no_memory(natsConnection_Subscribe(&subs[good], f.nc, text, nothing, NULL));
    good += subs[good] != NULL;
    ok_or_no_memory(natsConnection_QueueSubscribeSync(&subs[good], f.nc, text, text));
    good += subs[good] != NULL;
    ok_or_no_memory(natsConnection_SubscribeTimeout(&subs[good], f.nc, text, 60000, nothing, NULL));
    good += subs[good] != NULL;
    while (good < SUBS)
    {
        ok_or_no_memory(natsConnection_Subscribe(&subs[good], f.nc, "foo", nothing, NULL));
        good += subs[good] != NULL;
    }
    scarce(false);
    CHECK_OK(natsConnection_SubscribeSync(&last, f.nc, "foo"));
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_INT(mock_count_lines(f.m, 1, "SUB "), good + 1);
    // All are told of the end, one after the other.
    scarce(true);
    ok_or_no_memory(natsConnection_DrainTimeout(f.nc, 5000));
    natsConnection_Close(f.nc);
    scarce(false);
    for (int i = 0; i < good; i++)
        natsSubscription_Destroy(subs[i]);
    natsSubscription_Destroy(last);
    fixture_destroy(&f);
    free(text);
}

TEST_T(subscribing, 120000)
{
    for (int i = 0; i <= 1; i++)
    {
        fixed_pool = i;
        CHECK_RANGE(each_fails_once(subscribe_many), 8, 200);
    }
}
