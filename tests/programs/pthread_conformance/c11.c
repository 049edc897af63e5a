/* SPDX-License-Identifier: MIT */
/* C11's <threads.h>. */
#include "check.h"

#include <threads.h>

static int give_back(void *arg)
{
    return *(int *)arg;
}

static int leave(void *arg)
{
    thrd_exit(*(int *)arg + 1);
}

static thrd_t told;

static int tell(void *arg)
{
    told = thrd_current();
    thrd_yield();
    return arg == NULL;
}

static void check_c11_threads(void)
{
    thrd_t thread;
    int number = -7, result = 0;
    IS(thrd_create(&thread, give_back, &number), thrd_success);
    IS(thrd_join(thread, &result), thrd_success);
    IS(result, -7);
    IS(thrd_create(&thread, leave, &number), thrd_success);
    IS(thrd_join(thread, &result), thrd_success);
    IS(result, -6);
    IS(thrd_create(&thread, tell, NULL), thrd_success);
    IS(thrd_join(thread, NULL), thrd_success);
    IS(thrd_equal(thread, told) != 0, true);
    IS(thrd_equal(thrd_current(), told) != 0, false);
    struct timespec span = {.tv_nsec = 1000000}, left = {.tv_sec = 9};
    IS(thrd_sleep(&span, &left), 0);
    span.tv_nsec = -1;
    IS(thrd_sleep(&span, NULL) < 0, true);
}

/* ---- mutexes and conditions ---- */

static mtx_t mutex;
static cnd_t cond;
static int stage;

static int try_it(void *arg)
{
    int result = mtx_trylock(arg);
    if (result == thrd_success)
        mtx_unlock(arg);
    return result;
}

static int others(void)
{
    thrd_t thread;
    int result = -1;
    thrd_create(&thread, try_it, &mutex);
    thrd_join(thread, &result);
    return result;
}

static int answer(void *arg)
{
    mtx_lock(&mutex);
    while (stage != 1)
        cnd_wait(&cond, &mutex);
    stage = 2;
    cnd_broadcast(&cond);
    mtx_unlock(&mutex);
    return arg != NULL;
}

static void check_c11_mutexes(void)
{
    struct timespec soon = check_after(CLOCK_REALTIME, 10);
    IS(mtx_init(&mutex, mtx_timed), thrd_success);
    IS(mtx_lock(&mutex), thrd_success);
    IS(others(), thrd_busy);
    IS(mtx_timedlock(&mutex, &soon), thrd_timedout);
    IS(mtx_unlock(&mutex), thrd_success);
    IS(others(), thrd_success);
    IS(mtx_timedlock(&mutex, &soon), thrd_success);
    IS(mtx_unlock(&mutex), thrd_success);
    mtx_destroy(&mutex);
    IS(mtx_init(&mutex, mtx_plain | mtx_recursive), thrd_success);
    IS(mtx_lock(&mutex), thrd_success);
    IS(mtx_lock(&mutex), thrd_success);
    IS(mtx_trylock(&mutex), thrd_success);
    IS(mtx_unlock(&mutex), thrd_success);
    IS(mtx_unlock(&mutex), thrd_success);
    IS(others(), thrd_busy);
    IS(mtx_unlock(&mutex), thrd_success);
    IS(others(), thrd_success);
    mtx_destroy(&mutex);
}

static void check_c11_conditions(void)
{
    thrd_t thread;
    mtx_init(&mutex, mtx_plain);
    IS(cnd_init(&cond), thrd_success);
    struct timespec soon = check_after(CLOCK_REALTIME, 10);
    mtx_lock(&mutex);
    IS(cnd_timedwait(&cond, &mutex, &soon), thrd_timedout);
    thrd_create(&thread, answer, NULL);
    stage = 1;
    IS(cnd_signal(&cond), thrd_success);
    while (stage != 2)
        IS(cnd_wait(&cond, &mutex) == thrd_success || stage != 2, true);
    mtx_unlock(&mutex);
    IS(thrd_join(thread, NULL), thrd_success);
    cnd_destroy(&cond);
    mtx_destroy(&mutex);
}

/* ---- keys, and once ---- */

static tss_t key;
static int destroyed;
static once_flag flag = ONCE_FLAG_INIT;

static void destroy(void *value)
{
    destroyed += *(int *)value;
}

static void add_one(void)
{
    destroyed++;
}

static int set(void *arg)
{
    call_once(&flag, add_one);
    return tss_get(key) == NULL && tss_set(key, arg) == thrd_success && tss_get(key) == arg;
}

void check_c11(void)
{
    thrd_t thread;
    int five = 5, result = 0;
    check_c11_threads();
    check_c11_mutexes();
    check_c11_conditions();
    IS(tss_create(&key, destroy), thrd_success);
    IS(thrd_create(&thread, set, &five), thrd_success);
    IS(thrd_join(thread, &result), thrd_success);
    IS(result, 1);
    IS(destroyed, 6);
    call_once(&flag, add_one);
    IS(destroyed, 6);
    tss_delete(key);
    IS(thrd_create(&thread, tell, NULL), thrd_success);
    IS(thrd_detach(thread), thrd_success);
}
