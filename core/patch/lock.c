/* SPDX-License-Identifier: MIT */
/* Locks of files, as POSIX and BSD have them. Nobody tells when one is free, so it is tried time and again. */
#include "patch/posix.h"

#include <errno.h>
#include <stdarg.h>

#include "offload/handler.h"
#include "sched/wait.h"

#define PAUSE_MIN VERD_MS
#define PAUSE_MAX (64 * VERD_MS)

/* How a lock is tried for, which does not wait. */
struct trial {
    int (*attempt)(const struct trial *trial);
    int fd;
    int how; /* flock: LOCK_...; fcntl: F_OFD_SETLK or F_SETLK */
    union {
        void *region; /* fcntl */
        off_t length; /* lockf */
    };
};

static int try_until_locked(const struct trial *trial)
{
    verd_duration pause = PAUSE_MIN;
    for (;;) {
        if (trial->attempt(trial) == 0)
            return 0;
        if (errno != EAGAIN && errno != EACCES)
            return -1;
        if (verd__pause(&pause, PAUSE_MAX) != 0)
            return -1;
    }
}

static int wait_for_lock(const struct trial *trial)
{
    verd__point();
    bool begun = verd__interruptible_begin(verd__current, VERD__UNLESS_RESTARTED);
    int result = try_until_locked(trial);
    verd__interruptible_end(verd__current, begun);
    if (result != 0)
        verd__point();
    return result;
}

static int try_flock(const struct trial *trial)
{
    return flock(trial->fd, trial->how | LOCK_NB);
}

int verd_posix_flock(int fd, int operation)
{
    struct trial trial = {.attempt = try_flock, .fd = fd, .how = operation};
    if (!verd__is_green() || (operation & (LOCK_NB | LOCK_UN)))
        return flock(fd, operation);
    return wait_for_lock(&trial);
}

static int try_fcntl(const struct trial *trial)
{
    return fcntl(trial->fd, trial->how, trial->region);
}

int verd_posix_fcntl(int fd, int command, ...)
{
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *); /* or a number, which lies in the same place */
    va_end(list);
    struct trial trial = {.attempt = try_fcntl, .fd = fd, .region = argument};
    if (verd__is_green() && (command == F_SETLKW || command == F_OFD_SETLKW)) {
        trial.how = command == F_SETLKW ? F_SETLK : F_OFD_SETLK;
        return wait_for_lock(&trial);
    }
    int result = fcntl(fd, command, argument);
    if (result >= 0 && (command == F_DUPFD || command == F_DUPFD_CLOEXEC))
        verd__posix_forget(result);
    return result;
}

static int try_lockf(const struct trial *trial)
{
    return lockf(trial->fd, F_TLOCK, trial->length);
}

int verd_posix_lockf(int fd, int command, off_t length)
{
    struct trial trial = {.attempt = try_lockf, .fd = fd, .length = length};
    if (!verd__is_green() || command != F_LOCK)
        return lockf(fd, command, length);
    return wait_for_lock(&trial);
}
