/* SPDX-License-Identifier: MIT */
#include "stack/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Where a line is read: of each as much as is looked at. */
struct reader {
    struct verd__mappings *mappings;
    size_t length;
    char line[512];
};

static const char *read_hex(const char *at, uint64_t *number)
{
    *number = 0;
    for (;; at++) {
        unsigned digit = (unsigned char)*at - (unsigned)'0';
        if (digit > 9)
            digit = (unsigned char)*at - (unsigned)'a' + 10;
        if (digit > 15 || (digit >= 10 && *at < 'a'))
            return at;
        *number = *number << 4 | digit;
    }
}

/* Behind so many words and the blanks after them. */
static const char *skip_words(const char *at, int words)
{
    while (words-- > 0) {
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    return at;
}

static const char *keep_path(struct verd__mappings *mappings, const char *path)
{
    size_t size = strlen(path) + 1;
    if (path[0] != '/' || size > sizeof mappings->paths - mappings->used)
        return "";
    char *kept = mappings->paths + mappings->used;
    memcpy(kept, path, size);
    mappings->used += size;
    return kept;
}

/* "start-end rwxp offset device inode path" */
static void take_line(struct verd__mappings *mappings, const char *line)
{
    uint64_t start, end, offset;
    const char *at = read_hex(line, &start);
    if (*at != '-')
        return;
    at = skip_words(read_hex(at + 1, &end), 1);
    if (strlen(at) < 4 || at[2] != 'x')
        return;
    read_hex(skip_words(at, 1), &offset);
    if (mappings->count == VERD__MAPPINGS_MAX) {
        mappings->is_complete = false;
        return;
    }
    struct verd__mapping *mapping = &mappings->each[mappings->count++];
    mapping->start = start;
    mapping->end = end;
    mapping->offset = offset;
    mapping->path = keep_path(mappings, skip_words(at, 4));
}

static void take(struct reader *reader, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n') {
            reader->line[reader->length] = '\0';
            take_line(reader->mappings, reader->line);
            reader->length = 0;
        } else if (reader->length < sizeof reader->line - 1) {
            reader->line[reader->length++] = text[i];
        }
    }
}

void verd__mappings_read(struct verd__mappings *mappings)
{
    int error = errno;
    char text[512];
    ssize_t n;
    struct reader reader = {.mappings = mappings, .length = 0};
    mappings->count = mappings->used = 0;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    mappings->is_complete = fd >= 0;
    while (fd >= 0 && ((n = read(fd, text, sizeof text)) > 0 || (n < 0 && errno == EINTR))) {
        if (n > 0)
            take(&reader, text, (size_t)n);
    }
    if (fd >= 0)
        close(fd);
    errno = error;
}

const struct verd__mapping *verd__mapping_find(const struct verd__mappings *mappings,
                                               uintptr_t address)
{
    for (size_t i = 0; i < mappings->count; i++) {
        const struct verd__mapping *mapping = &mappings->each[i];
        if (address - mapping->start < mapping->end - mapping->start)
            return mapping;
    }
    return NULL;
}
