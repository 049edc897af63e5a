/* SPDX-License-Identifier: MIT */
/*
 * A job: one function that runs in a pool for a pile or an imap, and the record of its result; and
 * their collection, in the order of spawning and in that of finishing.
 *
 * A job belongs to its collection until its result is taken or the collection ends. From then on, if
 * it has not ended, it is an orphan: it belongs to the thread that runs it, and is freed at its end.
 */
#ifndef VERD_POOL_JOB_H
#define VERD_POOL_JOB_H

#include <stdbool.h>

#include <verd/pool.h>

#include "sched/obligation.h"
#include "sched/thread.h"

struct verd__consumer;

struct verd__job {
    struct verd__watch watch;           /* on `thread` */
    struct verd__obligation obligation; /* its spawner's, until it has started, or ended in place */
    struct verd__jobs *jobs;            /* its collection; NULL: it is in none yet, or an orphan */
    struct verd__thread *thread; /* runs it; NULL: has no slot yet, runs in place, or ended */
    struct verd__link order;     /* in jobs->order, while jobs is not NULL */
    struct verd__link finish;    /* in jobs->finish, while ended besides */
    void *item;                  /* of the source, for which it is; an imap's own */
    void *result;                /* ended, without error */
    int error;                   /* ended: 0, or why it has no result */
    bool ended;
    bool killed; /* its collection ended with `kill` */
    bool held;   /* its spawner waits for the end of a kill; it is not counted in `running` */
};

struct verd__jobs {
    uint64_t home;                   /* the number of its maker's scheduler */
    struct verd__consumer *consumer; /* waits for a result, or was woken and has not run yet */
    struct verd__list order;
    struct verd__list finish; /* those that have ended */
    size_t count;             /* in `order` */
    size_t running;           /* of them, those that have not ended: some wait for a slot */
    struct verd__list
        killers; /* who wait until there are none running; what is in line for a slot, starts killed */
    struct verd__list held; /* spawners who have come meanwhile */
    bool more;              /* others will come: empty is not the end */
};

void verd__jobs_init(struct verd__jobs *jobs, const struct verd__scheduler *scheduler);

/* Ends the collection: jobs that have not ended become orphans, and are killed with `kill`; the
 * consumer gets EINVAL. */
void verd__jobs_end(struct verd__jobs *jobs, bool kill);

/* Looks whether the consumer has something to go on with; to be called after `more` went false. */
void verd__jobs_offer(struct verd__jobs *jobs);

/*
 * Takes the first job in the order of spawning, or with `any` of finishing, for which it waits.
 * Returns 1 and *job, to be freed; 0 when the collection is empty and no more will come; -1 with errno
 * as verd_pile_next. To be followed by verd__done or verd__refuse.
 */
int verd__jobs_next(struct verd__scheduler *scheduler, struct verd__jobs *jobs, bool any,
                    struct verd__job **job);

/* Stores the result of a job that was taken, and frees the job. Returns 1; or -1 with its errno, if the result is a
 * failure or there is none. */
int verd__job_give(struct verd__job *job, void **result);

/* Whether the running thread runs a job of the collection. */
bool verd__jobs_has_caller(const struct verd__scheduler *scheduler, const struct verd__jobs *jobs);

/* Kills what runs, and waits until all have ended, as the caller's last act. Returns 0, or -1 with errno ECANCELED
 * or ETIMEDOUT, or EINVAL: the collection has ended. */
int verd__jobs_kill(struct verd__scheduler *scheduler, struct verd__jobs *jobs);

/* Makes a job that is in no collection yet, and for which the running thread answers. NULL with errno
 * ENOMEM. */
struct verd__job *verd__job_new(struct verd__scheduler *scheduler);

/* Makes it the last in the order of spawning. */
void verd__job_add(struct verd__job *job, struct verd__jobs *jobs);

/*
 * Runs the job's function in a slot of the pool, for which it waits. Returns 0, or -1 with errno as
 * verd_pool_spawn: then the job is the caller's, for verd__job_fail or verd__job_drop. In both cases
 * the collection may have ended meanwhile.
 */
int verd__job_run(struct verd__scheduler *scheduler, struct verd__job *job, verd_pool *pool,
                  void *(*fn)(void *), void *arg, const void *site);

/* The job ends without having run: the error is what the consumer gets in its place. */
void verd__job_fail(struct verd__scheduler *scheduler, struct verd__job *job, int error);

/* The job is not to be: takes it out of its collection, if it is in one. errno stays. */
void verd__job_drop(struct verd__scheduler *scheduler, struct verd__job *job);

#endif
