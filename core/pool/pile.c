/* SPDX-License-Identifier: MIT */
/* A pile: jobs in a pool, and their results. */
#include <errno.h>
#include <stdlib.h>

#include "pool/job.h"
#include "pool/pool.h"

struct verd_pile {
    struct verd__jobs jobs;
    struct verd_pool *pool;
    bool owns_pool;
};

verd_pile *verd_pile_new(verd_pool *pool)
{
    if (verd__pool_check(pool) != 0)
        return NULL;
    struct verd_pile *pile = calloc(1, sizeof *pile);
    if (pile == NULL)
        return NULL;
    verd__jobs_init(&pile->jobs, verd__current);
    pile->pool = pool;
    pool->users++;
    return pile;
}

verd_pile *verd_pile_sized_with(size_t size, const verd_attr *attr)
{
    if (size == 0) { /* nobody could ever resize that pool */
        errno = EINVAL;
        return NULL;
    }
    struct verd_pool *pool = verd_pool_new_with(size, attr);
    if (pool == NULL)
        return NULL;
    struct verd_pile *pile = verd_pile_new(pool);
    if (pile == NULL)
        verd_pool_free(pool);
    else
        pile->owns_pool = true;
    return pile;
}

verd_pile *verd_pile_sized(size_t size)
{
    return verd_pile_sized_with(size, NULL);
}

/* While the spawner waits, or fn runs in place, the pile may be freed: the job outlives it, the pile
 * is not touched again. */
static int spawn(struct verd__scheduler *scheduler, verd_pile *pile, void *(*fn)(void *), void *arg,
                 const void *site)
{
    if (scheduler == NULL)
        return -1;
    if (pile == NULL || fn == NULL) {
        errno = EINVAL;
        return -1;
    }
    if (verd__pool_check(pile->pool) != 0)
        return -1;
    struct verd__job *job = verd__job_new(scheduler);
    if (job == NULL)
        return -1;
    verd__job_add(job, &pile->jobs);
    if (verd__job_run(scheduler, job, pile->pool, fn, arg, site) == 0)
        return 0;
    verd__job_drop(scheduler, job);
    return -1;
}

__attribute__((noinline)) int verd_pile_spawn(verd_pile *pile, void *(*fn)(void *), void *arg)
{
    struct verd__scheduler *scheduler = verd__begin();
    return spawn(scheduler, pile, fn, arg, __builtin_return_address(0)) == 0
               ? verd__done(scheduler, 0)
               : verd__refuse(0);
}

static int next_result(verd_pile *pile, bool any, void **result)
{
    struct verd__scheduler *scheduler = verd__begin();
    struct verd__job *job;
    if (scheduler == NULL || pile == NULL)
        return verd__refuse(scheduler != NULL ? EINVAL : 0);
    int got = verd__jobs_next(scheduler, &pile->jobs, any, &job);
    if (got > 0)
        got = verd__job_give(job, result);
    return got < 0 ? verd__refuse(0) : verd__done(scheduler, got);
}

int verd_pile_next(verd_pile *pile, void **result)
{
    return next_result(pile, false, result);
}

int verd_pile_next_any(verd_pile *pile, void **result)
{
    return next_result(pile, true, result);
}

int verd_pile_kill(verd_pile *pile)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL)
        return verd__refuse(0);
    if (pile == NULL)
        return verd__refuse(EINVAL);
    if (pile->jobs.home != scheduler->number)
        return verd__refuse(EPERM);
    if (verd__jobs_has_caller(scheduler, &pile->jobs))
        return verd__refuse(EDEADLK);
    return verd__jobs_kill(scheduler, &pile->jobs);
}

size_t verd_pile_length(const verd_pile *pile)
{
    return pile != NULL ? pile->jobs.count : 0;
}

void verd_pile_free(verd_pile *pile)
{
    if (pile == NULL || verd__pool_check(pile->pool) != 0)
        return;
    verd__jobs_end(&pile->jobs, false);
    pile->pool->users--;
    if (pile->owns_pool)
        verd__pool_abandon(pile->pool);
    free(pile);
}
