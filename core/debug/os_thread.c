/* SPDX-License-Identifier: MIT */
#include "debug/os_thread.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stack/line.h"

#define STACK_SIZE ((size_t)128 * 1024)

int verd__os_thread_start(pthread_t *os_thread, void *(*run)(void *), void *arg)
{
    pthread_attr_t attr;
    sigset_t all, own;
    int error = pthread_attr_init(&attr);
    if (error != 0)
        return error;
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &own);
    error = pthread_create(os_thread, &attr, run, arg);
    pthread_sigmask(SIG_SETMASK, &own, NULL);
    pthread_attr_destroy(&attr);
    return error;
}

/* What stands behind the name of a field; NULL: there is none. */
static const char *field(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at != NULL ? at + strlen(name) : NULL;
}

static bool read_status(pid_t number, char *text, size_t size)
{
    struct verd__line path = {0};
    size_t length = 0;
    ssize_t n;
    verd__line_text(&path, "/proc/self/task/");
    verd__line_number(&path, (size_t)number);
    verd__line_text(&path, "/status");
    path.text[path.length] = '\0';
    int fd = open(path.text, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    while (length < size - 1 && (n = read(fd, text + length, size - 1 - length)) > 0)
        length += (size_t)n;
    close(fd);
    text[length] = '\0';
    return true;
}

bool verd__os_thread_look(pid_t number, struct verd__os_thread *os_thread)
{
    char text[4096];
    int error = errno;
    bool is_there = read_status(number, text, sizeof text);
    const char *state = is_there ? field(text, "\nState:\t") : NULL;
    const char *sleeps = is_there ? field(text, "\nvoluntary_ctxt_switches:\t") : NULL;
    errno = error;
    if (state == NULL || sleeps == NULL)
        return false;
    os_thread->runs = *state == 'R';
    os_thread->sleeps = strtoul(sleeps, NULL, 10);
    return true;
}
