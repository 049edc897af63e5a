/* SPDX-License-Identifier: MIT */
/*
 * An imap: a green thread of its own, the feeder, reads the source and runs a job in the pool for each
 * item, while the consumer takes their results.
 *
 * What bounds it: the feeder reads an item only while at most `size` jobs have not been taken, so
 * size + 1 are the most. It is read anew each time, so that a resize counts at once.
 *
 * The feeder never touches the consumer's frame nor the other way round; both touch the imap, which
 * is freed by the later of verd_imap_free and the feeder's end.
 */
#include <errno.h>
#include <stdlib.h>

#include "pool/job.h"
#include "pool/loan.h"
#include "pool/pool.h"

struct array {
    void *const *items;
    size_t left;
};

struct verd_imap {
    struct verd__watch watch; /* on the feeder */
    struct verd__jobs jobs;   /* more: the feeder will add others */
    struct verd_pool *pool;
    struct verd__thread *feeder; /* NULL: ended */
    void *(*fn)(void *);
    verd_source next;
    void *state;             /* the source's */
    struct array array;      /* its state, with verd_pool_imap_array */
    int error;               /* for the consumer, after all jobs; 0: none */
    struct verd__loan *loan; /* made by a member, as which the feeder counts; NULL: it was not */
    bool freed;              /* by the user: the feeder is to end */
};

static bool has_room(const struct verd_imap *it)
{
    return it->jobs.count <= it->pool->size && it->error == 0;
}

/* Until the next item may be read. 0, or -1: killed. */
static int await_room(struct verd_imap *it)
{
    for (;;) {
        struct verd__scheduler *scheduler = verd__begin();
        if (scheduler == NULL)
            return verd__refuse(0);
        if (has_room(it))
            return verd__done(scheduler, 0);
        if (verd__pool_feed_wait(scheduler, it->pool) != 0)
            return -1;
    }
}

/* What the consumer gets once it has taken all results. */
static void report(struct verd_imap *it, int error)
{
    it->error = error;
    it->jobs.more = false;
    verd__jobs_offer(&it->jobs);
}

/* Runs the function for an item. An item that cannot be started is an error in its place. Returns whether to go on: who
 * was killed has said so by that. */
static bool feed_item(struct verd__scheduler *scheduler, struct verd_imap *it,
                      struct verd__job *job, void *item)
{
    struct verd__loan_use use;
    int error = 0;
    bool borrows = verd__loan_is_good(it->loan);
    job->item = item;
    if (borrows)
        verd__loan_begin(scheduler, it->loan, &use);
    if (!verd__may_wait(scheduler) ||
        verd__job_run(scheduler, job, it->pool, it->fn, item, verd__own_site(scheduler)) != 0) {
        error = errno;
        verd__job_fail(scheduler, job, error);
    }
    if (borrows)
        verd__loan_end(scheduler, &use);
    return error != ECANCELED;
}

/* Reads and starts one item. Returns whether to go on. */
static bool feed_one(struct verd_imap *it)
{
    /* The job is made first: without memory for it, no item is lost, and what was reported is over
     * when the consumer has been told. */
    struct verd__scheduler *scheduler = verd__current;
    struct verd__job *job = verd__job_new(scheduler);
    if (job == NULL) {
        report(it, ENOMEM);
        return true;
    }
    void *item = NULL;
    errno = 0;
    int got = it->next(it->state, &item);
    if (got > 0 && !it->freed) {
        verd__job_add(job, &it->jobs);
        return feed_item(scheduler, it, job, item);
    }
    if (got < 0)
        it->error = errno != 0 ? errno : EIO;
    verd__job_drop(scheduler, job);
    return false;
}

/* Waits until there is room. Whether to go on: not if the imap was freed, or the pool is being killed, of which the
 * consumer learns. */
static bool may_feed(struct verd_imap *it)
{
    if (it->freed)
        return false;
    if (await_room(it) == 0)
        return true;
    it->error = errno;
    return false;
}

static void feed(void *arg)
{
    struct verd_imap *it = arg;
    struct verd__area *area = verd__area(verd__current->running);
    area->member = &it->pool->owner;
    area->loan = it->loan;
    while (may_feed(it) && feed_one(it))
        ;
}

static void imap_end(struct verd_imap *it)
{
    it->pool->users--;
    verd__loan_drop(it->loan);
    free(it);
}

static void feeder_ended(struct verd__watch *watch, struct verd__thread *thread, int error)
{
    struct verd_imap *it = VERD__CONTAINER_OF(watch, struct verd_imap, watch);
    (void)thread;
    it->feeder = NULL;
    if (it->error == 0)
        it->error = error; /* it was not cut short unless this is the child of a fork */
    verd__pool_feed_end(it->pool);
    if (it->freed)
        imap_end(it);
    else
        report(it, it->error);
}

static int start_feeder(struct verd_imap *it, const void *site)
{
    struct verd__scheduler *scheduler = verd__current;
    union verd__start start = {.run = feed};
    it->feeder = verd__thread_new(scheduler, start, it, 0, site);
    if (it->feeder == NULL)
        return -1;
    verd__watch_add(it->feeder, &it->watch);
    verd__pool_begin(scheduler, it->pool, &it->pool->imaps, it->feeder);
    verd__pool_feed_begin(it->pool);
    it->pool->users++;
    return 0;
}

/* The source is set by the caller, before the feeder can run. */
static struct verd_imap *imap_new(struct verd_pool *pool, void *(*fn)(void *), const void *site)
{
    if (verd__pool_check(pool) != 0)
        return NULL;
    struct verd_imap *it = calloc(1, sizeof *it);
    if (it == NULL)
        return NULL;
    it->watch.ended = feeder_ended;
    it->pool = pool;
    it->fn = fn;
    verd__jobs_init(&it->jobs, verd__current);
    it->jobs.more = true;
    if (verd__pool_is_member(verd__current, pool)) {
        it->loan = verd__loan_take(verd__current, pool);
        if (it->loan == NULL)
            goto no_loan;
    }
    if (start_feeder(it, site) == 0)
        return it;
    verd__loan_drop(it->loan);
no_loan:
    free(it);
    errno = ENOMEM;
    return NULL;
}

__attribute__((noinline)) verd_imap *verd_pool_imap(verd_pool *pool, void *(*fn)(void *),
                                                    verd_source next, void *state)
{
    if (pool == NULL || fn == NULL || next == NULL) {
        errno = EINVAL;
        return NULL;
    }
    struct verd_imap *it = imap_new(pool, fn, __builtin_return_address(0));
    if (it == NULL)
        return NULL;
    it->next = next;
    it->state = state;
    return it;
}

static int next_of_array(void *state, void **item)
{
    struct array *array = state;
    if (array->left == 0)
        return 0;
    array->left--;
    *item = *array->items++;
    return 1;
}

__attribute__((noinline)) verd_imap *verd_pool_imap_array(verd_pool *pool, void *(*fn)(void *),
                                                          void *const *items, size_t n)
{
    if (pool == NULL || fn == NULL || (items == NULL && n != 0)) {
        errno = EINVAL;
        return NULL;
    }
    struct verd_imap *it = imap_new(pool, fn, __builtin_return_address(0));
    if (it == NULL)
        return NULL;
    it->array = (struct array){items, n};
    it->next = next_of_array;
    it->state = &it->array;
    return it;
}

/* Nothing is left for the consumer but the error, if there is one. */
static int give_end(struct verd_imap *it)
{
    if (it->error == 0)
        return 0;
    errno = it->error;
    it->error = 0;
    it->jobs.more = it->feeder != NULL;
    return -1;
}

static int next_result(verd_imap *it, bool any, void **result, void **item)
{
    struct verd__scheduler *scheduler = verd__begin();
    struct verd__job *job;
    if (scheduler == NULL || it == NULL)
        return verd__refuse(scheduler != NULL ? EINVAL : 0);
    int got = verd__jobs_next(scheduler, &it->jobs, any, &job);
    if (got < 0)
        return verd__refuse(0);
    if (got > 0 && item != NULL)
        *item = job->item;
    int given = got > 0 ? verd__job_give(job, result) : give_end(it);
    if (it->feeder != NULL && has_room(it))
        verd__pool_feed_wake(it->feeder);
    return given < 0 ? verd__refuse(0) : verd__done(scheduler, given);
}

int verd_imap_next(verd_imap *it, void **result)
{
    return next_result(it, false, result, NULL);
}

int verd_imap_next_any(verd_imap *it, void **result, void **item)
{
    return next_result(it, true, result, item);
}

void verd_imap_free(verd_imap *it)
{
    if (it == NULL || verd__pool_check(it->pool) != 0)
        return;
    it->freed = true;
    struct verd__thread *feeder = it->feeder;
    verd__jobs_end(&it->jobs, true);
    /* Before it has started the feeder ends here and now, and the imap with it. */
    if (feeder != NULL)
        verd__thread_kill(verd__current, feeder);
    else
        imap_end(it);
}
