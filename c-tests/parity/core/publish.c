// Publishing: statuses of every argument, and the bytes that leave.

#include "fixture.h"
#include "trace.h"
#include "wire.h"

#define T(call) trace_status(#call, call)

static void counts(natsConnection *nc)
{
    natsStatistics *stats = NULL;
    uint64_t        in = 0, in_bytes = 0, out = 0, out_bytes = 0;

    natsStatistics_Create(&stats);
    T(natsConnection_GetStats(nc, stats));
    natsStatistics_GetCounts(stats, &in, &in_bytes, &out, &out_bytes, NULL);
    natsStatistics_Destroy(stats);
    trace("in %d/%d out %d/%d", (int)in, (int)in_bytes, (int)out, (int)out_bytes);
}

static void arguments(void)
{
    fixture         f = fixture_create();
    natsConnection *nc;
    natsMsg        *msg = NULL;

    trace_scenario("arguments");
    mock_info(f.m, MOCK_ALL, "{\"max_payload\":20,\"headers\":true}");
    fixture_connect(&f);
    nc = f.nc;
    natsMsg_Create(&msg, "foo", "re", "hello", 5);

    T(natsConnection_Publish(NULL, "foo", "a", 1));
    T(natsConnection_Publish(nc, NULL, "a", 1));
    T(natsConnection_Publish(nc, "", "a", 1));
    T(natsConnection_Publish(nc, "foo", "a", 1));
    T(natsConnection_Publish(nc, "foo", NULL, 0));
    T(natsConnection_Publish(nc, "foo", "", 0));
    T(natsConnection_Publish(nc, "foo", "a\0b\r\nc", 6));
    T(natsConnection_Publish(nc, "foo", "12345678901234567890", 20));
    T(natsConnection_Publish(nc, "foo", "123456789012345678901", 21));
    T(natsConnection_PublishString(NULL, "foo", "a"));
    T(natsConnection_PublishString(nc, NULL, "a"));
    T(natsConnection_PublishString(nc, "", "a"));
    T(natsConnection_PublishString(nc, "foo", NULL));
    T(natsConnection_PublishString(nc, "foo", "string"));
    T(natsConnection_PublishString(nc, "foo", "123456789012345678901"));
    T(natsConnection_PublishMsg(NULL, msg));
    T(natsConnection_PublishMsg(nc, NULL));
    T(natsConnection_PublishMsg(nc, msg));
    T(natsConnection_PublishMsg(nc, msg));
    T(natsConnection_PublishRequest(NULL, "foo", "re", "a", 1));
    T(natsConnection_PublishRequest(nc, NULL, "re", "a", 1));
    T(natsConnection_PublishRequest(nc, "", "re", "a", 1));
    T(natsConnection_PublishRequest(nc, "foo", NULL, "a", 1));
    T(natsConnection_PublishRequest(nc, "foo", "", "a", 1));
    T(natsConnection_PublishRequest(NULL, "foo", "", "a", 1));
    T(natsConnection_PublishRequest(nc, "foo", "re", "a", 1));
    T(natsConnection_PublishRequest(nc, "foo", "re", NULL, 0));
    T(natsConnection_PublishRequestString(NULL, "foo", "re", "a"));
    T(natsConnection_PublishRequestString(nc, NULL, "re", "a"));
    T(natsConnection_PublishRequestString(nc, "foo", NULL, "a"));
    T(natsConnection_PublishRequestString(nc, "foo", "", "a"));
    T(natsConnection_PublishRequestString(nc, "foo", "re", "a"));
    T(natsConnection_PublishRequestString(nc, "foo", "re", NULL));
    T(natsConnection_Send(NULL, "foo", "a", 1));
    T(natsConnection_Send(nc, NULL, "a", 1));
    T(natsConnection_Send(nc, "", "a", 1));
    T(natsConnection_Send(nc, "foo", "a", 1));
    T(natsConnection_Send(nc, "foo", NULL, 0));
    T(natsConnection_Send(nc, "foo", "123456789012345678901", 21));
    T(natsConnection_SendMsg(NULL, msg));
    T(natsConnection_SendMsg(nc, NULL));
    T(natsConnection_SendMsg(nc, msg));
    T(natsConnection_SendRequest(NULL, "foo", "re", "a", 1));
    T(natsConnection_SendRequest(nc, NULL, "re", "a", 1));
    T(natsConnection_SendRequest(nc, "foo", NULL, "a", 1));
    T(natsConnection_SendRequest(nc, "foo", "", "a", 1));
    T(natsConnection_SendRequest(nc, "foo", "re", "a", 1));
    T(natsConnection_Publish(nc, "..", "a", 1));
    T(natsConnection_Publish(nc, "foo.*.>", "a", 1));
    T(natsConnection_Publish(nc, ".foo.", "a", 1));
    T(natsConnection_Publish(nc, "caf\xc3\xa9\xff", "a", 1));
    wire_trace(f.m, 1, nc);
    counts(nc);

    natsConnection_Close(nc);
    trace("-- closed");
    T(natsConnection_Publish(nc, "", "a", 1));
    T(natsConnection_Publish(nc, "foo", "a", 1));
    T(natsConnection_Publish(nc, "foo", "123456789012345678901", 21));
    T(natsConnection_PublishString(nc, "foo", "a"));
    T(natsConnection_PublishMsg(nc, msg));
    T(natsConnection_PublishRequest(nc, "foo", "re", "a", 1));
    T(natsConnection_PublishRequest(nc, "foo", "", "a", 1));
    T(natsConnection_PublishRequestString(nc, "foo", "re", "a"));
    T(natsConnection_Send(nc, "foo", "a", 1));
    T(natsConnection_SendMsg(nc, msg));
    T(natsConnection_SendRequest(nc, "foo", "re", "a", 1));
    counts(nc);
    natsMsg_Destroy(msg);
    fixture_destroy(&f);
}

static void headers(void)
{
    fixture  f   = fixture_create();
    natsMsg *msg = NULL;

    trace_scenario("headers count");
    mock_info(f.m, MOCK_ALL, "{\"max_payload\":30,\"headers\":true}");
    fixture_connect(&f);
    natsMsg_Create(&msg, "foo", NULL, "0123456789", 10);
    natsMsgHeader_Set(msg, "k", "v");
    trace("encoded %d", natsMsgHeader_EncodedLength(msg));
    T(natsConnection_PublishMsg(f.nc, msg));
    T(natsMsgHeader_Set(msg, "k", "value"));
    T(natsConnection_PublishMsg(f.nc, msg));
    trace_last_error("publish");
    T(natsMsgHeader_Delete(msg, "k"));
    T(natsConnection_PublishMsg(f.nc, msg));
    T(natsMsgHeader_Set(msg, "", "value"));
    natsMsg_Destroy(msg);

    natsMsg_Create(&msg, "foo", "re", "", 0);
    T(natsMsgHeader_Set(msg, "a", "x\r\ny"));
    T(natsConnection_PublishMsg(f.nc, msg));
    T(natsMsgHeader_Set(msg, "a", NULL));
    T(natsConnection_SendMsg(f.nc, msg));
    natsMsg_Destroy(msg);

    natsMsg_Create(&msg, "foo", NULL, "never", 5);
    T(natsMsgHeader_Set(msg, NULL, "value"));
    T(natsMsgHeader_Delete(msg, "value"));
    T(natsConnection_PublishMsg(f.nc, msg));
    natsMsg_Destroy(msg);
    wire_trace(f.m, 1, f.nc);
    counts(f.nc);
    fixture_destroy(&f);
}

static void unsupported(void)
{
    fixture  f   = fixture_create();
    natsMsg *msg = NULL;

    trace_scenario("server without headers");
    mock_info(f.m, MOCK_ALL, "{\"max_payload\":1000}");
    fixture_connect(&f);
    T(natsConnection_HasHeaderSupport(f.nc));
    natsMsg_Create(&msg, "foo", NULL, "data", 4);
    T(natsConnection_PublishMsg(f.nc, msg));
    T(natsMsgHeader_Set(msg, "a", "x"));
    T(natsConnection_PublishMsg(f.nc, msg));
    T(natsConnection_SendMsg(f.nc, msg));
    T(natsMsgHeader_Delete(msg, "a"));
    T(natsConnection_PublishMsg(f.nc, msg));
    natsMsg_Destroy(msg);
    wire_trace(f.m, 1, f.nc);
    fixture_destroy(&f);
}

static void info_replaced(void)
{
    fixture f = fixture_create();

    trace_scenario("a later INFO counts");
    mock_info(f.m, MOCK_ALL, "{\"max_payload\":20,\"headers\":true}");
    fixture_connect(&f);
    T(natsConnection_Publish(f.nc, "foo", "123456", 6));
    mock_send(f.m, "INFO {\"max_payload\":5}\r\n");
    natsConnection_Flush(f.nc);
    trace("max payload %d", (int)natsConnection_GetMaxPayload(f.nc));
    T(natsConnection_HasHeaderSupport(f.nc));
    T(natsConnection_Publish(f.nc, "foo", "123456", 6));
    trace_last_error("publish");
    T(natsConnection_Publish(f.nc, "foo", "12345", 5));
    mock_send(f.m, "INFO {\"headers\":true}\r\n");
    natsConnection_Flush(f.nc);
    trace("max payload %d", (int)natsConnection_GetMaxPayload(f.nc));
    T(natsConnection_HasHeaderSupport(f.nc));
    T(natsConnection_Publish(f.nc, "foo", "1", 1));
    T(natsConnection_Publish(f.nc, "foo", "", 0));
    mock_send(f.m, "INFO {broken\r\n");
    T(natsConnection_Flush(f.nc));
    fixture_destroy(&f);
}

static void reconnect_buffer(int size)
{
    fixture f = fixture_create();

    trace("== reconnect buffer of %d", size);
    T(natsOptions_SetReconnectBufSize(f.opts, size));
    fixture_connect(&f);
    mock_stop_listening(f.m);
    mock_close(f.m, 1);
    WAIT_EVENT(f.ev, "disconnected", 1, 5000);
    WAIT_FOR(natsConnection_IsReconnecting(f.nc), 5000);
    for (int i = 0; i < 4; i++)
        T(natsConnection_Publish(f.nc, "foo", "abcde", 5));
    T(natsConnection_Send(f.nc, "foo", "abcde", 5));
    trace("buffered %d", natsConnection_Buffered(f.nc));
    counts(f.nc);
    mock_listen_again(f.m);
    WAIT_EVENT(f.ev, "reconnected", 1, 5000);
    T(natsConnection_Publish(f.nc, "bar", "after", 5));
    CHECK_OK(natsConnection_Flush(f.nc));
    trace("arrived %d", (int)mock_pubs(f.m, 2));
    fixture_destroy(&f);
}

int main(void)
{
    nats_Open(-1);
    arguments();
    headers();
    unsupported();
    info_replaced();
    reconnect_buffer(0);
    reconnect_buffer(17);
    reconnect_buffer(32);
    reconnect_buffer(1000);
    nats_Close();
    return 0;
}
