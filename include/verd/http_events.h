/* SPDX-License-Identifier: MIT */
/*
 * Server-sent events (WHATWG HTML, 9.2): a reply that goes on, which browsers read by EventSource.
 *
 *     static int ticks(verd_http_exchange *x, void *ctx)
 *     {
 *         if (verd_http_events_begin(x) != 0)
 *             return -1;
 *         while (verd_http_events_send(x, &(verd_http_event){.data = "tick"}) == 0 &&
 *                verd_http_pause(x, VERD_SEC) == 0) {}
 *         return 0;                                // the client is gone, or the server is being stopped
 *     }
 *
 * A browser whose connection has ended connects anew, and says in the field Last-Event-ID which id it
 * has seen last.
 */
#ifndef VERD_HTTP_EVENTS_H
#define VERD_HTTP_EVENTS_H

#include <verd/http.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is sent; NULL and 0: without it. Text is UTF-8. */
typedef struct verd_http_event {
    const char *type;    /* which listeners it is for; NULL: "message" */
    const char *data;    /* of any number of lines; NULL: nobody hears of it */
    const char *id;      /* where a client that connects anew goes on; "": forget it */
    verd_duration retry; /* how long it is to wait before it does so */
} verd_http_event;

/*
 * Begins a reply of events: status 200, the fields added before, and those that have browsers and proxies
 * pass on at once what comes. The request's time no longer runs. Sends the header. Blocks.
 * Returns 0, or -1 with errno EALREADY, ENOMEM, EPROTO or EPIPE, which mean what they mean of
 * verd_http_reply, or others as verd_stream_write.
 */
int verd_http_events_begin(verd_http_exchange *x);

/*
 * Sends an event. Blocks. Returns 0, or -1 with errno
 *   EINVAL  no reply was begun; type or id has the end of a line in it; retry is negative
 *   EPIPE   the client is gone        ENOMEM  no memory        others as verd_stream_write
 *   ESHUTDOWN  the server is being stopped, and the event is not sent: the browser will ask for it anew
 */
int verd_http_events_send(verd_http_exchange *x, const verd_http_event *event);

/* Sends what clients overlook: every 15 seconds or so in which nothing happens, it keeps proxies from
 * ending the connection, and tells whether the client is there. Blocks. Returns 0, or -1 with errno EINVAL (no
 * reply was begun), EPIPE, ESHUTDOWN, or others as verd_stream_write. */
int verd_http_events_keep(verd_http_exchange *x);

#ifdef __cplusplus
}
#endif
#endif
