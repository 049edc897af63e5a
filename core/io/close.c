/* SPDX-License-Identifier: MIT */
/*
 * Closing. close(2) waits in two cases: for what a TCP connection has yet to send, for as long as SO_LINGER says, and for
 * what was written to a file, whose server may be far away. Then it is called by another OS thread, and the green thread
 * alone waits. A linger is given up with the thread, for the kernel sends what is left all the same; a file is not: its
 * errors are told by close(2) alone.
 */
#include <verd/net.h>

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/hub.h"
#include "hub/identity.h"
#include "io/backoff.h"
#include "io/descriptor.h"
#include "offload/offload.h"
#include "sched/wait.h"

enum pace { AT_ONCE, WITH_LINGER, AS_FILE };

static bool lingers(int fd)
{
    struct linger linger;
    socklen_t size = sizeof linger;
    return getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size) == 0 && linger.l_onoff != 0 &&
           linger.l_linger > 0;
}

/* What close(2) may do with the descriptor, of which the hub has this record. errno is lost. */
static enum pace pace_of(int fd, const struct verd__fd *record)
{
    unsigned bits = record != NULL ? record->bits : 0;
    if ((bits & VERD__FD_OURS) && !(bits & VERD__FD_STREAM))
        return AT_ONCE;
    if (lingers(fd))
        return WITH_LINGER;
    return verd__may_have_server(fd) ? AS_FILE : AT_ONCE;
}

/* 0, or an errno. An interruption comes when the descriptor is closed already. */
static int close_now(int fd)
{
    return close(fd) != 0 && errno != EINTR ? errno : 0;
}

/* By this OS thread, which does not wait for a linger. */
static int close_here(int fd)
{
    static const struct linger none = {0};
    if (lingers(fd))
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    return close_now(fd);
}

/* NULL would be the result of one that has not run. */
#define RAN 1

static void *run(void *arg)
{
    return (void *)(intptr_t)(RAN + close_now((int)(intptr_t)arg));
}

static void release(void *arg, void *result)
{
    if (result == NULL)
        close_here((int)(intptr_t)arg);
}

/* By another OS thread, if there is one to be had. 0, or an errno. */
static int close_elsewhere(int fd, enum pace pace)
{
    void *result = NULL;
    const struct verd__offload offload = {
        .kind = VERD_OFFLOAD_CLOSES, .fn = run, .arg = (void *)(intptr_t)fd, .release = release};
    if (pace == AS_FILE)
        verd_shield_begin();
    int outcome = verd__offload(&offload, &result) == 0 ? 0 : errno;
    if (pace == AS_FILE)
        verd_shield_end();
    if (outcome == 0)
        return (int)(intptr_t)result - RAN;
    return verd__is_interruption(outcome) ? 0 : close_here(fd);
}

static void forget(int fd)
{
    struct verd__loop *loop = verd__loop_here();
    if (loop == NULL)
        return;
    verd__loop_forget(loop, fd);
    verd__backoff_eased(verd__current); /* who is woken runs after this */
}

void verd__descriptor_drop(int fd)
{
    int error = errno;
    if (fd >= 0) {
        forget(fd);
        close_here(fd);
    }
    errno = error;
}

int verd_close(int fd)
{
    int before = errno;
    enum pace pace = verd__current != NULL ? pace_of(fd, verd__loop_noted(fd)) : AT_ONCE;
    forget(fd);
    int error = pace == AT_ONCE ? close_now(fd) : close_elsewhere(fd, pace);
    errno = error == 0 ? before : error;
    return error == 0 ? 0 : -1;
}
