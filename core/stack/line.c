/* SPDX-License-Identifier: MIT */
#include "stack/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

void verd__line_text(struct verd__line *line, const char *text)
{
    size_t room = sizeof line->text - line->length;
    size_t length = strnlen(text, room);
    memcpy(line->text + line->length, text, length);
    line->length += length;
}

static void add_digits(struct verd__line *line, size_t number, unsigned base)
{
    char digits[24];
    char *at = digits + sizeof digits;
    *--at = '\0';
    do {
        *--at = "0123456789abcdef"[number % base];
        number /= base;
    } while (number != 0);
    verd__line_text(line, at);
}

void verd__line_number(struct verd__line *line, size_t number)
{
    add_digits(line, number, 10);
}

void verd__line_address(struct verd__line *line, uintptr_t address)
{
    verd__line_text(line, "0x");
    add_digits(line, address, 16);
}

void verd__line_write(struct verd__line *line)
{
    static char prefix[] = "libverd: ";
    static char newline[] = "\n";
    struct iovec parts[] = {
        {prefix, sizeof prefix - 1},
        {line->text, line->length},
        {newline, 1},
    };
    int saved = errno;
    ssize_t written = writev(STDERR_FILENO, parts, 3);
    (void)written; /* there is nowhere else to complain */
    errno = saved;
    line->length = 0;
}

_Noreturn void verd__die(const char *text)
{
    struct verd__line line = {0};
    verd__line_text(&line, text);
    verd__line_write(&line);
    abort();
}
