/* SPDX-License-Identifier: MIT */

/* Waiting for child processes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <verd.h>

#include "caller.h"
#include "process.h"

/* A child that lives until its pipe is closed, and then exits with a status. */
struct child {
    pid_t pid;
    int fd; /* to be closed */
};

static struct child make_child(int status)
{
    int fds[2];
    char byte;
    cr_assert_eq(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[1]);
        (void)!read(fds[0], &byte, 1);
        _exit(status);
    }
    cr_assert_gt(pid, 0); /* to send a signal to -1 would reach everyone */
    close(fds[0]);
    return (struct child){pid, fds[1]};
}

static int wait_child(struct caller *self)
{
    return verd_waitpid(*(pid_t *)self->object, self->item, 0);
}

Test(os, waitpid_waits_for_the_end_of_a_child)
{
    int status = -1;
    struct caller caller;
    struct child child = make_child(3);
    caller_start(&caller, wait_child, &child.pid, &status);
    cr_assert_not(caller.done);
    close(child.fd);
    cr_assert_eq(caller_end(&caller), child.pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

Test(os, waitpid_for_a_child_that_has_ended_does_not_wait)
{
    int status = -1;
    siginfo_t info;
    struct child child = make_child(3);
    close(child.fd);
    waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT);
    cr_assert_eq(verd_waitpid(child.pid, &status, 0), child.pid);
    cr_assert_eq(WEXITSTATUS(status), 3);
}

Test(os, waitpid_tells_the_signal_that_a_child_died_of)
{
    int status = -1;
    struct child child = make_child(0);
    kill(child.pid, SIGKILL);
    cr_assert_eq(verd_waitpid(child.pid, &status, 0), child.pid);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

Test(os, waitpid_for_no_child_is_ECHILD)
{
    cr_assert(verd_waitpid(getppid(), NULL, 0) == -1 && errno == ECHILD);
}

Test(os, waitpid_for_any_child_without_one_is_ECHILD)
{
    cr_assert(verd_waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
}

Test(os, waitpid_with_unknown_options_is_EINVAL)
{
    struct child child = make_child(0);
    cr_assert(verd_waitpid(child.pid, NULL, 0x100) == -1 && errno == EINVAL);
}

Test(os, waitpid_with_WNOHANG_does_not_wait)
{
    struct child child = make_child(0);
    cr_assert_eq(verd_waitpid(child.pid, NULL, WNOHANG), 0);
    close(child.fd);
}

Test(os, waitpid_that_timed_out_can_be_tried_again)
{
    int status = -1;
    struct child child = make_child(3);
    cr_assert_eq(caller_within(VERD_MS, wait_child, &child.pid, &status), -ETIMEDOUT);
    close(child.fd);
    cr_assert_eq(verd_waitpid(child.pid, &status, 0), child.pid);
    cr_assert_eq(WEXITSTATUS(status), 3);
}

Test(os, waitpid_leaves_no_descriptor)
{
    struct child child = make_child(3);
    caller_within(VERD_MS, wait_child, &child.pid, NULL); /* the hub's own come with it */
    size_t before = process_descriptors();
    caller_within(VERD_MS, wait_child, &child.pid, NULL);
    cr_assert_eq(process_descriptors(), before);
    close(child.fd);
}

Test(os, waitpid_of_a_killed_thread_reaps_nobody)
{
    struct caller caller;
    struct child child = make_child(3);
    caller_start(&caller, wait_child, &child.pid, NULL);
    verd_kill(caller.thread);
    cr_assert_eq(caller_end(&caller), -ECANCELED);
    close(child.fd);
    cr_assert_eq(waitpid(child.pid, NULL, 0), child.pid);
}

Test(os, waitpid_for_any_child_gets_the_one_that_ends)
{
    pid_t any = -1;
    struct caller caller;
    struct child first = make_child(0), second = make_child(0);
    caller_start(&caller, wait_child, &any, NULL);
    close(second.fd);
    cr_assert_eq(caller_end(&caller), second.pid);
    close(first.fd);
}

Test(os, waitpid_tells_of_a_stopped_child_when_asked)
{
    int status = -1;
    struct child child = make_child(0);
    kill(child.pid, SIGSTOP);
    cr_assert_eq(verd_waitpid(child.pid, &status, WUNTRACED), child.pid);
    cr_assert(WIFSTOPPED(status));
    kill(child.pid, SIGKILL);
}

Test(os, many_children_are_waited_for_at_once)
{
    enum { CHILDREN = 50 };
    static struct caller callers[CHILDREN];
    static struct child children[CHILDREN];
    static int statuses[CHILDREN];
    int right = 0;
    for (int i = 0; i < CHILDREN; i++)
        children[i] = make_child(i);
    for (int i = 0; i < CHILDREN; i++)
        caller_start(&callers[i], wait_child, &children[i].pid, &statuses[i]);
    for (int i = CHILDREN; i-- > 0;)
        kill(children[i].pid, SIGTERM); /* those that came later have copies of the pipes */
    for (int i = 0; i < CHILDREN; i++)
        right += caller_end(&callers[i]) == children[i].pid && WTERMSIG(statuses[i]) == SIGTERM;
    cr_assert_eq(right, CHILDREN);
}
