/* SPDX-License-Identifier: MIT */
/* What the environment asks of this floor, and what it does in the child of a fork. */
#include <errno.h>
#include <string.h>

#include <verd/trace.h>

#include "debug/ask.h"
#include "debug/dump.h"
#include "debug/watchdog.h"
#include "sched/monitor.h"
#include "sched/observe.h"
#include "sched/setting.h"
#include "stack/line.h"

static void trace(void)
{
    const char *path = verd__setting("VERD_TRACE");
    if (path == NULL || verd_trace_start(path) == 0 || errno == EBUSY)
        return;
    struct verd__line line = {0};
    verd__line_text(&line, "VERD_TRACE=");
    verd__line_text(&line, path);
    verd__line_text(&line, ": ");
    verd__line_text(&line, strerror(errno));
    verd__line_text(&line, ": there is no trace");
    verd__line_write(&line);
}

static void debug_begin(void)
{
    int error = errno;
    verd__dump_environment();
    verd__watchdog_environment();
    trace();
    errno = error;
}

static void debug_forked(void)
{
    verd__ask_forked();
    verd__watchdog_forked();
}

void (*const verd__debug_begin)(void) = debug_begin;
void (*const verd__debug_forked)(void) = debug_forked;
