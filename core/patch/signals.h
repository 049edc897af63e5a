/* SPDX-License-Identifier: MIT */
/* What sets handlers, but is less than sigaction: made of that, libc's or the library's. */
#ifndef VERD_PATCH_SIGNALS_H
#define VERD_PATCH_SIGNALS_H

#include <signal.h>

typedef int verd__sigaction(int signal, const struct sigaction *action, struct sigaction *before);

void (*verd__signal_by(verd__sigaction *set, int signal, void (*handler)(int)))(int);
/* System V's, which glibc's headers have for signal where ISO C alone is asked for: the handler is for one time. */
void (*verd__sysv_signal_by(verd__sigaction *set, int signal, void (*handler)(int)))(int);
int verd__siginterrupt_by(verd__sigaction *set, int signal, int interrupt);

/* Between a call of one and a call of the other the program's handler of SIGCHLD does not run on this OS thread; it does
 * after the last of them, if the signal has come. Any number at once. */
void verd__child_signals_hold(void);
void verd__child_signals_release(void);

#endif
