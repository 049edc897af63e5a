/* SPDX-License-Identifier: MIT */

/* What is told of a deadlock's locks. */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include <verd.h>

#include "process.h"

static verd_mutex first_lock, second_lock;

static void *lock_second_then_first(void *arg)
{
    verd_mutex_lock(&second_lock);
    verd_yield();
    verd_mutex_lock(&first_lock);
    return arg;
}

static void lock_crosswise(void *arg)
{
    const verd_attr attr = {.name = "other"};
    (void)arg;
    verd_mutex_lock(&first_lock);
    verd_spawn_with(&attr, lock_second_then_first, NULL);
    verd_yield();
    verd_mutex_lock(&second_lock);
}

Test(debug, a_deadlock_names_locks_owners_and_the_cycle)
{
    struct process_end end = process_run(lock_crosswise, NULL);
    cr_assert(process_died_of(&end, SIGABRT));
    cr_assert(strstr(end.text, " (second_lock), held by thread 1 \"other\"\n"), "%s", end.text);
    cr_assert(strstr(end.text, " (first_lock), held by thread 0 (main)\n"));
    cr_assert(strstr(end.text,
                     "libverd: deadlock: thread 0 (main) waits for thread 1 \"other\", that "
                     "for thread 0 (main)\n"));
}
