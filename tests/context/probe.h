/* SPDX-License-Identifier: MIT */

/* What the tests of contexts have to know about the processor: how to fill and read the registers
 * that C cannot name. Each architecture has its own directory; this is the only place that chooses.
 *
 *     PROBE_REGISTERS         how many callee-saved registers there are, sp aside
 *     PROBE_SWITCHES          how many switches make a long test
 *     probe_switch            switches with every one of them filled
 *     probe_controls          floating-point control states that differ from each other
 *     PROBE_ROUND_UP, _DOWN   two that round all arithmetic, long double included
 *     probe_control_read      the current one
 *     probe_control_write     makes it the current one
 *     probe_code_address      a return address without its signature
 *
 * probe_switch is defined in probe.c; `fill` and `seen` point to PROBE_REGISTERS words. */
#ifndef VERD_TESTS_CONTEXT_PROBE_H
#define VERD_TESTS_CONTEXT_PROBE_H

#include <stdint.h>

#include <verd/context.h>

#if defined(__x86_64__)
#include "x86_64/probe.h"
#elif defined(__aarch64__)
#include "aarch64/probe.h"
#endif

void *probe_switch(verd_context *from, const verd_context *to, void *value, const uint64_t *fill,
                   uint64_t *seen);

#endif
