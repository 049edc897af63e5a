/* SPDX-License-Identifier: MIT */

/*
 * An OS thread that is asked for its calls, and answers only when it has been given up, answers the next dump. What
 * takes its answer down is slowed by a function here (flags.mk).
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/mman.h>

#include <verd.h>

static _Atomic(bool) holds, given_up, answered;

void real_backtrace(void *backtrace, const void *context,
                    uintptr_t high) __asm__("__real_verd__backtrace_of_signal");
void late_backtrace(void *backtrace, const void *context,
                    uintptr_t high) __asm__("__wrap_verd__backtrace_of_signal");

static void nap(void)
{
    static const struct timespec span = {.tv_nsec = 1000000};
    nanosleep(&span, NULL);
}

void late_backtrace(void *backtrace, const void *context, uintptr_t high)
{
    while (!atomic_load(&given_up))
        nap();
    real_backtrace(backtrace, context, high);
    atomic_store(&answered, true);
}

static __attribute__((noinline)) void compute(void)
{
    atomic_store(&holds, true);
    for (;;)
        __asm__ volatile("");
}

static void *hold(void *arg)
{
    compute();
    return arg;
}

static void *hold_elsewhere(void *arg)
{
    verd_join(verd_spawn(hold, NULL), NULL);
    return arg;
}

/* Whether a dump shows where it is. */
static bool is_shown(void)
{
    char text[16384] = "";
    int file = memfd_create("dump", 0);
    if (file < 0 || verd_dump(file) != 0 || pread(file, text, sizeof text - 1, 0) <= 0)
        _exit(2);
    close(file);
    return strstr(text, "at compute") != NULL;
}

int main(void)
{
    pthread_t other;
    alarm(60);
    if (verd_self() == NULL || pthread_create(&other, NULL, hold_elsewhere, NULL) != 0)
        return 2;
    while (!atomic_load(&holds))
        nap();
    if (is_shown()) {
        puts("the answer was not late");
        return 2;
    }
    atomic_store(&given_up, true);
    while (!atomic_load(&answered))
        nap();
    while (!is_shown()) /* or the alarm ends it */
        nap();
    _exit(0); /* the other one never ends */
}
