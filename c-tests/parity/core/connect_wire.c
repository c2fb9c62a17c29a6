// What a connection sends first, to the byte: the CONNECT line for all options and credentials, the frames of
// the calls that follow, the first request.

#include "fixture.h"
#include "trace.h"
#include "wire.h"

// Connects with what `set` makes of the options and shows the lines of the handshake.
static void connect_with(const char *name, const char *info, void (*set)(natsOptions *, mock *))
{
    fixture    f = fixture_create();
    natsStatus s;

    trace_port(mock_port(f.m), "mock");
    trace("-- %s", name);
    if (info != NULL)
        mock_info(f.m, MOCK_ALL, info);
    if (set != NULL)
        set(f.opts, f.m);
    s = natsConnection_Connect(&f.nc, f.opts);
    trace_status("connect", s);
    if (s == NATS_OK)
        wire_trace_lines(f.m, 1, 0);
    fixture_destroy(&f); // waits for the closed callback
}

static void flags(natsOptions *opts, mock *m)
{
    (void)m;
    CHECK_OK(natsOptions_SetVerbose(opts, true));
    CHECK_OK(natsOptions_SetPedantic(opts, true));
    CHECK_OK(natsOptions_SetNoEcho(opts, true));
    CHECK_OK(natsOptions_SetName(opts, "some name"));
}

static void no_responders_off(natsOptions *opts, mock *m)
{
    (void)m;
    CHECK_OK(natsOptions_DisableNoResponders(opts, true));
}

static void no_echo(natsOptions *opts, mock *m)
{
    (void)m;
    CHECK_OK(natsOptions_SetNoEcho(opts, true));
}

static void user_info(natsOptions *opts, mock *m)
{
    (void)m;
    CHECK_OK(natsOptions_SetUserInfo(opts, "ivan", "secret"));
}

static void user_only(natsOptions *opts, mock *m)
{
    (void)m;
    CHECK_OK(natsOptions_SetUserInfo(opts, "ivan", NULL));
}

static void password_only(natsOptions *opts, mock *m)
{
    (void)m;
    CHECK_OK(natsOptions_SetUserInfo(opts, NULL, "secret"));
}

static void empty_user(natsOptions *opts, mock *m)
{
    (void)m;
    CHECK_OK(natsOptions_SetUserInfo(opts, "", ""));
}

static void with_token(natsOptions *opts, mock *m)
{
    (void)m;
    CHECK_OK(natsOptions_SetToken(opts, "tok"));
}

static void empty_token(natsOptions *opts, mock *m)
{
    (void)m;
    CHECK_OK(natsOptions_SetToken(opts, ""));
}

static void all_three(natsOptions *opts, mock *m)
{
    (void)m;
    CHECK_OK(natsOptions_SetUserInfo(opts, "ivan", "secret"));
    CHECK_OK(natsOptions_SetToken(opts, "tok"));
}

static const char *give_token(void *closure)
{
    return closure;
}

static void token_handler(natsOptions *opts, mock *m)
{
    (void)m;
    CHECK_OK(natsOptions_SetTokenHandler(opts, give_token, "from handler"));
}

static void token_handler_null(natsOptions *opts, mock *m)
{
    (void)m;
    CHECK_OK(natsOptions_SetTokenHandler(opts, give_token, NULL));
}

static void url_with(natsOptions *opts, mock *m, const char *userinfo)
{
    char url[128];

    snprintf(url, sizeof url, "nats://%s@127.0.0.1:%d", userinfo, mock_port(m));
    CHECK_OK(natsOptions_SetURL(opts, url));
}

static void url_user(natsOptions *opts, mock *m)
{
    url_with(opts, m, "u");
}
static void url_user_pass(natsOptions *opts, mock *m)
{
    url_with(opts, m, "u:p");
}
static void url_user_empty_pass(natsOptions *opts, mock *m)
{
    url_with(opts, m, "u:");
}
static void url_empty_user(natsOptions *opts, mock *m)
{
    url_with(opts, m, ":p");
}
static void url_nothing(natsOptions *opts, mock *m)
{
    url_with(opts, m, "");
}
static void url_escapes(natsOptions *opts, mock *m)
{
    url_with(opts, m, "a%40b:c%3Ad%2f");
}
static void url_colons(natsOptions *opts, mock *m)
{
    url_with(opts, m, "a:b:c");
}
static void url_ats(natsOptions *opts, mock *m)
{
    url_with(opts, m, "a@b:c@d");
}
static void url_bad_escape(natsOptions *opts, mock *m)
{
    url_with(opts, m, "a%4:b");
}

static void url_over_options(natsOptions *opts, mock *m)
{
    url_with(opts, m, "u:p");
    all_three(opts, m);
}

static void url_and_token_handler(natsOptions *opts, mock *m)
{
    url_with(opts, m, "u");
    token_handler(opts, m);
}

static void url_pass_and_token_handler(natsOptions *opts, mock *m)
{
    url_with(opts, m, "u:p");
    token_handler(opts, m);
}

// Credentials of one URL serve the others.
static void borrowed(natsOptions *opts, mock *m)
{
    char        plain[64];
    const char *servers[] = {plain, "nats://u:p@127.0.0.1:1"};

    snprintf(plain, sizeof plain, "nats://127.0.0.1:%d", mock_port(m));
    CHECK_OK(natsOptions_SetNoRandomize(opts, true));
    CHECK_OK(natsOptions_SetURL(opts, NULL));
    CHECK_OK(natsOptions_SetServers(opts, servers, 2));
}

static void borrowed_or_own(natsOptions *opts, mock *m)
{
    borrowed(opts, m);
    user_info(opts, m);
}

static natsStatus give_jwt(char **jwt, char **text, void *closure)
{
    (void)text;
    (void)closure;
    *jwt = strdup("a.jwt\\x");
    return NATS_OK;
}

static natsStatus refuse_jwt(char **jwt, char **text, void *closure)
{
    (void)jwt;
    (void)closure;
    *text = strdup("no jwt today");
    return NATS_NOT_FOUND;
}

static natsStatus sign(char **text, unsigned char **sig, int *len, const char *nonce, void *closure)
{
    (void)text;
    trace("signature of %s, closure %s", nonce == NULL ? "NULL" : nonce, (char *)closure);
    *sig = malloc(4);
    memcpy(*sig, "\xff\xfe\xfd\xfc", 4);
    *len = 4;
    return NATS_OK;
}

static natsStatus refuse_sign(char **text, unsigned char **sig, int *len, const char *nonce, void *closure)
{
    (void)sig;
    (void)len;
    (void)nonce;
    (void)closure;
    *text = strdup("no signature today");
    return NATS_MISMATCH;
}

static void jwt(natsOptions *opts, mock *m)
{
    (void)m;
    CHECK_OK(natsOptions_SetUserCredentialsCallbacks(opts, give_jwt, NULL, sign, "jwt"));
}

static void jwt_refused(natsOptions *opts, mock *m)
{
    (void)m;
    CHECK_OK(natsOptions_SetUserCredentialsCallbacks(opts, refuse_jwt, NULL, sign, "jwt"));
}

static void signature_refused(natsOptions *opts, mock *m)
{
    (void)m;
    CHECK_OK(natsOptions_SetUserCredentialsCallbacks(opts, give_jwt, NULL, refuse_sign, NULL));
}

static void nkey(natsOptions *opts, mock *m)
{
    (void)m;
    CHECK_OK(natsOptions_SetNKey(opts, "UAKEY", sign, "nkey"));
}

static void nkey_and_url(natsOptions *opts, mock *m)
{
    nkey(opts, m);
    url_with(opts, m, "u:p");
}

static void jwt_and_url(natsOptions *opts, mock *m)
{
    jwt(opts, m);
    url_with(opts, m, "u:p");
}

#define CREDS                                                                                                \
    "-----BEGIN NATS USER JWT-----\nthe.user.jwt\n------END NATS USER JWT------\n\n"                         \
    "-----BEGIN USER NKEY SEED-----\nSUAMK2FG4MI6UE3ACF3FK3OIQBCEIEZV7NSWFFEW63UXMRLFM2XLAXK4GY\n"           \
    "------END USER NKEY SEED------\n"

static void memory_creds(natsOptions *opts, mock *m)
{
    (void)m;
    CHECK_OK(natsOptions_SetUserCredentialsFromMemory(opts, CREDS));
}

static void no_creds(natsOptions *opts, mock *m)
{
    (void)m;
    CHECK_OK(natsOptions_SetUserCredentialsFromMemory(opts, ""));
}

static void no_file(natsOptions *opts, mock *m)
{
    (void)m;
    CHECK_OK(natsOptions_SetUserCredentialsFromFiles(opts, "no/such/file", NULL));
}

static void no_seed_file(natsOptions *opts, mock *m)
{
    (void)m;
    CHECK_OK(natsOptions_SetNKeyFromSeed(opts, "UAKEY", "no/such/file"));
}

#define INFO_WITH(x) "{\"server_id\":\"x\",\"version\":\"2\",\"proto\":1,\"max_payload\":1000" x "}"

static void connect_lines(void)
{
    trace_scenario("CONNECT");
    connect_with("plain", NULL, NULL);
    connect_with("nothing in INFO", "{}", NULL);
    connect_with("headers", INFO_WITH(",\"headers\":true"), NULL);
    connect_with("headers, no responders off", INFO_WITH(",\"headers\":true"), no_responders_off);
    connect_with("all flags", INFO_WITH(",\"headers\":true"), flags);
    connect_with("no echo, old server", "{\"proto\":0}", no_echo);
    connect_with("user info", NULL, user_info);
    connect_with("user only", NULL, user_only);
    connect_with("password only", NULL, password_only);
    connect_with("empty user", NULL, empty_user);
    connect_with("token", NULL, with_token);
    connect_with("empty token", NULL, empty_token);
    connect_with("user, password, token", NULL, all_three);
    connect_with("token handler", NULL, token_handler);
    connect_with("token handler without a token", NULL, token_handler_null);
    connect_with("URL: user", NULL, url_user);
    connect_with("URL: user and password", NULL, url_user_pass);
    connect_with("URL: user, empty password", NULL, url_user_empty_pass);
    connect_with("URL: empty user", NULL, url_empty_user);
    connect_with("URL: nothing", NULL, url_nothing);
    connect_with("URL: escapes", NULL, url_escapes);
    connect_with("URL: colons", NULL, url_colons);
    connect_with("URL: ats", NULL, url_ats);
    connect_with("URL: bad escape", NULL, url_bad_escape);
    connect_with("URL over options", NULL, url_over_options);
    connect_with("URL token and token handler", NULL, url_and_token_handler);
    connect_with("URL password and token handler", NULL, url_pass_and_token_handler);
    connect_with("of another URL", NULL, borrowed);
    connect_with("of another URL or options", NULL, borrowed_or_own);
    connect_with("JWT", INFO_WITH(",\"nonce\":\"abc\""), jwt);
    connect_with("JWT without nonce", NULL, jwt);
    connect_with("JWT refused", NULL, jwt_refused);
    connect_with("signature refused", NULL, signature_refused);
    connect_with("JWT and URL", INFO_WITH(",\"nonce\":\"abc\""), jwt_and_url);
    connect_with("NKey", INFO_WITH(",\"nonce\":\"abc\""), nkey);
    connect_with("NKey and URL", INFO_WITH(",\"nonce\":\"abc\""), nkey_and_url);
    connect_with("credentials from memory", INFO_WITH(",\"nonce\":\"nonce\""), memory_creds);
    connect_with("credentials from memory, none", INFO_WITH(",\"nonce\":\"nonce\""), no_creds);
    connect_with("credentials from a file, missing", INFO_WITH(",\"nonce\":\"nonce\""), no_file);
    connect_with("seed from a file, missing", INFO_WITH(",\"nonce\":\"nonce\""), no_seed_file);
}

static void message(natsConnection *nc, const char *subject, const char *reply, const char *key,
                    const char *value)
{
    natsMsg *msg = NULL;

    CHECK_OK(natsMsg_Create(&msg, subject, reply, "data", 4));
    if (key != NULL)
        CHECK_OK(natsMsgHeader_Set(msg, key, value));
    trace_status("publish", natsConnection_PublishMsg(nc, msg));
    natsMsg_Destroy(msg);
}

static void frames_of_calls(void)
{
    fixture           f = fixture_create();
    natsSubscription *a = NULL, *b = NULL, *c = NULL;
    natsMsg          *msg = NULL;

    trace_scenario("frames");
    trace_port(mock_port(f.m), "mock");
    mock_info(f.m, MOCK_ALL, INFO_WITH(",\"headers\":true"));
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&a, f.nc, "foo"));
    CHECK_OK(natsConnection_QueueSubscribeSync(&b, f.nc, "foo.*", "workers"));
    CHECK_OK(natsConnection_Subscribe(&c, f.nc, "foo.>", on_msg, f.ev));
    CHECK_OK(natsConnection_Publish(f.nc, "foo", "a\r\nb", 4));
    CHECK_OK(natsConnection_PublishString(f.nc, "foo", ""));
    CHECK_OK(natsConnection_Publish(f.nc, "foo", NULL, 0));
    CHECK_OK(natsConnection_PublishRequestString(f.nc, "foo", "reply", "x"));
    message(f.nc, "foo", NULL, NULL, NULL);
    message(f.nc, "foo", "reply", "Key", "some value");
    message(f.nc, "foo", NULL, "Key", "");
    CHECK_OK(natsSubscription_AutoUnsubscribe(a, 5));
    CHECK_OK(natsSubscription_Unsubscribe(b));
    CHECK_OK(natsSubscription_Drain(c));
    CHECK_OK(natsSubscription_WaitForDrainCompletion(c, 5000));
    CHECK_OK(natsConnection_Flush(f.nc));
    wire_trace_lines(f.m, 1, 1);
    trace_status("too big", natsConnection_Publish(f.nc, "foo", malloc(1001), 1001));
    trace_status("no reply", natsConnection_RequestString(&msg, f.nc, "svc", "q", 50));
    natsSubscription_Destroy(a);
    natsSubscription_Destroy(b);
    natsSubscription_Destroy(c);
    fixture_destroy(&f);
}

// The subject of the first request's subscription and its reply, with what is random replaced.
static void first_request(const char *prefix, bool old_style)
{
    fixture  f   = fixture_create();
    natsMsg *msg = NULL;
    char    *line;

    trace_scenario("first request");
    trace("prefix %s, old style %d", prefix == NULL ? "default" : prefix, old_style);
    trace_port(mock_port(f.m), "mock");
    CHECK_OK(natsOptions_SetCustomInboxPrefix(f.opts, prefix));
    CHECK_OK(natsOptions_UseOldRequestStyle(f.opts, old_style));
    fixture_connect(&f);
    for (int i = 0; i < 2; i++)
        trace_status("request", natsConnection_RequestString(&msg, f.nc, "svc", "q", 50));
    CHECK_OK(natsConnection_Flush(f.nc));
    for (int i = 1; (line = mock_line(f.m, 1, i)) != NULL; i++)
    {
        // Each run of 12 and more letters and digits becomes its length.
        char out[256] = "";

        for (char *p = line; *p != '\0';)
        {
            size_t run = strspn(p, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

            if (run >= 12)
                snprintf(out + strlen(out), sizeof out - strlen(out), "<%zu>", run);
            else
                snprintf(out + strlen(out), sizeof out - strlen(out), "%.*s", (int)(run ? run : 1), p);
            p += run ? run : 1;
        }
        trace("  %s", out);
        free(line);
    }
    fixture_destroy(&f);
}

int main(void)
{
    connect_lines();
    frames_of_calls();
    first_request(NULL, false);
    first_request("my.box", false);
    first_request(NULL, true);
    first_request("my.box", true);
    return 0;
}
