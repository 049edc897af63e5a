/* SPDX-License-Identifier: MIT */
/* How a request becomes a WebSocket, at both of its ends (RFC 6455, 4). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http/answer.h"
#include "http/handshake.h"
#include "http/query.h"
#include "http/websocket.h"

static const verd_websocket_options defaults = {0};

static int fail(int error)
{
    errno = error;
    return -1;
}

/* ---- a server ---- */

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

static int answer(verd_http_exchange *x, struct verd_websocket *socket, const char *key)
{
    char accept[VERD__ACCEPT_SIZE];
    verd__handshake_sign(key, accept);
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
    const char *key;
    int status = verd__handshake_judge(&x->head, &key);
    if (status == 0 && !x->body.ended)
        status = 400;
    if (status != 0) {
        refuse(x, status);
        return NULL;
    }
    struct verd_websocket *socket = verd__websocket_new(options, x);
    if (socket == NULL)
        return NULL;
    socket->protocol = verd__handshake_choose(&x->head, options->protocols);
    if (answer(x, socket, key) == 0)
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

static bool is_own(const char *name)
{
    return verd__begins(name, "Sec-WebSocket-") || verd__same(name, "Host") ||
           verd__same(name, "Upgrade") || verd__same(name, "Connection");
}

/* The user's fields, none of which is the handshake's own. -1 with errno EINVAL */
static int copy_fields(verd_http_field *fields, const verd_websocket_options *options)
{
    for (size_t i = 0; i < options->field_count; i++) {
        fields[i] = options->fields[i];
        if (fields[i].name == NULL || is_own(fields[i].name))
            return fail(EINVAL);
    }
    return 0;
}

/* The protocols in a list. Its data is NULL where there are none, or with errno ENOMEM no memory. */
static struct verd__text join(const char *const *protocols)
{
    struct verd__text list = {0};
    for (const char *const *name = protocols; name != NULL && *name != NULL; name++) {
        verd__text_add(&list, ", ", name == protocols ? 0 : 2);
        verd__text_add(&list, *name, strlen(*name) + (name[1] == NULL));
    }
    if (list.failed)
        verd__text_free(&list);
    return list;
}

/* Asks the server to switch. NULL with errno as verd_http_request */
static verd_http_response *ask(const char *url, const char *key,
                               const verd_websocket_options *options)
{
    enum { OWN = 3 };
    size_t count = options->field_count;
    struct verd__text protocols = join(options->protocols);
    verd_http_field *fields = calloc(count + OWN, sizeof *fields);
    bool missing =
        protocols.data == NULL && options->protocols != NULL && *options->protocols != NULL;
    verd_http_response *response = NULL;
    if (fields != NULL && !missing && copy_fields(fields, options) == 0) {
        fields[count++] = (verd_http_field){"Sec-WebSocket-Version", "13"};
        fields[count++] = (verd_http_field){"Sec-WebSocket-Key", key};
        if (protocols.data != NULL)
            fields[count++] = (verd_http_field){"Sec-WebSocket-Protocol", protocols.data};
        const verd_http_request_options request = {
            .client = options->client, .fields = fields, .field_count = count, .redirects = -1};
        struct verd__query query = {.method = "GET", .protocol = "websocket", .options = &request};
        response = verd__query_ask(&query, url);
    }
    int error = errno;
    free(fields);
    verd__text_free(&protocols);
    errno = error;
    return response;
}

static int connect_to(struct verd_websocket *socket, const char *url,
                      const verd_websocket_options *options)
{
    char key[VERD__KEY_SIZE];
    if (verd__websocket_key(key) != 0)
        return -1;
    verd_http_response *response = socket->response = ask(url, key, options);
    if (response == NULL)
        return -1;
    socket->stream = response->source;
    socket->buffer = &response->buffer;
    if (options->status != NULL)
        *options->status = response->head.status;
    if (!verd__handshake_is_answer(&response->head, key, options->protocols, &socket->protocol))
        return fail(EPROTO);
    return 0;
}

verd_websocket *verd_websocket_connect(const char *url, const verd_websocket_options *options)
{
    if (options == NULL)
        options = &defaults;
    if (options->status != NULL)
        *options->status = 0;
    char *text = to_http(url);
    struct verd_websocket *socket = text != NULL ? verd__websocket_new(options, NULL) : NULL;
    if (socket != NULL && connect_to(socket, text, options) != 0) {
        verd_websocket_free(socket);
        socket = NULL;
    }
    int error = errno;
    free(text);
    errno = error;
    return socket;
}
