/* SPDX-License-Identifier: MIT */
#include "io/backoff.h"

#include "sched/wait.h"

#define PAUSE_MIN (10 * VERD_MS)
#define PAUSE_MAX (200 * VERD_MS)

/* Those that wait, on this OS thread. */
static _Thread_local struct {
    struct verd__exit_hook hook;
    struct verd__list waiters;
    bool is_hooked;
} pauses;

static const struct verd__wait_kind backoff_kind = {.name = "a free descriptor", .has_more = true};

/* The OS thread ends; who waited is gone. */
static void end(struct verd__exit_hook *hook)
{
    (void)hook;
    pauses.is_hooked = false;
}

static void hook_exit(struct verd__scheduler *scheduler)
{
    if (pauses.is_hooked)
        return;
    pauses.is_hooked = true;
    pauses.waiters = (struct verd__list){0};
    pauses.hook.end = end;
    pauses.hook.next = scheduler->exit_hooks;
    scheduler->exit_hooks = &pauses.hook;
}

/* By its entry a wait ends when a descriptor has been closed; else by the time. */
int verd__backoff_wait(struct verd__backoff *backoff, struct verd__scheduler *scheduler)
{
    if (!verd__may_wait(
            scheduler)) /* a kill between the end of the wait before and its thread's turn told nobody */
        return -1;
    struct verd__wait *wait = verd__own_wait(scheduler);
    if (backoff->pause == 0)
        backoff->pause = PAUSE_MIN;
    hook_exit(scheduler);
    wait->taken = NULL;
    verd__wait_limit(scheduler, wait, verd__time_after(verd_now(), backoff->pause),
                     verd__wait_time_up);
    verd__entry_join(&wait->entry, &pauses.waiters);
    int result = verd__wait(scheduler, wait, &backoff_kind);
    bool eased = wait->taken != NULL;
    backoff->pause *= 2;
    if (backoff->pause > PAUSE_MAX)
        backoff->pause = PAUSE_MAX;
    if (eased)
        backoff->pause = PAUSE_MIN;
    return result;
}

void verd__backoff_eased(void)
{
    struct verd__entry *first = verd__first_entry(&pauses.waiters);
    if (__builtin_expect(first != NULL, 0))
        verd__entry_end(first, 0);
}
