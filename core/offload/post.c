/* SPDX-License-Identifier: MIT */
/* The handles of an inbox, and the line of posts as its producers see it. */
#include <errno.h>

#include "offload/inbox.h"
#include "stack/valgrind.h"

verd_hub *verd_hub_open(void)
{
    struct verd__scheduler *scheduler = verd__scheduler();
    struct verd_hub *inbox = scheduler != NULL ? verd__inbox(scheduler) : NULL;
    if (inbox == NULL)
        return NULL;
    verd__inbox_keep(inbox);
    atomic_fetch_add(&inbox->handles, 1);
    verd__receiver_review(inbox);
    return inbox;
}

void verd_hub_close(verd_hub *hub)
{
    if (hub == NULL)
        return;
    if (atomic_fetch_sub(&hub->handles, 1) == 1 && verd__inbox_is_open(hub))
        verd__inbox_wake(hub); /* for the receiver to see that nobody is left */
    verd__inbox_drop(hub);
}

/* Puts a post at the end of the line; false: the line is full. A producer that is held up between
 * claiming its slot and filling it holds up those behind it, but nobody waits for it here. */
static bool append(struct verd_hub *hub, void (*fn)(void *), void *arg)
{
    size_t place = atomic_load_explicit(&hub->tail, memory_order_relaxed);
    for (;;) {
        struct verd__post *post = &hub->posts[place % VERD_POSTS_MAX];
        size_t turn = place / VERD_POSTS_MAX * 2;
        if (atomic_load_explicit(&post->turn, memory_order_acquire) != turn) {
            size_t before = place;
            place = atomic_load_explicit(&hub->tail, memory_order_relaxed);
            if (place == before)
                return false; /* still of the lap before */
        } else if (atomic_compare_exchange_weak_explicit(
                       &hub->tail, &place, place + 1, memory_order_relaxed, memory_order_relaxed)) {
            verd__helgrind_after(post);
            post->fn = fn;
            post->arg = arg;
            verd__helgrind_before(post);
            atomic_store_explicit(&post->turn, turn + 1, memory_order_release);
            return true;
        }
    }
}

int verd_post(verd_hub *hub, void (*fn)(void *), void *arg)
{
    if (hub == NULL || fn == NULL) {
        errno = EINVAL;
        return -1;
    }
    if (!verd__inbox_is_open(hub)) {
        errno = EPIPE;
        return -1;
    }
    if (!append(hub, fn, arg)) {
        errno = EAGAIN;
        return -1;
    }
    verd__inbox_wake(hub);
    return 0;
}
