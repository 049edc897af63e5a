/* SPDX-License-Identifier: MIT */

/* Threads start: in which order, with what, and when not.
 *
 * In all tests of threads: what happens inside a thread is written down there and asserted by the
 * main thread, because a failing assertion unwinds the stack that the test was started on. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include <verd.h>

#include "process.h"

static char order[64];

/* Writes its letter down. */
static void *note(void *letter)
{
    strncat(order, letter, sizeof order - strlen(order) - 1);
    return letter;
}

static void note_n(void *letter)
{
    note(letter);
}

static void *none(void *arg)
{
    return arg;
}

static void none_n(void *arg)
{
    (void)arg;
}

Test(sched, threads_start_in_the_order_of_spawning)
{
    verd_attr attr = {.name = "c"};
    verd_spawn(note, "a");
    verd_spawn_n(note_n, "b");
    verd_spawn_with(&attr, note, "c");
    verd_spawn_after(0, note, "d");
    verd_spawn(note, "e");
    verd_yield();
    cr_assert_str_eq(order, "abcde");
}

Test(sched, spawning_only_schedules)
{
    verd_spawn(note, "a");
    cr_assert_str_eq(order, "");
}

Test(sched, a_released_thread_runs_on)
{
    verd_release(verd_spawn(note, "a"));
    verd_yield();
    cr_assert_str_eq(order, "a");
}

static void *spawn_one(void *letter)
{
    return verd_spawn(note, letter);
}

Test(sched, a_thread_spawned_by_a_thread_starts_behind_those_spawned_before)
{
    verd_spawn(spawn_one, "b");
    verd_spawn(note, "a");
    verd_yield();
    verd_yield();
    cr_assert_str_eq(order, "ab");
}

Test(sched, a_million_threads_that_do_not_wait_run_to_their_end)
{
    int many = process_is_carried() ? 10000 : 1000000;
    static int counter;
    for (int i = 0; i < many; i++)
        verd_spawn_n(none_n, &counter);
    verd_thread *last = verd_spawn(none, &counter);
    void *result = NULL;
    verd_join(last, &result);
    cr_assert_eq(result, &counter);
}

Test(sched, spawning_without_a_function_is_EINVAL)
{
    errno = 0;
    cr_assert(verd_spawn(NULL, NULL) == NULL && errno == EINVAL);
}

Test(sched, spawning_without_handle_and_function_is_EINVAL)
{
    errno = 0;
    cr_assert(verd_spawn_n(NULL, NULL) == -1 && errno == EINVAL);
}

Test(sched, spawning_with_attributes_and_without_a_function_is_EINVAL)
{
    errno = 0;
    cr_assert(verd_spawn_with(NULL, NULL, NULL) == NULL && errno == EINVAL);
}

Test(sched, spawning_later_without_a_function_is_EINVAL)
{
    errno = 0;
    cr_assert(verd_spawn_after(VERD_MS, NULL, NULL) == NULL && errno == EINVAL);
}

Test(sched, a_thread_without_attributes_runs)
{
    void *result = NULL;
    verd_join(verd_spawn_with(NULL, none, "a"), &result);
    cr_assert_str_eq(result, "a");
}

Test(sched, a_name_is_kept_until_the_thread_runs)
{
    verd_attr attr = {.name = "worker"};
    verd_thread *t = verd_spawn_with(&attr, none, NULL);
    cr_assert_str_eq(verd_name(t), "worker");
}

Test(sched, a_long_name_is_cut)
{
    verd_attr attr = {.name = "0123456789012345678901234567890123456789"};
    verd_thread *t = verd_spawn_with(&attr, none, NULL);
    cr_assert_str_eq(verd_name(t), "01234567890123456789012");
}

Test(sched, an_ended_thread_has_no_name)
{
    verd_attr attr = {.name = "worker"};
    verd_thread *t = verd_spawn_with(&attr, none, NULL);
    verd_wait(t, NULL);
    cr_assert_str_eq(verd_name(t), "");
}

static void *own_name(void *name)
{
    return strcpy(name, verd_name(verd_self()));
}

Test(sched, a_thread_does_not_inherit_the_name_of_an_earlier_one_on_its_stack)
{
    char name[VERD_NAME_SIZE] = "";
    verd_attr attr = {.name = "worker"};
    verd_join(verd_spawn_with(&attr, none, NULL), NULL);
    verd_join(verd_spawn(own_name, name), NULL);
    cr_assert_str_eq(name, "");
}

Test(sched, a_thread_does_not_inherit_the_name_of_one_that_was_cancelled)
{
    char name[VERD_NAME_SIZE] = "";
    verd_attr attr = {.name = "worker"};
    verd_cancel(verd_spawn_with(&attr, none, NULL));
    verd_join(verd_spawn(own_name, name), NULL);
    cr_assert_str_eq(name, "");
}

Test(sched, the_main_thread_has_number_zero)
{
    cr_assert_eq(verd_number(verd_self()), 0);
}

Test(sched, threads_that_are_alive_have_different_numbers)
{
    enum { MANY = 3000 }; /* more than one slab of control blocks holds */
    static bool seen[MANY + 1];
    size_t twice = 0;
    for (int i = 0; i < MANY; i++) {
        size_t number = verd_number(verd_spawn(none, NULL));
        if (number == 0 || number > MANY || seen[number])
            twice++;
        else
            seen[number] = true;
    }
    cr_assert_eq(twice, 0);
}

static void *self(void *arg)
{
    (void)arg;
    return verd_self();
}

Test(sched, a_thread_knows_itself)
{
    verd_thread *t = verd_spawn(self, NULL);
    void *result = NULL;
    verd_wait(t, &result);
    cr_assert_eq(result, t);
}

Test(sched, a_delayed_thread_does_not_start_early)
{
    verd_duration begin = verd_now();
    verd_join(verd_spawn_after(2 * VERD_MS, none, NULL), NULL);
    cr_assert_geq(verd_now() - begin, 2 * VERD_MS);
}

/* False: it took so long that the deadlines are not in the order of the delays. */
static bool spawn_three_in_time(verd_thread *threads[3])
{
    verd_duration begin = verd_now();
    threads[0] = verd_spawn_after(3 * VERD_MS, note, "c");
    threads[1] = verd_spawn_after(VERD_MS, note, "a");
    threads[2] = verd_spawn_after(2 * VERD_MS, note, "b");
    return verd_now() - begin < VERD_MS;
}

Test(sched, delayed_threads_start_in_the_order_of_their_deadlines)
{
    verd_thread *threads[3];
    while (!spawn_three_in_time(threads)) {
        for (int i = 0; i < 3; i++)
            verd_cancel(threads[i]);
    }
    for (int i = 0; i < 3; i++)
        verd_join(threads[i], NULL);
    cr_assert_str_eq(order, "abc");
}

Test(sched, a_delay_of_forever_never_starts_and_can_be_cancelled)
{
    verd_thread *t = verd_spawn_after(VERD_FOREVER, note, "a");
    verd_sleep(VERD_MS);
    cr_assert(order[0] == '\0' && verd_cancel(t) == 0);
}

Test(sched, a_delayed_thread_that_was_cancelled_does_not_start)
{
    verd_thread *t = verd_spawn_after(VERD_MS, note, "a");
    verd_cancel(t);
    verd_sleep(2 * VERD_MS);
    cr_assert_str_eq(order, "");
}

static void *compute(void *arg)
{
    for (verd_duration until = verd_now() + 3 * VERD_MS; verd_now() < until;)
        ;
    return arg;
}

/* A thread whose delay is over, but whose turn has not come: both deadlines passed in one turn. */
static verd_thread *make_due(void)
{
    verd_spawn(compute, NULL);
    verd_duration first = verd_now() + VERD_MS;
    verd_thread *t = verd_spawn_after(2 * VERD_MS, note, "a");
    verd_sleep_until(first);
    return t;
}

Test(sched, a_delayed_thread_that_is_due_can_be_cancelled_before_its_turn)
{
    int cancelled = verd_cancel(make_due());
    verd_yield();
    cr_assert(cancelled == 0 && order[0] == '\0');
}

Test(sched, a_delayed_thread_that_is_due_can_be_killed_before_its_turn)
{
    verd_kill(make_due());
    verd_yield();
    cr_assert_str_eq(order, "");
}

Test(sched, a_delayed_thread_that_was_released_starts)
{
    verd_release(verd_spawn_after(VERD_MS, note, "a"));
    verd_sleep(2 * VERD_MS);
    verd_yield();
    cr_assert_str_eq(order, "a");
}

Test(sched, a_delayed_thread_that_was_released_can_be_killed)
{
    verd_thread *t = verd_spawn_after(VERD_MS, note, "a");
    verd_release(t);
    verd_kill(t); /* still alive, so that the pointer is good */
    verd_sleep(2 * VERD_MS);
    cr_assert_str_eq(order, "");
}

Test(sched, a_cancelled_thread_never_runs)
{
    verd_thread *t = verd_spawn(note, "a");
    verd_cancel(t);
    verd_yield();
    cr_assert_str_eq(order, "");
}

Test(sched, cancelling_a_cancelled_thread_is_EBUSY)
{
    verd_thread *t = verd_spawn(note, "a");
    verd_cancel(t);
    errno = 0;
    cr_assert(verd_cancel(t) == -1 && errno == EBUSY);
}

static void *park(void *arg)
{
    verd_park();
    return arg;
}

Test(sched, cancelling_a_started_thread_is_EBUSY)
{
    verd_thread *t = verd_spawn(park, NULL);
    verd_yield();
    errno = 0;
    cr_assert(verd_cancel(t) == -1 && errno == EBUSY);
}

Test(sched, cancelling_an_ended_thread_is_EBUSY)
{
    verd_thread *t = verd_spawn(none, NULL);
    verd_wait(t, NULL);
    errno = 0;
    cr_assert(verd_cancel(t) == -1 && errno == EBUSY);
}

Test(sched, cancelling_the_main_thread_is_EBUSY)
{
    errno = 0;
    cr_assert(verd_cancel(verd_self()) == -1 && errno == EBUSY);
}

Test(sched, a_thread_cancelled_and_released_in_the_run_queue_leaves_the_others_in_order)
{
    verd_spawn(note, "a");
    verd_thread *t = verd_spawn(note, "x");
    verd_spawn(note, "b");
    verd_cancel(t);
    verd_release(t);
    verd_spawn(note, "c"); /* must not get the control block that is still in the queue */
    verd_yield();
    cr_assert_str_eq(order, "abc");
}

Test(sched, cancelling_a_million_threads_costs_no_stack)
{
    enum { MANY = 1000000 };
    size_t cancelled = 0;
    for (int i = 0; i < MANY; i++) {
        verd_thread *t = verd_spawn(note, "a");
        cancelled += verd_cancel(t) == 0;
        verd_release(t);
    }
    verd_yield();
    cr_assert(cancelled == MANY && order[0] == '\0');
}
