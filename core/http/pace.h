/* SPDX-License-Identifier: MIT */
/*
 * The pace of a client that is waited for within a request or a reply. It has some patience: what is waited
 * uses it up, what the client sends or takes gives some of it back, up to what it was; without any it is too
 * slow. Where it has got nowhere for a quarter of that, its connection is expendable (pool/pool.h).
 *
 * No clock is read where nothing has to be waited for: the time is that of the scheduler's last look.
 */
#ifndef VERD_HTTP_PACE_H
#define VERD_HTTP_PACE_H

#include <verd/http.h>

struct verd__connection;

/* What a connection knows of its client's pace. */
struct verd__pace {
    verd_duration patience; /* what is left of it */
    uint64_t taken;         /* bytes that the client's system had acknowledged at the last look */
    bool looked;            /* there has been one */
    bool off;               /* it has all the time it wants */
    bool slow;              /* it is too slow, or was so while others waited for its slot */
};

/* The stream of a connection, read at the client's pace: -1 with errno ETIMEDOUT if it is too slow. */
verd_stream verd__pace_stream(struct verd__connection *connection);

/* A request begins: all its patience is there. */
void verd__pace_begin(struct verd__connection *connection);

/* As verd_stream_writev_full, at the client's pace. */
int verd__pace_write(struct verd__connection *connection, struct iovec *vector, int count);

/* How many bytes of all that was written the other side's system has acknowledged. False, and *taken is left as it
 * is, of other sockets than TCP's. */
bool verd__pace_look(const verd_stream *stream, uint64_t *taken);

#endif
