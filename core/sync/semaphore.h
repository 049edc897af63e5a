/* SPDX-License-Identifier: MIT */
/*
 * The units of a semaphore, for one that is to be in less room.
 *
 * Invariant: while someone waits there are no units; a released one is handed to the first in the queue.
 */
#ifndef VERD_SYNC_SEMAPHORE_H
#define VERD_SYNC_SEMAPHORE_H

#include <verd/sync.h>

/* As verd_semaphore_acquire, _try_acquire and _release; `most` is the bound, and units is not NULL. */
int verd__units_acquire(struct verd__units *units);
int verd__units_try_acquire(struct verd__units *units);
int verd__units_release(struct verd__units *units, size_t most);

#endif
