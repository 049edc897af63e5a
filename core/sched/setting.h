/* SPDX-License-Identifier: MIT */
/* What the environment asks of the scheduler. */
#ifndef VERD_SCHED_SETTING_H
#define VERD_SCHED_SETTING_H

#include <stdbool.h>
#include <stdint.h>

/* A variable of the environment; NULL: it is not there, is empty, or the process has privileges that whoever started it
 * has not (secure_getenv(3)). */
const char *verd__setting(const char *name);

/* Says on stderr what is wrong with one: "VERD_HUB=text why". */
void verd__setting_refuse(const char *name, const char *text, const char *why);

/* Reads a number of decimal digits from a variable of the environment. Returns whether it is there. What is there and is
 * no number from `least` to `most` is told of in a line, which says what holds `instead`; `number` stays then. */
bool verd__setting_number(const char *name, uint64_t least, uint64_t most, const char *instead,
                          uint64_t *number);

#endif
