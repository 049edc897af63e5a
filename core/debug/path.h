/* SPDX-License-Identifier: MIT */
/* The path of a file that each process may have for itself: "%p" in it stands for the process's number. */
#ifndef VERD_DEBUG_PATH_H
#define VERD_DEBUG_PATH_H

#include <stdbool.h>

#define VERD__PATH_MAX 1024

/* Whether it has the process's number in it. */
bool verd__path_is_own(const char *path);

/* Writes the path with the number; `path` is shorter than VERD__PATH_MAX, and `expanded` has 16 bytes more than that. */
void verd__path_expand(char *expanded, const char *path);

#endif
