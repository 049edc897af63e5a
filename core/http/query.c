/* SPDX-License-Identifier: MIT */
#include "http/query.h"

#include <errno.h>
#include <string.h>

/* ---- whether it can be sent ---- */

static bool is_close(const verd_http_field *field)
{
    return verd__same(field->name, "Connection") && verd__same(field->value, "close");
}

static bool is_valid(const verd_http_field *field)
{
    static const char *const reserved[] = {"Content-Length", "Transfer-Encoding", "Connection",
                                           NULL};
    return field->name != NULL && field->value != NULL && verd__is_name(field->name) &&
           verd__is_text(field->value, strlen(field->value)) &&
           (!verd__is_one_of(field->name, reserved) || is_close(field));
}

int verd__query_check(const struct verd__query *query)
{
    const verd_http_request_options *options = query->options;
    bool valid = query->method != NULL && verd__is_name(query->method) &&
                 strcmp(query->method, "CONNECT") != 0 &&
                 (options->source == NULL || options->body == NULL) &&
                 (options->body != NULL || options->size == 0);
    for (size_t i = 0; valid && i < options->field_count; i++)
        valid = is_valid(&options->fields[i]);
    if (valid)
        return 0;
    errno = EINVAL;
    return -1;
}

static const verd_http_field *find_field(const struct verd__query *query, const char *name)
{
    const verd_http_request_options *options = query->options;
    for (size_t i = 0; i < options->field_count; i++) {
        if (verd__same(options->fields[i].name, name))
            return &options->fields[i];
    }
    return NULL;
}

bool verd__query_closes(const struct verd__query *query)
{
    return find_field(query, "Connection") != NULL;
}

/* ---- whether it can be sent again ---- */

static bool is_gone(const struct verd__query *query)
{
    return query->consumed && !query->bare;
}

bool verd__query_is_repeatable(const struct verd__query *query)
{
    static const char *const idempotent[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
    for (size_t i = 0; i < sizeof idempotent / sizeof *idempotent; i++) {
        if (strcmp(query->method, idempotent[i]) == 0)
            return !is_gone(query);
    }
    return false;
}

bool verd__query_redirect(struct verd__query *query, int status)
{
    bool post = strcmp(query->method, "POST") == 0;
    bool head = strcmp(query->method, "HEAD") == 0;
    if ((status == 303 && !head) || ((status == 301 || status == 302) && post)) {
        query->method = "GET";
        query->bare = true;
    }
    return !is_gone(query);
}

/* ---- the head ---- */

static void add(struct verd__text *text, const char *string)
{
    verd__text_add(text, string, strlen(string));
}

static void add_field(struct verd__text *text, const char *name, const char *value)
{
    add(text, name);
    add(text, ": ");
    add(text, value);
    add(text, "\r\n");
}

/* The bytes of the body; VERD_HTTP_CHUNKED: unknown. */
static uint64_t length_of(const struct verd__query *query)
{
    const verd_http_request_options *options = query->options;
    if (query->bare)
        return 0;
    if (options->source == NULL)
        return options->size;
    return options->length != 0 ? options->length : VERD_HTTP_CHUNKED;
}

bool verd__query_expects(const struct verd__query *query)
{
    const verd_http_field *field = find_field(query, "Expect");
    return field != NULL && verd__same(field->value, "100-continue") && !query->unexpecting &&
           length_of(query) > 0;
}

/* What is meant for the first origin alone, or is about a body that is gone, stays behind. */
static bool is_left_out(const struct verd__query *query, const char *name)
{
    static const char *const own[] = {"Host", "Authorization", "Proxy-Authorization", "Cookie",
                                      NULL};
    return (query->foreign && verd__is_one_of(name, own)) ||
           (verd__same(name, "Expect") && !verd__query_expects(query)) ||
           (query->bare && verd__begins(name, "Content-"));
}

/* A field that is sent unless the user has given it another value. */
static void add_default(const struct verd__query *query, struct verd__text *text, const char *name,
                        const char *value, size_t size)
{
    if (find_field(query, name) != NULL && !is_left_out(query, name))
        return;
    add(text, name);
    add(text, ": ");
    verd__text_add(text, value, size);
    add(text, "\r\n");
}

/* Host, without a zone: that has a meaning on this machine alone (RFC 6874, 3). */
static void add_host(const struct verd__query *query, const struct verd__url *url,
                     struct verd__text *head)
{
    char host[64]; /* an authority with a zone is an IPv6 address */
    size_t size = (size_t)(url->target - url->authority);
    const char *zone = memchr(url->authority, '%', size);
    if (zone == NULL) {
        add_default(query, head, "Host", url->authority, size);
        return;
    }
    size_t before = (size_t)(zone - url->authority);
    const char *behind = memchr(zone, ']', size - before);
    size_t rest = (size_t)(url->target - behind);
    memcpy(host, url->authority, before);
    memcpy(host + before, behind, rest);
    add_default(query, head, "Host", host, before + rest);
}

/* Methods that are about a body say so if they have none. */
static bool means_a_body(const char *method)
{
    static const char *const methods[] = {"POST", "PUT", "PATCH", NULL};
    return verd__is_one_of(method, methods);
}

static void add_framing(const struct verd__query *query, struct verd__text *head)
{
    char number[21];
    uint64_t length = length_of(query);
    if (length == VERD_HTTP_CHUNKED) {
        add_field(head, "Transfer-Encoding", "chunked");
    } else if (length > 0 || means_a_body(query->method)) {
        number[verd__decimal(number, length)] = '\0';
        add_field(head, "Content-Length", number);
    }
}

int verd__query_compose(const struct verd__query *query, const struct verd__url *url,
                        struct verd__text *head)
{
    const verd_http_request_options *options = query->options;
    add(head, query->method);
    add(head, " ");
    add(head, url->target);
    add(head, " HTTP/1.1\r\n");
    add_host(query, url, head);
    if (query->agent != NULL)
        add_default(query, head, "User-Agent", query->agent, strlen(query->agent));
    add_default(query, head, "Accept-Encoding", "identity", strlen("identity"));
    for (size_t i = 0; i < options->field_count; i++) {
        if (!is_left_out(query, options->fields[i].name))
            add_field(head, options->fields[i].name, options->fields[i].value);
    }
    add_framing(query, head);
    if (query->protocol != NULL) {
        add_field(head, "Connection", "Upgrade");
        add_field(head, "Upgrade", query->protocol);
    }
    add(head, "\r\n");
    if (!head->failed)
        return 0;
    errno = ENOMEM;
    return -1;
}

/* ---- the body ---- */

struct verd__outgoing verd__query_body(struct verd__query *query, size_t gone)
{
    const verd_http_request_options *options = query->options;
    struct verd__outgoing body = {.length = length_of(query) - gone};
    if (query->bare)
        return body;
    if (options->source == NULL) {
        body.data = options->size > 0 ? (const char *)options->body + gone : NULL;
        return body;
    }
    body.source = options->source;
    body.ctx = options->source_ctx;
    body.asked = &query->consumed;
    return body;
}
