/* SPDX-License-Identifier: MIT */

/* Without memory for stacks: nobody is harmed, nobody is lost, and one line says so. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/resource.h>

#include <verd.h>

#include "process.h"
#include "sched/scheduler.h"

#define TOLD "no memory for the stack of thread"

/* Each in a child process, which says on stderr what it found. */
static void say(const char *text)
{
    ssize_t n = write(STDERR_FILENO, text, strlen(text));
    (void)n;
}

/* Leaves address space for the first arenas only. */
static void limit_memory(long mebibytes)
{
    verd_self();
    rlim_t limit = (rlim_t)(process_kib("VmSize") + mebibytes * 1024) * 1024;
    struct rlimit space = {limit, RLIM_INFINITY};
    setrlimit(RLIMIT_AS, &space);
}

static void lift_limit(void)
{
    struct rlimit space = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_AS, &space);
}

static struct process_end run_limited(void (*fn)(void *))
{
    if (process_is_limited())
        cr_skip_test("the address space is limited already");
    if (UNDER_SANITIZER)
        cr_skip_test("sanitizers need address space without limit");
    if (process_is_emulated())
        cr_skip_test("the emulator does not apply limits of address space");
    return process_run(fn, NULL);
}

static void *park(void *arg)
{
    verd_park();
    return arg;
}

static void spawn_with_until_it_fails(void *arg)
{
    (void)arg;
    limit_memory(40);
    errno = 0;
    while (verd_spawn_with(NULL, park, NULL) != NULL)
        ;
    say(errno == ENOMEM ? "ENOMEM" : "other");
}

Test(sched, spawning_with_attributes_without_memory_for_a_stack_is_ENOMEM)
{
    cr_assert_str_eq(run_limited(spawn_with_until_it_fails).text, "ENOMEM");
}

static void spawn_until_it_fails(void *arg)
{
    (void)arg;
    limit_memory(1);
    errno = 0;
    while (verd_spawn(park, NULL) != NULL)
        ;
    say(errno == ENOMEM ? "ENOMEM" : "other");
}

Test(sched, spawning_without_memory_for_a_control_block_is_ENOMEM)
{
    cr_assert_str_eq(run_limited(spawn_until_it_fails).text, "ENOMEM");
}

static void *give_back(void *arg)
{
    return arg;
}

/* For the thread that has a stack already, there is no control block. */
static void spawn_without_blocks(void *arg)
{
    (void)arg;
    verd_join(verd_spawn(give_back, NULL), NULL);
    const struct verd__scheduler *scheduler = verd__scheduler();
    const struct verd__stack_class *class = &scheduler->stacks.classes[scheduler->default_class];
    limit_memory(0);
    while (verd_spawn(park, NULL) != NULL)
        ;
    size_t cached = class->cached_count;
    bool failed = verd_spawn_with(NULL, park, NULL) == NULL && errno == ENOMEM;
    say(cached > 0 && failed && class->cached_count == cached ? "given back" : "lost");
}

Test(sched, spawning_with_attributes_without_memory_for_a_control_block_gives_the_stack_back)
{
    cr_assert_str_eq(run_limited(spawn_without_blocks).text, "given back");
}

enum { MANY = 500 };
static verd_thread *threads[MANY];
static size_t started, out_of_order, ended;

static void *park_in_turn(void *number)
{
    out_of_order += (size_t)(uintptr_t)number != started++;
    verd_park();
    ended++;
    return NULL;
}

static void spawn_in_turn(void)
{
    for (size_t i = 0; i < MANY; i++)
        threads[i] = verd_spawn(park_in_turn, (void *)(uintptr_t)i);
    verd_yield();
}

static void end_in_turn(void)
{
    for (size_t i = 0; i < MANY; i++) {
        verd_unpark(threads[i]);
        verd_join(threads[i], NULL);
    }
}

static void run_starved(void *arg)
{
    (void)arg;
    limit_memory(40);
    spawn_in_turn();
    say(started > 0 && started < MANY ? "starved " : "not starved ");
    end_in_turn();
    say(ended == MANY ? "all ended " : "lost ");
    say(out_of_order == 0 ? "in order" : "out of order");
}

Test(sched, threads_that_lack_a_stack_run_when_others_end)
{
    struct process_end end = run_limited(run_starved);
    cr_assert(strstr(end.text, "starved all ended in order") != NULL, "%s", end.text);
}

Test(sched, a_lack_of_stacks_is_told_in_one_line)
{
    struct process_end end = run_limited(run_starved);
    cr_assert_eq(process_count(end.text, TOLD), 1);
}

static void idle_starved(void *arg)
{
    (void)arg;
    limit_memory(40);
    spawn_in_turn();
    verd_sleep(60 * VERD_MS); /* long enough to look for memory anew several times */
}

Test(sched, a_lack_of_stacks_that_lasts_is_told_once)
{
    struct process_end end = run_limited(idle_starved);
    cr_assert_eq(process_count(end.text, TOLD), 1);
}

static void get_memory_back(void *arg)
{
    (void)arg;
    limit_memory(40);
    spawn_in_turn();
    lift_limit();
    for (int i = 0; i < 1000 && started < MANY; i++)
        verd_sleep(10 * VERD_MS); /* nobody ends: it has to be tried again */
    say(started == MANY ? "all started " : "still starved ");
    say(out_of_order == 0 ? "in order" : "out of order");
}

Test(sched, threads_that_lack_a_stack_start_when_there_is_memory_again)
{
    struct process_end end = run_limited(get_memory_back);
    cr_assert(strstr(end.text, "all started in order") != NULL, "%s", end.text);
}

static void end_large_stack(void *arg)
{
    (void)arg;
    verd_attr attr = {.stack_size = 1024 * 1024};
    limit_memory(120); /* an arena of large stacks takes 65 of them */
    verd_thread *large = verd_spawn_with(&attr, park, NULL);
    spawn_in_turn();
    verd_unpark(large);
    verd_join(large, NULL); /* ends on a stack that is none for the others */
    end_in_turn();
    say(out_of_order == 0 && ended == MANY ? "in order" : "out of order");
}

Test(sched, the_end_of_a_thread_with_another_stack_size_keeps_the_order_of_those_that_lack_one)
{
    struct process_end end = run_limited(end_large_stack);
    cr_assert(strstr(end.text, "in order") && !strstr(end.text, "out of order"), "%s", end.text);
}

Test(sched, the_end_of_a_thread_with_another_stack_size_tells_nothing_anew)
{
    struct process_end end = run_limited(end_large_stack);
    cr_assert_eq(process_count(end.text, TOLD), 1);
}

static void kill_starved(void *arg)
{
    (void)arg;
    size_t cancelled = 0;
    limit_memory(40);
    spawn_in_turn();
    for (size_t i = started; i < MANY; i++)
        cancelled += verd_kill(threads[i]) == 0 && verd_join(threads[i], NULL) == -1;
    say(cancelled == MANY - started ? "all killed " : "some survived ");
    for (size_t i = 0, all = started; i < all; i++) {
        verd_unpark(threads[i]);
        verd_join(threads[i], NULL);
    }
    say(ended == started ? "the others ended" : "some lost");
}

Test(sched, threads_that_lack_a_stack_can_be_killed)
{
    struct process_end end = run_limited(kill_starved);
    cr_assert(strstr(end.text, "all killed the others ended") != NULL, "%s", end.text);
}

static void overtake(void *arg)
{
    (void)arg;
    verd_thread *bound[40];
    limit_memory(40);
    for (int i = 0; i < 40; i++)
        bound[i] = verd_spawn_with(NULL, park, NULL);
    spawn_in_turn();
    size_t before = started;
    for (int i = 0; i < 40; i++)
        verd_kill(bound[i]);
    end_in_turn();
    say(before < MANY && out_of_order == 0 ? "in order" : "out of order");
}

Test(sched, threads_that_come_later_do_not_overtake_those_that_lack_a_stack)
{
    struct process_end end = run_limited(overtake);
    cr_assert(strstr(end.text, "in order") && !strstr(end.text, "out of order"), "%s", end.text);
}

static void switch_without_memory(void *arg)
{
    (void)arg;
    limit_memory(1);
    verd_spawn(park, NULL);
    errno = EDOM;
    verd_sleep(15 * VERD_MS);
    say(errno == EDOM ? "kept" : "changed");
}

Test(sched, a_failure_to_find_a_stack_for_another_thread_keeps_errno)
{
    struct process_end end = run_limited(switch_without_memory);
    cr_assert(strstr(end.text, "kept") && strstr(end.text, TOLD), "%s", end.text);
}

static void *lift_limit_later(void *arg)
{
    struct timespec span = {
        0, 50 * VERD_MS}; /* by then it has been tried in vain, and nobody can run */
    nanosleep(&span, NULL);
    lift_limit();
    return arg;
}

static verd_event all_started = VERD_EVENT_INIT;

static void *tell_start(void *number)
{
    if (++started == MANY)
        verd_event_set(&all_started, NULL);
    verd_park();
    return number;
}

/* Nothing else is waited for: no deadline is near, and no descriptor. */
static void wait_for_nothing_else(void *arg)
{
    pthread_t os_thread;
    (void)arg;
    pthread_create(&os_thread, NULL, lift_limit_later, NULL);
    limit_memory(40);
    for (size_t i = 0; i < MANY; i++)
        threads[i] = verd_spawn(tell_start, NULL);
    say(verd_event_wait(&all_started, NULL) == 0 ? "all started" : "still starved");
}

Test(sched, threads_that_lack_a_stack_start_when_there_is_memory_again_though_nobody_else_ever_runs)
{
    struct process_end end = run_limited(wait_for_nothing_else);
    cr_assert(strstr(end.text, "all started") != NULL, "%s", end.text);
}

/* As many as before have a stack at once. */
static bool all_start_in_turn(void)
{
    size_t before = started;
    started = 0;
    spawn_in_turn();
    bool starved = started == before;
    end_in_turn();
    return starved && ended == MANY && out_of_order == 0;
}

static void fork_starved(void *arg)
{
    (void)arg;
    limit_memory(40);
    spawn_in_turn();
    say(started < MANY && process_child_finds(all_start_in_turn) ? "as before" : "not as before");
}

Test(sched, threads_that_lack_a_stack_run_when_others_end_in_the_child_of_a_fork_as_well)
{
    struct process_end end = run_limited(fork_starved);
    cr_assert(strstr(end.text, "as before") && !strstr(end.text, "not as before"), "%s", end.text);
}

/* The stack that was found for them is kept for others. */
static void kill_all_starved(void *arg)
{
    (void)arg;
    const struct verd__scheduler *scheduler = verd__scheduler();
    const struct verd__stack_class *class = &scheduler->stacks.classes[scheduler->default_class];
    limit_memory(40);
    spawn_in_turn();
    for (size_t i = started; i < MANY; i++)
        verd_kill(threads[i]);
    say(started < MANY && class->cached == NULL && class->spare == NULL ? "starved "
                                                                        : "not starved ");
    lift_limit();
    verd_sleep(VERD_MS);
    say(class->cached != NULL || class->spare != NULL ? "kept" : "lost");
}

Test(sched, the_stack_that_comes_when_all_who_lack_one_were_killed_is_not_lost)
{
    struct process_end end = run_limited(kill_all_starved);
    cr_assert(strstr(end.text, "starved kept") && !strstr(end.text, "not starved"), "%s", end.text);
}
