/* SPDX-License-Identifier: MIT */
#include "stack/arena.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <verd/thread.h>

#include "stack/line.h"
#include "stack/memory.h"
#include "stack/valgrind.h"

#define STACKS_MAX 64                         /* the bits of `clean` */
#define BYTES_MAX ((size_t)256 * 1024 * 1024) /* of an arena with more than one stack */

/* Colours: 16 cache lines, so that with its struct and a few frames the top of a parked stack still
 * fits into one page. */
#define COLOURS 16
#define CACHE_LINE 64

/* Since Linux 6.13, <linux/mman.h>: page table entries that fault, without a mapping for them. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* Since Linux 5.10, and the same on every architecture. */
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif

/* Since Linux 6.14, <linux/pidfd.h>: this thread, without opening a pidfd. */
#ifndef PIDFD_SELF_THREAD
#define PIDFD_SELF_THREAD (-10000)
#endif

/* What the kernel can do, found out by trying. Threads may find out at the same time: the same. Under
 * AddressSanitizer guards have to be mappings, for its leak check reads all that looks readable. */
enum guard { GUARD_BATCHED, GUARD_SINGLY, GUARD_MPROTECT };
static _Atomic(enum guard) best_guard = VERD__MEMORY_IS_READ ? GUARD_MPROTECT : GUARD_BATCHED;

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* At least VERD_STACK_GUARD, and an odd number of pages, as stacks are a power of two of them. */
static size_t guard_size(void)
{
    size_t page = page_size();
    size_t pages = (VERD_STACK_GUARD + page - 1) / page;
    return (pages | 1) * page;
}

static char *guard_of(const struct verd__arena *arena, unsigned index)
{
    return arena->base + index * arena->stride;
}

/* These return whether all guards are there now. false with errno, of which ENOMEM says nothing of what
 * the kernel can do; unchanged if an emulator has said something that cannot be. */

/* One system call for all guards. */
static bool guard_batched(const struct verd__arena *arena)
{
    struct iovec guards[STACKS_MAX];
    if (verd__on_valgrind())
        return false;
    for (unsigned i = arena->count; i-- > 0;)
        guards[i] = (struct iovec){guard_of(arena, i), arena->guard};
    long done = syscall(SYS_process_madvise, PIDFD_SELF_THREAD, guards, arena->count,
                        MADV_GUARD_INSTALL, 0);
    if (done > 0)
        errno = ENOMEM; /* some */
    return done == (long)(arena->count * arena->guard);
}

/* Emulators of system calls, as qemu's user mode, say yes to any advice and do nothing. */
#define MADV_NONSENSE 0x5a5a

static bool guard_singly(const struct verd__arena *arena)
{
    if (madvise(arena->base, arena->guard, MADV_NONSENSE) == 0)
        return false;
    for (unsigned i = arena->count; i-- > 0;) {
        if (madvise(guard_of(arena, i), arena->guard, MADV_GUARD_INSTALL) != 0)
            return false;
    }
    return true;
}

/* Each guard splits the mapping, and a process may have only so many. */
static bool guard_mprotect(const struct verd__arena *arena)
{
    for (unsigned i = arena->count; i-- > 0;) {
        if (mprotect(guard_of(arena, i), arena->guard, PROT_NONE) == 0)
            continue;
        static _Atomic(bool) said;
        if (errno == ENOMEM && !atomic_exchange(&said, true)) {
            struct verd__line line = {0};
            verd__line_text(&line, "no mapping left for a stack's guard: raise the sysctl "
                                   "vm.max_map_count (two per thread on this kernel)");
            verd__line_write(&line);
        }
        return false;
    }
    return true;
}

static bool guard_all(const struct verd__arena *arena)
{
    enum guard guard = atomic_load_explicit(&best_guard, memory_order_relaxed);
    for (; guard != GUARD_MPROTECT; guard++) {
        errno = 0;
        bool done = guard == GUARD_BATCHED ? guard_batched(arena) : guard_singly(arena);
        if (done || errno == ENOMEM)
            return done;
        atomic_store_explicit(&best_guard, guard + 1, memory_order_relaxed);
    }
    return guard_mprotect(arena);
}

static unsigned stacks_per_arena(size_t stride)
{
    size_t count = BYTES_MAX / stride;
    return count > STACKS_MAX ? STACKS_MAX : count == 0 ? 1 : (unsigned)count;
}

struct verd__arena *verd__arena_new(size_t size)
{
    int saved = errno; /* finding out what the kernel can do changes it */
    struct verd__arena *arena = calloc(1, sizeof *arena);
    if (arena == NULL)
        return NULL;
    arena->size = size;
    arena->guard = guard_size();
    arena->stride = size + arena->guard;
    arena->count = stacks_per_arena(arena->stride);
    arena->clean = UINT64_MAX >> (STACKS_MAX - arena->count);
    size_t length = arena->count * arena->stride;
    arena->base = mmap(NULL, length, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (arena->base == MAP_FAILED)
        goto no_mapping;
    (void)madvise(arena->base, length, MADV_NOHUGEPAGE); /* EINVAL: the kernel has none anyway */
    if (!guard_all(arena))
        goto no_guards;
    for (unsigned i = 0; i < arena->count; i++)
        verd__valgrind_guard(guard_of(arena, i), arena->guard);
    verd__memory_register(arena->base, length);
    errno = saved;
    return arena;

no_guards:
    munmap(arena->base, length);
no_mapping:
    free(arena);
    errno = ENOMEM;
    return NULL;
}

void verd__arena_free(struct verd__arena *arena)
{
    size_t length = arena->count * arena->stride;
    verd__memory_deregister(arena->base, length);
    munmap(arena->base, length);
    free(arena);
}

void verd__arena_insert(struct verd__arena **ring, struct verd__arena *arena)
{
    if (*ring == NULL) {
        arena->next = arena->previous = arena;
    } else {
        arena->next = *ring;
        arena->previous = (*ring)->previous;
        arena->previous->next = arena;
        arena->next->previous = arena;
    }
    *ring = arena;
}

void verd__arena_remove(struct verd__arena **ring, struct verd__arena *arena)
{
    if (arena->next == arena) {
        *ring = NULL;
        return;
    }
    arena->previous->next = arena->next;
    arena->next->previous = arena->previous;
    if (*ring == arena)
        *ring = arena->next;
}

void verd__arena_move_last(struct verd__arena **ring, struct verd__arena *arena)
{
    verd__arena_remove(ring, arena);
    struct verd__arena *first = *ring;
    verd__arena_insert(ring, arena); /* before the first is also behind the last */
    if (first != NULL)
        *ring = first;
}

struct verd__stack *verd__arena_stack(const struct verd__arena *arena, unsigned index)
{
    char *top = guard_of(arena, index) + arena->stride;
    size_t colour = index % COLOURS * CACHE_LINE;
    return (struct verd__stack *)(void *)(top - colour - sizeof(struct verd__stack));
}

char *verd__arena_low(const struct verd__arena *arena, unsigned index)
{
    return guard_of(arena, index) + arena->guard;
}

void verd__arena_clean(const struct verd__arena *arena, unsigned index, size_t offset, size_t size)
{
    (void)madvise(verd__arena_low(arena, index) + offset, size, MADV_DONTNEED);
}

bool verd__arena_is_clean(const struct verd__arena *arena)
{
    return arena->clean == UINT64_MAX >> (STACKS_MAX - arena->count);
}
