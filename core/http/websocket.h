/* SPDX-License-Identifier: MIT */
/*
 * A WebSocket: what was received of a frame and of a message, and who sends.
 *
 * One thread receives. It reads the head of a frame, then its payload, byte by byte as they come, so that a
 * call that was killed or timed out can be made again. Whoever sends holds `sending`, for a whole frame. A Pong
 * that is due while another thread sends is that one's to send: else two sides whose sending
 * waits for the other's receiving would wait for ever.
 */
#ifndef VERD_HTTP_WEBSOCKET_H
#define VERD_HTTP_WEBSOCKET_H

#include <errno.h>

#include <verd/sync.h>
#include <verd/websocket.h>

#include "io/buffer.h"
#include "http/exchange.h"
#include "http/handshake.h"
#include "http/websocket_frame.h"
#include "http/text.h"
#include "http/utf8.h"
#include "sched/obligation.h"
#include "sched/wait.h"

/* For an answer to a Close. */
#define VERD__WEBSOCKET_CLOSE_TIME (5 * VERD_SEC)

struct verd__websocket_control {
    size_t size;
    char data[VERD__WEBSOCKET_CONTROL + 1];
};

struct verd_websocket {
    uint64_t home;                /* the number of its maker's scheduler */
    struct verd_http_exchange *x; /* of a server; NULL: it is a client */
    struct verd_http_response
        *response;               /* owned, of a client, with the connection; NULL: not connected */
    const verd_stream *stream;   /* the connection's */
    struct verd__buffer *buffer; /* the exchange's, or the response's */
    const char *protocol;        /* one of the options'; NULL: none */
    size_t most;                 /* bytes of a message */
    verd_duration idle_time;
    verd_duration
        close_by; /* when the other side has to have answered a Close of the server's stop; 0: none */

    bool receiving; /* a thread does */
    struct verd__obligation receives;
    bool in_frame;  /* `frame` is one whose payload is to come */
    bool delivered; /* `message` is complete */
    bool pinged;    /* nothing has come since */
    bool closed;    /* by the other side */
    int error;      /* errno that has ended receiving, or is to; 0: none */
    int code;       /* that the other side has closed with */
    struct verd__websocket_frame frame;
    uint8_t type;           /* enum verd_websocket_type, of the message; 0: none has begun */
    struct verd__utf8 utf8; /* of the message */
    struct verd__text message;
    struct verd__websocket_control
        control;                         /* the payload of a control frame, as far as it has come */
    struct verd__websocket_control pong; /* due, if pong_due */
    char reason[VERD__WEBSOCKET_CONTROL];

    verd_mutex sending;
    struct verd__obligation sends; /* to unlock it */
    bool pong_due;
    bool close_sent;
    bool broken; /* part of a frame was sent, or the other side is gone: nothing more can be */
    size_t mask_count; /* of a client: bytes in `masks` that were not used */
    unsigned char masks[256];
    struct verd__text out; /* of a client: what is sent, masked */
};

/* Makes one of a server, or with NULL of a client, which is to be connected. NULL with errno EINVAL or ENOMEM. */
struct verd_websocket *verd__websocket_new(const verd_websocket_options *options,
                                           struct verd_http_exchange *x);

/* 0, or -1 with errno EPERM: it belongs to another OS thread. */
int verd__websocket_check(const struct verd_websocket *socket);

/* A key of chance. -1 with errno EAGAIN, as getrandom(2) */
int verd__websocket_key(char key[VERD__KEY_SIZE]);

/* Whether a call that has failed may be made again. */
static inline bool verd__websocket_may_go_on(int error)
{
    return verd__is_interruption(error) || error == ENOMEM;
}

/* Sends a frame, waiting for whoever else sends. -1 with errno as verd_websocket_send. */
int verd__websocket_send(struct verd_websocket *socket, unsigned opcode, const void *data,
                         size_t size);

/* Answers a Ping whose payload is socket->control, or has it answered by who sends. */
void verd__websocket_pong(struct verd_websocket *socket);

/* Sends a Ping, unless another thread sends: then the other side does not read, and would not answer. */
void verd__websocket_ask(struct verd_websocket *socket);

/* Sends a Close: code 0 has none. -1 with errno as verd_websocket_send. */
int verd__websocket_say_close(struct verd_websocket *socket, int code, const char *reason);

#endif
