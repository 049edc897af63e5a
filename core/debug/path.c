/* SPDX-License-Identifier: MIT */
#include "debug/path.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool verd__path_is_own(const char *path)
{
    return strstr(path, "%p") != NULL;
}

void verd__path_expand(char *expanded, const char *path)
{
    const char *mark = strstr(path, "%p");
    int before = mark != NULL ? (int)(mark - path) : (int)strlen(path);
    snprintf(expanded, VERD__PATH_MAX + 16, "%.*s", before, path);
    if (mark != NULL)
        snprintf(expanded + before, (size_t)(VERD__PATH_MAX + 16 - before), "%ld%s", (long)getpid(),
                 mark + 2);
}
