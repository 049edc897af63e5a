/* SPDX-License-Identifier: MIT */
#include "offload/interrupt.h"

#include <errno.h>
#include <stddef.h>

/* The last ones are taken by emulators for themselves. */
#define TAKEN 4

static int chosen; /* the signal; 0: none */

static _Thread_local const _Atomic(bool) *meant_here;

static void do_nothing(int signal)
{
    (void)signal;
}

int verd__interrupt_choose(const struct sigaction *ours)
{
    struct sigaction theirs;
    for (int signal = SIGRTMAX - TAKEN; signal >= SIGRTMIN; signal--) {
        if (sigaction(signal, NULL, &theirs) == 0 && !(theirs.sa_flags & SA_SIGINFO) &&
            theirs.sa_handler == SIG_DFL && sigaction(signal, ours, NULL) == 0)
            return signal;
    }
    return 0;
}

void verd__interrupt_prepare(void)
{
    static const struct sigaction ours = {.sa_handler = do_nothing}; /* without SA_RESTART */
    if (chosen == 0)
        chosen = verd__interrupt_choose(&ours);
}

static void mask(int how)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTTIN);
    sigaddset(&set, SIGTTOU);
    if (chosen != 0)
        sigaddset(&set, chosen);
    pthread_sigmask(how, &set, NULL);
}

void verd__interrupt_allow(const _Atomic(bool) *meant)
{
    meant_here = meant;
    mask(SIG_UNBLOCK);
}

void verd__interrupt_forbid(void)
{
    int error = errno;
    mask(SIG_BLOCK);
    meant_here = NULL;
    errno = error;
}

bool verd__interrupt_is_meant(void)
{
    return meant_here != NULL && atomic_load(meant_here);
}

void verd__interrupt_send(pthread_t thread)
{
    if (chosen != 0)
        pthread_kill(thread, chosen);
}
