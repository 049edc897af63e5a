/* SPDX-License-Identifier: MIT */
#include "left_out.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "process.h"

static bool is_of_this_run(const char *kind)
{
    return (process_is_carried() && strcmp(kind, "os") == 0) ||
           (process_is_on_valgrind() && strcmp(kind, "memcheck") == 0) ||
           (UNDER_MSAN && strcmp(kind, "msan") == 0);
}

const char *left_out(const char *suite, const char *name)
{
    static char line[512], reason[256];
    char test[256], kind[16], pattern[256];
    bool found = false;
    FILE *list = fopen("tests/support/left-out", "r");
    snprintf(test, sizeof test, "%s/%s", suite, name);
    while (list != NULL && !found && fgets(line, sizeof line, list) != NULL) {
        found = sscanf(line, "%15s %255s %255[^\n]", kind, pattern, reason) == 3 &&
                is_of_this_run(kind) && fnmatch(pattern, test, 0) == 0;
    }
    if (list != NULL)
        fclose(list);
    return found ? reason : NULL;
}
