// Shortage of memory: each allocation of the library from 4 KiB up fails once. A program that uses this has
// the C library's allocation functions replaced, for the library's calls only.

#ifndef C_TESTS_SUPPORT_SCARCE_H
#define C_TESTS_SUPPORT_SCARCE_H

#include "test.h"

#ifdef __cplusplus
extern "C" {
#endif

// Runs `work`, which says what is to fail with scarce(), again and again: in the nth round the nth allocation
// fails. Ends when nothing fails any more; returns how many allocations there were.
int each_fails_once(void (*work)(void));

// Allocations count from now on, or do not.
void scarce(bool on);

// Whether the one that was to fail in this round has failed.
bool scarce_failed(void);

// While on, all allocations of the calling thread from 4 KiB up fail.
void none_for_this_thread(bool on);

// A text of len characters, to free.
char *long_text(size_t len);

// Fails the test for another status. Returns it.
natsStatus ok_or_no_memory(natsStatus s);

// The same where the call fails anyway.
void failed_or_no_memory(natsStatus s, natsStatus expected);

#ifdef __cplusplus
}
#endif

#endif
