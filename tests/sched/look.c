/* SPDX-License-Identifier: MIT */

/* When timers and the outside world are looked at. */
#include <criterion/criterion.h>

#include <verd.h>

#include "sched/scheduler.h"

static int looks;
static verd_event ping = VERD_EVENT_INIT, pong = VERD_EVENT_INIT;

static void count_look(struct verd__poller *poller, verd_duration timeout)
{
    (void)poller, (void)timeout;
    looks++;
}

static void close_nothing(struct verd__poller *poller)
{
    (void)poller;
}

static struct verd__poller counting = {.wait = count_look, .close = close_nothing};

/* Has looks counted, as if an hour on the counter were no time at all; or any time too long. */
static struct verd__scheduler *count_looks(bool patient)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (verd__timestamp(&scheduler->timestamps) == 0)
        cr_skip_test("the kernel does not tell the time by the processor's counter");
    scheduler->poller = &counting;
    scheduler->expecting = 1;
    scheduler->timestamps.span = patient ? UINT64_MAX : 1;
    verd_yield();
    looks = 0;
    return scheduler;
}

static void answer(void *arg)
{
    for (long i = (long)(intptr_t)arg; i > 0; i--) {
        verd_event_wait(&ping, NULL);
        verd_event_reset(&ping);
        verd_event_set(&pong, NULL);
    }
}

static void hand_over(long times)
{
    verd_spawn_n(answer, (void *)(intptr_t)times);
    for (long i = 0; i < times; i++) {
        verd_event_set(&ping, NULL);
        verd_event_wait(&pong, NULL);
        verd_event_reset(&pong);
    }
}

Test(sched, threads_that_hand_over_to_one_another_in_no_time_make_one_round)
{
    count_looks(true);
    hand_over(100);
    cr_assert_eq(looks, 0);
}

Test(sched, threads_that_hand_over_to_one_another_slowly_make_a_round_each_time)
{
    count_looks(false);
    hand_over(100);
    cr_assert_geq(looks, 100);
}

Test(sched, a_thread_that_gives_way_ends_the_round)
{
    count_looks(false);
    for (int i = 0; i < 10; i++)
        verd_yield();
    cr_assert_eq(looks, 10);
}

Test(sched, rounds_of_no_time_share_a_look)
{
    count_looks(true);
    for (int i = 0; i < 10; i++)
        verd_yield();
    cr_assert_eq(looks, 0);
}

Test(sched, a_sleep_of_no_time_ends_the_round)
{
    count_looks(false);
    for (int i = 0; i < 10; i++)
        verd_sleep(0);
    cr_assert_eq(looks, 10);
}

Test(sched, a_thread_whose_calls_succeed_at_once_ends_the_round_when_its_budget_is_spent)
{
    verd_event event = VERD_EVENT_INIT;
    verd_event_set(&event, NULL);
    count_looks(false);
    for (int i = 0; i < 3 * VERD__BUDGET; i++)
        verd_event_wait(&event, NULL);
    cr_assert_geq(looks, 2);
}

Test(sched, threads_that_hand_over_to_one_another_for_ever_do_not_keep_timers_out)
{
    verd_timeout limit;
    verd_spawn_n(answer, (void *)INTPTR_MAX);
    verd_timeout_begin(&limit, VERD_MS);
    while (verd_event_set(&ping, NULL) == 0 && verd_event_wait(&pong, NULL) == 0)
        verd_event_reset(&pong);
    cr_assert(verd_timeout_end(&limit));
}
