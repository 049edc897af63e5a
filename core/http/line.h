/* SPDX-License-Identifier: MIT */
/* The lines of a head, once each is complete: 200, or what is wrong with it. */
#ifndef VERD_HTTP_LINE_H
#define VERD_HTTP_LINE_H

#include <verd/time.h>

#include "http/parser.h"

/* The first line, from head->line to head->line_end, where a zero is. */
int verd__line_request(struct verd__head *head);
int verd__line_response(struct verd__head *head);

/* A field's line up to its CR, at `end`; both may be overwritten. */
int verd__line_field(struct verd__head *head, char *line, char *end);

/* What the last field of a response says of the message, now that no more of it can come. */
int verd__line_note(struct verd__head *head);

/* A line that begins with white space, behind a field: more of its value. Likewise. */
int verd__line_fold(struct verd__head *head, char *line, char *end);

/* How long a server keeps a connection that is not used, in nanoseconds, from the field Keep-Alive; NULL, and what does
 * not say: VERD_FOREVER. A second of that is left for what is on its way. */
verd_duration verd__keep_alive(const char *value);

#endif
