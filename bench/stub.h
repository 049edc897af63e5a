/* SPDX-License-Identifier: MIT */

/* The least that can be called a switch between C functions: the callee-saved general registers
 * and the stack pointer, no floating-point state, no unwind information, ending in ret. It is what
 * the library's switch is measured against; nobody should use it for anything else. */
#ifndef BENCH_STUB_H
#define BENCH_STUB_H

/* Lays the first frame below `top` (16-byte aligned); returns the stack pointer to switch to. The
 * first switch to it calls `entry`, which must not return. */
void *bench_stub_make(void *top, void (*entry)(void));

/* Suspends the caller, writes its stack pointer to *from, and resumes `to`. */
void bench_stub_switch(void **from, void *to);

/* A slice: two contexts take turns, each from a loop. Nanoseconds per switch. */
double bench_stub_turns(void *unused, long count);

/* A slice: the same, each from three frames below its loop. */
double bench_stub_deep_turns(void *unused, long count);

#endif
