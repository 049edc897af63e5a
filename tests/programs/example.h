/* SPDX-License-Identifier: MIT */
/* For programs that try out the examples: starts them, and talks to them. What goes wrong ends the
 * program with a line that says so. */
#ifndef TESTS_PROGRAMS_EXAMPLE_H
#define TESTS_PROGRAMS_EXAMPLE_H

#include <verd.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* At most; of lines too. */
#define EXAMPLE_ARGUMENTS 8
#define LINE 256

/* Tells of the errno that the condition itself has set, if it is not so. */
#define CHECK(condition) (errno = 0, check((condition), #condition, __LINE__))

static verd_process example;

static inline void check(bool holds, const char *condition, int line)
{
    if (holds)
        return;
    printf("line %d: %s is not so", line, condition);
    if (errno != 0)
        printf(" (errno %d, %s)", errno, strerror(errno));
    printf("\n");
    if (example.pid > 0)
        verd_process_kill(&example, SIGKILL);
    exit(1);
}

/* Starts an example with pipes to its standard input and output. Its arguments end in NULL. */
static inline void example_start(const char *name, const char *const *arguments)
{
    char path[PATH_MAX];
    const char *build = getenv("VERD_BUILD");
    const char *argv[EXAMPLE_ARGUMENTS] = {path};
    snprintf(path, sizeof path, "%s/examples/%s", build != NULL ? build : ".", name);
    for (size_t i = 0; arguments[i] != NULL && i + 2 < EXAMPLE_ARGUMENTS; i++)
        argv[i + 1] = arguments[i];
    verd_process_options options = {
        .arguments = argv,
        .input = VERD_PROCESS_PIPE,
        .output = VERD_PROCESS_PIPE,
    };
    CHECK(verd_spawn_process(&example, &options) == 0);
}

/* Whether it ends by exit with that code, once it has got the signal (0: none, by itself). */
static inline bool example_exits(int code, int signal)
{
    int status = -1;
    if (signal != 0)
        verd_process_kill(&example, signal);
    CHECK(verd_process_wait(&example, &status) == 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == code)
        return true;
    if (WIFEXITED(status))
        printf("it exited with %d\n", WEXITSTATUS(status));
    else
        printf("signal %d has ended it\n", WTERMSIG(status));
    errno = 0;
    return false;
}

/* The next line that comes, without its end; valid until the next call. NULL: the end came first. */
static inline const char *next_line(int fd)
{
    static char line[LINE];
    size_t length = 0;
    while (length < sizeof line - 1) {
        if (verd_read(fd, line + length, 1) != 1)
            return NULL;
        if (line[length] == '\n')
            break;
        length++;
    }
    line[length] = '\0';
    return line;
}

/* Whether the next line is this one. */
static inline bool reads(int fd, const char *expected)
{
    const char *line = next_line(fd);
    if (line != NULL && strcmp(line, expected) == 0)
        return true;
    printf("read \"%s\"\n", line != NULL ? line : "(the end)");
    return false;
}

/* Whether nothing comes any more. */
static inline bool at_end(int fd)
{
    char byte;
    ssize_t n = verd_read(fd, &byte, 1);
    return n == 0 || (n < 0 && errno == ECONNRESET);
}

/* Whether nothing has come for a while. */
static inline bool is_silent(int fd)
{
    verd_timeout limit;
    char byte;
    verd_timeout_begin(&limit, 50 * VERD_MS);
    ssize_t n = verd_read(fd, &byte, 1);
    return verd_timeout_end(&limit) && n < 0;
}

static inline void say(int fd, const char *text)
{
    CHECK(verd_write_full(fd, text, strlen(text), NULL) == (ssize_t)strlen(text));
}

/* A client of the example at a port of this machine. */
static inline int join(int port)
{
    int fd = verd_connect("127.0.0.1", port);
    CHECK(fd >= 0);
    return fd;
}

#endif
