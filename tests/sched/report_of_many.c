/* SPDX-License-Identifier: MIT */

/* What a person reads of a server with so many threads that those which are alike are counted. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <verd.h>

#include "process.h"

#define CROWD 300

static verd_mutex first, second;

static verd_thread *spawn_named(const char *name, void *(*fn)(void *), void *arg)
{
    const verd_attr attr = {.name = name};
    return verd_spawn_with(&attr, fn, arg);
}

static void spawn_crowd(size_t count, void *(*fn)(void *), void *arg)
{
    for (size_t i = 0; i < count; i++)
        verd_spawn(fn, arg);
    verd_yield();
}

static void *lock(void *mutex)
{
    verd_mutex_lock(mutex);
    return mutex;
}

/* Whether a line of the text has all these parts, in this order. */
static bool has_line(const char *text, const char *const *parts)
{
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *at = line, *end = strchr(line, '\n');
        size_t i = 0;
        for (; parts[i] != NULL && at != NULL; i++) {
            at = strstr(at, parts[i]);
            at = at != NULL && (end == NULL || at < end) ? at + strlen(parts[i]) : NULL;
        }
        if (at != NULL)
            return true;
    }
    return false;
}

#define HAS_LINE(text, ...) has_line(text, (const char *const[]){__VA_ARGS__, NULL})

/* ---- a crowd behind a cycle ---- */

/* The same function as the crowd's. */
static void *lock_all(void *mutexes)
{
    verd_mutex *const *each = mutexes;
    for (; *each != NULL; each++) {
        verd_mutex_lock(*each);
        verd_yield();
    }
    return NULL;
}

static void report_a_crowd_behind_a_cycle(void *arg)
{
    static verd_mutex *one[] = {&first, &second, NULL}, *two[] = {&second, &first, NULL},
                      *rest[] = {&first, NULL};
    (void)arg;
    spawn_named("one", lock_all, one);
    spawn_named("two", lock_all, two);
    verd_yield();
    verd_yield();
    spawn_crowd(CROWD, lock_all, rest);
    verd_report();
}

Test(sched, the_report_of_many_names_the_lock_and_its_owner)
{
    struct process_end end = process_run(report_a_crowd_behind_a_cycle, NULL);
    cr_assert(HAS_LINE(end.text, "libverd: 300 threads (lock_all", ") wait for a mutex, one for ",
                       " s, at 0x", " (first), held by thread 1 \"one\""),
              "%s", end.text);
}

Test(sched, the_report_of_many_shows_who_is_in_a_cycle_one_by_one)
{
    struct process_end end = process_run(report_a_crowd_behind_a_cycle, NULL);
    cr_assert(HAS_LINE(end.text, "libverd: thread 1 \"one\" waits for a mutex, for ",
                       " (second), held by thread 2 \"two\""),
              "%s", end.text);
    cr_assert(HAS_LINE(end.text, "libverd: thread 2 \"two\" waits for a mutex, for ",
                       " (first), held by thread 1 \"one\""),
              "%s", end.text);
    cr_assert(HAS_LINE(end.text, "libverd: deadlock: thread 1 \"one\" waits for thread 2 \"two\", "
                                 "that for thread 1 \"one\""));
    cr_assert_eq(process_count(end.text, "deadlock"), 1);
}

Test(sched, the_report_of_many_shows_the_calls_of_each_of_a_cycle)
{
    struct process_end end = process_run(report_a_crowd_behind_a_cycle, NULL);
    const char *one = strstr(end.text, "libverd: thread 1 \"one\"");
    const char *two = strstr(end.text, "libverd: thread 2 \"two\"");
    cr_assert(one != NULL && two != NULL);
    const char *calls_of_one = strstr(one, "libverd:     at lock_all+0x");
    const char *calls_of_two = strstr(two, "libverd:     at lock_all+0x");
    cr_assert(calls_of_one != NULL && calls_of_two != NULL && calls_of_one < two, "%s", end.text);
}

/* ---- a crowd behind one owner ---- */

static void *lock_and_sleep(void *mutex)
{
    if (mutex != NULL)
        verd_mutex_lock(mutex);
    verd_sleep(3600 * VERD_SEC);
    return NULL;
}

static void report_an_owner_among_many_alike(void *arg)
{
    (void)arg;
    spawn_crowd(40, lock_and_sleep, NULL);
    spawn_named("owner", lock_and_sleep, &first);
    spawn_crowd(CROWD, lock, &first);
    verd_report();
}

Test(sched, the_report_of_many_shows_the_owner_of_a_lock_by_itself)
{
    struct process_end end = process_run(report_an_owner_among_many_alike, NULL);
    cr_assert(HAS_LINE(end.text, "libverd: thread 41 \"owner\" waits for a point in time, for "),
              "%s", end.text);
    cr_assert(HAS_LINE(end.text, "libverd: 40 threads (lock_and_sleep",
                       ") wait for a point in time, one for "),
              "%s", end.text);
    cr_assert(HAS_LINE(end.text, "libverd: 300 threads (lock", ", held by thread 41 \"owner\""),
              "%s", end.text);
}

static void *run_long(void *arg)
{
    verd_mutex_lock(arg);
    spawn_crowd(CROWD, lock, arg);
    verd_report();
    return arg;
}

static void report_from_the_owner(void *arg)
{
    (void)arg;
    verd_join(spawn_named("owner", run_long, &first), NULL);
}

Test(sched, the_report_of_many_shows_an_owner_that_runs)
{
    struct process_end end = process_run(report_from_the_owner, NULL);
    cr_assert(HAS_LINE(end.text, "libverd: thread 1 \"owner\" runs"), "%s", end.text);
    cr_assert_eq(process_count(end.text, "libverd: thread 1 "), 1, "%s", end.text);
}

static void report_a_left_mutex(void *arg)
{
    (void)arg;
    verd_join(verd_spawn(lock, &first), NULL);
    spawn_crowd(CROWD, lock, &first);
    verd_report();
}

Test(sched, the_report_of_many_says_that_the_owner_of_their_lock_has_ended)
{
    struct process_end end = process_run(report_a_left_mutex, NULL);
    cr_assert(HAS_LINE(end.text, "libverd: 300 threads (lock", " wait for a mutex, one for ",
                       " (first), held by a thread that has ended"),
              "%s", end.text);
}

/* The owner waits for another lock itself, and that one's owner for nobody. */
static void report_a_line_of_owners(void *arg)
{
    static verd_mutex *both[] = {&first, &second, NULL};
    (void)arg;
    spawn_named("last", lock_and_sleep, &second);
    spawn_named("next", lock_all, both);
    verd_yield();
    verd_yield();
    spawn_crowd(CROWD, lock, &first);
    verd_report();
}

Test(sched, the_report_of_many_shows_the_owner_of_what_an_owner_waits_for)
{
    struct process_end end = process_run(report_a_line_of_owners, NULL);
    cr_assert(HAS_LINE(end.text, "libverd: thread 2 \"next\" waits for a mutex, for ",
                       " (second), held by thread 1 \"last\""),
              "%s", end.text);
    cr_assert(HAS_LINE(end.text, "libverd: thread 1 \"last\" waits for a point in time"));
    cr_assert(strstr(end.text, "deadlock") == NULL);
}

/* ---- several things ---- */

static void report_two_locks(void *arg)
{
    (void)arg;
    verd_mutex_lock(&first);
    verd_mutex_lock(&second);
    spawn_crowd(CROWD, lock, &first);
    spawn_crowd(150, lock, &second);
    verd_report();
}

Test(sched, the_report_of_many_tells_locks_apart)
{
    struct process_end end = process_run(report_two_locks, NULL);
    cr_assert(HAS_LINE(end.text, "libverd: 300 threads (lock", " (first), held by thread 0 (main)"),
              "%s", end.text);
    cr_assert(HAS_LINE(end.text, "libverd: 150 threads (lock", " (second), held by thread 0"), "%s",
              end.text);
}

static verd_mutex own[CROWD];

/* One lock is common among those that are each somebody's own, whose waiters come before and
 * behind. */
static void report_a_common_lock_among_others(void *arg)
{
    (void)arg;
    verd_mutex_lock(&first);
    for (size_t i = 0; i < CROWD; i++) {
        verd_mutex_lock(&own[i]);
        verd_spawn(lock, &own[i]);
        if (i % 6 == 0)
            verd_spawn(lock, &first);
    }
    verd_yield();
    verd_report();
}

Test(sched, the_report_of_many_counts_what_is_waited_for_by_one_each_together)
{
    struct process_end end = process_run(report_a_common_lock_among_others, NULL);
    cr_assert(HAS_LINE(end.text, "libverd: 300 threads (lock", " wait for a mutex, one for ",
                       " s, at various addresses"),
              "%s", end.text);
}

Test(sched, the_report_of_many_finds_a_common_lock_among_many_others)
{
    struct process_end end = process_run(report_a_common_lock_among_others, NULL);
    cr_assert(HAS_LINE(end.text, "libverd: 50 threads (lock", " (first), held by thread 0 (main)"),
              "%s", end.text);
    cr_assert_lt(process_count(end.text, "libverd: thread "), 5, "%s", end.text);
}

static void *join(void *thread)
{
    verd_join(thread, NULL);
    return NULL;
}

static void *park(void *arg)
{
    verd_park();
    return arg;
}

static void report_pairs(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < CROWD; i++)
        verd_spawn(join, verd_spawn(park, NULL));
    verd_yield();
    verd_report();
}

Test(sched, the_report_of_many_counts_those_that_wait_for_the_end_of_another_each)
{
    struct process_end end = process_run(report_pairs, NULL);
    cr_assert(HAS_LINE(end.text, "libverd: 300 threads (join", " wait for the end of a thread, one",
                       " s, of various ones"),
              "%s", end.text);
    cr_assert(HAS_LINE(end.text, "libverd: 300 threads (park", " wait for verd_unpark"), "%s",
              end.text);
}
