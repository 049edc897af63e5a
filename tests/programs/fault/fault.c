/* SPDX-License-Identifier: MIT */
/* Which call is to fail. */
#include "fault.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

struct fault_record *faults;

/* fault_next, and fault_lacks */
static const char *next_name, *lacking[4];
static int next_error, lacking_errors[4];

void faults_init(void)
{
    faults = mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

void faults_arm(void)
{
    atomic_store(&faults->armed, true);
}

void faults_disarm(void)
{
    atomic_store(&faults->armed, false);
}

void fault_next(const char *name, int error)
{
    next_name = name;
    next_error = error;
}

void fault_lacks(const char *name, int error)
{
    size_t i = 0;
    while (lacking[i] != NULL && strcmp(lacking[i], name) != 0)
        i++;
    lacking[i] = name;
    lacking_errors[i] = error;
}

static struct fault_count *count_of(struct fault *fault)
{
    struct fault_count *count = faults->counts;
    for (;; count++) {
        struct fault *found = NULL;
        if (atomic_compare_exchange_strong(&count->fault, &found, fault) || found == fault)
            return count;
    }
}

bool fault_strikes(struct fault *fault)
{
    if (next_name != NULL && strcmp(next_name, fault->name) == 0) {
        next_name = NULL;
        errno = next_error;
        return true;
    }
    for (size_t i = 0; lacking[i] != NULL; i++) {
        if (strcmp(lacking[i], fault->name) == 0 && lacking_errors[i] != 0) {
            errno = lacking_errors[i];
            return true;
        }
    }
    if (faults == NULL || !atomic_load(&faults->armed))
        return false;
    unsigned call = atomic_fetch_add(&count_of(fault)->calls, 1);
    if (fault != faults->target || call != faults->call || atomic_exchange(&faults->struck, true))
        return false;
    errno = faults->error;
    return true;
}
