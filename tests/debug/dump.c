/* SPDX-License-Identifier: MIT */

/* What is seen of a process from outside, whatever it does. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <verd.h>

#include "process.h"
#include "stack/valgrind.h"

static void *park(void *arg)
{
    verd_park();
    return arg;
}

static void spawn_named(const char *name)
{
    const verd_attr attr = {.name = name};
    verd_spawn_with(&attr, park, NULL);
    verd_yield();
}

/* ---- verd_dump ---- */

static void dump_to_a_pipe(void *arg)
{
    static char text[65536];
    int ends[2];
    (void)arg;
    if (pipe(ends) != 0)
        _exit(1);
    spawn_named("parker");
    errno = EDOM;
    if (verd_dump(ends[1]) != 0 || errno != EDOM)
        _exit(2);
    close(ends[1]);
    ssize_t n = read(ends[0], text, sizeof text - 1);
    _exit(n > 0 && strncmp(text, "green threads of process ", 25) == 0 &&
                  strstr(text, "\nthread 1 \"parker\" waits for verd_unpark, for ") != NULL
              ? 0
              : 3);
}

Test(debug, a_dump_goes_to_the_descriptor_that_is_asked_for)
{
    struct process_end end = process_run(dump_to_a_pipe, NULL);
    cr_assert(end.status == 0 && end.text[0] == '\0', "%x %s", (unsigned)end.status, end.text);
}

Test(debug, a_dump_to_a_pipe_that_nobody_reads_raises_no_signal)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    close(ends[0]);
    cr_assert_eq(verd_dump(ends[1]), 0);
}

static void dump_beyond_the_limit(void *arg)
{
    struct rlimit limit = {10, 10};
    FILE *file = tmpfile();
    (void)arg;
    spawn_named("parker");
    if (file == NULL || setrlimit(RLIMIT_FSIZE, &limit) != 0)
        _exit(1);
    _exit(verd_dump(fileno(file)) == 0 ? 0 : 2);
}

Test(debug, a_dump_to_a_file_that_may_not_grow_raises_no_signal)
{
    if (process_is_emulated())
        cr_skip_test("qemu does not find the signal that is pending");
    struct process_end end = process_run(dump_beyond_the_limit, NULL);
    cr_assert_eq(end.status, 0, "%x", (unsigned)end.status);
}

/* ---- its stack ---- */

static void *join_other(void *pair)
{
    verd_thread *const *both = pair;
    verd_yield();
    verd_wait(both[both[0] == verd_self()], NULL);
    return pair;
}

#define DUMP_STACK 8192 /* as <verd/debug.h> has it */
#define UNTOUCHED '\x5a'

static char alternate[128 * 1024];
static char *handler_frame;

static void dump_in_handler(int signal)
{
    (void)signal;
    handler_frame = __builtin_frame_address(0);
    verd_dump(STDERR_FILENO);
}

static void *spin_elsewhere(void *arg)
{
    spawn_named("elsewhere");
    pthread_barrier_wait(arg);
    pthread_barrier_wait(arg);
    return arg;
}

/* Of two OS threads, with more threads than are told of singly, a cycle among them. */
static void dump_much_on_a_small_stack(void *arg)
{
    static verd_thread *pair[2];
    static pthread_barrier_t both;
    struct sigaction action = {.sa_handler = dump_in_handler, .sa_flags = SA_ONSTACK};
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    pthread_t other;
    (void)arg;
    for (size_t i = 0; i < 2; i++)
        pair[i] = verd_spawn(join_other, pair);
    for (int i = 0; i < 300; i++)
        verd_spawn(park, NULL);
    verd_yield();
    verd_yield(); /* and the two wait for one another */
    pthread_barrier_init(&both, NULL, 2);
    pthread_create(&other, NULL, spin_elsewhere, &both);
    pthread_barrier_wait(&both);
    verd_dump(open("/dev/null", O_WRONLY)); /* what is bound at its first call is bound */
    memset(alternate, UNTOUCHED, sizeof alternate);
    sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    pthread_barrier_wait(&both);
    pthread_join(other, NULL);
}

Test(debug, a_dump_needs_no_more_stack_than_is_said)
{
    if (UNDER_SANITIZER)
        cr_skip_test("a sanitizer makes frames larger");
    struct process_end end = process_capture(dump_much_on_a_small_stack, NULL);
    const char *lowest = alternate;
    verd__valgrind_silence(1); /* it is below the frames that there are */
    while (*lowest == UNTOUCHED)
        lowest++;
    verd__valgrind_silence(-1);
    cr_assert(strstr(end.text, "300 threads (park") && strstr(end.text, "deadlock: "), "%s",
              end.text);
    cr_assert_lt(handler_frame - lowest, DUMP_STACK, "%ld", (long)(handler_frame - lowest));
}

static void dump_a_name_of_two_lines(void *arg)
{
    (void)arg;
    spawn_named("x\nlibverd: y\033[2J");
    verd_dump(STDERR_FILENO);
}

Test(debug, a_name_makes_no_line_of_its_own_and_says_nothing_to_the_terminal)
{
    struct process_end end = process_run(dump_a_name_of_two_lines, NULL);
    cr_assert(strstr(end.text, "\"x?libverd: y?[2J\"") != NULL, "%s", end.text);
}

Test(debug, a_dump_to_a_closed_descriptor_is_EBADF)
{
    cr_assert(verd_dump(-1) == -1 && errno == EBADF);
}

Test(debug, a_dump_to_a_full_pipe_that_does_not_block_is_cut)
{
    int ends[2];
    char page[4096] = {0};
    cr_assert_eq(verd_pipe(ends), 0);
    while (write(ends[1], page, sizeof page) > 0) {
    }
    spawn_named("parker");
    cr_assert_eq(verd_dump(ends[1]), 0);
}

static pthread_barrier_t begun, seen;

static void *live_elsewhere(void *arg)
{
    spawn_named("elsewhere");
    pthread_barrier_wait(&begun);
    pthread_barrier_wait(&seen);
    return arg;
}

static void dump_two_hubs(void *arg)
{
    pthread_t other;
    (void)arg;
    pthread_barrier_init(&begun, NULL, 2);
    pthread_barrier_init(&seen, NULL, 2);
    spawn_named("here");
    pthread_create(&other, NULL, live_elsewhere, NULL);
    pthread_barrier_wait(&begun);
    verd_dump(STDERR_FILENO);
    pthread_barrier_wait(&seen);
    pthread_join(other, NULL);
    fputs("now alone\n", stderr);
    verd_dump(STDERR_FILENO);
}

Test(debug, a_dump_shows_the_threads_of_all_os_threads)
{
    struct process_end end = process_capture(dump_two_hubs, NULL);
    char *alone = strstr(end.text, "now alone\n");
    cr_assert(alone && strstr(end.text, ", on 2 OS threads\n") < alone);
    cr_assert(strstr(end.text, "thread 1 \"here\" waits for verd_unpark"));
    cr_assert(strstr(end.text, "thread 1 \"elsewhere\" waits for verd_unpark"));
    cr_assert(strstr(alone, ", on 1 OS thread\n") && !strstr(alone, "elsewhere"));
}

Test(debug, a_dump_shows_where_a_thread_of_another_os_thread_is)
{
    struct process_end end = process_capture(dump_two_hubs, NULL);
    cr_assert(strstr(end.text, " runs, on OS thread ") || strstr(end.text, " runs\n"));
    cr_assert(strstr(end.text, "    at live_elsewhere+0x") || UNDER_ASAN, "%s", end.text);
}

static void dump_as_a_child(void *arg)
{
    pthread_t other;
    (void)arg;
    pthread_barrier_init(&begun, NULL, 2);
    pthread_barrier_init(&seen, NULL, 2);
    spawn_named("parker");
    pthread_create(&other, NULL, live_elsewhere, NULL);
    pthread_barrier_wait(&begun);
    pid_t child = fork();
    if (child == 0) {
        verd_dump(STDERR_FILENO);
        _exit(0);
    }
    int status = 0;
    verd_waitpid(child, &status, 0);
    pthread_barrier_wait(&seen);
    pthread_join(other, NULL);
}

Test(debug, a_dump_of_the_child_of_a_fork_shows_the_thread_that_it_has)
{
    if (process_is_emulated())
        cr_skip_test("qemu cannot fork a process with several OS threads");
    struct process_end end = process_capture(dump_as_a_child, NULL);
    cr_assert(strstr(end.text, ", on 1 OS thread\nthread 0 (main) runs\n"));
    cr_assert_eq(process_count(end.text, "\nthread "), 1);
}

/* ---- by a signal ---- */

static _Atomic(bool) handled;

static void note_signal(int signal)
{
    (void)signal;
    atomic_store(&handled, true);
}

/* The signal comes to another OS thread. */
static void *send_quit(void *arg)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    pthread_barrier_wait(&begun);
    kill(getpid(), SIGQUIT);
    return arg;
}

/* The end of a dump is known by the handler that is called after it. */
static void expect_dump(void)
{
    pthread_t sender;
    struct sigaction action = {.sa_handler = note_signal};
    sigaction(SIGQUIT, &action, NULL);
    pthread_barrier_init(&begun, NULL, 2);
    pthread_create(&sender, NULL, send_quit, NULL);
    if (verd_dump_on_signal(SIGQUIT) != 0)
        _exit(1);
}

static __attribute__((noinline)) void spin_until_handled(void)
{
    pthread_barrier_wait(&begun);
    while (!atomic_load(&handled)) {
    }
}

static void *spin(void *arg)
{
    spin_until_handled();
    return arg;
}

static void dump_a_spin(void *arg)
{
    (void)arg;
    spawn_named("parker");
    expect_dump();
    const verd_attr attr = {.name = "spinner"};
    verd_join(verd_spawn_with(&attr, spin, NULL), NULL);
}

Test(debug, a_signal_dumps_a_process_that_spins)
{
    struct process_end end = process_capture(dump_a_spin, NULL);
    cr_assert(strstr(end.text, "libverd: thread 2 \"spinner\" runs\n"), "%s", end.text);
    cr_assert(strstr(end.text, "libverd: thread 1 \"parker\" waits for verd_unpark"));
    cr_assert(strstr(end.text, "libverd: thread 0 (main) waits for the end of a thread"));
}

Test(debug, a_dump_by_a_signal_shows_the_calls_that_it_has_interrupted)
{
    struct process_end end = process_capture(dump_a_spin, NULL);
    cr_assert(strstr(end.text, "libverd:     at spin_until_handled+0x"), "%s", end.text);
}

static void *run_spinner(void *arg)
{
    verd_join(verd_spawn(spin, NULL), NULL);
    return arg;
}

/* The OS thread that makes the dump has no green threads. */
static void dump_another_os_thread(void *arg)
{
    pthread_t spinner;
    sigset_t all;
    (void)arg;
    expect_dump();
    sigfillset(&all);
    sigdelset(&all, SIGRTMAX - 4);
    sigset_t none;
    pthread_sigmask(SIG_BLOCK, NULL, &none);
    sigset_t quit;
    sigemptyset(&quit);
    sigaddset(&quit, SIGQUIT);
    pthread_sigmask(SIG_BLOCK, &quit, NULL);
    pthread_create(&spinner, NULL, run_spinner, NULL);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    pthread_join(spinner, NULL);
}

Test(debug, a_signal_dumps_an_os_thread_that_spins_elsewhere)
{
    struct process_end end = process_capture(dump_another_os_thread, NULL);
    cr_assert(strstr(end.text, " (spin) runs, on OS thread "), "%s", end.text);
    cr_assert(strstr(end.text, "libverd:     at spin_until_handled+0x"), "%s", end.text);
}

static __attribute__((noinline)) void sleep_until_handled(void)
{
    pthread_barrier_wait(&begun);
    while (!atomic_load(&handled))
        verd_sleep(VERD_MS);
}

static void dump_an_idle_hub(void *arg)
{
    (void)arg;
    verd_yield();
    expect_dump();
    sleep_until_handled();
}

Test(debug, a_signal_dumps_a_process_that_idles)
{
    struct process_end end = process_capture(dump_an_idle_hub, NULL);
    cr_assert(strstr(end.text, "libverd: thread 0 (main) "), "%s", end.text);
    cr_assert(strstr(end.text, "libverd:     at sleep_until_handled+0x"), "%s", end.text);
}

static void be_ignored(void *arg)
{
    (void)arg;
    verd_yield();
    verd_dump_on_signal(SIGUSR1);
    raise(SIGUSR1);
    _exit(7);
}

Test(debug, a_process_goes_on_after_a_dump_by_a_signal_that_would_end_it)
{
    struct process_end end = process_run(be_ignored, NULL);
    cr_assert(WEXITSTATUS(end.status) == 7 && strstr(end.text, "libverd: thread 0 (main) runs\n"));
}

static void take_back(void *arg)
{
    (void)arg;
    verd_dump_on_signal(SIGUSR1);
    verd_dump_on_signal(0);
    raise(SIGUSR1);
}

Test(debug, a_signal_that_was_taken_back_has_its_effect_again)
{
    struct process_end end = process_run(take_back, NULL);
    cr_assert(process_died_of(&end, SIGUSR1) && end.text[0] == '\0');
}

static void replace(void *arg)
{
    (void)arg;
    verd_yield();
    verd_dump_on_signal(SIGUSR1);
    signal(SIGUSR1, note_signal);
    verd_dump_on_signal(0);
    raise(SIGUSR1);
    _exit(atomic_load(&handled) ? 0 : 1);
}

Test(debug, a_handler_that_is_installed_later_is_left_alone)
{
    struct process_end end = process_run(replace, NULL);
    cr_assert(end.status == 0 && end.text[0] == '\0');
}

Test(debug, a_signal_that_cannot_be_handled_is_EINVAL)
{
    static const int bad[] = {-1, 1000, SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        errno = 0;
        cr_assert(verd_dump_on_signal(bad[i]) == -1 && errno == EINVAL, "%d", bad[i]);
    }
}

static void ask_the_environment(void *choice)
{
    setenv("VERD_DUMP_SIGNAL", choice, 1);
    verd_yield();
    raise(SIGUSR2);
}

Test(debug, the_environment_chooses_a_signal_by_name_or_number)
{
    char number[16];
    snprintf(number, sizeof number, "%d", SIGUSR2);
    char *choices[] = {"USR2", "SIGUSR2", number};
    for (size_t i = 0; i < 3; i++) {
        struct process_end end = process_run(ask_the_environment, choices[i]);
        cr_assert(end.status == 0 && strstr(end.text, "libverd: thread 0 (main) runs\n"));
    }
}

Test(debug, the_environment_is_told_of_a_signal_that_there_is_not)
{
    static char *choices[] = {"USR3", "KILL", "1000", "3x", "RTMIN-1"};
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        char line[64];
        struct process_end end = process_run(ask_the_environment, choices[i]);
        snprintf(line, sizeof line, "libverd: VERD_DUMP_SIGNAL=%s is no signal", choices[i]);
        cr_assert(process_died_of(&end, SIGUSR2) && strstr(end.text, line) == end.text);
    }
}
