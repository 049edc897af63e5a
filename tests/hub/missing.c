/* SPDX-License-Identifier: MIT */

/* Kernels without epoll_pwait2, and sandboxes that forbid it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "call.h"
#include "hub/hub.h"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

/* From now on epoll_pwait2 fails with this error. */
static void lose_epoll_pwait2(unsigned error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_pwait2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
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
    size_t before = verd__hub(verd__scheduler())->polls;
    verd_sleep(20 * VERD_MS);
    return verd__hub(verd__scheduler())->polls - before;
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
