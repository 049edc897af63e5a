/* SPDX-License-Identifier: MIT */
/* The end of a server, and who waits for it. */
#include <errno.h>
#include <stdlib.h>

#include "net/server.h"
#include "sched/wait.h"

/* Who waits for the end, or in verd_serve_stop for the other handlers. */
struct waiter {
    struct verd__timer timer; /* first: the end of the grace */
    struct verd__wait wait;
    struct verd_server *server;
    struct verd__handler *self; /* the caller's, in verd_serve_stop; NULL: it is not one */
    int error;                  /* the server's, once it has ended */
};

static struct waiter *waiter_of(struct verd__wait *wait)
{
    return (struct waiter *)(void *)((char *)wait - offsetof(struct waiter, wait));
}

static bool has_ended(const struct verd_server *server)
{
    return server->acceptor == NULL && server->clients == 0;
}

/* Whether a handler that waits in verd_serve_stop has seen the others go. */
static bool others_have_ended(const struct verd_server *server)
{
    return server->acceptor == NULL && server->clients == server->stopping;
}

static void leave(struct verd__wait *wait)
{
    struct waiter *waiter = waiter_of(wait);
    verd__waiters_remove(&waiter->server->waiters, wait);
    verd__timer_cancel(&waiter->server->scheduler->timers, &waiter->timer);
    if (waiter->self != NULL)
        waiter->server->stopping--;
}

void verd__server_leave_pool(struct verd_server *server)
{
    server->pool->users--;
    if (server->owns_pool)
        verd__pool_abandon(server->pool);
    server->pool = NULL;
}

void verd__server_settle(struct verd_server *server)
{
    struct verd__wait *next;
    bool ended = has_ended(server);
    if (!ended && !others_have_ended(server))
        return;
    if (ended)
        verd__server_leave_pool(server);
    for (struct verd__wait *wait = server->waiters.first; wait != NULL; wait = next) {
        next = wait->next;
        if (!ended && waiter_of(wait)->self == NULL)
            continue;
        waiter_of(wait)->error = server->error;
        leave(wait);
        verd__wake(wait);
    }
}

static void kill_handlers(struct verd_server *server, const struct verd__handler *except)
{
    struct verd__ring *next;
    for (struct verd__ring *link = server->handlers.next; link != &server->handlers; link = next) {
        next = link->next; /* one that has not begun is gone at once */
        if (verd__handler_of(link) != except)
            verd_kill(verd__handler_of(link)->thread);
    }
}

static int check(const struct verd_server *server)
{
    if (server != NULL && server->scheduler == verd__current)
        return 0;
    errno = server == NULL ? EINVAL : EPERM;
    return -1;
}

/* The running thread's, if it is a handler of the server. */
static struct verd__handler *own_handler(struct verd_server *server)
{
    struct verd__ring *link = server->handlers.next;
    while (link != &server->handlers &&
           verd__handler_of(link)->thread != server->scheduler->running)
        link = link->next;
    return link != &server->handlers ? verd__handler_of(link) : NULL;
}

static const struct verd__wait_kind end_kind = {"the end of a server", leave};

/* A handler begins to wait for the others, of whom those that wait for it need not any longer.
 * Returns whether there is nobody to wait for. */
static bool begin_stopping(struct verd_server *server)
{
    server->stopping++;
    if (!others_have_ended(server))
        return false;
    verd__server_settle(server);
    server->stopping--;
    return true;
}

/* Waits for the end; a handler, for that of the others. */
static int wait_for_end(struct waiter *waiter, verd_duration grace)
{
    struct verd_server *server = waiter->server;
    struct verd__scheduler *scheduler = server->scheduler;
    waiter->wait.kind = &end_kind;
    verd__waiters_append(&server->waiters, &waiter->wait);
    if (grace > 0 && grace != VERD_FOREVER)
        verd__timer_arm(&scheduler->timers, &waiter->timer, verd__time_after(verd_now(), grace));
    return verd__wait(scheduler, &waiter->wait);
}

static void grace_over(struct verd__timer *timer)
{
    const struct waiter *waiter = (struct waiter *)timer;
    kill_handlers(waiter->server, waiter->self);
}

_Static_assert(offsetof(struct waiter, timer) == 0, "grace_over relies on it");

static void stop_accepting(struct verd_server *server)
{
    if (server->stopped)
        return;
    server->stopped = true;
    if (server->acceptor != NULL)
        verd_kill(server->acceptor);
    verd__server_close(server->listener, server->generation);
}

int verd_serve_stop(verd_server *server, verd_duration grace)
{
    if (check(server) != 0)
        return -1;
    struct verd__handler *self = own_handler(server);
    stop_accepting(server);
    if (grace <= 0)
        kill_handlers(server, self);
    /* Nobody else may run before the wait, lest he frees the server. */
    if (!verd__may_wait(server->scheduler))
        return -1;
    if (has_ended(server) || (self != NULL && begin_stopping(server)))
        return 0;
    struct waiter waiter = {.timer.fire = grace_over, .server = server, .self = self};
    return wait_for_end(&waiter, grace);
}

int verd_serve_wait(verd_server *server)
{
    if (check(server) != 0 || !verd__may_wait(server->scheduler))
        return -1;
    if (own_handler(server) != NULL) {
        errno = EDEADLK;
        return -1;
    }
    struct waiter waiter = {.server = server, .error = server->error};
    if (!has_ended(server) && wait_for_end(&waiter, VERD_FOREVER) != 0)
        return -1;
    if (waiter.error == 0)
        return 0;
    errno = waiter.error;
    return -1;
}

size_t verd_serve_clients(const verd_server *server)
{
    return server != NULL ? server->clients : 0;
}

int verd_serve_free(verd_server *server)
{
    if (server == NULL)
        return 0;
    if (check(server) != 0)
        return -1;
    if (!has_ended(server)) {
        errno = EBUSY;
        return -1;
    }
    free(server);
    return 0;
}
