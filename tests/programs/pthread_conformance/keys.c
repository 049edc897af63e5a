/* SPDX-License-Identifier: MIT */
/* Thread-specific values, and what is done once. */
#include "check.h"

#include <sched.h>

static pthread_key_t key, other;
static int destroyed;
static void *last;

static void destroy(void *value)
{
    destroyed++;
    last = value;
}

static void set_again(void *value)
{
    destroyed++;
    pthread_setspecific(key, value);
}

static void set_other(void *value)
{
    destroyed++;
    pthread_setspecific(other, value);
}

static void *set_key(void *arg)
{
    void *before = pthread_getspecific(key);
    if (pthread_setspecific(key, arg) != 0 || pthread_getspecific(key) != arg)
        return NULL;
    sched_yield();
    return before == NULL && pthread_getspecific(key) == arg ? arg : NULL;
}

static void check_values(void)
{
    int here, there;
    IS(pthread_key_create(&key, destroy), 0);
    IS(pthread_getspecific(key) == NULL, true);
    IS(pthread_setspecific(key, &here), 0);
    IS(check_in_thread(set_key, &there) == &there, true);
    IS(destroyed, 1);
    IS(last == &there, true);
    IS(pthread_getspecific(key) == &here, true);
    IS(check_in_thread(set_key, NULL) == NULL, true);
    IS(destroyed, 1);
    /* The values of a key that is gone are, too. */
    IS(pthread_key_delete(key), 0);
    IS(destroyed, 1);
    IS(pthread_key_create(&key, NULL), 0);
    IS(pthread_getspecific(key) == NULL, true);
    IS(check_in_thread(set_key, &there) == &there, true);
    IS(destroyed, 1);
    IS(pthread_key_delete(key), 0);
#ifdef __GLIBC__
    IS(pthread_key_delete(key), EINVAL);
    IS(pthread_setspecific(key, &here), EINVAL);
    IS(pthread_key_delete(99999), EINVAL);
    IS(pthread_getspecific(99999) == NULL, true);
#endif
}

static void check_destructors(void)
{
    int value;
    destroyed = 0;
    pthread_key_create(&key, set_again);
    IS(check_in_thread(set_key, &value) == &value, true);
    IS(destroyed, 4); /* PTHREAD_DESTRUCTOR_ITERATIONS */
    pthread_key_delete(key);
    destroyed = 0;
    pthread_key_create(&key, set_other);
    pthread_key_create(&other, destroy);
    IS(check_in_thread(set_key, &value) == &value, true);
    IS(destroyed, 2);
    IS(last == &value, true);
    pthread_key_delete(key);
    pthread_key_delete(other);
}

static void check_many(void)
{
    pthread_key_t keys[100];
    int made = 0, held = 0;
    for (long i = 0; i < 100; i++)
        made += pthread_key_create(&keys[i], NULL) == 0 &&
                pthread_setspecific(keys[i], (void *)(i + 1)) == 0;
    for (long i = 0; i < 100; i++)
        held += pthread_getspecific(keys[i]) == (void *)(i + 1) && pthread_key_delete(keys[i]) == 0;
    IS(made, 100);
    IS(held, 100);
}

/* ---- once ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int calls;
static sem_t begun;

static void call_slowly(void)
{
    for (int i = 0; i < 100; i++)
        sched_yield();
    calls++;
}

static void *call_it(void *arg)
{
    IS(pthread_once(&once, call_slowly) == 0 && calls == 1, true);
    return arg;
}

static void be_cancelled(void)
{
    calls++;
    sem_post(&begun);
    sem_t never;
    sem_init(&never, 0, 0);
    sem_wait(&never);
}

static void *call_in_vain(void *arg)
{
    pthread_once(&once, be_cancelled);
    return arg;
}

static void call_at_last(void)
{
    calls = 100;
}

static void check_once(void)
{
    pthread_t threads[5];
    for (int i = 0; i < 5; i++)
        pthread_create(&threads[i], NULL, call_it, NULL);
    for (int i = 0; i < 5; i++)
        pthread_join(threads[i], NULL);
    IS(pthread_once(&once, call_slowly), 0);
    IS(calls, 1);
    once = (pthread_once_t)PTHREAD_ONCE_INIT;
    sem_init(&begun, 0, 0);
    pthread_create(&threads[0], NULL, call_in_vain, NULL);
    check_wait(&begun);
    pthread_cancel(threads[0]);
    pthread_join(threads[0], NULL);
    IS(pthread_once(&once, call_at_last), 0);
    IS(calls, 100);
}

void check_keys(void)
{
    check_values();
    check_destructors();
    check_many();
    check_once();
}
