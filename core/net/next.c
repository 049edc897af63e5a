/* SPDX-License-Identifier: MIT */
/* A handler between two requests, where its client's silence must not hold up the end of the server. */
#include <errno.h>
#include <poll.h>

#include <verd/net.h>

#include "hub/hub.h"
#include "net/server.h"
#include "sched/wait.h"

/* 1: a read would not wait; 0; -1 and errno */
static int look(int client)
{
    struct pollfd poller = {.fd = client, .events = POLLIN | POLLRDHUP};
    int ready;
    do {
        ready = poll(&poller, 1, 0);
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0 || !(poller.revents & POLLNVAL))
        return ready;
    errno = EBADF;
    return -1;
}

/* What has come is to be answered, even when the server is being stopped. */
static int await_next(struct verd__loop *loop, struct verd__handler *handler)
{
    struct verd__fd *record = verd__loop_fd(loop, handler->client);
    for (;;) {
        int ready = record != NULL ? look(handler->client) : -1;
        if (ready != 0 || handler->server->stopped || handler->server->finishing)
            return ready;
        handler->awaits = true;
        int waited = verd__loop_wait(loop, handler->client, record, VERD__INPUT, true);
        handler->awaits = false;
        if (waited != 0)
            return -1;
    }
}

void verd__server_tell(const struct verd_server *server)
{
    for (struct verd__link *link = server->handlers.first; link != NULL; link = link->next) {
        const struct verd__handler *handler = verd__handler_of(link);
        if (handler->awaits)
            verd__loop_retry(verd__loop(verd__current), handler->client);
    }
}

int verd_serve_next(int client)
{
    struct verd__scheduler *scheduler = verd__begin();
    struct verd__loop *loop = scheduler != NULL ? verd__loop(scheduler) : NULL;
    if (loop == NULL)
        return verd__refuse(0);
    struct verd__handler *handler = verd__server_running_handler(scheduler);
    if (handler == NULL || handler->client != client)
        return verd__refuse(EINVAL);
    return verd__done(scheduler, await_next(loop, handler));
}
