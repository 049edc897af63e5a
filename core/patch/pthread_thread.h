/* SPDX-License-Identifier: MIT */
/* What is kept of a thread that pthread_create has made, from there to its end. */
#ifndef VERD_PATCH_PTHREAD_THREAD_H
#define VERD_PATCH_PTHREAD_THREAD_H

#include <setjmp.h>

#include "patch/pthread.h"
#include "sched/slab.h"

#define VERD__PTHREAD_NAME 16 /* bytes, with the terminating zero */

struct verd__pthread {
    struct verd__watch watch; /* frees this */
    union {
        void *(*call)(void *);
        int (*run)(void *); /* C11's */
    } start;
    bool is_c11;
    bool is_cancelled;             /* UNSTARTED: to be so from its beginning */
    char name[VERD__PTHREAD_NAME]; /* UNSTARTED */
    void *arg;
    jmp_buf *exit; /* STARTED: where pthread_exit leads */
    void *result;
};

/* Whether an unstarted thread is one, and then its struct. */
bool verd__pthread_is_unstarted(const struct verd__thread *thread);
static inline struct verd__pthread *verd__pthread_unstarted(const struct verd__thread *thread)
{
    return thread->arg;
}

#endif
