/* SPDX-License-Identifier: MIT */
/* What handlers ask of an exchange besides its request: fields of queries and forms, paths that are clean, the
 * client's leaving; and data of their own. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <verd/net.h>

#include "http/exchange.h"
#include "http/form.h"
#include "http/server.h"
#include "http/stopping.h"
#include "sched/wait.h"

void verd__decoded_free(struct verd_http_exchange *x)
{
    struct verd__decoded *decoded = x->decoded;
    x->decoded = NULL;
    free(decoded->query);
    free(decoded->form);
    free(decoded->path);
    free(decoded);
}

static struct verd__decoded *decoded_of(struct verd_http_exchange *x)
{
    if (x->decoded == NULL)
        x->decoded = calloc(1, sizeof *x->decoded);
    return x->decoded;
}

/* The client is to be told of a fault of its own, unless the handler replies. */
static void blame(struct verd_http_exchange *x, int status, int error)
{
    x->fault = status;
    errno = error;
}

/* The fields of a text, which stay in *kept. */
static const verd_http_field *fields_of(struct verd_http_exchange *x, struct verd__form **kept,
                                        const char *text, size_t size, size_t *count)
{
    if (*kept == NULL)
        *kept = verd__form_parse(text, size);
    if (*kept == NULL) {
        if (errno == EBADMSG)
            blame(x, 400, EBADMSG);
        return NULL;
    }
    *count = (*kept)->count;
    return (*kept)->fields;
}

const verd_http_field *verd_http_query_fields(verd_http_exchange *x, size_t *count)
{
    const char *query = x->head.query != NULL ? x->head.query : "";
    struct verd__decoded *decoded = decoded_of(x);
    return decoded != NULL ? fields_of(x, &decoded->query, query, strlen(query), count) : NULL;
}

static bool is_form(const verd_http_exchange *x)
{
    static const char form[] = "application/x-www-form-urlencoded";
    const char *type = verd_http_header(x, "Content-Type");
    return type != NULL && verd__begins(type, form) &&
           strchr("; \t", type[sizeof form - 1]) != NULL;
}

const verd_http_field *verd_http_form_fields(verd_http_exchange *x, size_t most, size_t *count)
{
    size_t size;
    struct verd__decoded *decoded = decoded_of(x);
    if (decoded == NULL)
        return NULL;
    if (verd_http_length(x) != 0 && !is_form(x)) {
        blame(x, 415, EPROTO);
        return NULL;
    }
    const char *text = verd_http_body(x, most, &size);
    return text != NULL ? fields_of(x, &decoded->form, text, size, count) : NULL;
}

const char *verd_http_value(const verd_http_field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return fields[i].value;
    }
    return NULL;
}

const char *verd_http_clean_path(verd_http_exchange *x)
{
    struct verd__decoded *decoded = decoded_of(x);
    if (decoded == NULL)
        return NULL;
    if (decoded->path != NULL)
        return decoded->path;
    if (x->head.path[0] != '/') {
        errno = EINVAL;
        return NULL;
    }
    char *path = malloc(strlen(x->head.path) + 1);
    if (path == NULL)
        return NULL;
    if (verd__path_clean(path, x->head.path) != 0) {
        free(path);
        blame(x, 400, EBADMSG);
        return NULL;
    }
    return decoded->path = path;
}

void verd_http_set_data(verd_http_exchange *x, void *data)
{
    x->data = data;
}

void *verd_http_data(const verd_http_exchange *x)
{
    return x->data;
}

static int to_milliseconds(verd_duration wait)
{
    if (wait <= 0)
        return 0;
    return wait < INT_MAX * VERD_MS ? (int)((wait + VERD_MS - 1) / VERD_MS) : -1;
}

bool verd_http_stopping(const verd_http_exchange *x)
{
    return x->connection->server->stopping;
}

/* As verd_http_pause, with the server not being stopped. */
static int pause_while_open(struct verd_http_exchange *x, verd_duration wait)
{
    struct verd__stoppable stoppable;
    verd__stoppable_begin(&stoppable, x->connection->server);
    int result = x->connection->stream.fd >= 0 ? verd_http_gone(x, wait) : verd_sleep(wait);
    return verd__stoppable_end(&stoppable, result) ? 1 : result;
}

int verd_http_pause(verd_http_exchange *x, verd_duration wait)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL)
        return verd__refuse(0);
    if (verd_http_stopping(x) || x->reply.error == EPIPE)
        return verd__done(scheduler, 1);
    return pause_while_open(x, wait);
}

int verd_http_gone(verd_http_exchange *x, verd_duration wait)
{
    struct pollfd poller = {.fd = x->connection->stream.fd, .events = POLLRDHUP};
    if (x->reply.error == EPIPE)
        return 1;
    if (poller.fd < 0) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return verd_poll(&poller, 1, to_milliseconds(wait));
}
