/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <limits.h>
#include <unistd.h>

#include <sys/mman.h>

#include "caller.h"

static verd_queue *left, *right;

static void setup(void)
{
    left = verd_queue_new(0);
    right = verd_queue_new(0);
}

TestSuite(select, .init = setup);

static void *number(long n)
{
    return (void *)n;
}

/* Gets from either; `item` is what came. */
static int get_either(struct caller *self)
{
    verd_case cases[] = {VERD_GET(left, &self->item), VERD_GET(right, &self->item)};
    int taken = verd_select(cases, 2);
    if (taken >= 0 && cases[taken].error != 0) {
        errno = cases[taken].error;
        return -1;
    }
    return taken;
}

/* Gets from the left, or puts to the right. */
static int get_or_put(struct caller *self)
{
    verd_case cases[] = {VERD_GET(left, &self->item), VERD_PUT(right, number(7))};
    return verd_select(cases, 2);
}

static int get_left(struct caller *self)
{
    return verd_queue_get(left, &self->item);
}

Test(select, waits_for_the_first_case_that_becomes_possible)
{
    struct caller chooser;
    caller_start(&chooser, get_either, NULL, NULL);
    cr_assert_not(chooser.done);
    cr_assert_eq(verd_queue_try_put(right, number(5)), 0);
    cr_assert(caller_end(&chooser) == 1 && chooser.item == number(5));
}

Test(select, leaves_no_trace_in_the_cases_it_did_not_take)
{
    struct caller chooser;
    caller_start(&chooser, get_either, NULL, NULL);
    verd_queue_try_put(right, number(5));
    cr_assert_eq(caller_outcome(verd_queue_try_put(left, number(6))), -EAGAIN);
    cr_assert_eq(caller_end(&chooser), 1);
}

/* A getter in front of it, and one behind, in the line that it leaves. */
Test(select, leaves_those_in_the_line_that_it_leaves_in_their_order)
{
    struct caller front, chooser, behind;
    caller_start(&front, get_left, NULL, NULL);
    caller_start(&chooser, get_either, NULL, NULL);
    caller_start(&behind, get_left, NULL, NULL);
    verd_queue_try_put(right, number(5));
    cr_assert_eq(caller_end(&chooser), 1);
    verd_queue_try_put(left, number(1));
    verd_queue_try_put(left, number(2));
    cr_assert(caller_end(&front) == 0 && front.item == number(1));
    cr_assert(caller_end(&behind) == 0 && behind.item == number(2));
}

Test(select, leaves_the_results_and_items_of_the_cases_it_did_not_take_alone)
{
    void *got = number(8), *lost = number(9);
    verd_queue_free(left);
    left = verd_queue_new(2);
    verd_queue_put(left, number(3));
    verd_queue_put(left, number(4));
    verd_case cases[] = {VERD_PUT(left, number(6)), VERD_GET(right, &lost), VERD_GET(left, &got)};
    cr_assert_eq(verd_select(cases, 3), 2); /* the others have to wait */
    cr_assert(got == number(3) && lost == number(9));
    cr_assert_eq(verd_queue_length(left), 1);
    verd_queue_get(left, &got);
    cr_assert(got == number(4) && verd_queue_length(left) == 0);
}

Test(select, a_put_is_taken_by_a_getter)
{
    struct caller chooser;
    void *item = NULL;
    caller_start(&chooser, get_or_put, NULL, NULL);
    cr_assert_eq(verd_queue_try_get(right, &item), 0);
    cr_assert(caller_end(&chooser) == 1 && item == number(7));
    cr_assert_eq(caller_outcome(verd_queue_try_put(left, number(6))), -EAGAIN);
}

Test(select, two_of_them_meet)
{
    struct caller getter, chooser;
    caller_start(&chooser, get_or_put, NULL, NULL); /* gets left, or puts right */
    caller_start(&getter, get_either, NULL, NULL);  /* gets left or right: right */
    cr_assert(caller_end(&getter) == 1 && getter.item == number(7) && caller_end(&chooser) == 1);
}

Test(select, takes_the_default_only_when_nothing_else_is_possible)
{
    void *item = NULL;
    verd_case cases[] = {VERD_DEFAULT, VERD_GET(left, &item)};
    cr_assert_eq(verd_select(cases, 2), 0);
    verd_queue_free(left);
    left = verd_queue_new(1);
    cases[1] = VERD_GET(left, &item);
    verd_queue_put(left, number(3));
    cr_assert(verd_select(cases, 2) == 1 && item == number(3));
}

Test(select, chooses_evenly_among_the_possible)
{
    long taken[2] = {0};
    void *item;
    verd_queue_free(left);
    verd_queue_free(right);
    left = verd_queue_new(1);
    right = verd_queue_new(1);
    for (int i = 0; i < 100000; i++) {
        verd_queue_try_put(left, NULL);
        verd_queue_try_put(right, NULL);
        verd_case cases[] = {VERD_GET(left, &item), VERD_GET(right, &item)};
        taken[verd_select(cases, 2)]++;
    }
    cr_assert(taken[0] > 45000 && taken[1] > 45000, "%ld %ld", taken[0], taken[1]);
}

Test(select, a_closed_queue_is_a_case_with_EPIPE)
{
    struct caller chooser;
    caller_start(&chooser, get_either, NULL, NULL);
    verd_queue_close(left);
    cr_assert_eq(caller_end(&chooser), -EPIPE);
    cr_assert_eq(caller_within(VERD_SEC, get_either, NULL, NULL), -EPIPE);
}

Test(select, one_that_times_out_or_is_killed_leaves_all_lines)
{
    struct caller chooser;
    cr_assert_eq(caller_within(VERD_MS, get_either, NULL, NULL), -ETIMEDOUT);
    caller_start(&chooser, get_either, NULL, NULL);
    verd_kill(chooser.thread);
    cr_assert_eq(caller_end(&chooser), -ECANCELED);
    cr_assert_eq(caller_outcome(verd_queue_try_put(left, NULL)), -EAGAIN);
    cr_assert_eq(caller_outcome(verd_queue_try_put(right, NULL)), -EAGAIN);
}

Test(select, stands_in_line_like_others)
{
    struct caller getter, chooser;
    caller_start(&getter, get_left, NULL, NULL);
    caller_start(&chooser, get_either, NULL, NULL);
    verd_queue_try_put(left, number(1));
    verd_queue_try_put(left, number(2));
    cr_assert(caller_end(&getter) == 0 && getter.item == number(1));
    cr_assert(caller_end(&chooser) == 0 && chooser.item == number(2));
}

static int get_one_of_many(struct caller *self)
{
    int count = *(int *)self->object, last = count - 1;
    verd_case cases[40];
    for (int i = 0; i < count; i++)
        cases[i] = VERD_GET(i == last ? right : left, &self->item);
    return verd_select(cases, (size_t)count);
}

Test(select, has_no_limit_of_cases)
{
    for (int count = 1; count <= 40; count++) {
        struct caller chooser;
        caller_start(&chooser, get_one_of_many, &count, NULL);
        verd_queue_try_put(right, number(count));
        cr_assert(caller_end(&chooser) == count - 1 && chooser.item == number(count));
        cr_assert(verd_queue_getting(left) == 0 && verd_queue_getting(right) == 0);
    }
}

Test(select, the_case_that_is_taken_has_no_error_but_that_its_queue_is_closed)
{
    void *item = NULL;
    verd_queue_free(left);
    left = verd_queue_new(1);
    verd_case cases[] = {VERD_DEFAULT, VERD_PUT(left, number(1))};
    cases[0].error = cases[1].error = EIO;
    cr_assert(verd_select(cases, 2) == 1 && cases[1].error == 0);
    cr_assert(verd_select(cases, 2) == 0 && cases[0].error == 0);
    cases[1] = (verd_case)VERD_GET(left, &item);
    cases[1].error = EIO;
    cr_assert(verd_select(cases, 2) == 1 && cases[1].error == 0 && item == number(1));
    verd_queue_close(left);
    cr_assert(verd_select(cases, 2) == 1 && cases[1].error == EPIPE);
}

static int get_with_an_old_error(struct caller *self)
{
    verd_case cases[] = {VERD_GET(left, &self->item), VERD_GET(right, &self->item)};
    cases[0].error = cases[1].error = EIO;
    int taken = verd_select(cases, 2);
    errno = taken < 0 ? errno : cases[taken].error;
    return taken < 0 || errno != 0 ? -1 : taken;
}

Test(select, the_case_that_was_waited_for_has_no_error_of_before)
{
    struct caller chooser;
    caller_start(&chooser, get_with_an_old_error, NULL, NULL);
    cr_assert_eq(verd_queue_try_put(right, number(5)), 0);
    cr_assert_eq(caller_end(&chooser), 1);
}

Test(select, looks_at_no_case_behind_its_last)
{
    void *item = number(9);
    verd_queue_free(right);
    right = verd_queue_new(1);
    verd_case cases[] = {VERD_GET(left, &item), VERD_DEFAULT, VERD_PUT(right, number(1))};
    cr_assert_eq(verd_select(cases, 2), 1);
    cr_assert_eq(verd_queue_length(right), 0);
}

Test(select, misuse_is_EINVAL)
{
    verd_case defaults[] = {VERD_DEFAULT, VERD_DEFAULT};
    cr_assert_eq(caller_outcome(verd_select(defaults, 0)), -EINVAL);
    cr_assert_eq(caller_outcome(verd_select(defaults, 2)), -EINVAL);
    cr_assert_eq(caller_outcome(verd_select(NULL, 1)), -EINVAL);
}

/* More than a result can tell: none is looked at, so there need be no more than one. */
Test(select, of_too_many_cases_is_EINVAL)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(pages + page, page, PROT_NONE);
    verd_case *last = (verd_case *)(void *)(pages + page) - 1;
    *last = (verd_case)VERD_PUT(left, NULL);
    cr_assert_eq(caller_outcome(verd_select(last, (size_t)INT_MAX + 1)), -EINVAL);
}
