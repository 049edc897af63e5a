/* SPDX-License-Identifier: MIT */
/* The threads of C11, which are POSIX's with other results. */
#include <errno.h>

#include "patch/pthread.h"
#include "patch/span.h"

_Static_assert(sizeof(thrd_t) == sizeof(pthread_t) && sizeof(mtx_t) == sizeof(pthread_mutex_t) &&
                   sizeof(cnd_t) == sizeof(pthread_cond_t) &&
                   sizeof(tss_t) == sizeof(pthread_key_t) &&
                   sizeof(once_flag) == sizeof(pthread_once_t),
               "C11's objects are POSIX's");

static pthread_mutex_t *mutex_of(mtx_t *mutex)
{
    return (pthread_mutex_t *)(void *)mutex;
}

static pthread_cond_t *cond_of(cnd_t *cond)
{
    return (pthread_cond_t *)(void *)cond;
}

/* ---- threads ---- */

__attribute__((noinline)) int verd_thrd_create(thrd_t *thread, thrd_start_t fn, void *arg)
{
    pthread_t handle;
    int error = verd__pthread_create(&handle, NULL, NULL, fn, arg, __builtin_return_address(0));
    if (error != 0)
        return error == EAGAIN ? thrd_nomem : thrd_error;
    *thread = (thrd_t)handle;
    return thrd_success;
}

thrd_t verd_thrd_current(void)
{
    return (thrd_t)verd_pthread_self();
}

int verd_thrd_detach(thrd_t thread)
{
    return verd__c11_outcome(verd_pthread_detach((pthread_t)thread));
}

int verd_thrd_join(thrd_t thread, int *result)
{
    void *value = NULL;
    int error = verd_pthread_join((pthread_t)thread, &value);
    if (error == 0 && result != NULL)
        *result = (int)(intptr_t)value;
    return verd__c11_outcome(error);
}

void verd_thrd_exit(int result)
{
    verd_pthread_exit((void *)(intptr_t)result);
}

void verd_thrd_yield(void)
{
    verd_yield();
}

/* What is left of it, as who is not woken early never asks. */
static void store_left(verd_duration deadline, struct timespec *left)
{
    verd_duration rest = deadline - verd_now();
    if (rest < 0)
        rest = 0;
    left->tv_sec = (time_t)(rest / VERD_SEC);
    left->tv_nsec = (long)(rest % VERD_SEC);
}

int verd_thrd_sleep(const struct timespec *span, struct timespec *left)
{
    verd_duration length;
    int before = errno;
    if (verd__span(span, &length) != 0) {
        errno = before;
        return -2;
    }
    verd_duration deadline = verd__time_after(verd_now(), length);
    int error = verd__outcome(verd_sleep_until(deadline), before);
    if (error == 0)
        return 0;
    if (error == ECANCELED)
        verd__cancel_here();
    if (left != NULL)
        store_left(deadline, left);
    return -2;
}

/* ---- mutexes ---- */

int verd_mtx_init(mtx_t *mutex, int type)
{
    if (type & ~(mtx_recursive | mtx_timed))
        return thrd_error;
    *(verd_mutex *)(void *)mutex = (verd_mutex)VERD_MUTEX_INIT;
    if (type & mtx_recursive)
        verd__mutex_of(mutex_of(mutex))->kind = PTHREAD_MUTEX_RECURSIVE;
    return thrd_success;
}

void verd_mtx_destroy(mtx_t *mutex)
{
    (void)mutex;
}

int verd_mtx_lock(mtx_t *mutex)
{
    return verd__c11_outcome(verd_pthread_mutex_lock(mutex_of(mutex)));
}

int verd_mtx_trylock(mtx_t *mutex)
{
    return verd__c11_outcome(verd_pthread_mutex_trylock(mutex_of(mutex)));
}

int verd_mtx_timedlock(mtx_t *mutex, const struct timespec *until)
{
    return verd__c11_outcome(verd_pthread_mutex_timedlock(mutex_of(mutex), until));
}

int verd_mtx_unlock(mtx_t *mutex)
{
    return verd__c11_outcome(verd_pthread_mutex_unlock(mutex_of(mutex)));
}

/* ---- conditions ---- */

int verd_cnd_init(cnd_t *cond)
{
    return verd__c11_outcome(verd_pthread_cond_init(cond_of(cond), NULL));
}

void verd_cnd_destroy(cnd_t *cond)
{
    (void)cond;
}

int verd_cnd_wait(cnd_t *cond, mtx_t *mutex)
{
    return verd__c11_outcome(verd_pthread_cond_wait(cond_of(cond), mutex_of(mutex)));
}

int verd_cnd_timedwait(cnd_t *cond, mtx_t *mutex, const struct timespec *until)
{
    return verd__c11_outcome(verd_pthread_cond_timedwait(cond_of(cond), mutex_of(mutex), until));
}

int verd_cnd_signal(cnd_t *cond)
{
    return verd__c11_outcome(verd_pthread_cond_signal(cond_of(cond)));
}

int verd_cnd_broadcast(cnd_t *cond)
{
    return verd__c11_outcome(verd_pthread_cond_broadcast(cond_of(cond)));
}

/* ---- keys, and once ---- */

int verd_tss_create(tss_t *key, tss_dtor_t destructor)
{
    return verd__c11_outcome(verd_pthread_key_create(key, destructor));
}

void verd_tss_delete(tss_t key)
{
    verd_pthread_key_delete(key);
}

void *verd_tss_get(tss_t key)
{
    return verd_get(key);
}

int verd_tss_set(tss_t key, void *value)
{
    return verd__c11_outcome(verd_pthread_setspecific(key, value));
}

void verd_call_once(once_flag *once, void (*fn)(void))
{
    verd_pthread_once((pthread_once_t *)(void *)once, fn);
}
