/* SPDX-License-Identifier: MIT */
#include "sched/registry.h"

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

_Atomic(struct verd__registered *) verd__registry;

/* Takes an element that has no scheduler. */
static bool reuse(struct verd__scheduler *scheduler)
{
    struct verd__registered *at = atomic_load(&verd__registry);
    for (; at != NULL; at = at->next) {
        struct verd__scheduler *none = NULL;
        scheduler->registered = at;
        if (atomic_compare_exchange_strong(&at->scheduler, &none, scheduler))
            return true;
    }
    return false;
}

int verd__registry_add(struct verd__scheduler *scheduler)
{
    scheduler->os_thread = gettid();
    atomic_init(&scheduler->runs_on, scheduler->os_thread);
    if (reuse(scheduler))
        return 0;
    struct verd__registered *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL)
        return -1;
    scheduler->registered = fresh;
    atomic_init(&fresh->scheduler, scheduler);
    fresh->next = atomic_load(&verd__registry);
    while (!atomic_compare_exchange_weak(&verd__registry, &fresh->next, fresh))
        ;
    return 0;
}

/* A reader counts itself, and then looks whether the scheduler is there; here it is the other way round. So one of the
 * two sees the other. */
void verd__registry_remove(struct verd__scheduler *scheduler)
{
    static const struct timespec pause = {.tv_nsec = 50000};
    struct verd__registered *registered = scheduler->registered;
    atomic_store(&registered->scheduler, NULL);
    while (atomic_load(&registered->readers) != 0)
        nanosleep(&pause, NULL);
}

void verd__registry_forked(struct verd__scheduler *self)
{
    struct verd__registered *at = atomic_load(&verd__registry);
    for (; at != NULL; at = at->next) {
        if (self == NULL || at != self->registered)
            atomic_store(&at->scheduler, NULL);
        atomic_store(&at->readers, 0);
    }
    if (self == NULL)
        return;
    self->os_thread = gettid();
    atomic_store(&self->runs_on, self->os_thread);
}

struct verd__scheduler *verd__registry_next(struct verd__scheduler *scheduler)
{
    struct verd__registered *at =
        scheduler != NULL ? scheduler->registered->next : atomic_load(&verd__registry);
    if (scheduler != NULL)
        verd__registry_let_go(scheduler);
    for (; at != NULL; at = at->next) {
        atomic_fetch_add(&at->readers, 1);
        scheduler = atomic_load(&at->scheduler);
        if (scheduler != NULL)
            return scheduler;
        atomic_fetch_sub(&at->readers, 1);
    }
    return NULL;
}

void verd__registry_let_go(struct verd__scheduler *scheduler)
{
    atomic_fetch_sub(&scheduler->registered->readers, 1);
}
