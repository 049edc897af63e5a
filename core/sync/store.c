/* SPDX-License-Identifier: MIT */
#include "sync/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 8

/* A store of more room than this shrinks when an eighth of it is in use: to twice that, so that neither growing nor
 * shrinking is near. */
#define ROOM_LARGE 512

static void set_room(struct verd__store *store, struct verd__item *entries, size_t room)
{
    store->entries = entries;
    store->room = room;
    store->shrink_at = room > ROOM_LARGE ? room / 8 : SIZE_MAX;
}

/* Doubles the room. What a ring had wrapped to the front goes behind the old end. */
static bool grow(struct verd__store *store)
{
    size_t room = store->room == 0 ? ROOM_MIN : store->room * 2;
    struct verd__item *entries = realloc(store->entries, room * sizeof *entries);
    if (entries == NULL)
        return false;
    memcpy(entries + store->room, entries, store->head * sizeof *entries);
    set_room(store, entries, room);
    return true;
}

void verd__store_shrink(struct verd__store *store)
{
    size_t room = store->room / 4;
    int error = errno;
    struct verd__item *entries = malloc(room * sizeof *entries);
    errno = error;
    if (entries == NULL)
        return; /* it stays as it is until it is as full the next time */
    size_t before_end = store->room - store->head;
    size_t first = store->count < before_end ? store->count : before_end;
    memcpy(entries, store->entries + store->head, first * sizeof *entries);
    memcpy(entries + first, store->entries, (store->count - first) * sizeof *entries);
    free(store->entries);
    store->head = 0;
    set_room(store, entries, room);
}

static bool before(const struct verd__store *store, struct verd__item a, struct verd__item b)
{
    int order = store->compare(a.item, b.item);
    return order != 0 ? order < 0 : a.number < b.number;
}

/* Moves the hole at `at` up until `entry` fits into it. */
static void sift_up(struct verd__store *store, size_t at, struct verd__item entry)
{
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (!before(store, entry, store->entries[parent]))
            break;
        store->entries[at] = store->entries[parent];
        at = parent;
    }
    store->entries[at] = entry;
}

/* Moves the hole at the top down until `entry` fits into it. */
static void sift_down(struct verd__store *store, struct verd__item entry)
{
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= store->count)
            break;
        if (child + 1 < store->count &&
            before(store, store->entries[child + 1], store->entries[child]))
            child++;
        if (!before(store, store->entries[child], entry))
            break;
        store->entries[at] = store->entries[child];
        at = child;
    }
    store->entries[at] = entry;
}

bool verd__store_add(struct verd__store *store, void *item)
{
    if (store->count == store->room && !grow(store))
        return false;
    if (store->order == VERD__PRIORITY)
        sift_up(store, store->count++, (struct verd__item){item, store->next_number++});
    else
        verd__store_add_quickly(store, item);
    return true;
}

void *verd__store_take(struct verd__store *store)
{
    if (verd__store_is_quick(store))
        return verd__store_take_quickly(store);
    void *item = verd__store_next(store);
    size_t last = --store->count;
    if (store->order == VERD__PRIORITY)
        sift_down(store, store->entries[last]);
    verd__store_taken(store);
    return item;
}

void verd__store_free(struct verd__store *store)
{
    free(store->entries);
}
