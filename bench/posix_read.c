/* SPDX-License-Identifier: MIT */

/* What does read of <verd/posix.h> cost of a socket that is ready, and what that of a program with libverd-patch.a?
 *
 * Beside them stands verd_read of the same. */
#define VERD_POSIX_DECLARE_ONLY
#include <verd/posix.h>

#include <verd/net.h>

#include <libgen.h>
#include <limits.h>
#include <stdio.h>

#include "bench.h"

/* Bytes that the socket has to be read one by one. */
#define FILL 20000

static double read_all(ssize_t (*read_one)(int fd, void *buffer, size_t size), long count)
{
    static const char data[FILL];
    char byte;
    int fds[2];
    double spent = 0;
    long done = 0;
    if (verd_posix_socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        bench_fail("socketpair");
    for (; done < count; done += FILL) {
        if (send(fds[1], data, sizeof data, 0) != FILL)
            bench_fail("send");
        double start = bench_time();
        for (int i = 0; i < FILL; i++)
            if (read_one(fds[0], &byte, 1) != 1)
                bench_fail("read");
        spent += bench_time() - start;
    }
    verd_close(fds[0]);
    verd_close(fds[1]);
    return spent / (double)done;
}

static double posix(void *state, long count)
{
    (void)state;
    return read_all(verd_posix_read, count);
}

static double plain(void *state, long count)
{
    (void)state;
    return read_all(verd_read, count);
}

/* The program beside this one, which runs on the processor of this one. */
static double patched(void *state, long count)
{
    char path[PATH_MAX] = "", command[PATH_MAX + 64];
    double ns;
    (void)state;
    if (readlink("/proc/self/exe", path, sizeof path - 1) < 0)
        bench_fail("/proc/self/exe");
    snprintf(command, sizeof command, "'%s/bench-patched' %ld", dirname(path), count);
    FILE *program = popen(command, "r"); /* NOLINT(cert-env33-c) */
    if (program == NULL || fscanf(program, "%lf", &ns) != 1 || pclose(program) != 0)
        bench_fail("bench-patched");
    return ns;
}

void bench_posix_read(void)
{
    bench_pin(0);
    if (verd_self() == NULL)
        bench_fail("verd_self");
    bench_measure(&(struct bench_pair){.name = "patched_read",
                                       .unit = "ns",
                                       .floor_name = "verd_read",
                                       .value = patched,
                                       .floor = plain,
                                       .count = 2L * FILL});
    bench_measure(&(struct bench_pair){.name = "posix_read",
                                       .unit = "ns",
                                       .floor_name = "verd_read",
                                       .value = posix,
                                       .floor = plain,
                                       .count = 2L * FILL});
}
