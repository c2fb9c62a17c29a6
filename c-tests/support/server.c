#include "scratch.h"
#include "server.h"

#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum
{
    MAX_ARGS = 64,
    MAX_LIVE = 64,
};

struct server
{
    pid_t pid; // 0: not running
    int   port;
    bool  stopped;
    char  url[64];
    char  dir[128];
    char *arguments;
    bool  has_config, port_in_config;
};

// Removed at exit when a test did not stop them.
static server *live[MAX_LIVE];
static pid_t   owner;

// ---- the binary ----

static bool executable(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static const char *binary(void)
{
    static char found[4096];
    const char *env = getenv("NATS_SERVER"), *path = getenv("PATH");

    if (env != NULL && *env != '\0')
        return executable(env) ? env : NULL;
    while (path != NULL && *path != '\0')
    {
        int len = (int)strcspn(path, ":");

        snprintf(found, sizeof found, "%.*s/nats-server", len, path);
        if (executable(found))
            return found;
        path += len + (path[len] == ':');
    }
    return NULL;
}

bool server_available(void)
{
    return binary() != NULL;
}

// ---- its directory ----

static void kill_and_reap(server *s)
{
    if (s->pid == 0)
        return;
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    s->pid     = 0;
    s->stopped = false;
}

static void clean_up(void)
{
    if (owner != getpid())
        return; // a fork of the program: the servers are its parent's
    for (int i = 0; i < MAX_LIVE; i++)
    {
        if (live[i] == NULL)
            continue;
        kill_and_reap(live[i]);
        remove_tree(live[i]->dir);
    }
}

static void remember(server *s)
{
    if (owner != getpid())
    {
        memset(live, 0, sizeof live);
        owner = getpid();
        test_at_end(clean_up);
    }
    for (int i = 0; i < MAX_LIVE; i++)
    {
        if (live[i] == NULL)
        {
            live[i] = s;
            return;
        }
    }
    FAIL("more than %d servers", MAX_LIVE);
}

static void forget(const server *s)
{
    for (int i = 0; i < MAX_LIVE; i++)
        if (live[i] == s)
            live[i] = NULL;
}

static void write_config(server *s, const char *config)
{
    char  path[160];
    FILE *f;

    snprintf(path, sizeof path, "%s/server.conf", s->dir);
    f = fopen(path, "w");
    CHECK(f != NULL);
    while (*config != '\0')
    {
        if (strncmp(config, "%port", 5) == 0)
        {
            s->port_in_config = true;
            fprintf(f, "%d", s->port);
            config += 5;
        }
        else if (strncmp(config, "%dir", 4) == 0)
        {
            fputs(s->dir, f);
            config += 4;
        }
        else
            fputc(*config++, f);
    }
    fclose(f);
    s->has_config = true;
}

// ---- starting ----

static void child(const char *path, char **argv, const char *log, pid_t parent)
{
    sigset_t none;
    int      fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(126);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(fd, 1);
    dup2(fd, 2);
    execv(path, argv);
    _exit(127);
}

static void launch(server *s)
{
    const char *path = binary();
    char        config[160], log[160], port[16];
    char       *argv[MAX_ARGS + 1], *words = s->arguments ? strdup(s->arguments) : NULL, *save = NULL;
    int         n      = 0;
    pid_t       parent = getpid();

    snprintf(config, sizeof config, "%s/server.conf", s->dir);
    snprintf(log, sizeof log, "%s/server.log", s->dir);
    snprintf(port, sizeof port, "%d", s->port);
    argv[n++] = (char *)"nats-server";
    argv[n++] = (char *)"-a";
    argv[n++] = (char *)"127.0.0.1";
    if (!s->port_in_config)
    {
        argv[n++] = (char *)"-p";
        argv[n++] = port;
    }
    if (s->has_config)
    {
        argv[n++] = (char *)"-c";
        argv[n++] = config;
    }
    for (char *w = words ? strtok_r(words, " ", &save) : NULL; w != NULL && n < MAX_ARGS;
         w       = strtok_r(NULL, " ", &save))
        argv[n++] = w;
    argv[n] = NULL;

    s->pid = fork();
    if (s->pid == 0)
        child(path, argv, log, parent);
    CHECK(s->pid > 0);
    s->stopped = false;
    free(words);
}

// A client port greets with INFO; a port that merely accepts could be a half-started server.
static bool greets(int port)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char          c     = 0;
    int           fd    = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pollfd p     = {fd, POLLIN, 0};
    bool          ready = connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0;

    // With TLS first there is no greeting: having been accepted for a while is all there is to see.
    if (ready && poll(&p, 1, 200) == 1)
        ready = recv(fd, &c, 1, 0) == 1 && c == 'I';
    close(fd);
    return ready;
}

static void show_log(const server *s)
{
    char  path[160], text[512];
    FILE *f;

    snprintf(path, sizeof path, "%s/server.log", s->dir);
    f = fopen(path, "r");
    while (f != NULL && fgets(text, sizeof text, f) != NULL)
        fprintf(stderr, "    nats-server: %s", text);
    if (f != NULL)
        fclose(f);
}

static void wait_ready(server *s)
{
    int64_t end = now_ms() + 10000;
    int     status;

    while (!greets(s->port))
    {
        if (waitpid(s->pid, &status, WNOHANG) == s->pid)
        {
            s->pid = 0;
            show_log(s);
            remove_tree(s->dir);
            FAIL("nats-server ended at once (status %d)", status);
        }
        if (now_ms() > end)
        {
            show_log(s);
            kill_and_reap(s);
            remove_tree(s->dir);
            FAIL("nats-server is not ready after 10 s");
        }
        pace_ms(10);
    }
}

server *server_start_on(int port, const char *config, const char *arguments)
{
    server     *s;
    const char *tmp = getenv("TMPDIR");

    if (!server_available())
        SKIP("no nats-server (set NATS_SERVER or have it on the PATH)");
    s       = calloc(1, sizeof *s);
    s->port = port ? port : free_port();
    snprintf(s->url, sizeof s->url, "nats://127.0.0.1:%d", s->port);
    snprintf(s->dir, sizeof s->dir, "%s/nats-c-tests-XXXXXX", tmp ? tmp : "/tmp");
    CHECK(mkdtemp(s->dir) != NULL);
    s->arguments = arguments ? strdup(arguments) : NULL;
    if (config != NULL)
        write_config(s, config);
    remember(s);
    launch(s);
    wait_ready(s);
    return s;
}

server *server_start(const char *config, const char *arguments)
{
    return server_start_on(0, config, arguments);
}

server *server_start_jetstream(void)
{
    return server_start("jetstream { store_dir: \"%dir\" }\n", NULL);
}

void server_stop(server *s)
{
    if (s == NULL)
        return;
    kill_and_reap(s);
    forget(s);
    remove_tree(s->dir);
    free(s->arguments);
    free(s);
}

// ---- the rest ----

int server_port(const server *s)
{
    return s->port;
}

int server_pid(const server *s)
{
    return s->pid;
}

const char *server_url(const server *s)
{
    return s->url;
}

const char *server_dir(const server *s)
{
    return s->dir;
}

void server_signal(server *s, int sig)
{
    if (s->pid != 0)
        kill(s->pid, sig);
}

void server_pause(server *s)
{
    int status;

    server_signal(s, SIGSTOP);
    // Until it has really stopped.
    waitpid(s->pid, &status, WUNTRACED);
    s->stopped = true;
}

void server_resume(server *s)
{
    server_signal(s, SIGCONT);
    s->stopped = false;
}

void server_kill(server *s)
{
    kill_and_reap(s);
}

void server_shutdown(server *s)
{
    if (s->pid == 0)
        return;
    if (s->stopped)
        server_resume(s);
    kill(s->pid, SIGTERM);
    waitpid(s->pid, NULL, 0);
    s->pid = 0;
}

void server_lame_duck(server *s)
{
    server_signal(s, SIGUSR2);
}

void server_restart(server *s)
{
    kill_and_reap(s);
    launch(s);
    wait_ready(s);
}
