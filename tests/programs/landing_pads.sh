#!/bin/sh
# SPDX-License-Identifier: MIT
#
# On AArch64, contexts run in memory where every indirect branch must hit a landing pad. The library
# is linked as a shared object without start files, since those of many systems have no landing
# pads; the program turns enforcement on for its pages, and first shows that it is on.
set -eu

: "${VERD_ARCH:=$(uname -m)}" "${VERD_CC:=cc}"
if [ "$VERD_ARCH" != aarch64 ]; then
    echo "landing_pads: only AArch64 enforces them in user space"
    exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cat > "$scratch/guarded.c" << 'END'
#include <stddef.h>
#include <stdint.h>
#include <verd/context.h>
#include "context/enter.h"

static verd_context here, there;
static char stack[65536] __attribute__((aligned(16)));

/* The calls are indirect, as from code that got the functions' addresses. */
void (*volatile make)(verd_context *, void *, size_t, verd_context_fn) = verd_context_make;
void *(*volatile change)(verd_context *, const verd_context *, void *) = verd_context_switch;
int (*volatile enter)(verd_context *, void *, void *, verd_context_fn) = verd__context_enter;
void *(*volatile leave)(const verd_context *, void *) = verd__context_leave;

__asm__(".pushsection .text\n"
        ".globl no_landing_pad\n"
        ".type no_landing_pad, %function\n"
        "no_landing_pad: nop\n ret\n"
        ".popsection\n");

static void count_up(void *value)
{
    for (;;)
        value = change(&there, &here, (char *)value + 1);
}

static void count_once(void *value)
{
    leave(&here, (char *)value + 1);
}

intptr_t count_in_a_context(int rounds)
{
    char *count = NULL;
    make(&there, stack, sizeof stack, count_up);
    for (int i = 0; i < rounds; i++)
        count = change(&here, &there, count);
    for (int i = 0; i < rounds; i++)
        count = (char *)(intptr_t)enter(&here, stack + sizeof stack, count, count_once);
    return (intptr_t)count;
}
END

cat > "$scratch/program.c" << 'END'
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PROT_BTI
#define PROT_BTI 0x10
#endif
#ifndef HWCAP2_BTI
#define HWCAP2_BTI (1 << 17)
#endif

intptr_t count_in_a_context(int rounds);
void no_landing_pad(void);

static int guarded;

static int guard_code(struct dl_phdr_info *object, size_t size, void *value)
{
    (void)size, (void)value;
    if (strstr(object->dlpi_name, "libguarded.so") == NULL)
        return 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
            continue;
        uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
        uintptr_t low = (object->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        uintptr_t high = object->dlpi_addr + segment->p_vaddr + segment->p_memsz;
        if (mprotect((void *)low, high - low, PROT_READ | PROT_EXEC | PROT_BTI) == 0)
            guarded++;
    }
    return 0;
}

static void exit_caught(int signal)
{
    _exit(signal);
}

/* How a child ends that jumps to where no landing pad is: SIGILL if that is enforced. */
static int jump_beside_the_pads(void)
{
    pid_t child = fork();
    if (child == 0) {
        void (*volatile target)(void) = no_landing_pad;
        signal(SIGILL, exit_caught);
        target();
        _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void)
{
    if (!(getauxval(AT_HWCAP2) & HWCAP2_BTI)) {
        puts("landing_pads: this processor has none");
        return 77;
    }
    dl_iterate_phdr(guard_code, NULL);
    if (guarded == 0 || jump_beside_the_pads() != SIGILL) {
        puts("landing_pads: enforcement is not on");
        return 1;
    }
    if (count_in_a_context(1000) != 2000) {
        puts("landing_pads: the contexts miscounted");
        return 1;
    }
    return 0;
}
END

run=
[ "$(uname -m)" = aarch64 ] || run='qemu-aarch64 -cpu max'

for protection in bti standard pac-ret+bti pac-ret+b-key+bti; do
    # Not all compilers combine all of them.
    $VERD_CC -mbranch-protection=$protection -E -x c /dev/null > /dev/null 2>&1 || continue
    for optimise in -O0 -O2; do
        flags="-std=c17 -D_GNU_SOURCE -mbranch-protection=$protection $optimise"
        $VERD_CC $flags -Iinclude -Icore -Iarch/aarch64 -fPIC -shared -nostartfiles \
            -Wl,-z,force-bti -Wl,--fatal-warnings -o "$scratch/libguarded.so" \
            "$scratch/guarded.c" arch/aarch64/*.S core/context/context.c core/stack/line.c core/stack/quiet.c
        $VERD_CC $flags -o "$scratch/program" "$scratch/program.c" -L"$scratch" -lguarded \
            -Wl,-rpath,"$scratch"
        status=0
        $run "$scratch/program" || status=$?
        [ "$status" -ne 77 ] || exit 77
        if [ "$status" -ne 0 ]; then
            echo "landing_pads: status $status with $protection $optimise"
            exit 1
        fi
    done
done
