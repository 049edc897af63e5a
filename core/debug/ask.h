/* SPDX-License-Identifier: MIT */
/*
 * Asks another OS thread where it is, by a signal: one of the real-time signals with which the program does nothing itself,
 * as offload/interrupt.h has one. Its handler writes down the calls that it has interrupted. System calls go on after it but
 * those that signal(7) has ended by any handler.
 */
#ifndef VERD_DEBUG_ASK_H
#define VERD_DEBUG_ASK_H

#include <stdbool.h>

#include "sched/scheduler.h"
#include "stack/backtrace.h"

/* Chooses the signal. Without one, nobody answers. From any OS thread, and signal handlers. */
void verd__ask_prepare(void);

/*
 * Asks the OS thread of a scheduler, which stays meanwhile (registry.h). False: it has not answered within 100 ms, as one
 * does that blocks all signals. Not by two at once: whoever asks makes the report (report.h). errno stays.
 */
bool verd__ask_calls(const struct verd__scheduler *scheduler, struct verd__backtrace *calls);

/* This is the child of a fork: nobody asks. */
void verd__ask_forked(void);

#endif
