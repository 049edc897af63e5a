/* SPDX-License-Identifier: MIT */
#include "stack/peek.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <sys/syscall.h>
#include <sys/uio.h>

#include "stack/sanitizer.h"

#define NO_CHANGE (-1) /* of the signal mask: the call fails when it has read the mask */
#define MASK_SIZE ((size_t)sizeof(uint64_t)) /* of the kernel's */

/* Whether all pages can be read, as a system call finds that does nothing else. */
static bool is_readable(uintptr_t from, size_t size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (uintptr_t at = from & ~(page - 1); at < from + size; at += page) {
        if (syscall(SYS_rt_sigprocmask, NO_CHANGE, at, NULL, MASK_SIZE) == 0 || errno == EFAULT)
            return false;
    }
    return true;
}

/* Byte by byte, lest it become a call of memcpy, which sanitizers watch. */
static VERD__UNWATCHED void copy_in_place(char *copy, uintptr_t from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        copy[i] = ((const volatile char *)from)[i];
}

static bool peek(void *copy, uintptr_t from, size_t size)
{
    /* cppcheck-suppress ctuuninitvar ; it is where the kernel writes */
    struct iovec to = {copy, size}, there = {(void *)from, size};
    memset(copy, 0, size);
    if (from == 0 || from + size < from)
        return false;
    long copied = syscall(SYS_process_vm_readv, getpid(), &to, 1UL, &there, 1UL, 0UL);
    if (copied == (long)size)
        return true;
    if (copied >= 0 || errno == EFAULT || !is_readable(from, size)) {
        memset(copy, 0, size);
        return false;
    }
    copy_in_place(copy, from, size);
    return true;
}

bool verd__peek(void *copy, const void *from, size_t size)
{
    int error = errno;
    bool is_there = peek(copy, (uintptr_t)from, size);
    errno = error;
    return is_there;
}

/* Page by page, as the string may end before one that is not there. */
void verd__peek_text(char *copy, size_t size, const char *from)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t length = 0;
    memset(copy, 0, size);
    while (length < size - 1) {
        size_t rest = page - ((uintptr_t)from + length) % page;
        size_t piece = rest < size - 1 - length ? rest : size - 1 - length;
        bool is_there = verd__peek(copy + length, from + length, piece);
        size_t part = strnlen(copy + length, piece);
        length += part;
        if (!is_there || part < piece)
            break;
    }
    copy[length] = '\0';
}
