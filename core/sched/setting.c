/* SPDX-License-Identifier: MIT */
#include "sched/setting.h"

#include <stdlib.h>

#include "stack/line.h"

const char *verd__setting(const char *name)
{
    const char *text = secure_getenv(name);
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static void begin_line(struct verd__line *line, const char *name, const char *text)
{
    line->length = 0;
    verd__line_text(line, name);
    verd__line_text(line, "=");
    verd__line_text(line, text);
}

void verd__setting_refuse(const char *name, const char *text, const char *why)
{
    struct verd__line line;
    begin_line(&line, name, text);
    verd__line_text(&line, why);
    verd__line_write(&line);
}

/* Decimal digits and nothing else; false: something else. */
static bool read_number(const char *text, uint64_t *number)
{
    *number = 0;
    do {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, (uint64_t)(*text - '0'), number))
            return false;
    } while (*++text != '\0');
    return true;
}

bool verd__setting_number(const char *name, uint64_t least, uint64_t most, const char *instead,
                          uint64_t *number)
{
    uint64_t read;
    const char *text = verd__setting(name);
    if (text == NULL)
        return false;
    if (read_number(text, &read) && read >= least && read <= most) {
        *number = read;
        return true;
    }
    struct verd__line line;
    begin_line(&line, name, text);
    verd__line_text(&line, " is not a number");
    if (most != UINT64_MAX) {
        verd__line_text(&line, " from ");
        verd__line_number(&line, least);
        verd__line_text(&line, " to ");
        verd__line_number(&line, most);
    }
    verd__line_text(&line, ": ");
    verd__line_text(&line, instead);
    verd__line_write(&line);
    return false;
}
