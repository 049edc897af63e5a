/* SPDX-License-Identifier: MIT */
#include "sched/failure.h"

#include <errno.h>

char verd__failures[VERD_FAILURE_MAX + 1];

void *verd_fail(int error)
{
    return &verd__failures[error > 0 && error <= VERD_FAILURE_MAX ? error : EIO];
}

int verd_failure(const void *result)
{
    return verd__failure_of(result);
}
