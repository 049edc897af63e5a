/* SPDX-License-Identifier: MIT */

/* What a profiler's signal finds of the stack: by frame pointers, as `perf record -g` follows them, and by
 * unwind tables, as debuggers do. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <verd.h>

#include "frame.h"
#include "process.h"
#include "sched/scheduler.h"

#define PAUSE_NS 1000000
#define FRAMES_MAX 64
#define STACK_MAX (8 * 1024 * 1024)

/* The functions that lead to where the signal came, the innermost first. */
struct chain {
    uintptr_t functions[FRAMES_MAX];
    int length;
    bool ends; /* it comes to an end, and not to where no frame is */
};

static timer_t timer;
static int ends[2];
static struct chain by_pointers, by_tables;
static struct chain suspended; /* of the one that waits while nobody runs */
static volatile sig_atomic_t sampled;

static uintptr_t function_of(uintptr_t pc)
{
    return (uintptr_t)_Unwind_FindEnclosingFunction((void *)pc);
}

/* A return address may be signed, in the bits that no address of a program's has. */
static void add(struct chain *chain, uintptr_t pc)
{
    pc &= (UINT64_C(1) << 48) - 1;
    if (chain->length < FRAMES_MAX)
        chain->functions[chain->length++] = function_of(pc);
}

static bool has(const struct chain *chain, uintptr_t function)
{
    for (int i = 0; i < chain->length; i++) {
        if (chain->functions[i] == function)
            return true;
    }
    return false;
}

static uintptr_t last_of(const struct chain *chain)
{
    return chain->length > 0 ? chain->functions[chain->length - 1] : 0;
}

/* Adds the callers of the function whose frame record is at `fp`, above `sp`. */
static void follow_records(struct chain *chain, uintptr_t sp, uintptr_t fp)
{
    while (fp >= sp && fp - sp < STACK_MAX && fp % 8 == 0) {
        const uintptr_t *record = (const uintptr_t *)fp;
        if (record[1] == 0)
            break;
        add(chain, record[1]);
        sp = fp + 1;
        fp = record[0];
    }
    chain->ends = fp == 0;
}

static void follow_pointers(const ucontext_t *context)
{
#if defined(__x86_64__)
    uintptr_t pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    uintptr_t sp = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
    uintptr_t fp = (uintptr_t)context->uc_mcontext.gregs[REG_RBP];
#else
    uintptr_t pc = context->uc_mcontext.pc, sp = context->uc_mcontext.sp;
    uintptr_t fp = context->uc_mcontext.regs[29];
#endif
    by_pointers = (struct chain){0};
    add(&by_pointers, pc);
    follow_records(&by_pointers, sp, fp);
}

static _Unwind_Reason_Code add_frame(struct _Unwind_Context *frame, void *chain)
{
    uintptr_t pc = _Unwind_GetIP(frame);
    if (pc != 0) /* zero is how libgcc shows the end */
        add(chain, pc);
    return _URC_NO_REASON;
}

static void follow_tables(void)
{
    by_tables = (struct chain){0};
    by_tables.ends = _Unwind_Backtrace(add_frame, &by_tables) == _URC_END_OF_STACK;
}

static void take_sample(const ucontext_t *context)
{
    follow_pointers(context);
    follow_tables();
    sampled = 1;
}

static void come_again(void)
{
    struct itimerspec once = {.it_value.tv_nsec = PAUSE_NS};
    timer_settime(timer, 0, &once, NULL);
}

static void start_timer(void (*handler)(int, siginfo_t *, void *))
{
    if (UNDER_TSAN)
        cr_skip_test("ThreadSanitizer runs handlers at calls of libc only");
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGPROF};
    sigaction(SIGPROF, &action, NULL);
    cr_assert_eq(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    come_again();
}

static __attribute__((noinline)) void spin(void)
{
    while (!sampled)
        ;
}

static bool came_in(void (*function)(void), const ucontext_t *context)
{
    follow_pointers(context);
    return by_pointers.functions[0] == (uintptr_t)function;
}

/* Samples when the thread is where it shall be found. */
static void sample_spinning(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    if (came_in(spin, context))
        take_sample(context);
    else
        come_again();
}

/* A function that calls none may have no frame record: then its caller is not seen. */
static __attribute__((noinline)) void work(void)
{
    spin();
    __asm__ volatile("");
}

static void *compute(void *arg)
{
    work();
    return arg;
}

static void sample_one_that_computes(void)
{
    start_timer(sample_spinning);
    verd_join(verd_spawn(compute, NULL), NULL);
}

Test(sched, a_profiler_that_follows_frame_pointers_sees_all_of_a_green_thread)
{
    sample_one_that_computes();
    cr_assert(has(&by_pointers, (uintptr_t)compute));
    cr_assert(by_pointers.ends);
    cr_assert_not(has(&by_pointers, (uintptr_t)sample_one_that_computes));
}

Test(sched, a_profiler_that_reads_unwind_tables_sees_all_of_a_green_thread)
{
    sample_one_that_computes();
    cr_assert(by_tables.ends);
    cr_assert(has(&by_tables, (uintptr_t)spin) && has(&by_tables, (uintptr_t)compute));
    cr_assert_not(has(&by_tables, (uintptr_t)sample_one_that_computes));
}

/* Samples when nobody runs, and ends that. */
static void sample_idling(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    const struct verd__scheduler *scheduler = verd__current;
    if (scheduler == NULL || scheduler->idle.sp == NULL ||
        came_in((void (*)(void))verd_idle, context)) {
        come_again();
        return;
    }
    take_sample(context);
    const struct verd__frame *frame = scheduler->idle.sp;
    suspended = (struct chain){0};
    follow_records(&suspended, (uintptr_t)frame, (uintptr_t)&frame->record);
    if (write(ends[1], "", 1) != 1)
        _exit(1);
}

static __attribute__((noinline)) ssize_t wait_for_input(void)
{
    char byte;
    ssize_t n = verd_read(ends[0], &byte, 1);
    __asm__ volatile("");
    return n;
}

static void sample_one_that_waits(void)
{
    cr_assert_eq(pipe(ends), 0);
    start_timer(sample_idling);
    cr_assert_eq(wait_for_input(), 1);
    cr_assert(sampled);
}

Test(sched, idling_is_not_charged_to_who_has_waited_last_by_frame_pointers)
{
    sample_one_that_waits();
    cr_assert_not(has(&by_pointers, (uintptr_t)wait_for_input));
}

Test(sched, idling_is_charged_to_a_frame_of_its_own_by_unwind_tables)
{
    sample_one_that_waits();
    cr_assert(by_tables.ends);
    cr_assert_eq(last_of(&by_tables), (uintptr_t)verd_idle);
    cr_assert_not(has(&by_tables, (uintptr_t)wait_for_input));
}

Test(sched, who_waits_while_nobody_runs_is_found_where_it_is_suspended)
{
    sample_one_that_waits();
    cr_assert(has(&suspended, (uintptr_t)wait_for_input));
}

static void note_idle(void *idle)
{
    *(verd_context *)idle = verd__current->idle;
}

Test(sched, nobody_idles_while_one_runs)
{
    verd_context idle = {&idle};
    verd_sleep(VERD_MS);
    verd_spawn_n(note_idle, &idle);
    verd_yield();
    cr_assert_null(idle.sp);
}
