// The same client in C++: the header must serve C++ programs, and callbacks come as lambdas.
#include <nats/nats.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

template <typename T, void (*destroy)(T *)>
struct Deleter {
    void operator()(T *handle) const { destroy(handle); }
};
using Connection = std::unique_ptr<natsConnection, Deleter<natsConnection, natsConnection_Destroy>>;
using Subscription = std::unique_ptr<natsSubscription, Deleter<natsSubscription, natsSubscription_Destroy>>;
using Message = std::unique_ptr<natsMsg, Deleter<natsMsg, natsMsg_Destroy>>;

void check(natsStatus status)
{
    if (status != NATS_OK)
        throw std::runtime_error(natsStatus_GetText(status));
}

std::string text(const Message &msg)
{
    return std::string(natsMsg_GetData(msg.get()), static_cast<size_t>(natsMsg_GetDataLength(msg.get())));
}

std::string talk(const char *url)
{
    natsConnection *raw = nullptr;
    check(natsConnection_ConnectTo(&raw, url));
    Connection nc(raw);

    natsSubscription *rawSub = nullptr;
    check(natsConnection_SubscribeSync(&rawSub, nc.get(), "hello"));
    Subscription inbox(rawSub);

    std::string answer = "at your service";
    check(natsConnection_Subscribe(
        &rawSub, nc.get(), "help",
        [](natsConnection *conn, natsSubscription *, natsMsg *m, void *closure) {
            Message request(m);
            natsConnection_PublishString(conn, natsMsg_GetReply(m), static_cast<std::string *>(closure)->c_str());
        },
        &answer));
    Subscription help(rawSub);

    natsMsg *rawMsg = nullptr;
    check(natsConnection_PublishString(nc.get(), "hello", "hello, world"));
    check(natsSubscription_NextMsg(&rawMsg, inbox.get(), 5000));
    Message msg(rawMsg);
    check(natsConnection_RequestString(&rawMsg, nc.get(), "help", "?", 5000));
    Message reply(rawMsg);
    return text(msg) + " / " + text(reply) + " / " + nats_GetVersion();
}

} // namespace

int main(int argc, char **argv)
{
    int rc = 0;
    try {
        std::printf("%s\n", talk(argc > 1 ? argv[1] : NATS_DEFAULT_URL).c_str());
    } catch (const std::exception &e) {
        std::fprintf(stderr, "error: %s\n", e.what());
        rc = 1;
    }
    nats_Close();
    return rc;
}
