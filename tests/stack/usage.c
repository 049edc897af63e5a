/* SPDX-License-Identifier: MIT */

/* Stacks as threads see them: how much of what they asked for they can use, and have used. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>

#include <verd.h>

#include "process.h"
#include "stack/memory.h"
#include "shortage.h"

/* Uses about so many bytes of the stack, each page of them. */
static __attribute__((noinline)) void *use_stack(void *bytes)
{
    size_t size = (size_t)(uintptr_t)bytes;
    volatile char frame[size];
    for (size_t at = size; at > 256; at -= 256)
        frame[at - 1] = 1;
    frame[0] = 1;
    return frame[0] ? bytes : NULL;
}

static void *use_and_park(void *bytes)
{
    use_stack(bytes);
    verd_park();
    return NULL;
}

#ifdef VERD__ASAN
#define SPARE 8192 /* frames are larger, and a first call through the dynamic linker comes on top */
#else
#define SPARE 4096
#endif

/* Whether a thread with a stack of that size, as it is asked for and rounded up, can use all of it but a page. */
static bool can_use(size_t asked, size_t size)
{
    verd_attr attr = {.stack_size = asked};
    size_t used = size - SPARE;
    void *result = NULL;
    verd_join(verd_spawn_with(&attr, use_stack, (void *)(uintptr_t)used), &result);
    return (size_t)(uintptr_t)result == used;
}

Test(stack, a_thread_can_use_nearly_all_of_its_stack)
{
    cr_assert(can_use(0, VERD_STACK_SIZE));
}

Test(stack, a_thread_can_use_nearly_all_of_the_smallest_stack)
{
    cr_assert(can_use(VERD_STACK_SIZE_MIN, VERD_STACK_SIZE_MIN));
}

Test(stack, a_thread_can_use_nearly_all_of_a_large_stack)
{
    cr_assert(can_use(8 * 1024 * 1024, 8 * 1024 * 1024));
}

Test(stack, a_size_that_was_asked_for_is_rounded_up)
{
    cr_assert(can_use(300000, 512 * 1024));
}

static int spawn_errno(size_t size)
{
    verd_attr attr = {.stack_size = size};
    errno = 0;
    return verd_spawn_with(&attr, use_stack, NULL) == NULL ? errno : 0;
}

Test(stack, a_size_below_the_minimum_is_EINVAL)
{
    cr_assert(spawn_errno(1) == EINVAL && spawn_errno(VERD_STACK_SIZE_MIN - 1) == EINVAL);
}

Test(stack, a_size_above_the_maximum_is_EINVAL)
{
    cr_assert(spawn_errno(VERD_STACK_SIZE_MAX + 1) == EINVAL && spawn_errno(SIZE_MAX) == EINVAL);
}

Test(stack, the_smallest_and_the_largest_size_are_good)
{
    need_address_space(2 * VERD_STACK_SIZE_MAX);
    cr_assert(spawn_errno(VERD_STACK_SIZE_MIN) == 0 && spawn_errno(VERD_STACK_SIZE_MAX) == 0);
}

static ssize_t used_by(size_t bytes)
{
    verd_thread *t = verd_spawn(use_and_park, (void *)(uintptr_t)bytes);
    verd_yield();
    return verd_stack_used(t);
}

Test(stack, a_thread_in_a_shallow_call_has_used_little)
{
    ssize_t used = used_by(1);
    cr_assert(used > 0 && used < (UNDER_SANITIZER ? 4096 : 2048));
}

Test(stack, the_bytes_used_are_counted_to_the_deepest_call)
{
    ssize_t used = used_by(100000);
    cr_assert(used >= 100000 && used < 104000);
}

static void *own_usage(void *bytes)
{
    use_stack(bytes);
    return (void *)(intptr_t)verd_stack_used(verd_self());
}

Test(stack, a_thread_can_ask_for_its_own_usage)
{
    void *result = NULL;
    verd_join(verd_spawn(own_usage, (void *)50000), &result);
    cr_assert((intptr_t)result >= 50000 && (intptr_t)result < 54000);
}

Test(stack, asking_for_the_usage_of_a_huge_stack_makes_none_of_it_resident)
{
    if (UNDER_SANITIZER || process_is_emulated())
        cr_skip_test("shadow memory and emulator count too");
    verd_attr attr = {.stack_size = 64 * 1024 * 1024};
    verd_thread *t = verd_spawn_with(&attr, use_and_park, (void *)1);
    verd_yield();
    long before = process_kib("VmRSS");
    verd_stack_used(t);
    cr_assert_lt(process_kib("VmRSS") - before, 1024);
}

static int usage_errno(verd_thread *t)
{
    errno = 0;
    return verd_stack_used(t) == -1 ? errno : 0;
}

Test(stack, the_usage_of_no_thread_is_EINVAL)
{
    verd_self();
    cr_assert_eq(usage_errno(NULL), EINVAL);
}

Test(stack, the_usage_of_a_thread_that_has_not_started_is_EINVAL)
{
    cr_assert_eq(usage_errno(verd_spawn(use_stack, NULL)), EINVAL);
}

Test(stack, the_usage_of_a_thread_that_has_not_started_but_has_its_stack_is_EINVAL)
{
    cr_assert_eq(usage_errno(verd_spawn_with(NULL, use_stack, NULL)), EINVAL);
}

Test(stack, the_usage_of_a_thread_that_has_ended_is_EINVAL)
{
    verd_thread *t = verd_spawn(use_stack, (void *)1);
    verd_wait(t, NULL);
    cr_assert_eq(usage_errno(t), EINVAL);
}

Test(stack, the_usage_of_the_main_thread_is_ENOTSUP)
{
    cr_assert_eq(usage_errno(verd_self()), ENOTSUP);
}
