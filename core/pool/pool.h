/* SPDX-License-Identifier: MIT */
/*
 * A pool: slots, who has them, and who waits for one.
 *
 * A slot is counted in `running` from the moment it is given to a spawner until the thread that was
 * started with it has ended. It goes from hand to hand: who gives one back gives it to the first in
 * line, and the count stays; so nobody barges in, and the pool is never idle for a moment in between.
 *
 * While a kill is under way nobody new comes in: who is no member waits in line for its end.
 *
 * Invariants: somebody is in line only while running >= size, or during a kill; running > size only after a shrink.
 */
#ifndef VERD_POOL_POOL_H
#define VERD_POOL_POOL_H

#include <verd/pool.h>

#include "sched/obligation.h"
#include "sched/scheduler.h"
#include "sched/thread.h"
#include "sched/wait.h"

/* A member that may end for the sake of who waits for a slot. */
struct verd__expendable {
    struct verd__link link; /* in pool->expendable */
    bool listed;            /* it is there */
    bool asked;             /* it was told to end, and is not there any more */
    const void *owner;      /* who may have it end for reasons of its own; NULL: nobody */
    void (*end)(struct verd__expendable *member);
};

struct verd_pool {
    struct verd__owner owner; /* first: of its members; threads of imaps count as such */
    struct verd__owner imaps; /* of the threads of imaps */
    struct verd__link kin;    /* in the pools of its maker's scheduler */
    uint64_t home;            /* the number of that */
    size_t size;
    size_t running;    /* slots given */
    size_t waiting;    /* length of `spawners` */
    size_t feeding;    /* threads of imaps that read a source or run its items, rather than wait */
    size_t users;      /* piles and imaps that need the pool to stay */
    size_t stack_size; /* of its members; 0: the default */
    char name[VERD_NAME_SIZE]; /* of them, before their numbers */
    bool abandoned;            /* a freed pile's own: goes when it is idle */
    struct verd__list spawners;
    struct verd__list idlers;     /* in wait_all */
    struct verd__list killers;    /* in kill: what members start meanwhile, starts killed */
    struct verd__list expendable; /* members that are it, the one for longest first */
    struct verd__list feeders;    /* threads of imaps that are as far ahead as they may */
};

/* 0 if the calling OS thread may use the pool, else -1 with errno EINVAL (NULL) or EPERM. */
int verd__pool_check(const struct verd_pool *pool);

/* A slot that a call has taken and has not begun to use. */
struct verd__slot {
    struct verd__obligation obligation;
    struct verd_pool *pool;
};

/*
 * Takes a slot, for which it waits in the queue if there is none, or a kill is under way. Returns 1, and the slot is the running thread's
 * obligation; or 0 if that is a member of the full pool and shall run the function in place, in its own slot; or
 * -1 with errno ECANCELED or ETIMEDOUT: then the pool may be gone, if it was abandoned.
 */
int verd__pool_take(struct verd__scheduler *scheduler, struct verd_pool *pool,
                    struct verd__slot *slot);

/* Gives a slot back. An abandoned pool may be gone then. */
void verd__pool_release(struct verd_pool *pool);

/* Schedules a thread with a slot that was taken. NULL with errno ENOMEM: the slot was given back. */
struct verd__thread *verd__pool_start(struct verd__scheduler *scheduler, struct verd__slot *slot,
                                      union verd__start start, void *arg, unsigned flags,
                                      const void *site);

/* Begins a thread that counts as the pool's: it belongs to `owner`, one of the pool's. */
static inline void verd__pool_begin(struct verd__scheduler *scheduler, const struct verd_pool *pool,
                                    struct verd__owner *owner, struct verd__thread *thread)
{
    thread->owner = owner;
    if (__builtin_expect(pool->killers.first != NULL, 0))
        thread->interrupt = VERD__INTERRUPT_KILL;
    verd__thread_start(scheduler, thread);
}

/* Whether the running thread is a member, which a full pool does not keep waiting. */
bool verd__pool_is_member(const struct verd__scheduler *scheduler, const struct verd_pool *pool);

/* A member begins to be expendable, and ends to: it has gone back to work, or ends. */
void verd__pool_spare(struct verd_pool *pool, struct verd__expendable *member);
void verd__pool_need(struct verd_pool *pool, struct verd__expendable *member);

/* Asks the member that is expendable for longest to end, of those of `owner` (NULL: of all). False: there is
 * none that was not asked. */
bool verd__pool_make_room(struct verd_pool *pool, const void *owner);

/* Frees the pool once nobody runs in it and nobody waits. */
void verd__pool_abandon(struct verd_pool *pool);

/* A thread of an imap begins to count as feeding, and ends to. */
void verd__pool_feed_begin(struct verd_pool *pool);
void verd__pool_feed_end(struct verd_pool *pool);

/* Waits, not feeding, until the wait is woken below or the pool is resized. */
int verd__pool_feed_wait(struct verd__scheduler *scheduler, struct verd_pool *pool);

/* Wakes `thread` if it is in that wait. */
void verd__pool_feed_wake(const struct verd__thread *thread);

#endif
