/* SPDX-License-Identifier: MIT */
#include "debug/ask.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/syscall.h>

#include "debug/waiting.h"
#include "offload/interrupt.h"

#define PAUSE_NS 50000
#define PATIENCE 2000 /* pauses */

enum state { IDLE, ASKED, ANSWERING, ANSWERED };

/* The question that is open. */
static struct {
    _Atomic(int) state;
    _Atomic(pid_t) asked;          /* the OS thread */
    struct verd__backtrace answer; /* written by it while ANSWERING */
} question;

static _Atomic(int) chosen; /* the signal; 0: none yet; -1: somebody chooses */

/* ---- the OS thread that is asked ---- */

static void answer(const ucontext_t *context)
{
    int expected = ASKED;
    if (atomic_load(&question.asked) != gettid() ||
        !atomic_compare_exchange_strong(&question.state, &expected, ANSWERING))
        return; /* it has given up */
    verd__backtrace_of_signal(&question.answer, context, UINTPTR_MAX);
    atomic_store(&question.state, ANSWERED);
}

static void on_question(int signal, siginfo_t *info, void *context)
{
    int error = errno;
    (void)signal, (void)info;
    answer(context);
    errno = error;
}

/* ---- who asks ---- */

void verd__ask_prepare(void)
{
    static const struct sigaction ours = {.sa_sigaction = on_question,
                                          .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    int none = 0, error = errno;
    if (!atomic_compare_exchange_strong(&chosen, &none, -1))
        return;
    atomic_store(&chosen, verd__interrupt_choose(&ours));
    errno = error;
}

/* False: the program has taken the signal for itself meanwhile, or there is none. */
static bool ask_by_signal(const struct verd__scheduler *scheduler)
{
    struct sigaction now;
    int signal = atomic_load(&chosen);
    return signal > 0 && sigaction(signal, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
           now.sa_sigaction == on_question &&
           syscall(SYS_tgkill, getpid(), scheduler->runs_on, signal) == 0;
}

static void await_answer(void)
{
    static const struct timespec pause = {.tv_nsec = PAUSE_NS};
    for (int i = 0; i < PATIENCE && atomic_load(&question.state) != ANSWERED; i++)
        nanosleep(&pause, NULL);
}

/* Who answers already is waited for: it does nothing else meanwhile. */
static bool give_up(void)
{
    int expected = ASKED;
    if (atomic_compare_exchange_strong(&question.state, &expected, IDLE))
        return true;
    await_answer();
    return atomic_load(&question.state) != ANSWERED;
}

static bool ask(const struct verd__scheduler *scheduler, struct verd__backtrace *calls)
{
    int expected = IDLE, late = ANSWERED;
    atomic_compare_exchange_strong(&question.state, &late, IDLE); /* it had been given up */
    atomic_store(&question.asked, scheduler->runs_on);
    if (!atomic_compare_exchange_strong(&question.state, &expected, ASKED))
        return false;
    if (ask_by_signal(scheduler))
        await_answer();
    if (atomic_load(&question.state) != ANSWERED && give_up())
        return false;
    memcpy(calls, &question.answer, sizeof *calls);
    atomic_store(&question.state, IDLE);
    return true;
}

bool verd__ask_calls(const struct verd__scheduler *scheduler, struct verd__backtrace *calls)
{
    int error = errno;
    bool has_answered = verd__waiting_calls(scheduler->runs_on, calls) || ask(scheduler, calls);
    errno = error;
    return has_answered;
}

void verd__ask_forked(void)
{
    atomic_store(&question.state, IDLE);
}
