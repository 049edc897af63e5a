/* SPDX-License-Identifier: MIT */
#include "pool/loan.h"

#include <stdlib.h>

#include "sched/thread.h"

/* The lender's end gives one slot back: for what runs in it, another is counted, though the pool may be full. */
static void lender_ended(struct verd__watch *watch, struct verd__thread *thread, int error)
{
    struct verd__loan *loan = VERD__CONTAINER_OF(watch, struct verd__loan, watch);
    (void)thread, (void)error;
    loan->lender = NULL;
    if (loan->running > 0)
        loan->pool->running++;
}

struct verd__loan *verd__loan_take(const struct verd__scheduler *scheduler, struct verd_pool *pool)
{
    struct verd__thread *self = scheduler->running;
    struct verd__loan *loan = verd__area(self)->loan;
    if (self->owner !=
        &pool->owner) { /* the thread of an imap, with an item in a slot that was lent to it */
        loan->borrowers++;
        return loan;
    }
    loan = calloc(1, sizeof *loan);
    if (loan == NULL)
        return NULL;
    loan->watch.ended = lender_ended;
    loan->lender = self;
    loan->pool = pool;
    loan->borrowers = 1;
    verd__watch_add(self, &loan->watch);
    return loan;
}

void verd__loan_drop(struct verd__loan *loan)
{
    if (loan == NULL || --loan->borrowers > 0)
        return;
    if (loan->lender != NULL)
        verd__watch_remove(loan->lender, &loan->watch);
    free(loan);
}

static void settle(struct verd__obligation *obligation)
{
    struct verd__loan *loan =
        VERD__CONTAINER_OF(obligation, struct verd__loan_use, obligation)->loan;
    if (--loan->running == 0 && loan->lender == NULL)
        verd__pool_release(loan->pool);
}

void verd__loan_begin(const struct verd__scheduler *scheduler, struct verd__loan *loan,
                      struct verd__loan_use *use)
{
    use->loan = loan;
    loan->running++;
    verd__obligation_begin(scheduler, &use->obligation, settle);
}

void verd__loan_end(const struct verd__scheduler *scheduler, struct verd__loan_use *use)
{
    verd__obligation_settle(scheduler, &use->obligation);
}
