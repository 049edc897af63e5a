/* SPDX-License-Identifier: MIT */
/* Commands of the shell, as libc has them. */
#include "kernel/pass.h"

#include <stdio.h>
#include <stdlib.h>

VERD__SHELL_CALLS(VERD__PASS) /* NOLINT(cert-env33-c) */
