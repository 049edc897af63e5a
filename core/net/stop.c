/* SPDX-License-Identifier: MIT */
/* The end of a server, and who waits for it. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/server.h"
#include "sched/wait.h"

/* Who waits for the end, or in verd_serve_stop for the other handlers; the object of its wait. */
struct waiter {
    struct verd_server *server;
    struct verd__handler *self; /* the caller's, in verd_serve_stop; NULL: it is not one */
    int error;                  /* the server's, once it has ended */
};

static struct waiter *waiter_of(struct verd__link *link)
{
    return VERD__CONTAINER_OF(link, struct verd__entry, link)->wait->object;
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

static void leave(struct verd__wait *wait, int error)
{
    const struct waiter *waiter = wait->object;
    (void)error;
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
    struct verd__link *next;
    bool ended = has_ended(server);
    if (!ended && !others_have_ended(server))
        return;
    if (ended)
        verd__server_leave_pool(server);
    for (struct verd__link *link = server->waiters.first; link != NULL; link = next) {
        struct waiter *waiter = waiter_of(link);
        next = link->next;
        if (!ended && waiter->self == NULL)
            continue;
        waiter->error = server->error;
        verd__entry_end(VERD__CONTAINER_OF(link, struct verd__entry, link), 0);
    }
}

static void kill_handlers(struct verd_server *server, const struct verd__handler *except)
{
    struct verd__link *next;
    for (struct verd__link *link = server->handlers.first; link != NULL; link = next) {
        next = link->next; /* one that has not begun is gone at once */
        if (verd__handler_of(link) != except)
            verd__thread_kill(verd__current, verd__handler_of(link)->thread);
    }
}

static int check(const struct verd_server *server)
{
    const struct verd__scheduler *scheduler = verd__current;
    if (server != NULL && scheduler != NULL && server->home == scheduler->number)
        return 0;
    errno = server == NULL ? EINVAL : EPERM;
    return -1;
}

/* The running thread's, if it is a handler of the server. */
static struct verd__handler *own_handler(struct verd_server *server)
{
    struct verd__link *link = server->handlers.first;
    while (link != NULL && verd__handler_of(link)->thread != verd__current->running)
        link = link->next;
    return link != NULL ? verd__handler_of(link) : NULL;
}

static const struct verd__wait_kind end_kind = {
    .name = "the end of a server", .has_more = true, .ended = leave};

/* ---- accepting no more ---- */

static void stop_accepting(struct verd_server *server)
{
    if (server->stopped)
        return;
    server->stopped = true;
    if (server->acceptor != NULL)
        verd__thread_kill(verd__current, server->acceptor);
    verd__server_close(server->listener, server->generation);
}

/* How many may wait to be accepted by now: of TCP the system knows; else there are no more than it lets
 * wait, and it is said when there is none left. */
static size_t count_waiting(int listener)
{
    struct tcp_info info;
    socklen_t length = sizeof info;
    if (getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 ||
        length < offsetof(struct tcp_info, tcpi_unacked) + sizeof info.tcpi_unacked)
        return SOMAXCONN;
    return info.tcpi_unacked; /* of a listener */
}

/* Has the acceptor take those who wait, and end. It looks for itself: what the hub knows may be old. */
static void finish_accepting(struct verd_server *server)
{
    if (server->stopped || server->finishing || server->acceptor == NULL)
        return;
    server->finishing = true;
    server->last = count_waiting(server->listener);
    if (server->suspended)
        verd__wait_abort(server->acceptor, EAGAIN, 0);
}

/* ---- waiting for the end ---- */

/* A handler begins to wait for the others, of whom those that wait for it need not any longer; and whoever
 * is to be accepted cannot have its slot. Returns whether there is nobody to wait for. */
static bool begin_stopping(struct verd_server *server)
{
    server->stopping++;
    if (verd__server_is_stuck(server))
        stop_accepting(server);
    if (!others_have_ended(server))
        return false;
    verd__server_settle(server);
    server->stopping--;
    return true;
}

static void grace_over(struct verd__timer *timer)
{
    const struct waiter *waiter = verd__wait_of_timer(timer)->object;
    stop_accepting(waiter->server);
    kill_handlers(waiter->server, waiter->self);
}

/* Waits for the end; a handler, for that of the others. */
static int wait_for_end(struct waiter *waiter, verd_duration grace)
{
    struct verd__scheduler *scheduler = verd__current;
    struct verd__wait *wait = verd__own_wait(scheduler);
    wait->object = waiter;
    verd__entry_join(&wait->entry, &waiter->server->waiters);
    if (grace > 0 && grace != VERD_FOREVER)
        verd__wait_limit(scheduler, wait, verd__time_after(verd_now(), grace), grace_over);
    return verd__wait(scheduler, wait, &end_kind);
}

static int stop(struct verd_server *server, verd_duration grace, bool loses_nobody)
{
    if (check(server) != 0)
        return verd__refuse(0);
    struct verd__handler *self = own_handler(server);
    if (loses_nobody && grace > 0)
        finish_accepting(server);
    else
        stop_accepting(server);
    verd__server_tell(server);
    if (grace <= 0)
        kill_handlers(server, self);
    /* Nobody else may run before the wait, lest he frees the server. */
    if (!verd__may_wait(verd__current))
        return verd__refuse(0);
    if (has_ended(server) || (self != NULL && begin_stopping(server)))
        return verd__done(verd__current, 0);
    struct waiter waiter = {.server = server, .self = self};
    return wait_for_end(&waiter, grace);
}

int verd__server_finish(struct verd_server *server, verd_duration grace)
{
    return stop(server, grace, true);
}

int verd_serve_stop(verd_server *server, verd_duration grace)
{
    return stop(server, grace, false);
}

int verd_serve_wait(verd_server *server)
{
    if (check(server) != 0 || !verd__may_wait(verd__current))
        return verd__refuse(0);
    if (own_handler(server) != NULL)
        return verd__refuse(EDEADLK);
    struct waiter waiter = {.server = server, .error = server->error};
    if (!has_ended(server) && wait_for_end(&waiter, VERD_FOREVER) != 0)
        return -1;
    return waiter.error == 0 ? verd__done(verd__current, 0) : verd__refuse(waiter.error);
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
