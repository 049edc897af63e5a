/* SPDX-License-Identifier: MIT */

/* Kernels without a system call of the hub's, and sandboxes that forbid it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/syscall.h>
#include <sys/wait.h>

#include "call.h"
#include "hub/hub.h"
#include "missing.h"
#include "process.h"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

static void lose_epoll_pwait2(unsigned error)
{
    if (!missing_from_now(SYS_epoll_pwait2, error))
        cr_skip_test("no filter of system calls can be had here");
}

/* How often the hub asks during a sleep, with a reader parked. */
static size_t polls_without(unsigned error)
{
    int fds[2];
    struct call reader = {0};
    lose_epoll_pwait2(error);
    make_pair(fds);
    call_start(&reader, call_read, fds[0]);
    verd_sleep(VERD_MS); /* finds out */
    size_t before = verd__loop(verd__scheduler())->polls;
    verd_sleep(20 * VERD_MS);
    return verd__loop(verd__scheduler())->polls - before;
}

Test(hub, without_epoll_pwait2_a_sleep_does_not_spin)
{
    cr_assert_leq(polls_without(ENOSYS), 2);
}

Test(hub, where_epoll_pwait2_is_forbidden_a_sleep_does_not_spin)
{
    cr_assert_leq(polls_without(EPERM), 2);
}

Test(hub, without_epoll_pwait2_sleeps_are_not_early)
{
    int fds[2];
    struct call reader = {0};
    lose_epoll_pwait2(ENOSYS);
    make_pair(fds);
    call_start(&reader, call_read, fds[0]);
    for (int i = 0; i < 20; i++) {
        verd_duration begin = verd_now();
        verd_sleep(300 * VERD_US);
        cr_assert_geq(verd_now() - begin, 300 * VERD_US);
    }
}

static void *speak_later(void *fd)
{
    verd_sleep(10 * VERD_MS);
    write((int)(intptr_t)fd, "x", 1);
    return NULL;
}

/* A timer is always armed: who is not woken before it fires is woken by nothing. */
Test(hub, where_epoll_pwait2_is_forbidden_a_reader_with_a_timeout_is_woken)
{
    int fds[2];
    struct call reader = {0};
    lose_epoll_pwait2(EPERM);
    make_pair(fds);
    verd_spawn(speak_later, (void *)(intptr_t)fds[1]);
    cr_assert_eq(call_within(20 * VERD_SEC, &reader, call_read, fds[0]), 1);
}

/* ---- where there is no going on ---- */

#define NO_FILTER 77 /* exit status */

/* What is refused, and to which hub. */
struct refusal {
    const char *loop;
    long numbers[3]; /* of system calls; 0: none */
    unsigned error;
    bool before; /* the hub is made */
};

/* Waits for what does not come. */
static void read_without(void *arg)
{
    const struct refusal *refusal = arg;
    int fds[2];
    char byte;
    setenv("VERD_HUB", refusal->loop, 1);
    make_foreign_pair(fds);
    if (refusal->before)
        verd_hub_open();
    for (size_t i = 0; i < 3; i++) {
        if (refusal->numbers[i] != 0 && !missing_from_now(refusal->numbers[i], refusal->error))
            _exit(NO_FILTER);
    }
    verd_read(fds[0], &byte, 1);
}

/* One line tells the system call and another hub, and the process ends. */
static void expect_refusal(struct refusal refusal, const char *call, const char *other)
{
    struct process_end end = process_run(read_without, &refusal);
    if (WIFEXITED(end.status) && WEXITSTATUS(end.status) == NO_FILTER)
        cr_skip_test("no filter of system calls can be had here");
    cr_assert(process_died_of(&end, SIGABRT));
    cr_assert(strstr(end.text, call) && strstr(end.text, other));
    cr_assert_eq(process_count(end.text, "libverd:"), 1);
}

Test(hub, an_epoll_that_is_forbidden_is_told)
{
    expect_refusal((struct refusal){"epoll", {SYS_epoll_create1}, EPERM, false}, "epoll_create1",
                   "VERD_HUB=poll");
}

Test(hub, an_epoll_that_does_not_exist_is_told)
{
    expect_refusal((struct refusal){"epoll", {SYS_epoll_create1}, ENOSYS, false}, "epoll_create1",
                   "VERD_HUB=poll");
}

Test(hub, a_forbidden_epoll_ctl_is_told)
{
    expect_refusal((struct refusal){"epoll", {SYS_epoll_ctl}, EPERM, true}, "epoll_ctl",
                   "VERD_HUB=poll");
}

Test(hub, a_missing_epoll_ctl_is_told)
{
    expect_refusal((struct refusal){"epoll", {SYS_epoll_ctl}, ENOSYS, true}, "epoll_ctl",
                   "VERD_HUB=poll");
}

Test(hub, a_forbidden_epoll_wait_is_told)
{
#ifdef SYS_epoll_wait
    const long old = SYS_epoll_wait;
#else
    const long old = 0;
#endif
    struct refusal refusal = {"epoll", {SYS_epoll_pwait2, SYS_epoll_pwait, old}, EPERM, true};
    expect_refusal(refusal, "epoll_wait", "VERD_HUB=poll");
}

Test(hub, a_forbidden_ppoll_is_told)
{
    expect_refusal((struct refusal){"poll", {SYS_ppoll}, EPERM, true}, "ppoll", "VERD_HUB=epoll");
}

/* epoll does not take them, and says so as a sandbox would. */
Test(hub, what_has_no_events_is_not_taken_for_a_refusal)
{
    char byte;
    int null = open("/dev/null", O_RDONLY);
    struct verd__loop *loop = verd__loop(verd__scheduler());
    cr_assert_eq(verd__loop_wait(loop, null, verd__loop_fd(loop, null), VERD__INPUT, true), 0);
    cr_assert_eq(verd_read(null, &byte, 1), 0);
}
