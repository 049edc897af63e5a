/* SPDX-License-Identifier: MIT */
/*
 * Virtual time: this program's calls of the clock, and of what waits for it, come here instead of to the
 * C library. Time stands still but for a few nanoseconds a look, and jumps where nobody can run. A wait without
 * end, for what is not there yet, is a deadlock: unless others are to do it, whose time is the real one. Those
 * are waited for, or overtaken by a deadline, as chance will have it.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define BEGIN (1000 * VERD_SEC)
#define LOOK 10 /* nanoseconds */

static verd_duration now = BEGIN;

void clock_reset(void)
{
    now = BEGIN;
}

void compute(verd_duration span)
{
    now += span;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    (void)clock;
    now += LOOK;
    time->tv_sec = (time_t)(now / VERD_SEC);
    time->tv_nsec = (long)(now % VERD_SEC);
    return 0;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *span, struct timespec *rest)
{
    (void)clock, (void)flags, (void)rest;
    now += (verd_duration)span->tv_sec * VERD_SEC + span->tv_nsec;
    return 0;
}

/* dlsym's results are functions by POSIX alone. */
static void *next_of(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    expect(found != NULL, name);
    return found;
}

/* The library reads the processor's counter, if the kernel says that it may: it is not to be asked. */
int open(const char *path, int flags, ...)
{
    static int (*real)(const char *, int, ...);
    if (strstr(path, "/clocksource/") != NULL) {
        errno = ENOENT;
        return -1;
    }
    if (real == NULL)
        *(void **)&real = next_of("open");
    expect((flags & O_CREAT) == 0, "a file is made");
    return real(path, flags);
}

#define GLANCE 1       /* milliseconds that others get before a deadline comes */
#define PATIENCE 20000 /* and without a deadline */

/* How long others are waited for before `span` is over, in milliseconds; 0: there is nobody else. */
static int others_time(verd_duration span)
{
    if (outside_waits == 0 || (span >= 0 && one_in(2)))
        return 0;
    return span < 0 ? PATIENCE : GLANCE;
}

/* Nothing has come, and the caller would wait: until then, or for ever (below 0). */
static int pass(verd_duration span)
{
    if (span < 0) {
        verd_report();
        violated("a descriptor is waited for, and nobody can make it ready");
    }
    now += span;
    return 0;
}

/* What is there, or comes from others; else the time is over. */
static int wait_for_events(int fd, struct epoll_event *events, int most, verd_duration span)
{
    static int (*real)(int, struct epoll_event *, int, int);
    if (real == NULL)
        *(void **)&real = next_of("epoll_wait");
    int count = real(fd, events, most, 0);
    if (count == 0 && span != 0)
        count = real(fd, events, most, others_time(span));
    return count != 0 || span == 0 ? count : pass(span);
}

int epoll_wait(int fd, struct epoll_event *events, int most, int timeout)
{
    return wait_for_events(fd, events, most, timeout < 0 ? -1 : timeout * VERD_MS);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *time, const sigset_t *mask)
{
    static int (*real)(struct pollfd *, nfds_t, int);
    verd_duration span = time == NULL ? -1 : (verd_duration)time->tv_sec * VERD_SEC + time->tv_nsec;
    (void)mask;
    if (real == NULL)
        *(void **)&real = next_of("poll");
    int ready = real(fds, count, 0);
    if (ready == 0 && span != 0)
        ready = real(fds, count, others_time(span));
    return ready != 0 || span == 0 ? ready : pass(span);
}

/* Of the library's epoll_pwait2. */
static verd_duration span_of(const int64_t time[2])
{
    return time[0] * VERD_SEC + time[1];
}

/* How many arguments the library's system calls have, of those that the C library has no function for. */
static int arguments_of(long number)
{
#ifdef SYS_epoll_pwait2
    if (number == SYS_epoll_pwait2)
        return 6;
#endif
#ifdef SYS_process_madvise
    if (number == SYS_process_madvise)
        return 5;
#endif
#ifdef SYS_statx
    if (number == SYS_statx)
        return 5;
#endif
#ifdef SYS_pidfd_open
    if (number == SYS_pidfd_open)
        return 2;
#endif
    violated("a system call whose arguments are not known");
}

long syscall(long number, ...)
{
    static long (*real)(long, ...);
    long args[6] = {0};
    va_list list;
    va_start(list, number);
    for (int i = 0; i < arguments_of(number); i++)
        args[i] = va_arg(list, long);
    va_end(list);
#ifdef SYS_epoll_pwait2
    if (number == SYS_epoll_pwait2)
        return wait_for_events((int)args[0], (struct epoll_event *)(uintptr_t)args[1], (int)args[2],
                               span_of((const int64_t *)(uintptr_t)args[3]));
#endif
    if (real == NULL)
        *(void **)&real = next_of("syscall");
    return real(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}
