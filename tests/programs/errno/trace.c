/* SPDX-License-Identifier: MIT */
/* What <verd/stats.h>, <verd/trace.h>, <verd/backdoor.h> and <verd/debug.h> say of errnos. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "table.h"

CALL(stats, verd_stats(&(struct verd_stats){0}))
CALL(stats_into_nothing, verd_stats(NULL))
CALL(stats_watch, verd_stats_watch(true))

CALL(trace_start, verd_trace_start("/dev/null"))
CALL(trace_nowhere, verd_trace_start(NULL))
CALL(trace_without_path, verd_trace_start(""))
CALL(trace_stop, verd_trace_stop())

static int trace_far_away(void)
{
    static char path[2000];
    memset(path, 'x', sizeof path - 1);
    return verd_trace_start(path) < 0 ? errno : 0;
}

static int trace_in_no_directory(void)
{
    return verd_trace_start("/nowhere/at/all") < 0 ? errno : 0;
}

static int trace_to_a_full_disk(void)
{
    return verd_trace_start("/dev/full") < 0 ? errno : 0;
}

#define TRACE "verd-errno-trace"

static void make_fifo(void)
{
    must(mkfifo(TRACE, 0600) == 0);
}

static void make_link(void)
{
    must(symlink("/dev/null", TRACE) == 0);
}

static int trace_there(void)
{
    int error = verd_trace_start(TRACE) < 0 ? errno : 0;
    unlink(TRACE);
    return error;
}

#define DOOR "verd-errno-door"

CALL(open_door, verd_backdoor(DOOR))
CALL(open_none, verd_backdoor(""))
CALL(open_abstract, verd_backdoor("@verd"))
CALL(close_none, verd_backdoor(NULL))

static void open_before(void)
{
    must(verd_backdoor(DOOR) == 0);
    unlink(DOOR);
}

CALL(dump_to_none, verd_dump(-1))
CALL(dump_on_fault, verd_dump_on_signal(SIGSEGV))
CALL(watch, verd_watchdog(VERD_SEC))

static void begin_trace(void)
{
    must(verd_trace_start("/dev/null") == 0);
}

const struct row trace_rows[] = {
    AT_FIRST("verd_stats", stats),
    PLAINLY("verd_stats", EINVAL, NULL, stats_into_nothing),
    AT_FIRST("verd_stats_watch", stats_watch),
    PLAINLY("verd_trace_start", EBUSY, begin_trace, trace_start),
    PLAINLY("verd_trace_start", EINVAL, NULL, trace_nowhere),
    PLAINLY("verd_trace_start", EINVAL, NULL, trace_without_path),
    PLAINLY("verd_trace_start", ELOOP, make_link, trace_there),
    PLAINLY("verd_trace_start", ENAMETOOLONG, NULL, trace_far_away),
    PLAINLY("verd_trace_start", ENOENT, NULL, trace_in_no_directory),
    PLAINLY("verd_trace_start", ENOSPC, NULL, trace_to_a_full_disk),
    PLAINLY("verd_trace_start", ENXIO, make_fifo, trace_there),
    WITHOUT("verd_trace_start", EPERM, NULL, trace_there, "fchmod"),
    WITHOUT("verd_trace_start", ENOMEM, NULL, trace_start, "pthread_atfork"),
    PLAINLY("verd_trace_stop", EINVAL, NULL, trace_stop),
    PLAINLY("verd_backdoor", EBUSY, open_before, open_door),
    PLAINLY("verd_backdoor", EINVAL, NULL, open_none),
    PLAINLY("verd_backdoor", EINVAL, NULL, open_abstract),
    PLAINLY("verd_backdoor", EINVAL, NULL, close_none),
    AT_FIRST("verd_backdoor", open_door),
    WITHOUT("verd_backdoor", ENOMEM, NULL, open_door, "calloc"),
    WITHOUT("verd_backdoor", EAGAIN, NULL, open_door, "pthread_create"),
    WITHOUT("verd_backdoor", EMFILE, NULL, open_door, "socket"),
    WITHOUT("verd_backdoor", ENFILE, NULL, open_door, "socket"),
    PLAINLY("verd_dump", EBADF, NULL, dump_to_none),
    PLAINLY("verd_dump_on_signal", EINVAL, NULL, dump_on_fault),
    WITHOUT("verd_watchdog", EAGAIN, NULL, watch, "pthread_create"),
    WITHOUT("verd_watchdog", ENOMEM, NULL, watch, "pthread_atfork"),
    WITHOUT("verd_watchdog", ENOMEM, NULL, watch, "atexit"),
    {0},
};
