/* SPDX-License-Identifier: MIT */

/* The audit of long waits: with many of them it comes in slices, between which others run. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "call.h"

#define WAITS 6000
#define ROUNDS_MIN 5

static int first;
static size_t ended;

static void wait_long(void *number)
{
    verd_wait_fd(first + (int)(intptr_t)number, POLLIN);
    ended++;
}

/* So many descriptors in a row, for a file that is never ready. */
static void make_descriptors(void)
{
    int fds[2];
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < WAITS + 100)
        cr_skip_test("too few descriptors can be had");
    cr_assert_eq(pipe(fds), 0);
    first = fcntl(fds[0], F_DUPFD, 50);
    for (int i = 1; i < WAITS; i++)
        cr_assert_eq(dup2(fds[0], first + i), first + i);
}

/* Each number is another file, which the hub has not been told. */
static void exchange_files(void)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    for (int i = 0; i < WAITS; i++)
        dup2(fds[0], first + i);
}

/* In how many rounds the waits have ended. */
static size_t count_rounds(void)
{
    size_t rounds = 0, before = 0;
    while (ended < WAITS) {
        verd_sleep(0);
        rounds += ended != before;
        before = ended;
    }
    return rounds;
}

Test(hub, an_audit_of_many_waits_lets_others_run_in_between)
{
    with_audits();
    make_descriptors();
    for (intptr_t i = 0; i < WAITS; i++)
        verd_spawn_n(wait_long, (void *)i);
    settle();
    exchange_files();
    cr_assert_geq(count_rounds(), ROUNDS_MIN);
}
