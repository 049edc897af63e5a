/* SPDX-License-Identifier: MIT */
#include <verd/posix.h>

#include "all.h"

void green_cases(struct book *book)
{
    all_cases(book);
}
