/* SPDX-License-Identifier: MIT */
/*
 * The OS thread of a backdoor, and its clients. It waits in poll(2) and for nothing else: an answer is put together in a
 * file in memory, and sent as its client takes it.
 *
 * A client's lines are answered one after the other. But one that waits for the hub, and has been told so, may ask what is
 * not for the hub meanwhile.
 */
#include "debug/backdoor.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "debug/holder.h"
#include "sched/report.h"
#include "stack/peek.h"

/* How long the hub has for an answer before its client is told why there is none. */
#define PATIENCE (500 * VERD_MS)

/* When nobody can be let in, for want of descriptors or memory, how long until it is tried again. */
#define PAUSE (100 * VERD_MS)

#define SENT_AT_ONCE ((size_t)1 << 20)

/* ---- a hub that does not answer ---- */

static void tell_holder(const struct verd__scheduler *scheduler, const struct verd__output *output)
{
    const struct verd__thread *running;
    const void *idle;
    verd_duration looked;
    struct verd__report *report = verd__report_begin(output);
    if (report == NULL)
        return;
    verd__peek(&running, &scheduler->running, sizeof(void *));
    verd__peek(&idle, &scheduler->idle, sizeof idle);
    verd__peek(&looked, &scheduler->clock, sizeof looked);
    if (idle == NULL)
        verd__holder_tell(report, scheduler, running,
                          " holds its OS thread, which has looked at no event for ",
                          verd_now() - looked);
    verd__report_end(report);
}

static bool is_late(const struct verd__client *client)
{
    const struct verd__request *request = client->request;
    return request != NULL && !request->is_answered && !request->is_explained &&
           verd_now() - request->since >= PATIENCE;
}

/* Tells a client why there is no answer yet. */
static void explain(const struct verd__backdoor *backdoor, struct verd__client *client)
{
    struct verd__line line = {0};
    client->request->is_explained = true;
    if (!verd__backdoor_open_file(&client->file))
        return;
    const struct verd__output output = {client->file, "", NULL};
    client->sent = 0;
    tell_holder(backdoor->scheduler, &output);
    verd__line_text(&line, "the answer comes when that OS thread gives way");
    verd__line_write_to(&line, &output);
}

/* ---- a client ---- */

static void leave(struct verd__client *client)
{
    struct verd__request *request = client->request;
    verd__backdoor_close(&client->fd);
    verd__backdoor_close(&client->file);
    if (request != NULL && request->is_answered)
        verd__request_free(request);
    else if (request != NULL)
        request->is_abandoned = true;
}

static char *end_of_line(struct verd__client *client)
{
    return memchr(client->text, '\n', client->length);
}

/* Whether there is room for more; else it waits for what it has asked already. */
static bool is_heard(const struct verd__client *client)
{
    return !client->has_ended && client->length < sizeof client->text;
}

/* False: the client is to go, here and below. */
static bool receive(struct verd__client *client)
{
    ssize_t n =
        read(client->fd, client->text + client->length, sizeof client->text - client->length);
    client->length += n > 0 ? (size_t)n : 0;
    client->has_ended = n == 0;
    return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static bool send_some(struct verd__client *client)
{
    ssize_t n = sendfile(client->fd, client->file, &client->sent, SENT_AT_ONCE);
    if (n == 0)
        verd__backdoor_close(&client->file);
    return n >= 0 || errno == EAGAIN || errno == EINTR;
}

/* Begins to send what the hub has answered, if it has. */
static bool take_answer(struct verd__client *client)
{
    struct verd__request *request = client->request;
    if (request == NULL || !request->is_answered)
        return true;
    pthread_mutex_lock(&verd__backdoor_lock);
    client->file = request->file;
    request->file = -1;
    pthread_mutex_unlock(&verd__backdoor_lock);
    client->sent = 0;
    client->request = NULL;
    verd__request_free(request);
    return client->file >= 0;
}

static bool answer(const struct verd__backdoor *backdoor, struct verd__client *client,
                   const char *line)
{
    if (!verd__backdoor_open_file(&client->file))
        return false;
    client->sent = 0;
    verd__backdoor_answer(backdoor, line, client->file);
    return true;
}

/* Takes the next line, if it is its turn. A longer one than there may be sends the client away. */
static bool take_line(struct verd__backdoor *backdoor, struct verd__client *client)
{
    char line[VERD__BACKDOOR_LINE];
    char *end = end_of_line(client);
    if (end == NULL)
        return client->length < sizeof client->text;
    size_t size = (size_t)(end + 1 - client->text);
    memcpy(line, client->text, size);
    line[size - 1] = '\0';
    if (size > 1 && line[size - 2] == '\r')
        line[size - 2] = '\0';
    bool is_for_hub = verd__backdoor_is_for_hub(line);
    if (client->request != NULL && (is_for_hub || !client->request->is_explained))
        return true;
    client->length -= size;
    memmove(client->text, end + 1, client->length);
    if (!is_for_hub)
        return answer(backdoor, client, line);
    client->request = verd__request_send(backdoor, line);
    return client->request != NULL;
}

/* Does what can be done without waiting. One that is gone, and has nothing more to say, gets nothing of what it has asked,
 * which is done all the same. */
static bool serve(struct verd__backdoor *backdoor, struct verd__client *client, int events)
{
    if (is_heard(client) && (events & (POLLIN | POLLHUP | POLLERR))) {
        if (!receive(client))
            return false;
    } else if (events & (POLLHUP | POLLERR)) {
        return false;
    }
    if (client->file >= 0 && (events & POLLOUT) && !send_some(client))
        return false;
    if (client->file < 0 && !take_answer(client))
        return false;
    if (client->file < 0 && !take_line(backdoor, client))
        return false;
    if (client->file < 0 && is_late(client))
        explain(backdoor, client);
    return !client->has_ended || client->file >= 0 || client->request != NULL;
}

/* ---- the door ---- */

/* Whoever could do worse to the process may come in: its own user, and root. */
static bool is_welcome(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

/* A place for one; NULL: there are as many as there may be. */
static struct verd__client *find_place(struct verd__backdoor *backdoor)
{
    for (size_t i = 0; i < VERD__BACKDOOR_CLIENTS; i++) {
        if (backdoor->clients[i].fd < 0)
            return &backdoor->clients[i];
    }
    return NULL;
}

static bool is_passing(int error)
{
    return error == EAGAIN || error == EINTR || error == ECONNABORTED;
}

static void let_in(struct verd__backdoor *backdoor)
{
    struct verd__client *client = find_place(backdoor);
    pthread_mutex_lock(&verd__backdoor_lock);
    int fd = accept4(backdoor->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    int error = errno;
    if (fd >= 0 && client != NULL && is_welcome(fd)) {
        memset(client, 0, sizeof *client);
        client->file = -1;
        client->fd = fd;
    } else if (fd >= 0) {
        close(fd);
    }
    pthread_mutex_unlock(&verd__backdoor_lock);
    if (fd < 0 && !is_passing(error))
        backdoor->paused = verd_now() + PAUSE;
}

/* ---- waiting ---- */

enum { WAKE, LISTENER, FIRST_CLIENT, FDS = FIRST_CLIENT + VERD__BACKDOOR_CLIENTS };

static short wanted_of(const struct verd__client *client)
{
    return (short)((is_heard(client) ? POLLIN : 0) | (client->file >= 0 ? POLLOUT : 0));
}

/* In milliseconds, rounded up. -1: for ever. */
static int patience(const struct verd__backdoor *backdoor, verd_duration now)
{
    verd_duration until = backdoor->paused > now ? backdoor->paused : VERD_FOREVER;
    for (size_t i = 0; i < VERD__BACKDOOR_CLIENTS; i++) {
        const struct verd__client *client = &backdoor->clients[i];
        if (client->fd < 0 || client->request == NULL || client->request->is_explained)
            continue;
        if (client->request->since + PATIENCE < until)
            until = client->request->since + PATIENCE;
    }
    if (until == VERD_FOREVER)
        return -1;
    return until > now ? (int)((until - now + VERD_MS - 1) / VERD_MS) : 0;
}

static void await(const struct verd__backdoor *backdoor, struct pollfd fds[FDS])
{
    verd_duration now = verd_now();
    fds[WAKE] = (struct pollfd){.fd = backdoor->wake, .events = POLLIN};
    fds[LISTENER] =
        (struct pollfd){.fd = backdoor->paused > now ? -1 : backdoor->listener, .events = POLLIN};
    for (size_t i = 0; i < VERD__BACKDOOR_CLIENTS; i++) {
        const struct verd__client *client = &backdoor->clients[i];
        fds[FIRST_CLIENT + i] = (struct pollfd){.fd = client->fd, .events = wanted_of(client)};
    }
    if (poll(fds, FDS, patience(backdoor, now)) >= 0)
        return;
    static const struct timespec pause = {.tv_nsec = 10000000};
    nanosleep(&pause, NULL); /* no memory, or a debugger: nothing is known */
    for (size_t i = 0; i < FDS; i++)
        fds[i].revents = 0;
}

void *verd__backdoor_run(void *arg)
{
    struct verd__backdoor *backdoor = arg;
    struct pollfd fds[FDS];
    prctl(PR_SET_NAME, "verd-backdoor");
    while (!atomic_load(&backdoor->stops)) {
        uint64_t count;
        await(backdoor, fds);
        if (fds[WAKE].revents != 0)
            (void)!read(backdoor->wake, &count, sizeof count);
        verd__requests_take_back(backdoor);
        for (size_t i = 0; i < VERD__BACKDOOR_CLIENTS; i++) {
            struct verd__client *client = &backdoor->clients[i];
            if (client->fd >= 0 && !serve(backdoor, client, fds[FIRST_CLIENT + i].revents))
                leave(client);
        }
        if (fds[LISTENER].revents != 0)
            let_in(backdoor);
    }
    return NULL;
}
