// Where this library is deliberately better than the reference (declared differences, always on, nothing to
// set). The reference fails or hangs in most of these tests.

#include "calls.h"
#include "fixture.h"
#include "hand.h"
#include "loop.h"
#include "server.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum
{
    I      = 200,   // ping interval
    OUT    = 2,     // max pings out
    BOUND  = 3 * I, // stale without a PONG
    LATE   = 500,   // of a busy machine
    PROMPT = 50,    // for calls that must not wait for anybody
};

// ---- a publisher that writes as fast as it may ----

typedef struct
{
    natsConnection *nc;
    pthread_t       thread;
    pthread_mutex_t lock;
    bool            stop;
    int64_t         call_began; // 0: not inside a call
    int64_t         longest;
    int64_t         calls, failed;
    natsStatus      last;
} publisher;

static void *publish_all_the_time(void *arg)
{
    static char data[4096];
    publisher  *p = arg;
    bool        stop;

    do
    {
        int64_t    t = now_ms(), took;
        natsStatus s;

        pthread_mutex_lock(&p->lock);
        p->call_began = t;
        pthread_mutex_unlock(&p->lock);
        s    = natsConnection_Publish(p->nc, "foo", data, sizeof data);
        took = now_ms() - t;
        pthread_mutex_lock(&p->lock);
        p->call_began = 0;
        p->longest    = took > p->longest ? took : p->longest;
        p->calls++;
        p->failed += s != NATS_OK;
        p->last = s;
        stop    = p->stop;
        pthread_mutex_unlock(&p->lock);
        if (s != NATS_OK)
            pace_ms(1);
    } while (!stop);
    return NULL;
}

static void start_publisher(publisher *p, natsConnection *nc)
{
    memset(p, 0, sizeof *p);
    p->nc = nc;
    pthread_mutex_init(&p->lock, NULL);
    CHECK(pthread_create(&p->thread, NULL, publish_all_the_time, p) == 0);
}

// How long the call that is under way has taken so far.
static int64_t stuck_for(publisher *p)
{
    int64_t ms;

    pthread_mutex_lock(&p->lock);
    ms = p->call_began ? now_ms() - p->call_began : 0;
    pthread_mutex_unlock(&p->lock);
    return ms;
}

static void stop_publisher(publisher *p)
{
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
}

// A peer that has stopped reading, with a publisher blocked on it.
static fixture frozen_peer(publisher *p, int64_t interval, bool reconnect)
{
    fixture f = fixture_pinging(interval, OUT, reconnect);

    mock_receive_buffer(f.m, 4096);
    mock_record(f.m, false);
    fixture_connect(&f);
    mock_frozen(f.m, true);
    events_start_clock(f.ev);
    start_publisher(p, f.nc);
    return f;
}

// ---- 1: stale while publishing ----

TEST(stale_while_publishing)
{
    publisher p;
    fixture   f = frozen_peer(&p, I, true);

    WAIT_EVENT(f.ev, "disconnected", 1, 12000);
    // The PONG of the handshake was the last: never before two ticks, never later than one more than the
    // bound.
    CHECK_RANGE(events_ms(f.ev, "disconnected", 1), BOUND - I - 20, BOUND + I + LATE);
    mock_frozen(f.m, false);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    stop_publisher(&p);
    CHECK_MSG(p.longest <= BOUND + I + LATE, "a publish took %lld ms", (long long)p.longest);
    CHECK_INT(events_count(f.ev, "error"), 0);
    CHECK_OK(natsConnection_FlushTimeout(f.nc, 5000));
    fixture_destroy(&f);
}

TEST(stale_while_publishing_without_reconnect)
{
    publisher p;
    fixture   f = frozen_peer(&p, I, false);
    event     e;

    WAIT_EVENT(f.ev, "closed", 1, 12000);
    CHECK(events_get(f.ev, "closed", 1, &e));
    CHECK_INT(e.status, NATS_STALE_CONNECTION);
    CHECK_INT(events_count(f.ev, "disconnected"), 1);
    stop_publisher(&p);
    CHECK_STATUS(p.last, NATS_CONNECTION_CLOSED);
    CHECK_MSG(p.longest <= BOUND + I + LATE, "a publish took %lld ms", (long long)p.longest);
    fixture_destroy(&f);
}

// The message that was cut off in the full socket is not continued on the next connection: whole frames only.
TEST(nothing_half_sent_after_a_stale_publisher)
{
    publisher p;
    fixture   f = frozen_peer(&p, I, true);
    size_t    len;
    char     *raw;

    mock_stop_listening(f.m);
    WAIT_EVENT(f.ev, "disconnected", 1, 12000);
    mock_record(f.m, true);
    mock_frozen(f.m, false);
    mock_listen_again(f.m);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    stop_publisher(&p);
    CHECK_OK(natsConnection_FlushTimeout(f.nc, 5000));
    raw = mock_raw(f.m, 2, &len);
    CHECK(len > 8 && strncmp(raw, "CONNECT ", 8) == 0);
    for (int i = 1; i < mock_lines(f.m, 2); i++)
    {
        char *line = mock_line(f.m, 2, i);

        // The payload is all zeroes: an empty string.
        CHECK_MSG(!*line || strcmp(line, "PING") == 0 || strcmp(line, "PONG") == 0 ||
                      strcmp(line, "PUB foo 4096") == 0,
                  "line %d: %.60s", i, line);
        free(line);
    }
    free(raw);
    fixture_destroy(&f);
}

// A Flush that waits behind a full socket ends with the connection, and says so.
TEST(stale_while_a_flush_is_blocked)
{
    publisher p;
    fixture   f = frozen_peer(&p, I, false);
    flushing  c;

    flush_begin(&c, f.nc, 20000);
    WAIT_EVENT(f.ev, "closed", 1, 12000);
    CHECK_STATUS(flush_end(&c), NATS_CONNECTION_CLOSED);
    CHECK_RANGE(c.took, 0, BOUND + I + LATE);
    stop_publisher(&p);
    fixture_destroy(&f);
}

// ---- 1: Status, Close, Reconnect at any time ----

static void wait_until_stuck(publisher *p)
{
    WAIT_FOR(stuck_for(p) >= 100, 5000);
}

TEST(status_while_a_publish_is_blocked)
{
    publisher p;
    fixture   f = frozen_peer(&p, 0, true);
    int64_t   t;
    char      url[128];

    wait_until_stuck(&p);
    t = now_ms();
    CHECK_INT(natsConnection_Status(f.nc), NATS_CONN_STATUS_CONNECTED);
    CHECK(!natsConnection_IsClosed(f.nc));
    CHECK(!natsConnection_IsReconnecting(f.nc));
    CHECK_INT(natsConnection_ReadLastError(f.nc, url, sizeof url), NATS_OK);
    CHECK_OK(natsConnection_GetConnectedUrl(f.nc, url, sizeof url));
    CHECK_RANGE(now_ms() - t, 0, PROMPT);
    natsConnection_Close(f.nc);
    stop_publisher(&p);
    fixture_destroy(&f);
}

TEST(close_while_a_publish_is_blocked)
{
    publisher p;
    fixture   f = frozen_peer(&p, 0, true);
    int64_t   t;

    wait_until_stuck(&p);
    t = now_ms();
    natsConnection_Close(f.nc);
    CHECK_RANGE(now_ms() - t, 0, PROMPT);
    CHECK(natsConnection_IsClosed(f.nc));
    stop_publisher(&p);
    CHECK_STATUS(p.last, NATS_CONNECTION_CLOSED);
    WAIT_EVENT(f.ev, "closed", 1, 1000);
    fixture_destroy(&f);
}

TEST(reconnect_while_a_publish_is_blocked)
{
    publisher p;
    fixture   f = frozen_peer(&p, 0, true);
    int64_t   t;

    wait_until_stuck(&p);
    t = now_ms();
    CHECK_OK(natsConnection_Reconnect(f.nc));
    CHECK_RANGE(now_ms() - t, 0, PROMPT);
    mock_frozen(f.m, false);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    stop_publisher(&p);
    CHECK_OK(natsConnection_FlushTimeout(f.nc, 5000));
    fixture_destroy(&f);
}

// ---- 2: one stuck connection is nobody else's business ----

TEST(an_unrelated_connection_keeps_its_own_bound)
{
    publisher p;
    fixture   stuck = frozen_peer(&p, I / 2, true);
    fixture   other = fixture_pinging(I, OUT, true);

    wait_until_stuck(&p);
    mock_mute(other.m);
    fixture_connect(&other);
    WAIT_EVENT(other.ev, "disconnected", 1, 5000);
    CHECK_RANGE(events_ms(other.ev, "disconnected", 1), BOUND - 20, BOUND + 250);
    mock_auto_pong(other.m, true);
    WAIT_EVENT(other.ev, "reconnected", 1, 5000);
    natsConnection_Close(stuck.nc);
    stop_publisher(&p);
    fixture_destroy(&other);
    fixture_destroy(&stuck);
}

TEST(an_unrelated_healthy_connection_is_not_delayed)
{
    publisher p;
    fixture   stuck = frozen_peer(&p, I / 2, true);
    fixture   other = fixture_pinging(I, OUT, true);

    fixture_connect(&other);
    wait_until_stuck(&p);
    for (int i = 0; i < 50; i++)
    {
        int64_t t = now_ms();

        CHECK_OK(natsConnection_FlushTimeout(other.nc, 2000));
        CHECK_RANGE(now_ms() - t, 0, LATE);
        pace_ms(10);
    }
    CHECK(mock_pings(other.m, 1) >= 50 + 1);
    CHECK_INT(events_count(other.ev, "disconnected"), 0);
    natsConnection_Close(stuck.nc);
    stop_publisher(&p);
    fixture_destroy(&other);
    fixture_destroy(&stuck);
}

// The adapter of an event loop is the program's: what it does to one connection is not the others' business,
// and the verdict on its own one does not wait for it either.
TEST(an_adapter_that_blocks_delays_no_verdict)
{
    fixture stuck = fixture_pinging(I / 2, OUT, true);
    fixture other = fixture_pinging(I, OUT, true);
    hand   *h     = hand_create(stuck.ev);

    hand_use(h, stuck.opts);
    mock_mute(stuck.m);
    fixture_connect(&stuck);
    hand_block(h, "write on"); // for the first PING
    CHECK(hand_wait_blocked(h, 5000));
    mock_mute(other.m);
    fixture_connect(&other);
    WAIT_EVENT(other.ev, "disconnected", 1, 5000);
    CHECK_RANGE(events_ms(other.ev, "disconnected", 1), BOUND - 20, BOUND + LATE);
    CHECK_INT(natsConnection_Status(stuck.nc), NATS_CONN_STATUS_RECONNECTING);
    CHECK_INT(events_count(stuck.ev, "read off"), 0);
    hand_unblock(h);
    WAIT_EVENT(stuck.ev, "read off", 1, 5000);
    WAIT_EVENT(stuck.ev, "disconnected", 1, 5000);
    mock_auto_pong(other.m, true);
    hand_close(h);
    natsConnection_Close(stuck.nc);
    fixture_destroy(&other);
    WAIT_EVENT(stuck.ev, "detach", 1, 5000);
    CHECK_INT(hand_overlaps(h), 0);
    natsConnection_Destroy(stuck.nc);
    stuck.nc = NULL;
    hand_destroy(h);
    fixture_destroy(&stuck);
}

// ---- a busy client is no dead peer ----

TEST(a_pong_not_read_yet_counts)
{
    fixture f  = fixture_pinging(800, 1, true);
    events *ad = events_create();
    loop   *l  = loop_create(ad);

    loop_use(l, f.opts);
    loop_slow_reads(l, 900); // so the PONG to the first PING is read after the second one was due
    fixture_connect(&f);
    CHECK(mock_wait_pings(f.m, 1, 2, 10000));
    CHECK_INT(events_count(f.ev, "disconnected"), 0);
    loop_slow_reads(l, 0);
    natsConnection_Close(f.nc);
    WAIT_EVENT(ad, "detach", 1, 5000);
    fixture_destroy(&f);
    loop_destroy(l);
    events_destroy(ad);
}

// What lies unread puts the verdict off once, for half an interval.
TEST(a_dead_peer_is_found_though_bytes_lie_unread)
{
    fixture f  = fixture_pinging(I, 1, true);
    events *ad = events_create();
    loop   *l  = loop_create(ad);

    loop_use(l, f.opts);
    loop_slow_reads(l, 2000);
    mock_mute(f.m);
    fixture_connect(&f);
    mock_every(f.m, 5, "+OK\r\n");
    WAIT_EVENT(f.ev, "disconnected", 1, 10000);
    CHECK_RANGE(events_ms(f.ev, "disconnected", 1), 2 * I - 20, 2 * I + I / 2 + LATE);
    mock_every(f.m, 0, "");
    mock_auto_pong(f.m, true);
    loop_slow_reads(l, 0);
    WAIT_EVENT(f.ev, "reconnected", 1, 10000);
    natsConnection_Close(f.nc);
    WAIT_EVENT(ad, "detach", 1, 5000);
    fixture_destroy(&f);
    loop_destroy(l);
    events_destroy(ad);
}

// ---- 3: every inbound path has the same bound ----

TEST(stopped_server_while_publishing)
{
    server         *s    = server_start(NULL, NULL);
    events         *ev   = events_create();
    natsOptions    *opts = NULL;
    natsConnection *nc   = NULL;
    publisher       p;

    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetURL(opts, server_url(s)));
    CHECK_OK(natsOptions_SetPingInterval(opts, I));
    CHECK_OK(natsOptions_SetMaxPingsOut(opts, OUT));
    CHECK_OK(natsOptions_SetMaxReconnect(opts, -1));
    CHECK_OK(natsOptions_SetReconnectWait(opts, 50));
    events_handlers(ev, opts);
    CHECK_OK(natsConnection_Connect(&nc, opts));
    start_publisher(&p, nc);
    quiet_ms(2 * I);
    server_pause(s);
    events_start_clock(ev);
    WAIT_EVENT(ev, "disconnected", 1, 12000);
    CHECK_RANGE(events_ms(ev, "disconnected", 1), BOUND - I - 20, BOUND + I + LATE);
    server_resume(s);
    WAIT_EVENT(ev, "reconnected", 1, 10000);
    stop_publisher(&p);
    natsConnection_Destroy(nc);
    natsOptions_Destroy(opts);
    server_stop(s);
}

// ---- 4: signals ----

static void do_nothing(int sig)
{
    (void)sig;
}

static void signal_every_thread(int sig)
{
    DIR           *dir = opendir("/proc/self/task");
    struct dirent *e;

    CHECK(dir != NULL);
    while ((e = readdir(dir)) != NULL)
        if (e->d_name[0] != '.')
            syscall(SYS_tgkill, getpid(), atoi(e->d_name), sig);
    closedir(dir);
}

// Signals without SA_RESTART hit every thread of the process, over and over; a healthy connection does not
// notice.
TEST(signals_cost_no_connection)
{
    struct sigaction  action = {.sa_handler = do_nothing};
    fixture           f      = fixture_pinging(50, OUT, true);
    natsSubscription *sub    = NULL;
    char             *one    = frames("foo", 1, "data", 20);
    int               got    = 0;

    sigemptyset(&action.sa_mask);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK_OK(natsConnection_Flush(f.nc));
    for (int64_t end = now_ms() + 1500; now_ms() < end;)
    {
        natsMsg *msg = NULL;

        signal_every_thread(SIGUSR1);
        mock_write(f.m, MOCK_LATEST, one, strlen(one));
        CHECK_OK(natsConnection_PublishString(f.nc, "bar", "x"));
        CHECK_OK(natsConnection_FlushTimeout(f.nc, 5000));
        while (natsSubscription_NextMsg(&msg, sub, 1) == NATS_OK)
        {
            got++;
            natsMsg_Destroy(msg);
        }
    }
    CHECK_INT(events_count(f.ev, "disconnected"), 0);
    CHECK(got > 0);
    natsSubscription_Destroy(sub);
    free(one);
    fixture_destroy(&f);
}

// A wait that is interrupted goes on; it ends neither early nor late.
static pthread_t interrupted;
static bool      interrupting;

static void *interrupt(void *arg)
{
    (void)arg;
    while (__atomic_load_n(&interrupting, __ATOMIC_SEQ_CST))
    {
        pthread_kill(interrupted, SIGUSR1);
        pace_ms(5);
    }
    return NULL;
}

TEST(signals_cut_no_call_short)
{
    struct sigaction  action = {.sa_handler = do_nothing};
    fixture           f      = fixture_create();
    natsSubscription *sub    = NULL;
    natsMsg          *msg    = NULL;
    pthread_t         thread;
    int64_t           t;

    sigemptyset(&action.sa_mask);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    interrupted = pthread_self();
    __atomic_store_n(&interrupting, true, __ATOMIC_SEQ_CST);
    CHECK(pthread_create(&thread, NULL, interrupt, NULL) == 0);
    mock_on_accept(f.m, 1, MOCK_DRIP_INFO);
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    t = now_ms();
    CHECK_STATUS(natsSubscription_NextMsg(&msg, sub, 400), NATS_TIMEOUT);
    CHECK_RANGE(now_ms() - t, 390, 400 + LATE);
    mock_mute(f.m);
    t = now_ms();
    CHECK_STATUS(natsConnection_FlushTimeout(f.nc, 400), NATS_TIMEOUT);
    CHECK_RANGE(now_ms() - t, 390, 400 + LATE);
    __atomic_store_n(&interrupting, false, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

// ---- 7: subjects that would write protocol ----

TEST(subjects_cannot_write_protocol)
{
    static const char *const bad[] = {"a b", "a\r\nPING", "a\nb", "a\rb", " a", "a ", "\r\n"};
    fixture                  f     = fixture_create();
    natsMsg                 *reply = NULL, *msg = NULL;

    fixture_connect(&f);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    {
        CHECK_STATUS(natsConnection_Publish(f.nc, bad[i], "x", 1), NATS_INVALID_SUBJECT);
        CHECK_STATUS(natsConnection_PublishString(f.nc, bad[i], "x"), NATS_INVALID_SUBJECT);
        CHECK_STATUS(natsConnection_PublishRequestString(f.nc, "ok", bad[i], "x"), NATS_INVALID_SUBJECT);
        CHECK_STATUS(natsConnection_RequestString(&reply, f.nc, bad[i], "x", 100), NATS_INVALID_SUBJECT);
        CHECK_OK(natsMsg_Create(&msg, "ok", bad[i], "x", 1));
        CHECK_STATUS(natsConnection_PublishMsg(f.nc, msg), NATS_INVALID_SUBJECT);
        natsMsg_Destroy(msg);
    }
    CHECK_OK(natsConnection_PublishString(f.nc, "fine", "x"));
    CHECK_OK(natsConnection_Flush(f.nc));
    CHECK_INT(mock_pubs(f.m, 1), 1);
    CHECK_INT(mock_pings(f.m, 1), 1);
    fixture_destroy(&f);
}

// ---- 8: a Flush whose PING cannot be written ----

TEST(flush_that_cannot_be_written)
{
    static char data[16384];
    fixture     f = fixture_pinging(0, 2, false);
    natsStatus  s = NATS_OK;
    int64_t     t;

    CHECK_OK(natsOptions_SetWriteDeadline(f.opts, 300));
    mock_receive_buffer(f.m, 4096);
    mock_record(f.m, false);
    fixture_connect(&f);
    mock_frozen(f.m, true);
    while (s == NATS_OK)
        s = natsConnection_Publish(f.nc, "foo", data, sizeof data);
    t = now_ms();
    s = natsConnection_FlushTimeout(f.nc, 2000);
    CHECK_MSG(s != NATS_OK, "a Flush that wrote nothing says OK");
    CHECK_RANGE(now_ms() - t, 0, 2000 + LATE);
    fixture_destroy(&f);
}

// The write fails in the Flush itself: what was published waits in the buffer, the PING meets a full socket.
TEST(flush_into_a_full_socket)
{
    static char data[256 * 1024];
    fixture     f = fixture_pinging(0, 2, true);

    CHECK_OK(natsOptions_SetWriteDeadline(f.opts, 300));
    mock_receive_buffer(f.m, 4096);
    mock_record(f.m, false);
    fixture_connect(&f);
    mock_frozen(f.m, true);
    while (events_count(f.ev, "disconnected") == 0)
    {
        int64_t    t;
        natsStatus s;

        natsConnection_Publish(f.nc, "foo", data, sizeof data); // fails at some point, and may
        t = now_ms();
        s = natsConnection_FlushTimeout(f.nc, 100);
        CHECK_MSG(s != NATS_OK, "nobody has read, and Flush says OK");
        CHECK_RANGE(now_ms() - t, 0, 300 + LATE);
    }
    mock_frozen(f.m, false);
    fixture_destroy(&f);
}

// ---- 9: fork ----

enum
{
    CHILD_OK     = 0,
    CHILD_STATUS = 10, // + the status that was not ILLEGAL_STATE
};

static void child_calls(natsConnection *nc, natsSubscription *sub)
{
    natsMsg          *msg   = NULL;
    natsSubscription *other = NULL;
    natsStatus        s;

    alarm(5);
    if ((s = natsConnection_PublishString(nc, "foo", "from the child")) != NATS_ILLEGAL_STATE)
        _exit(CHILD_STATUS + s);
    if ((s = natsConnection_FlushTimeout(nc, 500)) != NATS_ILLEGAL_STATE)
        _exit(CHILD_STATUS + s);
    if ((s = natsConnection_SubscribeSync(&other, nc, "foo")) != NATS_ILLEGAL_STATE)
        _exit(CHILD_STATUS + s);
    if ((s = natsConnection_RequestString(&msg, nc, "foo", "x", 100)) != NATS_ILLEGAL_STATE)
        _exit(CHILD_STATUS + s);
    if ((s = natsSubscription_NextMsg(&msg, sub, 100)) != NATS_ILLEGAL_STATE)
        _exit(CHILD_STATUS + s);
    natsConnection_Close(nc); // must not reach the parent's server
    _exit(CHILD_OK);
}

TEST(fork_leaves_the_parent_alone)
{
    fixture           f   = fixture_pinging(I, OUT, true);
    natsSubscription *sub = NULL;
    int               status;
    pid_t             pid;

    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK_OK(natsConnection_Flush(f.nc));
    pid = fork();
    if (pid == 0)
        child_calls(f.nc, sub);
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CHECK_MSG(WIFEXITED(status), "the child hung or crashed (signal %d)", WTERMSIG(status));
    CHECK_MSG(WEXITSTATUS(status) == CHILD_OK, "a call in the child returned %s",
              natsStatus_GetText((natsStatus)(WEXITSTATUS(status) - CHILD_STATUS)));
    CHECK_OK(natsConnection_PublishString(f.nc, "foo", "from the parent"));
    CHECK_OK(natsConnection_FlushTimeout(f.nc, 5000));
    CHECK_INT(mock_pubs(f.m, 1), 1);
    quiet_ms(2 * BOUND);
    CHECK_INT(events_count(f.ev, "disconnected"), 0);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

// A child that opens its own connection gets one.
TEST(child_may_connect_anew)
{
    fixture f = fixture_create();
    int     status;
    pid_t   pid;

    fixture_connect(&f);
    pid = fork();
    if (pid == 0)
    {
        natsConnection *nc = NULL;

        alarm(5);
        if (natsConnection_ConnectTo(&nc, mock_url(f.m)) != NATS_OK ||
            natsConnection_FlushTimeout(nc, 2000) != NATS_OK)
            _exit(1);
        natsConnection_Destroy(nc);
        _exit(0);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child could not connect (wait status %d)",
              status);
    CHECK_OK(natsConnection_FlushTimeout(f.nc, 5000));
    fixture_destroy(&f);
}
