/* SPDX-License-Identifier: MIT */
/* Hooks for what is more than a system call: below them can be nothing but libc's, and who but the dynamic linker knows a
 * second function of a name? */
#include <dlfcn.h>

#include "patch/hooks/hook.h"

/* Looked for when first called: shared libraries may do so before any constructor of the program's has run. */
#define BELOW(returned, name, parameters, arguments)                                            \
    returned verd__kernel_##name parameters;                                                    \
    returned verd__kernel_##name parameters                                                     \
    {                                                                                           \
        static __typeof(verd_posix_##name) *_Atomic next;                                       \
        __typeof(verd_posix_##name) *found = atomic_load_explicit(&next, memory_order_relaxed); \
        if (found == NULL) {                                                                    \
            *(void **)&found = dlsym(RTLD_NEXT, #name);                                         \
            atomic_store_explicit(&next, found, memory_order_relaxed);                          \
        }                                                                                       \
        return found arguments;                                                                 \
    }

VERD__LIBC_CALLS(BELOW)

#define HOOK(returned, name, parameters, arguments)                                              \
    returned verd__hook_##name parameters                                                        \
    {                                                                                            \
        return verd__is_patched() ? verd_posix_##name arguments : verd__kernel_##name arguments; \
    }                                                                                            \
    VERD__NAME(name, verd__hook_##name)

VERD__LIBC_CALLS(HOOK)

struct hostent *verd__hook_gethostbyname(const char *name)
{
    return verd__hook_gethostbyname2(name, AF_INET);
}

int verd__hook_gethostbyname_r(const char *name, struct hostent *entry, char *room, size_t size,
                               struct hostent **result, int *error)
{
    return verd__hook_gethostbyname2_r(name, AF_INET, entry, room, size, result, error);
}

VERD__NAME(gethostbyname, verd__hook_gethostbyname)
VERD__NAME(gethostbyname_r, verd__hook_gethostbyname_r)
