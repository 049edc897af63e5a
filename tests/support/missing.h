/* SPDX-License-Identifier: MIT */
/* Kernels without a system call, and sandboxes that forbid it. */
#ifndef TESTS_SUPPORT_MISSING_H
#define TESTS_SUPPORT_MISSING_H

#include <stdbool.h>

/* From now on the system call fails with this error. false: no filter can be had here. */
bool missing_from_now(long number, unsigned error);

#endif
