/* SPDX-License-Identifier: MIT */
/* What the cases say, a line each, and who else acts in them. */
#ifndef POSIX_SAME_BOOK_H
#define POSIX_SAME_BOOK_H

#include <stddef.h>
#include <sys/types.h>

#define BOOK_LINES 1000

struct book {
    size_t count;
    char *lines[BOOK_LINES];
};

/* Notes what a call returned, and its errno if that was below 0. */
void book_note(struct book *book, const char *call, long result, int error);

/* Prints where a book differs from libc's. Returns how often. */
size_t book_compare(const struct book *plain, const char *where, const struct book *book);

/* The cases: as they are compiled plainly, and with <verd/posix.h>. */
void plain_cases(struct book *book);
void green_cases(struct book *book);

/* What an OS thread of its own does after so many milliseconds, by libc's calls. */
void later_write(unsigned ms, int fd, const char *text);
void later_read(unsigned ms, int fd, size_t size);
void later_close(unsigned ms, int fd);
void later_signal(unsigned ms, int signal);
void later_connect(unsigned ms, int port);

/* Waits until all of them have. */
void later_done(void);

/* socketpair of Unix streams, and a listener on the loopback interface, made by another OS thread. 0, or the descriptor;
 * or -1. */
int elsewhere_pair(int fds[2]);
int elsewhere_listener(int *port);

/* A child process, that ends with the status when the descriptor is closed; meanwhile it has the whole file locked, if there
 * is one. */
pid_t elsewhere_child(int status, const char *path, int *release);

/* Milliseconds on CLOCK_MONOTONIC. */
long now_ms(void);

/* A descriptor's flags, as the kernel has them. */
int flags_of(int fd);

/* Not all that is asked of the kernel does an emulator do. */
int is_emulated(void);

/* Whether a socket's SO_RCVTIMEO and SO_SNDTIMEO can be asked for: QEMU 10.0 does not tell. */
int limits_are_told(void);

/* libc's, which the library knows nothing of. */
int plain_close(int fd);

#endif
