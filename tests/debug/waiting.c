/* SPDX-License-Identifier: MIT */

/* Whoever waits in a system call is told of, and is not disturbed. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <verd.h>

#include "interrupted.h"
#include "process.h"
#include "stack/backtrace.h"
#include "told.h"

/* poll(2) is never begun again by the kernel after a handler. */
static struct pollfd input = {.events = POLLIN};
static int outcome;
static bool raises; /* a signal, and does not wait */

static uintptr_t left_over; /* where a call returned to that is over */

static __attribute__((noinline)) void note_return(void)
{
    left_over = (uintptr_t)__builtin_return_address(0);
}

static __attribute__((noinline)) void call_earlier(void)
{
    note_return();
    __asm__ volatile("" : : : "memory"); /* so that it is a call */
}

/* Its frame is large, and has in it what looks like that of the earlier call. */
static __attribute__((noinline)) void wait_for_input(void)
{
    uintptr_t buffer[128] = {[60] = (uintptr_t)&buffer[64], left_over};
    __asm__ volatile("" : : "r"(buffer) : "memory");
    outcome = raises ? raise(SIGUSR1) : poll(&input, 1, -1);
    __asm__ volatile("" : : "r"(buffer) : "memory");
}

static void *wait_in_turn(void *arg)
{
    wait_for_input();
    return arg;
}

/* ---- the stack alone ---- */

static void tell_calls(int signal, siginfo_t *info, void *context)
{
    static struct verd__backtrace calls;
    static struct verd__symbols symbols;
    uintptr_t pc = verd__interrupted_pc(context);
    (void)signal, (void)info;
    if (!verd__follows_system_call(pc))
        _exit(1);
    verd__symbols_open(&symbols);
    verd__backtrace_of_waiting(&calls, verd__interrupted_sp(context), pc);
    verd__backtrace_mend(&calls, &symbols, UINTPTR_MAX);
    verd__backtrace_write(&verd__stderr, "    at ", &calls, &symbols);
    verd__symbols_close(&symbols);
}

static void raise_in_turn(void *arg)
{
    const struct sigaction action = {.sa_sigaction = tell_calls, .sa_flags = SA_SIGINFO};
    call_earlier();
    sigaction(SIGUSR1, &action, NULL);
    raises = true;
    wait_in_turn(arg);
}

Test(debug, calls_are_found_by_the_stack_and_where_the_system_call_is)
{
    if (UNDER_SANITIZER)
        cr_skip_test("its own raise calls that of the C library");
    struct process_end end = process_capture(raise_in_turn, NULL);
    cr_assert(end.status == 0 && strstr(end.text, "    at wait_for_input+0x"), "%s", end.text);
    cr_assert(strstr(end.text, "    at raise_in_turn+0x"), "%s", end.text);
    cr_assert(!strstr(end.text, "at call_earlier"), "%s", end.text);
}

/* ---- who is not disturbed ---- */

/* Which system call an OS thread waits in; -1: in none, or the kernel does not tell. */
static long waits_in(pid_t os_thread)
{
    char path[64], text[256] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", (int)os_thread);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    return n > 0 && text[0] >= '0' && text[0] <= '9' ? strtol(text, NULL, 10) : -1;
}

/* An emulator's file is of its own system calls. */
static void need_the_kernel_to_tell(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", (int)getpid());
    if (process_is_emulated() || access(path, R_OK) != 0)
        cr_skip_test("the kernel does not tell which system call an OS thread waits in");
}

static void *park(void *arg)
{
    verd_park();
    return arg;
}

static void watch_who_waits(void *arg)
{
    (void)arg;
    call_earlier();
    told_begin();
    input.fd = told_descriptor();
    if (verd_watchdog(50 * VERD_MS) != 0)
        _exit(1);
    verd_spawn(park, NULL);
    verd_join(verd_spawn(wait_in_turn, NULL), NULL);
    verd_watchdog(0);
    told_end();
}

Test(debug, the_watchdog_cuts_no_system_call_short)
{
    need_the_kernel_to_tell();
    struct process_end end = process_capture(watch_who_waits, NULL);
    cr_assert(strstr(end.text, " has held its OS thread for "), "%s", end.text);
    cr_assert_eq(outcome, 1);
}

Test(debug, the_watchdog_shows_the_calls_of_who_waits)
{
    struct process_end end = process_capture(watch_who_waits, NULL);
    cr_assert(strstr(end.text, "libverd:     at wait_for_input+0x") || UNDER_ASAN, "%s", end.text);
    cr_assert(strstr(end.text, "libverd:     at wait_in_turn+0x") || UNDER_ASAN, "%s", end.text);
    cr_assert(!strstr(end.text, "at call_earlier"), "%s", end.text);
}

/* ---- a dump ---- */

static _Atomic(pid_t) waiter;

static void *run_waiter(void *arg)
{
    atomic_store(&waiter, gettid());
    verd_join(verd_spawn(wait_in_turn, NULL), NULL);
    return arg;
}

/* Without descriptors the kernel can tell nobody anything. */
static void dump_who_waits(void *without_descriptors)
{
    int ends[2];
    long call;
    pthread_t other;
    struct rlimit limit, none;
    if (pipe(ends) != 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0)
        _exit(1);
    input.fd = ends[0];
    pthread_create(&other, NULL, run_waiter, NULL);
    do {
        call = waits_in(atomic_load(&waiter));
#ifdef SYS_poll
        if (call == SYS_poll)
            break;
#endif
    } while (call != SYS_ppoll);
    none = limit;
    none.rlim_cur = 0;
    if (without_descriptors != NULL)
        setrlimit(RLIMIT_NOFILE, &none);
    verd_dump(STDERR_FILENO);
    setrlimit(RLIMIT_NOFILE, &limit);
    if (write(ends[1], "", 1) != 1)
        _exit(1);
    pthread_join(other, NULL);
}

Test(debug, a_dump_cuts_no_system_call_of_another_os_thread_short)
{
    need_the_kernel_to_tell();
    struct process_end end = process_capture(dump_who_waits, NULL);
    cr_assert(strstr(end.text, "    at wait_for_input+0x") || UNDER_ASAN, "%s", end.text);
    cr_assert_eq(outcome, 1);
}

Test(debug, a_dump_asks_by_a_signal_where_the_kernel_does_not_tell)
{
    static char yes[] = "";
    need_the_kernel_to_tell();
    struct process_end end = process_capture(dump_who_waits, yes);
    cr_assert(strstr(end.text, " runs, on OS thread ") && !strstr(end.text, "does not answer"),
              "%s", end.text);
    cr_assert_eq(outcome, -1);
}
