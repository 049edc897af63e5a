/* SPDX-License-Identifier: MIT */
/* <verd/serve.h> */
#include "table.h"

#include <string.h>
#include <sys/un.h>

static int listener = -1;
static verd_server *server;
static verd_pool *pool;
static int waited = -1; /* what a handler got */

static void make_listener(void)
{
    listener = verd_listen_unix("@libverd-errno", 0);
    must(listener >= 0);
}

/* Without the hub. */
static void make_foreign_listener(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0libverd-errno"};
    listener = real_socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(real_bind(listener, &address, sizeof address) == 0 && real_listen(listener, 1) == 0);
}

static void make_pool(void)
{
    make_listener();
    pool = verd_pool_new(1);
    must(pool != NULL);
}

static void make_socket(void)
{
    listener = real_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void make_pipe(void)
{
    int fds[2];
    must(verd_pipe(fds) == 0);
    listener = fds[0];
}

static void wait_in_handler(int client, void *ctx)
{
    (void)client, (void)ctx;
    waited = verd_serve_wait(server) < 0 ? errno : 0;
    verd_park();
}

/* A server with a client whose handler does not end. */
static void make_server(void)
{
    make_listener();
    server = verd_serve(listener, wait_in_handler, NULL, NULL);
    must(server != NULL && verd_connect_unix("@libverd-errno") >= 0);
    while (verd_serve_clients(server) == 0 || waited < 0)
        verd_yield();
}

static void make_server_on_closed(void)
{
    make_listener();
    server = verd_serve(listener, wait_in_handler, NULL, NULL);
    must(server != NULL);
    verd_yield();
    must(verd_close(listener) == 0);
}

static void make_server_on_shut(void)
{
    make_listener();
    server = verd_serve(listener, wait_in_handler, NULL, NULL);
    must(server != NULL);
    verd_yield();
    must(verd_shutdown(listener, SHUT_RDWR) == 0);
}

static void accept_first(void *arg)
{
    verd_accept(listener, NULL, arg);
}

static void make_server_on_taken(void)
{
    make_listener();
    must(verd_spawn_n(accept_first, NULL) == 0);
    verd_yield();
    server = verd_serve(listener, wait_in_handler, NULL, NULL);
    must(server != NULL);
}

CALL_FOR_POINTER(serve, verd_serve(listener, wait_in_handler, NULL, NULL))
CALL_FOR_POINTER(serve_in_pool, verd_serve(listener, wait_in_handler, NULL, pool))
CALL_FOR_POINTER(serve_nothing, verd_serve(listener, NULL, NULL, NULL))
CALL(stop, verd_serve_stop(server, VERD_FOREVER))
CALL(stop_none, verd_serve_stop(NULL, 0))
CALL(wait_for_it, verd_serve_wait(server))
CALL(next_of_nobody, verd_serve_next(0))
CALL(free_it, verd_serve_free(server))

static int wait_within(void)
{
    return waited;
}

const struct row serve_rows[] = {
    PLAINLY("verd_serve", EBADF, NULL, serve),
    PLAINLY("verd_serve", ENOTSOCK, make_pipe, serve),
    PLAINLY("verd_serve", EINVAL, make_socket, serve),
    PLAINLY("verd_serve", EINVAL, make_listener, serve_nothing),
    ELSEWHERE("verd_serve", make_pool, serve_in_pool),
    WITHOUT("verd_serve", ENOMEM, make_listener, serve, "calloc"),
    WITHOUT("verd_serve", EMFILE, make_foreign_listener, serve, "epoll_create1"),
    WITHOUT("verd_serve", ENFILE, make_foreign_listener, serve, "epoll_create1"),
    BLOCKS("verd_serve_stop", make_server, stop),
    PLAINLY("verd_serve_stop", EINVAL, NULL, stop_none),
    ELSEWHERE("verd_serve_stop", make_server, stop),
    BLOCKS("verd_serve_wait", make_server, wait_for_it),
    PLAINLY("verd_serve_wait", EDEADLK, make_server, wait_within),
    PLAINLY("verd_serve_wait", EBADF, make_server_on_closed, wait_for_it),
    PLAINLY("verd_serve_wait", EINVAL, make_server_on_shut, wait_for_it),
    PLAINLY("verd_serve_wait", EBUSY, make_server_on_taken, wait_for_it),
    ELSEWHERE("verd_serve_wait", make_server, wait_for_it),
    PLAINLY("verd_serve_next", EINVAL, NULL, next_of_nobody),
    PLAINLY("verd_serve_free", EBUSY, make_server, free_it),
    ELSEWHERE("verd_serve_free", make_server, free_it),
    {0},
};
