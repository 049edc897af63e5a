/* SPDX-License-Identifier: MIT */

/* Unusual descriptors: 0, the highest, none at all, and files that are always ready. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "call.h"

static char buffer[64];

Test(io, standard_input_that_is_a_pipe_is_read)
{
    int fds[2];
    struct call reader = {0};
    cr_assert_eq(pipe(fds), 0);
    dup2(fds[0], STDIN_FILENO);
    call_start(&reader, call_read, STDIN_FILENO);
    write(fds[1], "line", 4);
    cr_assert_eq(call_end(&reader), 4);
}

Test(io, standard_input_that_is_a_socket_is_read)
{
    int fds[2];
    struct call reader = {0};
    make_foreign_pair(fds);
    dup2(fds[0], STDIN_FILENO);
    call_start(&reader, call_read, STDIN_FILENO);
    write(fds[1], "line", 4);
    cr_assert_eq(call_end(&reader), 4);
}

Test(io, a_socket_of_ours_may_get_the_number_0)
{
    int fds[2], others[2];
    struct call reader = {0};
    make_pair(others); /* and the hub, whose own descriptor would be the lowest free */
    close(STDIN_FILENO);
    make_pair(fds);
    cr_assert_eq(fds[0], STDIN_FILENO);
    call_start(&reader, call_read, STDIN_FILENO);
    verd_write(fds[1], "line", 4);
    cr_assert_eq(call_end(&reader), 4);
}

Test(io, verd_close_of_the_number_0_wakes_its_reader)
{
    int fds[2];
    struct call reader = {0};
    make_foreign_pair(fds);
    dup2(fds[0], STDIN_FILENO);
    call_start(&reader, call_read, STDIN_FILENO);
    verd_close(STDIN_FILENO);
    cr_assert_eq(call_end(&reader), -EBADF);
}

/* 100,000, or the highest number that the limit allows. */
static int high_number(void)
{
    struct rlimit limit, wanted = {100001, 100001};
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max >= wanted.rlim_cur)
        wanted.rlim_max = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &wanted) == 0)
        return 100000;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    fprintf(stderr, "descriptor 100000 is beyond the limit: %lu it is\n",
            (unsigned long)limit.rlim_max - 1);
    return (int)limit.rlim_max - 1;
}

Test(io, a_reader_waits_on_a_very_high_number)
{
    int fds[2], high = high_number();
    struct call reader = {0};
    make_foreign_pair(fds);
    cr_assert_eq(dup2(fds[0], high), high);
    call_start(&reader, call_read, high);
    verd_write(fds[1], "data", 4);
    cr_assert_eq(call_end(&reader), 4);
}

Test(io, verd_close_of_a_very_high_number_wakes_its_reader)
{
    int fds[2], high = high_number();
    struct call reader = {0};
    make_foreign_pair(fds);
    dup2(fds[0], high);
    call_start(&reader, call_read, high);
    verd_close(high);
    cr_assert_eq(call_end(&reader), -EBADF);
}

Test(io, a_very_high_number_that_the_hub_does_not_know_is_shut_down)
{
    int fds[2], high = high_number();
    char byte;
    make_foreign_pair(fds);
    verd_read(fds[1], &byte, 0); /* the hub is there */
    dup2(fds[0], high);
    cr_assert_eq(verd_shutdown(high, SHUT_WR), 0);
    cr_assert_eq(verd_read(fds[1], &byte, 1), 0);
}

static int make_file(const char *text, size_t size)
{
    char name[] = "/tmp/verd-net-XXXXXX";
    int fd = mkstemp(name);
    cr_assert_geq(fd, 0);
    unlink(name);
    cr_assert_eq(write(fd, text, size), (ssize_t)size);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

Test(io, a_regular_file_is_read)
{
    int fd = make_file("text", 4);
    cr_assert_eq(verd_read(fd, buffer, sizeof buffer), 4);
}

Test(io, a_regular_file_is_read_to_its_end)
{
    int fd = make_file("text", 4);
    verd_read(fd, buffer, sizeof buffer);
    cr_assert_eq(verd_read(fd, buffer, sizeof buffer), 0);
}

Test(io, a_regular_file_is_written_whole)
{
    static char text[100000];
    int fd = make_file("", 0);
    cr_assert_eq(verd_write(fd, text, sizeof text), sizeof text);
}

Test(io, a_regular_file_is_ready_for_input)
{
    int fd = make_file("text", 4);
    cr_assert_eq(outcome(verd_wait_fd(fd, POLLIN)), POLLIN);
}

Test(io, a_regular_file_is_ready_for_output)
{
    int fd = make_file("text", 4);
    cr_assert_eq(outcome(verd_wait_fd(fd, POLLOUT)), POLLOUT);
}

Test(io, a_regular_file_polls_as_ready)
{
    struct pollfd poller = {.fd = make_file("text", 4), .events = POLLIN | POLLOUT};
    cr_assert_eq(outcome(verd_poll(&poller, 1, -1)), 1);
}

Test(io, what_a_regular_file_is_never_ready_for_ends_by_the_timeout)
{
    struct pollfd poller = {.fd = make_file("text", 4), .events = POLLPRI};
    cr_assert_eq(outcome(verd_poll(&poller, 1, 1)), 0);
}

Test(io, dev_null_takes_everything)
{
    int fd = open("/dev/null", O_WRONLY);
    cr_assert_eq(verd_write_full(fd, buffer, sizeof buffer, NULL), sizeof buffer);
}

Test(io, a_directory_is_EISDIR)
{
    int fd = open("/", O_RDONLY);
    cr_assert_eq(outcome(verd_read(fd, buffer, sizeof buffer)), -EISDIR);
}

Test(io, reading_descriptor_minus_1_is_EBADF)
{
    cr_assert_eq(outcome(verd_read(-1, buffer, sizeof buffer)), -EBADF);
}

Test(io, writing_descriptor_minus_1_is_EBADF)
{
    cr_assert_eq(outcome(verd_write(-1, buffer, sizeof buffer)), -EBADF);
}

Test(io, waiting_for_descriptor_minus_1_is_EBADF)
{
    cr_assert_eq(outcome(verd_wait_fd(-1, POLLIN)), -EBADF);
}

Test(io, accepting_on_descriptor_minus_1_is_EBADF)
{
    cr_assert_eq(outcome(verd_accept(-1, NULL, NULL)), -EBADF);
}

Test(io, reading_what_was_never_opened_is_EBADF)
{
    cr_assert_eq(outcome(verd_read(1000, buffer, sizeof buffer)), -EBADF);
}

Test(io, waiting_for_what_was_never_opened_is_EBADF)
{
    cr_assert_eq(outcome(verd_wait_fd(1000, POLLOUT)), -EBADF);
}

Test(io, a_number_that_nobody_can_have_is_EBADF)
{
    cr_assert_eq(outcome(verd_read(0x7fffffff, buffer, sizeof buffer)), -EBADF);
}

Test(io, closing_a_number_that_nobody_can_have_is_EBADF)
{
    cr_assert_eq(outcome(verd_close(0x7fffffff)), -EBADF);
}

Test(io, reading_what_is_open_for_writing_only_is_EBADF)
{
    int fds[2];
    verd_pipe(fds);
    cr_assert_eq(outcome(verd_read(fds[1], buffer, sizeof buffer)), -EBADF);
}
