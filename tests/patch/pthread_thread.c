/* SPDX-License-Identifier: MIT */
/* Threads of POSIX as green threads: what their manual pages do not say. That is told by
 * programs/pthread_conformance. */
#include "threads.h"

#include <limits.h>

static void *give_back(void *arg)
{
    return arg;
}

static sem_t gate;

static void *pass_gate(void *arg)
{
    verd_sem_wait(&gate);
    return arg;
}

Test(pthread, ten_thousand_threads_wait_at_once)
{
    static pthread_t threads[10000];
    long sum = 0;
    verd_sem_init(&gate, 0, 0);
    for (long i = 0; i < 10000; i++)
        cr_assert_eq(verd_pthread_create(&threads[i], NULL, pass_gate, (void *)i), 0);
    callers_settle();
    for (long i = 0; i < 10000; i++)
        verd_sem_post(&gate);
    for (long i = 0; i < 10000; i++)
        sum += (intptr_t)result_of(threads[i]);
    cr_assert_eq(sum, 10000L * 9999 / 2);
}

Test(pthread, a_thread_is_a_green_thread)
{
    pthread_t thread = start(pass_gate, NULL);
    cr_assert(!verd_ended(handle_of(thread)) && verd_number(handle_of(thread)) > 0);
    verd_sem_post(&gate);
    cr_assert_eq(verd_join(handle_of(thread), NULL), 0);
}

Test(pthread, self_is_the_green_thread)
{
    cr_assert_eq(handle_of(verd_pthread_self()), verd_self());
}

Test(pthread, a_green_thread_of_verd_spawn_can_be_joined)
{
    verd_thread *thread = verd_spawn(give_back, order);
    cr_assert_eq(result_of((pthread_t)(uintptr_t)thread), order);
}

static void *fail(void *arg)
{
    (void)arg;
    return verd_fail(ESRCH);
}

Test(pthread, a_result_that_is_a_failure_is_one_like_others)
{
    cr_assert_eq(verd_failure(result_of(start(fail, NULL))), ESRCH);
}

/* ---- stacks ---- */

static void *tell_stack_size(void *arg)
{
    pthread_attr_t attr;
    size_t size = 0;
    cr_assert_eq(verd_pthread_getattr_np(verd_pthread_self(), &attr), 0);
    pthread_attr_getstacksize(&attr, &size);
    pthread_attr_destroy(&attr);
    (void)arg;
    return (void *)size;
}

static size_t stack_size_with(const pthread_attr_t *attr)
{
    pthread_t thread;
    cr_assert_eq(verd_pthread_create(&thread, attr, tell_stack_size, NULL), 0);
    return (size_t)result_of(thread);
}

Test(pthread, a_stack_has_the_size_of_green_threads)
{
    pthread_attr_t attr;
    size_t size = 0;
    verd_pthread_attr_init(&attr);
    pthread_attr_getstacksize(&attr, &size);
    cr_assert_eq(size, VERD_STACK_SIZE);
    cr_assert_eq(stack_size_with(&attr), VERD_STACK_SIZE);
    cr_assert_eq(stack_size_with(NULL), VERD_STACK_SIZE);
}

Test(pthread, a_stack_has_the_size_that_was_asked_for)
{
    pthread_attr_t attr;
    verd_pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, (size_t)4 << 20);
    cr_assert_eq(stack_size_with(&attr), (size_t)4 << 20);
    pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN);
    cr_assert_geq(stack_size_with(&attr), VERD_STACK_SIZE_MIN);
}

Test(pthread, a_stack_that_is_too_large_is_EINVAL)
{
    pthread_attr_t attr;
    pthread_t thread;
    verd_pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 2 * VERD_STACK_SIZE_MAX);
    cr_assert_eq(verd_pthread_create(&thread, &attr, give_back, NULL), EINVAL);
}

/* ---- names ---- */

Test(pthread, a_name_is_that_of_the_green_thread)
{
    pthread_t thread;
    verd_pthread_create(&thread, NULL, pass_gate, NULL);
    verd_pthread_setname_np(thread, "early");
    callers_settle();
    cr_assert_str_eq(verd_name(handle_of(thread)), "early");
    verd_pthread_setname_np(thread, "late");
    cr_assert_str_eq(verd_name(handle_of(thread)), "late");
}

Test(pthread, a_name_of_verd_spawn_is_cut)
{
    char name[16];
    verd_attr attr = {.name = "a name of twenty-one."};
    verd_thread *thread = verd_spawn_with(&attr, give_back, NULL);
    cr_assert_eq(verd_pthread_getname_np((pthread_t)(uintptr_t)thread, name, sizeof name), ESRCH);
    verd_attr waiting = {.name = "a name of twenty-one."};
    verd_thread *other = verd_spawn_with(&waiting, pass_gate, NULL);
    callers_settle();
    cr_assert_eq(verd_pthread_getname_np((pthread_t)(uintptr_t)other, name, sizeof name), 0);
    cr_assert_str_eq(name, "a name of twent");
}

/* ---- join ---- */

static void *join_it(void *arg)
{
    return (void *)(intptr_t)verd_pthread_join(*(pthread_t *)arg, NULL);
}

Test(pthread, an_enclosing_timeout_ends_a_join_and_the_thread_can_be_joined_later)
{
    verd_timeout limit;
    verd_sem_init(&gate, 0, 0);
    pthread_t thread = start(pass_gate, order);
    verd_timeout_begin(&limit, VERD_MS);
    cr_assert_eq(verd_pthread_join(thread, NULL), ETIMEDOUT);
    verd_timeout_end(&limit);
    verd_sem_post(&gate);
    cr_assert_eq(result_of(thread), order);
}

Test(pthread, a_join_that_ends_early_leaves_errno)
{
    pthread_t nobody = (pthread_t)(uintptr_t)12345678;
    errno = 7;
    cr_assert_eq(verd_pthread_join(nobody, NULL), ESRCH);
    cr_assert_eq(verd_pthread_join(verd_pthread_self(), NULL), EDEADLK);
    cr_assert_eq(errno, 7);
}

Test(pthread, a_thread_that_was_joined_is_ESRCH)
{
    pthread_t thread = start(give_back, NULL);
    result_of(thread);
    cr_assert_eq(verd_pthread_join(thread, NULL), ESRCH);
    cr_assert_eq(verd_pthread_detach(thread), ESRCH);
    cr_assert_eq(verd_pthread_cancel(thread), ESRCH);
    cr_assert_eq(verd_pthread_kill(thread, 0), ESRCH);
}

Test(pthread, a_thread_of_another_OS_thread_is_EPERM)
{
    pthread_t thread = start(pass_gate, NULL);
    cr_assert_eq(elsewhere(join_it, &thread), EPERM);
}

Test(pthread, one_thread_may_be_joined_by_several)
{
    verd_sem_init(&gate, 0, 0);
    pthread_t thread = start(pass_gate, NULL);
    pthread_t first = start(join_it, &thread), second = start(join_it, &thread);
    verd_sem_post(&gate);
    cr_assert(result_of(first) == NULL && result_of(second) == NULL);
}

/* ---- once ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static verd_event begun;
static int calls;

static void call_slowly(void)
{
    calls++;
    verd_event_set(&begun, NULL);
    verd_sem_wait(&gate);
}

static void *call_once_more(void *arg)
{
    return verd_pthread_once(&once, call_slowly) == 0 ? arg : NULL;
}

static void *call_elsewhere(void *arg)
{
    return (void *)elsewhere(call_once_more, arg);
}

Test(pthread, once_is_once_on_all_OS_threads)
{
    static int any;
    verd_sem_init(&gate, 0, 0);
    pthread_t first = start(call_once_more, &any), second = start(call_once_more, &any);
    pthread_t os_thread;
    void *result = NULL;
    cr_assert_eq(pthread_create(&os_thread, NULL, call_once_more, &any), 0);
    verd_sleep(3 * VERD_MS); /* it may have got as far as to wait */
    verd_sem_post(&gate);
    cr_assert(result_of(first) == &any && result_of(second) == &any);
    pthread_join(os_thread, &result);
    cr_assert_eq(result, &any);
    cr_assert_eq((void *)elsewhere(call_elsewhere, &any), &any);
    cr_assert_eq(calls, 1);
}
