/* SPDX-License-Identifier: MIT */
/* The mask of signals that ppoll(2) and the others have for as long as they wait. It is the OS thread's: where
 * several of its threads wait so, it is the last one's, and the OS thread's own again once all have done. */
#ifndef VERD_PATCH_MASK_H
#define VERD_PATCH_MASK_H

#include <signal.h>
#include <stdbool.h>

/* From the begin on, any handler of a signal ends the wait that follows. NULL: there is no mask. errno stays. */
bool verd__mask_begin(const sigset_t *mask);
void verd__mask_end(const sigset_t *mask, bool begun);

#endif
