/* SPDX-License-Identifier: MIT */
#include "hub/audit.h"

#include "hub/limit.h"
#include "hub/table.h"

/* An audit comes so long after the first wait that begins after the one before has begun. */
#define INTERVAL_MIN (100 * VERD_MS)

/* It works so long at a time, or until the step that it is at is done, some 10 us at most, and then leaves a
 * hundred times as long to others. The clock is read after each step with a system call, and each row of numbers. */
#define SLICE (80 * VERD_US)
#define PAUSE_FACTOR 100
#define ROW 1024

/* Returns whether the kernel was asked. */
static bool audit_number(struct verd__loop *loop, int fd)
{
    struct verd__fd *record = verd__loop_known(loop, fd);
    if (record == NULL || !verd__fd_is_waited_for(record))
        return false;
    if (loop->backend->verify(loop, fd, record) != 0)
        verd__loop_gone(loop, record);
    else
        verd__limit_audit(loop, fd, record);
    return true;
}

/* Goes on from audit_next until the slice is over or all have been seen. Returns how long it took. */
static verd_duration audit_slice(struct verd__loop *loop)
{
    verd_duration begin = verd_now();
    verd_duration took = 0;
    while (loop->audit_next < verd__loop_numbers(loop) && took < SLICE) {
        bool asked = audit_number(loop, (int)loop->audit_next++);
        if (loop->audit_next % VERD__FDS_PER_CHUNK == 0)
            asked = verd__table_release(loop, loop->audit_next / VERD__FDS_PER_CHUNK - 1) || asked;
        if (asked || loop->audit_next % ROW == 0)
            took = verd_now() - begin;
    }
    return took;
}

static void arm(struct verd__loop *loop)
{
    verd__timer_arm(&loop->scheduler->timers, &loop->audit, verd_now() + loop->audit_interval);
}

static void audit(struct verd__timer *timer)
{
    void *start = (char *)timer - offsetof(struct verd__loop, audit);
    struct verd__loop *loop = start;
    if (loop->audit_next == 0)
        loop->audit_expected = false;
    verd_duration pause = audit_slice(loop) * PAUSE_FACTOR;
    if (loop->audit_next < verd__loop_numbers(loop)) {
        verd__timer_arm(&loop->scheduler->timers, timer, verd_now() + pause);
        return;
    }
    loop->audit_next = 0;
    if (loop->backend->shrink != NULL)
        loop->backend->shrink(loop);
    loop->audit_interval = pause < INTERVAL_MIN ? INTERVAL_MIN : pause;
    if (loop->audit_expected)
        arm(loop);
}

void verd__audit_init(struct verd__loop *loop)
{
    loop->audit.fire = audit;
    loop->audit_interval = INTERVAL_MIN;
}

void verd__audit_arm(struct verd__loop *loop)
{
    loop->audit_expected = true;
    if (!verd__timer_armed(&loop->audit))
        arm(loop);
}
