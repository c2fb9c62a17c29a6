// Processes forked from one that uses the library: what is random or counted starts anew, nothing that
// another thread of the parent was doing is waited for, and what the parent has is left alone.

#include "certs.h"
#include "fixture.h"
#include "server.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// ---- children ----

enum
{
    CHILD_SECONDS = 60
};

// Ends a child well. By another program: valgrind would count what the parent's threads had on their stacks
// as lost.
static _Noreturn void child_end(void)
{
    execlp("true", "true", (char *)NULL);
    _exit(1);
}

// Runs body in a child, which has to end within CHILD_SECONDS. A CHECK that fails in it fails the test.
static pid_t child_start(void (*body)(void *), void *arg)
{
    pid_t pid = fork();

    if (pid == 0)
    {
        alarm(CHILD_SECONDS);
        body(arg);
        child_end();
    }
    CHECK(pid > 0);
    return pid;
}

static void child_wait(pid_t pid)
{
    int status = -1;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    CHECK_MSG(!WIFSIGNALED(status) || WTERMSIG(status) != SIGALRM, "a child hung");
    CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a child failed (wait status %d)", status);
}

static void child(void (*body)(void *), void *arg)
{
    child_wait(child_start(body, arg));
}

// ---- everything starts anew ----

enum
{
    INBOXES   = 5,
    PROCESSES = 20,
    INBOX_LEN = 29
};

static void write_inboxes(void *fd)
{
    for (int i = 0; i < INBOXES; i++)
    {
        natsInbox *inbox = NULL;

        CHECK_OK(natsInbox_Create(&inbox));
        CHECK_INT(strlen(inbox), INBOX_LEN);
        CHECK_INT(write(*(int *)fd, inbox, INBOX_LEN), INBOX_LEN);
        natsInbox_Destroy(inbox);
    }
}

static int by_inbox(const void *a, const void *b)
{
    return memcmp(a, b, INBOX_LEN);
}

// The parent has made inboxes, but never connected.
TEST(inboxes_of_all_processes_differ)
{
    char inboxes[(PROCESSES + 1) * INBOXES][INBOX_LEN];
    int  ends[2];

    CHECK(pipe(ends) == 0);
    write_inboxes(&ends[1]);
    for (int i = 0; i < PROCESSES; i++)
        child(write_inboxes, &ends[1]);
    close(ends[1]);
    CHECK_INT(read(ends[0], inboxes, sizeof inboxes), sizeof inboxes);
    qsort(inboxes, sizeof inboxes / INBOX_LEN, INBOX_LEN, by_inbox);
    for (size_t i = 1; i < sizeof inboxes / INBOX_LEN; i++)
        CHECK_MSG(memcmp(inboxes[i], inboxes[i - 1], INBOX_LEN) != 0, "%.29s came twice", inboxes[i]);
}

static void echo(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)sub;
    (void)closure;
    natsConnection_Publish(nc, natsMsg_GetReply(msg), natsMsg_GetData(msg), natsMsg_GetDataLength(msg));
    natsMsg_Destroy(msg);
}

typedef struct
{
    const char *url;
    int         go; // readable once all have connected
    int         connected;
} prefork;

static void ask_for_echoes(void *arg)
{
    prefork        *p  = arg;
    natsConnection *nc = NULL;
    char            own[32], c = 0;

    CHECK_OK(natsConnection_ConnectTo(&nc, p->url));
    CHECK_INT(write(p->connected, "c", 1), 1);
    CHECK_INT(read(p->go, &c, 1), 1);
    for (int i = 0; i < 100; i++)
    {
        natsMsg *msg = NULL;

        snprintf(own, sizeof own, "%d asks %d", getpid(), i);
        CHECK_OK(natsConnection_RequestString(&msg, nc, "echo", own, 10000));
        CHECK_INT(natsMsg_GetDataLength(msg), strlen(own));
        CHECK_MSG(memcmp(natsMsg_GetData(msg), own, strlen(own)) == 0, "%s, and the answer is %.*s", own,
                  natsMsg_GetDataLength(msg), natsMsg_GetData(msg));
        natsMsg_Destroy(msg);
    }
    natsConnection_Destroy(nc);
}

// Workers of one parent, which made an inbox before it forked them, ask at the same time.
TEST(replies_go_to_the_process_that_asked)
{
    server           *s     = server_start(NULL, NULL);
    natsConnection   *nc    = NULL;
    natsSubscription *sub   = NULL;
    natsInbox        *inbox = NULL;
    int               go[2], connected[2];
    pid_t             workers[4];
    char              c;

    CHECK(pipe(go) == 0 && pipe(connected) == 0);
    CHECK_OK(natsInbox_Create(&inbox));
    natsInbox_Destroy(inbox);
    for (int i = 0; i < 4; i++)
        workers[i] = child_start(ask_for_echoes, &(prefork){server_url(s), go[0], connected[1]});
    CHECK_OK(natsConnection_ConnectTo(&nc, server_url(s)));
    CHECK_OK(natsConnection_Subscribe(&sub, nc, "echo", echo, NULL));
    CHECK_OK(natsConnection_Flush(nc));
    for (int i = 0; i < 4; i++)
        CHECK_INT(read(connected[0], &c, 1), 1);
    CHECK_INT(write(go[1], "gggg", 4), 4);
    for (int i = 0; i < 4; i++)
        child_wait(workers[i]);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
    server_stop(s);
}

static void close_the_library(void *unused)
{
    (void)unused;
    CHECK_STATUS(nats_CloseAndWait(5000), NATS_NOT_INITIALIZED);
    CHECK_OK(nats_Open(-1));
    CHECK_OK(nats_CloseAndWait(5000));
}

static void fork_in_callback(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    natsMsg_Destroy(msg);
    child(close_the_library, NULL);
    events_add(closure, "forked", NATS_OK, NULL);
}

// The child of a callback's thread is no thread of the library.
TEST(a_child_made_in_a_callback)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;

    fixture_connect(&f);
    CHECK_OK(natsConnection_Subscribe(&sub, f.nc, "foo", fork_in_callback, f.ev));
    CHECK_OK(natsConnection_Flush(f.nc));
    mock_send(f.m, "MSG foo 1 1\r\nx\r\n");
    WAIT_EVENT(f.ev, "forked", 1, 1000 * CHILD_SECONDS);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

static void count_thread(void *closure)
{
    atomic_fetch_add((atomic_int *)closure, 1);
}

static void open_with_the_same(void *started)
{
    atomic_int before = atomic_load((atomic_int *)started);

    CHECK_OK(nats_Open(-1));
    WAIT_FOR(atomic_load((atomic_int *)started) > before, 5000);
    CHECK_OK(nats_CloseAndWait(5000));
    before = atomic_load((atomic_int *)started);
    CHECK_OK(nats_Open(-1));
    CHECK_OK(nats_CloseAndWait(5000));
    CHECK_INT(atomic_load((atomic_int *)started), before);
}

// A child's library opens with the configuration that its parent gave.
TEST(children_inherit_the_configuration)
{
    static atomic_int started;
    natsClientConfig config = {.ThreadStartedHandler = count_thread, .ThreadStartedHandlerClosure = &started};

    CHECK_OK(nats_OpenWithConfig(&config));
    child(open_with_the_same, &started);
    CHECK_OK(nats_CloseAndWait(5000));
}

// ---- children of a busy parent ----

typedef struct
{
    server           *s;
    natsOptions      *opts;
    natsConnection   *nc;
    natsSubscription *sub, *sync;
    natsMsg          *msg[50];
    natsInbox        *inbox;
    atomic_bool       stop;
    pthread_t         threads[4];
} busy;

static void *publish_and_ask(void *arg)
{
    busy *b        = arg;
    char  text[64] = {0};

    for (unsigned i = 0; !b->stop; i++)
    {
        natsMsg *msg = NULL;

        CHECK_OK(natsConnection_Publish(b->nc, "load", text, 40 + (int)(i % 20)));
        if (i % 100 == 0)
            CHECK_OK(natsConnection_FlushTimeout(b->nc, 10000));
        if (i % 1000 == 0)
            CHECK_STATUS(natsConnection_RequestString(&msg, b->nc, "nobody", "x", 10000), NATS_NO_RESPONDERS);
    }
    return NULL;
}

static void *make_objects(void *arg)
{
    busy *b = arg;

    while (!b->stop)
    {
        natsInbox   *inbox = NULL;
        natsOptions *opts  = NULL;
        natsMsg     *msg   = NULL;

        CHECK_OK(natsInbox_Create(&inbox));
        CHECK_OK(natsOptions_Create(&opts));
        CHECK_OK(natsOptions_SetName(b->opts, inbox));
        CHECK_OK(natsMsg_Create(&msg, inbox, NULL, inbox, 29));
        natsMsg_Destroy(msg);
        natsOptions_Destroy(opts);
        natsInbox_Destroy(inbox);
    }
    return NULL;
}

static void *connect_with_shared_options(void *arg)
{
    busy *b = arg;

    while (!b->stop)
    {
        natsConnection *nc = NULL;

        CHECK_OK(natsConnection_Connect(&nc, b->opts));
        natsConnection_Destroy(nc);
    }
    return NULL;
}

static void busy_start(busy *b)
{
    b->s = server_start(NULL, NULL);
    CHECK_OK(natsOptions_Create(&b->opts));
    CHECK_OK(natsOptions_SetURL(b->opts, server_url(b->s)));
    CHECK_OK(natsConnection_Connect(&b->nc, b->opts));
    CHECK_OK(natsConnection_SubscribeSync(&b->sync, b->nc, "kept"));
    CHECK_OK(natsInbox_Create(&b->inbox));
    for (int i = 0; i < 50; i++)
    {
        CHECK_OK(natsConnection_PublishString(b->nc, "kept", "x"));
        CHECK_OK(natsSubscription_NextMsg(&b->msg[i], b->sync, 10000));
    }
    CHECK_OK(natsConnection_Subscribe(&b->sub, b->nc, "load", on_msg_ignored, NULL));
    CHECK(pthread_create(&b->threads[0], NULL, publish_and_ask, b) == 0);
    CHECK(pthread_create(&b->threads[1], NULL, publish_and_ask, b) == 0);
    CHECK(pthread_create(&b->threads[2], NULL, make_objects, b) == 0);
    CHECK(pthread_create(&b->threads[3], NULL, connect_with_shared_options, b) == 0);
}

static void busy_stop(busy *b)
{
    b->stop = true;
    for (int i = 0; i < 4; i++)
        pthread_join(b->threads[i], NULL);
    CHECK_OK(natsConnection_Flush(b->nc)); // unharmed
    for (int i = 0; i < 50; i++)
        natsMsg_Destroy(b->msg[i]);
    natsInbox_Destroy(b->inbox);
    natsSubscription_Destroy(b->sub);
    natsSubscription_Destroy(b->sync);
    natsConnection_Destroy(b->nc);
    natsOptions_Destroy(b->opts);
    CHECK_OK(nats_CloseAndWait(10000));
    server_stop(b->s);
}

static void on_own_msg(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)nc;
    (void)sub;
    natsMsg_Destroy(msg);
    atomic_store((atomic_bool *)closure, true);
}

// All that one does with a connection.
static void use_a_connection(natsConnection *nc)
{
    natsSubscription *sync = NULL, *async = NULL;
    natsMsg          *msg    = NULL;
    atomic_bool       called = false;
    char              subject[32];

    snprintf(subject, sizeof subject, "child.%d", getpid());
    CHECK_STATUS(natsConnection_RequestString(&msg, nc, "nobody", "x", 10000), NATS_NO_RESPONDERS);
    CHECK_OK(natsConnection_SubscribeSync(&sync, nc, subject));
    CHECK_OK(natsConnection_Subscribe(&async, nc, subject, on_own_msg, &called));
    CHECK_OK(natsConnection_PublishString(nc, subject, "x"));
    CHECK_OK(natsSubscription_NextMsg(&msg, sync, 10000));
    natsMsg_Destroy(msg);
    WAIT_FOR(atomic_load(&called), 10000);
    natsSubscription_Destroy(sync);
    natsSubscription_Destroy(async);
    natsConnection_Destroy(nc);
}

static void connect_in_child(void *arg)
{
    busy           *b    = arg;
    natsOptions    *opts = NULL;
    natsConnection *nc   = NULL;

    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetURL(opts, server_url(b->s)));
    CHECK_OK(natsConnection_Connect(&nc, opts));
    natsOptions_Destroy(opts);
    use_a_connection(nc);
    CHECK_OK(nats_CloseAndWait(10000));
}

static void free_what_is_inherited(void *arg)
{
    busy      *b     = arg;
    natsInbox *inbox = NULL;

    natsInbox_Destroy(b->inbox);
    for (int i = 0; i < 50; i++)
        natsMsg_Destroy(b->msg[i]);
    CHECK_OK(natsInbox_Create(&inbox));
    natsInbox_Destroy(inbox);
    CHECK_OK(natsOptions_SetName(b->opts, "child"));
    CHECK_OK(natsConnection_Connect(&b->nc, b->opts)); // the parent's own stays as it is
    use_a_connection(b->nc);
    natsOptions_Destroy(b->opts);
    nats_ReleaseThreadMemory();
}

// Each of these calls comes back, whatever locks the parent's threads hold.
static void use_what_belongs_to_the_parent(void *arg)
{
    busy             *b    = arg;
    natsMsg          *msg  = NULL;
    natsSubscription *sub  = NULL;
    char            **urls = NULL;
    char              text[100];
    int               count   = 0;
    int64_t           pending = 0;

    CHECK_STATUS(natsConnection_PublishString(b->nc, "foo", "x"), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsConnection_FlushTimeout(b->nc, 1000), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsConnection_RequestString(&msg, b->nc, "foo", "x", 1000), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsConnection_SubscribeSync(&sub, b->nc, "foo"), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsConnection_GetServers(b->nc, &urls, &count), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsConnection_GetConnectedUrl(b->nc, text, sizeof text), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsConnection_GetRTT(b->nc, &pending), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsConnection_Drain(b->nc), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsConnection_Reconnect(b->nc), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsSubscription_NextMsg(&msg, b->sync, 1000), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsSubscription_Unsubscribe(b->sync), NATS_ILLEGAL_STATE);
    CHECK_STATUS(natsSubscription_GetDelivered(b->sub, &pending), NATS_ILLEGAL_STATE);
    // To those that give no status it is a closed connection.
    CHECK_INT(natsConnection_Status(b->nc), NATS_CONN_STATUS_CLOSED);
    CHECK(natsConnection_IsClosed(b->nc));
    CHECK(!natsConnection_IsReconnecting(b->nc));
    CHECK(!natsConnection_IsDraining(b->nc));
    CHECK_INT(natsConnection_Buffered(b->nc), -1);
    CHECK_INT(natsConnection_GetMaxPayload(b->nc), 0);
    natsConnection_ProcessReadEvent(b->nc);
    natsConnection_ProcessWriteEvent(b->nc);
    natsSubscription_Destroy(b->sub);
    natsSubscription_Destroy(b->sync);
    natsConnection_Close(b->nc);
    natsConnection_Destroy(b->nc);
    nats_Close();
}

static void under_load(void (*body)(void *), int children)
{
    static busy b;

    if (!server_available())
        SKIP("no nats-server");
    busy_start(&b);
    for (int i = 0; i < children; i++)
        child(body, &b);
    busy_stop(&b);
}

TEST_T(children_connect_while_the_parent_works, 120000)
{
    under_load(connect_in_child, 60);
}

TEST_T(children_free_what_they_inherit, 120000)
{
    under_load(free_what_is_inherited, 60);
}

TEST_T(children_use_what_belongs_to_the_parent, 120000)
{
    under_load(use_what_belongs_to_the_parent, 100);
}

// ---- other ways to make a child ----

static void publish_is_refused(natsConnection *nc)
{
    CHECK_STATUS(natsConnection_PublishString(nc, "foo", "from the child"), NATS_ILLEGAL_STATE);
}

// clone() runs no handlers of pthread_atfork.
TEST(a_child_that_nobody_announced)
{
    fixture f = fixture_create();
    pid_t   pid;

    fixture_connect(&f);
    pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
    {
        alarm(CHILD_SECONDS);
        publish_is_refused(f.nc);
        child_end();
    }
    CHECK(pid > 0);
    child_wait(pid);
    CHECK_OK(natsConnection_FlushTimeout(f.nc, 5000));
    CHECK_INT(mock_pubs(f.m, 1), 0);
    fixture_destroy(&f);
}

// Such children share the parent's memory.
TEST(starting_programs_disturbs_nothing)
{
    fixture f = fixture_create();
    pid_t   pid;

    fixture_connect(&f);
    CHECK_INT(system("true"), 0);
    pid = vfork();
    if (pid == 0)
    {
        execlp("true", "true", (char *)NULL);
        _exit(1);
    }
    child_wait(pid);
    CHECK_OK(natsConnection_PublishString(f.nc, "foo", "x"));
    CHECK_OK(natsConnection_FlushTimeout(f.nc, 5000));
    fixture_destroy(&f);
}

// ---- TLS ----

static atomic_int  asked;
static atomic_bool answer;

static int wait_for_leave(int ok, void *context)
{
    (void)context;
    atomic_fetch_add(&asked, 1);
    WAIT_FOR(atomic_load(&answer), 30000);
    return ok;
}

static void *connect_slowly(void *opts)
{
    natsConnection *nc = NULL;

    CHECK_OK(natsConnection_Connect(&nc, opts));
    natsConnection_Destroy(nc);
    return NULL;
}

static void connect_at_once(void *opts)
{
    natsConnection *nc = NULL;

    atomic_store(&answer, true);
    CHECK_OK(natsConnection_Connect(&nc, opts));
    use_a_connection(nc);
}

// A thread of the parent is in its verification callback, which runs for one handshake at a time.
TEST_T(a_child_does_not_wait_for_its_parents_handshake, 120000)
{
    natsOptions *opts = NULL;
    char        *config;
    server      *s;
    pthread_t    thread;

    if (!server_available())
        SKIP("no nats-server");
    certs_make();
    config = cert_server_config("server-ip", "timeout: 90\n");
    s      = server_start(config, NULL);
    free(config);
    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetURL(opts, server_url(s)));
    CHECK_OK(natsOptions_SetSecure(opts, true));
    CHECK_OK(natsOptions_SetTimeout(opts, 60000));
    CHECK_OK(natsOptions_LoadCATrustedCertificates(opts, cert("ca.pem")));
    CHECK_OK(natsOptions_SetSSLVerificationCallback(opts, wait_for_leave));
    CHECK(pthread_create(&thread, NULL, connect_slowly, opts) == 0);
    WAIT_FOR(atomic_load(&asked) > 0, 10000);
    child(connect_at_once, opts);
    atomic_store(&answer, true);
    pthread_join(thread, NULL);
    natsOptions_Destroy(opts);
    CHECK_OK(nats_CloseAndWait(10000));
    server_stop(s);
}

static void *set_up_tls(void *unused)
{
    natsOptions *opts = NULL;

    (void)unused;
    CHECK_OK(natsOptions_Create(&opts));
    CHECK_OK(natsOptions_SetSecure(opts, true));
    CHECK_OK(natsOptions_SetCiphers(opts, "HIGH"));
    natsOptions_Destroy(opts);
    return NULL;
}

static void set_up_in_child(void *unused)
{
    set_up_tls(unused);
}

static void fork_while_tls_begins(void *microseconds)
{
    pthread_t thread;

    CHECK_OK(nats_Open(-1));
    CHECK(pthread_create(&thread, NULL, set_up_tls, NULL) == 0);
    pace_us(*(unsigned *)microseconds);
    child(set_up_in_child, NULL);
    pthread_join(thread, NULL);
}

// The first use of TLS in a process makes OpenSSL ready, once: a fork does not cut that.
TEST_T(forked_while_tls_is_set_up, 120000)
{
    natsOptions *opts = NULL;

    CHECK_OK(natsOptions_Create(&opts));
    for (unsigned us = 0; us < 3000; us += 500)
        child(fork_while_tls_begins, &us);
    natsOptions_Destroy(opts);
}

// ---- locks of the program ----

static pthread_mutex_t programs_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool     forks_over;

static void take_programs_lock(void)
{
    pthread_mutex_lock(&programs_lock);
}

static void give_programs_lock(void)
{
    pthread_mutex_unlock(&programs_lock);
}

static void *set_url_under_the_lock(void *opts)
{
    while (!atomic_load(&forks_over))
    {
        take_programs_lock();
        CHECK_OK(natsOptions_SetURL(opts, "nats://localhost:4222"));
        give_programs_lock();
    }
    return NULL;
}

static void use_programs_lock(void *opts)
{
    take_programs_lock();
    CHECK_OK(natsOptions_SetURL(opts, "nats://localhost:4222"));
    give_programs_lock();
}

// A program keeps a lock of its own in order across forks, as POSIX teaches, and calls the library with it.
// Neither of the two that hold something the other one needs waits.
TEST(a_lock_of_the_program_with_handlers)
{
    natsOptions *opts = NULL;
    pthread_t    thread;

    CHECK_INT(pthread_atfork(take_programs_lock, give_programs_lock, give_programs_lock), 0);
    CHECK_OK(natsOptions_Create(&opts));
    CHECK_INT(pthread_create(&thread, NULL, set_url_under_the_lock, opts), 0);
    for (int i = 0; i < 50; i++)
        child(use_programs_lock, opts);
    atomic_store(&forks_over, true);
    CHECK_INT(pthread_join(thread, NULL), 0);
    natsOptions_Destroy(opts);
}
