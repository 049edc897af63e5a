/* SPDX-License-Identifier: MIT */

/* Functions that block, on OS threads of their own. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <verd.h>

#include "caller.h"
#include "gate.h"
#include "offload/inbox.h"
#include "offload/workers.h"
#include "process.h"

static void *give_back(void *arg)
{
    return arg;
}

static int offload_gate(struct caller *self)
{
    return verd_offload(gate_pass, self->object, &self->item);
}

/* ---- results ---- */

Test(offload, an_offloaded_function_returns_its_result)
{
    void *result = NULL;
    cr_assert_eq(verd_offload(give_back, "result", &result), 0);
    cr_assert_str_eq(result, "result");
}

static void *own_os_thread(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    return NULL;
}

Test(offload, an_offloaded_function_runs_on_another_os_thread)
{
    pthread_t os_thread;
    verd_offload(own_os_thread, &os_thread, NULL);
    cr_assert_not(pthread_equal(os_thread, pthread_self()));
}

static void *fail(void *arg)
{
    errno = EXDEV;
    return arg;
}

Test(offload, an_offloaded_function_passes_its_errno_on)
{
    errno = 0;
    cr_assert_eq(verd_offload(fail, NULL, NULL), 0);
    cr_assert_eq(errno, EXDEV);
}

Test(offload, an_offloaded_function_that_sets_no_errno_leaves_the_callers)
{
    errno = EXDEV;
    verd_offload(give_back, NULL, NULL);
    cr_assert_eq(errno, EXDEV);
}

Test(offload, offloading_no_function_is_EINVAL)
{
    cr_assert(verd_offload(NULL, NULL, NULL) == -1 && errno == EINVAL);
}

static void *square(void *arg)
{
    uintptr_t n = (uintptr_t)arg;
    usleep((useconds_t)(n * 7919 % 1000));
    return (void *)(n * n);
}

static int offload_square(struct caller *self)
{
    return verd_offload(square, self->object, &self->item);
}

Test(offload, a_hundred_offloading_threads_get_each_its_own_result)
{
    static struct caller callers[100];
    int right = 0;
    for (uintptr_t i = 0; i < 100; i++)
        caller_start(&callers[i], offload_square, (void *)i, NULL);
    for (uintptr_t i = 0; i < 100; i++)
        right += caller_end(&callers[i]) == 0 && callers[i].item == (void *)(i * i);
    cr_assert_eq(right, 100);
}

static void *offload_many(void *arg)
{
    uintptr_t right = 0;
    for (uintptr_t i = 0; i < 50; i++) {
        void *result = NULL;
        right += verd_offload(square, (void *)i, &result) == 0 && result == (void *)(i * i);
    }
    *(uintptr_t *)arg = right;
    return NULL;
}

Test(offload, several_os_threads_offload_at_once)
{
    pthread_t os_threads[4];
    uintptr_t right[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&os_threads[i], NULL, offload_many, &right[i]);
    for (int i = 0; i < 4; i++)
        pthread_join(os_threads[i], NULL);
    cr_assert(right[0] == 50 && right[1] == 50 && right[2] == 50 && right[3] == 50);
}

/* ---- the hub goes on ---- */

Test(offload, jobs_that_block_hold_up_no_timer)
{
    static struct caller callers[VERD_OFFLOAD_THREADS];
    gate_make();
    for (int i = 0; i < VERD_OFFLOAD_THREADS; i++)
        caller_start(&callers[i], offload_gate, NULL, NULL);
    gate_await(&gate.begun, VERD_OFFLOAD_THREADS); /* by timers, with all of them blocked */
    cr_assert_eq(gate.over, 0);
    gate_open();
    for (int i = 0; i < VERD_OFFLOAD_THREADS; i++)
        cr_assert_eq(caller_end(&callers[i]), 0);
}

Test(offload, a_job_more_than_there_are_os_threads_waits_in_line)
{
    static struct caller callers[VERD_OFFLOAD_THREADS + 1];
    gate_make();
    for (int i = 0; i <= VERD_OFFLOAD_THREADS; i++)
        caller_start(&callers[i], offload_gate, NULL, NULL);
    gate_await(&gate.begun, VERD_OFFLOAD_THREADS);
    verd_sleep(VERD_MS);
    cr_assert(gate.begun == VERD_OFFLOAD_THREADS &&
              verd__workers_counts().threads == VERD_OFFLOAD_THREADS);
    gate_open();
    for (int i = 0; i <= VERD_OFFLOAD_THREADS; i++)
        cr_assert_eq(caller_end(&callers[i]), 0);
}

static void *pending_signals(void *arg)
{
    pthread_sigmask(SIG_BLOCK, NULL, arg);
    return NULL;
}

Test(offload, offloaded_functions_are_not_interrupted_by_signals)
{
    sigset_t blocked;
    verd_offload(pending_signals, &blocked, NULL);
    cr_assert(sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGCHLD) == 1);
}

Test(offload, starting_an_os_thread_leaves_the_callers_signals_alone)
{
    sigset_t before, after;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    verd_offload(give_back, NULL, NULL);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    cr_assert_eq(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
}

static verd_thread *parked;
static int deadlocks;

static void note_deadlock(void)
{
    deadlocks++;
    verd_unpark(parked);
}

Test(offload, a_deadlock_is_seen_after_an_offload)
{
    verd_offload(give_back, NULL, NULL);
    parked = verd_self();
    verd_on_deadlock(note_deadlock);
    verd_park();
    cr_assert_eq(deadlocks, 1);
}

Test(offload, waiting_for_an_offloaded_function_is_no_deadlock)
{
    struct caller caller;
    verd_on_deadlock(note_deadlock);
    gate_make();
    caller_start(&caller, offload_gate, NULL, NULL);
    gate_open();
    caller_end(&caller);
    cr_assert_eq(deadlocks, 0);
}

/* ---- how many ---- */

Test(offload, no_os_threads_at_all_is_EINVAL)
{
    cr_assert(verd_offload_resize(0) == -1 && errno == EINVAL);
}

Test(offload, more_os_threads_begin_with_those_in_line)
{
    static struct caller callers[8];
    verd_offload_resize(1);
    gate_make();
    for (int i = 0; i < 8; i++)
        caller_start(&callers[i], offload_gate, NULL, NULL);
    gate_await(&gate.begun, 1);
    verd_offload_resize(8);
    gate_await(&gate.begun, 8);
    gate_open();
    for (int i = 0; i < 8; i++)
        cr_assert_eq(caller_end(&callers[i]), 0);
}

Test(offload, fewer_os_threads_finish_what_they_do)
{
    static struct caller callers[8];
    gate_make();
    for (int i = 0; i < 8; i++)
        caller_start(&callers[i], offload_gate, NULL, NULL);
    gate_await(&gate.begun, 8);
    verd_offload_resize(2);
    gate_open();
    for (int i = 0; i < 8; i++)
        cr_assert_eq(caller_end(&callers[i]), 0);
    while (verd__workers_counts().threads > 2)
        verd_sleep(VERD_MS);
    cr_assert_eq(verd_offload(give_back, NULL, NULL), 0);
}

/* ---- giving up ---- */

static void note_release(void *arg, void *result)
{
    if (arg == &gate && (result == NULL || result == &gate))
        atomic_fetch_add(&gate.released, 1);
}

static int offload_gate_with(struct caller *self)
{
    return verd_offload_with(gate_pass, &gate, note_release, &self->item);
}

Test(offload, a_caller_whose_time_runs_out_does_not_wait_for_the_function)
{
    gate_make();
    cr_assert_eq(caller_within(VERD_MS, offload_gate, NULL, NULL), -ETIMEDOUT);
    gate_open();
}

Test(offload, a_killed_caller_does_not_wait_for_the_function)
{
    struct caller caller;
    gate_make();
    caller_start(&caller, offload_gate, NULL, NULL);
    verd_kill(caller.thread);
    cr_assert_eq(caller_end(&caller), -ECANCELED);
    gate_open();
}

Test(offload, what_a_caller_gave_up_is_released_when_the_function_has_returned)
{
    struct caller caller;
    gate_make();
    caller_start(&caller, offload_gate_with, NULL, NULL);
    gate_await(&gate.begun, 1);
    verd_kill(caller.thread);
    cr_assert_eq(caller_end(&caller), -ECANCELED);
    cr_assert_eq(gate.released, 0);
    gate_open();
    gate_await(&gate.released, 1);
    cr_assert_eq(gate.over, 1);
}

Test(offload, what_was_given_up_before_it_began_is_released_and_never_runs)
{
    struct caller first;
    verd_offload_resize(1);
    gate_make();
    caller_start(&first, offload_gate, NULL, NULL);
    gate_await(&gate.begun, 1);
    cr_assert_eq(caller_within(VERD_MS, offload_gate_with, NULL, NULL), -ETIMEDOUT);
    cr_assert_eq(gate.released, 1);
    gate_open();
    caller_end(&first);
    verd_offload(give_back, NULL, NULL);
    cr_assert_eq(gate.begun, 1);
}

static int offload_gate_killed(struct caller *self)
{
    verd_kill(verd_self());
    return offload_gate_with(self);
}

Test(offload, a_killed_thread_offloads_nothing_and_its_argument_is_released)
{
    struct caller caller;
    caller_start(&caller, offload_gate_killed, NULL, NULL);
    cr_assert_eq(caller_end(&caller), -ECANCELED);
    cr_assert(gate.begun == 0 && gate.released == 1);
}

Test(offload, a_result_that_was_taken_is_not_released)
{
    struct caller caller;
    gate_make();
    caller_start(&caller, offload_gate_with, NULL, NULL);
    gate_open();
    cr_assert_eq(caller_end(&caller), 0);
    cr_assert(caller.item == &gate && gate.released == 0);
}

/* Waits, without giving way, until the job's message is in the inbox. */
static void await_message(void)
{
    const struct verd_hub *inbox = verd__inbox(verd__current);
    while (atomic_load(&inbox->messages) == NULL)
        usleep(100);
}

Test(offload, a_result_that_is_there_when_the_caller_is_killed_is_released)
{
    struct caller caller;
    gate_make();
    caller_start(&caller, offload_gate_with, NULL, NULL);
    gate_await(&gate.begun, 1);
    gate_open();
    await_message();
    verd_kill(caller.thread);
    cr_assert_eq(caller_end(&caller), -ECANCELED);
    gate_await(&gate.released, 1);
    verd_offload(give_back, NULL, NULL);
    cr_assert_eq(gate.released, 1);
}

static int offload_gate_for_a_while(struct caller *self)
{
    verd_timeout timeout;
    verd_timeout_begin(&timeout, 300 * VERD_MS);
    int result = offload_gate_with(self);
    verd_timeout_end(&timeout);
    return result;
}

Test(offload, a_result_that_is_there_when_the_time_runs_out_is_taken)
{
    struct caller caller;
    gate_make();
    verd_offload(give_back, NULL, NULL);
    caller_start(&caller, offload_gate_for_a_while, NULL, NULL);
    if (caller.done)
        cr_skip_test("the machine is too slow");
    verd_duration begin = verd_now();
    gate_open();
    await_message();
    while (verd_now() < begin + 300 * VERD_MS)
        usleep(100);
    cr_assert_eq(caller_end(&caller), 0);
    cr_assert_eq(gate.released, 0);
}

static void *use_memory(void *arg)
{
    char *memory = arg;
    usleep(500);
    memory[0]++;
    return arg;
}

static void free_memory(void *arg, void *result)
{
    (void)result;
    free(arg);
}

static void *offload_memory(void *arg)
{
    char *memory = calloc(1, 16);
    if (verd_offload_with(use_memory, memory, free_memory, NULL) == 0)
        free(memory);
    return arg;
}

/* For AddressSanitizer to see, that nothing is used after it was freed, or leaks. */
Test(offload, jobs_given_up_at_any_moment_harm_nothing)
{
    verd_thread *threads[200];
    verd_offload_resize(4);
    for (int i = 0; i < 200; i++)
        threads[i] = verd_spawn(offload_memory, NULL);
    for (int i = 0; i < 200; i++) {
        if (i % 4 == 0)
            verd_sleep(i * VERD_US);
        verd_kill(threads[(i * 7) % 200]);
    }
    for (int i = 0; i < 200; i++)
        verd_join(threads[i], NULL);
    cr_assert_eq(verd_offload(give_back, NULL, NULL), 0);
}

/* ---- ends ---- */

static void *leave_jobs_behind(void *arg)
{
    static struct caller callers[4];
    for (int i = 0; i < 4; i++)
        caller_start(&callers[i], offload_gate_with, NULL, NULL);
    return arg;
}

Test(offload, an_os_thread_may_end_with_jobs_under_way)
{
    pthread_t os_thread;
    verd_offload_resize(2);
    gate_make();
    pthread_create(&os_thread, NULL, leave_jobs_behind, NULL);
    pthread_join(os_thread, NULL);
    gate_open();
    gate_await(&gate.released, 4);
}

static void exit_with_jobs(void *arg)
{
    struct caller caller;
    caller_start(&caller, offload_gate, arg, NULL);
    gate_await(&gate.begun, 1);
    exit(7);
}

Test(offload, a_process_may_exit_with_jobs_under_way)
{
    if (process_is_emulated())
        cr_skip_test("the emulator aborts when a forked child starts an OS thread");
    gate_make();
    cr_assert_eq(process_run(exit_with_jobs, NULL).status, 7 << 8);
}

static void offload_in_child(void *arg)
{
    void *result = NULL;
    if (verd_offload(give_back, arg, &result) != 0 || result != arg)
        _exit(1);
}

Test(offload, the_child_of_a_fork_starts_os_threads_of_its_own)
{
    if (process_is_emulated())
        cr_skip_test("the emulator aborts when a forked child starts an OS thread");
    struct caller caller;
    gate_make();
    caller_start(&caller, offload_gate, NULL, NULL);
    gate_await(&gate.begun, 1);
    cr_assert_eq(process_run(offload_in_child, &gate).status, 0);
    gate_open();
    cr_assert_eq(caller_end(&caller), 0);
}

/* ---- faults ---- */

static void end_well(int signal)
{
    (void)signal;
    _exit(0);
}

static void *trap(void *arg)
{
    __builtin_trap();
    return arg;
}

static void offload_trap(void *arg)
{
    signal(SIGILL, end_well); /* x86-64's */
    signal(SIGTRAP, end_well);
    verd_offload(trap, arg, NULL);
    _exit(1);
}

Test(offload, a_fault_is_for_the_program_s_handler)
{
    if (process_is_emulated())
        cr_skip_test("an emulator has its own way with faults in the child of a fork");
    cr_assert_eq(process_run(offload_trap, NULL).status, 0);
}
