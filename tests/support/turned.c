/* SPDX-License-Identifier: MIT */
#include "turned.h"

#include <stdlib.h>
#include <string.h>

#include <verd.h>

#define KEY 0x5a

void turn(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        text[i] ^= KEY;
}

ssize_t read_turned(void *ctx, void *buffer, size_t size)
{
    ssize_t n = verd_read(*(int *)ctx, buffer, size);
    if (n > 0)
        turn(buffer, (size_t)n);
    return n;
}

ssize_t write_turned(void *ctx, const void *data, size_t size)
{
    char piece[100];
    size = size < sizeof piece ? size : sizeof piece;
    memcpy(piece, data, size);
    turn(piece, size);
    return verd_write(*(int *)ctx, piece, size);
}

int open_turned(void *ctx, int fd, verd_stream *stream)
{
    static const verd_stream_ops turned = {
        .read = read_turned, .write = write_turned, .close = free};
    int *own = malloc(sizeof *own);
    (void)ctx;
    *own = fd;
    stream->ops = &turned;
    stream->ctx = own;
    return 0;
}
