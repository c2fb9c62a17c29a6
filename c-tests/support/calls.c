#include "calls.h"

static void *flush(void *arg)
{
    flushing *f = arg;
    int64_t   t = now_ms();

    f->status = natsConnection_FlushTimeout(f->nc, f->timeout);
    f->took   = now_ms() - t;
    return NULL;
}

void flush_begin(flushing *f, natsConnection *nc, int64_t timeout)
{
    *f = (flushing){.nc = nc, .timeout = timeout, .status = NATS_ERR};
    CHECK(pthread_create(&f->thread, NULL, flush, f) == 0);
}

natsStatus flush_end(flushing *f)
{
    pthread_join(f->thread, NULL);
    return f->status;
}

natsStatus publish_until_stuck(natsConnection *nc, int64_t *took)
{
    static char data[16384];
    natsStatus  s;

    do
    {
        int64_t t = now_ms();

        s     = natsConnection_Publish(nc, "foo", data, sizeof data);
        *took = now_ms() - t;
    } while (s == NATS_OK);
    return s;
}
