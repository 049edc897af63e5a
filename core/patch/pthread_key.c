/* SPDX-License-Identifier: MIT */
/* Thread-specific values are the library's. */
#include <errno.h>

#include "patch/pthread.h"

_Static_assert(sizeof(pthread_key_t) == sizeof(verd_key), "a key is a verd_key");

int verd_pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    int before = errno;
    return verd__outcome(verd_key_create(key, destructor), before);
}

int verd_pthread_key_delete(pthread_key_t key)
{
    int before = errno;
    return verd__outcome(verd_key_delete(key), before);
}

void *verd_pthread_getspecific(pthread_key_t key)
{
    return verd_get(key);
}

int verd_pthread_setspecific(pthread_key_t key, const void *value)
{
    int before = errno;
    return verd__outcome(verd_set(key, (void *)(uintptr_t)value), before);
}
