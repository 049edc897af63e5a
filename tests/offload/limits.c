/* SPDX-License-Identifier: MIT */

/* Each kind of what is offloaded has limits of its own, and what was given up does not count. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdatomic.h>
#include <unistd.h>

#include <verd.h>

#include "caller.h"
#include "gate.h"
#include "offload/interrupt.h"
#include "leak.h"
#include "offload/offload.h"
#include "offload/task.h"
#include "offload/workers.h"
#include "process.h"
#include "shortage.h"

#define OS_STACK \
    ((size_t)9 * 1024 * 1024) /* of an OS thread, as glibc has it where nothing else is said */

static void begin_at_gate(void)
{
    alarm(60);
    need_address_space(2 * VERD_OFFLOAD_KINDS * VERD_OFFLOAD_THREADS * OS_STACK);
    gate_make();
}

static void *do_nothing(void *arg)
{
    return arg;
}

static enum verd_offload_kind kind_played;

static int offload_gate(struct caller *self)
{
    const struct verd__offload offload = {.kind = kind_played, .fn = gate_pass};
    return verd__offload(&offload, &self->item);
}

static int offload_nothing(struct caller *self)
{
    const struct verd__offload offload = {.kind = kind_played, .fn = do_nothing};
    return verd__offload(&offload, &self->item);
}

static struct verd_offload_counts stats(enum verd_offload_kind kind)
{
    struct verd_offload_counts counts;
    cr_assert_eq(verd_offload_stats(kind, &counts), 0);
    return counts;
}

static void occupy(struct caller *callers, enum verd_offload_kind kind)
{
    int before = gate.begun;
    kind_played = kind;
    for (int i = 0; i < VERD_OFFLOAD_THREADS; i++)
        caller_start(&callers[i], offload_gate, NULL, NULL);
    gate_await(&gate.begun, before + VERD_OFFLOAD_THREADS);
}

/* Its caller has given it up. */
static void leave_stuck(enum verd_offload_kind kind, int tasks)
{
    kind_played = kind;
    for (int i = 0; i < tasks; i++) {
        struct caller caller;
        int before = gate.begun;
        caller_start(&caller, offload_gate, NULL, NULL);
        gate_await(&gate.begun, before + 1);
        verd_kill(caller.thread);
        cr_assert_eq(caller_end(&caller), -ECANCELED);
    }
}

Test(offload, slow_tasks_of_one_kind_hold_up_none_of_another)
{
    static struct caller callers[VERD_OFFLOAD_KINDS][VERD_OFFLOAD_THREADS];
    struct caller other = {0};
    begin_at_gate();
    for (int kind = 0; kind < VERD_OFFLOAD_KINDS; kind++) {
        kind_played = (enum verd_offload_kind)kind;
        cr_assert_eq(offload_nothing(&other), 0);
        occupy(callers[kind], (enum verd_offload_kind)kind);
    }
    gate_open();
    for (int i = 0; i < VERD_OFFLOAD_KINDS * VERD_OFFLOAD_THREADS; i++)
        cr_assert_eq(caller_end(&callers[0][0] + i), 0);
}

Test(offload, slow_functions_hold_up_no_name_and_no_file)
{
    static struct caller callers[VERD_OFFLOAD_THREADS];
    struct addrinfo *found = NULL;
    struct stat status;
    begin_at_gate();
    occupy(callers, VERD_OFFLOAD_FUNCTIONS);
    cr_assert_eq(verd_getaddrinfo("localhost", NULL, NULL, &found), 0);
    freeaddrinfo(found);
    cr_assert_eq(verd_stat("/", &status), 0);
    close(verd_open("/", O_RDONLY));
    cr_assert_eq(gate.over, 0);
    gate_open();
    for (int i = 0; i < VERD_OFFLOAD_THREADS; i++)
        caller_end(&callers[i]);
}

Test(offload, what_was_given_up_counts_no_longer)
{
    struct caller other = {0};
    begin_at_gate();
    for (int kind = 0; kind < VERD_OFFLOAD_KINDS; kind++) {
        leave_stuck((enum verd_offload_kind)kind, VERD_OFFLOAD_THREADS);
        cr_assert_eq(offload_nothing(&other), 0);
        cr_assert_eq(stats((enum verd_offload_kind)kind).stuck, VERD_OFFLOAD_THREADS);
    }
    cr_assert_eq(gate.over, 0);
    gate_open();
}

/* Also for those in line already: nobody else comes for whom an OS thread would be started. */
Test(offload, what_waits_in_line_begins_when_what_runs_is_given_up)
{
    static struct caller callers[VERD_OFFLOAD_THREADS];
    struct caller next;
    begin_at_gate();
    occupy(callers, VERD_OFFLOAD_FILES);
    caller_start(&next, offload_nothing, NULL, NULL);
    verd_kill(callers[0].thread);
    cr_assert_eq(caller_end(&callers[0]), -ECANCELED);
    cr_assert_eq(caller_end(&next), 0);
    gate_open();
    for (int i = 1; i < VERD_OFFLOAD_THREADS; i++)
        cr_assert_eq(caller_end(&callers[i]), 0);
}

Test(offload, os_threads_of_what_was_given_up_end_with_it)
{
    begin_at_gate();
    leave_stuck(VERD_OFFLOAD_OPENS, VERD_OFFLOAD_THREADS + 3);
    cr_assert_eq(stats(VERD_OFFLOAD_OPENS).threads, VERD_OFFLOAD_THREADS + 3);
    gate_open();
    while (stats(VERD_OFFLOAD_OPENS).threads > VERD_OFFLOAD_THREADS)
        verd_sleep(VERD_MS);
    cr_assert_eq(stats(VERD_OFFLOAD_OPENS).stuck, 0);
}

Test(offload, where_too_much_is_stuck_a_kind_without_an_os_thread_left_is_EBUSY_and_others_go_on)
{
    struct caller other = {0};
    begin_at_gate();
    verd__workers_bound(2);
    verd__workers_resize(VERD_OFFLOAD_OPENS, 2);
    leave_stuck(VERD_OFFLOAD_OPENS, 4);
    cr_assert_eq(caller_outcome(verd_open("/", O_RDONLY)), -EBUSY);
    kind_played = VERD_OFFLOAD_FILES;
    cr_assert_eq(offload_nothing(&other), 0);
    gate_open();
    while (stats(VERD_OFFLOAD_OPENS).stuck > 0)
        verd_sleep(VERD_MS);
    cr_assert_geq(verd_open("/", O_RDONLY), 0);
}

Test(offload, stats_tell_of_limits_threads_lines_and_tasks)
{
    static struct caller callers[3];
    begin_at_gate();
    verd_offload_resize(1);
    kind_played = VERD_OFFLOAD_FUNCTIONS;
    for (int i = 0; i < 3; i++)
        caller_start(&callers[i], offload_gate, NULL, NULL);
    gate_await(&gate.begun, 1);
    struct verd_offload_counts counts = stats(VERD_OFFLOAD_FUNCTIONS);
    cr_assert(counts.limit == 1 && counts.threads == 1 && counts.idle == 0);
    cr_assert(counts.waiting == 2 && counts.stuck == 0 && counts.total == 3);
    gate_open();
    for (int i = 0; i < 3; i++)
        caller_end(&callers[i]);
    while (stats(VERD_OFFLOAD_FUNCTIONS).idle == 0)
        verd_sleep(VERD_MS);
    cr_assert_eq(stats(VERD_OFFLOAD_NAMES).total, 0);
}

/* Two are in line, and one runs. */
Test(offload, more_os_threads_are_started_for_those_in_line_alone)
{
    struct caller callers[3];
    begin_at_gate();
    kind_played = VERD_OFFLOAD_FUNCTIONS;
    cr_assert_eq(verd_offload_resize(1), 0);
    for (int i = 0; i < 3; i++)
        caller_start(&callers[i], offload_gate, NULL, NULL);
    gate_await(&gate.begun, 1);
    cr_assert_eq(verd_offload_resize(VERD_OFFLOAD_THREADS), 0);
    cr_expect_eq(stats(VERD_OFFLOAD_FUNCTIONS).threads, 3);
    gate_await(&gate.begun, 3);
    gate_open();
    for (int i = 0; i < 3; i++)
        caller_end(&callers[i]);
}

Test(offload, stats_of_no_kind_are_EINVAL)
{
    struct verd_offload_counts counts;
    cr_assert_eq(caller_outcome(verd_offload_stats(VERD_OFFLOAD_KINDS, &counts)), -EINVAL);
    cr_assert_eq(caller_outcome(verd_offload_stats(VERD_OFFLOAD_NAMES, NULL)), -EINVAL);
}

/* ---- interruptions ---- */

static void *pass_gate_unless_meant(void *arg)
{
    char byte;
    atomic_fetch_add(&gate.begun, 1);
    while (read(gate.fds[0], &byte, 1) < 0 && errno == EINTR && !verd__interrupt_is_meant())
        ;
    atomic_fetch_add(&gate.interrupted, verd__interrupt_is_meant());
    return arg;
}

static int finish_gate(struct caller *self)
{
    const struct verd__offload offload = {.kind = VERD_OFFLOAD_DEVICES,
                                          .fn = pass_gate_unless_meant,
                                          .slice = *(verd_duration *)self->object};
    struct verd__scheduler *scheduler = verd__scheduler();
    return verd__offload_finish(scheduler, &offload);
}

Test(offload, a_system_call_is_interrupted_when_its_caller_gives_up)
{
    verd_duration slice = 0;
    struct caller caller;
    begin_at_gate();
    for (int i = 1; i <= 20; i++) {
        caller_start(&caller, finish_gate, &slice, NULL);
        gate_await(&gate.begun, i);
        verd_kill(caller.thread);
        cr_assert_eq(caller_end(&caller), 0);
        cr_assert_eq(gate.interrupted, i);
    }
    cr_assert_eq(stats(VERD_OFFLOAD_DEVICES).stuck, 0);
}

Test(offload, a_system_call_is_interrupted_when_its_slice_is_over)
{
    verd_duration slice = 5 * VERD_MS;
    struct caller caller;
    begin_at_gate();
    for (int i = 1; i <= 5; i++) {
        caller_start(&caller, finish_gate, &slice, NULL);
        cr_assert_eq(caller_end(&caller), 0);
        cr_assert_eq(gate.interrupted, i);
    }
}

/* Those in front of it have their slices first. */
Test(offload, a_slice_begins_with_the_task)
{
    verd_duration slice = 20 * VERD_MS;
    static struct caller callers[4];
    begin_at_gate();
    verd__workers_resize(VERD_OFFLOAD_DEVICES, 1);
    for (int i = 0; i < 4; i++)
        caller_start(&callers[i], finish_gate, &slice, NULL);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(caller_end(&callers[i]), 0);
    cr_assert(gate.begun == 4 && gate.interrupted == 4);
}

/* A function that heeds no interruption. */
static int finish_stubborn(struct caller *self)
{
    const struct verd__offload offload = {.kind = VERD_OFFLOAD_FILES, .fn = gate_pass};
    (void)self;
    return verd__offload_finish(verd__scheduler(), &offload);
}

static void *pass_gate_at_last(void *arg)
{
    char byte;
    atomic_fetch_add(&gate.begun, 1);
    while (read(gate.fds[0], &byte, 1) < 0 && errno == EINTR)
        ;
    atomic_fetch_add(&gate.over, 1);
    return arg;
}

static int finish_deaf(struct caller *self)
{
    const struct verd__offload offload = {.kind = VERD_OFFLOAD_FILES, .fn = pass_gate_at_last};
    (void)self;
    return verd__offload_finish(verd__scheduler(), &offload);
}

Test(offload, a_caller_is_rid_of_what_heeds_no_interruption_after_a_while)
{
    struct caller caller;
    begin_at_gate();
    caller_start(&caller, finish_deaf, NULL, NULL);
    gate_await(&gate.begun, 1);
    verd_kill(caller.thread);
    cr_assert_eq(caller_end(&caller), -ECANCELED);
    cr_assert(gate.over == 0 && stats(VERD_OFFLOAD_FILES).stuck == 1);
    gate_open();
    gate_await(&gate.over, 1);
}

Test(offload, what_a_caller_that_gave_up_was_finishing_succeeds_if_it_ends_in_time)
{
    struct caller caller;
    begin_at_gate();
    caller_start(&caller, finish_stubborn, NULL, NULL);
    gate_await(&gate.begun, 1);
    verd_kill(caller.thread);
    cr_assert_eq(caller_end(&caller), 0);
    cr_assert_eq(gate.over, 1);
}

/* ---- the child of a fork ---- */

#define MANY 200

static size_t allocated_before;

static bool tasks_are_freed(void)
{
    return !leak_is_told() ||
           allocated_before - leak_allocated() >= MANY * sizeof(struct verd__task);
}

Test(offload, what_others_had_offloaded_takes_no_memory_in_the_child_of_a_fork)
{
    static struct caller callers[MANY];
    begin_at_gate();
    kind_played = VERD_OFFLOAD_FUNCTIONS;
    for (int i = 0; i < MANY; i++)
        caller_start(&callers[i], offload_gate, NULL, NULL);
    gate_await(&gate.begun, VERD_OFFLOAD_THREADS);
    allocated_before = leak_allocated();
    cr_assert(process_child_finds(tasks_are_freed));
    gate_open();
    for (int i = 0; i < MANY; i++)
        cr_expect_eq(caller_end(&callers[i]), 0);
}
