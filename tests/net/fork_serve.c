/* SPDX-License-Identifier: MIT */

/* A fork while a server accepts: in the child it has ended, and has none of the pool's slots, wherever its
 * acceptor was. */
#include <criterion/criterion.h>
#include <unistd.h>

#include "call.h"
#include "caller.h"
#include "process.h"
#include "shortage.h"

/* More than an acceptor accepts in a row. */
#define CLIENTS 200
#define FORKS 12

static verd_pool *pool;
static verd_server *server;

static void handle(int client, void *ctx)
{
    char byte;
    (void)ctx;
    verd_read(client, &byte, 1);
}

static void fill_backlog(int port)
{
    for (int i = 0; i < CLIENTS; i++)
        cr_assert_geq(verd_connect("127.0.0.1", port), 0);
}

static bool pool_is_idle(void)
{
    return verd_pool_running(pool) == 0 && verd_pool_waiting(pool) == 0 &&
           verd_serve_wait(server) == -1 && errno == ECANCELED && verd_serve_free(server) == 0 &&
           verd_pool_free(pool) == 0;
}

static void serve_in(size_t size)
{
    int port = 0, listener = make_listener(&port);
    pool = verd_pool_new(size);
    need_descriptors(2 * CLIENTS);
    fill_backlog(port);
    server = verd_serve(listener, handle, NULL, pool);
}

Test(fork, an_acceptor_in_the_middle_of_its_work_has_no_slot_in_the_child)
{
    serve_in(2 * CLIENTS);
    for (int i = 0; i < FORKS; i++) {
        cr_expect(process_child_finds(pool_is_idle), "after %d turns", i);
        verd_yield();
    }
    cr_assert_eq(verd_serve_clients(server), CLIENTS);
}

Test(fork, an_acceptor_that_waits_for_a_slot_has_none_in_the_child)
{
    serve_in(3);
    for (int i = 0; i < FORKS; i++) {
        cr_expect(process_child_finds(pool_is_idle), "after %d turns", i);
        verd_yield();
    }
    cr_assert_eq(verd_serve_clients(server), 3);
}

/* Descriptors run out: it has accepted nobody, and waits until there are some. */
static int take_descriptors(void)
{
    int fd, last = -1;
    while ((fd = dup(STDERR_FILENO)) >= 0)
        last = fd;
    return last;
}

Test(fork, an_acceptor_that_lacks_a_descriptor_has_no_slot_in_the_child)
{
    int last;
    serve_in(2 * CLIENTS);
    last = take_descriptors();
    for (int i = 0; i < FORKS; i++) {
        cr_expect(process_child_finds(pool_is_idle), "after %d turns", i);
        verd_yield();
    }
    close(last);
}
