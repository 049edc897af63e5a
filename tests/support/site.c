/* SPDX-License-Identifier: MIT */
#include "site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"

/* More than any test hears. */
static char heard[1 << 20];

/* Without its world a test must not go on. */
static void must(bool done, const char *what)
{
    if (done)
        return;
    perror(what);
    abort();
}

void site_open(struct site *site, verd_http_handler handler, const verd_http_options *options)
{
    int listener = make_listener(&site->port);
    site->server = verd_http_serve(listener, handler, site, options);
    must(site->server != NULL, "verd_http_serve");
}

void site_close(struct site *site)
{
    must(verd_http_stop(site->server, VERD_FOREVER) == 0, "verd_http_stop");
    must(verd_http_free(site->server) == 0, "verd_http_free");
}

int site_connect(const struct site *site)
{
    int fd = verd_connect("127.0.0.1", site->port);
    must(fd >= 0, "verd_connect");
    return fd;
}

void say(int fd, const char *text)
{
    size_t size = strlen(text);
    must(verd_write_full(fd, text, size, NULL) == (ssize_t)size, "verd_write_full");
}

/* Takes the Date lines out. */
static void undate(char *text)
{
    char *date;
    while ((date = strstr(text, "\r\nDate: ")) != NULL) {
        char *end = strstr(date + 2, "\r\n");
        if (end == NULL)
            return;
        memmove(date, end, strlen(end) + 1);
    }
}

const char *hear(int fd)
{
    size_t size = 0;
    ssize_t n;
    while ((n = verd_read(fd, heard + size, sizeof heard - 16 - size)) > 0)
        size += (size_t)n;
    heard[size] = '\0';
    if (n < 0)
        strcpy(heard + size, errno == ECONNRESET ? " [reset]" : " [error]");
    verd_close(fd);
    undate(heard);
    return heard;
}

const char *hear_some(int fd, const char *expected)
{
    size_t size = 0, wanted = strlen(expected);
    while (size < wanted) {
        ssize_t n = verd_read(fd, heard + size, wanted - size);
        if (n <= 0)
            break;
        heard[size + (size_t)n] = '\0';
        undate(heard);
        size = strlen(heard);
    }
    heard[size] = '\0';
    return heard;
}

const char *ask(const struct site *site, const char *text)
{
    int fd = site_connect(site);
    say(fd, text);
    verd_shutdown(fd, SHUT_WR);
    return hear(fd);
}

const char *ask_and_stay(const struct site *site, const char *text)
{
    int fd = site_connect(site);
    say(fd, text);
    return hear(fd);
}

int handle_hello(verd_http_exchange *x, void *site)
{
    (void)site;
    return verd_http_reply(x, 200, "text/plain", "hello", 5);
}

int handle_echo(verd_http_exchange *x, void *site)
{
    char text[8192];
    size_t size;
    const char *query = verd_http_query(x);
    char *body = verd_http_body(x, 4096, &size);
    (void)site;
    if (body == NULL)
        return -1;
    int length =
        snprintf(text, sizeof text, "%s %s %s %s 1.%d [%s]", verd_http_method(x), verd_http_host(x),
                 verd_http_path(x), query != NULL ? query : "-", verd_http_version(x), body);
    return verd_http_reply(x, 200, "text/plain", text, (size_t)length);
}

static ssize_t ended; /* handle_endless's last write; 0: not yet */

static int handle_endless(verd_http_exchange *x, void *site)
{
    static char block[10000];
    (void)site;
    verd_http_begin(x, 200, VERD_HTTP_CHUNKED);
    while ((ended = outcome(verd_http_write(x, block, sizeof block))) == 0) {
    }
    return -1;
}

ssize_t offer_without_end(const verd_http_options *options)
{
    struct site site;
    site_open(&site, handle_endless, options);
    int fd = site_connect(&site);
    say(fd, GET);
    while (ended == 0)
        verd_sleep(VERD_MS);
    verd_close(fd);
    site_close(&site);
    return ended;
}

bool stream_is_full;

static ssize_t read_plainly(void *ctx, void *buffer, size_t size)
{
    return verd_read(*(int *)ctx, buffer, size);
}

static ssize_t write_unless_full(void *ctx, const void *data, size_t size)
{
    return stream_is_full ? verd_sleep(VERD_FOREVER) : verd_write(*(int *)ctx, data, size);
}

int open_fillable(void *ctx, int fd, verd_stream *stream)
{
    static const verd_stream_ops ops = {.read = read_plainly, .write = write_unless_full};
    static int own;
    (void)ctx;
    own = fd;
    stream->ops = &ops;
    stream->ctx = &own;
    return 0;
}
