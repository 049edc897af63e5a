/* SPDX-License-Identifier: MIT */
/* What an imap makes of what its source does. */
#include <criterion/criterion.h>

#include <verd/pool.h>
#include <verd/time.h>

#include "gate.h"
#include "sched/scheduler.h"

/* A source of 1, 2, 3, ... up to `end`, which then does something else. */
struct source {
    size_t end, read;
    int (*then)(struct source *source, void **item);
};

static int read_next(void *state, void **item)
{
    struct source *source = state;
    if (source->read >= source->end && source->then != NULL)
        return source->then(source, item);
    if (source->read >= source->end)
        return 0;
    *item = number(++source->read);
    return 1;
}

/* ---- its error ---- */

static int fail_without_errno(struct source *source, void **item)
{
    (void)source, (void)item;
    return -1;
}

/* What it did before has left its errno. */
static void *spoil_errno(void *item)
{
    errno = EDOM;
    return item;
}

Test(imap, whose_source_fails_without_a_word_is_EIO)
{
    struct source source = {.end = 3, .then = fail_without_errno};
    verd_pool *pool = verd_pool_new(2);
    verd_imap *it = verd_pool_imap(pool, spoil_errno, read_next, &source);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(verd_imap_next(it, NULL), 1);
    errno = 0;
    cr_assert(fails(verd_imap_next(it, NULL) == -1, EIO));
    cr_assert_eq(verd_imap_next(it, NULL), 0);
    verd_imap_free(it);
    finish(pool, NULL);
}

static int fail_after_a_success(struct source *source, void **item)
{
    (void)source, (void)item;
    errno = EDOM; /* of a call that is over */
    source->then = fail_without_errno;
    *item = number(7);
    return 1;
}

Test(imap, takes_no_errno_of_an_item_before_for_that_of_the_failure)
{
    struct source source = {.then = fail_after_a_success};
    verd_pool *pool = verd_pool_new(2);
    verd_imap *it = verd_pool_imap(pool, echo, read_next, &source);
    cr_assert_eq(verd_imap_next(it, NULL), 1);
    errno = 0;
    cr_assert(fails(verd_imap_next(it, NULL) == -1, EIO));
    verd_imap_free(it);
    finish(pool, NULL);
}

/* ---- its end ---- */

static size_t ran;

static void *count_run(void *item)
{
    ran++;
    return item;
}

static int kill_reader(struct source *source, void **item)
{
    verd_kill(verd_self());
    *item = number(++source->read);
    return 1;
}

Test(imap, whose_reader_is_killed_gives_the_error_of_the_item_in_its_place)
{
    struct source source = {.end = 2, .then = kill_reader};
    verd_pool *pool = verd_pool_new(4);
    verd_imap *it = verd_pool_imap(pool, count_run, read_next, &source);
    cr_assert(verd_imap_next(it, NULL) == 1 && verd_imap_next(it, NULL) == 1);
    errno = 0;
    cr_assert(fails(verd_imap_next(it, NULL) == -1, ECANCELED));
    cr_assert_eq(verd_imap_next(it, NULL), 0);
    cr_assert(ran == 2 && source.read == 3);
    verd_imap_free(it);
    finish(pool, NULL);
}

/* ---- its speed ---- */

static size_t read_in_a_row, most_in_a_row;

static int read_quickly(void *state, void **item)
{
    if (++read_in_a_row > most_in_a_row)
        most_in_a_row = read_in_a_row;
    return read_next(state, item);
}

static void interrupt_row(void *running)
{
    while (*(bool *)running) {
        read_in_a_row = 0;
        verd_yield();
    }
}

Test(imap, whose_source_never_waits_lets_others_run)
{
    bool running = true;
    struct source source = {.end = (size_t)20 * VERD__BUDGET};
    verd_pool *pool = verd_pool_new((size_t)20 * VERD__BUDGET);
    verd_spawn_n(interrupt_row, &running);
    verd_imap *it = verd_pool_imap(pool, echo, read_quickly, &source);
    while (verd_imap_next(it, NULL) == 1)
        ;
    running = false;
    verd_yield();
    cr_assert_leq(most_in_a_row, VERD__BUDGET + 1);
    verd_imap_free(it);
    finish(pool, NULL);
}
