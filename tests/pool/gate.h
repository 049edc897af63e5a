/* SPDX-License-Identifier: MIT */
/*
 * A gate, at which functions that run in a pool stay until it is opened, and counts of who is there.
 *
 * As everywhere in the tests, green threads write down what they see and the main thread asserts.
 */
#ifndef TEST_POOL_GATE_H
#define TEST_POOL_GATE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <verd/pool.h>

struct gate {
    bool open;
    size_t inside; /* now */
    size_t most;   /* at a time */
    size_t left;
};

/* Threads' functions, whose argument is a gate: stay at it until it is open; or for ever, that is, until killed. */
void *stay(void *arg);
void stay_n(void *arg);
void *stay_forever(void *arg);

/* The same: opens it once all others wait. */
void open_later(void *arg);

/* Thread's functions: return their argument at once, or once others had a turn. */
void *echo(void *value);
void *echo_later(void *value);

/* The same, returns its argument: notes that it was called, and whether it was killed by then. */
void *note_killed(void *arg);
extern size_t called, killed;

/* Lets all others run until they wait; those that stay at a gate go round. */
void let_others_run(void);

/* The end of a test: lets everyone go who stays at the gate (NULL: nobody does), waits for them, and
 * asserts that the pool can be freed. */
void finish(verd_pool *pool, struct gate *gate);

/* Runs fn(arg) on another OS thread, to its end. */
void on_another_os_thread(void *(*fn)(void *), void *arg);

/* Whether a call has failed, and with that errno. */
static inline bool fails(bool failed, int error)
{
    bool expected = failed && errno == error;
    errno = 0;
    return expected;
}

static inline void *number(size_t n)
{
    return (void *)(uintptr_t)n;
}

#endif
