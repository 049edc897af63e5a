/* SPDX-License-Identifier: MIT */
/* verd_dump in its parts, for whoever prints the same elsewhere. */
#ifndef VERD_DEBUG_DUMP_H
#define VERD_DEBUG_DUMP_H

#include <ucontext.h>

#include <verd/debug.h>

#include "stack/line.h"

/* Prints all there is; `interrupted`: where a signal has come that this is called for; NULL: it is not. */
void verd__dump(const struct verd__output *output, const ucontext_t *interrupted);

/* VERD_DUMP_SIGNAL's choice. */
void verd__dump_environment(void);

#endif
