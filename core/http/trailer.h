/* SPDX-License-Identifier: MIT */
/* The fields behind a chunked body, as the decoder of chunks has collected their lines. */
#ifndef VERD_HTTP_TRAILER_H
#define VERD_HTTP_TRAILER_H

#include <verd/http.h>

#include "http/text.h"

struct verd__trailers {
    struct verd__text
        lines; /* each with CR LF, the empty one left out; cut up once there are fields */
    verd_http_field *fields; /* owned; NULL: not parsed yet, or there are none */
    size_t count;
};

/* The fields of a body that was read to its end. NULL: there are none, or with errno ENOMEM no memory for them. */
const verd_http_field *verd__trailers_fields(struct verd__trailers *trailers, bool ended,
                                             size_t *count);

/* The value of the first field of this name, in any case; NULL. */
const char *verd__trailers_find(struct verd__trailers *trailers, bool ended, const char *name);

/* Whether a field may stand there: none that says how a message is to be read or passed on, who asks, or how the answer
 * is to be kept (RFC 9110, 6.5.1). */
bool verd__may_trail(const char *name);

/* Forgets the fields, for the next body's lines. */
void verd__trailers_clear(struct verd__trailers *trailers);

void verd__trailers_free(struct verd__trailers *trailers);

#endif
