/* SPDX-License-Identifier: MIT */
/*
 * Interrupting a system call of another OS thread, by a signal that does nothing: one of the real-time signals,
 * the highest but four or lower, with which the program does nothing itself. Workers block it but while they allow it, and
 * nobody else is sent it.
 *
 * A signal that comes just before the system call interrupts nothing, one that comes just after it the next one:
 * so it is sent until the call has returned, and who is interrupted asks whether he is meant.
 */
#ifndef VERD_OFFLOAD_INTERRUPT_H
#define VERD_OFFLOAD_INTERRUPT_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Handles a real-time signal with which the program does nothing itself, the highest but four or lower, by `ours`.
 * Returns which one; 0: there is none. */
int verd__interrupt_choose(const struct sigaction *ours);

/* Chooses the signal, once; without one, nothing is interrupted. Not from two OS threads at once. */
void verd__interrupt_prepare(void);

/* The running OS thread may be interrupted from now on, and *meant tells whether it is to be. SIGTTIN and SIGTTOU
 * have their effect meanwhile: a terminal stops the process with them. */
void verd__interrupt_allow(const _Atomic(bool) *meant);

/* No longer; errno stays. */
void verd__interrupt_forbid(void);

/* Whether the system call that has just failed with EINTR is to be given up. */
bool verd__interrupt_is_meant(void);

/* Whether the system call that has just failed is to be made again: it was interrupted, but not to be given up. */
static inline bool verd__interrupt_again(void)
{
    return errno == EINTR && !verd__interrupt_is_meant();
}

/* Interrupts an OS thread. */
void verd__interrupt_send(pthread_t thread);

#endif
