/* SPDX-License-Identifier: MIT */
/*
 * One line of tasks and one crew of OS threads for each kind, and one lock. An OS thread is started when a task
 * comes for which no idle one is left; from then on it stays, so that an idle process makes no wake-ups.
 *
 * What runs and was given up is stuck, perhaps for ever. It does not count against the crew's limit, and another OS
 * thread takes the place of the one that it holds: but of all kinds together only so many do; those beyond
 * count, and a crew of which all do takes no tasks.
 */
#include "offload/workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "offload/interrupt.h"
#include "offload/task.h"
#include "sched/once.h"

/* An OS thread; in its frame. */
struct verd__worker {
    struct crew *crew;
    pthread_t thread;
    enum {
        WORKING,
        EXCUSED,
        CLOGGED
    } state; /* what it does was given up: it does not count; or does */
};

struct crew {
    pthread_cond_t changed;
    struct verd__task *first, *last; /* of the line */
    size_t queued;                   /* its length */
    size_t idle;                     /* of `threads`, those that wait for `changed` */
    size_t threads, excused, clogged;
    size_t limit;
    size_t submitted;
};

static struct {
    pthread_mutex_t lock; /* for all that follows */
    struct crew crews[VERD_OFFLOAD_KINDS];
    size_t excused; /* of all crews */
    size_t bound;   /* for that */
} workers = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .bound = VERD_OFFLOAD_STUCK_MAX,
};

static struct verd__once once;

static void append(struct crew *crew, struct verd__task *task)
{
    task->next = NULL;
    task->prev = crew->last;
    *(crew->last != NULL ? &crew->last->next : &crew->first) = task;
    crew->last = task;
    task->queued = true;
    crew->queued++;
}

static struct verd__task *take(struct crew *crew, struct verd__task *task)
{
    *(task->prev != NULL ? &task->prev->next : &crew->first) = task->next;
    *(task->next != NULL ? &task->next->prev : &crew->last) = task->prev;
    task->queued = false;
    crew->queued--;
    return task;
}

/* OS threads that count. */
static size_t counted(const struct crew *crew)
{
    return crew->threads - crew->excused;
}

/* Runs a task, without the lock. */
static void run(struct verd__worker *worker, struct verd__task *task)
{
    worker->state = WORKING;
    task->worker = worker;
    pthread_mutex_unlock(&workers.lock);
    verd__task_run(task);
    pthread_mutex_lock(&workers.lock);
    worker->crew->clogged -= worker->state == CLOGGED;
    worker->crew->excused -= worker->state == EXCUSED;
    workers.excused -= worker->state == EXCUSED;
}

static void *work(void *arg)
{
    struct crew *crew = arg;
    struct verd__worker worker = {.crew = crew, .thread = pthread_self()};
    pthread_mutex_lock(&workers.lock);
    while (counted(crew) <= crew->limit) {
        if (crew->first != NULL) {
            run(&worker, take(crew, crew->first));
            continue;
        }
        crew->idle++;
        pthread_cond_wait(&crew->changed, &workers.lock);
        crew->idle--;
    }
    crew->threads--;
    if (crew->first != NULL)
        pthread_cond_signal(&crew->changed); /* the signal that woke this one was for a task */
    pthread_mutex_unlock(&workers.lock);
    return NULL;
}

/* Starts an OS thread without signals, but for those that tell of faults: a handler's place is where the
 * program expects it. Under the lock: so nobody counts on one that cannot be had. Returns 0 or an
 * errno. */
static int start_thread(struct crew *crew)
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
    error = pthread_create(&thread, &attr, work, crew);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (error == 0)
        crew->threads++;
    return error;
}

static bool needs_thread(const struct crew *crew)
{
    return crew->queued > crew->idle && counted(crew) < crew->limit;
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
    workers.excused = 0;
    for (size_t i = 0; i < VERD_OFFLOAD_KINDS; i++) {
        struct crew *crew = &workers.crews[i];
        crew->changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
        crew->first = crew->last = NULL;
        crew->queued = crew->idle = crew->threads = crew->excused = crew->clogged = 0;
    }
}

static int prepare_process(void)
{
    int error = pthread_atfork(fork_prepare, fork_parent, fork_child);
    for (size_t i = 0; error == 0 && i < VERD_OFFLOAD_KINDS; i++) {
        workers.crews[i].changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
        workers.crews[i].limit = VERD_OFFLOAD_THREADS;
    }
    return error;
}

/* -1 and errno if the process cannot prepare for forks. */
static int prepare(void)
{
    if (verd__once(&once, prepare_process) == 0)
        return 0;
    errno = ENOMEM;
    return -1;
}

/* Puts the task in the line. Returns 0, or an errno and the task is not there. */
static int admit(struct crew *crew, struct verd__task *task)
{
    if (crew->clogged >= crew->limit)
        return EBUSY;
    if (task->interruptible)
        verd__interrupt_prepare();
    append(crew, task);
    int error = needs_thread(crew) ? start_thread(crew) : 0;
    if (error != 0 && counted(crew) == 0) { /* else it waits for those that there are */
        take(crew, task);
        return EAGAIN;
    }
    crew->submitted++;
    return 0;
}

int verd__workers_submit(struct verd__task *task)
{
    struct crew *crew = &workers.crews[task->kind];
    if (prepare() != 0)
        return -1;
    pthread_mutex_lock(&workers.lock);
    int error = admit(crew, task);
    bool wake = error == 0 && crew->idle > 0;
    pthread_mutex_unlock(&workers.lock);
    if (wake)
        pthread_cond_signal(&crew->changed); /* who wakes finds the lock free */
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

bool verd__workers_withdraw(struct verd__task *task)
{
    pthread_mutex_lock(&workers.lock);
    bool queued = task->queued;
    if (queued)
        take(&workers.crews[task->kind], task);
    pthread_mutex_unlock(&workers.lock);
    return queued;
}

/* Its OS thread, which is at it still, counts no longer, if there are not too many such. */
static void excuse(struct verd__worker *worker)
{
    struct crew *crew = worker->crew;
    if (workers.excused >= workers.bound) {
        worker->state = CLOGGED;
        crew->clogged++;
        return;
    }
    worker->state = EXCUSED;
    workers.excused++;
    crew->excused++;
    if (needs_thread(crew))
        start_thread(crew);
}

enum verd__leaving verd__workers_leave(struct verd__task *task)
{
    enum verd__leaving leaving = VERD__LEFT_DONE;
    pthread_mutex_lock(&workers.lock);
    if (task->queued) {
        take(&workers.crews[task->kind], task);
        leaving = VERD__LEFT_WITHDRAWN;
    } else if (verd__task_change(task, VERD__TASK_PENDING, VERD__TASK_ABANDONED)) {
        excuse(task->worker);
        leaving = VERD__LEFT_RUNNING;
    }
    pthread_mutex_unlock(&workers.lock);
    return leaving;
}

/* Under the lock the OS thread neither ends nor takes another task. */
bool verd__workers_interrupt(struct verd__task *task)
{
    pthread_mutex_lock(&workers.lock);
    bool runs = !task->queued;
    if (runs)
        atomic_store(&task->interrupted, true);
    if (runs && atomic_load(&task->state) == VERD__TASK_PENDING)
        verd__interrupt_send(task->worker->thread);
    pthread_mutex_unlock(&workers.lock);
    return runs;
}

/* Takes the hub's tasks out of the line, and puts them before `forsaken`. Returns the first. */
static struct verd__task *take_all(struct crew *crew, const struct verd_hub *inbox,
                                   struct verd__task *forsaken)
{
    for (struct verd__task *task = crew->first, *next; task != NULL; task = next) {
        next = task->next;
        if (task->inbox != inbox)
            continue;
        take(crew, task)->next = forsaken;
        forsaken = task;
    }
    return forsaken;
}

void verd__workers_forsake(const struct verd_hub *inbox)
{
    struct verd__task *forsaken = NULL;
    pthread_mutex_lock(&workers.lock);
    for (size_t i = 0; i < VERD_OFFLOAD_KINDS; i++)
        forsaken = take_all(&workers.crews[i], inbox, forsaken);
    pthread_mutex_unlock(&workers.lock);
    while (forsaken != NULL) {
        struct verd__task *next = forsaken->next;
        verd__task_discard(forsaken);
        forsaken = next;
    }
}

int verd__workers_resize(enum verd_offload_kind kind, size_t threads)
{
    struct crew *crew = &workers.crews[kind];
    if (threads == 0) {
        errno = EINVAL;
        return -1;
    }
    if (prepare() != 0)
        return -1;
    pthread_mutex_lock(&workers.lock);
    crew->limit = threads;
    for (size_t n = crew->queued; n > 0 && needs_thread(crew) && start_thread(crew) == 0; n--)
        ;
    pthread_cond_broadcast(&crew->changed); /* the idle ones look whether they are too many */
    pthread_mutex_unlock(&workers.lock);
    return 0;
}

int verd_offload_resize(size_t threads)
{
    return verd__workers_resize(VERD_OFFLOAD_FUNCTIONS, threads);
}

int verd_offload_stats(enum verd_offload_kind kind, struct verd_offload_counts *counts)
{
    if ((unsigned)kind >= VERD_OFFLOAD_KINDS || counts == NULL) {
        errno = EINVAL;
        return -1;
    }
    if (prepare() != 0)
        return -1;
    pthread_mutex_lock(&workers.lock);
    const struct crew *crew = &workers.crews[kind];
    *counts = (struct verd_offload_counts){
        .limit = crew->limit,
        .threads = crew->threads,
        .idle = crew->idle,
        .waiting = crew->queued,
        .stuck = crew->excused + crew->clogged,
        .total = crew->submitted,
    };
    pthread_mutex_unlock(&workers.lock);
    return 0;
}

size_t verd__workers_bound(size_t stuck)
{
    pthread_mutex_lock(&workers.lock);
    size_t before = workers.bound;
    workers.bound = stuck;
    pthread_mutex_unlock(&workers.lock);
    return before;
}

struct verd__workers_counts verd__workers_counts(void)
{
    struct verd__workers_counts counts = {0};
    pthread_mutex_lock(&workers.lock);
    for (size_t i = 0; i < VERD_OFFLOAD_KINDS; i++) {
        counts.submitted += workers.crews[i].submitted;
        counts.queued += workers.crews[i].queued;
        counts.threads += workers.crews[i].threads;
    }
    pthread_mutex_unlock(&workers.lock);
    return counts;
}
