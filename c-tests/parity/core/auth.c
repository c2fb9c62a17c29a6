// Credentials: what goes into CONNECT, which come first, and how attempts with good and bad ones end.

#include "fixture.h"
#include "jwt.h"
#include "scratch.h"
#include "server.h"
#include "trace.h"

#include <stdatomic.h>
#include <unistd.h>

#define NONCE "{\"server_id\":\"mock\",\"max_payload\":1024,\"proto\":1,\"headers\":true,\"nonce\":\"nonce\"}"

#define NO_NONCE "{\"server_id\":\"mock\",\"max_payload\":1024,\"proto\":1,\"headers\":true}"

// The status, and the text where programs look for it.
static void trace_result(const char *name, natsStatus s)
{
    static const char *keys[] = {"error opening file '",
                                 "no nkey user seed found",
                                 "Authorization Violation",
                                 "unable to sign",
                                 "no JWT today",
                                 "no signature today",
                                 "Not Found"};
    const char        *text   = s == NATS_OK ? NULL : nats_GetLastError(NULL);
    const char        *found  = NULL;

    for (size_t i = 0; text != NULL && i < sizeof keys / sizeof *keys; i++)
        if (strstr(text, keys[i]) != NULL)
            found = keys[i];
    trace("%s: %s%s%s", name, status_name(s), found != NULL ? " | " : "", found != NULL ? found : "");
}

// ---- what is sent ----

static mock        *peer;
static natsOptions *opts;

static void fresh(void)
{
    natsOptions_Destroy(opts);
    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetURL(opts, mock_url(peer)));
    CHECK_OK(natsOptions_SetTimeout(opts, 5000));
}

static void url(const char *userinfo)
{
    char text[256];

    snprintf(text, sizeof text, "nats://%s127.0.0.1:%d", userinfo, mock_port(peer));
    CHECK_OK(natsOptions_SetURL(opts, text));
}

// Connects to the mock and shows the credentials in CONNECT.
static void sent(const char *name)
{
    natsConnection *nc = NULL;
    natsStatus      s  = natsConnection_Connect(&nc, opts);
    char           *line, *end;

    trace_result(name, s);
    if (s == NATS_OK)
    {
        line = mock_connect_line(peer, MOCK_LATEST);
        CHECK(line != NULL);
        if ((end = strstr(line, "\"tls_required\"")) != NULL)
            *end = '\0';
        if ((end = strstr(line, "\"pedantic\":false,")) != NULL)
            trace("  %s", end + strlen("\"pedantic\":false,"));
        free(line);
    }
    natsConnection_Destroy(nc);
}

static const char *token_now;

static const char *give_token(void *closure)
{
    (void)closure;
    return token_now;
}

static natsStatus give_jwt(char **jwt, char **error, void *closure)
{
    if (closure != NULL)
    {
        *error = strdup("no JWT today");
        return NATS_NOT_FOUND;
    }
    *jwt = strdup("callback.jwt");
    return NATS_OK;
}

static natsStatus give_nothing(char **jwt, char **error, void *closure)
{
    (void)error;
    (void)closure;
    *jwt = strdup("");
    return NATS_OK;
}

static natsStatus sign(char **error, unsigned char **sig, int *len, const char *nonce, void *closure)
{
    if (closure != NULL)
    {
        *error = strdup("no signature today");
        return NATS_ILLEGAL_STATE;
    }
    *sig = (unsigned char *)strdup(nonce != NULL ? nonce : "no nonce");
    *len = (int)strlen((char *)*sig);
    return NATS_OK;
}

static void passwords(void)
{
    mock       *other   = mock_create();
    const char *pool[2] = {NULL, mock_url(peer)};
    char        with[128];

    trace_scenario("users, passwords, tokens");
    trace_port(mock_port(other), "other");
    fresh();
    sent("nothing");
    url("me:secret@");
    sent("URL with both");
    url("me@");
    sent("URL with a name");
    url("me:@");
    sent("URL with an empty password");
    url("m%40e:p%3aw@");
    sent("URL with escapes");
    CHECK_OK(natsOptions_SetUserInfo(opts, "opt", "optpw"));
    CHECK_OK(natsOptions_SetToken(opts, "opttok"));
    sent("URL before options");
    url("");
    sent("options with everything");
    fresh();
    CHECK_OK(natsOptions_SetUserInfo(opts, "opt", "optpw"));
    sent("user and password");
    CHECK_OK(natsOptions_SetUserInfo(opts, "opt", NULL));
    sent("user alone");
    CHECK_OK(natsOptions_SetUserInfo(opts, NULL, "optpw"));
    sent("password alone");
    CHECK_OK(natsOptions_SetUserInfo(opts, "", ""));
    sent("both empty");
    fresh();
    CHECK_OK(natsOptions_SetToken(opts, "opttok"));
    sent("token");
    trace_result("token handler besides", natsOptions_SetTokenHandler(opts, give_token, NULL));
    CHECK_OK(natsOptions_SetToken(opts, NULL));
    CHECK_OK(natsOptions_SetTokenHandler(opts, give_token, NULL));
    trace_result("token besides", natsOptions_SetToken(opts, "x"));
    token_now = "one";
    sent("token handler");
    token_now = "two";
    sent("token handler again");
    token_now = NULL;
    sent("token handler without one");
    token_now = "";
    sent("token handler with an empty one");
    token_now = "three";
    url("tok@");
    sent("token handler and a token in the URL");
    url("me:secret@");
    sent("token handler and a user in the URL");

    // The credentials of one explicit URL are for the others, too.
    fresh();
    CHECK_OK(natsOptions_SetURL(opts, NULL));
    CHECK_OK(natsOptions_SetNoRandomize(opts, true));
    snprintf(with, sizeof with, "nats://pool:pw@127.0.0.1:%d", mock_port(other));
    mock_stop_listening(other);
    pool[0] = with;
    CHECK_OK(natsOptions_SetServers(opts, pool, 2));
    sent("from another URL");
    CHECK_OK(natsOptions_SetUserInfo(opts, "opt", "optpw"));
    sent("options before another URL");
    CHECK_OK(natsOptions_SetUserInfo(opts, "", "optpw"));
    sent("an empty user does not count");
    fresh();
    CHECK_OK(natsOptions_SetURL(opts, NULL));
    CHECK_OK(natsOptions_SetNoRandomize(opts, true));
    snprintf(with, sizeof with, "nats://tok@127.0.0.1:%d", mock_port(other));
    CHECK_OK(natsOptions_SetServers(opts, pool, 2));
    sent("token from another URL");
    mock_destroy(other);
}

static void nkeys(void)
{
    const char *seed   = scratch_file("seed", JWT_USER_SEED "\n");
    const char *framed = scratch_file("framed", jwt_credentials(NULL, JWT_USER_SEED));
    const char *bad    = scratch_file("bad", "SUAAAA\n");
    const char *none   = scratch_file("none", "nothing here\n");

    trace_scenario("nkeys");
    fresh();
    trace_result("no handler", natsOptions_SetNKey(opts, JWT_USER_KEY, NULL, NULL));
    CHECK_OK(natsOptions_SetNKey(opts, JWT_USER_KEY, sign, NULL));
    sent("handler");
    url("me:secret@");
    sent("handler, user in the URL");
    url("tok@");
    sent("handler, token in the URL");
    url("");
    mock_info(peer, MOCK_ALL, NO_NONCE);
    sent("handler without nonce");
    mock_info(peer, MOCK_ALL, NONCE);
    CHECK_OK(natsOptions_SetUserInfo(opts, "opt", "optpw"));
    sent("handler and user");
    fresh();
    CHECK_OK(natsOptions_SetNKey(opts, JWT_USER_KEY, sign, "fail"));
    sent("handler refuses");
    CHECK_OK(natsOptions_SetNKey(opts, NULL, NULL, NULL));
    sent("taken back");

    trace_result("no file", natsOptions_SetNKeyFromSeed(opts, JWT_USER_KEY, NULL));
    CHECK_OK(natsOptions_SetNKeyFromSeed(opts, JWT_USER_KEY, seed));
    sent("seed file");
    mock_info(peer, MOCK_ALL, NO_NONCE);
    sent("seed file without nonce");
    mock_info(peer, MOCK_ALL, NONCE);
    CHECK_OK(natsOptions_SetNKeyFromSeed(opts, JWT_USER_KEY, framed));
    sent("framed seed file");
    CHECK_OK(natsOptions_SetNKeyFromSeed(opts, JWT_USER_KEY, "/no/seed"));
    sent("missing seed file");
    CHECK_OK(natsOptions_SetNKeyFromSeed(opts, JWT_USER_KEY, none));
    sent("file without seed");
    CHECK_OK(natsOptions_SetNKeyFromSeed(opts, JWT_USER_KEY, bad));
    sent("damaged seed");
    CHECK_OK(natsOptions_SetNKeyFromSeed(opts, NULL, NULL));
    sent("taken back");
}

static void jwts(void)
{
    char       *creds   = jwt_credentials("the.user.jwt", JWT_USER_SEED);
    const char *chained = scratch_file("chained", creds);
    const char *jwt     = scratch_file("jwt", "plain.jwt");
    const char *seed    = scratch_file("seed", JWT_USER_SEED);
    const char *framed  = scratch_file("framed", jwt_credentials("framed.jwt", NULL));

    trace_scenario("JWTs");
    fresh();
    CHECK_OK(natsOptions_SetUserCredentialsFromFiles(opts, chained, NULL));
    sent("chained file");
    url("me:secret@");
    sent("chained file, user in the URL");
    url("tok@");
    sent("chained file, token in the URL");
    url("");
    mock_info(peer, MOCK_ALL, NO_NONCE);
    sent("chained file without nonce");
    mock_info(peer, MOCK_ALL, NONCE);
    CHECK_OK(natsOptions_SetUserCredentialsFromFiles(opts, jwt, seed));
    sent("two files");
    CHECK_OK(natsOptions_SetUserCredentialsFromFiles(opts, framed, seed));
    sent("two files, one framed");
    CHECK_OK(natsOptions_SetUserCredentialsFromFiles(opts, jwt, NULL));
    sent("no seed");
    CHECK_OK(natsOptions_SetUserCredentialsFromFiles(opts, "/no/jwt", NULL));
    sent("missing file");
    CHECK_OK(natsOptions_SetUserCredentialsFromFiles(opts, jwt, "/no/seed"));
    sent("missing seed file");
    trace_result("seed only", natsOptions_SetUserCredentialsFromFiles(opts, NULL, seed));
    CHECK_OK(natsOptions_SetUserCredentialsFromFiles(opts, NULL, NULL));
    sent("taken back");

    CHECK_OK(natsOptions_SetUserCredentialsFromMemory(opts, creds));
    sent("from memory");
    CHECK_OK(natsOptions_SetUserCredentialsFromMemory(opts, jwt_credentials("only.jwt", NULL)));
    sent("from memory without seed");
    CHECK_OK(natsOptions_SetUserCredentialsFromMemory(opts, jwt_credentials(NULL, JWT_USER_SEED)));
    sent("from memory, seed only");
    CHECK_OK(natsOptions_SetUserCredentialsFromMemory(opts, "plain.jwt"));
    sent("from memory, not framed");
    CHECK_OK(natsOptions_SetUserCredentialsFromMemory(opts, ""));
    sent("from memory, empty");
    CHECK_OK(natsOptions_SetUserCredentialsFromMemory(opts, NULL));
    sent("taken back");

    trace_result("one callback", natsOptions_SetUserCredentialsCallbacks(opts, give_jwt, NULL, NULL, NULL));
    CHECK_OK(natsOptions_SetUserCredentialsCallbacks(opts, give_jwt, NULL, sign, NULL));
    sent("callbacks");
    CHECK_OK(natsOptions_SetUserInfo(opts, "opt", "optpw"));
    sent("callbacks and user");
    CHECK_OK(natsOptions_SetUserInfo(opts, NULL, NULL));
    CHECK_OK(natsOptions_SetUserCredentialsCallbacks(opts, give_jwt, "fail", sign, NULL));
    sent("no JWT");
    CHECK_OK(natsOptions_SetUserCredentialsCallbacks(opts, give_jwt, NULL, sign, "fail"));
    sent("no signature");
    CHECK_OK(natsOptions_SetUserCredentialsCallbacks(opts, give_nothing, NULL, sign, NULL));
    sent("empty JWT");
    CHECK_OK(natsOptions_SetNKey(opts, JWT_USER_KEY, sign, NULL));
    sent("nkey in its place");
    CHECK_OK(natsOptions_SetUserCredentialsFromMemory(opts, creds));
    sent("and back");
    free(creds);
}

static void signing_with(const char *name)
{
    natsConnection *nc = NULL;
    unsigned char   sig[64];
    unsigned        sum = 0;
    natsStatus      s;

    CHECK_OK(natsConnection_Connect(&nc, opts));
    s = natsConnection_Sign(nc, (const unsigned char *)"message", 7, sig);
    for (int i = 0; s == NATS_OK && i < 64; i++)
        sum = sum * 31 + sig[i];
    trace_result(name, s);
    trace("  %x", sum);
    if (s == NATS_OK)
    {
        trace_result("  without text", natsConnection_Sign(nc, NULL, 0, sig));
        trace_result("  negative length", natsConnection_Sign(nc, (const unsigned char *)"m", -1, sig));
        trace_result("  nowhere", natsConnection_Sign(nc, (const unsigned char *)"m", 1, NULL));
    }
    natsConnection_Close(nc);
    trace_result("  closed", natsConnection_Sign(nc, (const unsigned char *)"message", 7, sig));
    natsConnection_Destroy(nc);
}

static void signing(void)
{
    char          *creds   = jwt_credentials("the.user.jwt", JWT_USER_SEED);
    const char    *seed    = scratch_file("seed", JWT_USER_SEED);
    const char    *chained = scratch_file("chained", creds);
    unsigned char *out     = NULL;
    int            len     = 0;

    trace_scenario("signing");
    fresh();
    signing_with("nothing to sign with");
    CHECK_OK(natsOptions_SetUserCredentialsFromMemory(opts, creds));
    signing_with("memory");
    CHECK_OK(natsOptions_SetUserCredentialsFromFiles(opts, chained, NULL));
    signing_with("files");
    CHECK_OK(natsOptions_SetNKeyFromSeed(opts, JWT_USER_KEY, seed));
    signing_with("nkey");
    CHECK_OK(natsOptions_SetNKey(opts, JWT_USER_KEY, sign, NULL));
    signing_with("handler");
    trace_result("NULL", natsConnection_Sign(NULL, (const unsigned char *)"m", 1, (unsigned char *)creds));
    trace_result("nats_Sign NULL seed", nats_Sign(NULL, "x", &out, &len));
    trace_result("nats_Sign empty seed", nats_Sign("", "x", &out, &len));
    trace_result("nats_Sign NULL text", nats_Sign(JWT_USER_SEED, NULL, &out, &len));
    trace_result("nats_Sign empty text", nats_Sign(JWT_USER_SEED, "", &out, &len));
    trace_result("nats_Sign bad seed", nats_Sign("SUAAAA", "x", &out, &len));
    trace_result("nats_Sign public key", nats_Sign(JWT_USER_KEY, "x", &out, &len));
    trace_result("nats_Sign", nats_Sign(JWT_USER_SEED, "x", &out, &len));
    trace("  %d bytes, %02x%02x", len, out[0], out[63]);
    free(out);
    free(creds);
}

// ---- what a server makes of it ----

static server *s;

static void to_server(const char *userinfo)
{
    char text[256];

    natsOptions_Destroy(opts);
    CHECK_OK(natsOptions_Create(&opts));
    snprintf(text, sizeof text, "nats://%s127.0.0.1:%d", userinfo, server_port(s));
    CHECK_OK(natsOptions_SetURL(opts, text));
    CHECK_OK(natsOptions_SetTimeout(opts, 5000));
}

static void attempt(const char *name)
{
    natsConnection *nc     = NULL;
    natsStatus      status = natsConnection_Connect(&nc, opts);

    trace_result(name, status);
    if (status == NATS_OK)
        trace("  flush: %s", status_name(natsConnection_FlushTimeout(nc, 5000)));
    natsConnection_Destroy(nc);
}

static void accepted_and_refused(void)
{
    char *jwt, *creds, *text = malloc(256);

    trace_scenario("user and password at a server");
    s = server_start("authorization { timeout: 30, user: me, password: secret }\n", NULL);
    to_server("me:secret@");
    attempt("right");
    to_server("me:wrong@");
    attempt("wrong");
    to_server("");
    attempt("none");
    CHECK_OK(natsOptions_SetUserInfo(opts, "me", "secret"));
    attempt("options");
    server_stop(s);

    trace_scenario("token at a server");
    s = server_start("authorization { timeout: 30, token: tok }\n", NULL);
    to_server("tok@");
    attempt("right");
    to_server("");
    CHECK_OK(natsOptions_SetToken(opts, "wrong"));
    attempt("wrong");
    CHECK_OK(natsOptions_SetToken(opts, NULL));
    CHECK_OK(natsOptions_SetTokenHandler(opts, give_token, NULL));
    token_now = "tok";
    attempt("handler");
    server_stop(s);

    trace_scenario("nkey at a server");
    s = server_start("authorization { timeout: 30, users: [ { nkey: " JWT_USER_KEY " } ] }\n", NULL);
    to_server("");
    sprintf(text, "%s", JWT_USER_SEED);
    CHECK_OK(natsOptions_SetNKeyFromSeed(opts, JWT_USER_KEY, scratch_file("seed", text)));
    attempt("right");
    CHECK_OK(natsOptions_SetNKeyFromSeed(opts, JWT_USER_KEY, scratch_file("other", JWT_OTHER_SEED)));
    attempt("other seed");
    CHECK_OK(natsOptions_SetNKeyFromSeed(opts, JWT_OTHER_KEY, scratch_file("other", JWT_OTHER_SEED)));
    attempt("unknown key");
    CHECK_OK(natsOptions_SetNKey(opts, JWT_USER_KEY, sign, NULL));
    attempt("nonsense for a signature");
    server_stop(s);

    trace_scenario("JWT at a server");
    s = server_start(jwt_server_config(), NULL);
    to_server("");
    attempt("none");
    jwt   = jwt_user(0);
    creds = jwt_credentials(jwt, JWT_USER_SEED);
    CHECK_OK(natsOptions_SetUserCredentialsFromMemory(opts, creds));
    attempt("right");
    CHECK_OK(natsOptions_SetUserCredentialsFromFiles(opts, scratch_file("chained", creds), NULL));
    attempt("right, from a file");
    CHECK_OK(natsOptions_SetUserCredentialsFromMemory(opts, jwt_credentials(jwt, JWT_OTHER_SEED)));
    attempt("other seed");
    CHECK_OK(natsOptions_SetUserCredentialsFromMemory(opts, jwt_credentials(jwt_user(-60), JWT_USER_SEED)));
    attempt("expired");
    jwt[strlen(jwt) - 10] ^= 1;
    CHECK_OK(natsOptions_SetUserCredentialsFromMemory(opts, jwt_credentials(jwt, JWT_USER_SEED)));
    attempt("damaged");
    server_stop(s);
}

static atomic_int jwts_given;

static natsStatus short_lived_jwt(char **jwt, char **error, void *closure)
{
    (void)error;
    *jwt = jwt_user(atomic_fetch_add(&jwts_given, 1) == 0 || closure != NULL ? 2 : 0);
    return NATS_OK;
}

static void handlers(events *ev)
{
    events_handlers(ev, opts);
    CHECK_OK(natsOptions_SetReconnectWait(opts, 50));
    CHECK_OK(natsOptions_SetReconnectJitter(opts, 0, 0));
    CHECK_OK(natsOptions_SetMaxReconnect(opts, -1));
}

// The server ends the connection when the JWT ends; the next one is good for long.
static void expiry(void)
{
    events         *ev = events_create();
    natsConnection *nc = NULL;

    trace_scenario("JWT ends while connected");
    s = server_start(jwt_server_config(), NULL);
    to_server("");
    handlers(ev);
    CHECK_OK(natsOptions_SetUserCredentialsCallbacks(opts, short_lived_jwt, NULL, jwt_sign, NULL));
    CHECK_OK(natsConnection_Connect(&nc, opts));
    WAIT_EVENT(ev, "reconnected", 1, 10000);
    trace_status("flush", natsConnection_FlushTimeout(nc, 5000));
    trace_events(ev, 0);
    trace_connection("connection", nc);
    natsConnection_Destroy(nc);
    WAIT_EVENT(ev, "closed", 1, 5000);

    trace_scenario("and nothing better comes");
    events_reset(ev);
    CHECK_OK(natsOptions_SetReconnectWait(opts, 1500)); // in the second of its end a JWT is still taken
    CHECK_OK(natsOptions_SetUserCredentialsFromMemory(opts, jwt_credentials(jwt_user(2), JWT_USER_SEED)));
    CHECK_OK(natsConnection_Connect(&nc, opts));
    WAIT_EVENT(ev, "closed", 1, 10000);
    trace_events(ev, 0);
    trace_connection("connection", nc);
    natsConnection_Destroy(nc);
    server_stop(s);
}

static void password_changes(bool ignore)
{
    events         *ev   = events_create();
    natsConnection *nc   = NULL;
    int             port = free_port();

    trace_scenario(ignore ? "password changed, errors ignored" : "password changed");
    s = server_start_on(port, "authorization { timeout: 30, user: me, password: secret }\n", NULL);
    to_server("me:secret@");
    handlers(ev);
    CHECK_OK(natsOptions_SetIgnoreAuthErrorAbort(opts, ignore));
    CHECK_OK(natsConnection_Connect(&nc, opts));
    server_stop(s);
    s = server_start_on(port, "authorization { timeout: 30, user: me, password: other }\n", NULL);
    if (ignore)
    {
        WAIT_EVENT(ev, "error", 4, 10000);
        server_stop(s);
        s = server_start_on(port, "authorization { timeout: 30, user: me, password: secret }\n", NULL);
        WAIT_EVENT(ev, "reconnected", 1, 10000);
        trace_status("flush", natsConnection_FlushTimeout(nc, 5000));
    }
    else
    {
        WAIT_EVENT(ev, "closed", 1, 10000);
        trace_events(ev, 0);
        trace_connection("connection", nc);
    }
    natsConnection_Destroy(nc);
    server_stop(s);
}

int main(void)
{
    CHECK_OK(nats_Open(-1));
    trace_timing(500, 120);
    peer = mock_create();
    trace_port(mock_port(peer), "mock");
    mock_info(peer, MOCK_ALL, NONCE);
    passwords();
    nkeys();
    jwts();
    signing();
    if (server_available())
    {
        accepted_and_refused();
        expiry();
        password_changes(false);
        password_changes(true);
    }
    natsOptions_Destroy(opts);
    mock_destroy(peer);
    return 0;
}
