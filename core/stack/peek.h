/* SPDX-License-Identifier: MIT */
/*
 * Reading memory that may not be there, or is another OS thread's and may change meanwhile: for reports, which are made
 * in signal handlers and of what has gone wrong. Nothing faults, and nothing is reported to a sanitizer.
 *
 * The kernel copies (process_vm_readv(2)). Where it does not, as under some emulators and filters, what it says to be
 * mapped is read in place (mincore(2)).
 */
#ifndef VERD_STACK_PEEK_H
#define VERD_STACK_PEEK_H

#include <stdbool.h>
#include <stddef.h>

/* Copies `size` bytes. False: they are not all there; the copy is zeroed. errno stays. */
bool verd__peek(void *copy, const void *from, size_t size);

/* Copies a string, cut to size - 1 bytes, or to what is there of it. errno stays. */
void verd__peek_text(char *copy, size_t size, const char *from);

#endif
