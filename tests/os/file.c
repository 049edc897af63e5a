/* SPDX-License-Identifier: MIT */

/* Files. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <verd.h>

#include "caller.h"
#include "offload/offload.h"
#include "offload/workers.h"
#include "process.h"

static char name[] = "/tmp/verd-os-XXXXXX"; /* of the file that was made last */
static char buffer[64];

/* An unlinked file with a text in it, at its beginning. */
static int make_file(const char *content)
{
    memset(strrchr(name, '-') + 1, 'X', 6);
    int fd = mkstemp(name);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static void remove_file(void)
{
    unlink(name);
}

static int make_nameless_file(const char *content)
{
    int fd = make_file(content);
    remove_file();
    return fd;
}

Test(os, open_opens_a_file)
{
    close(make_file("text"));
    int fd = verd_open(name, O_RDONLY);
    remove_file();
    cr_assert_geq(fd, 0);
    cr_assert_eq(read(fd, buffer, sizeof buffer), 4);
}

static int read_once(struct caller *self)
{
    return (int)verd_read(*(int *)self->object, buffer, sizeof buffer);
}

/* The hub knows that there was nothing to read of the file that had the number before. */
Test(os, what_open_opens_is_read_though_another_file_had_its_number)
{
    int fds[2];
    close(make_file("text"));
    verd_close(verd_open(name, O_RDONLY)); /* what opening itself needs, is there */
    cr_assert_eq(verd_pipe(fds), 0);
    cr_assert_eq(caller_within(VERD_MS, read_once, &fds[0], NULL), -ETIMEDOUT);
    close(fds[0]);
    cr_assert_eq(verd_open(name, O_RDONLY), fds[0]);
    remove_file();
    cr_expect_eq(caller_within(30 * VERD_SEC, read_once, &fds[0], NULL), 4);
    cr_expect_eq(caller_within(30 * VERD_SEC, read_once, &fds[0], NULL), 0);
}

Test(os, open_creates_a_file_with_the_mode_given)
{
    struct stat status;
    close(make_file(""));
    remove_file();
    umask(0);
    int fd = verd_open(name, O_RDWR | O_CREAT | O_EXCL, 0640);
    remove_file();
    cr_assert_eq(fstat(fd, &status), 0);
    cr_assert_eq(status.st_mode & 0777, 0640);
}

Test(os, what_open_opens_is_close_on_exec)
{
    cr_assert(fcntl(verd_open("/dev/null", O_RDONLY), F_GETFD) & FD_CLOEXEC);
}

Test(os, opening_what_does_not_exist_is_ENOENT)
{
    cr_assert(verd_open("/no/such/file", O_RDONLY) == -1 && errno == ENOENT);
}

/* A FIFO without a writer blocks whoever opens it. */
static int open_file(struct caller *self)
{
    return verd_open(self->object, O_RDONLY);
}

static void make_fifo(void)
{
    close(make_file(""));
    remove_file();
    cr_assert_eq(mkfifo(name, 0600), 0);
}

/* Lets those through who open it for reading. */
static void open_fifo(void)
{
    close(open(name, O_WRONLY));
}

Test(os, an_open_that_blocks_lets_others_run)
{
    struct caller caller;
    make_fifo();
    caller_start(&caller, open_file, name, NULL);
    verd_sleep(VERD_MS);
    cr_assert_not(caller.done);
    open_fifo();
    cr_assert_geq(caller_end(&caller), 0);
    remove_file();
}

Test(os, what_is_opened_after_the_caller_gave_up_is_closed)
{
    struct caller caller;
    make_fifo();
    verd_stat("/", &(struct stat){0}); /* the hub's own come with it */
    size_t before = process_descriptors();
    caller_start(&caller, open_file, name, NULL);
    while (verd__workers_counts().queued > 0)
        verd_sleep(VERD_MS);
    verd_kill(caller.thread);
    cr_assert_eq(caller_end(&caller), -ECANCELED);
    open_fifo();
    remove_file();
    while (process_descriptors() != before)
        verd_sleep(VERD_MS);
}

Test(os, pread_reads_at_an_offset)
{
    int fd = make_nameless_file("hello world");
    cr_assert_eq(verd_pread(fd, buffer, sizeof buffer, 6), 5);
    cr_assert_arr_eq(buffer, "world", 5);
}

Test(os, pread_leaves_the_offset_of_the_file)
{
    int fd = make_nameless_file("hello world");
    verd_pread(fd, buffer, sizeof buffer, 6);
    cr_assert_eq(lseek(fd, 0, SEEK_CUR), 0);
}

Test(os, pread_behind_the_end_reads_nothing)
{
    cr_assert_eq(verd_pread(make_nameless_file("text"), buffer, sizeof buffer, 100), 0);
}

Test(os, pread_at_a_negative_offset_is_EINVAL_and_leaves_the_offset_of_the_file)
{
    int fd = make_nameless_file("some text");
    for (off_t offset = -1; offset >= -2; offset--) {
        cr_assert(verd_pread(fd, buffer, 4, offset) == -1 && errno == EINVAL);
        cr_assert(verd_pwrite(fd, "more", 4, offset) == -1 && errno == EINVAL);
    }
    cr_assert_eq(lseek(fd, 0, SEEK_CUR), 0);
}

Test(os, pread_of_a_pipe_is_ESPIPE)
{
    int fds[2];
    verd_pipe(fds);
    cr_assert(verd_pread(fds[0], buffer, 1, 0) == -1 && errno == ESPIPE);
}

Test(os, pread_of_what_is_not_open_is_EBADF)
{
    cr_assert(verd_pread(1000, buffer, 1, 0) == -1 && errno == EBADF);
}

Test(os, pwrite_writes_at_an_offset)
{
    int fd = make_nameless_file("hello world");
    cr_assert_eq(verd_pwrite(fd, "earth", 5, 6), 5);
    cr_assert_eq(pread(fd, buffer, sizeof buffer, 0), 11);
    cr_assert_arr_eq(buffer, "hello earth", 11);
}

Test(os, pwrite_to_what_is_open_for_reading_is_EBADF)
{
    int fd = open("/dev/null", O_RDONLY);
    cr_assert(verd_pwrite(fd, "text", 4, 0) == -1 && errno == EBADF);
}

#define LARGE ((size_t)3 * 1024 * 1024 + 1)

Test(os, what_is_larger_than_a_piece_is_written_and_read_whole)
{
    int fd = make_nameless_file("");
    char *out = malloc(LARGE), *in = malloc(LARGE);
    for (size_t i = 0; i < LARGE; i++)
        out[i] = (char)(i * 31 >> 8);
    cr_assert_eq(verd_pwrite(fd, out, LARGE, 0), (ssize_t)LARGE);
    cr_assert_eq(verd_pread(fd, in, LARGE, 0), (ssize_t)LARGE);
    cr_assert_eq(memcmp(in, out, LARGE), 0);
    free(out);
    free(in);
}

Test(os, what_is_not_in_memory_is_read_from_the_disk)
{
    int fd = make_nameless_file("hello world");
    fsync(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    cr_assert_eq(verd_pread(fd, buffer, sizeof buffer, 6), 5);
    cr_assert_arr_eq(buffer, "world", 5);
}

Test(os, fsync_of_a_file_succeeds)
{
    cr_assert_eq(verd_fsync(make_nameless_file("text")), 0);
}

Test(os, fdatasync_of_a_file_succeeds)
{
    cr_assert_eq(verd_fdatasync(make_nameless_file("text")), 0);
}

Test(os, fsync_of_a_pipe_is_EINVAL)
{
    int fds[2];
    verd_pipe(fds);
    cr_assert(verd_fsync(fds[0]) == -1 && errno == EINVAL);
}

Test(os, stat_tells_the_size_of_a_file)
{
    struct stat status;
    close(make_file("text"));
    cr_assert_eq(verd_stat(name, &status), 0);
    remove_file();
    cr_assert_eq(status.st_size, 4);
}

Test(os, stat_of_what_does_not_exist_is_ENOENT)
{
    struct stat status = {.st_size = 17};
    cr_assert(verd_stat("/no/such/file", &status) == -1 && errno == ENOENT);
    cr_assert_eq(status.st_size, 17); /* it has told nothing */
}

Test(os, lstat_tells_of_the_link_itself)
{
    struct stat status;
    close(make_file(""));
    remove_file();
    cr_assert_eq(symlink("/no/such/file", name), 0);
    cr_assert_eq(verd_lstat(name, &status), 0);
    remove_file();
    cr_assert(S_ISLNK(status.st_mode));
}

Test(os, fstat_tells_the_size_of_a_file)
{
    struct stat status;
    cr_assert_eq(verd_fstat(make_nameless_file("text"), &status), 0);
    cr_assert_eq(status.st_size, 4);
}

/* ---- read and write, on a disk file ---- */

Test(os, a_disk_file_is_read_to_its_end)
{
    int fd = make_nameless_file("text");
    cr_assert_eq(verd_read(fd, buffer, 3), 3);
    cr_assert_eq(verd_read(fd, buffer, 3), 1);
    cr_assert_eq(verd_read(fd, buffer, 3), 0);
}

Test(os, a_disk_file_that_is_not_in_memory_is_read)
{
    int fd = make_nameless_file("text");
    fsync(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    cr_assert_eq(verd_read(fd, buffer, sizeof buffer), 4);
    cr_assert_arr_eq(buffer, "text", 4);
    cr_assert_eq(lseek(fd, 0, SEEK_CUR), 4);
}

Test(os, a_disk_file_is_written_on_another_os_thread)
{
    int fd = make_nameless_file("");
    cr_assert_eq(verd_write(fd, "text", 4), 4);
    cr_assert_eq(verd__workers_counts().submitted, 1);
    cr_assert_eq(pread(fd, buffer, sizeof buffer, 0), 4);
}

Test(os, a_disk_file_is_appended_to)
{
    int fd = make_nameless_file("hello");
    fcntl(fd, F_SETFL, O_APPEND);
    verd_write(fd, " world", 6);
    cr_assert_eq(pread(fd, buffer, sizeof buffer, 0), 11);
    cr_assert_arr_eq(buffer, "hello world", 11);
}

Test(os, vectors_are_written_to_and_read_from_a_disk_file)
{
    char first[4], second[8];
    int fd = make_nameless_file("");
    struct iovec out[] = {{(void *)"text", 4}, {(void *)"more", 4}};
    struct iovec in[] = {{first, 4}, {second, 8}};
    cr_assert_eq(verd_writev(fd, out, 2), 8);
    lseek(fd, 0, SEEK_SET);
    cr_assert_eq(verd_readv(fd, in, 2), 8);
    cr_assert(memcmp(first, "text", 4) == 0 && memcmp(second, "more", 4) == 0);
}

#define PART 700000 /* bytes; one is less than what is transferred at once, and two are more */
#define PARTS 4

Test(os, vectors_that_take_several_transfers_are_written_and_read_whole)
{
    static unsigned char out[PARTS][PART], in[PARTS][PART];
    struct iovec to[PARTS], from[PARTS];
    int fd = make_nameless_file("");
    for (size_t i = 0; i < PARTS; i++) {
        for (size_t j = 0; j < PART; j++)
            out[i][j] = (unsigned char)((i * PART + j) % 251);
        to[i] = (struct iovec){out[i], PART};
        from[i] = (struct iovec){in[i], PART};
    }
    cr_assert_eq(verd_writev(fd, to, PARTS), sizeof out);
    cr_assert_eq(pread(fd, in, sizeof in, 0), sizeof in);
    cr_expect(memcmp(in, out, sizeof in) == 0, "written");
    memset(in, 0, sizeof in);
    lseek(fd, 0, SEEK_SET);
    cr_assert_eq(verd_readv(fd, from, PARTS), sizeof in);
    cr_expect(memcmp(in, out, sizeof in) == 0, "read");
}

static int write_file(struct caller *self)
{
    return (int)verd_write(*(int *)self->object, self->item, 4);
}

Test(os, writers_of_a_disk_file_do_not_write_over_each_other)
{
    static struct caller callers[20];
    int fd = make_nameless_file("");
    for (int i = 0; i < 20; i++)
        callers[i] = (struct caller){.call = write_file, .object = &fd, .item = (void *)"text"};
    for (int i = 0; i < 20; i++)
        caller_start(&callers[i], write_file, &fd, (void *)"text");
    for (int i = 0; i < 20; i++)
        cr_assert_eq(caller_end(&callers[i]), 4);
    cr_assert_eq(lseek(fd, 0, SEEK_END), 80);
}

/* What keeps an OS thread busy until the writer of the pipe is closed. */
static void *wait_for_end(void *arg)
{
    return read(((int *)arg)[0], &(char){0}, 1) == 0 ? NULL : arg;
}

static int keep_busy(struct caller *self)
{
    const struct verd__offload offload = {
        .kind = VERD_OFFLOAD_FILES, .fn = wait_for_end, .arg = self->object};
    return verd__offload(&offload, NULL);
}

Test(os, a_write_that_was_given_up_has_not_happened)
{
    struct caller blocker;
    int fds[2];
    int fd = make_nameless_file("");
    cr_assert_eq(pipe(fds), 0);
    verd__workers_resize(VERD_OFFLOAD_FILES, 1);
    caller_start(&blocker, keep_busy, fds, NULL);
    cr_assert_eq(caller_within(VERD_MS, write_file, &fd, (void *)"text"), -ETIMEDOUT);
    close(fds[1]);
    cr_assert_eq(caller_end(&blocker), 0);
    verd_fsync(fd);
    cr_assert_eq(lseek(fd, 0, SEEK_END), 0);
}

Test(os, a_disk_file_takes_part_in_poll_as_ever)
{
    cr_assert_eq(verd_wait_fd(make_nameless_file("text"), POLLIN), POLLIN);
}
