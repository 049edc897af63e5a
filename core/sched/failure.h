/* SPDX-License-Identifier: MIT */
/*
 * Failure as a result: the address of a byte of an array that nothing else uses. So no other result is taken for one,
 * no number that was made a pointer either, and to ask costs a subtraction.
 */
#ifndef VERD_SCHED_FAILURE_H
#define VERD_SCHED_FAILURE_H

#include <stdint.h>

#include <verd/thread.h>

extern __attribute__((visibility("hidden"))) char verd__failures[VERD_FAILURE_MAX + 1];

/* The error of a result; 0: it is none that verd_fail has made. */
static inline int verd__failure_of(const void *result)
{
    uintptr_t error = (uintptr_t)result - (uintptr_t)verd__failures;
    return __builtin_expect(error <= VERD_FAILURE_MAX, 0) ? (int)error : 0;
}

/* Stores a result unless `where` is NULL. Returns its error. */
static inline int verd__result_store(void *result, void **where)
{
    if (where != NULL)
        *where = result;
    return verd__failure_of(result);
}

#endif
