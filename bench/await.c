/* SPDX-License-Identifier: MIT */

/* A thread that waits for a descriptor, as every server has one. */
#include <verd/net.h>
#include <verd/thread.h>

#include <poll.h>
#include <stddef.h>

#include "bench.h"

static void await(void *fds)
{
    verd_wait_fd(((int *)fds)[0], POLLIN);
}

void bench_await_descriptor(void)
{
    static int fds[2]; /* of which nobody writes to the second */
    if (verd_pipe(fds) != 0 || verd_spawn_n(await, fds) != 0)
        bench_fail("a pipe");
    verd_yield();
}
