/* SPDX-License-Identifier: MIT */
/* Streams, for those who have to know how far they got. */
#ifndef VERD_IO_STREAM_H
#define VERD_IO_STREAM_H

#include <verd/stream.h>

/* verd_stream_writev_full; *done is always the count of bytes written. */
int verd__stream_write_all(const verd_stream *stream, struct iovec *vector, int count,
                           size_t *done);

#endif
