/* SPDX-License-Identifier: MIT */

/* Kill, and the shield against it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include <verd.h>

#define ERRNO(call) ((void *)(intptr_t)((call) == 0 ? 0 : errno))

static bool ran;

static void *run(void *arg)
{
    ran = true;
    return arg;
}

static void *sleep_long(void *arg)
{
    (void)arg;
    return ERRNO(verd_sleep(VERD_FOREVER));
}

static void *park(void *arg)
{
    (void)arg;
    return ERRNO(verd_park());
}

static void *wait_for(void *t)
{
    return ERRNO(verd_wait(t, NULL));
}

/* What the thread returned after it was started and killed. */
static int killed(void *(*fn)(void *), void *arg)
{
    verd_thread *t = verd_spawn(fn, arg);
    void *result = NULL;
    verd_yield();
    verd_kill(t);
    verd_join(t, &result);
    return (int)(intptr_t)result;
}

Test(sched, a_thread_killed_before_it_started_never_runs)
{
    verd_kill(verd_spawn(run, NULL));
    verd_yield();
    cr_assert_not(ran);
}

Test(sched, waiting_for_a_thread_killed_before_it_started_is_ESRCH)
{
    verd_thread *t = verd_spawn(run, NULL);
    verd_kill(t);
    errno = 0;
    cr_assert(verd_wait(t, NULL) == -1 && errno == ESRCH);
}

Test(sched, a_sleeping_thread_that_is_killed_gets_ECANCELED)
{
    cr_assert_eq(killed(sleep_long, NULL), ECANCELED);
}

Test(sched, a_parked_thread_that_is_killed_gets_ECANCELED)
{
    cr_assert_eq(killed(park, NULL), ECANCELED);
}

Test(sched, a_joining_thread_that_is_killed_gets_ECANCELED)
{
    cr_assert_eq(killed(wait_for, verd_spawn(park, NULL)), ECANCELED);
}

Test(sched, killing_a_joiner_does_not_kill_whom_it_joins)
{
    verd_thread *t = verd_spawn(park, NULL);
    killed(wait_for, t);
    void *result = "";
    verd_unpark(t);
    verd_join(t, &result);
    cr_assert_null(result);
}

static void *yield_then_sleep(void *arg)
{
    (void)arg;
    verd_yield();
    return ERRNO(verd_sleep(VERD_FOREVER));
}

Test(sched, a_runnable_thread_that_is_killed_gets_ECANCELED_at_its_next_wait)
{
    cr_assert_eq(killed(yield_then_sleep, NULL), ECANCELED);
}

static void *sleep_zero(void *arg)
{
    (void)arg;
    return ERRNO(verd_sleep(0));
}

Test(sched, a_thread_killed_while_it_gives_way_gets_ECANCELED)
{
    cr_assert_eq(killed(sleep_zero, NULL), ECANCELED);
}

static void *kill_self(void *arg)
{
    (void)arg;
    verd_kill(verd_self());
    return ERRNO(verd_sleep(VERD_US));
}

Test(sched, a_thread_may_kill_itself)
{
    void *result = NULL;
    verd_join(verd_spawn(kill_self, NULL), &result);
    cr_assert_eq((intptr_t)result, ECANCELED);
}

static void *count_failures(void *arg)
{
    intptr_t failures = 0;
    (void)arg;
    failures += verd_park() != 0 && errno == ECANCELED;
    failures += verd_park() != 0 && errno == ECANCELED;
    failures += verd_sleep(VERD_US) != 0 && errno == ECANCELED;
    failures += verd_sleep(0) != 0 && errno == ECANCELED;
    failures += verd_sleep_until(0) != 0 && errno == ECANCELED;
    failures += verd_wait(verd_spawn(run, NULL), NULL) != 0 && errno == ECANCELED;
    verd_yield();
    return (void *)failures;
}

Test(sched, kill_is_sticky)
{
    cr_assert_eq(killed(count_failures, NULL), 6);
}

Test(sched, a_killed_thread_cannot_wait_even_for_one_that_has_ended)
{
    verd_thread *t = verd_spawn(run, NULL);
    verd_wait(t, NULL);
    verd_kill(verd_self());
    errno = 0;
    cr_assert(verd_wait(t, NULL) == -1 && errno == ECANCELED);
}

static void *say_killed(void *arg)
{
    (void)arg;
    verd_park();
    return (void *)(intptr_t)verd_killed();
}

Test(sched, a_killed_thread_knows_it)
{
    cr_assert_eq(killed(say_killed, NULL), true);
}

Test(sched, a_thread_on_the_stack_of_a_killed_one_is_not_killed)
{
    void *result = "";
    killed(say_killed, NULL);
    verd_join(verd_spawn(sleep_zero, NULL), &result);
    cr_assert_null(result);
}

Test(sched, killing_an_ended_thread_changes_nothing)
{
    verd_thread *t = verd_spawn(run, "result");
    void *result = NULL;
    verd_wait(t, NULL);
    verd_kill(t);
    verd_wait(t, &result);
    cr_assert_str_eq(result, "result");
}

Test(sched, killing_twice_changes_nothing)
{
    verd_thread *t = verd_spawn(park, NULL);
    void *result = NULL;
    verd_yield();
    verd_kill(t);
    verd_kill(t);
    verd_join(t, &result);
    cr_assert_eq((intptr_t)result, ECANCELED);
}

Test(sched, a_killed_thread_returns_its_own_result)
{
    verd_thread *t = verd_spawn(count_failures, NULL);
    verd_yield();
    verd_kill(t);
    cr_assert_eq(verd_wait(t, NULL), 0);
}

Test(sched, killing_no_thread_is_EINVAL)
{
    verd_self();
    errno = 0;
    cr_assert(verd_kill(NULL) == -1 && errno == EINVAL);
}

Test(sched, killing_a_released_thread_that_has_ended_is_EINVAL)
{
    verd_thread *t = verd_spawn(run, NULL);
    verd_join(t, NULL);
    errno = 0;
    cr_assert(verd_kill(t) == -1 && errno == EINVAL);
}

Test(sched, a_result_that_came_before_the_kill_is_not_lost)
{
    verd_thread *t = verd_spawn(park, NULL);
    verd_thread *waiter = verd_spawn(wait_for, t);
    void *result = "";
    verd_yield();
    verd_unpark(t);
    verd_yield(); /* t has ended, and the waiter can run */
    verd_kill(waiter);
    verd_join(waiter, &result);
    cr_assert_null(result);
}

Test(sched, an_unpark_that_came_before_the_kill_is_not_lost)
{
    verd_thread *t = verd_spawn(park, NULL);
    void *result = "";
    verd_yield();
    verd_unpark(t);
    verd_kill(t);
    verd_join(t, &result);
    cr_assert_null(result);
}

static void *take_permit_later(void *arg)
{
    (void)arg;
    intptr_t first = (intptr_t)ERRNO(verd_park());
    verd_shield_begin();
    verd_park(); /* would block for ever without the permit */
    verd_shield_end();
    return (void *)first;
}

Test(sched, a_killed_thread_does_not_use_its_permit_up)
{
    verd_thread *t = verd_spawn(take_permit_later, NULL);
    void *result = NULL;
    verd_yield();
    verd_kill(t);
    verd_unpark(t);
    verd_join(t, &result);
    cr_assert_eq((intptr_t)result, ECANCELED);
}

static void *shielded_sleep(void *arg)
{
    (void)arg;
    verd_shield_begin();
    int slept = verd_sleep(2 * VERD_MS);
    verd_shield_end();
    return (void *)(intptr_t)slept;
}

static verd_mutex guarded = VERD_MUTEX_INIT;

static void unlock(verd_mutex **held)
{
    if (*held != NULL)
        verd_mutex_unlock(*held);
}

static void *leave_early(void *arg)
{
    __attribute__((cleanup(unlock))) verd_mutex *held =
        verd_mutex_lock(&guarded) == 0 ? &guarded : NULL;
    if (held == NULL || verd_sleep(VERD_FOREVER) != 0)
        return NULL;
    return arg;
}

Test(sched, a_killed_thread_releases_what_is_tied_to_its_scopes)
{
    verd_thread *thread = verd_spawn(leave_early, NULL);
    verd_yield();
    cr_assert(verd_mutex_try_lock(&guarded) != 0 && errno == EAGAIN);
    verd_kill(thread);
    verd_join(thread, NULL);
    cr_assert_eq(verd_mutex_try_lock(&guarded), 0);
}

Test(sched, a_shield_keeps_a_kill_from_a_thread_that_waits)
{
    cr_assert_eq(killed(shielded_sleep, NULL), 0);
}

static void *shield_from_itself(void *arg)
{
    (void)arg;
    verd_shield_begin();
    verd_kill(verd_self());
    int slept = verd_sleep(VERD_US);
    verd_shield_end();
    return (void *)(intptr_t)slept;
}

Test(sched, a_shielded_thread_that_was_killed_can_still_begin_to_wait)
{
    void *result = "";
    verd_join(verd_spawn(shield_from_itself, NULL), &result);
    cr_assert_null(result);
}

static void *sleep_after_shield(void *arg)
{
    shielded_sleep(arg);
    return ERRNO(verd_sleep(VERD_US));
}

Test(sched, a_kill_under_a_shield_shows_after_it)
{
    cr_assert_eq(killed(sleep_after_shield, NULL), ECANCELED);
}

static void *nested_shields(void *arg)
{
    (void)arg;
    verd_shield_begin();
    verd_shield_begin();
    verd_shield_end();
    int slept = verd_sleep(VERD_MS);
    verd_shield_end();
    return (void *)(intptr_t)slept;
}

Test(sched, shields_nest)
{
    cr_assert_eq(killed(nested_shields, NULL), 0);
}

static void *killed_in_shield(void *arg)
{
    (void)arg;
    verd_shield_begin();
    verd_park();
    bool said = verd_killed();
    verd_shield_end();
    return (void *)(intptr_t)said;
}

Test(sched, a_shield_does_not_hide_a_kill_from_verd_killed)
{
    verd_thread *t = verd_spawn(killed_in_shield, NULL);
    void *result = NULL;
    verd_yield();
    verd_kill(t);
    verd_unpark(t);
    verd_join(t, &result);
    cr_assert(result != NULL);
}

Test(sched, ending_a_shield_that_was_not_begun_does_nothing)
{
    verd_shield_end();
    verd_kill(verd_self());
    cr_assert_eq(verd_sleep(VERD_US), -1);
}

static void *leave_shielded(void *arg)
{
    verd_shield_begin();
    return arg;
}

Test(sched, a_shield_ends_with_its_thread)
{
    verd_join(verd_spawn(leave_shielded, NULL), NULL);
    cr_assert_eq(killed(sleep_long, NULL), ECANCELED);
}

static void *kill_the_rest(void *arg)
{
    verd_thread **threads = arg;
    for (int i = 0; threads[i] != NULL; i++)
        verd_kill(threads[i]);
    return NULL;
}

Test(sched, threads_killed_in_every_state_all_end)
{
    verd_thread *target = verd_spawn(park, NULL);
    verd_thread *ended = verd_spawn(run, NULL);
    verd_thread *sleeping = verd_spawn(sleep_long, NULL);
    verd_thread *joining = verd_spawn(wait_for, target);
    verd_yield();
    verd_thread *delayed = verd_spawn_after(VERD_SEC, run, NULL);
    verd_thread *unstarted = verd_spawn(run, NULL);
    verd_attr attr = {.name = "bound"};
    verd_thread *bound = verd_spawn_with(&attr, run, NULL);
    verd_thread *all[] = {target, ended, sleeping, joining, delayed, unstarted, bound, NULL};
    kill_the_rest(all);
    size_t waited = 0;
    for (int i = 0; all[i] != NULL; i++)
        waited += verd_join(all[i], NULL) == 0 || errno == ESRCH;
    cr_assert_eq(waited, 7);
}
