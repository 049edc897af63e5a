/* SPDX-License-Identifier: MIT */
#include "debug/waiting.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interrupted.h"
#include "stack/line.h"
#include "stack/valgrind.h"

/* "35 0x7ffc60 0x0 ...": the system call, its six arguments, the stack pointer and where it returns to; or "running". */
struct account {
    char text[256];
};

static bool read_account(pid_t number, struct account *account)
{
    struct verd__line path = {0};
    verd__line_text(&path, "/proc/self/task/");
    verd__line_number(&path, (size_t)number);
    verd__line_text(&path, "/syscall");
    path.text[path.length] = '\0';
    memset(account, 0, sizeof *account);
    int fd = open(path.text, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, account->text, sizeof account->text - 1);
    close(fd);
    return n > 0;
}

/* False: it waits in none. That it is one of this program's, and no emulator's, is seen by the instruction. */
static bool find_system_call(const struct account *account, uintptr_t *sp, uintptr_t *pc)
{
    char *at = strpbrk(account->text, " ");
    if (account->text[0] < '0' || account->text[0] > '9' || at == NULL)
        return false;
    for (int argument = 0; argument < 6; argument++)
        strtoul(at, &at, 16);
    *sp = strtoul(at, &at, 16);
    *pc = strtoul(at, &at, 16);
    return verd__follows_system_call(*pc);
}

/* What is read belongs together if the account is the same before and after. */
static bool find_calls(pid_t number, struct verd__backtrace *calls)
{
    struct account before, after;
    uintptr_t sp, pc;
    if (!read_account(number, &before) || !find_system_call(&before, &sp, &pc))
        return false;
    verd__backtrace_of_waiting(calls, sp, pc);
    return read_account(number, &after) && strcmp(before.text, after.text) == 0;
}

bool verd__waiting_calls(pid_t number, struct verd__backtrace *calls)
{
    int error = errno;
    /* Under valgrind it would be told where that waits, in the program's place. */
    bool is_known = !verd__on_valgrind() && find_calls(number, calls);
    errno = error;
    return is_known;
}
