/* SPDX-License-Identifier: MIT */
/* Names, by the system's own resolver: it reads files and asks servers, and has no call that does not
 * block. */
#include <verd/os.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "offload/offload.h"
#include "sched/wait.h"

/* A getaddrinfo and its arguments. */
struct lookup {
    const char *host;    /* in `text`, or NULL */
    const char *service; /* in `text`, or NULL */
    struct addrinfo hints;
    struct addrinfo *found;
    int error; /* of the resolver; 0: `found` is valid */
    char text[];
};

static void *run(void *arg)
{
    struct lookup *lookup = arg;
    lookup->error = getaddrinfo(lookup->host, lookup->service, &lookup->hints, &lookup->found);
    return NULL;
}

/* Nobody wants what was found, if it was. */
static void release(void *arg, void *result)
{
    struct lookup *lookup = arg;
    (void)result;
    if (lookup->error == 0)
        freeaddrinfo(lookup->found);
    free(lookup);
}

static struct lookup *lookup_new(const char *host, const char *service,
                                 const struct addrinfo *hints)
{
    size_t host_size = host != NULL ? strlen(host) + 1 : 0;
    size_t service_size = service != NULL ? strlen(service) + 1 : 0;
    struct lookup *lookup = calloc(1, sizeof *lookup + host_size + service_size);
    if (lookup == NULL)
        return NULL;
    lookup->hints = *hints;
    lookup->error = EAI_FAIL;
    if (host != NULL)
        lookup->host = memcpy(lookup->text, host, host_size);
    if (service != NULL)
        lookup->service = memcpy(lookup->text + host_size, service, service_size);
    return lookup;
}

/* The resolver on another OS thread. */
static int look_up(const char *host, const char *service, const struct addrinfo *hints,
                   struct addrinfo **found)
{
    struct lookup *lookup = lookup_new(host, service, hints);
    if (lookup == NULL)
        return EAI_MEMORY;
    const struct verd__offload offload = {
        .kind = VERD_OFFLOAD_NAMES,
        .fn = run,
        .arg = lookup,
        .release = release,
    };
    if (verd__offload(&offload, NULL) != 0) {
        verd__offload_failed(&offload);
        return errno == ENOMEM ? EAI_MEMORY : EAI_SYSTEM;
    }
    int error = errno;
    int outcome = lookup->error;
    if (outcome == 0)
        *found = lookup->found;
    free(lookup);
    errno = error;
    return outcome;
}

/* Whether the resolver has said all that there is to say after numbers alone were allowed: "no such name"
 * may mean that it is one. */
static bool is_final(int outcome, const char *host, const char *service,
                     const struct addrinfo *hints)
{
    bool host_done = host == NULL || (hints->ai_flags & AI_NUMERICHOST);
    bool service_done = service == NULL || (hints->ai_flags & AI_NUMERICSERV) ||
                        service[strspn(service, "0123456789")] == '\0';
    return outcome != EAI_NONAME || (host_done && service_done);
}

static int resolve(const char *host, const char *service, const struct addrinfo *hints,
                   struct addrinfo **result)
{
    static const struct addrinfo defaults = {.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG};
    const struct addrinfo *wanted = hints != NULL ? hints : &defaults;
    struct addrinfo numbers = *wanted;
    if (verd__begin() == NULL)
        return EAI_SYSTEM;
    numbers.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
    int outcome = getaddrinfo(host, service, &numbers, result);
    if (is_final(outcome, host, service, wanted))
        return outcome;
    return look_up(host, service, wanted, result);
}

int verd_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                     struct addrinfo **result)
{
    int outcome = resolve(host, service, hints, result);
    verd__spend();
    return outcome;
}
