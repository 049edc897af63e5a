/* SPDX-License-Identifier: MIT */
/* One line for stderr, put together and written without stdio: it can be used on a signal handler's
 * stack, in a process whose memory is exhausted, and next to a smashed heap. */
#ifndef VERD_STACK_LINE_H
#define VERD_STACK_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct verd__line {
    size_t length;
    char text[400]; /* what does not fit is cut */
};

void verd__line_text(struct verd__line *line, const char *text);
void verd__line_number(struct verd__line *line, size_t number);
void verd__line_address(struct verd__line *line, uintptr_t address);

/* Where lines of a report go. */
struct verd__output {
    int fd;
    const char *prefix; /* before each line */
    bool *lost; /* set when a line could not be written: no more are tried then; NULL: each is */
};

extern const struct verd__output verd__stderr; /* with "libverd: " */

/* Writes the line and a newline, by one system call if that can be; empties it. To a descriptor that does not block, it
 * waits up to a second for room. What cannot be written is lost, and brings neither SIGPIPE nor SIGXFSZ; in place of control
 * characters, as a thread's name may have, there are question marks. errno stays. */
void verd__line_write_to(struct verd__line *line, const struct verd__output *output);

/* Writes the line with "libverd: " before and a newline behind it; empties it. errno stays. */
void verd__line_write(struct verd__line *line);

/* Writes "libverd: <text>" and aborts: for what cannot go on. */
_Noreturn void verd__die(const char *text);

#endif
