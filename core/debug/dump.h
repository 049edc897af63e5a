/* SPDX-License-Identifier: MIT */
/* verd_dump in its parts, for whoever prints the same elsewhere. */
#ifndef VERD_DEBUG_DUMP_H
#define VERD_DEBUG_DUMP_H

#include <ucontext.h>

#include <verd/debug.h>

#include "sched/scheduler.h"
#include "stack/backtrace.h"
#include "stack/line.h"

/* Prints all there is; `interrupted`: where a signal has come that this is called for; NULL: it is not. */
void verd__dump(const struct verd__output *output, const ucontext_t *interrupted);

/* The calls of the thread of a scheduler that runs, or waits for the poller; `interrupted` as above, where it is this OS
 * thread's. False: they are not known. Whoever calls this makes the report. */
bool verd__dump_running(const struct verd__scheduler *scheduler, const ucontext_t *interrupted,
                        struct verd__backtrace *calls);

/* VERD_DUMP_SIGNAL's choice. */
void verd__dump_environment(void);

#endif
