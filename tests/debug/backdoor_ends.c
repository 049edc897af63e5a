/* SPDX-License-Identifier: MIT */

/* The end of a backdoor while its hub is asked, and what it leaves as it is without one. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <verd.h>

#include "backdoor.h"
#include "process.h"

/* ---- while a question is on its way ---- */

static void ask_in_vain(void)
{
    client_meet_holder();
    client_ask_in_vain();
    client_let_go();
    client_hear(NULL);
}

static void ask_and_leave(void)
{
    client_meet_holder();
    client_ask_in_vain();
    client_leave();
    client_come_in();
    client_ask_in_vain(); /* it has been seen to leave */
    client_let_go();
    client_hear("holds "); /* what it has asked is answered, too */
}

static size_t descriptors;

/* Once, so that there is all that stays. Of the door's own there are two more. */
static void count_descriptors(void)
{
    door_open();
    door_close();
    descriptors = process_descriptors();
}

Test(debug, an_answer_for_nobody_leaves_nothing)
{
    count_descriptors();
    hold_by(hold_computing, ask_and_leave);
    client_end();
    while (process_descriptors() != descriptors + 2)
        verd_sleep(VERD_MS);
    door_close();
}

static void compute_and_close(void)
{
    hold_computing();
    verd_backdoor(NULL);
}

Test(debug, a_backdoor_can_be_closed_while_its_hub_is_asked)
{
    hold_by(compute_and_close, ask_in_vain);
    client_end(); /* and the hub has come to the question */
    cr_assert(has_heard(EXCUSE) && !has_heard("threads_made"), "%s", heard);
    door_expect_gone();
}

static void *compute(void *arg)
{
    hold_computing();
    return arg;
}

static void *compute_and_leave(void *arg)
{
    const verd_attr attr = {.name = "holder"};
    if (verd_backdoor(door_path) != 0)
        return NULL;
    client_begin(ask_in_vain);
    verd_join(verd_spawn_with(&attr, compute, NULL), NULL);
    return arg;
}

Test(debug, an_os_thread_can_end_while_it_is_asked_by_its_backdoor)
{
    pthread_t thread;
    door_choose_path();
    pthread_create(&thread, NULL, compute_and_leave, NULL);
    pthread_join(thread, NULL);
    client_end();
    cr_assert(has_heard(EXCUSE), "%s", heard);
    door_expect_gone();
}

static bool child_has_none;

/* The others are those of hold_by and the client's. */
static bool has_no_descriptors(void)
{
    return process_descriptors() == descriptors + 3 && access(door_path, F_OK) == 0;
}

static bool has_no_door(void)
{
    return has_no_descriptors() && verd_backdoor(NULL) == -1 && errno == EINVAL;
}

static void compute_and_fork(void)
{
    hold_computing();
    child_has_none = process_child_finds(has_no_door);
}

static void ask_before_fork(void)
{
    client_meet_holder();
    client_ask_in_vain();
    client_let_go();
    client_hear("holds ");
}

Test(debug, the_child_of_a_fork_has_nothing_of_a_backdoor_whose_hub_is_asked)
{
    count_descriptors();
    hold_by(compute_and_fork, ask_before_fork);
    client_end();
    cr_assert(child_has_none);
    EXPECT_HEARD("holds ");
    door_close();
}

static void never(void)
{
    _exit(1);
}

static int from_parent[2];
static _Atomic(bool) has_asked;

/* When the child's hub has nothing more to look after by itself. */
static void ask_and_write_later(void)
{
    client_come_in();
    client_ask("stats\n");
    client_hear("holds ");
    atomic_store(&has_asked, true);
    usleep(300000);
    (void)!write(from_parent[1], "x", 1);
}

static bool can_wait_for_input(void)
{
    char byte;
    verd_on_deadlock(never);
    return verd_read(from_parent[0], &byte, 1) == 1;
}

Test(debug, the_child_of_a_fork_waits_as_without_a_backdoor)
{
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, from_parent), 0);
    door_open();
    client_begin(ask_and_write_later);
    while (!atomic_load(&has_asked)) /* all OS threads are there, beside which it forks */
        verd_sleep(VERD_MS);
    cr_assert(process_child_finds(can_wait_for_input));
    client_end();
    door_close();
}

/* An OS thread that has no backdoor. */
static void ask_and_fork(void)
{
    client_meet_holder();
    client_ask_in_vain();
    child_has_none = process_child_finds(has_no_descriptors);
    client_let_go();
    client_hear("holds ");
}

Test(debug, the_child_of_another_os_threads_fork_has_nothing_of_a_backdoor)
{
    count_descriptors();
    hold_by(hold_computing, ask_and_fork);
    client_end();
    cr_assert(child_has_none);
    door_close();
}

/* ---- what is as it is without ---- */

Test(debug, a_backdoor_of_which_nobody_asks_anything_sleeps)
{
    if (UNDER_TSAN)
        cr_skip_test("thread sanitizer has an OS thread that does something now and then");
    door_open();
    client_come_in();
    while (process_waits_of_others() == 0)
        verd_sleep(VERD_MS);
    verd_sleep(100 * VERD_MS);
    long before = process_waits_of_others();
    verd_sleep(100 * VERD_MS);
    cr_assert_eq(process_waits_of_others(), before);
    client_leave();
    door_close();
}

static verd_thread *stuck;

static void end_deadlock(void)
{
    verd_unpark(stuck);
}

static void park_in_deadlock(void)
{
    stuck = verd_self();
    verd_on_deadlock(end_deadlock);
    cr_assert_eq(verd_park(), 0);
}

Test(debug, a_deadlock_is_seen_while_a_backdoor_is_open)
{
    door_open();
    park_in_deadlock();
    client_come_in();
    park_in_deadlock();
    client_leave();
    door_close();
    park_in_deadlock();
}

static void ask_figures(void)
{
    client_come_in();
    client_ask("stats\n");
    client_hear(END_OF_ANSWER);
}

Test(debug, a_deadlock_is_seen_after_a_backdoor_has_asked_the_hub)
{
    door_open();
    client_begin(ask_figures);
    client_end();
    EXPECT_HEARD("holds ");
    park_in_deadlock();
    door_close();
}

static void unpark_stuck(void *arg)
{
    (void)arg;
    verd_unpark(stuck);
}

static void *post_later(void *hub)
{
    usleep(200000); /* when the hub has nothing more to look after by itself */
    verd_post(hub, unpark_stuck, NULL);
    return NULL;
}

static void be_posted_to(verd_hub *hub)
{
    pthread_t thread;
    stuck = verd_self();
    verd_on_deadlock(never);
    pthread_create(&thread, NULL, post_later, hub);
    cr_assert_eq(verd_park(), 0);
    pthread_join(thread, NULL);
}

Test(debug, who_may_post_keeps_a_deadlock_from_being_seen_with_a_backdoor_as_without)
{
    door_open();
    verd_yield(); /* its hub listens */
    verd_hub *hub = verd_hub_open();
    be_posted_to(hub);
    verd_hub_close(hub);
    park_in_deadlock();
    hub = verd_hub_open();
    door_close();
    be_posted_to(hub);
    verd_hub_close(hub);
    park_in_deadlock();
}

Test(debug, a_backdoor_that_comes_and_goes_leaves_who_may_post)
{
    verd_hub *hub = verd_hub_open();
    be_posted_to(hub);
    door_open();
    be_posted_to(hub);
    door_close();
    be_posted_to(hub);
    verd_hub_close(hub);
    park_in_deadlock();
}

/* ---- its path ---- */

Test(debug, what_another_has_put_at_the_path_of_a_backdoor_stays_when_it_is_closed)
{
    door_open();
    cr_assert_eq(unlink(door_path), 0);
    int other = verd_listen_unix(door_path, 0);
    cr_assert_geq(other, 0);
    cr_assert_eq(verd_backdoor(NULL), 0);
    cr_expect_eq(access(door_path, F_OK), 0);
    unlink(door_path);
    verd_close(other);
}

Test(debug, a_backdoor_of_a_relative_path_is_taken_away_wherever_the_process_is)
{
    char directory[] = "/tmp/verd-door-XXXXXX", path[64];
    cr_assert(mkdtemp(directory) != NULL && chdir(directory) == 0);
    snprintf(path, sizeof path, "%s/door", directory);
    cr_assert_eq(verd_backdoor("door"), 0);
    cr_assert(access(path, F_OK) == 0 && chdir("/") == 0);
    cr_assert_eq(verd_backdoor(NULL), 0);
    cr_expect_neq(access(path, F_OK), 0);
    cr_expect_eq(rmdir(directory), 0);
}
