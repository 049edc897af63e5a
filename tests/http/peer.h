/* SPDX-License-Identifier: MIT */
/* A server that says what it is told to say, whatever it is asked, and remembers what it has heard. */
#ifndef TEST_HTTP_PEER_H
#define TEST_HTTP_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include <verd.h>

#define PEER_REQUESTS 32

/* What it says to a request. */
struct reply {
    const char *text; /* NULL: nothing */
    size_t size;      /* bytes of it; 0: all of them */
    size_t step;      /* in pieces of so many bytes, the reader having read each; 0: at once */
    bool close;       /* then it closes the connection, else it waits for the next request */
    bool deaf;        /* it says so without reading the body */
};

struct peer {
    const struct reply *replies; /* to one request after the other; the last to all that follow */
    size_t count;
    char origin[128]; /* "http://127.0.0.1:PORT" */
    char *heard[PEER_REQUESTS];
    size_t requests;
    size_t accepted;        /* connections */
    size_t open, most_open; /* of them, at a time */
    int fd;                 /* the last of them */
    int listener;
    verd_thread *acceptor;
};

/* Starts it, on a port of its own, or as a Unix socket. */
void peer_start(struct peer *peer, const struct reply *replies, size_t count);
void peer_start_at(struct peer *peer, int listener, const struct reply *replies, size_t count);

/* The URL of a path there; in one of several rooms, used in turn. */
const char *peer_url(const struct peer *peer, const char *path);

/* The end: nobody listens any more. */
void peer_stop(struct peer *peer);

#define PEER(peer, ...)                                                 \
    do {                                                                \
        static const struct reply replies_[] = {__VA_ARGS__};           \
        peer_start(peer, replies_, sizeof replies_ / sizeof *replies_); \
    } while (0)

/* The whole of what came of a GET: "200 body", or what errno says, in one of several rooms. */
const char *get_text(const char *url, const verd_http_request_options *options);
const char *ask_text(const char *method, const char *url, const verd_http_request_options *options);
const char *response_text(verd_http_response *response);

#endif
