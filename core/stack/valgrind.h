/* SPDX-License-Identifier: MIT */
/*
 * Tells valgrind where stacks are, so that it does not take a switch for a huge frame; and tells whether it is there,
 * for it complains of system calls that are newer than itself: those are then missing.
 *
 * What is asked of it lies in six words. The instructions that ask (request.h) change nothing of the program's, and
 * their form and the numbers are as fixed as a kernel's, for programs carry them with them (valgrind's manual, "The
 * Client Request mechanism"). They are written here, and not taken from its headers, so that an archive is right
 * whatever was installed where it was built.
 */
#ifndef VERD_STACK_VALGRIND_H
#define VERD_STACK_VALGRIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "request.h"
#include "stack/carriers.h"

enum verd__valgrind_request {
    VERD__VALGRIND_IS_THERE = 0x1001,
    VERD__VALGRIND_STACK_REGISTER = 0x1501,
    VERD__VALGRIND_STACK_DEREGISTER = 0x1502,
    VERD__VALGRIND_CHANGE_SILENCE = 0x1801,
    VERD__MEMCHECK_NO_ACCESS = 0x4d430000,
    VERD__HELGRIND_BEFORE = 0x48470121,
    VERD__HELGRIND_AFTER = 0x48470122,
};

/* Returns what it is to be told when the stack is no more. */
static inline unsigned verd__valgrind_register(const void *low, const void *high)
{
    const uintptr_t question[6] = {VERD__VALGRIND_STACK_REGISTER, (uintptr_t)low, (uintptr_t)high};
    return (unsigned)verd__request(question, 0);
}

static inline void verd__valgrind_deregister(unsigned id)
{
    const uintptr_t question[6] = {VERD__VALGRIND_STACK_DEREGISTER, id};
    verd__request(question, 0);
}

/* Memcheck does not see that the kernel lets nobody touch a guard: its leak check would read each word of it, by a signal. */
static inline void verd__valgrind_guard(const void *guard, size_t size)
{
    const uintptr_t question[6] = {VERD__MEMCHECK_NO_ACCESS, (uintptr_t)guard, size};
    verd__request(question, 0);
}

/* It says nothing of what the calling OS thread does until as many calls with -1 as there were with 1. */
static inline void verd__valgrind_silence(intptr_t change)
{
    const uintptr_t question[6] = {VERD__VALGRIND_CHANGE_SILENCE, (uintptr_t)change};
    verd__request(question, 0);
}

static inline bool verd__on_valgrind(void)
{
    static const uintptr_t question[6] = {VERD__VALGRIND_IS_THERE};
    return verd__request(question, 0) != 0;
}

/*
 * Helgrind knows no atomic operations: what was done before the one comes before what is done after the other, of the same
 * object. Other builds leave these out, for they have no more use for helgrind than that has for them (sched/carrier.h).
 */
static inline void verd__helgrind_before(const void *object)
{
#if VERD__CARRIERS
    const uintptr_t question[6] = {VERD__HELGRIND_BEFORE, (uintptr_t)object};
    verd__request(question, 0);
#else
    (void)object;
#endif
}

static inline void verd__helgrind_after(const void *object)
{
#if VERD__CARRIERS
    const uintptr_t question[6] = {VERD__HELGRIND_AFTER, (uintptr_t)object};
    verd__request(question, 0);
#else
    (void)object;
#endif
}

#endif
