/* SPDX-License-Identifier: MIT */
/*
 * Contexts in a library that is built with a sanitizer: each switch is announced to it, as
 * <sanitizer/common_interface_defs.h>, <sanitizer/tsan_interface.h> and <sanitizer/msan_interface.h> want it.
 *
 * Here `sp` of a suspended context points to a struct suspended on its stack, so that a switch finds what
 * it has to say of the stack that it goes to. A context that was made has it at its top, with its fibre.
 *
 * ThreadSanitizer has a fibre of its own for each stack that somebody runs or waits on, for it keeps a
 * copy of the calls that led there. A fibre is made by the first switch to a context, and goes with
 * verd__fibre_leave, verd__fibre_abandon, or when another context is made at the same top.
 */
#include "context/fibre.h"

#if VERD__ANNOUNCED

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "stack/line.h"

#if VERD__TSAN
#include <sanitizer/tsan_interface.h>
#elif VERD__MSAN
#include <sanitizer/msan_interface.h>
#else
#include <sanitizer/common_interface_defs.h>
#endif

/* One for several stacks, once there can be no more. */
struct crowd {
    void *handle;
    unsigned users;
};

/* What a sanitizer knows of a stack. */
struct fibre {
    const void *low; /* NULL: an OS thread's own, not left yet */
    size_t size;
    verd_context_fn fn;  /* what it is to call */
    void *handle;        /* ThreadSanitizer's; NULL: none yet */
    struct crowd *crowd; /* whose handle it is; NULL: its own */
    uintptr_t checksum;  /* tells a fibre from what else may lie there */
};

struct suspended {
    verd_context context; /* where the registers are */
    struct fibre *fibre;
};

/* The topmost bytes of a stack that was never run. */
struct fresh {
    struct verd__frame frame; /* popped by the first switch to it */
    void *base_record[2];     /* stays: the frame below which nothing lies; all zero */
    struct suspended suspended;
    struct fibre fibre;
};

_Static_assert(sizeof(struct fresh) % 16 == 0, "the base frame would be misaligned");
_Static_assert(sizeof(struct fresh) <= 256 - 15, "verd_context_make would write to more");

static _Thread_local struct fibre own;      /* the OS thread's */
static _Thread_local struct fibre *current; /* on which it runs; NULL: nowhere else yet */

static uintptr_t checksum(const struct fibre *fibre)
{
    return (uintptr_t)fibre * 3 + (uintptr_t)fibre->low * 5 + fibre->size * 7 +
           (uintptr_t)fibre->fn * 11 + (uintptr_t)fibre->handle * 13 +
           (uintptr_t)fibre->crowd * 17 + UINT64_C(0x9e3779b97f4a7c15);
}

#if VERD__TSAN

/* How many it may have. The runtimes up to gcc 12's and clang 13's end the process when they have 8128
 * threads and fibres; later ones map memory for each, of 65530 mappings that a process may have. */
#if defined(__clang__) ? __clang_major__ < 14 : __GNUC__ < 13
#define FIBRES_MAX 7000
#else
#define FIBRES_MAX 16000
#endif

/* A fibre has room for some 60,000 calls, of all who share it. */
#define CROWDS 64

static _Thread_local struct crowd *crowds[CROWDS]; /* stay, for whoever was in them */
static _Thread_local unsigned turn;
static _Atomic(size_t) fibre_count;

static void say_crowded(void)
{
    static _Atomic(bool) said;
    if (atomic_exchange(&said, true))
        return;
    struct verd__line line = {0};
    verd__line_text(&line,
                    "ThreadSanitizer has no more fibres: from here on threads share them, and "
                    "the calls in its reports may be another thread's");
    verd__line_write(&line);
}

/* Contexts that share do not go from one OS thread to another. */
static struct crowd *join_crowd(void)
{
    struct crowd **crowd = &crowds[turn++ % CROWDS];
    say_crowded();
    if (*crowd == NULL && (*crowd = calloc(1, sizeof **crowd)) == NULL)
        verd__die("no memory to tell ThreadSanitizer of a stack");
    if ((*crowd)->users++ == 0)
        (*crowd)->handle = __tsan_create_fiber(0);
    return *crowd;
}

static void acquire(struct fibre *fibre)
{
    if (fibre->handle != NULL)
        return;
    if (atomic_fetch_add(&fibre_count, 1) < FIBRES_MAX) {
        fibre->handle = __tsan_create_fiber(0);
    } else {
        atomic_fetch_sub(&fibre_count, 1);
        fibre->crowd = join_crowd();
        fibre->handle = fibre->crowd->handle;
    }
    fibre->checksum = checksum(fibre);
}

static void release(struct fibre *fibre)
{
    if (fibre->handle == NULL)
        return;
    if (fibre->crowd == NULL)
        atomic_fetch_sub(&fibre_count, 1);
    if (fibre->crowd == NULL || --fibre->crowd->users == 0)
        __tsan_destroy_fiber(fibre->handle);
    fibre->handle = NULL;
    fibre->crowd = NULL;
    fibre->checksum = checksum(fibre);
}

#else

static void acquire(struct fibre *fibre)
{
    (void)fibre;
}

static void release(struct fibre *fibre)
{
    (void)fibre;
}

#endif

/* The switch that is under way. */
static _Thread_local struct fibre *previous; /* what it leaves */
static _Thread_local bool leaves_for_good;

/* Returns what to resume. Here and in `arrive` thread-local variables are looked up anew, for a context
 * may be resumed by another OS thread than suspended it. */
static __attribute__((noinline)) struct suspended *
depart(struct suspended *self, verd_context *from, const verd_context *to)
{
    if (current == NULL) {
        current = &own;
#if VERD__TSAN
        own.handle = __tsan_get_current_fiber();
#endif
    }
    self->fibre = previous = current;
    from->sp = self; /* before `to` is read: the two may be one */
    struct suspended *next = to->sp;
    acquire(next->fibre);
    current = next->fibre;
    return next;
}

/* The last thing before a switch: what is called and what returns from here on counts as the other
 * fibre's. */
static inline __attribute__((always_inline)) VERD__UNWATCHED void announce(const struct fibre *to,
                                                                           void **fake_stack)
{
#if VERD__TSAN
    (void)fake_stack;
    if (to->handle != __tsan_get_current_fiber())
        __tsan_switch_to_fiber(to->handle, 0);
#elif VERD__MSAN
    (void)fake_stack;
    __msan_start_switch_fiber(to->low, to->size);
#else
    __sanitizer_start_switch_fiber(fake_stack, to->low, to->size);
#endif
}

/* The first thing after it. */
static __attribute__((noinline)) VERD__UNWATCHED void arrive(void *fake_stack)
{
#if VERD__TSAN
    (void)fake_stack;
#elif VERD__MSAN
    (void)fake_stack;
    __msan_finish_switch_fiber(&previous->low, &previous->size);
#else
    __sanitizer_finish_switch_fiber(fake_stack, &previous->low, &previous->size);
#endif
    if (leaves_for_good)
        release(previous);
    leaves_for_good = false;
}

VERD__UNWATCHED void *verd_context_switch(verd_context *from, const verd_context *to, void *value)
{
    void *fake_stack = NULL;
    struct suspended self;
    struct suspended *next = depart(&self, from, to);
    announce(next->fibre, &fake_stack);
    value = verd__context_switch_raw(&self.context, &next->context, value);
    arrive(fake_stack);
    return value;
}

VERD__UNWATCHED void verd__fibre_leave(const verd_context *to, void *value)
{
    struct suspended nowhere;
    verd_context from;
    struct suspended *next = depart(&nowhere, &from, to);
    leaves_for_good = true;
    announce(next->fibre, NULL); /* no fake stack is kept */
    verd__context_switch_raw(&nowhere.context, &next->context, value);
    __builtin_unreachable();
}

const char *verd__fibre_low(const verd_context *context)
{
    return ((const struct suspended *)context->sp)->context.sp;
}

void verd__fibre_abandon(const verd_context *context)
{
    struct fibre *fibre = ((const struct suspended *)context->sp)->fibre;
    if (fibre != &own)
        release(fibre);
}

/* What each context begins with. */
static VERD__UNWATCHED void begin(void *value)
{
    arrive(NULL);
    current->fn(value);
    verd__context_returned();
}

/* Frees what an earlier context had at this top, if its fibre is still there. */
static VERD__UNWATCHED void release_earlier(struct fibre *fibre)
{
    if (fibre->checksum == checksum(fibre))
        release(fibre);
}

VERD__UNWATCHED void verd__context_prepare(verd_context *ctx, void *stack, size_t size,
                                           verd_context_fn fn)
{
    uintptr_t top = ((uintptr_t)stack + size) & ~(uintptr_t)15;
    struct fresh *fresh = (struct fresh *)(top - sizeof *fresh);

    release_earlier(&fresh->fibre);
    memset(fresh, 0, sizeof *fresh);
    fresh->fibre = (struct fibre){.low = stack, .size = size, .fn = fn};
    fresh->fibre.checksum = checksum(&fresh->fibre);
    fresh->suspended = (struct suspended){{&fresh->frame}, &fresh->fibre};
    verd__context_stamp(&fresh->frame, begin);
    ctx->sp = &fresh->suspended;
}

#else

typedef int verd__nothing; /* a file of C has something in it */

#endif
