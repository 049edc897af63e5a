/* SPDX-License-Identifier: MIT */
/* What threads are called. */
#ifndef VERD_SCHED_NAME_H
#define VERD_SCHED_NAME_H

#include <stddef.h>

#include "sched/scheduler.h"
#include "sched/view.h"
#include "stack/line.h"
#include "stack/symbol.h"

/* Copies a name, cut to what is kept of one; NULL: "". */
void verd__name_copy(char name[VERD_NAME_SIZE], const char *wanted);

/*
 * Writes the thread's name: its own, or else what its owner's threads are called and its number; "" if it has
 * neither. Nothing is kept of the latter before somebody asks, so it costs no spawn anything. May be called in a
 * signal's handler.
 */
void verd__name_write(const struct verd__thread *thread, char name[VERD_NAME_SIZE]);

/*
 * Adds to a line who the thread is: number, name, or for want of that the function with which it was started, where
 * `symbols` is not NULL.
 */
void verd__name_tell(struct verd__line *line, const struct verd__view *view,
                     struct verd__symbols *symbols);

#endif
