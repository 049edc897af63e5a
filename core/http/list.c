/* SPDX-License-Identifier: MIT */
#include "http/list.h"

#include <string.h>

#include "http/text.h"

size_t verd__list_next(const char **list)
{
    const char *c = *list + strspn(*list, ", \t");
    size_t size = strcspn(c, ",");
    *list = c;
    while (size > 0 && (c[size - 1] == ' ' || c[size - 1] == '\t'))
        size--;
    return size;
}

bool verd__list_is(const char *text, size_t size, const char *member, bool any_case)
{
    return size == strlen(member) &&
           (any_case ? verd__begins(text, member) : memcmp(text, member, size) == 0);
}

bool verd__list_has(const verd_http_field *fields, size_t count, const char *name,
                    const char *member, bool any_case)
{
    for (size_t i = 0; i < count; i++) {
        const char *list = fields[i].value;
        if (!verd__same(fields[i].name, name))
            continue;
        for (size_t size; (size = verd__list_next(&list)) > 0; list += size) {
            if (verd__list_is(list, size, member, any_case))
                return true;
        }
    }
    return false;
}
