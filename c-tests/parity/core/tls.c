// TLS from the program's side: every option with good and bad values, and how a connect ends with each kind
// of server.

#include "certs.h"
#include "relay.h"
#include "scratch.h"
#include "server.h"
#include "trace.h"

#include <openssl/x509.h>
#include <stdatomic.h>
#include <unistd.h>

// What both libraries say of an error: without the place in the source, file names of this run, and what the
// system or OpenSSL add.
static void trace_result(const char *name, natsStatus s)
{
    static const char *ends[] = {" (ssl err=",     ": (null)",      ": No such file", ": no certificate",
                                 ": no such file", ": ASN1 lib",    ": BIO lib",      ": wrong tag",
                                 ": nested asn1",  ": bad end line"};
    const char        *text   = s == NATS_OK || s == NATS_TIMEOUT ? "" : nats_GetLastError(NULL);
    const char        *rest   = text == NULL ? NULL : strstr(text, "): ");
    char               shown[512];
    char              *at;

    snprintf(shown, sizeof shown, "%s", rest != NULL ? rest + 3 : "");
    while ((at = strstr(shown, scratch_dir())) != NULL)
        memmove(at, at + strlen(scratch_dir()), strlen(at + strlen(scratch_dir())) + 1);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if ((at = strstr(shown, ends[i])) != NULL)
            *at = '\0';
    if (strstr(shown, "can't be modified") != NULL)
        snprintf(shown, sizeof shown, "can't be modified");
    trace("%s: %s%s%s", name, status_name(s), *shown ? " | " : "", shown);
}

static natsOptions *options(void)
{
    natsOptions *opts = NULL;

    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetAllowReconnect(opts, false));
    CHECK_OK(natsOptions_SetTimeout(opts, 5000));
    return opts;
}

static natsOptions *to(server *s, const char *scheme, const char *host)
{
    natsOptions *opts = options();
    char         url[128];

    snprintf(url, sizeof url, "%s://%s:%d", scheme, host, server_port(s));
    CHECK_OK(natsOptions_SetURL(opts, url));
    return opts;
}

static natsOptions *trusting(server *s, const char *scheme, const char *host)
{
    natsOptions *opts = to(s, scheme, host);

    CHECK_OK(natsOptions_LoadCATrustedCertificates(opts, cert("ca.pem")));
    return opts;
}

// Connects, tells how that ended, and leaves the options alone.
static natsStatus attempt(const char *name, natsOptions *opts)
{
    natsConnection *nc = NULL;
    natsStatus      s  = natsConnection_Connect(&nc, opts);

    trace_result(name, s);
    if (s == NATS_OK)
        trace("  flush: %s", status_name(natsConnection_FlushTimeout(nc, 5000)));
    natsConnection_Destroy(nc);
    return s;
}

static void once(const char *name, natsOptions *opts)
{
    attempt(name, opts);
    natsOptions_Destroy(opts);
}

// ---- options ----

static void arguments(void)
{
    natsOptions *opts = options();
    char        *ca   = cert_text("ca.pem");
    char        *pem  = cert_text("client.pem");
    char        *key  = cert_text("client.key");
    char        *crl  = cert_text("crl.pem");
    char        *two  = malloc(20000);

    trace_scenario("arguments");
    trace_result("secure NULL", natsOptions_SetSecure(NULL, true));
    trace_result("secure on", natsOptions_SetSecure(opts, true));
    trace_result("secure off", natsOptions_SetSecure(opts, false));
    trace_result("first NULL", natsOptions_TLSHandshakeFirst(NULL));
    trace_result("first", natsOptions_TLSHandshakeFirst(opts));
    trace_result("concurrent NULL", natsOptions_AllowConcurrentTLSHandshakes(NULL));
    trace_result("concurrent", natsOptions_AllowConcurrentTLSHandshakes(opts));

    trace_result("ca file, no options", natsOptions_LoadCATrustedCertificates(NULL, "x"));
    trace_result("ca file NULL", natsOptions_LoadCATrustedCertificates(opts, NULL));
    trace_result("ca file empty", natsOptions_LoadCATrustedCertificates(opts, ""));
    trace_result("ca file missing", natsOptions_LoadCATrustedCertificates(opts, "/no/such/file"));
    trace_result("ca file is a key", natsOptions_LoadCATrustedCertificates(opts, cert("ca.key")));
    trace_result("ca file", natsOptions_LoadCATrustedCertificates(opts, cert("ca.pem")));
    trace_result("ca path, no options", natsOptions_LoadCATrustedCertificatesPath(NULL, "x"));
    trace_result("ca path NULL", natsOptions_LoadCATrustedCertificatesPath(opts, NULL));
    trace_result("ca path empty", natsOptions_LoadCATrustedCertificatesPath(opts, ""));
    trace_result("ca path missing", natsOptions_LoadCATrustedCertificatesPath(opts, "/no/such/dir"));
    trace_result("ca text, no options", natsOptions_SetCATrustedCertificates(NULL, ca));
    trace_result("ca text NULL", natsOptions_SetCATrustedCertificates(opts, NULL));
    trace_result("ca text empty", natsOptions_SetCATrustedCertificates(opts, ""));
    trace_result("ca text nonsense", natsOptions_SetCATrustedCertificates(opts, "nonsense"));
    trace_result("ca text is a key", natsOptions_SetCATrustedCertificates(opts, key));
    trace_result("ca text damaged",
                 natsOptions_SetCATrustedCertificates(
                     opts, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
    trace_result("ca text", natsOptions_SetCATrustedCertificates(opts, ca));
    trace_result("ca text again", natsOptions_SetCATrustedCertificates(opts, ca));
    trace_result("ca text is a crl", natsOptions_SetCATrustedCertificates(opts, crl));
    sprintf(two, "%s%s", ca, crl);
    trace_result("ca text with crl", natsOptions_SetCATrustedCertificates(opts, two));
    sprintf(two, "%s%.*s", ca, (int)strlen(crl) - 30, crl);
    trace_result("ca text with half a crl", natsOptions_SetCATrustedCertificates(opts, two));
    sprintf(two, "%s-----BEGIN X509 CRL-----", ca);
    trace_result("ca text with the first line of a crl", natsOptions_SetCATrustedCertificates(opts, two));
    sprintf(two, "%s%.*s", ca, (int)strlen(ca) - 30, ca);
    trace_result("ca text with half a certificate", natsOptions_SetCATrustedCertificates(opts, two));
    sprintf(two, "%s-----BEGIN OTHER-----\nAAAA\n-----END OTHER-----\n", ca);
    trace_result("ca text with another object", natsOptions_SetCATrustedCertificates(opts, two));
    trace_result(
        "ca text has another object",
        natsOptions_SetCATrustedCertificates(opts, "-----BEGIN OTHER-----\nAAAA\n-----END OTHER-----\n"));
    sprintf(two, "  %s", ca);
    trace_result("ca text is indented", natsOptions_SetCATrustedCertificates(opts, two));

    trace_result("chain, no options", natsOptions_LoadCertificatesChain(NULL, "a", "b"));
    trace_result("chain NULL cert", natsOptions_LoadCertificatesChain(opts, NULL, "b"));
    trace_result("chain empty cert", natsOptions_LoadCertificatesChain(opts, "", "b"));
    trace_result("chain NULL key", natsOptions_LoadCertificatesChain(opts, "a", NULL));
    trace_result("chain empty key", natsOptions_LoadCertificatesChain(opts, "a", ""));
    trace_result("chain missing", natsOptions_LoadCertificatesChain(opts, "/no/cert", "/no/key"));
    trace_result("chain missing key", natsOptions_LoadCertificatesChain(opts, cert("client.pem"), "/no/key"));
    trace_result("chain wrong key",
                 natsOptions_LoadCertificatesChain(opts, cert("client.pem"), cert("ca.key")));
    trace_result("chain", natsOptions_LoadCertificatesChain(opts, cert("client.pem"), cert("client.key")));
    trace_result("dynamic, no options", natsOptions_LoadCertificatesChainDynamic(NULL, "a", "b"));
    trace_result("dynamic NULL cert", natsOptions_LoadCertificatesChainDynamic(opts, NULL, "b"));
    trace_result("dynamic empty key", natsOptions_LoadCertificatesChainDynamic(opts, "a", ""));
    trace_result("dynamic missing", natsOptions_LoadCertificatesChainDynamic(opts, "/no/cert", "/no/key"));
    trace_result("chain text, no options", natsOptions_SetCertificatesChain(NULL, pem, key));
    trace_result("chain text NULL", natsOptions_SetCertificatesChain(opts, NULL, key));
    trace_result("chain text empty key", natsOptions_SetCertificatesChain(opts, pem, ""));
    trace_result("chain text nonsense", natsOptions_SetCertificatesChain(opts, "nonsense", key));
    trace_result("chain text key nonsense", natsOptions_SetCertificatesChain(opts, pem, "nonsense"));
    trace_result("chain text wrong key", natsOptions_SetCertificatesChain(opts, ca, key));
    trace_result("chain text", natsOptions_SetCertificatesChain(opts, pem, key));

    trace_result("ciphers, no options", natsOptions_SetCiphers(NULL, "HIGH"));
    trace_result("ciphers NULL", natsOptions_SetCiphers(opts, NULL));
    trace_result("ciphers empty", natsOptions_SetCiphers(opts, ""));
    trace_result("ciphers unknown", natsOptions_SetCiphers(opts, "NOPE"));
    trace_result("ciphers", natsOptions_SetCiphers(opts, "-ALL:HIGH:!aNULL"));
    trace_result("suites, no options", natsOptions_SetCipherSuites(NULL, "x"));
    trace_result("suites unknown", natsOptions_SetCipherSuites(opts, "NOPE"));
    trace_result("suites empty", natsOptions_SetCipherSuites(opts, ""));
    trace_result("suites",
                 natsOptions_SetCipherSuites(opts, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"));
    trace_result("host, no options", natsOptions_SetExpectedHostname(NULL, "x"));
    trace_result("host", natsOptions_SetExpectedHostname(opts, "x"));
    trace_result("host NULL", natsOptions_SetExpectedHostname(opts, NULL));
    trace_result("host empty", natsOptions_SetExpectedHostname(opts, ""));
    trace_result("no verification NULL", natsOptions_SkipServerVerification(NULL, true));
    trace_result("no verification", natsOptions_SkipServerVerification(opts, true));
    trace_result("callback, no options", natsOptions_SetSSLVerificationCallback(NULL, NULL));
    trace_result("callback NULL", natsOptions_SetSSLVerificationCallback(opts, NULL));
    natsOptions_Destroy(opts);
    free(ca);
    free(pem);
    free(key);
    free(crl);
    free(two);
}

// ---- what the server's certificate has to say ----

static server *start(const char *name, const char *more)
{
    char   *config = cert_server_config(name, more);
    server *s      = server_start(config, NULL);

    trace_port(server_port(s), "port");
    free(config);
    return s;
}

// Names that no certificate has, written in odd ways; the text has them, too.
static void expecting(server *s, const char *name)
{
    natsOptions    *opts = trusting(s, "tls", "localhost");
    natsConnection *nc   = NULL;

    CHECK_OK(natsOptions_SetExpectedHostname(opts, name));
    trace("'%s' expected: %s", name, status_name(natsConnection_Connect(&nc, opts)));
    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
}

static void names(void)
{
    server      *s = start("server", "");
    natsOptions *opts;

    trace_scenario("names in the certificate");
    once("name", trusting(s, "tls", "localhost"));
    once("address without entry", trusting(s, "tls", "127.0.0.1"));
    opts = trusting(s, "tls", "127.0.0.1");
    CHECK_OK(natsOptions_SetExpectedHostname(opts, "test.example"));
    once("expected name", opts);
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_SetExpectedHostname(opts, "other.example"));
    once("other name expected", opts);
    CHECK_OK(natsOptions_Create(&opts));
    natsOptions_Destroy(opts);
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_SetExpectedHostname(opts, "other.example"));
    CHECK_OK(natsOptions_SetExpectedHostname(opts, NULL));
    once("expectation taken back", opts);
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_SetExpectedHostname(opts, "other.example"));
    CHECK_OK(natsOptions_SetExpectedHostname(opts, ""));
    once("empty expectation", opts);
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_SetExpectedHostname(opts, "127.0.0.1"));
    once("address expected", opts);
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_SetExpectedHostname(opts, "TEST.EXAMPLE"));
    once("case does not matter", opts);
    expecting(s, "M\xfcller.example");
    expecting(s, "\xff");
    expecting(s, " localhost");
    expecting(s, "localhost.");
    expecting(s, ".");
    server_stop(s);

    s = start("server-ip", "");
    once("address", trusting(s, "tls", "127.0.0.1"));
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_SetExpectedHostname(opts, "127.0.0.1"));
    once("address expected, with entry", opts);
    opts = trusting(s, "tls", "127.0.0.1");
    CHECK_OK(natsOptions_SetExpectedHostname(opts, "127.0.0.2"));
    once("other address expected", opts);
    server_stop(s);

    s    = start("server-wild", "");
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_SetExpectedHostname(opts, "a.test.example"));
    once("wildcard", opts);
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_SetExpectedHostname(opts, "a.b.test.example"));
    once("wildcard, two labels", opts);
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_SetExpectedHostname(opts, "ab.part.example"));
    once("wildcard for a part", opts);
    server_stop(s);
}

static void trust(void)
{
    server      *s = start("server-ip", "");
    natsOptions *opts;
    char        *text;
    char         two[20000];

    trace_scenario("trust");
    once("nothing", to(s, "tls", "localhost"));
    opts = to(s, "tls", "localhost");
    CHECK_OK(natsOptions_LoadCATrustedCertificates(opts, cert("other-ca.pem")));
    attempt("wrong authority", opts);
    CHECK_OK(natsOptions_LoadCATrustedCertificates(opts, cert("ca.pem")));
    once("right one added", opts);
    opts = to(s, "tls", "localhost");
    text = cert_text("ca.pem");
    CHECK_OK(natsOptions_SetCATrustedCertificates(opts, text));
    once("from memory", opts);
    opts = to(s, "tls", "localhost");
    snprintf(two, sizeof two, "%s%s", (free(text), text = cert_text("other-ca.pem")), cert_text("ca.pem"));
    CHECK_OK(natsOptions_SetCATrustedCertificates(opts, two));
    once("second of two from memory", opts);
    free(text);
    opts = to(s, "tls", "localhost");
    CHECK_OK(natsOptions_SkipServerVerification(opts, true));
    attempt("not looked at", opts);
    CHECK_OK(natsOptions_SkipServerVerification(opts, false));
    once("looked at again", opts);
    once("server asks for it", trusting(s, "nats", "localhost"));
    once("server asks for it, no trust", to(s, "nats", "localhost"));
    opts = trusting(s, "nats", "localhost");
    CHECK_OK(natsOptions_SetSecure(opts, false));
    once("everything dropped", opts);
    opts = trusting(s, "nats", "localhost");
    CHECK_OK(natsOptions_SetSecure(opts, true));
    once("secure keeps what was set", opts);
    opts = to(s, "nats", "localhost");
    CHECK_OK(natsOptions_SkipServerVerification(opts, true));
    CHECK_OK(natsOptions_SetSecure(opts, false));
    once("that is dropped, too", opts);
    server_stop(s);

    s = start("selfsigned", "");
    once("self-signed", to(s, "tls", "localhost"));
    opts = to(s, "tls", "localhost");
    CHECK_OK(natsOptions_LoadCATrustedCertificates(opts, cert("selfsigned.pem")));
    once("self-signed and trusted", opts);
    server_stop(s);

    s = start("server-expired", "");
    once("expired", trusting(s, "tls", "localhost"));
    server_stop(s);

    s = start("server-revoked", "");
    once("revoked, nobody looks", trusting(s, "tls", "localhost"));
    opts = trusting(s, "tls", "localhost");
    text = cert_text("crl.pem");
    CHECK_OK(natsOptions_SetCATrustedCertificates(opts, text));
    once("revoked", opts);
    opts = to(s, "tls", "localhost");
    snprintf(two, sizeof two, "%s%s", cert_text("ca.pem"), text);
    CHECK_OK(natsOptions_SetCATrustedCertificates(opts, two));
    once("revoked, together", opts);
    server_stop(s);
    s    = start("server-ip", "");
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_SetCATrustedCertificates(opts, text));
    once("not revoked", opts);
    free(text);
    text = cert_text("crl.pem");
    opts = to(s, "tls", "localhost");
    CHECK_OK(natsOptions_SetCATrustedCertificates(opts, text));
    once("list without authority", opts);
    free(text);
    server_stop(s);
}

// ---- the verification callback ----

static atomic_int calls, errors;

static int accept_all(int ok, void *ctx)
{
    X509_STORE_CTX *store = ctx;

    atomic_fetch_add(&calls, 1);
    if (!ok)
        atomic_fetch_add(&errors, X509_STORE_CTX_get_error(store));
    return 1;
}

static int refuse_all(int ok, void *ctx)
{
    (void)ok;
    (void)ctx;
    atomic_fetch_add(&calls, 1);
    return 0;
}

static int as_it_is(int ok, void *ctx)
{
    (void)ctx;
    atomic_fetch_add(&calls, 1);
    return ok;
}

static void called(const char *name, natsOptions *opts)
{
    atomic_store(&calls, 0);
    atomic_store(&errors, 0);
    attempt(name, opts);
    trace("  called %d times, errors add up to %d", atomic_load(&calls), atomic_load(&errors));
}

static void callback(void)
{
    server      *s    = start("server", "");
    natsOptions *opts = trusting(s, "tls", "localhost");

    trace_scenario("verification callback");
    CHECK_OK(natsOptions_SetSSLVerificationCallback(opts, accept_all));
    called("good certificate", opts);
    CHECK_OK(natsOptions_SetSSLVerificationCallback(opts, as_it_is));
    called("good certificate, verdict kept", opts);
    CHECK_OK(natsOptions_SetSSLVerificationCallback(opts, refuse_all));
    called("good certificate refused", opts);
    natsOptions_Destroy(opts);

    opts = to(s, "tls", "localhost");
    CHECK_OK(natsOptions_SetSSLVerificationCallback(opts, accept_all));
    called("unknown authority accepted", opts);
    CHECK_OK(natsOptions_SetSSLVerificationCallback(opts, as_it_is));
    called("unknown authority, verdict kept", opts);
    CHECK_OK(natsOptions_SkipServerVerification(opts, true));
    called("skipping takes the callback away", opts);
    CHECK_OK(natsOptions_SkipServerVerification(opts, false));
    called("for good", opts);
    CHECK_OK(natsOptions_SkipServerVerification(opts, true));
    CHECK_OK(natsOptions_SetSSLVerificationCallback(opts, as_it_is));
    called("a callback takes skip away", opts);
    CHECK_OK(natsOptions_SkipServerVerification(opts, true));
    CHECK_OK(natsOptions_SetSSLVerificationCallback(opts, NULL));
    called("no callback leaves skip", opts);
    natsOptions_Destroy(opts);

    opts = trusting(s, "tls", "127.0.0.1");
    CHECK_OK(natsOptions_SetSSLVerificationCallback(opts, accept_all));
    called("wrong name accepted", opts);
    CHECK_OK(natsOptions_SetSSLVerificationCallback(opts, as_it_is));
    called("wrong name, verdict kept", opts);
    natsOptions_Destroy(opts);
    server_stop(s);
}

// ---- who wants TLS ----

static void both_sides(void)
{
    server      *s = server_start(NULL, NULL);
    natsOptions *opts;
    const char  *mixed[2];

    trace_scenario("plain server");
    trace_port(server_port(s), "port");
    once("plain", to(s, "nats", "localhost"));
    once("tls", to(s, "tls", "localhost"));
    once("TLS in capitals", to(s, "TLS", "localhost"));
    opts = to(s, "nats", "localhost");
    CHECK_OK(natsOptions_SetSecure(opts, true));
    once("secure", opts);
    opts = options();
    CHECK_OK(natsOptions_SetSecure(opts, false));
    CHECK_OK(natsOptions_SetURL(opts, (mixed[0] = server_url(s))));
    once("not secure", opts);
    opts = to(s, "tls", "localhost");
    CHECK_OK(natsOptions_SetURL(opts, server_url(s)));
    once("tls is not undone by a later URL", opts);
    opts = to(s, "tls", "localhost");
    CHECK_OK(natsOptions_SetSecure(opts, false));
    once("but by secure off", opts);
    opts = options();
    CHECK_OK(natsOptions_SetSecure(opts, false));
    CHECK_OK(natsOptions_SetURL(opts, "tls://127.0.0.1:1"));
    mixed[0] = server_url(s);
    mixed[1] = server_url(s);
    CHECK_OK(natsOptions_SetServers(opts, mixed, 2));
    CHECK_OK(natsOptions_SetURL(opts, NULL));
    once("decided before", opts);
    opts     = options();
    mixed[1] = "tls://127.0.0.1:1";
    CHECK_OK(natsOptions_SetServers(opts, mixed, 2));
    CHECK_OK(natsOptions_SetNoRandomize(opts, true));
    once("one tls server", opts);
    opts = to(s, "nats", "localhost");
    CHECK_OK(natsOptions_TLSHandshakeFirst(opts));
    once("TLS first", opts);
    opts = trusting(s, "nats", "localhost");
    CHECK_OK(natsOptions_LoadCertificatesChain(opts, cert("client.pem"), cert("client.key")));
    once("TLS settings alone", opts);
    server_stop(s);

    trace_scenario("server with TLS from the first byte");
    s    = start("server-ip", "handshake_first: true");
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_SetTimeout(opts, 500));
    once("INFO awaited", opts);
    opts = trusting(s, "nats", "localhost");
    CHECK_OK(natsOptions_TLSHandshakeFirst(opts));
    once("TLS first", opts);
    server_stop(s);

    trace_scenario("server that leaves it to the client");
    {
        char *config = malloc(2048);

        sprintf(config, "tls { cert_file: \"%s\", key_file: \"%s\" }\nallow_non_tls: true\n",
                cert("server-ip.pem"), cert("server-ip.key"));
        s = server_start(config, NULL);
        trace_port(server_port(s), "port");
        once("plain", to(s, "nats", "localhost"));
        once("tls", trusting(s, "tls", "localhost"));
        server_stop(s);
        free(config);
    }
}

// ---- client certificates ----

static void client_certificates(void)
{
    server         *s = start("server-ip", "verify: true");
    natsOptions    *opts;
    natsConnection *nc   = NULL;
    char           *pem  = cert_text("client.pem");
    char           *key  = cert_text("client.key");
    char           *both = malloc(20000);
    natsStatus      status;

    trace_scenario("client certificates");
    // Where TLS 1.3 shows it is a race between an alert and a reset.
    opts   = trusting(s, "tls", "localhost");
    status = natsConnection_Connect(&nc, opts);
    trace("none: %s", status == NATS_OK ? "connected" : status == NATS_SSL_ERROR ? "SSL error" : "refused");
    natsOptions_Destroy(opts);
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_LoadCertificatesChain(opts, cert("client.pem"), cert("client.key")));
    once("from files", opts);
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_SetCertificatesChain(opts, pem, key));
    once("from memory", opts);
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_LoadCertificatesChainDynamic(opts, cert("client.pem"), cert("client.key")));
    once("dynamic", opts);
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_LoadCertificatesChainDynamic(opts, "/no/cert", cert("client.key")));
    once("dynamic, no certificate file", opts);
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_LoadCertificatesChainDynamic(opts, cert("client.pem"), "/no/key"));
    once("dynamic, no key file", opts);
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_LoadCertificatesChainDynamic(opts, cert("client.pem"), cert("client2.key")));
    once("dynamic, other key", opts);
    sprintf(both, "%s%s", cert_text("client.pem"), cert_text("client2.pem"));
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_SetCertificatesChain(opts, both, key));
    once("first of two from memory", opts);
    server_stop(s);
    free(pem);
    free(key);
    free(both);
}

static void ciphers(void)
{
    server      *s = start("server-ip", "cipher_suites: [\"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\"]");
    natsOptions *opts;

    trace_scenario("ciphers");
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_SetCipherSuites(opts, ""));
    CHECK_OK(natsOptions_SetCiphers(opts, "ECDHE-ECDSA-AES128-GCM-SHA256"));
    once("one in common", opts);
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_SetCipherSuites(opts, ""));
    CHECK_OK(natsOptions_SetCiphers(opts, "ECDHE-ECDSA-AES256-GCM-SHA384"));
    once("none in common", opts);
    opts = trusting(s, "tls", "localhost");
    CHECK_OK(natsOptions_SetCipherSuites(opts, "TLS_AES_256_GCM_SHA384"));
    once("TLS 1.3", opts);
    server_stop(s);
}

// ---- options in use ----

static void in_use(void)
{
    server           *s    = start("server-ip", "");
    natsOptions      *opts = trusting(s, "tls", "localhost");
    natsConnection   *nc = NULL, *second = NULL;
    natsSubscription *sub = NULL;

    trace_scenario("options in use");
    CHECK_OK(natsConnection_Connect(&nc, opts));
    CHECK_OK(natsConnection_SubscribeSync(&sub, nc, "x"));
    trace_result("ca file", natsOptions_LoadCATrustedCertificates(opts, cert("ca.pem")));
    trace_result("ca file missing", natsOptions_LoadCATrustedCertificates(opts, "/no"));
    trace_result("ca file NULL", natsOptions_LoadCATrustedCertificates(opts, NULL));
    trace_result("ca path", natsOptions_LoadCATrustedCertificatesPath(opts, "/no"));
    trace_result("ca text", natsOptions_SetCATrustedCertificates(opts, "nonsense"));
    trace_result("chain", natsOptions_LoadCertificatesChain(opts, "a", "b"));
    trace_result("dynamic", natsOptions_LoadCertificatesChainDynamic(opts, "a", "b"));
    trace_result("chain text", natsOptions_SetCertificatesChain(opts, "a", "b"));
    trace_result("ciphers", natsOptions_SetCiphers(opts, "HIGH"));
    trace_result("suites", natsOptions_SetCipherSuites(opts, "x"));
    trace_result("host", natsOptions_SetExpectedHostname(opts, "x"));
    trace_result("no verification", natsOptions_SkipServerVerification(opts, true));
    trace_result("callback", natsOptions_SetSSLVerificationCallback(opts, as_it_is));
    trace_result("concurrent", natsOptions_AllowConcurrentTLSHandshakes(opts));
    trace_result("first", natsOptions_TLSHandshakeFirst(opts));
    trace_result("secure", natsOptions_SetSecure(opts, true));
    natsConnection_Close(nc);
    trace_result("closed: skip", natsOptions_SkipServerVerification(opts, true));
    natsConnection_Destroy(nc);
    trace_result("destroyed: skip", natsOptions_SkipServerVerification(opts, true));
    natsSubscription_Destroy(sub);
    (void)HOLDS_WITHIN(natsOptions_SkipServerVerification(opts, false) == NATS_OK, 5000);
    trace_result("subscription destroyed: skip", natsOptions_SkipServerVerification(opts, false));
    natsOptions_Destroy(opts);

    opts = trusting(s, "tls", "localhost");
    attempt("settings stay", opts);
    WAIT_FOR(natsOptions_SetExpectedHostname(opts, NULL) == NATS_OK, 5000);
    CHECK_OK(natsConnection_Connect(&nc, opts));
    trace_result("secure off", natsOptions_SetSecure(opts, false));
    trace_result("then ca file", natsOptions_LoadCATrustedCertificates(opts, cert("ca.pem")));
    CHECK_OK(natsConnection_Connect(&second, opts));
    trace_result("then again", natsOptions_LoadCATrustedCertificates(opts, cert("ca.pem")));
    natsConnection_Destroy(nc);
    natsConnection_Destroy(second);
    natsOptions_Destroy(opts);
    server_stop(s);
}

// ---- servers that misbehave ----

static natsOptions *through(relay *r)
{
    natsOptions *opts = options();
    char         url[64];

    snprintf(url, sizeof url, "tls://localhost:%d", relay_port(r));
    CHECK_OK(natsOptions_SetURL(opts, url));
    CHECK_OK(natsOptions_LoadCATrustedCertificates(opts, cert("ca.pem")));
    return opts;
}

static void broken_handshakes(void)
{
    server      *s = start("server-ip", "handshake_first: true");
    relay       *r = relay_create(server_port(s));
    natsOptions *opts;
    int64_t      t;

    trace_scenario("broken handshakes");
    opts = through(r);
    CHECK_OK(natsOptions_TLSHandshakeFirst(opts));
    CHECK_OK(natsOptions_SetTimeout(opts, 400));
    attempt("as a whole", opts);
    relay_stall_after(r, 100);
    t = now_ms();
    attempt("stalls", opts);
    trace_time("after", now_ms() - t, 400);
    CHECK_OK(natsOptions_SetTimeout(opts, 5000));
    relay_stall_after(r, -1);
    relay_close_after(r, 100);
    attempt("ends in a record", opts);
    relay_close_after(r, 0);
    attempt("ends at once", opts);
    relay_close_after(r, -1);
    relay_trickle(r, 100);
    attempt("in small pieces", opts);
    natsOptions_Destroy(opts);
    relay_destroy(r);
    server_stop(s);
}

// ---- losses ----

typedef void (*harm)(relay *r, server *s);

static void cut(relay *r, server *s)
{
    (void)s;
    relay_cut(r);
}

static void cut_in_a_record(relay *r, server *s)
{
    (void)s;
    relay_close_after(r, 7);
}

static void shut_down(relay *r, server *s)
{
    (void)r;
    server_shutdown(s);
}

static void lost(const char *name, harm cause)
{
    server           *s    = start("server-ip", "");
    relay            *r    = relay_create(server_port(s));
    events           *ev   = events_create();
    natsOptions      *opts = through(r);
    natsConnection   *nc   = NULL;
    natsSubscription *sub  = NULL;

    trace_scenario(name);
    events_handlers(ev, opts);
    CHECK_OK(natsConnection_Connect(&nc, opts));
    CHECK_OK(natsConnection_Subscribe(&sub, nc, "x", on_msg, ev));
    CHECK_OK(natsConnection_FlushTimeout(nc, 5000));
    cause(r, s);
    if (cause == cut_in_a_record)
        natsConnection_PublishString(nc, "x", "which makes the server send something");
    WAIT_EVENT(ev, "closed", 1, 5000);
    trace_events(ev, 0);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
    relay_destroy(r);
    server_stop(s);
}

int main(void)
{
    if (!server_available())
        SKIP("no nats-server");
    trace_timing(400, 150);
    certs_make();
    CHECK_OK(nats_Open(-1));
    arguments();
    names();
    trust();
    callback();
    both_sides();
    client_certificates();
    ciphers();
    in_use();
    broken_handshakes();
    lost("server ends", shut_down);
    lost("connection cut", cut);
    lost("connection cut in a record", cut_in_a_record);
    return 0;
}
