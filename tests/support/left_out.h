/* SPDX-License-Identifier: MIT */
/* Tests that cannot hold in this run by its nature, as tests/support/left-out has them. */
#ifndef TESTS_SUPPORT_LEFT_OUT_H
#define TESTS_SUPPORT_LEFT_OUT_H

/* Why this test is left out, valid until the next call; NULL: it is not. */
const char *left_out(const char *suite, const char *name);

#endif
