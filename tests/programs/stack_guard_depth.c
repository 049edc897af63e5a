/* SPDX-License-Identifier: MIT */

/* A function whose frame is larger than what is left of the stack may touch its far end first. Wherever
 * within VERD_STACK_GUARD bytes below the stack that is, it is a stack overflow, and nobody else's memory. */
#include <stdint.h>

#include <verd.h>

#include "child.h"
#include "../support/process.h"

#ifndef VERD_STACK_GUARD
#define VERD_STACK_GUARD 0
#endif

#define GUARD ((size_t)64 * 1024)
#define STEP ((size_t)4 * 1024)
#define NEIGHBOURS 32

static size_t stack_size, depth; /* bytes; below the stack */

/* The stack's top is some bytes above this frame, so the address lies at least `depth` below its low end. */
static void *touch(void *arg)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    *(volatile char *)(here - stack_size - depth) = 1;
    return arg;
}

static void *park(void *arg)
{
    verd_park();
    return arg;
}

/* Among others, whose stacks lie above and below. */
static void touch_below(void)
{
    verd_attr attr = {.name = "large", .stack_size = stack_size};
    verd_thread *middle = NULL;
    for (int i = 0; i < NEIGHBOURS; i++) {
        if (i == NEIGHBOURS / 2)
            middle = verd_spawn_with(&attr, touch, NULL);
        verd_spawn_with(&attr, park, NULL);
    }
    verd_join(middle, NULL);
}

/* Not the last step, because of what lies between the top and the frame. */
static int touch_everywhere(size_t size)
{
    static const struct scene scene = {
        .name = "touching below a stack",
        .play = touch_below,
        .signal = SIGSEGV,
        .contained = {"libverd: stack overflow in thread ", " \"large\":"},
    };
    int result = 0;
    stack_size = size;
    for (depth = 0; depth + 3 * STEP <= GUARD; depth += STEP) {
        if (play_all(&scene, 1) == 0)
            continue;
        printf("%zu bytes below a stack of %zu\n", depth, size);
        result = 1;
    }
    return result;
}

static long resident_kib(void)
{
    long kib = -1;
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && kib < 0 && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "VmRSS: %ld", &kib);
    if (file != NULL)
        fclose(file);
    return kib;
}

static void spawn_parked(int threads)
{
    verd_attr attr = {.stack_size = VERD_STACK_SIZE};
    for (int i = 0; i < threads; i++)
        verd_spawn_with(&attr, park, NULL);
    verd_yield();
}

/* A parked thread costs a page and its control block, and nothing for the guard.  An emulator's own
 * tables are in the sum, too. */
static int guards_cost_no_memory(void)
{
    enum { THREADS = 2000, EACH_KIB = 6 };
    if (process_is_emulated())
        return 0;
    spawn_parked(THREADS);
    long before = resident_kib();
    spawn_parked(THREADS);
    long each = (resident_kib() - before) * 1024 / THREADS;
    if (each <= EACH_KIB * 1024)
        return 0;
    printf("a parked thread costs %ld bytes\n", each);
    return 1;
}

int main(void)
{
    int result = VERD_STACK_GUARD >= GUARD ? 0 : 1;
    if (faults_are_caught())
        return skip("a sanitizer catches SIGSEGV itself");
    if (result != 0)
        printf("VERD_STACK_GUARD is %zu\n", (size_t)VERD_STACK_GUARD);
    result |= touch_everywhere(VERD_STACK_SIZE_MIN);
    result |= touch_everywhere(VERD_STACK_SIZE);
    result |= touch_everywhere((size_t)1024 * 1024);
    return result | guards_cost_no_memory();
}
