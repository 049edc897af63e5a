/* SPDX-License-Identifier: MIT */
/* The library's one list: through its elements, doubly linked, first come first. An empty one is all
 * zero, and who is taken out of it need not be searched for. */
#ifndef VERD_SCHED_LIST_H
#define VERD_SCHED_LIST_H

#include <stddef.h>
#include <stdint.h>

#include <verd/thread.h>

/* A part of each element; it means nothing while that is in no list. */
struct verd__link {
    struct verd__link *next, *prev; /* NULL at the ends */
};

/* The object whose member `member` the pointer points to. */
#define VERD__CONTAINER_OF(pointer, type, member) \
    ((type *)((uintptr_t)(pointer) - offsetof(type, member)))

static inline void verd__list_append(struct verd__list *list, struct verd__link *link)
{
    link->next = NULL;
    link->prev = list->last;
    if (list->last != NULL)
        list->last->next = link;
    else
        list->first = link;
    list->last = link;
}

static inline void verd__list_prepend(struct verd__list *list, struct verd__link *link)
{
    link->prev = NULL;
    link->next = list->first;
    if (list->first != NULL)
        list->first->prev = link;
    else
        list->last = link;
    list->first = link;
}

static inline void verd__list_remove(struct verd__list *list, struct verd__link *link)
{
    if (link->prev != NULL)
        link->prev->next = link->next;
    else
        list->first = link->next;
    if (link->next != NULL)
        link->next->prev = link->prev;
    else
        list->last = link->prev;
}

/* Take the first, or the last, out; NULL if there is none. */
static inline struct verd__link *verd__list_pop(struct verd__list *list)
{
    struct verd__link *link = list->first;
    if (link != NULL)
        verd__list_remove(list, link);
    return link;
}

static inline struct verd__link *verd__list_pop_last(struct verd__list *list)
{
    struct verd__link *link = list->last;
    if (link != NULL)
        verd__list_remove(list, link);
    return link;
}

#endif
