/* SPDX-License-Identifier: MIT */

/* verd_poll for events that do not come, on descriptors that have others: it waits, and its time is over
 * when it is over. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <poll.h>
#include <time.h>

#include "call.h"

#define TIMEOUT_MS 100

/* Descriptors that are readable, writable, or both, now and all the time. */
static int make_ours(void)
{
    int fds[2];
    make_pair(fds);
    verd_write(fds[1], "x", 1);
    return fds[0];
}

static int make_foreign(void)
{
    int fds[2];
    make_foreign_pair(fds);
    verd_write(fds[1], "x", 1);
    return fds[0];
}

static int make_tcp(void)
{
    int fds[2];
    make_tcp_pair(fds);
    verd_write(fds[1], "x", 1);
    verd_wait_fd(fds[0], POLLIN);
    return fds[0];
}

static int make_read_end(void)
{
    int fds[2];
    verd_pipe(fds);
    verd_write(fds[1], "x", 1);
    return fds[0];
}

static int make_write_end(void)
{
    int fds[2];
    verd_pipe(fds);
    return fds[1];
}

static const struct waiting {
    const char *name;
    int (*make)(void);
    short events;
} waitings[] = {
    {"a socket of ours, for a band", make_ours, POLLRDBAND},
    {"a foreign socket, for a band", make_foreign, POLLRDBAND},
    {"a TCP socket, for a band", make_tcp, POLLRDBAND},
    {"a pipe, for a band", make_read_end, POLLRDBAND},
    {"a pipe, to write a band", make_write_end, POLLWRBAND},
    {"a TCP socket, for urgent data", make_tcp, POLLPRI},
    {"a TCP socket, for urgent data and a band", make_tcp, POLLPRI | POLLRDBAND},
    {"a TCP socket, for its end", make_tcp, POLLRDHUP},
    {"a foreign socket, for its end and a band", make_foreign, POLLRDHUP | POLLRDBAND},
};

static verd_duration processor_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * VERD_SEC + now.tv_nsec;
}

static short events;
static int timeout_ms = TIMEOUT_MS;

static ssize_t poll_for_events(struct call *call)
{
    struct pollfd poller = {.fd = call->fd, .events = events};
    return verd_poll(&poller, 1, timeout_ms);
}

ParameterizedTestParameters(net, poll_for_what_does_not_come_waits_so_long)
{
    size_t count = sizeof waitings / sizeof *waitings;
    size_t *numbers = cr_malloc(count * sizeof *numbers);
    for (size_t i = 0; i < count; i++)
        numbers[i] = i;
    return cr_make_param_array(size_t, numbers, count);
}

ParameterizedTest(const size_t *number, net, poll_for_what_does_not_come_waits_so_long)
{
    const struct waiting *waiting = &waitings[*number];
    struct call poller = {0};
    int fd = waiting->make();
    events = waiting->events;
    verd_duration begun = verd_now(), worked = processor_time();
    cr_expect_eq(call_within(30 * TIMEOUT_MS * VERD_MS, &poller, poll_for_events, fd), 0, "%s",
                 waiting->name);
    cr_expect_geq(verd_now() - begun, TIMEOUT_MS * VERD_MS, "%s", waiting->name);
    cr_expect_lt(processor_time() - worked, TIMEOUT_MS * VERD_MS / 2, "%s", waiting->name);
}

/* Where there is a band to write, it is found. */
Test(net, poll_finds_that_a_band_can_be_written_once_it_can)
{
    int fds[2];
    struct call poller = {0};
    make_pair(fds);
    fill(fds[0]);
    events = POLLWRBAND;
    timeout_ms = 30000;
    call_start(&poller, poll_for_events, fds[0]);
    cr_expect_not(poller.returned);
    while (!poller.returned) {
        drain(fds[1]);
        verd_sleep(VERD_MS);
    }
    cr_assert_eq(call_end(&poller), 1);
}
