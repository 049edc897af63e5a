/* SPDX-License-Identifier: MIT */
/* An imap maps a function over a source: in order, and only so far ahead. */
#include <criterion/criterion.h>
#include <errno.h>

#include <verd/pool.h>
#include <verd/time.h>

#include "gate.h"
#include "sched/scheduler.h"
#include "process.h"

/* A source of 1, 2, 3, ... up to `end`, which then ends or fails; and how far it was read. */
struct counter {
    size_t end, read;
    int error; /* 0: it just ends */
};

static int count(void *state, void **item)
{
    struct counter *counter = state;
    if (counter->read < counter->end) {
        *item = number(++counter->read);
        return 1;
    }
    errno = counter->error;
    return counter->error != 0 ? -1 : 0;
}

/* Its results come in another order than they are asked for. */
static void *twice(void *item)
{
    size_t n = (uintptr_t)item;
    for (size_t i = 0; i < n % 5; i++)
        verd_yield();
    return number(2 * n);
}

/* Asserts that results 2 * first .. 2 * last come. */
static void expect(verd_imap *it, size_t first, size_t last)
{
    for (size_t n = first; n <= last; n++) {
        void *result = NULL;
        cr_assert_eq(verd_imap_next(it, &result), 1);
        cr_assert_eq(result, number(2 * n));
    }
}

static void map_with(size_t size)
{
    verd_pool *pool = verd_pool_new(size);
    struct counter counter = {.end = 1000};
    verd_imap *it = verd_pool_imap(pool, twice, count, &counter);
    expect(it, 1, 1000);
    cr_assert_eq(verd_imap_next(it, NULL), 0);
    cr_assert_eq(verd_imap_next(it, NULL), 0);
    verd_imap_free(it);
    cr_assert_eq(verd_pool_free(pool), 0);
}

Test(imap, results_come_in_the_order_of_the_source)
{
    map_with(4);
}

Test(imap, works_with_a_pool_of_one)
{
    map_with(1);
}

Test(imap, works_with_a_pool_of_500)
{
    map_with(500);
}

Test(imap, starts_before_it_is_asked)
{
    verd_pool *pool = verd_pool_new(3);
    struct counter counter = {.end = 2};
    verd_imap *it = verd_pool_imap(pool, twice, count, &counter);
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    cr_assert_eq(counter.read, 2);
    expect(it, 1, 2);
    verd_imap_free(it);
    finish(pool, NULL);
}

Test(imap, takes_its_slots_from_the_pool)
{
    verd_pool *pool = verd_pool_new(3);
    struct gate gate = {0};
    void *items[] = {&gate, &gate, &gate, &gate};
    verd_pool_spawn_n(pool, stay_n, &gate);
    verd_imap *it = verd_pool_imap_array(pool, stay, items, 4);
    let_others_run();
    cr_assert_eq(gate.inside, 3);
    cr_assert_eq(verd_pool_running(pool), 3);
    cr_assert_eq(verd_pool_waiting(pool), 1);
    verd_imap_free(it);
    finish(pool, &gate);
}

Test(imap, is_never_more_than_size_and_one_items_ahead)
{
    bool is_slow = UNDER_SANITIZER || process_is_emulated() || process_is_carried();
    size_t items = is_slow ? 20000 : 1000000;
    verd_pool *pool = verd_pool_new(4);
    struct counter counter = {.end = items};
    verd_imap *it = verd_pool_imap(pool, echo, count, &counter);
    size_t taken = 0, most = 0;
    while (verd_imap_next(it, NULL) == 1) {
        if (counter.read - taken > most)
            most = counter.read - taken;
        taken++;
        if (taken % 3 == 0)
            verd_yield();
        if (counter.read - taken > most)
            most = counter.read - taken;
    }
    cr_assert_eq(taken, items);
    cr_assert_eq(most, 5);
    verd_imap_free(it);
    cr_assert_eq(verd_pool_free(pool), 0);
}

Test(imap, that_nobody_consumes_stops_size_and_one_items_ahead)
{
    verd_pool *pool = verd_pool_new(4);
    struct counter counter = {.end = 100};
    verd_imap *it = verd_pool_imap(pool, echo, count, &counter);
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    cr_assert_eq(counter.read, 5);
    verd_imap_free(it);
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    cr_assert_eq(counter.read, 5);
    cr_assert_eq(verd_pool_free(pool), 0);
}

Test(imap, goes_further_ahead_when_the_pool_is_resized)
{
    verd_pool *pool = verd_pool_new(1);
    struct counter counter = {.end = 100};
    verd_imap *it = verd_pool_imap(pool, echo, count, &counter);
    verd_pool_wait_all(pool);
    cr_assert_eq(counter.read, 2);
    verd_pool_resize(pool, 9);
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    cr_assert_eq(counter.read, 10);
    verd_imap_free(it);
    finish(pool, NULL);
}

Test(imap, waits_in_a_pool_of_size_zero_for_a_resize)
{
    verd_pool *pool = verd_pool_new(0);
    struct counter counter = {.end = 100};
    verd_imap *it = verd_pool_imap(pool, twice, count, &counter);
    let_others_run();
    cr_assert_eq(counter.read, 1);
    verd_pool_resize(pool, 2);
    expect(it, 1, 100);
    cr_assert_eq(verd_imap_next(it, NULL), 0);
    verd_imap_free(it);
    finish(pool, NULL);
}

Test(imap, passes_an_error_of_the_source_on_after_the_results_before_it)
{
    verd_pool *pool = verd_pool_new(4);
    struct counter counter = {.end = 50, .error = EILSEQ};
    verd_imap *it = verd_pool_imap(pool, twice, count, &counter);
    expect(it, 1, 50);
    cr_assert(fails(verd_imap_next(it, NULL) == -1, EILSEQ));
    cr_assert_eq(verd_imap_next(it, NULL), 0);
    cr_assert_eq(verd_imap_next(it, NULL), 0);
    verd_imap_free(it);
    cr_assert_eq(verd_pool_free(pool), 0);
}

Test(imap, of_an_empty_source_is_at_its_end)
{
    verd_pool *pool = verd_pool_new(4);
    struct counter counter = {0};
    verd_imap *it = verd_pool_imap(pool, twice, count, &counter);
    cr_assert_eq(verd_imap_next(it, NULL), 0);
    verd_imap_free(it);
    cr_assert_eq(verd_pool_free(pool), 0);
}

Test(imap, maps_over_an_array)
{
    void *items[] = {number(1), number(2), number(3)};
    verd_pool *pool = verd_pool_new(2);
    verd_imap *it = verd_pool_imap_array(pool, twice, items, 3);
    expect(it, 1, 3);
    cr_assert_eq(verd_imap_next(it, NULL), 0);
    verd_imap_free(it);
    cr_assert_eq(verd_pool_free(pool), 0);
}

static int count_slowly(void *state, void **item)
{
    return verd_sleep(VERD_MS) == 0 ? count(state, item) : -1;
}

Test(imap, reads_a_source_that_blocks)
{
    verd_pool *pool = verd_pool_new(2);
    struct counter counter = {.end = 5};
    verd_imap *it = verd_pool_imap(pool, twice, count_slowly, &counter);
    expect(it, 1, 5);
    cr_assert_eq(verd_imap_next(it, NULL), 0);
    verd_imap_free(it);
    cr_assert_eq(verd_pool_free(pool), 0);
}

Test(imap, next_that_times_out_loses_nothing)
{
    verd_pool *pool = verd_pool_new(1);
    struct gate gate = {0};
    void *items[] = {&gate, &gate};
    verd_imap *it = verd_pool_imap_array(pool, stay, items, 2);
    verd_timeout limit;
    verd_timeout_begin(&limit, VERD_MS);
    cr_assert(fails(verd_imap_next(it, NULL) == -1, ETIMEDOUT));
    cr_assert(verd_timeout_end(&limit));
    gate.open = true;
    cr_assert_eq(verd_imap_next(it, NULL), 1);
    cr_assert_eq(verd_imap_next(it, NULL), 1);
    cr_assert_eq(verd_imap_next(it, NULL), 0);
    verd_imap_free(it);
    finish(pool, &gate);
}

Test(imap, freed_early_kills_what_runs)
{
    verd_pool *pool = verd_pool_new(3);
    struct gate gate = {0};
    void *items[] = {&gate, &gate, &gate, &gate, &gate, &gate};
    verd_imap *it = verd_pool_imap_array(pool, stay_forever, items, 6);
    let_others_run();
    cr_assert_eq(gate.inside, 3);
    verd_imap_free(it);
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    cr_assert_eq(gate.left, 3);
    cr_assert_eq(gate.most, 3);
    cr_assert_eq(verd_pool_free(pool), 0);
}

Test(imap, freed_before_it_started_reads_nothing)
{
    verd_pool *pool = verd_pool_new(3);
    struct counter counter = {.end = 10};
    verd_imap_free(verd_pool_imap(pool, twice, count, &counter));
    cr_assert_eq(verd_pool_free(pool), 0);
    let_others_run();
    cr_assert_eq(counter.read, 0);
}

Test(imap, freed_as_its_next_item_was_given_a_slot_does_not_start_it)
{
    verd_pool *pool = verd_pool_new(0);
    struct gate gate = {.open = true};
    void *items[] = {&gate};
    verd_imap *it = verd_pool_imap_array(pool, stay, items, 1);
    let_others_run();
    verd_pool_resize(pool, 1);
    verd_imap_free(it);
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    cr_assert_eq(gate.most, 0);
    cr_assert_eq(verd_pool_free(pool), 0);
}

/* A source that does not heed that it was killed. */
static int stay_in_source(void *state, void **item)
{
    *item = stay(state);
    return 1;
}

Test(imap, freed_inside_its_source_drops_the_item_and_wait_all_waits_for_it)
{
    verd_pool *pool = verd_pool_new(1);
    struct gate gate = {0};
    verd_imap *it = verd_pool_imap(pool, twice, stay_in_source, &gate);
    let_others_run();
    cr_assert_eq(gate.inside, 1);
    verd_imap_free(it);
    cr_assert(fails(verd_pool_free(pool) == -1, EBUSY));
    verd_spawn_n(open_later, &gate);
    cr_assert_eq(verd_pool_wait_all(pool), 0);
    cr_assert_eq(gate.left, 1);
    cr_assert_eq(verd_pool_free(pool), 0);
}

static verd_pool *pool_of_source;

static int wait_all_in_source(void *state, void **item)
{
    (void)state, (void)item;
    return verd_pool_wait_all(pool_of_source);
}

Test(imap, wait_all_in_its_source_is_a_deadlock)
{
    pool_of_source = verd_pool_new(1);
    verd_imap *it = verd_pool_imap(pool_of_source, twice, wait_all_in_source, NULL);
    cr_assert(fails(verd_imap_next(it, NULL) == -1, EDEADLK));
    verd_imap_free(it);
    finish(pool_of_source, NULL);
}

struct consumer {
    verd_imap *it;
    int got, error;
};

static void consume_one(void *arg)
{
    struct consumer *consumer = arg;
    consumer->got = verd_imap_next(consumer->it, NULL);
    consumer->error = errno;
}

Test(imap, refuses_a_second_consumer)
{
    verd_pool *pool = verd_pool_new(1);
    struct gate gate = {0};
    void *items[] = {&gate};
    struct consumer first = {.it = verd_pool_imap_array(pool, stay, items, 1)};
    verd_spawn_n(consume_one, &first);
    let_others_run();
    cr_assert(fails(verd_imap_next(first.it, NULL) == -1, EBUSY));
    gate.open = true;
    let_others_run();
    cr_assert_eq(first.got, 1);
    verd_imap_free(first.it);
    finish(pool, &gate);
}

Test(imap, freed_while_someone_waits_for_it_tells_them)
{
    verd_pool *pool = verd_pool_new(1);
    struct gate gate = {0};
    void *items[] = {&gate};
    struct consumer consumer = {.it = verd_pool_imap_array(pool, stay_forever, items, 1)};
    verd_spawn_n(consume_one, &consumer);
    let_others_run();
    verd_imap_free(consumer.it);
    let_others_run();
    cr_assert_eq(consumer.got, -1);
    cr_assert_eq(consumer.error, EINVAL);
    cr_assert_eq(verd_pool_free(pool), 0);
}

/* Gives way in its call, as it does once in a while. */
static void consume_one_and_give_way(void *consumer)
{
    verd__current->budget = 1;
    consume_one(consumer);
}

Test(imap, freed_while_a_consumer_gives_way_has_given_it_its_result)
{
    verd_pool *pool = verd_pool_new(1);
    void *items[] = {number(7)};
    struct consumer consumer = {.it = verd_pool_imap_array(pool, echo, items, 1), .got = -2};
    let_others_run();
    verd_spawn_n(consume_one_and_give_way, &consumer);
    verd_yield();
    cr_assert_eq(consumer.got, -2);
    verd_imap_free(consumer.it);
    let_others_run();
    cr_assert_eq(consumer.got, 1);
    cr_assert_eq(verd_pool_free(pool), 0);
}

Test(imap, nonsense_is_refused)
{
    verd_pool *pool = verd_pool_new(1);
    verd_imap_free(NULL);
    cr_expect(fails(verd_pool_imap(NULL, twice, count, NULL) == NULL, EINVAL));
    cr_expect(fails(verd_pool_imap(pool, NULL, count, NULL) == NULL, EINVAL));
    cr_expect(fails(verd_pool_imap(pool, twice, NULL, NULL) == NULL, EINVAL));
    cr_expect(fails(verd_pool_imap_array(pool, twice, NULL, 1) == NULL, EINVAL));
    cr_expect(fails(verd_imap_next(NULL, NULL) == -1, EINVAL));
    cr_assert_eq(verd_pool_free(pool), 0);
}

static size_t refused;

static void *use_from_elsewhere(void *it)
{
    refused += fails(verd_imap_next(it, NULL) == -1, EPERM);
    verd_imap_free(it);
    return NULL;
}

Test(imap, of_another_os_thread_is_refused)
{
    verd_pool *pool = verd_pool_new(1);
    struct counter counter = {.end = 3};
    verd_imap *it = verd_pool_imap(pool, twice, count, &counter);
    on_another_os_thread(use_from_elsewhere, it);
    cr_assert_eq(refused, 1);
    expect(it, 1, 3);
    verd_imap_free(it);
    finish(pool, NULL);
}
