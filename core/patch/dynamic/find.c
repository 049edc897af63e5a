/* SPDX-License-Identifier: MIT */
/* In a dynamic program libc's functions lie below the hooks. */
#include <dlfcn.h>

#include "patch/hooks/next.h"

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif

/* Where clang's sanitizers are in the program, their own functions come after ours. */
static void *find(const char *name, const char *interceptor)
{
    void *found = NULL;
#ifdef SANITIZED
    found = dlsym(RTLD_DEFAULT, interceptor);
#else
    (void)interceptor;
#endif
    return found != NULL ? found : dlsym(RTLD_NEXT, name);
}

/* What is not found (glibc before 2.33 has no stat) stays a system call. */
#define FIND(name)                                         \
    do {                                                   \
        void *found = find(#name, "__interceptor_" #name); \
        if (found != NULL)                                 \
            *(void **)&verd__next.name = found;            \
    } while (0);
#define FIND_CALL(returned, name, parameters, arguments) FIND(name)

void verd__next_find(void)
{
    VERD__SYSTEM_CALLS(FIND_CALL)
    FIND(open)
    FIND(openat)
    FIND(fcntl)
}

const void *verd__exported(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}
