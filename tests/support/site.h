/* SPDX-License-Identifier: MIT */
/* An HTTP server on the loopback interface, and clients that send it raw bytes. */
#ifndef TESTS_SUPPORT_SITE_H
#define TESTS_SUPPORT_SITE_H

#include <verd.h>

struct site {
    verd_http_server *server;
    int port;
};

/* Opens it; the handler gets the site. options: NULL, or some. */
void site_open(struct site *site, verd_http_handler handler, const verd_http_options *options);

/* Stops it, with all the time that it takes, and frees it. */
void site_close(struct site *site);

/* A connection to it. */
int site_connect(const struct site *site);

/* Sends text, all of it. */
void say(int fd, const char *text);

/* Receives until the other side closes, and closes. The text, without Date lines; it stays until the
 * next call. A connection that was reset has " [reset]" at its end. */
const char *hear(int fd);

/* Receives what is as long as `expected`, and returns it, without Date lines. */
const char *hear_some(int fd, const char *expected);

/* Sends text on a connection of its own, says that this is all, and hears. */
const char *ask(const struct site *site, const char *text);

/* The same, but it does not say that this is all: the server has to close the connection. */
const char *ask_and_stay(const struct site *site, const char *text);

/* What the server says to a GET that a handler answers with a text of its own. */
#define OK(body_size, body) \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " body_size "\r\n\r\n" body

/* Replies with the method, the target's parts, and the body. */
int handle_echo(verd_http_exchange *x, void *site);

/* Replies "hello". */
int handle_hello(verd_http_exchange *x, void *site);
#define HELLO OK("5", "hello")

/* Lets a client ask for a body without an end, and not read it. The errno that ends the handler's writes, below
 * zero. */
ssize_t offer_without_end(const verd_http_options *options);

/* For verd_http_options.open, of one connection: a stream that takes nothing more once it is full. */
extern bool stream_is_full;
int open_fillable(void *ctx, int fd, verd_stream *stream);

#define GET "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

#endif
