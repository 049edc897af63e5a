/* SPDX-License-Identifier: MIT */
/* The names by which programs compiled with _FORTIFY_SOURCE call glibc: with the size of the buffer, as far as the
 * compiler knows it. */
#include "patch/hooks/hook.h"

#include "os/file.h"

#ifdef __GLIBC__

_Noreturn extern void __chk_fail(void);

static void expect_room(size_t wanted, size_t room)
{
    if (wanted > room)
        __chk_fail();
}

ssize_t verd__hook_read_chk(int fd, void *buffer, size_t size, size_t room)
{
    expect_room(size, room);
    return verd__hook_read(fd, buffer, size);
}

ssize_t verd__hook_pread_chk(int fd, void *buffer, size_t size, off_t offset, size_t room)
{
    expect_room(size, room);
    return verd__hook_pread(fd, buffer, size, offset);
}

ssize_t verd__hook_recv_chk(int fd, void *buffer, size_t size, size_t room, int flags)
{
    expect_room(size, room);
    return verd__hook_recv(fd, buffer, size, flags);
}

ssize_t verd__hook_recvfrom_chk(int fd, void *buffer, size_t size, size_t room, int flags,
                                struct sockaddr *address, socklen_t *length)
{
    expect_room(size, room);
    return verd__hook_recvfrom(fd, buffer, size, flags, address, length);
}

int verd__hook_poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t room)
{
    expect_room(count, room / sizeof *fds);
    return verd__hook_poll(fds, count, timeout_ms);
}

int verd__hook_ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                         const sigset_t *mask, size_t room)
{
    expect_room(count, room / sizeof *fds);
    return verd__hook_ppoll(fds, count, timeout, mask);
}

/* Without a mode: flags that ask for a file to be made have none to give it, and glibc's own ends the process. */
int verd__hook_open_2(const char *path, int flags)
{
    expect_room(verd__open_has_mode(flags), 0);
    return verd__hook_open(path, flags);
}

int verd__hook_openat_2(int directory, const char *path, int flags)
{
    expect_room(verd__open_has_mode(flags), 0);
    return verd__hook_openat(directory, path, flags);
}

VERD__FORTIFIED_NAMES(VERD__NAME)
#endif
