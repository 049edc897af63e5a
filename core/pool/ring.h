/* SPDX-License-Identifier: MIT */
/* A list through its elements, doubly linked: taking one out needs no search. The head is a link of
 * the ring itself. */
#ifndef VERD_POOL_RING_H
#define VERD_POOL_RING_H

#include <stddef.h>

struct verd__ring {
    struct verd__ring *next, *prev;
};

static inline void verd__ring_init(struct verd__ring *head)
{
    head->next = head->prev = head;
}

static inline void verd__ring_append(struct verd__ring *head, struct verd__ring *link)
{
    link->next = head;
    link->prev = head->prev;
    head->prev->next = link;
    head->prev = link;
}

static inline void verd__ring_remove(struct verd__ring *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
}

/* NULL if the ring has the head alone. */
static inline struct verd__ring *verd__ring_first(const struct verd__ring *head)
{
    return head->next != head ? head->next : NULL;
}

/* Takes the first, or the last, out; NULL if there is none. */
static inline struct verd__ring *verd__ring_pop_first(struct verd__ring *head)
{
    struct verd__ring *link = head->next;
    if (link == head)
        return NULL;
    head->next = link->next;
    link->next->prev = head;
    return link;
}

static inline struct verd__ring *verd__ring_pop_last(struct verd__ring *head)
{
    struct verd__ring *link = head->prev;
    if (link == head)
        return NULL;
    head->prev = link->prev;
    link->prev->next = head;
    return link;
}

#endif
