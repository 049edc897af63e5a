/* SPDX-License-Identifier: MIT */
/*
 * A bundle: the threads that have not ended, and what the first failure was.
 *
 * A thread counts until its very end, its locals' destructors and links included: so it is by its owner that the
 * bundle learns of that, which is told last.
 */
#include <errno.h>
#include <stdlib.h>

#include <verd/bundle.h>

#include "sched/failure.h"
#include "sched/thread.h"
#include "sched/wait.h"

struct verd_bundle {
    uint64_t home;           /* the number of its maker's scheduler */
    struct verd__list parts; /* threads that have not ended */
    struct verd__list waiters;
    int error;  /* of the first that has failed; 0: none has */
    bool ended; /* that has killed them, or it is being freed: what is spawned starts killed */
    bool freed; /* by someone who waits until it can be */
};

struct part {
    struct verd__owner owner; /* of its thread alone */
    struct verd__link link;   /* in bundle->parts */
    struct verd_bundle *bundle;
    struct verd__thread *thread;
};

/* Nothing of the user's runs meanwhile, and no thread ends. */
static void end(struct verd_bundle *bundle)
{
    bundle->ended = true;
    for (struct verd__link *link = bundle->parts.first; link != NULL; link = link->next)
        verd__thread_stop(VERD__CONTAINER_OF(link, struct part, link)->thread);
}

static void part_ended(struct verd__owner *owner, struct verd__thread *thread)
{
    struct part *part = VERD__CONTAINER_OF(owner, struct part, owner);
    struct verd_bundle *bundle = part->bundle;
    int error = verd__failure_of(thread->result);
    verd__list_remove(&bundle->parts, &part->link);
    free(part);
    if (error != 0 && bundle->error == 0) {
        bundle->error = error;
        end(bundle);
    }
    if (bundle->parts.first == NULL)
        verd__queue_end(&bundle->waiters, bundle->error);
}

static int check(const verd_bundle *bundle)
{
    const struct verd__scheduler *scheduler = verd__current;
    if (bundle != NULL && scheduler != NULL && bundle->home == scheduler->number)
        return 0;
    errno = bundle == NULL ? EINVAL : EPERM;
    return -1;
}

/* Whether the running thread is one of the bundle's. */
static bool has_caller(const verd_bundle *bundle)
{
    const struct verd__owner *owner = verd__current->running->owner;
    return owner != NULL && owner->ended == part_ended &&
           VERD__CONTAINER_OF(owner, struct part, owner)->bundle == bundle;
}

verd_bundle *verd_bundle_new(void)
{
    const struct verd__scheduler *scheduler = verd__scheduler();
    struct verd_bundle *bundle = scheduler != NULL ? calloc(1, sizeof *bundle) : NULL;
    if (bundle != NULL)
        bundle->home = scheduler->number;
    return bundle;
}

__attribute__((noinline)) int verd_bundle_spawn(verd_bundle *bundle, void *(*fn)(void *), void *arg)
{
    if (check(bundle) != 0)
        return -1;
    if (fn == NULL) {
        errno = EINVAL;
        return -1;
    }
    struct part *part = malloc(sizeof *part);
    if (part == NULL)
        return -1;
    struct verd__scheduler *scheduler = verd__current;
    union verd__start start = {.call = fn};
    part->thread =
        verd__thread_new(scheduler, start, arg, VERD__RESULT, __builtin_return_address(0));
    if (part->thread == NULL) {
        free(part);
        errno = ENOMEM;
        return -1;
    }
    part->owner.ended = part_ended;
    part->owner.name = NULL;
    part->bundle = bundle;
    part->thread->owner = &part->owner;
    if (bundle->ended)
        verd__thread_stop(part->thread);
    verd__list_append(&bundle->parts, &part->link);
    verd__thread_start(scheduler, part->thread);
    return 0;
}

static const struct verd__wait_kind kind = {.name = "the threads of a bundle"};

int verd_bundle_wait(verd_bundle *bundle)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL || check(bundle) != 0)
        return verd__refuse(0);
    if (has_caller(bundle))
        return verd__refuse(EDEADLK);
    if (bundle->parts.first != NULL)
        return verd__wait_in_queue(scheduler, &kind, &bundle->waiters, NULL);
    return bundle->error == 0 ? verd__done(scheduler, 0) : verd__refuse(bundle->error);
}

int verd_bundle_error(const verd_bundle *bundle)
{
    return check(bundle) == 0 ? bundle->error : 0;
}

/* Those who run before the caller does may spawn again. */
static void await_end(struct verd__scheduler *scheduler, verd_bundle *bundle)
{
    int error = errno;
    verd_shield_begin();
    while (bundle->parts.first != NULL)
        verd__wait_in_queue(scheduler, &kind, &bundle->waiters, NULL);
    verd_shield_end();
    errno = error;
}

int verd_bundle_free(verd_bundle *bundle)
{
    if (bundle == NULL)
        return 0;
    if (check(bundle) != 0)
        return -1;
    bool is_own = has_caller(bundle);
    if (is_own || bundle->freed) {
        errno = is_own ? EDEADLK : EBUSY;
        return -1;
    }
    bundle->freed = true;
    end(bundle);
    await_end(verd__current, bundle);
    free(bundle);
    return 0;
}
