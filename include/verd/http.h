/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 and 1.0, one green thread per connection.
 *
 *     static int hello(verd_http_exchange *x, void *ctx)
 *     {
 *         return verd_http_reply(x, 200, "text/plain", "Hello world\n", 12);
 *     }
 *
 *     verd_http_server *server = verd_http_serve(verd_listen(NULL, 8080, 0), hello, NULL, NULL);
 *     verd_http_wait(server);                     // until someone calls verd_http_stop
 *
 * The handler is called once per request, on the thread of the connection, and may block as it likes.
 * It reads the request's body as far as it wants to, and replies: whole with one call, or in parts:
 *
 *     char buffer[4096];
 *     ssize_t n;
 *     verd_http_begin(x, 200, VERD_HTTP_CHUNKED);
 *     while ((n = verd_http_read(x, buffer, sizeof buffer)) > 0)
 *         if (verd_http_write(x, buffer, (size_t)n) != 0)
 *             return -1;                                     // the client is gone
 *     return (int)n;
 *
 * The server takes what RFC 9112 allows and nothing else: what could be read in two ways is answered
 * with 400 (or what the RFC asks for) and ends the connection; the handler sees well-formed requests
 * only. A target has RFC 3986's characters, and '[' and ']', which browsers send. All text that it gets is
 * terminated by a zero, and contains none.
 *
 * Everything here belongs to the OS thread that made it: EPERM from another. All that block return
 * -1 with ECANCELED in a killed thread and ETIMEDOUT after an enclosing timeout, or the server's own
 * limit for the request, has run out.
 */
#ifndef VERD_HTTP_H
#define VERD_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <verd/pool.h>
#include <verd/stream.h>
#include <verd/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A header field, its name as the peer wrote it. */
typedef struct verd_http_field {
    const char *name;
    const char *value; /* without the white space around it */
} verd_http_field;

/* Limits of what a peer may send; 0: the default in parentheses. */
typedef struct verd_http_limits {
    size_t line;   /* bytes of the first line, and of each field's line (8 KiB) */
    size_t header; /* bytes of all lines before the body, and of those behind it (64 KiB) */
    size_t fields; /* fields before the body, and behind it (100) */
} verd_http_limits;

/* Where a number of bytes is asked for: there is no limit. */
#define VERD_HTTP_UNLIMITED UINT64_MAX

/* ---- server ---- */

typedef struct verd_http_server verd_http_server;

/* A request and the reply to it; the handler's until it returns. */
typedef struct verd_http_exchange verd_http_exchange;

/*
 * Answers a request. Returns 0 once it has replied; anything else is a failure: if nothing was sent
 * yet, the client gets a 500 (or what suits a fault of its own: 400 for a body that is malformed or cut
 * short, 413 for one too large, 408 for one too slow; 503 if the time for the request ran out), else
 * the connection is closed such that it cannot take the reply for complete. Not to have replied, or to
 * have written less than was announced, is a failure too. The other connections go on.
 */
typedef int (*verd_http_handler)(verd_http_exchange *exchange, void *ctx);

/* What has been answered, for the access log. Valid during the call. */
typedef struct verd_http_entry {
    const char *client;  /* numeric address without the port; "" of a Unix socket */
    int64_t time;        /* of the request's arrival: seconds since 1970 */
    const char *line;    /* first line of the request, what is not printable replaced by '?' */
    int status;          /* of the reply; 0: the connection ended without one */
    uint64_t bytes;      /* of the reply's body that were sent */
    verd_duration spent; /* from the request's arrival to the end of the reply */
    verd_http_exchange *exchange; /* to ask for fields, say; NULL: the request was not readable */
} verd_http_entry;

/* How to serve; zeroed fields are the defaults, in parentheses. Durations: VERD_FOREVER is no limit. */
typedef struct verd_http_options {
    verd_http_limits limits;
    /* Bytes of a request's body; 413 beyond (16 MiB). */
    uint64_t body;
    /* Bytes of a body that the handler has left, to be read and dropped so that the connection can be
     * kept; with more, it ends (64 KiB). */
    uint64_t drain;
    /* How many there are at once: others wait to be accepted, and whoever is idle or within `open` for longest,
     * or waits for a client that has got nowhere for a quarter of stall_time, ends in their favour (10,000).
     * With a pool of the caller's, the size of that counts, and the connections of all servers that share it.
     * So it is when the process has no descriptor left for them. */
    size_t connections;
    /* From a request's first byte to its header's end: 408 beyond. Also up to the first byte of the
     * first request, and for `open` (20 s). */
    verd_duration header_time;
    /* Between requests (75 s: longer than the proxies in front, which then are the ones to end it). */
    verd_duration idle_time;
    /* A client that is waited for, in the middle of a header, a body or a reply, may take so long in all, and
     * each `rate` bytes that it sends or takes give it a second back (20 s): beyond, it gets a 408, or the
     * connection is reset. So whoever keeps to the rate has all the time it takes. */
    verd_duration stall_time;
    size_t rate; /* (500) */
    /* From the header's end to the reply's end, however fast the client is: beyond, the handler's calls say
     * ETIMEDOUT (VERD_FOREVER). */
    verd_duration request_time;
    /* Connections that a client's address may have, of IPv6 its network (/64): others are closed (any
     * number). Behind a proxy, all have that one's. */
    size_t per_address;
    /* Its threads run the connections; must stay until the server was stopped. NULL: one of the
     * server's own. */
    verd_pool *pool;
    /* Of the threads of the server's own pool: the bytes of their stacks (verd_stack_default), and what they are
     * called, with their numbers ("http"). */
    verd_attr threads;
    /* Called after each request on the connection's thread; must not block. NULL: no log. */
    void (*log)(void *ctx, const verd_http_entry *entry);
    void *log_ctx;
    /* Makes the stream of a new connection, on its thread: a TLS handshake, say. Returns 0 and
     * *stream, which is verd_stream_of(fd) before, or -1 to have the descriptor closed. May block.
     * NULL: the descriptor itself. */
    int (*open)(void *ctx, int fd, verd_stream *stream);
    void *open_ctx;
} verd_http_options;

/*
 * Serves HTTP on a listening socket, which is the server's from now on, by threads of its own; the
 * caller goes on. The options are copied; NULL: the defaults. Never blocks.
 * Returns the server, or NULL with errno
 *   any               listener is below 0: what made it has failed, and its errno is left as it is (0: EBADF)
 *   EBADF, ENOTSOCK   listener is not an open descriptor; is not a socket
 *   EINVAL            it does not listen; handler is NULL; a duration is negative; a stack cannot be of that size
 *   EPERM             the pool belongs to another OS thread
 *   ENOMEM            no memory; EMFILE, ENFILE  no descriptor for the hub
 */
verd_http_server *verd_http_serve(int listener, verd_http_handler handler, void *ctx,
                                  const verd_http_options *options);

/*
 * Stops: idle connections end; requests that have come are answered, each as the last of its connection, within
 * `grace` nanoseconds. So are those of clients who have connected by now and wait to be accepted; when
 * there is none left, the listener closes. Then what is left is killed: calls of the handler return -1 and
 * ECANCELED. Returns when all have ended. A grace of zero and less kills at once, VERD_FOREVER never.
 *
 * Handlers whose replies have no end of their own learn of it, lest they use up the grace: by verd_http_read once
 * they have upgraded, by verd_http_pause, verd_http_stopping, verd_http_events_send and _keep. A WebSocket is closed
 * by verd_websocket_receive.
 *
 * May be called again and by several threads: the first grace to end counts. A handler of this server
 * may call it, and waits for the others.
 *
 * Blocks. Returns 0, or -1 with errno
 *   ECANCELED  the caller was killed        ETIMEDOUT  an enclosing timeout ran out: handlers that are
 *              left run on, and who waited to be accepted is, until this is called again
 *   EINVAL     server is NULL               EPERM      it belongs to another OS thread
 */
int verd_http_stop(verd_http_server *server, verd_duration grace);

/* Waits until the server has ended: stopped, or unable to accept, after which it ends as after
 * verd_http_stop without end of the grace. Blocks. Returns 0 if it was stopped, or -1 and errno, as
 * verd_serve_wait. */
int verd_http_wait(verd_http_server *server);

/* Connections that are open, and those of them that are being served rather than idle. 0 for NULL.
 * Never block. */
size_t verd_http_connections(const verd_http_server *server);
size_t verd_http_busy(const verd_http_server *server);

/* Frees a server that has stopped. Returns 0 (also for NULL), or -1 with errno EBUSY (it has not, or
 * someone waits for it) or EPERM. Never blocks. */
int verd_http_free(verd_http_server *server);

/* ---- what was asked ---- */

/* The method, as it was sent: "GET", "POST", ... Never blocks. */
const char *verd_http_method(const verd_http_exchange *x);

/* The path, as it was sent: not unescaped, without host, from the '/' on; "*" of OPTIONS, and of
 * CONNECT the host and port. Never blocks. */
const char *verd_http_path(const verd_http_exchange *x);

/* What follows the first '?' of the target, as it was sent; NULL: there is none. Never blocks. */
const char *verd_http_query(const verd_http_exchange *x);

/* The host and port that was asked for, from the target or the Host field, as it was sent; "" if
 * none. Never blocks. */
const char *verd_http_host(const verd_http_exchange *x);

/* The minor version of HTTP: 1 or 0. Never blocks. */
int verd_http_version(const verd_http_exchange *x);

/* The value of the first field of this name, in any case; NULL: there is none. Never blocks. */
const char *verd_http_header(const verd_http_exchange *x, const char *name);

/* All fields, in the order they came in; *count is their number. Never blocks. */
const verd_http_field *verd_http_headers(const verd_http_exchange *x, size_t *count);

/* Bytes of the body, or VERD_HTTP_CHUNKED where only its end will tell. 0: there is none. Never
 * blocks. */
uint64_t verd_http_length(const verd_http_exchange *x);
#define VERD_HTTP_CHUNKED UINT64_MAX

/*
 * Reads the next bytes of the body, at most `size`. Has the client that waits for it told to go
 * ahead (100-continue). After verd_http_upgrade, where nothing has come and the server is being stopped, it
 * says so once, by -1 and ESHUTDOWN: whoever reads on has what is left of the grace. Blocks.
 * Returns how many, 0 at the end of the body, or -1 with errno
 *   EBADMSG     the body is malformed                EMSGSIZE  it is longer than the server allows
 *   ECONNRESET  the client has gone in the middle
 *   others as verd_stream_read; each is said again by the next call
 */
ssize_t verd_http_read(verd_http_exchange *x, void *buffer, size_t size);

/*
 * Reads what is left of the body, which must be `most` bytes at most. Blocks.
 * Returns it, terminated by a zero that is not counted in *size (unless NULL); it stays until the
 * handler returns, and further calls return the same. Or NULL with errno as verd_http_read, and
 *   EMSGSIZE  it is longer (unless it is replied to, the client gets a 413)
 *   ENOMEM    no memory for it
 */
char *verd_http_body(verd_http_exchange *x, size_t most, size_t *size);

/* The fields behind a body in chunks, once that was read to its end: all of them, in the order they came in, *count is
 * their number (NULL: none, or no memory for them); and the value of the first of this name, in any case (NULL: there is
 * none). Nothing that they say changes how the request was read. Never block. */
const verd_http_field *verd_http_trailers(verd_http_exchange *x, size_t *count);
const char *verd_http_trailer(verd_http_exchange *x, const char *name);

/*
 * The fields of the query, in their order: names and values unescaped, '+' being a space, what is no escape
 * staying as it is (WHATWG URL, 5.1). A name may come several times; a field without '=' has the value "".
 * They stay until the handler returns, and further calls return the same. Never blocks.
 * Returns them, and their number in *count, or NULL with errno
 *   EBADMSG  one has an escaped zero (unless it is replied to, the client gets a 400)
 *   ENOMEM   no memory
 */
const verd_http_field *verd_http_query_fields(verd_http_exchange *x, size_t *count);

/*
 * The fields of the body, as verd_http_query_fields has those of the query, where it is a form
 * (application/x-www-form-urlencoded) of `most` bytes at most; no body is a form without fields. Memory is taken for 20 times the body, at worst. Blocks.
 * Returns them, and their number in *count, or NULL with errno as verd_http_body, and
 *   EPROTO   the body is no form (unless it is replied to, the client gets a 415)
 *   EBADMSG  a field has an escaped zero (a 400)
 */
const verd_http_field *verd_http_form_fields(verd_http_exchange *x, size_t most, size_t *count);

/* The value of the first of these fields that has just this name; NULL: there is none. Never blocks. */
const char *verd_http_value(const verd_http_field *fields, size_t count, const char *name);

/*
 * The path as the name of a file below a directory: unescaped, without the segments "." and ".." (RFC 3986,
 * 5.2.4), and with one slash where there were several. It begins with a slash, and climbs nowhere, unless
 * symbolic links do. It stays until the handler returns. Never blocks.
 * Returns it, or NULL with errno
 *   EBADMSG  an escape is malformed, or means a slash or a zero, which no name has (unless it is replied
 *            to, the client gets a 400)
 *   EINVAL   the target is no path: "*", or a host and port
 *   ENOMEM   no memory
 */
const char *verd_http_clean_path(verd_http_exchange *x);

/* Has a pointer of the user's go with the exchange, up to the call of `log`, which may free what it points to.
 * NULL, unless it was set. Never block. */
void verd_http_set_data(verd_http_exchange *x, void *data);
void *verd_http_data(const verd_http_exchange *x);

/*
 * Whether the client has left, before or while this waits for at most so many nanoseconds: zero and less
 * do not wait, VERD_FOREVER waits until it leaves. One who says that it will send no more (shutdown(2)) counts
 * as one who has left: what tells them apart is to write. A client whose machine or network is gone is not
 * noticed. Blocks.
 * Returns 1: it has left, 0: it has not, or -1 with errno
 *   EOPNOTSUPP  the stream has no descriptor      others as verd_poll
 */
int verd_http_gone(verd_http_exchange *x, verd_duration wait);

/* Whether the server is being stopped: a reply that has no end of its own is to be ended. Never blocks. */
bool verd_http_stopping(const verd_http_exchange *x);

/*
 * For a reply that has no end of its own and nothing to say at the moment: waits for so many nanoseconds, unless the
 * client leaves, as verd_http_gone says, or the server is being stopped. Zero and less do not wait. Blocks.
 *
 *     while (verd_http_pause(x, VERD_SEC) == 0 && verd_http_write(x, tick, size) == 0 && verd_http_flush(x) == 0) {}
 *
 * Returns 0: the time is over; 1: there is nobody to go on for, or the reply is to be ended; or -1 with errno
 * ECANCELED, ETIMEDOUT, or others as verd_poll.
 */
int verd_http_pause(verd_http_exchange *x, verd_duration wait);

/* The client's address, of TCP whether or not it has gone; *length (unless NULL) is its size in bytes. A client of
 * IPv4 has an address of that (AF_INET), of a listener for IPv6, too. AF_UNSPEC: it has none. Never blocks. */
const struct sockaddr *verd_http_peer(verd_http_exchange *x, socklen_t *length);

/* The stream below, to ask TLS for a certificate, say. Nothing must be read or written
 * through it. Never blocks. */
const verd_stream *verd_http_stream(const verd_http_exchange *x);

/* ---- what is answered ---- */

/*
 * Adds a field to the reply's header; a second of the same name is added beside the first. Date and
 * what delimits the body are the server's own; "Connection: close" ends the connection after the reply, and
 * "Connection: upgrade" goes along with an Upgrade, said or not (as with 426).
 * Never blocks. Returns 0, or -1 with errno
 *   EINVAL   name is not a token; value has CR, LF, NUL or another control character; or the field is
 *            Content-Length, Transfer-Encoding or a Connection other than close and upgrade
 *   EALREADY the header is written already
 *   ENOMEM   no memory
 */
int verd_http_add(verd_http_exchange *x, const char *name, const char *value);

/*
 * Sends an interim reply (RFC 9110, 15.2; RFC 8297), before the one that it announces: 103 with fields of Link,
 * say, or 102. These have the fields given and no others. To a client of HTTP/1.0, nothing is sent. The
 * 100 and the 101 are verd_http_read's and verd_http_upgrade's. Blocks. Returns 0, or -1 with errno
 *   EINVAL    status is not in 102..199, or a field as in verd_http_add
 *   EALREADY  the reply was begun           ENOMEM  no memory
 *   EPIPE     the client is gone            others as verd_stream_write
 */
int verd_http_inform(verd_http_exchange *x, int status, const verd_http_field *fields,
                     size_t count);

/*
 * Replies whole: status, the fields added before, Content-Type (unless type is NULL), and a body,
 * in one system call. HEAD, 204, 205 and 304 get no body, whatever is given. Blocks.
 * Returns 0, or -1 with errno
 *   EINVAL    status is not in 200..599, or type is not a field's value
 *   EALREADY  a reply was begun
 *   EPROTO    a 2xx to CONNECT would mean verd_http_upgrade
 *   EPIPE     the client is gone            ENOMEM  no memory        others as verd_stream_write:
 *             with each of these, nothing more can be sent
 */
int verd_http_reply(verd_http_exchange *x, int status, const char *type, const void *body,
                    size_t size);

/*
 * Begins a reply whose body of `length` bytes follows in verd_http_write; VERD_HTTP_CHUNKED: any
 * number, in chunks, or, to a client of HTTP/1.0, up to the connection's end. Nothing is sent yet:
 * the header goes with the first bytes. Never blocks. Returns 0, or -1 with errno EINVAL, EALREADY,
 * EPROTO or ENOMEM, which mean what they mean of verd_http_reply.
 */
int verd_http_begin(verd_http_exchange *x, int status, uint64_t length);

/*
 * Writes the next part of the reply's body. Small parts are collected; they are sent by
 * verd_http_flush, when there are enough of them, and when the handler returns. Where a body is not sent
 * (verd_http_silent), all is as if it were: the header goes, time passes, and the client may leave. Blocks.
 * Returns 0, or -1 with errno
 *   EPIPE     the client is gone            ENOMEM  no memory to collect it
 *   EMSGSIZE  more than was announced
 *   EINVAL    no reply was begun            others as verd_stream_write
 */
int verd_http_write(verd_http_exchange *x, const void *data, size_t size);

/*
 * Adds a field behind the body of a reply that was begun with VERD_HTTP_CHUNKED, for what is known only then: a
 * checksum, or what has gone wrong. Many clients overlook it; those of HTTP/1.0, and where the body is not sent,
 * do not get it. Never blocks. Returns 0, or -1 with errno
 *   EINVAL   no such reply was begun; a field as in verd_http_add; or one that has no place there (RFC 9110, 6.5.1),
 *            as it says how a message is read, passed on or kept: Content-Type, Cache-Control, Set-Cookie, ...
 *   ENOMEM   no memory
 */
int verd_http_add_trailer(verd_http_exchange *x, const char *name, const char *value);

/*
 * Whether the reply's body is not sent, whatever is written of it: to HEAD, and with 204, 205 and 304; before
 * the reply has begun, whether the method is HEAD. Writing is right all the same, and so is leaving it: who
 * has no use for the work may be glad to know. Never blocks.
 */
bool verd_http_silent(const verd_http_exchange *x);

/* Sends what was collected, the header included. Blocks. Returns 0, or -1 with errno EPIPE,
 * EINVAL (no reply was begun), or others as verd_stream_write. */
int verd_http_flush(verd_http_exchange *x);

/*
 * Switches to another protocol: replies 101 with "Upgrade: protocol" (or, to CONNECT, a 200), and the
 * fields added before. From now on verd_http_read reads what the client sends, up to its end, and
 * verd_http_write sends at once, neither with any framing; the request's time no longer runs, and
 * the connection ends when the handler returns. Blocks. Returns 0, or -1 with errno
 *   EINVAL    protocol is not a field's value
 *   EALREADY  a reply was begun
 *   EPROTO    the client has not asked for it, in HTTP/1.1: neither CONNECT, nor Connection: upgrade
 *             with a field Upgrade; or the request has a body that was not read to its end
 *   others as verd_http_reply
 */
int verd_http_upgrade(verd_http_exchange *x, const char *protocol);

#ifdef __cplusplus
}
#endif
#endif
