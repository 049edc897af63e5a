/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "sched/clock.h"

static struct verd__clock clock_of_test;

/* Whether there are moments at all; where the counter is not trusted there is nothing to test. */
static bool has_moments(void)
{
    return verd__moment(&clock_of_test) != 0;
}

Test(sched, a_moment_is_never_before_it_was_noted)
{
    if (!has_moments())
        cr_skip_test("the kernel does not tell the time by the processor's counter");
    for (int i = 0; i < 100000; i++) {
        verd_duration before = verd_now();
        uint64_t moment = verd__moment(&clock_of_test);
        cr_assert_geq(verd__moment_time(&clock_of_test, moment), before);
    }
}

Test(sched, a_moment_is_not_after_it_is_asked_for)
{
    if (!has_moments())
        cr_skip_test("the kernel does not tell the time by the processor's counter");
    for (int i = 0; i < 100000; i++) {
        uint64_t moment = verd__moment(&clock_of_test);
        cr_assert_leq(verd__moment_time(&clock_of_test, moment), verd_now());
    }
}

Test(sched, what_passes_after_a_moment_is_not_part_of_it)
{
    if (!has_moments())
        cr_skip_test("the kernel does not tell the time by the processor's counter");
    uint64_t moment = verd__moment(&clock_of_test);
    verd_duration begun = verd__moment_time(&clock_of_test, moment);
    while (verd_now() < begun + 5 * VERD_MS) {
    }
    cr_assert_lt(verd__moment_time(&clock_of_test, moment), begun + 5 * VERD_MS);
}

Test(sched, a_moment_of_a_counter_that_was_set_back_is_now)
{
    struct verd__clock clock = {.cycles = UINT64_MAX / 2, .time = verd_now()};
    verd_duration before = verd_now();
    cr_assert_geq(verd__moment_time(&clock, UINT64_MAX / 2 - 1), before);
    cr_assert_geq(verd__moment_time(&clock, UINT64_MAX), before);
}
