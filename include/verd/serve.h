/* SPDX-License-Identifier: MIT */
/*
 * Servers: a green thread that accepts, and one for each client, until they are stopped.
 *
 *     static void echo(int client, void *ctx) { ... }          // its return closes the client
 *
 *     verd_server *server = verd_serve(verd_listen(NULL, 6000, 0), echo, NULL, NULL);
 *     if (server == NULL)
 *         perror("port 6000");                                 // why it cannot start
 *     verd_signal_wait(&terminate, NULL);
 *     verd_serve_stop(server, 10 * VERD_SEC);                  // all clients have gone
 *     verd_serve_free(server);
 *
 * A server belongs to the OS thread that made it: EPERM from another. In the child of a fork it has
 * ended; the child may serve the same listener anew.
 */
#ifndef VERD_SERVE_H
#define VERD_SERVE_H

#include <stddef.h>

#include <verd/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct verd_server verd_server;

/*
 * Serves a listener: from now on a thread of its own accepts clients, and calls handler(client, ctx)
 * for each, on a thread of the pool, which other servers and other work may share. NULL: a pool of
 * the server's own, of VERD_POOL_SIZE, whose threads are called "client#17" (verd_pool_new_with has other sizes, of
 * stacks, too, and other names). While the pool is full nobody is accepted: clients wait in
 * the listener's backlog. So they do while there are no descriptors or no memory to be had.
 *
 * The client is closed when the handler returns. A handler that wants to close it before must use
 * verd_close; one that hands it on, dup(2). Whatever becomes of a handler, the server goes on. The
 * client's address is getpeername(2)'s.
 *
 * The listener is the server's until verd_serve_stop, which closes it. If it fails earlier (someone
 * has closed it or shut it down, or accepts there too), the server ends and verd_serve_wait tells.
 *
 * Never blocks. Returns the server, to be freed by verd_serve_free, or NULL with errno
 *   any               listener is below 0: what made it has failed, and its errno is left as it is (0: EBADF)
 *   EBADF, ENOTSOCK   listener is not an open descriptor; is not a socket
 *   EINVAL            it does not listen; handler is NULL
 *   EPERM             the pool belongs to another OS thread
 *   ENOMEM            no memory; EMFILE, ENFILE  first use of a descriptor on this OS thread, and
 *                     none to be had for the hub
 */
verd_server *verd_serve(int listener, void (*handler)(int client, void *ctx), void *ctx,
                        verd_pool *pool);

/*
 * Ends a server: closes the listener, tells handlers in verd_serve_next, lets those that run finish for `grace` nanoseconds,
 * then kills them, and waits until all of them have ended: so one that is shielded or does not heed
 * its errors has all the time that it takes. A grace of zero and less kills at once, VERD_FOREVER
 * never. Clients that nobody has accepted yet are reset, unless another process listens too.
 *
 * May be called again, also of a server that has ended, and by several threads: then the first grace
 * to end counts. A handler of the server itself may call it: it waits for the others alone, and is
 * not killed by its own grace; the server ends when it has returned.
 *
 * Blocks. Returns 0, or -1 with errno
 *   ECANCELED  the caller was killed        ETIMEDOUT  an enclosing timeout ran out: the listener is
 *              closed, and handlers that are left run on, until this is called again
 *   EINVAL     server is NULL               EPERM      it belongs to another OS thread
 */
int verd_serve_stop(verd_server *server, verd_duration grace);

/*
 * Waits until the server has ended: it accepts no more, and all handlers have returned. Blocks.
 * Returns 0 if it was stopped, or -1 with errno
 *   EBADF, EINVAL, EBUSY, ...  why it could not accept any more: the listener was closed; shut down;
 *              someone else accepts there
 *   ECANCELED  the caller was killed; or this is the child of a fork
 *   ETIMEDOUT  an enclosing timeout ran out
 *   EDEADLK    the caller is a handler of the server
 *   EINVAL     server is NULL               EPERM      it belongs to another OS thread
 */
int verd_serve_wait(verd_server *server);

/*
 * For a handler between two requests of its client, where it would be no loss if the connection ended: waits until
 * the client has sent something or has left, or verd_serve_stop is called. So clients that are idle do not use up
 * its grace. What has come is told first, and is to be answered, as the last if the next call returns 0.
 *
 *     while (verd_serve_next(client) == 1 && answer(client) == 0) {}
 *
 * What has been read already, as into a verd_reader's buffer, it does not see: ask verd_reader_pending first.
 *
 * client: the one that the handler was called with. To be called on the handler's own thread. Blocks. Returns 1:
 * a read does not wait; 0: the server is being stopped; or -1 with errno EINVAL (the caller is no handler of a
 * server, or not of this client), or what a verd_read that waits may end with (<verd/net.h>).
 */
int verd_serve_next(int client);

/* The clients whose handlers have not ended. 0 for NULL. Never blocks. */
size_t verd_serve_clients(const verd_server *server);

/* Frees the server. Returns 0 (also for NULL), or -1 with errno EBUSY (it has not ended) or EPERM.
 * Never blocks. */
int verd_serve_free(verd_server *server);

#ifdef __cplusplus
}
#endif
#endif
