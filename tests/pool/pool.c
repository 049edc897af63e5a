/* SPDX-License-Identifier: MIT */
/* A pool bounds how many run, and keeps who waits in line. */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>

#include <verd/pool.h>
#include <verd/time.h>

#include "gate.h"

/* One that wants into the pool: what it got. */
struct spawner {
    verd_pool *pool;
    struct gate *gate;
    verd_thread *thread; /* of the spawner itself */
    verd_thread *spawned;
    int error;
    size_t turn; /* in which order it got in; from 1 */
};

static size_t turns;

static void *spawn_one(void *arg)
{
    struct spawner *spawner = arg;
    spawner->spawned = verd_pool_spawn(spawner->pool, stay, spawner->gate);
    if (spawner->spawned == NULL)
        spawner->error = errno;
    else
        spawner->turn = ++turns;
    verd_release(spawner->spawned);
    return NULL;
}

static struct spawner *start(struct spawner *spawner, verd_pool *pool, struct gate *gate)
{
    *spawner = (struct spawner){.pool = pool, .gate = gate};
    spawner->thread = verd_spawn(spawn_one, spawner);
    let_others_run();
    return spawner;
}

Test(pool, runs_a_function_and_gives_its_result)
{
    verd_pool *pool = verd_pool_new(1);
    void *result = NULL;
    cr_assert_eq(verd_join(verd_pool_spawn(pool, echo, number(7)), &result), 0);
    cr_assert_eq(result, number(7));
    cr_assert_eq(verd_pool_free(pool), 0);
}

static struct {
    size_t inside, most, left;
} crowd;

static void pass_through(void *arg)
{
    (void)arg;
    if (++crowd.inside > crowd.most)
        crowd.most = crowd.inside;
    verd_yield();
    crowd.inside--;
    crowd.left++;
}

Test(pool, runs_ten_thousand_functions_seven_at_a_time)
{
    verd_pool *pool = verd_pool_new(7);
    for (int i = 0; i < 10000; i++)
        cr_assert_eq(verd_pool_spawn_n(pool, pass_through, NULL), 0);
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    cr_assert_eq(crowd.left, 10000);
    cr_assert_eq(crowd.most, 7);
    finish(pool, NULL);
}

Test(pool, wait_all_returns_at_once_when_nobody_runs)
{
    verd_pool *pool = verd_pool_new(1);
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    finish(pool, NULL);
}

Test(pool, wait_all_returns_when_a_spawner_was_blocked_as_it_began)
{
    verd_pool *pool = verd_pool_new(1);
    struct gate gate = {0};
    struct spawner spawner;
    cr_assert_eq(verd_pool_spawn_n(pool, stay_n, &gate), 0);
    start(&spawner, pool, &gate);
    cr_assert_eq(verd_pool_waiting(pool), 1);
    verd_spawn_n(open_later, &gate);
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    cr_assert_eq(gate.left, 2);
    finish(pool, &gate);
}

static void kill_thread(void *thread)
{
    verd_kill(thread);
}

Test(pool, wait_all_returns_when_the_last_blocked_spawner_gives_up)
{
    verd_pool *pool = verd_pool_new(0);
    struct gate gate = {0};
    struct spawner spawner;
    start(&spawner, pool, &gate);
    verd_spawn_n(kill_thread, spawner.thread); /* runs once this thread waits */
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    finish(pool, &gate);
}

static size_t wait_alls;

static void wait_all(void *pool)
{
    if (verd_pool_wait_all(pool) == 0)
        wait_alls++;
}

Test(pool, wait_all_wakes_all_that_wait_for_it)
{
    verd_pool *pool = verd_pool_new(1);
    struct gate gate = {0};
    verd_pool_spawn_n(pool, stay_n, &gate);
    for (int i = 0; i < 3; i++)
        verd_spawn_n(wait_all, pool);
    let_others_run();
    cr_assert_eq(wait_alls, 0);
    gate.open = true;
    let_others_run();
    cr_assert_eq(wait_alls, 3);
    finish(pool, &gate);
}

Test(pool, wait_all_that_times_out_can_be_called_again)
{
    verd_pool *pool = verd_pool_new(1);
    struct gate gate = {0};
    verd_pool_spawn_n(pool, stay_n, &gate);
    verd_timeout limit;
    verd_timeout_begin(&limit, VERD_MS);
    cr_assert_eq(verd_pool_wait_all(pool), -1);
    cr_assert_eq(errno, ETIMEDOUT);
    cr_assert(verd_timeout_end(&limit));
    gate.open = true;
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    finish(pool, &gate);
}

static int error_of_wait_all(verd_pool *pool)
{
    return verd_pool_wait_all(pool) == 0 ? 0 : errno;
}

static void *note_wait_all(void *pool)
{
    return number((size_t)error_of_wait_all(pool));
}

Test(pool, wait_all_by_a_member_is_a_deadlock)
{
    verd_pool *pool = verd_pool_new(1);
    void *error = NULL;
    verd_join(verd_pool_spawn(pool, note_wait_all, pool), &error);
    cr_assert_eq(error, number(EDEADLK));
    finish(pool, NULL);
}

Test(pool, a_raised_size_wakes_as_many_blocked_spawners)
{
    verd_pool *pool = verd_pool_new(0);
    struct gate gate = {0};
    struct spawner spawners[3];
    for (int i = 0; i < 3; i++)
        start(&spawners[i], pool, &gate);
    cr_assert_eq(verd_pool_waiting(pool), 3);
    cr_assert_eq(verd_pool_resize(pool, 2), 0);
    let_others_run();
    cr_assert_eq(gate.inside, 2);
    cr_assert_eq(verd_pool_waiting(pool), 1);
    cr_assert_eq(verd_pool_available(pool), 0);
    finish(pool, &gate);
}

Test(pool, a_killed_spawner_leaks_no_slot)
{
    verd_pool *pool = verd_pool_new(1);
    struct gate gate = {0};
    struct spawner spawner;
    verd_pool_spawn_n(pool, stay_n, &gate);
    start(&spawner, pool, &gate);
    verd_kill(spawner.thread);
    let_others_run();
    cr_assert_eq(spawner.error, ECANCELED);
    cr_assert_eq(verd_pool_waiting(pool), 0);
    gate.open = true;
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    cr_assert_eq(gate.left, 1);
    cr_assert_eq(verd_pool_available(pool), 1);
    finish(pool, &gate);
}

Test(pool, a_spawner_that_times_out_leaks_no_slot)
{
    verd_pool *pool = verd_pool_new(1);
    struct gate gate = {0};
    verd_pool_spawn_n(pool, stay_n, &gate);
    verd_timeout limit;
    verd_timeout_begin(&limit, VERD_MS);
    cr_assert_eq(verd_pool_spawn_n(pool, stay_n, &gate), -1);
    cr_assert_eq(errno, ETIMEDOUT);
    cr_assert(verd_timeout_end(&limit));
    cr_assert_eq(verd_pool_waiting(pool), 0);
    gate.open = true;
    cr_assert_eq(verd_pool_spawn_n(pool, stay_n, &gate), 0);
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    cr_assert_eq(verd_pool_available(pool), 1);
    finish(pool, &gate);
}

Test(pool, a_spawner_killed_after_it_was_handed_a_slot_leaks_none)
{
    verd_pool *pool = verd_pool_new(0);
    struct gate gate = {.open = true};
    struct spawner spawner;
    start(&spawner, pool, &gate);
    verd_pool_resize(pool, 1);
    cr_assert_eq(verd_pool_running(pool), 1);
    verd_kill(spawner.thread);
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    cr_assert_eq(gate.left, 1);
    cr_assert_eq(verd_pool_available(pool), 1);
    finish(pool, &gate);
}

Test(pool, a_member_killed_before_it_started_leaves_its_slot_to_the_next_in_line)
{
    verd_pool *pool = verd_pool_new(0);
    struct gate gate = {.open = true};
    struct spawner spawner;
    start(&spawner, pool, &gate);
    verd_pool_resize(pool, 1);
    let_others_run(); /* the spawner's own has come and gone */
    verd_thread *unstarted = verd_pool_spawn(pool, stay, &gate);
    verd_kill(unstarted);
    cr_assert_eq(verd_pool_running(pool), 0);
    cr_assert_eq(verd_join(verd_pool_spawn(pool, stay, &gate), NULL), 0);
    cr_assert_eq(verd_join(unstarted, NULL), -1);
    cr_assert_eq(gate.left, 2);
    finish(pool, &gate);
}

Test(pool, a_cancelled_member_gives_its_slot_back)
{
    verd_pool *pool = verd_pool_new(1);
    verd_thread *unstarted = verd_pool_spawn(pool, echo, NULL);
    cr_assert_eq(verd_cancel(unstarted), 0);
    verd_release(unstarted);
    cr_assert_eq(verd_pool_available(pool), 1);
    cr_assert_eq(verd_pool_free(pool), 0);
}

Test(pool, spawners_get_in_in_the_order_of_calling)
{
    verd_pool *pool = verd_pool_new(1);
    struct gate gate = {0};
    struct spawner spawners[5];
    verd_pool_spawn_n(pool, stay_n, &gate);
    for (int i = 0; i < 5; i++)
        start(&spawners[i], pool, &gate);
    gate.open = true;
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    for (size_t i = 0; i < 5; i++)
        cr_assert_eq(spawners[i].turn, i + 1);
    finish(pool, &gate);
}

static void *spawn_again(void *arg)
{
    struct spawner *spawner = arg;
    verd_wait(spawner->thread, NULL); /* runs right after the member that it waited for has ended */
    spawner->turn = verd_pool_spawn_n(spawner->pool, stay_n, spawner->gate) == 0 ? ++turns : 0;
    return NULL;
}

Test(pool, nobody_gets_in_before_who_waits_in_line)
{
    verd_pool *pool = verd_pool_new(1);
    struct gate gate = {0};
    struct spawner late = {.pool = pool, .gate = &gate}, first;
    late.thread = verd_pool_spawn(pool, stay, &gate);
    verd_thread *barger = verd_spawn(spawn_again, &late);
    start(&first, pool, &gate);
    gate.open = true;
    verd_join(barger, NULL);
    cr_assert_eq(first.turn, 1);
    cr_assert_eq(late.turn, 2);
    finish(pool, &gate);
}

Test(pool, after_a_shrink_slots_are_missing_and_what_runs_finishes)
{
    verd_pool *pool = verd_pool_new(3);
    struct gate gate = {0};
    for (int i = 0; i < 3; i++)
        verd_pool_spawn_n(pool, stay_n, &gate);
    let_others_run();
    cr_assert_eq(verd_pool_resize(pool, 1), 0);
    cr_assert_eq(verd_pool_available(pool), -2);
    cr_assert_eq(verd_pool_size(pool), 1);
    gate.open = true;
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    cr_assert_eq(gate.left, 3);
    cr_assert_eq(verd_pool_available(pool), 1);
    finish(pool, &gate);
}

static void *park(void *arg)
{
    verd_park();
    return arg;
}

Test(pool, a_slot_above_the_size_is_not_handed_on)
{
    verd_pool *pool = verd_pool_new(2);
    struct gate gate = {.open = true};
    struct spawner spawner;
    verd_thread *first = verd_pool_spawn(pool, park, NULL);
    verd_thread *second = verd_pool_spawn(pool, park, NULL);
    verd_pool_resize(pool, 1);
    start(&spawner, pool, &gate);
    verd_unpark(first);
    let_others_run();
    cr_assert_eq(gate.left, 0);
    cr_assert_eq(verd_pool_running(pool), 1);
    verd_unpark(second);
    let_others_run();
    cr_assert_eq(gate.left, 1);
    finish(pool, &gate);
}

Test(pool, of_size_zero_makes_spawners_wait_until_it_is_resized)
{
    verd_pool *pool = verd_pool_new(0);
    struct gate gate = {.open = true};
    struct spawner spawner;
    start(&spawner, pool, &gate);
    cr_assert_eq(verd_pool_waiting(pool), 1);
    verd_pool_resize(pool, 1);
    let_others_run();
    cr_assert_eq(gate.left, 1);
    finish(pool, &gate);
}

Test(pool, a_killed_caller_gets_no_slot_even_if_there_is_one)
{
    verd_pool *pool = verd_pool_new(1);
    verd_kill(verd_self());
    cr_assert_null(verd_pool_spawn(pool, echo, NULL));
    cr_assert_eq(errno, ECANCELED);
    cr_assert_eq(verd_pool_running(pool), 0);
    cr_assert_eq(verd_pool_free(pool), 0);
}

Test(pool, is_not_freed_while_a_member_runs)
{
    verd_pool *pool = verd_pool_new(1);
    verd_pool_spawn_n(pool, pass_through, NULL);
    cr_assert_eq(verd_pool_free(pool), -1);
    cr_assert_eq(errno, EBUSY);
    verd_pool_wait_all(pool);
    finish(pool, NULL);
}

Test(pool, is_not_freed_while_a_spawner_waits)
{
    verd_pool *pool = verd_pool_new(0);
    struct gate gate = {0};
    struct spawner spawner;
    start(&spawner, pool, &gate);
    cr_assert_eq(verd_pool_free(pool), -1);
    cr_assert_eq(errno, EBUSY);
    verd_pool_resize(pool, 1);
    finish(pool, &gate);
}

Test(pool, is_not_freed_while_a_pile_or_an_imap_uses_it)
{
    verd_pool *pool = verd_pool_new(1);
    verd_pile *pile = verd_pile_new(pool);
    cr_assert_eq(verd_pool_free(pool), -1);
    cr_assert_eq(errno, EBUSY);
    verd_pile_free(pile);
    verd_imap *it = verd_pool_imap_array(pool, echo, NULL, 0);
    let_others_run();
    cr_assert_eq(verd_pool_free(pool), -1);
    cr_assert_eq(errno, EBUSY);
    verd_imap_free(it);
    finish(pool, NULL);
}

Test(pool, nonsense_is_refused)
{
    verd_pool *pool = verd_pool_new(1);
    cr_assert_eq(verd_pool_free(NULL), 0);
    cr_expect(fails(verd_pool_new((size_t)SSIZE_MAX + 1) == NULL, EINVAL));
    cr_expect(fails(verd_pool_spawn(NULL, echo, NULL) == NULL, EINVAL));
    cr_expect(fails(verd_pool_spawn(pool, NULL, NULL) == NULL, EINVAL));
    cr_expect(fails(verd_pool_spawn_n(NULL, stay_n, NULL) == -1, EINVAL));
    cr_expect(fails(verd_pool_spawn_n(pool, NULL, NULL) == -1, EINVAL));
    cr_expect(fails(verd_pool_wait_all(NULL) == -1, EINVAL));
    cr_expect(fails(verd_pool_resize(NULL, 1) == -1, EINVAL));
    cr_expect(fails(verd_pool_resize(pool, (size_t)SSIZE_MAX + 1) == -1, EINVAL));
    cr_assert_eq(verd_pool_available(pool), 1);
    finish(pool, NULL);
}

static size_t refused;

static void *use_from_elsewhere(void *arg)
{
    verd_pool *pool = arg;
    refused += fails(verd_pool_spawn(pool, echo, NULL) == NULL, EPERM);
    refused += fails(verd_pool_spawn_n(pool, stay_n, NULL) == -1, EPERM);
    refused += fails(verd_pool_wait_all(pool) == -1, EPERM);
    refused += fails(verd_pool_resize(pool, 5) == -1, EPERM);
    refused += fails(verd_pool_free(pool) == -1, EPERM);
    refused += fails(verd_pile_new(pool) == NULL, EPERM);
    refused += fails(verd_pool_imap_array(pool, echo, NULL, 0) == NULL, EPERM);
    return NULL;
}

Test(pool, of_another_os_thread_is_refused)
{
    verd_pool *pool = verd_pool_new(1);
    on_another_os_thread(use_from_elsewhere, pool);
    cr_assert_eq(refused, 7);
    cr_assert_eq(verd_pool_size(pool), 1);
    finish(pool, NULL);
}

static void spawn_four(void *pool)
{
    for (int i = 0; i < 4; i++)
        verd_pool_spawn_n(pool, pass_through, NULL);
}

Test(pool, a_member_of_a_full_pool_runs_what_it_spawns_in_place)
{
    verd_pool *pool = verd_pool_new(1);
    verd_pool_spawn_n(pool, spawn_four, pool);
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    cr_assert_eq(crowd.left, 4);
    cr_assert_eq(crowd.most, 1);
    finish(pool, NULL);
}

static void *join_echo(void *pool)
{
    void *result = NULL;
    verd_join(verd_pool_spawn(pool, echo_later, number(9)), &result);
    return result;
}

Test(pool, a_member_of_a_full_pool_spawns_and_waits_without_deadlock)
{
    verd_pool *pool = verd_pool_new(1);
    void *result = NULL;
    cr_assert_eq(verd_join(verd_pool_spawn(pool, join_echo, pool), &result), 0);
    cr_assert_eq(result, number(9));
    finish(pool, NULL);
}

static size_t depth_reached;
static verd_pool *nested_pool;

static void *spawn_deeper(void *left)
{
    depth_reached++;
    if (left != NULL) {
        for (int i = 0; i < 2; i++)
            verd_join(verd_pool_spawn(nested_pool, spawn_deeper, number((uintptr_t)left - 1)),
                      NULL);
    }
    return NULL;
}

Test(pool, spawning_and_waiting_nests)
{
    nested_pool = verd_pool_new(3);
    verd_join(verd_pool_spawn(nested_pool, spawn_deeper, number(7)), NULL);
    cr_assert_eq(depth_reached, 255);
    cr_assert_eq(verd_pool_running(nested_pool), 0);
    finish(nested_pool, NULL);
}
