/* SPDX-License-Identifier: MIT */
/* A stream that turns every byte around on its way, as a stand-in for what a TLS library does. */
#ifndef TESTS_SUPPORT_TURNED_H
#define TESTS_SUPPORT_TURNED_H

#include <sys/types.h>

#include <verd/stream.h>

/* Turned twice, it is as it was. */
void turn(char *text, size_t size);

/* A stream's functions; ctx is the descriptor's place. A write takes 100 bytes at most. */
ssize_t read_turned(void *ctx, void *buffer, size_t size);
ssize_t write_turned(void *ctx, const void *data, size_t size);

/* Makes such a stream of a descriptor, as a server's `open`. */
int open_turned(void *ctx, int fd, verd_stream *stream);

#endif
