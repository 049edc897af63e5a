/* SPDX-License-Identifier: MIT */
/*
 * What is printed of threads: by verd_report and at a deadlock, at an overflow, and by the floors above. Nothing is
 * allocated, and no lock taken that could be waited for in vain, so it can be done in a signal's handler.
 */
#ifndef VERD_SCHED_REPORT_H
#define VERD_SCHED_REPORT_H

#include "sched/census.h"
#include "sched/cycle.h"
#include "sched/view.h"
#include "stack/backtrace.h"
#include "stack/line.h"
#include "stack/symbol.h"

/* Of an OS thread's threads, so many are told of one by one; if there are more, those that are alike are counted, but who has
 * what others wait for, and who is in a cycle, is told of by itself. */
#define VERD__REPORT_SINGLY 200

/* There is one in the process: it is too large for a green thread's stack, and so is much of what it has. */
struct verd__report {
    struct verd__output output;
    bool is_lost;                            /* output can take no more */
    const struct verd__scheduler *scheduler; /* which is at it */
    const struct verd__backtrace *running;   /* of its thread that runs; NULL: it is not known */
    verd_duration now;
    struct verd__backtrace calls; /* what `running` may point to */
    struct verd__backtrace own;   /* of the thread that is told of */
    struct verd__symbols symbols;
    struct verd__cycles cycles;
    struct verd__census census;
    struct verd__singled singled;
};

/* Begins a report. NULL, and a line says so: somebody else is at one, for longer than a second, or it is this very OS thread,
 * which was interrupted by a signal. errno stays, here and below. */
struct verd__report *verd__report_begin(const struct verd__output *output);
void verd__report_end(struct verd__report *report);

/* This is the child of a fork. */
void verd__report_forked(void);

/* Tells of a scheduler's threads, and which of them wait for one another. `running` is of its thread that runs, or
 * waits for the poller; NULL: it is not known. */
void verd__report_hub(struct verd__report *report, const struct verd__scheduler *scheduler,
                      const struct verd__backtrace *running);

/* Tells in a line who a thread is and what it does or waits for, as it was at `now`. */
void verd__report_thread(struct verd__report *report, const struct verd__view *view);

/* Adds to a line ", on OS thread 4712", unless that is the process's first. */
void verd__report_os_thread(struct verd__line *line, const struct verd__scheduler *scheduler);

/* Tells of one thread what is behind its name: where it was spawned, how much of its stack it uses, and its calls. */
void verd__report_details(struct verd__report *report, const struct verd__view *view,
                          const struct verd__backtrace *running);

#endif
