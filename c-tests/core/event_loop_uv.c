// The libuv adapter on a real libuv loop.

#include <nats/adapters/libuv.h>

#include "adapter_suite.h"

static void *adapter_create(void)
{
    uv_loop_t *loop = malloc(sizeof *loop);

    natsLibuv_Init();
    CHECK(uv_loop_init(loop) == 0);
    return loop;
}

static void adapter_use(void *loop, natsOptions *opts)
{
    CHECK_OK(natsOptions_SetEventLoop(opts, loop, natsLibuv_Attach, natsLibuv_Read, natsLibuv_Write,
                                      natsLibuv_Detach));
}

static void adapter_run(void *loop)
{
    natsLibuv_SetThreadLocalLoop(loop);
    uv_run(loop, UV_RUN_DEFAULT);
    natsLibuv_SetThreadLocalLoop(NULL);
}

// Fails when the adapter left a handle behind.
static void adapter_free(void *loop)
{
    CHECK_INT(uv_loop_close(loop), 0);
    free(loop);
}

// Without the thread's loop being known, everything goes through the wake-up.
TEST(thread_that_is_not_announced)
{
    mock  *m = mock_create();
    client c = client_create(mock_url(m));

    CHECK_OK(natsConnection_Connect(&c.nc, c.opts));
    CHECK_OK(natsConnection_PublishString(c.nc, "foo", "x"));
    mock_close(m, MOCK_LATEST);
    start_loop(&c.r);
    WAIT_EVENT(c.ev, "reconnected", 1, 5000);
    client_end(&c);
    mock_destroy(m);
}
