/* SPDX-License-Identifier: MIT */

/* The machine was suspended, or moved to another: the processor's counter and the clock do not go on side by
 * side as they had. From the next look at the clock on, timeouts are right again. */
#include <criterion/criterion.h>
#include <errno.h>

#include <verd.h>

#include "sched/scheduler.h"

/* For so long nobody looks at the clock. */
static void compute(verd_duration span)
{
    verd_duration begun = verd_now();
    while (verd_now() < begun + span)
        ;
}

/* A timeout that begins in the middle of a computation, and has time enough for what follows. */
static bool is_early(void)
{
    verd_timeout scope;
    compute(60 * VERD_MS);
    verd_timeout_begin(&scope, 50 * VERD_MS);
    verd_duration begun = verd_now();
    bool late = verd_sleep(3600 * VERD_SEC) == -1 && errno == ETIMEDOUT;
    verd_duration took = verd_now() - begun;
    return !(verd_timeout_end(&scope) && late) || took < 49 * VERD_MS;
}

static void begin(void)
{
    verd_timeout scope;
    verd_timeout_begin(&scope, VERD_SEC); /* from now on timestamps are noted by the counter */
    verd_timeout_end(&scope);
    if (!verd__clock_runs(&verd__scheduler()->timestamps))
        cr_skip_test("the kernel does not tell the time by the processor's counter");
}

Test(sched, a_timeout_is_not_early_after_the_counter_has_stood_still)
{
    begin();
    verd__scheduler()->timestamps.time -= 3600 * VERD_SEC;
    verd_sleep(VERD_MS);
    cr_assert_not(is_early());
}

Test(sched, a_timeout_is_not_early_after_the_counter_has_gone_ahead)
{
    begin();
    verd__scheduler()->timestamps.cycles /= 2;
    verd_sleep(VERD_MS);
    cr_assert_not(is_early());
}

Test(sched, a_timeout_is_not_early_after_the_counter_was_set_back)
{
    begin();
    verd__scheduler()->timestamps.cycles += UINT64_C(1) << 50;
    verd_sleep(VERD_MS);
    cr_assert_not(is_early());
}
