/* SPDX-License-Identifier: MIT */

/* A guard that cannot be installed for want of memory is ENOMEM, and says nothing of what the kernel can
 * do: the guards of later stacks are not mappings of their own. Where the kernel can, one system call makes all
 * guards of an arena. */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <verd.h>

#define GUARD_INSTALL 102
#define SELF_THREAD (-10000)
#define ARENA_STACKS 64 /* at most */

static bool scarce; /* the memory for page tables */
static unsigned mappings;
static unsigned single_guards; /* by a system call of their own */

/* These stand in for libc's. */
int madvise_or_fail(void *address, size_t length, int advice) __asm__("madvise");
int mprotect_counted(void *address, size_t length, int protection) __asm__("mprotect");
long syscall_or_fail(long number, ...) __asm__("syscall");

/* Libc's own, into the pointer to a function at `place`. */
static void find(const char *name, void *place)
{
    void *address = dlsym(RTLD_NEXT, name);
    memcpy(place, &address, sizeof address);
}

static int fail(void)
{
    errno = ENOMEM;
    return -1;
}

int madvise_or_fail(void *address, size_t length, int advice)
{
    int (*next)(void *, size_t, int);
    find("madvise", &next);
    single_guards += advice == GUARD_INSTALL;
    return scarce && advice == GUARD_INSTALL ? fail() : next(address, length, advice);
}

int mprotect_counted(void *address, size_t length, int protection)
{
    int (*next)(void *, size_t, int);
    find("mprotect", &next);
    mappings++;
    return next(address, length, protection);
}

long syscall_or_fail(long number, ...)
{
    long (*next)(long, ...);
    find("syscall", &next);
    long a[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (scarce && number == SYS_process_madvise)
        return fail();
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void *park(void *arg)
{
    verd_park();
    return arg;
}

/* Threads that keep their stacks, until one can have none. */
static size_t park_many(size_t most)
{
    verd_attr attr = {.stack_size = VERD_STACK_SIZE_MIN};
    size_t count = 0;
    while (count < most && verd_spawn_with(&attr, park, NULL) != NULL)
        count++;
    return count;
}

/* Whether the kernel takes many guards in one system call. */
static bool takes_many(void)
{
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec vector = {page, size};
    return syscall(SYS_process_madvise, SELF_THREAD, &vector, 1, GUARD_INSTALL, 0) == (long)size;
}

int main(void)
{
    if (dlsym(RTLD_NEXT, "madvise") == NULL) {
        puts("in a static program nothing can stand before libc's functions");
        return 77;
    }
    park_many(1);
    if (mappings > 0) {
        puts("guards are mappings here");
        return 77;
    }
    if (takes_many() && single_guards > 0) {
        printf("%u guards by system calls of their own\n", single_guards);
        return 1;
    }
    scarce = true;
    errno = 0;
    size_t count = park_many(2 * ARENA_STACKS);
    if (count >= ARENA_STACKS || errno != ENOMEM || mappings > 0) {
        printf("without memory: %zu threads, errno %d, %u mappings\n", count, errno, mappings);
        return 1;
    }
    scarce = false;
    count = park_many(10 * ARENA_STACKS);
    if (count < 10 * ARENA_STACKS || mappings > 0) {
        printf("with memory again: %zu threads, %u mappings\n", count, mappings);
        return 1;
    }
    return 0;
}
