/* SPDX-License-Identifier: MIT */
#include <verd/sync.h>

#include "sched/slab.h"
#include "sched/wait.h"
#include "sync/home.h"

static const struct verd__wait_kind event_kind = {.name = "an event", .is_users = true};

/* The value goes to each waiter before it runs: a reset in between takes nothing away. */
static int settle(verd_event *event, void *value, int error)
{
    if (event->set)
        return verd__errno(EALREADY);
    if (verd__home_check(event->home, &event->waiters) != 0)
        return -1;
    event->set = true;
    event->value = value;
    event->error = error;
    struct verd__entry *entry;
    while ((entry = verd__first_entry(&event->waiters)) != NULL) {
        void **result = entry->value;
        if (error == 0 && result != NULL)
            *result = value;
        verd__entry_end(entry, error);
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

static int give(const verd_event *event, void **value)
{
    if (event->error != 0)
        return verd__errno(event->error);
    if (value != NULL)
        *value = event->value;
    return 0;
}

int verd_event_wait(verd_event *event, void **value)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL)
        return verd__refuse(0);
    if (event == NULL)
        return verd__refuse(EINVAL);
    if (event->set)
        return give(event, value) == 0 ? verd__done(scheduler, 0) : verd__refuse(0);
    if (verd__home_check(event->home, &event->waiters) != 0)
        return verd__refuse(0);
    event->home = scheduler->number;
    return verd__wait_in_queue(scheduler, &event_kind, &event->waiters, (void *)value);
}

bool verd_event_ready(const verd_event *event)
{
    return event != NULL && event->set;
}

int verd_event_reset(verd_event *event)
{
    if (event == NULL)
        return verd__invalid();
    if (event->waiters.first != NULL && verd__scheduler_lives(event->home))
        return verd__errno(EBUSY);
    *event = (verd_event)VERD_EVENT_INIT;
    return 0;
}
