/* SPDX-License-Identifier: MIT */
/* The ways in which a thread ends that are the library's: verd_kill, timeouts, shields. */
#include "threads.h"

#include "process.h"

static sem_t gate;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

/* What follows the calls of pthread_cleanup_push and _pop, without their macros. */
static void *wait_with_handler(void *arg)
{
    struct verd_pthread_cleanup cleanup;
    verd_pthread_cleanup_push(&cleanup, note, "h");
    note("b");
    verd_sem_wait(&gate);
    note("x");
    verd_pthread_cleanup_pop(&cleanup, 0);
    return arg;
}

Test(pthread, a_thread_that_is_killed_ends_where_it_waits_with_its_handlers)
{
    pthread_t thread = start(wait_with_handler, NULL);
    verd_kill(handle_of(thread));
    cr_assert_eq(result_of(thread), PTHREAD_CANCELED);
    cr_assert_str_eq(order, "bh");
}

Test(pthread, a_thread_that_is_cancelled_before_it_runs_begins)
{
    pthread_t thread;
    verd_pthread_create(&thread, NULL, wait_with_handler, NULL);
    verd_pthread_cancel(thread);
    cr_assert_eq(result_of(thread), PTHREAD_CANCELED);
    cr_assert_str_eq(order, "bh");
}

Test(pthread, a_thread_that_is_killed_before_it_runs_does_not)
{
    pthread_t thread;
    verd_pthread_create(&thread, NULL, wait_with_handler, NULL);
    verd_kill(handle_of(thread));
    cr_assert_eq(result_of(thread), PTHREAD_CANCELED);
    cr_assert_str_eq(order, "");
}

static void *wait_as_green_thread(void *arg)
{
    (void)arg;
    verd_pthread_mutex_lock(&mutex);
    intptr_t error = verd_pthread_cond_wait(&cond, &mutex);
    verd_pthread_mutex_unlock(&mutex);
    if (verd_sem_wait(&gate) != -1 || errno != ECANCELED)
        error = -1;
    verd_pthread_testcancel();
    return (void *)error;
}

Test(pthread, a_thread_of_verd_spawn_that_is_killed_gets_ECANCELED)
{
    void *error = NULL;
    verd_thread *thread = verd_spawn(wait_as_green_thread, NULL);
    callers_settle();
    verd_kill(thread);
    verd_join(thread, &error);
    cr_assert_eq((intptr_t)error, ECANCELED);
}

/* ---- what handlers and destructors may do ---- */

static void wait_a_little(void *letter)
{
    note(verd_sleep(VERD_MS) == 0 ? letter : "x");
}

static verd_key key;

static void *wait_with_waiting_handler(void *arg)
{
    struct verd_pthread_cleanup cleanup;
    verd_set(key, "k");
    verd_pthread_cleanup_push(&cleanup, wait_a_little, "h");
    verd_sem_wait(&gate);
    verd_pthread_cleanup_pop(&cleanup, 0);
    return arg;
}

Test(pthread, handlers_and_destructors_of_a_thread_that_is_cancelled_may_wait)
{
    verd_key_create(&key, wait_a_little);
    pthread_t thread = start(wait_with_waiting_handler, NULL);
    verd_pthread_cancel(thread);
    cr_assert_eq(result_of(thread), PTHREAD_CANCELED);
    cr_assert_str_eq(order, "hk");
}

/* ---- nothing stays for the next thread on the stack ---- */

static void *leave_much_open(void *arg)
{
    verd_timeout limits[5];
    struct verd_pthread_cleanup cleanup;
    verd_pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    verd_pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    verd_shield_begin();
    for (int i = 0; i < 5; i++)
        verd_timeout_begin(&limits[i], 1);
    verd_pthread_cleanup_push(&cleanup, note, "c");
    verd_pthread_exit(arg);
}

static void *find_nothing(void *arg)
{
    int state = -1, type = -1;
    verd_pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
    verd_pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type);
    bool is_new = state == PTHREAD_CANCEL_ENABLE && type == PTHREAD_CANCEL_DEFERRED;
    return is_new && verd_sleep(VERD_MS) == 0 ? arg : NULL;
}

Test(pthread, what_a_thread_leaves_as_it_exits_is_gone)
{
    cr_assert_eq(result_of(start(leave_much_open, order)), order);
    cr_assert_str_eq(order, "c");
    cr_assert_eq(result_of(start(find_nothing, order)), order);
    verd_thread *other = verd_spawn(find_nothing, order);
    void *result = NULL;
    verd_join(other, &result);
    cr_assert_eq(result, order);
}

/* ---- shields ---- */

static void *disable_and_sleep(void *arg)
{
    verd_pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    verd_sem_wait(&gate);
    note(verd_sleep(0) == 0 ? "s" : "x");
    verd_pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    note(verd_sleep(0) == -1 && errno == ECANCELED ? "e" : "x");
    return arg;
}

Test(pthread, calls_of_the_library_hold_while_cancellation_is_disabled)
{
    verd_sem_init(&gate, 0, 0);
    pthread_t thread = start(disable_and_sleep, order);
    verd_pthread_cancel(thread);
    verd_sem_post(&gate);
    cr_assert_eq(result_of(thread), order);
    cr_assert_str_eq(order, "se");
}

static void *wait_in_shield(void *arg)
{
    verd_shield_begin();
    verd_sem_wait(&gate);
    verd_pthread_testcancel();
    note("s");
    verd_shield_end();
    verd_pthread_testcancel();
    note("x");
    return arg;
}

Test(pthread, a_shield_holds_cancellation_off)
{
    verd_sem_init(&gate, 0, 0);
    pthread_t thread = start(wait_in_shield, NULL);
    verd_pthread_cancel(thread);
    verd_sem_post(&gate);
    cr_assert_eq(result_of(thread), PTHREAD_CANCELED);
    cr_assert_str_eq(order, "s");
}

static void *sleep_long(void *arg)
{
    struct timespec span = {.tv_sec = 1000};
    verd_thrd_sleep(&span, NULL);
    return arg;
}

Test(pthread, a_sleep_of_C11_is_a_place_to_be_cancelled_at)
{
    pthread_t thread = start(sleep_long, NULL);
    verd_pthread_cancel(thread);
    cr_assert_eq(result_of(thread), PTHREAD_CANCELED);
}

Test(pthread, a_sleep_of_C11_that_a_timeout_ends_tells_what_is_left)
{
    struct timespec span = {.tv_sec = 1000}, left = {0};
    verd_timeout limit;
    verd_timeout_begin(&limit, VERD_MS);
    cr_assert_eq(verd_thrd_sleep(&span, &left), -2);
    verd_timeout_end(&limit);
    cr_assert(left.tv_sec <= 999 && left.tv_sec > 0);
}

/* ---- forks ---- */

static bool others_are_gone(void)
{
    return order[0] == 'b' && order[1] == '\0';
}

Test(pthread, in_the_child_of_a_fork_nobody_is_cancelled)
{
    start(wait_with_handler, NULL);
    pthread_t unstarted;
    verd_pthread_create(&unstarted, NULL, wait_with_handler, NULL);
    cr_assert(process_child_finds(others_are_gone));
}
