/* SPDX-License-Identifier: MIT */

/* Several threads write to one descriptor: one after the other, as they came. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <verd.h>

#include "call.h"

enum { WRITERS = 5, LARGE = 300000 };

static char received[WRITERS * LARGE];
static int fds[2];

static ssize_t write_large(struct call *call)
{
    char *data = malloc(LARGE);
    memset(data, call->data[0], LARGE);
    ssize_t n = verd_write_full(call->fd, data, LARGE, NULL);
    free(data);
    return n;
}

static ssize_t send_small(struct call *call)
{
    return verd_send(call->fd, call->data, 1, 0);
}

static ssize_t writev_small(struct call *call)
{
    struct iovec part = {call->data, 1};
    return verd_writev(call->fd, &part, 1);
}

static ssize_t sendfile_small(struct call *call)
{
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    off_t offset = 0;
    ssize_t n = verd_sendfile(call->fd, file, &offset, 1);
    close(file);
    return n;
}

/* Each writes its letter. */
static void start(struct call calls[WRITERS], ssize_t (*make)(struct call *))
{
    for (int i = 0; i < WRITERS; i++) {
        calls[i] = (struct call){.data = {(char)('a' + i)}, .size = 1};
        call_start(&calls[i], make, fds[1]);
    }
}

/* Whether all have written `size` bytes, a's before b's and so on. */
static bool come_in_order(struct call calls[WRITERS], size_t size)
{
    bool good = verd_read_full(fds[0], received, WRITERS * size, NULL) == (ssize_t)(WRITERS * size);
    for (size_t i = 0; i < WRITERS * size; i++)
        good = good && received[i] == (char)('a' + i / size);
    for (int i = 0; i < WRITERS; i++)
        good = call_end(&calls[i]) == (ssize_t)size && good;
    return good;
}

Test(output_lock, large_writes_to_a_socket_are_not_mixed)
{
    struct call calls[WRITERS];
    make_pair(fds);
    start(calls, write_large);
    cr_assert(come_in_order(calls, LARGE));
}

Test(output_lock, large_writes_to_a_blocking_pipe_are_not_mixed)
{
    struct call calls[WRITERS];
    cr_assert_eq(pipe(fds), 0);
    start(calls, write_large);
    cr_assert(come_in_order(calls, LARGE));
}

Test(output_lock, large_writes_that_give_way_without_waiting_are_not_mixed)
{
    struct call calls[WRITERS];
    char path[] = "/tmp/verd-writers-XXXXXX";
    int file = mkstemp(path);
    fds[1] = file;
    fds[0] = open(path, O_RDONLY | O_CLOEXEC);
    unlink(path);
    start(calls, write_large);
    for (int i = 0; i < WRITERS; i++)
        verd_wait(calls[i].thread, NULL);
    cr_assert(come_in_order(calls, LARGE));
}

Test(output_lock, small_writes_that_wait_come_in_the_order_of_the_calls)
{
    struct call calls[WRITERS];
    make_pair(fds);
    size_t before = fill(fds[1]);
    start(calls, call_write);
    while (before > 0)
        before -= (size_t)verd_read(fds[0], received,
                                    before < sizeof received ? before : sizeof received);
    cr_assert(come_in_order(calls, 1));
}

Test(output_lock, all_kinds_of_output_get_in_line)
{
    static ssize_t (*const kinds[])(struct call *) = {send_small, writev_small, sendfile_small,
                                                      call_write};
    struct call calls[4] = {{.size = 0}};
    make_pair(fds);
    fill(fds[1]);
    for (int i = 0; i < 4; i++) {
        calls[i].size = 1;
        call_start(&calls[i], kinds[i], fds[1]);
    }
    drain(fds[0]);
    for (int i = 0; i < 4; i++)
        cr_expect_eq(call_end(&calls[i]), 1);
}

Test(output_lock, who_comes_while_the_first_is_woken_does_not_overtake_it)
{
    struct call first = {.data = "1", .size = 1}, second = {.data = "2", .size = 1};
    make_pair(fds);
    fill(fds[1]);
    call_start(&first, call_write, fds[1]);
    drain(fds[0]);
    while (!first.returned) { /* it is woken in one of these, or has had its turn */
        if (second.thread == NULL)
            call_start(&second, call_write, fds[1]);
        verd_yield();
    }
    cr_assert(call_end(&first) == 1 && call_end(&second) == 1);
    cr_assert(verd_read_full(fds[0], received, 2, NULL) == 2 && memcmp(received, "12", 2) == 0);
}

Test(output_lock, a_write_that_is_not_to_wait_is_EAGAIN_behind_one_that_does)
{
    struct call first = {.data = "1", .size = 1};
    make_pair(fds);
    fill(fds[1]);
    call_start(&first, call_write, fds[1]);
    cr_assert_eq(outcome(verd_send(fds[1], "2", 1, MSG_DONTWAIT)), -EAGAIN);
}

Test(output_lock, who_is_killed_in_line_is_skipped)
{
    struct call calls[WRITERS];
    make_pair(fds);
    fill(fds[1]);
    start(calls, call_write);
    verd_kill(calls[2].thread);
    verd_kill(calls[0].thread);
    cr_assert(call_end(&calls[2]) == -ECANCELED && call_end(&calls[0]) == -ECANCELED);
    drain(fds[0]);
    cr_assert(call_end(&calls[1]) == 1 && call_end(&calls[3]) == 1 && call_end(&calls[4]) == 1);
    cr_assert(verd_read_full(fds[0], received, 3, NULL) == 3 && memcmp(received, "bde", 3) == 0);
}

Test(output_lock, who_is_killed_with_the_descriptor_handed_over_hands_it_on)
{
    struct call calls[WRITERS];
    make_pair(fds);
    fill(fds[1]);
    start(calls, call_write);
    verd_kill(calls[0].thread); /* its end hands over to the second */
    verd_kill(calls[1].thread);
    cr_assert(call_end(&calls[0]) == -ECANCELED && call_end(&calls[1]) == -ECANCELED);
    drain(fds[0]);
    cr_assert(call_end(&calls[2]) == 1 && call_end(&calls[3]) == 1);
}

Test(output_lock, a_timeout_ends_the_wait_in_line)
{
    struct call first = {.data = "1", .size = 1}, second = {.data = "2", .size = 1};
    make_pair(fds);
    fill(fds[1]);
    call_start(&first, call_write, fds[1]);
    cr_assert_eq(call_within(VERD_MS, &second, call_write, fds[1]), -ETIMEDOUT);
}

Test(output_lock, a_close_ends_the_waits_of_all)
{
    struct call calls[WRITERS];
    make_pair(fds);
    fill(fds[1]);
    start(calls, call_write);
    verd_close(fds[1]);
    int ended = 0;
    for (int i = 0; i < WRITERS; i++)
        ended += call_end(&calls[i]) == -EBADF;
    cr_assert_eq(ended, WRITERS);
}

/* The rest of a large write must not go to whoever has the number next. */
Test(output_lock, a_large_write_whose_descriptor_is_closed_ends)
{
    struct call calls[WRITERS];
    make_pair(fds);
    start(calls, write_large);
    int old = fds[1], other = fds[0];
    verd_close(old);
    make_pair(fds);
    cr_assert(fds[0] == old || fds[1] == old);
    verd_close(other);
    int ended = 0;
    for (int i = 0; i < WRITERS; i++)
        ended += call_end(&calls[i]) == -EBADF;
    cr_assert(ended == WRITERS &&
              outcome(verd_recv(fds[0], received, 1, MSG_DONTWAIT)) == -EAGAIN &&
              outcome(verd_recv(fds[1], received, 1, MSG_DONTWAIT)) == -EAGAIN);
}

Test(output_lock, a_shutdown_ends_the_waits_of_all)
{
    struct call calls[WRITERS];
    make_pair(fds);
    fill(fds[1]);
    start(calls, call_write);
    verd_shutdown(fds[1], SHUT_WR);
    int ended = 0;
    for (int i = 0; i < WRITERS; i++)
        ended += call_end(&calls[i]) == -EPIPE;
    cr_assert_eq(ended, WRITERS);
}

Test(output_lock, a_plain_close_lets_those_in_line_try_the_new_file)
{
    struct call first = {.data = "1", .size = 1}, second = {.data = "2", .size = 1};
    int others[2];
    make_pair(fds);
    fill(fds[1]);
    call_start(&first, call_write, fds[1]);
    call_start(&second, call_write, fds[1]);
    make_pair(others);
    dup2(others[1], fds[1]);
    struct call third = {.data = "3", .size = 1};
    call_start(&third, call_write, fds[1]); /* looks, and sees that it is another */
    cr_assert_eq(call_end(&first), -EBADF);
    cr_assert(call_end(&second) == 1 && call_end(&third) == 1);
    cr_assert_eq(verd_read_full(others[0], received, 2, NULL), 2);
}

Test(output_lock, in_the_child_of_a_fork_nobody_is_in_line)
{
    struct call calls[WRITERS];
    make_pair(fds);
    fill(fds[1]);
    start(calls, call_write);
    pid_t child = fork();
    if (child == 0) {
        drain(fds[0]);
        _exit(verd_write(fds[1], "x", 1) == 1 ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    cr_assert_eq(status, 0);
}

static void *leave_writers(void *arg)
{
    static struct call calls[WRITERS];
    make_pair(fds);
    fill(fds[1]);
    start(calls, call_write);
    return arg;
}

Test(output_lock, an_os_thread_may_end_while_others_are_in_line)
{
    pthread_t os_thread;
    pthread_create(&os_thread, NULL, leave_writers, NULL);
    cr_assert_eq(pthread_join(os_thread, NULL), 0);
    drain(fds[0]);
    cr_assert_eq(verd_write(fds[1], "x", 1), 1);
}
