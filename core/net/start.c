/* SPDX-License-Identifier: MIT */
#include "net/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "offload/offload.h"
#include "sched/scheduler.h"
#include "stack/peek.h"

/* connect(2) that is made by another OS thread, and whoever interrupts it not made again: the attempt goes on, and
 * once it is over, to connect is EISCONN. */
struct connect_job {
    int fd;
    int result;
    int error;
    socklen_t length;
    struct sockaddr_storage address;
};

static void *run_job(void *arg)
{
    struct connect_job *job = arg;
    job->result = connect(job->fd, (struct sockaddr *)&job->address, job->length);
    job->error = errno;
    return NULL;
}

static int start_elsewhere(int fd, const struct sockaddr *address, socklen_t length,
                           verd_duration slice)
{
    int before = errno;
    struct connect_job *job = malloc(sizeof *job);
    if (job == NULL)
        return -1;
    job->fd = fd;
    job->length = length;
    if (!verd__peek(&job->address, address, length)) {
        free(job);
        errno = EFAULT;
        return -1;
    }
    const struct verd__offload offload = {.kind = VERD_OFFLOAD_DEVICES,
                                          .fn = run_job,
                                          .arg = job,
                                          .release = verd__offload_free,
                                          .slice = slice};
    errno = before;
    if (verd__offload_finish(verd__current, &offload) != 0)
        return verd__offload_failed(&offload);
    int result = job->result;
    errno = job->error;
    verd__offload_free(job, NULL);
    return result;
}

/* Whether connect(2) waits for somebody, if the flags let it: to name a peer for datagrams is done at once, and
 * so is to refuse an address that makes no sense. */
static bool may_wait(int fd, const struct sockaddr *address, socklen_t length)
{
    int type = 0;
    socklen_t type_length = sizeof type;
    return address != NULL && length >= sizeof address->sa_family &&
           length <= sizeof(struct sockaddr_storage) &&
           (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_length) != 0 || type != SOCK_DGRAM);
}

int verd__start_connect(int fd, const struct sockaddr *address, socklen_t length,
                        verd_duration slice)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return -1;
    if ((flags & O_NONBLOCK) || !may_wait(fd, address, length))
        return connect(fd, address, length);
    return start_elsewhere(fd, address, length, slice);
}
