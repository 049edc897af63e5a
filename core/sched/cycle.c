/* SPDX-License-Identifier: MIT */
#include "sched/cycle.h"

#include <stdint.h>
#include <string.h>

#include "sched/wait.h"

static const struct verd__thread **seen_at(struct verd__cycles *cycles,
                                           const struct verd__thread *thread)
{
    return &cycles->seen[((uintptr_t)thread / sizeof *thread) % VERD__CYCLES_SEEN];
}

static bool is_among(const struct verd__thread *const *each, size_t count,
                     const struct verd__thread *thread, size_t *at)
{
    for (*at = 0; *at < count; ++*at) {
        if (each[*at] == thread)
            return true;
    }
    return false;
}

/* The way ends in a circle of its last threads. */
static void add(struct verd__cycles *cycles, const struct verd__thread *const *circle,
                size_t length)
{
    size_t lowest = 0;
    if (length > VERD__CYCLES_MAX - cycles->count)
        return;
    for (size_t i = 1; i < length; i++) {
        if (circle[i] < circle[lowest])
            lowest = i;
    }
    for (size_t i = 0; i < length; i++) {
        cycles->begins[cycles->count] = i == 0;
        cycles->each[cycles->count++] = circle[(lowest + i) % length];
    }
}

/* False: from there on nothing is found that is not known. */
static bool goes_on(struct verd__cycles *cycles, const struct verd__thread *thread, size_t length)
{
    size_t at;
    if (*seen_at(cycles, thread) == thread || is_among(cycles->each, cycles->count, thread, &at))
        return false;
    if (!is_among(cycles->way, length, thread, &at))
        return true;
    add(cycles, cycles->way + at, length - at);
    return false;
}

/* Whether it waits for the same as the one before that was looked at. */
static bool is_as_before(struct verd__cycles *cycles, const struct verd__view *view)
{
    const struct verd__wait *wait = verd__view_wait(view);
    const void *queue = wait != NULL && wait->kind->holder != NULL ? wait->entry.queue : NULL;
    const void *before = cycles->queue;
    cycles->queue = queue;
    return queue != NULL && queue == before;
}

/* Goes from a thread to who has what it waits for, and on. Many wait for the same ones: those are remembered. */
static void look(const struct verd__view *view, void *arg)
{
    struct verd__cycles *cycles = arg;
    if (is_as_before(cycles, view))
        return;
    struct verd__view at = *view;
    size_t length = 0;
    bool has_ended;
    for (bool more = true; more && goes_on(cycles, at.at, length);
         more = verd__view_holder(&at, &at, &has_ended)) {
        if (length == VERD__CYCLE_MAX)
            return; /* and what it leads to is not known */
        cycles->way[length++] = at.at;
    }
    for (size_t i = 1; i < length; i++)
        *seen_at(cycles, cycles->way[i]) = cycles->way[i];
}

void verd__cycles_find(struct verd__cycles *cycles, const struct verd__scheduler *scheduler)
{
    cycles->count = 0;
    cycles->queue = NULL;
    memset(cycles->seen, 0, sizeof cycles->seen);
    verd__views_each(scheduler, look, cycles);
}
