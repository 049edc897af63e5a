/* SPDX-License-Identifier: MIT */
#include "stack/elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* A part of the file; NULL: it lies not within. */
static const char *part_of(const struct verd__elf *elf, uint64_t offset, uint64_t size)
{
    bool is_within = offset <= elf->size && size <= elf->size - offset;
    return is_within ? elf->file + offset : NULL;
}

/* One of the sections; false: there are not so many. */
static bool read_section(const struct verd__elf *elf, const Elf64_Ehdr *header, size_t i,
                         Elf64_Shdr *section)
{
    const char *at = part_of(elf, header->e_shoff + i * sizeof *section, sizeof *section);
    if (i >= header->e_shnum || at == NULL)
        return false;
    memcpy(section, at, sizeof *section);
    return true;
}

/* All names end within the file: the last byte of them is a zero. */
static bool use_section(struct verd__elf *elf, const Elf64_Ehdr *header, const Elf64_Shdr *section)
{
    Elf64_Shdr names;
    if (!read_section(elf, header, section->sh_link, &names) || names.sh_size == 0)
        return false;
    elf->table = part_of(elf, section->sh_offset, section->sh_size);
    elf->names = part_of(elf, names.sh_offset, names.sh_size);
    if (elf->table == NULL || elf->names == NULL || elf->names[names.sh_size - 1] != '\0')
        return false;
    elf->names_size = names.sh_size;
    elf->count = section->sh_size / sizeof(Elf64_Sym);
    return true;
}

/* The symbols of a kind: all, or those of the dynamic linker, which no strip takes away. */
static bool find_table(struct verd__elf *elf, const Elf64_Ehdr *header, uint32_t type)
{
    Elf64_Shdr section;
    for (size_t i = 0; read_section(elf, header, i, &section); i++) {
        if (section.sh_type == type)
            return use_section(elf, header, &section);
    }
    return false;
}

/* How far the program was moved: the kernel tells where its program headers are. They are
 * compared, for the file may be another program's, which has loaded this one. */
static bool find_bias(struct verd__elf *elf, const Elf64_Ehdr *header)
{
    uintptr_t there = getauxval(AT_PHDR);
    size_t size = header->e_phnum * sizeof(Elf64_Phdr);
    const char *segments = part_of(elf, header->e_phoff, size);
    if (there == 0 || segments == NULL || getauxval(AT_PHNUM) != header->e_phnum ||
        memcmp((const void *)there, segments, size) != 0)
        return false;
    for (size_t i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr segment;
        memcpy(&segment, segments + i * sizeof segment, sizeof segment);
        uint64_t offset = header->e_phoff - segment.p_offset;
        if (segment.p_type != PT_LOAD || offset >= segment.p_filesz)
            continue;
        elf->bias = there - (segment.p_vaddr + offset);
        elf->has_bias = true;
        return true;
    }
    return false;
}

/* The same of a mapping of one of its segments. */
static bool find_bias_of(struct verd__elf *elf, const Elf64_Ehdr *header, uintptr_t start,
                         uint64_t offset)
{
    for (size_t i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr segment;
        const char *at = part_of(elf, header->e_phoff + i * sizeof segment, sizeof segment);
        if (at == NULL)
            return false;
        memcpy(&segment, at, sizeof segment);
        uint64_t before =
            segment.p_offset % (uint64_t)sysconf(_SC_PAGESIZE); /* in its first page */
        if (segment.p_type != PT_LOAD ||
            offset - (segment.p_offset - before) >= segment.p_filesz + before)
            continue;
        elf->bias = start - offset + segment.p_offset - segment.p_vaddr;
        elf->has_bias = true;
        return true;
    }
    return false;
}

static bool read_header(const struct verd__elf *elf, Elf64_Ehdr *header)
{
    if (elf->size < sizeof *header)
        return false;
    memcpy(header, elf->file, sizeof *header);
    return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
           header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_shentsize == sizeof(Elf64_Shdr) &&
           header->e_phentsize == sizeof(Elf64_Phdr);
}

static bool find_any_table(struct verd__elf *elf, const Elf64_Ehdr *header)
{
    return find_table(elf, header, SHT_SYMTAB) || find_table(elf, header, SHT_DYNSYM);
}

static void map_file(struct verd__elf *elf, int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || status.st_size <= 0)
        return;
    void *file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file == MAP_FAILED)
        return;
    elf->file = file;
    elf->size = (size_t)status.st_size;
}

static void map_path(struct verd__elf *elf, const char *path)
{
    *elf = (struct verd__elf){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    map_file(elf, fd);
    close(fd);
}

void verd__elf_open_program(struct verd__elf *elf)
{
    int error = errno;
    Elf64_Ehdr header;
    map_path(elf, "/proc/self/exe");
    if (!read_header(elf, &header) || !find_bias(elf, &header) || !find_any_table(elf, &header))
        elf->count = 0;
    errno = error;
}

void verd__elf_open(struct verd__elf *elf, const char *path, uintptr_t start, uint64_t offset)
{
    int error = errno;
    Elf64_Ehdr header;
    map_path(elf, path);
    if (!read_header(elf, &header) || !find_bias_of(elf, &header, start, offset) ||
        !find_any_table(elf, &header))
        elf->count = 0;
    errno = error;
}

void verd__elf_close(struct verd__elf *elf)
{
    int error = errno;
    if (elf->file != NULL)
        munmap((void *)(uintptr_t)elf->file, elf->size);
    *elf = (struct verd__elf){0};
    errno = error;
}

static bool is_of_type(const Elf64_Sym *symbol, enum verd__symbol_type type)
{
    unsigned kind = ELF64_ST_TYPE(symbol->st_info);
    return type == VERD__VARIABLE ? kind == STT_OBJECT : kind == STT_FUNC || kind == STT_GNU_IFUNC;
}

/* Of several names for one thing, that which a person has given it. */
static bool is_better(const char *name, const struct verd__symbol *found)
{
    return found->name == NULL || (found->name[0] == '_' && name[0] != '_') ||
           (strchr(found->name, '.') != NULL && strchr(name, '.') == NULL);
}

bool verd__elf_find(const struct verd__elf *elf, uintptr_t address, enum verd__symbol_type type,
                    bool exact, struct verd__symbol *symbol)
{
    symbol->name = NULL;
    for (size_t i = 0; i < elf->count; i++) {
        Elf64_Sym entry;
        memcpy(&entry, elf->table + i * sizeof entry, sizeof entry);
        uintptr_t offset = address - elf->bias - entry.st_value;
        if ((exact ? offset != 0 : offset >= entry.st_size) || !is_of_type(&entry, type) ||
            entry.st_shndx == SHN_UNDEF || entry.st_name >= elf->names_size ||
            !is_better(elf->names + entry.st_name, symbol))
            continue;
        symbol->name = elf->names + entry.st_name;
        symbol->start = address - offset;
    }
    return symbol->name != NULL;
}
