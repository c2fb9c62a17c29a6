// The libevent adapter on a real libevent loop.

#include <nats/adapters/libevent.h>

#include "adapter_suite.h"

static void *adapter_create(void)
{
    natsLibevent_Init();
    return event_base_new();
}

static void adapter_use(void *loop, natsOptions *opts)
{
    CHECK_OK(natsOptions_SetEventLoop(opts, loop, natsLibevent_Attach, natsLibevent_Read, natsLibevent_Write,
                                      natsLibevent_Detach));
}

static void adapter_run(void *loop)
{
    event_base_dispatch(loop);
}

// Fails when the adapter left an event behind.
static void adapter_free(void *loop)
{
    CHECK_INT(event_base_get_num_events(loop, EVENT_BASE_COUNT_ADDED), 0);
    event_base_free(loop);
}

// The first socket comes from the library's thread, while the loop runs for another connection.
TEST(first_attached_while_running)
{
    mock           *m     = mock_create();
    client          c     = client_create(mock_url(m));
    natsConnection *later = NULL;

    client_connect(&c);
    CHECK_OK(natsOptions_SetRetryOnFailedConnect(c.opts, true, on_connected, c.ev));
    mock_stop_listening(m);
    CHECK_STATUS(natsConnection_Connect(&later, c.opts), NATS_NOT_YET_CONNECTED);
    mock_listen_again(m);
    WAIT_EVENT(c.ev, "connected", 1, 5000);
    CHECK_OK(natsConnection_Flush(later));
    natsConnection_Close(later);
    natsConnection_Destroy(later);
    natsConnection_Close(c.nc);
    end_loop(&c.r);
    natsConnection_Destroy(c.nc);
    natsOptions_Destroy(c.opts);
    CHECK_OK(nats_CloseAndWait(5000));
    events_destroy(c.ev);
    mock_destroy(m);
}
