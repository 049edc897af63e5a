/* SPDX-License-Identifier: MIT */
/* Lists in fields' values: members with commas between them, and white space around. */
#ifndef VERD_HTTP_LIST_H
#define VERD_HTTP_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include <verd/http.h>

/* Moves to the list's next member. Its size; 0: there is none. */
size_t verd__list_next(const char **list);

/* Whether the text of a member is this one, in any case or not. */
bool verd__list_is(const char *text, size_t size, const char *member, bool any_case);

/* Whether one of the lists of all fields of a name has this member. */
bool verd__list_has(const verd_http_field *fields, size_t count, const char *name,
                    const char *member, bool any_case);

#endif
