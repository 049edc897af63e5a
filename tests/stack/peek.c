/* SPDX-License-Identifier: MIT */

/* Memory that may not be there is read without a fault, whatever the kernel reads for the library. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "missing.h"
#include "stack/peek.h"

#define PAGE 4096

/* A page with text up to its end; behind it lies one that may not be read. */
static char *make_pages(void)
{
    char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq((void *)pages, MAP_FAILED);
    memcpy(pages + PAGE - 8, "readable", 8);
    cr_assert_eq(mprotect(pages + PAGE, PAGE, PROT_NONE), 0);
    return pages;
}

static void look(void)
{
    char copy[16], none[16] = {0};
    char *pages = make_pages();
    errno = EILSEQ;
    cr_expect(verd__peek(copy, pages + PAGE - 8, 8) && memcmp(copy, "readable", 8) == 0);
    cr_expect(!verd__peek(copy, pages + PAGE - 8, 16) && memcmp(copy, none, 16) == 0);
    cr_expect_not(verd__peek(copy, pages + PAGE, 1));
    munmap(pages, 2 * PAGE);
    cr_expect_not(verd__peek(copy, pages, 1));
    cr_expect_not(verd__peek(copy, NULL, 1));
    cr_expect_eq(errno, EILSEQ);
}

Test(stack, what_may_not_be_read_is_not)
{
    look();
}

Test(stack, what_may_not_be_read_is_not_where_the_kernel_reads_for_nobody)
{
    if (!missing_from_now(SYS_process_vm_readv, EPERM))
        cr_skip_test("no filter of system calls can be had here");
    look();
}
