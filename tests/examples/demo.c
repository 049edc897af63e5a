/* SPDX-License-Identifier: MIT */

/* The three patterns at work: `make demo`.
 *
 *     demo [CLIENTS]             or CLIENTS=n in the environment: of the echo server; 10,000
 *     demo --serve [PORT]        leaves the feed scraper running, with a page for browsers; 9010
 *
 * Starts the programs that lie beside this one, each in a process of its own: an origin whose pages
 * take 50 ms each, web_crawler and feed_scraper, which get everything from there, and echo_server.
 * Fails if any of them does, or does not what it should.
 */
#include "demo/demo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define CLIENTS 10000
#define PORT 9010
#define OTHER_DESCRIPTORS 64 /* of a process, besides its clients' */
#define DESCRIPTORS 256      /* of a process, for the crawler's 200 connections and others */
#define STACK_SPACE (VERD_STACK_SIZE + 2 * VERD_STACK_GUARD)
#define OTHER_SPACE ((rlim_t)64 << 20) /* bytes of a process, besides its clients' stacks */
#define SPACE (OTHER_SPACE + DESCRIPTORS * STACK_SPACE)

/* Raises a limit, which the programs inherit, to what it may be at most. Returns that. */
static rlim_t raise_limit(int resource)
{
    struct rlimit limit;

    if (getrlimit(resource, &limit) != 0)
        fail("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(resource, &limit) != 0)
        fail("setrlimit");
    return limit.rlim_max;
}

/* A limit that does for `least` of `what` at least, as the demo itself needs, or the end. */
static void require(rlim_t limit, rlim_t least, const char *what, const char *option)
{
    if (limit >= least)
        return;
    fprintf(stderr, "demo: the hard limit of %s is %llu; it takes %llu (ulimit %s)\n", what,
            (unsigned long long)limit, (unsigned long long)least, option);
    exit(EXIT_FAILURE);
}

/* As many clients as asked for, or as there can be descriptors, and address space for the stacks. */
static long how_many(const char *asked)
{
    long clients = asked ? atol(asked) : CLIENTS;

    if (clients < 1) {
        errno = EINVAL;
        fail("the number of clients");
    }
    rlim_t descriptors = raise_limit(RLIMIT_NOFILE), space = raise_limit(RLIMIT_AS);
    require(descriptors, DESCRIPTORS, "descriptors", "-Hn");
    require(space, SPACE, "bytes of address space", "-Hv, in KiB");
    rlim_t possible = descriptors - OTHER_DESCRIPTORS;
    const char *what = "descriptors";
    if (possible > (space - OTHER_SPACE) / STACK_SPACE) {
        possible = (space - OTHER_SPACE) / STACK_SPACE;
        what = "address space";
    }
    if (possible >= (rlim_t)clients)
        return clients;
    printf("%ld clients instead of %ld, because of the hard limit of %s\n\n", (long)possible,
           clients, what);
    return (long)possible;
}

static void print_table(const struct row *rows, size_t count)
{
    printf("%-9s %-13s %-33s %11s %8s\n", "pattern", "program", "what", "one by one", "here");
    for (size_t i = 0; i < count; i++)
        printf("%-9s %-13s %-33s %11s %8s\n", rows[i].pattern, rows[i].program, rows[i].work,
               rows[i].alone, rows[i].here);
}

static bool demonstrate(long clients)
{
    static const char *const arguments[] = {"0", NULL};
    struct program origin;
    struct row rows[3];
    printf("Each program is one OS thread; what goes on in it are green threads.\n\n");
    start_server(&origin, "origin", arguments);
    bool well = demo_crawl(&origin, &rows[0]);
    well &= demo_scrape(&origin, &rows[1]);
    stop_server(&origin);
    well &= demo_echo(clients, &rows[2]);
    print_table(rows, 3);
    return well;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--serve") == 0)
        return demo_serve(argc > 2 ? atoi(argv[2]) : PORT);
    long clients = how_many(argc > 1 ? argv[1] : getenv("CLIENTS"));
    return demonstrate(clients) ? EXIT_SUCCESS : EXIT_FAILURE;
}
