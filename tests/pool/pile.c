/* SPDX-License-Identifier: MIT */
/* A pile collects the results of what it spawned. */
#include <criterion/criterion.h>
#include <errno.h>

#include <verd/pool.h>
#include <verd/time.h>

#include "gate.h"
#include "sched/scheduler.h"

/* A function that waits for its turn to finish: the number of those that finish before it. */
static size_t finished;

static void *finish_in_turn(void *turn)
{
    while (finished != (uintptr_t)turn)
        verd_yield();
    finished++;
    return turn;
}

/* Asserts that the pile's next results are these. */
static void expect(verd_pile *pile, int (*next)(verd_pile *, void **), const size_t *results,
                   size_t n)
{
    for (size_t i = 0; i < n; i++) {
        void *result = NULL;
        cr_assert_eq(next(pile, &result), 1);
        cr_assert_eq(result, number(results[i]));
    }
}

static void expect_end(verd_pile *pile)
{
    void *untouched = pile;
    cr_assert_eq(verd_pile_next(pile, &untouched), 0);
    cr_assert_eq(verd_pile_next_any(pile, &untouched), 0);
    cr_assert_eq(untouched, pile);
}

Test(pile, results_come_in_the_order_of_spawning)
{
    static const size_t turns[] = {3, 1, 4, 0, 2};
    verd_pile *pile = verd_pile_sized(5);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(verd_pile_spawn(pile, finish_in_turn, number(turns[i])), 0);
    expect(pile, verd_pile_next, turns, 5);
    expect_end(pile);
    verd_pile_free(pile);
}

Test(pile, next_any_gives_results_in_the_order_of_finishing)
{
    static const size_t turns[] = {3, 1, 4, 0, 2}, sorted[] = {0, 1, 2, 3, 4};
    verd_pile *pile = verd_pile_sized(5);
    for (int i = 0; i < 5; i++)
        verd_pile_spawn(pile, finish_in_turn, number(turns[i]));
    expect(pile, verd_pile_next_any, sorted, 5);
    expect_end(pile);
    verd_pile_free(pile);
}

Test(pile, next_and_next_any_mix_and_give_each_result_once)
{
    static const size_t turns[] = {3, 1, 4, 0, 2};
    verd_pile *pile = verd_pile_sized(5);
    for (int i = 0; i < 5; i++)
        verd_pile_spawn(pile, finish_in_turn, number(turns[i]));
    expect(pile, verd_pile_next_any, (size_t[]){0}, 1);
    expect(pile, verd_pile_next, (size_t[]){3, 1}, 2);
    expect(pile, verd_pile_next_any, (size_t[]){2, 4}, 2);
    expect_end(pile);
    verd_pile_free(pile);
}

Test(pile, without_jobs_is_at_its_end)
{
    verd_pile *pile = verd_pile_sized(1);
    cr_assert_eq(verd_pile_length(pile), 0);
    expect_end(pile);
    verd_pile_free(pile);
}

Test(pile, can_be_used_again_after_its_end)
{
    verd_pile *pile = verd_pile_sized(2);
    for (size_t round = 1; round <= 3; round++) {
        verd_pile_spawn(pile, echo, number(round));
        expect(pile, verd_pile_next, &round, 1);
        expect_end(pile);
    }
    verd_pile_free(pile);
}

Test(pile, length_counts_the_results_not_yet_taken)
{
    verd_pile *pile = verd_pile_sized(2);
    verd_pile_spawn(pile, echo, NULL);
    verd_pile_spawn(pile, echo, NULL);
    let_others_run();
    cr_assert_eq(verd_pile_length(pile), 2);
    cr_assert_eq(verd_pile_next(pile, NULL), 1);
    cr_assert_eq(verd_pile_length(pile), 1);
    verd_pile_free(pile);
}

Test(pile, next_that_times_out_consumes_nothing)
{
    verd_pile *pile = verd_pile_sized(2);
    struct gate gate = {0};
    verd_pile_spawn(pile, stay, &gate);
    verd_pile_spawn(pile, echo, number(2));
    verd_timeout limit;
    verd_timeout_begin(&limit, VERD_MS);
    cr_assert_eq(verd_pile_next(pile, NULL), -1);
    cr_assert_eq(errno, ETIMEDOUT);
    cr_assert(verd_timeout_end(&limit));
    gate.open = true;
    void *result = NULL;
    cr_assert_eq(verd_pile_next(pile, &result), 1);
    cr_assert_eq(result, &gate);
    expect(pile, verd_pile_next, (size_t[]){2}, 1);
    expect_end(pile);
    verd_pile_free(pile);
}

Test(pile, next_in_a_killed_thread_consumes_nothing_even_of_what_is_there)
{
    verd_pile *pile = verd_pile_sized(1);
    verd_pile_spawn(pile, echo, NULL);
    let_others_run();
    verd_kill(verd_self());
    cr_assert(fails(verd_pile_next(pile, NULL) == -1, ECANCELED));
    cr_assert_eq(verd_pile_length(pile), 1);
    verd_pile_free(pile);
}

/* A consumer on a thread of its own: what its one call gave. */
struct consumer {
    verd_pile *pile;
    int (*next)(verd_pile *, void **);
    int got, error;
    void *result;
    bool back;
};

static void *consume_one(void *arg)
{
    struct consumer *consumer = arg;
    consumer->got = consumer->next(consumer->pile, &consumer->result);
    consumer->error = errno;
    consumer->back = true;
    return NULL;
}

static verd_thread *consume(struct consumer *consumer, verd_pile *pile)
{
    *consumer = (struct consumer){.pile = pile, .next = verd_pile_next};
    verd_thread *thread = verd_spawn(consume_one, consumer);
    let_others_run();
    return thread;
}

Test(pile, refuses_a_second_consumer)
{
    verd_pile *pile = verd_pile_sized(1);
    struct gate gate = {0};
    struct consumer first;
    verd_pile_spawn(pile, stay, &gate);
    consume(&first, pile);
    cr_assert(fails(verd_pile_next(pile, NULL) == -1, EBUSY));
    cr_assert(fails(verd_pile_next_any(pile, NULL) == -1, EBUSY));
    gate.open = true;
    let_others_run();
    cr_assert_eq(first.got, 1);
    cr_assert_eq(first.result, &gate);
    expect_end(pile);
    verd_pile_free(pile);
}

Test(pile, a_consumer_killed_after_its_result_came_still_gets_it)
{
    verd_pile *pile = verd_pile_sized(1);
    struct gate gate = {0};
    struct consumer consumer;
    verd_pile_spawn(pile, stay, &gate);
    verd_thread *thread = consume(&consumer, pile);
    gate.open = true;
    while (gate.left == 0)
        verd_yield(); /* comes back before the consumer, which was woken after it */
    cr_assert_not(consumer.back);
    verd_kill(thread);
    verd_join(thread, NULL);
    cr_assert_eq(consumer.got, 1);
    verd_pile_free(pile);
}

Test(pile, a_killed_consumer_leaves_the_pile_to_others)
{
    verd_pile *pile = verd_pile_sized(1);
    struct gate gate = {0};
    struct consumer consumer;
    verd_pile_spawn(pile, stay, &gate);
    verd_thread *thread = consume(&consumer, pile);
    verd_kill(thread);
    verd_join(thread, NULL);
    cr_assert_eq(consumer.error, ECANCELED);
    gate.open = true;
    cr_assert_eq(verd_pile_next(pile, NULL), 1);
    expect_end(pile);
    verd_pile_free(pile);
}

Test(pile, freed_with_jobs_running_lets_them_finish)
{
    verd_pool *pool = verd_pool_new(2);
    verd_pile *pile = verd_pile_new(pool);
    struct gate gate = {0};
    verd_pile_spawn(pile, stay, &gate);
    verd_pile_spawn(pile, stay, &gate);
    let_others_run();
    verd_pile_free(pile);
    gate.open = true;
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    cr_assert_eq(gate.left, 2);
    cr_assert_eq(verd_pool_free(pool), 0);
}

Test(pile, freed_with_a_pool_of_its_own_lets_its_jobs_finish)
{
    verd_pile *pile = verd_pile_sized(2);
    struct gate gate = {0};
    verd_pile_spawn(pile, stay, &gate);
    let_others_run();
    verd_pile_free(pile);
    gate.open = true;
    let_others_run();
    cr_assert_eq(gate.left, 1);
}

Test(pile, freed_while_someone_waits_for_it_tells_them)
{
    verd_pile *pile = verd_pile_sized(1);
    struct gate gate = {0};
    struct consumer consumer;
    verd_pile_spawn(pile, stay, &gate);
    consume(&consumer, pile);
    verd_pile_free(pile);
    let_others_run();
    cr_assert(consumer.back);
    cr_assert_eq(consumer.got, -1);
    cr_assert_eq(consumer.error, EINVAL);
    gate.open = true;
    let_others_run();
}

Test(pile, freed_as_a_waiting_consumer_was_woken_tells_them)
{
    verd_pile *pile = verd_pile_sized(1);
    struct gate gate = {0};
    struct consumer consumer;
    verd_pile_spawn(pile, stay, &gate);
    verd_thread *thread = consume(&consumer, pile);
    gate.open = true;
    while (gate.left == 0)
        verd_yield(); /* comes back before the consumer, which was woken after it */
    cr_assert_not(consumer.back);
    verd_pile_free(pile);
    cr_assert_eq(verd_join(thread, NULL), 0);
    cr_assert_eq(consumer.error, EINVAL);
}

/* Gives way in its call, as it does once in a while. */
static void *consume_one_and_give_way(void *consumer)
{
    verd__current->budget = 1;
    return consume_one(consumer);
}

Test(pile, freed_while_a_consumer_gives_way_has_given_it_its_result)
{
    verd_pile *pile = verd_pile_sized(1);
    struct consumer consumer = {.pile = pile, .next = verd_pile_next};
    verd_pile_spawn(pile, echo, number(7));
    let_others_run();
    verd_thread *thread = verd_spawn(consume_one_and_give_way, &consumer);
    verd_yield();
    cr_assert_not(consumer.back);
    verd_pile_free(pile);
    verd_join(thread, NULL);
    cr_assert_eq(consumer.got, 1);
    cr_assert_eq(consumer.result, number(7));
}

/* A spawner on a thread of its own, that may be blocked in the pile's pool. */
struct spawner {
    verd_pile *pile;
    struct gate *gate;
    int got, error;
};

static void *spawn_one(void *arg)
{
    struct spawner *spawner = arg;
    spawner->got = verd_pile_spawn(spawner->pile, stay, spawner->gate);
    spawner->error = errno;
    return NULL;
}

Test(pile, freed_while_a_spawner_waits_still_runs_its_function)
{
    verd_pile *pile = verd_pile_sized(1);
    struct gate gate = {0};
    struct spawner spawner = {.pile = pile, .gate = &gate, .got = -2};
    verd_pile_spawn(pile, stay, &gate);
    verd_thread *thread = verd_spawn(spawn_one, &spawner);
    let_others_run();
    verd_pile_free(pile);
    gate.open = true;
    verd_join(thread, NULL);
    let_others_run();
    cr_assert_eq(spawner.got, 0);
    cr_assert_eq(gate.left, 2);
}

static void *spawn_one_and_give_way(void *spawner)
{
    verd__current->budget = 1;
    return spawn_one(spawner);
}

Test(pile, freed_while_a_spawner_gives_way_still_runs_its_function)
{
    verd_pile *pile = verd_pile_sized(1);
    struct gate gate = {.open = true};
    struct spawner spawner = {.pile = pile, .gate = &gate, .got = -2};
    verd_thread *thread = verd_spawn(spawn_one_and_give_way, &spawner);
    verd_yield();
    cr_assert_eq(spawner.got, -2);
    verd_pile_free(pile);
    verd_join(thread, NULL);
    let_others_run();
    cr_assert_eq(spawner.got, 0);
    cr_assert_eq(gate.left, 1);
}

Test(pile, a_killed_spawner_leaves_no_job_behind)
{
    verd_pile *pile = verd_pile_sized(1);
    struct gate gate = {0};
    struct spawner spawner = {.pile = pile, .gate = &gate};
    verd_pile_spawn(pile, stay, &gate);
    verd_thread *thread = verd_spawn(spawn_one, &spawner);
    let_others_run();
    cr_assert_eq(verd_pile_length(pile), 2);
    verd_kill(thread);
    verd_join(thread, NULL);
    cr_assert_eq(spawner.error, ECANCELED);
    cr_assert_eq(verd_pile_length(pile), 1);
    gate.open = true;
    cr_assert_eq(verd_pile_next(pile, NULL), 1);
    expect_end(pile);
    verd_pile_free(pile);
}

Test(pile, a_consumer_sees_the_end_when_the_last_spawner_gives_up)
{
    verd_pool *pool = verd_pool_new(0);
    verd_pile *pile = verd_pile_new(pool);
    struct gate gate = {0};
    struct spawner spawner = {.pile = pile, .gate = &gate};
    struct consumer consumer;
    verd_thread *thread = verd_spawn(spawn_one, &spawner);
    let_others_run();
    consume(&consumer, pile);
    cr_assert_not(consumer.back);
    verd_kill(thread);
    let_others_run();
    cr_assert(consumer.back);
    cr_assert_eq(consumer.got, 0);
    verd_pile_free(pile);
    finish(pool, NULL);
}

/* Two requests share a pool of two: each spawns its jobs and collects its own results, in order. */
struct request {
    verd_pool *pool;
    size_t base;
    size_t right; /* results that came as they should */
};

static void serve(void *arg)
{
    struct request *request = arg;
    verd_pile *pile = verd_pile_new(request->pool);
    void *result;
    for (size_t i = 0; i < 100; i++) {
        verd_pile_spawn(pile, i % 3 == 0 ? echo_later : echo, number(request->base + i));
        if (i % 7 == 0)
            verd_yield();
    }
    for (size_t i = 0; verd_pile_next(pile, &result) == 1; i++)
        request->right += result == number(request->base + i);
    verd_pile_free(pile);
}

Test(pile, two_on_one_pool_with_interleaved_spawners_get_their_own_results)
{
    verd_pool *pool = verd_pool_new(2);
    struct request first = {.pool = pool, .base = 1000}, second = {.pool = pool, .base = 2000};
    verd_spawn_n(serve, &first);
    verd_spawn_n(serve, &second);
    while (first.right + second.right < 200)
        verd_yield();
    cr_assert_eq(first.right, 100);
    cr_assert_eq(second.right, 100);
    finish(pool, NULL);
}

Test(pile, of_a_member_keeps_the_order_of_jobs_run_in_place)
{
    verd_pool *pool = verd_pool_new(1);
    struct request request = {.pool = pool, .base = 5};
    verd_pool_spawn_n(pool, serve, &request);
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    cr_assert_eq(request.right, 100);
    finish(pool, NULL);
}

Test(pile, nonsense_is_refused)
{
    verd_pile *pile = verd_pile_sized(1);
    verd_pile_free(NULL);
    cr_expect(fails(verd_pile_new(NULL) == NULL, EINVAL));
    cr_expect(fails(verd_pile_sized(0) == NULL, EINVAL));
    cr_expect(fails(verd_pile_spawn(NULL, echo, NULL) == -1, EINVAL));
    cr_expect(fails(verd_pile_spawn(pile, NULL, NULL) == -1, EINVAL));
    cr_expect(fails(verd_pile_next(NULL, NULL) == -1, EINVAL));
    cr_expect(fails(verd_pile_next_any(NULL, NULL) == -1, EINVAL));
    cr_assert_eq(verd_pile_length(pile), 0);
    cr_assert_eq(verd_pile_length(NULL), 0);
    verd_pile_free(pile);
}

static size_t refused;

static void *use_from_elsewhere(void *arg)
{
    verd_pile *pile = arg;
    refused += fails(verd_pile_spawn(pile, echo, NULL) == -1, EPERM);
    refused += fails(verd_pile_next(pile, NULL) == -1, EPERM);
    refused += fails(verd_pile_next_any(pile, NULL) == -1, EPERM);
    verd_pile_free(pile);
    return NULL;
}

Test(pile, of_another_os_thread_is_refused)
{
    verd_pile *pile = verd_pile_sized(1);
    on_another_os_thread(use_from_elsewhere, pile);
    cr_assert_eq(refused, 3);
    cr_assert_eq(verd_pile_spawn(pile, echo, number(1)), 0);
    expect(pile, verd_pile_next, (size_t[]){1}, 1);
    verd_pile_free(pile);
}
