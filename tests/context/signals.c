/* SPDX-License-Identifier: MIT */

/* A signal may come at any instruction of a switch, on whichever stack is current then. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <unwind.h>

#include "context/enter.h"
#include "probe.h"
#include "process.h"

/* At least so many signals, however fast the machine, during at least PROBE_SWITCHES switches,
 * however slow. */
#define SIGNALS 1000
#define PAUSE_NS 50000

static verd_context here, there;
static char stack[256 * 1024] __attribute__((aligned(16)));
static timer_t timer;
static volatile sig_atomic_t signals, broken_traces, stopping, stopped;

/* The handler sets the timer again: at an interval, a slow machine would do nothing else. */
static void set_timer(void)
{
    struct itimerspec once = {.it_value.tv_nsec = PAUSE_NS};
    timer_settime(timer, 0, &once, NULL);
}

static void start_timer(void (*handler)(int))
{
    if (UNDER_TSAN)
        cr_skip_test(
            "ThreadSanitizer runs handlers at calls of libc only, not between instructions");
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    sigaction(SIGALRM, &action, NULL);
    cr_assert_eq(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    set_timer();
}

static void count_signal(void)
{
    signals++;
    if (stopping)
        stopped = 1;
    else
        set_timer();
}

/* Whether to go on with round `round` of `rounds`. The last signal, too, comes during a switch, and
 * not in the middle of the dynamic linker, which unwinders cannot always see through. */
static bool go_on(uintptr_t round, uintptr_t rounds)
{
    if (round >= rounds && signals >= SIGNALS)
        stopping = 1;
    return !stopped;
}

/* Writes over everything below the interrupted stack pointer that the ABI lets a handler have. */
static void scribble(int signal)
{
    volatile char bytes[2048];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)signal;
    count_signal();
}

static void add_one(void *value)
{
    for (;;)
        value = verd_context_switch(&there, &here, (void *)((uintptr_t)value + 1));
}

Test(context, signals_without_an_alternate_stack_do_not_disturb_switches)
{
    uintptr_t sum = 0, rounds = 0;
    verd_context_make(&there, stack, sizeof stack, add_one);
    start_timer(scribble);
    for (; go_on(rounds, PROBE_SWITCHES / 2); rounds++)
        sum = (uintptr_t)verd_context_switch(&here, &there, (void *)sum);
    timer_delete(timer);
    cr_assert_eq(sum, rounds);
}

struct walk {
    uintptr_t outermost; /* the function at the end */
    int frames;
};

static _Unwind_Reason_Code add_frame(struct _Unwind_Context *frame, void *value)
{
    struct walk *walk = value;
    uintptr_t pc = _Unwind_GetIP(frame);
    if (pc != 0) /* zero is how libgcc shows the end */
        walk->outermost = (uintptr_t)_Unwind_FindEnclosingFunction((void *)pc);
    return ++walk->frames < 200 ? _URC_NO_REASON : _URC_NORMAL_STOP;
}

/* The outermost function of the current stack; 0 if the unwinder does not come to an end. */
static uintptr_t find_outermost(void)
{
    struct walk walk = {0};
    return _Unwind_Backtrace(add_frame, &walk) == _URC_END_OF_STACK ? walk.outermost : 0;
}

static uintptr_t outermost_here, outermost_there;

static void unwind(int signal)
{
    (void)signal;
    const char *frame = __builtin_frame_address(0);
    bool inside = frame >= stack && frame < stack + sizeof stack;
    broken_traces += find_outermost() != (inside ? outermost_there : outermost_here);
    count_signal();
}

static void find_outermost_and_add_one(void *value)
{
    outermost_there = find_outermost();
    add_one(value);
}

Test(context, a_profiler_can_unwind_wherever_its_signal_comes)
{
    outermost_here = find_outermost();
    verd_context_make(&there, stack, sizeof stack, find_outermost_and_add_one);
    verd_context_switch(&here, &there, NULL);
    cr_assert(outermost_here != 0 && outermost_there != 0 && outermost_here != outermost_there);

    start_timer(unwind);
    for (uintptr_t round = 0; go_on(round, PROBE_SWITCHES / 20); round++)
        verd_context_switch(&here, &there, NULL);
    timer_delete(timer);
    cr_assert_eq(broken_traces, 0, "%d of %d", (int)broken_traces, (int)signals);
}

static void leave_at_once(void *value)
{
    verd__context_leave(&here, value);
}

static void find_outermost_and_leave(void *value)
{
    outermost_there = find_outermost();
    leave_at_once(value);
}

Test(context, a_profiler_can_unwind_the_beginning_and_the_end_of_a_context)
{
    char *top = stack + sizeof stack;
    outermost_here = find_outermost();
    verd__context_enter(&here, top, NULL, find_outermost_and_leave);
    cr_assert(outermost_here != 0 && outermost_there != 0 && outermost_here != outermost_there);

    start_timer(unwind);
    for (uintptr_t round = 0; go_on(round, PROBE_SWITCHES / 20); round++)
        verd__context_enter(&here, top, NULL, leave_at_once);
    timer_delete(timer);
    cr_assert_eq(broken_traces, 0, "%d of %d", (int)broken_traces, (int)signals);
}
