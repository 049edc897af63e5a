/* SPDX-License-Identifier: MIT */

/* Stacks that go back to the kernel: whole, no more than them, and not only once. */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include <verd/thread.h>

#include "stack/arena.h"
#include "taken.h"

#define LARGE ((size_t)4 * 1024 * 1024)  /* several pieces */
#define HUGE ((size_t)256 * 1024 * 1024) /* an arena of its own */

static bool give(struct verd__stack *stack)
{
    return verd__stack_give(&stacks, stack);
}

/* All that is not taken becomes clean. */
static void clean_all(void)
{
    verd__stacks_age(&stacks);
    while (verd__stacks_clean_some(&stacks))
        ;
}

Test(stack, each_of_several_large_ones_goes_back_from_its_low_end_on)
{
    enum { SOME = 3 };
    struct verd__stack *some[SOME];
    size_t set = 0;
    for (int i = 0; i < SOME; i++)
        some[i] = take(LARGE);
    for (int i = 0; i < SOME; i++) {
        memset(some[i]->low, 1, VERD__STACK_PIECE);
        give(some[i]);
    }
    clean_all();
    for (int i = 0; i < SOME; i++)
        set += bytes_set(take(LARGE)->low, VERD__STACK_PIECE);
    cr_assert_eq(set, 0);
}

/* Takes so many and gives them back; how often it is told that the cache is to age. */
static size_t tell(size_t count)
{
    struct verd__stack *some[2 * VERD__STACK_KEPT];
    size_t told = 0;
    for (size_t i = 0; i < count; i++)
        some[i] = take(VERD_STACK_SIZE);
    for (size_t i = 0; i < count; i++)
        told += give(some[i]);
    return told;
}

Test(stack, the_one_too_many_is_told_each_time_that_the_cache_has_aged)
{
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(tell(VERD__STACK_KEPT), 0);
        cr_assert_eq(tell(VERD__STACK_KEPT + 1), 1);
        cr_assert_eq(tell(2 * VERD__STACK_KEPT), 1);
        clean_all();
    }
}

Test(stack, below_a_frame_nothing_of_the_frame_goes_back_with_the_last_piece)
{
    struct verd__stack *stack = take(LARGE);
    size_t page = (size_t)sysconf(_SC_PAGESIZE), below = VERD__STACK_PIECE + page;
    memset(stack->low, 1, 3 * VERD__STACK_PIECE);
    size_t done = verd__stack_clean_below(stack, stack->low + below, 0);
    cr_assert_eq(done, VERD__STACK_PIECE);
    cr_assert_eq(verd__stack_clean_below(stack, stack->low + below, done), below);
    cr_assert_eq(verd__stack_clean_below(stack, stack->low + below, below), below);
    cr_assert_eq(bytes_set(stack->low, below), 0);
    cr_assert_eq(bytes_set(stack->low + below, page), page);
}

static size_t count_arenas(void)
{
    const struct verd__arena *first = stacks.classes[verd__stack_class(HUGE)].arenas;
    size_t count = 1;
    for (const struct verd__arena *arena = first->next; arena != first; arena = arena->next)
        count++;
    return count;
}

Test(stack, one_huge_arena_is_kept_whichever_of_its_kind_becomes_clean)
{
    for (int which = 0; which < 2; which++) {
        struct verd__stack *two[] = {take(HUGE), take(HUGE)};
        const char *low = two[which]->low;
        give(two[which]);
        clean_all();
        cr_assert_eq(count_arenas(), 2);
        cr_assert_eq((two[which] = take(HUGE))->low, low);
        give(two[0]);
        give(two[1]);
        clean_all();
        cr_assert_eq(count_arenas(), 1);
    }
}

Test(stack, to_look_how_much_was_used_makes_no_page_resident)
{
    struct verd__stack *stack = take(LARGE);
    unsigned char resident = 1;
    stack->area[0] = 1;
    cr_assert_lt(verd__stack_used(stack), VERD_STACK_SIZE_MIN);
    cr_assert_eq(mincore(stack->low, 1, &resident), 0);
    cr_assert_eq(resident & 1, 0);
}
