/* SPDX-License-Identifier: MIT */
#include "sched/scheduler.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "sched/exceptions.h"
#include "sched/local.h"
#include "sched/once.h"
#include "sched/overflow.h"
#include "sched/shuffle.h"
#include "sched/slab.h"
#include "sched/thread.h"
#include "stack/line.h"

_Thread_local struct verd__scheduler *verd__current;

/* While unstarted threads lack a stack, how long nobody looks whether there is one now. */
#define STARVED_RETRY (10 * VERD_MS)

static pthread_key_t end_of_os_thread;
static struct verd__once once;

/* They may use anything as they go. */
static void end_tenants(struct verd__scheduler *scheduler)
{
    struct verd__tenant *tenant;
    while ((tenant = scheduler->tenants) != NULL) {
        scheduler->tenants = tenant->next;
        tenant->end(tenant);
    }
}

static void abandon_threads(const struct verd__scheduler *scheduler)
{
    for (struct verd__slab *slab = scheduler->slabs; slab != NULL; slab = slab->next) {
        for (size_t i = 0; i < slab->used; i++)
            verd__thread_abandon(&slab->threads[i]);
    }
}

/* The OS thread ends, and with it whatever green threads it had. */
static void scheduler_free(void *value)
{
    struct verd__scheduler *scheduler = value;
    if (scheduler->running != scheduler->main)
        return; /* pthread_exit in a green thread: this runs on one of the stacks */
    struct verd__room *room = verd__room(scheduler->main);
    if (room->locals != NULL)
        verd__locals_end(room); /* runs functions of the user's, which may use anything */
    end_tenants(scheduler);
    if (scheduler->outside != NULL)
        scheduler->outside->close(scheduler->outside);
    abandon_threads(scheduler);
    verd__overflow_end(scheduler);
    verd__stacks_free(&scheduler->stacks);
    verd__slabs_free(scheduler);
    verd__current = NULL;
    free(scheduler);
}

static int prepare_process(void)
{
    int error = pthread_key_create(&end_of_os_thread, scheduler_free);
    if (error != 0)
        return error;
    error = pthread_atfork(NULL, NULL, verd__fork_child);
    if (error != 0)
        pthread_key_delete(end_of_os_thread);
    else
        verd__overflow_install();
    return error;
}

static void init_main(struct verd__scheduler *scheduler, struct verd_thread *main)
{
    *main = (struct verd_thread){.state = VERD__STARTED, .stack = &scheduler->main_stack};
    scheduler->main = scheduler->running = main;
}

struct verd__scheduler *verd__scheduler_new(void)
{
    struct verd__scheduler *scheduler = NULL;
    if (verd__once(&once, prepare_process) == 0)
        scheduler = calloc(1, sizeof *scheduler);
    if (scheduler == NULL)
        goto nothing;
    struct verd_thread *main = verd__slab_more(scheduler);
    if (main == NULL)
        goto no_slab;
    init_main(scheduler, main);
    scheduler->last = &scheduler->first;
    scheduler->starved_last = &scheduler->starved;
    scheduler->errno_location = &errno;
    scheduler->exceptions = verd__exceptions_find();
    scheduler->budget = VERD__BUDGET;
    scheduler->default_class = verd__stack_class(VERD_STACK_SIZE);
    verd__float_control_get(&scheduler->float_control);
    scheduler->clock = verd_now();
    verd__timers_init(&scheduler->timers, scheduler->clock);
    verd__shuffle_init(scheduler);
    if (pthread_setspecific(end_of_os_thread, scheduler) != 0)
        goto no_key;
    verd__overflow_begin(scheduler);
    verd__current = scheduler;
    return scheduler;

no_key:
    verd__slabs_free(scheduler);
no_slab:
    free(scheduler);
nothing:
    errno = ENOMEM;
    return NULL;
}

static bool expects_outside(const struct verd__scheduler *scheduler)
{
    return (scheduler->expecting & ~VERD__SEEDED) != 0;
}

/* Whether there is something besides threads that can make one runnable. */
static bool wants_waiting(const struct verd__scheduler *scheduler)
{
    return expects_outside(scheduler) || scheduler->timers.armed != 0 || scheduler->starved != NULL;
}

/* Nobody can run, and nothing will change that, but perhaps the user's function. */
static void deadlock(struct verd__scheduler *scheduler)
{
    if (scheduler->main->state == VERD__ENDED)
        exit(0); /* the child of a fork that was not main's: its last thread has ended */
    if (scheduler->on_deadlock != NULL)
        scheduler->on_deadlock();
    if (scheduler->first != NULL || wants_waiting(scheduler))
        return;
    struct verd__line line = {0};
    verd__line_text(&line, "deadlock: no thread can run, and no timer or descriptor is waited for");
    verd__line_write(&line);
    verd__report(scheduler);
    abort();
}

void verd_on_deadlock(void (*fn)(void))
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler != NULL)
        scheduler->on_deadlock = fn;
}

/* How long the outside may be waited for: 0 if someone can run. */
static verd_duration patience(struct verd__scheduler *scheduler)
{
    if (scheduler->first != NULL)
        return 0;
    verd_duration deadline = verd__timers_next(&scheduler->timers);
    verd_duration wait = VERD_FOREVER;
    if (deadline != VERD_FOREVER) {
        wait = deadline - verd_now();
        if (wait < 0)
            wait = 0;
    }
    if (scheduler->starved != NULL && wait > STARVED_RETRY)
        wait = STARVED_RETRY;
    return wait;
}

/* Without an outside there is only time to wait for. */
static void wait_for_time(verd_duration wait)
{
    struct timespec span = {(time_t)(wait / VERD_SEC), (long)(wait % VERD_SEC)};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL); /* a signal ends it early: no harm */
}

/* The first of the unstarted that lack a stack gets one, if there is one by now. */
static void retry_starved(struct verd__scheduler *scheduler)
{
    struct verd__stack *stack = verd__stack_take(&scheduler->stacks, scheduler->default_class);
    if (stack == NULL)
        return;
    struct verd_thread *thread = verd__starved_pop(scheduler);
    if (thread == NULL) { /* all were killed */
        verd__stack_give(&scheduler->stacks, stack);
        return;
    }
    thread->stack = stack;
    verd__thread_start(scheduler, thread);
}

/* One look at the outside, then at the clock: readiness wins over a deadline that it came before. */
static void look(struct verd__scheduler *scheduler)
{
    if (scheduler->first == NULL && scheduler->starved != NULL)
        retry_starved(scheduler);
    if (!wants_waiting(scheduler)) {
        if (scheduler->first == NULL)
            deadlock(scheduler);
        return;
    }
    verd_duration wait = patience(scheduler);
    if (expects_outside(scheduler))
        scheduler->outside->wait(scheduler->outside, wait);
    else if (wait > 0)
        wait_for_time(wait);
    if (scheduler->timers.armed == 0 && wait == 0)
        return;
    scheduler->clock = verd_now();
    verd__timers_advance(&scheduler->timers, scheduler->clock);
}

/* Threads that only hand over to one another make rounds so short that a look, which is a system call,
 * would cost ten times what they do. */
static bool may_go_on(const struct verd__scheduler *scheduler)
{
    return scheduler->first != NULL && !scheduler->yielded && scheduler->looked != 0 &&
           verd__is_recent(&scheduler->moments, scheduler->looked);
}

void verd__round(struct verd__scheduler *scheduler)
{
    if (scheduler->expecting & VERD__SEEDED) {
        do {
            look(scheduler);
        } while (scheduler->first == NULL);
        verd__shuffle(scheduler);
        return;
    }
    if (!may_go_on(scheduler)) {
        do {
            look(scheduler);
        } while (scheduler->first == NULL);
        scheduler->yielded = false;
        if (scheduler->moments.span == 0)
            verd__clock_learn(&scheduler->moments);
        scheduler->looked = verd__moment(&scheduler->moments);
    }
    verd__turn(scheduler);
}
