/* SPDX-License-Identifier: MIT */
/* The columns in which a call can get no event any more: in the child of a fork, when its OS thread has
 * ended, and when its object is freed. */
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"
#include "subject.h"

#define HANGS 60 /* seconds */

/* Another makes the call where nobody is left who could bring the event, or where it must not. */
static void check_without_event(intptr_t expected)
{
    struct subject other = {.limited = true, .limit = LONG};
    subject_start(&other);
    subject_join(&other);
    bool gone = (row->traits & BY_HANDLE) && expected == -EPERM && other.first == -EINVAL;
    check("another gets without the event", gone ? -EPERM : other.first, expected);
}

static void exit_wrong(const char *what, intptr_t found, intptr_t expected)
{
    fprintf(stderr, "in the child: %s: %jd instead of %jd\n", what, (intmax_t)found,
            (intmax_t)expected);
    _exit(1);
}

static _Noreturn void be_child(const struct subject *one)
{
    static const struct verdicts in_child = {exit_wrong, NULL};
    verdicts = &in_child;
    alarm(HANGS);
    check("to wait for it gives", result_of(verd_wait(one->thread, NULL)),
          row->start == NULL ? -ESRCH : -EINVAL); /* a handler is the server's to wait for */
    if (row->traits & ORPHANED) {
        check_without_event(row->orphaned);
        _exit(0);
    }
    check_untouched();
    check_another(false);
    _exit(0);
}

void forks_child(void)
{
    struct subject one = {.limited = true, .limit = LONG};
    int status = -1;
    if ((row->traits & OS_THREADS) && !process_can_fork_beside_starts())
        return;
    subject_start(&one);
    check_waits("it waits", &one);
    if (one.returned) /* its time was over */
        verdicts->slow();
    pid_t child = fork();
    if (child == 0)
        be_child(&one);
    must(waitpid(child, &status, 0) == child, "waitpid");
    check("the child finds", status, 0);
    check_waits("it waits on", &one);
    provoke();
    subject_join(&one);
    check("it gets", one.first, row->right);
    check_whole();
}

static void *wait_and_end(void *arg)
{
    if (row->setup != NULL)
        row->setup();
    subject_start(arg);
    check_waits("it waits", arg);
    return NULL;
}

void os_thread_end(void)
{
    static struct subject one = {.limited = true, .limit = LONG};
    pthread_t os_thread;
    if (UNDER_ASAN && (row->traits & HOLDS))
        return;
    must(pthread_create(&os_thread, NULL, wait_and_end, &one) == 0, "pthread_create");
    must(pthread_join(os_thread, NULL) == 0, "pthread_join");
    check("it has returned", one.returned && !(row->traits & TIMED), false);
    if (row->traits & BOUND) {
        check_without_event(-EPERM);
        return;
    }
    check_untouched();
    check_another(false);
}

void discarded(void)
{
    struct subject one = {.limited = true, .limit = LONG};
    if (row->discard == NULL)
        return;
    subject_start(&one);
    check_waits("it waits", &one);
    intptr_t result = row->discard();
    bool goes_on = result == -EBUSY || (row->traits & GOES_ON);
    if (goes_on) {
        check_waits("it waits on", &one);
        provoke();
    }
    subject_join(&one);
    check("it gets", one.first, goes_on ? row->right : row->discarded);
    check("the next call gets", one.next, 0);
    if (result == -EBUSY)
        check_whole();
    else
        check("the object is freed", result, 0);
}
