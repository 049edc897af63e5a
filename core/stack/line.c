/* SPDX-License-Identifier: MIT */
#include "stack/line.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/uio.h>

#include "stack/quiet.h"

#define PATIENCE 1000 /* milliseconds */

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

const struct verd__output verd__stderr = {STDERR_FILENO, "libverd: ", NULL};

/* Takes what was written off the parts; false: that was all. */
static bool advance(struct iovec *parts, int count, size_t written)
{
    for (int i = 0; i < count; i++) {
        size_t part = written < parts[i].iov_len ? written : parts[i].iov_len;
        parts[i].iov_base = (char *)parts[i].iov_base + part;
        parts[i].iov_len -= part;
        written -= part;
        if (parts[i].iov_len > 0)
            return true;
    }
    return false;
}

/* Whether writing is to be tried again after a failure. */
static bool may_try_again(int fd)
{
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    if (errno == EINTR)
        return true;
    return (errno == EAGAIN || errno == EWOULDBLOCK) && poll(&room, 1, PATIENCE) == 1;
}

/* So that nobody's name makes a line of its own, or speaks to the terminal. */
static void make_plain(struct verd__line *line)
{
    for (size_t i = 0; i < line->length; i++) {
        unsigned char c = (unsigned char)line->text[i];
        if (c < ' ' || c == 0x7f)
            line->text[i] = '?';
    }
}

/* false: not all of it could be written. */
static bool write_parts(int fd, struct iovec *parts, int count)
{
    bool more = true;
    while (more) {
        ssize_t written = writev(fd, parts, count);
        if (written >= 0)
            more = advance(parts, count, (size_t)written);
        else if (!may_try_again(fd))
            return false; /* there is nowhere else to complain */
    }
    return true;
}

void verd__line_write_to(struct verd__line *line, const struct verd__output *output)
{
    static char newline[] = "\n";
    struct verd__quiet quiet;
    make_plain(line);
    struct iovec parts[] = {
        {(void *)(uintptr_t)output->prefix, strlen(output->prefix)},
        {line->text, line->length},
        {newline, 1},
    };
    int saved = errno;
    line->length = 0;
    if (output->lost != NULL && *output->lost)
        return;
    verd__quiet_begin_file(&quiet);
    bool done = write_parts(output->fd, parts, 3);
    verd__quiet_end(&quiet, done ? 0 : errno);
    if (!done && output->lost != NULL)
        *output->lost = true;
    errno = saved;
}

void verd__line_write(struct verd__line *line)
{
    verd__line_write_to(line, &verd__stderr);
}

_Noreturn void verd__die(const char *text)
{
    struct verd__line line = {0};
    verd__line_text(&line, text);
    verd__line_write(&line);
    abort();
}
