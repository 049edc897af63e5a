/* SPDX-License-Identifier: MIT */
/* Names, as POSIX has them. The older calls are made of getaddrinfo, and so know no aliases. */
#include "patch/posix.h"

#include <errno.h>
#include <string.h>

#include <verd/os.h>

#include "sched/once.h"

VERD__POINT_IF(outcome != 0, int, getaddrinfo,
               (const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **result),
               (host, service, hints, result))
{
    return verd__is_green() ? verd_getaddrinfo(host, service, hints, result)
                            : getaddrinfo(host, service, hints, result);
}

/* ---- the caller's memory, as it is used up ---- */

struct room {
    char *next;
    size_t size;
};

/* NULL: it is too small. */
static void *take(struct room *room, size_t size)
{
    size_t padding = -(uintptr_t)room->next % sizeof(void *);
    if (room->size < padding || room->size - padding < size)
        return NULL;
    char *taken = room->next + padding;
    room->next = taken + size;
    room->size -= padding + size;
    return taken;
}

static const void *address_of(const struct addrinfo *info)
{
    if (info->ai_family == AF_INET)
        return &((const struct sockaddr_in *)(const void *)info->ai_addr)->sin_addr;
    return &((const struct sockaddr_in6 *)(const void *)info->ai_addr)->sin6_addr;
}

static int fill_addresses(struct hostent *entry, const struct addrinfo *found, struct room *room)
{
    size_t count = 0;
    for (const struct addrinfo *info = found; info != NULL; info = info->ai_next)
        count++;
    entry->h_addr_list = take(room, (count + 1) * sizeof *entry->h_addr_list);
    if (entry->h_addr_list == NULL)
        return ERANGE;
    char **address = entry->h_addr_list;
    for (const struct addrinfo *info = found; info != NULL; info = info->ai_next) {
        *address = take(room, (size_t)entry->h_length);
        if (*address == NULL)
            return ERANGE;
        memcpy(*address++, address_of(info), (size_t)entry->h_length);
    }
    *address = NULL;
    return 0;
}

/* Returns 0 or ERANGE. */
static int fill_entry(struct hostent *entry, const char *name, const struct addrinfo *found,
                      struct room *room)
{
    const char *canonical = found->ai_canonname != NULL ? found->ai_canonname : name;
    size_t size = strlen(canonical) + 1;
    entry->h_addrtype = found->ai_family;
    entry->h_length =
        found->ai_family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
    entry->h_aliases = take(room, sizeof *entry->h_aliases);
    entry->h_name = take(room, size);
    if (entry->h_aliases == NULL || entry->h_name == NULL)
        return ERANGE;
    *entry->h_aliases = NULL;
    memcpy(entry->h_name, canonical, size);
    return fill_addresses(entry, found, room);
}

/* getaddrinfo's error as one of h_errno's. */
static int host_error(int error)
{
    switch (error) {
    case EAI_NONAME:
        return HOST_NOT_FOUND;
    case EAI_AGAIN:
    case EAI_SYSTEM:
    case EAI_MEMORY:
        return TRY_AGAIN;
#ifdef EAI_NODATA
    case EAI_NODATA:
        return NO_DATA;
#endif
    default:
        return NO_RECOVERY;
    }
}

/* ---- the calls ---- */

int verd_posix_gethostbyname2_r(const char *name, int family, struct hostent *entry, char *room,
                                size_t size, struct hostent **result, int *error)
{
    const struct addrinfo hints = {
        .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME};
    struct addrinfo *found;
    if (!verd__is_green())
        return gethostbyname2_r(name, family, entry, room, size, result, error);
    *result = NULL;
    int failed = verd_posix_getaddrinfo(name, NULL, &hints, &found);
    if (failed != 0) {
        *error = host_error(failed);
        return failed == EAI_SYSTEM ? errno : 0;
    }
    int full = fill_entry(entry, name, found, &(struct room){room, size});
    freeaddrinfo(found);
    *error = full != 0 ? -1 : 0; /* netdb.h's NETDB_INTERNAL, which musl does not have */
    if (full == 0)
        *result = entry;
    return full;
}

int verd_posix_gethostbyname_r(const char *name, struct hostent *entry, char *room, size_t size,
                               struct hostent **result, int *error)
{
    return verd_posix_gethostbyname2_r(name, AF_INET, entry, room, size, result, error);
}

/* What gethostbyname returns points to memory of its thread's. */
struct answer {
    struct hostent entry;
    char room[8192];
};

static verd_key answer_key;
static struct verd__once answer_key_made;

static int make_answer_key(void)
{
    return verd_key_create(&answer_key, free) == 0 ? 0 : errno;
}

/* NULL: there is no memory for one. */
static struct answer *own_answer(void)
{
    if (verd__once(&answer_key_made, make_answer_key) != 0)
        return NULL;
    struct answer *answer = verd_get(answer_key);
    if (answer != NULL)
        return answer;
    answer = malloc(sizeof *answer);
    if (answer != NULL && verd_set(answer_key, answer) == 0)
        return answer;
    free(answer);
    return NULL;
}

struct hostent *verd_posix_gethostbyname2(const char *name, int family)
{
    struct hostent *result = NULL;
    int error = TRY_AGAIN;
    if (!verd__is_green())
        return gethostbyname2(name, family); /* cppcheck-suppress gethostbyname2Called */
    struct answer *answer = own_answer();
    if (answer != NULL)
        verd_posix_gethostbyname2_r(name, family, &answer->entry, answer->room, sizeof answer->room,
                                    &result, &error);
    if (result == NULL)
        h_errno = error;
    return result;
}

struct hostent *verd_posix_gethostbyname(const char *name)
{
    return verd_posix_gethostbyname2(name, AF_INET);
}
