/* SPDX-License-Identifier: MIT */
/* Who has what: the resources of a pool that are handed out, found by what their users know them by. A
 * hash table with chains, of one on average; without memory to grow, the chains get longer. */
#ifndef VERD_POOL_LEDGER_H
#define VERD_POOL_LEDGER_H

#include <verd/time.h>

#include "sched/list.h"

/* A resource, while it exists. */
struct verd__resource {
    struct verd__link idle;      /* among the idle ones, while it is one */
    struct verd__resource *next; /* in a chain of the ledger, while it is handed out */
    void *item;                  /* what its user knows */
    verd_duration born;          /* valid in a pool with a max_age */
};

struct verd__chain {
    struct verd__resource *first; /* NULL: the chain is empty */
};

struct verd__ledger {
    struct verd__chain *chains;
    size_t width; /* number of chains, a power of two */
    size_t count; /* of resources */
};

/* 0, or -1 with errno ENOMEM. */
int verd__ledger_init(struct verd__ledger *ledger);
void verd__ledger_free(struct verd__ledger *ledger);

void verd__ledger_add(struct verd__ledger *ledger, struct verd__resource *resource);

/* Takes out the one with this item, the last to be added if there are several; NULL: none. */
struct verd__resource *verd__ledger_take(struct verd__ledger *ledger, const void *item);

#endif
