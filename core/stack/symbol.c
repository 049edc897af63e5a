/* SPDX-License-Identifier: MIT */
#include "stack/symbol.h"

#include <string.h>

void verd__symbols_open(struct verd__symbols *symbols)
{
    verd__elf_open_program(&symbols->program);
    symbols->other.file = NULL;
    symbols->of_other = NULL;
    symbols->has_mappings = false;
    for (size_t i = 0; i < VERD__PLACES_MAX; i++)
        symbols->places[i].address = 0;
}

void verd__symbols_close(struct verd__symbols *symbols)
{
    verd__elf_close(&symbols->other);
    verd__elf_close(&symbols->program);
}

/* Where the address can be executed; NULL: nowhere. */
static const struct verd__mapping *mapping_of(struct verd__symbols *symbols, uintptr_t address)
{
    if (!symbols->has_mappings)
        verd__mappings_read(&symbols->mappings);
    symbols->has_mappings = true;
    return verd__mapping_find(&symbols->mappings, address);
}

/* The file of a mapping takes the place of that before. */
static const struct verd__elf *elf_of(struct verd__symbols *symbols,
                                      const struct verd__mapping *mapping)
{
    if (symbols->of_other != mapping) {
        verd__elf_close(&symbols->other);
        symbols->of_other = mapping;
        if (mapping->path[0] != '\0')
            verd__elf_open(&symbols->other, mapping->path, mapping->start, mapping->offset);
    }
    return &symbols->other;
}

static bool find(struct verd__symbols *symbols, uintptr_t address, bool exact,
                 struct verd__symbol *function, const struct verd__mapping **mapping)
{
    *mapping = NULL;
    if (verd__elf_find(&symbols->program, address, VERD__FUNCTION, exact, function))
        return true;
    *mapping = mapping_of(symbols, address);
    return *mapping != NULL &&
           verd__elf_find(elf_of(symbols, *mapping), address, VERD__FUNCTION, exact, function);
}

const char *verd__symbols_find(struct verd__symbols *symbols, uintptr_t address)
{
    struct verd__symbol function;
    const struct verd__mapping *mapping;
    return find(symbols, address, true, &function, &mapping) ? function.name : NULL;
}

const struct verd__place *verd__symbols_place(struct verd__symbols *symbols, uintptr_t address)
{
    struct verd__place *place = &symbols->places[(address ^ address >> 8) % VERD__PLACES_MAX];
    if (place->address != address) {
        bool is_known = find(symbols, address, false, &place->function, &place->mapping);
        place->address = address;
        place->is_code = is_known || place->mapping != NULL || !symbols->mappings.is_complete;
        if (place->mapping != NULL && is_known)
            place->function.name = NULL; /* its file may be closed by the time */
    }
    return place;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* As addr2line(1) takes it, where the file is known: the process that it was in may be gone. */
static void tell_address(struct verd__line *line, struct verd__symbols *symbols,
                         const struct verd__mapping *mapping, uintptr_t address)
{
    const struct verd__elf *elf =
        mapping != NULL && mapping->path[0] != '\0' ? elf_of(symbols, mapping) : NULL;
    if (elf != NULL && elf->has_bias) {
        verd__line_text(line, base_name(mapping->path));
        verd__line_text(line, "+");
        verd__line_address(line, address - elf->bias);
    } else {
        verd__line_address(line, address);
    }
}

void verd__symbols_tell(struct verd__line *line, struct verd__symbols *symbols, uintptr_t address,
                        bool returns)
{
    const struct verd__place *place = verd__symbols_place(symbols, address - returns);
    struct verd__symbol function = place->function;
    if (function.name == NULL && place->mapping != NULL)
        verd__elf_find(elf_of(symbols, place->mapping), address - returns, VERD__FUNCTION, false,
                       &function);
    if (function.name == NULL) {
        tell_address(line, symbols, place->mapping, address);
        return;
    }
    verd__line_text(line, function.name);
    verd__line_text(line, "+");
    verd__line_address(line, address - function.start);
    if (place->mapping != NULL && place->mapping->path[0] != '\0') {
        verd__line_text(line, " in ");
        verd__line_text(line, base_name(place->mapping->path));
    }
}

void verd__symbols_tell_function(struct verd__line *line, struct verd__symbols *symbols,
                                 uintptr_t address)
{
    const char *name = verd__symbols_find(symbols, address);
    verd__line_text(line, " (");
    if (name != NULL)
        verd__line_text(line, name);
    else
        tell_address(line, symbols, mapping_of(symbols, address), address);
    verd__line_text(line, ")");
}

void verd__symbols_tell_variable(struct verd__line *line, const struct verd__symbols *symbols,
                                 uintptr_t address)
{
    struct verd__symbol variable;
    if (!verd__elf_find(&symbols->program, address, VERD__VARIABLE, false, &variable))
        return;
    verd__line_text(line, " (");
    verd__line_text(line, variable.name);
    if (variable.start != address) {
        verd__line_text(line, "+");
        verd__line_address(line, address - variable.start);
    }
    verd__line_text(line, ")");
}
