/* SPDX-License-Identifier: MIT */
/* What the process is told on its own stderr, so that a test can wait for it, or hold until it comes. */
#ifndef TESTS_SUPPORT_TOLD_H
#define TESTS_SUPPORT_TOLD_H

#include <stdbool.h>

/* Lines on stderr come here first, until told_end passes them on. */
void told_begin(void);
void told_end(void);

/* The descriptor that can be read when there is a line. */
int told_descriptor(void);

/* Whether there is one, within `timeout` as poll(2) has it. */
bool is_told(int timeout);

/* Takes the lines that there are. */
void told_forget(void);

/* The seconds for which the first line says that `who` has held its OS thread; below 0: none says so. */
double told_seconds(const char *text, const char *who);

#endif
