/* SPDX-License-Identifier: MIT */

/* What a person reads who has a server that hangs. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <verd.h>

#include "process.h"

static void *park(void *arg)
{
    verd_park();
    return arg;
}

static void *sleep_long(void *arg)
{
    verd_sleep(3600 * VERD_SEC);
    return arg;
}

static void *wait_for(void *t)
{
    verd_wait(t, NULL);
    return NULL;
}

static void *yield(void *arg)
{
    verd_yield();
    return arg;
}

static void report(void *arg)
{
    verd_attr attr = {.name = "parker"};
    (void)arg;
    verd_thread *parker = verd_spawn_with(&attr, park, NULL);
    verd_spawn(sleep_long, NULL);
    verd_spawn(wait_for, parker);
    verd_spawn(yield, NULL);
    verd_yield();
    verd_spawn(park, NULL);
    verd_spawn_after(VERD_SEC, park, NULL);
    verd_report();
}

/* Takes out what functions are called. */
static void drop_functions(char *text)
{
    static const char main[] = " (main)";
    for (char *at = text; (at = strstr(at, " (")) != NULL;) {
        const char *end = strchr(at, ')');
        if (strncmp(at, main, sizeof main - 1) == 0)
            at++;
        else
            memmove(at, end + 1, strlen(end + 1) + 1);
    }
}

static bool reported(const char *line)
{
    struct process_end end = process_run(report, NULL);
    drop_functions(end.text);
    return strstr(end.text, line) != NULL;
}

Test(sched, the_report_has_a_line_for_each_thread)
{
    struct process_end end = process_run(report, NULL);
    cr_assert_eq(process_count(end.text, "libverd: thread "), 7);
}

Test(sched, the_report_says_who_runs)
{
    cr_assert(reported("libverd: thread 0 (main) runs\n"));
}

Test(sched, the_report_says_who_is_parked_with_its_name)
{
    cr_assert(reported("libverd: thread 1 \"parker\" waits for verd_unpark, for 0."));
}

Test(sched, the_report_says_who_sleeps)
{
    cr_assert(reported("libverd: thread 2 waits for a point in time, for 0."));
}

Test(sched, the_report_says_who_waits_for_a_thread)
{
    cr_assert(reported("libverd: thread 3 waits for the end of a thread, for 0."));
}

Test(sched, the_report_says_who_can_run)
{
    cr_assert(reported("libverd: thread 4 can run\n"));
}

Test(sched, the_report_says_who_has_not_started)
{
    cr_assert(reported("libverd: thread 5 has not started\n"));
}

Test(sched, the_report_says_who_is_not_due)
{
    cr_assert(reported("libverd: thread 6 is not due to start yet\n"));
}

static void *shielded(void *arg)
{
    verd_timeout limit;
    verd_timeout_begin(&limit, 0);
    verd_shield_begin();
    verd_kill(verd_self());
    verd_park();
    return arg;
}

static void report_interrupted(void *arg)
{
    (void)arg;
    verd_spawn(shielded, NULL);
    verd_yield();
    verd_report();
}

Test(sched, the_report_says_who_is_killed_and_out_of_time_and_shielded)
{
    struct process_end end = process_run(report_interrupted, NULL);
    cr_assert(strstr(end.text, " s, killed, out of time, shielded\n"));
}

static verd_mutex mutex;

static void *lock_and_leave(void *arg)
{
    verd_mutex_lock(&mutex);
    return arg;
}

static void *lock(void *arg)
{
    verd_mutex_lock(&mutex);
    return arg;
}

static void report_left_mutex(void *arg)
{
    (void)arg;
    verd_wait(verd_spawn(lock_and_leave, NULL), NULL);
    verd_spawn(lock, NULL);
    verd_yield();
    verd_report();
}

Test(sched, the_report_says_whose_owner_has_ended)
{
    struct process_end end = process_run(report_left_mutex, NULL);
    cr_assert(strstr(end.text, ", held by a thread that has ended\n"));
}

static verd_rwlock rwlock;

static void *read_and_park(void *arg)
{
    verd_rwlock_read_lock(&rwlock);
    verd_park();
    return arg;
}

static void *write_locked(void *arg)
{
    verd_rwlock_write_lock(&rwlock);
    return arg;
}

static void report_readers(void *count)
{
    for (size_t i = 0; i < (size_t)(uintptr_t)count; i++)
        verd_spawn(read_and_park, NULL);
    verd_yield();
    verd_spawn(write_locked, NULL);
    verd_yield();
    verd_report();
}

Test(sched, the_report_says_how_many_readers_a_writer_waits_for)
{
    struct process_end end = process_run(report_readers, (void *)(uintptr_t)3);
    const char *writer = strstr(end.text, " waits for a lock, to write, for 0.");
    cr_assert(writer && strstr(writer, " s, held by 3 readers, at 0x"), "%s", end.text);
    end = process_run(report_readers, (void *)(uintptr_t)1);
    cr_assert(strstr(end.text, " s, held by 1 reader, at 0x"), "%s", end.text);
}

static verd_thread *self_of[3];

static void *wait_for_next(void *number)
{
    size_t i = (size_t)(uintptr_t)number;
    self_of[i] = verd_self();
    verd_yield();
    verd_wait(self_of[(i + 1) % 3], NULL);
    return number;
}

/* The main thread waits for none of them, and runs. */
static void report_circle(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < 3; i++)
        verd_spawn(wait_for_next, (void *)i);
    for (int i = 0; i < 4; i++)
        verd_yield();
    errno = EDOM;
    verd_report();
    exit(errno == EDOM ? 0 : 1);
}

Test(sched, the_report_shows_who_wait_for_one_another)
{
    static const char line[] =
        "libverd: deadlock: thread 1 waits for thread 2, that for thread 3, that for thread 1\n";
    struct process_end end = process_run(report_circle, NULL);
    cr_assert(end.status == 0 && process_count(end.text, "deadlock") == 1 &&
              strstr(end.text, line) != NULL);
}

Test(sched, the_report_shows_whose_end_is_waited_for)
{
    cr_assert(reported(" s, thread 1 \"parker\"\n"));
}

static __attribute__((noinline)) verd_thread *spawn_parker(void)
{
    verd_thread *parker = verd_spawn(park, NULL);
    __asm__ volatile("" ::: "memory"); /* no tail call */
    return parker;
}

static void report_parker(void *arg)
{
    (void)arg;
    spawn_parker();
    verd_yield();
    verd_report();
    __asm__ volatile("" ::: "memory");
}

Test(sched, the_report_shows_where_a_thread_was_spawned)
{
    struct process_end end = process_run(report_parker, NULL);
    cr_assert(strstr(end.text, "libverd:     spawned at spawn_parker"));
}

Test(sched, the_report_shows_how_much_of_its_stack_a_thread_uses)
{
    struct process_end end = process_run(report_parker, NULL);
    const char *uses = strstr(end.text, "libverd:     uses ");
    unsigned long used = 0, size = 0;
    cr_assert(uses && sscanf(uses, "libverd:     uses %lu of %lu bytes", &used, &size) == 2);
    cr_assert(used > 0 && used < size && size <= VERD_STACK_SIZE);
}

Test(sched, the_report_shows_the_calls_of_a_thread_that_waits)
{
    struct process_end end = process_run(report_parker, NULL);
    cr_assert(strstr(end.text, "libverd:     at park+0x"));
}

Test(sched, the_report_shows_the_calls_of_the_thread_that_runs)
{
    struct process_end end = process_run(report_parker, NULL);
    cr_assert(strstr(end.text, "libverd:     at report_parker+0x"));
}

static verd_queue *queue;

static void *choose(void *descriptor)
{
    void *item;
    int fd = (int)(intptr_t)descriptor;
    verd_case cases[] = {VERD_GET(queue, &item), VERD_READABLE(fd), VERD_AFTER(3600 * VERD_SEC)};
    verd_select(cases, 3);
    return NULL;
}

static void report_chooser(void *arg)
{
    int ends[2];
    (void)arg;
    queue = verd_queue_new(0);
    verd_pipe(ends);
    fprintf(stderr, "queue %p descriptor %d.\n", (void *)queue, ends[0]);
    verd_spawn(choose, (void *)(intptr_t)ends[0]);
    verd_yield();
    verd_report();
}

Test(sched, the_report_shows_the_cases_of_a_select)
{
    struct process_end end = process_run(report_chooser, NULL);
    char expected[160];
    void *at = NULL;
    int fd = -1;
    cr_assert_eq(sscanf(end.text, "queue %p descriptor %d.", &at, &fd), 2);
    snprintf(expected, sizeof expected,
             ": an item of the queue at %p, input from descriptor %d, 3600000 ms to pass\n", at,
             fd);
    cr_assert(strstr(end.text, expected), "%s", end.text);
}

static void *poll_two(void *ends)
{
    const int *fds = ends;
    struct pollfd both[] = {{.fd = fds[0], .events = POLLIN}, {.fd = fds[2], .events = POLLIN}};
    verd_poll(both, 2, -1);
    return NULL;
}

static void report_poller(void *arg)
{
    int ends[4];
    (void)arg;
    verd_pipe(ends);
    verd_pipe(ends + 2);
    fprintf(stderr, "descriptors %d and %d.\n", ends[0], ends[2]);
    verd_spawn(poll_two, ends);
    verd_yield();
    verd_report();
}

Test(sched, the_report_shows_the_descriptors_of_a_poll)
{
    struct process_end end = process_run(report_poller, NULL);
    char expected[160];
    int one = -1, other = -1;
    cr_assert_eq(sscanf(end.text, "descriptors %d and %d.", &one, &other), 2);
    snprintf(expected, sizeof expected, ": input from %d, input from %d\n", one, other);
    cr_assert(strstr(end.text, expected), "%s", end.text);
}

static void *get(void *arg)
{
    void *item;
    verd_queue_get(arg, &item);
    return NULL;
}

static void report_many(void *arg)
{
    (void)arg;
    queue = verd_queue_new(0);
    for (int i = 0; i < 1234; i++)
        verd_spawn(get, queue);
    verd_yield();
    spawn_parker();
    verd_report();
}

Test(sched, the_report_counts_threads_that_are_alike_if_there_are_many)
{
    struct process_end end = process_run(report_many, NULL);
    cr_assert(
        strstr(end.text, "libverd: 1,234 threads (get) wait for an item of a queue, one for "));
    cr_assert(strstr(end.text, "libverd:     at get+0x"));
    cr_assert(strstr(end.text, "libverd: thread 1235 (park) has not started\n"));
    cr_assert_eq(process_count(end.text, "libverd: thread "), 2); /* main is the other */
}

static void report_ended(void *arg)
{
    (void)arg;
    verd_wait(verd_spawn(yield, NULL), NULL);
    verd_report();
}

Test(sched, the_report_leaves_out_who_has_ended)
{
    struct process_end end = process_run(report_ended, NULL);
    cr_assert(process_count(end.text, "libverd: thread ") == 1 &&
              strstr(end.text, "libverd: thread 0 (main) runs\n") == end.text);
}

static void report_before_any_call(void *arg)
{
    (void)arg;
    verd_report();
}

Test(sched, the_report_of_an_os_thread_without_green_threads_is_empty)
{
    struct process_end end = process_run(report_before_any_call, NULL);
    cr_assert(end.status == 0 && end.text[0] == '\0');
}
