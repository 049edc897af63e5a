/* SPDX-License-Identifier: MIT */
/*
 * Requests and chunked bodies read a second time, by readers that have nothing in common with the library's: they have
 * all bytes at once, go by RFC 9112's grammar, rule for rule, and know no limits.
 */
#ifndef HTTP_FUZZ_STRICT_H
#define HTTP_FUZZ_STRICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STRICT_FIELDS 64

/* Bytes of the input. */
struct strict_slice {
    const char *at;
    size_t size;
};

struct strict_request {
    size_t end; /* bytes of the head */
    struct strict_slice method, target, host;
    struct strict_slice names[STRICT_FIELDS], values[STRICT_FIELDS];
    size_t count;
    int minor;
    bool chunked;
    struct strict_slice length; /* digits; NULL: not said */
};

/* Whether the input begins with a whole head that a server has to take. */
bool strict_request(struct strict_request *request, const char *data, size_t size);

struct strict_body {
    size_t end;
    char *data; /* room for as much as the input has */
    size_t size;
    size_t trailers;
};

/* Whether the input begins with a whole body in chunks; a trailer's line may be folded. */
bool strict_body(struct strict_body *body, const char *data, size_t size);

#endif
