/* SPDX-License-Identifier: MIT */
#include "sched/exceptions.h"

#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <string.h>

/* The runtime's function, if the program was linked with one. */
extern struct verd__exceptions *linked(void) __asm__("__cxa_get_globals") __attribute__((weak));

static const char name[] = "__cxa_get_globals";

/* The tables of a loaded object by which the loader finds its symbols. */
struct tables {
    uintptr_t base;
    const ElfW(Sym) * symbols;
    const char *strings;
    const uint32_t *hashes; /* DT_GNU_HASH */
};

/* glibc has made addresses of what are offsets in the file, musl has not. */
static const void *place(uintptr_t base, ElfW(Addr) value)
{
    return (const void *)(value < base ? base + value : (uintptr_t)value);
}

static bool find_tables(const struct dl_phdr_info *object, struct tables *tables)
{
    const ElfW(Dyn) *entry = NULL;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        if (object->dlpi_phdr[i].p_type == PT_DYNAMIC)
            entry = (const void *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
    }
    *tables = (struct tables){.base = object->dlpi_addr};
    for (; entry != NULL && entry->d_tag != DT_NULL; entry++) {
        const void *table = place(tables->base, entry->d_un.d_ptr);
        if (entry->d_tag == DT_SYMTAB)
            tables->symbols = table;
        else if (entry->d_tag == DT_STRTAB)
            tables->strings = table;
        else if (entry->d_tag == DT_GNU_HASH)
            tables->hashes = table;
    }
    return tables->symbols != NULL && tables->strings != NULL && tables->hashes != NULL;
}

static uint32_t hash_of(const char *text)
{
    uint32_t hash = 5381;
    for (; *text != '\0'; text++)
        hash = hash * 33 + (unsigned char)*text;
    return hash;
}

/* The table is: counts of buckets, first symbol in it, words of a filter, its shift; the filter; the buckets, each
 * the first symbol of a chain; the chains' hashes, of which the last one's bit 0 is set. */
static const ElfW(Sym) * look_up(const struct tables *tables)
{
    const uint32_t *head = tables->hashes;
    const uint32_t *buckets = head + 4 + head[2] * (sizeof(ElfW(Addr)) / sizeof *head);
    const uint32_t *chains = buckets + head[0];
    uint32_t hash = hash_of(name);
    uint32_t at = head[0] != 0 ? buckets[hash % head[0]] : 0;
    for (; at >= head[1] && at != 0; at++) {
        const ElfW(Sym) *symbol = &tables->symbols[at];
        uint32_t other = chains[at - head[1]];
        if ((other | 1) == (hash | 1) && symbol->st_shndx != SHN_UNDEF &&
            strcmp(tables->strings + symbol->st_name, name) == 0)
            return symbol;
        if (other & 1)
            break;
    }
    return NULL;
}

/* For dl_iterate_phdr: ends it with the first that has one. */
static int find_in(struct dl_phdr_info *object, size_t size, void *function)
{
    struct tables tables;
    (void)size;
    const ElfW(Sym) *symbol = find_tables(object, &tables) ? look_up(&tables) : NULL;
    if (symbol == NULL)
        return 0;
    uintptr_t address = tables.base + symbol->st_value;
    memcpy(function, &address, sizeof address);
    return 1;
}

/* Not by dlsym, which does not see what was loaded for a plug-in alone, and is not in every libc. */
struct verd__exceptions *verd__exceptions_find(void)
{
    struct verd__exceptions *(*function)(void) = linked;
    if (function == NULL)
        dl_iterate_phdr(find_in, &function);
    return function != NULL ? function() : NULL;
}
