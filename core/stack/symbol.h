/* SPDX-License-Identifier: MIT */
/*
 * The names of the program's functions, from its own file: those of static ones, too, which the dynamic linker does not
 * know; unless it was stripped. Nothing is allocated and no lock taken, so it can be used on a signal handler's stack.
 * Functions of shared objects have none here.
 */
#ifndef VERD_STACK_SYMBOL_H
#define VERD_STACK_SYMBOL_H

#include <stddef.h>
#include <stdint.h>

struct verd__symbols {
    const char *file; /* mapped; NULL: there is none */
    size_t size;
    const char *table; /* of symbols, `count` of them, in the file; and what they are called */
    size_t count;
    const char *names;
    size_t names_size;
    uintptr_t bias; /* how far the program was moved */
    uintptr_t last; /* the address that was asked for last, and what was found */
    const char *found;
};

/* Opens the program's file. Where that cannot be, it has no names. errno stays. */
void verd__symbols_open(struct verd__symbols *symbols);
void verd__symbols_close(const struct verd__symbols *symbols);

/* The name of the function that begins at the address, until the close; NULL: it is not known. */
const char *verd__symbols_find(struct verd__symbols *symbols, uintptr_t address);

#endif
