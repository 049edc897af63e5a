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

/* Takes the lines apart, once. -1 with errno ENOMEM */
int verd__trailers_parse(struct verd__trailers *trailers);

void verd__trailers_free(struct verd__trailers *trailers);

#endif
