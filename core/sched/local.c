/* SPDX-License-Identifier: MIT */
#include "sched/local.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#define ROUNDS 4 /* of destructors, while they set values anew; as PTHREAD_DESTRUCTOR_ITERATIONS */

/* Keys are the process's and are never taken back. A key below key_count may be used: its destructor
 * is written before the key is known to anyone but its maker. */
static _Atomic unsigned key_count;
static void (*_Atomic destructors[VERD_KEYS_MAX])(void *);

int verd_key_create(verd_key *key, void (*destructor)(void *))
{
    if (key == NULL) {
        errno = EINVAL;
        return -1;
    }
    unsigned count = atomic_load(&key_count);
    do {
        if (count == VERD_KEYS_MAX) {
            errno = EAGAIN;
            return -1;
        }
    } while (!atomic_compare_exchange_weak(&key_count, &count, count + 1));
    atomic_store(&destructors[count], destructor);
    *key = count;
    return 0;
}

void *verd_get(verd_key key)
{
    const struct verd__scheduler *scheduler = verd__current;
    if (scheduler == NULL || key >= VERD_KEYS_MAX)
        return NULL;
    void **locals = verd__area(scheduler->running)->locals;
    return locals != NULL ? locals[key] : NULL;
}

int verd_set(verd_key key, void *value)
{
    if (key >= atomic_load_explicit(&key_count, memory_order_relaxed)) {
        errno = EINVAL;
        return -1;
    }
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return -1;
    struct verd__area *area = verd__area(scheduler->running);
    if (area->locals == NULL)
        area->locals = calloc(VERD_KEYS_MAX, sizeof *area->locals);
    if (area->locals == NULL)
        return -1;
    area->locals[key] = value;
    return 0;
}

/* Calls the destructor of each value that is set; false if there was none. */
static bool destroy_round(void **locals)
{
    bool any = false;
    for (unsigned key = 0; key < VERD_KEYS_MAX; key++) {
        void *value = locals[key];
        void (*destructor)(void *) = atomic_load_explicit(&destructors[key], memory_order_relaxed);
        locals[key] = NULL;
        if (value == NULL || destructor == NULL)
            continue;
        destructor(value);
        any = true;
    }
    return any;
}

void verd__locals_end(struct verd__area *area)
{
    for (unsigned round = 0; round < ROUNDS && destroy_round(area->locals); round++)
        ;
    free(area->locals);
    area->locals = NULL;
}
