/* SPDX-License-Identifier: MIT */
/*
 * A bundle: threads that do not outlive the scope that spawned them, and of which the first to fail ends the others.
 *
 *     verd_bundle *bundle = verd_bundle_new();
 *     verd_bundle_spawn(bundle, pump, &there);
 *     verd_bundle_spawn(bundle, pump, &back);
 *     if (verd_bundle_wait(bundle) != 0)                  // all have ended; -1: one has failed, or this is to end
 *         perror("pump");
 *     verd_bundle_free(bundle);                           // whatever has come before: now all have ended
 *
 * So what they use may lie in the frame of who frees the bundle. It is not bounded (a pool is) and keeps no results
 * (a pile does). Belongs to the OS thread that made it: EPERM from another.
 */
#ifndef VERD_BUNDLE_H
#define VERD_BUNDLE_H

#include <verd/thread.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct verd_bundle verd_bundle;

/* Makes a bundle. Never blocks. Returns it, or NULL with errno ENOMEM. */
verd_bundle *verd_bundle_new(void);

/*
 * Runs fn(arg) as a thread of the bundle, which may spawn into it, too. Once a thread of the bundle has failed, that
 * is, returned what verd_fail gives, the others are killed, and what is spawned starts killed: each function
 * is called in any case, and can release its argument. Other results are dropped. Never blocks.
 * Returns 0, or -1 with errno
 *   EINVAL  bundle or fn is NULL            EPERM  the bundle belongs to another OS thread
 *   ENOMEM  no memory for the thread
 */
int verd_bundle_spawn(verd_bundle *bundle, void *(*fn)(void *), void *arg);

/*
 * Waits until all threads of the bundle have ended. Any number of threads may wait, and again. Blocks.
 * Returns 0 if none has failed, or -1 with errno
 *   ECANCELED  the caller was killed        ETIMEDOUT  an enclosing timeout ran out: the bundle goes on
 *   EDEADLK    the caller is a thread of the bundle
 *   EINVAL     bundle is NULL               EPERM      it belongs to another OS thread
 *   others     the first that has failed has failed with this
 * A thread may have failed with ECANCELED or ETIMEDOUT, too: where it matters whose that is, ask verd_bundle_error.
 */
int verd_bundle_wait(verd_bundle *bundle);

/* The errno of the first thread of the bundle that has failed; 0: none has. Never blocks. 0 also with errno EINVAL
 * (bundle is NULL) or EPERM (it belongs to another OS thread). */
int verd_bundle_error(const verd_bundle *bundle);

/*
 * Kills the threads of the bundle, waits until they have ended, and frees it: in a killed thread, too, for neither
 * kill nor timeout reaches this call. Who waits in verd_bundle_wait is told when all have ended. Blocks.
 * Returns 0 (also for NULL), or -1 with errno
 *   EDEADLK    the caller is a thread of the bundle
 *   EBUSY      another thread is freeing it
 *   EPERM      it belongs to another OS thread
 */
int verd_bundle_free(verd_bundle *bundle);

#ifdef __cplusplus
}
#endif
#endif
