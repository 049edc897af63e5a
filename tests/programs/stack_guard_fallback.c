/* SPDX-License-Identifier: MIT */

/* On kernels without MADV_GUARD_INSTALL, simulated by a filter of system calls, guards are mappings
 * of their own: they catch overflows as well, and when there are too many, the sysctl is named. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <verd.h>

#include "../support/process.h"
#include "child.h"

#define GUARD_INSTALL 102
#define MAP_COUNT_MAX 100000 /* of vm.max_map_count, above which reaching it takes too long */

/* madvise(..., MADV_GUARD_INSTALL) is EINVAL, process_madvise is ENOSYS. */
static bool be_an_old_kernel(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_madvise, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, GUARD_INSTALL, 2, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static volatile int bottom = -1; /* never reached */

static __attribute__((noinline)) int recurse(int depth)
{
    volatile char frame[512];
    frame[0] = (char)depth;
    return depth == bottom ? 0 : recurse(depth + 1) + frame[0];
}

static void *overflow(void *arg)
{
    return (void *)(intptr_t)recurse((int)(intptr_t)arg);
}

static void *park(void *arg)
{
    verd_park();
    return arg;
}

static void overflow_old(void)
{
    if (!be_an_old_kernel())
        _exit(77);
    for (int i = 0; i < 20; i++) /* on a stack in the midst of others */
        verd_spawn(park, NULL);
    verd_join(verd_spawn(overflow, NULL), NULL);
}

static void exhaust_mappings(void)
{
    verd_attr attr = {.stack_size = VERD_STACK_SIZE_MIN};
    if (!be_an_old_kernel())
        _exit(77);
    errno = 0;
    while (verd_spawn_with(&attr, park, NULL) != NULL)
        ;
    _exit(errno == ENOMEM ? 5 : 6);
}

static void *run_to_end(void *arg)
{
    ++*(size_t *)arg;
    return arg;
}

/* Mappings that others used up: threads that start late wait, and run when there are some again. */
static void exhaust_and_recover(void)
{
    static size_t ran;
    enum { MANY = 100 };
    verd_attr attr = {.stack_size = VERD_STACK_SIZE_MIN};
    if (!be_an_old_kernel())
        _exit(77);
    verd_thread *last = NULL;
    for (verd_thread *t; (t = verd_spawn_with(&attr, park, NULL)) != NULL;)
        last = t;
    verd_thread *threads[MANY];
    for (size_t i = 0; i < MANY; i++)
        threads[i] = verd_spawn(run_to_end, &ran);
    verd_kill(last);
    verd_yield();
    _exit(verd_cancel(threads[0]) == 0 || ran == MANY ? 5 : 6);
}

static long max_map_count(void)
{
    long count = -1;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
    if (file == NULL)
        return -1;
    if (fscanf(file, "%ld", &count) != 1)
        count = -1;
    fclose(file);
    return count;
}

static void probe(void)
{
    _exit(be_an_old_kernel() ? 0 : 77);
}

int main(void)
{
    static const char line[] = "libverd: stack overflow in thread ";
    static const char sysctl[] = "vm.max_map_count";
    static const struct scene filter_works = {.name = "probe", .play = probe};
    static const struct scene scenes[] = {
        {"overflow", overflow_old, SIGSEGV, 0, {line}, NULL, 0},
        {"mappings", exhaust_mappings, 0, 5, {sysctl}, NULL, 1},
        {"late start", exhaust_and_recover, 0, 5, {sysctl}, NULL, 0},
    };
    char text[256];
    if (process_is_limited())
        return skip("the address space is limited");
    if (faults_are_caught())
        return skip("a sanitizer catches SIGSEGV itself");
    if (!ended_as_expected(&filter_works, play(&filter_works, text, sizeof text)))
        return skip("no filter of system calls can be had here");
    long mappings = max_map_count();
    return play_all(scenes, mappings > 0 && mappings <= MAP_COUNT_MAX ? 3 : 1);
}
