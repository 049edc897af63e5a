/* SPDX-License-Identifier: MIT */
/*
 * A resource pool: a bounded set of things that are dear to make, such as database connections.
 *
 *     verd_resource_options options = {.create = dial, .destroy = hang_up, .max = 8};
 *     verd_resource_pool *lines = verd_resource_pool_new(&options);
 *     void *line;
 *     if (verd_resource_pool_get(lines, &line) == 0) {
 *         if (talk(line) == 0) verd_resource_pool_put(lines, line);
 *         else                 verd_resource_pool_discard(lines, line);      // broken: not kept
 *     }
 *
 * Belongs to the OS thread that made it: EPERM from another.
 *
 * The callbacks run on the caller's thread and may block; they must not use the pool. Others go on
 * meanwhile, and what is being made, asked or ended counts as existing.
 */
#ifndef VERD_RESOURCE_H
#define VERD_RESOURCE_H

#include <verd/thread.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct verd_resource_pool verd_resource_pool;

typedef struct verd_resource_options {
    /* Makes a resource: 0 and *item, or -1 and errno (EIO, if it leaves errno 0). May block. */
    int (*create)(void *ctx, void **item);
    /* Ends one; NULL: nothing to do. May block: neither kill nor timeout reaches it. */
    void (*destroy)(void *ctx, void *item);
    /* Whether an idle one is still good, asked before it is handed out; NULL: always. One that comes
     * back while others wait goes to the first of them unasked. May block. */
    bool (*validate)(void *ctx, void *item);
    void *ctx;
    size_t max;      /* at most so many exist at once; at least 1 */
    size_t min;      /* created ahead by verd_resource_pool_fill; age does not make them less */
    size_t max_idle; /* one that comes back to so many idle ones is destroyed; at least min and
                              at most max; 0: as max */
    verd_duration max_age; /* nanoseconds from creation, after which an idle one is replaced instead
                              of handed out, and one that comes back is destroyed, unless fewer than
                              min would exist; 0: no limit */
} verd_resource_options;

/* Makes an empty pool; the options are copied. Returns it, or NULL with errno EINVAL (options or create
 * is NULL, max is 0, min or max_idle is above it, max_idle is not 0 but below min, max_age is
 * negative) or ENOMEM. Never blocks. */
verd_resource_pool *verd_resource_pool_new(const verd_resource_options *options);

/*
 * Takes a resource: the one returned last (LIFO), else a new one while fewer than max exist, else
 * the next to come back, in the order of asking. A create that fails passes the right to create on
 * to the next in line. Blocks.
 * Returns 0 and *item, or -1 with errno
 *   create's errno
 *   ECANCELED  the caller was killed        ETIMEDOUT  an enclosing timeout ran out
 *   EINVAL     an argument is NULL          EPERM      the pool belongs to another OS thread
 *   ENOMEM     no memory for the pool's record of it
 */
int verd_resource_pool_get(verd_resource_pool *pool, void **item);

/* Gives a resource back: to the first in line, or to the idle ones; destroyed if it is too old or too
 * many. Works in a killed thread. Blocks only in destroy.
 * Returns 0, or -1 with errno EINVAL (NULL, or not one that this pool handed out) or EPERM. */
int verd_resource_pool_put(verd_resource_pool *pool, void *item);

/* Gives a broken resource back: it is destroyed and may be replaced. Works in a killed thread.
 * Blocks only in destroy. Errors as verd_resource_pool_put. */
int verd_resource_pool_discard(verd_resource_pool *pool, void *item);

/* Creates resources until min exist. Blocks in create. Returns 0, or -1 with errno as
 * verd_resource_pool_get. */
int verd_resource_pool_fill(verd_resource_pool *pool);

/* Sets max: up, and those in line may create; down, and idle and returned ones are destroyed until it
 * holds. Blocks only in destroy. Returns 0, or -1 with errno EINVAL (NULL or 0) or EPERM. */
int verd_resource_pool_resize(verd_resource_pool *pool, size_t max);

/* Resources handed out; idle; callers in line. 0 for NULL. Never block. */
size_t verd_resource_pool_used(const verd_resource_pool *pool);
size_t verd_resource_pool_idle(const verd_resource_pool *pool);
size_t verd_resource_pool_waiting(const verd_resource_pool *pool);

/* Destroys the idle resources and the pool. Returns 0 (also for NULL), or -1 with errno EBUSY (one is
 * handed out, being created, asked or ended, or waited for) or EPERM. Blocks only in destroy. */
int verd_resource_pool_free(verd_resource_pool *pool);

#ifdef __cplusplus
}
#endif
#endif
