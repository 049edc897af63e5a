/* SPDX-License-Identifier: MIT */

/* From a file to a socket or pipe. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/syscall.h>

#include "call.h"
#include "io/vector.h"
#include "offload/workers.h"
#include "missing.h"
#include "process.h"

#define LARGE ((size_t)1024 * 1024)

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

static unsigned char sent[LARGE], received[LARGE];
static char buffer[64];

static int make_file(const void *bytes, size_t size)
{
    char name[] = "/tmp/verd-net-XXXXXX";
    int fd = mkstemp(name);
    cr_assert_geq(fd, 0);
    unlink(name);
    cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

Test(io, sendfile_sends_a_file)
{
    int fds[2];
    make_pair(fds);
    cr_expect_eq(verd_sendfile(fds[1], make_file("text", 4), NULL, 100), 4);
    verd_read(fds[0], buffer, sizeof buffer);
    cr_expect_str_eq(buffer, "text");
}

Test(io, sendfile_sends_a_file_into_a_pipe)
{
    int fds[2];
    verd_pipe(fds);
    cr_assert_eq(verd_sendfile(fds[1], make_file("text", 4), NULL, 100), 4);
}

Test(io, sendfile_starts_at_the_offset_and_advances_it)
{
    int fds[2];
    off_t offset = 2;
    make_pair(fds);
    verd_sendfile(fds[1], make_file("abcdef", 6), &offset, 3);
    verd_read(fds[0], buffer, sizeof buffer);
    cr_expect_str_eq(buffer, "cde");
    cr_expect_eq(offset, 5);
}

Test(io, sendfile_with_an_offset_leaves_the_file_s_own)
{
    int fds[2];
    off_t offset = 2;
    int file = make_file("abcdef", 6);
    make_pair(fds);
    verd_sendfile(fds[1], file, &offset, 3);
    cr_assert_eq(lseek(file, 0, SEEK_CUR), 0);
}

Test(io, sendfile_at_the_end_is_0)
{
    int fds[2];
    make_pair(fds);
    cr_assert_eq(verd_sendfile(fds[1], make_file("", 0), NULL, 100), 0);
}

static ssize_t send_all(struct call *call)
{
    for (size_t i = 0; i < LARGE; i++)
        sent[i] = (unsigned char)(i * 7 + i / 251);
    int file = make_file(sent, LARGE);
    ssize_t n, total = 0;
    while ((n = verd_sendfile(call->fd, file, NULL, LARGE)) > 0)
        total += n;
    return n < 0 ? n : total;
}

static bool passes(int out, int in)
{
    struct call sender = {0};
    call_start(&sender, send_all, out);
    ssize_t n = verd_read_full(in, received, LARGE, NULL);
    return n == (ssize_t)LARGE && call_end(&sender) == (ssize_t)LARGE &&
           memcmp(sent, received, LARGE) == 0;
}

Test(io, sendfile_waits_for_room_in_a_socket)
{
    int fds[2];
    make_pair(fds);
    cr_assert(passes(fds[1], fds[0]));
}

Test(io, sendfile_waits_for_room_in_a_blocking_socket)
{
    int fds[2];
    make_foreign_pair(fds);
    cr_assert(passes(fds[1], fds[0]));
}

Test(io, sendfile_waits_for_room_in_a_pipe)
{
    int fds[2];
    verd_pipe(fds);
    cr_assert(passes(fds[1], fds[0]));
}

Test(io, sendfile_waits_for_room_in_a_blocking_pipe)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    cr_assert(passes(fds[1], fds[0]));
}

Test(io, sendfile_leaves_the_flags_of_a_blocking_socket)
{
    int fds[2];
    struct call sender = {0};
    make_foreign_pair(fds);
    int before = fcntl(fds[1], F_GETFL);
    call_start(&sender, send_all, fds[1]);
    int during = fcntl(fds[1], F_GETFL);
    verd_read_full(fds[0], received, LARGE, NULL);
    call_end(&sender);
    cr_assert(during == before && fcntl(fds[1], F_GETFL) == before);
}

/* SIGPIPE has its default action: a signal would end the test. */
/* A file of which the first and the last page alone are in memory; -1: the file system keeps all there. */
static int make_cold_file(void)
{
    static char piece[256 * 1024];
    char byte;
    struct iovec vector = {&byte, 1};
    int file = make_file(piece, sizeof piece);
    fsync(file);
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM); /* no more is read than is asked for */
    cr_assert_eq(pread(file, &byte, 1, 0), 1);
    cr_assert_eq(pread(file, &byte, 1, sizeof piece - 1), 1);
    return preadv2(file, &vector, 1, sizeof piece / 2, RWF_NOWAIT) < 0 ? file : -1;
}

static bool is_sent_elsewhere(int file)
{
    int fds[2];
    size_t before = verd__workers_counts().submitted;
    make_pair(fds);
    cr_assert_gt(verd_sendfile(fds[1], file, NULL, LARGE), 0);
    return verd__workers_counts().submitted > before;
}

Test(io, sendfile_of_a_file_that_is_cold_in_the_middle_is_done_by_another_os_thread)
{
    int file = make_cold_file();
    if (file < 0)
        cr_skip_test("what is written here stays in memory, or that is not told");
    cr_assert(is_sent_elsewhere(file));
}

static void expect_sent_at_once(void)
{
    if (process_is_emulated())
        cr_skip_test("an emulator lacks RWF_NOWAIT");
    cr_expect_not(is_sent_elsewhere(make_file("text", 4)));
    cr_expect_not(is_sent_elsewhere(make_file(sent, 70000)));
    cr_expect_not(is_sent_elsewhere(make_file(sent, LARGE)));
}

Test(io, sendfile_of_a_file_that_is_in_memory_is_done_at_once)
{
    expect_sent_at_once();
}

/* As it does of a file that is another user's. */
static void do_not_tell(void)
{
    if (!missing_from_now(SYS_cachestat, EPERM))
        cr_skip_test("no filter of system calls can be had here");
}

/* The look itself has the kernel begin to read: a disk that is done before the look is over has left nothing cold. So
 * there are several files. */
Test(io, sendfile_finds_the_cold_middle_where_the_kernel_does_not_tell_of_it)
{
    int files[10];
    for (size_t i = 0; i < 10; i++) {
        files[i] = make_cold_file();
        if (files[i] < 0)
            cr_skip_test("what is written here stays in memory, or that is not told");
    }
    do_not_tell();
    bool is_found = false;
    for (size_t i = 0; i < 10 && !is_found; i++)
        is_found = is_sent_elsewhere(files[i]);
    cr_assert(is_found);
}

Test(io, sendfile_finds_what_is_in_memory_where_the_kernel_does_not_tell_of_it)
{
    do_not_tell();
    expect_sent_at_once();
}

Test(io, sendfile_to_a_closed_socket_is_EPIPE)
{
    int fds[2];
    make_pair(fds);
    verd_close(fds[0]);
    cr_assert_eq(outcome(verd_sendfile(fds[1], make_file("text", 4), NULL, 4)), -EPIPE);
}

Test(io, a_killed_sendfile_is_ECANCELED)
{
    int fds[2];
    struct call sender = {0};
    make_pair(fds);
    call_start(&sender, send_all, fds[1]);
    verd_kill(sender.thread);
    cr_assert_eq(call_end(&sender), -ECANCELED);
}

Test(io, sendfile_from_a_pipe_is_EINVAL)
{
    int fds[2], from[2];
    make_pair(fds);
    verd_pipe(from);
    cr_assert_eq(outcome(verd_sendfile(fds[1], from[0], NULL, 4)), -EINVAL);
}

Test(io, sendfile_from_a_bad_descriptor_is_EBADF)
{
    int fds[2];
    make_pair(fds);
    cr_assert_eq(outcome(verd_sendfile(fds[1], -1, NULL, 4)), -EBADF);
}
