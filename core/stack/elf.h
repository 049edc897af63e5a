/* SPDX-License-Identifier: MIT */
/*
 * The symbols of a file of the process: the program's or a shared object's, those of static functions, too, unless it was
 * stripped. The file is mapped; nothing is allocated and no lock taken, so it can be used on a signal handler's stack.
 */
#ifndef VERD_STACK_ELF_H
#define VERD_STACK_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct verd__elf {
    const char *file; /* mapped; NULL: there is none */
    size_t size;
    const char *table; /* of symbols, `count` of them, in the file; and what they are called */
    size_t count;
    const char *names;
    size_t names_size;
    uintptr_t bias; /* how far what is loaded was moved from where the file says */
    bool has_bias;  /* that is known */
};

/* A function or a variable of static duration. */
struct verd__symbol {
    const char *name;
    uintptr_t start;
};

enum verd__symbol_type { VERD__FUNCTION, VERD__VARIABLE };

/* Opens the program's file. Where that cannot be, it has no symbols. errno stays. */
void verd__elf_open_program(struct verd__elf *elf);

/* Opens the file of a mapping that begins at `start` with what is at `offset` in the file. errno stays. */
void verd__elf_open(struct verd__elf *elf, const char *path, uintptr_t start, uint64_t offset);

void verd__elf_close(struct verd__elf *elf);

/* Finds what the address lies in, or with `exact`, begins. */
bool verd__elf_find(const struct verd__elf *elf, uintptr_t address, enum verd__symbol_type type,
                    bool exact, struct verd__symbol *symbol);

#endif
