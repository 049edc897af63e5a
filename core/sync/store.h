/* SPDX-License-Identifier: MIT */
/*
 * What a queue holds: an array that grows and shrinks, used as a ring (first in first out), a stack (last in first
 * out), or a binary heap (the least first; equal ones in the order of coming, by number).
 */
#ifndef VERD_SYNC_STORE_H
#define VERD_SYNC_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum verd__store_order { VERD__FIFO, VERD__LIFO, VERD__PRIORITY };

struct verd__item {
    void *item;
    uint64_t number; /* PRIORITY: in the order of coming */
};

struct verd__store {
    struct verd__item *entries;
    size_t room;      /* of entries; a power of two, or 0 */
    size_t shrink_at; /* valid if there is room: when so many are left, some of it goes back */
    size_t head;      /* FIFO: the first */
    size_t count;     /* held now */
    uint64_t next_number;
    enum verd__store_order order;
    int (*compare)(const void *, const void *); /* PRIORITY */
};

/* Adds an item. False: no memory. */
bool verd__store_add(struct verd__store *store, void *item);

/* The next item; there is one. */
static inline void *verd__store_next(const struct verd__store *store)
{
    size_t first = store->order == VERD__FIFO ? store->head : 0;
    return store->entries[store->order == VERD__LIFO ? store->count - 1 : first].item;
}

/* Takes the next item out; there is one. */
void *verd__store_take(struct verd__store *store);

/* The two for a store that is a ring, without a call; the first does for a stack as well. */
static inline bool verd__store_is_quick(const struct verd__store *store)
{
    return store->order == VERD__FIFO;
}

/* There is room. */
static inline void verd__store_add_quickly(struct verd__store *store, void *item)
{
    store->entries[(store->head + store->count++) & (store->room - 1)].item = item;
}

/* Gives most of the room back; where there is no memory for less, nothing. */
void verd__store_shrink(struct verd__store *store);

static inline void verd__store_taken(struct verd__store *store)
{
    if (__builtin_expect(store->count == store->shrink_at, 0))
        verd__store_shrink(store);
}

static inline void *verd__store_take_quickly(struct verd__store *store)
{
    void *item = store->entries[store->head].item;
    store->head = (store->head + 1) & (store->room - 1);
    store->count--;
    verd__store_taken(store);
    return item;
}

void verd__store_free(struct verd__store *store);

#endif
