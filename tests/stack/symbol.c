/* SPDX-License-Identifier: MIT */
/* What the program's file calls its functions. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "stack/symbol.h"

static __attribute__((noinline)) int one(int value)
{
    return value + 1;
}

static __attribute__((noinline)) int two(int value)
{
    return value + 2;
}

static struct verd__symbols symbols;

static const char *name_of(uintptr_t address)
{
    const char *name = verd__symbols_find(&symbols, address);
    return name != NULL ? name : "?";
}

Test(stack, static_functions_are_known_by_their_beginnings)
{
    errno = EXDEV;
    verd__symbols_open(&symbols);
    cr_expect_str_eq(name_of((uintptr_t)one), "one");
    cr_expect_str_eq(name_of((uintptr_t)two), "two");
    cr_expect_str_eq(name_of((uintptr_t)two), "two");
    cr_expect_str_eq(name_of((uintptr_t)one), "one");
    cr_expect_str_eq(name_of((uintptr_t)one + 1), "?");
    cr_expect_str_eq(name_of((uintptr_t)&symbols), "?");
    cr_expect_str_eq(name_of(0), "?");
    verd__symbols_close(&symbols);
    cr_expect_eq(errno, EXDEV);
}
