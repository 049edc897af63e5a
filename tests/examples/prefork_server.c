/* SPDX-License-Identifier: MIT */

/* A pre-fork server: several processes accept on one listener, and so use several processors.
 *
 *     prefork_server [PORT [WORKERS [CLIENTS]]]
 *
 * The parent listens, forks WORKERS processes (2 unless given), and serves nobody itself. Each
 * worker has green threads of its own for at most CLIENTS clients (10,000) and leaves others to the
 * workers that have room. In another terminal:
 *
 *     nc 127.0.0.1 6000          and type: which process answers, and the echo
 *     kill WORKER                another one takes its place, and its clients may finish
 *     kill PARENT                (or Ctrl-C) all end, when their clients have left or 5 s are over
 */
#include <verd.h>

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT 6000
#define WORKERS 2
#define CLIENTS 10000
#define GRACE (5 * VERD_SEC)   /* for clients, when a worker is to end */
#define BREATH (100 * VERD_MS) /* before a worker that died is replaced */

static sigset_t terminate;
static int listener, clients;
static bool stopping;

/* ---- a worker ---- */

static void handle(int client, void *ctx)
{
    char buffer[1024];
    ssize_t size = snprintf(buffer, sizeof buffer, "process %d\n", (int)getpid());

    (void)ctx;
    do {
        if (verd_write_full(client, buffer, (size_t)size, NULL) < 0)
            return;
    } while ((size = verd_read(client, buffer, sizeof buffer)) > 0);
}

static int work(void)
{
    verd_pool *pool = verd_pool_new((size_t)clients);
    verd_server *server = pool != NULL ? verd_serve(listener, handle, NULL, pool) : NULL;

    prctl(PR_SET_PDEATHSIG, SIGTERM); /* it does not outlive the parent */
    if (server == NULL || verd_signal_wait(&terminate, NULL) < 0) {
        perror("prefork_server: worker");
        return EXIT_FAILURE;
    }
    verd_serve_stop(server, GRACE);
    return EXIT_SUCCESS;
}

/* ---- the parent ---- */

/* A green thread for each worker: sees to it that there is one. */
static void *keep_worker(void *pid)
{
    while (!stopping) {
        pid_t worker = fork();
        if (worker == 0)
            exit(work());
        *(pid_t *)pid = worker;
        if (worker > 0 && verd_waitpid(worker, NULL, 0) == worker)
            printf("prefork_server: worker %d has ended\n", (int)worker);
        *(pid_t *)pid = 0;
        fflush(stdout);
        if (!stopping)
            verd_sleep(BREATH);
    }
    return NULL;
}

static int keep_workers(int count)
{
    verd_pile *keepers = verd_pile_sized((size_t)count);
    pid_t *workers = calloc((size_t)count, sizeof *workers);

    if (keepers == NULL || workers == NULL)
        return -1;
    for (int i = 0; i < count; i++)
        verd_pile_spawn(keepers, keep_worker, &workers[i]);
    verd_signal_wait(&terminate, NULL);
    stopping = true;
    verd_close(listener);
    for (int i = 0; i < count; i++)
        if (workers[i] > 0)
            kill(workers[i], SIGTERM);
    while (verd_pile_next(keepers, NULL) == 1)
        ;
    verd_pile_free(keepers);
    free(workers);
    return 0;
}

int main(int argc, char **argv)
{
    int workers = argc > 2 ? atoi(argv[2]) : WORKERS;
    clients = argc > 3 ? atoi(argv[3]) : CLIENTS;
    sigemptyset(&terminate);
    sigaddset(&terminate, SIGTERM);
    sigaddset(&terminate, SIGINT);
    sigprocmask(SIG_BLOCK, &terminate, NULL); /* none is lost before somebody waits for it */

    listener = verd_listen("0.0.0.0", argc > 1 ? atoi(argv[1]) : PORT, 0);
    if (listener < 0 || workers < 1 || clients < 1) {
        perror("prefork_server");
        return EXIT_FAILURE;
    }
    printf("prefork_server: process %d, %d workers on port %d\n", (int)getpid(), workers,
           verd_port(listener));
    fflush(stdout);
    if (keep_workers(workers) == 0)
        return EXIT_SUCCESS;
    perror("prefork_server");
    return EXIT_FAILURE;
}
