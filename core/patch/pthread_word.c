/* SPDX-License-Identifier: MIT */
/*
 * What POSIX has in an int, pthread_once_t and spin locks: there is no room for a queue, so who waits for any of them
 * waits in the scheduler's one, and looks again when any of them has been left.
 */
#include <errno.h>
#include <stdatomic.h>

#include "patch/pthread.h"
#include "sched/wait.h"

#define FREE 0
#define HELD 1 /* and above that some bits of the number of whose OS thread's scheduler */
#define DONE 2

static const struct verd__wait_kind word_kind = {.name = "a spin lock, or pthread_once"};

/* What there is while a thread of this OS thread has it. */
static int held_by(const struct verd__scheduler *scheduler)
{
    return (int)((uint32_t)scheduler->number << 2 | HELD);
}

/* Suspends the caller until it may be worth another look. Of another OS thread nothing is heard. */
static void await(struct verd__scheduler *scheduler, int seen)
{
    int before = errno;
    verd_shield_begin();
    if (seen == held_by(scheduler))
        verd__wait_in_queue(scheduler, &word_kind, &scheduler->words, NULL);
    else
        verd_sleep(VERD_MS);
    verd_shield_end();
    errno = before;
}

static void leave(struct verd__scheduler *scheduler, atomic_int *word, int state)
{
    atomic_store_explicit(word, state, memory_order_release);
    verd__queue_end(&scheduler->words, 0);
}

/* ---- once ---- */

VERD__FITS(atomic_int, pthread_once_t);
VERD__FITS(atomic_int, once_flag);

/* fn has ended its thread: the next to come begins anew. */
static void give_up(void *word)
{
    leave(verd__current, word, FREE);
}

static void run_once(struct verd__scheduler *scheduler, atomic_int *word, void (*fn)(void))
{
    struct verd_pthread_cleanup cleanup;
    verd_pthread_cleanup_push(&cleanup, give_up, word);
    fn();
    verd_pthread_cleanup_pop(&cleanup, 0);
    leave(scheduler, word, DONE);
}

int verd_pthread_once(pthread_once_t *once, void (*fn)(void))
{
    atomic_int *word = (atomic_int *)(void *)once;
    if (__builtin_expect(atomic_load_explicit(word, memory_order_acquire) == DONE, 1))
        return 0;
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return ENOMEM;
    for (;;) {
        int seen = FREE;
        if (atomic_compare_exchange_strong(word, &seen, held_by(scheduler))) {
            run_once(scheduler, word, fn);
            return 0;
        }
        if (seen == DONE)
            return 0;
        await(scheduler, seen);
    }
}

/* ---- spin locks ---- */

VERD__FITS(atomic_int, pthread_spinlock_t);

static atomic_int *word_of(pthread_spinlock_t *lock)
{
    return (atomic_int *)(uintptr_t)lock;
}

int verd_pthread_spin_init(pthread_spinlock_t *lock, int shared)
{
    if (shared != PTHREAD_PROCESS_PRIVATE)
        return ENOTSUP;
    atomic_init(word_of(lock), FREE);
    return 0;
}

int verd_pthread_spin_destroy(pthread_spinlock_t *lock)
{
    (void)lock;
    return 0;
}

int verd_pthread_spin_lock(pthread_spinlock_t *lock)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return ENOMEM;
    for (;;) {
        int seen = FREE;
        if (atomic_compare_exchange_strong(word_of(lock), &seen, held_by(scheduler)))
            return verd__done(scheduler, 0);
        await(scheduler, seen);
    }
}

int verd_pthread_spin_trylock(pthread_spinlock_t *lock)
{
    const struct verd__scheduler *scheduler = verd__scheduler();
    int seen = FREE;
    if (scheduler == NULL)
        return ENOMEM;
    return atomic_compare_exchange_strong(word_of(lock), &seen, held_by(scheduler)) ? 0 : EBUSY;
}

int verd_pthread_spin_unlock(pthread_spinlock_t *lock)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return ENOMEM;
    leave(scheduler, word_of(lock), FREE);
    return 0;
}
