/* SPDX-License-Identifier: MIT */
/* Cases of large files, which have names of their own in glibc. */
#include "cases.h"

static void large_files(struct book *book)
{
#ifdef __GLIBC__
    char path[64], buffer[8] = "";
    struct iovec vector[2] = {{buffer, 2}, {buffer + 2, 2}};
    struct stat64 status;
    struct flock64 whole = {.l_type = F_WRLCK};
    off64_t offset = 1;
    int fds[2], fd;
    snprintf(path, sizeof path, "/tmp/verd-posix-large-%d", (int)getpid());
    SAY((fd = creat64(path, 0600)) > 0);
    SAY(close(fd));
    SAY((fd = open64(path, O_RDWR)) > 0);
    SAY(pwrite64(fd, "0123456789", 10, 0));
    SAY(pread64(fd, buffer, 4, 8));
    SAY(pread64(fd, buffer, 4, -1));
    SAY(pwrite64(fd, "ab", 2, 5000000000));
    SAY(stat64(path, &status));
    SAY(status.st_size);
    SAY(lstat64("/proc/self", &status));
    SAY(S_ISLNK(status.st_mode));
    SAY(preadv64(fd, vector, 2, 6));
    SAY(memcmp(buffer, "6789", 4));
    SAY(pwritev64(fd, vector, 2, 1));
    SAY(pread64(fd, buffer, 6, 0));
    SAY(memcmp(buffer, "067895", 6));
    SAY(pipe(fds));
    SAY(sendfile64(fds[1], fd, &offset, 4));
    SAY(offset);
    SAY(read(fds[0], buffer, 8));
    SAY(fcntl64(fd, F_SETLKW64, &whole));
    SAY(fcntl64(fd, F_GETFL) & O_ACCMODE);
    SAY(lockf64(fd, F_LOCK, 0));
    SAY(lockf64(fd, F_ULOCK, 0));
    SAY(close(fd));
    SAY(close(openat64(AT_FDCWD, path, O_RDONLY)));
    SAY(openat64(-1, "nothing-of-this-name", O_RDONLY));
    SAY(open64("/nowhere/at/all", O_RDONLY));
    SAY(close(fds[0]));
    SAY(close(fds[1]));
    unlink(path);
#else
    (void)book;
#endif
}
