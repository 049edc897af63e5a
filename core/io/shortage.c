/* SPDX-License-Identifier: MIT */
#include "io/shortage.h"

#include "sched/wait.h"

#define PAUSE_MIN (10 * VERD_MS)
#define PAUSE_MAX (200 * VERD_MS)

/* Those that wait, on this OS thread. */
static _Thread_local struct {
    struct verd__tenant tenant; /* first */
    struct verd__waiters line;
    bool is_tenant;
} pauses;

struct pause {
    struct verd__timer timer; /* first: fire gets it */
    struct verd__wait wait;
    struct verd__scheduler *scheduler;
    bool eased; /* a close has ended it */
};

static struct pause *pause_of(struct verd__wait *wait)
{
    return (struct pause *)(void *)((char *)wait - offsetof(struct pause, wait));
}

static void leave(struct pause *pause)
{
    verd__waiters_remove(&pauses.line, &pause->wait);
    verd__timer_cancel(&pause->scheduler->timers, &pause->timer);
}

static void cancel(struct verd__wait *wait)
{
    leave(pause_of(wait));
}

static const struct verd__wait_kind shortage_kind = {"a free descriptor", cancel};

static void fire(struct verd__timer *timer)
{
    struct pause *pause = (struct pause *)timer;
    leave(pause);
    verd__wake(&pause->wait);
}

/* The OS thread ends; who waited is gone. */
static void end(struct verd__tenant *tenant)
{
    (void)tenant;
    pauses.line = (struct verd__waiters){0};
    pauses.is_tenant = false;
}

static void join_line(struct verd__scheduler *scheduler, struct verd__wait *wait)
{
    if (!pauses.is_tenant) {
        pauses.is_tenant = true;
        pauses.tenant.end = end;
        pauses.tenant.next = scheduler->tenants;
        scheduler->tenants = &pauses.tenant;
    }
    verd__waiters_append(&pauses.line, wait);
}

int verd__shortage_wait(struct verd__shortage *shortage, struct verd__scheduler *scheduler)
{
    struct pause pause = {
        .timer.fire = fire,
        .wait.kind = &shortage_kind,
        .scheduler = scheduler,
    };
    if (shortage->pause == 0)
        shortage->pause = PAUSE_MIN;
    join_line(scheduler, &pause.wait);
    verd__timer_arm(&scheduler->timers, &pause.timer,
                    verd__time_after(verd_now(), shortage->pause));
    int result = verd__wait(scheduler, &pause.wait);
    shortage->pause *= 2;
    if (shortage->pause > PAUSE_MAX)
        shortage->pause = PAUSE_MAX;
    if (pause.eased)
        shortage->pause = PAUSE_MIN;
    return result;
}

void verd__shortage_eased(void)
{
    struct verd__wait *first = pauses.line.first;
    if (__builtin_expect(first == NULL, 1))
        return;
    struct pause *pause = pause_of(first);
    pause->eased = true;
    leave(pause);
    verd__wake(first);
}
