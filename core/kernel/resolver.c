/* SPDX-License-Identifier: MIT */
/* Names, as libc has them. */
#include "kernel/pass.h"

#include <netdb.h>

VERD__NAME_CALLS(VERD__PASS) /* cppcheck-suppress gethostbyname2Called */
