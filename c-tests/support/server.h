// A real nats-server as a child process: binary from the environment variable NATS_SERVER, else `nats-server`
// on the PATH. It listens on a free port of 127.0.0.1 and dies with the test program, however that ends.
// Start servers from the main thread: they are also killed when the thread that started them ends.

#ifndef C_TESTS_SUPPORT_SERVER_H
#define C_TESTS_SUPPORT_SERVER_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct server server;

// False when there is no server binary: tests then SKIP.
bool server_available(void);

// Starts a server and waits until it accepts clients (at most 10 s, else the test fails).
//   config     text of a configuration file, or NULL. "%port" in it is replaced by the port, "%dir" by a
//   fresh directory. arguments  further command-line arguments separated by blanks, or NULL.
// Without "%port" in the config the port is given on the command line. Skips the test when there is no
// binary.
server *server_start(const char *config, const char *arguments);

// With JetStream in a fresh directory.
server *server_start_jetstream(void);

// Starts on that port (0: a free one).
server *server_start_on(int port, const char *config, const char *arguments);

// Kills it, removes its directory and frees s. NULL is allowed.
void server_stop(server *s);

int         server_port(const server *s);
int         server_pid(const server *s);
const char *server_url(const server *s); // "nats://127.0.0.1:PORT"
const char *server_dir(const server *s); // its fresh directory (configuration, JetStream store, log)

void server_pause(server *s);     // SIGSTOP
void server_resume(server *s);    // SIGCONT
void server_kill(server *s);      // SIGKILL and wait: connections end without a word
void server_shutdown(server *s);  // SIGTERM and wait: a clean end
void server_lame_duck(server *s); // SIGUSR2

// After server_kill or server_shutdown (or while it runs: kills it first): the same port, directory and
// arguments.
void server_restart(server *s);

// Signal of any kind.
void server_signal(server *s, int sig);

#ifdef __cplusplus
}
#endif

#endif
