/* SPDX-License-Identifier: MIT */
/* What of the process's memory can be executed, and the file that it is of: as /proc/self/maps tells. */
#ifndef VERD_STACK_MAPPING_H
#define VERD_STACK_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More are not told apart, nor longer paths. */
#define VERD__MAPPINGS_MAX 64
#define VERD__MAPPING_PATHS 3072

struct verd__mapping {
    uintptr_t start, end;
    uint64_t offset;  /* of the start in the file */
    const char *path; /* "": it is of none */
};

struct verd__mappings {
    struct verd__mapping each[VERD__MAPPINGS_MAX];
    size_t count;
    bool is_complete; /* there are no others */
    size_t used;      /* of `paths` */
    char paths[VERD__MAPPING_PATHS];
};

/* Reads them. Nothing is allocated, and no lock taken. errno stays. */
void verd__mappings_read(struct verd__mappings *mappings);

/* That of an address; NULL: it is in none. */
const struct verd__mapping *verd__mapping_find(const struct verd__mappings *mappings,
                                               uintptr_t address);

#endif
