/* SPDX-License-Identifier: MIT */

/* Which wait a handler ends. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <unistd.h>

#include <verd.h>

#include "call.h"
#include "patch/posix.h"

static int silent[2];
static volatile sig_atomic_t caught;

static void catch (int signal)
{
    (void)signal;
    caught++;
}

static void handle(int signal, int flags)
{
    struct sigaction action = {.sa_handler = catch, .sa_flags = flags};
    cr_assert_eq(verd_posix_sigaction(signal, &action, NULL), 0);
}

static void make_world(void)
{
    cr_assert_not_null(verd_self());
    cr_assert_eq(verd_posix_pipe(silent), 0);
}

/* Waits of their own for each. */
static ssize_t sleep_long(struct call *call)
{
    (void)call;
    return verd_posix_nanosleep(&(struct timespec){.tv_sec = 1000}, NULL);
}

static ssize_t read_silent(struct call *call)
{
    return verd_posix_read(silent[0], call->data, 1);
}

static ssize_t read_plainly(struct call *call)
{
    return verd_read(silent[0], call->data, 1);
}

/* The handler has run, and whom it interrupts. */
static void raise_and_settle(int signal)
{
    caught = 0;
    cr_assert_eq(raise(signal), 0);
    cr_assert_eq(caught, 1);
    cr_assert_eq(verd_sleep(5 * VERD_MS), 0);
    settle();
}

Test(patch, a_handler_ends_the_wait_that_began_last)
{
    struct call first = {0}, last = {0};
    make_world();
    handle(SIGUSR1, 0);
    call_start(&first, read_silent, -1);
    verd_sleep(VERD_MS);
    call_start(&last, sleep_long, -1);
    raise_and_settle(SIGUSR1);
    cr_expect(last.returned && last.outcome == -EINTR);
    cr_expect_not(first.returned);
    raise_and_settle(SIGUSR1);
    cr_expect(first.returned && first.outcome == -EINTR);
}

static void *raise_later(void *thread)
{
    usleep(20000);
    pthread_kill(*(pthread_t *)thread, SIGUSR1);
    return NULL;
}

Test(patch, a_handler_ends_mains_wait_before_all_others)
{
    struct call other = {0};
    pthread_t self = pthread_self(), thread;
    make_world();
    handle(SIGUSR1, 0);
    char byte;
    cr_assert_eq(pthread_create(&thread, NULL, raise_later, &self), 0);
    call_start(&other, sleep_long, -1);
    cr_expect_eq(outcome(verd_posix_read(silent[0], &byte, 1)), -EINTR);
    pthread_join(thread, NULL);
    cr_expect_not(other.returned);
}

Test(patch, a_handler_with_SA_RESTART_ends_no_read_but_a_sleep)
{
    struct call reader = {0}, sleeper = {0};
    make_world();
    handle(SIGUSR1, SA_RESTART);
    call_start(&sleeper, sleep_long, -1);
    call_start(&reader, read_silent, -1);
    raise_and_settle(SIGUSR1);
    cr_expect_not(reader.returned);
    cr_expect(sleeper.returned && sleeper.outcome == -EINTR);
}

Test(patch, a_handler_ends_no_wait_of_the_librarys_own_calls)
{
    struct call reader = {0};
    make_world();
    handle(SIGUSR1, 0);
    call_start(&reader, read_plainly, -1);
    raise_and_settle(SIGUSR1);
    cr_expect_not(reader.returned);
}

/* It ran before, and its wait was another. */
Test(patch, a_handler_ends_no_wait_that_begins_later)
{
    struct call before = {0}, after = {0};
    make_world();
    handle(SIGUSR1, 0);
    call_start(&before, sleep_long, -1);
    verd_kill(before.thread);
    call_end(&before);
    cr_assert_eq(raise(SIGUSR1), 0);
    call_start(&after, read_silent, -1);
    verd_sleep(5 * VERD_MS);
    cr_expect_not(after.returned);
}

Test(patch, a_handler_ends_a_wait_whatever_runs_at_the_moment)
{
    struct call reader = {0};
    make_world();
    handle(SIGUSR1, 0);
    call_start(&reader, read_silent, -1);
    caught = 0;
    cr_assert_eq(raise(SIGUSR1), 0); /* this thread runs */
    cr_expect_not(reader.returned);
    cr_expect_eq(call_end(&reader), -EINTR);
}

static void count_twice(int signal, siginfo_t *info, void *context)
{
    (void)context;
    caught += info->si_signo == signal ? 2 : 100;
}

Test(patch, a_handler_that_asks_for_more_is_told_more)
{
    struct sigaction action = {.sa_sigaction = count_twice, .sa_flags = SA_SIGINFO}, before;
    cr_assert_eq(verd_posix_sigaction(SIGUSR2, &action, NULL), 0);
    cr_assert_eq(raise(SIGUSR2), 0);
    cr_expect_eq(caught, 2);
    cr_assert_eq(verd_posix_sigaction(SIGUSR2, NULL, &before), 0);
    cr_expect(before.sa_sigaction == count_twice && (before.sa_flags & SA_SIGINFO));
}

/* ---- masks ---- */

static ssize_t poll_open(struct call *call)
{
    sigset_t none;
    sigemptyset(&none);
    (void)call;
    return verd_posix_ppoll(NULL, 0, NULL, &none);
}

static bool is_blocked(int signal)
{
    sigset_t now;
    pthread_sigmask(SIG_BLOCK, NULL, &now);
    return sigismember(&now, signal);
}

Test(patch, a_mask_holds_as_long_as_its_wait)
{
    struct call poller = {0};
    sigset_t usr1;
    make_world();
    handle(SIGUSR1, 0);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    caught = 0;
    raise(SIGUSR1);
    cr_expect_eq(caught, 0);
    cr_expect_eq(outcome(poll_open(NULL)), -EINTR); /* it comes as the mask lets it */
    cr_expect_eq(caught, 1);
    cr_expect(is_blocked(SIGUSR1));
    call_start(&poller, poll_open, -1);
    cr_expect_not(is_blocked(SIGUSR1));
    verd_kill(poller.thread);
    cr_expect_eq(call_end(&poller), -ECANCELED);
    cr_expect(is_blocked(SIGUSR1));
}

Test(patch, of_several_masks_the_last_holds_until_all_are_over)
{
    struct call first = {0}, second = {0};
    sigset_t usr1;
    make_world();
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    call_start(&first, poll_open, -1);
    call_start(&second, poll_open, -1);
    verd_kill(first.thread);
    call_end(&first);
    cr_expect_not(is_blocked(SIGUSR1));
    verd_kill(second.thread);
    call_end(&second);
    cr_expect(is_blocked(SIGUSR1));
}
