/* SPDX-License-Identifier: MIT */

/* Functions called at the end of a thread. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include <verd.h>

static char order[64];

static void note(verd_thread *t, void *letter)
{
    (void)t;
    strcat(order, letter);
}

static void *give_back(void *arg)
{
    return arg;
}

static void *park(void *arg)
{
    verd_park();
    return arg;
}

Test(sched, links_are_called_in_the_order_of_linking)
{
    verd_thread *t = verd_spawn(give_back, NULL);
    verd_link(t, note, "a");
    verd_link(t, note, "b");
    verd_link(t, note, "c");
    verd_yield();
    cr_assert_str_eq(order, "abc");
}

Test(sched, a_link_to_a_running_thread_is_called_at_its_end)
{
    verd_thread *t = verd_spawn(park, NULL);
    verd_yield();
    verd_link(t, note, "a");
    verd_unpark(t);
    verd_yield();
    cr_assert_str_eq(order, "a");
}

Test(sched, a_link_to_an_ended_thread_is_called_at_once)
{
    verd_thread *t = verd_spawn(give_back, NULL);
    verd_wait(t, NULL);
    verd_link(t, note, "a");
    cr_assert_str_eq(order, "a");
}

Test(sched, a_link_to_a_cancelled_thread_is_called)
{
    verd_thread *t = verd_spawn(give_back, NULL);
    verd_link(t, note, "a");
    verd_cancel(t);
    cr_assert_str_eq(order, "a");
}

static verd_thread *called_on;

static void note_self(verd_thread *t, void *arg)
{
    (void)t, (void)arg;
    called_on = verd_self();
}

Test(sched, a_link_is_called_on_the_ending_thread)
{
    verd_thread *t = verd_spawn(give_back, NULL);
    verd_link(t, note_self, NULL);
    verd_wait(t, NULL);
    cr_assert_eq(called_on, t);
}

static void *wait_and_note(void *t)
{
    verd_wait(t, NULL);
    strcat(order, "w");
    return NULL;
}

Test(sched, links_are_called_before_those_who_wait_run)
{
    verd_thread *t = verd_spawn(park, NULL);
    verd_thread *waiter = verd_spawn(wait_and_note, t);
    verd_yield();
    verd_link(t, note, "a");
    verd_unpark(t);
    verd_join(waiter, NULL);
    cr_assert_str_eq(order, "aw");
}

Test(sched, an_unlinked_function_is_not_called)
{
    verd_thread *t = verd_spawn(give_back, NULL);
    verd_link(t, note, "a");
    verd_link(t, note, "b");
    verd_link(t, note, "c");
    static char b[] = "b"; /* may not be the same literal */
    verd_link(t, note, b);
    verd_unlink(t, note, b);
    verd_yield();
    cr_assert_str_eq(order, "abc");
}

Test(sched, unlink_takes_back_the_first_of_equal_links)
{
    static char x[] = "x";
    verd_thread *t = verd_spawn(give_back, NULL);
    verd_link(t, note, x);
    verd_link(t, note, "y");
    verd_link(t, note, x);
    verd_unlink(t, note, x);
    verd_yield();
    cr_assert_str_eq(order, "yx");
}

Test(sched, unlinking_what_is_not_linked_is_ENOENT)
{
    verd_thread *t = verd_spawn(give_back, NULL);
    verd_link(t, note, "a");
    errno = 0;
    cr_assert(verd_unlink(t, note_self, NULL) == -1 && errno == ENOENT);
}

Test(sched, unlinking_after_the_end_is_ENOENT)
{
    static char a[] = "a";
    verd_thread *t = verd_spawn(give_back, NULL);
    verd_link(t, note, a);
    verd_wait(t, NULL);
    errno = 0;
    cr_assert(verd_unlink(t, note, a) == -1 && errno == ENOENT);
}

Test(sched, unlink_passes_over_those_who_wait)
{
    static char a[] = "a";
    verd_thread *t = verd_spawn(park, NULL);
    verd_spawn(wait_and_note, t);
    verd_yield();
    verd_link(t, note, a);
    cr_assert_eq(verd_unlink(t, note, a), 0);
}

Test(sched, linking_no_function_is_EINVAL)
{
    errno = 0;
    cr_assert(verd_link(verd_spawn(give_back, NULL), NULL, NULL) == -1 && errno == EINVAL);
}

Test(sched, linking_to_no_thread_is_EINVAL)
{
    errno = 0;
    verd_self();
    cr_assert(verd_link(NULL, note, NULL) == -1 && errno == EINVAL);
}

static void release(verd_thread *t, void *arg)
{
    (void)arg;
    verd_release(t);
}

Test(sched, a_link_may_release_the_handle)
{
    verd_thread *t = verd_spawn(give_back, NULL);
    verd_link(t, release, NULL);
    verd_yield();
    /* Freed once: else both would be the same. */
    cr_assert_neq(verd_spawn(give_back, NULL), verd_spawn(give_back, NULL));
}

Test(sched, a_link_may_release_the_handle_of_a_thread_that_never_runs)
{
    verd_thread *t = verd_spawn_after(VERD_SEC, give_back, NULL);
    verd_link(t, release, NULL);
    verd_cancel(t);
    cr_assert_neq(verd_spawn(give_back, NULL), verd_spawn(give_back, NULL));
}

Test(sched, links_behind_one_that_releases_the_handle_are_called)
{
    verd_thread *t = verd_spawn(give_back, NULL);
    verd_link(t, release, NULL);
    verd_link(t, note, "a");
    verd_yield();
    cr_assert_str_eq(order, "a");
}

static void unlink_next(verd_thread *t, void *letter)
{
    verd_unlink(t, note, letter);
}

Test(sched, a_link_may_take_back_the_next)
{
    static char a[] = "a";
    verd_thread *t = verd_spawn(give_back, NULL);
    verd_link(t, unlink_next, a);
    verd_link(t, note, a);
    verd_link(t, note, "b");
    verd_yield();
    cr_assert_str_eq(order, "b");
}

static void link_another(verd_thread *t, void *letter)
{
    verd_link(t, note, letter);
}

Test(sched, a_link_made_by_a_link_is_called)
{
    verd_thread *t = verd_spawn(give_back, NULL);
    verd_link(t, link_another, "a");
    verd_yield();
    cr_assert_str_eq(order, "a");
}

static void *linked_result;

static void take_result(verd_thread *t, void *arg)
{
    (void)arg;
    verd_wait(t, &linked_result);
}

Test(sched, a_link_can_read_the_result_by_wait)
{
    verd_thread *t = verd_spawn(give_back, "result");
    verd_link(t, take_result, NULL);
    verd_yield();
    cr_assert(linked_result != NULL && strcmp(linked_result, "result") == 0);
}

static void join_result(verd_thread *t, void *arg)
{
    (void)arg;
    verd_join(t, &linked_result);
}

Test(sched, a_link_can_join_its_thread)
{
    verd_thread *t = verd_spawn(give_back, "result");
    verd_link(t, join_result, NULL);
    verd_yield();
    errno = 0;
    cr_assert(linked_result != NULL && verd_wait(t, NULL) == -1 && errno == EINVAL);
}

static void *kill_self(void *arg)
{
    verd_kill(verd_self());
    return arg;
}

Test(sched, a_link_can_read_the_result_of_a_killed_thread)
{
    verd_thread *t = verd_spawn(kill_self, "result");
    verd_link(t, take_result, NULL);
    verd_yield();
    cr_assert(linked_result != NULL && strcmp(linked_result, "result") == 0);
}

/* Calls that succeed at once, until the budget is spent and one of them gives way. */
static void call_often(verd_thread *t, void *arg)
{
    (void)t, (void)arg;
    for (int i = 0; i < 1000; i++) {
        verd_unpark(verd_self());
        verd_park();
    }
}

Test(sched, a_link_whose_calls_spend_the_budget_does_not_lose_its_thread)
{
    verd_thread *t = verd_spawn(park, "result");
    verd_thread *waiter = verd_spawn(wait_and_note, t);
    verd_yield();
    verd_link(t, call_often, NULL);
    verd_link(t, note, "a");
    verd_unpark(t);
    for (int i = 0; i < 100; i++)
        verd_yield();
    verd_kill(waiter);
    cr_assert_str_eq(order, "wa");
}

static void yield_once(verd_thread *t, void *arg)
{
    (void)t, (void)arg;
    verd_yield();
}

Test(sched, a_link_that_yields_does_not_lose_the_links_behind_it)
{
    verd_thread *t = verd_spawn(give_back, NULL);
    verd_link(t, yield_once, NULL);
    verd_link(t, note, "a");
    verd_yield();
    verd_yield();
    cr_assert_str_eq(order, "a");
}

static void spawn_one(verd_thread *t, void *arg)
{
    (void)t;
    verd_release(verd_spawn(give_back, arg));
}

Test(sched, a_link_may_spawn)
{
    verd_thread *t = verd_spawn(give_back, "result");
    void *result = NULL;
    verd_link(t, spawn_one, NULL);
    verd_wait(t, &result);
    cr_assert_str_eq(result, "result");
}

static verd_key key;

static void set_local(verd_thread *t, void *arg)
{
    (void)t;
    verd_set(key, arg);
}

static void *get_local(void *arg)
{
    (void)arg;
    return verd_get(key);
}

Test(sched, a_local_set_by_a_link_does_not_show_in_the_next_thread)
{
    verd_key_create(&key, NULL);
    verd_thread *t = verd_spawn(give_back, NULL);
    verd_link(t, set_local, "stale");
    verd_thread *next = verd_spawn(get_local, NULL);
    void *result = "";
    verd_join(next, &result);
    cr_assert_null(result);
}

static void leave_timeout_open(verd_thread *t, void *timeout)
{
    (void)t;
    verd_timeout_begin(timeout, VERD_MS);
}

static void *sleep_within_a_long_timeout(void *arg)
{
    (void)arg;
    verd_timeout limit;
    verd_timeout_begin(&limit, 3600 * VERD_SEC);
    int slept = verd_sleep(3 * VERD_MS);
    verd_timeout_end(&limit);
    return (void *)(intptr_t)slept;
}

Test(sched, a_timeout_left_open_by_a_link_does_not_reach_the_next_thread)
{
    static verd_timeout timeout;
    verd_thread *t = verd_spawn(give_back, NULL);
    verd_link(t, leave_timeout_open, &timeout);
    verd_release(t);
    verd_yield();
    verd_thread *next = verd_spawn(sleep_within_a_long_timeout, NULL);
    void *result = "";
    verd_join(next, &result);
    cr_assert_null(result);
}
