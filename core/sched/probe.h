/* SPDX-License-Identifier: MIT */
/*
 * Probes for tools from outside (USDT): bpftrace, perf, gdb, SystemTap. A probe is an instruction
 * that does nothing, and a note in the program's file. <verd/trace.h> lists them. Without
 * <sys/sdt.h> at build time there are none.
 *
 * A tool that attaches counts a probe's semaphore up in the memory of the process: that is how a
 * scheduler learns that it is to be observed.
 */
#ifndef VERD_SCHED_PROBE_H
#define VERD_SCHED_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#if __has_include(<sys/sdt.h>)
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>
#undef _SDT_HAS_SEMAPHORES

#define VERD__PROBES(X) X(turn_begin) X(turn_end) X(ready) X(look_begin) X(look_end)

/* As <sys/sdt.h> calls them, of the provider "verd". The kernel and debuggers write to them. */
#define VERD__SEMAPHORE(name) \
    extern volatile unsigned short verd_##name##_semaphore __attribute__((visibility("hidden")));
VERD__PROBES(VERD__SEMAPHORE)
#undef VERD__SEMAPHORE

/* Whether somebody is attached to one of them. */
static inline bool verd__probed(void)
{
    unsigned attached = 0;
#define VERD__ATTACHED(name) attached |= verd_##name##_semaphore;
    VERD__PROBES(VERD__ATTACHED)
#undef VERD__ATTACHED
    return attached != 0;
}

#define VERD__PROBE(probe) probe
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wunknown-warning-option"
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#pragma clang diagnostic ignored "-Wc23-extensions" /* which has it since clang 19 */
#endif
#else
#define VERD__PROBE(probe)

static inline bool verd__probed(void)
{
    return false;
}
#endif

/* `number` as of the turns and messages; `how` is enum verd__turn_end, and `what` what is waited
 * for, or "". */
static inline void verd__probe_turn_begin(size_t number, const char *name)
{
    (void)number, (void)name;
    VERD__PROBE(STAP_PROBE2(verd, turn_begin, number, name);)
}

static inline void verd__probe_turn_end(size_t number, int how, const char *what)
{
    (void)number, (void)how, (void)what;
    VERD__PROBE(STAP_PROBE3(verd, turn_end, number, how, what);)
}

/* `by`: SIZE_MAX for the hub. */
static inline void verd__probe_ready(size_t number, size_t by)
{
    (void)number, (void)by;
    VERD__PROBE(STAP_PROBE2(verd, ready, number, by);)
}

static inline void verd__probe_look_begin(bool others_can_run)
{
    (void)others_can_run;
    VERD__PROBE(STAP_PROBE1(verd, look_begin, (int)others_can_run);)
}

static inline void verd__probe_look_end(void)
{
    VERD__PROBE(STAP_PROBE(verd, look_end);)
}

#if defined VERD__PROBES && defined __clang__
#pragma clang diagnostic pop
#endif

#endif
