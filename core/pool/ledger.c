/* SPDX-License-Identifier: MIT */
#include "pool/ledger.h"

#include <stdint.h>
#include <stdlib.h>

#define WIDTH_MIN 16

int verd__ledger_init(struct verd__ledger *ledger)
{
    struct verd__chain *chains = calloc(WIDTH_MIN, sizeof *chains);
    *ledger = (struct verd__ledger){.chains = chains, .width = WIDTH_MIN};
    return chains != NULL ? 0 : -1;
}

void verd__ledger_free(struct verd__ledger *ledger)
{
    free(ledger->chains);
}

/* Items are addresses, small numbers or descriptors: multiplied, all their bits reach the upper half
 * (Knuth's multiplicative hashing, with 2^64 divided by the golden ratio). */
static struct verd__chain *chain_of(const struct verd__ledger *ledger, const void *item)
{
    uint64_t hash = (uint64_t)(uintptr_t)item * UINT64_C(0x9E3779B97F4A7C15);
    return &ledger->chains[(size_t)(hash >> 32) & (ledger->width - 1)];
}

static void insert(const struct verd__ledger *ledger, struct verd__resource *resource)
{
    struct verd__chain *chain = chain_of(ledger, resource->item);
    resource->next = chain->first;
    chain->first = resource;
}

/* Twice as wide, if there is memory for it. */
static void widen(struct verd__ledger *ledger)
{
    struct verd__ledger wider = {.width = 2 * ledger->width, .count = ledger->count};
    wider.chains = calloc(wider.width, sizeof *wider.chains);
    if (wider.chains == NULL)
        return;
    for (size_t i = 0; i < ledger->width; i++) {
        struct verd__resource *next;
        for (struct verd__resource *it = ledger->chains[i].first; it != NULL; it = next) {
            next = it->next;
            insert(&wider, it);
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

struct verd__resource *verd__ledger_take(struct verd__ledger *ledger, const void *item)
{
    struct verd__resource **place = &chain_of(ledger, item)->first;
    while (*place != NULL && (*place)->item != item)
        place = &(*place)->next;
    struct verd__resource *resource = *place;
    if (resource == NULL)
        return NULL;
    *place = resource->next;
    ledger->count--;
    return resource;
}
