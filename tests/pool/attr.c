/* SPDX-License-Identifier: MIT */
/* What the threads of a pool are called, and how large their stacks are. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <verd/pool.h>

#include "gate.h"
#include "process.h"
#include "sched/slab.h"
#include "stack/stack.h"

static char seen[2 * VERD_NAME_SIZE], expected[2 * VERD_NAME_SIZE];
static size_t size;

static void *see(void *arg)
{
    const verd_thread *self = verd_self();
    strcpy(seen, verd_name(self));
    snprintf(expected, sizeof expected, "%s#%zu", (const char *)arg, verd_number(self));
    size = verd__stack_class_size(verd__thread_find(self)->stack);
    return NULL;
}

static void see_n(void *arg)
{
    see(arg);
}

static const verd_attr client = {.name = "client", .stack_size = 64 * 1024};

Test(pool, its_members_have_its_name_and_their_numbers)
{
    verd_pool *pool = verd_pool_new_with(2, &client);
    verd_join(verd_pool_spawn(pool, see, "client"), NULL);
    cr_expect_str_eq(seen, expected);
    seen[0] = '\0';
    verd_pool_spawn_n(pool, see_n, "client");
    verd_pool_wait_all(pool);
    cr_expect_str_eq(seen, expected);
    finish(pool, NULL);
}

Test(pool, its_members_have_stacks_of_its_size)
{
    verd_pool *pool = verd_pool_new_with(1, &client);
    verd_join(verd_pool_spawn(pool, see, ""), NULL);
    cr_expect_eq(size, 64 * 1024);
    size = 0;
    verd_pool_spawn_n(pool, see_n, "");
    verd_pool_wait_all(pool);
    cr_expect_eq(size, 64 * 1024);
    finish(pool, NULL);
}

Test(pool, without_attributes_has_members_without_a_name)
{
    verd_pool *pool = verd_pool_new_with(1, NULL);
    verd_join(verd_pool_spawn(pool, see, ""), NULL);
    cr_expect_str_eq(seen, "");
    cr_expect_eq(size, VERD_STACK_SIZE);
    finish(pool, NULL);
}

static void *see_another(void *arg)
{
    verd_set_name(verd_self(), arg);
    strcpy(seen, verd_name(verd_self()));
    verd_set_name(verd_self(), NULL);
    return NULL;
}

Test(pool, a_member_may_have_a_name_of_its_own)
{
    verd_pool *pool = verd_pool_new_with(1, &client);
    verd_join(verd_pool_spawn(pool, see_another, "other"), NULL);
    cr_expect_str_eq(seen, "other");
    verd_join(verd_pool_spawn(pool, see, "client"), NULL);
    cr_expect_str_eq(seen, expected);
    finish(pool, NULL);
}

/* The number is whole, whatever is cut. */
Test(pool, a_long_name_makes_room_for_the_number)
{
    const verd_attr attr = {.name = "0123456789012345678901234567890123456789"};
    verd_pool *pool = verd_pool_new_with(1, &attr);
    verd_join(verd_pool_spawn(pool, see, ""), NULL);
    const char *number = strchr(seen, '#');
    cr_assert_eq(strlen(seen), VERD_NAME_SIZE - 1);
    cr_assert_str_eq(number, expected);
    cr_assert_eq(strncmp(seen, attr.name, (size_t)(number - seen)), 0);
    finish(pool, NULL);
}

Test(pool, keeps_the_name_when_the_caller_does_not)
{
    char name[] = "client";
    verd_pool *pool = verd_pool_new_with(1, &(verd_attr){.name = name});
    memset(name, 'x', sizeof name - 1);
    verd_join(verd_pool_spawn(pool, see, "client"), NULL);
    cr_expect_str_eq(seen, expected);
    finish(pool, NULL);
}

Test(pool, a_name_is_not_left_to_the_next_thread)
{
    verd_pool *pool = verd_pool_new_with(1, &(verd_attr){.name = "client"});
    verd_join(verd_pool_spawn(pool, see, ""), NULL);
    finish(pool, NULL);
    verd_join(verd_spawn(see, ""), NULL);
    cr_expect_str_eq(seen, "");
}

Test(pool, a_member_that_has_ended_or_not_started_has_no_name)
{
    verd_pool *pool = verd_pool_new_with(1, &(verd_attr){.name = "client"});
    verd_thread *thread = verd_pool_spawn(pool, echo, NULL);
    cr_expect_str_eq(verd_name(thread), "");
    verd_wait(thread, NULL);
    finish(pool, NULL);
    cr_expect_str_eq(verd_name(thread), "");
    verd_release(thread);
}

/* That is all that a report has of who has not started. */
static void report_unstarted(void *arg)
{
    verd_pool *pool = verd_pool_new_with(2, arg);
    static void *const items[] = {NULL};
    verd_pool_spawn_n(pool, see_n, "");
    verd_pool_imap_array(pool, echo, items, 1);
    verd_report();
}

Test(pool, the_report_has_the_names_of_who_has_not_started)
{
    verd_attr attr = {.name = "client"};
    struct process_end end = process_run(report_unstarted, &attr);
    cr_expect_eq(process_count(end.text, "thread 1 \"client#1\" has not started"), 1, "%s",
                 end.text);
    cr_expect_eq(process_count(end.text, "thread 2 \"imap#2\" has not started"), 1, "%s", end.text);
}

Test(pile, its_functions_run_on_threads_as_it_says)
{
    verd_pile *pile = verd_pile_sized_with(1, &client);
    verd_pile_spawn(pile, see, "client");
    cr_assert_eq(verd_pile_next(pile, NULL), 1);
    cr_expect_str_eq(seen, expected);
    cr_expect_eq(size, 64 * 1024);
    verd_pile_free(pile);
}

Test(imap, its_function_runs_on_threads_as_the_pool_says)
{
    static void *const items[] = {"client"};
    verd_pool *pool = verd_pool_new_with(1, &client);
    verd_imap *it = verd_pool_imap_array(pool, see, items, 1);
    cr_assert_eq(verd_imap_next(it, NULL), 1);
    cr_expect_str_eq(seen, expected);
    cr_expect_eq(size, 64 * 1024);
    verd_imap_free(it);
    finish(pool, NULL);
}

Test(pool, of_stacks_that_cannot_be_is_refused)
{
    const verd_attr small = {.stack_size = 1}, large = {.stack_size = VERD_STACK_SIZE_MAX + 1};
    cr_expect(fails(verd_pool_new_with(1, &small) == NULL, EINVAL));
    cr_expect(fails(verd_pool_new_with(1, &large) == NULL, EINVAL));
    cr_expect(fails(verd_pile_sized_with(1, &small) == NULL, EINVAL));
}
