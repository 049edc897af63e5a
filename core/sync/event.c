/* SPDX-License-Identifier: MIT */
#include <verd/sync.h>

#include "sched/wait.h"
#include "sync/home.h"

static const struct verd__wait_kind event_kind = {"an event", verd__leave_line};

/* The value goes to each waiter before it runs: a reset in between takes nothing away. */
static int settle(verd_event *event, void *value, int error)
{
    if (event->set) {
        errno = EALREADY;
        return -1;
    }
    if (verd__home_check(event->home, &event->waiters) != 0)
        return -1;
    event->set = true;
    event->value = value;
    event->error = error;
    struct verd__wait *wait;
    while ((wait = verd__waiters_pop(&event->waiters)) != NULL) {
        wait->value = value;
        verd__wait_end(wait, error);
    }
    return 0;
}

int verd_event_set(verd_event *event, void *value)
{
    return event == NULL ? verd__invalid() : settle(event, value, 0);
}

int verd_event_fail(verd_event *event, int error)
{
    return event == NULL || error <= 0 ? verd__invalid() : settle(event, NULL, error);
}

static int await(struct verd__scheduler *scheduler, verd_event *event, void **value)
{
    struct verd__wait wait;
    if (verd__home_check(event->home, &event->waiters) != 0)
        return -1;
    event->home = scheduler;
    wait.kind = &event_kind;
    if (verd__wait_in_line(scheduler, &wait, &event->waiters) != 0)
        return -1;
    if (value != NULL)
        *value = wait.value;
    return 0;
}

int verd_event_wait(verd_event *event, void **value)
{
    struct verd__scheduler *scheduler = verd__enter();
    if (scheduler == NULL)
        return -1;
    if (event == NULL)
        return verd__invalid();
    if (!event->set)
        return await(scheduler, event, value);
    if (event->error != 0) {
        errno = event->error;
        return -1;
    }
    if (value != NULL)
        *value = event->value;
    return 0;
}

bool verd_event_ready(const verd_event *event)
{
    return event != NULL && event->set;
}

int verd_event_reset(verd_event *event)
{
    if (event == NULL)
        return verd__invalid();
    if (event->waiters.first != NULL) {
        errno = EBUSY;
        return -1;
    }
    *event = (verd_event)VERD_EVENT_INIT;
    return 0;
}
