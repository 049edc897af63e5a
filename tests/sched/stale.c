/* SPDX-License-Identifier: MIT */

/* Handles that were released, of threads that have ended: they name nobody else, however many threads come
 * after, and nobody is taken for one that was before. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>

#include <verd.h>

#include "caller.h"

/* More than any counter of 16 bits can tell apart. */
#define LATER 66000

static verd_thread *stale;

static void *give_back(void *arg)
{
    return arg;
}

/* A thread that others may mistake for the one before. */
static verd_thread *stranger;
static int parked, slept; /* what its calls gave */

static void *park_and_sleep(void *arg)
{
    verd_timeout limit;
    verd_timeout_begin(&limit, VERD_MS);
    parked = caller_outcome(verd_park());
    verd_timeout_end(&limit);
    slept = caller_outcome(verd_sleep(0));
    return arg;
}

/* ---- calls with a stale handle ---- */

static int call_kill(void)
{
    return verd_kill(stale);
}

static int call_cancel(void)
{
    return verd_cancel(stale);
}

static int call_wait(void)
{
    return verd_wait(stale, NULL);
}

static int call_join(void)
{
    return verd_join(stale, NULL);
}

static void never(verd_thread *t, void *arg)
{
    (void)t, (void)arg;
    parked = 0;
}

static int call_link(void)
{
    return verd_link(stale, never, NULL);
}

static int call_unlink(void)
{
    return verd_unlink(stale, never, NULL);
}

static int call_stack_used(void)
{
    return (int)verd_stack_used(stale);
}

static int call_release(void)
{
    verd_release(stale);
    errno = EINVAL;
    return -1;
}

static int call_unpark(void)
{
    verd_unpark(stale);
    errno = EINVAL;
    return -1;
}

static const struct call {
    const char *name;
    int (*make)(void);
} calls[] = {
    {"kill", call_kill},
    {"cancel", call_cancel},
    {"wait", call_wait},
    {"join", call_join},
    {"link", call_link},
    {"unlink", call_unlink},
    {"stack_used", call_stack_used},
    {"release", call_release},
    {"unpark", call_unpark},
};

/* After `later` other threads, with a stranger that has started, or not. */
static void expect_nobody(const struct call *call, int later, bool started)
{
    void *result = NULL;
    stale = verd_spawn(give_back, NULL);
    verd_join(stale, NULL);
    for (int i = 0; i < later; i++)
        verd_join(verd_spawn(give_back, NULL), NULL);
    stranger = verd_spawn(park_and_sleep, "result");
    if (started)
        verd_yield();
    cr_expect_eq(caller_outcome(call->make()), -EINVAL, "%s after %d", call->name, later);
    verd_sleep(3 * VERD_MS); /* it has ended, and its handle is still its own */
    cr_expect_eq(verd_join(stranger, &result), 0, "%s after %d", call->name, later);
    cr_expect(result != NULL && parked == -ETIMEDOUT && slept == 0, "%s after %d", call->name,
              later);
}

ParameterizedTestParameters(sched, a_stale_handle_names_nobody)
{
    size_t count = sizeof calls / sizeof *calls;
    size_t *numbers = cr_malloc(count * sizeof *numbers);
    for (size_t i = 0; i < count; i++)
        numbers[i] = i;
    return cr_make_param_array(size_t, numbers, count);
}

ParameterizedTest(const size_t *number, sched, a_stale_handle_names_nobody)
{
    static const int laters[] = {0, 1, 63, 255, 256, LATER};
    for (size_t i = 0; i < sizeof laters / sizeof *laters; i++) {
        expect_nobody(&calls[*number], laters[i], false);
        expect_nobody(&calls[*number], laters[i], true);
    }
}

/* Each turn of the first 16 bits of a number. */
Test(sched, a_stale_handle_never_becomes_somebody_elses)
{
    int mistaken = 0;
    stale = verd_spawn(give_back, NULL);
    verd_join(stale, NULL);
    for (int i = 0; i < LATER; i++) {
        verd_thread *next = verd_spawn(give_back, NULL);
        mistaken += verd_kill(stale) == 0;
        verd_join(next, NULL);
    }
    cr_assert_eq(mistaken, 0);
}

static void keep_self(void *arg)
{
    (void)arg;
    stale = verd_self();
}

Test(sched, a_thread_that_had_no_handle_is_not_mistaken_for_the_next)
{
    verd_spawn_n(keep_self, NULL);
    verd_yield();
    stranger = verd_spawn(park_and_sleep, "result");
    verd_yield();
    verd_unpark(stale);
    cr_expect_eq(caller_outcome(verd_kill(stale)), -EINVAL);
    verd_join(stranger, NULL);
    cr_assert(parked == -ETIMEDOUT && slept == 0);
}

/* ---- locks whose owner has ended ---- */

static verd_mutex mutex;
static verd_rwlock lock;

static void *end_with_locks(void *arg)
{
    verd_mutex_lock(&mutex);
    verd_rwlock_write_lock(&lock);
    return arg;
}

static int lock_mutex(struct caller *self)
{
    (void)self;
    return verd_mutex_lock(&mutex);
}

static int unlock_mutex(struct caller *self)
{
    (void)self;
    return verd_mutex_unlock(&mutex);
}

static int read_lock(struct caller *self)
{
    (void)self;
    return verd_rwlock_read_lock(&lock);
}

static int write_lock(struct caller *self)
{
    (void)self;
    return verd_rwlock_write_lock(&lock);
}

static int unlock(struct caller *self)
{
    (void)self;
    return verd_rwlock_unlock(&lock);
}

static int (*tried)(struct caller *);

static int try_for_a_while(struct caller *self)
{
    int outcome = caller_within(VERD_MS, tried, NULL, NULL);
    (void)self;
    errno = -outcome;
    return outcome < 0 ? -1 : outcome;
}

/* The outcome in a thread that comes where the owner was. */
static int outcome_after_owner(int (*call)(struct caller *))
{
    struct caller caller;
    mutex = (verd_mutex)VERD_MUTEX_INIT;
    lock = (verd_rwlock)VERD_RWLOCK_INIT;
    verd_join(verd_spawn(end_with_locks, NULL), NULL);
    tried = call;
    caller_start(&caller, try_for_a_while, NULL, NULL);
    return caller_end(&caller);
}

Test(mutex, whose_owner_has_ended_does_not_take_the_next_thread_for_it)
{
    cr_expect_eq(outcome_after_owner(lock_mutex), -ETIMEDOUT);
    cr_expect_eq(outcome_after_owner(unlock_mutex), -EPERM);
}

Test(rwlock, whose_writer_has_ended_does_not_take_the_next_thread_for_it)
{
    cr_expect_eq(outcome_after_owner(read_lock), -ETIMEDOUT);
    cr_expect_eq(outcome_after_owner(write_lock), -ETIMEDOUT);
    cr_expect_eq(outcome_after_owner(unlock), -EPERM);
}
