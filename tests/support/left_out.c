/* SPDX-License-Identifier: MIT */
#include "left_out.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process.h"

/* musl's run is of one CONFIG alone. */
static const char *own_kind_of_run(void)
{
    const char *musl = getenv("VERD_MUSL");
    if (process_is_carried())
        return "os";
    return musl != NULL && *musl != '\0' ? musl : getenv("VERD_CONFIG");
}

const char *left_out(const char *suite, const char *name)
{
    static char line[512], reason[256];
    const char *own_kind = own_kind_of_run();
    char test[256], kind[16], pattern[256];
    bool found = false;
    FILE *list = own_kind != NULL ? fopen("tests/support/left-out", "r") : NULL;
    snprintf(test, sizeof test, "%s/%s", suite, name);
    while (list != NULL && !found && fgets(line, sizeof line, list) != NULL) {
        found = sscanf(line, "%15s %255s %255[^\n]", kind, pattern, reason) == 3 &&
                strcmp(kind, own_kind) == 0 && fnmatch(pattern, test, 0) == 0;
    }
    if (list != NULL)
        fclose(list);
    return found ? reason : NULL;
}
