/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"

#define ROOMS 8

struct visitor {
    struct peer *peer;
    int fd;
};

static size_t number_after(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at != NULL ? strtoul(at + strlen(name), NULL, 10) : 0;
}

/* Whether the request is all there. */
static bool is_complete(const char *text, size_t size, bool deaf)
{
    const char *end = strstr(text, "\r\n\r\n");
    if (end == NULL || deaf)
        return end != NULL;
    size_t body = size - (size_t)(end + 4 - text);
    if (strstr(text, "Transfer-Encoding: chunked") != NULL)
        return size >= 5 && strcmp(text + size - 5, "0\r\n\r\n") == 0;
    return body >= number_after(text, "Content-Length: ");
}

/* Reads a request; NULL: the client has gone. */
static char *hear(int fd, bool deaf)
{
    size_t size = 0, room = 4096;
    char *text = malloc(room);
    while (size == 0 || !is_complete(text, size, deaf)) {
        if (size + 1 == room)
            text = realloc(text, room *= 2);
        ssize_t n = verd_read(fd, text + size, deaf ? 1 : room - size - 1);
        if (n <= 0) {
            free(text);
            return NULL;
        }
        size += (size_t)n;
        text[size] = '\0';
    }
    return text;
}

static int say(int fd, const struct reply *reply)
{
    size_t size = reply->text == NULL ? 0 : reply->size != 0 ? reply->size : strlen(reply->text);
    size_t step = reply->step != 0 ? reply->step : size;
    for (size_t i = 0; i < size; i += step) {
        size_t n = size - i < step ? size - i : step;
        if (verd_write_full(fd, reply->text + i, n, NULL) < 0)
            return -1;
        if (step < size)
            settle();
    }
    return 0;
}

static const struct reply *next_reply(const struct peer *peer)
{
    size_t i = peer->requests < peer->count ? peer->requests : peer->count - 1;
    return &peer->replies[i];
}

static void visit(void *arg)
{
    struct visitor visitor = *(struct visitor *)arg;
    struct peer *peer = visitor.peer;
    free(arg);
    if (++peer->open > peer->most_open)
        peer->most_open = peer->open;
    for (;;) {
        char *text = hear(visitor.fd, next_reply(peer)->deaf);
        if (text == NULL)
            break;
        const struct reply *reply = next_reply(peer);
        if (peer->requests < PEER_REQUESTS)
            peer->heard[peer->requests] = text;
        else
            free(text);
        peer->requests++;
        if (say(visitor.fd, reply) != 0 || reply->close)
            break;
    }
    peer->open--;
    verd_close(visitor.fd);
}

static void *accept_all(void *arg)
{
    struct peer *peer = arg;
    for (;;) {
        int fd = verd_accept(peer->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        peer->accepted++;
        peer->fd = fd;
        struct visitor *visitor = malloc(sizeof *visitor);
        *visitor = (struct visitor){peer, fd};
        verd_spawn_n(visit, visitor);
    }
}

void peer_start_at(struct peer *peer, int listener, const struct reply *replies, size_t count)
{
    *peer = (struct peer){.replies = replies, .count = count, .listener = listener};
    peer->acceptor = verd_spawn(accept_all, peer);
}

void peer_start(struct peer *peer, const struct reply *replies, size_t count)
{
    int port;
    peer_start_at(peer, make_listener(&port), replies, count);
    snprintf(peer->origin, sizeof peer->origin, "http://127.0.0.1:%d", port);
}

static char *next_room(void)
{
    static char rooms[ROOMS][16384];
    static size_t next;
    return rooms[next++ % ROOMS];
}

const char *peer_url(const struct peer *peer, const char *path)
{
    char *url = next_room();
    snprintf(url, 16384, "%s%s", peer->origin, path);
    return url;
}

void peer_stop(struct peer *peer)
{
    verd_http_client_close_idle(NULL);
    verd_close(peer->listener);
    verd_join(peer->acceptor, NULL);
    while (peer->open > 0)
        verd_sleep(VERD_MS);
    for (size_t i = 0; i < PEER_REQUESTS; i++)
        free(peer->heard[i]);
}

const char *response_text(verd_http_response *response)
{
    char *text = next_room();
    if (response == NULL)
        return strerror(errno);
    char *body = verd_http_response_body(response, 8192, NULL);
    if (body != NULL)
        snprintf(text, 16384, "%d %s", verd_http_response_status(response), body);
    else
        snprintf(text, 16384, "%d, then %s", verd_http_response_status(response), strerror(errno));
    verd_http_response_free(response);
    return text;
}

const char *ask_text(const char *method, const char *url, const verd_http_request_options *options)
{
    return response_text(verd_http_request(method, url, options));
}

const char *get_text(const char *url, const verd_http_request_options *options)
{
    return ask_text("GET", url, options);
}
