/* SPDX-License-Identifier: MIT */
#include "sched/census.h"

enum verd__activity verd__activity_of(const struct verd__view *view)
{
    if (view->thread.state == VERD__UNSTARTED)
        return view->thread.flags & VERD__DELAYED ? VERD__NOT_DUE : VERD__NOT_STARTED;
    if (verd__view_wait(view) != NULL)
        return VERD__WAITS;
    return view->is_running ? VERD__RUNS : VERD__CAN_RUN;
}

static struct verd__alike *find(struct verd__census *census, enum verd__activity activity,
                                const struct verd__wait_kind *kind, uintptr_t start)
{
    for (size_t i = 0; i < census->count; i++) {
        struct verd__alike *alike = &census->each[i];
        if (alike->activity == activity && alike->kind == kind && alike->start == start)
            return alike;
    }
    if (census->count == VERD__CENSUS_MAX)
        return NULL;
    struct verd__alike *alike = &census->each[census->count++];
    alike->activity = activity;
    alike->kind = kind;
    alike->start = start;
    alike->count = 0;
    return alike;
}

static void count(const struct verd__view *view, void *arg)
{
    struct verd__census *census = arg;
    const struct verd__wait *wait = verd__view_wait(view);
    struct verd__alike *alike = find(census, verd__activity_of(view),
                                     wait != NULL ? wait->kind : NULL, verd__view_start(view));
    census->total++;
    if (alike == NULL) {
        census->rest++;
        return;
    }
    if (alike->count == 0 || (wait != NULL && wait->since < alike->since)) {
        alike->example = view->at;
        alike->since = wait != NULL ? wait->since : 0;
    }
    alike->count++;
}

void verd__census_take(struct verd__census *census, const struct verd__scheduler *scheduler)
{
    census->total = census->count = census->rest = 0;
    verd__views_each(scheduler, count, census);
}
