/* SPDX-License-Identifier: MIT */
#include "leak.h"

#include <criterion/criterion.h>
#include <malloc.h>

#include "process.h"
#include "stack/valgrind.h"

bool leak_is_told(void)
{
    return !UNDER_SANITIZER && !verd__on_valgrind();
}

size_t leak_allocated(void)
{
    return leak_is_told() ? mallinfo2().uordblks : 0;
}

size_t leak_in_use(void)
{
    return leak_is_told() ? mallinfo2().uordblks + mallinfo2().hblkhd : 0;
}

void leak_expect_none(void (*deed)(void))
{
    for (int i = 0; i < 10; i++)
        deed();
    size_t before = leak_allocated();
    for (int i = 0; i < 400; i++)
        deed();
    cr_assert_lt((long)(leak_allocated() - before), 400L * 16);
}
