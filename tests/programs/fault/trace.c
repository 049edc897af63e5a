/* SPDX-License-Identifier: MIT */
/* Figures and traces while libc fails: without memory or a file there are less of them, and all else goes on. */
#include <unistd.h>

#include "scenario.h"

static void *sleep_a_little(void *arg)
{
    verd_sleep(VERD_US);
    return arg;
}

/* Threads run and wait, and it is seen or not. Their own errors are others' to try. */
static int run_some(void)
{
    verd_thread *thread = verd_spawn(sleep_a_little, NULL);
    if (thread == NULL)
        return errno;
    while (verd_join(thread, NULL) != 0)
        must(errno == ENOMEM);
    return 0;
}

static int trace(void)
{
    int error = error_of(verd_trace_start("/dev/null"));
    error = either(error, run_some());
    int ended = error_of(verd_trace_stop());
    return either(error, ended == EINVAL ? 0 : ended); /* EINVAL: it had not begun */
}

#define TRACE "verd-fault-trace"

static int trace_to_a_file(void)
{
    int error = error_of(verd_trace_start(TRACE));
    error = either(error, run_some());
    int ended = error_of(verd_trace_stop());
    unlink(TRACE);
    return either(error, ended == EINVAL ? 0 : ended);
}

/* What the disk has taken only a part of, is cut off. */
static int trace_to_a_full_disk(void)
{
    must(verd_trace_start("/dev/full") == -1);
    return errno == ENOSPC ? 0 : errno;
}

static int watch(void)
{
    struct verd_stats stats;
    int error = error_of(verd_stats_watch(true));
    error = either(error, run_some());
    error = either(error, error_of(verd_stats(&stats)));
    verd_stats_watch(false);
    return error;
}

#define DOOR "verd-fault-door"

/* Asks once; a client that is turned away, or gets no answer, is told nothing of why. */
static void ask_once(void)
{
    char answer[4096];
    int fd = verd_connect_unix(DOOR);
    if (fd < 0)
        return;
    VERD_WITHIN(limit, 100 * VERD_MS); /* nobody may have a turn to accept before a pause is over */
    if (verd_write_full(fd, "stats\n", 6, NULL) == 6)
        (void)!verd_read(fd, answer, sizeof answer);
    verd_close(fd);
}

static int keep_a_door(void)
{
    if (verd_backdoor(DOOR) != 0)
        return errno;
    ask_once();
    must(verd_backdoor(NULL) == 0);
    return 0;
}

const struct scenario trace_scenarios[] = {
    {"trace", trace, .errors = {ENOMEM, EMFILE, ENFILE, EIO, ENOSPC, EACCES, EAGAIN},
     .first = true},
    {"trace_file", trace_to_a_file,
     .errors = {ENOMEM, EMFILE, ENFILE, EIO, ENOSPC, EACCES, EAGAIN}},
    {"trace_full", trace_to_a_full_disk, .errors = {ENOMEM, EMFILE, ENFILE, EIO}},
    {"watch", watch, .errors = {ENOMEM}, .first = true},
    {"backdoor", keep_a_door,
     .errors = {ENOMEM, EMFILE, ENFILE, EACCES, EIO, ENOLCK, EINTR, EAGAIN, EPERM, ENOBUFS,
                EADDRINUSE, ENOSPC},
     .first = true},
    {0},
};
