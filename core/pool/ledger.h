/* SPDX-License-Identifier: MIT */
/* Who has what: the resources of a pool that are handed out, found by their address. A hash table with
 * chains, as long as it is wide; short of memory it grows slower, not wrong. */
#ifndef VERD_POOL_LEDGER_H
#define VERD_POOL_LEDGER_H

#include <verd/time.h>

#include "pool/ring.h"

/* A resource, while it exists. */
struct verd__resource {
    struct verd__ring link; /* first: in a chain of the ledger, or among the idle ones */
    void *item;             /* what its user knows */
    verd_duration born;     /* valid in a pool with a max_age */
};

struct verd__ledger {
    struct verd__ring *chains;
    size_t width; /* number of chains, a power of two */
    size_t count; /* of resources */
};

/* 0, or -1 with errno ENOMEM. */
int verd__ledger_init(struct verd__ledger *ledger);
void verd__ledger_free(struct verd__ledger *ledger);

void verd__ledger_add(struct verd__ledger *ledger, struct verd__resource *resource);

/* Finds the one that was added for the item, last of all if there are several; NULL: none. */
struct verd__resource *verd__ledger_find(const struct verd__ledger *ledger, const void *item);

void verd__ledger_remove(struct verd__ledger *ledger, struct verd__resource *resource);

#endif
