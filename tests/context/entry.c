/* SPDX-License-Identifier: MIT */

/* A context's first function finds the stack that the ABI promises it. */
#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <verd/context.h>

#define LARGEST (4096 + 64)
#define TOUCHED 256 /* bytes at the top of a stack that verd_context_make may write */

typedef uint64_t two_words __attribute__((vector_size(16)));

static verd_context here, there;
static char memory[64 + 2 * LARGEST + 64] __attribute__((aligned(64)));
static bool aligned;

/* The vector lives on the stack; the compiler stores it with an instruction that faults if the
 * stack is not aligned as the ABI promises. */
static void store_a_vector(void *value)
{
    volatile two_words vector = {1, 2};
    aligned = (uintptr_t)&vector % 16 == 0 && (uintptr_t)__builtin_frame_address(0) % 16 == 0;
    verd_context_switch(&there, &here, value);
}

Test(context, the_stack_is_aligned_at_entry_for_every_address_and_size)
{
    int misaligned = 0;
    for (size_t offset = 0; offset < 17; offset++)
        for (size_t size = 2 * 4096; size <= 2 * 4096 + 64; size++) {
            verd_context_make(&there, memory + offset, size, store_a_vector);
            verd_context_switch(&here, &there, NULL);
            misaligned += !aligned;
        }
    cr_assert_eq(misaligned, 0, "%d of them misaligned", misaligned);
}

static void give_way(void *value)
{
    verd_context_switch(&there, &here, value);
}

Test(context, the_smallest_stack_allowed_runs_a_small_function)
{
    int value;
    verd_context_make(&there, memory, VERD_CONTEXT_STACK_MIN, give_way);
    cr_assert_eq(verd_context_switch(&here, &there, &value), &value);
}

static bool all_bytes_are(const char *bytes, size_t size, char expected)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != expected)
            return false;
    return true;
}

Test(context, making_a_context_writes_to_the_top_of_its_stack_only)
{
    for (size_t size = 4096; size <= LARGEST; size++) {
        memset(memory, 0x55, sizeof memory);
        char *stack = memory + 64 + size % 17;
        verd_context_make(&there, stack, size, give_way);
        char *end = stack + size;
        cr_assert(all_bytes_are(memory, (size_t)(end - TOUCHED - memory), 0x55), "size %zu", size);
        cr_assert(all_bytes_are(end, (size_t)(memory + sizeof memory - end), 0x55), "size %zu",
                  size);
    }
}
