/* SPDX-License-Identifier: MIT */
#include "hub/audit.h"

/* An audit comes so long after the first wait that begins after the one before has begun. */
#define INTERVAL_MIN (100 * VERD_MS)

/* It works so long at a time, or until the system call that it is at has come back, and then leaves a
 * hundred times as long to others. The clock is read after each system call, and each row of numbers. */
#define SLICE (100 * VERD_US)
#define PAUSE_FACTOR 100
#define ROW 1024

/* Returns whether the kernel was asked. */
static bool audit_number(struct verd__hub *hub, int fd)
{
    struct verd__fd *record = verd__hub_known(hub, fd);
    if (record == NULL ||
        (record->waiting[VERD__INPUT] == NULL && record->waiting[VERD__OUTPUT] == NULL))
        return false;
    if (hub->backend->verify(hub, fd, record) != 0)
        verd__hub_gone(hub, record);
    return true;
}

/* Goes on from audit_next until the slice is over or all have been seen. Returns how long it took. */
static verd_duration audit_slice(struct verd__hub *hub)
{
    verd_duration begin = verd_now();
    verd_duration took = 0;
    while (hub->audit_next < verd__hub_numbers(hub) && took < SLICE) {
        bool asked = audit_number(hub, (int)hub->audit_next++);
        if (asked || hub->audit_next % ROW == 0)
            took = verd_now() - begin;
    }
    return took;
}

static void arm(struct verd__hub *hub)
{
    verd__timer_arm(&hub->scheduler->timers, &hub->audit, verd_now() + hub->audit_interval);
}

static void audit(struct verd__timer *timer)
{
    void *start = (char *)timer - offsetof(struct verd__hub, audit);
    struct verd__hub *hub = start;
    if (hub->audit_next == 0)
        hub->audit_expected = false;
    verd_duration pause = audit_slice(hub) * PAUSE_FACTOR;
    if (hub->audit_next < verd__hub_numbers(hub)) {
        verd__timer_arm(&hub->scheduler->timers, timer, verd_now() + pause);
        return;
    }
    hub->audit_next = 0;
    hub->audit_interval = pause < INTERVAL_MIN ? INTERVAL_MIN : pause;
    if (hub->audit_expected)
        arm(hub);
}

void verd__audit_init(struct verd__hub *hub)
{
    hub->audit.fire = audit;
    hub->audit_interval = INTERVAL_MIN;
}

void verd__audit_arm(struct verd__hub *hub)
{
    hub->audit_expected = true;
    if (!verd__timer_armed(&hub->audit))
        arm(hub);
}
