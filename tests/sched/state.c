/* SPDX-License-Identifier: MIT */

/* What the processor and libc keep per OS thread is each green thread's own: errno and the
 * floating-point control state. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fenv.h>

#include <verd.h>

#include "sched/scheduler.h"

static void *set_errno(void *arg)
{
    errno = (int)(intptr_t)arg;
    verd_yield();
    return (void *)(intptr_t)errno;
}

Test(sched, each_thread_has_its_own_errno)
{
    void *one = NULL, *other = NULL;
    verd_thread *first = verd_spawn(set_errno, (void *)(intptr_t)EDOM);
    verd_thread *second = verd_spawn(set_errno, (void *)(intptr_t)ERANGE);
    verd_join(first, &one);
    verd_join(second, &other);
    cr_assert((intptr_t)one == EDOM && (intptr_t)other == ERANGE);
}

Test(sched, errno_of_the_main_thread_survives_others)
{
    verd_spawn(set_errno, (void *)(intptr_t)ERANGE);
    errno = EDOM;
    verd_yield();
    verd_yield();
    cr_assert_eq(errno, EDOM);
}

static void *get_errno(void *arg)
{
    (void)arg;
    return (void *)(intptr_t)errno;
}

Test(sched, errno_is_zero_when_a_thread_starts)
{
    void *result = "";
    verd_spawn(set_errno, (void *)(intptr_t)ERANGE);
    verd_thread *t = verd_spawn(get_errno, NULL);
    errno = EDOM;
    verd_join(t, &result);
    cr_assert_null(result);
}

Test(sched, a_sleep_that_succeeds_keeps_errno)
{
    errno = EDOM;
    verd_sleep(VERD_MS);
    cr_assert_eq(errno, EDOM);
}

/* An outside world in which every look leaves an errno behind, as system calls do. */
static void look_and_fail(struct verd__poller *poller, verd_duration timeout)
{
    (void)poller, (void)timeout;
    errno = EINTR;
}

static void close_nothing(struct verd__poller *poller)
{
    (void)poller;
}

static struct verd__poller failing = {.wait = look_and_fail, .close = close_nothing};

static void use_failing_outside(void)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    scheduler->poller = &failing;
    scheduler->expecting = 1;
}

Test(sched, a_look_at_the_outside_keeps_errno_of_a_thread_that_runs_on)
{
    use_failing_outside();
    errno = EDOM;
    verd_yield();
    cr_assert_eq(errno, EDOM);
}

Test(sched, a_look_at_the_outside_keeps_errno_of_a_thread_that_is_switched_away_from)
{
    use_failing_outside();
    verd_spawn(get_errno, NULL);
    errno = EDOM;
    verd_yield();
    cr_assert_eq(errno, EDOM);
}

/* The rounding mode as arithmetic sees it: 1/3 rounded up is greater. */
static bool rounds_up(void)
{
    volatile double one = 1, three = 3;
    double third = one / three;
    return third * 3 > 1 || third > 0.3333333333333333;
}

static void *round_up(void *arg)
{
    (void)arg;
    fesetround(FE_UPWARD);
    verd_yield();
    return (void *)(intptr_t)(rounds_up() && fegetround() == FE_UPWARD);
}

static void *rounding(void *arg)
{
    (void)arg;
    return (void *)(intptr_t)(rounds_up() || fegetround() != FE_TONEAREST);
}

Test(sched, a_rounding_mode_stays_with_its_thread_across_a_switch)
{
    void *result = NULL;
    verd_join(verd_spawn(round_up, NULL), &result);
    cr_assert_not_null(result);
}

Test(sched, a_rounding_mode_does_not_show_in_the_main_thread)
{
    verd_spawn(round_up, NULL);
    verd_yield();
    cr_assert(!rounds_up() && fegetround() == FE_TONEAREST);
}

Test(sched, a_rounding_mode_does_not_show_in_a_thread_on_another_stack)
{
    void *result = "";
    verd_spawn(round_up, NULL);
    verd_yield();
    verd_join(verd_spawn(rounding, NULL), &result);
    cr_assert_null(result);
}

static void *leave_rounding_up(void *arg)
{
    fesetround(FE_UPWARD);
    return arg;
}

Test(sched, a_rounding_mode_does_not_show_in_the_next_thread_on_the_stack)
{
    void *result = "";
    verd_spawn(leave_rounding_up, NULL);
    verd_join(verd_spawn(rounding, NULL), &result);
    cr_assert_null(result);
}

Test(sched, a_rounding_mode_does_not_show_in_a_thread_on_the_stack_later)
{
    void *result = "";
    verd_join(verd_spawn(leave_rounding_up, NULL), NULL);
    verd_join(verd_spawn(rounding, NULL), &result);
    cr_assert_null(result);
}

Test(sched, a_rounding_mode_of_the_spawner_does_not_show_in_the_spawned)
{
    void *result = "";
    verd_self();
    fesetround(FE_UPWARD);
    verd_thread *t = verd_spawn(rounding, NULL);
    verd_join(t, &result);
    fesetround(FE_TONEAREST);
    cr_assert_null(result);
}
