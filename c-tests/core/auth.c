// Credentials. What is sent in which case is compared in parity/core/auth.c; here is what must hold in any
// case.

#include "fixture.h"
#include "jwt.h"
#include "scratch.h"
#include "server.h"

#include <stdatomic.h>
#include <unistd.h>

#define NONCE "{\"server_id\":\"mock\",\"max_payload\":1024,\"proto\":1,\"headers\":true,\"nonce\":\"nonce\"}"

static fixture with_nonce(void)
{
    fixture f = fixture_create();

    mock_info(f.m, MOCK_ALL, NONCE);
    return f;
}

static void check_sent(fixture *f, const char *wanted)
{
    char *line;

    fixture_connect(f);
    line = mock_connect_line(f->m, MOCK_LATEST);
    CHECK(line != NULL);
    CHECK_MSG(strstr(line, wanted) != NULL, "sent %s instead of %s", line, wanted);
    free(line);
    fixture_destroy(f);
}

static void check_refused(fixture *f, natsStatus status, const char *text)
{
    CHECK_STATUS(natsConnection_Connect(&f->nc, f->opts), status);
    CHECK(f->nc == NULL);
    if (text != NULL)
        CHECK_MSG(strstr(nats_GetLastError(NULL), text) != NULL, "says %s", nats_GetLastError(NULL));
    natsOptions_Destroy(f->opts);
    mock_destroy(f->m);
    CHECK_OK(nats_CloseAndWait(5000)); // nothing of the attempt is left
    events_destroy(f->ev);
}

// ---- nkeys and JWTs ----

#define SIGNED                                                                                               \
    "\"sig\":\"r7iQkcQuTj-hCRyUhSI1d5PNCxD96TGi7YSJq6ZjhNQRCVaCw7kVqtyCMB4lc4Kmoa4sriKz2etKYbVjH5k7Bg\""

TEST(nkey_from_a_seed_file)
{
    fixture f = with_nonce();

    CHECK_OK(natsOptions_SetNKeyFromSeed(f.opts, JWT_USER_KEY, scratch_file("file", JWT_USER_SEED "\n")));
    check_sent(&f, "\"nkey\":\"" JWT_USER_KEY "\"," SIGNED);
}

TEST(credentials_from_a_file)
{
    fixture f     = with_nonce();
    char   *creds = jwt_credentials("a.b.c", JWT_USER_SEED);

    CHECK_OK(natsOptions_SetUserCredentialsFromFiles(f.opts, scratch_file("file", creds), NULL));
    free(creds);
    check_sent(&f, "\"jwt\":\"a.b.c\"," SIGNED);
}

TEST(credentials_from_memory)
{
    fixture f     = with_nonce();
    char   *creds = jwt_credentials("a.b.c", JWT_USER_SEED);

    CHECK_OK(natsOptions_SetUserCredentialsFromMemory(f.opts, creds));
    memset(creds, 'x', strlen(creds)); // copied
    free(creds);
    check_sent(&f, "\"jwt\":\"a.b.c\"," SIGNED);
}

TEST(a_file_that_is_not_there)
{
    fixture f = with_nonce();

    CHECK_OK(natsOptions_SetUserCredentialsFromFiles(f.opts, "/no/such", NULL));
    check_refused(&f, NATS_ERR, "error opening file '/no/such");
}

TEST(a_file_without_a_seed)
{
    fixture f = with_nonce();

    CHECK_OK(natsOptions_SetUserCredentialsFromFiles(f.opts, scratch_file("file", "a.b.c"), NULL));
    check_refused(&f, NATS_ERR, "no nkey user seed found");
}

TEST(memory_without_credentials)
{
    fixture f = with_nonce();

    CHECK_OK(natsOptions_SetUserCredentialsFromMemory(f.opts, ""));
    check_refused(&f, NATS_NOT_FOUND, NULL);
}

static natsStatus no_jwt(char **jwt, char **error, void *closure)
{
    (void)jwt;
    (void)closure;
    *error = strdup("not today");
    return NATS_NOT_PERMITTED;
}

static natsStatus some_jwt(char **jwt, char **error, void *closure)
{
    (void)error;
    (void)closure;
    *jwt = strdup("a.b.c");
    return NATS_OK;
}

TEST(credentials_from_callbacks)
{
    fixture f = with_nonce();

    CHECK_OK(natsOptions_SetUserCredentialsCallbacks(f.opts, some_jwt, NULL, jwt_sign, NULL));
    check_sent(&f, "\"jwt\":\"a.b.c\"," SIGNED);
}

TEST(a_callback_may_refuse)
{
    fixture f = with_nonce();

    CHECK_OK(natsOptions_SetUserCredentialsCallbacks(f.opts, no_jwt, NULL, jwt_sign, NULL));
    check_refused(&f, NATS_NOT_PERMITTED, "not today");
}

// ---- callbacks and the connection ----

static atomic_int asked;
static fixture    shared;

static const char *token_for_connection(void *closure)
{
    (void)closure;
    if (atomic_fetch_add(&asked, 1) > 0)
    {
        char url[128];

        CHECK_INT(natsConnection_Status(shared.nc), NATS_CONN_STATUS_CONNECTING);
        CHECK_OK(natsConnection_GetConnectedUrl(shared.nc, url, sizeof url));
        CHECK_STR(url, mock_url(shared.m));
    }
    return "tok";
}

TEST(a_token_handler_may_use_the_connection)
{
    shared = fixture_create();
    CHECK_OK(natsOptions_SetTokenHandler(shared.opts, token_for_connection, NULL));
    fixture_connect(&shared);
    mock_close(shared.m, 1);
    WAIT_EVENT(shared.ev, "reconnected", 1, 5000);
    CHECK_INT(atomic_load(&asked), 2);
    fixture_destroy(&shared);
}

static natsStatus jwt_and_the_end(char **jwt, char **error, void *closure)
{
    (void)error;
    (void)closure;
    if (atomic_fetch_add(&asked, 1) > 0)
    {
        natsConnection_Destroy(shared.nc);
        shared.nc = NULL;
    }
    *jwt = strdup("a.b.c");
    return NATS_OK;
}

TEST(a_jwt_handler_may_destroy_the_connection)
{
    shared = with_nonce();
    CHECK_OK(natsOptions_SetUserCredentialsCallbacks(shared.opts, jwt_and_the_end, NULL, jwt_sign, NULL));
    fixture_connect(&shared);
    mock_close(shared.m, 1);
    WAIT_EVENT(shared.ev, "closed", 1, 5000);
    CHECK_INT(events_count(shared.ev, "reconnected"), 0);
    natsOptions_Destroy(shared.opts);
    CHECK_OK(nats_CloseAndWait(5000));
    events_destroy(shared.ev);
    mock_destroy(shared.m);
}

// ---- servers ----

typedef struct
{
    server         *s;
    events         *ev;
    natsOptions    *opts;
    natsConnection *nc;
} client;

static client client_of(const char *config, const char *userinfo, int port)
{
    client c = {0};
    char   url[256];

    if (!server_available())
        SKIP("no nats-server");
    c.s  = server_start_on(port, config, NULL);
    c.ev = events_create();
    snprintf(url, sizeof url, "nats://%s127.0.0.1:%d", userinfo, server_port(c.s));
    CHECK_OK(natsOptions_Create(&c.opts));
    CHECK_OK(natsOptions_SetURL(c.opts, url));
    CHECK_OK(natsOptions_SetTimeout(c.opts, 5000));
    CHECK_OK(natsOptions_SetReconnectWait(c.opts, 20));
    CHECK_OK(natsOptions_SetReconnectJitter(c.opts, 0, 0));
    CHECK_OK(natsOptions_SetMaxReconnect(c.opts, -1));
    events_handlers(c.ev, c.opts);
    return c;
}

static void client_end(client *c)
{
    natsConnection_Destroy(c->nc);
    natsOptions_Destroy(c->opts);
    server_stop(c->s);
    CHECK_OK(nats_CloseAndWait(10000));
    events_destroy(c->ev);
}

static void try_once(client *c, natsStatus wanted)
{
    natsStatus s = natsConnection_Connect(&c->nc, c->opts);

    CHECK_STATUS(s, wanted);
    if (s == NATS_OK)
        CHECK_OK(natsConnection_FlushTimeout(c->nc, 5000));
    natsConnection_Destroy(c->nc);
    c->nc = NULL;
}

TEST(user_and_password_at_a_server)
{
    client c = client_of("authorization { timeout: 30, user: me, password: secret }\n", "", 0);

    try_once(&c, NATS_CONNECTION_AUTH_FAILED);
    CHECK(strstr(nats_GetLastError(NULL), "Authorization Violation") != NULL);
    CHECK_OK(natsOptions_SetUserInfo(c.opts, "me", "secret"));
    try_once(&c, NATS_OK);
    CHECK_OK(natsOptions_SetUserInfo(c.opts, "me", "wrong"));
    try_once(&c, NATS_CONNECTION_AUTH_FAILED);
    client_end(&c);
}

TEST(nkey_at_a_server)
{
    client c = client_of("authorization { timeout: 30, users: [ { nkey: " JWT_USER_KEY " } ] }\n", "", 0);

    CHECK_OK(natsOptions_SetNKeyFromSeed(c.opts, JWT_USER_KEY, scratch_file("file", JWT_USER_SEED)));
    try_once(&c, NATS_OK);
    CHECK_OK(natsOptions_SetNKey(c.opts, JWT_USER_KEY, jwt_sign, NULL));
    try_once(&c, NATS_OK);
    CHECK_OK(natsOptions_SetNKey(c.opts, JWT_OTHER_KEY, jwt_sign, NULL));
    try_once(&c, NATS_CONNECTION_AUTH_FAILED);
    client_end(&c);
}

static natsStatus fresh_jwt(char **jwt, char **error, void *closure)
{
    (void)error;
    (void)closure;
    *jwt = jwt_user(atomic_fetch_add(&asked, 1) == 0 ? 2 : 0);
    return NATS_OK;
}

TEST(a_jwt_that_ends_is_replaced)
{
    client c = client_of(jwt_server_config(), "", 0);

    try_once(&c, NATS_CONNECTION_AUTH_FAILED);
    CHECK_OK(natsOptions_SetUserCredentialsCallbacks(c.opts, fresh_jwt, NULL, jwt_sign, NULL));
    CHECK_OK(natsConnection_Connect(&c.nc, c.opts));
    WAIT_EVENT(c.ev, "reconnected", 1, 10000);
    CHECK_INT(events_count(c.ev, "error"), 1);
    CHECK_OK(natsConnection_FlushTimeout(c.nc, 5000));
    CHECK_INT(natsConnection_ReadLastError(c.nc, NULL, 0), NATS_OK);
    client_end(&c);
}

TEST(two_refusals_end_the_connection)
{
    int    port = free_port();
    client c = client_of("authorization { timeout: 30, user: me, password: secret }\n", "me:secret@", port);

    CHECK_OK(natsConnection_Connect(&c.nc, c.opts));
    server_stop(c.s);
    c.s = server_start_on(port, "authorization { timeout: 30, user: me, password: other }\n", NULL);
    WAIT_EVENT(c.ev, "closed", 1, 10000);
    CHECK_INT(events_count(c.ev, "error"), 2);
    CHECK_INT(events_count(c.ev, "disconnected"), 1);
    CHECK_STATUS(natsConnection_ReadLastError(c.nc, NULL, 0), NATS_CONNECTION_AUTH_FAILED);
    client_end(&c);
}

TEST(refusals_may_be_ignored)
{
    int    port = free_port();
    client c = client_of("authorization { timeout: 30, user: me, password: secret }\n", "me:secret@", port);

    CHECK_OK(natsOptions_SetIgnoreAuthErrorAbort(c.opts, true));
    CHECK_OK(natsConnection_Connect(&c.nc, c.opts));
    server_stop(c.s);
    c.s = server_start_on(port, "authorization { timeout: 30, user: me, password: other }\n", NULL);
    WAIT_EVENT(c.ev, "error", 4, 10000);
    server_stop(c.s);
    c.s = server_start_on(port, "authorization { timeout: 30, user: me, password: secret }\n", NULL);
    WAIT_EVENT(c.ev, "reconnected", 1, 10000);
    CHECK_INT(events_count(c.ev, "closed"), 0);
    client_end(&c);
}
