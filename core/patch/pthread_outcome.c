/* SPDX-License-Identifier: MIT */
/* What calls give. */
#include <errno.h>

#include "patch/pthread.h"

int verd__outcome(int result, int before)
{
    int error = errno;
    errno = before;
    return result == 0 ? 0 : error;
}

int verd__cancellable_outcome(int result, int before)
{
    int error = verd__outcome(result, before);
    if (error == ECANCELED)
        verd__cancel_here();
    return error;
}

int verd__c11_outcome(int error)
{
    switch (error) {
    case 0:
        return thrd_success;
    case EBUSY:
        return thrd_busy;
    case ENOMEM:
        return thrd_nomem;
    case ETIMEDOUT:
        return thrd_timedout;
    default:
        return thrd_error;
    }
}
