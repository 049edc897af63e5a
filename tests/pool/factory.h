/* SPDX-License-Identifier: MIT */
/* A maker of numbered resources that keeps count, and those who want some. */
#ifndef TEST_POOL_FACTORY_H
#define TEST_POOL_FACTORY_H

#include <stdbool.h>
#include <stddef.h>

#include <verd/resource.h>

/* Makes 1, 2, 3, ... */
struct factory {
    size_t made, exist, most, destroyed;
    size_t last_destroyed;
    size_t cut_short; /* destructions that could not wait */
    size_t failures;  /* so many creates fail, from now on */
    size_t bad;       /* this one does not validate; 0: all do */
    size_t validated;
    bool blocks; /* each callback waits its turn */
};

/* The pool's callbacks; their ctx, here arg, is a factory. */
int make_number(void *arg, void **item);
void unmake_number(void *arg, void *item);
bool validate_number(void *arg, void *item);

/* Options with these but for the validation. */
verd_resource_options options_of(struct factory *factory, size_t max);
verd_resource_pool *pool_of(struct factory *factory, size_t max);

/* The calls, with numbers: 0 is none. */
size_t get(verd_resource_pool *pool);
int put(verd_resource_pool *pool, size_t n);
int discard(verd_resource_pool *pool, size_t n);

/* The end of a test: whatever is lent comes back, and nothing is left once the pool is freed. */
void finish_with(verd_resource_pool *pool, struct factory *factory);

/* Someone who wants a resource: what came of it. */
struct getter {
    verd_resource_pool *pool;
    verd_thread *thread;
    size_t got; /* 0: nothing yet, or an error */
    int error;
};

/* Thread's function: gets one, for the getter that is its argument. */
void *get_one(void *arg);

/* Runs it, until it has one or waits. */
void start_getter(struct getter *getter, verd_resource_pool *pool);

#endif
