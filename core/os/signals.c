/* SPDX-License-Identifier: MIT */
/*
 * One signalfd for all who wait on this OS thread: it takes exactly the signals that somebody waits for,
 * so what is read from it always has a taker, the first in line that wants it. While there is a line,
 * a green thread of its own, the reader, waits for the descriptor.
 */
#include <verd/os.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/signalfd.h>

#include "hub/hub.h"
#include "sched/once.h"
#include "sched/thread.h"
#include "sched/wait.h"
#include "stack/line.h"

/* When the descriptor cannot be watched for want of memory, how long until it is tried again. */
#define RETRY (10 * VERD_MS)

struct signals {
    struct verd__exit_hook hook;
    struct verd__list line;
    int fd;
    struct verd__thread *reader; /* NULL: there is none */
};

/* A call that waits, and what it gets; its entry's value. */
struct call {
    struct signals *signals;
    sigset_t set;
    struct signalfd_siginfo info; /* of the signal that has ended its wait */
};

static struct call *call_of(struct verd__link *link)
{
    return VERD__CONTAINER_OF(link, struct verd__entry, link)->value;
}

/* Makes the descriptor take what is waited for, and nothing else. */
static void follow_line(const struct signals *signals)
{
    sigset_t wanted;
    sigemptyset(&wanted);
    for (struct verd__link *link = signals->line.first; link != NULL; link = link->next)
        sigorset(&wanted, &wanted, &call_of(link)->set);
    signalfd(signals->fd, &wanted, 0);
}

/* The line has changed: the reader makes the descriptor follow it. */
static void tell_reader(const struct signals *signals)
{
    if (signals->reader != NULL)
        verd__wait_abort(signals->reader, ECANCELED, 0);
}

/* Hands a signal to the first in line that waits for it. */
static void serve(const struct signals *signals, const struct signalfd_siginfo *info)
{
    struct verd__link *link = signals->line.first;
    while (link != NULL && sigismember(&call_of(link)->set, (int)info->ssi_signo) != 1)
        link = link->next;
    if (link == NULL)
        return; /* cannot be: the mask has followed the line */
    call_of(link)->info = *info;
    verd__entry_end(VERD__CONTAINER_OF(link, struct verd__entry, link), 0);
}

/* Takes a pending signal that somebody waits for, and hands it over; false: there is none. */
static bool serve_one(const struct signals *signals)
{
    struct signalfd_siginfo info;
    follow_line(signals);
    if (read(signals->fd, &info, sizeof info) != (ssize_t)sizeof info)
        return false;
    serve(signals, &info);
    return true;
}

/* A signal that is pending has come before the kill or the timeout, even if the reader has had no turn yet. */
static void look(struct verd__wait *wait)
{
    const struct call *call = wait->entry.value;
    while (wait->kind != NULL && serve_one(call->signals))
        ;
}

static void leave(struct verd__wait *wait, int error)
{
    const struct call *call = wait->entry.value;
    (void)error;
    tell_reader(call->signals);
}

static const struct verd__wait_kind kind = {
    .name = "a signal", .has_more = true, .ended = leave, .look = look};

static void *read_signals(void *arg)
{
    struct signals *signals = arg;
    struct verd__loop *loop = verd__loop(verd__current);
    struct verd__fd *record = verd__loop_fd(loop, signals->fd); /* adopted */
    while (signals->line.first != NULL) {
        if (!serve_one(signals) &&
            verd__loop_wait(loop, signals->fd, record, VERD__INPUT, true) != 0 &&
            errno != ECANCELED)
            verd_sleep(RETRY);
    }
    follow_line(signals);
    signals->reader = NULL;
    return NULL;
}

/* Sees to it that somebody reads. */
static int start_reader(struct signals *signals)
{
    if (signals->reader == NULL)
        signals->reader = verd__spawn_named("signals", read_signals, signals, NULL);
    return signals->reader != NULL ? 0 : -1;
}

/* The OS thread ends; its green threads are gone. */
static void end(struct verd__exit_hook *hook)
{
    struct signals *signals = VERD__CONTAINER_OF(hook, struct signals, hook);
    close(signals->fd);
    free(signals);
}

static struct signals *find(const struct verd__scheduler *scheduler)
{
    struct verd__exit_hook *hook = scheduler->exit_hooks;
    while (hook != NULL && hook->end != end)
        hook = hook->next;
    return hook != NULL ? VERD__CONTAINER_OF(hook, struct signals, hook) : NULL;
}

static int open_fd(void)
{
    sigset_t none;
    sigemptyset(&none);
    return signalfd(-1, &none, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* In the child of a fork, after the scheduler has done its part: nobody waits. The mask would be the
 * parent's as well, so another descriptor takes its number. */
static void fork_child(void)
{
    struct signals *signals = verd__current != NULL ? find(verd__current) : NULL;
    if (signals == NULL)
        return;
    close(signals->fd);
    if (verd__loop_renumber(open_fd(), signals->fd) != 0)
        verd__die("the child of a fork cannot make a signalfd of its own");
    signals->reader = NULL;
}

static int prepare_process(void)
{
    return pthread_atfork(NULL, NULL, fork_child);
}

static struct signals *signals_new(struct verd__scheduler *scheduler)
{
    static struct verd__once once;
    struct verd__loop *loop = verd__loop(scheduler);
    if (loop == NULL)
        return NULL;
    if (verd__once(&once, prepare_process) != 0) {
        errno = ENOMEM;
        return NULL;
    }
    struct signals *signals = calloc(1, sizeof *signals);
    if (signals == NULL)
        return NULL;
    signals->fd = open_fd();
    if (signals->fd < 0)
        goto no_fd;
    if (verd__loop_adopt(loop, signals->fd, 0) != 0)
        goto no_record;
    signals->hook.end = end;
    signals->hook.next = scheduler->exit_hooks;
    scheduler->exit_hooks = &signals->hook;
    return signals;
no_record:
    close(signals->fd);
no_fd:
    free(signals);
    return NULL;
}

/* The signals of this OS thread, made at first use. NULL with errno ENOMEM, EMFILE, ENFILE. */
static struct signals *signals_of(struct verd__scheduler *scheduler)
{
    struct signals *signals = find(scheduler);
    return signals != NULL ? signals : signals_new(scheduler);
}

/* glibc's sigisemptyset has been seen to overlook the real-time signals. */
static bool is_empty(const sigset_t *set)
{
    int number = 1;
    while (number <= SIGRTMAX && sigismember(set, number) != 1)
        number++;
    return number > SIGRTMAX;
}

static bool is_valid(const sigset_t *set)
{
    return set != NULL && !is_empty(set) && sigismember(set, SIGKILL) != 1 &&
           sigismember(set, SIGSTOP) != 1;
}

/* What signalfd(2) tells, as sigwaitinfo(2) would. The fields share their places; which of them count is
 * for si_code to say. */
static void translate(const struct signalfd_siginfo *from, siginfo_t *to)
{
    memset(to, 0, sizeof *to);
    to->si_signo = (int)from->ssi_signo;
    to->si_errno = from->ssi_errno;
    to->si_code = from->ssi_code;
    if (to->si_code == SI_TIMER) {
        to->si_timerid = (int)from->ssi_tid;
        to->si_overrun = (int)from->ssi_overrun;
        to->si_ptr = (void *)(uintptr_t)from->ssi_ptr;
    } else if (to->si_signo == SIGIO && to->si_code > 0) {
        to->si_band = (long)from->ssi_band;
        to->si_fd = from->ssi_fd;
    } else {
        to->si_pid = (pid_t)from->ssi_pid;
        to->si_uid = (uid_t)from->ssi_uid;
        if (to->si_signo == SIGCHLD && to->si_code > 0) {
            to->si_status = from->ssi_status;
            to->si_utime = (clock_t)from->ssi_utime;
            to->si_stime = (clock_t)from->ssi_stime;
        } else {
            to->si_ptr = (void *)(uintptr_t)from->ssi_ptr;
        }
    }
}

static int wait_for(struct verd__scheduler *scheduler, struct call *call)
{
    struct signals *signals = call->signals;
    if (start_reader(signals) != 0)
        return -1;
    struct verd__wait *wait = verd__own_wait(scheduler);
    wait->entry.value = call;
    verd__entry_join(&wait->entry, &signals->line);
    tell_reader(signals);
    return verd__wait(scheduler, wait, &kind);
}

int verd_signal_wait(const sigset_t *set, siginfo_t *info)
{
    if (!is_valid(set))
        return verd__refuse(EINVAL);
    struct verd__scheduler *scheduler = verd__begin();
    struct call call = {.signals = scheduler != NULL ? signals_of(scheduler) : NULL, .set = *set};
    if (call.signals == NULL)
        return verd__refuse(0);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    if (wait_for(scheduler, &call) != 0)
        return -1;
    if (info != NULL)
        translate(&call.info, info);
    return (int)call.info.ssi_signo;
}
