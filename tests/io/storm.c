/* SPDX-License-Identifier: MIT */

/* A storm of signals, without SA_RESTART: no call fails with EINTR, and nothing is lost. */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "call.h"
#include "process.h"

/* At least so many signals, however fast the machine, during at least one pass, however slow. */
#define SIGNALS 100
#define SIZE ((size_t)256 * 1024)

static volatile sig_atomic_t signals;
static unsigned char sent[SIZE], received[SIZE];

/* Sets the timer again: at an interval, a slow machine would do nothing but handle it. */
static void set_timer(void)
{
    struct itimerval once = {.it_value.tv_usec = 1000};
    setitimer(ITIMER_REAL, &once, NULL);
}

static void count_signal(int signal)
{
    (void)signal;
    signals++;
    set_timer();
}

static void start_storm(void)
{
    struct sigaction action = {.sa_handler = count_signal};
    sigaction(SIGALRM, &action, NULL);
    set_timer();
}

static void stop_storm(void)
{
    signal(SIGALRM, SIG_IGN);
}

static ssize_t write_all(struct call *call)
{
    return verd_write_full(call->fd, sent, SIZE, NULL);
}

static void expect_passes(int out, int in)
{
    struct call writer = {0};
    for (size_t i = 0; i < SIZE; i++)
        sent[i] = (unsigned char)(i * 7 + i / 251 + (size_t)signals);
    call_start(&writer, write_all, out);
    cr_assert_eq(outcome(verd_read_full(in, received, SIZE, NULL)), (ssize_t)SIZE);
    cr_assert_eq(call_end(&writer), (ssize_t)SIZE);
    cr_assert_eq(memcmp(sent, received, SIZE), 0);
}

static void storm_through(int out, int in)
{
    start_storm();
    do {
        expect_passes(out, in);
    } while (signals < SIGNALS);
    stop_storm();
}

Test(io, signals_do_not_disturb_sockets)
{
    int fds[2];
    make_pair(fds);
    storm_through(fds[1], fds[0]);
}

Test(io, signals_do_not_disturb_blocking_sockets)
{
    int fds[2];
    make_foreign_pair(fds);
    storm_through(fds[1], fds[0]);
}

Test(io, signals_do_not_disturb_pipes)
{
    int fds[2];
    verd_pipe(fds);
    storm_through(fds[1], fds[0]);
}

Test(io, signals_do_not_disturb_blocking_pipes)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    storm_through(fds[1], fds[0]);
}

Test(io, signals_do_not_disturb_connections)
{
    if (UNDER_TSAN)
        cr_skip_test("ThreadSanitizer loses a signal that has come to a thread that ends");
    int port;
    int listener = make_listener(&port);
    start_storm();
    do {
        struct call accepter = {0};
        call_start(&accepter, call_accept, listener);
        int client = verd_connect("127.0.0.1", port);
        cr_assert_geq(outcome(client), 0);
        cr_assert_geq(call_end(&accepter), 0);
        verd_close((int)accepter.outcome);
        verd_close(client);
    } while (signals < SIGNALS);
    stop_storm();
}

Test(io, signals_do_not_end_waits)
{
    int fds[2];
    struct call poller = {0};
    make_pair(fds);
    call_start(&poller, call_poll_input, fds[0]);
    start_storm();
    while (signals < SIGNALS)
        verd_sleep(VERD_MS);
    stop_storm();
    verd_write(fds[1], "x", 1);
    cr_assert_eq(call_end(&poller), 1);
}

Test(io, signals_do_not_shorten_timeouts)
{
    int fds[2];
    struct call reader = {0};
    make_pair(fds);
    start_storm();
    verd_duration begin = verd_now();
    call_within(50 * VERD_MS, &reader, call_read, fds[0]);
    stop_storm();
    cr_assert_geq(verd_now() - begin, 50 * VERD_MS);
}
