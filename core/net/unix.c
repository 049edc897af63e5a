/* SPDX-License-Identifier: MIT */
/*
 * Listening at a path. A socket there may be left over from a process that is gone, and then it is replaced. Who
 * looks and replaces has a lock meanwhile, a file beside the path: else two that start at once would each take
 * the other's new socket for an old one.
 */
#include <verd/net.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/hub.h"
#include "io/descriptor.h"
#include "net/address.h"
#include "net/socket.h"

#define LOCK_SUFFIX ".verd-lock"

/* The lock of a path. */
struct lock {
    char name[sizeof((struct sockaddr_un *)0)->sun_path + sizeof LOCK_SUFFIX];
    int fd;
};

static int close_with(int fd, int error)
{
    close(fd);
    errno = error;
    return -1;
}

/* Who had the lock before may have removed the file after it was opened here. 1, 0, or -1 and errno */
static int is_at_name(const struct lock *lock)
{
    struct stat held, named;
    if (fstat(lock->fd, &held) != 0)
        return -1;
    if (stat(lock->name, &named) != 0)
        return errno == ENOENT ? 0 : -1;
    return held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

/* 0, or -1 with errno EADDRINUSE (somebody starts there at this moment), or as open(2), flock(2), stat(2) */
static int lock_path(struct lock *lock, const char *path)
{
    int is_there;
    size_t length = strlen(path);
    memcpy(lock->name, path, length);
    memcpy(lock->name + length, LOCK_SUFFIX, sizeof LOCK_SUFFIX);
    do {
        lock->fd = open(lock->name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (lock->fd < 0)
            return -1;
        if (flock(lock->fd, LOCK_EX | LOCK_NB) != 0)
            return close_with(lock->fd, errno == EWOULDBLOCK ? EADDRINUSE : errno);
        is_there = is_at_name(lock);
        if (is_there < 0)
            return close_with(lock->fd, errno);
        if (!is_there)
            close(lock->fd);
    } while (!is_there);
    return 0;
}

/* errno stays. A process that was forked off meanwhile has the file open, too. */
static void unlock_path(const struct lock *lock)
{
    int error = errno;
    unlink(lock->name);
    flock(lock->fd, LOCK_UN);
    close(lock->fd);
    errno = error;
}

/* 0 if the socket at the path is nobody's any more, so that it may be removed; else -1 with errno EADDRINUSE, or
 * why it cannot be known. A socket of another type is told which of both it is and becomes no client. */
static int check_stale(const struct sockaddr_un *address, socklen_t length)
{
    struct stat status;
    int error = EADDRINUSE;
    if (lstat(address->sun_path, &status) == 0 && S_ISSOCK(status.st_mode)) {
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
            return -1;
        if (connect(fd, (const struct sockaddr *)address, length) != 0 && errno == ECONNREFUSED)
            error = 0;
        close(fd);
    }
    errno = error;
    return error == 0 ? 0 : -1;
}

static int bind_path(int fd, const struct sockaddr_un *address, socklen_t length)
{
    if (bind(fd, (const struct sockaddr *)address, length) == 0)
        return 0;
    if (errno != EADDRINUSE || check_stale(address, length) != 0)
        return -1;
    if (unlink(address->sun_path) == 0)
        return bind(fd, (const struct sockaddr *)address, length);
    errno = EADDRINUSE;
    return -1;
}

/* What is bound and does not listen leaves no socket at the path. */
static int listen_at_path(int fd, const struct sockaddr_un *address, socklen_t length)
{
    struct lock lock;
    if (lock_path(&lock, address->sun_path) != 0)
        return -1;
    int result = bind_path(fd, address, length);
    if (result == 0 && (result = listen(fd, VERD__BACKLOG)) != 0) {
        int error = errno;
        unlink(address->sun_path);
        errno = error;
    }
    unlock_path(&lock);
    return result;
}

/* The system itself sees to it that an abstract name has one owner at most, while he lives. */
static int listen_at_name(int fd, const struct sockaddr_un *address, socklen_t length)
{
    if (bind(fd, (const struct sockaddr *)address, length) != 0)
        return -1;
    return listen(fd, VERD__BACKLOG);
}

int verd_listen_unix(const char *path, unsigned flags)
{
    struct sockaddr_un address;
    socklen_t length = verd__address_unix(path, &address);
    if (length == 0)
        return -1;
    if (flags != 0) {
        errno = EINVAL;
        return -1;
    }
    int fd = verd__socket_stream(AF_UNIX, VERD__FD_LISTENER | VERD__FD_UNIX);
    if (fd < 0)
        return -1;
    bool abstract = address.sun_path[0] == '\0';
    if ((abstract ? listen_at_name : listen_at_path)(fd, &address, length) == 0)
        return fd;
    verd__descriptor_drop(fd);
    return -1;
}
