/* SPDX-License-Identifier: MIT */
#include "pool/ledger.h"

#include <stdint.h>
#include <stdlib.h>

#define WIDTH_MIN 16

static struct verd__ring *chains_new(size_t width)
{
    struct verd__ring *chains = calloc(width, sizeof *chains);
    for (size_t i = 0; chains != NULL && i < width; i++)
        verd__ring_init(&chains[i]);
    return chains;
}

/* Items are addresses, small numbers or descriptors: multiplied, all their bits reach the upper half
 * (Knuth's multiplicative hashing, with 2^64 divided by the golden ratio). */
static struct verd__ring *chain_of(const struct verd__ledger *ledger, const void *item)
{
    uint64_t hash = (uint64_t)(uintptr_t)item * UINT64_C(0x9E3779B97F4A7C15);
    return &ledger->chains[(size_t)(hash >> 32) & (ledger->width - 1)];
}

int verd__ledger_init(struct verd__ledger *ledger)
{
    *ledger = (struct verd__ledger){.chains = chains_new(WIDTH_MIN), .width = WIDTH_MIN};
    return ledger->chains != NULL ? 0 : -1;
}

void verd__ledger_free(struct verd__ledger *ledger)
{
    free(ledger->chains);
}

static void insert(const struct verd__ledger *ledger, struct verd__resource *resource)
{
    verd__ring_append(chain_of(ledger, resource->item), &resource->link);
}

/* Twice as wide, if there is memory for it; else the chains get longer. */
static void widen(struct verd__ledger *ledger)
{
    struct verd__ledger wider = {chains_new(2 * ledger->width), 2 * ledger->width, ledger->count};
    if (wider.chains == NULL)
        return;
    for (size_t i = 0; i < ledger->width; i++) {
        struct verd__ring *link;
        while ((link = verd__ring_first(&ledger->chains[i])) != NULL) {
            verd__ring_remove(link);
            insert(&wider, (struct verd__resource *)link);
        }
    }
    free(ledger->chains);
    *ledger = wider;
}

void verd__ledger_add(struct verd__ledger *ledger, struct verd__resource *resource)
{
    if (ledger->count >= ledger->width)
        widen(ledger);
    insert(ledger, resource);
    ledger->count++;
}

struct verd__resource *verd__ledger_find(const struct verd__ledger *ledger, const void *item)
{
    const struct verd__ring *head = chain_of(ledger, item);
    for (struct verd__ring *link = head->prev; link != head; link = link->prev) {
        struct verd__resource *resource = (struct verd__resource *)link;
        if (resource->item == item)
            return resource;
    }
    return NULL;
}

void verd__ledger_remove(struct verd__ledger *ledger, struct verd__resource *resource)
{
    verd__ring_remove(&resource->link);
    ledger->count--;
}
