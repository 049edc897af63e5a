/* SPDX-License-Identifier: MIT */
/*
 * One line of tasks, one lock, one condition. An OS thread is started when a task comes for which no idle
 * one is left; from then on it stays, so that an idle process makes no wake-ups.
 */
#include "offload/workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "offload/task.h"
#include "sched/once.h"

static struct {
    pthread_mutex_t lock; /* for all that follows */
    pthread_cond_t changed;
    struct verd__task *first, *last; /* of the line */
    size_t queued;                   /* its length */
    size_t idle;                     /* of `threads`, those that wait for `changed` */
    size_t threads;
    size_t limit;
    size_t submitted;
} workers = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .changed = PTHREAD_COND_INITIALIZER,
    .limit = VERD_OFFLOAD_THREADS,
};

static struct verd__once once;

static void append(struct verd__task *task)
{
    task->next = NULL;
    task->prev = workers.last;
    *(workers.last != NULL ? &workers.last->next : &workers.first) = task;
    workers.last = task;
    task->queued = true;
    workers.queued++;
}

static struct verd__task *take(struct verd__task *task)
{
    *(task->prev != NULL ? &task->prev->next : &workers.first) = task->next;
    *(task->next != NULL ? &task->next->prev : &workers.last) = task->prev;
    task->queued = false;
    workers.queued--;
    return task;
}

static void *work(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&workers.lock);
    while (workers.threads <= workers.limit) {
        if (workers.first == NULL) {
            workers.idle++;
            pthread_cond_wait(&workers.changed, &workers.lock);
            workers.idle--;
            continue;
        }
        struct verd__task *task = take(workers.first);
        pthread_mutex_unlock(&workers.lock);
        verd__task_run(task);
        pthread_mutex_lock(&workers.lock);
    }
    workers.threads--;
    if (workers.first != NULL)
        pthread_cond_signal(&workers.changed); /* the signal that woke this one was for a task */
    pthread_mutex_unlock(&workers.lock);
    return NULL;
}

/* Starts an OS thread without signals, but for those that tell of faults: a handler's place is where the
 * program expects it. Under the lock: so nobody counts on one that cannot be had. Returns 0 or an
 * errno. */
static int start_thread(void)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t blocked;
    sigset_t before;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&blocked, faults[i]);
    int error = pthread_attr_init(&attr);
    if (error != 0)
        return error;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    error = pthread_create(&thread, &attr, work, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (error == 0)
        workers.threads++;
    return error;
}

static bool needs_thread(void)
{
    return workers.queued > workers.idle && workers.threads < workers.limit;
}

static void fork_prepare(void)
{
    pthread_mutex_lock(&workers.lock);
}

static void fork_parent(void)
{
    pthread_mutex_unlock(&workers.lock);
}

/* No worker has come along, nor has any caller. */
static void fork_child(void)
{
    workers.lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    workers.changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    workers.first = workers.last = NULL;
    workers.queued = workers.idle = workers.threads = 0;
}

static int prepare_process(void)
{
    return pthread_atfork(fork_prepare, fork_parent, fork_child);
}

/* -1 and errno if the process cannot prepare for forks. */
static int prepare(void)
{
    if (verd__once(&once, prepare_process) == 0)
        return 0;
    errno = ENOMEM;
    return -1;
}

int verd__workers_submit(struct verd__task *task)
{
    if (prepare() != 0)
        return -1;
    pthread_mutex_lock(&workers.lock);
    append(task);
    workers.submitted++;
    int error = needs_thread() ? start_thread() : 0;
    bool refused = error != 0 && workers.threads == 0; /* else it waits for those that there are */
    bool wake = !refused && workers.idle > 0;
    if (refused)
        take(task);
    pthread_mutex_unlock(&workers.lock);
    if (wake)
        pthread_cond_signal(&workers.changed); /* who wakes finds the lock free */
    if (!refused)
        return 0;
    errno = EAGAIN;
    return -1;
}

bool verd__workers_withdraw(struct verd__task *task)
{
    pthread_mutex_lock(&workers.lock);
    bool queued = task->queued;
    if (queued)
        take(task);
    pthread_mutex_unlock(&workers.lock);
    return queued;
}

void verd__workers_forsake(const struct verd_hub *inbox)
{
    struct verd__task *forsaken = NULL;
    pthread_mutex_lock(&workers.lock);
    for (struct verd__task *task = workers.first, *next; task != NULL; task = next) {
        next = task->next;
        if (task->inbox != inbox)
            continue;
        take(task)->next = forsaken;
        forsaken = task;
    }
    pthread_mutex_unlock(&workers.lock);
    while (forsaken != NULL) {
        struct verd__task *next = forsaken->next;
        verd__task_discard(forsaken);
        forsaken = next;
    }
}

int verd_offload_resize(size_t threads)
{
    if (threads == 0) {
        errno = EINVAL;
        return -1;
    }
    if (prepare() != 0)
        return -1;
    pthread_mutex_lock(&workers.lock);
    workers.limit = threads;
    for (size_t n = workers.queued; n > 0 && needs_thread() && start_thread() == 0; n--)
        ;
    pthread_cond_broadcast(&workers.changed); /* the idle ones look whether they are too many */
    pthread_mutex_unlock(&workers.lock);
    return 0;
}

struct verd__workers_counts verd__workers_counts(void)
{
    pthread_mutex_lock(&workers.lock);
    struct verd__workers_counts counts = {
        .submitted = workers.submitted,
        .queued = workers.queued,
        .threads = workers.threads,
    };
    pthread_mutex_unlock(&workers.lock);
    return counts;
}
