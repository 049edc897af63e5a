/* SPDX-License-Identifier: MIT */
/*
 * What addresses of code and data are called, from the files of the program and of the shared objects that are loaded.
 * Nothing is allocated and no lock taken, so it can be used on a signal handler's stack, of which it needs 6 KiB.
 */
#ifndef VERD_STACK_SYMBOL_H
#define VERD_STACK_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/elf.h"
#include "stack/line.h"
#include "stack/mapping.h"

/* Answers that are remembered: the threads of a server wait in the same few places. */
#define VERD__PLACES_MAX 32

/* Where an address of code lies. */
struct verd__place {
    uintptr_t address;                   /* 0: nothing is remembered here */
    struct verd__symbol function;        /* no name: it is not known */
    const struct verd__mapping *mapping; /* NULL: there is none, or it is the program's */
    bool is_code;                        /* it may be executed, as far as is known */
};

struct verd__symbols {
    struct verd__elf program;
    struct verd__elf other; /* the shared object that was asked last */
    const struct verd__mapping *of_other;
    bool has_mappings; /* they were read */
    struct verd__mappings mappings;
    struct verd__place places[VERD__PLACES_MAX];
};

/* Opens the program's file. Where that cannot be, it has no names. errno stays. */
void verd__symbols_open(struct verd__symbols *symbols);
void verd__symbols_close(struct verd__symbols *symbols);

/* The name of the function that begins at the address, until the next call; NULL: it is not known. */
const char *verd__symbols_find(struct verd__symbols *symbols, uintptr_t address);

/* Where an address of code lies; valid until the next call. */
const struct verd__place *verd__symbols_place(struct verd__symbols *symbols, uintptr_t address);

/* Add to a line: where an address of code lies, "handle+0x2f", "poll+0x4f in libc.so.6", or for want of a name the file and
 * the address there, "server+0x1234", or for want of that "0x..."; it is known whether a call `returns` to it, which may be
 * the last thing of its function. The function that begins there, " (handle)", or as before. And the variable that one of
 * data lies in, " (lock)", or nothing. */
void verd__symbols_tell(struct verd__line *line, struct verd__symbols *symbols, uintptr_t address,
                        bool returns);
void verd__symbols_tell_function(struct verd__line *line, struct verd__symbols *symbols,
                                 uintptr_t address);
void verd__symbols_tell_variable(struct verd__line *line, const struct verd__symbols *symbols,
                                 uintptr_t address);

#endif
