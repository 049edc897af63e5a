/* SPDX-License-Identifier: MIT */
/*
 * A door for the owner of a process: a green thread accepts at a path, and one for each client
 * answers. All of it belongs to the first, and goes with it: when it is killed, and at the end of
 * the OS thread and in the child of a fork, where none of them has another turn.
 */
#include "debug/backdoor.h"

#include <verd/backdoor.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <verd/net.h>
#include <verd/thread.h>
#include <verd/time.h>

#include "sched/list.h"
#include "sched/obligation.h"
#include "sched/thread.h"

struct client {
    struct backdoor *backdoor;
    int fd;              /* -1: nobody */
    verd_thread *thread; /* a handle, while there is somebody */
    int file;            /* with an answer that is being sent; -1: there is none */
    size_t length;       /* of what has come and is no whole line yet */
    char text[VERD__BACKDOOR_LINE];
};

struct backdoor {
    struct verd__obligation obligation; /* of its thread */
    verd_thread *thread;
    bool is_awaited; /* by who shuts the door, and releases the thread's handle */
    int listener;
    pid_t owner; /* the process */
    struct client clients[VERD__BACKDOOR_CLIENTS];
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
};

/* ---- a client ---- */

/* Sends what has been written to the file. */
static int send_file(int client, int file)
{
    char text[4096];
    ssize_t n;
    for (off_t at = 0; (n = pread(file, text, sizeof text, at)) > 0; at += n) {
        if (verd_write_full(client, text, (size_t)n, NULL) != n)
            return -1;
    }
    return n < 0 ? -1 : 0;
}

/* 0, or -1: the client is gone, or there is no memory to answer in. */
static int answer(struct client *client, const char *line)
{
    struct verd__question question = {.scheduler = verd__current, .path = client->backdoor->path};
    question.output.fd = memfd_create("verd", MFD_CLOEXEC);
    question.output.prefix = "";
    if (question.output.fd < 0)
        return -1;
    client->file = question.output.fd;
    verd__backdoor_answer(&question, line);
    int result = send_file(client->fd, question.output.fd);
    client->file = -1;
    close(question.output.fd);
    return result;
}

/* Answers the lines that have come. -1: the client is to go, for one that is too long, too. */
static int answer_lines(struct client *client)
{
    char *line = client->text, *end;
    while ((end = memchr(line, '\n', client->length)) != NULL) {
        *end = '\0';
        client->length -= (size_t)(end + 1 - line);
        if (end > line && end[-1] == '\r')
            end[-1] = '\0';
        if (answer(client, line) != 0)
            return -1;
        line = end + 1;
    }
    memmove(client->text, line, client->length);
    return client->length < sizeof client->text ? 0 : -1;
}

/* All that it has is the backdoor's: it may be gone without another turn. */
static void *serve(void *arg)
{
    struct client *client = arg;
    ssize_t n;
    client->length = 0;
    while ((n = verd_read(client->fd, client->text + client->length,
                          sizeof client->text - client->length)) > 0) {
        client->length += (size_t)n;
        if (answer_lines(client) != 0)
            break;
    }
    verd_close(client->fd);
    client->fd = -1;
    return NULL;
}

/* Whoever could do worse to the process may come in: its own user, and root. */
static bool is_welcome(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

/* A place for one; NULL: there are as many as there may be. Who has left, has left a handle. */
static struct client *find_place(struct backdoor *backdoor)
{
    for (size_t i = 0; i < VERD__BACKDOOR_CLIENTS; i++) {
        struct client *client = &backdoor->clients[i];
        if (client->fd >= 0)
            continue;
        if (client->thread != NULL)
            verd_release(client->thread);
        client->thread = NULL;
        return client;
    }
    return NULL;
}

static void let_in(struct backdoor *backdoor, int fd)
{
    const verd_attr attr = {.name = "backdoor client"};
    struct client *client = is_welcome(fd) ? find_place(backdoor) : NULL;
    if (client != NULL) {
        client->backdoor = backdoor;
        client->thread = verd_spawn_with(&attr, serve, client);
    }
    if (client == NULL || client->thread == NULL)
        verd_close(fd);
    else
        client->fd = fd;
}

/* ---- the door ---- */

static void close_door(struct backdoor *backdoor)
{
    verd_shield_begin();
    for (size_t i = 0; i < VERD__BACKDOOR_CLIENTS; i++) {
        struct client *client = &backdoor->clients[i];
        if (client->thread == NULL)
            continue;
        verd_kill(client->thread);
        verd_join(client->thread, NULL);
        if (client->fd >= 0) /* it has not started */
            verd_close(client->fd);
    }
    verd_shield_end();
    unlink(backdoor->path);
    verd_close(backdoor->listener);
    if (!backdoor->is_awaited)
        verd_release(backdoor->thread);
    verd__current->observed.backdoor = NULL;
    free(backdoor);
}

/* Nobody has another turn. What the parent of a fork has, is its own. */
static void settle(struct verd__obligation *obligation)
{
    struct backdoor *backdoor = VERD__CONTAINER_OF(obligation, struct backdoor, obligation);
    if (backdoor->owner == getpid())
        unlink(backdoor->path);
    close(backdoor->listener);
    for (size_t i = 0; i < VERD__BACKDOOR_CLIENTS; i++) {
        if (backdoor->clients[i].fd >= 0)
            close(backdoor->clients[i].fd);
        if (backdoor->clients[i].file >= 0)
            close(backdoor->clients[i].file);
    }
    verd__current->observed.backdoor = NULL;
    free(backdoor);
}

static void *keep(void *arg)
{
    struct backdoor *backdoor = arg;
    struct verd__scheduler *scheduler = verd__current;
    verd__obligation_begin(scheduler, &backdoor->obligation, settle);
    while (!verd_killed()) {
        int fd = verd_accept(backdoor->listener, NULL, NULL);
        if (fd >= 0)
            let_in(backdoor, fd);
        else if (errno != ECANCELED)
            verd_sleep(100 * VERD_MS); /* no descriptors, or no memory: it may get better */
    }
    verd__obligation_end(scheduler, &backdoor->obligation);
    close_door(backdoor);
    return NULL;
}

static struct backdoor *listen_at(const char *path)
{
    struct backdoor *backdoor = calloc(1, sizeof *backdoor);
    if (backdoor == NULL)
        return NULL;
    backdoor->owner = getpid();
    backdoor->listener = verd_listen_unix(path, 0);
    for (size_t i = 0; i < VERD__BACKDOOR_CLIENTS; i++)
        backdoor->clients[i].fd = backdoor->clients[i].file = -1;
    if (backdoor->listener >= 0 && chmod(path, 0600) == 0) {
        memcpy(backdoor->path, path, strlen(path) + 1);
        return backdoor;
    }
    int error = errno;
    if (backdoor->listener >= 0) {
        unlink(path);
        verd_close(backdoor->listener);
    }
    free(backdoor);
    errno = error;
    return NULL;
}

static int open_door(struct verd__scheduler *scheduler, const char *path)
{
    const verd_attr attr = {.name = "backdoor"};
    struct backdoor *backdoor = listen_at(path);
    if (backdoor == NULL)
        return -1;
    backdoor->thread = verd_spawn_with(&attr, keep, backdoor);
    if (backdoor->thread == NULL) {
        unlink(path);
        verd_close(backdoor->listener);
        free(backdoor);
        errno = ENOMEM;
        return -1;
    }
    scheduler->observed.backdoor = backdoor;
    return 0;
}

/* One that has not started runs all the same, to give back what it has. */
static int shut_door(struct verd__scheduler *scheduler)
{
    struct backdoor *backdoor = scheduler->observed.backdoor;
    verd_thread *thread = backdoor->thread;
    backdoor->is_awaited = true;
    verd__thread_stop(verd__thread_find(thread));
    verd_shield_begin();
    verd_join(thread, NULL);
    verd_shield_end();
    return 0;
}

int verd_backdoor(const char *path)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return -1;
    bool is_open = scheduler->observed.backdoor != NULL;
    if (path == NULL && is_open)
        return shut_door(scheduler);
    int error = path == NULL || path[0] == '@' ? EINVAL : is_open ? EBUSY : 0;
    if (error != 0) {
        errno = error;
        return -1;
    }
    return open_door(scheduler, path);
}
