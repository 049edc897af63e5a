/* SPDX-License-Identifier: MIT */

/* The figures of verd_stats, of which each is made by what it counts. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <verd.h>

static struct verd_stats figures(void)
{
    struct verd_stats stats;
    cr_assert_eq(verd_stats(&stats), 0);
    return stats;
}

static void *nothing(void *arg)
{
    return arg;
}

static void *park(void *arg)
{
    verd_park();
    return arg;
}

static void *sleep_for_ms(void *ms)
{
    verd_sleep((intptr_t)ms * VERD_MS);
    return NULL;
}

/* Holds the OS thread. */
static void hold(verd_duration span)
{
    verd_duration begin = verd_now();
    while (verd_now() - begin < span)
        ;
}

static verd_duration hogs = 2 * VERD_MS;

static void *hog(void *arg)
{
    hold(hogs);
    return arg;
}

static void run_many(size_t count)
{
    verd_thread *threads[64];
    for (size_t i = 0; i < count; i++)
        threads[i] = verd_spawn(nothing, NULL);
    for (size_t i = 0; i < count; i++)
        verd_join(threads[i], NULL);
}

static uint64_t sum_of(const uint64_t counts[VERD_STATS_BUCKETS])
{
    uint64_t sum = 0;
    for (size_t i = 0; i < VERD_STATS_BUCKETS; i++)
        sum += counts[i];
    return sum;
}

Test(debug, main_is_the_one_thread_of_a_fresh_hub)
{
    struct verd_stats stats = figures();
    cr_assert_eq(stats.threads_made, 1);
    cr_assert_eq(stats.threads_alive, 1);
    cr_assert_eq(stats.threads_peak, 1);
    cr_assert_eq(stats.stacks_used, 0);
}

Test(debug, each_thread_that_was_made_is_counted_though_its_control_block_was_used_again)
{
    for (int i = 0; i < 10; i++)
        run_many(5);
    struct verd_stats stats = figures();
    cr_assert_eq(stats.threads_made, 51);
    cr_assert_eq(stats.threads_alive, 1);
    cr_assert_eq(stats.threads_peak, 6);
}

static void *made_elsewhere(void *made)
{
    run_many(3);
    *(uint64_t *)made = figures().threads_made;
    return NULL;
}

Test(debug, a_hub_counts_none_of_the_threads_of_one_whose_blocks_it_has_taken_over)
{
    uint64_t made[2] = {0};
    pthread_t thread;
    for (int i = 0; i < 2; i++) {
        pthread_create(&thread, NULL, made_elsewhere, &made[i]);
        pthread_join(thread, NULL);
    }
    cr_assert_eq(made[0], 4);
    cr_assert_eq(made[1], 4);
}

Test(debug, a_thread_that_has_ended_is_kept_until_it_is_released)
{
    verd_thread *thread = verd_spawn(nothing, NULL);
    verd_yield();
    struct verd_stats stats = figures();
    cr_assert_eq(stats.threads_kept, 1);
    cr_assert_eq(stats.threads_alive, 1);
    verd_release(thread);
    cr_assert_eq(figures().threads_kept, 0);
}

Test(debug, stacks_are_in_use_until_their_threads_end_and_then_cached)
{
    verd_thread *threads[3];
    for (int i = 0; i < 3; i++)
        threads[i] = verd_spawn(park, NULL);
    verd_yield();
    struct verd_stats stats = figures();
    cr_assert_eq(stats.stacks_used, 3);
    cr_assert_eq(stats.stacks_bytes, 3 * VERD_STACK_SIZE);
    for (int i = 0; i < 3; i++) {
        verd_unpark(threads[i]);
        verd_join(threads[i], NULL);
    }
    stats = figures();
    cr_assert_eq(stats.stacks_used + stats.stacks_cached, 3);
    cr_assert_geq(stats.stacks_cached, 2);
    cr_assert_eq(stats.stacks_peak_bytes, 3 * VERD_STACK_SIZE);
}

Test(debug, stacks_that_have_gone_back_are_counted_no_more)
{
    verd_thread *threads[20];
    for (int i = 0; i < 20; i++)
        threads[i] = verd_spawn(park, NULL);
    verd_yield();
    for (int i = 0; i < 20; i++) {
        verd_unpark(threads[i]);
        verd_join(threads[i], NULL);
    }
    while (figures().stacks_cached > 0)
        verd_sleep(100 * VERD_MS);
    struct verd_stats stats = figures();
    cr_assert_eq(stats.stacks_bytes, stats.stacks_used * VERD_STACK_SIZE);
    cr_assert_eq(stats.stacks_peak_bytes, 20 * VERD_STACK_SIZE);
}

static void say(void *fd)
{
    verd_write_full((int)(intptr_t)fd, "x", 1, NULL);
}

Test(debug, a_wait_for_input_is_an_event_and_a_turn_of_the_hub)
{
    int fds[2];
    char byte;
    cr_assert_eq(verd_pipe(fds), 0);
    struct verd_stats before = figures();
    verd_spawn_n(say, (void *)(intptr_t)fds[1]);
    cr_assert_eq(verd_read(fds[0], &byte, 1), 1);
    struct verd_stats after = figures();
    cr_assert_eq(after.descriptors, 2);
    cr_assert_gt(after.hub_turns, before.hub_turns);
    cr_assert_gt(after.events, before.events);
    verd_close(fds[0]);
    verd_close(fds[1]);
    cr_assert_eq(figures().descriptors, 0);
}

static void *read_one(void *fd)
{
    char byte;
    verd_read((int)(intptr_t)fd, &byte, 1);
    return NULL;
}

Test(debug, waits_for_descriptors_are_counted_while_they_last)
{
    int fds[2];
    cr_assert_eq(verd_pipe(fds), 0);
    verd_thread *reader = verd_spawn(read_one, (void *)(intptr_t)fds[0]);
    verd_yield();
    cr_assert_eq(figures().descriptor_waits, 1);
    verd_kill(reader);
    cr_assert_eq(figures().descriptor_waits, 0);
}

/* For one that is over before the hub waits, it is not: so they get longer until it is. */
Test(debug, a_sleep_is_a_timer_and_the_hub_is_woken_for_it)
{
    struct verd_stats before = figures(), after = before;
    for (verd_duration span = VERD_MS; after.wakeups == before.wakeups; span *= 2) {
        verd_sleep(span);
        after = figures();
    }
    cr_assert_geq(after.timers_fired, before.timers_fired + 1);
    verd_timeout limit;
    verd_timeout_begin(&limit, VERD_SEC);
    verd_thread *sleeper = verd_spawn(sleep_for_ms, (void *)3600000);
    verd_yield();
    cr_assert_gt(figures().timers, after.timers);
    verd_kill(sleeper);
    verd_timeout_end(&limit);
}

Test(debug, offloaded_functions_are_counted)
{
    struct verd_stats before = figures();
    verd_offload(nothing, NULL, NULL);
    struct verd_stats after = figures();
    cr_assert_eq(after.offload_jobs, before.offload_jobs + 1);
    cr_assert_geq(after.offload_threads, 1);
}

Test(debug, lag_is_at_least_as_long_as_threads_have_run_between_two_looks)
{
    for (int i = 0; i < 5; i++)
        verd_sleep(VERD_MS); /* the clock learns */
    struct verd_stats before = figures();
    if (before.lag_longest == 0)
        cr_skip_test("the processor's counter is not trusted here");
    hold(30 * VERD_MS);
    verd_sleep(VERD_MS);
    struct verd_stats after = figures();
    cr_assert_geq(after.lag_longest,
                  29 * VERD_MS); /* what the counter tells may be off by a little */
    cr_assert_gt(sum_of(after.lags), sum_of(before.lags));
}

Test(debug, switches_are_counted_while_they_are_watched_alone)
{
    verd_yield();
    cr_assert_eq(figures().switches, 0);
    cr_assert_eq(verd_stats_watch(true), 0);
    cr_assert(figures().watched);
    run_many(10);
    struct verd_stats stats = figures();
    cr_assert_geq(stats.switches, 11);
    cr_assert_leq(stats.switches, 33);
    cr_assert_eq(sum_of(stats.holds), stats.switches);
    cr_assert_eq(verd_stats_watch(false), 0);
    run_many(10);
    cr_assert_eq(figures().switches, stats.switches);
}

/* Whoever else lost the processor for as long as the hog held it, has held longer: so it gets longer until it is
 * the one. */
static struct verd_stats let_one_hog(const verd_attr *attr)
{
    struct verd_stats stats;
    size_t number;
    cr_assert_eq(verd_stats_watch(true), 0);
    do {
        verd_thread *thread = verd_spawn_with(attr, hog, NULL);
        number = verd_number(thread);
        verd_join(thread, NULL);
        stats = figures();
        hogs *= 2;
    } while (stats.hold_number != number);
    return stats;
}

Test(debug, who_held_the_os_thread_longest_is_named)
{
    verd_attr attr = {.name = "the hog"};
    struct verd_stats stats = let_one_hog(&attr);
    cr_assert_geq(stats.hold_longest, hogs / 2);
    cr_assert_str_eq(stats.hold_name, "the hog");
}

Test(debug, without_a_name_it_is_its_function_that_is_told)
{
    verd_attr attr = VERD_ATTR_INIT;
    cr_assert_str_eq(let_one_hog(&attr).hold_name, "hog");
}

Test(debug, who_can_run_behind_a_hog_has_its_latency_counted)
{
    cr_assert_eq(verd_stats_watch(true), 0);
    verd_thread *first = verd_spawn(hog, NULL);
    verd_thread *second = verd_spawn(nothing, NULL);
    verd_join(first, NULL);
    verd_join(second, NULL);
    struct verd_stats stats = figures();
    cr_assert_geq(stats.latency_longest, 2 * VERD_MS);
    cr_assert_gt(sum_of(stats.latencies), 0);
}

/* ---- who is watched runs as ever ---- */

static char order[64];

static void *note(void *letter)
{
    for (int i = 0; i < 3; i++) {
        strncat(order, letter, 1);
        verd_yield();
    }
    return NULL;
}

static void note_all(void)
{
    verd_thread *threads[] = {verd_spawn(note, "a"), verd_spawn(note, "b"), verd_spawn(note, "c")};
    verd_cancel(verd_spawn(note, "x"));
    for (size_t i = 0; i < 3; i++)
        verd_join(threads[i], NULL);
}

Test(debug, threads_run_in_the_same_order_while_they_are_watched)
{
    cr_assert_eq(verd_stats_watch(true), 0);
    note_all();
    cr_assert_str_eq(order, "abcabcabc");
}

static void *watch(void *on)
{
    verd_stats_watch(on != NULL);
    return NULL;
}

Test(debug, nobody_loses_a_turn_when_a_round_begins_or_ceases_to_be_watched_in_its_midst)
{
    verd_thread *threads[] = {verd_spawn(note, "a"), verd_spawn(watch, order),
                              verd_spawn(note, "b"), verd_spawn(watch, NULL),
                              verd_spawn(note, "c"), verd_spawn(watch, order)};
    for (size_t i = 0; i < 6; i++)
        verd_join(threads[i], NULL);
    cr_assert_str_eq(order, "abcabcabc");
}

Test(debug, watched_threads_that_never_wait_keep_no_timer_out)
{
    cr_assert_eq(verd_stats_watch(true), 0);
    verd_thread *sleeper = verd_spawn(sleep_for_ms, (void *)1);
    while (!verd_ended(sleeper))
        verd_yield();
    cr_assert_geq(figures().timers_fired, 1);
}

Test(debug, the_child_of_a_fork_goes_on_while_it_is_watched)
{
    cr_assert_eq(verd_stats_watch(true), 0);
    verd_spawn(note, "x");
    pid_t child = fork();
    if (child == 0) {
        note_all();
        _exit(strcmp(order, "abcabcabc") == 0 && figures().switches > 0 ? 0 : 1);
    }
    int status;
    cr_assert_eq(verd_waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
}

static void *watch_elsewhere(void *arg)
{
    verd_stats_watch(true);
    verd_spawn(park, NULL);
    verd_yield();
    return arg;
}

Test(debug, an_os_thread_may_end_while_it_is_watched)
{
    pthread_t thread;
    for (int i = 0; i < 3; i++) {
        pthread_create(&thread, NULL, watch_elsewhere, NULL);
        pthread_join(thread, NULL);
    }
    cr_assert_eq(figures().switches, 0);
}
