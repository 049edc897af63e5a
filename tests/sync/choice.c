/* SPDX-License-Identifier: MIT */

/* Which case verd_select takes among several that are possible, and which it never takes. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "caller.h"

#define CASES 16
#define TURNS 20000

static verd_queue *queues[CASES];

static void make_queues(void)
{
    for (int i = 0; i < CASES; i++)
        queues[i] = verd_queue_new(1);
}

static void free_queues(void)
{
    for (int i = 0; i < CASES; i++)
        verd_queue_free(queues[i]);
}

/* A case of queue i that is possible now. */
static verd_case possible(int i, bool put, void **item)
{
    void *rest;
    if (put && verd_queue_length(queues[i]) > 0)
        verd_queue_try_get(queues[i], &rest);
    else if (!put)
        verd_queue_try_put(queues[i], NULL);
    return put ? VERD_PUT(queues[i], NULL) : VERD_GET(queues[i], item);
}

/* How often each of `ready`, numbers of cases ended by -1, is taken; the others have to wait. */
static void expect_even(const int *ready, bool put)
{
    long taken[CASES] = {0};
    void *item;
    int many = 0;
    while (ready[many] >= 0)
        many++;
    make_queues();
    for (int turn = 0; turn < TURNS; turn++) {
        verd_case cases[CASES];
        for (int i = 0; i < CASES; i++)
            cases[i] = VERD_GET(queues[i], &item);
        for (int k = 0; k < many; k++)
            cases[ready[k]] = possible(ready[k], put, &item);
        taken[verd_select(cases, CASES)]++;
        for (int i = 0; put && i < CASES; i++)
            verd_queue_try_get(queues[i], &item);
    }
    for (int k = 0; k < many; k++)
        cr_expect(taken[ready[k]] > TURNS / many * 8 / 10 &&
                      taken[ready[k]] < TURNS / many * 12 / 10,
                  "case %d of %d: %ld of %d times", ready[k], many, taken[ready[k]], TURNS);
    free_queues();
}

static const int sets[][6] = {
    {0, 1, -1}, {0, 15, -1}, {7, 8, -1}, {3, 4, 9, -1}, {0, 1, 2, 3, -1}, {1, 6, 7, 8, 14, -1},
};

Test(select, gives_the_share_of_cases_that_have_to_wait_to_all_others_alike)
{
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        expect_even(sets[i], false);
}

Test(select, gives_puts_their_even_share)
{
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        expect_even(sets[i], true);
}

/* ---- by the number that decides all lots ---- */

#define CHOICES 64

struct choices {
    char taken[CHOICES];
};

static void *choose(void *arg)
{
    struct choices *choices = arg;
    void *item;
    make_queues();
    for (int i = 0; i < CHOICES; i++) {
        verd_case cases[4];
        for (int k = 0; k < 4; k++)
            cases[k] = possible(k, false, &item);
        choices->taken[i] = (char)verd_select(cases, 4);
    }
    free_queues();
    return NULL;
}

/* On an OS thread of its own, for which the lots are drawn anew. */
static struct choices choices_with(const char *seed)
{
    struct choices choices = {{0}};
    pthread_t os_thread;
    setenv("VERD_SCHEDULE_SEED", seed, 1);
    pthread_create(&os_thread, NULL, choose, &choices);
    pthread_join(os_thread, NULL);
    unsetenv("VERD_SCHEDULE_SEED");
    return choices;
}

Test(choice, is_the_same_with_the_same_seed)
{
    struct choices one = choices_with("7"), other = choices_with("7");
    cr_assert_arr_eq(one.taken, other.taken, CHOICES);
}

Test(choice, is_another_with_another_seed)
{
    struct choices one = choices_with("7"), other = choices_with("8");
    cr_assert_neq(memcmp(one.taken, other.taken, CHOICES), 0);
}

/* ---- no queue ---- */

static verd_queue *queue;

static int get_beside_none(struct caller *self)
{
    verd_case cases[] = {VERD_GET(NULL, &self->item), VERD_PUT(NULL, self),
                         VERD_GET(queue, &self->item)};
    return verd_select(cases, 3);
}

Test(choice, of_no_queue_is_never_taken)
{
    struct caller caller;
    queue = verd_queue_new(0);
    caller_start(&caller, get_beside_none, NULL, NULL);
    cr_assert_not(caller.done);
    cr_expect_eq(verd_queue_try_put(queue, "item"), 0);
    cr_expect_eq(caller_end(&caller), 2);
    cr_expect_str_eq(caller.item, "item");
}

Test(choice, of_no_queue_leaves_the_default)
{
    void *item;
    verd_case cases[] = {VERD_GET(NULL, &item), VERD_DEFAULT, VERD_PUT(NULL, NULL)};
    cr_assert_eq(caller_outcome(verd_select(cases, 3)), 1);
}

static int get_from_none(struct caller *self)
{
    verd_case one = VERD_GET(NULL, &self->item);
    return verd_select(&one, 1);
}

Test(choice, of_no_queue_alone_waits_for_ever)
{
    cr_expect_eq(caller_within(VERD_MS, get_from_none, NULL, NULL), -ETIMEDOUT);
}

/* ---- nowhere to put what is got ---- */

Test(choice, to_get_without_a_place_for_the_item_is_never_a_put)
{
    verd_case cases[2];
    queue = verd_queue_new(1);
    cases[0] = VERD_GET(queue, NULL);
    cases[1] = VERD_DEFAULT;
    verd_select(cases, 2);
    cr_assert_eq(verd_queue_length(queue), 0);
}

static int get_nowhere(struct caller *self)
{
    verd_case one = VERD_GET(queue, NULL);
    (void)self;
    return verd_select(&one, 1);
}

Test(choice, to_get_without_a_place_for_the_item_stands_in_no_line_of_putters)
{
    struct caller caller;
    queue = verd_queue_new(0);
    caller_start(&caller, get_nowhere, NULL, NULL);
    cr_assert_eq(verd_queue_putting(queue), 0);
}
