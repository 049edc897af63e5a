/* SPDX-License-Identifier: MIT */
/* All rows of the table. */
#ifndef TESTS_WAIT_CALLS_H
#define TESTS_WAIT_CALLS_H

#include "table.h"

/* A row by its number, from 0; NULL: there are no more. */
const struct row *row_number(size_t number);

/* Whether it waits here as it says. */
bool is_as_said(const struct row *row);

#endif
