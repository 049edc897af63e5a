/* SPDX-License-Identifier: MIT */
/* The acceptor and the handlers. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <verd/net.h>

#include "hub/hub.h"
#include "net/accept.h"
#include "io/descriptor.h"
#include "net/server.h"

/* ---- handlers ---- */

uint32_t verd__server_generation(int fd)
{
    return verd__loop_fd(verd__loop(verd__current), fd)->generation;
}

void verd__server_close(int fd, uint32_t generation)
{
    if (verd__server_generation(fd) == generation)
        verd__descriptor_drop(fd);
}

static void handler_ended(struct verd__watch *watch, struct verd__thread *thread, int error)
{
    struct verd__handler *handler = VERD__CONTAINER_OF(watch, struct verd__handler, watch);
    struct verd_server *server = handler->server;
    (void)thread, (void)error;
    verd__server_close(handler->client, handler->generation);
    verd__list_remove(&server->handlers, &handler->link);
    server->clients--;
    free(handler);
    verd__server_settle(server);
}

struct verd__handler *verd__server_running_handler(const struct verd__scheduler *scheduler)
{
    struct verd__watch *first = scheduler->running->watches;
    struct verd__watch *watch = first;
    while (watch != NULL && watch->ended != handler_ended)
        watch = watch->next != first ? watch->next : NULL;
    return watch != NULL ? VERD__CONTAINER_OF(watch, struct verd__handler, watch) : NULL;
}

static void handle(void *arg)
{
    const struct verd__handler *handler = arg;
    const struct verd_server *server = handler->server;
    if (server->service != NULL)
        server->service->serve(handler, server->ctx);
    else
        server->handle(handler->client, server->ctx);
}

/* Who was accepted. */
struct visitor {
    int fd;
    socklen_t length;
    struct sockaddr_storage address;
};

/* A client of IPv4 has an address of that, whatever the listener was made for. */
static void note_peer(struct verd__handler *handler, const struct visitor *visitor)
{
    const struct sockaddr_in6 *address = (const void *)&visitor->address;
    size_t size = visitor->length;
    if (visitor->address.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&address->sin6_addr)) {
        handler->peer.ipv4 =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_port = address->sin6_port};
        memcpy(&handler->peer.ipv4.sin_addr, &address->sin6_addr.s6_addr[12],
               sizeof handler->peer.ipv4.sin_addr);
        return;
    }
    handler->peer.any.sa_family = AF_UNSPEC;
    if (size <= sizeof handler->peer && size >= sizeof handler->peer.any.sa_family &&
        visitor->address.ss_family != AF_UNIX)
        memcpy(&handler->peer, &visitor->address, size);
}

/* Starts the handler of a client in a slot that was taken. -1 with errno ENOMEM: the slot was given
 * back, the client is still the caller's. */
static int start_handler(struct verd_server *server, const struct visitor *visitor,
                         struct verd__slot *slot)
{
    struct verd__scheduler *scheduler = verd__current;
    struct verd__handler *handler = malloc(sizeof *handler);
    if (handler == NULL) {
        verd__obligation_settle(scheduler, &slot->obligation);
        errno = ENOMEM;
        return -1;
    }
    *handler = (struct verd__handler){
        .watch.ended = handler_ended,
        .server = server,
        .client = visitor->fd,
        .generation = verd__server_generation(visitor->fd),
    };
    note_peer(handler, visitor);
    handler->thread = verd__pool_start(scheduler, slot, (union verd__start){.run = handle}, handler,
                                       0, verd__own_site(scheduler));
    if (handler->thread == NULL) {
        free(handler);
        errno = ENOMEM;
        return -1;
    }
    verd__watch_add(handler->thread, &handler->watch);
    verd__list_append(&server->handlers, &handler->link);
    server->clients++;
    return 0;
}

/* ---- accepting ---- */

static int take_slot(const struct verd_server *server, struct verd__slot *slot)
{
    return verd__pool_take(verd__current, server->pool, slot) == 1 ? 0 : -1;
}

static void tell_full(const struct verd_server *server)
{
    if (server->service != NULL)
        server->service->full(server->ctx);
}

/* A slot for the next client; if there is none, one that was made free once the client has come. */
static int take_next_slot(const struct verd_server *server, struct verd__slot *slot)
{
    if (server->service != NULL && verd_pool_available(server->pool) <= 0) {
        if (verd_wait_fd(server->listener, POLLIN) > 0)
            tell_full(server);
        else if (!verd__may_wait(verd__current) || server->finishing)
            return -1;
    }
    return take_slot(server, slot);
}

static int wait_for_input(int listener)
{
    struct verd__loop *loop = verd__loop(verd__current);
    struct verd__fd *record = verd__loop_fd(loop, listener);
    return record != NULL ? verd__loop_wait(loop, listener, record, VERD__INPUT, true) : -1;
}

/* Waits for a connection, after EAGAIN; or passes over an error that is not the listener's. */
static int wait_for_client(struct verd_server *server, struct verd__accept_trouble *trouble)
{
    if (errno == EAGAIN) {
        server->suspended = true;
        int result = wait_for_input(server->listener);
        server->suspended = false;
        if (result == 0 || server->finishing || errno == EAGAIN) /* its SO_RCVTIMEO */
            return 0;
    }
    return verd__accept_recover(server->listener, trouble); /* a lack of memory passes */
}

static int accept_visitor(const struct verd_server *server, struct visitor *visitor)
{
    visitor->length = sizeof visitor->address;
    visitor->fd = verd__accept(server->listener, (struct sockaddr *)&visitor->address,
                               &visitor->length, MSG_DONTWAIT);
    return visitor->fd >= 0 ? 0 : -1;
}

/* Starts the handler of a client, in a slot that was taken, as soon as there is memory. */
static int serve_client(struct verd_server *server, const struct visitor *visitor,
                        struct verd__slot *slot)
{
    struct verd__backoff backoff = {0};
    struct verd__held held;
    while (start_handler(server, visitor, slot) != 0) {
        verd__descriptor_hold(&held, visitor->fd);
        bool again =
            verd__backoff_wait(&backoff, verd__current) == 0 && take_slot(server, slot) == 0;
        verd__descriptor_let_go(&held);
        if (again)
            continue;
        verd__descriptor_drop(visitor->fd);
        return -1;
    }
    return verd__done(verd__current, 0);
}

/* Accepts one client and starts its handler. -1 and errno: there is no more accepting; with 0, none was
 * accepted. */
static int serve_next(struct verd_server *server, struct verd__accept_trouble *trouble)
{
    struct visitor visitor;
    struct verd__slot slot;
    server->suspended = true;
    int taken = take_next_slot(server, &slot);
    server->suspended = false;
    if (taken != 0)
        return server->finishing ? 0 : -1;
    if (accept_visitor(server, &visitor) == 0) {
        *trouble = (struct verd__accept_trouble){0};
        return serve_client(server, &visitor, &slot);
    }
    int error = errno;
    verd__obligation_settle(verd__current, &slot.obligation);
    if (verd__accept_is_short(error))
        tell_full(server);
    errno = error;
    return wait_for_client(server, trouble);
}

bool verd__server_is_stuck(const struct verd_server *server)
{
    return server->stopping > 0 && server->clients == server->stopping &&
           verd_pool_available(server->pool) <= 0;
}

/* The same for one of those who wait by now: -1 also if there is none. */
static int serve_last(struct verd_server *server, struct verd__accept_trouble *trouble)
{
    struct visitor visitor;
    struct verd__slot slot;
    struct verd__held held;
    if (server->last == 0)
        return -1;
    if (accept_visitor(server, &visitor) != 0) {
        if (verd__accept_is_short(errno))
            tell_full(server);
        return errno == EAGAIN ? -1 : verd__accept_recover(server->listener, trouble);
    }
    server->last--;
    if (verd_pool_available(server->pool) <= 0)
        tell_full(server);
    verd__descriptor_hold(&held, visitor.fd);
    bool taken = !verd__server_is_stuck(server) && take_slot(server, &slot) == 0;
    verd__descriptor_let_go(&held);
    if (taken)
        return serve_client(server, &visitor, &slot);
    verd__descriptor_drop(visitor.fd);
    return -1;
}

static void *accept_clients(void *arg)
{
    struct verd_server *server = arg;
    struct verd__accept_trouble trouble = {0};
    int result = 0;
    while (result == 0 && verd__may_wait(verd__current))
        result = server->finishing ? serve_last(server, &trouble) : serve_next(server, &trouble);
    server->error = errno;
    return NULL;
}

static void acceptor_ended(struct verd__watch *watch, struct verd__thread *thread, int error)
{
    struct verd_server *server = VERD__CONTAINER_OF(watch, struct verd_server, watch);
    (void)thread;
    server->acceptor = NULL;
    if (server->finishing && !server->stopped && error == 0) {
        server->stopped = true;
        verd__server_close(server->listener, server->generation);
    }
    if (server->stopped)
        server->error = 0;
    else if (error != 0) /* in the child of a fork */
        server->error = error;
    else if (server->service != NULL)
        server->service->deaf(server->ctx);
    verd__server_settle(server);
}

static int start_acceptor(struct verd_server *server, const void *site)
{
    server->acceptor = verd__spawn_named("server", accept_clients, server, site);
    if (server->acceptor == NULL)
        return -1;
    verd__watch_add(server->acceptor, &server->watch);
    return 0;
}

/* ---- serving ---- */

static int check_listener(int listener)
{
    int listens = 0;
    socklen_t length = sizeof listens;
    if (getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) != 0)
        return -1;
    errno = EINVAL;
    return listens ? 0 : -1;
}

/* A server that is not running yet. */
static struct verd_server *server_new(const struct verd__scheduler *scheduler, verd_pool *pool)
{
    static const verd_attr attr = {.name = "client"};
    struct verd_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return NULL;
    server->watch.ended = acceptor_ended;
    server->home = scheduler->number;
    server->owns_pool = pool == NULL;
    server->pool = pool != NULL ? pool : verd_pool_new_with(VERD_POOL_SIZE, &attr);
    if (server->pool != NULL) {
        server->pool->users++;
        return server;
    }
    free(server);
    return NULL;
}

/* Serves by `service`, or where that is NULL, `handler`. */
static struct verd_server *start(int listener, const struct verd__service *service,
                                 void (*handler)(int client, void *ctx), void *ctx, verd_pool *pool,
                                 const void *site)
{
    if (listener < 0) { /* what should have made it has failed, and errno says why */
        errno = errno != 0 ? errno : EBADF;
        return NULL;
    }
    struct verd__scheduler *scheduler = verd__scheduler();
    struct verd__loop *loop = scheduler != NULL ? verd__loop(scheduler) : NULL;
    if (loop == NULL || check_listener(listener) != 0)
        return NULL;
    bool has_handler = service != NULL || handler != NULL;
    if (!has_handler || (pool != NULL && verd__pool_check(pool) != 0)) {
        errno = has_handler ? EPERM : EINVAL;
        return NULL;
    }
    const struct verd__fd *record = verd__loop_fd(loop, listener);
    struct verd_server *server = record != NULL ? server_new(scheduler, pool) : NULL;
    if (server == NULL)
        return NULL;
    server->listener = listener;
    server->generation = record->generation;
    server->service = service;
    server->handle = handler;
    server->ctx = ctx;
    if (start_acceptor(server, site) == 0)
        return server;
    verd__server_leave_pool(server);
    free(server);
    return NULL;
}

struct verd_server *verd__serve(int listener, const struct verd__service *service, void *ctx,
                                verd_pool *pool, const void *site)
{
    return start(listener, service, NULL, ctx, pool, site);
}

__attribute__((noinline)) verd_server *
verd_serve(int listener, void (*handler)(int client, void *ctx), void *ctx, verd_pool *pool)
{
    return start(listener, NULL, handler, ctx, pool, __builtin_return_address(0));
}
