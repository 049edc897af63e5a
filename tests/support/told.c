/* SPDX-License-Identifier: MIT */
#include "told.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int told[2], real_stderr;

void told_begin(void)
{
    real_stderr = dup(STDERR_FILENO);
    if (pipe(told) != 0 || dup2(told[1], STDERR_FILENO) < 0)
        _exit(1);
}

void told_end(void)
{
    static char text[65536];
    dup2(real_stderr, STDERR_FILENO);
    close(told[1]);
    ssize_t n = read(told[0], text, sizeof text);
    if (n > 0 && write(real_stderr, text, (size_t)n) != n)
        _exit(1);
}

int told_descriptor(void)
{
    return told[0];
}

bool is_told(int timeout)
{
    struct pollfd line = {.fd = told[0], .events = POLLIN};
    return poll(&line, 1, timeout) == 1;
}

void told_forget(void)
{
    char text[4096];
    while (is_told(0) && read(told[0], text, sizeof text) > 0) {
    }
}

double told_seconds(const char *text, const char *who)
{
    char begin[96];
    snprintf(begin, sizeof begin, "libverd: %s has held its OS thread for ", who);
    const char *line = strstr(text, begin);
    return line != NULL ? strtod(line + strlen(begin), NULL) : -1;
}
