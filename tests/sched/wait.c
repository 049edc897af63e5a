/* SPDX-License-Identifier: MIT */

/* The end of a thread, waited for. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include <verd.h>

#include "sched/scheduler.h"

static void *give_back(void *arg)
{
    return arg;
}

static void *yield(void *arg)
{
    verd_yield();
    return arg;
}

static void *park(void *arg)
{
    verd_park();
    return arg;
}

Test(sched, wait_gives_the_result)
{
    void *result = NULL;
    verd_wait(verd_spawn(yield, "result"), &result);
    cr_assert_str_eq(result, "result");
}

Test(sched, wait_without_a_place_for_the_result_succeeds)
{
    cr_assert_eq(verd_wait(verd_spawn(give_back, NULL), NULL), 0);
}

Test(sched, wait_can_be_repeated_after_the_end)
{
    verd_thread *t = verd_spawn(give_back, "result");
    void *result = NULL;
    verd_wait(t, NULL);
    verd_wait(t, &result);
    cr_assert_str_eq(result, "result");
}

Test(sched, join_gives_the_result)
{
    void *result = NULL;
    verd_join(verd_spawn(yield, "result"), &result);
    cr_assert_str_eq(result, "result");
}

Test(sched, a_joined_handle_is_released)
{
    verd_thread *t = verd_spawn(give_back, NULL);
    verd_join(t, NULL);
    errno = 0;
    cr_assert(verd_wait(t, NULL) == -1 && errno == EINVAL);
}

/* Its budget is spent with this call. */
static void *join_and_give_way(void *thread)
{
    void *result = NULL;
    verd__current->budget = 1;
    return verd_join(thread, &result) == 0 ? result : NULL;
}

Test(sched, a_joiner_that_gives_way_has_the_result_though_another_thread_has_the_block)
{
    void *result = NULL;
    verd_thread *t = verd_spawn(give_back, "result");
    verd_yield();
    verd_thread *joiner = verd_spawn(join_and_give_way, t);
    verd_yield();
    verd_thread *another = verd_spawn(give_back, "another");
    verd_join(joiner, &result);
    cr_assert_str_eq(result, "result");
    cr_assert_eq(verd_join(another, &result), 0);
    cr_assert_str_eq(result, "another");
}

Test(sched, no_two_threads_ever_have_the_same_handle)
{
    verd_thread *before = NULL;
    for (int i = 0; i < 1000; i++) {
        verd_thread *t = verd_spawn(give_back, NULL);
        cr_assert_neq(t, before);
        verd_join(t, NULL);
        before = t;
    }
}

Test(sched, a_stale_handle_reaches_nobody_else)
{
    verd_thread *stale = verd_spawn(give_back, NULL);
    verd_join(stale, NULL);
    verd_thread *t = verd_spawn(give_back, "result");
    void *result = NULL;
    errno = 0;
    cr_assert(verd_kill(stale) == -1 && errno == EINVAL);
    verd_unpark(stale);
    verd_release(stale);
    cr_assert(verd_join(t, &result) == 0 && strcmp(result, "result") == 0);
}

Test(sched, a_handle_released_after_the_end_is_EINVAL)
{
    verd_thread *t = verd_spawn(give_back, NULL);
    verd_wait(t, NULL);
    verd_release(t);
    errno = 0;
    cr_assert(verd_wait(t, NULL) == -1 && errno == EINVAL);
}

Test(sched, releasing_an_ended_thread_twice_frees_its_control_block_once)
{
    verd_thread *t = verd_spawn(give_back, NULL);
    verd_wait(t, NULL);
    verd_release(t);
    verd_release(t);
    cr_assert_neq(verd_spawn(give_back, NULL), verd_spawn(give_back, NULL));
}

Test(sched, releasing_no_handle_does_nothing)
{
    verd_release(NULL);
    cr_assert_eq(verd_wait(verd_spawn(give_back, NULL), NULL), 0);
}

Test(sched, waiting_for_no_handle_is_EINVAL)
{
    errno = 0;
    cr_assert(verd_wait(NULL, NULL) == -1 && errno == EINVAL);
}

Test(sched, a_thread_that_waits_for_itself_is_EDEADLK)
{
    errno = 0;
    cr_assert(verd_wait(verd_self(), NULL) == -1 && errno == EDEADLK);
}

static void *join_self(void *arg)
{
    (void)arg;
    return (void *)(intptr_t)(verd_join(verd_self(), NULL) == -1 ? errno : 0);
}

Test(sched, a_handle_whose_thread_tried_to_join_itself_stays_valid)
{
    void *result = NULL;
    verd_join(verd_spawn(join_self, NULL), &result);
    cr_assert_eq((intptr_t)result, EDEADLK);
}

static char order[64];

struct waiter {
    const char *letter;
    verd_thread *target;
};

static void *wait_and_note(void *arg)
{
    const struct waiter *waiter = arg;
    void *result = NULL;
    if (verd_wait(waiter->target, &result) == 0 && strcmp(result, "result") == 0)
        strcat(order, waiter->letter);
    return NULL;
}

Test(sched, any_number_of_threads_can_wait_and_they_wake_in_their_order)
{
    verd_thread *t = verd_spawn(park, "result");
    struct waiter waiters[] = {{"a", t}, {"b", t}, {"c", t}, {"d", t}};
    for (int i = 0; i < 4; i++)
        verd_spawn(wait_and_note, &waiters[i]);
    verd_yield();
    verd_unpark(t);
    verd_yield();
    verd_yield();
    cr_assert_str_eq(order, "abcd");
}

static void *join_and_count(void *t)
{
    void *result = NULL;
    return verd_join(t, &result) == 0 ? result : NULL;
}

Test(sched, threads_that_join_the_same_one_all_get_its_result)
{
    verd_thread *t = verd_spawn(yield, "result");
    verd_thread *first = verd_spawn(join_and_count, t);
    verd_thread *second = verd_spawn(join_and_count, t);
    void *one = NULL, *other = NULL;
    verd_join(first, &one);
    verd_join(second, &other);
    cr_assert(one != NULL && one == other);
}

Test(sched, waiting_for_a_cancelled_thread_is_ESRCH)
{
    verd_thread *t = verd_spawn(give_back, NULL);
    verd_cancel(t);
    errno = 0;
    cr_assert(verd_wait(t, NULL) == -1 && errno == ESRCH);
}

static void *wait_errno(void *t)
{
    return (void *)(intptr_t)(verd_wait(t, NULL) == 0 ? 0 : errno);
}

Test(sched, a_thread_that_waits_while_the_other_is_cancelled_gets_ESRCH)
{
    verd_thread *t = verd_spawn_after(VERD_SEC, give_back, NULL);
    verd_thread *waiter = verd_spawn(wait_errno, t);
    void *result = NULL;
    verd_yield();
    verd_cancel(t);
    verd_join(waiter, &result);
    cr_assert_eq((intptr_t)result, ESRCH);
}

Test(sched, joining_a_cancelled_thread_releases_its_handle)
{
    verd_thread *t = verd_spawn_after(VERD_SEC, give_back, NULL);
    verd_cancel(t);
    verd_join(t, NULL);
    errno = 0;
    cr_assert(verd_wait(t, NULL) == -1 && errno == EINVAL);
}

Test(sched, a_join_that_times_out_keeps_the_handle)
{
    verd_thread *t = verd_spawn(park, "result");
    verd_timeout limit;
    void *result = NULL;
    verd_timeout_begin(&limit, VERD_MS);
    verd_join(t, NULL);
    verd_timeout_end(&limit);
    verd_unpark(t);
    verd_join(t, &result);
    cr_assert_str_eq(result, "result");
}

/* Overwrites the frames of a call that has returned. */
static __attribute__((noinline)) void scribble(void)
{
    volatile char frame[2048];
    memset((void *)(uintptr_t)frame, 0x5a, sizeof frame);
}

static __attribute__((noinline)) void join_in_vain(verd_thread *t)
{
    verd_timeout limit;
    verd_timeout_begin(&limit, VERD_MS);
    verd_join(t, NULL);
    verd_timeout_end(&limit);
}

Test(sched, the_end_of_a_thread_does_not_touch_a_joiner_that_gave_up)
{
    verd_thread *t = verd_spawn(park, NULL);
    join_in_vain(t);
    scribble();
    verd_unpark(t);
    verd_yield();
    cr_assert_eq(verd_wait(t, NULL), 0);
}

static void *join_soon(void *t)
{
    verd_timeout limit;
    verd_timeout_begin(&limit, VERD_MS);
    verd_wait(t, NULL);
    verd_timeout_end(&limit);
    return NULL;
}

Test(sched, a_joiner_in_the_middle_that_gives_up_leaves_the_others_waiting)
{
    verd_thread *t = verd_spawn(park, "result");
    struct waiter waiters[] = {{"a", t}, {"c", t}};
    verd_spawn(wait_and_note, &waiters[0]);
    verd_thread *middle = verd_spawn(join_soon, t);
    verd_spawn(wait_and_note, &waiters[1]);
    verd_join(middle, NULL);
    verd_unpark(t);
    verd_yield();
    verd_yield();
    cr_assert_str_eq(order, "ac");
}

static void *end_later(void *other)
{
    verd_park();
    verd_wait(other, NULL);
    return NULL;
}

Test(sched, a_thread_can_wait_for_one_that_is_released_meanwhile)
{
    verd_thread *t = verd_spawn(park, NULL);
    verd_thread *waiter = verd_spawn(wait_errno, t);
    void *result = "";
    verd_yield();
    verd_release(t);
    verd_unpark(t);
    verd_join(waiter, &result);
    cr_assert_null(result);
}

Test(sched, a_chain_of_a_thousand_joins_ends)
{
    enum { LENGTH = 1000 };
    verd_thread *first = verd_spawn(park, NULL);
    verd_thread *last = first;
    for (int i = 0; i < LENGTH; i++) {
        verd_thread *next = verd_spawn(end_later, last);
        verd_unpark(next);
        last = next;
    }
    verd_unpark(first);
    cr_assert_eq(verd_wait(last, NULL), 0);
}

Test(sched, a_thread_can_be_ended_in_any_order)
{
    enum { MANY = 1000 };
    static verd_thread *threads[MANY];
    size_t good = 0;
    unsigned step = 617; /* prime to MANY: visits each once */
    for (size_t i = 0; i < MANY; i++)
        threads[i] = verd_spawn(park, &threads[i]);
    verd_yield();
    for (size_t i = 0, at = 0; i < MANY; i++, at = (at + step) % MANY) {
        void *result = NULL;
        verd_unpark(threads[at]);
        verd_join(threads[at], &result);
        good += result == &threads[at];
    }
    cr_assert_eq(good, MANY);
}
