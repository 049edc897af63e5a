/* SPDX-License-Identifier: MIT */
#include "all.h"

void plain_cases(struct book *book)
{
    all_cases(book);
}
