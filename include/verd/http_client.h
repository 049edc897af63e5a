/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 asked: requests, and the responses to them.
 *
 *     verd_http_response *page = verd_http_get("http://127.0.0.1:8080/", NULL);
 *     if (page != NULL) {
 *         size_t size;
 *         char *body = verd_http_response_body(page, 1 << 20, &size);      // at most 1 MiB
 *         if (body != NULL && verd_http_response_status(page) == 200)
 *             use(body, size);
 *         verd_http_response_free(page);                  // the connection is kept for the next one
 *     }
 *
 * A server has to be connected to, to go on, and to end, in times that are options of the client. Whoever wants an
 * answer sooner opens a timeout (<verd/time.h>) around the call. A request that runs out of time, or whose thread is
 * killed, gives its connection up.
 *
 * What is strict about it: a response that is malformed or too large is an error, and so is one that
 * ends before it is complete; no part of it is taken for the whole. Nothing is asked for compressed.
 *
 * Everything here belongs to the OS thread that made it: EPERM from another. A response can be read
 * by any of its green threads, by one at a time.
 */
#ifndef VERD_HTTP_CLIENT_H
#define VERD_HTTP_CLIENT_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <verd/http.h>
#include <verd/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- a client: the connections ---- */

/* Keeps connections that are not used at the moment, for the next requests to the same origins
 * (scheme, host and port, or the Unix socket instead). */
typedef struct verd_http_client verd_http_client;

/* Zeroed fields are the defaults, in parentheses. Durations, in nanoseconds: VERD_FOREVER is no limit. */
typedef struct verd_http_client_options {
    verd_http_limits limits; /* of what a server may send before and behind a body */
    size_t connections;      /* to one origin at once; who wants more waits in line (1000) */
    size_t idle;             /* connections that are kept unused, of all origins together (100) */
    /* After it an unused one is not used again (30 s), or a second before the time that the server has said
     * (Keep-Alive: timeout); what it has closed is noticed, though. */
    verd_duration idle_time;
    verd_duration connect_time; /* to be connected: the name, all addresses, `open` (30 s) */
    verd_duration silence;      /* the server says nothing, and takes nothing (60 s) */
    verd_duration total; /* from verd_http_request's call to the end of the response's body (1 h) */
    const char *agent;   /* the field User-Agent; NULL: none is sent */
    /* Makes the stream of a new connection to an https origin, that is, the TLS handshake; `host`
     * is what the certificate has to be for: a name, or an address without brackets. Returns 0 and
     * *stream, which is verd_stream_of(fd) before, or -1 and errno to have the descriptor closed. May
     * block; the stream's `close` must not wait for the server, as neither kill nor timeout may reach
     * it there. NULL: https is EPROTONOSUPPORT. */
    int (*open)(void *ctx, int fd, const char *host, verd_stream *stream);
    void *open_ctx;
    /* Asked before each address of a host is connected to (NULL: each may be): an address that it refuses, by -1 and
     * errno (0: EACCES), is left out, and what it said of the last is the errno if none is left. So it sees what a name
     * or a spelling such as "0x7f.1" comes to. It is not asked of a connection that is kept, nor of unix_path. And asked
     * of each redirect, before it is followed (NULL: each may be): refused by -1 and errno (0: EACCES), the request
     * fails with that. Both may block. */
    int (*vet)(void *ctx, const char *host, const struct sockaddr *address, socklen_t length);
    int (*redirect)(void *ctx, const char *from, const char *to);
    void *hook_ctx;
} verd_http_client_options;

/*
 * Makes a client; the options are copied, NULL is the defaults. Never blocks. Requests that name no
 * client use one with the defaults that belongs to the OS thread.
 * Returns it, or NULL with errno ENOMEM, or EINVAL (a duration is negative, agent has a control
 * character, or a limit is too large).
 */
verd_http_client *verd_http_client_new(const verd_http_client_options *options);

/* Closes the kept connections and frees the client. Returns 0 (also for NULL), or -1 with errno EBUSY
 * (a request is under way, or a response not freed) or EPERM. Blocks only in the streams' `close`. */
int verd_http_client_free(verd_http_client *client);

/* Closes the connections that are not used at the moment; NULL: those of the OS thread's own client.
 * Blocks only in the streams' `close`. Returns 0, or -1 with errno EPERM. */
int verd_http_client_close_idle(verd_http_client *client);

/* Connections that are open, and those of them that are not used at the moment. NULL: of the OS
 * thread's own client. Never block. */
size_t verd_http_client_connections(const verd_http_client *client);
size_t verd_http_client_idle(const verd_http_client *client);

/* ---- asking ---- */

/* What a server has answered. */
typedef struct verd_http_response verd_http_response;

/* How to ask; zeroed fields are the defaults. All of it must stay until the call returns. */
typedef struct verd_http_request_options {
    verd_http_client *client; /* NULL: the OS thread's own */
    /* Fields to send, besides those that are sent anyway: Host, Accept-Encoding: identity, the
     * client's User-Agent, and what delimits the body. The first three may be given other values. */
    const verd_http_field *fields;
    size_t field_count;
    /* The body: so many bytes; or, unless source is NULL, what it gives: some bytes, 0 at the end, or -1 and errno.
     * It runs on a green thread of its own, may block, and returns soon once that is killed (ECANCELED). It may go on
     * being asked until the response was read to its end or freed, and stays until then. */
    const void *body;
    size_t size;
    ssize_t (*source)(void *ctx, void *buffer, size_t size);
    void *source_ctx;
    uint64_t
        length;    /* of what source gives; 0 or VERD_HTTP_CHUNKED: unknown, so it goes in chunks */
    int redirects; /* how many are followed: 0: ten; below 0: none, the response is that which
                        redirects */
    /* Told of each interim response but 101, such as 103 with its Link fields, before the call returns; must not block.
     * NULL: they are skipped. */
    void (*interim)(void *ctx, int status, const verd_http_field *fields, size_t count);
    void *interim_ctx;
    const char *unix_path; /* connect to this socket ('@': abstract) instead of the URL's host; a
                              redirect to another origin goes where it says */
} verd_http_request_options;

/*
 * A URL may name the zone of an IPv6 address, as in "http://[fe80::1%25eth0]/" (RFC 6874). The server is not told
 * of it.
 *
 * Sends a request, and waits for the response's header; the body is still to be read. NULL is the
 * defaults. Blocks.
 *
 * Redirects (301, 302, 303, 307, 308 with a Location) are followed. A 303 asks for the other page by
 * GET (by HEAD if that was it), and so do 301 and 302 after a POST, without the body and the fields
 * that are about it; the others ask again with the same method and body, unless the body came from a
 * source and is gone: then that response is returned as it is. To another origin, the fields Host,
 * Authorization, Proxy-Authorization and Cookie are not sent, nor ever again; but all others are, a key in a field of
 * another name too, and so is the body: as browsers and curl do. From https to http the request is repeated without
 * a body only: else the response that redirects is returned as it is. `redirect` of the client may refuse more.
 *
 * A body beyond 16 KiB, or of a source, is sent beside the reading. A response of 300 and more that comes before its
 * end ends the sending, and the connection is not used again; any other is returned while the rest of the body, of which
 * there is a copy then, is still being sent. A field "Expect: 100-continue" has the server asked first: the body is sent
 * when it agrees or says nothing for a second; after any other answer it is not. A 417 to that has the request sent again
 * without the field.
 *
 * A kept connection may have been closed by the server
 * in the meantime; when nothing came back on it, and if it does no harm to ask twice (GET, HEAD,
 * OPTIONS, TRACE, PUT, DELETE; a source was not asked yet), the request is sent again on a new
 * connection, once.
 *
 * Returns the response, whatever its status, or NULL with errno
 *   EINVAL           url is malformed, has user information (name:password@), or a character that has
 *                    to be escaped (RFC 3986; '[' and ']' in a path or query are let through); method is not a token, or CONNECT; a field's name is not a token,
 *                    or its value has CR, LF or another control character, or it is Content-Length,
 *                    Transfer-Encoding, or a Connection other than close; body and source are given
 *   EACCES           `vet` or `redirect` has refused, and said nothing else
 *   EPROTONOSUPPORT  neither http nor https, or https and the client has no `open`
 *   ECONNRESET       the connection was closed before the response's header was there
 *   EBADMSG          the response is malformed, or in a coding that was not asked for; or it redirects
 *                    to something malformed
 *   EMSGSIZE         the response's header is beyond the limits
 *   EOVERFLOW        the response says that its body has 2^64 - 1 bytes or more
 *   ELOOP            more redirects than are to be followed
 *   EIO              source ended before its length, or gave more than it was asked for (also: it failed
 *                    and left errno 0)
 *   EPERM            the client belongs to another OS thread
 *   ENOMEM           no memory
 *   ECANCELED        the caller was killed        ETIMEDOUT  an enclosing timeout ran out, or one of the client's times
 *   others as verd_connect, verd_connect_unix, verd_stream_read, `open` and `source`
 */
verd_http_response *verd_http_request(const char *method, const char *url,
                                      const verd_http_request_options *options);

/* verd_http_request with the method GET. Blocks. Errors as verd_http_request. */
verd_http_response *verd_http_get(const char *url, const verd_http_request_options *options);

/*
 * What a reference, such as a link's, means on the page at `base` (RFC 3986, 5.2): an absolute URL without a
 * fragment, whatever must be escaped being escaped, a '%' that escapes nothing too. What begins with no scheme
 * is a path: "a_b:c", say. Never blocks; from any OS thread.
 * Returns it, to be freed, or NULL with errno EINVAL (either is malformed, or has user information),
 * EPROTONOSUPPORT (neither http nor https: mailto, say) or ENOMEM.
 */
char *verd_http_join(const char *base, const char *reference);

/* ---- the response ---- */

/* 200..599 and whatever else a server makes up, up to 999. Never blocks. */
int verd_http_response_status(const verd_http_response *response);

/* The URL that it came from: the one asked for, or to which that redirected. Without a fragment.
 * Never blocks. */
const char *verd_http_response_url(const verd_http_response *response);

/* The value of the first field of this name, in any case; NULL: there is none. Never blocks. */
const char *verd_http_response_header(const verd_http_response *response, const char *name);

/* All fields, in the order they came in; *count is their number. Never blocks. */
const verd_http_field *verd_http_response_headers(const verd_http_response *response,
                                                  size_t *count);

/* Bytes of the body, or VERD_HTTP_CHUNKED where only its end will tell. 0: there is none, as of HEAD,
 * 204 and 304. Never blocks. */
uint64_t verd_http_response_length(const verd_http_response *response);

/* The fields behind a body in chunks, once that was read to its end: all of them, in the order they came in, *count is
 * their number (NULL: none, or no memory for them); and the value of the first of this name, in any case (NULL: there is
 * none). Nothing that they say changes how the message was read. Never block. */
const verd_http_field *verd_http_response_trailers(verd_http_response *response, size_t *count);
const char *verd_http_response_trailer(verd_http_response *response, const char *name);

/*
 * Reads the next bytes of the body, at most `size`. Blocks.
 * Returns how many, 0 at the end, or -1 with errno
 *   ECONNRESET  the connection was closed before the body's end
 *   EBADMSG     the body is malformed        EMSGSIZE  trailers beyond the limits
 *   ECANCELED   the caller was killed        ETIMEDOUT  an enclosing timeout ran out, or the client's
 *               `silence` or `total`
 *   others as verd_stream_read, and what a source fails with that is still being asked; all but these two are said again by the next call
 * A body of unknown length that is not in chunks ends where the connection does.
 */
ssize_t verd_http_response_read(verd_http_response *response, void *buffer, size_t size);

/*
 * Reads what is left of the body, which must be `most` bytes at most. Blocks.
 * Returns it, terminated by a zero that is not counted in *size (unless NULL); it is the response's,
 * and further calls return the same. Or NULL with errno as verd_http_response_read, and
 *   EMSGSIZE  it is longer; what was read is kept, and a call with a larger bound goes on
 *   ENOMEM    no memory for it
 */
char *verd_http_response_body(verd_http_response *response, size_t most, size_t *size);

/* Frees the response. The connection was given back when the body's end was read; otherwise it is
 * closed, unless all of the body has come. NULL is ignored. Works in a killed thread. Blocks only in
 * the stream's `close`. */
void verd_http_response_free(verd_http_response *response);

#ifdef __cplusplus
}
#endif
#endif
