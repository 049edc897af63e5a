/* SPDX-License-Identifier: MIT */
#include "pool/job.h"

#include <errno.h>
#include <stdlib.h>

#include "pool/pool.h"
#include "sched/wait.h"

/* Who waits for a result; in its frame. It stays the collection's consumer until it runs again and
 * takes the job itself, so that a job counts as taken only when the consumer has it. */
struct verd__consumer {
    struct verd__wait wait;  /* first: `cancel` gets it */
    struct verd__jobs *jobs; /* valid unless `gone` */
    struct verd__job *job;   /* woken: the one to take; NULL: the end */
    struct verd__duty duty;
    bool any;
    bool woken;
    bool gone; /* the collection ended meanwhile, or knows it no more */
};

static struct verd__job *of_order(struct verd__ring *link)
{
    return (struct verd__job *)(void *)((char *)link - offsetof(struct verd__job, order));
}

static struct verd__job *of_finish(struct verd__ring *link)
{
    return (struct verd__job *)(void *)((char *)link - offsetof(struct verd__job, finish));
}

/* The job that a consumer may take now; NULL: none. */
static struct verd__job *ready_job(const struct verd__jobs *jobs, bool any)
{
    struct verd__ring *link = verd__ring_first(any ? &jobs->finish : &jobs->order);
    if (link == NULL)
        return NULL;
    struct verd__job *job = any ? of_finish(link) : of_order(link);
    return job->ended ? job : NULL;
}

static bool at_end(const struct verd__jobs *jobs)
{
    return jobs->count == 0 && !jobs->more;
}

void verd__jobs_init(struct verd__jobs *jobs, struct verd__scheduler *scheduler)
{
    *jobs = (struct verd__jobs){.scheduler = scheduler};
    verd__ring_init(&jobs->order);
    verd__ring_init(&jobs->finish);
}

void verd__jobs_offer(struct verd__jobs *jobs)
{
    struct verd__consumer *consumer = jobs->consumer;
    if (consumer == NULL || consumer->woken)
        return;
    struct verd__job *job = ready_job(jobs, consumer->any);
    if (job == NULL && !at_end(jobs))
        return;
    consumer->job = job;
    consumer->woken = true;
    verd__wake(&consumer->wait);
}

static void take_out(struct verd__jobs *jobs, struct verd__job *job)
{
    verd__ring_remove(&job->order);
    if (job->ended)
        verd__ring_remove(&job->finish);
    job->jobs = NULL;
    jobs->count--;
}

static void detach_consumer(struct verd__jobs *jobs)
{
    struct verd__consumer *consumer = jobs->consumer;
    if (consumer == NULL)
        return;
    consumer->gone = true;
    if (!consumer->woken)
        verd__wait_end(&consumer->wait, EINVAL);
}

void verd__jobs_end(struct verd__jobs *jobs, bool kill)
{
    detach_consumer(jobs);
    struct verd__ring *next;
    for (struct verd__ring *link = jobs->order.next; link != &jobs->order; link = next) {
        struct verd__job *job = of_order(link);
        next = link->next;
        take_out(jobs, job);
        if (job->ended) {
            free(job);
            continue;
        }
        job->killed = kill;
        if (kill && job->thread != NULL)
            verd_kill(job->thread); /* frees the job at once, if it has not started */
    }
}

static void cancel_consumer(struct verd__wait *wait)
{
    struct verd__consumer *consumer = (struct verd__consumer *)wait;
    consumer->jobs->consumer = NULL;
    consumer->gone = true;
}

static const struct verd__wait_kind consumer_kind = {"a result", cancel_consumer};

static void settle_consumer(struct verd__duty *duty)
{
    struct verd__consumer *consumer =
        (struct verd__consumer *)(void *)((char *)duty - offsetof(struct verd__consumer, duty));
    if (!consumer->gone)
        consumer->jobs->consumer = NULL;
}

static int wait_as(struct verd__consumer *consumer)
{
    struct verd__jobs *jobs = consumer->jobs;
    struct verd__scheduler *scheduler = jobs->scheduler;
    jobs->consumer = consumer;
    verd__duty_begin(scheduler, &consumer->duty);
    int result = verd__wait(scheduler, &consumer->wait);
    verd__duty_end(scheduler, &consumer->duty);
    if (result != 0)
        return -1;
    if (consumer->gone) {
        errno = EINVAL;
        return -1;
    }
    jobs->consumer = NULL;
    return 0;
}

/* 0 and *job, which is NULL at the end; or -1 with errno. */
static int await_job(struct verd__jobs *jobs, bool any, struct verd__job **job)
{
    struct verd__consumer consumer = {
        .wait.kind = &consumer_kind, .duty.settle = settle_consumer, .jobs = jobs, .any = any};
    if (wait_as(&consumer) != 0)
        return -1;
    *job = consumer.job;
    return 0;
}

int verd__jobs_next(struct verd__jobs *jobs, bool any, struct verd__job **job)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL)
        return -1;
    if (jobs->scheduler != scheduler || jobs->consumer != NULL) {
        errno = jobs->scheduler != scheduler ? EPERM : EBUSY;
        return -1;
    }
    *job = ready_job(jobs, any);
    if (*job == NULL && !at_end(jobs) && await_job(jobs, any, job) != 0)
        return -1;
    if (*job == NULL)
        return 0;
    take_out(jobs, *job);
    return 1;
}

static void end_job(struct verd__job *job, void *result, int error)
{
    struct verd__jobs *jobs = job->jobs;
    if (jobs == NULL) {
        free(job);
        return;
    }
    job->thread = NULL;
    job->result = result;
    job->error = error;
    job->ended = true;
    verd__ring_append(&jobs->finish, &job->finish);
    verd__jobs_offer(jobs);
}

/* A job that was killed before it started has no result: NULL. */
static void thread_ended(struct verd__watch *watch, struct verd_thread *thread)
{
    end_job((struct verd__job *)watch, thread->result, 0);
}

_Static_assert(offsetof(struct verd__job, watch) == 0, "thread_ended relies on it");

/* Takes it out of its collection, if it is in one, and frees it. */
static void discard(struct verd__job *job)
{
    struct verd__jobs *jobs = job->jobs;
    if (jobs != NULL) {
        take_out(jobs, job);
        verd__jobs_offer(jobs); /* the next one may have ended, or this was the last */
    }
    free(job);
}

static struct verd__job *of_duty(struct verd__duty *duty)
{
    return (struct verd__job *)(void *)((char *)duty - offsetof(struct verd__job, duty));
}

static void settle_unstarted(struct verd__duty *duty)
{
    discard(of_duty(duty));
}

/* As one whose thread is gone. */
static void settle_in_place(struct verd__duty *duty)
{
    end_job(of_duty(duty), NULL, 0);
}

struct verd__job *verd__job_new(struct verd__scheduler *scheduler)
{
    struct verd__job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return NULL;
    job->watch.ended = thread_ended;
    job->duty.settle = settle_unstarted;
    verd__duty_begin(scheduler, &job->duty);
    return job;
}

void verd__job_add(struct verd__job *job, struct verd__jobs *jobs)
{
    job->jobs = jobs;
    verd__ring_append(&jobs->order, &job->order);
    jobs->count++;
}

static void run_in_place(struct verd__scheduler *scheduler, struct verd__job *job,
                         void *(*fn)(void *), void *arg)
{
    job->duty.settle = settle_in_place;
    void *result = fn(arg);
    verd__duty_end(scheduler, &job->duty);
    end_job(job, result, 0);
}

int verd__job_run(struct verd__scheduler *scheduler, struct verd__job *job, verd_pool *pool,
                  void *(*fn)(void *), void *arg)
{
    int slot = verd__pool_take(scheduler, pool);
    if (slot < 0)
        return -1;
    if (slot == 0) {
        run_in_place(scheduler, job, fn, arg);
        return 0;
    }
    if (job->killed) { /* while it waited in line */
        verd__pool_release(pool);
        errno = ECANCELED;
        return -1;
    }
    union verd__start start = {.call = fn};
    job->thread = verd__pool_start(scheduler, pool, start, arg, VERD__RESULT);
    if (job->thread == NULL)
        return -1;
    verd__watch_add(job->thread, &job->watch);
    verd__duty_end(scheduler, &job->duty);
    return 0;
}

void verd__job_fail(struct verd__scheduler *scheduler, struct verd__job *job, int error)
{
    verd__duty_end(scheduler, &job->duty);
    end_job(job, NULL, error);
}

void verd__job_drop(struct verd__scheduler *scheduler, struct verd__job *job)
{
    int error = errno;
    verd__duty_end(scheduler, &job->duty);
    discard(job);
    errno = error;
}
