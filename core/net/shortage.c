/* SPDX-License-Identifier: MIT */
#include "net/shortage.h"

#include "sched/wait.h"

#define PAUSE_MIN (10 * VERD_MS)
#define PAUSE_MAX (200 * VERD_MS)

struct pause {
    struct verd__timer timer; /* first: fire gets it */
    struct verd__wait wait;
    struct verd__hub *hub;
    bool eased; /* a close has ended it */
};

static struct pause *pause_of(struct verd__wait *wait)
{
    return (struct pause *)(void *)((char *)wait - offsetof(struct pause, wait));
}

static void leave(struct pause *pause)
{
    verd__waiters_remove(&pause->hub->short_of_fds, &pause->wait);
    verd__timer_cancel(&pause->hub->scheduler->timers, &pause->timer);
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

int verd__shortage_wait(struct verd__shortage *shortage, struct verd__hub *hub)
{
    struct pause pause = {.timer.fire = fire, .wait.kind = &shortage_kind, .hub = hub};
    if (shortage->pause == 0)
        shortage->pause = PAUSE_MIN;
    verd__waiters_append(&hub->short_of_fds, &pause.wait);
    verd__timer_arm(&hub->scheduler->timers, &pause.timer,
                    verd__time_after(verd_now(), shortage->pause));
    int result = verd__wait(hub->scheduler, &pause.wait);
    shortage->pause *= 2;
    if (shortage->pause > PAUSE_MAX)
        shortage->pause = PAUSE_MAX;
    if (pause.eased)
        shortage->pause = PAUSE_MIN;
    return result;
}

void verd__shortage_eased(struct verd__hub *hub)
{
    struct verd__wait *first = hub->short_of_fds.first;
    if (__builtin_expect(first == NULL, 1))
        return;
    struct pause *pause = pause_of(first);
    pause->eased = true;
    leave(pause);
    verd__wake(first);
}
