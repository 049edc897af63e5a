/* SPDX-License-Identifier: MIT */
/*
 * Time: durations, the clock, sleeping, and timeouts around anything that blocks.
 *
 *     verd_timeout limit;
 *     verd_timeout_begin(&limit, 200 * VERD_MS);
 *     ssize_t n = verd_read(fd, buffer, sizeof buffer);      // -1 and ETIMEDOUT after 200 ms
 *     if (verd_timeout_end(&limit)) { ... it was this timeout that fired ... }
 *
 *     VERD_WITHIN(limit, 200 * VERD_MS);                     // the same to the end of the block
 *
 * Waits are never early: a deadline is rounded up to what the kernel can wait for.
 */
#ifndef VERD_TIME_H
#define VERD_TIME_H

#include <verd/platform.h>

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct verd_thread;

/* Nanoseconds: a span, or a point on CLOCK_MONOTONIC. */
typedef int64_t verd_duration;

#define VERD_US ((verd_duration)1000)
#define VERD_MS ((verd_duration)1000000)
#define VERD_SEC ((verd_duration)1000000000)
#define VERD_FOREVER INT64_MAX

/* The time on CLOCK_MONOTONIC, in nanoseconds. Never blocks or fails; from any OS thread. */
verd_duration verd_now(void);

/*
 * Suspends the calling thread for at least `d` nanoseconds. Zero and less give way once, as
 * verd_yield does; VERD_FOREVER ends by kill or timeout alone. Blocks.
 * Returns 0, or -1 with errno
 *   ECANCELED  the thread was killed
 *   ETIMEDOUT  an enclosing timeout ran out
 *   ENOMEM     first call on this OS thread, and there is no memory for a scheduler
 */
int verd_sleep(verd_duration d);

/* Like verd_sleep, until the point `t` on CLOCK_MONOTONIC; a point in the past gives way once.
 * Blocks. Errors as verd_sleep. */
int verd_sleep_until(verd_duration t);

/*
 * A timeout scope, of the thread that begins it. What is known of it is kept with the thread, by the struct's
 * address: so a scope that was left open by an early return is harmful to nobody but its thread, on which it
 * stays open until an outer scope ends, another begins or ends in a frame further out, or the thread ends.
 * `__attribute__((cleanup))` ends it on every way out.
 */
typedef struct verd_timeout {
    void *unused; /* private */
} verd_timeout;

/*
 * Opens a timeout scope on the calling thread: once `after` nanoseconds have passed, blocking calls
 * of this thread return -1 and ETIMEDOUT, the one that waits at that moment included, until the
 * scope ends. Scopes nest, and the earliest deadline fires wherever it was set. Zero and less have
 * run out already; VERD_FOREVER never runs out. A scope that is open is ended first. Within a shield
 * (verd_shield_begin) the scopes that were begun there count, and no others. Never blocks.
 *
 * No call reads the clock to find out. That a deadline has passed is noticed when the OS thread looks at
 * the time and at its descriptors: while this thread waits or gives way, as it does at the latest after
 * 64 of its calls in a row that need not wait. So after a long computation a call that can succeed at
 * once may still do so; one that has to wait has that look first. What has come by the time of the look
 * wins over the deadline: the call that waits for it succeeds, and the next one says ETIMEDOUT.
 *
 * Returns 0; or -1 with errno, and there is no scope:
 *   EINVAL  timeout is NULL
 *   ENOMEM  first call on this OS thread, and there is no memory for a scheduler; or more than three
 *           scopes are open on this thread, and there is no memory for another
 */
int verd_timeout_begin(verd_timeout *timeout, verd_duration after);

/*
 * Like verd_timeout_begin; but what blocking calls say once the scope has run out is `error` in place of ETIMEDOUT, so
 * that nested scopes are told apart: where several have run out, it is the outermost one's. It is of the numbers that
 * no system has. Wherever ETIMEDOUT is spoken of, such an error may come in its place. Never blocks.
 * Returns 0, or -1 with errno as verd_timeout_begin; EINVAL also if error is not VERD_ERROR_OWN to VERD_FAILURE_MAX.
 */
#define VERD_ERROR_OWN 1000
int verd_timeout_begin_as(verd_timeout *timeout, verd_duration after, int error);

/*
 * VERD_WITHIN(name, after); declares a scope of that name, begun with `after` nanoseconds, that ends with the block, by
 * whichever way it is left; in C++ by an exception, too. errno stays as it is then. Where there is no memory for a scope,
 * there is none, which verd_timeout_left tells.
 * VERD_WITHIN_AS(name, after, error); is the same with an errno of its own: see verd_timeout_begin_as.
 */
#define VERD_WITHIN(name, after) verd_timeout name VERD__SCOPED = verd__within_begin(&(name), after)
#define VERD_WITHIN_AS(n, t, e) verd_timeout n VERD__SCOPED = verd__within_as(&(n), t, e)
#define VERD__SCOPED __attribute__((cleanup(verd__within_end)))

static inline verd_timeout verd__within_begin(verd_timeout *timeout, verd_duration after)
{
    verd_timeout none = {NULL};
    verd_timeout_begin(timeout, after);
    return none;
}

/* The same for VERD_WITHIN_AS. Never blocks. */
static inline verd_timeout verd__within_as(verd_timeout *timeout, verd_duration after, int error)
{
    verd_timeout none = {NULL};
    verd_timeout_begin_as(timeout, after, error);
    return none;
}

/*
 * Closes the scope, and with it any inner one that was left open. Returns true if this scope's own
 * deadline has fired: then an ETIMEDOUT seen inside was this one's. Never blocks. A scope that was
 * not begun, has ended or belongs to another thread is left alone: false.
 */
bool verd_timeout_end(verd_timeout *timeout);

static inline void verd__within_end(verd_timeout *timeout)
{
    verd_timeout_end(timeout);
}

/*
 * The nanoseconds until a scope of the calling thread runs out: 0 if it has, VERD_FOREVER if it never does.
 * Never blocks. Or -1 with errno EINVAL: it is not open on this thread.
 */
verd_duration verd_timeout_left(const verd_timeout *timeout);

/*
 * Has a scope that is open on thread t, which may be the calling one, run out `after` nanoseconds from now, whatever its
 * time was: zero and less at once, VERD_FOREVER never. One that has run out is as if it had not: calls of t that have
 * failed have failed, the next ones succeed. So whoever sees to a connection can give it more time, or none. Never blocks.
 * Returns 0, or -1 with errno
 *   EINVAL  the scope is not open on t; t is NULL, was released or has ended
 *   EPERM   t belongs to another OS thread
 */
int verd_timeout_move(struct verd_thread *t, verd_timeout *timeout, verd_duration after);

/*
 * Calls fn(arg) within a timeout scope of `after` nanoseconds and stores what it returns in
 * *result (unless NULL). Blocks as fn does.
 * Returns 0, or -1 with errno
 *   ETIMEDOUT  the scope's deadline fired while fn ran; *result is still what fn returned
 *   EINVAL     fn is NULL
 *   ENOMEM     first call on this OS thread, and there is no memory for a scheduler
 */
#ifndef __cplusplus
int verd_with_timeout(verd_duration after, void *(*fn)(void *), void *arg, void **result);
#endif

#ifdef __cplusplus
}

/* In C++ an exception may leave fn, and ends the scope as it does. */
static inline int verd_with_timeout(verd_duration after, void *(*fn)(void *), void *arg,
                                    void **result)
{
    struct scope {
        verd_timeout timeout;
        ~scope()
        {
            verd_timeout_end(&timeout);
        }
    } within;
    if (fn == nullptr) {
        errno = EINVAL;
        return -1;
    }
    if (verd_timeout_begin(&within.timeout, after) != 0)
        return -1;
    void *returned = fn(arg);
    if (result != nullptr)
        *result = returned;
    if (!verd_timeout_end(&within.timeout))
        return 0;
    errno = ETIMEDOUT;
    return -1;
}
#endif
#endif
