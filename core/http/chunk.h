/* SPDX-License-Identifier: MIT */
/* The chunked coding: a decoder that eats what frames the data, and leaves the data where it is. */
#ifndef VERD_HTTP_CHUNK_H
#define VERD_HTTP_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <verd/http.h>

#include "http/text.h"

struct verd__chunk {
    uint64_t left; /* bytes of the chunk's data to come; whoever takes some counts them down */
    size_t spare;  /* bytes that may still be spent on extensions and trailers */
    size_t fields; /* trailers that may still come */
    size_t line;   /* bytes of the trailer's line so far */
    size_t most;   /* bytes that such a line may have */
    struct verd__text *trailers; /* gets the trailers' lines; NULL: they are dropped */
    bool folds;                  /* a trailer may go on on lines that begin with white space */
    bool named;                  /* there is a trailer that may */
    uint8_t state;               /* enum state, in chunk.c */
    uint8_t digits;              /* of the size so far */
};

void verd__chunk_init(struct verd__chunk *chunk, const verd_http_limits *limits);

enum verd__chunk_result {
    VERD__CHUNK_MORE,  /* all was eaten, and more is needed */
    VERD__CHUNK_DATA,  /* chunk->left bytes of data follow */
    VERD__CHUNK_END,   /* the body is complete; what follows is not its own */
    VERD__CHUNK_WRONG, /* malformed */
    VERD__CHUNK_LARGE, /* extensions or trailers beyond the limits */
};

/* Eats framing from the `size` bytes at `data`; *used is how many. */
enum verd__chunk_result verd__chunk_eat(struct verd__chunk *chunk, const char *data, size_t size,
                                        size_t *used);

/* Writes the line before a chunk of `size` bytes: hexadecimal digits, CR, LF, at `to`, which has room
 * for VERD__CHUNK_LINE. Returns its length. */
#define VERD__CHUNK_LINE 18
size_t verd__chunk_line(char *to, uint64_t size);

#endif
