/* SPDX-License-Identifier: MIT */
#include "debug/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "debug/ask.h"
#include "debug/signal_name.h"
#include "sched/registry.h"
#include "sched/report.h"
#include "sched/setting.h"
#include "stack/peek.h"

/* ---- all hubs ---- */

static void tell_head(const struct verd__report *report)
{
    struct verd__line line = {0};
    size_t count = 0;
    struct verd__scheduler *at = NULL;
    while ((at = verd__registry_next(at)) != NULL)
        count++;
    verd__line_text(&line, "green threads of process ");
    verd__line_number(&line, (size_t)getpid());
    verd__line_text(&line, ", on ");
    verd__line_number(&line, count);
    verd__line_text(&line, count == 1 ? " OS thread" : " OS threads");
    verd__line_write_to(&line, &report->output);
}

static void tell_silence(const struct verd__report *report, const struct verd__scheduler *scheduler)
{
    struct verd__line line = {0};
    verd__line_text(&line, "OS thread ");
    verd__line_number(&line, (size_t)scheduler->os_thread);
    verd__line_text(&line, " does not answer: the calls of its running thread are not known");
    verd__line_write_to(&line, &report->output);
}

/* The calls of the thread that waits for the poller, if it does. */
static bool find_idle(const struct verd__scheduler *scheduler, struct verd__backtrace *calls)
{
    verd_context idle = {0};
    verd__peek(&idle, &scheduler->idle, sizeof idle);
    if (idle.sp == NULL)
        return false;
    verd__backtrace_of_frame(calls, idle.sp, UINTPTR_MAX);
    return calls->count > 0;
}

bool verd__dump_running(const struct verd__scheduler *scheduler, const ucontext_t *interrupted,
                        struct verd__backtrace *calls)
{
    if (find_idle(scheduler, calls))
        return true;
    if (scheduler != verd__current)
        return verd__ask_calls(scheduler, calls);
    if (interrupted != NULL)
        verd__backtrace_of_signal(calls, interrupted, UINTPTR_MAX);
    else
        verd__backtrace_of_caller(calls, UINTPTR_MAX);
    return true;
}

static void dump_hub(struct verd__report *report, const struct verd__scheduler *scheduler,
                     const ucontext_t *interrupted)
{
    bool is_known = verd__dump_running(scheduler, interrupted, &report->calls);
    if (!is_known)
        tell_silence(report, scheduler);
    verd__report_hub(report, scheduler, is_known ? &report->calls : NULL);
}

void verd__dump(const struct verd__output *output, const ucontext_t *interrupted)
{
    struct verd__report *report = verd__report_begin(output);
    if (report == NULL)
        return;
    verd__ask_prepare();
    tell_head(report);
    struct verd__scheduler *at = NULL;
    while ((at = verd__registry_next(at)) != NULL)
        dump_hub(report, at, interrupted);
    verd__report_end(report);
}

int verd_dump(int fd)
{
    const struct verd__output output = {fd, "", NULL};
    if (fcntl(fd, F_GETFD) < 0)
        return -1;
    verd__dump(&output, NULL);
    return 0;
}

/* ---- by a signal ---- */

static _Atomic(int) dump_signal; /* 0: none */
static struct sigaction before;  /* what the program did with it; valid if there is one */

static bool is_function(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) ||
           (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN);
}

/* The program's own handler comes after it, as if it had been called by the kernel. */
static void on_signal(int signal, siginfo_t *info, void *context)
{
    int error = errno;
    verd__dump(&verd__stderr, context);
    errno = error;
    if (signal != atomic_load(&dump_signal) || !is_function(&before))
        return;
    if (before.sa_flags & SA_SIGINFO)
        before.sa_sigaction(signal, info, context);
    else
        before.sa_handler(signal);
}

static bool is_ours(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) && action->sa_sigaction == on_signal;
}

/* Puts back what the program did, unless it has taken the signal again by itself. */
static void give_back(void)
{
    struct sigaction now;
    int signal = atomic_exchange(&dump_signal, 0);
    if (signal != 0 && sigaction(signal, NULL, &now) == 0 && is_ours(&now))
        sigaction(signal, &before, NULL);
}

/* Signals that tell of a fault: after a handler it would come again. */
static bool is_fault(int signal)
{
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE ||
           signal == SIGTRAP;
}

static int take(int signal)
{
    struct sigaction action;
    if (is_fault(signal)) {
        errno = EINVAL;
        return -1;
    }
    if (sigaction(signal, NULL, &action) != 0)
        return -1;
    struct sigaction ours = {.sa_sigaction = on_signal,
                             .sa_mask = action.sa_mask,
                             .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    if (is_function(&action) && !(action.sa_flags & SA_RESTART))
        ours.sa_flags &= ~SA_RESTART;
    struct sigaction theirs = action;
    if (sigaction(signal, &ours, NULL) != 0)
        return -1;
    if (is_ours(&theirs)) /* the program has put back what it had found */
        theirs = (struct sigaction){.sa_handler = SIG_DFL};
    before = theirs;
    atomic_store(&dump_signal, signal);
    return 0;
}

int verd_dump_on_signal(int signal)
{
    struct sigaction now;
    verd__ask_prepare();
    if (signal == 0) {
        give_back();
        return 0;
    }
    if (signal == atomic_load(&dump_signal) && sigaction(signal, NULL, &now) == 0 && is_ours(&now))
        return 0;
    int earlier = atomic_load(&dump_signal);
    if (earlier != 0 && earlier != signal)
        give_back();
    return take(signal);
}

void verd__dump_environment(void)
{
    const char *name = verd__setting("VERD_DUMP_SIGNAL");
    if (name == NULL)
        return;
    int signal = verd__signal_by_name(name);
    if (signal > 0 && verd_dump_on_signal(signal) == 0)
        return;
    verd__setting_refuse(
        "VERD_DUMP_SIGNAL", name,
        " is no signal that can be handled, as QUIT or 3: there is no dump by one");
}
