/* demo URL SERVER_PID: what this library is for, shown on a terminal. See `make demo`.
 *
 * Two connections to one server: "main" publishes and subscribes, may reconnect; "guard" idles and may not
 * reconnect, so that its last error tells why it was given up. Then the server process is frozen (SIGSTOP)
 * while main publishes as fast as it can, and later thawed (SIGCONT). Exit 0: everything that is claimed was
 * seen. Public API only.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <nats/nats.h>

#define MAX_MESSAGES  1000000 /* numbers the publisher may use */
#define LARGE         16384 /* bytes of a message while connected: fills the frozen server's window quickly */
#define SMALL         64    /* bytes of a message that waits for the reconnect */
#define GUARD_PING_MS 500
#define MAIN_PING_MS  1000
#define MAX_PINGS_OUT 2
#define SLACK_MS      600 /* for a busy machine, on top of what the settings promise */
#define LIMIT_SECONDS 60

enum Fate
{
    UNUSED = 0,
    SENT,     /* accepted while connected: may be lost with the socket, as NATS core promises at most once */
    BUFFERED, /* accepted while reconnecting: must arrive, once */
    REFUSED   /* Publish said no: must not arrive */
};

static unsigned char fates[MAX_MESSAGES];
static atomic_uchar  arrivals[MAX_MESSAGES];
static atomic_int    published;
static atomic_bool   frozen, stop;
static atomic_llong  lastPublishAt; /* ms; 0 while a Publish call runs */
static atomic_llong  longestPublish;
static atomic_llong  mainDisconnectedAt, mainReconnectedAt, guardDisconnectedAt, guardClosedAt;
static atomic_int    disconnects, reconnects;
static atomic_int    orderBroken, lastBuffered = -1;
static int64_t       startedAt;
static int           failures;

static int64_t now(void)
{
    return nats_NowMonotonicInNanoSeconds() / 1000000;
}

static void say(const char *format, ...)
{
    va_list args;

    printf("[%7.3f s] ", (double)(now() - startedAt) / 1000);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
}

static void heading(const char *text)
{
    printf("\n%s\n", text);
}

/* Counts a claim that did not hold; the demonstration goes on. */
static void claim(bool holds, const char *format, ...)
{
    va_list args;

    if (!holds)
        failures++;
    printf("            %s ", holds ? "ok    " : "FAILED");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
}

static void must(natsStatus s, const char *what)
{
    if (s == NATS_OK)
        return;
    say("%s: %s", what, natsStatus_GetText(s));
    nats_PrintLastErrorStack(stderr);
    exit(1);
}

static bool waitFor(atomic_llong *moment, int64_t ms)
{
    int64_t deadline = now() + ms;

    while (atomic_load(moment) == 0 && now() < deadline)
        nats_Sleep(5);
    return atomic_load(moment) != 0;
}

/* A library that hangs is the very thing to be seen, so nothing here may wait for ever. */
static void gaveUp(int sig)
{
    static const char text[] = "\ndemo: FAILED, a call into the library did not return within a minute\n";

    (void)sig;
    if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
        _exit(2);
    _exit(1);
}

static void remember(natsConnection *nc, void *closure)
{
    (void)nc;
    atomic_store((atomic_llong *)closure, now());
}

static void onMainDisconnected(natsConnection *nc, void *closure)
{
    (void)nc;
    (void)closure;
    atomic_fetch_add(&disconnects, 1);
    atomic_store(&mainDisconnectedAt, now());
}

static void onMainReconnected(natsConnection *nc, void *closure)
{
    (void)nc;
    (void)closure;
    atomic_fetch_add(&reconnects, 1);
    atomic_store(&mainReconnectedAt, now());
}

static void onNumber(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    int number = atoi(natsMsg_GetData(msg));

    (void)nc;
    (void)sub;
    (void)closure;
    if (number >= 0 && number < MAX_MESSAGES)
    {
        atomic_fetch_add(&arrivals[number], 1);
        if (natsMsg_GetDataLength(msg) == SMALL)
        {
            if (number < atomic_load(&lastBuffered))
                atomic_store(&orderBroken, 1);
            atomic_store(&lastBuffered, number);
        }
    }
    natsMsg_Destroy(msg);
}

static void onQuestion(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)sub;
    (void)closure;
    natsConnection_PublishString(nc, natsMsg_GetReply(msg), "42");
    natsMsg_Destroy(msg);
}

/* Publishes numbered messages until told to stop: gently at first, at full speed once the server is frozen,
 * and gently again while they only go to the reconnect buffer. */
static void *publishNumbers(void *closure)
{
    static char     text[LARGE];
    natsConnection *nc = closure;
    int             number;

    memset(text, '.', sizeof(text));
    for (number = 0; number < MAX_MESSAGES && !atomic_load(&stop); number++)
    {
        bool       connected = natsConnection_Status(nc) == NATS_CONN_STATUS_CONNECTED;
        int64_t    before    = now();
        int64_t    took;
        natsStatus s;

        snprintf(text, 16, "%015d", number);
        atomic_store(&lastPublishAt, before);
        s    = natsConnection_Publish(nc, "demo.numbers", text, connected ? LARGE : SMALL);
        took = now() - before;
        atomic_store(&lastPublishAt, 0);
        if (took > atomic_load(&longestPublish))
            atomic_store(&longestPublish, took);

        fates[number] = s != NATS_OK ? REFUSED : connected ? SENT : BUFFERED;
        atomic_store(&published, number + 1);
        if (!connected || !atomic_load(&frozen))
            nats_Sleep(2);
    }
    return NULL;
}

static natsOptions *options(const char *url, const char *name, int64_t pingMs)
{
    natsOptions *opts = NULL;

    must(natsOptions_Create(&opts), "options");
    must(natsOptions_SetURL(opts, url), "URL");
    must(natsOptions_SetName(opts, name), "name");
    must(natsOptions_SetPingInterval(opts, pingMs), "ping interval");
    must(natsOptions_SetMaxPingsOut(opts, MAX_PINGS_OUT), "max pings out");
    must(natsOptions_SetTimeout(opts, 500), "connect timeout");
    return opts;
}

static natsConnection *connectGuard(const char *url)
{
    natsConnection *nc   = NULL;
    natsOptions    *opts = options(url, "demo guard", GUARD_PING_MS);

    must(natsOptions_SetAllowReconnect(opts, false), "reconnect");
    must(natsOptions_SetDisconnectedCB(opts, remember, (void *)&guardDisconnectedAt),
         "disconnected callback");
    must(natsOptions_SetClosedCB(opts, remember, (void *)&guardClosedAt), "closed callback");
    must(natsConnection_Connect(&nc, opts), "connect");
    natsOptions_Destroy(opts);
    say("guard: connected; PING every %d ms, at most %d unanswered, no reconnect", GUARD_PING_MS,
        MAX_PINGS_OUT);
    return nc;
}

static natsConnection *connectMain(const char *url)
{
    natsConnection *nc   = NULL;
    natsOptions    *opts = options(url, "demo main", 120000);
    char            connectedTo[256];
    int64_t         began = now();
    int64_t         rtt   = 0;

    must(natsOptions_SetMaxReconnect(opts, -1), "max reconnect");
    must(natsOptions_SetReconnectWait(opts, 200), "reconnect wait");
    must(natsOptions_SetReconnectJitter(opts, 20, 20), "reconnect jitter");
    must(natsOptions_SetDisconnectedCB(opts, onMainDisconnected, NULL), "disconnected callback");
    must(natsOptions_SetReconnectedCB(opts, onMainReconnected, NULL), "reconnected callback");
    must(natsConnection_Connect(&nc, opts), "connect");
    natsOptions_Destroy(opts);
    must(natsConnection_GetConnectedUrl(nc, connectedTo, sizeof(connectedTo)), "connected URL");
    must(natsConnection_GetRTT(nc, &rtt), "round trip");
    say("main:  connected to %s in %lld ms, round trip %.2f ms; PING every 120 s", connectedTo,
        (long long)(now() - began), (double)rtt / 1e6);

#ifdef NATS_EXT_LIVENESS
    must(natsConnection_SetPingInterval(nc, MAIN_PING_MS / 1000), "natsConnection_SetPingInterval");
    say("main:  natsConnection_SetPingInterval(nc, %d): from now on a PING every second, at most %d "
        "unanswered",
        MAIN_PING_MS / 1000, MAX_PINGS_OUT);
#else
    claim(false, "this nats.h has no natsConnection_SetPingInterval");
#endif
    return nc;
}

static void talk(natsConnection *nc)
{
    natsSubscription *sub   = NULL;
    natsSubscription *help  = NULL;
    natsMsg          *msg   = NULL;
    int64_t           began = now();
    int               i;
    int               got = 0;

    heading("2. Publish, subscribe, request");
    must(natsConnection_SubscribeSync(&sub, nc, "demo.talk"), "subscribe");
    for (i = 0; i < 10000; i++)
        must(natsConnection_PublishString(nc, "demo.talk", "hello"), "publish");
    while (got < 10000 && natsSubscription_NextMsg(&msg, sub, 5000) == NATS_OK)
    {
        natsMsg_Destroy(msg);
        got++;
    }
    say("main:  10000 messages published, %d received in %lld ms", got, (long long)(now() - began));
    claim(got == 10000, "every message arrived");

    must(natsConnection_Subscribe(&help, nc, "demo.question", onQuestion, NULL), "subscribe");
    began = nats_NowMonotonicInNanoSeconds();
    must(natsConnection_RequestString(&msg, nc, "demo.question", "the answer?", 2000), "request");
    say("main:  request answered with \"%.*s\" in %.2f ms", natsMsg_GetDataLength(msg), natsMsg_GetData(msg),
        (double)(nats_NowMonotonicInNanoSeconds() - began) / 1e6);
    natsMsg_Destroy(msg);
    natsSubscription_Destroy(help);
    natsSubscription_Destroy(sub);
}

/* Waits for both connections to notice, asking main for its status all the while. */
static void watchDetection(natsConnection *mainNc, natsConnection *guard, int64_t frozenAt)
{
    int64_t     mainBound   = (int64_t)(MAX_PINGS_OUT + 1) * MAIN_PING_MS;
    int64_t     guardBound  = (int64_t)(MAX_PINGS_OUT + 1) * GUARD_PING_MS;
    int64_t     slowest     = 0;
    int64_t     deadline    = frozenAt + mainBound + 5000;
    bool        blockedSaid = false;
    bool        guardSaid   = false;
    const char *text        = NULL;
    natsStatus  why;

    while (now() < deadline && (atomic_load(&mainDisconnectedAt) == 0 || !guardSaid))
    {
        int64_t before  = now();
        int64_t waiting = atomic_load(&lastPublishAt);

        (void)natsConnection_Status(mainNc);
        if (now() - before > slowest)
            slowest = now() - before;
        if (!blockedSaid && waiting != 0 && before - waiting > 100)
        {
            blockedSaid = true;
            say("main:  after %d messages the server's window is full: Publish waits for room",
                atomic_load(&published));
        }
        if (!guardSaid && atomic_load(&guardClosedAt) != 0)
        {
            guardSaid = true;
            why       = natsConnection_GetLastError(guard, &text);
            say("guard: given up %lld ms after the freeze; why: %s (%s)",
                (long long)(atomic_load(&guardDisconnectedAt) - frozenAt), text ? text : "?",
                natsStatus_GetText(why));
            claim(why == NATS_STALE_CONNECTION, "the reason is a stale connection: PINGs without PONG");
            claim(atomic_load(&guardDisconnectedAt) - frozenAt <= guardBound + SLACK_MS,
                  "within (%d + 1) x %d ms", MAX_PINGS_OUT, GUARD_PING_MS);
        }
        nats_Sleep(2);
    }
    if (!guardSaid)
        claim(false, "the idle connection noticed that the server is dead");

    if (atomic_load(&mainDisconnectedAt) == 0)
    {
        claim(false, "the publishing connection noticed that the server is dead");
        return;
    }
    say("main:  disconnected %lld ms after the freeze, while publishing; reconnecting",
        (long long)(atomic_load(&mainDisconnectedAt) - frozenAt));
    claim(atomic_load(&mainDisconnectedAt) - frozenAt <= mainBound + SLACK_MS, "within (%d + 1) x %d ms",
          MAX_PINGS_OUT, MAIN_PING_MS);
    claim(slowest <= 200, "natsConnection_Status answered all the while (slowest: %lld ms)",
          (long long)slowest);
}

static bool allBufferedArrived(int count)
{
    int i;

    for (i = 0; i < count; i++)
        if (fates[i] == BUFFERED && atomic_load(&arrivals[i]) == 0)
            return false;
    return true;
}

static void account(int count)
{
    int sent = 0, sentArrived = 0, buffered = 0, bufferedArrived = 0, refused = 0, refusedArrived = 0,
        twice = 0;
    int i;

    for (i = 0; i < count; i++)
    {
        int n = atomic_load(&arrivals[i]);

        twice += n > 1;
        sent += fates[i] == SENT;
        sentArrived += fates[i] == SENT && n > 0;
        buffered += fates[i] == BUFFERED;
        bufferedArrived += fates[i] == BUFFERED && n > 0;
        refused += fates[i] == REFUSED;
        refusedArrived += fates[i] == REFUSED && n > 0;
    }
    say("main:  of %d messages", count);
    printf("            %7d published while connected:    %d arrived, %d lost with the dead connection\n",
           sent, sentArrived, sent - sentArrived);
    printf("            %7d published while reconnecting: %d arrived, %d missing\n", buffered,
           bufferedArrived, buffered - bufferedArrived);
    printf("            %7d refused by Publish:           %d arrived\n", refused, refusedArrived);
    claim(buffered > 0 && buffered == bufferedArrived, "every buffered message arrived");
    claim(!atomic_load(&orderBroken), "the buffered messages arrived in order");
    claim(twice == 0, "none arrived twice");
    claim(refusedArrived == 0, "none arrived that Publish refused");
}

static void freezeAndThaw(natsConnection *nc, natsConnection *guard, pid_t server)
{
    natsSubscription *sub  = NULL;
    natsMsg          *msg  = NULL;
    natsSubscription *help = NULL;
    pthread_t         publisher;
    int64_t           frozenAt, thawedAt, deadline;
    int               count;

    heading("3. The server freezes while the program publishes");
    must(natsConnection_Subscribe(&sub, nc, "demo.numbers", onNumber, NULL), "subscribe");
    must(natsSubscription_SetPendingLimits(sub, -1, -1), "pending limits");
    must(natsConnection_Subscribe(&help, nc, "demo.question", onQuestion, NULL), "subscribe");
    must(natsConnection_Flush(nc), "flush");
    if (pthread_create(&publisher, NULL, publishNumbers, nc) != 0)
        exit(1);
    nats_Sleep(300);

    frozenAt = now();
    if (kill(server, SIGSTOP) != 0)
    {
        perror("SIGSTOP");
        exit(1);
    }
    atomic_store(&frozen, true);
    say("kill -STOP %d: the server neither reads nor answers, its sockets stay open", (int)server);
    watchDetection(nc, guard, frozenAt);

    nats_Sleep(1000);
    say("main:  the longest Publish call took %lld ms; publishing goes on into the reconnect buffer",
        (long long)atomic_load(&longestPublish));

    heading("4. The server comes back");
    thawedAt = now();
    kill(server, SIGCONT);
    say("kill -CONT %d", (int)server);
    if (!waitFor(&mainReconnectedAt, 10000))
    {
        claim(false, "the connection came back");
        return;
    }
    say("main:  reconnected %lld ms after the server came back",
        (long long)(atomic_load(&mainReconnectedAt) - thawedAt));
    nats_Sleep(200);
    atomic_store(&stop, true);
    pthread_join(publisher, NULL);
    count = atomic_load(&published);
    must(natsConnection_FlushTimeout(nc, 5000), "flush");

    deadline = now() + 10000;
    while (!allBufferedArrived(count) && now() < deadline)
        nats_Sleep(10);
    nats_Sleep(300); /* for anything that should not come */
    account(count);

    must(natsConnection_RequestString(&msg, nc, "demo.question", "still there?", 2000),
         "request after the reconnect");
    natsMsg_Destroy(msg);
    claim(true, "the subscriptions are back: messages and a request reach them");
    claim(atomic_load(&disconnects) == 1 && atomic_load(&reconnects) == 1,
          "disconnected once, reconnected once");

    natsSubscription_Destroy(help);
    natsSubscription_Destroy(sub);
}

int main(int argc, char **argv)
{
    natsConnection *guard = NULL;
    natsConnection *nc    = NULL;

    if (argc != 3 || atoi(argv[2]) <= 1)
    {
        fprintf(stderr, "usage: %s URL SERVER_PID\n", argv[0]);
        return 2;
    }
    signal(SIGALRM, gaveUp);
    alarm(LIMIT_SECONDS);
    must(nats_Open(-1), "open");
    startedAt = now();
    printf("libnats %s\n", nats_GetVersion());

    heading("1. Connect");
    guard = connectGuard(argv[1]);
    nc    = connectMain(argv[1]);
    talk(nc);
    freezeAndThaw(nc, guard, (pid_t)atoi(argv[2]));

    natsConnection_Destroy(nc);
    natsConnection_Destroy(guard);
    nats_Close();
    if (failures > 0)
        printf("\ndemo: %d claim(s) FAILED\n", failures);
    else
        printf("\ndemo: everything went as promised\n");
    return failures == 0 ? 0 : 1;
}
