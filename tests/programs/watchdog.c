/* SPDX-License-Identifier: MIT */

/*
 * What time the watchdog counts, and that a process which exits lets it tell what it has found out. Its sleeps and the
 * lines that it writes come here (flags.mk): so a sleep takes no time, and ends as the scene has it.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <verd.h>

#define LIMIT (400 * VERD_MS)
#define LOOKS 4 /* within it */

static const char *stopped = ""; /* of the sleeps in turn: 'x', if a stop of the process ends it */
static bool lines_wait;          /* for the process to exit, at least */
static bool lines_wait_for_ever;
static _Atomic(bool) is_telling, is_told, exits;
static _Atomic(size_t) sleeps;
static size_t sleeps_until_told;
static char line[256]; /* the one that tells, when it is told */

/* ---- in place of the C library's ---- */

long real_syscall(long number, long, long, long, long, long, long) __asm__("__real_syscall");
long hook_syscall(long number, long, long, long, long, long, long) __asm__("__wrap_syscall");
ssize_t real_writev(int fd, const struct iovec *parts, int count) __asm__("__real_writev");
ssize_t hook_writev(int fd, const struct iovec *parts, int count) __asm__("__wrap_writev");

long hook_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    if (number != SYS_rt_sigtimedwait)
        return real_syscall(number, a, b, c, d, e, f);
    size_t i = atomic_fetch_add(&sleeps, 1);
    errno = i < strlen(stopped) && stopped[i] == 'x' ? EINTR : EAGAIN;
    return -1;
}

static void nap(void)
{
    static const struct timespec span = {.tv_nsec = 1000000};
    nanosleep(&span, NULL);
}

static void take_line(const struct iovec *text)
{
    atomic_store(&is_telling, true);
    while (lines_wait_for_ever || (lines_wait && !atomic_load(&exits)))
        nap();
    if (lines_wait)
        nap();
    snprintf(line, sizeof line, "%.*s", (int)text->iov_len, (const char *)text->iov_base);
    sleeps_until_told = atomic_load(&sleeps);
    atomic_store(&is_told, true);
}

ssize_t hook_writev(int fd, const struct iovec *parts, int count)
{
    if (count == 3 && memmem(parts[1].iov_base, parts[1].iov_len, " has held ", 10) != NULL)
        take_line(&parts[1]);
    return real_writev(fd, parts, count);
}

/* ---- who holds ---- */

static void hold_until(const _Atomic(bool) *is_over)
{
    if (verd_watchdog(LIMIT) != 0)
        _exit(2);
    while (!atomic_load(is_over))
        ;
}

static void *hold_until_told(void *arg)
{
    hold_until(&is_told);
    return arg;
}

/* ---- what is counted ---- */

/* The first looks find out that it is the same turn, and have its end noticed. */
#define BEFORE 3

static void expect_told_after(size_t expected)
{
    verd_join(verd_spawn(hold_until_told, NULL), NULL);
    verd_watchdog(0);
    if (sleeps_until_told == expected &&
        strstr(line, " has held its OS thread for 0.400 s") != NULL)
        exit(0);
    printf("told after %zu sleeps: %s\n", sleeps_until_told, line);
    exit(1);
}

static void count_sleeps(void)
{
    expect_told_after(BEFORE + LOOKS);
}

static void count_no_sleep_that_was_stopped(void)
{
    stopped = "----x-xx";
    expect_told_after(BEFORE + LOOKS + 3);
}

/* ---- the end of the process ---- */

static void begin_exit(void)
{
    atomic_store(&exits, true);
}

static void *hold_while_told(void *arg)
{
    hold_until(&is_telling);
    atexit(begin_exit); /* it is called first */
    return arg;
}

static void end_by_main(void)
{
    lines_wait = true;
    verd_join(verd_spawn(hold_while_told, NULL), NULL);
}

static void exit_in_handler(int signal)
{
    (void)signal;
    hold_while_told(NULL);
    exit(0);
}

static void *raise_signal(void *arg)
{
    raise(SIGUSR1);
    return arg;
}

static void end_by_a_handler(void)
{
    lines_wait = true;
    signal(SIGUSR1, exit_in_handler);
    verd_join(verd_spawn(raise_signal, NULL), NULL);
}

static void end_though_nobody_reads(void)
{
    lines_wait_for_ever = true;
    verd_join(verd_spawn(hold_while_told, NULL), NULL);
}

/* What is called last. */
static void end(void)
{
    if (!atomic_load(&is_told) && !lines_wait_for_ever)
        _exit(1);
}

/* ---- scenes ---- */

static const struct {
    const char *name;
    void (*play)(void);
} scenes[] = {
    {"whole sleeps are counted", count_sleeps},
    {"a stop is not counted, what is before and after it is", count_no_sleep_that_was_stopped},
    {"a report is made before the process ends", end_by_main},
    {"a report is made before a handler ends the process", end_by_a_handler},
    {"a process ends though its report cannot be written", end_though_nobody_reads},
};

#define SCENES (sizeof scenes / sizeof *scenes)

/* In a process of its own, which is none that was forked: an emulator has no OS threads there. */
static bool passes(char *program, size_t scene)
{
    char number[16];
    int status = -1;
    snprintf(number, sizeof number, "%zu", scene);
    pid_t child = fork();
    if (child == 0) {
        execl(program, program, number, (char *)NULL);
        _exit(127);
    }
    waitpid(child, &status, 0);
    if (status != 0)
        printf("%s: wait status %#x\n", scenes[scene].name, (unsigned)status);
    return status == 0;
}

int main(int argc, char **argv)
{
    bool good = true;
    if (argc == 1) {
        for (size_t i = 0; i < SCENES; i++)
            good = passes(argv[0], i) && good;
        return good ? 0 : 1;
    }
    size_t scene = strtoul(argv[1], NULL, 10);
    if (scene >= SCENES || atexit(end) != 0)
        return 2;
    scenes[scene].play();
    return 0;
}
