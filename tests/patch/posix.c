/* SPDX-License-Identifier: MIT */

/* What POSIX has no word for: others who wait for the same, and kills in the middle, in calls made green. That they do
 * what their manual pages say is programs/posix_same. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <verd.h>

#include "call.h"
#include "patch/posix.h"
#include "process.h"

TestSuite(patch, .timeout = 60);

/* ---- an OS thread without green threads ---- */

static void *use_all(void *arg)
{
    int fds[2], other[2];
    char byte = 'x';
    struct stat status;
    bool fine = verd_posix_pipe(fds) == 0 && verd_posix_write(fds[1], &byte, 1) == 1 &&
                verd_posix_read(fds[0], &byte, 1) == 1 &&
                verd_posix_socketpair(AF_UNIX, SOCK_STREAM, 0, other) == 0 &&
                verd_posix_send(other[0], &byte, 1, 0) == 1 &&
                verd_posix_recv(other[1], &byte, 1, 0) == 1 && verd_posix_usleep(1) == 0 &&
                verd_posix_poll(NULL, 0, 0) == 0 && verd_posix_stat("/", &status) == 0 &&
                verd_posix_close(fds[0]) == 0 && verd_posix_close(fds[1]) == 0 &&
                verd_posix_close(other[0]) == 0 && verd_posix_close(other[1]) == 0;
    *(bool *)arg = fine && !verd_active();
    return NULL;
}

Test(patch, where_there_are_no_green_threads_none_are_made)
{
    bool fine = false;
    pthread_t thread;
    cr_expect_not(verd_active());
    use_all(&fine);
    cr_expect(fine, "main");
    cr_assert_not_null(verd_self());
    cr_expect(verd_active());
    cr_assert_eq(pthread_create(&thread, NULL, use_all, &fine), 0);
    pthread_join(thread, NULL);
    cr_expect(fine, "another OS thread");
}

/* ---- several for the same ---- */

static ssize_t read_one(struct call *call)
{
    return verd_posix_read(call->fd, call->data, 1);
}

static ssize_t poll_one(struct call *call)
{
    struct pollfd poller = {.fd = call->fd, .events = POLLIN};
    return verd_posix_poll(&poller, 1, -1) == 1 ? poller.revents : -1;
}

static ssize_t accept_one(struct call *call)
{
    return verd_posix_accept(call->fd, NULL, NULL);
}

static size_t descriptors(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 1000; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

Test(patch, any_number_of_threads_may_read_the_same)
{
    struct call readers[5] = {0};
    int fds[2];
    cr_assert_not_null(verd_self());
    cr_assert_eq(verd_posix_pipe(fds), 0);
    for (int i = 0; i < 5; i++)
        call_start(&readers[i], read_one, fds[0]);
    cr_assert_eq(write(fds[1], "abcde", 5), 5);
    char sum = 0;
    for (int i = 0; i < 5; i++) {
        cr_expect_eq(call_end(&readers[i]), 1);
        sum = (char)(sum ^ readers[i].data[0]);
    }
    cr_expect_eq(sum, 'a' ^ 'b' ^ 'c' ^ 'd' ^ 'e');
}

Test(patch, who_waits_beside_another_leaves_no_descriptor)
{
    struct call readers[3] = {0};
    int fds[2];
    cr_assert_not_null(verd_self());
    cr_assert_eq(verd_posix_pipe(fds), 0);
    struct call first = {0};
    call_start(&first, read_one, fds[0]);
    size_t before = descriptors();
    for (int i = 0; i < 3; i++)
        call_start(&readers[i], i == 2 ? poll_one : read_one, fds[0]);
    cr_expect_eq(descriptors(), before + 3);
    for (int i = 0; i < 3; i++) {
        verd_kill(readers[i].thread);
        cr_expect_eq(call_end(&readers[i]), -ECANCELED);
    }
    cr_expect_eq(descriptors(), before);
    cr_assert_eq(write(fds[1], "x", 1), 1);
    cr_expect_eq(call_end(&first), 1);
}

Test(patch, who_polls_beside_a_reader_is_told_as_well)
{
    struct call reader = {0}, pollers[2] = {0};
    int fds[2];
    cr_assert_not_null(verd_self());
    cr_assert_eq(verd_posix_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    call_start(&reader, read_one, fds[0]);
    for (int i = 0; i < 2; i++)
        call_start(&pollers[i], poll_one, fds[0]);
    cr_assert_eq(write(fds[1], "ab", 2), 2);
    cr_expect_eq(call_end(&reader), 1);
    for (int i = 0; i < 2; i++)
        cr_expect_eq(call_end(&pollers[i]), POLLIN);
}

Test(patch, any_number_of_threads_may_accept_of_a_listener)
{
    struct call acceptors[4] = {0};
    int port, clients[4];
    int listener = make_listener(&port);
    fcntl(listener, F_SETFL, 0);
    for (int i = 0; i < 4; i++)
        call_start(&acceptors[i], accept_one, listener);
    for (int i = 0; i < 4; i++)
        clients[i] = verd_connect("127.0.0.1", port);
    for (int i = 0; i < 4; i++)
        cr_expect_gt(call_end(&acceptors[i]), 0);
    for (int i = 0; i < 4; i++)
        verd_close(clients[i]);
}

/* ---- whole writes ---- */

#define LONG ((size_t)500000)

static char data[2][LONG];

static ssize_t write_long(struct call *call)
{
    return verd_posix_write(call->fd, data[call->size], LONG);
}

static ssize_t read_all(struct call *call)
{
    static char got[1000000];
    return verd_read_full(call->fd, got, call->size, NULL);
}

Test(patch, what_one_call_writes_is_not_mixed_with_anothers)
{
    static char got[2 * LONG];
    struct call writers[2] = {{.size = 0}, {.size = 1}};
    int fds[2];
    cr_assert_not_null(verd_self());
    memset(data[0], 'a', LONG);
    memset(data[1], 'b', LONG);
    cr_assert_eq(verd_posix_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    for (size_t i = 0; i < 2; i++)
        call_start(&writers[i], write_long, fds[0]);
    cr_assert_eq(verd_read_full(fds[1], got, sizeof got, NULL), (ssize_t)sizeof got);
    for (size_t i = 0; i < 2; i++)
        cr_expect_eq(call_end(&writers[i]), (ssize_t)LONG);
    cr_expect_eq(memcmp(got, data[0], LONG), 0);
    cr_expect_eq(memcmp(got + LONG, data[1], LONG), 0);
}

Test(patch, a_write_that_is_killed_tells_how_much_it_has_written)
{
    struct call writer = {.size = 0};
    int fds[2];
    cr_assert_not_null(verd_self());
    cr_assert_eq(verd_posix_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    call_start(&writer, write_long, fds[0]);
    verd_kill(writer.thread);
    ssize_t written = call_end(&writer);
    cr_expect(written > 0 && written < (ssize_t)LONG);
    cr_expect_eq((ssize_t)drain(fds[1]), written);
}

/* A writer holds the descriptor, and the file is non-blocking. */
Test(patch, a_file_that_does_not_block_is_not_queued_for)
{
    struct call writer = {.size = 0};
    int fds[2];
    cr_assert_not_null(verd_self());
    cr_assert_eq(verd_posix_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    call_start(&writer, write_long, fds[0]);
    cr_assert_not(writer.returned);
    cr_assert_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    errno = 0;
    cr_expect_eq(outcome(verd_posix_write(fds[0], "x", 1)), -EAGAIN);
    verd_kill(writer.thread);
    cr_expect_gt(call_end(&writer), 0);
}

/* ---- closing ---- */

Test(patch, who_waits_for_a_descriptor_that_is_closed_is_told)
{
    struct call reader = {0};
    int fds[2];
    cr_assert_not_null(verd_self());
    cr_assert_eq(verd_posix_pipe(fds), 0);
    call_start(&reader, read_one, fds[0]);
    cr_expect_eq(verd_posix_close(fds[0]), 0);
    cr_expect_eq(call_end(&reader), -EBADF);
}

Test(patch, who_waits_for_a_number_that_becomes_another_file_is_told)
{
    struct call reader = {0};
    int fds[2], other = open("/dev/null", O_RDONLY);
    cr_assert_not_null(verd_self());
    cr_assert_eq(verd_posix_pipe(fds), 0);
    call_start(&reader, read_one, fds[0]);
    cr_expect_eq(verd_posix_dup2(other, fds[0]), fds[0]);
    cr_expect_eq(call_end(&reader), -EBADF);
    call_start(&reader, read_one, fds[0]);
    cr_expect_eq(call_end(&reader), 0);
}

/* ---- commands ---- */

static ssize_t read_line(struct call *call)
{
    FILE *stream = verd_posix_popen(
        process_is_translated() ? "sleep 2; echo hello" : "sleep 0.05; echo hello", "r");
    call->size = stream != NULL && fgets(call->data, sizeof call->data, stream) != NULL;
    return verd_posix_pclose(stream);
}

Test(patch, others_run_while_a_command_is_read_of)
{
    struct call reader = {0};
    size_t turns = 0;
    call_start(&reader, read_line, -1);
    for (; !reader.returned; turns++)
        cr_assert_eq(verd_sleep(VERD_MS), 0);
    cr_expect_eq(call_end(&reader), 0);
    cr_expect_str_eq(reader.data, "hello\n");
    cr_expect_geq(turns, 10);
}

static void ignore(int signal)
{
    (void)signal;
}

/* Of libc's popen is what it is given, and the other way round. */
Test(patch, streams_of_before_the_first_green_thread_are_closed_by_libc)
{
    FILE *stream = verd_posix_popen("exit 3", "r");
    cr_assert_not_null(verd_self());
    signal(SIGPIPE, ignore);
    cr_expect_eq(WEXITSTATUS(verd_posix_pclose(stream)), 3);
}

static ssize_t poll_for_room(struct call *call)
{
    struct pollfd poller = {.fd = call->fd, .events = POLLOUT};
    return verd_posix_poll(&poller, 1, -1);
}

static ssize_t write_one(struct call *call)
{
    return verd_posix_write(call->fd, "x", 1);
}

Test(patch, who_writes_beside_a_poller_waits_as_well)
{
    struct call poller = {0}, writer = {0};
    int fds[2];
    cr_assert_not_null(verd_self());
    cr_assert_eq(verd_posix_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    while (send(fds[0], data, 1000, MSG_DONTWAIT) > 0)
        ;
    call_start(&poller, poll_for_room, fds[0]);
    call_start(&writer, write_one, fds[0]);
    cr_expect_not(poller.returned || writer.returned);
    drain(fds[1]);
    cr_expect_eq(call_end(&poller), 1);
    cr_expect_eq(call_end(&writer), 1);
}

/* ---- what others do with a descriptor ---- */

Test(patch, what_a_number_was_before_hides_nothing_of_what_it_is_now)
{
    uint64_t value = 0;
    int fds[2];
    cr_assert_not_null(verd_self());
    cr_assert_eq(verd_posix_socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    cr_assert_eq(outcome(verd_posix_read(fds[0], &value, 1)), -EAGAIN);
    close(fds[0]); /* by libc, as fclose would */
    cr_assert_eq(eventfd(1, EFD_NONBLOCK), fds[0]);
    cr_expect_eq(verd_posix_read(fds[0], &value, sizeof value), 8);
    cr_expect_eq(value, 1);
}

Test(patch, all_of_a_file_is_sent_to_what_blocks)
{
    char path[] = "/tmp/verd-send-XXXXXX";
    struct call reader = {.size = 1000000};
    int fds[2], file = mkstemp(path);
    unlink(path);
    cr_assert_not_null(verd_self());
    cr_assert_eq(ftruncate(file, 1000000), 0);
    cr_assert_eq(verd_posix_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    call_start(&reader, read_all, fds[1]);
    cr_expect_eq(verd_posix_sendfile(fds[0], file, NULL, 1000000), 1000000);
    cr_expect_eq(call_end(&reader), 1000000);
}

/* ---- errno ---- */

Test(patch, a_call_that_succeeds_leaves_errno_alone)
{
    char byte;
    int fds[2];
    cr_assert_not_null(verd_self());
    cr_assert_eq(verd_posix_pipe(fds), 0);
    errno = E2BIG;
    cr_expect_eq(verd_posix_write(fds[1], "x", 1), 1);
    cr_expect_eq(verd_posix_read(fds[0], &byte, 1), 1);
    cr_expect_eq(verd_posix_poll(&(struct pollfd){.fd = fds[0], .events = POLLIN}, 1, 1), 0);
    cr_expect_eq(verd_posix_usleep(1), 0);
    cr_expect_eq(errno, E2BIG);
}

/* ---- ends of commands ---- */

static ssize_t close_stream(struct call *call)
{
    FILE *stream = verd_posix_popen("exec sleep 1000", "r");
    (void)call;
    return verd_posix_pclose(stream);
}

Test(patch, a_command_whose_end_is_not_waited_for_leaves_no_zombie)
{
    struct call closer = {0};
    call_start(&closer, close_stream, -1);
    verd_kill(closer.thread);
    cr_expect_eq(call_end(&closer), -ECANCELED);
    cr_expect_eq(outcome(waitpid(-1, NULL, WNOHANG)), -ECHILD);
}

/* Also where the kernel cannot try a pipe without waiting. */
Test(patch, the_wrong_end_of_a_pipe_is_told_at_once)
{
    struct call call = {0};
    char byte = 'x';
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    cr_expect_eq(call_within(10 * VERD_SEC, &call, read_one, fds[1]), -EBADF);
    cr_expect_eq(outcome(verd_read(fds[1], &byte, 1)), -EBADF);
    cr_expect_eq(outcome(verd_write(fds[0], &byte, 1)), -EBADF);
}
