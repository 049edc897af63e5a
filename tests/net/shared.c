/* SPDX-License-Identifier: MIT */

/* Listeners that others have made, that block, and at which others accept, too. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include <verd.h>

#include "process.h"

#define CLIENTS 300
#define CLIENTS_EMULATED 30

static int listener;
static struct sockaddr_in address = {.sin_family = AF_INET};
static _Atomic(int) ours, theirs, ticks;

static void share_listener(void)
{
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&address, sizeof address);
    listen(listener, 5);
    getsockname(listener, (struct sockaddr *)&address, &length);
}

/* As another process does that has the same listener. */
static void *accept_there(void *arg)
{
    for (;;) {
        close(accept(listener, NULL, NULL));
        atomic_fetch_add(&theirs, 1);
    }
    return arg;
}

/* One client after the other, each when the one before was accepted and green threads have run since. */
static void *call(void *arg)
{
    int clients = process_is_translated() ? CLIENTS_EMULATED : CLIENTS;
    for (int i = 0; i < clients; i++) {
        int client = socket(AF_INET, SOCK_STREAM, 0);
        connect(client, (struct sockaddr *)&address, sizeof address);
        while (atomic_load(&ours) + atomic_load(&theirs) <= i)
            usleep(100);
        int now = atomic_load(&ticks);
        while (atomic_load(&ticks) < now + 2)
            usleep(100);
        close(client);
    }
    *(_Atomic(bool) *)arg = true;
    return NULL;
}

static void *accept_here(void *arg)
{
    int client;
    while ((client = verd_accept(listener, NULL, NULL)) >= 0) {
        atomic_fetch_add(&ours, 1);
        verd_close(client);
    }
    return arg;
}

static verd_thread *share(pthread_t *thief)
{
    share_listener();
    verd_thread *acceptor = verd_spawn(accept_here, NULL);
    verd_yield();
    pthread_create(thief, NULL, accept_there, NULL);
    return acceptor;
}

Test(shared, who_was_slower_to_accept_holds_nobody, .timeout = 120)
{
    static _Atomic(bool) done;
    pthread_t thief, caller;
    share(&thief);
    pthread_create(&caller, NULL, call, &done);
    while (!atomic_load(&done)) {
        verd_sleep(VERD_MS / 10);
        atomic_fetch_add(&ticks, 1);
    }
    int clients = process_is_translated() ? CLIENTS_EMULATED : CLIENTS;
    cr_assert_eq(atomic_load(&ours) + atomic_load(&theirs), clients);
}

Test(shared, who_accepts_with_others_can_be_killed)
{
    pthread_t thief;
    verd_thread *acceptor = share(&thief);
    verd_sleep(VERD_MS);
    verd_kill(acceptor);
    cr_assert_eq(verd_join(acceptor, NULL), 0);
}
