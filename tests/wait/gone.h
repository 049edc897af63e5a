/* SPDX-License-Identifier: MIT */
/* What OS threads that have ended leave behind: how, and what whoever comes later finds. */
#ifndef TESTS_WAIT_GONE_H
#define TESTS_WAIT_GONE_H

#include <stddef.h>

struct leaving {
    const char *name;
    void (*leave)(void);
    int (*use)(void);
    int outcome;
};

/* Of a handle: EPERM, or, where the OS thread has its block now, EINVAL, as of one that was released. */
#define STALE 1

/* The rows of what lies in memory of the user's (gone_sync.c). */
extern const struct leaving left_to_sync[];
extern const size_t left_to_sync_count;

#endif
