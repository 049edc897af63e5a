/* SPDX-License-Identifier: MIT */
/*
 * What the calls of POSIX do is the same whether their names are libc's or <verd/posix.h>'s, with green threads
 * or without: the same cases are compiled twice, and what they say is compared line by line.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <verd.h>

#include "posix_same/book.h"

static struct book plain, outside, inside;
static bool over;

/* Somebody else who runs meanwhile. */
static void tick(void *ticks)
{
    while (!over && verd_sleep(VERD_MS) == 0)
        ++*(size_t *)ticks;
}

/* For posix_patched: what libc's calls do in a program that has no others. */
static int print_plain(void)
{
    for (size_t i = 0; i < plain.count; i++)
        puts(plain.lines[i]);
    return 0;
}

int main(int argc, char **argv)
{
    size_t ticks = 0;
    alarm(100);
    plain_cases(&plain);
    if (argc == 2 && strcmp(argv[1], "plain") == 0)
        return print_plain();
    green_cases(&outside);
    if (verd_active()) {
        puts("without green threads there are some now");
        return 1;
    }
    verd_spawn_n(tick, &ticks);
    green_cases(&inside); /* main is one of them */
    over = true;
    size_t differences = book_compare(&plain, "green threads", &inside) +
                         book_compare(&plain, "no green threads", &outside);
    printf("%zu outcomes, %zu different\n", plain.count, differences);
    if (ticks < 100) {
        printf("only %zu ticks while they waited\n", ticks);
        return 1;
    }
    return differences != 0 || plain.count < 200;
}
