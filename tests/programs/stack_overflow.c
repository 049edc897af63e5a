/* SPDX-License-Identifier: MIT */

/* A stack overflow says in one line what happened and how to mend it, then dies of SIGSEGV; other
 * crashes do not say it, and a handler of the user's is never hidden. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>

#include <verd.h>

#include "child.h"

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

static void *give_back(void *arg)
{
    return arg;
}

static void overflow_unnamed(void)
{
    verd_join(verd_spawn(overflow, NULL), NULL);
}

static void overflow_named(void)
{
    verd_attr attr = {.name = "deep", .stack_size = 20000};
    verd_join(verd_spawn(give_back, NULL), NULL);
    verd_join(verd_spawn_with(&attr, overflow, NULL), NULL);
}

static void overflow_with_a_short_name(void)
{
    verd_attr attr = {.name = "x"};
    verd_join(verd_spawn_with(&attr, overflow, NULL), NULL);
}

/* As a frame does of which only the far end is touched. */
static void *step_over(void *bytes)
{
    volatile char *here = __builtin_frame_address(0);
    here[-(ptrdiff_t)(intptr_t)bytes] = 1;
    return bytes;
}

static void overflow_by_one_frame(void)
{
    verd_attr attr = {.name = "wide", .stack_size = VERD_STACK_SIZE_MIN};
    verd_spawn_with(&attr, give_back, NULL); /* a neighbour below */
    size_t bytes = VERD_STACK_SIZE_MIN + VERD_STACK_GUARD - 4096;
    verd_join(verd_spawn_with(&attr, step_over, (void *)bytes), NULL);
}

static void *yield_deep(void *depth)
{
    volatile char frame[512];
    frame[0] = 1;
    verd_yield();
    if (bottom < 0)
        yield_deep((char *)depth + frame[0]);
    return frame[0] ? depth : NULL;
}

static void overflow_among_others(void)
{
    verd_thread *t = verd_spawn(yield_deep, NULL);
    verd_spawn(yield_deep, NULL);
    verd_join(t, NULL);
}

/* Steps so small that it is a switch that does not fit any more: its frame is larger than one. */
static __attribute__((noinline)) int yield_in_small_steps(int depth)
{
    volatile int step = 1;
    verd_yield();
    return depth == bottom ? 0 : yield_in_small_steps(depth + 1) + step;
}

static void *overflow_in_small_steps(void *arg)
{
    return (void *)(intptr_t)yield_in_small_steps((int)(intptr_t)arg);
}

static void *yield_on(void *arg)
{
    while (bottom < 0)
        verd_yield();
    return arg;
}

static void overflow_in_a_switch(void)
{
    verd_attr attr = {.name = "small", .stack_size = VERD_STACK_SIZE_MIN};
    verd_thread *t = verd_spawn_with(&attr, overflow_in_small_steps, NULL);
    verd_spawn(yield_on, NULL);
    verd_join(t, NULL);
}

static void *overflow_elsewhere(void *arg)
{
    overflow_unnamed();
    return arg;
}

static void overflow_on_another_os_thread(void)
{
    pthread_t os_thread;
    verd_yield();
    pthread_create(&os_thread, NULL, overflow_elsewhere, NULL);
    pthread_join(os_thread, NULL);
}

static void overflow_main(void)
{
    verd_yield();
    overflow(NULL);
}

static void *volatile nowhere =
    (void *)64; /* not NULL, which UndefinedBehaviorSanitizer would look at first */

static void *dereference(void *arg)
{
    *(volatile int *)nowhere = 1;
    return arg;
}

static void dereference_in_main(void)
{
    verd_yield();
    dereference(NULL);
}

static void dereference_in_a_thread(void)
{
    verd_join(verd_spawn(dereference, NULL), NULL);
}

static void be_sent_a_signal(void)
{
    verd_yield();
    raise(SIGSEGV);
}

static void on_fault(int signal)
{
    static const char text[] = "the user's handler\n";
    ssize_t n = write(STDERR_FILENO, text, sizeof text - 1);
    (void)signal, (void)n;
    _exit(3);
}

static void install_handler(void)
{
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
}

static void handler_before(void)
{
    install_handler();
    dereference_in_a_thread();
}

static void handler_after(void)
{
    verd_yield();
    install_handler();
    dereference_in_a_thread();
}

static void handler_before_and_overflow(void)
{
    install_handler();
    overflow_unnamed();
}

static void handler_after_and_overflow(void)
{
    verd_yield();
    install_handler();
    overflow_unnamed();
}

static void ignore_then_send(void)
{
    signal(SIGSEGV, SIG_IGN);
    verd_yield();
    kill(getpid(), SIGSEGV); /* ignored before the library came, ignored behind it */
}

int main(void)
{
    static const char line[] = "libverd: stack overflow in thread ";
    static const char advice[] = "verd_attr.stack_size";
    static const struct scene scenes[] = {
        {"unnamed",
         overflow_unnamed,
         SIGSEGV,
         0,
         {line, "thread 1 (overflow", "262144 bytes", advice},
         "\"",
         0},
        {"named", overflow_named, SIGSEGV, 0, {line, " \"deep\":", NULL, advice}, NULL, 0},
        {"short name", overflow_with_a_short_name, SIGSEGV, 0, {line, " \"x\":", advice}, NULL, 0},
        {"among others", overflow_among_others, SIGSEGV, 0, {line, advice}, NULL, 0},
        {"by one frame", overflow_by_one_frame, SIGSEGV, 0, {line, " \"wide\":", advice}, NULL, 0},
        {"in a switch", overflow_in_a_switch, SIGSEGV, 0, {line, " \"small\":", advice}, NULL, 0},
        {"other OS thread", overflow_on_another_os_thread, SIGSEGV, 0, {line, advice}, NULL, 0},
        {"main", overflow_main, SIGSEGV, 0, {NULL}, "libverd", 0},
        {"null in main", dereference_in_main, SIGSEGV, 0, {NULL}, "libverd", 0},
        {"null in a thread", dereference_in_a_thread, SIGSEGV, 0, {NULL}, "libverd", 0},
        {"sent", be_sent_a_signal, SIGSEGV, 0, {NULL}, "libverd", 0},
        {"handler before", handler_before, 0, 3, {"the user's"}, "libverd", 1},
        {"handler after", handler_after, 0, 3, {"the user's"}, "libverd", 1},
        {"handler before, overflow", handler_before_and_overflow, 0, 3, {"the user's"}, NULL, 0},
        {"handler after, overflow", handler_after_and_overflow, 0, 3, {"the user's"}, NULL, 0},
        {"ignored", ignore_then_send, 0, 0, {NULL}, "libverd", 0},
    };
    if (faults_are_caught())
        return skip("a sanitizer catches SIGSEGV itself");
    return play_all(scenes, sizeof scenes / sizeof *scenes);
}
