/* SPDX-License-Identifier: MIT */

/* Locks of files: others run while one waits for them. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <verd.h>

#include "call.h"
#include "patch/posix.h"

static int holder, waiter;

/* Two open files of one. */
static void make_world(void)
{
    char path[] = "/tmp/verd-lock-XXXXXX";
    cr_assert_not_null(verd_self());
    holder = mkstemp(path);
    waiter = open(path, O_RDWR | O_CLOEXEC);
    cr_assert(holder >= 0 && waiter >= 0);
    unlink(path);
}

static ssize_t lock_by_flock(struct call *call)
{
    return verd_posix_flock(call->fd, LOCK_EX);
}

static ssize_t lock_by_fcntl(struct call *call)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return verd_posix_fcntl(call->fd, F_OFD_SETLKW, &whole);
}

static void unlock(ssize_t (*lock)(struct call *call), int fd)
{
    struct flock whole = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    cr_assert_eq(lock == lock_by_flock ? flock(fd, LOCK_UN) : fcntl(fd, F_OFD_SETLK, &whole), 0);
}

static void others_run_until_it_is_free(ssize_t (*lock)(struct call *call))
{
    struct call call = {.fd = -1};
    make_world();
    call_start(&call, lock, holder);
    cr_assert_eq(call_end(&call), 0);
    call_start(&call, lock, waiter);
    cr_expect_not(call.returned);
    verd_sleep(5 * VERD_MS);
    cr_expect_not(call.returned);
    unlock(lock, holder);
    cr_expect_eq(call_end(&call), 0);
    struct call second = {0};
    cr_expect_eq(call_within(5 * VERD_MS, &second, lock, holder), -ETIMEDOUT);
    call_start(&second, lock, holder);
    verd_kill(second.thread);
    cr_expect_eq(call_end(&second), -ECANCELED);
    unlock(lock, waiter); /* nobody who gave up has it */
    call_start(&second, lock, waiter);
    cr_expect_eq(call_end(&second), 0);
}

Test(patch, others_run_until_a_lock_of_flock_is_free)
{
    others_run_until_it_is_free(lock_by_flock);
}

Test(patch, others_run_until_a_lock_of_fcntl_is_free)
{
    others_run_until_it_is_free(lock_by_fcntl);
}

Test(patch, what_does_not_wait_for_a_lock_is_as_it_was)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    make_world();
    cr_assert_eq(flock(holder, LOCK_EX), 0);
    cr_expect_eq(outcome(verd_posix_flock(waiter, LOCK_EX | LOCK_NB)), -EWOULDBLOCK);
    cr_expect_eq(outcome(verd_posix_flock(-1, LOCK_EX)), -EBADF);
    cr_expect_eq(outcome(verd_posix_flock(waiter, 0)), -EINVAL);
    cr_expect_eq(verd_posix_fcntl(waiter, F_SETLKW, &whole), 0);
    cr_expect_eq(verd_posix_fcntl(waiter, F_SETFD, FD_CLOEXEC), 0);
    cr_expect_eq(verd_posix_fcntl(waiter, F_GETFD), FD_CLOEXEC);
    cr_expect_eq(verd_posix_lockf(waiter, F_LOCK, 0), 0);
    cr_expect_eq(verd_posix_lockf(waiter, F_ULOCK, 0), 0);
    cr_expect_eq(outcome(verd_posix_lockf(waiter, 12345, 0)), -EINVAL);
}
