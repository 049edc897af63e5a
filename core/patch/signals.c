/* SPDX-License-Identifier: MIT */
/*
 * Handlers of signals that end waits with EINTR. The kernel has one of ours, which calls the program's and then
 * tells the waits (offload/handler.h); the program sees its own.
 */
#include "patch/posix.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "offload/handler.h"
#include "patch/signals.h"
#include "sched/scheduler.h"

/* The program's handlers, of one kind or the other, and whether their signals have SA_RESTART. */
static _Atomic(uintptr_t) handlers[NSIG];
static _Atomic(bool) restarts[NSIG];

static uintptr_t handler_of(int signal)
{
    return atomic_load_explicit(&handlers[signal], memory_order_relaxed);
}

/* The handler that runs on this OS thread: of which thread, and where its frame begins. */
struct running {
    const struct verd__thread *thread;
    const char *frame; /* NULL: there is none */
};
static _Thread_local volatile struct running running;

/* One that was left by siglongjmp is no longer there: then its frame is gone, or another thread runs. */
bool verd__is_green(void)
{
    const struct verd__scheduler *scheduler = verd__current;
    if (scheduler == NULL)
        return false;
    if (__builtin_expect(running.frame == NULL, 1))
        return true;
    return running.thread != scheduler->running ||
           (const char *)__builtin_frame_address(0) > running.frame;
}

static struct running begin_handler(const void *frame)
{
    struct running before = {running.thread, running.frame};
    if (verd__current != NULL) {
        running.thread = verd__current->running;
        running.frame = frame;
    }
    return before;
}

static void end_handler(struct running before, int signal)
{
    running.frame = before.frame;
    running.thread = before.thread;
    verd__handler_has_run(atomic_load_explicit(&restarts[signal], memory_order_relaxed));
}

/* SIGCHLD on this OS thread, while its handler has to wait. */
static _Thread_local struct {
    unsigned holders;
    volatile bool has_come; /* valid while there are holders */
    siginfo_t info;         /* the first's, as the kernel keeps of one that is blocked */
} child_signals;

/* `info`: NULL where the handler has none. */
static bool is_held(int signal, const siginfo_t *info)
{
    if (signal != SIGCHLD || child_signals.holders == 0)
        return false;
    if (!child_signals.has_come)
        child_signals.info = info != NULL ? *info : (siginfo_t){0};
    child_signals.has_come = true;
    return true;
}

void verd__child_signals_hold(void)
{
    if (child_signals.holders++ == 0)
        child_signals.has_come = false;
}

void verd__child_signals_release(void)
{
    if (--child_signals.holders != 0 || !child_signals.has_come)
        return;
    siginfo_t info = child_signals.info;
    if (info.si_signo == 0 ||
        syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGCHLD, &info) != 0)
        raise(SIGCHLD);
}

static void handle(int signal)
{
    if (is_held(signal, NULL))
        return;
    struct running before = begin_handler(__builtin_frame_address(0));
    ((void (*)(int))handler_of(signal))(signal);
    end_handler(before, signal);
}

static void handle_with_info(int signal, siginfo_t *info, void *context)
{
    if (is_held(signal, info))
        return;
    struct running before = begin_handler(__builtin_frame_address(0));
    ((void (*)(int, siginfo_t *, void *))handler_of(signal))(signal, info, context);
    end_handler(before, signal);
}

static bool has_handler(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) ||
           (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN);
}

/* As a file without these names has been told. */
static bool is_covered(const struct sigaction *action)
{
    return action->sa_flags & SA_SIGINFO ? action->sa_sigaction == handle_with_info
                                         : action->sa_handler == handle;
}

static uintptr_t get_handler(const struct sigaction *action)
{
    return action->sa_flags & SA_SIGINFO ? (uintptr_t)action->sa_sigaction
                                         : (uintptr_t)action->sa_handler;
}

/* Puts ours in the place of the program's. */
static void cover(int signal, struct sigaction *action)
{
    atomic_store_explicit(&handlers[signal], get_handler(action), memory_order_relaxed);
    atomic_store_explicit(&restarts[signal], action->sa_flags & SA_RESTART, memory_order_relaxed);
    if (action->sa_flags & SA_SIGINFO)
        action->sa_sigaction = handle_with_info;
    else
        action->sa_handler = handle;
    verd__handlers_expect();
}

/* And the program's in the place of ours. */
static void uncover(struct sigaction *action, uintptr_t handler)
{
    if (!is_covered(action))
        return;
    if (action->sa_flags & SA_SIGINFO)
        action->sa_sigaction = (void (*)(int, siginfo_t *, void *))handler;
    else
        action->sa_handler = (void (*)(int))handler;
}

/* A signal that comes between the two may be handled by the new handler with the old flags. */
int verd_posix_sigaction(int signal, const struct sigaction *action, struct sigaction *before)
{
    if (signal <= 0 || signal >= NSIG)
        return sigaction(signal, action, before); /* EINVAL */
    uintptr_t handler = handler_of(signal);
    bool restarted = atomic_load_explicit(&restarts[signal], memory_order_relaxed);
    struct sigaction covered;
    if (action != NULL && has_handler(action) && !is_covered(action)) {
        covered = *action;
        cover(signal, &covered);
        action = &covered;
    }
    int result = sigaction(signal, action, before);
    if (result == 0 && before != NULL)
        uncover(before, handler);
    if (result != 0) {
        atomic_store_explicit(&handlers[signal], handler, memory_order_relaxed);
        atomic_store_explicit(&restarts[signal], restarted, memory_order_relaxed);
    }
    return result;
}

/* Whose calls siginterrupt has said not to restart: glibc's signal goes by it, and musl's does not. */
static _Atomic(bool) interrupts[NSIG];

static bool is_interrupting(int signal)
{
    return signal > 0 && signal < NSIG &&
           atomic_load_explicit(&interrupts[signal], memory_order_relaxed);
}

static void (*set_handler(verd__sigaction *set, int signal, void (*handler)(int), int flags))(int)
{
    struct sigaction action = {.sa_flags = flags}, before;
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    return set(signal, &action, &before) == 0 ? before.sa_handler : SIG_ERR;
}

/* BSD's, as glibc and musl have it: the handler stays, and calls are restarted. */
void (*verd__signal_by(verd__sigaction *set, int signal, void (*handler)(int)))(int)
{
    return set_handler(set, signal, handler, is_interrupting(signal) ? 0 : SA_RESTART);
}

#define INTERRUPT 0x20000000 /* SA_INTERRUPT, which does nothing; glibc's sysv_signal says it */

void (*verd__sysv_signal_by(verd__sigaction *set, int signal, void (*handler)(int)))(int)
{
    return set_handler(set, signal, handler, SA_RESETHAND | SA_NODEFER | INTERRUPT);
}

int verd__siginterrupt_by(verd__sigaction *set, int signal, int interrupt)
{
    struct sigaction action;
    if (set(signal, NULL, &action) != 0)
        return -1;
    action.sa_flags &= ~SA_RESTART;
    if (!interrupt)
        action.sa_flags |= SA_RESTART;
    if (set(signal, &action, NULL) != 0)
        return -1;
#ifdef __GLIBC__
    atomic_store_explicit(&interrupts[signal], interrupt != 0, memory_order_relaxed);
#endif
    return 0;
}

void (*verd_posix_signal(int signal, void (*handler)(int)))(int)
{
    return verd__signal_by(verd_posix_sigaction, signal, handler);
}

#ifdef __GLIBC__
void (*verd_posix_sysv_signal(int signal, void (*handler)(int)))(int)
{
    return verd__sysv_signal_by(verd_posix_sigaction, signal, handler);
}
#endif

int verd_posix_siginterrupt(int signal, int interrupt)
{
    return verd__siginterrupt_by(verd_posix_sigaction, signal, interrupt);
}
