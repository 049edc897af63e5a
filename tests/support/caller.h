/* SPDX-License-Identifier: MIT */
/* A call that blocks, made on a green thread of its own, and what came of it. */
#ifndef TESTS_SUPPORT_CALLER_H
#define TESTS_SUPPORT_CALLER_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include <verd.h>

struct caller {
    int (*call)(struct caller *self);
    void *object; /* what it is about */
    void *item;   /* to put, or got */
    int outcome;  /* 0 or more, or -errno */
    bool done;
    int turn; /* the how-manieth to be done, from 1 */
    verd_thread *thread;
};

static inline int caller_outcome(int result)
{
    return result < 0 ? -errno : result;
}

/* Lets everyone who can run, run until they wait. */
void callers_settle(void);

/* Starts the call and lets it run until it is done or waits. */
void caller_start(struct caller *self, int (*call)(struct caller *), void *object, void *item);

/* Waits for its end. Returns the outcome. */
int caller_end(struct caller *self);

/* The same calls under a timeout of `after` nanoseconds. */
int caller_within(verd_duration after, int (*call)(struct caller *), void *object, void *item);

#endif
