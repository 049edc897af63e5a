/* SPDX-License-Identifier: MIT */
#include "sched/census.h"

#include "sched/wait.h"

/* ---- who is told of singly ---- */

bool verd__singled_has(const struct verd__singled *singled, const struct verd__thread *thread)
{
    for (size_t i = 0; i < singled->count; i++) {
        if (singled->each[i] == thread)
            return true;
    }
    return false;
}

void verd__singled_add(struct verd__singled *singled, const struct verd__thread *thread)
{
    if (singled->count < VERD__SINGLED_MAX && !verd__singled_has(singled, thread))
        singled->each[singled->count++] = thread;
}

/* ---- what they are like ---- */

enum verd__activity verd__activity_of(const struct verd__view *view)
{
    if (view->thread.state == VERD__UNSTARTED)
        return view->thread.flags & VERD__DELAYED ? VERD__NOT_DUE : VERD__NOT_STARTED;
    if (verd__view_wait(view) != NULL)
        return VERD__WAITS;
    return view->is_running ? VERD__RUNS : VERD__CAN_RUN;
}

static uintptr_t object_of(const struct verd__wait *wait)
{
    const struct verd__wait_kind *kind = wait->kind;
    if (kind->is_users || kind->is_object)
        return (uintptr_t)wait->entry.queue - kind->queue_offset;
    return kind->holder != NULL ? (uintptr_t)kind->holder(wait) : 0;
}

/* What the thread of a view is like, alone. */
static struct verd__alike alike_of(const struct verd__view *view)
{
    const struct verd__wait *wait = verd__view_wait(view);
    return (struct verd__alike){
        .activity = verd__activity_of(view),
        .kind = wait != NULL ? wait->kind : NULL,
        .start = verd__view_start(view),
        .object = wait != NULL ? object_of(wait) : 0,
        .since = wait != NULL ? wait->since : 0,
        .example = view->at,
    };
}

static bool is_same_kind(const struct verd__alike *one, const struct verd__alike *other)
{
    return one->activity == other->activity && one->kind == other->kind &&
           one->start == other->start;
}

static struct verd__alike *find(struct verd__census *census, const struct verd__alike *wanted)
{
    for (size_t i = 0; i < census->count; i++) {
        struct verd__alike *alike = &census->each[i];
        if (is_same_kind(alike, wanted) && alike->object == wanted->object &&
            alike->is_various == wanted->is_various)
            return alike;
    }
    return NULL;
}

/* With a count of 0; NULL: there is no room. */
static struct verd__alike *append(struct verd__census *census, const struct verd__alike *alike)
{
    if (census->count == VERD__CENSUS_MAX)
        return NULL;
    struct verd__alike *place = &census->each[census->count++];
    *place = *alike;
    place->count = 0;
    return place;
}

/* ---- the first look ---- */

/* Of those with an object, the one that the fewest wait for, if there are as many as there may be; else NULL. */
static struct verd__alike *find_least(struct verd__census *census)
{
    struct verd__alike *least = NULL;
    size_t objects = 0;
    for (size_t i = 0; i < census->count; i++) {
        struct verd__alike *alike = &census->each[i];
        if (alike->object == 0)
            continue;
        objects++;
        if (least == NULL || alike->count < least->count)
            least = alike;
    }
    return objects < VERD__CENSUS_OBJECTS && census->count < VERD__CENSUS_MAX ? NULL : least;
}

/* What there is not yet. */
static struct verd__alike *add(struct verd__census *census, const struct verd__alike *alike)
{
    struct verd__alike *least = alike->object != 0 ? find_least(census) : NULL;
    if (least == NULL)
        return append(census, alike);
    size_t count = least->count;
    *least = *alike;
    least->count = count;
    return least;
}

static void sample(const struct verd__view *view, void *arg)
{
    struct verd__census *census = arg;
    struct verd__alike alike = alike_of(view);
    struct verd__alike *found = find(census, &alike);
    census->total++;
    if (found == NULL)
        found = add(census, &alike);
    if (found != NULL)
        found->count++;
}

void verd__census_begin(struct verd__census *census, const struct verd__scheduler *scheduler)
{
    census->total = census->count = census->rest = 0;
    verd__views_each(scheduler, sample, census);
}

/* ---- the second ---- */

struct count {
    struct verd__census *census;
    const struct verd__singled *singled;
};

static void add_to(struct verd__alike *alike, const struct verd__alike *more, size_t count)
{
    if (alike->count == 0 || more->since < alike->since) {
        alike->example = more->example;
        alike->since = more->since;
    }
    alike->count += count;
}

static void count(const struct verd__view *view, void *arg)
{
    const struct count *of = arg;
    if (verd__singled_has(of->singled, view->at))
        return;
    struct verd__alike alike = alike_of(view);
    struct verd__alike *found = find(of->census, &alike);
    if (found == NULL && alike.object != 0) {
        alike.object = 0;
        alike.is_various = true;
        found = find(of->census, &alike);
    }
    if (found == NULL)
        found = append(of->census, &alike);
    if (found != NULL)
        add_to(found, &alike, 1);
    else
        of->census->rest++;
}

/* What only one waits for goes to the others that were not told apart either. */
static void put_to_others(struct verd__census *census, struct verd__alike *alike)
{
    struct verd__alike others = *alike;
    if (alike->count != 1 || alike->object == 0)
        return;
    others.object = 0;
    others.is_various = true;
    struct verd__alike *found = find(census, &others);
    if (found == NULL)
        return;
    add_to(found, alike, 1);
    alike->count = 0;
}

void verd__census_count(struct verd__census *census, const struct verd__scheduler *scheduler,
                        const struct verd__singled *singled)
{
    struct count arg = {census, singled};
    size_t kept = 0;
    census->rest = 0;
    for (size_t i = 0; i < census->count; i++)
        census->each[i].count = 0;
    verd__views_each(scheduler, count, &arg);
    for (size_t i = 0; i < census->count; i++)
        put_to_others(census, &census->each[i]);
    for (size_t i = 0; i < census->count; i++) {
        if (census->each[i].count > 0)
            census->each[kept++] = census->each[i];
    }
    census->count = kept;
}
