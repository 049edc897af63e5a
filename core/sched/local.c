/* SPDX-License-Identifier: MIT */
#include "sched/local.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 4 /* of destructors, while they set values anew; as PTHREAD_DESTRUCTOR_ITERATIONS */

/* Keys are the process's. A key's place is taken by one after another, told apart by their sequence numbers, which
 * are odd while there is one: so the values of a key that was deleted are nobody's any more, on whatever thread.
 * The destructor is written before the key is known to anyone but its maker. */
static struct place {
    _Atomic(uint32_t) sequence;
    void (*_Atomic destructor)(void *);
} places[VERD_KEYS_MAX];

#define IN_USE 1u
#define LAST_SEQUENCE (UINT32_MAX - IN_USE) /* no key is made there any more */

struct local {
    void *value;
    uint32_t sequence; /* of the key that it is of */
};

struct verd__locals {
    unsigned room;
    struct local locals[];
};

#define GROWTH 16u /* room comes for so many keys */

static bool take_place(struct place *place)
{
    uint32_t sequence = atomic_load(&place->sequence);
    return !(sequence & IN_USE) && sequence != LAST_SEQUENCE &&
           atomic_compare_exchange_strong(&place->sequence, &sequence, sequence + 1);
}

int verd_key_create(verd_key *key, void (*destructor)(void *))
{
    if (key == NULL) {
        errno = EINVAL;
        return -1;
    }
    unsigned i = 0;
    while (i < VERD_KEYS_MAX && !take_place(&places[i]))
        i++;
    if (i == VERD_KEYS_MAX) {
        errno = EAGAIN;
        return -1;
    }
    atomic_store(&places[i].destructor, destructor);
    *key = i;
    return 0;
}

/* The sequence number of the key; 0: there is none. */
static inline uint32_t sequence_of(verd_key key)
{
    uint32_t sequence =
        key < VERD_KEYS_MAX ? atomic_load_explicit(&places[key].sequence, memory_order_relaxed) : 0;
    return sequence & IN_USE ? sequence : 0;
}

int verd_key_delete(verd_key key)
{
    uint32_t sequence = sequence_of(key);
    if (sequence != 0 &&
        atomic_compare_exchange_strong(&places[key].sequence, &sequence, sequence + 1))
        return 0;
    errno = EINVAL;
    return -1;
}

void *verd_get(verd_key key)
{
    const struct verd__scheduler *scheduler = verd__current;
    if (scheduler == NULL)
        return NULL;
    const struct verd__locals *locals = verd__area(scheduler->running)->locals;
    if (locals == NULL || key >= locals->room || locals->locals[key].sequence != sequence_of(key))
        return NULL;
    return locals->locals[key].value;
}

/* Has room for the key. false with errno ENOMEM. */
static bool has_room(struct verd__area *area, verd_key key)
{
    unsigned before = area->locals != NULL ? area->locals->room : 0;
    if (key < before)
        return true;
    unsigned room = (key / GROWTH + 1) * GROWTH;
    struct verd__locals *locals =
        realloc(area->locals, sizeof *locals + room * sizeof *locals->locals);
    if (locals == NULL)
        return false;
    memset(&locals->locals[before], 0, (room - before) * sizeof *locals->locals);
    locals->room = room;
    area->locals = locals;
    return true;
}

int verd_set(verd_key key, void *value)
{
    uint32_t sequence = sequence_of(key);
    if (sequence == 0) {
        errno = EINVAL;
        return -1;
    }
    struct verd__scheduler *scheduler = verd__scheduler();
    if (scheduler == NULL)
        return -1;
    struct verd__area *area = verd__area(scheduler->running);
    if (!has_room(area, key))
        return -1;
    area->locals->locals[key].value = value;
    area->locals->locals[key].sequence = sequence;
    return 0;
}

/* Calls the destructor of each value that is set, which may set others; false if there was none. */
static bool destroy_round(const struct verd__area *area)
{
    bool any = false;
    for (unsigned key = 0; key < area->locals->room; key++) {
        struct local *local = &area->locals->locals[key];
        void *value = local->value;
        void (*destructor)(void *) =
            atomic_load_explicit(&places[key].destructor, memory_order_relaxed);
        local->value = NULL;
        if (value == NULL || destructor == NULL || local->sequence != sequence_of(key))
            continue;
        destructor(value);
        any = true;
    }
    return any;
}

void verd__locals_end(struct verd__area *area)
{
    for (unsigned round = 0; round < ROUNDS && destroy_round(area); round++)
        ;
    free(area->locals);
    area->locals = NULL;
}
