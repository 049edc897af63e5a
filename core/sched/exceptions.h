/* SPDX-License-Identifier: MIT */
/*
 * What the C++ runtime keeps per OS thread: the exceptions that are being handled and the count of those
 * on their way. It has to be each green thread's own, for handlers of two threads do not end in the order
 * in which they began. Whoever is suspended with exceptions takes them along; the others find none.
 */
#ifndef VERD_SCHED_EXCEPTIONS_H
#define VERD_SCHED_EXCEPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "sched/scheduler.h"

/* __cxa_eh_globals of the Itanium C++ ABI, "Exception Handling", 2.2.2, as both architectures have it. */
struct verd__exceptions {
    void *caught; /* a stack of them */
    unsigned uncaught;
};

/* This OS thread's; NULL: no C++ has been loaded so far. (exceptions.c) */
struct verd__exceptions *verd__exceptions_find(void);

/* Whether the running thread has any. */
static inline bool verd__exceptions_any(const struct verd__scheduler *scheduler)
{
    const struct verd__exceptions *now = scheduler->exceptions;
    return __builtin_expect(now != NULL, 0) && (now->caught != NULL || now->uncaught != 0);
}

#endif
