/* SPDX-License-Identifier: MIT */
#include "io/backoff.h"

#include "sched/wait.h"

#define PAUSE_MIN (10 * VERD_MS)
#define PAUSE_MAX (200 * VERD_MS)

static const struct verd__wait_kind backoff_kind = {.name = "a free descriptor", .has_more = true};

/* By its entry a wait ends when a descriptor has been closed; else by the time. */
int verd__backoff_wait(struct verd__backoff *backoff, struct verd__scheduler *scheduler)
{
    if (!verd__may_wait(
            scheduler)) /* a kill between the end of the wait before and its thread's turn told nobody */
        return -1;
    struct verd__wait *wait = verd__own_wait(scheduler);
    if (backoff->pause == 0)
        backoff->pause = PAUSE_MIN;
    wait->taken = NULL;
    verd__wait_limit(scheduler, wait, verd__time_after(verd_now(), backoff->pause),
                     verd__wait_time_up);
    verd__entry_join(&wait->entry, &scheduler->pauses);
    int result = verd__wait(scheduler, wait, &backoff_kind);
    bool eased = wait->taken != NULL;
    backoff->pause *= 2;
    if (backoff->pause > PAUSE_MAX)
        backoff->pause = PAUSE_MAX;
    if (eased)
        backoff->pause = PAUSE_MIN;
    return result;
}

void verd__backoff_eased(struct verd__scheduler *scheduler)
{
    struct verd__entry *first = verd__first_entry(&scheduler->pauses);
    if (__builtin_expect(first != NULL, 0))
        verd__entry_end(first, 0);
}
