/* SPDX-License-Identifier: MIT */

/* Waiting for signals. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <verd.h>

#include "caller.h"
#include "process.h"

static sigset_t set_of(int first, int second)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, first);
    if (second != 0)
        sigaddset(&set, second);
    return set;
}

static int wait_signal(struct caller *self)
{
    return verd_signal_wait(self->object, self->item);
}

Test(os, signal_wait_gets_a_signal_that_comes_later)
{
    struct caller caller;
    sigset_t set = set_of(SIGTERM, 0);
    caller_start(&caller, wait_signal, &set, NULL);
    cr_assert_not(caller.done);
    kill(getpid(), SIGTERM);
    cr_assert_eq(caller_end(&caller), SIGTERM);
}

Test(os, signal_wait_gets_a_signal_that_is_pending)
{
    sigset_t set = set_of(SIGTERM, 0);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGTERM);
    cr_assert_eq(verd_signal_wait(&set, NULL), SIGTERM);
}

static int ticks;

static void tick(void *arg)
{
    bool *over = arg;
    while (!*over) {
        ticks++;
        verd_sleep(VERD_MS);
    }
}

static void raise_later(void *arg)
{
    (void)arg;
    while (ticks < 3)
        verd_sleep(VERD_MS);
    kill(getpid(), SIGTERM);
}

Test(os, others_run_while_a_thread_waits_for_a_signal)
{
    bool over = false;
    sigset_t set = set_of(SIGTERM, 0);
    verd_spawn_n(tick, &over);
    verd_spawn_n(raise_later, NULL);
    cr_assert_eq(verd_signal_wait(&set, NULL), SIGTERM);
    over = true;
    cr_assert_geq(ticks, 3);
    verd_sleep(2 * VERD_MS);
}

Test(os, signal_wait_tells_who_sent_the_signal)
{
    siginfo_t info;
    sigset_t set = set_of(SIGTERM, 0);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGTERM);
    verd_signal_wait(&set, &info);
    cr_assert(info.si_signo == SIGTERM && info.si_pid == getpid() && info.si_code == SI_USER);
}

Test(os, signal_wait_passes_the_value_of_a_queued_signal_on)
{
    siginfo_t info;
    union sigval value = {.sival_int = 12345};
    sigset_t set = set_of(SIGRTMIN, 0);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    sigqueue(getpid(), SIGRTMIN, value);
    verd_signal_wait(&set, &info);
    cr_assert_eq(info.si_value.sival_int, 12345);
}

Test(os, signal_wait_tells_which_descriptor_is_ready)
{
    int fds[2];
    siginfo_t info = {0};
    if (process_is_emulated())
        cr_skip_test("the emulator asks for no such signals");
    sigset_t set = set_of(SIGIO, 0);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    verd_pipe(fds);
    cr_assert_eq(fcntl(fds[0], F_SETOWN, getpid()), 0);
    cr_assert_eq(fcntl(fds[0], F_SETSIG, SIGIO), 0); /* by itself, SIGIO tells nothing */
    cr_assert_eq(fcntl(fds[0], F_SETFL, O_ASYNC | O_NONBLOCK), 0);
    cr_assert_eq(verd_write(fds[1], "x", 1), 1);
    cr_assert_eq(verd_signal_wait(&set, &info), SIGIO);
    cr_assert(info.si_code == POLL_IN && info.si_fd == fds[0]);
}

Test(os, signal_wait_tells_how_a_child_ended)
{
    siginfo_t info;
    sigset_t set = set_of(SIGCHLD, 0);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(3);
    verd_signal_wait(&set, &info);
    cr_assert(info.si_pid == child && info.si_code == CLD_EXITED && info.si_status == 3);
}

Test(os, those_who_wait_for_the_same_signal_get_one_each_in_their_order)
{
    struct caller first, second;
    sigset_t set = set_of(SIGRTMIN, 0);
    caller_start(&first, wait_signal, &set, NULL);
    caller_start(&second, wait_signal, &set, NULL);
    kill(getpid(), SIGRTMIN);
    cr_assert_eq(caller_end(&first), SIGRTMIN);
    cr_assert_not(second.done);
    kill(getpid(), SIGRTMIN);
    cr_assert_eq(caller_end(&second), SIGRTMIN);
}

Test(os, those_who_wait_for_different_signals_get_each_their_own)
{
    struct caller first, second;
    sigset_t term = set_of(SIGTERM, 0), interrupt = set_of(SIGINT, 0);
    caller_start(&first, wait_signal, &term, NULL);
    caller_start(&second, wait_signal, &interrupt, NULL);
    kill(getpid(), SIGINT);
    cr_assert_eq(caller_end(&second), SIGINT);
    cr_assert_not(first.done);
    kill(getpid(), SIGTERM);
    cr_assert_eq(caller_end(&first), SIGTERM);
}

Test(os, a_wait_for_several_signals_gets_the_one_that_comes)
{
    struct caller caller;
    sigset_t set = set_of(SIGTERM, SIGINT);
    caller_start(&caller, wait_signal, &set, NULL);
    kill(getpid(), SIGINT);
    cr_assert_eq(caller_end(&caller), SIGINT);
}

Test(os, a_wait_for_a_signal_ends_by_its_timeout)
{
    sigset_t set = set_of(SIGTERM, 0);
    cr_assert_eq(caller_within(VERD_MS, wait_signal, &set, NULL), -ETIMEDOUT);
}

Test(os, a_wait_for_a_signal_ends_by_kill)
{
    struct caller caller;
    sigset_t set = set_of(SIGTERM, 0);
    caller_start(&caller, wait_signal, &set, NULL);
    verd_kill(caller.thread);
    cr_assert_eq(caller_end(&caller), -ECANCELED);
}

Test(os, a_signal_that_nobody_waits_for_any_more_is_kept_for_the_next)
{
    sigset_t set = set_of(SIGTERM, 0);
    caller_within(VERD_MS, wait_signal, &set, NULL);
    kill(getpid(), SIGTERM);
    verd_sleep(VERD_MS);
    cr_assert_eq(verd_signal_wait(&set, NULL), SIGTERM);
}

Test(os, the_next_in_line_gets_the_signal_of_one_who_gave_up)
{
    struct caller first, second;
    sigset_t set = set_of(SIGTERM, 0);
    caller_start(&first, wait_signal, &set, NULL);
    caller_start(&second, wait_signal, &set, NULL);
    verd_kill(first.thread);
    kill(getpid(), SIGTERM);
    cr_assert_eq(caller_end(&second), SIGTERM);
}

Test(os, no_signals_are_EINVAL)
{
    sigset_t none;
    sigemptyset(&none);
    cr_assert(verd_signal_wait(&none, NULL) == -1 && errno == EINVAL);
    cr_assert(verd_signal_wait(NULL, NULL) == -1 && errno == EINVAL);
}

Test(os, a_signal_that_cannot_be_blocked_is_EINVAL)
{
    sigset_t set = set_of(SIGTERM, SIGKILL);
    cr_assert(verd_signal_wait(&set, NULL) == -1 && errno == EINVAL);
}

static verd_thread *parked;
static int deadlocks;

static void note_deadlock(void)
{
    deadlocks++;
    verd_unpark(parked);
}

Test(os, a_deadlock_is_seen_when_nobody_waits_for_a_signal_any_more)
{
    sigset_t set = set_of(SIGTERM, 0);
    caller_within(VERD_MS, wait_signal, &set, NULL);
    parked = verd_self();
    verd_on_deadlock(note_deadlock);
    verd_park();
    cr_assert_eq(deadlocks, 1);
}

static void wait_in_child(void *arg)
{
    struct caller caller;
    caller_start(&caller, wait_signal, arg, NULL);
    kill(getpid(), SIGTERM);
    if (caller_end(&caller) != SIGTERM)
        _exit(1);
}

Test(os, the_child_of_a_fork_waits_for_its_own_signals)
{
    struct caller caller;
    sigset_t set = set_of(SIGTERM, 0);
    caller_start(&caller, wait_signal, &set, NULL);
    cr_assert_eq(process_run(wait_in_child, &set).status, 0);
    cr_assert_not(caller.done);
    kill(getpid(), SIGTERM);
    cr_assert_eq(caller_end(&caller), SIGTERM);
}

/* It is the first one's, as before, though the second is about to go. */
Test(os, a_signal_that_meets_the_end_of_a_wait_goes_to_the_first_in_line)
{
    struct caller first, second;
    sigset_t set = set_of(SIGTERM, 0);
    caller_start(&first, wait_signal, &set, NULL);
    caller_start(&second, wait_signal, &set, NULL);
    kill(getpid(), SIGTERM);
    verd_kill(second.thread);
    cr_expect_eq(caller_end(&second), -ECANCELED);
    cr_expect_eq(caller_end(&first), SIGTERM);
}

Test(os, a_signal_whose_last_waiter_has_just_gone_stays_pending)
{
    struct caller one, other;
    sigset_t term = set_of(SIGTERM, 0), usr1 = set_of(SIGUSR1, 0);
    caller_start(&one, wait_signal, &term, NULL);
    caller_start(&other, wait_signal, &usr1, NULL);
    verd_kill(one.thread);
    kill(getpid(), SIGTERM);
    verd_kill(other.thread);
    cr_expect_eq(caller_end(&one), -ECANCELED);
    cr_expect_eq(caller_end(&other), -ECANCELED);
    cr_expect_eq(verd_signal_wait(&term, NULL), SIGTERM);
}
