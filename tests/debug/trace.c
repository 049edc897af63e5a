/* SPDX-License-Identifier: MIT */

/* The file of a trace: whose it is, what it may be, and what ends it. What is in it: programs/trace.sh. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <verd.h>

#include "process.h"

static char directory[] = "/tmp/verd-trace-XXXXXX";
static char path[64], other[64];

static void set_up(void)
{
    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/trace", directory);
    snprintf(other, sizeof other, "%s/other", directory);
}

static void tear_down(void)
{
    unlink(path);
    unlink(other);
    rmdir(directory);
}

TestSuite(trace, .init = set_up, .fini = tear_down);

static void *yield_for_ever(void *arg)
{
    for (;;)
        verd_yield();
    return arg;
}

/* Some 200 bytes of the trace each. */
static void take_turns(int count)
{
    verd_spawn(yield_for_ever, NULL);
    for (int i = 0; i < count; i++)
        verd_yield();
}

static void trace_a_little(void)
{
    cr_assert_eq(verd_trace_start(path), 0, "%s", strerror(errno));
    take_turns(1);
    cr_assert_eq(verd_trace_stop(), 0, "%s", strerror(errno));
}

/* As when a program that is traced starts another with the same environment. */
Test(trace, a_file_to_which_another_process_writes_one_is_left_to_it)
{
    int status = -1;
    struct stat before, after;
    cr_assert_eq(verd_trace_start(path), 0, "%s", strerror(errno));
    cr_assert_eq(stat(path, &before), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(verd_trace_start(path) == -1 && errno == EBUSY ? 0 : 1);
    waitpid(child, &status, 0);
    cr_assert_eq(status, 0);
    cr_assert(stat(path, &after) == 0 && after.st_size >= before.st_size && before.st_size > 0);
    cr_assert_eq(verd_trace_stop(), 0, "%s", strerror(errno));
    trace_a_little(); /* it has been unlocked */
}

static void create(const char *file, mode_t mode)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert(fd >= 0 && write(fd, "before", 6) == 6 && fchmod(fd, mode) == 0);
    close(fd);
}

static mode_t mode_of(const char *file)
{
    struct stat status;
    cr_assert_eq(stat(file, &status), 0);
    return status.st_mode & 0777;
}

/* ---- whose it is ---- */

Test(trace, is_in_a_file_for_its_owner_alone_whatever_the_umask)
{
    umask(0);
    trace_a_little();
    cr_assert_eq(mode_of(path), 0600);
}

Test(trace, takes_from_others_what_they_may_do_with_a_file_that_is_there)
{
    char first = 0;
    create(path, 0666);
    trace_a_little();
    cr_assert_eq(mode_of(path), 0600);
    int fd = open(path, O_RDONLY);
    cr_assert(read(fd, &first, 1) == 1 && first == '[');
}

Test(trace, leaves_alone_what_a_symbolic_link_leads_to)
{
    create(other, 0644);
    cr_assert_eq(symlink(other, path), 0);
    cr_assert(verd_trace_start(path) == -1 && errno == ELOOP, "%s", strerror(errno));
    struct stat status;
    cr_assert(stat(other, &status) == 0 && status.st_size == 6 && mode_of(other) == 0644);
}

Test(trace, leaves_alone_a_file_of_another_users)
{
    if (geteuid() != 0)
        cr_skip_test("only root may make one");
    struct stat status;
    create(path, 0666);
    cr_assert_eq(chown(path, 12345, 12345), 0);
    cr_assert(verd_trace_start(path) == -1 && errno == EPERM, "%s", strerror(errno));
    cr_assert(stat(path, &status) == 0 && status.st_size == 6 && mode_of(path) == 0666);
}

/* ---- what it may be ---- */

Test(trace, of_a_fifo_that_nobody_reads_is_ENXIO_at_once)
{
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_assert(verd_trace_start(path) == -1 && errno == ENXIO, "%s", strerror(errno));
}

static void trace_to_a_descriptor(void *arg)
{
    char first = 0, named[32];
    int ends[2];
    if (pipe(ends) != 0)
        _exit(1);
    snprintf(named, sizeof named, "%s%d", (const char *)arg, ends[1]);
    if (verd_trace_start(named) != 0)
        _exit(2);
    take_turns(1);
    if (verd_trace_stop() != 0)
        _exit(3);
    _exit(read(ends[0], &first, 1) == 1 && first == '[' ? 0 : 4);
}

Test(trace, goes_to_a_descriptor_of_the_process_by_its_name)
{
    cr_assert_eq(process_run(trace_to_a_descriptor, (void *)(uintptr_t)"/dev/fd/").status, 0);
    cr_assert_eq(process_run(trace_to_a_descriptor, (void *)(uintptr_t)"/proc/self/fd/").status, 0);
}

/* The process goes on to its end, and says why the trace did not. */
static void expect_end(void (*trace)(void *), const char *why)
{
    char words[64];
    struct process_end end = process_run(trace, NULL);
    snprintf(words, sizeof words, " ends here: %s\n", why);
    cr_assert_eq(end.status, 0, "%x %s", (unsigned)end.status, end.text);
    cr_assert(strstr(end.text, words), "%s", end.text);
}

/* Whoever reads it has not begun, and the pipe is full long before the trace ends. */
static void trace_to_a_full_fifo(void *arg)
{
    (void)arg;
    if (mkfifo(path, 0600) != 0 || open(path, O_RDONLY | O_NONBLOCK) < 0)
        _exit(1);
    if (verd_trace_start(path) != 0)
        _exit(2);
    take_turns(3000);
    _exit(verd_trace_stop() == -1 && errno == EAGAIN ? 0 : 3);
}

Test(trace, to_a_fifo_whose_reader_rests_ends_in_time)
{
    expect_end(trace_to_a_full_fifo, "Resource temporarily unavailable");
}

static void trace_to_a_left_fifo(void *arg)
{
    (void)arg;
    int reader;
    if (mkfifo(path, 0600) != 0 || (reader = open(path, O_RDONLY | O_NONBLOCK)) < 0)
        _exit(1);
    if (verd_trace_start(path) != 0)
        _exit(2);
    close(reader);
    take_turns(1000);
    _exit(verd_trace_stop() == -1 && errno == EPIPE ? 0 : 3);
}

Test(trace, to_a_fifo_that_is_read_no_more_ends_and_raises_no_signal)
{
    expect_end(trace_to_a_left_fifo, "Broken pipe");
}

/* ---- what ends it ---- */

static void trace_beyond_the_limit(void *arg)
{
    struct rlimit limit = {100000, 100000};
    (void)arg;
    if (verd_trace_start(path) != 0 || setrlimit(RLIMIT_FSIZE, &limit) != 0)
        _exit(1);
    take_turns(2000);
    _exit(verd_trace_stop() == -1 && errno == EFBIG ? 0 : 2);
}

Test(trace, ends_at_the_limit_of_files_and_the_process_goes_on)
{
    expect_end(trace_beyond_the_limit, "File too large");
}

static void trace_up_to(void *size)
{
    setenv("VERD_TRACE_SIZE", size, 1);
    if (verd_trace_start(path) != 0)
        _exit(1);
    take_turns(2000);
    _exit(verd_trace_stop() == 0 ? 0 : 2);
}

static size_t lines_of(const char *file)
{
    size_t lines = 0;
    FILE *stream = fopen(file, "r");
    cr_assert_not_null(stream);
    for (int c; (c = getc(stream)) != EOF;)
        lines += c == '\n';
    fclose(stream);
    return lines;
}

Test(trace, has_as_many_events_as_there_is_room_for)
{
    struct stat status;
    struct process_end end = process_run(trace_up_to, (void *)(uintptr_t)"4096");
    cr_assert_eq(end.status, 0, "%s", end.text);
    cr_assert(stat(path, &status) == 0 && status.st_size <= 4096 && status.st_size > 3000, "%ld",
              (long)status.st_size);
    cr_assert_gt(lines_of(path), 10);
    cr_assert(strstr(end.text, " ends here: it is as long as it may be, 4096 bytes\n"), "%s",
              end.text);
}

Test(trace, whose_size_is_asked_to_be_too_small_has_the_usual_one)
{
    struct process_end end = process_run(trace_up_to, (void *)(uintptr_t)"100");
    cr_assert_eq(end.status, 0, "%s", end.text);
    cr_assert(strstr(end.text, "libverd: VERD_TRACE_SIZE=100 is not a number from 4096 to "));
    cr_assert(strstr(end.text, " ends here") == NULL, "%s", end.text);
    cr_assert_gt(lines_of(path), 2000);
}
