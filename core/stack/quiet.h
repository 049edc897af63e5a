/* SPDX-License-Identifier: MIT */
/* Writing without SIGPIPE, and without SIGXFSZ (setrlimit(2)): the signal is held back, and taken away if it came. */
#ifndef VERD_STACK_QUIET_H
#define VERD_STACK_QUIET_H

#include <signal.h>

struct verd__quiet {
    sigset_t before; /* the OS thread's mask */
    sigset_t held;   /* what can be told from a signal that came before */
};

/* Holds SIGPIPE; or with _file SIGXFSZ, too: for what the library writes by itself. All may be called in a handler of a
 * signal. errno stays. */
void verd__quiet_begin(struct verd__quiet *quiet);
void verd__quiet_begin_file(struct verd__quiet *quiet);

/* `failure`: the errno of a call in between, 0: none has failed. errno stays. */
void verd__quiet_end(const struct verd__quiet *quiet, int failure);

#endif
