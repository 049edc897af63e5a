/* SPDX-License-Identifier: MIT */
/*
 * Bounded concurrency: a pool runs at most `size` threads at once, and who spawns into a full one
 * waits. A pile collects the results of what it spawned; an imap maps a function over a source.
 *
 *     verd_pool *pool = verd_pool_new(VERD_POOL_SIZE);
 *     verd_imap *bodies = verd_pool_imap(pool, fetch, next_url, &urls);
 *     while (verd_imap_next(bodies, &body) == 1)
 *         use(body);                                        // in the order of the urls
 *     verd_imap_free(bodies);
 *     verd_pool_free(pool);
 *
 * Everything here belongs to the OS thread that made it: EPERM from another, where the calls that
 * return nothing do nothing.
 */
#ifndef VERD_POOL_H
#define VERD_POOL_H

#include <verd/thread.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How many threads a pool runs where nothing else is known. */
#define VERD_POOL_SIZE 1000

typedef struct verd_pool verd_pool;
typedef struct verd_imap verd_imap;
typedef struct verd_pile verd_pile;

/*
 * Makes a pool for `size` concurrent threads; 0 is allowed (each spawn waits until a resize).
 * Never blocks. Returns the pool, or NULL with errno ENOMEM, or EINVAL (size above SSIZE_MAX).
 */
verd_pool *verd_pool_new(size_t size);

/*
 * Makes a pool, as verd_pool_new, with attributes of its members, also of those that run for a pile, an imap or a server (NULL: the defaults):
 * the bytes of their stacks, which are bound as they are spawned then; and what they are called, to which each has its
 * verd_number added, "client#17", when somebody asks. Both are copied. Never blocks.
 * NULL with errno as verd_pool_new, EINVAL also for a stack_size that verd_spawn_with would not take.
 */
verd_pool *verd_pool_new_with(size_t size, const verd_attr *attr);

/* Frees the pool. Returns 0 (also for NULL), or -1 with errno EBUSY (a member runs, or someone waits
 * in spawn or wait_all, or a pile or imap uses it) or EPERM. Never blocks. */
int verd_pool_free(verd_pool *pool);

/*
 * Runs fn(arg) as a member of the pool. When the pool is full, the call waits for a slot, in the
 * order of calling; a spawn from a member of the same full pool runs fn in place instead, as a call
 * on the member's own stack, so that nested spawning cannot deadlock (the handle is then that of an
 * ended thread). What is run in place and spawns again nests deeper: work that finds more work without end
 * belongs into a queue. Blocks while the pool is full.
 * Returns a handle, to be given up by verd_join or verd_release, or NULL with errno
 *   EINVAL     pool or fn is NULL
 *   EPERM      the pool belongs to another OS thread
 *   ENOMEM     no memory for the control block, or for a stack of the size that the pool's have
 *   ECANCELED  the caller was killed        ETIMEDOUT  an enclosing timeout ran out
 */
verd_thread *verd_pool_spawn(verd_pool *pool, void *(*fn)(void *), void *arg);

/* Runs fn(arg) as a member of the pool, as verd_pool_spawn, without handle and result. Blocks while the pool is
 * full. Returns 0, or -1 and errno as verd_pool_spawn. */
int verd_pool_spawn_n(verd_pool *pool, void (*fn)(void *), void *arg);

/*
 * Waits until no member runs and no spawner waits; the thread that reads the source of an imap counts
 * as a spawner, except while it is as far ahead of its consumer as it may be. Blocks.
 * Returns 0, or -1 with errno
 *   EDEADLK    the caller is a member, or reads the source of an imap
 *   EINVAL     pool is NULL                 EPERM      it belongs to another OS thread
 *   ECANCELED  the caller was killed        ETIMEDOUT  an enclosing timeout ran out
 */
int verd_pool_wait_all(verd_pool *pool);

/*
 * Kills what runs in the pool, imaps' sources with it, and waits until all have ended. Nothing that was given to a
 * function is lost: those that have not started, or are spawned by members meanwhile, run as well, killed from their
 * start, and an imap gives what it has and then ECANCELED. Nobody else is killed: who waits in a spawn, or comes to one
 * meanwhile, waits until the kill is over, and goes on as in a new pool. If the call fails while it waits, those it has
 * killed stay so. Blocks.
 * Returns 0, or -1 and errno as verd_pool_wait_all.
 */
int verd_pool_kill(verd_pool *pool);

/*
 * Sets the size: up, and waiting spawners go on; down, and what runs finishes while nothing new
 * starts. Never blocks. Returns 0, or -1 with errno EINVAL (NULL, size above SSIZE_MAX) or EPERM.
 */
int verd_pool_resize(verd_pool *pool, size_t size);

/* The size; members that run or are about to; spawners that wait; slots left (below 0 after a
 * shrink). 0 for NULL. Never block. */
size_t verd_pool_size(const verd_pool *pool);
size_t verd_pool_running(const verd_pool *pool);
size_t verd_pool_waiting(const verd_pool *pool);
ssize_t verd_pool_available(const verd_pool *pool);

/*
 * A source of items: stores the next one in *item and returns 1, or returns 0 at the end, or -1 with
 * errno on an error (EIO, if it leaves errno 0), after which it is not called again. It may block; it
 * runs on a thread of its own, which does not count in the pool.
 */
typedef int (*verd_source)(void *state, void **item);

/*
 * Maps fn over the items of a source, on threads of the pool: starts at once and reads at most
 * size + 1 items ahead of the consumer, the size being the pool's at the time. Started by a member of
 * the pool, it borrows that member's slot when the pool is full, so it always gets on. Never blocks.
 * Returns an iterator, or NULL with errno EINVAL (NULL argument), EPERM or ENOMEM.
 */
verd_imap *verd_pool_imap(verd_pool *pool, void *(*fn)(void *), verd_source next, void *state);

/* Maps fn over an array of n items, as verd_pool_imap over those of a source. They must stay until the imap is
 * freed. Never blocks. Errors as verd_pool_imap. */
verd_imap *verd_pool_imap_array(verd_pool *pool, void *(*fn)(void *), void *const *items, size_t n);

/*
 * The next result, in the order of the source. Blocks until it is there; when the call fails with
 * ETIMEDOUT or ECANCELED nothing is lost, and the next call goes on.
 * Returns 1 and *result (unless NULL); 0 at the end, now and ever after; -1 with errno
 *   the source's errno, once, after all the results before it; then 0. ECANCELED, if it was ended by verd_pool_kill
 *   ENOMEM     the item could not be started for want of memory: in its place, once
 *   ECANCELED  the caller was killed        ETIMEDOUT  an enclosing timeout ran out
 *   EBUSY      another thread waits in verd_imap_next already
 *   EINVAL     it is NULL, or was freed while the call waited
 *   EPERM      it belongs to another OS thread
 *   others     fn has failed for the item (verd_fail): in its place, once; the next call goes on
 * So a loop over items of which some may fail asks who it is that has (verd_failure):
 *
 *     for (;;) {
 *         void *result = NULL;
 *         int got = verd_imap_next(it, &result);
 *         if (got == 1) use(result);
 *         else if (verd_failure(result) != 0) note(verd_failure(result));    // this item, and on
 *         else break;                                                        // the end, or the caller's errno
 *     }
 */
int verd_imap_next(verd_imap *it, void **result);

/* The next result in the order of finishing, so that no slow item holds up those behind it; *item (unless
 * NULL) is what the source gave for it, set also where the item could not be started. Otherwise as
 * verd_imap_next, with which it mixes. Blocks. Errors as verd_imap_next. */
int verd_imap_next_any(verd_imap *it, void **result, void **item);

/*
 * Frees the iterator, at its end or early: then what runs for it is killed and what is left of the
 * source is not read. Killed threads hold their slots until they have ended; the source may still be
 * inside its last call, so `state` must stay until it returns; verd_pool_wait_all waits for
 * both. NULL is ignored. Never blocks.
 */
void verd_imap_free(verd_imap *it);

/* Makes a pile on a pool, which it shares with all others that use it. Never blocks. NULL with
 * errno EINVAL (pool is NULL), EPERM (another OS thread's pool) or ENOMEM. */
verd_pile *verd_pile_new(verd_pool *pool);

/* Makes a pile on a pool of its own of `size`. Never blocks. NULL with errno EINVAL (size is 0 or above
 * SSIZE_MAX) or ENOMEM. */
verd_pile *verd_pile_sized(size_t size);

/* Makes a pile on a pool of its own of `size`, with attributes of the pool's members, as verd_pool_new_with has them. Never blocks. NULL with errno as
 * verd_pile_sized, and EINVAL also for a stack_size that verd_spawn_with would not take. */
verd_pile *verd_pile_sized_with(size_t size, const verd_attr *attr);

/* Runs fn(arg) in the pile's pool, as verd_pool_spawn, and keeps its result for verd_pile_next.
 * Returns 0, or -1 and errno as verd_pool_spawn, and EINVAL also if the pile was freed while the call waited for the end
 * of a kill. May block. */
int verd_pile_spawn(verd_pile *pile, void *(*fn)(void *), void *arg);

/*
 * The next result, in the order of spawning. Blocks until it is there; a call that fails for a reason of its own
 * consumes nothing. A pile can be used again after its end.
 * Returns 1 and *result (unless NULL); 0 when every result was taken; -1 with errno
 *   ECANCELED  the caller was killed        ETIMEDOUT  an enclosing timeout ran out
 *   EBUSY      another thread waits for this pile's results already
 *   EINVAL     pile is NULL, or was freed while the call waited
 *   EPERM      it belongs to another OS thread
 *   others     the function has failed (verd_fail): that is taken, and the next call goes on
 */
int verd_pile_next(verd_pile *pile, void **result);

/* The next result in the order of finishing; otherwise as verd_pile_next, with which it mixes.
 * Whose it is it does not tell, nor who has failed: where that matters, take an imap. Blocks. Errors as
 * verd_pile_next. */
int verd_pile_next_any(verd_pile *pile, void **result);

/*
 * Kills what runs for the pile, and waits until each of its results is there to be taken. Nothing that was given to
 * a function is lost: those that have not started, wait for a slot, or are spawned by the pile's own threads
 * meanwhile, run as well, killed from their start. What is run in place is not killed, but waited for. Who else comes
 * to verd_pile_spawn meanwhile waits until the kill is over. If the call fails while it waits, those it has killed stay
 * so. Blocks.
 * Returns 0, or -1 with errno
 *   ECANCELED  the caller was killed        ETIMEDOUT  an enclosing timeout ran out
 *   EDEADLK    the caller runs for the pile
 *   EINVAL     pile is NULL, or was freed while the call waited
 *   EPERM      it belongs to another OS thread
 */
int verd_pile_kill(verd_pile *pile);

/* Results not yet taken: of threads that ended, run or wait to. 0 for NULL. Never blocks. */
size_t verd_pile_length(const verd_pile *pile);

/* Frees the pile, and a pool of its own once nobody runs in it; what runs or waits for a slot is not
 * killed, and its results are dropped. NULL is ignored. Never blocks. */
void verd_pile_free(verd_pile *pile);

#ifdef __cplusplus
}
#endif
#endif
