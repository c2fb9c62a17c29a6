// What a build without TLS answers. With TLS in the library there is nothing to test here.

#include "fixture.h"

static natsOptions *without_tls(void)
{
    natsOptions *opts = NULL;
    natsStatus   s;

    CHECK_OK(natsOptions_Create(&opts));
    s = natsOptions_SetSecure(opts, true);
    if (s == NATS_OK)
        SKIP("this library has TLS");
    CHECK_STATUS(s, NATS_ILLEGAL_STATE);
    return opts;
}

static int verify(int ok, void *ctx)
{
    (void)ctx;
    return ok;
}

TEST(every_tls_option_is_refused)
{
    natsOptions *opts = without_tls();

    CHECK_STATUS(natsOptions_SetSecure(opts, false), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsOptions_TLSHandshakeFirst(opts), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsOptions_AllowConcurrentTLSHandshakes(opts), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsOptions_LoadCATrustedCertificates(opts, "x"), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsOptions_LoadCATrustedCertificatesPath(opts, "x"), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsOptions_SetCATrustedCertificates(opts, "x"), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsOptions_LoadCertificatesChain(opts, "x", "x"), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsOptions_LoadCertificatesChainDynamic(opts, "x", "x"), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsOptions_SetCertificatesChain(opts, "x", "x"), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsOptions_SetCiphers(opts, "x"), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsOptions_SetCipherSuites(opts, "x"), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsOptions_SetExpectedHostname(opts, "x"), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsOptions_SkipServerVerification(opts, true), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsOptions_SetSSLVerificationCallback(opts, verify), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsOptions_SetSecure(NULL, true), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsOptions_SetCiphers(opts, NULL), NATS_ILLEGAL_STATE);
    natsOptions_Destroy(opts);
}

TEST(tls_urls_are_refused)
{
    natsOptions    *opts   = without_tls();
    natsConnection *nc     = NULL;
    const char     *urls[] = {"nats://a", "tls://b"};

    CHECK_STATUS(natsOptions_SetURL(opts, "tls://localhost"), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsOptions_SetServers(opts, urls, 2), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsConnection_ConnectTo(&nc, "TLS://localhost"), NATS_ILLEGAL_STATE);
    CHECK(nc == NULL);
    natsOptions_Destroy(opts);
}

TEST(a_server_that_insists_is_refused)
{
    fixture f;

    natsOptions_Destroy(without_tls());
    f = fixture_create();
    mock_info(f.m, 1, "{\"server_id\":\"mock\",\"max_payload\":1024,\"proto\":1,\"tls_required\":true}");
    CHECK_STATUS(natsConnection_Connect(&f.nc, f.opts), NATS_ILLEGAL_STATE);
    fixture_connect(&f); // the next one does not insist
    CHECK_OK(natsConnection_FlushTimeout(f.nc, 5000));
    fixture_destroy(&f);
}
