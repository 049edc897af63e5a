/* SPDX-License-Identifier: MIT */
/* Opening a backdoor and closing it: by a call, at the end of the OS thread, and in the child of a fork. */
#include "debug/backdoor.h"

#include <verd/backdoor.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <verd/net.h>

#include "debug/ask.h"
#include "debug/os_thread.h"
#include "hub/hub.h"
#include "sched/once.h"

pthread_mutex_t verd__backdoor_lock = PTHREAD_MUTEX_INITIALIZER;

static struct verd__list all; /* under the lock */
static struct verd__once once;

/* ---- descriptors ---- */

bool verd__backdoor_open_file(int *file)
{
    pthread_mutex_lock(&verd__backdoor_lock);
    *file = memfd_create("verd", MFD_CLOEXEC);
    pthread_mutex_unlock(&verd__backdoor_lock);
    return *file >= 0;
}

void verd__backdoor_close(int *fd)
{
    pthread_mutex_lock(&verd__backdoor_lock);
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    pthread_mutex_unlock(&verd__backdoor_lock);
}

/* ---- closing ---- */

static void close_all(struct verd__backdoor *backdoor)
{
    for (size_t i = 0; i < VERD__BACKDOOR_CLIENTS; i++) {
        if (backdoor->clients[i].fd < 0)
            continue;
        verd__backdoor_close(&backdoor->clients[i].file);
        verd__backdoor_close(&backdoor->clients[i].fd);
    }
    verd__backdoor_close(&backdoor->listener);
    verd__backdoor_close(&backdoor->wake);
}

/* Takes what is not there to be taken out. */
static void forget_hook(struct verd__backdoor *backdoor)
{
    struct verd__exit_hook **at = &backdoor->scheduler->exit_hooks;
    while (*at != NULL && *at != &backdoor->hook)
        at = &(*at)->next;
    if (*at != NULL)
        *at = backdoor->hook.next;
}

/* Nothing runs any more that has to do with it; but the hub may have questions still. */
static void free_backdoor(struct verd__backdoor *backdoor)
{
    forget_hook(backdoor);
    close_all(backdoor);
    verd__inbox_drop(backdoor->inbox);
    backdoor->scheduler->observed.backdoor = NULL;
    free(backdoor);
}

/* Takes the socket away, unless somebody else has put another file there. */
static void remove_socket(const struct verd__backdoor *backdoor)
{
    struct stat now;
    if (lstat(backdoor->path, &now) == 0 && now.st_dev == backdoor->socket.st_dev &&
        now.st_ino == backdoor->socket.st_ino)
        unlink(backdoor->path);
}

/* Its OS thread has ended, or never begun. */
static void detach(struct verd__backdoor *backdoor)
{
    pthread_mutex_lock(&verd__backdoor_lock);
    verd__list_remove(&all, &backdoor->link);
    pthread_mutex_unlock(&verd__backdoor_lock);
    remove_socket(backdoor);
    free_backdoor(backdoor);
}

/* On the hub's OS thread, which stands still until the backdoor's has ended. */
static void shut(struct verd__backdoor *backdoor)
{
    static const uint64_t one = 1;
    atomic_store(&backdoor->stops, true);
    (void)!write(backdoor->wake, &one, sizeof one);
    pthread_join(backdoor->os_thread, NULL);
    verd__requests_leave(backdoor);
    detach(backdoor);
}

static void end(struct verd__exit_hook *hook)
{
    shut(VERD__CONTAINER_OF(hook, struct verd__backdoor, hook));
}

/* ---- forks ---- */

static void before_fork(void)
{
    pthread_mutex_lock(&verd__backdoor_lock);
}

static void fork_parent(void)
{
    pthread_mutex_unlock(&verd__backdoor_lock);
}

/* There is none of their OS threads here, and no inbox has a question. What lies at the path is the parent's. */
static void fork_child(void)
{
    struct verd__link *link;
    pthread_mutex_unlock(&verd__backdoor_lock);
    while ((link = verd__list_pop(&all)) != NULL) {
        struct verd__backdoor *backdoor = VERD__CONTAINER_OF(link, struct verd__backdoor, link);
        while (backdoor->requests.first != NULL)
            verd__request_free(
                VERD__CONTAINER_OF(backdoor->requests.first, struct verd__request, link));
        free_backdoor(backdoor);
    }
}

static int prepare_process(void)
{
    return pthread_atfork(before_fork, fork_parent, fork_child);
}

/* ---- opening ---- */

/* It becomes the backdoor's own: the hub does not wait for it. -1 and errno. */
static int listen_at(struct verd__backdoor *backdoor, const char *path)
{
    int fd = verd_listen_unix(path, 0);
    if (fd < 0)
        return -1;
    verd__loop_forget(verd__loop(backdoor->scheduler), fd);
    if (chmod(path, 0600) == 0 && lstat(path, &backdoor->socket) == 0 &&
        realpath(path, backdoor->path) != NULL)
        return fd;
    int error = errno;
    unlink(path);
    close(fd);
    errno = error;
    return -1;
}

static struct verd__backdoor *backdoor_new(struct verd__scheduler *scheduler, const char *path)
{
    struct verd__backdoor *backdoor = calloc(1, sizeof *backdoor);
    if (backdoor == NULL)
        return NULL;
    for (size_t i = 0; i < VERD__BACKDOOR_CLIENTS; i++)
        backdoor->clients[i].fd = -1;
    backdoor->scheduler = scheduler;
    backdoor->hook.end = end;
    backdoor->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (backdoor->wake < 0)
        goto no_wake;
    backdoor->listener = listen_at(backdoor, path);
    if (backdoor->listener < 0)
        goto no_listener;
    return backdoor;
no_listener:
    close(backdoor->wake);
no_wake:
    free(backdoor);
    return NULL;
}

/* It is closed before its inbox, whose hook was there first. */
static void attach(struct verd__backdoor *backdoor, struct verd_hub *inbox)
{
    struct verd__scheduler *scheduler = backdoor->scheduler;
    backdoor->inbox = inbox;
    verd__inbox_keep(inbox);
    verd__inbox_listen(inbox, true);
    backdoor->hook.next = scheduler->exit_hooks;
    scheduler->exit_hooks = &backdoor->hook;
    scheduler->observed.backdoor = backdoor;
    pthread_mutex_lock(&verd__backdoor_lock);
    verd__list_append(&all, &backdoor->link);
    pthread_mutex_unlock(&verd__backdoor_lock);
}

static int open_door(struct verd__scheduler *scheduler, const char *path)
{
    struct verd_hub *inbox = verd__inbox(scheduler);
    if (inbox == NULL)
        return -1;
    int error = verd__once(&once, prepare_process);
    struct verd__backdoor *backdoor = error == 0 ? backdoor_new(scheduler, path) : NULL;
    if (backdoor == NULL)
        goto nothing;
    verd__ask_prepare();
    attach(backdoor, inbox);
    error = verd__os_thread_start(&backdoor->os_thread, verd__backdoor_run, backdoor);
    if (error == 0)
        return 0;
    verd__inbox_listen(inbox, false);
    detach(backdoor);
nothing:
    if (error != 0)
        errno = error;
    return -1;
}

int verd_backdoor(const char *path)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return -1;
    struct verd__backdoor *backdoor = scheduler->observed.backdoor;
    if (path == NULL && backdoor != NULL) {
        verd__inbox_listen(backdoor->inbox, false);
        shut(backdoor);
        return 0;
    }
    int error = path == NULL || path[0] == '@' ? EINVAL : backdoor != NULL ? EBUSY : 0;
    if (error == 0)
        return open_door(scheduler, path);
    errno = error;
    return -1;
}
