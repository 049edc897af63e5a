/* SPDX-License-Identifier: MIT */

/* OS threads: each has a scheduler of its own, which comes with the first call and goes with it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include <verd.h>

#include "leak.h"
#include "process.h"
#include "sched/scheduler.h"

static void *on_os_thread(void *(*fn)(void *), void *arg)
{
    pthread_t os_thread;
    void *result = NULL;
    pthread_create(&os_thread, NULL, fn, arg);
    pthread_join(os_thread, &result);
    return result;
}

/* ---- calls on a thread of another OS thread ---- */

struct foreign {
    int (*call)(verd_thread *);
    verd_thread *thread;
};

static void *call_foreign(void *arg)
{
    const struct foreign *foreign = arg;
    errno = 0;
    return (void *)(intptr_t)(foreign->call(foreign->thread) == -1 ? errno : 0);
}

static void *give_back(void *arg)
{
    return arg;
}

/* The errno of a call for an unstarted thread, by an OS thread without green threads of its own. */
static int errno_elsewhere(int (*call)(verd_thread *))
{
    struct foreign foreign = {call, verd_spawn(give_back, "result")};
    return (int)(intptr_t)on_os_thread(call_foreign, &foreign);
}

static int call_wait(verd_thread *t)
{
    return verd_wait(t, NULL);
}

static int call_join(verd_thread *t)
{
    return verd_join(t, NULL);
}

static void never(verd_thread *t, void *arg)
{
    (void)t, (void)arg;
}

static int call_link(verd_thread *t)
{
    return verd_link(t, never, NULL);
}

static int call_unlink(verd_thread *t)
{
    return verd_unlink(t, never, NULL);
}

static int call_stack_used(verd_thread *t)
{
    return (int)verd_stack_used(t);
}

static int kill_with_a_scheduler(verd_thread *t)
{
    verd_yield();
    return verd_kill(t);
}

Test(sched, waiting_for_a_thread_of_another_os_thread_is_EPERM)
{
    cr_assert_eq(errno_elsewhere(call_wait), EPERM);
}

Test(sched, joining_a_thread_of_another_os_thread_is_EPERM)
{
    cr_assert_eq(errno_elsewhere(call_join), EPERM);
}

Test(sched, cancelling_a_thread_of_another_os_thread_is_EPERM)
{
    cr_assert_eq(errno_elsewhere(verd_cancel), EPERM);
}

Test(sched, killing_a_thread_of_another_os_thread_is_EPERM)
{
    cr_assert_eq(errno_elsewhere(verd_kill), EPERM);
}

Test(sched, killing_a_thread_of_another_os_thread_is_EPERM_where_there_are_green_threads)
{
    cr_assert_eq(errno_elsewhere(kill_with_a_scheduler), EPERM);
}

Test(sched, linking_to_a_thread_of_another_os_thread_is_EPERM)
{
    cr_assert_eq(errno_elsewhere(call_link), EPERM);
}

Test(sched, unlinking_from_a_thread_of_another_os_thread_is_EPERM)
{
    cr_assert_eq(errno_elsewhere(call_unlink), EPERM);
}

Test(sched, measuring_the_stack_of_a_thread_of_another_os_thread_is_EPERM)
{
    cr_assert_eq(errno_elsewhere(call_stack_used), EPERM);
}

static int call_release_and_unpark(verd_thread *t)
{
    verd_release(t);
    verd_unpark(t);
    return 0;
}

static void *park_errno(void *arg)
{
    verd_timeout limit;
    (void)arg;
    verd_timeout_begin(&limit, VERD_MS);
    int error = verd_park() == 0 ? 0 : errno;
    verd_timeout_end(&limit);
    return (void *)(intptr_t)error;
}

Test(sched, releasing_and_unparking_a_thread_of_another_os_thread_are_ignored)
{
    struct foreign foreign = {call_release_and_unpark, verd_spawn(park_errno, NULL)};
    void *result = NULL;
    on_os_thread(call_foreign, &foreign);
    verd_join(foreign.thread, &result); /* a released handle would be gone */
    cr_assert_eq((intptr_t)result, ETIMEDOUT);
}

/* ---- their lives ---- */

static void *spawn_and_join(void *arg)
{
    void *result = NULL;
    verd_join(verd_spawn(give_back, arg), &result);
    return result;
}

Test(sched, an_os_thread_has_green_threads_of_its_own)
{
    verd_spawn(give_back, NULL);
    cr_assert_str_eq(on_os_thread(spawn_and_join, "result"), "result");
}

static verd_key key;

static void *use_everything_and_park(void *arg)
{
    verd_timeout limit;
    char frame[256];
    frame[0] = 1;
    verd_set(key, arg);
    verd_timeout_begin(&limit, 3600 * VERD_SEC);
    verd_yield();
    verd_park();
    return frame[0] ? arg : NULL;
}

/* Some of its threads end, some wait, some were never started, some are not due. */
static void *leave_things_undone(void *arg)
{
    verd_attr attr = {.name = "bound", .stack_size = 16 * 1024};
    for (int i = 0; i < 3; i++) {
        verd_thread *t = verd_spawn(use_everything_and_park, arg);
        verd_link(t, never, NULL);
        verd_join(verd_spawn(give_back, arg), NULL);
    }
    verd_set(key, arg);
    verd_spawn_after(3600 * VERD_SEC, give_back, arg);
    verd_spawn_with(&attr, give_back, arg);
    verd_link(verd_spawn(give_back, arg), never, NULL);
    return NULL;
}

static void come_and_go(int times)
{
    for (int i = 0; i < times; i++)
        on_os_thread(leave_things_undone, &key);
}

static int many_times(void)
{
    return UNDER_SANITIZER || process_is_translated() ? 300 : 5000;
}

Test(sched, os_threads_that_come_and_go_leak_no_memory)
{
    verd_key_create(&key, NULL);
    come_and_go(100);
    size_t before = leak_allocated();
    come_and_go(many_times());
    cr_assert_leq(leak_allocated(), before + 4096);
}

Test(sched, os_threads_that_come_and_go_leak_no_mappings)
{
    verd_key_create(&key, NULL);
    come_and_go(10);
    size_t before = process_mappings();
    come_and_go(300);
    cr_assert_leq(process_mappings(), before + 16);
}

Test(sched, os_threads_that_come_and_go_leave_no_pages)
{
    if (UNDER_SANITIZER || process_is_translated())
        cr_skip_test("freed memory in quarantine and emulator count too");
    verd_key_create(&key, NULL);
    come_and_go(10);
    long before = process_kib("VmRSS");
    come_and_go(300);
    cr_assert_lt(process_kib("VmRSS") - before, 4096);
}

Test(sched, os_threads_that_come_and_go_leak_no_descriptors)
{
    verd_key_create(&key, NULL);
    come_and_go(1);
    size_t before = process_descriptors();
    come_and_go(100);
    cr_assert_leq(process_descriptors(), before);
}

static bool ran_on;

static void *note_running_on(void *arg)
{
    verd_sleep(VERD_MS);
    ran_on = true;
    return arg;
}

static void *spawn_and_leave(void *arg)
{
    verd_spawn(note_running_on, NULL);
    verd_yield();
    return arg;
}

Test(sched, green_threads_end_unfinished_with_their_os_thread)
{
    on_os_thread(spawn_and_leave, NULL);
    verd_sleep(3 * VERD_MS);
    cr_assert_not(ran_on);
}

static void *exit_os_thread(void *arg)
{
    pthread_exit(arg);
}

static void *end_from_a_green_thread(void *arg)
{
    verd_join(verd_spawn(exit_os_thread, arg), NULL);
    return NULL;
}

Test(sched, a_green_thread_can_end_its_os_thread)
{
    if (UNDER_SANITIZER)
        cr_skip_test("sanitizers do not know of the jump between the stacks");
    cr_assert_str_eq(on_os_thread(end_from_a_green_thread, "result"), "result");
}

static pthread_key_t late_key;
static bool late_ran;

static void use_green_threads(void *value)
{
    (void)value;
    late_ran = verd_join(verd_spawn(give_back, NULL), NULL) == 0;
}

static void *set_late_key(void *arg)
{
    pthread_setspecific(late_key, "");
    return spawn_and_join(arg);
}

Test(sched, destructors_of_an_ending_os_thread_may_still_use_green_threads)
{
    verd_self(); /* so that the library's key comes before */
    pthread_key_create(&late_key, use_green_threads);
    on_os_thread(set_late_key, NULL);
    cr_assert(late_ran);
}

static void *own_signal_stack(void *arg)
{
    static char memory[64 * 1024];
    stack_t mine = {.ss_sp = memory, .ss_size = sizeof memory}, now;
    sigaltstack(&mine, NULL);
    spawn_and_join(arg);
    sigaltstack(NULL, &now);
    return now.ss_sp == memory ? "kept" : NULL;
}

Test(sched, a_signal_stack_that_the_os_thread_had_is_kept)
{
    if (UNDER_SANITIZER)
        cr_skip_test("AddressSanitizer takes the signal stack for its own, and frees it");
    cr_assert_not_null(on_os_thread(own_signal_stack, NULL));
}

static bool closed, closed_before_destructor;

static void look_nowhere(struct verd__poller *poller, verd_duration timeout)
{
    (void)poller, (void)timeout;
}

static void note_closed(struct verd__poller *poller)
{
    (void)poller;
    closed = true;
}

static void destroy(void *value)
{
    (void)value;
    closed_before_destructor = closed;
}

static struct verd__poller poller = {.wait = look_nowhere, .close = note_closed};

static void *set_value_with_an_outside(void *value)
{
    verd__scheduler()->poller = &poller;
    verd_set(key, value);
    return NULL;
}

Test(sched, destructors_of_a_main_threads_values_may_still_use_descriptors)
{
    verd_key_create(&key, destroy);
    on_os_thread(set_value_with_an_outside, "value");
    cr_assert(closed && !closed_before_destructor);
}
