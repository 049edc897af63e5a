/* SPDX-License-Identifier: MIT */
/* Who holds an OS thread, as it is told from another one. */
#ifndef VERD_DEBUG_HOLDER_H
#define VERD_DEBUG_HOLDER_H

#include <verd/time.h>

#include "sched/report.h"

/* Tells in a line which thread of a scheduler runs, `what` of it and for how long, "3.218 s", and below that where it is.
 * Nothing if there is no such thread any more. The scheduler stays meanwhile (registry.h). */
void verd__holder_tell(struct verd__report *report, const struct verd__scheduler *scheduler,
                       const struct verd__thread *running, const char *what, verd_duration span);

#endif
