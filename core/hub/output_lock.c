/* SPDX-License-Identifier: MIT */
#include "hub/output_lock.h"

#include <errno.h>

static struct verd__list *queue_of(struct verd__loop *loop, const struct verd__fd *record)
{
    return &loop->writers[(uintptr_t)record / sizeof *record % VERD__WRITER_QUEUES];
}

/* The first in the queue who waits for this descriptor; NULL: nobody. Others may be in between. */
static struct verd__wait *first_for(struct verd__loop *loop, const struct verd__fd *record)
{
    struct verd__link *link = queue_of(loop, record)->first;
    for (; link != NULL; link = link->next) {
        struct verd__wait *wait = VERD__CONTAINER_OF(link, struct verd__entry, link)->wait;
        const struct verd__output_lock *lock = wait->object;
        if (lock->record == record)
            return wait;
    }
    return NULL;
}

/* Of the file that it was held for: another one has got the number since, perhaps. */
static void pass_on(struct verd__loop *loop, const struct verd__output_lock *lock)
{
    struct verd__fd *record = lock->record;
    if (record->generation != lock->generation)
        return;
    struct verd__wait *next = first_for(loop, record);
    if (next != NULL)
        verd__wake(next);
    else
        record->bits &= (uint16_t)~VERD__FD_HELD;
}

static void settle(struct verd__obligation *obligation)
{
    pass_on((struct verd__loop *)verd__current->poller,
            VERD__CONTAINER_OF(obligation, struct verd__output_lock, obligation));
}

void verd__output_lock_take(struct verd__loop *loop, struct verd__output_lock *lock,
                            struct verd__fd *record)
{
    lock->record = record;
    lock->generation = record->generation;
    lock->holds = true;
    record->bits |= VERD__FD_HELD;
    verd__obligation_begin(loop->scheduler, &lock->obligation, settle);
}

void verd__output_lock_release(struct verd__loop *loop, struct verd__output_lock *lock)
{
    verd__obligation_end(loop->scheduler, &lock->obligation);
    lock->holds = false;
    pass_on(loop, lock);
}

/* What is handed over is the waiter's, if it has had its turn by then or not. */
static void leave_queue(struct verd__wait *wait, int error)
{
    struct verd__output_lock *lock = wait->object;
    if (error != 0)
        return;
    lock->holds = true;
    lock->obligation.settle = settle;
    verd__list_prepend(&verd__area(wait->thread)->obligations, &lock->obligation.link);
}

static const struct verd__wait_kind writer_kind = {
    .name = "another's output to descriptor #", .has_more = true, .ended = leave_queue};

/* Who holds it may hold what had the number before. */
static bool is_held(struct verd__loop *loop, int fd, struct verd__fd *record)
{
    if (!(record->bits & VERD__FD_HELD))
        return false;
    if (record->waiting[VERD__OUTPUT] == NULL || loop->backend->verify(loop, fd, record) == 0)
        return true;
    verd__loop_gone(loop, record);
    return false;
}

int verd__output_lock_queue(struct verd__loop *loop, struct verd__output_lock *lock, int fd,
                            struct verd__fd *record, bool at_once)
{
    while (!lock->holds && is_held(loop, fd, record)) {
        if (at_once) {
            errno = EAGAIN;
            return -1;
        }
        if (!verd__may_wait(
                loop->scheduler)) /* killed between the end of the wait before and its turn */
            return -1;
        struct verd__wait *wait = verd__own_wait(loop->scheduler);
        lock->record = record;
        lock->generation = record->generation;
        wait->object = lock;
        if (verd__wait_in_queue(loop->scheduler, &writer_kind, queue_of(loop, record),
                                (void *)(intptr_t)fd) != 0 &&
            errno != VERD__RETRY)
            return -1;
    }
    return !lock->holds || verd__loop_is_same(record, lock->generation) ? 0 : -1;
}

void verd__output_locks_end(struct verd__loop *loop, const struct verd__fd *record, int error)
{
    struct verd__wait *wait;
    while ((wait = first_for(loop, record)) != NULL)
        verd__wait_end(wait, error);
}
