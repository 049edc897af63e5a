/* SPDX-License-Identifier: MIT */

/* Closing where close(2) waits: nobody else does. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "call.h"
#include "caller.h"
#include "process.h"

#define LINGER 600 /* seconds; a test that waits for it does not end */

/* A TCP connection whose first end has more to send than its other end takes, and lingers; what that is. */
static size_t make_full_pair(int fds[2])
{
    static const struct linger linger = {.l_onoff = 1, .l_linger = LINGER};
    make_tcp_pair(fds);
    cr_assert_eq(setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    return fill(fds[0]);
}

static int close_it(struct caller *self)
{
    return verd_close(*(const int *)self->object);
}

/* Reads all until the end; how much that was. */
static size_t read_to_end(int fd)
{
    static char buffer[65536];
    size_t total = 0;
    ssize_t done;
    while ((done = verd_read(fd, buffer, sizeof buffer)) > 0)
        total += (size_t)done;
    cr_assert_eq(done, 0);
    return total;
}

static size_t closes(void)
{
    struct verd_offload_counts counts;
    cr_assert_eq(verd_offload_stats(VERD_OFFLOAD_CLOSES, &counts), 0);
    return counts.total;
}

Test(io, who_closes_what_lingers_waits_until_all_was_sent_and_others_run_meanwhile)
{
    int fds[2];
    struct caller closer = {0};
    size_t sent = make_full_pair(fds);
    caller_start(&closer, close_it, &fds[0], NULL);
    for (int i = 0; i < 20; i++)
        verd_sleep(VERD_MS);
    cr_assert(!closer.done);
    cr_assert_eq(read_to_end(fds[1]), sent);
    cr_assert_eq(caller_end(&closer), 0);
}

Test(io, who_is_killed_as_he_lingers_waits_no_longer_and_what_is_left_is_sent)
{
    int fds[2];
    struct caller closer = {0};
    size_t sent = make_full_pair(fds);
    caller_start(&closer, close_it, &fds[0], NULL);
    verd_sleep(VERD_MS);
    verd_kill(closer.thread);
    cr_assert_eq(caller_end(&closer), 0);
    cr_assert_eq(read_to_end(fds[1]), sent);
}

Test(io, who_is_out_of_time_before_he_closes_what_lingers_does_not_wait)
{
    int fds[2];
    verd_timeout limit;
    size_t sent = make_full_pair(fds);
    verd_timeout_begin(&limit, 0);
    cr_assert_eq(verd_close(fds[0]), 0);
    cr_assert_eq(fcntl(fds[0], F_GETFD), -1);
    verd_timeout_end(&limit);
    cr_assert_eq(read_to_end(fds[1]), sent);
}

Test(io, more_who_linger_than_there_are_OS_threads_to_wait_are_all_closed_when_killed)
{
    enum { COUNT = VERD_OFFLOAD_THREADS + 5 };
    static int fds[COUNT][2];
    static struct caller closers[COUNT];
    for (int i = 0; i < COUNT; i++) {
        make_full_pair(fds[i]);
        caller_start(&closers[i], close_it, &fds[i][0], NULL);
    }
    for (int i = 0; i < COUNT; i++)
        verd_kill(closers[i].thread);
    for (int i = 0; i < COUNT; i++) {
        cr_assert_eq(caller_end(&closers[i]), 0);
        read_to_end(fds[i][1]);
    }
}

enum { MANY = VERD_OFFLOAD_THREADS + 5 };
static int pairs[MANY][2];
static size_t sizes[MANY];

/* Ends while some linger, and others wait in line to. */
static void *leave_lingering(void *arg)
{
    static struct caller closers[MANY];
    for (int i = 0; i < MANY; i++) {
        sizes[i] = make_full_pair(pairs[i]);
        caller_start(&closers[i], close_it, &pairs[i][0], NULL);
    }
    return arg;
}

Test(io, the_end_of_an_OS_thread_closes_what_its_threads_were_closing)
{
    pthread_t other;
    cr_assert_eq(pthread_create(&other, NULL, leave_lingering, NULL), 0);
    cr_assert_eq(pthread_join(other, NULL), 0);
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(read_to_end(pairs[i][1]), sizes[i]);
}

static bool sleeps_and_closes(void)
{
    int fds[2];
    make_pair(fds);
    return verd_sleep(VERD_MS) == 0 && verd_close(fds[0]) == 0;
}

Test(io, the_child_of_a_fork_does_not_wait_for_a_linger_and_its_parent_does)
{
    int fds[2];
    struct caller closer = {0};
    if (!process_can_fork_beside_starts())
        cr_skip_test("neither an emulator nor ASan can fork while an OS thread starts");
    size_t sent = make_full_pair(fds);
    caller_start(&closer, close_it, &fds[0], NULL);
    cr_assert(process_child_finds(sleeps_and_closes));
    cr_assert(!closer.done);
    cr_assert_eq(read_to_end(fds[1]), sent);
    cr_assert_eq(caller_end(&closer), 0);
}

Test(io, a_connection_that_does_not_linger_is_closed_without_another_OS_thread)
{
    int fds[2];
    make_tcp_pair(fds);
    fill(fds[0]);
    cr_assert_eq(verd_close(fds[0]), 0);
    cr_assert_eq(closes(), 0);
}

static void *write_and_close(void *arg)
{
    char name[] = "/tmp/verd-XXXXXX";
    int fd = mkstemp(name);
    (void)arg;
    cr_assert(fd >= 0 && unlink(name) == 0);
    cr_assert_eq(write(fd, "x", 1), 1);
    cr_assert_eq(verd_close(fd), 0);
    cr_assert_eq(fcntl(fd, F_GETFD), -1);
    return NULL;
}

Test(io, a_file_is_closed_by_another_OS_thread)
{
    verd_thread *writer = verd_spawn(write_and_close, NULL);
    cr_assert_eq(verd_join(writer, NULL), 0);
    cr_assert_eq(closes(), 1);
}

Test(io, a_killed_thread_waits_for_the_end_of_a_file_it_closes)
{
    verd_kill(verd_self());
    write_and_close(NULL);
    cr_assert_eq(closes(), 1);
}
