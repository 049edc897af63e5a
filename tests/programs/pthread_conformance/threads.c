/* SPDX-License-Identifier: MIT */
/* Threads: create, join, detach, attributes, names. */
#include "check.h"

#include <limits.h>
#include <sched.h>
#include <signal.h>

static void *give_back(void *arg)
{
    return arg;
}

static void *tell_self(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    return NULL;
}

static void *set_errno(void *arg)
{
    int before = errno;
    errno = 77;
    sched_yield();
    return (void *)(intptr_t)(before == 0 && errno == 77 && arg == NULL);
}

static void check_join(void)
{
    pthread_t thread, told, others[10];
    void *result = NULL;
    IS(pthread_create(&thread, NULL, give_back, &told), 0);
    IS(pthread_join(thread, &result), 0);
    IS(result == &told, true);
    IS(pthread_create(&thread, NULL, tell_self, &told), 0);
    IS(pthread_join(thread, NULL), 0);
    IS(pthread_equal(thread, told) != 0, true);
    IS(pthread_equal(thread, pthread_self()) != 0, false);
    IS(pthread_equal(pthread_self(), pthread_self()) != 0, true);
    long sum = 0;
    for (long i = 0; i < 10; i++)
        pthread_create(&others[i], NULL, give_back, (void *)i);
    for (int i = 9; i >= 0; i--) {
        pthread_join(others[i], &result);
        sum += (long)(intptr_t)result;
    }
    IS(sum, 45);
    errno = 5;
    IS((intptr_t)check_in_thread(set_errno, NULL), true);
    IS(errno, 5);
}

static void *join_oneself(void *arg)
{
    (void)arg;
    return (void *)(intptr_t)pthread_join(pthread_self(), NULL);
}

static sem_t go, gone;

static void *wait_to_go(void *arg)
{
    check_wait(&go);
    sem_post(&gone);
    return arg;
}

static void check_misuse(void)
{
    pthread_t thread;
    sem_init(&go, 0, 0);
    sem_init(&gone, 0, 0);
#ifdef __GLIBC__
    IS((intptr_t)check_in_thread(join_oneself, NULL), EDEADLK);
    pthread_create(&thread, NULL, wait_to_go, NULL);
    IS(pthread_detach(thread), 0);
    IS(pthread_detach(thread), EINVAL);
    IS(pthread_join(thread, NULL), EINVAL);
    sem_post(&go);
    check_wait(&gone);
    pthread_create(&thread, NULL, wait_to_go, &go);
    struct timespec soon = check_after(CLOCK_REALTIME, 10);
    void *result = NULL;
    IS(pthread_tryjoin_np(thread, &result), EBUSY);
    IS(pthread_timedjoin_np(thread, &result, &soon), ETIMEDOUT);
    sem_post(&go);
    soon = check_after(CLOCK_REALTIME, 60000);
    IS(pthread_timedjoin_np(thread, &result, &soon), 0);
    IS(result == &go, true);
    check_wait(&gone);
#else
    (void)join_oneself;
#endif
    IS(pthread_create(&thread, NULL, wait_to_go, NULL), 0);
    IS(pthread_kill(thread, 0), 0);
    IS(pthread_kill(thread, 12345), EINVAL);
    sem_post(&go);
    IS(pthread_join(thread, NULL), 0);
    check_wait(&gone);
}

/* ---- attributes ---- */

static void *use_some_stack(void *arg)
{
    volatile char bytes[8000];
    memset((void *)(uintptr_t)bytes, 1, sizeof bytes);
    return bytes[7999] == 1 ? arg : NULL;
}

static void check_attributes(void)
{
    pthread_attr_t attr;
    pthread_t thread;
    size_t size = 0;
    int state = -1;
    void *result = NULL;
    IS(pthread_attr_init(&attr), 0);
    IS(pthread_attr_getdetachstate(&attr, &state), 0);
    IS(state, PTHREAD_CREATE_JOINABLE);
    IS(pthread_attr_setdetachstate(&attr, 99), EINVAL);
    IS(pthread_attr_setstacksize(&attr, 100), EINVAL);
    IS(pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN), 0);
    IS(pthread_attr_setstacksize(&attr, (size_t)1 << 20), 0);
    IS(pthread_attr_getstacksize(&attr, &size), 0);
    IS(size, 1 << 20);
    IS(pthread_create(&thread, &attr, use_some_stack, &size), 0);
    IS(pthread_join(thread, &result), 0);
    IS(result == &size, true);
    IS(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED), 0);
    IS(pthread_create(&thread, &attr, wait_to_go, NULL), 0);
#ifdef __GLIBC__
    IS(pthread_join(thread, NULL), EINVAL);
#endif
    sem_post(&go);
    check_wait(&gone);
    IS(pthread_attr_destroy(&attr), 0);
}

static void *tell_state(void *arg)
{
    pthread_attr_t attr;
    size_t size = 0;
    void *low = NULL;
    char *here = (char *)&attr;
    if (pthread_getattr_np(pthread_self(), &attr) != 0 ||
        pthread_attr_getstack(&attr, &low, &size) != 0)
        return NULL;
    pthread_attr_destroy(&attr);
    return here >= (char *)low && here < (char *)low + size ? arg : NULL;
}

static void check_names(void)
{
    pthread_t thread;
    char name[16] = "";
    pthread_create(&thread, NULL, wait_to_go, NULL);
    IS(pthread_setname_np(thread, "of fifteen char"), 0);
    IS(pthread_setname_np(thread, "of sixteen chars"), ERANGE);
    IS(pthread_getname_np(thread, name, 15), ERANGE);
    IS(pthread_getname_np(thread, name, sizeof name), 0);
    IS(strcmp(name, "of fifteen char"), 0);
    sem_post(&go);
    pthread_join(thread, NULL);
    check_wait(&gone);
    IS(check_in_thread(tell_state, &thread) == &thread, true);
}

static void check_schedule(void)
{
    struct sched_param param = {.sched_priority = 9};
    int policy = -1;
    clockid_t clock;
    struct timespec time;
    cpu_set_t processors;
    IS(pthread_getschedparam(pthread_self(), &policy, &param), 0);
    IS(policy, SCHED_OTHER);
    IS(param.sched_priority, 0);
    IS(pthread_setschedparam(pthread_self(), SCHED_OTHER, &param), 0);
    IS(pthread_getcpuclockid(pthread_self(), &clock), 0);
    IS(clock_gettime(clock, &time), 0);
    IS(pthread_getaffinity_np(pthread_self(), sizeof processors, &processors), 0);
    IS(CPU_COUNT(&processors) > 0, true);
    IS(sched_yield(), 0);
}

/* ---- names of functions ---- */

/* Members that are called like functions. */
struct table {
    int (*pthread_create)(int);
    int pthread_join;
};

static int double_it(int number)
{
    return 2 * number;
}

static void check_words(void)
{
    const struct table table = {.pthread_create = double_it, .pthread_join = 4};
    int (*join)(pthread_t, void **) = pthread_join;
    pthread_t thread;
    IS(table.pthread_create(table.pthread_join), 8);
    IS((pthread_create)(&thread, NULL, give_back, NULL), 0);
    IS(join(thread, NULL), 0);
}

void check_threads(void)
{
    check_join();
    check_misuse();
    check_attributes();
    check_names();
    check_schedule();
    check_words();
}
