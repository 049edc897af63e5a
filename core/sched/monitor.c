/* SPDX-License-Identifier: MIT */
#include "sched/monitor.h"

#include <errno.h>
#include <unistd.h>

#include <sys/syscall.h>

/* <linux/futex.h>, without which musl often is. */
#define FUTEX_WAKE_PRIVATE 129

_Atomic(int) verd__monitor_sleeps;

void verd__monitor_wake(void)
{
    int error = errno;
    atomic_store(&verd__monitor_sleeps, 0);
    syscall(SYS_futex, &verd__monitor_sleeps, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    errno = error;
}
