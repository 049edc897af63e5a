/* SPDX-License-Identifier: MIT */
/* The backdoor: who comes in by it, and what is asked and answered. */
#ifndef VERD_DEBUG_BACKDOOR_H
#define VERD_DEBUG_BACKDOOR_H

#include "sched/scheduler.h"
#include "stack/line.h"

#define VERD__BACKDOOR_CLIENTS 8
#define VERD__BACKDOOR_LINE 1024 /* bytes of a question */

/* One question. `argument` is what stands behind the command's name, or "". The answer goes to a
 * file in memory, so nothing of it waits for the client. */
struct verd__question {
    struct verd__scheduler *scheduler;
    const char *argument;
    const char *path; /* of the backdoor */
    struct verd__output output;
};

/* Answers a line in whole: what there is to say, and an empty line. */
void verd__backdoor_answer(struct verd__question *question, const char *line);

/* Commands that have more to tell (inspect.c). */
void verd__inspect_threads(const struct verd__question *question);
void verd__inspect_backtrace(const struct verd__question *question);
void verd__inspect_pools(const struct verd__question *question);
void verd__inspect_descriptors(const struct verd__question *question);
void verd__inspect_timers(const struct verd__question *question);
void verd__inspect_figures(const struct verd__question *question);

/* The thread with this number of the hub's own, as the argument says it; NULL: there is none, and
 * that was told. */
struct verd__thread *verd__inspect_find(const struct verd__question *question);

/* One line of an answer. */
void verd__answer(const struct verd__question *question, const char *text);

#endif
