/* SPDX-License-Identifier: MIT */
#include "pool/job.h"

#include <errno.h>
#include <stdlib.h>

#include "pool/pool.h"
#include "sched/failure.h"
#include "sched/wait.h"

/* Who waits for a result; in its frame. It stays the collection's consumer until it runs again and
 * takes the job itself, so that a job counts as taken only when the consumer has it. */
struct verd__consumer {
    struct verd__obligation obligation;
    struct verd__wait *wait;
    struct verd__jobs *jobs; /* valid unless `gone` */
    struct verd__job *job;   /* woken: the one to take; NULL: the end */
    bool any;
    bool woken;
    bool gone; /* the collection ended meanwhile, or knows it no more */
};

static struct verd__job *of_order(struct verd__link *link)
{
    return VERD__CONTAINER_OF(link, struct verd__job, order);
}

static struct verd__job *of_finish(struct verd__link *link)
{
    return VERD__CONTAINER_OF(link, struct verd__job, finish);
}

/* The job that a consumer may take now; NULL: none. */
static struct verd__job *ready_job(const struct verd__jobs *jobs, bool any)
{
    struct verd__link *link = any ? jobs->finish.first : jobs->order.first;
    if (link == NULL)
        return NULL;
    struct verd__job *job = any ? of_finish(link) : of_order(link);
    return job->ended ? job : NULL;
}

static bool at_end(const struct verd__jobs *jobs)
{
    return jobs->count == 0 && !jobs->more;
}

void verd__jobs_init(struct verd__jobs *jobs, const struct verd__scheduler *scheduler)
{
    *jobs = (struct verd__jobs){.home = scheduler->number};
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
    verd__wake(consumer->wait);
}

static void take_out(struct verd__jobs *jobs, struct verd__job *job)
{
    verd__list_remove(&jobs->order, &job->order);
    if (job->ended)
        verd__list_remove(&jobs->finish, &job->finish);
    else
        jobs->running -= !job->held;
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
        verd__wait_end(consumer->wait, EINVAL);
}

void verd__jobs_end(struct verd__jobs *jobs, bool kill)
{
    detach_consumer(jobs);
    verd__queue_end(&jobs->killers, EINVAL); /* and those that are held */
    while (jobs->order.first != NULL) {
        struct verd__job *job = of_order(jobs->order.first);
        take_out(jobs, job);
        if (job->ended) {
            free(job);
            continue;
        }
        job->killed = kill;
        if (kill && job->thread != NULL)
            verd__thread_kill(verd__current,
                              job->thread); /* frees the job at once, if it has not started */
    }
}

/* The collection knows the consumer no more. */
static void leave(struct verd__consumer *consumer)
{
    if (!consumer->gone)
        consumer->jobs->consumer = NULL;
    consumer->gone = true;
}

static void stop_waiting(struct verd__wait *wait, int error)
{
    if (error != 0)
        leave(wait->object);
}

static const struct verd__wait_kind consumer_kind = {
    .name = "a result", .has_more = true, .ended = stop_waiting};

static void settle_consumer(struct verd__obligation *obligation)
{
    leave(VERD__CONTAINER_OF(obligation, struct verd__consumer, obligation));
}

static int wait_as(struct verd__scheduler *scheduler, struct verd__consumer *consumer)
{
    struct verd__jobs *jobs = consumer->jobs;
    consumer->wait = verd__own_wait(scheduler);
    consumer->wait->object = consumer;
    jobs->consumer = consumer;
    verd__obligation_begin(scheduler, &consumer->obligation, settle_consumer);
    int result = verd__wait(scheduler, consumer->wait, &consumer_kind);
    verd__obligation_end(scheduler, &consumer->obligation);
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
static int await_job(struct verd__scheduler *scheduler, struct verd__jobs *jobs, bool any,
                     struct verd__job **job)
{
    struct verd__consumer consumer = {.jobs = jobs, .any = any};
    if (wait_as(scheduler, &consumer) != 0)
        return -1;
    *job = consumer.job;
    return 0;
}

int verd__jobs_next(struct verd__scheduler *scheduler, struct verd__jobs *jobs, bool any,
                    struct verd__job **job)
{
    if (jobs->home != scheduler->number || jobs->consumer != NULL) {
        errno = jobs->home != scheduler->number ? EPERM : EBUSY;
        return -1;
    }
    *job = ready_job(jobs, any);
    if (*job == NULL && !at_end(jobs) && await_job(scheduler, jobs, any, job) != 0)
        return -1;
    if (*job == NULL)
        return 0;
    take_out(jobs, *job);
    return 1;
}

int verd__job_give(struct verd__job *job, void **result)
{
    int error = job->error != 0 ? job->error : verd__result_store(job->result, result);
    free(job);
    if (error == 0)
        return 1;
    errno = error;
    return -1;
}

/* One has ended, or is not to be. */
static void settle(struct verd__jobs *jobs)
{
    if (jobs->running == 0)
        verd__queue_end(&jobs->killers, 0);
    verd__jobs_offer(jobs);
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
    jobs->running--;
    verd__list_append(&jobs->finish, &job->finish);
    settle(jobs);
}

/* A job that was killed before it started has no result: NULL. */
static void thread_ended(struct verd__watch *watch, struct verd__thread *thread, int error)
{
    (void)error;
    end_job(VERD__CONTAINER_OF(watch, struct verd__job, watch), thread->result, 0);
}

/* Takes it out of its collection, if it is in one, and frees it. */
static void discard(struct verd__job *job)
{
    struct verd__jobs *jobs = job->jobs;
    if (jobs != NULL) {
        take_out(jobs, job);
        settle(jobs); /* the next one may have ended, or this was the last */
    }
    free(job);
}

static struct verd__job *of_obligation(struct verd__obligation *obligation)
{
    return VERD__CONTAINER_OF(obligation, struct verd__job, obligation);
}

static void settle_unstarted(struct verd__obligation *obligation)
{
    discard(of_obligation(obligation));
}

/* As one whose thread is gone. */
static void settle_in_place(struct verd__obligation *obligation)
{
    end_job(of_obligation(obligation), NULL, 0);
}

struct verd__job *verd__job_new(struct verd__scheduler *scheduler)
{
    struct verd__job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return NULL;
    job->watch.ended = thread_ended;
    verd__obligation_begin(scheduler, &job->obligation, settle_unstarted);
    return job;
}

void verd__job_add(struct verd__job *job, struct verd__jobs *jobs)
{
    job->jobs = jobs;
    verd__list_append(&jobs->order, &job->order);
    jobs->count++;
    jobs->running++;
}

static void run_in_place(struct verd__scheduler *scheduler, struct verd__job *job,
                         void *(*fn)(void *), void *arg)
{
    job->obligation.settle = settle_in_place;
    void *result = fn(arg);
    verd__obligation_end(scheduler, &job->obligation);
    end_job(job, result, 0);
}

/* What runs in place is an obligation of its thread's. */
bool verd__jobs_has_caller(const struct verd__scheduler *scheduler, const struct verd__jobs *jobs)
{
    const struct verd__thread *self = scheduler->running;
    for (struct verd__link *link = jobs->order.first; link != NULL; link = link->next) {
        if (of_order(link)->thread == self)
            return true;
    }
    for (struct verd__link *link = verd__area(self)->obligations.first; link != NULL;
         link = link->next) {
        struct verd__obligation *obligation =
            VERD__CONTAINER_OF(link, struct verd__obligation, link);
        if (obligation->settle == settle_in_place && of_obligation(obligation)->jobs == jobs)
            return true;
    }
    return false;
}

/* Those that a kill has held count again. */
static void stop_holding(struct verd__wait *wait, int error)
{
    struct verd__job *job = wait->entry.value;
    if (error != 0)
        return;
    job->held = false;
    if (job->jobs != NULL)
        job->jobs->running++;
}

static const struct verd__wait_kind holding_kind = {
    .name = "the end of a kill", .has_more = true, .ended = stop_holding};

/* Waits while others than the job's spawner kill what runs for its collection, with which its pool may go. -1 with
 * errno. */
static int wait_for_kill(struct verd__scheduler *scheduler, struct verd__job *job)
{
    struct verd__jobs *jobs = job->jobs;
    if (jobs == NULL || jobs->killers.first == NULL || verd__jobs_has_caller(scheduler, jobs))
        return 0;
    job->held = true;
    jobs->running--;
    if (verd__wait_in_queue(scheduler, &holding_kind, &jobs->held, job) != 0)
        return -1;
    if (job->jobs != NULL)
        return 0;
    errno = EINVAL;
    return -1;
}

int verd__job_run(struct verd__scheduler *scheduler, struct verd__job *job, verd_pool *pool,
                  void *(*fn)(void *), void *arg, const void *site)
{
    struct verd__slot slot;
    if (wait_for_kill(scheduler, job) != 0)
        return -1;
    int taken = verd__pool_take(scheduler, pool, &slot);
    if (taken < 0)
        return -1;
    if (taken == 0) {
        run_in_place(scheduler, job, fn, arg);
        return 0;
    }
    if (job->killed) { /* while it waited for the slot */
        verd__obligation_settle(scheduler, &slot.obligation);
        errno = ECANCELED;
        return -1;
    }
    job->thread = verd__pool_start(scheduler, &slot, (union verd__start){.call = fn}, arg,
                                   VERD__RESULT, site);
    if (job->thread == NULL)
        return -1;
    verd__watch_add(job->thread, &job->watch);
    if (job->jobs != NULL && job->jobs->killers.first != NULL)
        verd__thread_stop(job->thread);
    verd__obligation_end(scheduler, &job->obligation);
    return 0;
}

/* The last to wait for a kill lets those go on whom it has held. */
static void stop_killing(struct verd__wait *wait, int error)
{
    struct verd__jobs *jobs = wait->entry.value;
    (void)error;
    if (jobs->killers.first == NULL)
        verd__queue_end(&jobs->held, 0);
}

static const struct verd__wait_kind killer_kind = {
    .name = "the killed threads of a pile", .has_more = true, .ended = stop_killing};

int verd__jobs_kill(struct verd__scheduler *scheduler, struct verd__jobs *jobs)
{
    for (struct verd__link *link = jobs->order.first; link != NULL; link = link->next) {
        if (of_order(link)->thread != NULL)
            verd__thread_stop(of_order(link)->thread);
    }
    if (jobs->running == 0)
        return verd__done(scheduler, 0);
    return verd__wait_in_queue(scheduler, &killer_kind, &jobs->killers, jobs);
}

void verd__job_fail(struct verd__scheduler *scheduler, struct verd__job *job, int error)
{
    verd__obligation_end(scheduler, &job->obligation);
    end_job(job, NULL, error);
}

void verd__job_drop(struct verd__scheduler *scheduler, struct verd__job *job)
{
    int error = errno;
    verd__obligation_end(scheduler, &job->obligation);
    discard(job);
    errno = error;
}
