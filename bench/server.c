/* SPDX-License-Identifier: MIT */

#include "server.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

/* Descriptors of a process that are not connections: standard streams, the csv file, pipes, the
 * listener, epoll, and some to spare. */
#define OTHER_DESCRIPTORS 32

void server_start(struct server *server, void (*serve)(int ready))
{
    int ready[2];
    if (pipe(ready) != 0)
        bench_fail("pipe");
    server->pid = fork();
    if (server->pid < 0)
        bench_fail("fork");
    if (server->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* no server outlives its question */
        close(ready[0]);
        bench_pin(0);
        serve(ready[1]);
        _exit(1);
    }
    close(ready[1]);
    if (read(ready[0], &server->port, sizeof server->port) != sizeof server->port)
        bench_fail("a server that does not start");
    close(ready[0]);
}

void server_stop(struct server *server)
{
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
}

double server_time(const struct server *server)
{
    clockid_t clock;
    struct timespec used;
    errno = clock_getcpuclockid(server->pid, &clock);
    if (errno != 0 || clock_gettime(clock, &used) != 0)
        bench_fail("the processor clock of a server");
    return (double)used.tv_sec * 1e9 + (double)used.tv_nsec;
}

int server_connections(int wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        bench_fail("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        bench_fail("setrlimit");
    if (limit.rlim_max >= (rlim_t)wanted + OTHER_DESCRIPTORS)
        return wanted;
    int possible = (int)limit.rlim_max - OTHER_DESCRIPTORS;
    bench_note("%d connections instead of %d: the hard limit of descriptors is %lu", possible,
               wanted, (unsigned long)limit.rlim_max);
    return possible;
}
