/* SPDX-License-Identifier: MIT */
#include "gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <verd.h>

struct gate gate;

void gate_make(void)
{
    if (pipe(gate.fds) == 0)
        return;
    perror("pipe");
    abort();
}

void gate_open(void)
{
    close(gate.fds[1]);
}

void *gate_pass(void *arg)
{
    char byte;
    atomic_fetch_add(&gate.begun, 1);
    (void)!read(gate.fds[0], &byte, 1);
    atomic_fetch_add(&gate.over, 1);
    return arg;
}

void gate_await(_Atomic(int) *count, int wanted)
{
    while (atomic_load(count) < wanted)
        verd_sleep(VERD_MS);
}
