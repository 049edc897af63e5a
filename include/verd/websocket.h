/* SPDX-License-Identifier: MIT */
/*
 * WebSocket (RFC 6455): messages in both directions, on a connection that has begun as HTTP's.
 *
 *     static int echo(verd_http_exchange *x, void *ctx)
 *     {
 *         verd_websocket_message message;
 *         verd_websocket *socket = verd_websocket_accept(x, NULL);
 *         if (socket == NULL)
 *             return -1;                                   // no WebSocket, and the client knows
 *         while (verd_websocket_receive(socket, &message) == 1)
 *             verd_websocket_send(socket, message.type, message.data, message.size);
 *         verd_websocket_free(socket);
 *         return 0;
 *     }
 *
 *     verd_websocket *socket = verd_websocket_connect("ws://127.0.0.1:8080/", NULL);
 *     verd_websocket_send(socket, VERD_WEBSOCKET_TEXT, "hello", 5);
 *     verd_websocket_receive(socket, &message);
 *     verd_websocket_close(socket, 1000, NULL);
 *     verd_websocket_free(socket);
 *
 * One thread may receive, and any number may send, whose messages go one after the other. Pings are answered
 * by whoever receives. Browsers have any page connect to any server, and their cookies with it: a server that
 * knows its users by cookies compares the field Origin (verd_http_header) before it accepts. No extension is
 * offered or taken, so nothing is compressed.
 *
 * Everything here belongs to the OS thread that made it: EPERM from another.
 */
#ifndef VERD_WEBSOCKET_H
#define VERD_WEBSOCKET_H

#include <stddef.h>

#include <verd/http.h>
#include <verd/http_client.h>
#include <verd/time.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct verd_websocket verd_websocket;

enum verd_websocket_type {
    VERD_WEBSOCKET_TEXT = 1, /* UTF-8, whichever side sends it */
    VERD_WEBSOCKET_BINARY = 2
};

typedef struct verd_websocket_message {
    enum verd_websocket_type type;
    const char *data; /* behind it is a zero, which is not counted */
    size_t size;
} verd_websocket_message;

/* Zeroed fields are the defaults, in parentheses. All of it must stay until the call returns, and
 * `protocols` as long as the WebSocket. */
typedef struct verd_websocket_options {
    size_t message; /* bytes of a message from the other side (1 MiB) */
    /* When nothing has come for so long while a thread receives, it sends a ping, and when for as long
     * again nothing has come, the other side is given up (30 s). So it is, whoever sends, when it takes nothing
     * of what is sent for so long, and for as long again. VERD_FOREVER: never. */
    verd_duration idle_time;
    /* Subprotocols, a NULL behind the last: what a client offers, the one it likes best first; or those of
     * a server, which takes its first that was offered, or none. NULL: none. */
    const char *const *protocols;
    /* The rest is for clients. Fields to send, such as Origin, Cookie and Authorization. */
    const verd_http_field *fields;
    size_t field_count;
    /* By which the server is asked, as for a page: its limits, times, `open` (of wss) and `vet` count up to the answer; it
     * cannot be freed before the WebSocket. But `connections` does not count WebSockets. NULL: the OS thread's own. */
    verd_http_client *client;
    int *status; /* where the status of the server's answer goes (0: none). NULL: nowhere */
} verd_websocket_options;

/*
 * Switches a request to WebSocket, with the fields added before; what asks for none, or for another version,
 * is answered with 426, and what does so wrongly with 400. The exchange is not to be read or written any more,
 * and stays, as the WebSocket does, until the handler returns. NULL is the defaults. Blocks.
 * Returns it, or NULL with errno
 *   EPROTO    it cannot be: the client has got its answer
 *   EINVAL    idle_time is negative, or one of `protocols` is not a token
 *   EALREADY  a reply was begun
 *   EPIPE     the client is gone        ENOMEM  no memory        others as verd_stream_write
 */
verd_websocket *verd_websocket_accept(verd_http_exchange *x, const verd_websocket_options *options);

/*
 * Connects to a URL (ws://host:port/path?query, or wss). Redirects are not followed. NULL is the defaults.
 * Blocks.
 * Returns the WebSocket, or NULL with errno
 *   EINVAL           url is malformed, has user information, or a character that has to be escaped; a field's
 *                    name or value is not one, or the field is the handshake's own; idle_time is negative, or
 *                    one of `protocols` is not a token
 *   EPROTONOSUPPORT  neither ws nor wss, or wss and the client has no `open`
 *   EPROTO           the server has answered otherwise, as options->status tells
 *   EBADMSG          its answer is malformed         EMSGSIZE  it is beyond the client's limits
 *   ECONNRESET       it has closed the connection
 *   ENOMEM           no memory
 *   EAGAIN           the system has no random numbers yet
 *   EPERM            the client belongs to another OS thread
 *   ECANCELED        the caller was killed           ETIMEDOUT  an enclosing timeout ran out, or one of the client's times
 *   others as verd_connect, verd_stream_read, verd_stream_write, and `open` and `vet` of the client
 */
verd_websocket *verd_websocket_connect(const char *url, const verd_websocket_options *options);

/*
 * Receives the next message, which stays until the next call. Where the server is being stopped, and nothing has
 * come, it closes with the code 1001: from then on nothing can be sent, and messages are received until the other
 * side has answered, or 5 s have passed. Blocks.
 * Returns 1 (a message), 0 (the other side has closed it, and was answered; or has answered), or -1 with errno
 *   EBADMSG     what came is against the protocol, or text is not UTF-8: the other side was told
 *   EMSGSIZE    the message is too long: the other side was told
 *   ECONNRESET  the connection has ended without a word, pings, or that Close, are not answered, or the other side
 *               was given up as it takes nothing
 *   EBUSY       another thread receives
 *   ENOMEM      no memory for the message
 *   ECANCELED   the caller was killed        ETIMEDOUT  an enclosing timeout ran out
 *   others as verd_stream_read; all but these two, EBUSY and ENOMEM are said again by the next call
 */
int verd_websocket_receive(verd_websocket *socket, verd_websocket_message *message);

/*
 * Sends a message, in one frame. Blocks. Returns 0, or -1 with errno
 *   EINVAL  type is none
 *   EILSEQ  text is not UTF-8
 *   EPIPE   it was closed, by whichever side, or the other side is gone, or was given up
 *   ENOMEM  no memory
 *   ECANCELED, ETIMEDOUT (an enclosing timeout ran out, or the other side has taken nothing for twice idle_time, and
 *   is given up), and others as verd_stream_write: part of it may have been sent, and if so, nothing more can be
 */
int verd_websocket_send(verd_websocket *socket, enum verd_websocket_type type, const void *data,
                        size_t size);

/* Sends a ping with at most 125 bytes; who receives overlooks the answer. Blocks. Returns 0, or -1 with
 * errno EINVAL (more bytes), EPIPE, ENOMEM, ECANCELED, ETIMEDOUT, which mean what they mean of
 * verd_websocket_send, or others as verd_stream_write. */
int verd_websocket_ping(verd_websocket *socket, const void *data, size_t size);

/*
 * Closes: tells the other side by a code (RFC 6455, 7.4; 1000: all is done, 1001: the server stops; 3000 to
 * 4999 are free) and a reason of at most 123 bytes (NULL: none), and waits for its answer, for 5 s at most.
 * Messages that come until then are dropped; while another thread receives, they are that one's, as is the
 * answer. Does nothing where the other side has closed already. Blocks. Returns 0, or -1 with errno
 *   EINVAL      no side may send this code; reason is too long
 *   EILSEQ      reason is not UTF-8
 *   EPIPE       it was closed by this side already, or the other side is gone
 *   ECONNRESET  it has left without an answer
 *   ETIMEDOUT   it did not answer in time, or has taken nothing for twice idle_time, or an enclosing timeout ran out
 *   ECANCELED   the caller was killed
 *   EBADMSG, EMSGSIZE, ENOMEM, which mean what they mean of verd_websocket_receive
 *   others as verd_stream_read and verd_stream_write
 */
int verd_websocket_close(verd_websocket *socket, int code, const char *reason);

/* The subprotocol that was agreed on; NULL: none. Never blocks. */
const char *verd_websocket_protocol(const verd_websocket *socket);

/* The code that the other side has closed with: 1005 (with none), or 1006 (it has not closed). And its
 * reason; "": none. Never block. */
int verd_websocket_code(const verd_websocket *socket);
const char *verd_websocket_reason(const verd_websocket *socket);

/* Frees it, and at a client, closes the connection without a word; a server's ends when the handler returns.
 * No thread may use it any more. NULL is ignored. Works in a killed thread. Blocks only in the stream's
 * `close`. */
void verd_websocket_free(verd_websocket *socket);

#ifdef __cplusplus
}
#endif
#endif
