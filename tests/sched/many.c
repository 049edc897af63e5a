/* SPDX-License-Identifier: MIT */

/* Numbers: of threads, and of the stacks and bytes that they cost. */
#include <criterion/criterion.h>

#include <verd.h>

#include "process.h"
#include "sched/scheduler.h"
#include "shortage.h"

#define KIB_PER_THREAD(kib, threads) ((kib) * 1024 / (threads))

static size_t running;
static const void *stacks_seen[64];
static size_t stacks_count;

static int scale(int count)
{
    return UNDER_SANITIZER || process_is_translated() || process_is_carried() ? count / 100 : count;
}

/* Notes which stack it runs on. */
static void note_stack(void *arg)
{
    (void)arg;
    const void *stack = verd__current->running->stack;
    running++;
    for (size_t i = 0; i < stacks_count; i++) {
        if (stacks_seen[i] == stack)
            return;
    }
    if (stacks_count < 64)
        stacks_seen[stacks_count++] = stack;
}

static void *park(void *arg)
{
    running++;
    verd_park();
    running--;
    return arg;
}

static void *nothing(void *arg)
{
    return arg;
}

Test(sched, a_million_threads_that_do_not_wait_use_one_stack)
{
    int many = scale(1000000);
    for (int i = 0; i < many; i++)
        verd_spawn_n(note_stack, NULL);
    verd_yield();
    cr_assert(running == (size_t)many && stacks_count == 1);
}

Test(sched, a_million_unstarted_threads_cost_a_cache_line_each)
{
    if (UNDER_SANITIZER || process_is_translated())
        cr_skip_test("shadow memory and emulator count too");
    int many = 1000000;
    verd_self();
    long before = process_kib("VmRSS");
    for (int i = 0; i < many; i++)
        verd_spawn_n(note_stack, NULL);
    long grown = process_kib("VmRSS") - before;
    cr_assert_leq(KIB_PER_THREAD(grown, many), 64 + 4);
}

Test(sched, control_blocks_are_used_again)
{
    int many = scale(100000);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < many; i++)
            verd_spawn_n(note_stack, NULL);
        verd_yield();
    }
    cr_assert_leq(verd_number(verd_spawn(nothing, NULL)), (size_t)many);
}

Test(sched, a_hundred_thousand_parked_threads_end_in_any_order)
{
    size_t many = (size_t)scale(100000), ended = 0;
    need_stacks(many);
    verd_thread **threads = malloc(many * sizeof *threads);
    for (size_t i = 0; i < many; i++)
        threads[i] = verd_spawn(park, &threads[i]);
    verd_yield();
    size_t parked = running;
    for (size_t i = 0, at = 0; i < many; i++, at = (at + 61331) % many) {
        void *result = NULL;
        verd_unpark(threads[at]);
        ended += verd_join(threads[at], &result) == 0 && result == &threads[at];
    }
    free(threads);
    cr_assert(parked == many && ended == many && running == 0);
}

static void park_and_release(size_t many)
{
    verd_thread **threads = malloc(many * sizeof *threads);
    for (size_t i = 0; i < many; i++)
        threads[i] = verd_spawn(park, NULL);
    verd_yield();
    for (size_t i = 0; i < many; i++) {
        verd_unpark(threads[i]);
        verd_release(threads[i]);
    }
    verd_yield();
    free(threads);
}

Test(sched, a_parked_thread_in_a_shallow_call_costs_one_page_of_stack)
{
    if (UNDER_SANITIZER || process_is_translated())
        cr_skip_test("shadow memory and emulator count too");
    enum { MANY = 10000 };
    verd_self();
    long before = process_kib("VmRSS");
    for (size_t i = 0; i < MANY; i++)
        verd_spawn(park, NULL);
    verd_yield();
    long grown = process_kib("VmRSS") - before;
    cr_assert_lt(KIB_PER_THREAD(grown, MANY), 5 * 1024); /* two would be 8 */
}

/* Whether that line of /proc/self/status comes down to so many KiB, which takes some seconds. */
static bool comes_down_to(const char *field, long most)
{
    for (int i = 0; i < 6000 && process_kib(field) > most; i++)
        verd_sleep(10 * VERD_MS);
    return process_kib(field) <= most;
}

Test(sched, memory_of_many_threads_that_ended_is_given_back)
{
    if (UNDER_SANITIZER || process_is_translated())
        cr_skip_test("shadow memory and emulator count too");
    enum { MANY = 20000 };
    park_and_release(10);
    long before = process_kib("VmRSS");
    park_and_release(MANY);
    /* Kept: control blocks. */
    cr_assert(comes_down_to("VmRSS", before + 512 + MANY * 64 / 1024 * 5 / 4));
}

Test(sched, page_tables_of_many_threads_that_ended_are_given_back)
{
    if (UNDER_SANITIZER || process_is_translated())
        cr_skip_test("shadow memory and emulator have page tables, too");
    enum { MANY = 20000 };
    park_and_release(10);
    long before = process_kib("VmPTE");
    park_and_release(MANY);
    /* A stack of 256 KiB has an eighth of a page of them; 2500 pages in all. */
    cr_assert(comes_down_to("VmPTE", before + 2500 * 4 / 10));
}
