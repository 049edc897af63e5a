/* SPDX-License-Identifier: MIT */
/* What a trace has of each turn: events for a tape. */
#ifndef VERD_DEBUG_TRACE_H
#define VERD_DEBUG_TRACE_H

#include "sched/observe.h"

extern const struct verd__tracer verd__trace_writer;

#endif
