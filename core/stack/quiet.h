/* SPDX-License-Identifier: MIT */
/* Writing without SIGPIPE: the signal is held back, and taken away if it came. */
#ifndef VERD_STACK_QUIET_H
#define VERD_STACK_QUIET_H

#include <signal.h>
#include <stdbool.h>

struct verd__quiet {
    sigset_t before; /* the OS thread's mask; valid if it is to be put back */
    bool is_held;
};

/* Both may be called in a handler of a signal. `broken`: a call in between has failed with EPIPE. errno stays. */
void verd__quiet_begin(struct verd__quiet *quiet);
void verd__quiet_end(const struct verd__quiet *quiet, bool broken);

#endif
