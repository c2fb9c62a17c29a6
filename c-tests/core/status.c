// natsStatus_GetText() and the constants of statuses.

#include "test.h"

TEST(every_status_has_its_text)
{
    static const char *const texts[] = {
        "OK",
        "Error",
        "Protocol Error",
        "IO Error",
        "Line too long",
        "Connection Closed",
        "No server available for connection",
        "Stale Connection",
        "Secure Connection not available",
        "Secure Connection Required",
        "Connection Disconnected",
        "Authentication Violation",
        "Not Permitted",
        "Not Found",
        "TCP Address missing",
        "Invalid Subject",
        "Invalid Argument",
        "Invalid Subscription",
        "Invalid Timeout",
        "Illegal State",
        "Slow Consumer, messages dropped",
        "Maximum Payload Exceeded",
        "Maximum Messages Delivered",
        "Insufficient Buffer",
        "No Memory",
        "System Error",
        "Timeout",
        "Initialization Failed",
        "Not Initialized",
        "SSL Error",
        "Not Supported By Server",
        "Not Yet Connected",
        "Draining in progress",
        "Invalid queue name",
        "No responders available for request",
        "Mismatch",
        "Missed Server Heartbeat",
        "Limit reached",
        "Jetstream Consumer PinID Mismatch",
        "Invalid Configuration",
    };

    CHECK_INT(sizeof texts / sizeof *texts, NATS_MAX_STATUS_VALUE);
    for (int s = 0; s < NATS_MAX_STATUS_VALUE; s++)
        CHECK_STR(natsStatus_GetText((natsStatus)s), texts[s]);
}

TEST(unknown_statuses_have_some_text)
{
    CHECK(natsStatus_GetText((natsStatus)NATS_MAX_STATUS_VALUE) != NULL);
    CHECK(natsStatus_GetText((natsStatus)-1) != NULL);
    CHECK(natsStatus_GetText((natsStatus)100000) != NULL);
}

TEST(values_are_those_of_the_abi)
{
    CHECK_INT(NATS_OK, 0);
    CHECK_INT(NATS_CONNECTION_CLOSED, 5);
    CHECK_INT(NATS_INVALID_ARG, 16);
    CHECK_INT(NATS_TIMEOUT, 26);
    CHECK_INT(NATS_INVALID_CONFIG, 39);
    CHECK_INT(NATS_CONN_STATUS_DISCONNECTED, 0);
    CHECK_INT(NATS_CONN_STATUS_CONNECTING, 1);
    CHECK_INT(NATS_CONN_STATUS_CONNECTED, 2);
    CHECK_INT(NATS_CONN_STATUS_CLOSED, 3);
    CHECK_INT(NATS_CONN_STATUS_RECONNECTING, 4);
    CHECK_INT(NATS_CONN_STATUS_DRAINING_SUBS, 5);
    CHECK_INT(NATS_CONN_STATUS_DRAINING_PUBS, 6);
}
