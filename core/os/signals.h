/* SPDX-License-Identifier: MIT */
/* What an OS thread's green threads wait for signals with. */
#ifndef VERD_OS_SIGNALS_H
#define VERD_OS_SIGNALS_H

struct verd__signals;

/* The OS thread ends; its green threads are gone. */
void verd__signals_free(struct verd__signals *signals);

/* This is the child of a fork, and nobody waits. */
void verd__signals_forked(struct verd__signals *signals);

#endif
