/* SPDX-License-Identifier: MIT */
/* What OS threads block on until the test opens it, for good: a pipe whose writer is closed. */
#ifndef TESTS_SUPPORT_GATE_H
#define TESTS_SUPPORT_GATE_H

#include <stdatomic.h>

struct gate {
    int fds[2];
    _Atomic(int) begun, over; /* who has come to it, and has passed it */
    _Atomic(int) released, interrupted;
};

extern struct gate gate;

void gate_make(void);
void gate_open(void);

/* Waits at it, as an offloaded function; gives back its argument. */
void *gate_pass(void *arg);

/* Lets others run until there are so many. */
void gate_await(_Atomic(int) *count, int wanted);

#endif
