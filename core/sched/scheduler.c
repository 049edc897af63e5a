/* SPDX-License-Identifier: MIT */
#include "sched/scheduler.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "sched/area.h"
#include "sched/carrier.h"
#include "context/fibre.h"
#include "sched/exceptions.h"
#include "sched/layout.h"
#include "sched/local.h"
#include "sched/monitor.h"
#include "sched/once.h"
#include "sched/overflow.h"
#include "sched/registry.h"
#include "sched/setting.h"
#include "sched/shuffle.h"
#include "sched/slab.h"
#include "sched/thread.h"
#include "stack/sanitizer.h"

_Thread_local struct verd__scheduler *verd__current;

static _Atomic(uint64_t) last_number; /* of a scheduler */
static pthread_key_t end_of_os_thread;
static struct verd__once once;

/* They may use anything as they go. */
static void call_exit_hooks(struct verd__scheduler *scheduler)
{
    struct verd__exit_hook *hook;
    while ((hook = scheduler->exit_hooks) != NULL) {
        scheduler->exit_hooks = hook->next;
        hook->end(hook);
    }
}

/* The OS thread ends, and with it whatever green threads it had. */
static void scheduler_free(void *value)
{
    struct verd__scheduler *scheduler = value;
    if (scheduler->running != scheduler->main) {
        verd__registry_remove(scheduler);
        return; /* pthread_exit in a green thread: this runs on one of the stacks */
    }
    struct verd__area *area = verd__area(scheduler->main);
    if (area->locals != NULL)
        verd__locals_end(area); /* runs functions of the user's, which may use anything */
    verd__threads_end(scheduler, false);
    verd__area_clear(scheduler, scheduler->main);
    call_exit_hooks(scheduler);
    verd__registry_remove(scheduler);
    if (scheduler->poller != NULL)
        scheduler->poller->close(scheduler->poller);
    verd__observe(scheduler, 0);
    verd__overflow_end(scheduler);
    verd__carriers_end(scheduler);
    verd__stacks_free(&scheduler->stacks);
    scheduler->main = NULL; /* to a handler that a signal begins from now on */
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
    if (!verd__carriers_choose()) /* else a sanitizer needs not be told of switches */
        verd__sanitizer_check();
    if (error == 0)
        verd__debug_begin();
    return error;
}

static void init_main(struct verd__scheduler *scheduler, struct verd__thread *main)
{
    struct verd__area *area;
    verd__thread_init(main, (union verd__start){0}, NULL, 0, NULL);
    main->state = VERD__STARTED;
    main->stack = &scheduler->main_stack;
    area = verd__area(main);
    area->wait.thread = main;
    area->wait.entry.wait = &area->wait;
    scheduler->main = scheduler->running = main;
}

/* VERD_STACK_SIZE's choice. */
static unsigned class_of_environment(void)
{
    uint64_t size;
    bool is_set = verd__setting_number("VERD_STACK_SIZE", VERD_STACK_SIZE_MIN, VERD_STACK_SIZE_MAX,
                                       "stacks are as large as ever", &size);
    return verd__stack_class(is_set ? size : VERD_STACK_SIZE);
}

int verd_stack_default(size_t size)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return -1;
    if (!verd__stack_size_is_valid(size)) {
        errno = EINVAL;
        return -1;
    }
    scheduler->default_class = verd__stack_class(size == 0 ? VERD_STACK_SIZE : size);
    return 0;
}

int verd__process_prepare(void)
{
    return verd__once(&once, prepare_process);
}

struct verd__scheduler *verd__scheduler_new(void)
{
    int error = errno; /* getauxval and others leave theirs even where all goes well */
    struct verd__scheduler *scheduler = NULL;
    if (verd__process_prepare() == 0)
        scheduler = calloc(1, sizeof *scheduler);
    if (scheduler == NULL)
        goto nothing;
    scheduler->layout = &verd__layout;
    scheduler->number = atomic_fetch_add(&last_number, 1) + 1;
    struct verd__thread *main = verd__slab_more(scheduler);
    if (main == NULL)
        goto no_slab;
    init_main(scheduler, main);
    scheduler->last = &scheduler->first;
    scheduler->starved_last = &scheduler->starved;
    scheduler->errno_location = &errno;
    scheduler->exceptions = verd__exceptions_find();
    scheduler->budget = VERD__BUDGET;
    scheduler->default_class = class_of_environment();
    verd__float_control_get(&scheduler->float_control);
    scheduler->clock = verd_now();
    verd__timers_init(&scheduler->timers, scheduler->clock);
    verd__upkeep_init(&scheduler->upkeep);
    verd__shuffle_init(scheduler);
    if (verd__carriers_begin(scheduler) != 0)
        goto no_carriers;
    if (pthread_setspecific(end_of_os_thread, scheduler) != 0)
        goto no_key;
    if (verd__registry_add(scheduler) != 0)
        goto no_registry;
    verd__overflow_begin(scheduler);
    verd__current = scheduler;
    if (verd__observers(scheduler) != 0)
        verd__observe(scheduler, verd__observers(scheduler));
    verd__monitor_tell();
    errno = error;
    return scheduler;

no_registry:
    pthread_setspecific(end_of_os_thread, NULL);
no_key:
    verd__carriers_end(scheduler);
no_carriers:
    verd__slabs_free(scheduler);
no_slab:
    free(scheduler);
nothing:
    errno = ENOMEM;
    return NULL;
}

void verd_on_deadlock(void (*fn)(void))
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler != NULL)
        scheduler->on_deadlock = fn;
}
