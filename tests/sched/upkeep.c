/* SPDX-License-Identifier: MIT */
/* Memory that goes back: of stacks that nobody uses, and below the frames of those that wait for long. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include <verd.h>

#include "process.h"
#include "sched/scheduler.h"
#include "sched/slab.h"

#define DEEP ((size_t)128 * 1024)
#define SOME 200
#define PATIENCE 6000 /* of 10 ms */

static struct verd__upkeep *upkeep(void)
{
    return &verd__scheduler()->upkeep;
}

/* Uses so much of the stack, each page of it. */
static __attribute__((noinline)) unsigned go_deep(unsigned seed)
{
    volatile unsigned char frame[DEEP];
    unsigned sum = 0;
    for (size_t at = 0; at < DEEP; at += 64)
        frame[at] = (unsigned char)(seed + at);
    for (size_t at = 0; at < DEEP; at += 64)
        sum += frame[at];
    return sum;
}

static void *be_deep_and_park(void *arg)
{
    go_deep(1);
    verd_park();
    return arg;
}

static verd_thread *threads[SOME];

static void park_deep(void)
{
    for (size_t i = 0; i < SOME; i++)
        threads[i] = verd_spawn(be_deep_and_park, NULL);
    verd_yield();
}

static void end_from(size_t first)
{
    for (size_t i = first; i < SOME; i++) {
        verd_unpark(threads[i]);
        verd_join(threads[i], NULL);
    }
}

static void need_own_memory(void)
{
    if (UNDER_SANITIZER || process_is_translated())
        cr_skip_test("shadow memory and emulator count too");
}

/* Whether the process comes to have no more than that, in KiB, while main waits in this way. */
static bool comes_down_to(long most, void (*wait)(void))
{
    for (int i = 0; i < PATIENCE && process_kib("VmRSS") > most; i++)
        wait();
    return process_kib("VmRSS") <= most;
}

static void sleep_a_while(void)
{
    verd_sleep(10 * VERD_MS);
}

/* Without a timer, and without a descriptor. */
static void yield_a_while(void)
{
    verd_duration begin = verd_now();
    while (verd_now() - begin < 10 * VERD_MS)
        verd_yield();
}

Test(sched, a_peak_of_deep_stacks_goes_back)
{
    need_own_memory();
    verd_self();
    long before = process_kib("VmRSS");
    park_deep();
    end_from(0);
    cr_assert(comes_down_to(before + 2048, sleep_a_while));
}

Test(sched, a_peak_of_deep_stacks_goes_back_in_a_process_that_never_waits)
{
    need_own_memory();
    verd_self();
    long before = process_kib("VmRSS");
    park_deep();
    end_from(0);
    cr_assert(comes_down_to(before + 2048, yield_a_while));
}

Test(sched, after_a_peak_those_who_live_keep_theirs)
{
    enum { LIVING = 50 };
    need_own_memory();
    verd_self();
    long before = process_kib("VmRSS"), needed = LIVING * (long)DEEP / 1024;
    park_deep();
    end_from(LIVING);
    cr_assert(comes_down_to(before + needed * 5 / 4, sleep_a_while));
    cr_assert_geq(verd_stack_used(threads[0]), (ssize_t)DEEP);
}

/* How often the process is woken in a while. */
static long wakes(void)
{
    long before = process_waits();
    verd_sleep(300 * VERD_MS);
    return process_waits() - before;
}

Test(sched, a_process_that_has_given_all_back_is_not_woken)
{
    verd_reclaim_after(VERD_FOREVER);
    park_deep();
    end_from(0);
    do {
        verd_sleep(10 * VERD_MS);
    } while (upkeep()->due != VERD_FOREVER);
    cr_assert(wakes() <= 2 && !(verd__current->expecting & VERD__SURPLUS));
}

/* Each by itself costs more than a microsecond, with the page fault left out. */
Test(sched, a_peak_goes_back_in_slices)
{
    park_deep();
    end_from(0);
    struct verd__scheduler *scheduler = verd__current;
    verd__stacks_age(&scheduler->stacks);
    scheduler->upkeep.aging = 0;
    size_t slices = 0;
    do {
        verd__upkeep(scheduler);
        slices++;
    } while (scheduler->upkeep.aging == 0);
    cr_assert_gt(slices, 1);
}

static bool was_pending;

static void end_deadlock(void)
{
    was_pending = upkeep()->aging != VERD_FOREVER;
    verd_unpark(verd__handle(verd__current->main));
}

Test(sched, what_is_to_go_back_does_not_hide_a_deadlock)
{
    park_deep();
    end_from(0);
    verd_sleep(VERD_MS);
    verd_on_deadlock(end_deadlock);
    cr_assert(verd_park() == 0 && was_pending);
}

/* ---- those who wait for long ---- */

static bool comes_down_to_used(verd_thread *t, ssize_t most)
{
    for (int i = 0; i < PATIENCE && verd_stack_used(t) > most; i++)
        verd_sleep(10 * VERD_MS);
    return verd_stack_used(t) <= most;
}

Test(sched, who_waits_for_long_keeps_nothing_below_its_frames)
{
    need_own_memory();
    verd_reclaim_after(20 * VERD_MS);
    park_deep();
    cr_assert(verd_stack_used(threads[SOME - 1]) >= (ssize_t)DEEP);
    cr_assert(comes_down_to_used(threads[SOME - 1], 8192) && comes_down_to_used(threads[0], 8192));
}

Test(sched, who_has_waited_for_long_once_is_looked_after_again)
{
    need_own_memory();
    verd_reclaim_after(20 * VERD_MS);
    verd_thread *t = verd_spawn(be_deep_and_park, NULL);
    verd_yield();
    bool first = comes_down_to_used(t, 8192);
    verd_unpark(t);
    verd_join(t, NULL);
    t = verd_spawn(be_deep_and_park, NULL); /* on the same stack */
    verd_yield();
    bool was_deep = verd_stack_used(t) >= (ssize_t)DEEP;
    cr_assert(first && was_deep && comes_down_to_used(t, 8192));
}

Test(sched, who_does_not_wait_for_long_keeps_all)
{
    verd_reclaim_after(3600 * VERD_SEC);
    verd_thread *t = verd_spawn(be_deep_and_park, NULL);
    verd_yield();
    upkeep()->walking = upkeep()->due = 0;
    verd_sleep(20 * VERD_MS);
    while (upkeep()->walking == 0)
        verd_sleep(VERD_MS);
    cr_assert_geq(verd_stack_used(t), (ssize_t)DEEP);
}

Test(sched, all_who_wait_are_looked_after_by_default)
{
    cr_assert_eq(upkeep()->long_wait, VERD_RECLAIM_AFTER);
}

/* Its frames are of a few pages, and it goes deep again behind its wait. */
static void *wait_in_the_midst(void *rounds)
{
    unsigned char frame[10000];
    unsigned wrong = 0;
    for (size_t i = 0; i < (size_t)(uintptr_t)rounds; i++) {
        memset(frame, (int)i + 1, sizeof frame);
        unsigned sum = go_deep((unsigned)i);
        verd_sleep(100 * VERD_MS);
        for (size_t at = 0; at < sizeof frame; at++)
            wrong += frame[at] != (unsigned char)(i + 1);
        wrong += go_deep((unsigned)i) != sum;
    }
    return (void *)(uintptr_t)wrong;
}

Test(sched, who_has_waited_for_long_finds_its_frames_as_they_were)
{
    void *wrong[SOME] = {NULL};
    uintptr_t sum = 0;
    verd_reclaim_after(10 * VERD_MS);
    for (size_t i = 0; i < SOME; i++)
        threads[i] = verd_spawn(wait_in_the_midst, (void *)3);
    for (size_t i = 0; i < SOME; i++) {
        verd_join(threads[i], &wrong[i]);
        sum += (uintptr_t)wrong[i];
    }
    cr_assert_eq(sum, 0);
}

Test(sched, large_stacks_of_those_who_wait_for_long_go_back_piece_by_piece)
{
    need_own_memory();
    verd_attr attr = {.stack_size = 64 * 1024 * 1024};
    verd_reclaim_after(20 * VERD_MS);
    verd_thread *t = verd_spawn_with(&attr, be_deep_and_park, NULL);
    verd_yield();
    cr_assert(comes_down_to_used(t, 8192));
}

/* But once, for main has run. One that did not end would look every 10 ms. */
Test(sched, a_process_whose_threads_all_wait_for_long_is_not_woken)
{
    enum { MOST = 12 };
    verd_reclaim_after(20 * VERD_MS);
    park_deep();
    long least = MOST + 1;
    for (int i = 0; i < 100 && least > MOST; i++) {
        long now = wakes();
        least = now < least ? now : least;
    }
    cr_assert_leq(least, MOST);
}

Test(sched, no_time_is_EINVAL_for_a_long_wait)
{
    errno = 0;
    cr_assert(verd_reclaim_after(0) == -1 && errno == EINVAL);
}
