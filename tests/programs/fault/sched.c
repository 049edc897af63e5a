/* SPDX-License-Identifier: MIT */
#include "scenario.h"

#include <pthread.h>

#include "../../support/process.h"
#include "sched/slab.h"

static void *give_back(void *arg)
{
    return arg;
}

static void note(void *arg)
{
    ++*(int *)arg;
}

static void note_end(verd_thread *thread, void *arg)
{
    (void)thread;
    note(arg);
}

/* Joins a thread that runs give_back; 0, or errno if there is none. */
static int join(verd_thread *thread, void *expected)
{
    void *result = NULL;
    if (thread == NULL)
        return errno;
    must(verd_join(thread, &result) == 0 && result == expected);
    return 0;
}

static int spawn_and_join(void)
{
    int item;
    return join(verd_spawn(give_back, &item), &item);
}

static void ignore(void *arg)
{
    (void)arg;
}

void use_all_blocks(void)
{
    const struct verd__scheduler *scheduler = verd__scheduler();
    while (scheduler != NULL &&
           (scheduler->free != NULL || scheduler->slabs->used < VERD__SLAB_BLOCKS))
        must(verd_spawn_n(ignore, NULL) == 0);
}

static int spawn_with_attributes(void)
{
    static const verd_attr attr = {.name = "large", .stack_size = 1024 * 1024};
    int item;
    use_all_blocks();
    return join(verd_spawn_with(&attr, give_back, &item), &item);
}

static int spawn_later(void)
{
    int item;
    use_all_blocks();
    return join(verd_spawn_after(VERD_MS, give_back, &item), &item);
}

static int spawn_without_handle(void)
{
    int noted = 0;
    if (verd_spawn_n(note, &noted) != 0)
        return errno;
    while (noted == 0)
        verd_yield();
    return 0;
}

static int link_an_end(void)
{
    int noted = 0;
    verd_thread *thread = verd_spawn(give_back, &noted);
    if (thread == NULL)
        return errno;
    int error = error_of(verd_link(thread, note_end, &noted));
    int again = error_of(verd_link(thread, note_end, &noted));
    join(thread, &noted);
    must(noted == (error == 0) + (again == 0));
    return either(error, again);
}

/* More than the first arena has stacks for: they wait for one another on stacks of their own. */
#define MANY 100

static void *park_once(void *arg)
{
    return verd_park() == 0 ? arg : NULL;
}

static int park_many(void)
{
    verd_thread *threads[MANY];
    int count = 0, error = 0;
    for (; count < MANY && error == 0; count++) {
        threads[count] = verd_spawn(park_once, threads);
        if (threads[count] == NULL)
            error = errno;
    }
    count -= error != 0;
    verd_yield();
    for (int i = 0; i < count; i++)
        verd_unpark(threads[i]);
    for (int i = 0; i < count; i++)
        join(threads[i], threads);
    return error;
}

/* Kernels that make guards in another way. */
static int park_with_single_guards(void)
{
    fault_lacks("process_madvise", ENOSYS);
    return park_many();
}

static int park_with_mapped_guards(void)
{
    fault_lacks("process_madvise", ENOSYS);
    fault_lacks("madvise", EINVAL);
    return park_many();
}

/* More stacks come back than are kept with their pages. Their size decides how many that is; and to
 * AddressSanitizer they are all memory. */
#define HUGE (UNDER_SANITIZER ? VERD_STACK_SIZE : VERD_STACK_SIZE_MAX)

static int give_stacks_back(void)
{
    static const verd_attr attr = {.stack_size = HUGE};
    verd_thread *threads[3];
    int error = 0;
    for (int i = 0; i < 3; i++)
        must(twice(&error, (threads[i] = verd_spawn_with(&attr, park_once, &error)) ? 0 : -1));
    verd_yield();
    for (int i = 0; i < 3; i++) {
        verd_unpark(threads[i]);
        join(threads[i], &error);
    }
    return error;
}

static verd_key key;
static pthread_once_t key_made = PTHREAD_ONCE_INIT;

static void make_key(void)
{
    must(verd_key_create(&key, note) == 0);
}

static void *set_key(void *arg)
{
    return verd_set(key, arg) == 0 ? NULL : (void *)(intptr_t)errno;
}

static int set_a_local(void)
{
    void *error = NULL;
    int destroyed = 0;
    pthread_once(&key_made, make_key);
    verd_thread *thread = verd_spawn(set_key, &destroyed);
    if (thread == NULL)
        return errno;
    verd_join(thread, &error);
    must((destroyed == 1) == (error == NULL));
    return (int)(intptr_t)error;
}

static int sleep_and_time_out(void)
{
    verd_timeout timeout;
    if (verd_sleep(VERD_US) != 0)
        return errno;
    verd_timeout_begin(&timeout, VERD_MS);
    int error = error_of(verd_sleep(VERD_FOREVER));
    must(error == ETIMEDOUT && verd_timeout_end(&timeout));
    return 0;
}

static void *measure(void *arg)
{
    ssize_t used = verd_stack_used(verd_self());
    must(used >= 0);
    return arg;
}

static int measure_a_stack(void)
{
    int item;
    return join(verd_spawn(measure, &item), &item);
}

/* The life of a scheduler, which begins and ends with its OS thread. */
static void *live(void *arg)
{
    int *error = arg;
    *error = spawn_and_join();
    if (*error == 0)
        *error = set_a_local();
    return NULL;
}

static int live_on_an_os_thread(void)
{
    pthread_t thread;
    int error = -1;
    must(real_pthread_create(&thread, NULL, live, &error) == 0);
    pthread_join(thread, NULL);
    return error;
}

/* What cannot be found out is left out, and not told of. */
static void *wait_for_unpark(void *arg)
{
    verd_park();
    return arg;
}

static int report(void)
{
    verd_thread *thread = verd_spawn(wait_for_unpark, NULL);
    if (thread == NULL)
        return errno;
    verd_yield();
    errno = EXDEV;
    verd_report();
    must(errno == EXDEV);
    verd_unpark(thread);
    return join(thread, NULL);
}

const struct scenario sched_scenarios[] = {
    {"spawn", spawn_and_join, .errors = {ENOMEM}, .first = true},
    {"spawn_with", spawn_with_attributes, .errors = {ENOMEM}, .first = true},
    {"stack_cache", give_stacks_back, .errors = {ENOMEM}, .first = true},
    {"single_guards", park_with_single_guards, .errors = {ENOMEM}, .first = true},
    {"mapped_guards", park_with_mapped_guards, .errors = {ENOMEM}, .first = true},
    {"spawn_after", spawn_later, .errors = {ENOMEM}},
    {"spawn_n", spawn_without_handle, .errors = {ENOMEM}},
    {"link", link_an_end, .errors = {ENOMEM}},
    {"park", park_many, .errors = {ENOMEM}, .first = true},
    {"local", set_a_local, .errors = {ENOMEM}},
    {"sleep", sleep_and_time_out, .errors = {ENOMEM}, .first = true},
    {"stack_used", measure_a_stack, .errors = {ENOMEM}},
    {"report", report, .errors = {ENOMEM}},
    {"os_thread", live_on_an_os_thread, .errors = {ENOMEM}, .first = true},
    {0},
};
