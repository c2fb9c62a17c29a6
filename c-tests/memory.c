// Every allocation of the library from 4 KiB up fails once, for each family of calls: the call says so, or the connection
// ends with it; the process lives, and everything works again afterwards.

#include "fixture.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>

#define COUNTED 4096

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t align, size_t size);

// The code of libnats; nobody else is refused anything.
static uintptr_t lib_start, lib_end;

static atomic_bool armed;
static atomic_long seen, fails; // allocations since then, and which of them fails

static bool refused(size_t size, void *caller)
{
    if (!armed || size < COUNTED || (uintptr_t)caller < lib_start || (uintptr_t)caller >= lib_end)
        return false;
    if (atomic_fetch_add(&seen, 1) + 1 != fails)
        return false;
    errno = ENOMEM;
    return true;
}

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
        const ElfW(Phdr) *part  = &info->dlpi_phdr[i];
        uintptr_t         start = info->dlpi_addr + part->p_vaddr;

        if (part->p_type == PT_LOAD && (uintptr_t)address - start < part->p_memsz)
        {
            lib_start = start;
            lib_end   = start + part->p_memsz;
            return 1;
        }
    }
    return 0;
}

// Runs `work` until nothing fails any more; gives how many allocations it made.
static long each_fails_once(void (*work)(void))
{
    CHECK(dl_iterate_phdr(find_code, dlsym(RTLD_DEFAULT, "nats_Open")) == 1);
    for (long n = 1;; n++)
    {
        fails = n;
        seen  = 0;
        work();
        CHECK(!armed);
        if (seen < n)
            return n - 1;
        CHECK_MSG(n < 2000, "no end");
    }
}

static void arm(bool on)
{
    armed = on;
}

static void ok_or_no_memory(natsStatus s)
{
    CHECK_MSG(s == NATS_OK || s == NATS_NO_MEMORY, "status %d", (int)s);
}

static char *long_text(size_t len)
{
    char *text = malloc(len + 1);

    memset(text, 't', len);
    text[len] = '\0';
    return text;
}

static void make_messages(void)
{
    natsMsg     *msg  = NULL;
    char        *text = long_text(100000), key[16];
    const char **list = NULL;
    int          count;
    natsStatus   s;

    arm(true);
    ok_or_no_memory(s = natsMsg_Create(&msg, text, text, text, 100000));
    CHECK((msg == NULL) == (s != NATS_OK));
    if (msg != NULL)
    {
        ok_or_no_memory(s = natsMsgHeader_Set(msg, "long", text));
        if (s != NATS_OK)
            CHECK_INT(natsMsgHeader_EncodedLength(msg) > 100000, 0);
        for (int i = 0; i < 1500; i++)
        {
            snprintf(key, sizeof key, "k%d", i);
            ok_or_no_memory(natsMsgHeader_Set(msg, key, key));
            ok_or_no_memory(natsMsgHeader_Add(msg, "same", key));
        }
        list = NULL;
        ok_or_no_memory(natsMsgHeader_Keys(msg, &list, &count));
        free((void *)list);
        list = NULL;
        ok_or_no_memory(natsMsgHeader_Values(msg, "same", &list, &count));
        free((void *)list);
        s = natsMsgHeader_Delete(msg, text);
        CHECK(s == NATS_NOT_FOUND || s == NATS_NO_MEMORY);
    }
    arm(false);
    natsMsg_Destroy(msg);
    free(text);
}

TEST(messages_of_the_program)
{
    CHECK(each_fails_once(make_messages) > 10);
}

static void make_headers(void)
{
    natsHeader  *h    = NULL;
    char        *text = long_text(100000), key[16];
    const char **list = NULL;
    int          count;

    CHECK_OK(natsHeader_New(&h));
    arm(true);
    ok_or_no_memory(natsHeader_Set(h, text, text));
    for (int i = 0; i < 1500; i++)
    {
        snprintf(key, sizeof key, "k%d", i);
        ok_or_no_memory(natsHeader_Add(h, key, key));
    }
    ok_or_no_memory(natsHeader_Keys(h, &list, &count));
    arm(false);
    free((void *)list);
    natsHeader_Destroy(h);
    free(text);
}

TEST(headers_of_the_program)
{
    CHECK(each_fails_once(make_headers) > 10);
}

// A block of headers, for the caller to free.
static char *many_headers(int count)
{
    char *block = malloc((size_t)count * 48 + 20000), *at = block;

    at += sprintf(at, "NATS/1.0\r\n");
    for (int i = 0; i < count; i++)
        at += sprintf(at, "key-%d: value\r\nsame: %d\r\n", i, i);
    at += sprintf(at, "folded: a\r\n %s\r\n\r\n", "0123456789");
    return block;
}

// Messages with everything that may be large, an INFO, and one that tells that all was taken.
static void send_all(mock *m, const char *block, const char *body, int body_len)
{
    int len = (int)strlen(block);

    mock_send(m, "MSG foo 1 %d\r\n", body_len);
    mock_write(m, 1, body, (size_t)body_len);
    mock_send(m, "\r\nHMSG foo 1 %d %d\r\n", len, len + 1);
    mock_write(m, 1, block, (size_t)len);
    mock_send(m, "x\r\nMSG ");
    mock_write(m, 1, body, 10000);
    sleep_ms(1); // so that the line is kept
    mock_send(m, " 1 1\r\nx\r\n");
    mock_send(m, "INFO {\"max_payload\":1000,\"connect_urls\":[");
    for (int i = 0; i < 600; i++)
        mock_send(m, "%s\"10.0.%d.%d:1\"", i ? "," : "", i / 200, i % 200);
    mock_send(m, "]}\r\n");
    for (int i = 0; i < 30; i++)
        mock_send(m, "%s", "MSG foo 1 1\r\nx\r\nMSG foo 1 1\r\nx\r\nMSG foo 1 1\r\nx\r\nMSG foo 1 1\r\nx\r\n");
    mock_send(m, "MSG foo 1 3\r\nend\r\n");
}

static natsStatus look_at(natsMsg *msg)
{
    const char *value = NULL;
    natsStatus  s     = natsMsgHeader_Get(msg, "same", &value);

    CHECK_MSG(s == NATS_OK || s == NATS_NO_MEMORY || s == NATS_NOT_FOUND, "status %d", (int)s);
    return s;
}

static void receive(void)
{
    fixture           f   = fixture_create();
    natsSubscription *sub = NULL;
    natsMsg          *msg = NULL;
    char             *block = many_headers(1000), *body = long_text(3 << 20);
    bool              ended = false;
    natsStatus        s;

    CHECK_OK(natsOptions_SetAllowReconnect(f.opts, false));
    fixture_connect(&f);
    CHECK_OK(natsConnection_SubscribeSync(&sub, f.nc, "foo"));
    CHECK_OK(natsConnection_Flush(f.nc));
    arm(true);
    send_all(f.m, block, body, 3 << 20);
    while (!ended && (s = natsSubscription_NextMsg(&msg, sub, 10000)) == NATS_OK)
    {
        look_at(msg);
        ended = natsMsg_GetDataLength(msg) == 3;
        natsMsg_Destroy(msg);
    }
    arm(false);
    if (!ended)
    {
        char text[256];

        // Either the connection is gone, or a message was dropped.
        CHECK_STATUS(s, NATS_CONNECTION_CLOSED);
        WAIT_EVENT(f.ev, "closed", 1, 5000);
        CHECK_STATUS(natsConnection_ReadLastError(f.nc, text, sizeof text), NATS_NO_MEMORY);
    }
    free(block);
    free(body);
    natsSubscription_Destroy(sub);
    fixture_destroy(&f);
}

TEST_T(messages_of_a_server, 120000)
{
    CHECK(each_fails_once(receive) > 5);
}
