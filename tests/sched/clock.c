/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "sched/clock.h"

static struct verd__clock clock_of_test;

/* Whether there are timestamps at all; where the counter is not trusted there is nothing to test. */
static bool has_moments(void)
{
    return verd__timestamp(&clock_of_test) != 0;
}

Test(sched, a_moment_is_never_before_it_was_noted)
{
    if (!has_moments())
        cr_skip_test("the kernel does not tell the time by the processor's counter");
    for (int i = 0; i < 100000; i++) {
        verd_duration before = verd_now();
        uint64_t timestamp = verd__timestamp(&clock_of_test);
        cr_assert_geq(verd__timestamp_time(&clock_of_test, timestamp), before);
    }
}

Test(sched, a_moment_is_not_after_it_is_asked_for)
{
    if (!has_moments())
        cr_skip_test("the kernel does not tell the time by the processor's counter");
    for (int i = 0; i < 100000; i++) {
        uint64_t timestamp = verd__timestamp(&clock_of_test);
        cr_assert_leq(verd__timestamp_time(&clock_of_test, timestamp), verd_now());
    }
}

Test(sched, what_passes_after_a_moment_is_not_part_of_it)
{
    if (!has_moments())
        cr_skip_test("the kernel does not tell the time by the processor's counter");
    uint64_t timestamp = verd__timestamp(&clock_of_test);
    verd_duration begun = verd__timestamp_time(&clock_of_test, timestamp);
    while (verd_now() < begun + 5 * VERD_MS) {
    }
    cr_assert_lt(verd__timestamp_time(&clock_of_test, timestamp), begun + 5 * VERD_MS);
}

Test(sched, a_moment_of_a_counter_that_was_set_back_is_now)
{
    struct verd__clock clock = {.cycles = UINT64_MAX / 2, .time = verd_now()};
    verd_duration before = verd_now();
    cr_assert_geq(verd__timestamp_time(&clock, UINT64_MAX / 2 - 1), before);
    cr_assert_geq(verd__timestamp_time(&clock, UINT64_MAX), before);
}
