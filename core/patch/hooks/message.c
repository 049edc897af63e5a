/* SPDX-License-Identifier: MIT */
#include "patch/hooks/message.h"

#include <stddef.h>

#include "patch/hooks/system.h"

/* musl has numbers of 32 bits where the kernel's have 64, and padding that may hold anything. */
static void clear_padding(struct msghdr *message)
{
#ifndef __GLIBC__
    message->__pad1 = 0;
    message->__pad2 = 0;
#else
    (void)message;
#endif
}

static void clear_control(const struct msghdr *message)
{
#ifndef __GLIBC__
    struct msghdr copy = *message; /* CMSG_NXTHDR is not for const */
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&copy); part != NULL; part = CMSG_NXTHDR(&copy, part))
        part->__pad1 = 0;
#else
    (void)message;
#endif
}

ssize_t verd__system_recvmsg(int fd, struct msghdr *message, int flags)
{
    clear_padding(message);
    return VERD__WAITING(SYS_recvmsg, fd, P(message), flags);
}

int verd__system_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                          struct timespec *timeout)
{
    for (unsigned i = 0; i < count; i++)
        clear_padding(&messages[i].msg_hdr);
    return (int)VERD__WAITING(SYS_recvmmsg, fd, P(messages), count, flags, P(timeout));
}

ssize_t verd__system_sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct msghdr copy = *message;
    clear_padding(&copy);
    clear_control(message);
    return VERD__WAITING(SYS_sendmsg, fd, P(&copy), flags);
}

int verd__system_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    for (unsigned i = 0; i < count; i++) {
        clear_padding(&messages[i].msg_hdr);
        clear_control(&messages[i].msg_hdr);
    }
    return (int)VERD__WAITING(SYS_sendmmsg, fd, P(messages), count, flags);
}
