/* SPDX-License-Identifier: MIT */
#include "demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BAR "########################################"
#define BAR_EMPTY "........................................"
#define BAR_SIZE ((long)sizeof BAR - 1)

#define ROOMS 4

const char *grouped(long number)
{
    static char rooms[ROOMS][32];
    static size_t next;
    char digits[32], *text = rooms[next++ % ROOMS];
    int length = snprintf(digits, sizeof digits, "%ld", number), at = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

double seconds_since(verd_duration since)
{
    return (double)(verd_now() - since) / (double)VERD_SEC;
}

/* On a terminal, it is drawn in the same place; elsewhere only the last one is of use. */
void draw(const char *stage, long shown, long all, verd_duration since, bool last)
{
    int full = (int)(shown * BAR_SIZE / all);
    if (!last && !isatty(STDOUT_FILENO))
        return;
    printf("  %-11s %.*s%.*s %8s of %-8s %6.2f s%c", stage, full, BAR, (int)BAR_SIZE - full,
           BAR_EMPTY, grouped(shown), grouped(all), seconds_since(since), last ? '\n' : '\r');
    fflush(stdout);
}
