/* SPDX-License-Identifier: MIT */
#include "sched/view.h"

#include "sched/slab.h"
#include "sched/wait.h"
#include "stack/peek.h"

/* Control blocks that are looked at together. */
#define ROW 16

/* Of a scheduler: who runs, and which is main. */
struct heads {
    const struct verd__scheduler *scheduler;
    const struct verd__thread *running, *main;
};

static struct heads heads_of(const struct verd__scheduler *scheduler)
{
    struct heads heads = {.scheduler = scheduler};
    verd__peek(&heads.running, &scheduler->running, sizeof(void *));
    verd__peek(&heads.main, &scheduler->main, sizeof(void *));
    return heads;
}

static bool is_alive(const struct verd__thread *thread)
{
    return thread->state == VERD__STARTED || thread->state == VERD__UNSTARTED;
}

static bool take(struct verd__view *view, const struct heads *heads,
                 const struct verd__thread *thread)
{
    if (!verd__peek(&view->thread, thread, sizeof *thread) || !is_alive(&view->thread))
        return false;
    view->scheduler = heads->scheduler;
    view->at = thread;
    view->is_running = thread == heads->running;
    view->is_main = thread == heads->main;
    view->has_stack = view->thread.stack != NULL &&
                      verd__peek(&view->stack, view->thread.stack, sizeof view->stack);
    return true;
}

bool verd__view_take(struct verd__view *view, const struct verd__scheduler *scheduler,
                     const struct verd__thread *thread)
{
    struct heads heads = heads_of(scheduler);
    return take(view, &heads, thread);
}

/* Each is looked at again when its turn comes: what is done with those before may take long. */
static void each_of_row(const struct verd__scheduler *scheduler, const struct verd__thread *first,
                        size_t count, void (*fn)(const struct verd__view *, void *), void *arg)
{
    struct verd__thread row[ROW];
    struct heads heads = heads_of(scheduler);
    if (!verd__peek(row, first, count * sizeof *row))
        return;
    for (size_t i = 0; i < count; i++) {
        struct verd__view view;
        if (is_alive(&row[i]) && take(&view, &heads, &first[i]))
            fn(&view, arg);
    }
}

void verd__views_each(const struct verd__scheduler *scheduler,
                      void (*fn)(const struct verd__view *view, void *arg), void *arg)
{
    const struct verd__slab *at = NULL;
    struct verd__slab slab;
    verd__peek(&at, &scheduler->slabs, sizeof(void *));
    for (; at != NULL && verd__peek(&slab, at, sizeof slab); at = slab.next) {
        for (size_t i = 1; i < slab.used && i < VERD__SLAB_BLOCKS; i += ROW) {
            size_t rest = slab.used - i;
            each_of_row(scheduler, verd__slab_blocks(at) + i, rest < ROW ? rest : ROW, fn, arg);
        }
    }
}

const struct verd__wait *verd__view_wait(const struct verd__view *view)
{
    if (view->thread.state != VERD__STARTED || !view->has_stack)
        return NULL;
    const struct verd__wait *wait = &verd__view_area(view)->wait;
    return wait->kind != NULL ? wait : NULL;
}

/* Where the thread of a handle is, or was; NULL: nowhere. */
static const struct verd__thread *block_of(const verd_thread *handle)
{
    uint32_t place = (uint32_t)(uintptr_t)handle;
    const struct verd__slab *slab = place < VERD__SLABS_MAX * VERD__SLAB_BLOCKS
                                        ? atomic_load(&verd__slabs[place / VERD__SLAB_BLOCKS])
                                        : NULL;
    return slab != NULL ? verd__slab_blocks(slab) + place % VERD__SLAB_BLOCKS : NULL;
}

bool verd__view_holder(const struct verd__view *view, struct verd__view *holder, bool *has_ended)
{
    const struct verd__wait *wait = verd__view_wait(view);
    const verd_thread *handle =
        wait != NULL && wait->kind->holder != NULL ? wait->kind->holder(wait) : NULL;
    const struct verd__thread *block = handle != NULL ? block_of(handle) : NULL;
    *has_ended = false;
    if (block == NULL)
        return false;
    *has_ended = !verd__view_take(holder, view->scheduler, block) ||
                 holder->thread.generation != (uintptr_t)handle >> 32;
    return !*has_ended;
}

uintptr_t verd__view_start(const struct verd__view *view)
{
    union verd__start start = {0};
    if (view->thread.state == VERD__UNSTARTED)
        start = view->thread.start;
    else if (view->has_stack)
        start = verd__view_area(view)->start;
    return view->thread.flags & VERD__RESULT ? (uintptr_t)start.call : (uintptr_t)start.run;
}

const void *verd__view_site(const struct verd__view *view)
{
    if (view->thread.state == VERD__UNSTARTED)
        return view->thread.site;
    return view->has_stack ? verd__view_area(view)->site : NULL;
}
