#include "scarce.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#define COUNTED     4096
#define MOST_ROUNDS 3000

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t align, size_t size);

// The code of libnats; nobody else is refused anything.
static uintptr_t lib_start, lib_end;

static atomic_bool   armed;
static atomic_int    seen, fails; // allocations of this round, and which of them fails
static __thread bool thread_armed;

static bool refused(size_t size, void *caller)
{
    if (size < COUNTED || (uintptr_t)caller - lib_start >= lib_end - lib_start || !(armed || thread_armed))
        return false;
    if (!thread_armed && atomic_fetch_add(&seen, 1) + 1 != fails)
        return false;
    errno = ENOMEM;
    return true;
}

// Not a function: what it asks for is who called malloc.
#define REFUSED(size) refused((size), __builtin_return_address(0))

void *malloc(size_t size)
{
    return REFUSED(size) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return REFUSED(count * size) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return REFUSED(size) ? NULL : __libc_realloc(memory, size);
}

int posix_memalign(void **memory, size_t align, size_t size)
{
    *memory = REFUSED(size) ? NULL : __libc_memalign(align, size);
    return *memory == NULL ? ENOMEM : 0;
}

static int find_code(struct dl_phdr_info *info, size_t size, void *address)
{
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++)
    {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t start        = info->dlpi_addr + part->p_vaddr;

        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) && (uintptr_t)address - start < part->p_memsz)
        {
            lib_start = start;
            lib_end   = start + part->p_memsz;
            return 1;
        }
    }
    return 0;
}

static void know_the_library(void)
{
    if (lib_end == 0)
        CHECK(dl_iterate_phdr(find_code, dlsym(RTLD_DEFAULT, "nats_Open")) == 1);
}

// An abort names the allocation that caused it.
static void on_abort(int sig)
{
    void *frames[60];

    backtrace_symbols_fd(frames, backtrace(frames, 60), STDERR_FILENO);
    signal(sig, SIG_DFL);
    raise(sig);
}

int each_fails_once(void (*work)(void))
{
    know_the_library();
    signal(SIGABRT, on_abort);
    for (int n = 1;; n++)
    {
        fails = n;
        seen  = 0;
        work();
        CHECK(!armed);
        if (seen < n)
            return n - 1;
        CHECK_MSG(n < MOST_ROUNDS, "no end");
    }
}

void scarce(bool on)
{
    armed = on;
}

bool scarce_failed(void)
{
    return seen >= fails;
}

void none_for_this_thread(bool on)
{
    know_the_library();
    thread_armed = on;
}

natsStatus ok_or_no_memory(natsStatus s)
{
    CHECK_MSG(s == NATS_OK || s == NATS_NO_MEMORY, "status %d", (int)s);
    return s;
}

void failed_or_no_memory(natsStatus s, natsStatus expected)
{
    CHECK_MSG(s == expected || s == NATS_NO_MEMORY, "status %d", (int)s);
}

char *long_text(size_t len)
{
    char *text = malloc(len + 1);

    memset(text, 't', len);
    text[len] = '\0';
    return text;
}
