/* SPDX-License-Identifier: MIT */
#include "leak.h"

#include <criterion/criterion.h>
#include <malloc.h>

#include "process.h"
#include "stack/valgrind.h"

#ifdef __GLIBC__
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
#else /* musl has nothing that tells */
bool leak_is_told(void)
{
    return false;
}

size_t leak_allocated(void)
{
    return 0;
}

size_t leak_in_use(void)
{
    return 0;
}
#endif

void leak_expect_none(void (*deed)(void))
{
    for (int i = 0; i < 10; i++)
        deed();
    size_t before = leak_allocated();
    for (int i = 0; i < 400; i++)
        deed();
    cr_assert_lt((long)(leak_allocated() - before), 400L * 16);
}
