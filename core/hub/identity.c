/* SPDX-License-Identifier: MIT */
#include "hub/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "hub/hub.h"
#include "stack/memory.h"

#define DONT_SYNC 0x4000 /* AT_STATX_DONT_SYNC */
#define WANTED 0x301     /* STATX_TYPE, STATX_INO, STATX_SIZE */

/* statx(2)'s own, which not all libcs have. */
struct status {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, user, group;
    uint16_t mode, reserved;
    uint64_t inode, size, blocks, attributes_mask;
    uint64_t times[8];
    uint32_t special_major, special_minor, major, minor;
    uint64_t more[14];
};
_Static_assert(sizeof(struct status) == 256, "the kernel writes so much");

static int identify_and_wait(int fd, struct verd__identity *file)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return -1;
    file->type = status.st_mode & S_IFMT;
    file->size = status.st_size;
    file->device = status.st_dev;
    file->inode = status.st_ino;
    return 0;
}

int verd__identify(int fd, struct verd__identity *file)
{
    struct status status;
    if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH | DONT_SYNC, WANTED, &status) != 0)
        return errno == EBADF ? -1 : identify_and_wait(fd, file);
    verd__memory_clean(&status, sizeof status);
    file->type = status.mode & S_IFMT;
    file->size = (off_t)status.size;
    file->device = makedev(status.major, status.minor);
    file->inode = status.inode;
    return 0;
}

mode_t verd__type_of(int fd)
{
    struct verd__identity file;
    int error = errno;
    mode_t type = 0;
    if (verd__identify(fd, &file) == 0)
        type = file.type;
    else if (errno == EACCES)
        type = S_IFREG;
    errno = error;
    return type;
}

bool verd__may_have_server(int fd)
{
    const struct verd__fd *record = fd >= 0 ? verd__loop_noted(fd) : NULL;
    bool ours = record != NULL && (record->bits & VERD__FD_OURS);
    return fd >= 0 && !ours && S_ISREG(verd__type_of(fd));
}
