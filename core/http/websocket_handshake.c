/* SPDX-License-Identifier: MIT */
/* How a request becomes a WebSocket, at both of its ends (RFC 6455, 4). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <verd/net.h>

#include "http/parser.h"
#include "http/sha1.h"
#include "http/url.h"
#include "http/websocket.h"

static const verd_websocket_options defaults = {0};

static int fail(int error)
{
    errno = error;
    return -1;
}

void verd__websocket_sign(const char *key, char accept[VERD__ACCEPT_SIZE])
{
    static const char everyone[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[VERD__KEY_SIZE - 1 + sizeof everyone];
    unsigned char digest[VERD__SHA1_SIZE];
    memcpy(text, key, VERD__KEY_SIZE - 1);
    memcpy(text + VERD__KEY_SIZE - 1, everyone, sizeof everyone);
    verd__sha1(text, sizeof text - 1, digest);
    verd__base64(accept, digest, sizeof digest);
}

/* Whether a list, with commas between its elements, has this one. */
static bool list_has(const char *list, const char *element, bool any_case)
{
    size_t size = strlen(element);
    for (;;) {
        list += strspn(list, ", \t");
        size_t length = strcspn(list, ", \t");
        if (length == 0)
            return false;
        if (length == size &&
            (any_case ? verd__begins(list, element) : strncmp(list, element, size) == 0))
            return true;
        list += length;
    }
}

/* The same of the lists of all fields of a name. */
static bool field_has(const struct verd__head *head, const char *name, const char *element,
                      bool any_case)
{
    for (size_t i = 0; i < head->count; i++) {
        if (verd__same(head->fields[i].name, name) &&
            list_has(head->fields[i].value, element, any_case))
            return true;
    }
    return false;
}

static const char *value_of(const struct verd__head *head, const char *name)
{
    const char *value = verd__head_find(head, name);
    return value != NULL ? value : "";
}

/* ---- a server ---- */

/* 16 bytes in base64 */
static bool is_key(const char *key)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return strspn(key, digits) == VERD__KEY_SIZE - 3 && strcmp(key + VERD__KEY_SIZE - 3, "==") == 0;
}

/* 0, or the status to answer with. */
static int judge(const verd_http_exchange *x)
{
    const struct verd__head *head = &x->head;
    if (strcmp(head->method, "GET") != 0 || head->minor == 0 ||
        !(head->bits & VERD__HEAD_UPGRADE) || !field_has(head, "Upgrade", "websocket", true) ||
        strcmp(value_of(head, "Sec-WebSocket-Version"), "13") != 0)
        return 426;
    return is_key(value_of(head, "Sec-WebSocket-Key")) && x->body.ended ? 0 : 400;
}

/* Says what would be right. */
static int refuse(verd_http_exchange *x, int status)
{
    static const char text[] = "Here is a WebSocket.\n";
    if ((status == 426 && (verd_http_add(x, "Upgrade", "websocket") != 0 ||
                           verd_http_add(x, "Sec-WebSocket-Version", "13") != 0)) ||
        verd_http_reply(x, status, "text/plain", text, sizeof text - 1) != 0)
        return -1;
    return fail(EPROTO);
}

static int answer(verd_http_exchange *x, struct verd_websocket *socket,
                  const char *const *protocols)
{
    char accept[VERD__ACCEPT_SIZE];
    verd__websocket_sign(value_of(&x->head, "Sec-WebSocket-Key"), accept);
    while (protocols != NULL && *protocols != NULL &&
           !field_has(&x->head, "Sec-WebSocket-Protocol", *protocols, false))
        protocols++;
    if (protocols != NULL)
        socket->protocol = *protocols;
    if (verd_http_add(x, "Sec-WebSocket-Accept", accept) != 0 ||
        (socket->protocol != NULL &&
         verd_http_add(x, "Sec-WebSocket-Protocol", socket->protocol) != 0))
        return -1;
    return verd_http_upgrade(x, "websocket");
}

verd_websocket *verd_websocket_accept(verd_http_exchange *x, const verd_websocket_options *options)
{
    if (options == NULL)
        options = &defaults;
    if (x->reply.status != 0) {
        errno = EALREADY;
        return NULL;
    }
    int status = judge(x);
    if (status != 0) {
        refuse(x, status);
        return NULL;
    }
    struct verd_websocket *socket = verd__websocket_new(options, x);
    if (socket == NULL || answer(x, socket, options->protocols) == 0)
        return socket;
    verd_websocket_free(socket);
    return NULL;
}

/* ---- a client ---- */

/* The URL as HTTP's, whose port it has: to be freed. NULL with errno EINVAL, EPROTONOSUPPORT or ENOMEM. */
static char *to_http(const char *url)
{
    if (url == NULL || (!verd__begins(url, "ws:") && !verd__begins(url, "wss:"))) {
        errno = url == NULL ? EINVAL : EPROTONOSUPPORT;
        return NULL;
    }
    struct verd__text text = {0};
    verd__text_add(&text, "http", 4);
    verd__text_add(&text, url + 2, strlen(url + 2) + 1);
    if (text.failed)
        verd__text_free(&text);
    return text.data;
}

static void add(struct verd__text *text, const char *string)
{
    verd__text_add(text, string, strlen(string));
}

static bool is_own(const char *name)
{
    return verd__begins(name, "Sec-WebSocket-") || verd__same(name, "Host") ||
           verd__same(name, "Upgrade") || verd__same(name, "Connection") ||
           verd__same(name, "Content-Length") || verd__same(name, "Transfer-Encoding");
}

static int compose(struct verd__text *text, const struct verd__url *url, const char *key,
                   const verd_websocket_options *options)
{
    add(text, "GET ");
    add(text, url->target);
    add(text, " HTTP/1.1\r\nHost: ");
    verd__text_add(text, url->authority, (size_t)(url->target - url->authority));
    add(text, "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
              "Sec-WebSocket-Key: ");
    add(text, key);
    for (const char *const *name = options->protocols; name != NULL && *name != NULL; name++) {
        add(text, name == options->protocols ? "\r\nSec-WebSocket-Protocol: " : ", ");
        add(text, *name);
    }
    add(text, "\r\n");
    for (size_t i = 0; i < options->field_count; i++) {
        const verd_http_field *field = &options->fields[i];
        if (field->name == NULL || is_own(field->name))
            return fail(EINVAL);
        if (verd__text_field(text, field->name, field->value) != 0)
            return -1;
    }
    add(text, "\r\n");
    return text->failed ? fail(ENOMEM) : 0;
}

static int open_stream(struct verd_websocket *socket, const struct verd__url *url,
                       const verd_websocket_options *options)
{
    int fd = verd_connect(url->host, url->port);
    if (fd < 0)
        return -1;
    socket->own_stream = verd_stream_of(fd);
    errno = 0;
    if (!url->secure || options->open(options->open_ctx, fd, url->host, &socket->own_stream) == 0)
        return 0;
    socket->own_stream = verd_stream_of(fd);
    return fail(errno != 0 ? errno : EPROTO);
}

/* Reads the head of the answer; what follows it stays in the buffer. */
static int read_head(struct verd_websocket *socket, struct verd__head *head)
{
    struct verd__buffer *buffer = &socket->own_buffer;
    int status;
    while ((status = verd__head_parse(head, buffer->data, buffer->end)) == 0) {
        const char *before = buffer->data;
        if (verd__buffer_reserve(buffer, 1) != 0)
            return -1;
        verd__head_moved(head, before, buffer->data);
        ssize_t got = verd__buffer_fill(buffer, &socket->own_stream);
        if (got <= 0)
            return got == 0 ? fail(ECONNRESET) : -1;
    }
    return status == 200 ? 0 : fail(EBADMSG);
}

/* Whether it is the answer to this key, and takes nothing that was not offered. */
static int check_answer(struct verd_websocket *socket, const struct verd__head *head,
                        const char *key, const char *const *offered)
{
    char accept[VERD__ACCEPT_SIZE];
    const char *chosen = verd__head_find(head, "Sec-WebSocket-Protocol");
    verd__websocket_sign(key, accept);
    if (head->status != 101 || !(head->bits & VERD__HEAD_UPGRADE) ||
        !verd__same(value_of(head, "Upgrade"), "websocket") ||
        strcmp(value_of(head, "Sec-WebSocket-Accept"), accept) != 0 ||
        verd__head_find(head, "Sec-WebSocket-Extensions") != NULL)
        return fail(EPROTO);
    if (chosen == NULL)
        return 0;
    while (offered != NULL && *offered != NULL && strcmp(*offered, chosen) != 0)
        offered++;
    socket->protocol = offered != NULL ? *offered : NULL;
    return socket->protocol != NULL ? 0 : fail(EPROTO);
}

/* Says its part, and reads the server's. */
static int shake_hands(struct verd_websocket *socket, const struct verd__text *request,
                       const char *key, const verd_websocket_options *options)
{
    const verd_http_limits limits = verd__http_limits(&(verd_http_limits){0});
    struct verd__head head;
    if (verd_stream_write_full(socket->stream, request->data, request->size) != 0)
        return -1;
    verd_http_field *fields = calloc(limits.fields, sizeof *fields);
    if (fields == NULL)
        return -1;
    verd__head_init(&head, &limits, fields, true);
    int result = read_head(socket, &head);
    if (result == 0) {
        if (options->status != NULL)
            *options->status = head.status;
        result = check_answer(socket, &head, key, options->protocols);
        socket->own_buffer.start = head.parsed;
    }
    int error = errno;
    free(fields);
    errno = error;
    return result;
}

static int begin(struct verd_websocket *socket, const struct verd__url *url,
                 const verd_websocket_options *options)
{
    struct verd__text request = {0};
    char key[VERD__KEY_SIZE];
    if (url->secure && options->open == NULL)
        return fail(EPROTONOSUPPORT);
    if (verd__websocket_key(key) != 0)
        return -1;
    int result = compose(&request, url, key, options);
    if (result == 0)
        result = open_stream(socket, url, options);
    if (result == 0)
        result = shake_hands(socket, &request, key, options);
    int error = errno;
    verd__text_free(&request);
    errno = error;
    return result;
}

verd_websocket *verd_websocket_connect(const char *url, const verd_websocket_options *options)
{
    struct verd__url parsed;
    if (options == NULL)
        options = &defaults;
    if (options->status != NULL)
        *options->status = 0;
    char *text = to_http(url);
    if (text == NULL || verd__url_parse(&parsed, text) != 0) {
        int error = errno;
        free(text);
        errno = error;
        return NULL;
    }
    free(text);
    struct verd_websocket *socket = verd__websocket_new(options, NULL);
    if (socket != NULL && begin(socket, &parsed, options) != 0) {
        verd_websocket_free(socket);
        socket = NULL;
    }
    int error = errno;
    verd__url_free(&parsed);
    errno = error;
    return socket;
}
