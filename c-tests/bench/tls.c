// Publishing and receiving over TLS. The far end is a process of its own, with a certificate made on the
// spot.

#define _GNU_SOURCE
#include "bench.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER (1 << 16)
#define TAIL   6 // strlen("PING\r\n")
#define START  "PUB start 0\r\n"

// ---- the far end ----

static SSL_CTX *with_certificate(void)
{
    SSL_CTX   *ctx  = SSL_CTX_new(TLS_server_method());
    EVP_PKEY  *key  = EVP_EC_gen("P-256");
    X509      *cert = X509_new();
    X509_NAME *name = X509_NAME_new();

    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_subject_name(cert, name);
    X509_set_issuer_name(cert, name);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_set_pubkey(cert, key);
    if ((X509_sign(cert, key, EVP_sha256()) == 0) || (SSL_CTX_use_certificate(ctx, cert) != 1) ||
        (SSL_CTX_use_PrivateKey(ctx, key) != 1))
        die("certificate", "cannot be made");
    return ctx;
}

static uint64_t received(void)
{
    return atomic_load_explicit(&far->received[0].count, memory_order_relaxed);
}

static void blast_tls(SSL *ssl)
{
    static char data[1 << 20];
    int         len = 0, messages = 0;
    uint64_t    sent = 0, deadline = now_ns() + (uint64_t)(far->limits.seconds * 1e9);
    bool        last = false;

    while (len + far->size + 64 < BUFFER)
    {
        len += sprintf(data + len, "MSG b.0 1 %d\r\n", far->size);
        memset(data + len, 'x', (size_t)far->size);
        len += far->size + sprintf(data + len + far->size, "\r\n");
        messages++;
    }
    while (!last)
    {
        while ((sent > received()) && (sent - received() > far->window))
            usleep(20);
        sent += (uint64_t)messages;
        last = (far->limits.count > 0) ? (sent >= far->limits.count) : (now_ns() >= deadline);
        if (last)
            atomic_store(&far->total, sent);
        if (SSL_write(ssl, data, len) != len)
            return;
    }
}

static void serve_tls(SSL_CTX *ctx, int fd)
{
    static const char info[] =
        "INFO {\"server_id\":\"BENCH\",\"version\":\"2.10.0\",\"proto\":1,\"headers\":true,"
        "\"max_payload\":1048576,\"client_id\":1,\"tls_required\":true}\r\n";
    static char data[BUFFER];
    SSL        *ssl = SSL_new(ctx);
    int         n;

    SSL_set_fd(ssl, fd);
    if ((send(fd, info, sizeof(info) - 1, MSG_NOSIGNAL) < 0) || (SSL_accept(ssl) != 1))
        die("far end", "handshake");
    while ((n = SSL_read(ssl, data, sizeof(data))) > 0)
    {
        if ((n >= (int)strlen(START)) && (memmem(data, (size_t)n, START, strlen(START)) != NULL))
            blast_tls(ssl);
        if ((n >= TAIL) && (memcmp(data + n - TAIL, "PING\r\n", TAIL) == 0))
            SSL_write(ssl, "PONG\r\n", 6);
    }
}

static void far_start_tls(void)
{
    struct sockaddr_in address  = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t          len      = sizeof(address);
    int                listener = socket(AF_INET, SOCK_STREAM, 0);

    far = mmap(NULL, sizeof(*far), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if ((far == MAP_FAILED) || (bind(listener, (struct sockaddr *)&address, len) != 0) ||
        (listen(listener, 1) != 0) || (getsockname(listener, (struct sockaddr *)&address, &len) != 0))
        die("far end", "listen");
    snprintf(far_url, sizeof(far_url), "tls://localhost:%d", ntohs(address.sin_port));
    if (fork() == 0)
    {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
        serve_tls(with_certificate(), accept(listener, NULL, NULL));
        _exit(0);
    }
    close(listener);
}

static natsConnection *connect_tls(void)
{
    natsConnection *nc   = NULL;
    natsOptions    *opts = NULL;

    must(natsOptions_Create(&opts), "options");
    must(natsOptions_SetURL(opts, far_url), "url");
    must(natsOptions_SkipServerVerification(opts, true), "no verification");
    must(natsConnection_Connect(&nc, opts), "connect");
    natsOptions_Destroy(opts);
    return nc;
}

// ---- scenarios ----

void publish_tls(const char *name, limits limits, const int *size)
{
    natsConnection *nc;
    interval        in;
    char           *payload = calloc(1, (size_t)*size);
    uint64_t        done    = 0, deadline;

    far_start_tls();
    nc = connect_tls();
    interval_start(&in);
    deadline = now_ns() + (uint64_t)(limits.seconds * 1e9);
    while (!limits_reached(&limits, done, (*size <= 1024) ? 512 : 16, deadline))
    {
        must(natsConnection_Publish(nc, "bench", payload, *size), "publish");
        done++;
    }
    must(natsConnection_FlushTimeout(nc, 60000), "flush");
    interval_stop(&in);
    report(name, done, &in, "");
    natsConnection_Destroy(nc);
    free(payload);
}

static void on_message(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    _Atomic uint64_t *count = &far->received[0].count;

    (void)nc;
    (void)sub;
    (void)closure;
    natsMsg_Destroy(msg);
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1, memory_order_release);
}

void receive_tls(const char *name, limits limits, const int *size)
{
    natsConnection   *nc;
    natsSubscription *sub = NULL;
    interval          in;
    uint64_t          total, end;

    far_start_tls();
    nc = connect_tls();
    must(natsConnection_Subscribe(&sub, nc, "b.0", on_message, NULL), "subscribe");
    must(natsSubscription_SetPendingLimits(sub, -1, -1), "limits");
    must(natsConnection_Flush(nc), "flush");
    far->limits = limits;
    far->size   = *size;
    far->window = 65536;
    interval_start(&in);
    end = now_ns() + 120000000000u;
    must(natsConnection_Publish(nc, "start", "", 0), "start");
    while (((total = atomic_load(&far->total)) == 0) || (received() < total))
    {
        if (now_ns() > end)
            die("receive", "messages are missing");
        usleep(1000);
    }
    interval_stop(&in);
    report(name, total, &in, "");
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
}
