/* SPDX-License-Identifier: MIT */
/* What the parts of the demo have in common: the programs that they start, what one sees, and what is
 * in the table at the end. */
#ifndef DEMO_H
#define DEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <verd.h>

/* ---- programs ---- */

/* One that lies beside the demo, and runs in a process of its own. */
struct program {
    pid_t pid;
    int port;          /* of a server */
    int input, output; /* pipes to it; -1: there is none */
};

/* Starts a server, whose first line says on which port it listens. arguments: up to 7, and NULL. */
void start_server(struct program *program, const char *name, const char *const *arguments);

/* Starts a program with pipes to its standard input and output. */
void start_program(struct program *program, const char *name);

/* Ends a server; waits for a program's end. Returns whether the latter has ended well. */
void stop_server(struct program *program);
bool wait_program(struct program *program);

/* Resident memory, in KiB. */
long memory_of(const struct program *program);

/* Prints what has failed, with errno, and exits. */
_Noreturn void fail(const char *what);

/* ---- what one sees ---- */

/* 1234567 as "1,234,567"; in one of several rooms, used in turn. */
const char *grouped(long number);

double seconds_since(verd_duration since);

/* A bar: so many of all, after so much time. `last`: it is not drawn again. */
void draw(const char *stage, long shown, long all, verd_duration since, bool last);

/* ---- the parts ---- */

/* A row of the table. */
struct row {
    const char *pattern, *program;
    char work[40], alone[24], here[24]; /* alone: one by one, at the same place */
};

/* At an origin's port; with so many clients. Each prints what it does, and fills in its row. Returns
 * whether all went well. */
bool demo_crawl(const struct program *origin, struct row *row);
bool demo_scrape(const struct program *origin, struct row *row);
bool demo_echo(long clients, struct row *row);

/* Leaves the scraper and the origin running until the process is told to end. */
int demo_serve(int port);

/* How long a request takes that is alone, measured with `samples` of them: of PATH followed by a
 * number from 0 on. */
verd_duration time_alone(const struct program *origin, const char *path, int samples);

/* The body of a page of a server's, allocated. */
char *get_page(const struct program *server, const char *path);

#endif
