/* SPDX-License-Identifier: MIT */
/* For programs that use an unmodified library in green threads. What goes wrong ends the program with a line that says
 * so; what holds the OS thread for ever ends it, too. */
#ifndef TESTS_PROGRAMS_WORLD_WORLD_H
#define TESTS_PROGRAMS_WORLD_WORLD_H

#include <verd.h>
#include <verd/patch.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(condition) check((condition), #condition, __LINE__, NULL)
/* Shows what the library says of it, which may be NULL. */
#define CHECK_SAYING(condition, words) check((condition), #condition, __LINE__, (words))

static inline void check(bool holds, const char *condition, int line, const char *words)
{
    int error = errno;
    if (holds)
        return;
    printf("line %d: %s is not so (%s)%s%s\n", line, condition, strerror(error),
           words != NULL ? ": " : "", words != NULL ? words : "");
    exit(1);
}

/* That the calls are ours, and that the program will end. */
static inline void world_begin(void)
{
    const char *missed[1];
    alarm(90);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (verd_patch_check(missed, 1) > 0) {
        printf("%s is libc's\n", missed[0]);
        exit(1);
    }
}

/* Runs a function in so many green threads at once, each with its number, and waits for all. */
static inline void world_run(int count, void (*fn)(void *number))
{
    verd_pool *pool = verd_pool_new((size_t)count);
    CHECK(pool != NULL);
    for (intptr_t i = 0; i < count; i++)
        CHECK(verd_pool_spawn_n(pool, fn, (void *)i) == 0);
    CHECK(verd_pool_wait_all(pool) == 0);
    verd_pool_free(pool);
}

#endif
