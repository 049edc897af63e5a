/* SPDX-License-Identifier: MIT */

/* Stacks as the scheduler takes and gives them back: where they lie, and what they cost. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/resource.h>

#include <verd/thread.h>

#include "process.h"
#include "stack/arena.h"
#include "shortage.h"
#include "taken.h"

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static void give(struct verd__stack *stack)
{
    verd__stack_give(&stacks, stack);
}

Test(stack, every_byte_from_the_lowest_up_to_the_struct_can_be_used)
{
    struct verd__stack *stack = take(VERD_STACK_SIZE);
    memset(stack->low, 1, verd__stack_size(stack));
    cr_assert(stack->low[0] == 1 && ((char *)stack)[-1] == 1);
}

Test(stack, hardly_anything_of_the_size_is_missing)
{
    bool good = true;
    for (size_t size = VERD_STACK_SIZE_MIN; size <= 1024 * 1024; size *= 2) {
        for (int i = 0; i < 70; i++)
            good = good && verd__stack_size(take(size)) >= size - 2048;
    }
    cr_assert(good);
}

Test(stack, sizes_are_rounded_up_to_powers_of_two)
{
    size_t wanted[] = {16384, 16385, 20000, 65536, 65537, 1000000, 1048576};
    bool good = true;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        size_t size = verd__stack_class_size(take(wanted[i]));
        size_t least = wanted[i] > page_size() ? wanted[i] : page_size();
        good = good && (size & (size - 1)) == 0 && size >= least && size / 2 < least;
    }
    cr_assert(good);
}

Test(stack, the_largest_stack_can_be_had_and_costs_no_memory)
{
    need_address_space(2 * VERD_STACK_SIZE_MAX);
    if (UNDER_SANITIZER || process_is_translated())
        cr_skip_test("shadow memory and emulator count too");
    long before = process_kib("VmRSS");
    const struct verd__stack *stack = take(VERD_STACK_SIZE_MAX);
    cr_assert(stack != NULL && process_kib("VmRSS") - before < 1024);
}

Test(stack, stacks_are_suitably_aligned)
{
    uintptr_t bits = 0;
    for (int i = 0; i < 100; i++)
        bits |= (uintptr_t)take(VERD_STACK_SIZE);
    cr_assert_eq(bits % 16, 0);
}

Test(stack, neighbours_lie_an_odd_number_of_pages_apart)
{
    const struct verd__stack *one = take(VERD_STACK_SIZE), *other = take(VERD_STACK_SIZE);
    size_t apart = (size_t)labs(other->low - one->low);
    cr_assert(apart % page_size() == 0 && apart / page_size() % 2 == 1);
}

Test(stack, a_guard_lies_between_a_stack_and_the_neighbour_below)
{
    const struct verd__stack *one = take(VERD_STACK_SIZE_MIN), *other = take(VERD_STACK_SIZE_MIN);
    const struct verd__stack *above = one > other ? one : other;
    size_t apart = (size_t)labs(other->low - one->low);
    cr_assert(apart == verd__stack_class_size(one) + verd__stack_guard(above) &&
              verd__stack_guard(above) >= VERD_STACK_GUARD);
}

Test(stack, the_tops_of_neighbours_use_different_cache_lines_of_their_pages)
{
    uintptr_t offsets[16];
    size_t equal = 0;
    for (int i = 0; i < 16; i++) {
        offsets[i] = (uintptr_t)take(VERD_STACK_SIZE) % page_size() / 64;
        for (int j = 0; j < i; j++)
            equal += offsets[i] == offsets[j];
    }
    cr_assert_eq(equal, 0);
}

Test(stack, a_fresh_stack_is_zero)
{
    struct verd__stack *stack = take(VERD_STACK_SIZE_MIN);
    size_t set = bytes_set(stack->low, verd__stack_size(stack));
    cr_assert_eq(set + bytes_set(stack->area, sizeof stack->area), 0);
}

Test(stack, the_stack_given_back_last_is_the_next_to_be_taken)
{
    struct verd__stack *one = take(VERD_STACK_SIZE), *other = take(VERD_STACK_SIZE);
    give(one);
    give(other);
    cr_assert(take(VERD_STACK_SIZE) == other && take(VERD_STACK_SIZE) == one);
}

Test(stack, a_stack_goes_back_to_its_own_size)
{
    struct verd__stack *small = take(VERD_STACK_SIZE_MIN);
    give(small);
    cr_assert_neq(take(1024 * 1024), small);
}

static long page_faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

Test(stack, taking_a_stack_from_the_cache_touches_no_new_page)
{
    if (process_is_translated())
        cr_skip_test("the emulator has faults of its own");
    give(take(VERD_STACK_SIZE));
    long before = page_faults();
    for (int i = 0; i < 10000; i++)
        give(take(VERD_STACK_SIZE));
    cr_assert_lt(page_faults() - before, 100);
}

/* ---- guards ---- */

static void touch(void *address)
{
    *(volatile char *)address = 1;
}

/* Sanitizers turn the fault into an exit of their own. */
static bool faulted(const struct process_end *end)
{
    struct sigaction action;
    sigaction(SIGSEGV, NULL, &action);
    return action.sa_handler == SIG_DFL ? process_died_of(end, SIGSEGV) : end->status != 0;
}

static bool is_guarded(const struct verd__stack *stack)
{
    struct process_end lowest = process_run(touch, stack->low);
    struct process_end below = process_run(touch, stack->low - 1);
    struct process_end bottom = process_run(touch, stack->low - VERD_STACK_GUARD);
    return lowest.status == 0 && faulted(&below) && faulted(&bottom);
}

Test(stack, each_stack_of_an_arena_has_a_guard_below)
{
    enum { SOME = 4 };
    size_t guarded = 0;
    for (int i = 0; i < SOME; i++) {
        guarded += is_guarded(take(VERD_STACK_SIZE));
        for (int j = 0; j < 20; j++)
            take(VERD_STACK_SIZE);
    }
    cr_assert_eq(guarded, SOME);
}

Test(stack, stacks_of_every_size_have_guards)
{
    need_address_space(2 * VERD_STACK_SIZE_MAX);
    size_t sizes[] = {VERD_STACK_SIZE_MIN, 1024 * 1024, VERD_STACK_SIZE_MAX};
    size_t guarded = 0;
    for (int i = 0; i < 3; i++)
        guarded += is_guarded(take(sizes[i]));
    cr_assert_eq(guarded, 3);
}

/* ---- beyond the cache ---- */

enum { CROWD = 1500 };
static struct verd__stack *crowd[CROWD];

static void take_crowd(void)
{
    for (size_t i = 0; i < CROWD; i++)
        crowd[i] = take(VERD_STACK_SIZE_MIN);
}

/* In an order in which the stacks of an arena do not follow one another. */
static void give_crowd(size_t step)
{
    for (size_t i = 0, at = 0; i < CROWD; i++, at = (at + step) % CROWD)
        give(crowd[at]);
}

static void clean_spare(void)
{
    while (verd__stacks_clean_some(&stacks))
        ;
}

/* All that is not taken becomes clean. */
static void clean_all(void)
{
    clean_spare();
    verd__stacks_age(&stacks);
    clean_spare();
}

#define PRIME ((size_t)409) /* to CROWD: visits each once */

Test(stack, a_stack_whose_pages_were_given_back_keeps_its_guard)
{
    take_crowd();
    give_crowd(1);
    clean_all();
    take_crowd();
    cr_assert(is_guarded(crowd[CROWD - 1]));
}

/* Uses so many bytes of each of so many stacks of that size, and gives them all back; what is resident of it, in KiB. */
static long resident_after(size_t count, size_t size, size_t used)
{
    if (UNDER_SANITIZER || process_is_translated())
        cr_skip_test("shadow memory and emulator count too");
    long before = process_kib("VmRSS");
    for (size_t i = 0; i < count; i++) {
        crowd[i] = take(size);
        memset(crowd[i]->low, 1, used);
    }
    for (size_t i = 0; i < count; i++)
        give(crowd[i]);
    clean_all();
    return process_kib("VmRSS") - before;
}

Test(stack, what_is_not_taken_again_goes_back_to_the_page)
{
    cr_assert_lt(resident_after(CROWD, VERD_STACK_SIZE_MIN, 8192), 512);
}

Test(stack, huge_stacks_go_back_too)
{
    need_address_space((size_t)10 * 256 * 1024 * 1024);
    cr_assert_lt(resident_after(10, 256 * 1024 * 1024, 4 * 1024 * 1024), 512);
}

Test(stack, no_more_than_a_piece_goes_back_at_a_time)
{
    enum { LARGE = 4 * 1024 * 1024, PIECES = LARGE / VERD__STACK_PIECE };
    size_t steps = 0;
    give(take(LARGE));
    verd__stacks_age(&stacks);
    while (verd__stacks_clean_some(&stacks))
        steps++;
    cr_assert_eq(steps, PIECES);
}

Test(stack, a_spare_stack_is_taken_before_a_clean_one)
{
    struct verd__stack *stack = take(VERD_STACK_SIZE);
    give(stack);
    verd__stacks_age(&stacks);
    cr_assert_eq(take(VERD_STACK_SIZE), stack);
}

Test(stack, a_spare_stack_that_is_taken_in_the_midst_of_its_cleaning_leaves_the_next_one_whole)
{
    enum { LARGE = 4 * 1024 * 1024 };
    struct verd__stack *under = take(LARGE), *above = take(LARGE);
    memset(under->low, 1, VERD__STACK_PIECE);
    give(under);
    give(above);
    verd__stacks_age(&stacks);
    verd__stacks_clean_some(&stacks); /* of the one above */
    take(LARGE);
    clean_spare();
    const struct verd__stack *again = take(LARGE);
    cr_assert(again == under && bytes_set(again->low, VERD__STACK_PIECE) == 0);
}

Test(stack, what_was_given_since_the_cache_has_aged_stays)
{
    struct verd__stack *stack = take(VERD_STACK_SIZE);
    stack->low[0] = 1;
    verd__stacks_age(&stacks);
    give(stack);
    clean_spare();
    cr_assert(take(VERD_STACK_SIZE) == stack && stack->low[0] == 1);
}

Test(stack, the_stack_that_is_one_too_many_is_told)
{
    for (size_t i = 0; i <= VERD__STACK_KEPT; i++)
        crowd[i] = take(VERD_STACK_SIZE);
    size_t told = 0;
    for (size_t i = 0; i < VERD__STACK_KEPT; i++)
        told += verd__stack_give(&stacks, crowd[i]);
    cr_assert(told == 0 && verd__stack_give(&stacks, crowd[VERD__STACK_KEPT]));
}

Test(stack, of_huge_stacks_each_is_told)
{
    need_address_space(2 * VERD_STACK_SIZE_MAX);
    cr_assert(verd__stack_give(&stacks, take(VERD_STACK_SIZE_MAX)));
}

Test(stack, a_stack_whose_pages_were_given_back_is_zero_again)
{
    take_crowd();
    for (size_t i = 0; i < CROWD; i++)
        memset(crowd[i]->low, 1, 8192);
    give_crowd(PRIME);
    clean_all();
    take_crowd();
    const struct verd__stack *last = crowd[CROWD - 1];
    cr_assert_eq(bytes_set(last->low, 8192) + bytes_set(last->area, sizeof last->area), 0);
}

Test(stack, below_a_frame_whole_pages_go_back_and_the_frame_stays)
{
    struct verd__stack *stack = take(VERD_STACK_SIZE_MIN);
    size_t page = page_size();
    memset(stack->low, 1, 2 * page);
    cr_assert_eq(verd__stack_clean_below(stack, stack->low + page + 100, 0), page);
    cr_assert(bytes_set(stack->low, page) == 0 && bytes_set(stack->low + page, page) == page);
}

static size_t mappings_after_crowd(size_t step)
{
    take_crowd();
    give_crowd(step);
    clean_all();
    return process_mappings();
}

/* Whether guards split the mapping of an arena. */
static bool guards_are_mappings(void)
{
    size_t before = process_mappings();
    take(64 * 1024);
    return process_mappings() - before > 8;
}

Test(stack, arenas_are_unmapped_when_all_their_stacks_are_clean)
{
    if (guards_are_mappings())
        cr_skip_test("neighbouring arenas cannot be told from the count of mappings");
    const struct verd__stack *first = take(VERD_STACK_SIZE_MIN);
    long each = (long)(verd__stack_class_size(first) + verd__stack_guard(first)) / 1024;
    long before = process_kib("VmSize");
    mappings_after_crowd(1);
    cr_assert_lt(process_kib("VmSize") - before, 2 * 64 * each * 101 / 100); /* two arenas */
}

static size_t count_arenas(const struct verd__arena *first)
{
    size_t count = 1;
    for (const struct verd__arena *arena = first->next; arena != first; arena = arena->next)
        count++;
    return count;
}

Test(stack, no_arena_is_mapped_while_another_has_a_clean_stack)
{
    enum { ARENA = 64, SOME = 10 };
    unsigned class = verd__stack_class(VERD_STACK_SIZE_MIN);
    for (size_t i = 0; i < 2 * ARENA; i++)
        crowd[i] = take(VERD_STACK_SIZE_MIN);
    for (size_t i = 0; i < 2 * SOME; i++) /* of both in turn */
        give(crowd[i % 2 * ARENA + i / 2]);
    clean_all();
    for (size_t i = 0; i < 2 * SOME; i++)
        take(VERD_STACK_SIZE_MIN);
    cr_assert_eq(count_arenas(stacks.classes[class].arenas), 2);
}

Test(stack, taking_and_giving_a_crowd_again_and_again_maps_no_more)
{
    size_t first = mappings_after_crowd(PRIME);
    for (int i = 0; i < 5; i++)
        mappings_after_crowd(PRIME);
    cr_assert_leq(process_mappings(), first + 8);
}

/* Each taken stack bears a mark of its own, at both ends; one handed out twice loses it. */
static void set_mark(struct verd__stack *stack, size_t mark)
{
    memcpy(stack->low, &mark, sizeof mark);
    memcpy((char *)stack - sizeof mark, &mark, sizeof mark);
}

static bool has_mark(const struct verd__stack *stack, size_t mark)
{
    return memcmp(stack->low, &mark, sizeof mark) == 0 &&
           memcmp((const char *)stack - sizeof mark, &mark, sizeof mark) == 0;
}

Test(stack, no_stack_is_handed_out_twice)
{
    size_t lost = 0, at = 0;
    for (size_t i = 0; i < 60000; i++) {
        if (i % 50 == 0 && !verd__stacks_clean_some(&stacks))
            verd__stacks_age(&stacks);
        /* Waves: takes more than it gives, then gives more than it takes. */
        bool wants_more = i / 10000 % 2 == 0;
        at = (at + (wants_more ? PRIME : 1)) % CROWD;
        if (crowd[at] == NULL) {
            crowd[at] = take(VERD_STACK_SIZE_MIN);
            set_mark(crowd[at], at + 1);
        } else if (!wants_more || i % 3 == 0) {
            lost += !has_mark(crowd[at], at + 1);
            give(crowd[at]);
            crowd[at] = NULL;
        }
    }
    for (size_t i = 0; i < CROWD; i++)
        lost += crowd[i] != NULL && !has_mark(crowd[i], i + 1);
    cr_assert_eq(lost, 0);
}

Test(stack, freeing_all_stacks_unmaps_taken_and_cached_ones)
{
    if (UNDER_TSAN)
        cr_skip_test("ThreadSanitizer has mappings of its own for each");
    need_address_space(4 * VERD_STACK_SIZE_MAX);
    size_t before = process_mappings();
    for (size_t size = VERD_STACK_SIZE_MIN; size <= VERD_STACK_SIZE_MAX; size *= 4) {
        take(size);
        give(take(size));
    }
    verd__stacks_free(&stacks);
    cr_assert_leq(process_mappings(), before + 2);
}
