/* SPDX-License-Identifier: MIT */
#include "stack/symbol.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* A part of the file; NULL: it lies not within. */
static const char *part_of(const struct verd__symbols *symbols, uint64_t offset, uint64_t size)
{
    bool is_within = offset <= symbols->size && size <= symbols->size - offset;
    return is_within ? symbols->file + offset : NULL;
}

/* One of the sections; false: there are not so many. */
static bool read_section(const struct verd__symbols *symbols, const Elf64_Ehdr *header, size_t i,
                         Elf64_Shdr *section)
{
    const char *at = part_of(symbols, header->e_shoff + i * sizeof *section, sizeof *section);
    if (i >= header->e_shnum || at == NULL)
        return false;
    memcpy(section, at, sizeof *section);
    return true;
}

/* All names end within the file: the last byte of them is a zero. */
static bool use_section(struct verd__symbols *symbols, const Elf64_Ehdr *header,
                        const Elf64_Shdr *section)
{
    Elf64_Shdr names;
    if (!read_section(symbols, header, section->sh_link, &names) || names.sh_size == 0)
        return false;
    symbols->table = part_of(symbols, section->sh_offset, section->sh_size);
    symbols->names = part_of(symbols, names.sh_offset, names.sh_size);
    if (symbols->table == NULL || symbols->names == NULL ||
        symbols->names[names.sh_size - 1] != '\0')
        return false;
    symbols->names_size = names.sh_size;
    symbols->count = section->sh_size / sizeof(Elf64_Sym);
    return true;
}

/* The symbols of a kind: all, or those of the dynamic linker, which no strip takes away. */
static bool find_table(struct verd__symbols *symbols, const Elf64_Ehdr *header, uint32_t type)
{
    Elf64_Shdr section;
    for (size_t i = 0; read_section(symbols, header, i, &section); i++) {
        if (section.sh_type == type)
            return use_section(symbols, header, &section);
    }
    return false;
}

/* How far the program was moved from where its file says: the kernel tells where its program headers are. They are
 * compared, for the file may be another program's, which has loaded this one. */
static bool find_bias(struct verd__symbols *symbols, const Elf64_Ehdr *header)
{
    uintptr_t there = getauxval(AT_PHDR);
    size_t size = header->e_phnum * sizeof(Elf64_Phdr);
    const char *segments = part_of(symbols, header->e_phoff, size);
    if (there == 0 || segments == NULL || getauxval(AT_PHNUM) != header->e_phnum ||
        memcmp((const void *)there, segments, size) != 0)
        return false;
    for (size_t i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr segment;
        memcpy(&segment, segments + i * sizeof segment, sizeof segment);
        uint64_t offset = header->e_phoff - segment.p_offset;
        if (segment.p_type != PT_LOAD || offset >= segment.p_filesz)
            continue;
        symbols->bias = there - (segment.p_vaddr + offset);
        return true;
    }
    return false;
}

static bool read_file(struct verd__symbols *symbols)
{
    Elf64_Ehdr header;
    if (symbols->size < sizeof header)
        return false;
    memcpy(&header, symbols->file, sizeof header);
    return memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_ident[EI_CLASS] == ELFCLASS64 &&
           header.e_shentsize == sizeof(Elf64_Shdr) && header.e_phentsize == sizeof(Elf64_Phdr) &&
           find_bias(symbols, &header) &&
           (find_table(symbols, &header, SHT_SYMTAB) || find_table(symbols, &header, SHT_DYNSYM));
}

static void map_file(struct verd__symbols *symbols, int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || status.st_size <= 0)
        return;
    void *file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file == MAP_FAILED)
        return;
    symbols->file = file;
    symbols->size = (size_t)status.st_size;
}

void verd__symbols_open(struct verd__symbols *symbols)
{
    int error = errno;
    *symbols = (struct verd__symbols){0};
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        map_file(symbols, fd);
        close(fd);
    }
    if (symbols->file != NULL && !read_file(symbols))
        symbols->count = 0;
    errno = error;
}

void verd__symbols_close(const struct verd__symbols *symbols)
{
    int error = errno;
    if (symbols->file != NULL)
        munmap((void *)(uintptr_t)symbols->file, symbols->size);
    errno = error;
}

static const char *search(const struct verd__symbols *symbols, uintptr_t address)
{
    for (size_t i = 0; i < symbols->count; i++) {
        Elf64_Sym symbol;
        memcpy(&symbol, symbols->table + i * sizeof symbol, sizeof symbol);
        if (symbol.st_value == address - symbols->bias &&
            ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_shndx != SHN_UNDEF &&
            symbol.st_name < symbols->names_size)
            return symbols->names + symbol.st_name;
    }
    return NULL;
}

const char *verd__symbols_find(struct verd__symbols *symbols, uintptr_t address)
{
    if (address != symbols->last) {
        symbols->last = address;
        symbols->found = search(symbols, address);
    }
    return symbols->found;
}
