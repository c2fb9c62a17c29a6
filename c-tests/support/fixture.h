// One mock, one recorder, one set of options and one connection: what most tests of a connection start from.

#ifndef C_TESTS_SUPPORT_FIXTURE_H
#define C_TESTS_SUPPORT_FIXTURE_H

#include "mock.h"
#include "test.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct
{
    mock           *m;
    events         *ev;
    natsOptions    *opts;
    natsConnection *nc;
} fixture;

// Mock, recorder and options: the mock's URL, all handlers recording, reconnect wait 50 ms, no jitter,
// connect timeout 5 s (a slow machine must not change what is tested). Not connected yet.
fixture fixture_create(void);

// Same with these ping settings and reconnect allowed or not.
fixture fixture_pinging(int64_t interval_ms, int max_pings_out, bool reconnect);

// Connects (a failure fails the test) and restarts the clock of the recorder.
void fixture_connect(fixture *f);

// Both in one: connected, with nothing special about it or with these ping settings.
fixture fixture_connected(void);
fixture fixture_connected_pinging(int64_t interval_ms, int max_pings_out, bool reconnect);

// The server goes away and no connect succeeds; returns when the client is reconnecting.
void fixture_lose(fixture *f);

// It is back; returns when the client is reconnected and its callback is through.
void fixture_regain(fixture *f);

// What the mock has sent so far is read by the client when this returns: it has answered PINGs that came
// after it.
void fixture_read(fixture *f);

// The client's flush is answered, and the answer is read, when this returns. `pings` is how many PINGs there
// were before.
void fixture_flush_read(fixture *f, int pings);

// Closes, waits until the closed callback is through, destroys everything.
void fixture_destroy(fixture *f);

// Sends count messages of subject foo for sid; returns when the client has read them.
void fixture_deliver(fixture *f, int sid, const char *data, int count);

// Options as they are created. Fails the test when they cannot be.
natsOptions *fresh_options(void);

// How many servers the client knows, or knows from INFO only.
int server_count(natsConnection *nc);
int discovered_count(natsConnection *nc);

// MSG frames for sid, count of them, as one text to free.
char *frames(const char *subject, int sid, const char *data, int count);

#ifdef __cplusplus
}
#endif

#endif
