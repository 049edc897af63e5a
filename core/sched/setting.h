/* SPDX-License-Identifier: MIT */
/* What the environment asks of the scheduler. */
#ifndef VERD_SCHED_SETTING_H
#define VERD_SCHED_SETTING_H

#include <stdbool.h>
#include <stdint.h>

/* Reads a number of decimal digits from a variable of the environment. Returns whether it is there. What is there and is
 * no number from `least` to `most` is told of in a line, which says what holds `instead`. */
bool verd__setting_number(const char *name, uint64_t least, uint64_t most, const char *instead,
                          uint64_t *number);

#endif
