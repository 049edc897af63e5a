/* SPDX-License-Identifier: MIT */

/* Whoever holds the OS thread is told of, and nobody else. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <verd.h>

#include "process.h"
#include "sched/monitor.h"
#include "told.h"

#define LIMIT (50 * VERD_MS)

static __attribute__((noinline)) void spin_until_told(void)
{
    while (!is_told(0)) {
    }
}

static __attribute__((noinline)) void block_until_told(void)
{
    while (!is_told(-1)) {
    }
}

static void *spin(void *arg)
{
    spin_until_told();
    return arg;
}

static void *block(void *arg)
{
    block_until_told();
    return arg;
}

static void *park(void *arg)
{
    verd_park();
    return arg;
}

static void watch(void *(*fn)(void *))
{
    const verd_attr attr = {.name = "holder"};
    told_begin();
    if (verd_watchdog(LIMIT) != 0)
        _exit(1);
    verd_spawn(park, NULL);
    verd_join(verd_spawn_with(&attr, fn, NULL), NULL);
    verd_watchdog(0);
    told_end();
}

static void watch_spinner(void *arg)
{
    (void)arg;
    watch(spin);
}

Test(debug, the_watchdog_tells_who_holds_the_os_thread_and_for_how_long)
{
    struct process_end end = process_capture(watch_spinner, NULL);
    double seconds = told_seconds(end.text, "thread 2 \"holder\"");
    cr_assert(end.status == 0 && seconds + 0.001 >= (double)LIMIT / VERD_SEC, "%s", end.text);
}

Test(debug, the_watchdog_shows_the_calls_of_who_computes)
{
    struct process_end end = process_capture(watch_spinner, NULL);
    cr_assert(strstr(end.text, "libverd:     at spin_until_told+0x") ||
                  strstr(end.text, "libverd:     at is_told+0x"),
              "%s", end.text);
}

static void watch_sleeper(void *arg)
{
    (void)arg;
    watch(block);
}

Test(debug, the_watchdog_tells_who_blocks_in_the_kernel)
{
    struct process_end end = process_capture(watch_sleeper, NULL);
    cr_assert(end.status == 0 && told_seconds(end.text, "thread 2 \"holder\"") > 0, "%s", end.text);
}

static void *nap_on(void *arg)
{
    while (!is_told(1)) {
    }
    return arg;
}

static void watch_napper(void *arg)
{
    (void)arg;
    watch(nap_on);
}

Test(debug, the_watchdog_tells_who_waits_in_the_kernel_again_and_again)
{
    struct process_end end = process_capture(watch_napper, NULL);
    cr_assert(end.status == 0 && told_seconds(end.text, "thread 2 \"holder\"") > 0, "%s", end.text);
}

static void watch_with_a_timer(void *arg)
{
    verd_timeout limit;
    (void)arg;
    verd_timeout_begin(&limit, 3600 * VERD_SEC);
    watch(block);
    verd_timeout_end(&limit);
}

Test(debug, the_watchdog_tells_who_keeps_timers_waiting)
{
    struct process_end end = process_capture(watch_with_a_timer, NULL);
    cr_assert(end.status == 0 && told_seconds(end.text, "thread 2 \"holder\"") > 0, "%s", end.text);
}

static void *spin_on(void *arg)
{
    spin_until_told();
    for (verd_duration end = verd_now() + 4 * LIMIT; verd_now() < end;) {
    }
    return arg;
}

static void watch_long_spin(void *arg)
{
    (void)arg;
    watch(spin_on);
}

Test(debug, the_watchdog_tells_of_an_incident_once)
{
    struct process_end end = process_capture(watch_long_spin, NULL);
    cr_assert_eq(process_count(end.text, " has held "), 1);
}

static void *spin_again(void *arg)
{
    spin_until_told();
    told_forget();
    verd_yield();
    spin_until_told();
    return arg;
}

static void watch_two_spins(void *arg)
{
    (void)arg;
    watch(spin_again);
}

Test(debug, the_watchdog_tells_of_the_next_incident)
{
    struct process_end end = process_capture(watch_two_spins, NULL);
    cr_assert(end.status == 0, "%s", end.text);
}

static void *watch_elsewhere(void *arg)
{
    watch(spin);
    return arg;
}

static void watch_another_os_thread(void *arg)
{
    pthread_t other;
    (void)arg;
    pthread_create(&other, NULL, watch_elsewhere, NULL);
    pthread_join(other, NULL);
}

Test(debug, the_watchdog_watches_each_os_thread)
{
    struct process_end end = process_capture(watch_another_os_thread, NULL);
    cr_assert(strstr(end.text, " s, on OS thread "), "%s", end.text);
}

/* The parent's has told of somebody, so that its OS thread is there: beside one that starts, ASan cannot fork. */
static void watch_in_a_child(void *arg)
{
    int status = -1;
    (void)arg;
    told_begin();
    verd_watchdog(LIMIT);
    verd_spawn(park, NULL);
    verd_join(verd_spawn(spin, NULL), NULL);
    told_forget();
    told_end();
    pid_t child = fork();
    if (child == 0) {
        told_begin();
        verd_join(verd_spawn(spin, NULL), NULL);
        told_end();
        _exit(0);
    }
    waitpid(child, &status, 0);
    verd_watchdog(0);
    cr_assert_eq(status, 0);
}

Test(debug, the_child_of_a_fork_has_a_watchdog_of_its_own)
{
    if (process_is_emulated())
        cr_skip_test("qemu cannot fork a process with several OS threads");
    struct process_end end = process_capture(watch_in_a_child, NULL);
    cr_assert(end.status == 0 && strstr(end.text, " has held its OS thread for "), "%s", end.text);
}

static void ask_the_environment(void *choice)
{
    setenv("VERD_WATCHDOG", choice, 1);
    told_begin();
    verd_spawn(park, NULL);
    verd_join(verd_spawn(spin, NULL), NULL);
    verd_watchdog(0);
    told_end();
}

Test(debug, the_environment_begins_a_watchdog)
{
    struct process_end end = process_capture(ask_the_environment, "50ms");
    cr_assert(strstr(end.text, "(spin) has held its OS thread for "), "%s", end.text);
}

Test(debug, the_environment_is_told_of_what_is_no_duration)
{
    static char *choices[] = {"50", "ms", "-1s", "1h", "1s "};
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        char line[64];
        struct process_end end = process_run(ask_the_environment, choices[i]);
        snprintf(line, sizeof line, "libverd: VERD_WATCHDOG=%s is no duration", choices[i]);
        cr_assert(strstr(end.text, line) == end.text, "%s", end.text);
    }
}

/* ---- who is not told of ---- */

#define LONG_LIMIT (300 * VERD_MS)

static void *yield_on(void *arg)
{
    for (verd_duration end = verd_now() + 3 * LONG_LIMIT; verd_now() < end;)
        verd_yield();
    return arg;
}

static void watch_yielders(void *arg)
{
    (void)arg;
    verd_watchdog(LONG_LIMIT);
    verd_thread *other = verd_spawn(yield_on, NULL);
    yield_on(NULL);
    verd_join(other, NULL);
    verd_watchdog(0);
}

Test(debug, whoever_gives_way_holds_nobody)
{
    struct process_end end = process_capture(watch_yielders, NULL);
    cr_assert(end.status == 0 && end.text[0] == '\0', "%s", end.text);
}

static void watch_idler(void *arg)
{
    (void)arg;
    verd_watchdog(LIMIT);
    verd_spawn(park, NULL);
    verd_sleep(6 * LIMIT);
    verd_watchdog(0);
}

Test(debug, an_idle_hub_holds_nobody)
{
    struct process_end end = process_capture(watch_idler, NULL);
    cr_assert(end.status == 0 && end.text[0] == '\0', "%s", end.text);
}

static void watch_main_alone(void *arg)
{
    (void)arg;
    verd_watchdog(LIMIT);
    verd_yield();
    for (verd_duration end = verd_now() + 6 * LIMIT; verd_now() < end;) {
    }
}

Test(debug, main_alone_holds_nobody)
{
    struct process_end end = process_capture(watch_main_alone, NULL);
    cr_assert(end.status == 0 && end.text[0] == '\0', "%s", end.text);
}

static size_t os_threads(void)
{
    size_t count = 0;
    DIR *tasks = opendir("/proc/self/task");
    while (readdir(tasks) != NULL)
        count++;
    closedir(tasks);
    return count;
}

Test(debug, a_watchdog_that_is_ended_leaves_no_os_thread)
{
    size_t before = os_threads();
    cr_assert(verd_watchdog(LIMIT) == 0 && verd_watchdog(2 * LIMIT) == 0);
    cr_assert(verd_watchdog(0) == 0 && verd_watchdog(0) == 0);
    while (os_threads() != before) /* its last steps, after it can be joined */
        usleep(1000);
}

Test(debug, the_watchdog_of_an_idle_process_sleeps)
{
    verd_watchdog(4 * VERD_MS);
    while (atomic_load(&verd__monitor_sleeps) == 0 || process_waits_of_others() == 0)
        usleep(10000); /* main is alone, and holds nobody */
    usleep(100000);
    long before = process_waits_of_others();
    usleep(100000);
    cr_assert(process_waits_of_others() == before);
    verd_watchdog(0);
}

Test(debug, the_watchdog_wakes_with_the_process)
{
    verd_watchdog(4 * VERD_MS);
    verd_yield();
    while (atomic_load(&verd__monitor_sleeps) == 0)
        usleep(10000);
    verd_sleep(VERD_MS);
    cr_assert_eq(atomic_load(&verd__monitor_sleeps), 0);
    verd_watchdog(0);
}
