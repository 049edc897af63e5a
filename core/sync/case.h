/* SPDX-License-Identifier: MIT */
/* The alternatives of verd_select: what they are about, whether they are possible, and what is then done. */
#ifndef VERD_SYNC_CASE_H
#define VERD_SYNC_CASE_H

#include <errno.h>
#include <poll.h>
#include <stdbool.h>

#include <verd/queue.h>

#include "sched/scheduler.h"
#include "sync/queue.h"

struct verd__line;

static inline bool verd__case_is_of_descriptor(const verd_case *one)
{
    return (one->kind == VERD_CASE_READABLE || one->kind == VERD_CASE_WRITABLE) && one->fd >= 0;
}

/* The event of poll(2) for which a case of a descriptor waits. */
static inline short verd__case_events(const verd_case *one)
{
    return one->kind == VERD_CASE_READABLE ? POLLIN : POLLOUT;
}

/* Those of queues are common and quick, and do without a call. */
static inline bool verd__case_is_of_queue(const verd_case *one)
{
    return one->kind == VERD_CASE_PUT || one->kind == VERD_CASE_GET;
}

int verd__case_check_other(const verd_case *one, const struct verd__scheduler *scheduler);
bool verd__case_other_is_possible(const verd_case *one);

/* 0, or EINVAL, EPERM or EDEADLK. */
static inline int verd__case_check(const verd_case *one, const struct verd__scheduler *scheduler)
{
    if (!verd__case_is_of_queue(one))
        return verd__case_check_other(one, scheduler);
    if (one->kind == VERD_CASE_GET && one->result == NULL)
        return EINVAL;
    return one->queue == NULL || one->queue->home == scheduler->number ? 0 : EPERM;
}

/* Has poll(2) say which of the descriptors are ready. 0, or -1 with errno ENOMEM. */
int verd__cases_look(verd_case *cases, size_t n);

/* Whether it can be done without waiting. Of a descriptor, as it was looked at last. */
static inline bool verd__case_is_possible(const verd_case *one)
{
    if (!verd__case_is_of_queue(one))
        return verd__case_other_is_possible(one);
    if (one->queue == NULL)
        return false;
    return one->kind == VERD_CASE_PUT ? verd__queue_can_put(one->queue)
                                      : verd__queue_can_get(one->queue);
}

/* Adds to a line what it is about; it may be another OS thread's. */
void verd__case_tell(struct verd__line *line, const verd_case *one);

/* Does a possible case. 0, or -1 with errno ENOMEM. */
int verd__case_take(verd_case *one);

#endif
