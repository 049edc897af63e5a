/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "caller.h"

static int wait_event(struct caller *self)
{
    return verd_event_wait(self->object, &self->item);
}

Test(event, five_waiters_get_the_value)
{
    verd_event event = VERD_EVENT_INIT;
    struct caller callers[5];
    for (int i = 0; i < 5; i++)
        caller_start(&callers[i], wait_event, &event, NULL);
    verd_event_set(&event, &event);
    int got = 0;
    for (int i = 0; i < 5; i++)
        got +=
            caller_end(&callers[i]) == 0 && callers[i].item == &event && callers[i].turn == i + 1;
    cr_assert_eq(got, 5);
}

Test(event, one_that_is_set_does_not_wait)
{
    verd_event event = VERD_EVENT_INIT;
    void *value = NULL;
    verd_event_set(&event, &event);
    cr_assert(verd_event_wait(&event, &value) == 0 && value == &event);
}

Test(event, waiters_do_not_run_before_it_is_set)
{
    verd_event event = VERD_EVENT_INIT;
    struct caller caller;
    caller_start(&caller, wait_event, &event, NULL);
    cr_assert(!caller.done && !verd_event_ready(&event));
}

Test(event, a_second_set_is_EALREADY_and_the_first_value_stays)
{
    verd_event event = VERD_EVENT_INIT;
    void *value = NULL;
    verd_event_set(&event, &event);
    int again = caller_outcome(verd_event_set(&event, &value));
    int failed = caller_outcome(verd_event_fail(&event, EIO));
    verd_event_wait(&event, &value);
    cr_assert(again == -EALREADY && failed == -EALREADY && value == &event);
}

Test(event, a_failure_is_the_errno_of_those_who_wait_and_of_those_to_come)
{
    verd_event event = VERD_EVENT_INIT;
    struct caller caller;
    caller_start(&caller, wait_event, &event, &event);
    verd_event_fail(&event, EIO);
    cr_assert(caller_end(&caller) == -EIO && caller.item == &event);
    cr_assert(caller_outcome(verd_event_wait(&event, NULL)) == -EIO);
}

Test(event, set_then_reset_still_delivers)
{
    verd_event event = VERD_EVENT_INIT;
    struct caller caller;
    caller_start(&caller, wait_event, &event, NULL);
    verd_event_set(&event, &event);
    int reset = verd_event_reset(&event);
    cr_assert(reset == 0 && caller_end(&caller) == 0 && caller.item == &event);
    cr_assert_not(verd_event_ready(&event));
}

Test(event, a_reset_under_a_waiter_is_EBUSY)
{
    verd_event event = VERD_EVENT_INIT;
    struct caller caller;
    caller_start(&caller, wait_event, &event, NULL);
    cr_assert_eq(caller_outcome(verd_event_reset(&event)), -EBUSY);
}

Test(event, a_waiter_that_gives_up_is_forgotten)
{
    verd_event event = VERD_EVENT_INIT;
    int outcome = caller_within(VERD_MS, wait_event, &event, NULL);
    cr_assert(outcome == -ETIMEDOUT && verd_event_reset(&event) == 0);
}

Test(event, misuse_is_EINVAL)
{
    verd_event event = VERD_EVENT_INIT;
    cr_assert_eq(caller_outcome(verd_event_set(NULL, NULL)), -EINVAL);
    cr_assert_eq(caller_outcome(verd_event_wait(NULL, NULL)), -EINVAL);
    cr_assert_eq(caller_outcome(verd_event_reset(NULL)), -EINVAL);
    cr_assert_eq(caller_outcome(verd_event_fail(&event, 0)), -EINVAL);
}
