/* SPDX-License-Identifier: MIT */
/* A bundle's threads do not outlive it, and the first to fail ends the others. */
#include <criterion/criterion.h>
#include <errno.h>

#include <verd/bundle.h>
#include <verd/time.h>

#include "gate.h"
#include "process.h"

static verd_bundle *bundle;

static void *fail(void *error)
{
    verd_yield();
    return verd_fail((int)(uintptr_t)error);
}

static void *fail_when_killed(void *arg)
{
    return verd_sleep(VERD_FOREVER) == 0 ? arg : verd_fail(errno);
}

static verd_bundle *bundle_of(void *(*fn)(void *), void *arg, size_t n)
{
    bundle = verd_bundle_new();
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(verd_bundle_spawn(bundle, fn, arg), 0);
    return bundle;
}

Test(bundle, without_threads_has_ended)
{
    bundle = verd_bundle_new();
    cr_assert_eq(verd_bundle_wait(bundle), 0);
    cr_assert_eq(verd_bundle_free(bundle), 0);
    cr_assert_eq(verd_bundle_free(NULL), 0);
}

Test(bundle, wait_waits_for_all)
{
    struct gate gate = {0};
    bundle_of(stay, &gate, 3);
    verd_spawn_n(open_later, &gate);
    cr_assert_eq(verd_bundle_wait(bundle), 0);
    cr_assert_eq(gate.left, 3);
    verd_bundle_free(bundle);
}

/* Numbers and pointers are results, whatever they are. */
Test(bundle, drops_results)
{
    bundle_of(echo, number(SIZE_MAX), 1);
    verd_bundle_spawn(bundle, echo, &bundle);
    cr_assert_eq(verd_bundle_wait(bundle), 0);
    verd_bundle_free(bundle);
}

Test(bundle, the_first_failure_kills_the_others_and_is_the_result)
{
    struct gate gate = {0};
    bundle_of(stay_forever, &gate, 2);
    verd_bundle_spawn(bundle, fail, number(EPROTO));
    verd_bundle_spawn(bundle, fail_when_killed, NULL);
    cr_assert(fails(verd_bundle_wait(bundle) == -1, EPROTO));
    cr_assert_eq(gate.left, 2);
    cr_assert(fails(verd_bundle_wait(bundle) == -1, EPROTO));
    verd_bundle_free(bundle);
}

/* Which is not to be taken for the waiting thread's own. */
Test(bundle, tells_the_failure_of_a_thread_from_the_callers_own)
{
    struct gate gate = {0};
    verd_timeout limit;
    bundle_of(stay_forever, &gate, 1);
    verd_timeout_begin(&limit, 0);
    cr_assert(fails(verd_bundle_wait(bundle) == -1, ETIMEDOUT));
    cr_assert_eq(verd_bundle_error(bundle), 0);
    verd_timeout_end(&limit);
    verd_bundle_spawn(bundle, fail, number(ETIMEDOUT));
    cr_assert(fails(verd_bundle_wait(bundle) == -1, ETIMEDOUT));
    cr_assert_eq(verd_bundle_error(bundle), ETIMEDOUT);
    verd_bundle_free(bundle);
    cr_assert(verd_bundle_error(NULL) == 0 && errno == EINVAL);
}

Test(bundle, a_failure_kills_the_others_though_nobody_waits)
{
    struct gate gate = {0};
    bundle_of(stay_forever, &gate, 2);
    verd_bundle_spawn(bundle, fail, number(EPROTO));
    let_others_run();
    cr_assert_eq(gate.left, 2);
    cr_assert(fails(verd_bundle_wait(bundle) == -1, EPROTO));
    verd_bundle_free(bundle);
}

static void *fail_at_once(void *error)
{
    return verd_fail((int)(uintptr_t)error);
}

Test(bundle, a_failure_has_those_run_that_have_not_started)
{
    bundle_of(fail_at_once, number(EPROTO), 1);
    verd_bundle_spawn(bundle, note_killed, NULL);
    cr_assert(fails(verd_bundle_wait(bundle) == -1, EPROTO));
    cr_assert_eq(killed, 1);
    verd_bundle_free(bundle);
}

Test(bundle, what_is_spawned_after_a_failure_starts_killed)
{
    bundle_of(fail_at_once, number(EPROTO), 1);
    cr_assert(fails(verd_bundle_wait(bundle) == -1, EPROTO));
    cr_assert_eq(verd_bundle_spawn(bundle, note_killed, NULL), 0);
    cr_assert(fails(verd_bundle_wait(bundle) == -1, EPROTO));
    cr_assert_eq(killed, 1);
    verd_bundle_free(bundle);
}

static void *spawn_more(void *depth)
{
    called++;
    if (depth != NULL)
        verd_bundle_spawn(bundle, spawn_more, number((uintptr_t)depth - 1));
    return NULL;
}

Test(bundle, its_threads_may_spawn_into_it)
{
    bundle_of(spawn_more, number(5), 2);
    cr_assert_eq(verd_bundle_wait(bundle), 0);
    cr_assert_eq(called, 12);
    verd_bundle_free(bundle);
}

Test(bundle, wait_that_runs_out_of_time_leaves_it_as_it_is)
{
    struct gate gate = {0};
    verd_timeout limit;
    bundle_of(stay, &gate, 1);
    verd_timeout_begin(&limit, VERD_MS);
    cr_assert(fails(verd_bundle_wait(bundle) == -1, ETIMEDOUT));
    verd_timeout_end(&limit);
    gate.open = true;
    cr_assert_eq(verd_bundle_wait(bundle), 0);
    cr_assert_eq(gate.left, 1);
    verd_bundle_free(bundle);
}

/* ---- the end ---- */

Test(bundle, free_kills_and_waits)
{
    struct gate gate = {0};
    bundle_of(stay_forever, &gate, 3);
    let_others_run();
    cr_assert_eq(gate.inside, 3);
    cr_assert_eq(verd_bundle_free(bundle), 0);
    cr_assert_eq(gate.left, 3);
}

Test(bundle, free_has_those_run_that_have_not_started)
{
    bundle_of(note_killed, NULL, 2);
    cr_assert_eq(verd_bundle_free(bundle), 0);
    cr_assert_eq(killed, 2);
}

/* Each of the three puts off its end for a while. */
static void *dally(void *arg)
{
    struct gate *gate = arg;
    stay_forever(&(struct gate){0});
    for (int i = 0; i < 10; i++)
        verd_yield();
    gate->left++;
    return NULL;
}

static void *free_killed(void *arg)
{
    struct gate *gate = arg;
    verd_kill(verd_self());
    errno = EXDEV;
    killed += verd_bundle_free(bundle) == 0 && errno == EXDEV && gate->left == 3;
    return NULL;
}

Test(bundle, free_waits_in_a_killed_thread_too)
{
    struct gate gate = {0};
    bundle_of(dally, &gate, 3);
    let_others_run();
    cr_assert_eq(verd_join(verd_spawn(free_killed, &gate), NULL), 0);
    cr_assert_eq(killed, 1);
}

Test(bundle, free_waits_when_the_time_is_out_too)
{
    struct gate gate = {0};
    verd_timeout limit;
    bundle_of(dally, &gate, 3);
    let_others_run();
    verd_timeout_begin(&limit, 0);
    cr_assert_eq(verd_bundle_free(bundle), 0);
    cr_assert_eq(gate.left, 3);
    cr_assert(verd_timeout_end(&limit));
}

Test(bundle, free_in_a_thread_that_is_killed_meanwhile_waits_on)
{
    struct gate gate = {0};
    bundle_of(dally, &gate, 3);
    let_others_run();
    verd_thread *thread = verd_spawn(free_killed, &gate);
    verd_yield();
    cr_assert_eq(killed, 0);
    verd_kill(thread);
    cr_assert_eq(verd_join(thread, NULL), 0);
    cr_assert_eq(killed, 1);
}

static void *wait_for_it(void *arg)
{
    *(int *)arg = verd_bundle_wait(bundle) == 0 ? 0 : errno;
    return NULL;
}

Test(bundle, free_tells_those_who_wait_when_all_have_ended)
{
    struct gate gate = {0};
    int outcome = -1;
    bundle_of(dally, &gate, 1);
    verd_thread *waiter = verd_spawn(wait_for_it, &outcome);
    let_others_run();
    cr_assert_eq(outcome, -1);
    verd_bundle_free(bundle);
    cr_assert_eq(verd_join(waiter, NULL), 0);
    cr_assert_eq(outcome, 0);
}

/* One whose end the main thread has been told of already, and that goes on to spawn. */
static void *spawn_when_it_has_ended(void *arg)
{
    verd_bundle_wait(bundle);
    verd_bundle_spawn(bundle, note_killed, arg);
    return NULL;
}

Test(bundle, free_waits_for_what_is_spawned_by_others_meanwhile)
{
    struct gate gate = {0};
    bundle_of(stay_forever, &gate, 1);
    verd_thread *other = verd_spawn(spawn_when_it_has_ended, NULL);
    let_others_run();
    cr_assert_eq(verd_bundle_free(bundle), 0);
    cr_assert_eq(killed, 1);
    verd_join(other, NULL);
}

/* What runs at the end of a thread may use the scope, too. */
static verd_key key;
static size_t destroyed;

static void destroy(void *value)
{
    (void)value;
    verd_yield();
    destroyed++;
}

static void linked(verd_thread *thread, void *arg)
{
    (void)thread, (void)arg;
    destroyed++;
}

static void *leave_something(void *arg)
{
    verd_set(key, &key);
    verd_link(verd_self(), linked, NULL);
    return arg;
}

Test(bundle, a_thread_counts_until_its_destructors_and_links_have_run)
{
    verd_key_create(&key, destroy);
    bundle_of(leave_something, NULL, 1);
    cr_assert_eq(verd_bundle_wait(bundle), 0);
    cr_assert_eq(destroyed, 2);
    verd_bundle_free(bundle);
}

static void *fail_in_scope(void *arg)
{
    verd_bundle *inner = verd_bundle_new();
    verd_bundle_spawn(inner, stay_forever, arg);
    verd_bundle_spawn(inner, fail, number(EDOM));
    int error = verd_bundle_wait(inner) == 0 ? 0 : errno;
    verd_bundle_free(inner);
    return verd_fail(error);
}

Test(bundle, nests)
{
    struct gate gate = {0};
    bundle_of(stay_forever, &gate, 1);
    verd_bundle_spawn(bundle, fail_in_scope, &gate);
    cr_assert(fails(verd_bundle_wait(bundle) == -1, EDOM));
    cr_assert_eq(gate.left, 2);
    verd_bundle_free(bundle);
}

static bool it_has_ended(void)
{
    return verd_bundle_wait(bundle) == 0 && verd_bundle_spawn(bundle, echo, NULL) == 0 &&
           verd_bundle_wait(bundle) == 0 && verd_bundle_free(bundle) == 0;
}

Test(bundle, has_ended_in_the_child_of_a_fork)
{
    struct gate gate = {0};
    bundle_of(stay_forever, &gate, 2);
    let_others_run();
    verd_bundle_spawn(bundle, echo, NULL);
    cr_assert(process_child_finds(it_has_ended));
    verd_bundle_free(bundle);
    cr_assert_eq(gate.left, 2);
}

static void *leave_it_to_the_end(void *arg)
{
    bundle = verd_bundle_new();
    verd_bundle_spawn(bundle, stay_forever, arg);
    verd_bundle_spawn(bundle, stay_forever, arg);
    let_others_run();
    verd_bundle_spawn(bundle, stay_forever, arg);
    return NULL;
}

static size_t refused;

static void *use_from_elsewhere(void *arg)
{
    refused += fails(verd_bundle_spawn(bundle, echo, arg) == -1, EPERM);
    refused += fails(verd_bundle_wait(bundle) == -1, EPERM);
    refused += fails(verd_bundle_free(bundle) == -1, EPERM);
    return NULL;
}

Test(bundle, of_another_os_thread_is_refused)
{
    struct gate gate = {0};
    bundle_of(echo, NULL, 1);
    on_another_os_thread(use_from_elsewhere, NULL);
    cr_assert_eq(refused, 3);
    cr_assert_eq(verd_bundle_free(bundle), 0);
    on_another_os_thread(leave_it_to_the_end, &gate);
    use_from_elsewhere(NULL);
    cr_assert_eq(refused, 6);
    cr_assert_eq(gate.left, 0);
}
