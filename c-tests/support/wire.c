#include "wire.h"

#include "trace.h"

#include <ctype.h>
#include <sys/ioctl.h>

static const char HANDSHAKE_END[] = "\r\nPING\r\n";

char *wire(mock *m, int nth, size_t *len)
{
    size_t all;
    char  *raw  = mock_raw(m, nth, &all), *text;
    char  *end  = raw == NULL ? NULL : memmem(raw, all, HANDSHAKE_END, sizeof HANDSHAKE_END - 1);
    size_t from = end == NULL ? all : (size_t)(end - raw) + sizeof HANDSHAKE_END - 1;

    if (raw == NULL)
        all = from = 0;
    text = malloc(all - from + 1);
    if (raw != NULL)
        memcpy(text, raw + from, all - from);
    text[all - from] = '\0';
    if (len != NULL)
        *len = all - from;
    free(raw);
    return text;
}

void wire_check(const char *file, int line, mock *m, int nth, const char *want)
{
    int64_t end = now_ms() + 5000;
    char   *got = wire(m, nth, NULL);

    while (strcmp(got, want) != 0 && strlen(got) < strlen(want) && now_ms() < end)
    {
        pace_ms(2);
        free(got);
        got = wire(m, nth, NULL);
    }
    test_check_str(file, line, "bytes on the wire", got, want);
    free(got);
}

void wire_taken(mock *m)
{
    int fd, left;

    // What the mock has sent over the loopback is in the client's socket.
    WAIT_FOR((fd = client_fd(mock_port(m))) < 0 || (ioctl(fd, FIONREAD, &left) == 0 && left == 0), 5000);
}

char *reply_subject(mock *m, int nth)
{
    CHECK(mock_wait_pubs(m, 1, nth, 5000));
    for (int i = 0, seen = 0; i < mock_lines(m, 1); i++)
    {
        char *line = mock_line(m, 1, i);

        if (strncmp(line, "PUB foo ", 8) == 0 && ++seen == nth)
        {
            char *subject = strdup(line + 8);

            *strchr(subject, ' ') = '\0';
            free(line);
            return subject;
        }
        free(line);
    }
    FAIL("no request %d", nth);
}

void wire_trace_lines(mock *m, int nth, int from)
{
    char *line;

    for (int i = from; (line = mock_line(m, nth, i)) != NULL; i++)
    {
        trace("  %s", line);
        free(line);
    }
}

static char *escaped(const char *text, size_t len)
{
    char *out = malloc(len * 4 + 1), *at = out;

    for (size_t i = 0; i < len; i++)
        at += isprint((unsigned char)text[i]) ? sprintf(at, "%c", text[i])
                                              : sprintf(at, "\\x%02x", text[i] & 0xff);
    *at = '\0';
    return out;
}

void wire_trace(mock *m, int nth, natsConnection *nc)
{
    char  *text, *line;
    size_t len;

    if (nc != NULL)
        natsConnection_Flush(nc);
    text = line = wire(m, nth, &len);
    while (line < text + len)
    {
        size_t left = (size_t)(text + len - line);
        char  *end  = memmem(line, left, "\r\n", 2);
        size_t one  = end == NULL ? left : (size_t)(end - line);
        char  *show = escaped(line, one);

        trace("  > %s%s", show, end == NULL ? " (no line end)" : "");
        free(show);
        line += one + (end == NULL ? 0 : 2);
    }
    free(text);
}
