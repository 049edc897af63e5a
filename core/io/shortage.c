/* SPDX-License-Identifier: MIT */
#include "io/shortage.h"

#include "sched/wait.h"

#define PAUSE_MIN (10 * VERD_MS)
#define PAUSE_MAX (200 * VERD_MS)

/* Those that wait, on this OS thread. */
static _Thread_local struct {
    struct verd__tenant tenant;
    struct verd__list waiters;
    bool is_tenant;
} pauses;

static const struct verd__wait_kind shortage_kind = {.name = "a free descriptor", .has_more = true};

/* The OS thread ends; who waited is gone. */
static void end(struct verd__tenant *tenant)
{
    (void)tenant;
    pauses.is_tenant = false;
}

static void become_tenant(struct verd__scheduler *scheduler)
{
    if (pauses.is_tenant)
        return;
    pauses.is_tenant = true;
    pauses.waiters = (struct verd__list){0};
    pauses.tenant.end = end;
    pauses.tenant.next = scheduler->tenants;
    scheduler->tenants = &pauses.tenant;
}

/* By its entry a wait ends when a descriptor has been closed; else by the time. */
int verd__shortage_wait(struct verd__shortage *shortage, struct verd__scheduler *scheduler)
{
    struct verd__wait *wait = verd__own_wait(scheduler);
    if (shortage->pause == 0)
        shortage->pause = PAUSE_MIN;
    become_tenant(scheduler);
    wait->taken = NULL;
    verd__wait_limit(scheduler, wait, verd__time_after(verd_now(), shortage->pause),
                     verd__wait_time_up);
    verd__entry_join(&wait->entry, &pauses.waiters);
    int result = verd__wait(scheduler, wait, &shortage_kind);
    bool eased = wait->taken != NULL;
    shortage->pause *= 2;
    if (shortage->pause > PAUSE_MAX)
        shortage->pause = PAUSE_MAX;
    if (eased)
        shortage->pause = PAUSE_MIN;
    return result;
}

void verd__shortage_eased(void)
{
    struct verd__entry *first = verd__first_entry(&pauses.waiters);
    if (__builtin_expect(first != NULL, 0))
        verd__entry_end(first, 0);
}
