/* SPDX-License-Identifier: MIT */
/*
 * The slot of a member that has made an imap, which the imap's thread uses while the pool is full: the member waits
 * for it, more or less. It may end before the imap, even while an item runs in its slot: then the slot is given
 * back when nobody runs in it any more, and the imap waits for slots as anyone does.
 */
#ifndef VERD_POOL_LOAN_H
#define VERD_POOL_LOAN_H

#include "pool/pool.h"

struct verd__loan {
    struct verd__watch watch;    /* on `lender` */
    struct verd__thread *lender; /* NULL: it has ended */
    struct verd_pool *pool;
    size_t borrowers; /* imaps that know it */
    size_t running;   /* items that run in the slot now */
};

/* An item that runs in the slot. */
struct verd__loan_use {
    struct verd__obligation obligation;
    struct verd__loan *loan;
};

/* What a member that makes an imap lends: its own slot, or the one that it runs in itself. NULL with errno ENOMEM. */
struct verd__loan *verd__loan_take(const struct verd__scheduler *scheduler, struct verd_pool *pool);
void verd__loan_drop(struct verd__loan *loan);

/* Whether the slot is still there. */
static inline bool verd__loan_is_good(const struct verd__loan *loan)
{
    return loan != NULL && (loan->lender != NULL || loan->running > 0);
}

/* An item begins to run in the slot, and has ended. */
void verd__loan_begin(const struct verd__scheduler *scheduler, struct verd__loan *loan,
                      struct verd__loan_use *use);
void verd__loan_end(const struct verd__scheduler *scheduler, struct verd__loan_use *use);

#endif
