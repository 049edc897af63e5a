/* SPDX-License-Identifier: MIT */
/* Waiting for child processes. */
#include <verd/os.h>

#include <errno.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/hub.h"
#include "io/descriptor.h"
#include "sched/wait.h"
#include "stack/valgrind.h"

/* How long nobody looks whether a child that nothing tells of has changed. */
#define PAUSE_MIN VERD_MS
#define PAUSE_MAX (64 * VERD_MS)

/* A descriptor that becomes readable when the process ends. -1: there is none to be had. */
static int open_pidfd(pid_t pid)
{
#ifdef SYS_pidfd_open
    return verd__on_valgrind() ? -1 : verd__descriptor_new((int)syscall(SYS_pidfd_open, pid, 0), 0);
#else
    (void)pid;
    return -1;
#endif
}

/* Waits until the process has ended, or is likely to have; or does not, where the hub cannot wait for the
 * descriptor. -1: the caller gives up, or a handler of a signal has run. */
static int await_end(struct verd__scheduler *scheduler, int pidfd)
{
    struct verd__loop *loop = verd__loop(scheduler);
    int result = verd__loop_wait(loop, pidfd, verd__loop_fd(loop, pidfd), VERD__INPUT, false);
    verd__descriptor_drop(pidfd);
    return result != 0 && (verd__is_interruption(errno) || errno == EINTR) ? -1 : 0;
}

/* Looks time and again. */
static pid_t look_until(pid_t pid, int *status, int options)
{
    verd_duration pause = PAUSE_MIN;
    pid_t changed;
    while ((changed = waitpid(pid, status, options | WNOHANG)) == 0) {
        if (verd__pause(&pause, PAUSE_MAX) != 0)
            return -1;
    }
    return changed;
}

static pid_t wait_for_child(pid_t pid, int *status, int options)
{
    struct verd__scheduler *scheduler = verd__begin();
    if (scheduler == NULL)
        return -1;
    pid_t changed = waitpid(pid, status, options | WNOHANG);
    if (changed != 0 || (options & WNOHANG))
        return changed;
    bool ends_only = pid > 0 && !(options & (WUNTRACED | WCONTINUED));
    int pidfd = ends_only ? open_pidfd(pid) : -1;
    if (pidfd >= 0 && await_end(scheduler, pidfd) != 0)
        return -1;
    return look_until(pid, status, options);
}

pid_t verd_waitpid(pid_t pid, int *status, int options)
{
    pid_t result = wait_for_child(pid, status, options);
    verd__spend();
    return result;
}
