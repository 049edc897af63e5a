/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "http/form.h"

/* Zero-terminated memory of just this size, where a path ends. */
static char *copy(const void *data, size_t size)
{
    char *text = malloc(size + 1);
    fuzz_expect(text != NULL, "no memory");
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* What fields say, escaped so that every byte of theirs is; to be freed. */
static char *escape(const struct verd__form *form, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char *text = malloc(8 * size + 8), *to = text;
    fuzz_expect(text != NULL, "no memory");
    for (size_t i = 0; i < form->count; i++) {
        const char *parts[] = {form->fields[i].name, form->fields[i].value};
        for (size_t part = 0; part < 2; part++) {
            for (const char *c = parts[part]; *c != '\0'; c++) {
                *to++ = '%';
                *to++ = digits[(unsigned char)*c >> 4];
                *to++ = digits[*c & 15];
            }
            *to++ = "=&"[part];
        }
    }
    *to = '\0';
    return text;
}

/* Fields that are written anew are the same when they are read anew. */
void fuzz_form(const uint8_t *data, size_t size)
{
    char *text = copy(data, size);
    struct verd__form *form = verd__form_parse(text, size);
    free(text);
    if (form == NULL)
        return;
    text = escape(form, size);
    struct verd__form *again = verd__form_parse(text, strlen(text));
    fuzz_expect(again != NULL && again->count == form->count, "fields get lost or more");
    for (size_t i = 0; i < form->count; i++)
        fuzz_expect(strcmp(form->fields[i].name, again->fields[i].name) == 0 &&
                        strcmp(form->fields[i].value, again->fields[i].value) == 0,
                    "a field differs when it is read again");
    free(text);
    free(form);
    free(again);
}

/* A segment of so many bytes that a file's name can have. */
static bool is_plain(const char *segment, size_t size)
{
    return size > 0 && !(size == 1 && segment[0] == '.') &&
           !(size == 2 && segment[0] == '.' && segment[1] == '.');
}

void fuzz_path(const uint8_t *data, size_t size)
{
    char *path = copy(data, size), *clean = copy(data, size);
    if (path[0] == '/' && verd__path_clean(clean, path) == 0) {
        fuzz_expect(clean[0] == '/' && strlen(clean) <= strlen(path), "a path is longer");
        for (const char *at = clean + 1; *at != '\0';) {
            size_t segment = strcspn(at, "/");
            fuzz_expect(is_plain(at, segment), "a path climbs, or has nothing between slashes");
            at += segment;
            at += *at == '/';
        }
    }
    free(path);
    free(clean);
}
