/* SPDX-License-Identifier: MIT */

/* The life of a hub, seen by those who hold it: its end, forks, and deadlocks. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <verd.h>

#include "process.h"

static void nothing(void *arg)
{
    (void)arg;
}

/* ---- its end ---- */

static void *open_and_end(void *arg)
{
    (void)arg;
    return verd_hub_open();
}

/* The handle of a hub whose OS thread has ended. */
static verd_hub *ended_hub(void)
{
    pthread_t os_thread;
    void *hub;
    pthread_create(&os_thread, NULL, open_and_end, NULL);
    pthread_join(os_thread, &hub);
    return hub;
}

Test(offload, a_post_to_a_hub_that_has_ended_is_EPIPE)
{
    verd_hub *hub = ended_hub();
    cr_assert(verd_post(hub, nothing, NULL) == -1 && errno == EPIPE);
    verd_hub_close(hub);
}

Test(offload, a_hub_that_has_ended_leaves_no_descriptor)
{
    verd_hub_close(ended_hub());
    size_t before = process_descriptors();
    for (int i = 0; i < 10; i++)
        verd_hub_close(ended_hub());
    cr_assert_eq(process_descriptors(), before);
}

static _Atomic(verd_hub *) shared;
static _Atomic(int) posted;
static _Atomic(int) holders;

static void *end_under_fire(void *arg)
{
    verd_hub *hub = verd_hub_open();
    for (int i = 0; i < 3; i++)
        verd_hub_open(); /* for the others to close */
    atomic_store(&shared, hub);
    while (atomic_load(&posted) < 1000)
        verd_sleep(VERD_MS);
    verd_hub_close(hub);
    return arg;
}

static void *post_until_the_end(void *arg)
{
    verd_hub *hub;
    while ((hub = atomic_load(&shared)) == NULL)
        sched_yield();
    while (verd_post(hub, nothing, NULL) == 0 || errno == EAGAIN)
        atomic_fetch_add(&posted, 1);
    if (errno == EPIPE)
        atomic_fetch_add(&holders, 1);
    verd_hub_close(hub);
    return arg;
}

Test(offload, a_hub_may_end_while_others_post)
{
    pthread_t ending, posting[3];
    pthread_create(&ending, NULL, end_under_fire, NULL);
    for (int i = 0; i < 3; i++)
        pthread_create(&posting[i], NULL, post_until_the_end, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(posting[i], NULL);
    pthread_join(ending, NULL);
    cr_assert_eq(holders, 3);
}

/* ---- its descriptor ---- */

static bool is_eventfd(int fd)
{
    char path[64], target[64] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return readlink(path, target, sizeof target - 1) > 0 &&
           strcmp(target, "anon_inode:[eventfd]") == 0;
}

/* Opens a hub; the number of its descriptor, which is none of those that the test's framework has. */
static int open_hub(verd_hub **hub)
{
    bool before[64];
    for (int fd = 0; fd < 64; fd++)
        before[fd] = is_eventfd(fd);
    *hub = verd_hub_open();
    int fd = 0;
    while (before[fd] || !is_eventfd(fd))
        fd++;
    return fd;
}

static void *same(void *arg)
{
    return arg;
}

/* As a program does that closes all numbers above 2, and then opens a file: which is always ready. */
Test(offload, what_has_got_the_number_of_a_hub_s_descriptor_keeps_no_result_back)
{
    verd_hub *hub;
    void *result = NULL;
    int number = open_hub(&hub);
    int file = open("/proc/self/exe", O_RDONLY);
    cr_assert_eq(dup2(file, number), number);
    cr_expect_eq(verd_offload(same, &result, &result), 0);
    cr_expect_eq(result, &result);
    verd_hub_close(hub);
}

/* ---- deadlocks ---- */

static verd_thread *parked;
static int deadlocks;

static void note_deadlock(void)
{
    deadlocks++;
    verd_unpark(parked);
}

/* The caller is to park, with nobody to unpark it but the function that is told of deadlocks. */
static void watch_for_deadlocks(void)
{
    parked = verd_self();
    verd_on_deadlock(note_deadlock);
}

static void unpark(void *thread)
{
    verd_unpark(thread);
}

static void *post_unpark(void *hub)
{
    while (verd_post(hub, unpark, parked) != 0)
        sched_yield();
    return NULL;
}

Test(offload, nothing_is_a_deadlock_while_there_is_a_handle)
{
    pthread_t os_thread;
    verd_hub *hub = verd_hub_open();
    watch_for_deadlocks();
    pthread_create(&os_thread, NULL, post_unpark, hub);
    verd_park();
    pthread_join(os_thread, NULL);
    cr_assert_eq(deadlocks, 0);
}

Test(offload, a_deadlock_is_seen_once_the_last_handle_is_closed)
{
    watch_for_deadlocks();
    verd_hub_close(verd_hub_open());
    verd_park();
    cr_assert_eq(deadlocks, 1);
}

static void *close_from_elsewhere(void *hub)
{
    verd_hub_close(hub);
    return NULL;
}

Test(offload, a_deadlock_is_seen_when_another_os_thread_closes_the_last_handle)
{
    pthread_t os_thread;
    verd_hub *hub = verd_hub_open();
    verd_yield();
    watch_for_deadlocks();
    pthread_create(&os_thread, NULL, close_from_elsewhere, hub);
    verd_park();
    pthread_join(os_thread, NULL);
    cr_assert_eq(deadlocks, 1);
}

/* ---- forks ---- */

static int runs;

static void count_and_unpark(void *thread)
{
    runs++;
    verd_unpark(thread);
}

/* Posts to a hub of before the fork. */
static void post_in_child(void *hub)
{
    if (verd_post(hub, count_and_unpark, verd_self()) != 0)
        _exit(1);
    verd_park();
    _exit(runs == 1 ? 0 : 2);
}

Test(offload, the_child_of_a_fork_has_a_hub_of_its_own_behind_the_handle)
{
    verd_hub *hub = verd_hub_open();
    verd_yield();
    cr_assert_eq(process_run(post_in_child, hub).status, 0);
}

Test(offload, what_was_posted_before_a_fork_runs_in_the_parent_alone)
{
    verd_hub *hub = verd_hub_open();
    verd_yield();
    verd_post(hub, count_and_unpark, verd_self());
    cr_assert_eq(process_run(post_in_child, hub).status, 0);
    verd_park();
    cr_assert_eq(runs, 1);
}

static void post_to_a_stranger(void *hub)
{
    _exit(verd_post(hub, nothing, NULL) == -1 && errno == EPIPE ? 0 : 1);
}

static _Atomic(bool) over;

static void *keep_hub_open(void *arg)
{
    verd_hub *hub = verd_hub_open();
    atomic_store(&shared, hub);
    while (!atomic_load(&over))
        verd_sleep(VERD_MS);
    verd_hub_close(hub);
    return arg;
}

Test(offload, in_the_child_of_a_fork_the_hubs_of_other_os_threads_are_EPIPE)
{
    pthread_t os_thread;
    pthread_create(&os_thread, NULL, keep_hub_open, NULL);
    while (atomic_load(&shared) == NULL)
        sched_yield();
    cr_assert_eq(process_run(post_to_a_stranger, shared).status, 0);
    atomic_store(&over, true);
    pthread_join(os_thread, NULL);
}
