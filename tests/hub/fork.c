/* SPDX-License-Identifier: MIT */
/* The child of a fork has the calling thread alone, and a hub of its own. */
#include <criterion/criterion.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call.h"
#include "caller.h"

static int fds[2];

static int read_byte(struct caller *self)
{
    char byte = 0;
    ssize_t n = verd_read(*(int *)self->object, &byte, 1);
    self->item = (void *)(long)byte;
    return n == 1 ? 0 : -1;
}

/* The child's exit status; `child` runs in the child. */
static int forked(int (*child)(void *), void *arg)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG,
              SIGKILL); /* a test that has run out of time leaves nothing running */
        _exit(child(arg));
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int wait_for_sibling(void *arg)
{
    return verd_wait(arg, NULL) == -1 && errno == ESRCH ? 0 : 1;
}

Test(fork, the_other_threads_are_gone_in_the_child)
{
    struct caller reader;
    verd_socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
    caller_start(&reader, read_byte, &fds[0], NULL);
    cr_assert_eq(forked(wait_for_sibling, reader.thread), 0);
}

static int read_what_comes(void *arg)
{
    struct caller reader;
    (void)arg;
    caller_start(&reader, read_byte, &fds[0], NULL);
    verd_write(fds[1], "c", 1);
    return caller_end(&reader) == 0 && reader.item == (void *)(long)'c' ? 0 : 1;
}

Test(fork, a_descriptor_that_another_waited_for_can_be_read_in_the_child)
{
    struct caller reader;
    verd_socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
    caller_start(&reader, read_byte, &fds[0], NULL);
    cr_assert_eq(forked(read_what_comes, NULL), 0);
}

/* What the hub had registered once for all, is registered with the child's hub, too. Without audits, which
 * would find it. */
static int read_again(void *arg)
{
    struct call reader = {0};
    (void)arg;
    call_start(&reader, call_read, fds[0]);
    send(fds[1], "c", 1, 0);
    return call_end(&reader) == 1 ? 0 : 1;
}

Test(fork, what_the_parent_has_registered_wakes_in_the_child)
{
    struct call reader = {0};
    make_pair(fds);
    call_start(&reader, call_read, fds[0]);
    send(fds[1], "p", 1, 0);
    cr_assert_eq(call_end(&reader), 1);
    cr_assert_eq(forked(read_again, NULL), 0);
}

/* Closes the parent's descriptors, and has new ones by the same numbers. */
static int read_from_new_ones(void *arg)
{
    verd_close(fds[0]);
    verd_close(fds[1]);
    verd_socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
    return read_what_comes(arg);
}

Test(fork, what_the_child_does_with_its_descriptors_does_not_reach_the_parent)
{
    struct caller reader;
    verd_socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
    caller_start(&reader, read_byte, &fds[0], NULL);
    cr_assert_eq(forked(read_from_new_ones, NULL), 0);
    callers_settle();
    cr_assert_not(reader.done);
    verd_write(fds[1], "p", 1);
    cr_assert(caller_end(&reader) == 0 && reader.item == (void *)(long)'p');
}

static void *fork_here(void *arg)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        verd_sleep(VERD_MS);
        return NULL; /* the last thread of the child: it exits with 0 */
    }
    waitpid(pid, &status, 0);
    *(int *)arg = status;
    return NULL;
}

Test(fork, a_child_whose_only_thread_is_not_main_exits_when_it_ends)
{
    int status = -1;
    verd_join(verd_spawn(fork_here, &status), NULL);
    cr_assert_eq(status, 0);
}

static int use_pool(void *arg)
{
    verd_pool *pool = arg;
    return verd_pool_running(pool) == 0 && verd_pool_waiting(pool) == 0 &&
                   verd_pool_wait_all(pool) == 0
               ? 0
               : 1;
}

static void stay(void *arg)
{
    (void)arg;
    verd_park();
}

static void spawn_more(void *pool)
{
    verd_pool_spawn_n(pool, stay, NULL);
}

Test(fork, slots_of_the_gone_threads_are_free_in_the_child)
{
    verd_pool *pool = verd_pool_new(1);
    verd_pool_spawn_n(pool, stay, NULL);
    verd_spawn_n(spawn_more, pool); /* waits for a slot */
    callers_settle();
    cr_assert_eq(forked(use_pool, pool), 0);
    cr_assert(verd_pool_running(pool) == 1 && verd_pool_waiting(pool) == 1);
}
