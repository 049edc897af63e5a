/* SPDX-License-Identifier: MIT */
/* What threads are called by verd_set_name, and how large their stacks are unless they say otherwise. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <verd.h>

#include "process.h"
#include "sched/slab.h"
#include "stack/stack.h"

static char seen[VERD_NAME_SIZE + 1];

static void *park(void *arg)
{
    verd_park();
    return arg;
}

static void *name_oneself(void *name)
{
    verd_set_name(verd_self(), name);
    strcpy(seen, verd_name(verd_self()));
    return NULL;
}

static verd_thread *spawn_parked(void)
{
    verd_thread *t = verd_spawn(park, NULL);
    verd_yield();
    return t;
}

Test(sched, a_thread_may_name_itself)
{
    verd_join(verd_spawn(name_oneself, "worker"), NULL);
    cr_assert_str_eq(seen, "worker");
}

Test(sched, a_thread_may_be_named_by_another_and_anew)
{
    verd_thread *t = spawn_parked();
    cr_assert_eq(verd_set_name(t, "first"), 0);
    cr_assert_eq(verd_set_name(t, "second"), 0);
    cr_assert_str_eq(verd_name(t), "second");
}

Test(sched, the_main_thread_may_be_named)
{
    cr_assert_eq(verd_set_name(verd_self(), "boss"), 0);
    cr_assert_str_eq(verd_name(verd_self()), "boss");
}

Test(sched, a_name_that_is_set_is_cut)
{
    verd_set_name(verd_self(), "0123456789012345678901234567890123456789");
    cr_assert_str_eq(verd_name(verd_self()), "01234567890123456789012");
}

Test(sched, a_name_may_be_taken_away)
{
    verd_thread *t = spawn_parked();
    verd_set_name(t, "worker");
    cr_assert_eq(verd_set_name(t, NULL), 0);
    cr_assert_str_eq(verd_name(t), "");
}

/* A name may be made of what it was. */
Test(sched, a_name_may_be_set_to_what_it_is)
{
    verd_set_name(verd_self(), "worker");
    verd_set_name(verd_self(), verd_name(verd_self()));
    cr_assert_str_eq(verd_name(verd_self()), "worker");
}

Test(sched, a_name_that_was_set_is_not_left_to_the_next_thread)
{
    verd_join(verd_spawn(name_oneself, "worker"), NULL);
    verd_thread *t = spawn_parked();
    cr_assert_str_eq(verd_name(t), "");
}

static bool refuses(verd_thread *t, int error)
{
    errno = 0;
    return verd_set_name(t, "x") == -1 && errno == error;
}

Test(sched, who_has_no_place_for_a_name_is_not_named)
{
    verd_thread *t = verd_spawn(park, NULL);
    cr_assert(refuses(t, EINVAL));
    cr_assert_str_eq(verd_name(t), "");
    verd_yield();
    cr_assert_eq(verd_set_name(t, "x"), 0);
    verd_unpark(t);
    verd_yield();
    cr_assert(refuses(t, EINVAL));
    verd_release(t);
    cr_assert(refuses(t, EINVAL));
    cr_assert(refuses(NULL, EINVAL));
}

/* ---- stacks ---- */

static size_t size_of(verd_thread *t)
{
    return verd__stack_class_size(verd__thread_find(t)->stack);
}

static size_t default_size(void)
{
    return size_of(spawn_parked());
}

Test(sched, a_default_of_stacks_is_for_all_that_ask_for_none)
{
    verd_attr named = {.name = "a"}, large = {.stack_size = 1024 * 1024};
    cr_assert_eq(default_size(), VERD_STACK_SIZE);
    cr_assert_eq(verd_stack_default(VERD_STACK_SIZE_MIN), 0);
    cr_expect_eq(default_size(), VERD_STACK_SIZE_MIN);
    cr_expect_eq(size_of(verd_spawn_with(&named, park, NULL)), VERD_STACK_SIZE_MIN);
    cr_expect_eq(size_of(verd_spawn_with(&large, park, NULL)), 1024 * 1024);
    cr_assert_eq(verd_stack_default(60000), 0);
    cr_expect_eq(default_size(), 65536);
    cr_assert_eq(verd_stack_default(0), 0);
    cr_expect_eq(default_size(), VERD_STACK_SIZE);
}

static size_t ended;

static void end(void *arg)
{
    (void)arg;
    ended++;
}

/* Those that end leave stacks of one size to others that are to have another. */
Test(sched, a_default_of_stacks_may_change_while_threads_come_and_go)
{
    for (size_t i = 0; i < 1000; i++) {
        verd_stack_default(VERD_STACK_SIZE_MIN << i % 3);
        verd_spawn_n(end, NULL);
        verd_release(verd_spawn(park, NULL));
        if (i % 7 == 0)
            verd_yield();
    }
    verd_yield();
    cr_assert_eq(ended, 1000);
}

static bool refuses_size(size_t size)
{
    errno = 0;
    return verd_stack_default(size) == -1 && errno == EINVAL;
}

Test(sched, a_default_of_stacks_that_cannot_be_is_refused_and_changes_nothing)
{
    cr_expect(refuses_size(1));
    cr_expect(refuses_size(VERD_STACK_SIZE_MIN - 1));
    cr_expect(refuses_size(VERD_STACK_SIZE_MAX + 1));
    cr_expect_eq(default_size(), VERD_STACK_SIZE);
}

/* The size of stacks on an OS thread that begins with this environment. */
static void *measure(void *size)
{
    *(size_t *)size = default_size();
    return NULL;
}

static size_t size_with(const char *text)
{
    size_t size = 0;
    pthread_t os_thread;
    setenv("VERD_STACK_SIZE", text, 1);
    cr_assert_eq(pthread_create(&os_thread, NULL, measure, &size), 0);
    cr_assert_eq(pthread_join(os_thread, NULL), 0);
    return size;
}

Test(sched, the_environment_has_the_default_of_stacks)
{
    cr_expect_eq(size_with("65536"), 65536);
    cr_expect_eq(size_with("100000"), 131072);
    cr_expect_eq(size_with(""), VERD_STACK_SIZE);
}

/* The first that its process does with the library. */
static void run_with_size(void *text)
{
    setenv("VERD_STACK_SIZE", text, 1);
    if (default_size() != VERD_STACK_SIZE)
        fputs("another size\n", stderr);
}

static void expect_refused(char *size)
{
    char line[128];
    struct process_end end = process_run(run_with_size, size);
    snprintf(line, sizeof line,
             "libverd: VERD_STACK_SIZE=%s is not a number from 16384 to 1073741824: ", size);
    cr_expect_eq(process_count(end.text, line), 1, "%s: %s", size, end.text);
    cr_expect_eq(process_count(end.text, "another size"), 0, "%s", size);
}

Test(sched, an_environment_that_has_no_size_of_stacks_is_reported_and_ignored)
{
    expect_refused("x");
    expect_refused("64k");
    expect_refused("16383");
    expect_refused("1073741825");
    expect_refused("-65536");
}
