/* SPDX-License-Identifier: MIT */

/* Every way to walk a stack ends at the base frame of the context. */
#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdint.h>
#include <unwind.h>

#include "frame.h"
#include "probe.h"
#include "process.h"

#define DEPTH 5
#define MOST_FRAMES 64

struct trace {
    void *functions[MOST_FRAMES]; /* innermost first */
    int length;
    _Unwind_Reason_Code end;
};

static verd_context here, there;
static char stack[256 * 1024];

static _Unwind_Reason_Code record_frame(struct _Unwind_Context *frame, void *value)
{
    struct trace *trace = value;
    uintptr_t pc = _Unwind_GetIP(frame);
    if (pc == 0)
        return _URC_NO_REASON; /* some unwinders show the end as a frame of its own */
    if (trace->length == MOST_FRAMES)
        return _URC_NORMAL_STOP;
    trace->functions[trace->length++] = _Unwind_FindEnclosingFunction((void *)pc);
    return _URC_NO_REASON;
}

static void take_trace(struct trace *trace)
{
    trace->length = 0;
    trace->end = _Unwind_Backtrace(record_frame, trace);
}

/* What is kept for a sanitizer begins with where the frame is. */
static const struct verd__frame *frame_of(const verd_context *suspended)
{
    return UNDER_SANITIZER ? *(void *const *)suspended->sp : suspended->sp;
}

/* Frames between a context's base and its function: the one that announces it to a sanitizer. */
enum { BETWEEN = UNDER_SANITIZER };

/* The function into which the first switch to a fresh context returns. */
static void *base_function(const verd_context *fresh)
{
    const struct verd__frame *frame = frame_of(fresh);
    uintptr_t entry = probe_code_address((uintptr_t)frame->record.pc);
    return _Unwind_FindEnclosingFunction((void *)entry);
}

static struct trace trace;

__attribute__((noinline)) static void descend(int depth)
{
    if (depth > 1)
        descend(depth - 1);
    else
        take_trace(&trace);
    __asm__ volatile(""); /* no tail call */
}

static void trace_from_below(void *value)
{
    descend(DEPTH);
    verd_context_switch(&there, &here, value);
}

Test(context, unwinding_from_inside_a_context_ends_at_its_base_frame)
{
    verd_context_make(&there, stack, sizeof stack, trace_from_below);
    void *base = base_function(&there);
    verd_context_switch(&here, &there, NULL);
    cr_assert_not_null(base);
    cr_assert_eq(trace.end, _URC_END_OF_STACK);
    cr_assert_geq(trace.length, 2 + BETWEEN + DEPTH);
    cr_assert_eq(trace.functions[trace.length - 1], base);
    cr_assert_eq(trace.functions[trace.length - 2 - BETWEEN], (void *)trace_from_below);
}

struct frame_record {
    const struct frame_record *caller;
    uintptr_t pc;
};

static int records_seen;
static bool stayed_on_the_stack = true;

static void walk_frame_pointers(const struct frame_record *record)
{
    records_seen = 0;
    for (; record != NULL && records_seen < MOST_FRAMES; record = record->caller, records_seen++)
        if ((const char *)record < stack || (const char *)(record + 1) > stack + sizeof stack) {
            stayed_on_the_stack = false;
            return;
        }
}

/* Asking for its frame address makes a function keep a frame record. */
__attribute__((noinline)) static void descend_and_walk(int depth)
{
    const struct frame_record *volatile record = __builtin_frame_address(0);
    if (depth > 1)
        descend_and_walk(depth - 1);
    else
        walk_frame_pointers(record);
    __asm__ volatile("");
}

static void walk_from_below(void *value)
{
    const void *volatile record = __builtin_frame_address(0);
    (void)record;
    descend_and_walk(DEPTH);
    verd_context_switch(&there, &here, value);
}

Test(context, a_walk_of_frame_pointers_ends_at_the_base_frame)
{
    verd_context_make(&there, stack, sizeof stack, walk_from_below);
    verd_context_switch(&here, &there, NULL);
    cr_assert(stayed_on_the_stack);
    cr_assert_eq(records_seen, 1 + BETWEEN + DEPTH);
}

Test(context, a_walk_of_frame_pointers_can_start_from_a_suspended_context)
{
    verd_context_make(&there, stack, sizeof stack, walk_from_below);
    verd_context_switch(&here, &there, NULL);
    const struct verd__frame *frame = frame_of(&there);
    walk_frame_pointers((const struct frame_record *)&frame->record);
    cr_assert(stayed_on_the_stack);
    cr_assert_leq(records_seen, 2 + 2 * BETWEEN); /* and the one that announces the switch */
}
