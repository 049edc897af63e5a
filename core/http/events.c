/* SPDX-License-Identifier: MIT */
#include <verd/http_events.h>

#include <errno.h>
#include <string.h>

#include "http/exchange.h"
#include "http/server.h"
#include "sched/wait.h"

int verd_http_events_begin(verd_http_exchange *x)
{
    if (verd__begin() == NULL) /* else the reply would be begun, and could not be again */
        return verd__refuse(0);
    /* The last is for nginx, which else collects what it passes on. */
    if (verd_http_add(x, "Content-Type", "text/event-stream") != 0 ||
        verd_http_add(x, "Cache-Control", "no-store") != 0 ||
        verd_http_add(x, "X-Accel-Buffering", "no") != 0 ||
        verd_http_begin(x, 200, VERD_HTTP_CHUNKED) != 0 || verd_http_flush(x) != 0)
        return -1;
    verd_timeout_end(&x->connection->limit);
    return 0;
}

static int put_line(verd_http_exchange *x, const char *name, const char *value, size_t size)
{
    if (verd_http_write(x, name, strlen(name)) != 0 || verd_http_write(x, value, size) != 0)
        return -1;
    return verd_http_write(x, "\n", 1);
}

/* 0 for NULL: nothing is to be said. */
static int put_text(verd_http_exchange *x, const char *name, const char *value)
{
    return value != NULL ? put_line(x, name, value, strlen(value)) : 0;
}

static int put_retry(verd_http_exchange *x, verd_duration retry)
{
    char number[20];
    if (retry == 0)
        return 0;
    return put_line(x, "retry: ", number, verd__decimal(number, (uint64_t)(retry / VERD_MS)));
}

/* Each line of it: CRLF, LF and CR end one. */
static int put_data(verd_http_exchange *x, const char *data)
{
    while (data != NULL) {
        size_t size = strcspn(data, "\r\n");
        if (put_line(x, "data: ", data, size) != 0)
            return -1;
        data += size;
        if (*data == '\0')
            return 0;
        data += data[0] == '\r' && data[1] == '\n' ? 2 : 1;
    }
    return 0;
}

static bool is_line(const char *text)
{
    return text == NULL || text[strcspn(text, "\r\n")] == '\0';
}

/* 0: an event may be sent, as none is when the server is being stopped. */
static int check_send(const struct verd_http_exchange *x)
{
    if (verd__begin() == NULL)
        return verd__refuse(0);
    return verd_http_stopping(x) ? verd__refuse(ESHUTDOWN) : 0;
}

int verd_http_events_send(verd_http_exchange *x, const verd_http_event *event)
{
    if (!is_line(event->type) || !is_line(event->id) || event->retry < 0) {
        errno = EINVAL;
        return -1;
    }
    if (check_send(x) != 0 || put_text(x, "event: ", event->type) != 0 ||
        put_text(x, "id: ", event->id) != 0 || put_retry(x, event->retry) != 0 ||
        put_data(x, event->data) != 0 || verd_http_write(x, "\n", 1) != 0)
        return -1;
    return verd_http_flush(x);
}

int verd_http_events_keep(verd_http_exchange *x)
{
    return check_send(x) == 0 && verd_http_write(x, ":\n\n", 3) == 0 ? verd_http_flush(x) : -1;
}
