/* SPDX-License-Identifier: MIT */
/* Calls on paths, and those that do not transfer data. They can be given up at any time: all they need
 * is in memory of their own. */
#include <verd/os.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "offload/offload.h"
#include "os/file.h"

/* A call on a path, or on a descriptor. */
struct inquiry {
    int (*run)(struct inquiry *inquiry);
    int result;
    int fd; /* asked about, or the directory of what is opened */
    int flags;
    mode_t mode;
    struct stat status;
    char path[];
};

static struct inquiry *inquiry_new(int (*run)(struct inquiry *), const char *path)
{
    if (path == NULL) {
        errno = EFAULT;
        return NULL;
    }
    size_t size = strlen(path) + 1;
    struct inquiry *inquiry = calloc(1, sizeof *inquiry + size);
    if (inquiry == NULL)
        return NULL;
    inquiry->run = run;
    inquiry->result = -1;
    memcpy(inquiry->path, path, size);
    return inquiry;
}

static void *run_inquiry(void *arg)
{
    struct inquiry *inquiry = arg;
    inquiry->result = inquiry->run(inquiry);
    return NULL;
}

static int run_open(struct inquiry *inquiry)
{
    return openat(inquiry->fd, inquiry->path, inquiry->flags, inquiry->mode);
}

/* Nobody wants what was opened. */
static void release_open(void *arg, void *result)
{
    const struct inquiry *inquiry = arg;
    if (inquiry->result >= 0)
        close(inquiry->result);
    verd__offload_free(arg, result);
}

static int run_stat(struct inquiry *inquiry)
{
    return stat(inquiry->path, &inquiry->status);
}

static int run_lstat(struct inquiry *inquiry)
{
    return lstat(inquiry->path, &inquiry->status);
}

static int run_fstat(struct inquiry *inquiry)
{
    return fstat(inquiry->fd, &inquiry->status);
}

static int run_fsync(struct inquiry *inquiry)
{
    return fsync(inquiry->fd);
}

static int run_fdatasync(struct inquiry *inquiry)
{
    return fdatasync(inquiry->fd);
}

/* Makes the inquiry; what it finds, and the status if that is wanted. */
static int ask(struct inquiry *inquiry, void (*release)(void *, void *), struct stat *status)
{
    if (inquiry == NULL)
        return -1;
    const struct verd__offload offload = {
        .kind = inquiry->run == run_open ? VERD_OFFLOAD_OPENS : VERD_OFFLOAD_FILES,
        .fn = run_inquiry,
        .arg = inquiry,
        .release = release,
    };
    if (verd__offload(&offload, NULL) != 0)
        return verd__offload_failed(&offload);
    int result = inquiry->result;
    if (result == 0 && status != NULL)
        *status = inquiry->status;
    verd__offload_free(inquiry, NULL);
    return result;
}

static int ask_path(int (*run)(struct inquiry *), const char *path, struct stat *status)
{
    return ask(inquiry_new(run, path), verd__offload_free, status);
}

static int ask_descriptor(int (*run)(struct inquiry *), int fd, struct stat *status)
{
    struct inquiry *inquiry = inquiry_new(run, "");
    if (inquiry != NULL)
        inquiry->fd = fd;
    return ask(inquiry, verd__offload_free, status);
}

int verd__openat(int directory, const char *path, int flags, mode_t mode)
{
    struct inquiry *inquiry = inquiry_new(run_open, path);
    if (inquiry == NULL)
        return -1;
    inquiry->fd = directory;
    inquiry->flags = flags;
    inquiry->mode = mode;
    return ask(inquiry, release_open, NULL);
}

int verd_open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (verd__open_has_mode(flags)) {
        va_list list;
        va_start(list, flags);
        mode = va_arg(list, mode_t);
        va_end(list);
    }
    return verd__openat(AT_FDCWD, path, flags | O_CLOEXEC, mode);
}

int verd_stat(const char *path, struct stat *status)
{
    return ask_path(run_stat, path, status);
}

int verd_lstat(const char *path, struct stat *status)
{
    return ask_path(run_lstat, path, status);
}

int verd_fstat(int fd, struct stat *status)
{
    return ask_descriptor(run_fstat, fd, status);
}

int verd_fsync(int fd)
{
    return ask_descriptor(run_fsync, fd, NULL);
}

int verd_fdatasync(int fd)
{
    return ask_descriptor(run_fdatasync, fd, NULL);
}
