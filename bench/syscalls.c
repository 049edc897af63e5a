/* SPDX-License-Identifier: MIT */

/* How many system calls does a round trip take, among 50 connections? Two, a read and a write, and
 * a share of the wait that found the connection ready. The floor is the epoll loop's count.
 *
 * They are counted by tracing the servers, which needs nothing installed. How many connections a
 * wait finds ready would depend on how far the load gets meanwhile, and so on the machine; so a
 * server is held back before each wait until the load has sent what it can, as under a load that is
 * more than it can serve. What shows here are calls in vain. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "sides.h"

#define CONNECTIONS 50
#define ROUND_TRIPS 4000
#define PAIRS 5

/* So long, in nanoseconds. */
#define HOLD_BACK 1000000

/* Stops at the beginning and the end of each call, told from other stops by this bit. */
#define CALL_STOP (SIGTRAP | 0x80)

static void attach(pid_t server)
{
    int status;
    if (ptrace(PTRACE_SEIZE, server, NULL, PTRACE_O_TRACESYSGOOD) != 0 ||
        ptrace(PTRACE_INTERRUPT, server, NULL, NULL) != 0 || waitpid(server, &status, 0) < 0 ||
        ptrace(PTRACE_SYSCALL, server, NULL, NULL) != 0)
        bench_fail("ptrace");
}

static void detach(pid_t server)
{
    int status;
    if (ptrace(PTRACE_INTERRUPT, server, NULL, NULL) != 0 || waitpid(server, &status, 0) < 0 ||
        ptrace(PTRACE_DETACH, server, NULL, NULL) != 0)
        bench_fail("ptrace");
}

/* A child that waits for the load, as this process waits for the stops of the server. */
static pid_t start_round_trips(struct load *load, long count)
{
    pid_t child = fork();
    if (child < 0)
        bench_fail("fork");
    if (child == 0) {
        load_round_trips(load, count);
        _exit(0);
    }
    return child;
}

static bool is_wait(const struct __ptrace_syscall_info *call)
{
    if (call->op != PTRACE_SYSCALL_INFO_ENTRY)
        return false;
    switch (call->entry.nr) {
#ifdef SYS_epoll_wait /* which the older architectures have */
    case SYS_epoll_wait:
    case SYS_poll:
#endif
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
    case SYS_ppoll:
        return true;
    default:
        return false;
    }
}

static void resume(pid_t server)
{
    struct __ptrace_syscall_info call;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, server, sizeof call, &call) < 0)
        bench_fail("ptrace");
    if (is_wait(&call))
        nanosleep(&(struct timespec){.tv_nsec = HOLD_BACK}, NULL);
    if (ptrace(PTRACE_SYSCALL, server, NULL, NULL) != 0)
        bench_fail("ptrace");
}

static double calls_per_round_trip(struct side *side, long count)
{
    long stops = 0;
    int status;
    pid_t server = side->server.pid, stopped;

    attach(server);
    pid_t driver = start_round_trips(&side->load, count);
    while ((stopped = waitpid(-1, &status, 0)) != driver) {
        if (stopped != server || !WIFSTOPPED(status))
            bench_fail("the traced server");
        stops += WSTOPSIG(status) == CALL_STOP;
        resume(server);
    }
    detach(server);
    return (double)stops / 2 / (double)count;
}

/* Some systems let nobody trace, not even a child. */
static bool may_trace(const struct server *server)
{
    if (ptrace(PTRACE_SEIZE, server->pid, NULL, NULL) != 0) {
        bench_note("echo_syscalls: not measured, ptrace says %s", strerror(errno));
        return false;
    }
    detach(server->pid);
    return true;
}

void bench_syscalls(void)
{
    struct bench_samples samples = {
        .name = "echo_syscalls", .unit = "calls", .floor_name = "the epoll loop's"};
    struct sides sides;
    long count = bench_size(ROUND_TRIPS, ROUND_TRIPS / 20);

    bench_pin(0); /* the tracer runs while the server is stopped */
    sides_start(&sides, CONNECTIONS);
    for (long i = may_trace(&sides.verd.server) ? bench_size(PAIRS, 1) : 0; i > 0; i--) {
        double value = calls_per_round_trip(&sides.verd, count);
        bench_add(&samples, value, calls_per_round_trip(&sides.raw, count));
    }
    sides_stop(&sides);
    bench_report(&samples);
}
