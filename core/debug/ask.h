/* SPDX-License-Identifier: MIT */
/*
 * Asks where another OS thread is: the kernel, which knows of one that waits in a system call (waiting.h). A signal's handler
 * would end some of those early, even with SA_RESTART (signal(7)), and nobody could begin them again for the rest of
 * their time.
 *
 * Who computes is asked by such a signal, one of the real-time signals with which the program does nothing itself, as
 * offload/interrupt.h has one; so is each where the kernel does not tell. Its handler writes down the calls that it has
 * interrupted. A wait that begins between the two questions may still end early.
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
 * does that computes and blocks all signals. Not by two at once: whoever asks makes the report (report.h). errno stays.
 */
bool verd__ask_calls(const struct verd__scheduler *scheduler, struct verd__backtrace *calls);

/* This is the child of a fork: nobody asks. */
void verd__ask_forked(void);

#endif
